"""One SQLite database, opened for reading only; every error is translated where it enters."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection
from sqlalchemy.exc import (
    DBAPIError,
    InvalidRequestError,
    MultipleResultsFound,
    NoResultFound,
    OperationalError,
    SQLAlchemyError,
)

from cropkit.audit import migrations, segments, shape
from cropkit.audit.connecting import (
    BEGIN_READING,
    connected,
    distrust,
    in_transaction,
    run,
    version_of,
)
from cropkit.audit.reading_copy import ReadingCopy
from cropkit.audit.schema import VERSION
from cropkit.errors import (
    AuditCorrupt,
    AuditError,
    AuditLocked,
    AuditMissing,
    AuditTooNew,
    AuditUnavailable,
    CropkitError,
    DiskFull,
    NoCollection,
)
from cropkit.system import disk_space, file_system_probe, state_folder
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, HOME, ORIGINALS, OWNERS, log_of
from cropkit.system.locks import is_free
from cropkit.system.mounts import mount_of
from cropkit.system.signals import HeldOff, held_off

DEADLINE = 30.0
_NOT_ONE = "what it holds one row of has none, or several"


class StoreReader:
    """The database of one collection, in which SQLite itself refuses every write.

    Parameters
    ----------
    deadline : seconds to wait where SQLite has to

    Raises
    ------
    NoCollection, AuditError
        When it cannot be opened. Nothing was touched.
    """

    _connection: Connection
    _copy: ReadingCopy | None = None
    _held: HeldOff | None = None  # what came while somebody reads
    is_shared = False  # with other machines: what they share is then no file of a database
    behind = False  # whether the export failed to follow: only who writes can know

    def __init__(self, root: Root, deadline: float = DEADLINE) -> None:
        if not state_folder.exists(root.path):
            raise NoCollection(root.path)
        self._choose(root, DATABASE, deadline)
        self._refuse_lost_database()
        if not os.access(self.path.parent, os.W_OK, effective_ids=True):
            with self._translated():
                self._copy = ReadingCopy(self.folder, self.path, deadline)
            self._open(self._copy.path)
            return
        try:
            self._open(self.path)
        except DiskFull:
            if _has_content(self.path.with_name(log_of(self.path.name))):
                raise
            self._open(self.path, immutable=True)

    def _open(self, path: Path, *, immutable: bool = False) -> None:
        """Open the database to read.

        Without room, SQLite cannot make the files that a log is read through; where there is no
        log, it needs none.
        """
        uri = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if immutable else ''}"
        self._connect(partial(_opened, uri, self.deadline))
        try:
            with self.reading() as db:
                version = version_of(db)
                self._check_version(version)
                shape.check(db, self.path, whole=version == VERSION)
            if 0 < version < VERSION:
                self._bring_up(version)
        except CropkitError:
            self.close()
            raise

    def _bring_up(self, version: int) -> None:
        """Read an older format from a copy in memory: the file is not ours to change."""
        with self._translated(), held_off(), self._mutex:
            older = self._connection
            self._connection = migrations.brought_up(older, version)
            older.close()

    def close(self) -> None:
        """Let go of the database."""
        with self._translated():
            self._connection.close()
        if self._copy is not None:
            self._copy.remove()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read from one moment of the database; waits for no other process.

        What others commit meanwhile is not seen, so that two answers fit each other, and no signal
        comes between question and answer.
        """
        with held_off() as held, self._translated(), self._mutex:
            self._check_place()
            before, self._held = self._held, held
            try:
                with one_moment(self._connection):
                    yield self._connection
            finally:
                self._held = before

    def lives(self, owner: str) -> bool:
        """Whether somebody who has opened the collection to write is at work on it."""
        return not is_free(self.folder / OWNERS / owner)

    def let_through(self) -> None:
        """Let a signal that came while one reads have its effect now, where the read can stop.

        Raises
        ------
        KeyboardInterrupt
            Somebody wants it to end. Inside another stretch that none may interrupt nothing is
            raised: it waits for the end of that.
        """
        if self._held is not None:
            self._held.deliver()

    def integrity(self) -> list[str]:
        """Return what SQLite finds wrong with its own file; nothing when it is whole."""
        return self._complaints("integrity_check")

    def complaints(self, table: str) -> list[str]:
        """Return what SQLite finds wrong with the pages of one table and its indices."""
        return self._complaints(f"quick_check({table})")

    def _complaints(self, check: str) -> list[str]:
        with self.reading() as db:
            complaints = [str(row[0]) for row in db.exec_driver_sql(f"PRAGMA {check}")]
        return [] if complaints == ["ok"] else complaints

    @property
    def called(self) -> str:
        """What a person calls it: its file, or the server that it is on."""
        return self.path.name

    @property
    def version(self) -> str:
        """Say which SQLite this is, and what is done about its known bug."""
        version = sqlite3.sqlite_version
        if not has_wal_reset_bug(version):
            return f"SQLite {version}"
        return f"SQLite {version} has the WAL-reset bug: one writer at a time, by writer.lock"

    # -- opening -------------------------------------------------------------------------------

    def _choose(self, root: Root, name: str, deadline: float) -> None:
        self.folder = root.path
        self.path = root.path / name
        self.deadline = deadline
        self._mutex = threading.RLock()
        state_folder.check(self.folder)
        self._refuse_network()

    def _connect(self, opened: Callable[[], sqlite3.Connection]) -> None:
        with self._translated():
            self._connection = connected(opened)
            self._inode = _inode(self.path)

    def _check_place(self) -> None:
        """Refuse to write where nobody will read: SQLite goes on with a file that has no name."""
        if _inode(self.path) != self._inode:
            raise AuditUnavailable(self.folder, "the database was removed or replaced meanwhile")

    def _refuse_network(self) -> None:
        with self._translated():
            mount = mount_of(self.folder)
        file_system_probe.check_kind(self.folder, mount, is_shared=self.is_shared)

    def _refuse_lost_database(self) -> None:
        """Refuse to start afresh: that would forget what the originals belong to."""
        originals = self.folder / ORIGINALS
        if (self.folder / DATABASE).exists() or not originals.is_dir():
            return
        exported = (self.folder / EXPORT).exists() or segments.numbers(self.folder / HOME)
        if exported or any(originals.iterdir()):
            raise AuditMissing(self.folder, DATABASE)

    def _check_version(self, version: int) -> None:
        if version < 0:
            raise AuditCorrupt(self.folder, f"there is no format {version}")
        if version > VERSION:
            raise AuditTooNew(self.folder, version, VERSION)

    # -- errors ----------------------------------------------------------------------------------

    def translated(self) -> AbstractContextManager[None]:
        """Have what is raised inside told as the errors of a trail."""
        return self._translated()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._translation(error) from error
        except (NoResultFound, MultipleResultsFound) as error:
            raise AuditCorrupt(self.folder, _NOT_ONE) from error
        except InvalidRequestError as error:  # what interrupted a statement ended its connection
            raise AuditUnavailable(self.folder, "the connection was cut off") from error
        except UnicodeDecodeError as error:  # Python reads even SQLite's complaint as UTF-8
            raise AuditCorrupt(self.folder, f"a name in it is no text: {error.object!r}") from error
        except OSError as error:
            raise unavailable(self.folder, error.strerror or error) from error

    def _translation(self, error: DBAPIError) -> AuditError:
        message = str(error.orig)
        if "locked" in message or "busy" in message:
            return AuditLocked(self.folder, self.deadline)
        if isinstance(error, OperationalError):
            return unavailable(self.folder, message)
        return AuditCorrupt(self.folder, message)


@contextmanager
def one_moment(db: Connection) -> Iterator[None]:
    """Let all answers come from one state of the database; in a transaction they do already."""
    if in_transaction(db):
        yield
        return
    run(db, BEGIN_READING[db.dialect.name])
    try:
        yield
    finally:
        with suppress(SQLAlchemyError):  # an interrupt may have ended the connection
            run(db, "ROLLBACK")


def unavailable(folder: Path, reason: object) -> AuditUnavailable:
    """Return why the trail cannot be opened or written: that the disk is full, where it is."""
    lacking = disk_space.shortage(folder)
    return DiskFull(folder, lacking) if lacking else AuditUnavailable(folder, reason)


def has_wal_reset_bug(version: str) -> bool:
    """Whether this SQLite can damage a write-ahead log that several connections use.

    The release notes of 3.51.3 tell of it; 3.7.0 is the first one with a write-ahead log.
    """
    numbers = tuple(int(part) for part in version.split("."))
    return (3, 7, 0) <= numbers < (3, 51, 3)


def _opened(uri: str, deadline: float) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=deadline, check_same_thread=False)
    distrust(connection)
    return connection


def _has_content(path: Path) -> bool:
    try:
        return path.lstat().st_size > 0
    except FileNotFoundError:
        return False


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
