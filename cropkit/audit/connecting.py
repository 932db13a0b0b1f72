"""One engine of SQLAlchemy for all databases that this process opens.

An engine compiles each kind of statement once and keeps the result. With an engine for each
database all of that was done anew at each opening, where it cost more than SQLite's own work.
"""

import sqlite3
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

_Opened = Callable[[], sqlite3.Connection]
_opened: ContextVar[_Opened] = ContextVar("opened")


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
