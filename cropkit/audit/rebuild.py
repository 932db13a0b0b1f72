"""Make the database anew from the trail's export, by playing its events again."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from cropkit import clock
from cropkit.audit import chain, decisions, export, operations, schema, sessions, settings
from cropkit.audit.operation import TAKEN_BACK, OperationState
from cropkit.audit.presence import living, recovering
from cropkit.audit.store import DEADLINE, Store
from cropkit.audit.tally import Tally
from cropkit.errors import AuditCorrupt, AuditMissing, AuditUnavailable
from cropkit.names import unescaped
from cropkit.records import Status
from cropkit.system import state_folder
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, HOME, REBUILDING

Event = Mapping[str, Any]
Body = Mapping[str, Any]


def rebuild(root: Root, deadline: float = DEADLINE) -> int:
    """Make the database anew and set the old one aside; return how many events were played.

    It is made beside the old one and takes its name when it is whole and durable, so that a crash
    leaves the old one, none (`AuditMissing`: do it again) or the new one. What was under way when
    the database was lost is not in the export: `cropkit fsck` names files that differ from it.

    Raises
    ------
    ForeignState, AuditMissing, AuditCorrupt, AuditUnavailable
        When somebody else made its state, there is no export, it does not hold together, or
        somebody is at work; the old database was not changed.
    """
    state_folder.check(root.path)
    if not (root.path / EXPORT).is_file():
        raise AuditMissing(root.path, EXPORT)
    with _translated(root), _alone(root, deadline):
        events = list(export.events(root.path / EXPORT))
        for path in (root.path / HOME).glob(f"{Path(REBUILDING).name}*"):
            path.unlink()  # from a try that was cut off
        _make_anew(root, events, deadline)
        _change_over(root)
    return len(events)


@contextmanager
def _translated(root: Root) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AuditUnavailable(root.path, error.strerror or error) from error


def _make_anew(root: Root, events: list[Event], deadline: float) -> None:
    store = Store(root, deadline, rebuilding=True)
    try:
        with store.transaction() as db:
            for event in events:
                db.execute(insert(schema.audit).values(event))
                _play(db, event)
        with store.reading() as db:
            wrong = [*store.integrity(), *chain.broken_links(db)]
    finally:
        store.close()
    if wrong:
        raise AuditCorrupt(store.path, wrong[0])
    root.sync(REBUILDING)


def _change_over(root: Root) -> None:
    """Set the old database aside, then give its name to the new one.

    The first must be durable before the second: SQLite would play an old log into a new database.
    """
    stamp = f"{clock.now():%Y%m%dT%H%M%SZ}"
    for suffix in ("", "-wal", "-shm"):
        if (root.path / f"{DATABASE}{suffix}").exists():
            root.replace(f"{DATABASE}{suffix}", f"{DATABASE}.lost-{stamp}{suffix}")
    root.sync_folder(HOME)
    root.replace(REBUILDING, DATABASE)
    root.sync_folder(HOME)


@contextmanager
def _alone(root: Root, deadline: float) -> Iterator[None]:
    """Keep recovery and others who rebuild away; refuse while somebody has the collection open."""
    with recovering(root.path, deadline):
        if living(root.path):
            raise AuditUnavailable(root.path, "somebody is at work on it: end that first")
        yield


def _play(db: Connection, event: Event) -> None:
    play = _PLAYS.get(event["event"])
    if play is not None:
        path = event["path"]
        play(db, {**event, "path": path and unescaped(path)}, chain.body_of(event))


def _session_started(db: Connection, _event: Event, body: Body) -> None:
    db.execute(insert(schema.session).values(body))


def _session_ended(db: Connection, event: Event, body: Body) -> None:
    tally = Tally.from_text(json.dumps(body.get("counts", {})))  # older events have none
    sessions.end(db, event["session"], event["at"], body["how"], tally)


def _run_started(db: Connection, event: Event, body: Body) -> None:
    sessions.begin_run(db, event["session"], body["kind"], event["at"])


def _decided(db: Connection, event: Event, body: Body) -> None:
    decisions.record(db, [decisions.from_row(body)], event["at"])


def _operated(db: Connection, event: Event, body: Body) -> None:
    operation = operations.from_row(body["operation"])
    operations.plan(db, replace(operation, state=OperationState.PREPARED), [], event["at"])
    operations.settle(db, operation, OperationState.DONE, event["at"])
    operations.settle_decision(db, operation, event["at"])


def _taken_back(db: Connection, event: Event, body: Body) -> None:
    operations.record_taken_back(db, operations.one(db, body["operation"]), event["at"])


def _withdrawn(db: Connection, event: Event, body: Body) -> None:
    decisions.settle(db, body["decision"], Status.RESTORED, event["at"])


def _failed(db: Connection, event: Event, body: Body) -> None:
    if body.get("decision"):
        outcome = {"code": body["code"], "message": body["message"]}
        decisions.settle(db, body["decision"], Status(event["event"]), event["at"], **outcome)


def _degraded(db: Connection, event: Event, body: Body) -> None:
    row = {"at": event["at"], "session": event["session"], "path": event["path"]}
    db.execute(insert(schema.problem).values(row | dict(body)))


def _set(db: Connection, event: Event, body: Body) -> None:
    settings.change(db, body, event["at"])


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
}
