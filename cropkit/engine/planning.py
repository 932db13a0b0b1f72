"""From what somebody decided to what is to be done: decide first, then act."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path, PurePosixPath

from cropkit import clock
from cropkit.audit.operation import Companion, Operation, OperationKind
from cropkit.audit.operation_reader import Undoable
from cropkit.engine import listing
from cropkit.engine.companions import CompanionFinder, new_aside, taken_back
from cropkit.engine.locations import Locations
from cropkit.engine.names_beside import NamesBeside
from cropkit.engine.request import Request
from cropkit.errors import BadDestination, NothingToUndo, PathOutsideRoot, StaleBox
from cropkit.formats.companions import renamed
from cropkit.formats.copy_options import CopyOptions
from cropkit.geometry import PixelBox
from cropkit.records import Decision, Placement, Verdict
from cropkit.system.files import Root, split_beneath
from cropkit.system.home import HOME, REMOVED, kept, rejected
from cropkit.system.scope import Scope

_COPY = OperationKind.COPY


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes requests for one collection.

    Parameters
    ----------
    placement : where crops go of which no decision says where
    """

    locations: Locations
    placement: Placement
    finder: CompanionFinder = field(init=False)
    beside: NamesBeside = field(init=False)

    def __post_init__(self) -> None:
        """Look beside the images of this collection."""
        object.__setattr__(self, "finder", CompanionFinder(self.locations.root))
        object.__setattr__(self, "beside", NamesBeside(self.locations.root))

    def for_decision(self, decision: Decision) -> Request:
        """Plan a crop, in place or moving, or a reject, and make the folders that it moves to.

        Raises
        ------
        Refused
            Nothing was written, but for the folders of the destination.
        """
        request = self.foreseen(decision)
        if request.kind is not OperationKind.COPY:
            self.locations.identify()
        make_folders(self.locations, request)
        return request

    def foreseen(self, decision: Decision) -> Request:
        """Plan without writing anything.

        Raises
        ------
        Refused
            As in `for_decision`.
        """
        check_is_outside_home(decision.path, self.locations.root)
        is_rejected, placement = decision.verdict is Verdict.REJECT, self.placement.of(decision)
        if not is_rejected and placement.folder is not None and placement.copying is not None:
            return self._copying(decision, placement.folder, placement.copying)
        self.locations.check_may_change(decision.path)
        if is_rejected:
            return self._moving(OperationKind.REJECT, decision, rejected(decision.id))
        if placement.folder is not None:
            return self._moving(OperationKind.CROP, decision, placement.folder)
        request = _request(OperationKind.CROP, decision, decision.path)
        return self._exchanging(request, lambda name: name)

    def _moving(self, kind: OperationKind, decision: Decision, folder: str) -> Request:
        companions = listing.companions(self.beside, decision.path)
        self._check_is_elsewhere(folder, decision.path)
        followers = [
            Companion(name, f"{folder}/{name}", keeps_source=stays)
            for name, stays in companions.items()
        ]
        request = _request(kind, decision, f"{folder}/{decision.path}", followers)
        if kind is OperationKind.REJECT:
            return request
        return self._exchanging(request, lambda name: f"{folder}/{name}")

    def _exchanging(self, request: Request, placed: Callable[[str], str]) -> Request:
        """Add what beside an image may speak of its pixels; that is no plain follower any more.

        Parameters
        ----------
        placed : returns where such a file is to be in the end
        """
        beside = self.finder.of(request.source)
        exchanged = tuple(
            Companion(name, placed(name), keeps_source=request.kind is _COPY, aside=new_aside())
            for name in beside.names
        )
        plain = (each for each in request.followers if each.source not in beside.names)
        return replace(request, followers=(*plain, *exchanged), beside=beside)

    def _copying(self, decision: Decision, folder: str, copying: str) -> Request:
        """Plan a copy beside its image; what describes that goes with it, under the copy's name."""
        how = CopyOptions.from_text(copying)
        if decision.box is not None and how.resamples:
            how.output(decision.box.size.turned(decision.turn), decision.path)
        image = PurePosixPath(decision.path)
        stem = how.stem(image.stem, decision.slot)
        name = how.renamed(str(image.with_name(f"{stem}{image.suffix}")))
        self._check_is_elsewhere(folder, name)
        described = listing.described_by(self.beside, decision.path)
        left_out = tuple(filter(listing.tells_of_a_box, described))
        followers = [
            Companion(each, f"{folder}/{_beside(each, image, stem)}", keeps_source=True)
            for each in described
            if each not in left_out
        ]
        request = _request(OperationKind.COPY, decision, f"{folder}/{name}", followers)
        request = replace(request, copying=copying, left_out=left_out)
        request = replace(request, recuts=how.recut is not None)
        copy = PurePosixPath(name).name
        return self._exchanging(request, lambda each: f"{folder}/{_called(each, image, copy)}")

    def _check_is_elsewhere(self, folder: str, name: str) -> None:
        """Refuse a name beneath a folder around the collection that leads back among its images."""
        target = PurePosixPath(folder) / name
        if folder.startswith("/") and target.is_relative_to(self.locations.root.path):
            raise BadDestination(folder, f"{target} would be a new image here")


def make_folders(locations: Locations, request: Request) -> None:
    """Make the folders that a request moves something to; they may have been removed since.

    Raises
    ------
    Refused
        Nothing was written, but for some of them.
    """
    moved = [(each.source, each.target) for each in request.followers if each.target]
    pairs = [(request.source, request.target), *moved]
    targets = {PurePosixPath(new).parent: new for old, new in pairs if old != new}
    for target in targets.values():
        locations.make_folder_of(target)


def _beside(companion: str, image: PurePosixPath, stem: str) -> PurePosixPath:
    return image.with_name(stem + PurePosixPath(companion).suffix)


def _called(companion: str, image: PurePosixPath, copy: str) -> PurePosixPath:
    """Return the name of a companion, in the folder that it is in, beside a copy of its image."""
    path = PurePosixPath(companion)
    return path.with_name(renamed(path.name, image.name, copy))


def _request(
    kind: OperationKind,
    decision: Decision,
    target: str,
    followers: Iterable[Companion] = (),
) -> Request:
    """Return what a decision wants done, with all that it says of its crop."""
    return Request(
        kind,
        decision.path,
        target,
        decision.sha256,
        box=decision.box,
        shown=decision.shown,
        turn=decision.turn,
        decision=decision.id,
        slot=decision.slot,
        aim=decision.target,
        followers=tuple(followers),
    )


def named_beneath(scope: Scope, folder: Path) -> str | None:
    """Return a destination relative to the collection where it is inside.

    None: the very folder that is meant, where the crops are anyway.
    """
    root = scope.root
    if folder in (root, scope.folder):
        return None
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else str(folder)


def to_undo(operation: Operation) -> Request:
    """Plan to take a finished operation back: its names and content the other way round."""
    return Request(
        OperationKind.RESTORE,
        operation.target,
        operation.source,
        operation.sha256_after or "",
        decision=operation.decision,
        undoes=operation,
        followers=tuple(map(taken_back, operation.companions)),
    )


def to_remove(operation: Operation, now: str, *, has_twin: bool) -> Request:
    """Plan to take a copy out of the way, as it is now: its image was never touched.

    One whose name stood for that very copy before is not ours to take, and stays.

    Parameters
    ----------
    has_twin : another image of its stem is beside it, whose captions these are, too: they stay
    """
    if operation.report.get("stood"):
        name = operation.target
        decision = operation.decision
        return Request(OperationKind.RESTORE, name, name, now, decision=decision, undoes=operation)
    where = f"{REMOVED}/{operation.id[:12]}"
    return Request(
        OperationKind.RESTORE,
        operation.target,
        f"{where}/{PurePosixPath(operation.target).name}",
        now,
        decision=operation.decision,
        undoes=operation,
        followers=tuple(_removed(operation.companions, where, stay=has_twin)),
    )


def _removed(companions: Iterable[Companion], where: str, *, stay: bool) -> Iterator[Companion]:
    """Yield what goes with a copy; where two are called alike, the later one lies deeper."""
    taken = set[str]()
    for number, companion in enumerate(companions):
        name = PurePosixPath(companion.target).name
        target = f"{where}/{number}/{name}" if name in taken else f"{where}/{name}"
        taken.add(name)
        yield Companion(companion.target, target, keeps_source=stay)


def to_bring_back(operation: Operation) -> Request:
    """Plan to give the kept original its name again: nothing is left that could be exchanged."""
    sha256 = operation.sha256_before or ""
    return Request(
        OperationKind.RESTORE,
        kept(sha256),
        operation.source,
        sha256,
        decision=operation.decision,
        undoes=operation,
        followers=tuple(map(taken_back, operation.companions)),
    )


def to_set_aside(path: str, sha256: str, name: str) -> Request:
    """Plan to move a file to where rejected images are, into a folder of its own."""
    return Request(OperationKind.REJECT, path, f"{rejected(name)}/{path}", sha256)


def to_purge(sha256: str, needed_since: str, aside: Iterable[str] = ()) -> Request:
    """Plan to remove a kept original on purpose, unless it is needed again by then.

    Parameters
    ----------
    aside : what was kept of the files beside it, which goes with it
    """
    name = kept(sha256)
    followers = tuple(Companion(each, "") for each in aside)
    return Request(
        OperationKind.PURGE, name, name, sha256, needed_since=needed_since, followers=followers
    )


def chosen_to_undo(
    root: Path,
    newest: Iterable[Undoable],
    of_image: Callable[[str], Sequence[Undoable]],
    paths: Sequence[str | os.PathLike[str]],
    last: int | None,
) -> list[Undoable]:
    """Choose among operations, newest first: the last ones of all, or of each image named.

    One whose row cannot be read counts: another one than was meant is not taken in its place.

    Parameters
    ----------
    newest : all of them; only as many are asked for as are taken
    of_image : those of one image, by its name

    Raises
    ------
    NothingToUndo
        When there are none.
    """
    chosen = [] if paths else list(islice(newest, last))
    for path in paths:
        matching = of_image(name_of(root, path))[:last]
        if not matching:
            raise NothingToUndo(str(path))
        chosen += matching
    if not chosen:
        raise NothingToUndo(root)
    return chosen


def name_of(root: Path, path: str | os.PathLike[str]) -> str:
    """Return the name of an image; absolute where a crop was moved out of the collection."""
    try:
        return split_beneath(root, path)
    except PathOutsideRoot:
        return os.fspath(path)


def chosen_to_purge(
    kept_since: Mapping[str, str],
    sizes: Mapping[str, int],
    older_than: timedelta | None,
    keep_bytes: int | None,
) -> list[str]:
    """Choose what is older than a time, then the oldest until the rest fits a size.

    Parameters
    ----------
    kept_since : SHA-256 of an original, or name -> when last needed, as the trail writes times
    sizes : the same -> bytes
    """
    oldest = sorted(kept_since, key=lambda sha256: kept_since[sha256])
    limit = None if older_than is None else clock.written(clock.now() - older_than)
    chosen = [sha256 for sha256 in oldest if limit is not None and kept_since[sha256] < limit]
    rest = oldest[len(chosen) :]
    total = sum(sizes[sha256] for sha256 in rest)
    for sha256 in rest:
        if keep_bytes is None or total <= keep_bytes:
            break
        chosen.append(sha256)
        total -= sizes[sha256]
    return chosen


def check_shown(path: str, shown: PixelBox | None, holds: PixelBox) -> None:
    """Refuse to write another box than the one that the reviewer saw."""
    if shown is not None and shown != holds:
        raise StaleBox(path, shown.xyxy, holds.xyxy)


def check_is_outside_home(path: str, root: Root) -> None:
    """Refuse cropkit's own folder as a source."""
    if HOME in path.split("/"):
        raise PathOutsideRoot(path, root.path)
