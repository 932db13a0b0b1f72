"""One thread for what must not keep the main thread waiting, in the order it was submitted."""

import atexit
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Event, Thread
from typing import TypeVar

from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop

T = TypeVar("T")
_MOMENT = 0.5  # seconds, at most, that work stands back, where nothing else is said


class BackgroundThread:
    """Works in its thread, and tells the outcome in the main thread.

    At the interpreter's end it finishes what it is at and begins nothing more: what waits is
    durable, and taken up by the next review.

    Parameters
    ----------
    name : of the thread, as a list of all threads shows it
    patience : seconds that `close` waits for what has begun; None: until it is done
    moment : seconds, at most, that work stands back
    """

    def __init__(
        self,
        name: str,
        loop: Loop,
        guard: Guard,
        patience: float | None = None,
        *,
        moment: float = _MOMENT,
    ) -> None:
        self._loop, self._guard, self._patience = loop, guard, patience
        self._moment = moment
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._closed = False
        self._free = Event()
        self._free.set()
        self.pending = 0
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def submit(
        self,
        path: str,
        work: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        """Do `work` after what was submitted before; what it raises is told about `path`."""

        def arrived(future: Future[T]) -> None:
            self.pending -= 1
            error = future.exception()
            if error is not None:
                self._guard.caught(error, path)
                failed()
            elif not self._closed:
                then(future.result())

        def job() -> None:
            future = _done(work)
            if not self._closed:
                self._loop.call_soon_threadsafe(self._guard.watch(arrived, path), future)

        self.pending += 1
        self._jobs.put(job)

    def here(self, path: str, work: Callable[[], object], failed: Callable[[], None]) -> None:
        """Do `work` at once, in the thread that calls; what it raises is told about `path`."""
        error = _done(work).exception()
        if error is not None:
            failed()
            self._loop.call_soon_threadsafe(self._guard.caught, error, path)

    def stand_back(self) -> None:
        """Begin nothing for a moment: somebody waits for a page to be drawn."""
        self._free.clear()

    def go_on(self) -> None:
        """Begin again."""
        self._free.set()

    def finish(self) -> None:
        """Wait until all that was submitted is done; what comes of it is still to be told."""
        if self._closed:
            return
        done = Event()
        self._free.set()
        self._jobs.put(done.set)
        done.wait()

    def close(self) -> None:
        """Finish what has begun, and no more."""
        atexit.unregister(self.close)
        self._closed = True
        self._jobs.put(None)
        self._free.set()
        self._thread.join(self._patience)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None and not self._closed:
            self._free.wait(self._moment)
            self._free.set()
            job()


def _done(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  (raised again where it can be shown)
        future.set_exception(error)
    return future
