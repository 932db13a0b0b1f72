"""Look at a collection without writing anything in it, not even its `.cropkit`."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cropkit.audit.reader import DEADLINE, TrailReader
from cropkit.audit.store import Store
from cropkit.errors import AuditError, AuditLocked, AuditUnavailable
from cropkit.system import state_folder
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, HOME, ORIGINALS, WRITER_LOCK, log_of
from cropkit.system.locks import LockHeld, exclusive
from cropkit.system.scope import Scope
from cropkit.system.state_folder import reader

_COPIED = (DATABASE, log_of(DATABASE), EXPORT)


@contextmanager
def copied_trail(scope: Scope, deadline: float = DEADLINE) -> Iterator[TrailReader]:
    """Open a copy of a collection's trail, made in a temporary folder while nobody writes.

    What SQLite has in its write-ahead log is in the copy, too. A collection without a database
    has an empty trail.

    Raises
    ------
    AuditError
        As opening the collection itself would.
    """
    with TemporaryDirectory(prefix="cropkit-look-") as name, ExitStack() as stack:
        place = Path(name).resolve()
        (place / HOME).mkdir(0o700)
        _copy(scope.root, place, deadline)
        try:
            Store(Root(place), deadline).close()  # makes or migrates the copy, which nobody shares
            trail = TrailReader(Root(place), deadline, scope=scope)
        except AuditError as error:
            _, *facts = error.args
            raise type(error)(scope.root, *facts) from error
        yield stack.enter_context(trail)


def _copy(folder: Path, to: Path, deadline: float) -> None:
    state_folder.check(folder)
    if not (folder / HOME).is_dir():
        return
    try:
        with ExitStack() as stack:
            if (folder / WRITER_LOCK).exists():  # whoever opens the collection makes it first
                stack.enter_context(exclusive(folder / WRITER_LOCK, deadline))
            for name in _COPIED:
                if (folder / name).exists():
                    with reader(folder / name) as file:
                        (to / name).write_bytes(file.read())
    except LockHeld:
        raise AuditLocked(folder, deadline) from None
    except OSError as error:
        raise AuditUnavailable(folder, error.strerror or error) from error
    if (folder / ORIGINALS).is_dir():
        (to / ORIGINALS).mkdir()
