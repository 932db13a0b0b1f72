"""The trail of one collection on a server, to read and to write."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cropkit.audit import compacting, places, segments, shape
from cropkit.audit.connecting import run, version_of
from cropkit.audit.dialects import ask
from cropkit.audit.places import Place
from cropkit.audit.postgres import complaints, owners, server, tables
from cropkit.audit.schema import VERSION, metadata
from cropkit.audit.seals import Head, head
from cropkit.audit.store import Accept, Store
from cropkit.audit.store_reader import DEADLINE, StoreReader, one_moment
from cropkit.errors import (
    AnotherFolder,
    AuditBehind,
    AuditCorrupt,
    AuditError,
    AuditLocked,
    AuditMissing,
    AuditUnavailable,
    CropkitError,
    NoCollection,
)
from cropkit.names import printable
from cropkit.system import state_folder
from cropkit.system.files import Root
from cropkit.system.home import EXPORT, HOME, ORIGINALS, TRAIL_PLACE

_FOLDER = "SELECT folder, inode FROM format"
_MOVED = "UPDATE format SET folder = ?, inode = ?"
_HASH = "SELECT hash FROM audit WHERE seq = ?"
_BEGIN = """BEGIN;
SET LOCAL synchronous_commit TO {durable};
SET LOCAL lock_timeout TO {patience};
LOCK TABLE format IN EXCLUSIVE MODE;
SELECT pg_current_xact_id()::text, current_setting('transaction_read_only')"""
_OUTCOME = "SELECT pg_xact_status(CAST(? AS xid8))"
_SIZE = """SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"""
_AMCHECK = """SELECT quote_ident(nspname) || '.bt_index_check' FROM pg_proc
JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE proname = 'bt_index_check' AND pronargs = 1 AND has_function_privilege(pg_proc.oid, 'EXECUTE')
  AND EXISTS (SELECT FROM pg_extension WHERE extname = 'amcheck' AND extnamespace = pronamespace)"""
_INDICES = """SELECT {}(indexrelid::regclass) FROM pg_index
WHERE indrelid = CAST(CAST(? AS text) AS regclass)"""
_DAMAGED = "XX"  # how the numbers begin of what a server finds wrong with itself
_SHORT = 0.1  # seconds between two questions of how a transaction ended
_LOST = "the line to it was lost before it was recorded: nothing of it was"
_NOT_DONE = "something in it failed, and nothing of it was recorded"
_UNKNOWN = (
    "the line to {} was lost while it was recorded, and whether it was is not known ({}); nothing"
    " is lost: the next opening tells, and goes on from there"
)
_IS_THERE = "it is said to have been moved, and {}, whose trail it is on the server, is there"


class OnServer(StoreReader):
    """What reading and writing have in common where a trail is on a server."""

    is_shared = True
    place: Place
    _is_writing = False
    _is_moved = False  # a person says that the folder is the one that the trail is about

    def _choose(self, root: Root, _name: str, deadline: float) -> None:
        super()._choose(root, TRAIL_PLACE, deadline)

    @property
    def called(self) -> str:
        """What a person calls it: the server, without a password."""
        return str(self.place)

    @property
    def version(self) -> str:
        """Say which server this is."""
        number = self._connection.dialect.server_version_info or ()
        return f"PostgreSQL {'.'.join(map(str, number))}, {self.place}"

    # -- the line ------------------------------------------------------------------------------

    def _connect_anew(self) -> None:
        with self._translated():
            self._connection = server.connected(self.place, self.deadline)
            if tables.are_there(self._connection):
                return
            self._connection.close()
        raise AuditMissing(self.folder, f"{self.place.schema} on {self.place}")

    def _check_place(self) -> None:
        """Go on by another line where one was lost between two transactions."""
        if not self._is_lost():
            return
        if self._is_writing:
            raise AuditUnavailable(self.folder, f"the server {self.place}: {_LOST}")
        with suppress(SQLAlchemyError):
            self._connection.close()
        self._connect_anew()
        with self._translated():
            self._check_shape(self._connection)

    def _is_lost(self) -> bool:
        if self._connection.invalidated or self._connection.closed:
            return True
        own: Any = self._connection.connection.driver_connection
        return bool(own.is_lost())

    def _check_shape(self, db: Connection) -> int:
        version = version_of(db)
        self._check_version(version)
        shape.check(db, self.path, whole=version == VERSION)
        return version

    def _begun(self, db: Connection, *, durable: bool, patience: float) -> str:
        """Begin to write, alone, and return the number that the server gave to it."""
        limit = max(1, int(patience * 1000))
        try:
            cursor = run(db, _BEGIN.format(durable="on" if durable else "off", patience=limit))
            while cursor.nextset():
                pass
            number, read_only = cursor.fetchone()
        except BaseException:
            _roll_back(db)
            raise
        if read_only == "on":
            _roll_back(db)
            raise AuditUnavailable(self.folder, f"the server {self.place}: {complaints.READ_ONLY}")
        return str(number)

    def _check_version(self, version: int) -> None:
        super()._check_version(version)
        if 0 < version < VERSION:
            raise AuditCorrupt(self.folder, f"there is no format {version} on a server")

    # -- whose it is ---------------------------------------------------------------------------

    def _check_folder(self) -> bool:
        """Make sure that it is the trail of this folder; return whether it says so as it is.

        A folder is known by its inode, which a move within a disk leaves, and which all machines
        that share it see. Where none was said yet, or a person says that it was moved, it is that
        of the folder that is there.

        Raises
        ------
        AnotherFolder
            It is that of another one.
        AuditUnavailable
            A person says that it was moved, and that one is there.
        """
        with self._translated():
            said = ask(self._connection, _FOLDER).one()
        other, is_here = Path(said.folder), False
        with suppress(OSError):
            is_here = other.samefile(self.folder)
        has_it = not is_here and _schema_of(other) == self.place.schema
        is_there = has_it and said.inode in (None, inode_of(other))
        if self._is_moved and is_there:
            raise AuditUnavailable(self.folder, _IS_THERE.format(printable(other)))
        is_another = is_there or said.inode not in (None, inode_of(self.folder))
        if is_another and not self._is_moved:
            raise AnotherFolder(self.folder, printable(other))
        return is_here and said.inode is not None

    # -- who is at work ------------------------------------------------------------------------

    def lives(self, owner: str) -> bool:
        """Whether somebody is at work on it, on whichever machine."""
        is_locked = super().lives(owner)
        with self.reading() as db:
            return owners.lives(db, owner, is_locked=is_locked)

    # -- what it says --------------------------------------------------------------------------

    def _translation(self, error: DBAPIError) -> AuditError:
        return complaints.translation(self.folder, self.place, self.deadline, error)

    def integrity(self) -> list[str]:
        """Return what the server finds wrong with its own files; nothing when they are whole."""
        return [each for table in metadata.tables for each in self.complaints(table)]

    def complaints(self, table: str) -> list[str]:
        """Return what it finds wrong with one table: all of it is read, and each index looked at.

        The latter by `amcheck`, where the server has it and lets this user.
        """
        with self.reading() as db, _unhurried(db):
            try:
                ask(db, f"SELECT count(hashtext(t::text)) FROM {table} AS t")  # noqa: S608  (a name of ours)
                amcheck = ask(db, _AMCHECK).scalar_one_or_none()
                if amcheck is not None:
                    ask(db, _INDICES.format(amcheck), (table,)).all()
            except DBAPIError as error:
                number = str(getattr(error.orig, "sqlstate", "") or "")
                if not number.startswith(_DAMAGED):
                    raise
                return [complaints.complaint(self.place, error.orig)]
        return []


class ServerReader(OnServer):
    """The trail on a server, read by one who cannot write.

    Raises
    ------
    NoCollection, AuditError
        When it cannot be opened. Nothing was changed.
    """

    def __init__(self, root: Root, place: Place, deadline: float = DEADLINE) -> None:
        if not state_folder.exists(root.path):
            raise NoCollection(root.path)
        self.place = place
        self._choose(root, TRAIL_PLACE, deadline)
        self._connect_anew()
        try:
            self._check_folder()
            with self.reading() as db:
                if self._check_shape(db) == 0:
                    raise AuditMissing(self.folder, f"{place.schema} on {place}")
        except CropkitError:
            self.close()
            raise

    def try_to_write(self) -> None:
        """Begin to write and take it back.

        Raises
        ------
        AuditLocked, AuditUnavailable, AuditCorrupt
            Why one may not write; nothing was changed.
        """
        with self._translated(), self._mutex:
            self._check_place()
            self._begun(self._connection, durable=False, patience=self.deadline)
            _roll_back(self._connection)


class ServerStore(OnServer, Store):
    """The trail on a server, to read and to write.

    Raises
    ------
    AuditError
        When it cannot be opened. Nothing was changed.
    """

    def __init__(
        self,
        root: Root,
        place: Place,
        deadline: float = DEADLINE,
        *,
        accept: Accept | None = None,
        is_moved: bool = False,
    ) -> None:
        self.place, self._is_moved = place, is_moved
        self._patience = deadline
        self._number = ""
        self._is_durable = False
        self._kept: Head | None = None  # the last event that this session has seen durable
        self._is_looked_at = False
        self._lease: owners.Lease | None = None
        Store.__init__(self, root, deadline, accept=accept)

    def _refuse_lost_database(self) -> None:
        """Do nothing: what is lost on a server is told where it is asked for."""

    def _connect_to_write(self) -> None:
        was_there = places.is_elsewhere(self.folder)
        self.place = places.record(self.folder, self.place)
        try:
            self._connect_anew()
        except AuditMissing:
            if was_there and not self._is_empty():
                raise
            self._make_schema()
        with self._closed_at_failure():
            tables.bring_up(self._connection)
            if self._is_moved and owners.are_at_work(self._connection):
                raise AuditUnavailable(self.folder, complaints.AT_WORK)
            if not self._check_folder() or self._is_moved:
                here = self.folder.resolve()
                ask(self._connection, _MOVED, (str(here), inode_of(here)))

    def _is_empty(self) -> bool:
        """Whether nothing was ever told here: then what is not on the server is not lost."""
        kept = self.folder / ORIGINALS
        told = (self.folder / EXPORT).exists() or segments.numbers(self.folder / HOME)
        return not told and not (kept.is_dir() and any(kept.iterdir()))

    def _make_schema(self) -> None:
        self._connection = server.connected(self.place, self.deadline)
        with self._closed_at_failure():
            run(self._connection, "BEGIN")
            here = self.folder.resolve()
            tables.begin(self._connection, self.place.schema, str(here), inode_of(here))
            run(self._connection, "COMMIT")

    @contextmanager
    def _closed_at_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._connection.close()
            raise

    # -- who is at work ------------------------------------------------------------------------

    may_come_back = True

    def announce(self, owner: str) -> None:
        """Say who it is that writes from here on, and that they live, until it is closed.

        Raises
        ------
        AuditError
            The server was not told.
        """
        with self.translated():
            self._lease = owners.Lease(self, owner)

    def check_owner(self) -> None:
        """Make sure that nobody has taken over what this owner has begun.

        Raises
        ------
        TakenOver, AuditUnavailable
            Somebody has, or nobody can tell.
        """
        if self._lease is not None:
            self._lease.check()

    def take_over(self, owner: str) -> bool:
        """Begin to settle what another owner has begun; return whether they can tell nothing more.

        Raises
        ------
        AuditError
            They may go on.
        """
        if self._lease is None:  # who has none may be taken over by anybody, and settles nothing
            return False
        with self.transaction() as db:
            return owners.take(db, owner, self._lease.owner, partial(StoreReader.lives, self))

    def close(self) -> None:
        """Live no more, and let go of the line."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.give_back()
        super().close()

    # -- a transaction -------------------------------------------------------------------------

    def _begin(self, db: Connection, *, durable: bool) -> None:
        self._number = self._begun(db, durable=durable, patience=self._patience)
        self._is_writing, self._is_durable = True, durable
        try:
            self._refuse_older(db)
            if self._lease is not None:
                self._lease.hold(db)
        except BaseException:
            self._roll_back(db)
            raise

    def _connect_anew(self) -> None:
        self._is_looked_at = False
        super()._connect_anew()

    def _refuse_older(self, db: Connection) -> None:
        """Refuse to go on where another line leads to less than was durable by the one before.

        A standby that lagged answers there now, or a backup was put back.

        Raises
        ------
        AuditBehind
            Nothing was changed, and each further try tells the same.
        """
        if self._is_looked_at or self._kept is None:
            return
        if ask(db, _HASH, (self._kept.seq,)).scalar_one_or_none() != self._kept.hash:
            raise AuditBehind(self.folder, "this session", *self._kept, *(head(db) or (0, "")))
        self._is_looked_at = True

    def _commit(self, db: Connection) -> None:
        try:
            done = run(db, "COMMIT").statusmessage
        except DBAPIError as error:
            if not self._is_lost():
                raise
            self._is_writing = False
            self._ask_what_was_done(error)
        else:
            self._is_writing = False
            if done != "COMMIT":  # a statement had failed, and somebody went on
                raise AuditCorrupt(self.folder, _NOT_DONE)
        if self._is_durable:
            self._kept = getattr(self._sealed, "newest", None)

    def _roll_back(self, db: Connection) -> None:
        self._is_writing = False
        super()._roll_back(db)

    def _ask_what_was_done(self, lost: DBAPIError) -> None:
        """Return where a transaction was committed whose line was lost meanwhile.

        Raises
        ------
        AuditUnavailable
            It was not, or that cannot be known now.
        """
        end = time.monotonic() + self.deadline
        while True:
            outcome, why = self._outcome()
            if outcome == "committed":
                return
            if outcome == "aborted":
                raise AuditUnavailable(self.folder, f"the server {self.place}: {_LOST}") from lost
            if outcome == "unknown" or time.monotonic() > end:
                raise AuditUnavailable(self.folder, _UNKNOWN.format(self.place, why)) from lost
            time.sleep(_SHORT)

    def _outcome(self) -> tuple[str, str]:
        """Return how the last transaction ended; '' where that may be known in a moment."""
        try:
            self._connect_anew()
            with self._translated():
                outcome = ask(self._connection, _OUTCOME, (self._number,)).scalar_one()
                newest = getattr(self._sealed, "newest", None)
                if outcome == "committed" and newest is not None:
                    found = ask(self._connection, _HASH, (newest.seq,)).scalar_one_or_none()
                    if found != newest.hash:  # another server answers, an older copy of that one
                        return "unknown", "it does not hold what was recorded"
        except (AuditUnavailable, AuditLocked) as error:
            return "", str(error.args[1])
        except AuditError as error:
            return "unknown", str(error)
        if outcome is None:
            return "unknown", "it does not know of the transaction"
        return ("" if outcome == "in progress" else str(outcome)), "it is at it still"

    def _export(self) -> None:
        with one_moment(self._connection):  # what may be long comes in pieces, in a transaction
            super()._export()

    @contextmanager
    def _impatient(self, deadline: float | None) -> Iterator[None]:
        before = self._patience
        self._patience = self.deadline if deadline is None else deadline
        try:
            yield
        finally:
            self._patience = before

    # -- room ----------------------------------------------------------------------------------

    def sizes(self) -> compacting.Sizes:
        """Return what the tables on the server take now, and the export here."""
        with self._translated(), self._mutex:
            self._check_place()
            size = int(ask(self._connection, _SIZE).scalar_one())
            return compacting.Sizes(size, compacting.sizes(self.folder).export)

    def vacuum(self) -> None:
        """Have the server take back the room of rows that are gone, table by table.

        Raises
        ------
        AuditError
            What was done so far stands.
        """
        with self._translated(), self._still(), self._mutex:
            self._check_place()
            with _unhurried(self._connection):
                for table in metadata.tables:
                    ask(self._connection, f"VACUUM (ANALYZE) {table}")


def _roll_back(db: Connection) -> None:
    with suppress(SQLAlchemyError):  # the line, or what was begun, may have ended
        run(db, "ROLLBACK")


@contextmanager
def _unhurried(db: Connection) -> Iterator[None]:
    """Let an answer take as long as it does: it is about all that there is."""
    own: Any = db.connection.driver_connection
    before = own.patience
    own.patience = float("inf")
    try:
        run(db, "SET statement_timeout TO 0")
        yield
    finally:
        own.patience = before
        with suppress(SQLAlchemyError):  # the line, or what was begun, may have ended
            run(db, f"SET statement_timeout TO {int(before * 1000)}")


def inode_of(folder: Path) -> str:
    """Return by what a folder with a state is known, whatever it is called."""
    return str((folder / HOME).stat(follow_symlinks=False).st_ino)


def _schema_of(folder: Path) -> str:
    with suppress(CropkitError):
        record = places.recorded(folder)
        return record.schema if record else ""
    return ""
