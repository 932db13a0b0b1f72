"""One engine of SQLAlchemy for all databases that this process opens.

An engine compiles each kind of statement once and keeps the result. With an engine for each
database all of that was done anew at each opening, where it cost more than SQLite's own work.
"""

import sqlite3
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

_CACHE_KIB = 32_000  # of a temporary file

_Opened = Callable[[], sqlite3.Connection]
_opened: ContextVar[_Opened] = ContextVar("opened")


def in_memory() -> sqlite3.Connection:
    """Open an empty database that is gone when it is closed."""
    return _of_its_own(":memory:")


def temporary_file() -> sqlite3.Connection:
    """Open an empty database in a file without a name, gone with it; some of it is in memory.

    SQLite makes the file when it needs it, in `TMPDIR` where that is set.
    """
    connection = _of_its_own("")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    return connection


def _of_its_own(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, check_same_thread=False)
    distrust(connection)
    return connection


def distrust(connection: sqlite3.Connection) -> None:
    """Have SQLite believe neither the schema nor the pages of a database."""
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {pragma}")


def connected(opened: _Opened) -> Connection:
    """Return a connection over what `opened` returns; to close the one closes the other.

    Raises
    ------
    DBAPIError
        What SQLite raised on opening.
    """
    before = _opened.set(opened)
    try:
        return _engine().connect()
    finally:
        _opened.reset(before)


def driver(db: Connection) -> sqlite3.Connection:
    """Return SQLite's own connection beneath one of SQLAlchemy's."""
    own = db.connection.driver_connection
    if not isinstance(own, sqlite3.Connection):
        raise TypeError("not over SQLite")
    return own


def run(db: Connection, statement: str) -> sqlite3.Cursor:
    """Run what begins, ends and sets: it has no parameters, and no rows of ours.

    SQLAlchemy takes ten times as long for it as SQLite, and there are dozens to each opening.

    Raises
    ------
    DBAPIError
        What SQLite raised, as SQLAlchemy has it.
    """
    try:
        return driver(db).execute(statement)
    except sqlite3.Error as error:
        raise DBAPIError.instance(statement, None, error, sqlite3.Error) from error


def version_of(db: Connection) -> int:
    """Return the format of a database; 0 of an empty one."""
    return int(run(db, "PRAGMA user_version").fetchone()[0])


@cache
def _engine() -> Engine:
    return create_engine(
        "sqlite://",
        creator=_open,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )


def _open() -> sqlite3.Connection:
    return _opened.get()()
