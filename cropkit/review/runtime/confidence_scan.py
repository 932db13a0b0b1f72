"""Find the images whose suggestion says that it is not sure, beside everything else."""

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
        self._paths: Sequence[str] | None = None
        self._done = 0
        self._unsure: set[str] = set()

    def begin(self, paths: Sequence[str], report: Report) -> None:
        """Start, the first time only."""
        if self._paths is None:
            self._paths = paths
            self._go_on(report)

    def _go_on(self, report: Report) -> None:
        some = (self._paths or ())[self._done : self._done + _SLICE]
        if some:
            self._worker.submit("", partial(self._look, some), partial(self._looked, report))

    def _look(self, paths: Sequence[str]) -> list[str]:
        unsure = {image: self._is_unsure(image) for image in dict.fromkeys(map(image_of, paths))}
        return [path for path in paths if unsure[image_of(path)]]

    def _is_unsure(self, image: str) -> bool:
        sure = self._store.confidence(image)
        return sure is not None and sure < self._least

    def _looked(self, report: Report, unsure: list[str]) -> None:
        self._unsure.update(unsure)
        self._done += _SLICE
        over = self._done >= len(self._paths or ())
        if self._unsure and (over or self._done % _REPORTED == 0):
            report(frozenset(self._unsure))
            self._unsure.clear()
        if not over:
            self._loop.call_later(_PAUSE, self._guard.watch(partial(self._go_on, report)))
