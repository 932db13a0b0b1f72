"""Crops that a full disk or a permission has stopped are tried again while the review goes on.

Each is told of once, until it is over, and its decision waits. The one that has waited longest is
tried after some seconds, then after twice as many, and so on: an attempt costs as much as a crop.
As soon as any crop is made, the others that wait are tried, too.
"""

from collections.abc import Callable

from cropkit.records import CropResult, Status
from cropkit.review.model.messages import NOT_CROPPED
from cropkit.review.model.slots import named
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop, Timer

FIRST, LONGEST = 5.0, 300.0  # seconds between two attempts
_GOES_ON = "What was in the way is gone: what waits is carried out"


class SecondAttempts:
    """Keeps what waits for an obstacle to be over.

    Parameters
    ----------
    attempt : carries the decision of an image out; returns False where it does not wait any more
    """

    def __init__(self, loop: Loop, guard: Guard, attempt: Callable[[str, str], bool]) -> None:
        self._loop, self._guard, self._attempt = loop, guard, attempt
        self._waiting: dict[str, str] = {}  # image -> decision, the longest wait first
        self._told: set[str] = set()
        self.for_others: set[str] = set()  # which wait for somebody else's opinion
        self._pause = FIRST
        self._timer: Timer | None = None

    def ended(self, path: str, decision: str, result: CropResult) -> bool:
        """Take note of how an attempt ended; return whether a reviewer has to be told."""
        was_told = path in self._told
        if result.status is Status.WAITING and result.ok:
            self.for_others.add(path)
            self._guard.note(f"{named(path)}: {result.message}")
            return False  # it is carried out after another person's decision, or is that
        self.for_others.discard(path)
        if result.status is Status.WAITING:
            self._told.add(path)
            self._waiting[path] = decision
            self._arrange()
            return not was_told
        self._told.discard(path)
        self._waiting.pop(path, None)
        if was_told:
            self._guard.over(path, NOT_CROPPED)
        if was_told and result.ok:
            self._guard.note(_GOES_ON)
        if result.ok:
            self._try_all()
        return True

    def close(self) -> None:
        """Try nothing more: what waits is durable, and taken up by the next review."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._waiting = None, {}

    def _arrange(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._pause, self._guard.watch(self._try_one))
            self._pause = min(2 * self._pause, LONGEST)

    def _try_one(self) -> None:
        self._timer = None
        while self._waiting:
            path, decision = next(iter(self._waiting.items()))
            del self._waiting[path]
            if self._attempt(path, decision):
                return

    def _try_all(self) -> None:
        waiting = self._waiting
        self.close()
        self._pause = FIRST
        for path, decision in waiting.items():
            self._attempt(path, decision)
