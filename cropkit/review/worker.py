"""One thread that carries out decisions, in the order in which they were made."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from cropkit.records import CropResult
from cropkit.review.guard import Guard
from cropkit.review.loop import Loop

T = TypeVar("T")


class Carrier(Protocol):
    """Who carries decisions out: `cropkit.workshop.Workshop`, or a stand-in of the same form."""

    def start(self) -> None:
        """Be ready before the first decision."""

    def apply(self, decision: str) -> CropResult:
        """Carry a decision out."""

    def retract(self, decision: str) -> CropResult:
        """Take a decision back."""

    def close(self) -> None:
        """Finish what has begun."""


class Worker:
    """Works in its thread, and tells the outcome in the main thread."""

    def __init__(self, loop: Loop, guard: Guard) -> None:
        self._loop, self._guard = loop, guard
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cropkit-apply")
        self._closed = False
        self.pending = 0

    def submit(self, path: str, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do `work` after what was submitted before; what it raises is told about `path`."""

        def arrived(future: Future[T]) -> None:
            self.pending -= 1
            error = future.exception()
            if error is not None:
                self._guard.caught(error, path)
            elif not self._closed:
                then(future.result())

        def post(future: Future[T]) -> None:
            if not future.cancelled() and not self._closed:
                self._loop.call_soon_threadsafe(self._guard.watch(arrived, path), future)

        self.pending += 1
        self._thread.submit(work).add_done_callback(post)

    def close(self) -> None:
        """Finish what has begun; what waits is durable, and taken up by the next review."""
        self._closed = True
        self._thread.shutdown(wait=True, cancel_futures=True)
