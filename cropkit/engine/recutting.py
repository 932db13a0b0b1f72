"""Crops of decided images made anew, for other targets: what holds is done, the rest is shown.

Theory of operation. A decision tells which part of which content a person wanted, and content is
found by its hash: in the image where that stands unchanged, else among the kept originals. So a new
crop needs no person, as long as a box of a target's ratio holds all that was decided and has its
size. It becomes a decision of its own, in a slot of its own, which names the one that it was made
of, and is carried out as every copy is. What was decided is read in the order of images, and what
was made of it before comes with it: nothing is remembered from one image to the next, and what was
cut off goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby, islice
from typing import Any

from cropkit import clock
from cropkit.audit.decisions import InForce
from cropkit.audit.reader import TrailReader
from cropkit.engine import recut_sets
from cropkit.engine.locations import Locations
from cropkit.engine.ways import Ways
from cropkit.errors import (
    BadSlot,
    BadTarget,
    CopiesOnly,
    CropkitError,
    NoSpace,
    TrailDisagrees,
)
from cropkit.formats.copy_options import CopyOptions
from cropkit.framing import around
from cropkit.geometry import PixelBox, Size
from cropkit.records import CropResult, Decision, Status, Suggestion, Verdict
from cropkit.system import parameters
from cropkit.system.home import kept
from cropkit.targets import Fit, Target, fits

MOST = 10_000  # of those that a person has to see, and of failures: all are counted
_TOGETHER = 64  # crops that are decided in one transaction
_DECIDED = "decided"  # source of what a crop was made of
_BY = "recut of "  # never mistaken for a person


class Kind(StrEnum):
    """What is to be done about a decided crop."""

    NEW = "new"
    AGAIN = "again"  # it failed before
    WAITS = "waits"  # it is decided, and was cut off
    BEFORE = "before"  # it was made before
    SHOW = "show"  # a person has to see it
    FAILED = "failed"  # nothing can be made of it


_TO_MAKE = (Kind.NEW, Kind.AGAIN, Kind.WAITS)


@dataclass(frozen=True, slots=True)
class Step:
    """A decided crop, and what is to be done about it.

    Parameters
    ----------
    slot : of the new crop
    decision : the new one; where a person has to see it, what comes nearest
    why : it has to be seen, or nothing can be made of it
    stands : the image is as it was decided about, as far as the trail knows
    """

    kind: Kind
    path: str
    slot: str
    decision: Decision | None = None
    why: str = ""
    stands: bool = True


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of the decided crops.

    Parameters
    ----------
    name : of the set
    among : targets, of which each takes the one that costs least
    most_cut : part of what was decided that a crop may lose, 0 to 1
    only : slot of the decisions; None: all
    how : copies are made, without sizes
    folder : that they go to, as the collection names it
    resize : bring each to the size of its target
    """

    name: str
    among: tuple[Target, ...]
    most_cut: float
    only: str | None
    how: CopyOptions
    folder: str
    resize: bool


def wish_of(
    trail: TrailReader,
    ways: Ways,
    folder: str | None,
    *,
    name: str | None,
    slot: str | None,
    most_cut: float,
) -> Wish:
    """Return what is wanted of decided crops, as a session's ways have it.

    Parameters
    ----------
    folder : that copies go to, as the collection names it
    name, slot, most_cut : as in `Collection.recut`

    Raises
    ------
    CopiesOnly, BadTarget, BadSlot, BadParameterValue
        There can be no such crops: nothing was begun.
    """
    if not ways.copies or folder is None:
        raise CopiesOnly("a crop that is made anew")
    parameters.share("most_cut", most_cut)
    crop, *others = ways.crops
    if others or crop.slot:
        raise BadSlot(crop.slot, "crops made anew have the slots of what was decided")
    if not crop.targets:
        raise BadTarget("", "none is named")
    called = recut_sets.name_of(folder) if name is None else parameters.text("name", name)
    recut_sets.slot_in(called, slot or "")
    _check_is_free(trail, called)
    return Wish(called, crop.targets, most_cut, slot, ways.how, folder, ways.resize)


def _check_is_free(trail: TrailReader, name: str) -> None:
    if not name:
        raise BadSlot(name, "a set has a name")
    if name in recut_sets.known(trail.settings()):
        return
    if trail.decisions.standing_slots(lambda slot: recut_sets.is_in(slot.name, (name,))):
        raise BadSlot(name, "there are decisions about crops that are called so")


@dataclass(slots=True)
class Recut:
    """What came of making crops anew.

    Parameters
    ----------
    name : of the set: a part of the slots of its crops
    made, before : crops made now, and in earlier runs
    to_show, failed : crops that a person has to see, and that could not be made
    shown, failures : the first 10,000 of each, with why
    stopped : why work ended early; None: it did not
    """

    name: str
    made: int = 0
    before: int = 0
    to_show: int = 0
    failed: int = 0
    shown: list[Step] = field(default_factory=list)
    failures: list[Step] = field(default_factory=list)
    stopped: str | None = None

    @property
    def ok(self) -> bool:
        """Whether every decided crop has its new one."""
        return not (self.to_show or self.failed or self.stopped)

    def summary(self) -> dict[str, Any]:
        """Return the counts, as a notebook's last cell shows them."""
        counts = {"made": self.made, "before": self.before, "to_show": self.to_show}
        rest = {"failed": self.failed, "stopped": self.stopped}
        return {"ok": self.ok, "name": self.name} | counts | rest

    def told(self, step: Step) -> None:
        """Count what is not carried out."""
        if step.kind is Kind.BEFORE:
            self.before += 1
        elif step.kind is Kind.SHOW:
            self.to_show += 1
            _keep(self.shown, step)
        else:
            self.failed += 1
            _keep(self.failures, step)


def _keep(among: list[Step], step: Step) -> None:
    if len(among) < MOST:
        among.append(step)


@dataclass(frozen=True, slots=True)
class Recutter:
    """Goes through what was decided, and says what is to be done about it.

    Parameters
    ----------
    person, session : who asks, in which session
    reads : whether images are read to see that they are unchanged; else that shows when the crop is
        made
    """

    trail: TrailReader
    locations: Locations
    wish: Wish
    person: str
    session: str
    reads: bool = False

    def steps(self, seen: Callable[[int, int], object] = lambda *_: None) -> Iterator[Step]:
        """Yield what is to be done, in the order of images.

        Parameters
        ----------
        seen : told how many decisions were looked at, and how many there are
        """
        numbers = self.trail.decisions.in_force()
        names = (*recut_sets.known(self.trail.settings()), self.wish.name)
        done = 0
        for _, of_image in groupby(self.trail.decisions.numbered(numbers), _path):
            rows = list(of_image)
            yield from self._of_image(rows, names)
            done += len(rows)
            seen(done, len(numbers))

    def _of_image(
        self, rows: Sequence[InForce | TrailDisagrees], names: Sequence[str]
    ) -> Iterator[Step]:
        yield from (
            Step(Kind.FAILED, row.args[0], "", why=str(row))
            for row in rows
            if isinstance(row, TrailDisagrees)
        )
        decided = {row.decision.slot: row for row in rows if isinstance(row, InForce)}
        for slot, row in decided.items():
            if row.decision.box is not None and self._is_meant(slot, names):
                yield self._step(row, row.decision.box, decided)

    def _is_meant(self, slot: str, names: Sequence[str]) -> bool:
        return self.wish.only in (None, slot) and not recut_sets.is_in(slot, names)

    def _step(self, row: InForce, box: PixelBox, decided: dict[str, InForce]) -> Step:
        of = row.decision
        try:
            slot = recut_sets.slot_in(self.wish.name, of.slot)
            earlier = decided.get(slot)
            if earlier is not None and not _has_failed(earlier):
                return self._made_before(of, slot, earlier)
            lacks = self._lacks(of, has_left=row.has_left)
        except CropkitError as error:
            return Step(Kind.FAILED, of.path, of.slot, why=str(error))
        if lacks:
            return Step(Kind.FAILED, of.path, slot, why=lacks)
        if of.turn.resamples:
            return Step(Kind.FAILED, of.path, slot, why=_STRAIGHTENED)
        seen, size = box.turned(of.size, of.turn), of.size.turned(of.turn)
        fit = chosen(seen, size, self.wish.among, self.wish.most_cut, upscale=self._upscales)
        new = self._decision(of, box, slot, fit)
        if why := _why_not(fit, self.wish.most_cut, upscale=self._upscales):
            return Step(Kind.SHOW, of.path, slot, new, why, stands=not row.has_left)
        return Step(Kind.NEW if earlier is None else Kind.AGAIN, of.path, slot, new)

    @property
    def _upscales(self) -> bool:
        return self.wish.how.allow_upscale

    def _made_before(self, of: Decision, slot: str, earlier: InForce) -> Step:
        """Tell of what was decided in the set: by a person, or made of the same and alike."""
        new = earlier.decision
        if not new.reviewer.startswith(_BY):
            return Step(Kind.BEFORE, of.path, slot)
        why = self._why_otherwise(of, new)
        if why:
            return Step(Kind.SHOW, of.path, slot, None, f"{why}; undo that crop first")
        kind = Kind.WAITS if earlier.status is Status.WAITING else Kind.BEFORE
        return Step(kind, of.path, slot, new)

    def _why_otherwise(self, of: Decision, new: Decision) -> str:
        if new.suggestion is None or new.suggestion.version != of.id:
            return "it was decided anew since it was made"
        if new.target not in {target.name for target in self.wish.among}:
            return f"it was made before for {new.target}"
        return "" if new.destination == self.wish.folder else "it was made before, elsewhere"

    def _lacks(self, of: Decision, *, has_left: bool) -> str:
        """Return why what was decided about is nowhere to be read; '' where it is."""
        if self.locations.identity(kept(of.sha256)) is not None:
            return ""
        if has_left:
            return "its original is not kept any more"
        if self.locations.identity(of.path) is None:
            return "it is not there"
        is_other = self.reads and self.locations.digest(of.path) != of.sha256
        return "it has changed since it was decided" if is_other else ""

    def _decision(self, of: Decision, box: PixelBox, slot: str, fit: Fit) -> Decision:
        moment = clock.now()
        cut = fit.box.turned(of.size.turned(of.turn), of.turn.inverse)
        how = replace(self.wish.how, recut=of.slot)
        if self.wish.resize:
            how = how.for_target(fit.target.name)
        return Decision(
            path=of.path,
            sha256=of.sha256,
            size=of.size,
            verdict=Verdict.ACCEPT if cut == box else Verdict.ADJUSTED,
            box=cut,
            reviewer=f"{_BY}{self.person}",
            session=self.session,
            shown_at=moment,
            decided_at=moment,
            suggestion=Suggestion(box.normalized(of.size), _DECIDED, of.id),
            destination=self.wish.folder,
            slot=slot,
            target=fit.target.name,
            copying=how.text,
            turn=of.turn,
        )


_STRAIGHTENED = "it was turned by a fine angle, and no other box around it is sure to be inside"


def _path(row: InForce | TrailDisagrees) -> str:
    return row.decision.path if isinstance(row, InForce) else str(row.args[0])


def _has_failed(row: InForce) -> bool:
    is_open = row.status is Status.IN_DOUBT
    return not is_open and (row.status.is_failure or row.status is Status.STALE)


def chosen(
    box: PixelBox, image: Size, among: Sequence[Target], most_cut: float, *, upscale: bool
) -> Fit:
    """Return the target, and the smallest box of its ratio that holds what was decided.

    Those that hold come first; of these, that which cuts least, then that which adds least, then
    the largest, so that the least detail is lost.

    Parameters
    ----------
    box, image : upright pixels
    most_cut : part of the box that may be cut, 0 to 1
    upscale : whether a crop may be enlarged
    """

    def cost(fit: Fit) -> tuple[bool, int, int, float]:
        fails = bool(_why_not(fit, most_cut, upscale=upscale))
        scale = fit.scale if fit.is_upscale else -fit.scale
        return fails, fit.lost, fit.box.size.area, scale

    return min((Fit(target, box, _holding(box, image, target)) for target in among), key=cost)


def _holding(box: PixelBox, image: Size, target: Target) -> PixelBox:
    if fits(box.size, target):
        return box
    (crop,) = around([box.xyxy], image, margin=0, aspect=target)
    return PixelBox(*crop.xyxy)


def _why_not(fit: Fit, most_cut: float, *, upscale: bool) -> str:
    """Return why a person has to see it; '' where it may be made."""
    reasons = []
    if fit.lost > most_cut * fit.asked.size.area:
        reasons.append("no box of its ratio holds what was decided")
    if fit.short and not upscale:
        reasons.append("the crop is too small for it")
    return f"{fit.label}: {', and '.join(reasons)}" if reasons else ""


def carried_out(
    recut: Recut,
    steps: Iterator[Step],
    record: Callable[[Sequence[Step]], Sequence[str]],
    apply: Callable[[Sequence[str]], Sequence[CropResult]],
) -> Iterator[Step]:
    """Have crops made, some at a time, and yield those that a person has to see.

    Parameters
    ----------
    recut : counts what came of it
    record : makes the decisions of steps durable, and returns the ids of those to carry out
    apply : carries decisions out
    """
    while some := list(islice(steps, _TOGETHER)):
        todo = [step for step in some if step.kind in _TO_MAKE]
        for step in some:
            if step not in todo:
                recut.told(step)
        yield from (step for step in some if step.kind is Kind.SHOW)
        results = apply(record(todo)) if todo else ()
        for result in results:
            if result.ok:
                recut.made += 1
            else:
                recut.told(Step(Kind.FAILED, result.path, result.slot, why=result.message or ""))
        full = [result.message for result in results if result.code == NoSpace.__name__]
        if full:
            recut.stopped = full[0]
            return


def foreseen(recut: Recut, steps: Iterator[Step]) -> Recut:
    """Count what would be made, and what not."""
    for step in steps:
        if step.kind in _TO_MAKE:
            recut.made += 1
        else:
            recut.told(step)
    return recut
