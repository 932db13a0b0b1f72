"""Make the database anew from the trail's export, by playing its events again."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any
from uuid import uuid4

from cropkit import clock
from cropkit.audit import export_reader, keys, links, places, replay, seals, segments, trust
from cropkit.audit.presence import alone
from cropkit.audit.store import DEADLINE, Store
from cropkit.errors import AuditCorrupt, AuditMissing, AuditUnavailable
from cropkit.system import state_folder
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, HOME, OWNERS, REBUILDING, TRAIL_PLACE

Event = Mapping[str, Any]
_ON_SERVER = (
    "it is on the server {}: bring that one back from its backup. Where it is lost for good, rename"
    f" {TRAIL_PLACE}, and the same makes a database of the folder's own from the export"
)


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
    TrailForged
        When it does not hold what this person saw of the trail last; as above.
    """
    state_folder.check(root.path)
    record = places.recorded(root.path)
    if record is not None:
        raise AuditUnavailable(root.path, _ON_SERVER.format(record))
    if not (root.path / EXPORT).is_file():
        if not segments.numbers(root.path / HOME):
            raise AuditMissing(root.path, EXPORT)
        state_folder.make_file(root.path / EXPORT)  # all that is left of it is in segments
    with _translated(root), alone(root.path, deadline):
        events = list(export_reader.events(root.path / EXPORT))
        trust.check_events(root.path, events)
        for path in (root.path / HOME).glob(f"{Path(REBUILDING).name}*"):
            path.unlink()  # from a try that was cut off
        _make_anew(root, events, deadline)
        _call_for_recovery(root)
        _change_over(root)
    return len(events)


@contextmanager
def _translated(root: Root) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AuditUnavailable(root.path, error.strerror or error) from error


def _make_anew(root: Root, events: list[Event], deadline: float) -> None:
    sealing = seals.Sealing(root.path, keys.of_person(make=True), (None, None))
    store = Store(root, deadline, rebuilding=True, accept=lambda _empty: sealing)
    try:
        with store.transaction() as db:
            replay.play_all(db, events)
        with store.reading() as db:
            wrong = [*store.integrity(), *(link.said for link in links.broken(db))]
    finally:
        store.close()
    if wrong:
        raise AuditCorrupt(store.path, wrong[0])
    root.sync(REBUILDING)


def _call_for_recovery(root: Root) -> None:
    """Leave the trace of a death: whoever opens it next looks through everything, as after one."""
    path = root.path / OWNERS / uuid4().hex
    os.close(state_folder.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))


def _free_name(root: Root) -> str:
    """Return a name for the old database that no earlier one was given."""
    stamp = f"{DATABASE}.lost-{clock.now():%Y%m%dT%H%M%SZ}"
    names = chain((stamp,), (f"{stamp}-{number}" for number in count(2)))
    return next(name for name in names if not any(root.path.glob(f"{name}*")))


def _change_over(root: Root) -> None:
    """Set the old database aside, then give its name to the new one.

    The first must be durable before the second: SQLite would play an old log into a new database.
    """
    aside = _free_name(root)
    for suffix in ("", "-wal", "-shm", "-journal"):
        if (root.path / f"{DATABASE}{suffix}").exists():
            root.replace(f"{DATABASE}{suffix}", f"{aside}{suffix}")
    root.sync_folder(HOME)
    root.replace(REBUILDING, DATABASE)
    root.sync_folder(HOME)
