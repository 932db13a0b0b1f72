"""What SQLite and PostgreSQL say differently: the statements of this room are the same for both.

Statements are written as SQLite has them, and what goes to SQLite is just that. Where PostgreSQL
has another word for a thing, or another rule, it is here and in `postgres`, and nowhere else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Integer, LargeBinary, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import Cast
from sqlalchemy.sql.functions import GenericFunction

POSTGRESQL = "postgresql"
# How much is asked for at once of what may be long, where rows come by the line; SQLite reads on.
STREAMED: Mapping[str, Any] = {"stream_results": True, "max_row_buffer": 500}
_MARK = "\U0010f700"  # private use, just before those that `names.escaped` writes
_DIGITS = 18  # of a number that fits into 64 bits


def is_postgres(db: Connection) -> bool:
    """Whether a connection leads to PostgreSQL, and not to a file of SQLite's."""
    return db.dialect.name == POSTGRESQL


# -- statements as text ----------------------------------------------------------------------------


def ask(db: Connection, statement: str, values: Sequence[object] = ()) -> CursorResult[Any]:
    """Ask what is written as text, its values as question marks: it holds no percent sign."""
    text = statement.replace("?", "%s") if values and is_postgres(db) else statement
    return db.exec_driver_sql(text, tuple(values)) if values else db.exec_driver_sql(text)


def cells(db: Connection, table: str, names: Sequence[str], longest: int) -> str:
    """Write what asks for the first bytes of a row's cells, whatever they hold, by its number."""
    cast = "convert_to(CAST({} AS TEXT), 'UTF8')" if is_postgres(db) else "CAST({} AS BLOB)"
    each = ", ".join(f"substr({cast.format(name)}, 1, {longest})" for name in names)
    return f"SELECT {each} FROM {table} WHERE rowid = ?"  # noqa: S608  (names of ours)


# -- parts of statements ---------------------------------------------------------------------------


class AsBytes(Cast[bytes]):
    """The bytes of a text."""

    inherit_cache = True


def as_bytes(text: ColumnElement[Any]) -> ColumnElement[bytes]:
    """Ask for a cell as its bytes: what is no text at all is read, too."""
    return AsBytes(text, LargeBinary)


class Within(GenericFunction[int]):
    """Where a text begins in another, counted from 1; 0 where it is not in it."""

    name = "instr"
    type = Integer()
    inherit_cache = True


class KindOf(GenericFunction[str]):
    """What is in a cell: SQLite lets it be anything."""

    name = "typeof"
    inherit_cache = True


class HasOtherThanHex(GenericFunction[int]):
    """Whether a text holds anything but digits of a hash, as 1 or 0."""

    name = "glob"
    type = Integer()
    inherit_cache = True

    def __init__(self, text: ColumnElement[str]) -> None:
        super().__init__("*[^0-9a-f]*", text)


class LeadingInteger(Cast[int]):
    """The number that a text begins with; 0 where it begins with none."""

    inherit_cache = True


def leading_integer(text: ColumnElement[str]) -> ColumnElement[int]:
    """Read the number that a text begins with, as SQLite's CAST does."""
    return LeadingInteger(text, Integer)


@compiles(AsBytes, POSTGRESQL)
def _(element: AsBytes, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401  (SQLAlchemy's)
    return f"convert_to({compiler.process(element.clause, **kw)}, 'UTF8')"


@compiles(Within, POSTGRESQL)
def _(element: Within, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401  (as above)
    return f"strpos({compiler.process(element.clauses, **kw)})"


@compiles(KindOf, POSTGRESQL)
def _(element: KindOf, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401  (as above)
    return (
        f"CASE WHEN ({compiler.process(element.clauses, **kw)}) IS NULL THEN 'null' ELSE 'text' END"
    )


@compiles(HasOtherThanHex, POSTGRESQL)
def _(element: HasOtherThanHex, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401  (as above)
    _, text = element.clauses
    return f"CAST({compiler.process(text, **kw)} ~ '[^0-9a-f]' AS INTEGER)"


@compiles(LeadingInteger, POSTGRESQL)
def _(element: LeadingInteger, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401  (as above)
    text = compiler.process(element.clause, **kw)
    return f"CAST('0' || substring({text} from '^[0-9]{{0,{_DIGITS}}}') AS BIGINT)"


# -- texts -----------------------------------------------------------------------------------------


def with_nul_written(text: str) -> str:
    """Write a text that may hold a NUL so that PostgreSQL keeps it; `with_nul_read` reads it."""
    if "\0" not in text and _MARK not in text:
        return text
    return text.replace(_MARK, f"{_MARK}1").replace("\0", f"{_MARK}0")


def with_nul_read(text: str) -> str:
    """Read what `with_nul_written` wrote."""
    return (
        text if _MARK not in text else text.replace(f"{_MARK}0", "\0").replace(f"{_MARK}1", _MARK)
    )


# -- writing ---------------------------------------------------------------------------------------


def upsert(db: Connection, table: Table) -> Any:  # noqa: ANN401  (each dialect has a class of its own)
    """Return an INSERT that can say what is done where the row is there already."""
    if not is_postgres(db):
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  (where it is used)

    return postgresql.insert(table)
