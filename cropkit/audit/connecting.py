"""One engine of SQLAlchemy for all files that this process opens; servers have one, too.

An engine compiles each kind of statement once and keeps the result. With an engine for each
database all of that was done anew at each opening, where it cost more than SQLite's own work.
"""

import sqlite3
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

_CACHE_KIB = 32_000  # of a temporary file

_Opened = Callable[[], Any]  # a connection of the driver that an engine is for
_opened: ContextVar[_Opened] = ContextVar("opened")
BEGIN_READING = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
_VERSION = {"sqlite": "PRAGMA user_version", "postgresql": "SELECT version FROM format"}
_SET_VERSION = {
    "sqlite": "PRAGMA user_version={}",
    "postgresql": "UPDATE format SET version = {}",
}


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
    return over(_engine(), opened)


def over(engine: Engine, opened: _Opened) -> Connection:
    """Return a connection of an engine over what `opened` returns.

    Raises
    ------
    DBAPIError
        What the driver raised on opening.
    """
    before = _opened.set(opened)
    try:
        return engine.connect()
    finally:
        _opened.reset(before)


def opened_now() -> Any:  # noqa: ANN401  (a connection of any driver)
    """Open what `over` was called for: an engine's creator."""
    return _opened.get()()


def driver(db: Connection) -> sqlite3.Connection:
    """Return SQLite's own connection beneath one of SQLAlchemy's."""
    own = db.connection.driver_connection
    if not isinstance(own, sqlite3.Connection):
        raise TypeError("not over SQLite")
    return own


def run(db: Connection, statement: str) -> Any:  # noqa: ANN401  (the driver's cursor)
    """Run what begins, ends and sets: it has no parameters, and no rows of ours.

    SQLAlchemy takes ten times as long for it as SQLite, and there are dozens to each opening.

    Raises
    ------
    DBAPIError
        What the driver raised, as SQLAlchemy has it.
    """
    own: Any = db.connection.driver_connection
    raised = db.dialect.loaded_dbapi.Error
    try:
        return own.execute(statement)
    except raised as error:
        raise DBAPIError.instance(statement, None, error, raised) from error


def in_transaction(db: Connection) -> bool:
    """Whether something was begun on a connection, and has not ended."""
    own: Any = db.connection.driver_connection
    if isinstance(own, sqlite3.Connection):
        return own.in_transaction
    return bool(own.info.transaction_status)  # 0 is none, as libpq counts


def version_of(db: Connection) -> int:
    """Return the format of a database; 0 of an empty one."""
    return int(run(db, _VERSION[db.dialect.name]).fetchone()[0])


def set_version(db: Connection, version: int) -> None:
    """Say which format a database has now."""
    db.exec_driver_sql(_SET_VERSION[db.dialect.name].format(version))


@cache
def _engine() -> Engine:
    return create_engine(
        "sqlite://",
        creator=opened_now,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )
