"""A database with the tables of cropkit and no rows, in memory or in a file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache, partial

from sqlalchemy import Connection, Index
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from cropkit.audit import schema
from cropkit.audit.connecting import connected, in_memory, run, temporary_file
from cropkit.audit.dialects import is_postgres


@contextmanager
def database() -> Iterator[Connection]:
    """Give out a new empty database in memory, with all tables."""
    with connected(partial(_copy, _image())) as db:
        yield db


@contextmanager
def temporary() -> Iterator[Connection]:
    """Give out the same in a temporary file, as large as it may become; gone when it is closed."""
    with connected(partial(_copied_to_file, _image())) as db:
        yield db


def _copy(image: bytes) -> sqlite3.Connection:
    copy = in_memory()
    copy.deserialize(image)
    return copy


def _copied_to_file(image: bytes) -> sqlite3.Connection:
    file = temporary_file()
    try:
        with closing(_copy(image)) as copy:
            copy.backup(file)
    except BaseException:
        file.close()
        raise
    return file


def make_tables(db: Connection) -> None:
    """Make all tables and indices in an empty database."""
    if is_postgres(db):
        from cropkit.audit.postgres import tables  # noqa: PLC0415  (an extra)

        tables.make(db)
        return
    for statement in _statements():
        run(db, statement)


@cache
def _statements() -> tuple[str, ...]:
    """Return what makes the tables: SQLAlchemy would write it anew for each database."""
    dialect = sqlite.dialect()
    tables = schema.metadata.sorted_tables
    indices = [index for table in tables for index in sorted(table.indexes, key=_name)]
    makers: list[CreateTable | CreateIndex] = [CreateTable(table) for table in tables]
    makers += [CreateIndex(index) for index in indices]
    return tuple(str(maker.compile(dialect=dialect)) for maker in makers)


def _name(index: Index) -> str:
    return str(index.name)


@cache
def _image() -> bytes:
    source = in_memory()
    with connected(lambda: source) as db:
        make_tables(db)
        return source.serialize()
