"""The review learns: from each decision, in a thread of its own, for the images that come next."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from cropkit.audit.decisions import InForce
from cropkit.errors import CropkitError, PersonalStateUnusable
from cropkit.records import CropResult, Decision, Suggestion
from cropkit.review.model import ImageLoaded
from cropkit.system import personal_cache

if TYPE_CHECKING:
    from cropkit.collection import Collection
    from cropkit.taste.learner import Learner

_EVERY = 5  # decisions
_RECENT = 1_000  # decisions of the trail that are looked at when it begins

_log = logging.getLogger("cropkit")


class Learning:
    """What a reviewer's decisions teach, in their review.

    Nothing waits for it: features are taken in the threads that read ahead, everything else is done
    in one thread of its own. Where it fails, the review goes on as without it, and the log says so.
    """

    def __init__(self, collection: "Collection") -> None:
        self._collection = collection
        self._cached = personal_cache.name_for("features", str(collection.scope.state))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cropkit-learn")
        self._learner: Learner | None = None
        self._waits = Lock()
        self._thread.submit(self._safely, self._begin)

    def see(self, sha256: str, jpeg: bytes, suggestions: Sequence[Suggestion]) -> None:
        """Look at an image that was read; called in the thread that has read it."""
        if self._learner is not None:
            self._safely(partial(self._learner.see, sha256, jpeg, suggestions))

    def improved(self, move: ImageLoaded) -> ImageLoaded:
        """Return the arrival of an image with what was learned before what is suggested."""
        if self._learner is None or move.cropped:
            return move
        return replace(move, suggestions=self._learner.improved(move.sha256, move.suggestions))

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Learn from what has become durable."""
        self._later(lambda learner: [learner.decided(each) for each in decisions])

    def undone(self, result: CropResult) -> None:
        """Unlearn what was taken back."""
        self._later(lambda learner: learner.undone(result.path))

    def close(self) -> None:
        """Learn nothing more, and keep what was seen."""
        self._thread.submit(self._safely, self._keep)
        self._thread.shutdown()

    def _later(self, teach: "Callable[[Learner], object]") -> None:
        self._thread.submit(self._safely, partial(self._taught, teach))

    def _taught(self, teach: "Callable[[Learner], object]") -> None:
        if self._learner is not None:
            teach(self._learner)
            if self._learner.untrained >= _EVERY:
                self._learner.train()

    def _begin(self) -> None:
        from cropkit.taste.learner import Learner  # noqa: PLC0415  (NumPy: not before the page)

        learner = Learner()
        try:
            kept = personal_cache.read(self._cached)
            if kept is not None:
                learner.recall(kept)
        except (PersonalStateUnusable, ValueError, KeyError, OSError) as error:
            _log.warning("what was seen of images is looked at again: %s", error)
        trail = self._collection.trail
        recent = sorted(trail.decisions.in_force())[-_RECENT:]
        mine = [each.decision for each in trail.decisions.numbered(recent) if _is(each, trail)]
        for decision in mine:
            learner.decided(decision)
        learner.train()
        self._learner = learner

    def _keep(self) -> None:
        if self._learner is not None:
            personal_cache.write(self._cached, self._learner.to_bytes())
