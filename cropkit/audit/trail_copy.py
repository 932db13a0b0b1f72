"""Look at a collection without writing anything in it, not even its `.cropkit`."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from cropkit.audit import places
from cropkit.audit.connecting import version_of
from cropkit.audit.reader import DEADLINE, TrailReader
from cropkit.audit.reading_copy import copy_while_nobody_writes
from cropkit.audit.store import Store
from cropkit.audit.store_reader import StoreReader
from cropkit.errors import AuditError, AuditUnavailable
from cropkit.system import state_folder
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, HOME, ORIGINALS, log_of
from cropkit.system.scope import Scope

_COPIED = (DATABASE, log_of(DATABASE), EXPORT)


@contextmanager
def copied_trail(scope: Scope, deadline: float = DEADLINE) -> Iterator[TrailReader]:
    """Open a copy of a collection's trail, made in a temporary folder while nobody writes.

    What SQLite has in its write-ahead log is in the copy, too. A collection without a database
    has an empty trail. One that is on a server is read there.

    Raises
    ------
    AuditError
        As opening the collection itself would.
    """
    if places.is_elsewhere(scope.state):  # a server keeps who reads from writing
        with TrailReader(Root(scope.state), deadline, scope=scope) as there:
            yield there
        return
    with TemporaryDirectory(prefix="cropkit-look-") as name, ExitStack() as stack:
        place = Path(name).resolve()
        (place / HOME).mkdir(0o700)
        _copy(scope.state, place, deadline)
        with _named(scope.state):
            if not _has_tables(place, deadline):
                Store(Root(place), deadline).close()
            trail = TrailReader(Root(place), deadline, scope=scope)
        yield stack.enter_context(trail)


def head_of_home(collection: Path, home: str, deadline: float = DEADLINE) -> str:
    """Return the hash of the last event of a trail that was set aside in a collection.

    Parameters
    ----------
    home : what was its `.cropkit`, relative to the collection

    Raises
    ------
    AuditError
        It cannot be read.
    """
    bases = [PurePosixPath(name).name for name in (DATABASE, log_of(DATABASE))]
    with _named(collection / home), TemporaryDirectory(prefix="cropkit-look-") as name:
        place = Path(name).resolve()
        (place / HOME).mkdir(0o700)
        copies = {collection / home / base: place / HOME / base for base in bases}
        _copy_files(collection, copies, deadline)
        with TrailReader(Root(place), deadline) as trail:
            return trail.integrity.head()


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Let an error name what was copied, and not the copy; there may be no room for one."""
    try:
        yield
    except AuditError as error:
        _, *facts = error.args
        raise type(error)(folder, *facts) from error
    except OSError as error:
        raise AuditUnavailable(folder, error.strerror or error) from error


def _has_tables(place: Path, deadline: float) -> bool:
    """Whether a copy can be read as it is, in an older format, too: a migration moves the head."""
    if not (place / DATABASE).exists():
        return False
    with closing(StoreReader(Root(place), deadline)) as store, store.reading() as db:
        return version_of(db) > 0


def _copy(folder: Path, to: Path, deadline: float) -> None:
    state_folder.check(folder)
    if not (folder / HOME).is_dir():
        return
    _copy_files(folder, {folder / n: to / n for n in _COPIED}, deadline)
    if (folder / ORIGINALS).is_dir():
        (to / ORIGINALS).mkdir()


def _copy_files(folder: Path, copies: Mapping[Path, Path], deadline: float) -> None:
    try:
        copy_while_nobody_writes(folder, copies, deadline)
    except OSError as error:
        raise AuditUnavailable(folder, error.strerror or error) from error
