"""A thread of its own for a stranger's code: whoever hangs in it keeps no process alive."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock, Thread
from typing import ParamSpec, TypeVar

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


class OwnThread:
    """Runs one function after the other; started when needed, and never waited for at the end.

    A pool's threads are joined when the interpreter ends: with a model that hangs, an interrupted
    command would not end.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = Lock()
        self._thread: Thread | None = None
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def run(
        self, function: Callable[_Asked, _Answer], *given: _Asked.args, **named: _Asked.kwargs
    ) -> _Answer:
        """Return what a function returns there, or raise what it raises."""
        future: Future[_Answer] = Future()

        def work() -> None:
            try:
                future.set_result(function(*given, **named))
            except BaseException as error:  # noqa: BLE001  (raised where it is waited for)
                future.set_exception(error)

        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()
        self._work.put(work)
        return future.result()

    def _serve(self) -> None:
        while True:
            self._work.get()()
