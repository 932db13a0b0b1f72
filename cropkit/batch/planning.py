"""Look at everything that a batch would take up; reads the images and writes nothing.

Each image is looked at as the engine will look at it: content, header, box and destination. What
will be refused is known before anything is done.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cropkit import clock, formats
from cropkit.audit.operation import OperationKind
from cropkit.audit.reader import Standing, TrailReader
from cropkit.batch.plan import Item, Passed, Plan, Source, Unread, is_batch
from cropkit.engine import listing
from cropkit.engine.locations import Locations
from cropkit.engine.planning import Planner
from cropkit.engine.request import Request
from cropkit.errors import CropkitError, NameTaken, NoImages, ReadOnly, StaleDecision
from cropkit.geometry import Size
from cropkit.records import Decision, Problem, ProblemKind, Status, Suggestion, Verdict
from cropkit.suggest import Suggester, gather
from cropkit.system.files import Root


@dataclass(frozen=True, slots=True)
class BatchPlanner:
    """The collection as planning needs it.

    Parameters
    ----------
    trail : the collection's own, or a copy of it
    destination : as in `Plan`
    reviewer, session : who decides by suggestions, and in which session
    """

    files: Root
    trail: TrailReader
    suggesters: Sequence[Suggester]
    destination: str | None
    reviewer: str
    session: str
    _locations: Locations = field(init=False)
    _planner: Planner = field(init=False)
    _options: formats.Options = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_locations", Locations(self.files))
        object.__setattr__(self, "_planner", Planner(self.files, self.destination))
        chosen = formats.Options.from_settings(self.trail.settings())
        object.__setattr__(self, "_options", chosen)

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
        """
        found = _Found(seen or LookProgress())
        waiting = self._waiting(source)
        if source is Source.SUGGESTIONS:
            self._undecided(found, min_confidence)
        elif not waiting:
            self._check_is_a_collection()
        for decision in found.seen.each(waiting):
            found.items.append(self._recorded(decision))
        return Plan(
            self.files.path,
            source,
            self.destination,
            tuple(found.items),
            tuple(found.unread),
            tuple(found.passed),
            tuple(dict.fromkeys(found.problems)),
        )

    def _check_is_a_collection(self) -> None:
        if not self.trail.standing() and not self._listed().images:
            raise NoImages(self.files.path)

    def _listed(self) -> listing.Listing:
        return listing.listed(self.files.path, self.destination)

    def _waiting(self, source: Source) -> list[str]:
        """Return the decisions to take up; by suggestions, only what a batch left behind."""
        waiting = self.trail.waiting()
        if source is Source.QUEUE:
            return waiting
        mine = {one.decision for one in self.trail.standing() if is_batch(one.reviewer)}
        return [decision for decision in waiting if decision in mine]

    # -- what was decided ----------------------------------------------------------------------

    def _recorded(self, decision: str) -> Item:
        made, _ = self.trail.decision(decision)
        kind = OperationKind.REJECT if made.verdict is Verdict.REJECT else OperationKind.CROP
        size_bytes, target = 0, made.path
        try:
            content = self.files.read(made.path)
            size_bytes = len(content.data)
            if content.sha256 != made.sha256:
                raise StaleDecision(made.path, made.sha256, content.sha256)
            if made.box is not None:
                made.box.within(self._size(content.data, made.path))
            target = self._target(made)
        except CropkitError as error:
            return Item(made, kind, target, size_bytes, recorded=True, error=error)
        return Item(made, kind, target, size_bytes, recorded=True)

    def _size(self, data: bytes, path: str) -> Size:
        return formats.read_header(data, path, self._options).size

    def _target(self, made: Decision) -> str:
        """Return where it goes; refuse where a name is taken."""
        request = self._planner.foreseen(made)
        for name in _new_names(request):
            there, path = self._locations.locate(name)
            if there.path.is_dir() and there.identity(path) is not None:
                raise NameTaken(made.path, name)
        return request.target

    # -- what is suggested ---------------------------------------------------------------------

    def _undecided(self, found: "_Found", min_confidence: float) -> None:
        images, unread = self._listed()
        standing = self.trail.standing_by_path()
        if not images and not standing:
            raise NoImages(self.files.path)
        found.unread += [Unread(name, ReadOnly(name, reason)) for name, reason in unread.items()]
        for path in found.seen.each(images):
            decided = standing.get(path)
            if decided is None:
                self._suggested(path, found, min_confidence)
            elif not (is_batch(decided.reviewer) and decided.status is Status.WAITING):
                found.passed.append(Passed(path, _told(decided)))

    def _suggested(self, path: str, found: "_Found", min_confidence: float) -> None:
        shown_at = clock.now()
        try:
            content = self.files.read(path)
            size = self._size(content.data, path)
        except CropkitError as error:
            found.unread.append(Unread(path, error))
            return
        if self.trail.is_crop(content.sha256):
            found.passed.append(Passed(path, "is the outcome of a crop"))
            return
        answer = gather(self.suggesters, path, size, content.sha256)
        found.problems += [p for p in answer.problems if p.kind is not ProblemKind.NO_SUGGESTION]
        best = answer.suggestions[0] if answer.suggestions else None
        if best is None or _is_too_unsure(best, min_confidence):
            found.passed.append(Passed(path, _why_not(best, answer.problems, min_confidence)))
            return
        made = Decision(
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
            destination=self.destination,
        )
        found.items.append(self._proposed(made, len(content.data)))

    def _proposed(self, made: Decision, size_bytes: int) -> Item:
        try:
            target = self._target(made)
        except CropkitError as error:
            return Item(
                made, OperationKind.CROP, made.path, size_bytes, recorded=False, error=error
            )
        return Item(made, OperationKind.CROP, target, size_bytes, recorded=False)


class LookProgress:
    """Told of progress; this one tells nobody."""

    def each(self, names: Sequence[str]) -> Iterable[str]:
        """Go through names."""
        return names


@dataclass(slots=True)
class _Found:
    """What planning has come upon so far."""

    seen: LookProgress
    items: list[Item] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def _new_names(request: Request) -> Iterator[str]:
    if request.target != request.source:
        yield request.target
        yield from (target for _, target, _ in request.followers)


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
