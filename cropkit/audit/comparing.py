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
from functools import cache
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    literal_column,
    select,
    union_all,
)
from sqlalchemy import Row as ResultRow
from sqlalchemy.exc import OperationalError

from cropkit import clock
from cropkit.audit import chain, pristine, replay, rows, schema
from cropkit.audit.connecting import run
from cropkit.audit.dialects import STREAMED, KindOf, as_bytes
from cropkit.audit.links import Between
from cropkit.audit.operation import OperationState
from cropkit.errors import AuditCorrupt
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
_TEXT = 2  # comes after nothing and numbers
_ROWID: ColumnElement[int] = literal_column("rowid")  # all tables have one
_EVENTS = select(schema.audit).order_by(schema.audit.c.seq)
_IN_TRAIL = select(schema.audit.c.operation).where(schema.audit.c.operation.is_not(None))
_UNTOLD = (
    select(_ROWID)
    .select_from(schema.operation)
    .where(schema.operation.c.state == OperationState.ABORTED)
    .where(schema.operation.c.id.not_in(_IN_TRAIL))
)


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
        run(other, "BEGIN")
        yield other
        run(other, "ROLLBACK")


def _events(db: Connection) -> Iterator[replay.Event]:
    every = chain.each(db, _EVENTS)  # what cannot be read is a broken link, and named as that
    return (row._asdict() for row in every if not isinstance(row, rows.Unread))


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
    unreadable: dict[str, Disagreement] = {}
    for key, mine, played in _side_by_side(table, db, other, unreadable):
        if mine == played or (mine is None and key in unreadable):
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
    yield from unreadable.values()


def _side_by_side(
    table: Table, db: Connection, other: Connection, unreadable: dict[str, Disagreement]
) -> Iterator[tuple[str, Row | None, Row | None]]:
    """Yield each key with the row that is in the database and the one that was played."""
    here = ((key, True, row) for key, row in _rows(table, db, unreadable))
    there = ((key, False, row) for key, row in _rows(table, other, {}))
    for (_, key), of_key in groupby(merge(here, there, key=_placed), key=_placed):
        sides = {is_mine: row for _, is_mine, row in of_key}
        yield str(key), sides.get(True), sides.get(False)


def _placed(keyed: tuple[object, bool, Row]) -> tuple[int, Any]:
    """Return what tells a key's place as SQLite sorts: whoever is no text was not put there by us.

    https://www.sqlite.org/datatype3.html#sort_order
    """
    key = keyed[0]
    if type(key) is str:  # as nearly all are
        return _TEXT, key
    kinds = (type(None), int | float, str, bytes)
    return next(at for at, kind in enumerate(kinds) if isinstance(key, kind)), key


def _rows(
    table: Table, db: Connection, unreadable: dict[str, Disagreement]
) -> Iterator[tuple[object, Row]]:
    """Yield the rows in the order of their keys; name those that cannot be read, and go on."""
    name, number, query = _KEYS[table.name], 0, _told_of(table)
    try:
        with rows.read(table.name), db.execute(query, execution_options=STREAMED) as found:
            for row in found:
                number += 1
                yield getattr(row, name), row._asdict()
    except AuditCorrupt:  # from there on each is read by itself
        yield from _each(table, db, query, number, unreadable)


@cache
def _told_of(table: Table) -> Select[Any]:
    columns = [each for each in table.c if each.name not in _NOT_TOLD[table.name]]
    return _ended(table, select(*columns)).order_by(table.c[_KEYS[table.name]])


def _each(
    table: Table,
    db: Connection,
    query: Select[Any],
    first: int,
    unreadable: dict[str, Disagreement],
) -> Iterator[tuple[object, Row]]:
    def keyed(wanted: int) -> tuple[object, Row]:
        row = db.execute(query.where(_ROWID.in_([wanted]))).one()
        return getattr(row, _KEYS[table.name]), row._asdict()

    numbers = query.with_only_columns(_ROWID, maintain_column_froms=True)
    for each in rows.one_by_one(db.execute(numbers).scalars().all()[first:], keyed):
        if isinstance(each, rows.Unread):
            named = _unreadable(table, db, *each)
            unreadable[named.key] = named
        else:
            yield each


def _unreadable(table: Table, db: Connection, rowid: int, reason: str) -> Disagreement:
    names = (_KEYS[table.name], *_NAMES.get(table.name, ("rowid",)))
    key, path, *_ = rows.texts(db, table.name, names, rowid)
    said = f"{table.name} {key} cannot be read: {reason}"
    return Disagreement(table.name, key, unescaped(path) if table.name in _NAMES else "", said)


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
    agreeing = (row for row in _of_all(table, db) if _key(row) not in differing)
    for name, of_name in groupby(agreeing, key=itemgetter(0)):
        yield name.decode(errors="replace"), list(dict.fromkeys(map(_key, of_name)))


def _of_all(table: Table, db: Connection) -> Iterator[ResultRow[Any]]:
    with db.execute(_ordered(table), execution_options=STREAMED) as found:
        yield from found


@cache
def _ordered(table: Table) -> Select[Any]:
    key, seq = table.c[_KEYS[table.name]], table.c.seq
    whose = (as_bytes(key).label("key"), KindOf(key).label("kind"), seq)
    names = (as_bytes(table.c[name]).label("name") for name in _NAMES[table.name])
    every = union_all(*(_ended(table, select(name, *whose)) for name in names)).subquery()
    return select(every).order_by(every.c.name, every.c.seq)


def _key(row: ResultRow[Any]) -> str:
    """Return a key as `_compared` has it."""
    return rows.text(row.key) if row.kind == "text" else str(row.key)


def _without_event(db: Connection) -> Iterator[Disagreement]:
    """Find operations that ended without effect, and of which the trail does not tell."""
    for number in db.execute(_UNTOLD).scalars().all():
        key, path = rows.texts(db, schema.operation.name, ("id", "source"), number)
        reason = f"operation {key} is not in the trail"
        yield Disagreement("operation", key, unescaped(path), reason)
