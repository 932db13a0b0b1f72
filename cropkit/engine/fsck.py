"""Prove that database and disk agree, and name each difference. Changes nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cropkit.audit.integrity_reader import Progress
from cropkit.audit.kept_heads import KeptHead
from cropkit.audit.operation import (
    Companion,
    Operation,
    OperationKind,
    OperationState,
)
from cropkit.audit.reader import TrailReader
from cropkit.engine import listing
from cropkit.engine.accepting import ACCEPTED, AcceptedChange, accepted, hidden
from cropkit.engine.locations import Locations
from cropkit.engine.proven import Proven
from cropkit.errors import CropkitError
from cropkit.system.files import Root, is_beneath
from cropkit.system.home import ASIDE, OPEN_AND_REMOVED, ORIGINALS, REMOVED, STAGE, kept

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the trail says."""

    kind: str
    path: str
    reason: str


def proven(locations: Locations, trail: TrailReader, *, resume: bool = False) -> Proven:
    """Return what was read of the files of a collection, or of the part that is meant."""
    return Proven(locations.root.path / trail.scope.part, trail.integrity.first(), resume=resume)


def fsck(
    locations: Locations,
    trail: TrailReader,
    progress: Progress | None = None,
    read: Proven | None = None,
) -> list[Difference]:
    """Compare chain, images, originals and leftovers with the trail; nothing found is [].

    Of a part of the collection, only its images are compared; the rest is the collection's own.

    Parameters
    ----------
    progress : told what is gone through, how much of it is done, and how much there is
    read : the files that need not be read again, to which those are added that are read now
    """
    return [
        *_database(trail, progress),
        *_sealed(trail),
        *_open(trail),
        *(change.difference for change in changed_images(locations, trail, progress, read)),
        *damaged_originals(locations.state, sorted(trail.contents.originals()), progress, read),
        *_tables(trail, progress),
        *_left_over(locations, trail),
        *_nested(trail),
    ]


def _database(trail: TrailReader, progress: Progress | None) -> Iterator[Difference]:
    for reason in trail.store.integrity():
        yield Difference("database", trail.store.called, reason)
    if trail.store.behind:
        yield Difference("audit", "trail.jsonl", "the export cannot follow the database")
    for name, reason in trail.integrity.export_differences():
        yield Difference("audit", name, reason)
    for reason in trail.integrity.broken_links(progress):
        yield Difference("audit", trail.store.called, reason)


def _sealed(trail: TrailReader) -> Iterator[Difference]:
    """Tell where the trail is not the one that its seals vouch for."""
    for reason in trail.integrity.examined().forged:
        yield Difference("audit", trail.store.called, f"the trail was forged: {reason}")


def elsewhere(trail: TrailReader, kept: Sequence[KeptHead]) -> list[Difference]:
    """Hold the trail against heads that somebody keeps elsewhere."""
    database = trail.store.called
    return [Difference("audit", database, reason) for reason in trail.integrity.missed(kept)]


def _open(trail: TrailReader) -> Iterator[Difference]:
    left_alone = trail.operations.left_alone()
    others = {each.operation.id for each in left_alone}
    for each in left_alone:
        source = each.operation.source
        if not source or trail.scope.holds(source):
            yield Difference("unvouched", source or trail.store.called, each.said)
    # of one that cannot be read nobody knows what it has claimed
    for name in () if trail.operations.unreadable() else trail.operations.claimed_for_nothing():
        if trail.scope.is_whole or trail.scope.holds(name):
            reason = "is claimed for no open operation, so that all others wait"
            yield Difference("audit", name, reason)
    for operation in filter(
        lambda each: trail.scope.holds(each.source), trail.operations.unsettled()
    ):
        if operation.id in others:
            continue
        if operation.state is OperationState.CONFLICT:
            yield Difference(
                "conflict", operation.source, f"operation {operation.id} met foreign content"
            )
        elif trail.is_dead(operation.owner):
            yield Difference(
                "unsettled", operation.source, f"operation {operation.id} was cut off: recover"
            )


@dataclass(frozen=True, slots=True)
class ChangedImage:
    """An image that is not as it was written; what is there, if it can be read."""

    was: str
    now: str | None
    difference: Difference
    is_read: bool = True


def changed_images(
    locations: Locations,
    trail: TrailReader,
    progress: Progress | None = None,
    read: Proven | None = None,
) -> Iterator[ChangedImage]:
    """Find the images that are not as they were written, but for what a person has accepted."""
    known = accepted(trail.events(kind=ACCEPTED))
    for path, was in _telling("images", [*expected(trail).items()], progress):
        now = _digest(locations, path, was, read)
        if isinstance(now, CropkitError):
            difference = Difference("changed", path, f"its content cannot be read ({now.code})")
            yield ChangedImage(was, None, difference, is_read=False)
            continue
        if now == was or AcceptedChange(path, was, now) in known:
            continue
        if now is None:
            difference = Difference("missing", path, "it is not there any more")
        else:
            difference = Difference("changed", path, f"content {now:.12} is not what was written")
        yield ChangedImage(was, now, difference)


def expected(trail: TrailReader) -> dict[str, str]:
    """Return which name should hold which content, of the images that are meant."""
    every = _expected(trail.operations.each_finished()).items()
    return {path: was for path, was in every if trail.scope.holds(path)}


def hidden_images(locations: Locations, trail: TrailReader) -> frozenset[str]:
    """Name the images that are not there, and may be all the same: `accepting.hidden` says when."""
    names = expected(trail)
    gone = [path for path in names if _is_gone(locations, path)]
    return hidden(locations.root.path, gone, names.keys() - set(gone))


def _is_gone(locations: Locations, path: str) -> bool:
    try:
        return locations.identity(path) is None
    except CropkitError:
        return False


def _expected(finished: Iterable[Operation]) -> dict[str, str]:
    """Play the finished operations in order: which name should hold which content."""
    names: dict[str, str] = {}
    ended_at: dict[str, str] = {}
    for operation in finished:
        if operation.kind is OperationKind.PURGE:
            for companion in operation.companions:
                names.pop(companion.source, None)
            continue
        if not operation.is_copy:
            names.pop(operation.source, None)
        if operation.brings_back and operation.undoes in ended_at:
            names.pop(ended_at[operation.undoes], None)
        ended_at[operation.id] = operation.target
        if not is_beneath(operation.target, REMOVED):  # a copy that was undone may go for good
            names[operation.target] = operation.sha256_after or ""
        for companion in operation.companions:
            _follow(names, companion)
    return names


def _follow(names: dict[str, str], companion: Companion) -> None:
    """Play what became of a companion; those that only follow their image are nobody's proof."""
    is_known = not companion.keeps_source and names.pop(companion.source, None) is not None
    goes_aside = is_beneath(companion.target, ASIDE)
    is_ours = is_known or goes_aside or companion.is_staged or companion.replaces
    if is_ours and not is_beneath(companion.target, REMOVED):
        names[companion.target] = companion.sha256
    if companion.aside:
        names[companion.aside] = companion.replaces


def _digest(
    locations: Locations, path: str, meant: str, read: Proven | None
) -> str | CropkitError | None:
    """Return the content of a file as it is now, or as it was read and held what is meant.

    Or why it cannot be read: nobody knows what it holds then.
    """
    try:
        if read is None:
            return locations.digest(path)
        file = locations.identity(path)  # before it is read: what is changed from then on, shows
        if read.holds(path, meant, file):
            return meant
        digest = locations.digest(path)
    except CropkitError as error:
        return error
    if digest == meant:
        read.add(path, meant, file)
    return digest


def _telling(what: str, things: Sequence[T], progress: Progress | None) -> Iterator[T]:
    """Go through things, and tell of each that is behind one."""
    for number, thing in enumerate(things, 1):
        yield thing
        if progress is not None:
            progress(what, number, len(things))


def damaged_originals(
    root: Root,
    originals: Sequence[str],
    progress: Progress | None = None,
    read: Proven | None = None,
) -> Iterator[Difference]:
    """Read kept originals, named by their SHA-256, and tell which are not what they were."""
    locations = Locations(root)
    for sha256 in _telling("originals", originals, progress):
        digest = _digest(locations, kept(sha256), sha256, read)
        if digest is None:
            yield Difference("original", kept(sha256), "this original is not there any more")
        elif digest != sha256:
            yield Difference("original", kept(sha256), "this original has changed on disk")


def _tables(trail: TrailReader, progress: Progress | None) -> Iterator[Difference]:
    """Every row of the tables is what the trail leads to."""
    for disagreement in trail.integrity.disagreements(progress):
        yield Difference("audit", disagreement.path, disagreement.reason)
    for reason in trail.unreadable_sessions():  # heartbeats are not in the trail
        yield Difference("audit", trail.store.called, reason)


def _nested(trail: TrailReader) -> Iterator[Difference]:
    for name in sorted(listing.nested(trail.scope.root)):
        if trail.scope.holds(f"{name}/"):
            reason = "is a collection of its own: `cropkit merge` joins it to this one"
            yield Difference("nested", name, reason)


def _left_aside(
    root: Root, trail: TrailReader, unsettled: Iterable[Operation]
) -> Iterator[Difference]:
    """Name what was set aside and no undo would look for."""
    there = sorted(root.files(ASIDE))
    if there:
        known = _expected(trail.operations.each_finished()).keys()
        under_way = {name for operation in unsettled for name in operation.names}
        for name in there:
            if name not in known and name not in under_way:
                yield Difference("left over", name, "no operation needs what was set aside here")


def _listed(folder: Path) -> list[Path]:
    """Return what has a name in a folder, but for what NFS removes when it is closed."""
    return sorted(p for p in folder.iterdir() if not p.name.startswith(OPEN_AND_REMOVED))


def _left_over(locations: Locations, trail: TrailReader) -> Iterator[Difference]:
    if trail.operations.unreadable():  # all of it may belong to that
        return
    root = locations.state
    known = {operation.id for operation in trail.operations.unsettled()}
    for path in _listed(root.path / STAGE):
        if path.name.partition(".")[0] not in known:
            yield Difference("left over", f"{STAGE}/{path.name}", "belongs to no operation")
    unsettled = trail.operations.unsettled()
    needed = {*trail.contents.originals(), *(operation.sha256_before for operation in unsettled)}
    staging = any(
        operation.sha256_before is None for operation in unsettled
    )  # may just have kept one
    is_known = not (staging or trail.contents.needs_unknown())
    for path in _listed(root.path / ORIGINALS):
        if is_known and path.name not in needed:
            yield Difference("left over", kept(path.name), "no operation needs this original")
    yield from _left_aside(root, trail, unsettled)
    folder = locations.root.path
    for path in sorted(folder.rglob(".cropkit-*.part")):
        name = path.relative_to(folder).as_posix()
        yield Difference("left over", name, "a copy that was cut off")
