"""What a review asks of a collection and keeps in its trail, beyond what everybody does."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cropkit.audit.decisions import Standing
from cropkit.audit.tally import SessionRow, Tally
from cropkit.collection import Look
from cropkit.geometry import Size
from cropkit.records import CropResult, Problem, ProblemKind, Status
from cropkit.review.model import Decided, ReviewState, begin
from cropkit.review.model.slots import image_of, keyed
from cropkit.review.runtime.decision_ids import DecisionIds
from cropkit.suggest import confidence_of

if TYPE_CHECKING:
    from cropkit.collection import Collection


class Resumed(NamedTuple):
    """A review as it was left, the ids of its decisions, and what waits, oldest first."""

    session: ReviewState
    ids: DecisionIds
    waiting: tuple[str, ...]


class ReviewStore:
    """Where a review was left, what it has shown, and who else reviews; thread-safe.

    A trail that cannot be read or written raises `AuditError`: the review must stop.
    """

    def __init__(self, collection: "Collection") -> None:
        self._collection, self._trail = collection, collection.trail

    def resumed(self, per_page: int, minimum: int) -> Resumed:
        """Return the review as it was left."""
        every, unreadable = self._trail.decisions.looked_through()
        self._collection.problems.report_once(
            [Problem(ProblemKind.DECISION, error.args[0], str(error)) for error in unreadable]
        )
        standing = {_crop(each): each for each in every}
        settled = {
            path: Decided(s.verdict, s.status, s.box, s.message or "", s.target or "")
            for path, s in standing.items()
            if s.status not in (Status.STALE, Status.RESTORED)
        }
        session = begin(
            self._collection.images(),
            per_page,
            settled,
            (crop for crop in map(_crop, self._to_undo(every)) if crop in settled),
            self.place(),
            minimum=minimum,
            stale=(path for path, s in standing.items() if s.status is Status.STALE),
            wanted=self._collection.wanted,
            copies=self._collection.placement.copying is not None,
        )
        of_settled = ((path, standing[path].decision) for path in settled)
        return Resumed(
            session,
            DecisionIds(session.images.index, of_settled),
            tuple(path for path, s in settled.items() if s.status is Status.WAITING),
        )

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

    def others(self) -> list[SessionRow]:
        """Return the reviews that go on beside this one."""
        return self._trail.others("review")

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


def _crop(standing: Standing) -> str:
    return keyed(standing.path, standing.slot)
