"""All rows of a trail, copied from one database into another, cell by cell, and held against it.

The two need not be of one kind. No record is made of a row: what is copied is what is there, as far
as it is of the kind that its column holds. Rows go in the order of their numbers, some at a time,
so that no more of a trail is in memory than that.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Float, Integer, Table, func, select

from cropkit.audit import rows, schema
from cropkit.audit.dialects import ask, is_postgres, with_nul_read, with_nul_written
from cropkit.errors import AuditCorrupt
from cropkit.system.home import DATABASE

Progress = Callable[[int, int], object]
"""How many rows have been copied, of how many."""

_AT_ONCE = 500  # rows
_ORDER = tuple(schema.metadata.sorted_tables)  # what is referred to comes first


class Told(NamedTuple):
    """What a table holds: how many rows, and the SHA-256 of all cells in their order."""

    rows: int
    sha256: str


Contents = dict[str, Told]
_Take = Callable[[Table, Sequence[tuple[Any, ...]]], object]


def count(db: Connection) -> int:
    """Return how many rows there are to copy."""
    each = (db.execute(select(func.count()).select_from(table)) for table in _ORDER)
    return sum(int(answer.scalar_one()) for answer in each)


def copy(source: Connection, target: Connection, progress: Progress | None = None) -> Contents:
    """Write all rows of a trail into empty tables, in the caller's transaction of these.

    Raises
    ------
    AuditCorrupt
        A cell is of no kind that ours could be.
    """
    total, done = count(source), 0

    def write(table: Table, some: Sequence[tuple[Any, ...]]) -> None:
        nonlocal done
        _write(target, table, some)
        done += len(some)
        if progress is not None:
            progress(done, total)

    return contents(source, write)


def contents(db: Connection, take: _Take = lambda *_: None) -> Contents:
    """Return what is in each table.

    Parameters
    ----------
    take : gets the rows, some at a time

    Raises
    ------
    AuditCorrupt
        As `copy`.
    """
    told = Contents()
    for table in _ORDER:
        digest, number = hashlib.sha256(), 0
        for some in _pieces(db, table):
            take(table, some)
            _digest(digest, some)
            number += len(some)
        told[table.name] = Told(number, digest.hexdigest())
    return told


def differing(copied: Contents, db: Connection) -> Iterator[str]:
    """Tell, in sentences, how a copy is not what was copied."""
    there = contents(db)
    for name, told in copied.items():
        if there[name].rows != told.rows:
            yield f"table {name} has {there[name].rows} rows there, and {told.rows} here"
        elif there[name] != told:
            yield f"a row of table {name} is not there as it is here"


def _pieces(db: Connection, table: Table) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Yield the rows of a table in the order of their numbers, some at a time."""
    names = _names(table)
    query = f"SELECT rowid, {names} FROM {table.name} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608  (names of ours)
    last = _BEFORE_ALL
    while True:
        with rows.read(f"a row of {table.name}"):
            some = [tuple(row) for row in ask(db, query, (last, _AT_ONCE))]
        if not some:
            return
        last = some[-1][0]
        yield [_checked(table, number, _told(db, table, cells)) for number, *cells in some]


_BEFORE_ALL = -(1 << 63)


def _checked(table: Table, number: int, cells: Sequence[Any]) -> tuple[Any, ...]:
    for column, cell in zip(table.c, cells, strict=True):
        if not _belongs(column, cell):
            said = f"{cell!r:.40}, in {column.name} of row {number} of {table.name}"
            raise AuditCorrupt(DATABASE, f"{said}, is none of ours")
    return tuple(cells)


def _belongs(column: Column[Any], cell: object) -> bool:
    if cell is None:
        return bool(column.nullable)
    if isinstance(column.type, Integer):
        return type(cell) is int
    if isinstance(column.type, Float):
        return type(cell) is float
    return isinstance(cell, str) and ("\0" not in cell or _may_hold_nul(column, cell))


def _write(db: Connection, table: Table, some: Sequence[tuple[Any, ...]]) -> None:
    place = "%s" if is_postgres(db) else "?"
    places = ", ".join([place] * len(table.c))
    statement = f"INSERT INTO {table.name} ({_names(table)}) VALUES ({places})"  # noqa: S608  (as above)
    db.exec_driver_sql(statement, [_kept(db, table, row) for row in some])


def _told(db: Connection, table: Table, cells: Sequence[Any]) -> Sequence[Any]:
    """Return cells as they are meant: a server has its own way to keep a NUL."""
    return _changed(with_nul_read, table, cells) if is_postgres(db) else cells


def _kept(db: Connection, table: Table, cells: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_changed(with_nul_written, table, cells) if is_postgres(db) else cells)


def _changed(change: Callable[[str], str], table: Table, cells: Sequence[Any]) -> Sequence[Any]:
    pairs = zip(table.c, cells, strict=True)
    return [change(cell) if _may_hold_nul(column, cell) else cell for column, cell in pairs]


def _may_hold_nul(column: Column[Any], cell: object) -> bool:
    return isinstance(cell, str) and isinstance(column.type, schema.Told | schema.Said)


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.c)


def _digest(digest: Any, some: Sequence[tuple[Any, ...]]) -> None:  # noqa: ANN401  (hashlib has no name for it)
    for row in some:
        digest.update(repr(row).encode())
        digest.update(b"\n")
