"""Whether one may write here, found out without writing."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import quote

from cropkit.audit.store_reader import StoreReader, has_wal_reset_bug, unavailable
from cropkit.errors import AuditCorrupt, AuditLocked
from cropkit.system import state_folder
from cropkit.system.home import DATABASE, WRITER_LOCK
from cropkit.system.locks import LockHeld, exclusive, is_free

Begin = Callable[[], object]


def writing(store: StoreReader) -> bool:
    """Begin to write and take it back; return whether file locks exclude each other here.

    The trail is open for reading: else SQLite's log would be written into its database.

    Raises
    ------
    AuditLocked, AuditUnavailable, AuditCorrupt
        Why one may not write; nothing was changed.
    """
    folder, deadline = store.folder, store.deadline
    state_folder.check(folder)
    lock = folder / WRITER_LOCK
    begin: Begin = getattr(store, "try_to_write", partial(_begin, folder, deadline))
    try:
        with exclusive(lock, deadline):
            begin()
            return not is_free(lock)
    except LockHeld:
        raise AuditLocked(folder, deadline) from None
    except OSError as error:
        raise unavailable(folder, error.strerror or error) from error


def sqlite_version() -> str:
    """Say which SQLite this is."""
    return sqlite3.sqlite_version


def sqlite_is_dangerous() -> bool:
    """Whether this SQLite needs every writer to hold the lock."""
    return has_wal_reset_bug(sqlite3.sqlite_version)


def _begin(folder: Path, deadline: float) -> None:
    uri = f"file:{quote(str(folder / DATABASE))}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=deadline)) as db:
            db.execute("BEGIN IMMEDIATE")
            db.rollback()
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise AuditLocked(folder, deadline) from error
        raise unavailable(folder, error) from error
    except sqlite3.DatabaseError as error:
        raise AuditCorrupt(folder, error) from error
