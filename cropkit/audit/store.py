"""One SQLite database, one writer at a time, every error translated where it enters.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL database when several connections write and checkpoint at
once (the "WAL-reset bug", fixed in 3.51.3), and its busy wait starves some writers. Both are cured
here: every write, checkpoint and close happens under an advisory file lock beside the database.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import StaticPool

from cropkit.audit import export, migrations
from cropkit.audit.schema import VERSION
from cropkit.errors import (
    AuditCorrupt,
    AuditError,
    AuditLocked,
    AuditMissing,
    AuditUnavailable,
    CropkitError,
    NetworkFileSystem,
)
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
    log_of,
)
from cropkit.system.locks import LockHeld, exclusive

DEADLINE = 30.0
_log = logging.getLogger("cropkit.audit.trail")
_HEAD = "SELECT coalesce(max(seq), 0) FROM audit"
_NETWORK = frozenset(("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "glusterfs"))


class Store:
    """The database of one collection.

    Parameters
    ----------
    deadline : seconds to wait for any lock; then `AuditLocked`
    rebuilding : a new database beside the old one, which no export follows
    looking : only read, and leave everything as it is; a transaction then fails

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
        looking: bool = False,
    ) -> None:
        self.folder = root.path
        self.path = root.path / (REBUILDING if rebuilding else DATABASE)
        self.deadline = deadline
        self._follows = not rebuilding
        self.looking = looking
        self._refuse_network()
        if not rebuilding:
            self._refuse_lost_database()
        self._mutex = threading.RLock()
        self.behind = False
        self._exported = -1
        if not looking:
            self._make(root)
        self._engine = self._connect_to_look() if looking else self._connect()
        with self._translated(), nullcontext() if looking else self._alone():
            self._connection = self._engine.connect()
            self._inode = _inode(self.path)
        try:
            if looking:
                self._refuse_newer()
            else:
                self._migrate()
                self._prove_writable()
                root.sync_folder(HOME)
        except CropkitError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database; the last one to leave checkpoints it, so this takes the lock."""
        if self.looking:
            with self._translated():
                self._connection.close()
                self._engine.dispose()
            return
        with self._translated(), self._alone(), self._mutex:
            with suppress(OSError):  # the database is the truth, and the next session catches up
                export.sync(self.folder / EXPORT)
            self._connection.close()
            self._engine.dispose()

    @contextmanager
    def transaction(
        self, *, durable: bool = True, deadline: float | None = None
    ) -> Iterator[Connection]:
        """Write: all of it is committed on leaving, or none of it on an exception.

        With `durable` it survives a power cut; without, only the death of this process. A
        `deadline` is for what can wait for the next time: it gives up instead of being in the way.
        """
        with self._translated(), self._alone(deadline), self._soon(deadline):
            self._check_place()
            level = "FULL" if durable else "NORMAL"
            self._connection.exec_driver_sql(f"PRAGMA synchronous={level}")
            self._connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.exec_driver_sql("COMMIT")
                self._check_place()
            except BaseException:
                # a failed COMMIT may have ended the transaction already
                with suppress(DBAPIError):
                    self._connection.exec_driver_sql("ROLLBACK")
                raise
            if self._follows and self._head() != self._exported:
                self._export()

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

    def _head(self) -> int:
        return int(self._connection.exec_driver_sql(_HEAD).scalar_one())

    def _check_place(self) -> None:
        """Refuse to write where nobody will read: SQLite goes on with a file that has no name."""
        if _inode(self.path) != self._inode:
            raise AuditUnavailable(self.folder, "the database was removed or replaced meanwhile")

    def _export(self) -> None:
        """Let the export follow; the commit stands, whatever happens to the copy."""
        try:
            path = self.folder / EXPORT
            self._exported = export.follow(self._connection, path, mend=self._exported < 0)
            self.behind = False
        except OSError as error:
            if not self.behind:
                _log.error("%s is behind the database: %s", EXPORT, error)
            self.behind = True

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read; waits for no other process."""
        with self._translated(), self._mutex:
            self._check_place()
            yield self._connection

    def integrity(self) -> list[str]:
        """Return what SQLite finds wrong with its own file; nothing when it is whole."""
        with self.reading() as db:
            found = [str(row[0]) for row in db.exec_driver_sql("PRAGMA integrity_check")]
        return [] if found == ["ok"] else found

    @property
    def version(self) -> str:
        """Say which SQLite this is, and what is done about its known bug."""
        version = sqlite3.sqlite_version
        if not has_wal_reset_bug(version):
            return f"SQLite {version}"
        return f"SQLite {version} has the WAL-reset bug: one writer at a time, by writer.lock"

    # -- opening -------------------------------------------------------------------------------

    def _make(self, root: Root) -> None:
        try:
            for name in (HOME, OWNERS, STAGE, ORIGINALS):
                root.make_folder(name, 0o700)
        except CropkitError as error:
            raise AuditUnavailable(self.folder, error) from error

    def _refuse_network(self) -> None:
        with self._translated():
            kind = file_system_type(self.folder)
        if kind in _NETWORK or kind.startswith("fuse.sshfs"):
            raise NetworkFileSystem(self.folder, kind)

    def _refuse_lost_database(self) -> None:
        """Refuse to start afresh: that would forget what the originals belong to."""
        originals = self.folder / ORIGINALS
        if (self.folder / DATABASE).exists() or not originals.is_dir():
            return
        if any(originals.iterdir()) or (self.folder / EXPORT).exists():
            raise AuditMissing(self.folder, DATABASE)

    def _connect(self) -> Engine:
        engine = create_engine(
            f"sqlite:///{self.path}",
            poolclass=StaticPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"check_same_thread": False, "timeout": self.deadline},
        )
        event.listen(engine, "connect", _as_log if self._follows else _as_one_file)
        return engine

    def _connect_to_look(self) -> Engine:
        path = self.folder / DATABASE
        # without the right to write, SQLite cannot make the files that a log is read through
        log = self.folder / log_of(DATABASE)
        alone = not os.access(path.parent, os.W_OK, effective_ids=True) and not log.exists()
        uri = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if alone else ''}"
        return create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(
                uri, uri=True, timeout=self.deadline, check_same_thread=False
            ),
            poolclass=StaticPool,
            isolation_level="AUTOCOMMIT",
        )

    def _refuse_newer(self) -> None:
        with self.reading() as db:
            self._check_version(_version(db))

    def _migrate(self) -> None:
        with self.reading() as db:
            if _version(db) == VERSION:
                return
        with self.transaction() as db:
            found = _version(db)  # again: a rival may have been here
            self._check_version(found)
            if found < VERSION:
                migrations.migrate(db, found)

    def _check_version(self, found: int) -> None:
        if found > VERSION:
            reason = f"made by a newer cropkit (format {found}, this one knows {VERSION})"
            raise AuditUnavailable(self.folder, reason)

    def _prove_writable(self) -> None:
        """Refuse to open what could be read only: a reader is let past another program's lock."""
        with self.transaction(durable=False):
            pass

    # -- locks and errors ----------------------------------------------------------------------

    @contextmanager
    def _alone(self, deadline: float | None = None) -> Iterator[None]:
        patience = self.deadline if deadline is None else deadline
        try:
            with exclusive(self.folder / WRITER_LOCK, patience):
                yield
        except LockHeld:
            raise AuditLocked(self.folder, patience) from None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._translation(error) from error
        except OSError as error:
            raise AuditUnavailable(self.folder, error.strerror or error) from error

    def _translation(self, error: DBAPIError) -> AuditError:
        said = str(error.orig)
        if "locked" in said or "busy" in said:
            return AuditLocked(self.folder, self.deadline)
        if isinstance(error, OperationalError):
            return AuditUnavailable(self.folder, said)
        return AuditCorrupt(self.folder, said)


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def has_wal_reset_bug(version: str) -> bool:
    """Whether this SQLite can damage a write-ahead log that several connections use.

    The release notes of 3.51.3 tell of it; 3.7.0 is the first one with a write-ahead log.
    """
    numbers = tuple(int(part) for part in version.split("."))
    return (3, 7, 0) <= numbers < (3, 51, 3)


def file_system_type(folder: Path) -> str:
    """Name the type of the file system that holds `folder` ('' where the system does not say)."""
    mounts = Path("/proc/self/mountinfo")
    if not mounts.is_file():
        return ""
    best, kind = "", ""
    for line in mounts.read_text(errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        point = before.split()[4].encode().decode("unicode_escape", "replace")
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, after.split()[0]
    return kind


def _as_log(connection: sqlite3.Connection, _record: object) -> None:
    _configure(connection, "WAL")


def _as_one_file(connection: sqlite3.Connection, _record: object) -> None:
    """Keep no log beside the database: one that is renamed would leave its log behind."""
    _configure(connection, "DELETE")


def _configure(connection: sqlite3.Connection, journal: str) -> None:
    for pragma in (f"journal_mode={journal}", "foreign_keys=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _version(db: Connection) -> int:
    return int(db.exec_driver_sql("PRAGMA user_version").scalar_one())
