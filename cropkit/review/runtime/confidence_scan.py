"""Find the images whose suggestion says that it is not sure, beside everything else.

So are those found that a plan of how much is to be seen has set aside to be looked at.
"""

from collections.abc import Callable, Sequence
from functools import partial

from cropkit.review.model.slots import image_of
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.review_store import ReviewStore

_SLICE = 50  # images at a time: about ten milliseconds of reading sidecars
_PAUSE = 0.05  # seconds between slices, so that keys and pages come first
_REPORTED = 1000  # images between one report and the next

Report = Callable[[frozenset[str]], object]


class ConfidenceScan:
    """Asks for the confidence of each image once, a few at a time.

    Parameters
    ----------
    least : confidence, 0 to 1, below which an image is reported; one that states none is not
    report : called with the images found since the last time
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
            looked = partial(self._looked, len(some))
            self._worker.submit("", partial(self._look, some), looked)

    def _look(self, paths: Sequence[str]) -> list[str]:
        unsure = {image: self._is_unsure(image) for image in dict.fromkeys(map(image_of, paths))}
        return [path for path in paths if unsure[image_of(path)]]

    def _is_unsure(self, image: str) -> bool:
        if image in self._store.set_aside:
            return True
        sure = self._store.confidence(image)
        return sure is not None and sure < self._least

    def _looked(self, count: int, unsure: list[str]) -> None:
        self._unsure.update(unsure)
        reports, self._done = self._done // _REPORTED, self._done + count
        self._waits = self._done >= len(self._paths)
        if self._report and self._unsure and (self._waits or self._done // _REPORTED > reports):
            self._report(frozenset(self._unsure))
            self._unsure.clear()
        if not self._waits:
            self._loop.call_later(_PAUSE, self._guard.watch(self._go_on))
