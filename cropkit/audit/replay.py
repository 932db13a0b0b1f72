"""The tables that the trail's events lead to, played one after the other.

The trail is the truth and the tables are made from it: a lost database is made anew in this way,
and a present one is held against it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from cropkit import clock
from cropkit.audit import chain, decisions, operations, pristine, schema, sessions, settings
from cropkit.audit.operation import MERGED, TAKEN_BACK, OperationState
from cropkit.audit.rows import NOT_OURS
from cropkit.audit.tally import Tally
from cropkit.errors import AuditCorrupt, CropkitError
from cropkit.names import unescaped
from cropkit.records import Status
from cropkit.system.home import EXPORT

Event = Mapping[str, Any]
Body = Mapping[str, Any]
Row = Mapping[str, Any]

# What a transaction notes of the time, a moment before or after its event.
_MOMENTS = ("settled_at", "updated_at", "ended_at")
_UNPLAYABLE = (CropkitError, SQLAlchemyError, *NOT_OURS)
_A_MOMENT = timedelta(minutes=1)
# Numbers of rows, and what only the plan knew: not in the trail.
_NOT_TOLD = {
    "decision": {"seq"},
    "queue": set[str](),
    "operation": {"seq", "planned_at"},
    "setting": set[str](),
    "session": {"beat_at", "counts"},
}
_IN_ORDER = (schema.decision, schema.operation)
_KEYS = {
    "decision": "id",
    "queue": "decision",
    "operation": "id",
    "setting": "name",
    "session": "id",
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A row that is not what the trail leads to."""

    table: str
    key: str
    path: str
    reason: str


def disagreements(db: Connection) -> list[Disagreement]:
    """Play the whole trail beside a database, and name every row that is another one there.

    Compared are decisions, the queue, finished operations, settings and sessions, column by column,
    and the order of decisions and operations. What was begun and not finished has no event yet;
    where a reviewer was is convenience, and never had one.
    """
    with _beside() as other:
        wrong = list(_unplayable(db, other))
        for table in (*_IN_ORDER, schema.queue, schema.setting, schema.session):
            here, there = _rows(db, table), _rows(other, table)
            wrong += _compared(table, here, there)
            if table in _IN_ORDER:
                wrong += _out_of_order(table, here, there)
        wrong += _without_event(db)
    return wrong


@contextmanager
def _beside() -> Iterator[Connection]:
    with pristine.database() as other:
        other.exec_driver_sql("BEGIN")
        yield other
        other.exec_driver_sql("ROLLBACK")


def _unplayable(db: Connection, other: Connection) -> Iterator[Disagreement]:
    for row in db.execute(select(schema.audit).order_by(schema.audit.c.seq)):
        event = row._asdict()
        try:
            play(other, event)
        except _UNPLAYABLE as error:
            path = unescaped(event["path"] or "")
            reason = f"event {event['seq']} leads nowhere: {error}"
            yield Disagreement("audit", str(event["seq"]), path, reason)


def _rows(db: Connection, table: Table) -> dict[str, Row]:
    query = select(table).order_by(*(table.c.seq,) if "seq" in table.c else ())
    if table is schema.operation:
        query = query.where(table.c.state == OperationState.DONE)
    key = _KEYS[table.name]
    return {row[key]: row for row in (each._asdict() for each in db.execute(query))}


def _compared(table: Table, here: dict[str, Row], there: dict[str, Row]) -> Iterator[Disagreement]:
    for key in sorted({*here, *there}):
        mine, played = here.get(key), there.get(key)
        if mine is None or played is None:
            reason = "is not in the database" if mine is None else "is not in the trail"
            row = mine or played or {}
            yield Disagreement(table.name, key, _path(row), f"{table.name} {key} {reason}")
            continue
        names = [name for name in mine if not _agree(table.name, name, mine[name], played[name])]
        if names:
            reason = f"{table.name} {key} differs from the trail in {', '.join(names)}"
            yield Disagreement(table.name, key, _path(played), reason)


def _out_of_order(
    table: Table, here: dict[str, Row], there: dict[str, Row]
) -> Iterator[Disagreement]:
    """Find rows that come earlier or later than the trail tells: of an image the latest counts.

    Those of different images have no order: a row is there from the plan on and its event at the
    end, and of two that are under way at once the later one may end first.
    """
    both = here.keys() & there.keys()
    names = {key: _names(there[key]) for key in both}
    mine, played = ([key for key in rows if key in both] for rows in (here, there))
    by_trail = _by_name(played, names)
    moved = {
        next(a for a, b in zip(keys, by_trail[name], strict=True) if a != b): None
        for name, keys in _by_name(mine, names).items()
        if keys != by_trail[name]
    }
    for key in moved:
        reason = f"{table.name} {key} has another place in the order than the trail tells"
        yield Disagreement(table.name, key, _path(here[key]), reason)


def _names(row: Row) -> frozenset[str]:
    return frozenset(str(row[name]) for name in ("path", "source", "target") if name in row)


def _by_name(keys: Iterable[str], names: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the keys of the rows about each name, in their order."""
    of_name: dict[str, list[str]] = {}
    for key in keys:
        for name in names[key]:
            of_name.setdefault(name, []).append(key)
    return of_name


def _without_event(db: Connection) -> Iterator[Disagreement]:
    """Find operations that ended without effect, and of which the trail does not tell."""
    in_trail = select(schema.audit.c.operation).where(schema.audit.c.operation.is_not(None))
    query = select(schema.operation.c.id, schema.operation.c.source).where(
        schema.operation.c.state == OperationState.ABORTED, schema.operation.c.id.not_in(in_trail)
    )
    for key, path in db.execute(query):
        yield Disagreement("operation", key, path, f"operation {key} is not in the trail")


def _path(row: Row) -> str:
    return str(row.get("path") or row.get("source") or "")


def _agree(table: str, name: str, mine: object, played: object) -> bool:
    if mine == played or name in _NOT_TOLD[table]:
        return True
    if name not in _MOMENTS:
        return False
    try:
        return abs(clock.read(str(mine)) - clock.read(str(played))) <= _A_MOMENT
    except ValueError:
        return False


def play_all(db: Connection, events: Iterable[Event]) -> None:
    """Write events, and what they lead to, into an empty database.

    Raises
    ------
    AuditCorrupt
        It names the event that leads nowhere.
    """
    for event in events:
        try:
            db.execute(insert(schema.audit).values(event))
            play(db, event)
        except _UNPLAYABLE as error:
            raise AuditCorrupt(EXPORT, f"event {event['seq']} leads nowhere: {error}") from error


def append(
    db: Connection,
    at: str,
    session: str,
    event: str,
    **fields: Any,  # noqa: ANN401  (as `chain.append` takes it)
) -> None:
    """Add an event, and do to the tables what it tells."""
    wanted = chain.append(db, at, session, event, **fields)
    row = db.execute(select(schema.audit).where(schema.audit.c.hash == wanted)).one()
    play(db, row._asdict())


def play(db: Connection, event: Event) -> None:
    """Do to the tables what an event tells."""
    effect = _PLAYS.get(event["event"])
    if effect is not None:
        path = event["path"]
        effect(db, {**event, "path": path and unescaped(path)}, chain.body_of(event))


def _session_started(db: Connection, _event: Event, body: Body) -> None:
    db.execute(insert(schema.session).values({"id": body["id"], **body}))


def _session_ended(db: Connection, event: Event, body: Body) -> None:
    _check_is_there(db, schema.session.c.id, event["session"])
    tally = Tally.from_text(json.dumps(body.get("counts", {})))  # older events have none
    sessions.end(db, event["session"], event["at"], body["how"], tally)


def _run_started(db: Connection, event: Event, body: Body) -> None:
    _check_is_there(db, schema.session.c.id, event["session"])
    sessions.begin_run(db, event["session"], body["kind"], event["at"])


def _decided(db: Connection, event: Event, body: Body) -> None:
    decisions.record(db, [decisions.from_row(body)], event["at"])


def _operated(db: Connection, event: Event, body: Body) -> None:
    operation = operations.from_row(body["operation"])
    if operation.decision:
        _check_is_there(db, schema.decision.c.id, operation.decision)
    operations.record_done(db, operation, event["at"])
    operations.settle_decision(db, operation, event["at"])


def _taken_back(db: Connection, event: Event, body: Body) -> None:
    operations.record_taken_back(db, operations.one(db, body["operation"]), event["at"])


def _withdrawn(db: Connection, event: Event, body: Body) -> None:
    _check_is_there(db, schema.decision.c.id, body["decision"])
    decisions.settle(db, body["decision"], Status.RESTORED, event["at"])


def _failed(db: Connection, event: Event, body: Body) -> None:
    if body.get("decision"):
        _check_is_there(db, schema.decision.c.id, body["decision"])
        outcome = {"code": body["code"], "message": body["message"]}
        decisions.settle(db, body["decision"], Status(event["event"]), event["at"], **outcome)


def _degraded(db: Connection, event: Event, body: Body) -> None:
    row = {"at": event["at"], "session": event["session"], "path": event["path"]}
    db.execute(insert(schema.problem).values(row | dict(body)))


def _set(db: Connection, event: Event, body: Body) -> None:
    settings.change(db, body, event["at"])


def _merged(db: Connection, event: Event, body: Body) -> None:
    """Put rows of both collections in order, and let the later decision about an image stand."""
    for table in _IN_ORDER:
        for key in body["order"][table.name]:
            _check_is_there(db, table.c.id, key)
            last = select(func.max(table.c.seq)).scalar_subquery()
            db.execute(update(table).where(table.c.id == key).values(seq=last + 1))
    for key in body["order"][schema.decision.name]:
        decisions.let_stand_again(db, key)
    for key, status in body["settled"].items():
        _check_is_there(db, schema.decision.c.id, key)
        decisions.settle(db, key, Status(status), event["at"])


def _check_is_there(db: Connection, column: ColumnElement[str], key: str) -> None:
    """Refuse an event about what no event before it tells of: it would change another's rows."""
    if db.execute(select(column).where(column == key)).first() is None:
        raise LookupError(f"there is no {key}")


_PLAYS: Mapping[str, Callable[[Connection, Event, Body], None]] = {
    "session-started": _session_started,
    "session-ended": _session_ended,
    "run-started": _run_started,
    "run-ended": _session_ended,
    "decided": _decided,
    "cropped": _operated,
    "rejected": _operated,
    "restored": _operated,
    "purged": _operated,
    TAKEN_BACK: _taken_back,
    "withdrawn": _withdrawn,
    "waiting": _failed,
    "refused": _failed,
    "failed": _failed,
    "stale": _failed,
    "in-doubt": _failed,
    "degraded": _degraded,
    "settings": _set,
    MERGED: _merged,
}
