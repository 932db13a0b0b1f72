"""A trail is brought from its file to a server, or back: copied, proven, and only then named.

Nobody may be at work on the collection, nothing may be under way in it, and nobody writes
meanwhile. What was copied is held against what it was copied from before the folder says that the
trail is there now: that is one rename, of a record to the name `trail.json` or away from it. Who is
killed before it finds the trail where it was, and after it where it was to be; what else there is
by then is a copy, or the old one, and nothing removes either. Where both a record and a file are,
the record is right, and the file is what such a move has left: no one opens them, and the next move
sets the file aside, once it has seen that the server has the same.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cropkit import clock
from cropkit.audit import copying, links, places, pristine, seals, shape, unsettled
from cropkit.audit.connecting import connected, distrust, run, set_version, version_of
from cropkit.audit.copying import Contents, Progress
from cropkit.audit.operation import OperationState
from cropkit.audit.places import Address, Place
from cropkit.audit.presence import alone
from cropkit.audit.schema import VERSION
from cropkit.audit.seals import Head
from cropkit.audit.store_reader import DEADLINE, StoreReader, unavailable
from cropkit.errors import (
    AuditCorrupt,
    AuditLocked,
    AuditMissing,
    AuditUnavailable,
    ForeignState,
    PersonalStateUnusable,
)
from cropkit.system import file_system_probe, state_folder
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, HOME, REBUILDING, TRAIL_PLACE, WRITER_LOCK
from cropkit.system.locks import LockHeld, exclusive
from cropkit.system.mounts import mount_of
from cropkit.system.signals import held_off
from cropkit.system.state_folder import make_file

_OF_SQLITE = ("", "-wal", "-shm", "-journal")
_UNDER_WAY = "operation {0} is {1}: `cropkit recover FOLDER` tells of it, and ends it where it can"
_NOT_THE_SAME = "what was copied is not what is there, and the trail stays where it is: {0}"
_OTHER = "the trail on the server does not end as {0} does, which lies beside it: which is true?"
_IS_THERE = "it is on the server {0} already: `--to sqlite` brings it back"
_IS_HERE = "it is in {0} already: `--to postgresql://USER@HOST/DATABASE` brings it to a server"
_LEFT = "a move that was cut off may have left a copy on {0}: `DROP SCHEMA {1} CASCADE` removes it"
_KEPT = "the copy on the server has kept its name {0}: {1}"


@dataclass(frozen=True, slots=True)
class Moved:
    """What moving a trail did.

    Parameters
    ----------
    source, target : where it was and where it is, without a password
    head : hash of the last event; '' of a trail without one
    kept : the old one, as it was: a file relative to the folder of the state, or a schema
    left : what an earlier move that was cut off has left, and what could not be done, as sentences
    """

    source: str
    target: str
    events: int
    rows: int
    head: str
    kept: str
    left: tuple[str, ...] = ()


class _Copied(NamedTuple):
    contents: Contents
    head: Head | None

    def moved(self, source: object, target: object, kept: str, *left: str) -> Moved:
        head = self.head or Head(0, "")
        rows = sum(told.rows for told in self.contents.values())
        return Moved(str(source), str(target), head.seq, rows, head.hash, kept, left)


def to_server(
    root: Root, address: Address, deadline: float = DEADLINE, progress: Progress | None = None
) -> Moved:
    """Bring a trail from its file to a server, into a schema of its own.

    Raises
    ------
    AuditUnavailable, AuditLocked
        It is on a server, somebody is at work on it, something is under way, or the server cannot
        be asked: the trail is where it was.
    AuditCorrupt, ForeignState
        It does not hold together, or is not cropkit's: as above.
    """
    place = places.new(address)
    with _translated(root), _still(root.path, deadline):
        if (record := places.recorded(root.path)) is not None:
            raise AuditUnavailable(root.path, _IS_THERE.format(record))
        left = _left_before(root.path)
        copied = _copied_to(root, place, deadline, progress)
        _check_is_there(root.path, place, copied, deadline)
        left += _remembered(place)
        with held_off():
            root.replace(places.NEW_RECORD, TRAIL_PLACE)
            root.sync_folder(HOME)
            kept = _set_aside(root)
    return copied.moved(DATABASE, place, kept, *left)


def _copied_to(root: Root, place: Place, deadline: float, progress: Progress | None) -> "_Copied":
    with closing(StoreReader(root, deadline)) as store, store.reading() as source:
        _check(root.path, source)
        _write_record(root, place)
        is_made = False
        try:
            with _new_schema(root.path, place, deadline) as there:
                copied = _copied(root.path, source, there, _stoppable(store, progress))
                _refuse(root.path, source)  # a file's events come one by one
                is_made = True  # or nobody knows
        except BaseException:
            if not is_made:
                root.unlink(places.NEW_RECORD)
            raise
        return copied


def _stoppable(store: StoreReader, progress: Progress | None) -> Progress:
    """Let Ctrl-C end it now and then: as long as one moment is read, it waits."""

    def told(done: int, total: int) -> None:
        if progress is not None:
            progress(done, total)
        store.let_through()

    return told


def _remembered(place: Place) -> list[str]:
    try:
        places.remember(place)
    except PersonalStateUnusable as error:
        return [f"you will have to name the server each time: {error}"]
    return []


def to_file(
    root: Root,
    said: str | None = None,
    deadline: float = DEADLINE,
    progress: Progress | None = None,
) -> Moved:
    """Bring a trail from a server back into a file of the collection's own.

    Parameters
    ----------
    said : the address of the server that the person names; None: as when they open it

    Raises
    ------
    AuditUnavailable, AuditLocked
        It is in a file, somebody is at work on it, something is under way, or the server cannot be
        asked: the trail is where it was.
    AuditCorrupt, ForeignState
        It does not hold together, or is not cropkit's: as above.
    NetworkFileSystem
        The folder is one that a file of SQLite is not safe in: as above.
    """
    with _translated(root), _still(root.path, deadline):
        place = places.known(root.path, said)
        if place is None:
            raise AuditUnavailable(root.path, _IS_HERE.format(DATABASE))
        file_system_probe.check(root.path, mount_of(root.path), root.system)
        left = _left_before(root.path)
        with _schema(root.path, place, deadline) as source:
            _check(root.path, source)
            with _new_file(root) as here:
                copied = _copied(root.path, source, here, progress)
                _refuse(root.path, here)
            root.sync(REBUILDING)
            with held_off():
                root.replace(REBUILDING, DATABASE)
                root.sync_folder(HOME)
                root.replace(TRAIL_PLACE, _free_name(root.path, TRAIL_PLACE))
                root.sync_folder(HOME)
            kept, unkept = _renamed(source, place)
    return copied.moved(place, DATABASE, kept, *left, *unkept)


def is_cut_off(folder: Path) -> bool:
    """Whether a move that was cut off has left a file beside the record of a server."""
    return places.is_elsewhere(folder) and _is_something_here(folder)


def finish(root: Root, address: Address | None = None, deadline: float = DEADLINE) -> Moved:
    """Set aside the file that such a move has left: the trail is on the server.

    Parameters
    ----------
    address : of the server, as the person names it; None: as when they open it

    Raises
    ------
    ForeignState
        The server has not the same: nobody of ours has left it, and nothing was changed.
    AuditUnavailable, AuditLocked, AuditCorrupt
        The server cannot be asked, nobody has named it, or somebody is at work: as above.
    """
    folder = root.path
    with _translated(root), _still(folder, deadline):
        place = places.in_doubt(folder, address)
        if place is None:
            raise AuditUnavailable(folder, _IS_HERE.format(DATABASE))
        with _schema(folder, place, deadline) as there:
            copied = _Copied(copying.contents(there), seals.head(there))
            # without it, what is left is what SQLite had beside it
            if os.path.lexists(folder / DATABASE):
                with closing(StoreReader(root, deadline)) as store, store.reading() as here:
                    if any(copying.differing(copied.contents, here)):
                        raise ForeignState(folder / TRAIL_PLACE, _OTHER.format(DATABASE))
        with held_off():
            kept = _set_aside(root)
    return copied.moved(DATABASE, place, kept)


# -- who may, and what is looked at ----------------------------------------------------------------


@contextmanager
def _still(folder: Path, deadline: float) -> Iterator[None]:
    """Keep everybody away: who opens the collection, and who has it open and writes."""
    state_folder.check(folder)
    with alone(folder, deadline):
        try:
            with exclusive(folder / WRITER_LOCK, deadline):
                yield
        except LockHeld:
            raise AuditLocked(folder, deadline) from None


def _check(folder: Path, source: Connection) -> None:
    """Refuse to move what is under way: recovery would look for it where it was."""
    if version_of(source) != VERSION:
        raise AuditUnavailable(folder, "it is in an older format: open it once, then move it")
    for each in unsettled.all_of(source):
        if each.state is not OperationState.CONFLICT:
            raise AuditUnavailable(folder, _UNDER_WAY.format(each.id, each.state))
    for unread in unsettled.unreadable(source):
        raise AuditCorrupt(folder, f"operation {unread.id}: {unread.reason}")


def _copied(
    folder: Path, source: Connection, target: Connection, progress: Progress | None
) -> _Copied:
    """Copy everything, and hold the copy against what it was made of."""
    contents = copying.copy(source, target, progress)
    for wrong in copying.differing(contents, target):
        raise AuditCorrupt(folder, _NOT_THE_SAME.format(wrong))
    return _Copied(contents, seals.head(source))


def _refuse(folder: Path, db: Connection) -> None:
    """Refuse a chain that is broken anywhere; nothing goes on being read when that is told."""
    with closing(links.broken(db)) as broken:
        for link in broken:
            raise AuditCorrupt(folder, link.said)


@contextmanager
def _translated(root: Root) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unavailable(root.path, error.strerror or error) from error


# -- on a server -----------------------------------------------------------------------------------


@contextmanager
def _line(folder: Path, place: Place, deadline: float) -> Iterator[Connection]:
    from cropkit.audit.postgres import complaints, server  # noqa: PLC0415  (an extra)

    try:
        with server.connected(place, deadline) as db:
            yield db
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):  # of the other side
            raise
        raise complaints.translation(folder, place, deadline, error) from error


@contextmanager
def _new_schema(folder: Path, place: Place, deadline: float) -> Iterator[Connection]:
    """Make a schema with empty tables, which is there on leaving; an exception leaves none."""
    from cropkit.audit.postgres import store, tables  # noqa: PLC0415  (an extra)

    with _line(folder, place, deadline) as db, _transaction(db, "BEGIN"):
        db.exec_driver_sql("SET LOCAL synchronous_commit TO on")
        tables.begin(db, place.schema, str(folder.resolve()), store.inode_of(folder))
        tables.make(db)
        set_version(db, VERSION)
        yield db


@contextmanager
def _schema(folder: Path, place: Place, deadline: float) -> Iterator[Connection]:
    """Give out one moment of the trail on a server, where nobody else writes meanwhile."""
    from cropkit.audit.postgres import complaints, owners, tables  # noqa: PLC0415  (an extra)

    with (
        _line(folder, place, deadline) as db,
        _transaction(db, "BEGIN ISOLATION LEVEL REPEATABLE READ"),
    ):
        if not tables.are_there(db):
            raise AuditMissing(folder, f"{place.schema} on the server {place}")
        run(db, "LOCK TABLE format IN EXCLUSIVE MODE")
        shape.check(db, folder / TRAIL_PLACE, whole=True)
        if owners.are_elsewhere(db):
            raise AuditUnavailable(folder, complaints.AT_WORK)
        yield db


@contextmanager
def _transaction(db: Connection, begin: str) -> Iterator[None]:
    run(db, begin)
    try:
        yield
        run(db, "COMMIT")
    except BaseException:
        with suppress(SQLAlchemyError):  # the line may be lost
            run(db, "ROLLBACK")
        raise


def _check_is_there(folder: Path, place: Place, copied: _Copied, deadline: float) -> None:
    """Ask the server by another line for what was committed: the answer may have been lost."""
    with _schema(folder, place, deadline) as db:
        rows = sum(told.rows for told in copied.contents.values())
        if (copying.count(db), seals.head(db)) != (rows, copied.head):
            raise AuditCorrupt(
                folder, _NOT_THE_SAME.format("it does not end there as it does here")
            )


def _renamed(db: Connection, place: Place) -> tuple[str, list[str]]:
    """Let the old schema say that it is one; that it is not one stands already."""
    name = f"{place.schema}_moved_{clock.now():%Y%m%d%H%M%S}"
    try:
        run(db, "SAVEPOINT here")
        run(db, f'ALTER SCHEMA "{place.schema}" RENAME TO "{name}"')
    except DBAPIError as error:
        from cropkit.audit.postgres import complaints  # noqa: PLC0415  (as above)

        with suppress(SQLAlchemyError):
            run(db, "ROLLBACK TO here")
        said = complaints.complaint(place, error.orig)
        return place.schema, [_KEPT.format(place.schema, said)]
    return name, []


# -- in the folder ---------------------------------------------------------------------------------


def _write_record(root: Root, place: Place) -> None:
    """Write down where the trail will be, before anything of it is there."""
    places.write_new(root.path, place)
    root.sync_folder(HOME)


def _left_before(folder: Path) -> list[str]:
    """Tell of the copy that a move which was cut off may have left on a server."""
    with suppress(ForeignState):
        record = places.read(folder, places.NEW_RECORD)
        return [_LEFT.format(record, record.schema)] if record else []
    return []


@contextmanager
def _new_file(root: Root) -> Iterator[Connection]:
    """Make a database with empty tables, not under its own name; it is whole on leaving."""
    for path in (root.path / HOME).glob(f"{Path(REBUILDING).name}*"):
        path.unlink()  # from a try that was cut off
    if _is_something_here(root.path):
        _set_aside(root)  # an old log would be played into a new database
    make_file(root.path / REBUILDING)
    try:
        with connected(partial(_opened, root.path / REBUILDING)) as db:
            with _transaction(db, "BEGIN"):
                pristine.make_tables(db)
                set_version(db, VERSION)
                yield db
            for wrong in db.exec_driver_sql("PRAGMA integrity_check").scalars():
                if wrong != "ok":
                    raise AuditCorrupt(root.path, _NOT_THE_SAME.format(wrong))
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise unavailable(root.path, error.orig) from error
        raise


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    distrust(connection)
    return connection


def _is_something_here(folder: Path) -> bool:
    return any(os.path.lexists(folder / f"{DATABASE}{suffix}") for suffix in _OF_SQLITE)


def _set_aside(root: Root) -> str:
    """Give the old file a name that says what it is; return that."""
    aside = _free_name(root.path, DATABASE)
    for suffix in _OF_SQLITE:
        if os.path.lexists(root.path / f"{DATABASE}{suffix}"):
            root.replace(f"{DATABASE}{suffix}", f"{aside}{suffix}")
    root.sync_folder(HOME)
    return aside


def _free_name(folder: Path, of: str) -> str:
    """Return a name that no earlier one was given."""
    stamp = f"{of}.moved-{clock.now():%Y%m%dT%H%M%SZ}"
    names = chain((stamp,), (f"{stamp}-{number}" for number in count(2)))
    return next(name for name in names if not any(folder.glob(f"{name}*")))
