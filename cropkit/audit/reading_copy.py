"""A copy of a database to read, where nothing can be written beside it.

SQLite reads a write-ahead log through a file that it makes beside it, so that a log on media that
cannot be written cannot be read there. What it offers instead, ``immutable=1``, is only safe where
nobody else writes, and that cannot be known: what is read-only here may be a bind mount, another
user's folder, or the like, with a writer on its other side. So database and log are copied, while
the writers' lock, which every writer and every checkpoint needs, is held: to hold it takes no more
than to read. What is read is as it was at that moment.
"""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
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
            copy_while_nobody_writes(
                folder, {database: self.path, _log(database): _log(self.path)}, deadline
            )
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove it."""
        self._place.cleanup()


def copy_while_nobody_writes(folder: Path, copies: Mapping[Path, Path], deadline: float) -> None:
    """Copy files of a collection's state, as they are at one moment; what is not there is not.

    Parameters
    ----------
    copies : from where to where

    Raises
    ------
    AuditLocked
        Somebody writes for longer than the deadline.
    OSError
        One of them cannot be read, or there is no room for it.
    """
    try:
        with held_still(folder / WRITER_LOCK, deadline):
            for path, to in copies.items():
                _copy(path, to)
    except LockHeld:
        raise AuditLocked(folder, deadline) from None


def _log(database: Path) -> Path:
    return database.with_name(log_of(database.name))


def _copy(path: Path, to: Path) -> None:
    with ExitStack() as stack:
        try:
            file = stack.enter_context(reader(path))
        except FileNotFoundError:
            return
        shutil.copyfileobj(file, stack.enter_context(to.open("xb")))
