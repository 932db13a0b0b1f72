"""Find how sure the suggestion of each image says that it is, beside everything else.

By that a review sorts images, and finds the unsure ones; as these count those, too, that a plan of
how much is to be seen has set aside to be looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isnan

from cropkit.review.model import ConfidenceScanned
from cropkit.review.model.slots import image_of
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.review_store import ReviewStore

_SLICE = 50  # images at a time: about ten milliseconds of reading sidecars
_PAUSE = 0.05  # seconds between slices, so that keys and pages come first
_REPORTED = 1000  # images between one report and the next

_Looked = tuple[Mapping[str, float], set[str]]  # confidences, and the unsure ones
Report = Callable[[ConfidenceScanned], object]


class ConfidenceScan:
    """Asks for the confidence of each image once, a few at a time.

    Parameters
    ----------
    least : confidence, 0 to 1, below which an image is unsure; one that states none is not
    report : called with what was found since the last time
    """

    def __init__(
        self,
        store: ReviewStore,
        worker: BackgroundThread,
        loop: Loop,
        guard: Guard,
        least: float,
    ) -> None:
        self._store, self._worker, self._loop, self._guard = store, worker, loop, guard
        self._least = least
        self._paths: Sequence[str] = ()
        self._report: Report | None = None
        self._done = 0
        self._waits = False  # for more images
        self._unsure: set[str] = set()
        self._sure: dict[str, float] = {}

    def begin(self, paths: Sequence[str], report: Report) -> None:
        """Start, the first time only."""
        if self._report is None:
            self._paths, self._report = paths, report
            self._go_on()

    def follow(self, paths: Sequence[str]) -> None:
        """Ask for more images, too, where it has begun: the first ones are as they were."""
        if self._report is not None:
            self._paths = paths
            if self._waits:
                self._go_on()

    def _go_on(self) -> None:
        some = self._paths[self._done : self._done + _SLICE]
        self._waits = not some
        if some:
            self._worker.submit("", partial(self._look, some), partial(self._looked, len(some)))

    def _look(self, paths: Sequence[str]) -> _Looked:
        images = {image: self._confidence(image) for image in dict.fromkeys(map(image_of, paths))}
        known = ((path, images[image_of(path)]) for path in paths)
        sure = {path: each for path, each in known if each is not None}
        aside = {path for path in paths if image_of(path) in self._store.set_aside}
        return sure, aside.union(path for path, each in sure.items() if each < self._least)

    def _confidence(self, image: str) -> float | None:
        """Return a confidence from 0 to 1, whatever is stated; None for what is no number."""
        sure = self._store.confidence(image)
        return None if sure is None or isnan(sure) else min(1.0, max(0.0, sure))

    def _looked(self, count: int, looked: _Looked) -> None:
        sure, unsure = looked
        self._sure.update(sure)
        self._unsure.update(unsure)
        reports, self._done = self._done // _REPORTED, self._done + count
        self._waits = self._done >= len(self._paths)
        if self._report and (self._waits or self._done // _REPORTED > reports):
            self._report(ConfidenceScanned(frozenset(self._unsure), self._sure, whole=self._waits))
            self._unsure, self._sure = set(), {}
        if not self._waits:
            self._loop.call_later(_PAUSE, self._guard.watch(self._go_on))
