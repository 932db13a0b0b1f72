"""One SQLite database, one writer at a time, every error translated where it enters.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL database when several connections write and checkpoint at
once (the "WAL-reset bug", fixed in 3.51.3), and its busy wait starves some writers. Both are cured
here: every write, checkpoint and close happens under an advisory file lock beside the database.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from cropkit.audit import compacting, export, migrations, rotating, shape
from cropkit.audit.connecting import distrust, run, version_of
from cropkit.audit.schema import VERSION
from cropkit.audit.store_reader import (
    DEADLINE,
    StoreReader,
    unavailable,
)
from cropkit.errors import AuditLocked, CropkitError, ForeignState
from cropkit.system import disk_space, file_system_probe, state_folder
from cropkit.system.files import Root
from cropkit.system.home import (
    DATABASE,
    EXPORT,
    HOME,
    ORIGINALS,
    OWNERS,
    REBUILDING,
    STAGE,
    WRITER_LOCK,
)
from cropkit.system.locks import LockHeld, exclusive
from cropkit.system.mounts import mount_of
from cropkit.system.signals import held_off
from cropkit.system.state_folder import make_file

__all__ = ["DEADLINE", "Store"]

_log = logging.getLogger("cropkit.audit.trail")
Within = Callable[[Connection], AbstractContextManager[object]]
Accept = Callable[[Connection], Within]
_FOR_READERS = 1.0  # seconds to wait for those who read an older moment
_HEAD = "SELECT coalesce(max(seq), 0) FROM audit"


class Store(StoreReader):
    """The database of one collection, to read and to write.

    Parameters
    ----------
    deadline : seconds to wait for any lock; then `AuditLocked`
    rebuilding : a new database beside the old one, which no export follows
    accept : looks at the trail before anything is added to it, or to its export; returns what every
        transaction is in from then on, between begin and commit

    Raises
    ------
    AuditError
        When it cannot be opened. Nothing else was touched.
    """

    def __init__(
        self,
        root: Root,
        deadline: float = DEADLINE,
        *,
        rebuilding: bool = False,
        accept: Accept | None = None,
    ) -> None:
        self._root = root
        self._choose(root, REBUILDING if rebuilding else DATABASE, deadline)
        self._sealed: Within = nullcontext
        self._follows = not rebuilding
        self._exported = -1
        if not rebuilding:
            self._refuse_lost_database()
        self._refuse_unsafe(root)
        self._make(root)
        with self._translated(), self._alone(), held_off():
            self._connect_to_write()
        try:
            self._migrate(accept)
            self._prove_writable()
            if not rebuilding:
                self._keep_reserve()
            root.sync_folder(HOME)
        except CropkitError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database; the last one to leave checkpoints it, so this takes the lock."""
        with self._translated(), self._alone(), held_off(), self._mutex:
            # the database is the truth, and the next session catches up
            with suppress(OSError, ForeignState):
                export.sync(self.folder / EXPORT)
            super().close()

    @contextmanager
    def transaction(
        self, *, durable: bool = True, deadline: float | None = None
    ) -> Iterator[Connection]:
        """Write: all of it is committed on leaving, or none of it on an exception.

        With `durable` it survives a power cut; without, only the death of this process. No signal
        comes between: who is interrupted is so before it began or after it was committed. A
        `deadline` is for what can wait for the next time: it gives up instead of being in the way.
        """
        with self._translated(), self._alone(deadline), held_off(), self._soon(deadline):
            self._check_place()
            db = self._connection
            self._begin(db, durable=durable)
            try:
                with self._sealed(db):
                    yield db
                self._commit(db)
                self._check_place()
            except BaseException:
                self._roll_back(db)
                raise
            if self._follows and self._head() != self._exported:
                self._export()

    def _begin(self, db: Connection, *, durable: bool) -> None:
        """Begin to write; nobody else does meanwhile."""
        run(db, f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        run(db, "BEGIN IMMEDIATE")

    def _commit(self, db: Connection) -> None:
        run(db, "COMMIT")

    def _roll_back(self, db: Connection) -> None:
        # a failed COMMIT may have ended the transaction, an interrupt the connection
        with suppress(SQLAlchemyError):
            run(db, "ROLLBACK")

    @contextmanager
    def _soon(self, deadline: float | None) -> Iterator[None]:
        """Hold the connection; with a deadline, wait no longer for a reader or a rival."""
        if not self._mutex.acquire(timeout=-1 if deadline is None else deadline):
            raise AuditLocked(self.folder, deadline)
        try:
            with self._impatient(deadline):
                yield
        finally:
            self._mutex.release()

    @contextmanager
    def _impatient(self, deadline: float | None) -> Iterator[None]:
        if deadline is None:
            yield
            return
        self._connection.exec_driver_sql(f"PRAGMA busy_timeout={deadline * 1000:.0f}")
        try:
            yield
        finally:
            self._connection.exec_driver_sql(f"PRAGMA busy_timeout={self.deadline * 1000:.0f}")

    # -- who is at work ------------------------------------------------------------------------

    may_come_back = False  # whether an owner who was taken for dead may still be at work

    def announce(self, _owner: str) -> None:
        """Say who it is that writes from here on."""

    def check_owner(self) -> None:
        """Make sure that nobody has taken over what this owner has begun."""

    def take_over(self, owner: str) -> bool:
        """Begin to settle what an owner who is gone has begun; return whether they cannot go on.

        A lock is let go of at a death alone: whose lock is free comes back no more.
        """
        return not self.lives(owner)

    # -- making it smaller ---------------------------------------------------------------------

    def sizes(self) -> compacting.Sizes:
        """Return what database and export take now."""
        with self._translated():
            return compacting.sizes(self.folder)

    def is_long(self) -> bool:
        """Whether the open part of the export is to be packed by whoever closes the collection."""
        with self._translated():
            return rotating.open_bytes(self._root) >= rotating.LONG

    def check_room(self, *, least: int = rotating.LEAST) -> None:
        """Refuse to pack what there is no room for.

        Raises
        ------
        NoSpace
            Nothing was written.
        """
        with self._translated():
            rotating.check_room(self._root, least=least)

    def rotate(
        self,
        last: int,
        progress: rotating.Progress | None = None,
        *,
        least: int = rotating.LEAST,
        deadline: float | None = None,
    ) -> rotating.Moved:
        """Move what is old in the export into segments; others write meanwhile.

        Parameters
        ----------
        last : number of an event that is durable

        Raises
        ------
        CropkitError
            As `rotating.rotate`.
        """
        patience = self.deadline if deadline is None else deadline
        with self._translated():
            return rotating.rotate(
                self._root, last, self._still, least=least, deadline=patience, progress=progress
            )

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Keep every writer away from database and export, and signals from what is done so."""
        with self._alone(), held_off():
            yield

    def vacuum(self) -> None:
        """Write the database anew, without what was freed in it: whole, or as it was.

        It is SQLite's own transaction, in the log first. A reader of an older moment can keep the
        file as large as it is until the log is played into it, by whoever closes last.

        Raises
        ------
        AuditError
            It is as it was.
        """
        with self._translated(), self._still(), self._mutex:
            self._check_place()
            for statement in ("PRAGMA synchronous=FULL", "VACUUM"):
                self._connection.exec_driver_sql(statement)
            with self._impatient(_FOR_READERS):
                self._connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _head(self) -> int:
        return int(run(self._connection, _HEAD).fetchone()[0])

    def _export(self) -> None:
        """Let the export follow; the commit stands, whatever happens to the copy."""
        try:
            path = self.folder / EXPORT
            self._exported = export.follow(self._connection, path, mend=self._exported < 0)
            self.behind = False
        except (OSError, ForeignState) as error:
            if not self.behind:
                _log.error("%s is behind the database: %s", EXPORT, error)
            self.behind = True

    # -- opening -------------------------------------------------------------------------------

    def _refuse_unsafe(self, root: Root) -> None:
        with self._translated():
            mount = mount_of(self.folder)
            file_system_probe.check(self.folder, mount, root.system, is_shared=self.is_shared)

    def _make(self, root: Root) -> None:
        """Make the folders; in another collection only within a state that is there.

        Whoever opens the inner of two may have been overtaken by a merge, and would begin anew.
        """
        inside = state_folder.above(root.path) is not None
        try:
            for name in () if inside else (HOME,):
                root.make_folder(name, 0o700)
            for name in (OWNERS, STAGE, ORIGINALS):
                root.make_folder(name, 0o700, alone=True)
        except CropkitError as error:
            raise unavailable(self.folder, error) from error

    def _connect_to_write(self) -> None:
        self._connect(self._opened_to_write)

    def _opened_to_write(self) -> sqlite3.Connection:
        # what SQLite makes beside it has its mode, and is the group's where that is shared
        make_file(self.path)
        connection = sqlite3.connect(self.path, timeout=self.deadline, check_same_thread=False)
        # a database that is renamed would leave its log behind: one that is made anew has none
        journal = "WAL" if self._follows else "DELETE"
        try:
            distrust(connection)
            for pragma in (f"journal_mode={journal}", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, accept: Accept | None) -> None:
        # nobody commits and exports meanwhile: the export would be ahead of what is read here
        with self._translated(), self._alone(), self.reading() as db:
            version = version_of(db)
            self._check_version(version)
            shape.check(db, self.path, whole=version == VERSION)
            self._sealed = accept(db) if accept else nullcontext
            if version == VERSION:
                return
        with self.transaction() as db:
            version = version_of(db)  # again: a rival may have been here
            self._check_version(version)
            if version < VERSION:
                migrations.migrate(db, version)
                shape.check(db, self.path, whole=True)

    def _prove_writable(self) -> None:
        """Refuse to open what could be read only: a reader is let past another program's lock."""
        with self.transaction(durable=False):
            pass

    def _keep_reserve(self) -> None:
        with self._translated():
            disk_space.keep_reserve(self.folder)

    # -- locks and errors ----------------------------------------------------------------------

    @contextmanager
    def _alone(self, deadline: float | None = None) -> Iterator[None]:
        patience = self.deadline if deadline is None else deadline
        try:
            with exclusive(self.folder / WRITER_LOCK, patience):
                yield
        except LockHeld:
            raise AuditLocked(self.folder, patience) from None
