"""Look at a collection without writing anything in it, not even its `.cropkit`."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cropkit.audit.trail import DEADLINE, FOLDER, Trail
from cropkit.audit.store import DATABASE, EXPORT
from cropkit.errors import AuditError, AuditLocked, AuditUnavailable
from cropkit.system.files import Root
from cropkit.system.locks import LockHeld, exclusive

_LOCK = "writer.lock"
_COPIED = (DATABASE, f"{DATABASE}-wal", EXPORT)


@contextmanager
def copied_trail(folder: Path, deadline: float = DEADLINE) -> Iterator[Trail]:
    """Open a copy of a collection's trail, made in a temporary folder while nobody writes.

    What SQLite has in its write-ahead log is in the copy, too. A collection without a database
    has an empty trail.

    Raises
    ------
    AuditError
        As opening the collection itself would.
    """
    home = folder / FOLDER
    with TemporaryDirectory(prefix="cropkit-look-") as name, ExitStack() as stack:
        place = Path(name).resolve()
        (place / FOLDER).mkdir(0o700)
        _copy(home, place / FOLDER, deadline)
        try:
            trail = Trail(Root(place), kind="look", deadline=deadline)
        except AuditError as error:
            _, *facts = error.args
            raise type(error)(folder, *facts) from error
        stack.callback(trail.close)
        yield trail


def _copy(home: Path, to: Path, deadline: float) -> None:
    if not home.is_dir():
        return
    try:
        with ExitStack() as stack:
            if (home / _LOCK).exists():  # whoever opens the collection makes it first
                stack.enter_context(exclusive(home / _LOCK, deadline))
            for name in _COPIED:
                if (home / name).exists():
                    shutil.copyfile(home / name, to / name)
    except LockHeld:
        raise AuditLocked(home.parent, deadline) from None
    except OSError as error:
        raise AuditUnavailable(home.parent, error.strerror or error) from error
    if (home / "originals").is_dir():
        (to / "originals").mkdir()
