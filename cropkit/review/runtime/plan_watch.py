"""What the reviewer's plan lets through: told to the review, anew when its sample is decided."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from cropkit.engine.review_order import runs
from cropkit.records import CropResult, Decision
from cropkit.review.model import ImageLoaded, Move, PlanKnown
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.review_store import Foreseen, ReviewStore

_PAUSE = 0.05  # seconds between these, so that keys and pages come first


class PlanWatch:
    """Tells what the plan lets through once all images are listed, a part at a time.

    Parameters
    ----------
    take : makes a move of the review
    """

    def __init__(
        self,
        store: ReviewStore,
        worker: BackgroundThread,
        loop: Loop,
        guard: Guard,
        take: Callable[[Move], object],
    ) -> None:
        self._store, self._worker, self._loop, self._guard = store, worker, loop, guard
        self._take = take
        self._foreseen = Foreseen()
        self._open: set[str] = set()  # of the sample
        self._coming: Iterator[PlanKnown] = iter(())
        self._begun = False

    def begin(self, *, whole: bool) -> None:
        """Start, the first time that every image is listed."""
        if whole and not self._begun:
            self._begun = True
            self._worker.submit("", lambda: self._store.foreseen, self._known)

    def arriving(self, move: Move) -> Move:
        """Return the arrival of an image with the box that is let through for its content."""
        if not isinstance(move, ImageLoaded):
            return move
        sha256, box = self._foreseen.certain.get(move.path, ("", None))
        return replace(move, planned=box) if sha256 == move.sha256 else move

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Ask the plan again once the last image that was set aside is decided."""
        if self._open:
            self._open.difference_update(each.path for each in decisions)
            if not self._open:
                self._ask_again()

    def undone(self, result: CropResult) -> None:
        """Ask the plan again where a decision was taken back that a promise stands on."""
        if result.path in self._foreseen.sample:
            self._ask_again()

    def _ask_again(self) -> None:
        self._worker.submit("", self._store.foreseen_now, self._known)

    def _known(self, foreseen: Foreseen) -> None:
        before, self._foreseen = self._foreseen, foreseen
        self._open = {*foreseen.set_aside}
        if before.certain or foreseen.certain:
            self._coming = _moves(foreseen)
            self._tell(self._coming)

    def _tell(self, coming: Iterator[PlanKnown]) -> None:
        move = next(coming, None) if coming is self._coming else None
        if move is not None:
            self._take(move)
            self._loop.call_later(_PAUSE, self._guard.watch(partial(self._tell, coming)))


def _moves(foreseen: Foreseen) -> Iterator[PlanKnown]:
    yield PlanKnown(frozenset(), foreseen.promise, anew=True)
    for some in runs(foreseen.certain):
        yield PlanKnown(frozenset(some), foreseen.promise)
