"""Hold a database against the tables that its trail leads to, row by row.

The trail is played into a database of its own, a temporary file that is gone with its connection.
Both are then read side by side in one order, so that memory does not grow with the collection.
"""

import errno
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.exc import OperationalError

from cropkit import clock
from cropkit.audit import pristine, replay, schema
from cropkit.audit.links import Between
from cropkit.audit.operation import OperationState
from cropkit.names import unescaped

Row = Mapping[str, Any]

# What a transaction notes of the time, a moment before or after its event.
_MOMENTS = ("settled_at", "updated_at", "ended_at")
_A_MOMENT = timedelta(minutes=1)
# Numbers of rows, and what only the plan knew: not in the trail.
_NOT_TOLD = {
    "decision": {"seq"},
    "queue": set[str](),
    "operation": {"seq", "planned_at"},
    "setting": set[str](),
    "session": {"beat_at", "counts"},
}
_KEYS = {
    "decision": "id",
    "queue": "decision",
    "operation": "id",
    "setting": "name",
    "session": "id",
}
# Of which names a row is about; those of one image have an order.
_NAMES = {"decision": ("path",), "operation": ("source", "target")}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A row that is not what the trail leads to."""

    table: str
    key: str
    path: str
    reason: str


def disagreements(db: Connection, between: Between | None = None) -> list[Disagreement]:
    """Play the whole trail beside a database, and name every row that is another one there.

    Compared are decisions, the queue, finished operations, settings and sessions, column by column,
    and the order of decisions and operations. What was begun and not finished has no event yet;
    where a reviewer was is convenience, and never had one.

    Parameters
    ----------
    between : told how many events have been played, now and then; what it raises ends it

    Raises
    ------
    OSError
        There is no room for the temporary file.
    """
    with _beside() as other:
        wrong = [_leads_nowhere(*each) for each in _played(other, _events(db), between)]
        for table in (*replay.IN_ORDER, schema.queue, schema.setting, schema.session):
            differing = list(_compared(table, db, other))
            wrong += differing
            if table in replay.IN_ORDER:
                wrong += _out_of_order(table, db, other, {each.key for each in differing})
        wrong += _without_event(db)
    return wrong


@contextmanager
def _beside() -> Iterator[Connection]:
    with pristine.temporary() as other:
        other.exec_driver_sql("BEGIN")
        yield other
        other.exec_driver_sql("ROLLBACK")


def _events(db: Connection) -> Iterator[replay.Event]:
    query = select(schema.audit).order_by(schema.audit.c.seq)
    return (row._asdict() for row in db.execute(query))


def _played(
    other: Connection, events: Iterable[replay.Event], between: Between | None
) -> Iterator[tuple[replay.Event, Exception]]:
    try:
        yield from replay.faults(other, events, between=between)
    except OperationalError as error:
        reason = f"the trail cannot be played into a temporary file: {error.orig}"
        raise OSError(errno.EIO, reason) from error


def _leads_nowhere(event: replay.Event, error: Exception) -> Disagreement:
    reason = f"event {event['seq']} leads nowhere: {error}"
    return Disagreement("audit", str(event["seq"]), unescaped(event["path"] or ""), reason)


# -- the rows --------------------------------------------------------------------------------------


def _compared(table: Table, db: Connection, other: Connection) -> Iterator[Disagreement]:
    for key, mine, played in _side_by_side(table, db, other):
        if mine == played:
            continue
        if mine is None or played is None:
            reason = "is not in the database" if mine is None else "is not in the trail"
            row = mine or played or {}
            yield Disagreement(table.name, key, _path(row), f"{table.name} {key} {reason}")
            continue
        names = [name for name in mine if not _agree(name, mine[name], played[name])]
        if names:
            reason = f"{table.name} {key} differs from the trail in {', '.join(names)}"
            yield Disagreement(table.name, key, _path(played), reason)


def _side_by_side(
    table: Table, db: Connection, other: Connection
) -> Iterator[tuple[str, Row | None, Row | None]]:
    """Yield each key with the row that is in the database and the one that was played."""
    here = ((key, True, row) for key, row in _rows(table, db))
    there = ((key, False, row) for key, row in _rows(table, other))
    for (_, key), rows in groupby(merge(here, there, key=_placed), key=_placed):
        sides = {is_mine: row for _, is_mine, row in rows}
        yield str(key), sides.get(True), sides.get(False)


def _placed(keyed: tuple[object, bool, Row]) -> tuple[int, Any]:
    """Return what tells a key's place as SQLite sorts: whoever is no text was not put there by us.

    https://www.sqlite.org/datatype3.html#sort_order
    """
    key = keyed[0]
    kinds = (type(None), int | float, str, bytes)
    return next(at for at, kind in enumerate(kinds) if isinstance(key, kind)), key


def _rows(table: Table, db: Connection) -> Iterator[tuple[object, Row]]:
    name = _KEYS[table.name]
    columns = [each for each in table.c if each.name not in _NOT_TOLD[table.name]]
    query = _ended(table, select(*columns)).order_by(table.c[name])
    return ((row[name], row) for row in (each._asdict() for each in db.execute(query)))


def _ended(table: Table, query: Select[Any]) -> Select[Any]:
    """Leave out operations that are not finished: the trail does not tell of them yet."""
    return query.where(table.c.state == OperationState.DONE) if "state" in table.c else query


def _path(row: Row) -> str:
    return str(row.get("path") or row.get("source") or "")


def _agree(name: str, mine: object, played: object) -> bool:
    if mine == played:
        return True
    if name not in _MOMENTS:
        return False
    try:
        return abs(clock.read(str(mine)) - clock.read(str(played))) <= _A_MOMENT
    except ValueError:
        return False


# -- their order -----------------------------------------------------------------------------------


def _out_of_order(
    table: Table, db: Connection, other: Connection, differing: AbstractSet[str]
) -> Iterator[Disagreement]:
    """Find rows that come earlier or later than the trail tells: of an image the latest counts.

    Those of different images have no order: a row is there from the plan on and its event at the
    end, and of two that are under way at once the later one may end first.

    Parameters
    ----------
    differing : keys of rows that are another one there, or on one side only
    """
    here, there = (_by_name(table, each, differing) for each in (db, other))
    moved = {
        next(a for a, b in zip(mine, played, strict=True) if a != b): name
        for (name, mine), (_, played) in zip(here, there, strict=True)
        if mine != played
    }
    for key, name in moved.items():
        reason = f"{table.name} {key} has another place in the order than the trail tells"
        yield Disagreement(table.name, key, unescaped(name), reason)


def _by_name(
    table: Table, db: Connection, differing: AbstractSet[str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each name with the keys of the rows about it, in their order."""
    rows = (row for row in db.execute(_ordered(table)) if str(row.key) not in differing)
    for name, of_name in groupby(rows, key=itemgetter(0)):
        yield name, list(dict.fromkeys(row.key for row in of_name))


def _ordered(table: Table) -> Select[Any]:
    key, seq = table.c[_KEYS[table.name]].label("key"), table.c.seq
    names = (_as_written(table, name) for name in _NAMES[table.name])
    rows = union_all(*(_ended(table, select(name, key, seq)) for name in names)).subquery()
    return select(rows).order_by(rows.c.name, rows.c.seq)


def _as_written(table: Table, name: str) -> ColumnElement[str]:
    """Return a name as the row has it: one that is read might be written in two ways."""
    return type_coerce(table.c[name], String).label("name")


def _without_event(db: Connection) -> Iterator[Disagreement]:
    """Find operations that ended without effect, and of which the trail does not tell."""
    in_trail = select(schema.audit.c.operation).where(schema.audit.c.operation.is_not(None))
    query = select(schema.operation.c.id, schema.operation.c.source).where(
        schema.operation.c.state == OperationState.ABORTED, schema.operation.c.id.not_in(in_trail)
    )
    for key, path in db.execute(query):
        yield Disagreement("operation", key, path, f"operation {key} is not in the trail")
