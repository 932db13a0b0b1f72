"""Look into a collection without disturbing it: what `cropkit.monitor.health` judges.

The database is opened for reading only, nothing is recovered, migrated or made; the one lock that
is taken, for a moment, is the writers' own, to see whether one may write.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cropkit import clock
from cropkit.audit import probe
from cropkit.audit.chain import body_of
from cropkit.audit.operation import Operation, OperationKind, OperationState
from cropkit.audit.presence import sessions_there
from cropkit.audit.reader import TrailReader
from cropkit.audit.tally import SessionRow
from cropkit.engine import fsck, listing
from cropkit.engine.fsck import Difference
from cropkit.engine.locations import Locations
from cropkit.errors import (
    AuditBehind,
    AuditCorrupt,
    AuditLocked,
    AuditMissing,
    AuditTooNew,
    AuditUnavailable,
    CropkitError,
    DiskFull,
    ForeignState,
    MissingFile,
    NotAFolder,
    ReadOnly,
    TrailForged,
)
from cropkit.monitor.health import Event, Facts, sampled
from cropkit.records import Status
from cropkit.system import destinations, state_folder
from cropkit.system.files import Root
from cropkit.system.home import HOME, kept
from cropkit.system.scope import Scope

PATIENCE = 3.0  # seconds that a lock is waited for
_CODES: Mapping[type[CropkitError], str] = {
    DiskFull: "disk-space",
    AuditTooNew: "database-newer",
    AuditMissing: "database-missing",
    AuditBehind: "database-behind",
    TrailForged: "trail-forged",
    AuditLocked: "database-locked",
    AuditCorrupt: "database-corrupt",
    ForeignState: "foreign-state",
    MissingFile: "unreadable",
    NotAFolder: "unreadable",
    ReadOnly: "unreadable",
}
_OWN_ALERTS = frozenset(("database", "audit", "conflict", "unsettled", "original", "nested"))
_WORK = (OperationKind.CROP, OperationKind.REJECT)


def examine(
    folder: Path, now: datetime, *, deep: bool = False, patience: float = PATIENCE
) -> Facts:
    """Find out how a collection is. Never raises for what is wrong with it.

    Parameters
    ----------
    deep : read every original and every image, not a sample of the originals
    patience : seconds to wait for a lock
    """
    name = str(folder)
    try:
        return _examined(name, folder, now, deep=deep, patience=patience)
    except CropkitError as error:
        code = next((c for kind, c in _CODES.items() if isinstance(error, kind)), None)
        return Facts(name, Event(code or "database-unavailable", str(error)))
    except OSError as error:
        return Facts(name, Event("unreadable", f"{name}: {error.strerror or error}"))


def _has_state(folder: Path) -> bool:
    try:
        (folder / HOME).lstat()
    except FileNotFoundError:
        return False
    return True


def _examined(name: str, folder: Path, now: datetime, *, deep: bool, patience: float) -> Facts:
    state_folder.check_is_folder(folder)
    if not _has_state(folder):
        return Facts(name, Event("no-collection", f"{name} has no {HOME}"))
    state_folder.check(folder)
    root = Root(folder)
    with TrailReader(root, patience) as trail:
        return _facts(name, root, trail, now, deep=deep)


def _facts(name: str, root: Root, trail: TrailReader, now: datetime, *, deep: bool) -> Facts:
    damage = trail.store.integrity()
    if damage:  # its rows cannot be believed
        return Facts(name, damage=damage, free_bytes=root.free_bytes())
    trail.check_export()
    excludes, unwritable = _writing(root.path, trail.store.deadline)
    finished, events = trail.finished(), trail.events()
    standing = trail.standing_by_path().values()
    unsettled = trail.unsettled()
    originals = sorted(trail.originals())
    read = originals if deep else sampled(originals, now)
    differences = fsck.fsck(_locations(root), trail) if deep else []
    waiting = [decision.path for decision in standing if decision.status is Status.WAITING]
    return Facts(
        folder=name,
        sessions=_sessions(trail),
        began_at=clock.read(events[0]["at"]) if events else None,
        last_crop_at=_last_crop(events),
        waiting=len(waiting),
        unreviewed=_unreviewed(root, {s.path for s in standing} | {o.target for o in finished}),
        conflicts=[_event(o, "content that is not ours") for o in unsettled if _in_conflict(o)],
        in_doubt=[_doubt(o.path, o.message) for o in standing if o.status is Status.IN_DOUBT],
        unsettled=[
            _event(o, f"operation {o.id:.8} was cut off at {o.state}")
            for o in unsettled
            if not _in_conflict(o) and trail.is_dead(o.owner)
        ],
        recovered=settled_by_recovery(events),
        broken_links=trail.broken_links(),
        forged=trail.examined().forged,
        originals=len(originals),
        originals_read=len(read),
        bad_originals=_events(fsck.damaged_originals(root, read)),
        differences=_events(d for d in differences if d.kind not in _OWN_ALERTS),
        nested=sorted(listing.nested(root.path)),
        free_bytes=root.free_bytes(),
        largest_batch=_largest_batch(root, finished, waiting),
        sqlite=probe.sqlite_version(),
        sqlite_is_dangerous=probe.sqlite_is_dangerous(),
        lock_excludes=excludes,
        unwritable=unwritable,
        acknowledged=_acknowledged(events),
    )


def _writing(folder: Path, deadline: float) -> tuple[bool, Event | None]:
    """Try to write: whether locks exclude each other, and why nothing can be written."""
    try:
        return probe.writing(folder, deadline), None
    except AuditUnavailable as error:  # what can be read is looked at all the same
        code = _CODES.get(type(error), "database-unavailable")
        return True, Event(code, str(error))


def _sessions(trail: TrailReader) -> list[SessionRow]:
    there = sessions_there(trail.root.path)
    return [replace(session, alive=session.id in there) for session in trail.sessions()]


def _locations(root: Root) -> Locations:
    return Locations(root, destinations.named(root.path))


def _in_conflict(operation: Operation) -> bool:
    return operation.state is OperationState.CONFLICT


def _event(operation: Operation, text: str) -> Event:
    return Event(operation.source, text)


def _doubt(path: str, message: str | None) -> Event:
    return Event(path, message or "its outcome is not known")


def _events(differences: Iterable[Difference]) -> list[Event]:
    return [Event(difference.path, difference.reason) for difference in differences]


def _last_crop(events: Sequence[Mapping[str, Any]]) -> datetime | None:
    done = [event["at"] for event in events if event["event"] in ("cropped", "rejected")]
    return clock.read(done[-1]) if done else None


def _unreviewed(root: Root, known: set[str]) -> int:
    """Count the images that nobody decided about, and that no operation put there."""
    return len(set(listing.listed(Scope(root.path)).images) - known)


def settled_by_recovery(events: Sequence[Mapping[str, Any]]) -> list[Event]:
    """Find what recovery settled: forward with a mark, back by letting the decision wait again."""
    settled = []
    for event in events:
        if event["operation"] is None:
            continue
        forward = '"recovered":true' in event["body"]
        back = event["event"] == Status.WAITING and '"code":null' in event["body"]
        if forward or back:
            way = "carried on" if forward else "taken back"
            text = f"{event['path']}: operation {event['operation']:.8} was {way} at {event['at']}"
            settled.append(Event(event["operation"], text))
    return settled


def _acknowledged(events: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    bodies = [body_of(e) for e in events if e["event"] == "acknowledged"]
    return frozenset(key for body in bodies for key in body.get("alerts", ()))


def _largest_batch(root: Root, finished: Sequence[Operation], waiting: Sequence[str]) -> int:
    """Return the bytes of the images that the largest session worked on, or that wait."""
    sizes: Counter[str] = Counter()
    for operation in finished:
        if operation.kind in _WORK:
            sizes[operation.session] += _size(root, kept(operation.sha256_before or ""))
    return max([*sizes.values(), sum(_size(root, path) for path in waiting)])


def _size(root: Root, path: str) -> int:
    try:
        identity = root.identity(path)
    except CropkitError:
        return 0
    return identity.size if identity else 0
