"""A database in memory with the tables of cropkit and no rows, made once and copied."""

import sqlite3
from functools import cache

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from cropkit.audit import schema


def engine() -> Engine:
    """Return an engine over a new empty database in memory, with all tables."""
    connection = _connected()
    _made().backup(connection)
    return _over(connection)


@cache
def _made() -> sqlite3.Connection:
    connection = _connected()
    with _over(connection).begin() as db:
        schema.metadata.create_all(db)
    return connection


def _connected() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", check_same_thread=False)


def _over(connection: sqlite3.Connection) -> Engine:
    return create_engine(
        "sqlite://",
        creator=lambda: connection,
        poolclass=StaticPool,
        isolation_level="AUTOCOMMIT",
    )
