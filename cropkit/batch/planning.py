"""Look at everything that a batch would take up; reads the images and writes nothing.

Each image is looked at as the engine will look at it: content, header, box and destination. What
will be refused is known before anything is done.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from cropkit import bounded, clock, formats
from cropkit.audit.operation import OperationKind
from cropkit.audit.reader import Standing, TrailReader
from cropkit.batch import unseen
from cropkit.batch.plan import Item, Passed, Plan, Source, Unread
from cropkit.bounds import Bounds
from cropkit.engine import listing, outputs
from cropkit.engine.deciding import bound, headers_for
from cropkit.engine.locations import Locations
from cropkit.engine.planning import Planner, check_shown
from cropkit.engine.request import Request
from cropkit.errors import (
    CropkitError,
    NameTaken,
    NoImages,
    ReadOnly,
    StaleDecision,
    TrailDisagrees,
)
from cropkit.formats.decoder_errors import reading
from cropkit.geometry import Size
from cropkit.records import (
    Decision,
    Placement,
    Problem,
    ProblemKind,
    Status,
    Suggestion,
    Verdict,
    batch_of,
    is_batch,
)
from cropkit.suggest import Suggester, gather
from cropkit.wanted import Wanted, fitted

if TYPE_CHECKING:
    from cropkit.collection import Collection


@dataclass(frozen=True, slots=True)
class BatchPlanner:
    """The collection as planning needs it.

    Parameters
    ----------
    trail : the collection's own, or a copy of it; its scope is what is taken up
    placement : as in `Plan`
    reviewer, session : who decides by suggestions, and in which session
    wanted : the crops that suggestions are taken up for, of each image
    salvage : whether damaged images are cropped by what can be read of them, in any case
    """

    locations: Locations
    trail: TrailReader
    suggesters: Sequence[Suggester]
    placement: Placement
    reviewer: str
    session: str
    wanted: tuple[Wanted, ...] = (Wanted(),)
    salvage: bool = False
    _planner: Planner = field(init=False)
    _options: formats.Options = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_planner", Planner(self.locations, self.placement))
        chosen = formats.Options.from_settings(self.trail.settings())
        salvage = chosen.salvage or self.salvage
        object.__setattr__(self, "_options", replace(chosen, salvage=salvage))

    def plan(
        self, source: Source, min_confidence: float = 0.0, seen: "LookProgress | None" = None
    ) -> Plan:
        """Look at everything that a batch would take up.

        Parameters
        ----------
        min_confidence : least confidence of a suggestion that states one
        seen : told of each image that was looked at

        Raises
        ------
        NoImages
            When there is nothing in the folder and nothing was decided.
        BadPlan, TooFewDecisions
            By a plan that is not there, or lets nothing through yet.
        """
        findings = _Findings(seen or LookProgress())
        if source is Source.PLAN:
            findings.unseen = unseen.by_plan(self.trail)
        waiting = self._waiting(source)
        if source is not Source.QUEUE:
            self._undecided(findings, min_confidence)
        elif not waiting:
            self._check_is_a_collection()
        for decision in findings.seen.each(waiting):
            try:
                findings.items.append(self._recorded(decision))
            except TrailDisagrees as error:  # its row cannot be read
                findings.unread.append(Unread(error.args[0], error))
        return Plan(
            self.locations.root.path,
            source,
            self.placement,
            tuple(findings.items),
            tuple(findings.unread),
            tuple(findings.passed),
            tuple(dict.fromkeys(findings.problems)),
            self.trail.scope.part,
            findings.unseen.words if findings.unseen else (),
        )

    def _check_is_a_collection(self) -> None:
        if not self.trail.decisions.any_stands() and not self._listed().images:
            raise NoImages(self.trail.scope.folder)

    def _listed(self) -> listing.Listing:
        folder = self.placement.folder
        its_outputs = outputs.known(self.trail.settings())
        return listing.listed(self.trail.scope, (*its_outputs, *([folder] if folder else ())))

    def _waiting(self, source: Source) -> list[str]:
        """Return the decisions to take up; by suggestions, only what a batch left behind."""
        waiting = self.trail.decisions.waiting()
        if source is Source.QUEUE:
            return waiting
        mine = {
            standing.decision
            for standing in self.trail.decisions.standing()
            if is_batch(standing.reviewer)
        }
        return [decision for decision in waiting if decision in mine]

    # -- what was decided ----------------------------------------------------------------------

    def _recorded(self, decision_id: str) -> Item:
        decision, _, disagreement = self.trail.decisions.compared(decision_id)
        kind = self._kind(decision)
        size_bytes, target = 0, decision.path
        if disagreement is not None:  # the trail tells of no such decision
            return Item(decision, kind, target, size_bytes, recorded=False, error=disagreement)
        try:
            content = self.locations.root.read(decision.path, Bounds.from_environment())
            size_bytes = len(content.data)
            if content.sha256 != decision.sha256:
                raise StaleDecision(decision.path, decision.sha256, content.sha256)
            self._check_box(decision, content.data)
            target = self._target(decision)
        except CropkitError as error:
            return Item(decision, kind, target, size_bytes, recorded=True, error=error)
        return Item(decision, kind, target, size_bytes, recorded=True)

    def _kind(self, decision: Decision) -> OperationKind:
        if decision.verdict is Verdict.REJECT:
            return OperationKind.REJECT
        copies = self.placement.of(decision).copying is not None
        return OperationKind.COPY if copies else OperationKind.CROP

    def _check_box(self, decision: Decision, data: bytes) -> None:
        if decision.box is not None:
            placement = self.placement.of(decision)
            header = bounded.header(headers_for(placement, self._options), data, decision.path)
            with reading(decision.path):
                box = decision.box.within(header.size)
            holds = formats.applied(header, box, self._options)
            check_shown(decision.path, decision.shown, holds)

    def _size(self, data: bytes, path: str) -> Size:
        return bounded.header(headers_for(self.placement, self._options), data, path).size

    def _target(self, decision: Decision) -> str:
        """Return where it goes; refuse where a name is taken."""
        request = self._planner.foreseen(decision)
        for name in _new_names(request):
            there, path = self.locations.locate(name)
            if there.identity(path) is not None:
                raise NameTaken(decision.path, name)
        return request.target

    # -- what is suggested ---------------------------------------------------------------------

    def _undecided(self, findings: "_Findings", min_confidence: float) -> None:
        images, unread, problems = self._listed()
        every, unreadable = self.trail.decisions.looked_through()
        standing = {(each.path, each.slot): each for each in every}
        lost = {error.args[0]: error for error in unreadable}
        if not images and not standing:
            raise NoImages(self.trail.scope.folder)
        findings.problems += problems
        findings.unread += [Unread(name, ReadOnly(name, reason)) for name, reason in unread.items()]
        for path in findings.seen.each(images):
            if path in lost:
                findings.unread.append(Unread(path, lost[path]))
                continue
            left = [crop for crop in self.wanted if (path, crop.slot) not in standing]
            if left and findings.unseen and path not in findings.unseen.accepted:
                findings.passed.append(Passed(path, unseen.TO_BE_SEEN))
            elif left:
                self._suggested(path, left, findings, min_confidence)
            decided = [standing[path, crop.slot] for crop in self.wanted if crop not in left]
            findings.passed += [
                Passed(path, _told(each))
                for each in decided
                if not (is_batch(each.reviewer) and each.status is Status.WAITING)
            ]

    def _suggested(
        self, path: str, crops: Sequence[Wanted], findings: "_Findings", min_confidence: float
    ) -> None:
        shown_at = clock.now()
        try:
            content = self.locations.root.read(path, Bounds.from_environment())
            size = self._size(content.data, path)
        except CropkitError as error:
            findings.unread.append(Unread(path, error))
            return
        if self.trail.contents.is_crop(content.sha256, path):
            findings.passed.append(Passed(path, "is the outcome of a crop"))
            return
        answer = gather(self.suggesters, path, size, content.sha256)
        findings.problems += [p for p in answer.problems if p.kind is not ProblemKind.NO_SUGGESTION]
        best = answer.suggestions[0] if answer.suggestions else None
        if best is None or _is_too_unsure(best, min_confidence):
            findings.passed.append(Passed(path, _why_not(best, answer.problems, min_confidence)))
            return
        accepted = Decision(
            path=path,
            sha256=content.sha256,
            size=size,
            verdict=Verdict.ACCEPT,
            box=best.box.pixels(size),
            reviewer=self.reviewer,
            session=self.session,
            shown_at=shown_at,
            decided_at=clock.now(),
            suggestion=best,
        )
        for crop in crops:
            decision = bound(_decision_for(crop, accepted), self.placement)
            if findings.unseen and not findings.unseen.is_planned(decision):
                findings.passed.append(Passed(path, unseen.OTHERWISE))
                continue
            item = self._proposed(decision, len(content.data))
            findings.items.append(item)

    def _proposed(self, decision: Decision, size_bytes: int) -> Item:
        kind = self._kind(decision)
        try:
            target = self._target(decision)
        except CropkitError as error:
            return Item(decision, kind, decision.path, size_bytes, recorded=False, error=error)
        return Item(decision, kind, target, size_bytes, recorded=False)


def planner_of(collection: "Collection") -> BatchPlanner:
    """Return what plans batches of a collection that is open."""
    return BatchPlanner(
        collection.locations,
        collection.trail,
        collection.suggesters,
        collection.placement,
        batch_of(collection.reviewer),
        collection.session,
        collection.wanted,
        collection.options.salvage,
    )


class LookProgress:
    """Told of progress; this one tells nobody."""

    def each(self, names: Sequence[str]) -> Iterable[str]:
        """Go through names."""
        return names


@dataclass(slots=True)
class _Findings:
    """What planning has come upon so far."""

    seen: LookProgress
    unseen: "unseen.Unseen | None" = None
    items: list[Item] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def _decision_for(crop: Wanted, accepted: Decision) -> Decision:
    """Return what was accepted for one of the crops: the box that fits its nearest target."""
    fit = fitted(accepted.box, accepted.size, crop) if accepted.box else None
    decision = replace(accepted, id=uuid4().hex, slot=crop.slot)
    if fit is None:
        return decision
    verdict = Verdict.ACCEPT if fit.box == accepted.box else Verdict.ADJUSTED
    return replace(decision, box=fit.box, target=fit.target.name, verdict=verdict)


def _new_names(request: Request) -> Iterator[str]:
    if request.target != request.source:
        yield request.target
        yield from (each.target for each in request.followers)


def _told(decided: Standing) -> str:
    return f"decided already: {decided.verdict.value}, {decided.status.value}"


def _is_too_unsure(best: Suggestion, least: float) -> bool:
    return best.confidence is not None and best.confidence < least


def _why_not(best: Suggestion | None, problems: Sequence[Problem], least: float) -> str:
    if best is not None:
        return f"confidence {best.confidence:g} is under {least:g}"
    unusable = [
        problem.reason for problem in problems if problem.kind is not ProblemKind.NO_SUGGESTION
    ]
    return f"suggestion not used: {unusable[0]}" if unusable else "no suggestion"
