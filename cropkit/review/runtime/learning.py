"""The review learns: from each decision, in a thread of its own, for the images that come next."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cropkit import extras
from cropkit.audit.decisions import InForce
from cropkit.errors import PersonalStateUnusable
from cropkit.records import CropResult, Decision, Suggestion
from cropkit.review.model import ImageLoaded, Move
from cropkit.review.model.slots import slot_of
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.review_store import foreseen
from cropkit.system import personal_cache
from cropkit.taste.example import MOST_DECISIONS

if TYPE_CHECKING:
    from cropkit.collection import Collection
    from cropkit.taste.learner import Learner

_EARLY = 100  # images
_MOMENT = 3.0  # seconds, at most, that it stands back: reading three large images takes one
_MOST_LOOKED = 100  # that wait for models to look at them; the earliest give way

_Shown = tuple[str, bytes, Sequence[Suggestion]]

_log = logging.getLogger("cropkit")


class Learning:
    """What a reviewer's decisions teach, in their review.

    Nothing waits for it: features are taken in the threads that read ahead, everything else is done
    in one thread of its own. Where it fails, that is shown and counted once, and the review goes on
    without it. Models look at images in another thread, one after the other, from as many decisions
    on as anything is learned from: until an image's turn has come, it counts as not looked at.

    Parameters
    ----------
    vision : whether models look at images, where the extra is installed
    """

    def __init__(
        self, collection: "Collection", loop: Loop, guard: Guard, *, vision: bool = False
    ) -> None:
        self._collection, self._loop, self._guard = collection, loop, guard
        self._cached = personal_cache.name_for("features", str(collection.scope.state))
        self._thread = BackgroundThread("cropkit-learn", loop, guard, moment=_MOMENT)
        self._learner: Learner | None = None
        self._as_planned: frozenset[str] = frozenset()
        self._early: deque[_Shown] = deque(maxlen=_EARLY)  # what came before there was a learner
        self._eyes = (
            BackgroundThread("cropkit-see", loop, guard, moment=_MOMENT) if _looks(vision) else None
        )
        self._unlooked: deque[tuple[str, bytes]] = deque(maxlen=_MOST_LOOKED)
        self._later(self._begin)

    @property
    def idle(self) -> bool:
        """Whether all decisions were learned from, as far as they are enough for it."""
        return not self._thread.pending and not (self._eyes and self._eyes.pending)

    def see(self, sha256: str, jpeg: bytes, suggestions: Sequence[Suggestion]) -> None:
        """Look at an image that was read; called in the thread that has read it."""
        learner = self._learner
        if learner is None:
            self._early.append((sha256, jpeg, suggestions))
            return
        look = partial(learner.see, sha256, jpeg, suggestions)
        self._thread.here("", look, self._give_up)
        if self._eyes is not None:
            self._unlooked.append((sha256, jpeg))
            self._loop.call_soon_threadsafe(self._guard.watch(self._look_on))

    def improved(self, move: Move) -> Move:
        """Return the arrival of an image with what was learned before what is suggested."""
        learner = self._learner
        if learner is None or not isinstance(move, ImageLoaded) or move.cropped:
            return move
        if slot_of(move.path):  # a box for one of several crops is none for another
            return move
        if move.planned is not None or move.path in self._as_planned:
            return move  # what is proven of a sample is proven of what was planned
        return replace(move, suggestions=learner.improved(move.sha256, move.suggestions))

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Learn from what has become durable."""
        self._later(partial(self._teach, lambda learner: learner.decided(*decisions)))

    def undone(self, result: CropResult) -> None:
        """Unlearn what was taken back."""
        self._later(partial(self._teach, lambda learner: learner.undone(result.path)))

    def stand_back(self, *, free: bool) -> None:
        """Begin nothing for a moment unless this is `free`: somebody waits for a page."""
        for thread in filter(None, (self._thread, self._eyes)):
            (thread.go_on if free else thread.stand_back)()

    def close(self) -> None:
        """Learn nothing more, and keep what was seen."""
        if self._eyes is not None:
            self._eyes.close()
        self._thread.close()
        if self._learner is not None:
            try:
                personal_cache.write(self._cached, self._learner.to_bytes())
            except PersonalStateUnusable as error:
                _log.warning("what was seen of images is not kept: %s", error)

    def _give_up(self) -> None:
        self._learner = None

    def _later(self, work: Callable[[], object]) -> None:
        self._thread.submit("", work, lambda _: self._look_on())

    def _look_on(self) -> None:
        """Have models look at the next image that waits, in their thread."""
        eyes, learner = self._eyes, self._learner
        if eyes is None or eyes.pending or learner is None or not learner.has_enough:
            return
        if self._unlooked:
            look = partial(_look, learner, *self._unlooked.popleft())
            eyes.submit("", look, lambda _: self._look_on(), self._close_eyes)

    def _close_eyes(self) -> None:
        """Let models look at nothing more: it goes on by what is known without them."""
        eyes, self._eyes = self._eyes, None
        self._unlooked.clear()
        if eyes is not None:
            eyes.close()

    def _teach(self, teach: Callable[["Learner"], object]) -> None:
        if self._learner is not None:
            teach(self._learner)
            if self._learner.is_due:
                self._learner.train()

    def _begin(self) -> None:
        from cropkit.taste.learner import Learner  # noqa: PLC0415  (NumPy: not before the page)

        learner = Learner(self._collection.taste())
        self._as_planned = foreseen(self._collection).as_planned
        try:
            kept = personal_cache.read(self._cached)
            if kept is not None:
                learner.recall(kept)
        except (PersonalStateUnusable, ValueError) as error:
            _log.warning("what was seen of images is looked at again: %s", error)
        for decision in self._earlier():
            learner.decided(decision)
        self._see_early(learner)  # whose boxes are proposed is known before there is a choice
        learner.train()
        self._learner = learner
        self._see_early(learner)

    def _see_early(self, learner: "Learner") -> None:
        while self._early:
            sha256, jpeg, suggestions = self._early.popleft()
            learner.see(sha256, jpeg, suggestions)
            self._unlooked.append((sha256, jpeg))

    def _earlier(self) -> Iterator[Decision]:
        """Yield this reviewer's latest decisions, oldest first."""
        decisions = self._collection.trail.decisions
        for each in decisions.numbered(sorted(decisions.in_force())[-MOST_DECISIONS:]):
            if isinstance(each, InForce) and each.decision.reviewer == self._collection.reviewer:
                yield each.decision


def _looks(vision: bool) -> bool:  # noqa: FBT001  (as a person has chosen)
    return vision and extras.is_there("vision")


def _look(learner: "Learner", sha256: str, jpeg: bytes) -> None:
    from cropkit.taste import vision  # noqa: PLC0415  (an extra: when it is needed)

    learner.look(sha256, jpeg, vision.sight)


class NotLearning:
    """Takes the same, and learns nothing."""

    idle = True

    def see(self, sha256: str, jpeg: bytes, suggestions: Sequence[Suggestion]) -> None:
        """Look at nothing."""

    def improved(self, move: Move) -> Move:
        """Return the arrival of an image as it is."""
        return move

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Learn nothing."""

    def undone(self, result: CropResult) -> None:
        """Unlearn nothing."""

    def stand_back(self, *, free: bool) -> None:
        """Do nothing, as ever."""

    def close(self) -> None:
        """Keep nothing."""
