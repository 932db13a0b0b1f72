"""Who does the review's work, and one thread that has decisions carried out in their order."""

import atexit
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from cropkit.records import CropResult
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.prefetch import THREADS
from cropkit.workers.applier import ApplierProcess
from cropkit.workers.previews import PreviewProcesses, PreviewReader, PreviewReaderInThread

if TYPE_CHECKING:
    from cropkit.collection import Collection

T = TypeVar("T")
_MOMENT = 0.5  # seconds, at most, that work stands back


class DecisionApplier(Protocol):
    """Who carries decisions out: `ApplierProcess`, or a stand-in of the same form."""

    def start(self) -> None:
        """Be ready before the first decision."""

    def apply(self, decision: str) -> CropResult:
        """Carry a decision out."""

    def retract(self, decision: str) -> CropResult:
        """Take a decision back."""

    def close(self) -> None:
        """Finish what has begun."""


class ApplierInKernel:
    """Carries out in the thread that asks."""

    def __init__(self, collection: "Collection") -> None:
        self.apply, self.retract = collection.apply, collection.retract

    def start(self) -> None:
        """Need no preparation."""

    def close(self) -> None:
        """Hold nothing: the collection is somebody else's."""


class Staff(NamedTuple):
    """Who carries decisions out, None where they are only queued, and who reads images."""

    carrier: DecisionApplier | None
    reader: PreviewReader


def hired(collection: "Collection", *, apart: bool, defer: bool) -> Staff:
    """Find who does the work: `apart`, processes of their own."""
    if apart:
        return Staff(
            None if defer else ApplierProcess(collection),
            PreviewProcesses(collection.root, THREADS, collection.options),
        )
    return Staff(
        None if defer else ApplierInKernel(collection),
        PreviewReaderInThread(collection.root, collection.options),
    )


class BackgroundThread:
    """Works in its thread, and tells the outcome in the main thread.

    At the interpreter's end it finishes what it is at and begins nothing more: what waits is
    durable, and taken up by the next review.
    """

    def __init__(self, loop: Loop, guard: Guard) -> None:
        self._loop, self._guard = loop, guard
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._closed = False
        self._free = Event()
        self._free.set()
        self.pending = 0
        self._thread = Thread(target=self._work, name="cropkit-apply", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def submit(self, path: str, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do `work` after what was submitted before; what it raises is told about `path`."""

        def arrived(future: Future[T]) -> None:
            self.pending -= 1
            error = future.exception()
            if error is not None:
                self._guard.caught(error, path)
            elif not self._closed:
                then(future.result())

        def job() -> None:
            future = _done(work)
            if not self._closed:
                self._loop.call_soon_threadsafe(self._guard.watch(arrived, path), future)

        self.pending += 1
        self._jobs.put(job)

    def stand_back(self) -> None:
        """Begin nothing for a moment: somebody waits for a page to be drawn."""
        self._free.clear()

    def go_on(self) -> None:
        """Begin again."""
        self._free.set()

    def close(self) -> None:
        """Finish what has begun, and no more."""
        atexit.unregister(self.close)
        self._closed = True
        self._jobs.put(None)
        self._free.set()
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None and not self._closed:
            self._free.wait(_MOMENT)
            self._free.set()
            job()


def _done(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  (raised again where it can be shown)
        future.set_exception(error)
    return future
