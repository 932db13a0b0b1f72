"""A collection that was made inside another is joined to it.

Theory of operation. What undo needs comes first, and goes last: each kept original and each image
that was set aside gets a second name among the outer's own (a copy, where it cannot), is synced and
read back; then one transaction appends the inner trail's events to the outer one (`audit.adopting`
tells how); then the inner `.cropkit` is renamed to a place in the outer one, and only there do the
names go that stand for what was proven. Whoever is cut off begins again: what is linked is there,
what was appended is told by its event `merged`, and what was renamed is known by that event's name.

Nobody may be at work on either: the lock that each opening needs is held on both.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from uuid import uuid4

from cropkit.audit import chain, places, rows
from cropkit.audit.adopting import Adopted, Adoption
from cropkit.audit.operation import MERGED as EVENT
from cropkit.audit.operation import check_sha256
from cropkit.audit.presence import living, recovering
from cropkit.audit.reader import TrailReader
from cropkit.audit.trail import AuditTrail
from cropkit.audit.trail_copy import copied_trail
from cropkit.engine import outputs
from cropkit.engine.locations import Locations
from cropkit.errors import (
    AuditCorrupt,
    AuditUnavailable,
    NoCollection,
    NotMergeable,
    OriginalDamaged,
    PathOutsideRoot,
    TrailForged,
)
from cropkit.system import destinations, state_folder
from cropkit.system.files import Root
from cropkit.system.home import (
    DATABASE,
    HOME,
    MERGE_LOCK,
    MERGED,
    ORIGINALS,
    REJECTED,
    REMOVED,
    WRITER_LOCK,
    being_kept,
    kept,
)
from cropkit.system.locks import LockHeld, exclusive
from cropkit.system.scope import Scope

Progress = Callable[[int, int], object]
_ON_SERVER = (
    "its trail is on a server: `cropkit migrate-trail FOLDER --to sqlite` brings it back first"
)
_ASIDE = (f"{REJECTED}/", f"{REMOVED}/")


@dataclass(frozen=True, slots=True)
class Merged:
    """What joining a collection does, or did.

    Parameters
    ----------
    part : its folder, relative to the outer collection
    head : hash of the last event of its trail
    shared : images that were decided about in both: the later decision stands
    files : originals and images set aside that become the outer's
    damaged : originals that were lost or damaged before
    unverified : what no key of this person vouches for, as sentences
    aside : where its `.cropkit` is kept, relative to the outer collection
    """

    part: str
    head: str
    events: int
    shared: tuple[str, ...]
    files: tuple[str, ...]
    damaged: tuple[str, ...]
    unverified: tuple[str, ...]
    aside: str


class Joining(NamedTuple):
    """What the trail tells of a collection that was joined: where it lay, and its last hash."""

    part: str
    head: str
    at: str


@dataclass(frozen=True, slots=True)
class _Planned:
    merged: Merged
    adopted: Adopted
    outputs: tuple[str, ...]


def foreseen(outer: TrailReader, inner: Path) -> Merged:
    """Return what joining a collection would do; nothing is written.

    Raises
    ------
    NotMergeable, NoCollection, PathOutsideRoot, OriginalDamaged, AuditError
        As `merge`.
    """
    folder = inner.resolve()
    part = _part(outer.root.path, folder)
    if not state_folder.exists(folder):
        return _earlier(outer, folder, part)
    return _planned(outer, folder, part).merged


@contextmanager
def in_turn(outer: Path, deadline: float) -> Iterator[None]:
    """Let whoever else would join a collection to this one wait, before they open it.

    Each would be somebody at work for the others, and all could be refused.

    Parameters
    ----------
    outer : the folder that holds its state
    deadline : seconds to wait

    Raises
    ------
    AuditUnavailable, ForeignState
        Nothing was done: another one takes longer, or it cannot be told.
    """
    state_folder.check(outer)
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive(outer / MERGE_LOCK, deadline))
        except LockHeld:
            reason = "somebody else joins a collection to it: try again when that has ended"
            raise AuditUnavailable(outer, reason) from None
        except OSError as error:
            raise AuditUnavailable(outer, error.strerror or error) from error
        yield


def merge(
    locations: Locations, trail: AuditTrail, inner: Path, progress: Progress | None = None
) -> Merged:
    """Join a collection to the one that it lies in; one that was joined is so again.

    Raises
    ------
    NotMergeable
        It is not inside, operations are open in it, or the two cannot be put in order.
    NoCollection
        There is none, and none was joined from there.
    AuditUnavailable
        Somebody is at work on one of the two.
    ForeignState, PathOutsideRoot, AuditCorrupt, TrailForged
        Somebody else made its state, or its rows lead elsewhere.
    OriginalDamaged
        The outer collection keeps an original under that name that is another content.
    """
    outer, folder = locations.root, inner.resolve()
    part = _part(outer.path, folder)
    with recovering(outer.path, trail.store.deadline):
        if not state_folder.exists(folder):
            merged = _earlier(trail, folder, part)
            _tidy(outer, merged.head)
            return merged
        with _alone(trail, folder):
            planned = _planned(trail, folder, part)
            _carry(outer, Root(folder, outer.system), planned.merged, progress)
            _remember_destinations(outer.path, folder)
            if planned.adopted.events:
                trail.adopt(part, planned.adopted, _record(planned.merged))
            _keep_outputs(trail, planned.outputs)
            _set_aside(outer, folder, planned.merged)
        _tidy(outer, planned.merged.head)
        return planned.merged


def _keep_outputs(trail: AuditTrail, folders: Sequence[str]) -> None:
    """Let nobody list the inner collection's crops as new images, now that it is a part."""
    settings = trail.settings()
    for folder in folders:
        settings |= outputs.with_another(settings, folder)
    if settings != trail.settings():
        trail.choose({outputs.SETTING: settings[outputs.SETTING]})


# -- what is refused -----------------------------------------------------------------------------


def _part(outer: Path, folder: Path) -> str:
    """Return the inner folder's name in the outer collection."""
    if folder == outer or not folder.is_relative_to(outer):
        raise NotMergeable(folder, f"it does not lie in {outer}")
    names = folder.relative_to(outer).parts
    if any(name.startswith(".") for name in names):
        raise NotMergeable(folder, "it lies in a hidden folder, where no image is looked for")
    return "/".join(names)


@contextmanager
def _alone(trail: AuditTrail, folder: Path) -> Iterator[None]:
    """Keep everybody away from the inner collection; the outer one's lock is held already."""
    state_folder.check(folder)
    with recovering(folder, trail.store.deadline):
        outer = trail.root.path
        others = {outer: set(living(outer)) - {trail.owner}, folder: set(living(folder))}
        for place, owners in others.items():
            if owners:
                raise AuditUnavailable(place, "somebody is at work on it: end that, and try again")
        yield


def _check_is_readable(trail: TrailReader, folder: Path) -> None:
    """Refuse a trail with an open operation, or a decision, that nobody can read."""
    for each in trail.operations.unreadable():
        raise NotMergeable(folder, each.said)
    for error in trail.decisions.looked_through()[1]:
        raise NotMergeable(folder, str(error))


def _check(inner: TrailReader, folder: Path) -> tuple[str, ...]:
    """Refuse a trail that does not hold together; return what nobody vouches for."""
    _check_is_readable(inner, folder)
    if inner.operations.unsettled() or inner.operations.taken_back():
        raise NotMergeable(folder, "operations are open in it: `cropkit recover` settles them")
    examined = inner.integrity.examined()
    if examined.forged:
        raise TrailForged(folder, examined.forged[0])
    wrong = [*inner.store.integrity(), *inner.integrity.broken_links()]
    wrong += [each.reason for each in inner.integrity.disagreements()]
    if wrong:
        raise AuditCorrupt(folder / DATABASE, wrong[0])
    return tuple(examined.unverified)


# -- what is to be done --------------------------------------------------------------------------


def _planned(outer: TrailReader, folder: Path, part: str) -> _Planned:
    """Look at everything that the inner collection holds; nothing is written."""
    state_folder.check(folder)
    if places.is_elsewhere(folder):
        raise NotMergeable(folder, _ON_SERVER)
    _check_is_readable(outer, outer.root.path)
    if (folder / HOME).lstat().st_dev != (outer.root.path / HOME).lstat().st_dev:
        raise NotMergeable(folder, "it lies on another file system")
    with copied_trail(Scope(folder), outer.store.deadline) as inner:
        unverified = _check(inner, folder)
        rename = _Renaming(outer.root.path, Root(folder), part)
        adoption = Adoption(outer, inner, folder, rename)
        adopted = adoption.after(_adopted_so_far(outer, inner, part))
        files, damaged = _files(inner, Root(folder))
        head = inner.integrity.head()
        folders = tuple(map(rename.folder, _outputs(inner, folder, outer.root.path)))
    merged = Merged(
        part=part,
        head=head,
        events=len(adopted.events),
        shared=tuple(adopted.shared),
        files=files,
        damaged=damaged,
        unverified=unverified,
        aside=_free(outer.root.path, head),
    )
    return _Planned(merged, adopted, folders)


def _outputs(inner: TrailReader, folder: Path, outer: Path) -> tuple[str, ...]:
    """Return the folders in the outer collection that crops of the inner one went to."""
    elsewhere = (each for each in destinations.named(folder) if each.is_relative_to(outer))
    return (*outputs.known(inner.settings()), *map(str, elsewhere))


def _adopted_so_far(outer: TrailReader, inner: TrailReader, part: str) -> int:
    """Return the number of the inner trail's last event that the outer one has already."""
    heads = set(_records(outer, part))
    return max((e["seq"] for e in inner.events() if e["hash"] in heads), default=0)


def _records(outer: TrailReader, part: str) -> list[str]:
    """Return the heads of the trails that were joined from a folder, oldest first."""
    return [_joining(event).head for event in outer.events(part) if event["event"] == EVENT]


def joined(outer: TrailReader) -> list[Joining]:
    """Return all that was joined, oldest first."""
    return [_joining(event) for event in outer.events(kind=EVENT)]


def _joining(event: Mapping[str, Any]) -> Joining:
    with rows.read(f"event {event['seq']!r}"):
        head = chain.body_of(event)["head"]
        check_sha256(head)
    return Joining(str(event["path"]), str(head), str(event["at"]))


def aside(head: str) -> str:
    """Name the place of an inner home; made of the head alone, since files are removed there."""
    return f"{MERGED}/{head[:16]}"


def _free(outer: Path, head: str) -> str:
    """Name a place that is not taken: a home that was joined may have been put back since."""
    names = (f"{aside(head)}-{number}" if number > 1 else aside(head) for number in count(1))
    return next(name for name in names if not os.path.lexists(outer / name))


def _record(merged: Merged) -> dict[str, Any]:
    return {"head": merged.head, "events": merged.events, "aside": merged.aside}


def _earlier(outer: TrailReader, folder: Path, part: str) -> Merged:
    """Tell of a collection that was joined before."""
    records = _records(outer, part)
    if not records:
        raise NoCollection(folder)
    return Merged(part, records[-1], 0, (), (), (), (), aside(records[-1]))


class _Renaming:
    """The outer collection's names of what the inner one names.

    Names are refused that lead out of the inner collection, unless to where this person lets its
    crops go. Originals and what was set aside keep their names: they move from home to home.
    """

    def __init__(self, outer: Path, inner: Root, part: str) -> None:
        self._outer, self._part = outer, part
        self._inner = Locations(inner, destinations.named(inner.path))

    def __call__(self, name: str) -> str:
        """Return the outer's name."""
        parts = str(name).removeprefix("/").split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise PathOutsideRoot(name, self._inner.root.path)
        self._inner.locate(name)
        return name if name.startswith(f"{HOME}/") else self.folder(name)

    def folder(self, name: str) -> str:
        """Return the outer's name of what is no file of cropkit's own."""
        path = PurePosixPath(name)
        if path.is_absolute():
            is_inside = path.is_relative_to(self._outer)
            return path.relative_to(self._outer).as_posix() if is_inside else name
        return f"{self._part}/{name}"


def _files(inner: TrailReader, root: Root) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what has to move to the outer home: what is whole, and originals that are not."""
    originals = {sha256: kept(sha256) for sha256 in sorted(inner.contents.originals())}
    whole = [name for sha256, name in originals.items() if root.digest(name) == sha256]
    aside = {
        name
        for operation in inner.operations.finished()
        for name in (
            operation.target,
            *(n for c in operation.companions for n in (c.target, c.aside)),
        )
        if name.startswith(_ASIDE) and root.identity(name) is not None
    }
    return (*whole, *sorted(aside)), tuple(sorted({*originals.values()} - {*whole}))


# -- files ---------------------------------------------------------------------------------------


def _carry(outer: Root, inner: Root, merged: Merged, progress: Progress | None) -> None:
    """Give what undo needs a second name among the outer's own, synced and read back."""
    folders = {name.rpartition("/")[0] for name in merged.files}
    for folder in sorted(folders):
        outer.make_folder(folder, 0o700)
    for number, name in enumerate(merged.files, start=1):
        _carry_one(outer, inner, name)
        if progress is not None:
            progress(number, len(merged.files))
    for folder in sorted(folders):
        outer.sync_folder(folder)


def _carry_one(outer: Root, inner: Root, name: str) -> None:
    wanted = inner.digest(name)
    if outer.identity(name) is None:
        identity = inner.identity(name)
        alone = identity is not None and identity.links == 1
        if not (alone and inner.link(name, outer, name)):
            content, partial = inner.read(name), being_kept(uuid4().hex)
            outer.write_new(partial, content.data, content.attributes)
            outer.sync(partial)
            outer.replace(partial, name)
        outer.sync(name)
    if outer.digest(name) != wanted:
        raise OriginalDamaged(name, outer.path / name)


def _remember_destinations(outer: Path, folder: Path) -> None:
    """Let crops come back from where this person has let the inner collection's go."""
    for each in destinations.named(folder):
        if not each.is_relative_to(outer):
            destinations.remember(outer, each)


def _set_aside(outer: Root, folder: Path, merged: Merged) -> None:
    """Rename the inner home to its place in the outer one, unless its trail has gone on."""
    outer.make_folder(MERGED, 0o700)
    with exclusive(folder / WRITER_LOCK, 1.0):
        with TrailReader(Root(folder)) as inner:
            if inner.integrity.head() != merged.head:
                raise AuditUnavailable(folder, "somebody has worked on it meanwhile: merge again")
        outer.replace(f"{merged.part}/{HOME}", merged.aside)
    outer.sync_folder(MERGED)
    outer.sync_folder(merged.part)


def _tidy(outer: Root, head: str) -> None:
    """Remove the second names of images, wherever homes with this head were set aside."""
    named = PurePosixPath(aside(head)).name
    for place in outer.folders(MERGED):
        if place.startswith(named):
            _tidy_one(outer, f"{MERGED}/{place}")


def _tidy_one(outer: Root, home: str) -> None:
    """Remove each only where the outer one holds its content."""
    for images in (ORIGINALS, REJECTED, REMOVED):
        folders = set[str]()
        for name in outer.files(f"{home}{images.removeprefix(HOME)}"):
            if _is_held(outer, f"{HOME}{name.removeprefix(home)}", name):
                outer.unlink(name)
                folders.add(name.rpartition("/")[0])
        for folder in sorted(folders):
            outer.sync_folder(folder)


def _is_held(outer: Root, mine: str, theirs: str) -> bool:
    identity, digest = outer.identity(theirs), outer.digest(mine)
    same = identity is not None and identity.same_inode(outer.identity(mine))
    return digest is not None and (same or digest == outer.digest(theirs))
