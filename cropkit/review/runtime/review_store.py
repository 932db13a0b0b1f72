"""What a review asks of a collection and keeps in its trail, beyond what everybody does."""

from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cropkit.audit.decision_reader import Changed
from cropkit.audit.decisions import Standing
from cropkit.audit.leases import MOST_OWNERS
from cropkit.audit.tally import SessionRow, Tally
from cropkit.collection import Counts, Look
from cropkit.engine import listing, outputs
from cropkit.errors import BadPlan, ForeignState, NoImages
from cropkit.geometry import PixelBox, Size
from cropkit.records import CropResult, Note, Problem, ProblemKind, Status
from cropkit.review.model import Rest, ReviewState, begin
from cropkit.review.model.slots import image_of, keyed, slot_of
from cropkit.review.runtime.decision_ids import DecisionIds
from cropkit.review.runtime.image_stream import Chunk, ImageStream, crop_of, known, unreadable
from cropkit.review.runtime.since import since
from cropkit.suggest import confidence_of
from cropkit.system.home import PLAN

if TYPE_CHECKING:
    from cropkit.collection import Collection


class Resumed(NamedTuple):
    """A review as it was left, the ids of its decisions, and what waits, oldest first.

    Parameters
    ----------
    problems : what went wrong with the listing so far
    rest : brings what is not listed yet, None where all is
    """

    session: ReviewState
    ids: DecisionIds
    waiting: tuple[str, ...]
    problems: Sequence[Problem] = ()
    rest: ImageStream | None = None


class Foreseen(NamedTuple):
    """What the reviewer's plan says of the images; of none where there is no plan of theirs.

    Parameters
    ----------
    set_aside : images that are still to be looked at for it
    sample : these, and what was decided of the sample
    certain : SHA-256 and box of each image that may be accepted unseen, as they were planned
    promise : about these, a sentence; '' where there are none
    """

    set_aside: frozenset[str] = frozenset()
    sample: frozenset[str] = frozenset()
    certain: Mapping[str, tuple[str, PixelBox]] = MappingProxyType({})
    promise: str = ""

    @property
    def as_planned(self) -> frozenset[str]:
        """Images whose suggestion nothing that was learned may come before."""
        return self.set_aside.union(self.certain)


class ReviewStore:
    """Where a review was left, what it has shown, and who else reviews; thread-safe.

    A trail that cannot be read or written raises `AuditError`: the review must stop.
    """

    def __init__(self, collection: "Collection") -> None:
        self._collection, self._trail = collection, collection.trail
        self._seen = self._trail.decisions.last_event()  # of the trail's events

    def resumed(
        self, per_page: int, minimum: int, around: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Resumed:
        """Return the review as it was left: of a large collection, its beginning.

        Raises
        ------
        NoImages
            When there are none, and none have been decided about.
        """
        place, undo = self.place(), tuple[str, ...]()
        stream = ImageStream(self._collection, place)
        first = stream.first()
        if stream.walked:
            first, undo = self._whole(first, stream)
        session = begin(
            first.paths,
            per_page,
            first.known.settled,
            undo,
            place,
            minimum=minimum,
            stale=first.known.stale,
            wanted=self._collection.wanted,
            copies=self._collection.placement.copying is not None,
            around=around,
            rest=Rest.NONE if stream.walked else Rest.COMING,
        )
        ids = DecisionIds(session.images.index, first.known.ids)
        rest = None if stream.walked else stream
        return Resumed(session, ids, first.known.waiting, first.problems, rest)

    def _whole(self, first: Chunk, stream: ImageStream) -> tuple[Chunk, tuple[str, ...]]:
        """Return all images with every decision, and what can be taken back, oldest first."""
        if not first.paths and not self._trail.decisions.any_stands():
            raise NoImages(self._collection.scope.folder)
        every, errors = self._trail.decisions.looked_through()
        self._collection.problems.report_once(unreadable(errors))
        shown = self._trail.opinions.shown_to(self._collection.reviewer, every)
        every = [each for each in shown if stream.concerns(each.slot)]
        decided = known(every)
        undo = (crop for crop in map(crop_of, self._to_undo(every)) if crop in decided.settled)
        return first._replace(known=decided), tuple(undo)

    def left_outside(self) -> int:
        """Return of how many images nobody has decided that this review is not of."""
        collection = self._collection
        scope = collection.scope
        if scope.is_whole:
            return 0
        every = listing.listed(scope.whole, outputs.known(self._trail.settings())).images
        decided = self._trail.decisions.standing_elsewhere()
        return sum(not scope.holds(path) and path not in decided for path in every)

    def counts(self) -> Counts:
        """Return what only the trail knows; what the session counts is 0."""
        degraded = self._trail.degraded(self._collection.session)
        return Counts(0, 0, 0, 0, 0, 0, 0, 0, degraded)

    def undo_stack(self) -> tuple[Standing, ...]:
        """Return this reviewer's standing decisions that can be taken back, oldest first."""
        return self._to_undo(self._trail.decisions.standing())

    def _to_undo(self, every: Sequence[Standing]) -> tuple[Standing, ...]:
        reviewer = self._collection.reviewer
        mine = (standing for standing in every if standing.reviewer == reviewer)
        done = (standing for standing in mine if standing.status is not Status.STALE)
        return tuple(standing for standing in done if not standing.status.is_failure)

    def retract(self, decision: str) -> CropResult:
        """Take a decision back: before it is applied by withdrawing it, else by restoring the file.

        What went wrong is in the result; the file is then as it was.
        """
        return self._collection.undoer.retract(decision)

    def place(self) -> str | None:
        """Return the first image of the page that the reviewer was at."""
        return self._trail.place(self._collection.reviewer)

    def remember_place(self, path: str) -> None:
        """Remember the page that the reviewer is at."""
        self._trail.remember_place(image_of(path))

    def note(self, crop: str, note: Note) -> None:
        """Keep what was noted about a crop."""
        self._trail.note(image_of(crop), slot_of(crop), note)

    def notes(self, crops: Sequence[str]) -> dict[str, Note]:
        """Return what is noted about each of some crops."""
        images = dict.fromkeys(map(image_of, crops))
        by_slot = chain.from_iterable(self._trail.notes(image).items() for image in images)
        noted = {keyed(slot.path, slot.name): note for slot, note in by_slot}
        return {crop: noted.get(crop, Note()) for crop in crops}

    def others(self) -> list[SessionRow]:
        """Return the reviews that go on beside this one; what is no owner's file is told once."""
        foreign: list[ForeignState] = []
        found = self._trail.others("review", foreign)
        told = (Problem(ProblemKind.LEASE, *self._about(error)) for error in foreign[:MOST_OWNERS])
        self._collection.problems.report_once(list(told))
        return found

    def _about(self, error: ForeignState) -> tuple[str, str]:
        """Return path and reason as `Leases` tells them, so that both are told once."""
        return Path(error.args[0]).relative_to(self._trail.root.path).as_posix(), str(error)

    def changed_elsewhere(self) -> Changed:
        """Return the images that other sessions have done something about since it was asked last.

        The applier of this review is such a session, too.
        """
        changed = self._trail.decisions.changed_after(self._seen, self._collection.session)
        self._seen = changed.last
        return changed

    def standing_of(self, images: Some[str]) -> dict[str, Standing]:
        """Return the decision that stands for each crop of some images, as far as it is shown.

        What this reviewer gives a second opinion of is not.
        """
        standing, _ = self._trail.decisions.looked_through_of(images)
        shown = self._trail.opinions.shown_to(self._collection.reviewer, standing)
        return {crop_of(each): each for each in shown}

    def cropped_by(self, crop: str) -> str:
        """Return who decided the latest crop of an image that was carried out, '' where none is."""
        standing, _ = self._trail.decisions.looked_through_of([image_of(crop)])
        done = (s for s in reversed(standing) if crop_of(s) == crop and s.status is Status.CROPPED)
        return next((each.reviewer for each in done), "")

    def since(self, now: datetime) -> str:
        """Say what has happened since this reviewer was here last; '' where that is nothing new."""
        rows = (row for row in self._trail.sessions() if row.id != self._collection.session)
        return since(rows, self._collection.reviewer, now)

    def shown(self, number: int) -> None:
        """Count images that came before the reviewer's eyes."""
        self._trail.presence.count(partial(Tally.with_shown, number=number))

    def looked(self, path: str, sha256: str, size: Size) -> Look:
        """Say what the trail knows about a content that somebody else has read."""
        return Look(path, sha256, size, self._trail.contents.is_crop(sha256, path))

    def confidence(self, path: str) -> float | None:
        """Return how sure the suggestion for an image is, where it says so, without reading it.

        What cannot be used is not reported here, but when the image is shown.
        """
        return confidence_of(self._collection.suggesters, image_of(path))

    @cached_property
    def foreseen(self) -> Foreseen:
        """What this reviewer's plan says of the images, as the review begins.

        It is for a thread that nobody waits for: all decisions are read, where there is a plan.
        """
        return foreseen(self._collection)

    def foreseen_now(self) -> Foreseen:
        """Return the same after what has been decided since."""
        return foreseen(self._collection)

    @property
    def set_aside(self) -> frozenset[str]:
        """The images that this reviewer's plan sets aside to be looked at, as the review begins."""
        return self.foreseen.set_aside


def foreseen(collection: "Collection") -> Foreseen:
    """Return the same; of a plan that cannot be read nothing, which is told and counted."""
    if not (collection.scope.state / PLAN).exists():
        return Foreseen()
    from cropkit.taste import review_plan  # noqa: PLC0415  (NumPy: only where there is a plan)

    try:
        known = review_plan.of_reviewer(collection.trail, collection.reviewer)
    except BadPlan as error:
        collection.problems.report_once([Problem(ProblemKind.SUGGESTION, PLAN, str(error))])
        return Foreseen()
    if known is None:
        return Foreseen()
    plan, promise = known
    set_aside = frozenset(each.path for each in plan.at(promise.set_aside))
    return Foreseen(
        set_aside,
        set_aside.union(each.path for each in plan.images[: promise.decided]),
        {each.path: (each.sha256, each.box) for each in plan.at(promise.accepted)},
        review_plan.in_words(plan.terms, promise),
    )
