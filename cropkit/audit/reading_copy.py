"""A copy of a database to read, where nothing can be written beside it.

SQLite reads a write-ahead log through a file that it makes beside it, so that a log on media that
cannot be written cannot be read there. What it offers instead, ``immutable=1``, is only safe where
nobody else writes, and that cannot be known: what is read-only here may be a bind mount, another
user's folder, or the like, with a writer on its other side. So database and log are copied, while
the writers' lock, which every writer and every checkpoint needs, is held: to hold it takes no more
than to read. What is read is as it was at that moment.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from cropkit.errors import AuditLocked
from cropkit.system.home import WRITER_LOCK, log_of
from cropkit.system.locks import LockHeld, held_still
from cropkit.system.state_folder import reader


class ReadingCopy:
    """Database and log of a collection as they are now, in a temporary folder of this user's.

    Raises
    ------
    AuditLocked
        Somebody writes for longer than the deadline.
    OSError
        It cannot be read, or there is no room for it.
    """

    def __init__(self, folder: Path, database: Path, deadline: float) -> None:
        self._place = TemporaryDirectory(prefix="cropkit-look-")
        self.path = Path(self._place.name) / database.name
        try:
            with held_still(folder / WRITER_LOCK, deadline):
                _copied(database, self.path)
                _copied(_log(database), _log(self.path))
        except LockHeld:
            self.remove()
            raise AuditLocked(folder, deadline) from None
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove it."""
        self._place.cleanup()


def _log(database: Path) -> Path:
    return database.with_name(log_of(database.name))


def _copied(path: Path, to: Path) -> None:
    try:
        with reader(path) as file:
            to.write_bytes(file.read())
    except FileNotFoundError:
        return
