"""Look into a collection without disturbing it: what `cropkit.monitor.health` judges.

The database is opened for reading only, nothing is recovered, migrated or made; the one lock that
is taken, for a moment, is the writers' own, to see whether one may write.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from cropkit import clock
from cropkit.audit import probe, proof
from cropkit.audit.operation import Operation, OperationState
from cropkit.audit.presence import sessions_there
from cropkit.audit.reader import TrailReader
from cropkit.audit.store_reader import StoreReader
from cropkit.audit.surveying import Recovered, Survey
from cropkit.audit.tally import SessionRow
from cropkit.engine import fsck, listing
from cropkit.engine.fsck import Difference
from cropkit.engine.locations import locations_of
from cropkit.errors import (
    AnotherFolder,
    AuditBehind,
    AuditCorrupt,
    AuditLocked,
    AuditMissing,
    AuditTooNew,
    AuditUnavailable,
    CropkitError,
    DiskFull,
    ForeignState,
    InsideCollection,
    MissingFile,
    NotAFolder,
    ReadOnly,
    TrailForged,
)
from cropkit.labels.store import Imported
from cropkit.monitor.health import Event, Facts, Limits, is_idle, turn_of_hashes
from cropkit.system import state_folder
from cropkit.system.files import Root
from cropkit.system.home import HOME, kept
from cropkit.system.scope import Scope, scope_of

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
    AnotherFolder: "foreign-state",
    MissingFile: "unreadable",
    NotAFolder: "unreadable",
    ReadOnly: "unreadable",
}
_OWN_ALERTS = frozenset(
    ("database", "audit", "conflict", "unsettled", "unvouched", "original", "nested")
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is looked at.

    Parameters
    ----------
    deep : check all of the trail, every original and every image; not what is new and a sample
    unreviewed : count the images that nobody decided about; so is done, too, where they matter
    limits : from where on they do
    patience : seconds that a lock is waited for
    """

    deep: bool = False
    unreviewed: bool = False
    limits: Limits = field(default_factory=Limits)
    patience: float = PATIENCE


def examine(
    folder: Path, now: datetime, extent: Extent | None = None, state: Path | None = None
) -> Facts:
    """Find out how a collection is. Never raises for what is wrong with it.

    Parameters
    ----------
    state : the folder that holds its `.cropkit`; None: where it is found
    """
    name = str(folder)
    try:
        return _examined(name, _whole(folder, state), now, extent or Extent())
    except CropkitError as error:
        code = next((c for kind, c in _CODES.items() if isinstance(error, kind)), None)
        return Facts(name, Event(code or "database-unavailable", str(error)))
    except OSError as error:
        return Facts(name, Event("unreadable", f"{name}: {error.strerror or error}"))


def _whole(folder: Path, state: Path | None) -> Scope:
    """Return the collection that a folder is; of a part, the folder alone, which is none."""
    try:
        scope = scope_of(folder, state)
    except InsideCollection:
        return Scope(folder.resolve())
    return scope if scope.is_whole else Scope(folder.resolve())


def _has_state(folder: Path) -> bool:
    try:
        (folder / HOME).lstat()
    except FileNotFoundError:
        return False
    return True


def _examined(name: str, scope: Scope, now: datetime, extent: Extent) -> Facts:
    if not _has_state(scope.state):
        return Facts(name, Event("no-collection", f"{name} has no {HOME}"))
    state_folder.check(scope.state)
    with TrailReader(Root(scope.state), extent.patience, scope=scope) as trail:
        return _facts(name, trail, now, extent)


def _facts(name: str, trail: TrailReader, now: datetime, extent: Extent) -> Facts:
    root = trail.root
    sound = proof.look(trail.store, root.path, now, whole=extent.deep)
    if sound.damage:  # its rows cannot be believed
        return Facts(name, damage=sound.damage, free_bytes=root.free_bytes())
    trail.integrity.check_export()
    excludes, unwritable = _writing(trail.store)
    survey = trail.survey()
    others = {each.operation.id: each.said for each in trail.operations.left_alone()}
    mine = [each for each in survey.unsettled if each.id not in others]
    read = _to_read(trail, survey, now, extent)
    differences, bad_originals = _files(trail, read, extent)
    database = trail.store.called
    nested, unreviewed = _walked(trail, counts=extent.unreviewed or _counts(survey, now, extent))
    return Facts(
        folder=name,
        sessions=_sessions(root.path, survey),
        began_at=_moment(survey.began_at),
        last_crop_at=_moment(survey.last_crop_at),
        waiting=survey.waiting.size,
        unreviewed=unreviewed,
        conflicts=[_event(o, "content that is not ours") for o in mine if _in_conflict(o)],
        in_doubt=[_doubt(path, message) for path, message in survey.in_doubt],
        unsettled=[
            _event(o, f"operation {o.id:.8} was cut off at {o.state}")
            for o in mine
            if not _in_conflict(o) and trail.is_dead(o.owner)
        ],
        left_alone=list(others.values()),
        recovered=[_recovered(each) for each in survey.recovered],
        broken_links=[link.said for link in sound.broken],
        events=sound.events,
        events_checked=sound.events_now,
        parts_checked=sound.parts,
        forgetful=sound.lack,
        forged=trail.integrity.examined().forged,
        originals=survey.originals,
        originals_read=len(read),
        bad_originals=_events(bad_originals),
        differences=[
            *(Event(database, sentence) for sentence in _unread(trail, survey, extent)),
            *_events(d for d in differences if not _has_own_alert(d, database)),
        ],
        imported=Imported(root.path).damage(deep=extent.deep),
        nested=nested,
        free_bytes=min(root.free_bytes(), Root(trail.scope.root).free_bytes()),
        largest_batch=_largest_batch(root, survey),
        sqlite=probe.sqlite_version(),
        sqlite_is_dangerous=probe.sqlite_is_dangerous() and not trail.store.is_shared,
        database=trail.store.version,
        lock_excludes=excludes,
        unwritable=unwritable,
        acknowledged=survey.acknowledged,
    )


def _writing(store: StoreReader) -> tuple[bool, Event | None]:
    """Try to write: whether locks exclude each other, and why nothing can be written."""
    try:
        return probe.writing(store), None
    except AuditUnavailable as error:  # what can be read is looked at all the same
        code = _CODES.get(type(error), "database-unavailable")
        return True, Event(code, str(error))


def _sessions(folder: Path, survey: Survey) -> list[SessionRow]:
    there = sessions_there(folder)
    return [replace(session, alive=session.id in there) for session in survey.sessions]


def _unread(trail: TrailReader, survey: Survey, extent: Extent) -> Sequence[str]:
    """Say which rows cannot be read: of sessions all, where all is looked at."""
    every = trail.unreadable_sessions() if extent.deep else ()
    return list(dict.fromkeys((*survey.unread, *every)))


def _has_own_alert(difference: Difference, database: str) -> bool:
    """Whether another alert tells it; not that a row of the tables, or the export, is wrong.

    Parameters
    ----------
    database : what `fsck` calls chain, seals and sessions
    """
    is_of_the_rest = difference.kind == "audit" and difference.path != database
    return difference.kind in _OWN_ALERTS and not is_of_the_rest


def _in_conflict(operation: Operation) -> bool:
    return operation.state is OperationState.CONFLICT


def _event(operation: Operation, text: str) -> Event:
    return Event(operation.source, text)


def _doubt(path: str, message: str | None) -> Event:
    return Event(path, message or "its outcome is not known")


def _events(differences: Iterable[Difference]) -> list[Event]:
    return [Event(difference.path, difference.reason) for difference in differences]


def _moment(written: str | None) -> datetime | None:
    return clock.read(written) if written else None


def _to_read(trail: TrailReader, survey: Survey, now: datetime, extent: Extent) -> list[str]:
    """Choose the originals to read: all, or those whose turn it is."""
    if extent.deep:
        return sorted(trail.contents.originals())
    return trail.contents.originals_between(*turn_of_hashes(survey.originals, now))


def _files(
    trail: TrailReader, originals: list[str], extent: Extent
) -> tuple[list[Difference], list[Difference]]:
    """Compare trail and disk, if all is asked for; return that, and which originals are damaged."""
    if not extent.deep:
        return [], list(fsck.damaged_originals(trail.root, originals))
    locations = locations_of(trail)
    with fsck.proven(locations, trail) as read:
        differences = fsck.fsck(locations, trail, None, read)
    return differences, [each for each in differences if each.kind == "original"]


def _counts(survey: Survey, now: datetime, extent: Extent) -> bool:
    """Whether the images matter that nobody decided about."""
    since = _moment(survey.last_crop_at or survey.began_at)
    return extent.deep or is_idle(since, now, extent.limits)


def _walked(trail: TrailReader, *, counts: bool) -> tuple[list[str], int | None]:
    """Find collections inside, and count the images that nobody decided about, in one walk."""
    known = trail.contents.known_names() if counts else set()
    nested, unreviewed = [], 0
    for folder in listing.folders(trail.scope.root):
        if folder.name and folder.is_collection:
            nested.append(folder.name)
        if counts:
            unreviewed += sum(path not in known for path in folder.paths)
    return sorted(nested), unreviewed if counts else None


def _recovered(settled: Recovered) -> Event:
    way = "carried on" if settled.forward else "taken back"
    text = f"{settled.path}: operation {settled.operation:.8} was {way} at {settled.at}"
    return Event(settled.operation, text)


def _largest_batch(root: Root, survey: Survey) -> int:
    """Return the bytes of the images that the largest session worked on, or that wait."""
    originals = [kept(sha256) for sha256 in survey.largest.some]
    worked = _bytes(root, originals, survey.largest.size)
    return max(worked, _bytes(root, survey.waiting.some, survey.waiting.size))


def _bytes(root: Root, some: Sequence[str], number: int) -> int:
    """Return how large so many files are, of which some stand for all."""
    return sum(_size(root, path) for path in some) * number // max(1, len(some))


def _size(root: Root, path: str) -> int:
    try:
        identity = root.identity(path)
    except CropkitError:
        return 0
    return identity.size if identity else 0
