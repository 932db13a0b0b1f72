"""The tables that the trail's events lead to, played one after the other.

The trail is the truth and the tables are made from it: a lost database is made anew in this way,
and a present one is held against it (`comparing`).

Events of one kind that follow each other are played together, which costs a quarter of what they
cost one by one. They do to the tables what they would do one by one, or they are played so.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Column, Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cropkit.audit import chain, decisions, operations, schema, sessions, settings
from cropkit.audit.connecting import run
from cropkit.audit.links import Between
from cropkit.audit.operation import MERGED, TAKEN_BACK, Operation
from cropkit.audit.rows import NOT_OURS
from cropkit.audit.tally import Tally
from cropkit.errors import AuditCorrupt, CropkitError
from cropkit.names import unescaped
from cropkit.records import Status
from cropkit.system.home import EXPORT

Event = Mapping[str, Any]
Body = Mapping[str, Any]
Told = Sequence[tuple[Event, Body]]
Player = Callable[[Connection, Sequence[Event]], None]

IN_ORDER = (schema.decision, schema.operation)  # tables whose rows have a place in the order
_AT_ONCE = 500  # events that are played together
_UNPLAYABLE = (CropkitError, SQLAlchemyError, *NOT_OURS)
_THERE = {
    column: select(column).where(column.in_(bindparam("keys", expanding=True)))
    for column in (schema.session.c.id, schema.decision.c.id, schema.operation.c.id)
}
_SESSION = insert(schema.session)
_LAST_EVENT = select(schema.audit).where(schema.audit.c.hash == bindparam("wanted"))


def play_all(db: Connection, events: Iterable[Event]) -> None:
    """Write events, and what they lead to, into an empty database.

    Raises
    ------
    AuditCorrupt
        It names the event that leads nowhere.
    """
    for event, error in faults(db, events, _write_and_play):
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
    play(db, db.execute(_LAST_EVENT, {"wanted": wanted}).one()._asdict())


def play(db: Connection, event: Event) -> None:
    """Do to the tables what an event tells."""
    play_alike(db, [event])


def play_alike(db: Connection, events: Sequence[Event]) -> None:
    """Do to the tables what events of one kind tell."""
    effect = _PLAYS.get(events[0]["event"])
    if effect is not None:
        effect(db, [(_named(event), chain.body_of(event)) for event in events])


def faults(
    db: Connection,
    events: Iterable[Event],
    play: Player = play_alike,
    between: Between | None = None,
) -> Iterator[tuple[Event, Exception]]:
    """Play events, and yield those that lead nowhere, each with what it met.

    Parameters
    ----------
    between : told how many have been played, now and then; what it raises ends it

    Raises
    ------
    OperationalError
        The database itself cannot be written: no event is to blame.
    """
    count = 0
    for alike in _stretches(events):
        run(db, "SAVEPOINT stretch")
        if _fault(db, alike, play) is not None:
            run(db, "ROLLBACK TO stretch")
            one_by_one = ((event, _fault(db, [event], play)) for event in alike)
            yield from ((event, fault) for event, fault in one_by_one if fault is not None)
        run(db, "RELEASE stretch")
        count += len(alike)
        if between is not None:
            between(count)


def _stretches(events: Iterable[Event]) -> Iterator[Sequence[Event]]:
    for _, alike in groupby(events, key=lambda event: str(event["event"])):
        while stretch := list(islice(alike, _AT_ONCE)):
            yield stretch


def _fault(db: Connection, events: Sequence[Event], play: Player) -> Exception | None:
    try:
        play(db, events)
    except OperationalError:
        raise
    except _UNPLAYABLE as error:
        return error
    return None


def _write_and_play(db: Connection, events: Sequence[Event]) -> None:
    db.execute(insert(schema.audit), events)
    play_alike(db, events)


def _named(event: Event) -> Event:
    path = event["path"]
    return {**event, "path": path and unescaped(path)}


# -- what each kind does ---------------------------------------------------------------------------


def _each(
    effect: Callable[[Connection, Event, Body], None],
) -> Callable[[Connection, Told], None]:
    """Return what plays events one by one."""

    def play_each(db: Connection, told: Told) -> None:
        for event, body in told:
            effect(db, event, body)

    return play_each


def _session_started(db: Connection, _event: Event, body: Body) -> None:
    db.execute(_SESSION, {"id": body["id"], **body})


def _session_ended(db: Connection, event: Event, body: Body) -> None:
    _check_is_there(db, schema.session.c.id, event["session"])
    tally = Tally.from_text(json.dumps(body.get("counts", {})))  # older events have none
    sessions.end(db, event["session"], event["at"], body["how"], tally)


def _run_started(db: Connection, event: Event, body: Body) -> None:
    _check_is_there(db, schema.session.c.id, event["session"])
    sessions.begin_run(db, event["session"], body["kind"], event["at"])


def _decided(db: Connection, told: Told) -> None:
    decisions.record(db, ((decisions.from_row(body), event["at"]) for event, body in told))


def _operated(db: Connection, told: Told) -> None:
    done = [(operations.from_row(body["operation"]), str(event["at"])) for event, body in told]
    for some in _apart_where_undone(done):
        wanted = [operation.decision for operation, _ in some if operation.decision]
        _check_are_there(db, schema.decision.c.id, wanted)
        operations.record_done(db, some)
        operations.settle_decisions(db, some)


def _apart_where_undone(
    done: Sequence[tuple[Operation, str]],
) -> Iterator[Sequence[tuple[Operation, str]]]:
    """Cut operations so that what takes another one back stands alone, and meets all before it."""
    for takes_back, some in groupby(done, key=lambda each: each[0].undoes is not None):
        stretch = list(some)
        yield from ([each] for each in stretch) if takes_back else [stretch]


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
    for table in IN_ORDER:
        for key in body["order"][table.name]:
            _check_is_there(db, table.c.id, key)
            last = select(func.max(table.c.seq)).scalar_subquery()
            db.execute(update(table).where(table.c.id == key).values(seq=last + 1))
    for key in body["order"][schema.decision.name]:
        decisions.let_stand_again(db, key)
    for key, status in body["settled"].items():
        _check_is_there(db, schema.decision.c.id, key)
        decisions.settle(db, key, Status(status), event["at"])


def _check_is_there(db: Connection, column: Column[str], key: str) -> None:
    _check_are_there(db, column, [key])


def _check_are_there(db: Connection, column: Column[str], keys: Sequence[str]) -> None:
    """Refuse an event about what no event before it tells of: it would change another's rows."""
    there = set(db.execute(_THERE[column], {"keys": keys}).scalars()) if keys else set()
    for key in keys:
        if key not in there:
            raise LookupError(f"there is no {key}")


_PLAYS: Mapping[str, Callable[[Connection, Told], None]] = {
    "session-started": _each(_session_started),
    "session-ended": _each(_session_ended),
    "run-started": _each(_run_started),
    "run-ended": _each(_session_ended),
    "decided": _decided,
    "cropped": _operated,
    "rejected": _operated,
    "restored": _operated,
    "purged": _operated,
    TAKEN_BACK: _each(_taken_back),
    "withdrawn": _each(_withdrawn),
    "waiting": _each(_failed),
    "refused": _each(_failed),
    "failed": _each(_failed),
    "stale": _each(_failed),
    "in-doubt": _each(_failed),
    "degraded": _each(_degraded),
    "settings": _each(_set),
    MERGED: _each(_merged),
}
