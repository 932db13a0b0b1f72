"""Asking libjpeg from outside: processes that are kept, watched, bounded, and started anew.

libjpeg may end its process or crash in it: then the one image is refused, and the next request
starts another process. What cannot be started is tried for again with each request, after a pause:
what was short may be there by then. Threads that ask at the same time have a process each, up to a
limit. None is ever forked from here without a new program in it, and all end with the process that
asks.
"""

import atexit
import itertools
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple
from functools import cache
from pathlib import Path
from typing import Any

from cropkit.bounds import Bounds, ended_by_time
from cropkit.lossless import library, wire
from cropkit.system.child_process import ChildProcess

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1));"
    "from cropkit.lossless.worker import main; main(*sys.argv[1:])"
)
_HOME = str(Path(__file__).parent.parent.parent)
_START_SECONDS = 60.0
_LEAST_SECONDS = 30.0
_PIXELS_A_SECOND = 1_000_000  # far slower than any machine that runs this
_MOST_WORKERS = 4
_PAUSE_SECONDS = 0.5  # after a start that failed: a machine that is short of something is let be

# glibc is asked for large pages, and to keep up to 256 MiB from one image to the next: a third of
# reading was the system handing out, and filling with zeros, small pages that it had just taken.
_TUNABLES = "GLIBC_TUNABLES"
_TUNED = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432"
    ":glibc.malloc.trim_threshold=268435456"
)

_log = logging.getLogger(__name__)

Answer = tuple[Mapping[str, Any], Sequence[bytes]]


class Ended(Exception):
    """The process has ended; its argument is why, as far as that is known."""


class Crashed(Ended):
    """It ended without a word: killed, or by a fault in libjpeg."""


class TookTooLong(Ended):
    """It was ended, because it did not answer in time."""


class OutOfBounds(Ended):
    """("seconds" or "memory"): one file may not cost more of it."""


class CannotCopy(Ended):
    """libjpeg said that it cannot go on with this file: another process would say the same."""


class Unavailable(Ended):
    """There is no libjpeg here that can be called by itself."""


class NotStarted(Unavailable):
    """No process could be started now, or none that passes its self-test."""


class LibjpegProcess:
    """One process; not for two threads at once, and of no more use once it raised."""

    def __init__(self, writer: Path, reader: Path) -> None:
        self._process = ChildProcess(
            _START, _path(), str(writer), str(reader), environment=_tuned()
        )
        self.pid = self._process.pid
        try:
            self._exchange(_START_SECONDS)
        except Ended:
            self.end()
            raise

    def ask(self, request: Mapping[str, object], data: bytes, seconds: float) -> Answer:
        """Put one request.

        Raises
        ------
        Ended
            The process is gone; nothing else was touched.
        """
        return self._exchange(seconds, request, data)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.alive

    def end(self) -> None:
        """End the process and leave nothing of it behind."""
        self._process.end()

    def _exchange(
        self, seconds: float, request: Mapping[str, object] | None = None, data: bytes = b""
    ) -> Answer:
        late = threading.Event()
        timer = threading.Timer(seconds, self._give_up, [late])
        timer.daemon = True
        timer.start()
        try:
            if request is not None:
                with suppress(BrokenPipeError):  # it ended early: its answer says why
                    wire.send(self._process.stdin, request, data)
            answer = wire.receive(self._process.stdout)
        finally:
            timer.cancel()
        if late.is_set():
            raise TookTooLong(f"no answer within {seconds:.0f} s")
        if answer is None:
            code = self._process.wait()
            if ended_by_time(code):
                raise OutOfBounds("seconds")
            raise Crashed(f"libjpeg ended its process: {code}")
        if answer[0].get("bound"):
            raise OutOfBounds("memory")
        if "fatal" in answer[0]:
            of_the_file = request is not None and not answer[0].get("memory")
            raise (CannotCopy if of_the_file else Ended)(answer[0]["fatal"])
        return answer

    def _give_up(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()


class Pool:
    """Keeps the processes that are idle; a thread that asks takes one or starts one."""

    def __init__(self, most: int) -> None:
        self._idle: list[LibjpegProcess] = []
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._places = threading.BoundedSemaphore(most)
        self._not_before = 0.0

    def ask(self, request: Mapping[str, object], data: bytes, pixels: int) -> Answer:
        """Put one request to a process, in a time that fits the number of pixels.

        A process that was killed under it may have been anybody's doing, and what was missing for
        its start may be there by now, so there is a second try.

        Raises
        ------
        Ended
            Why there is no answer; the next request finds another process.
        """
        seconds = _LEAST_SECONDS + pixels / _PIXELS_A_SECOND
        request = {**request, "bounds": astuple(Bounds.from_environment())}
        try:
            return self._ask(request, data, seconds)
        except (Crashed, NotStarted) as error:
            _log.warning("asking again: %s", error)
            return self._ask(request, data, seconds)

    def _ask(self, request: Mapping[str, object], data: bytes, seconds: float) -> Answer:
        with self._places:
            worker = self._taken()
            try:
                answer = worker.ask(request, data, seconds)
            except BaseException:  # also an interrupt: half an answer may be on its way
                worker.end()
                raise
            with self._lock:
                self._idle.append(worker)
            return answer

    def close(self) -> None:
        """End all that is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def forget(self) -> None:
        """Leave the processes to the parent: this is a forked child now."""
        self.__init__(_MOST_WORKERS)  # type: ignore[misc]  # (locks may be held by threads that are not here)

    def _taken(self) -> LibjpegProcess:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
                worker.end()
        with self._starting:
            time.sleep(max(0.0, self._not_before - time.monotonic()))
            try:
                return _started()
            except NotStarted:
                self._not_before = time.monotonic() + _PAUSE_SECONDS
                raise


def _started() -> LibjpegProcess:
    """Start a process with the first pair of libraries that passes its self-test."""
    libraries = _candidates()
    if not libraries:
        raise Unavailable("no libjpeg that can be called by itself comes with this environment")
    why = ""
    for writer, reader in _pairs(libraries):
        try:
            return LibjpegProcess(writer, reader)
        except TookTooLong as error:  # another pair would be as slow
            raise NotStarted(f"no process could be started: {error}") from error
        except Ended as error:
            why = str(error)
        except (OSError, RuntimeError) as error:  # no descriptor, no memory, no thread
            raise NotStarted(f"no process could be started: {error}") from error
    raise NotStarted(why)


def unavailable() -> str | None:
    """Start a process, and end it; return why there is none, None where one works."""
    try:
        _started().end()
    except Unavailable as reason:
        return str(reason)
    return None


def _candidates() -> tuple[Path, ...]:
    try:
        return library.candidates()
    except OSError as error:  # no descriptor to look into a folder with
        raise NotStarted(f"no libjpeg could be looked for: {error}") from error


def _pairs(libraries: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield who writes and who reads back: two builds first, then one alone."""
    yield from itertools.permutations(libraries, 2)
    yield from ((each, each) for each in libraries)


def _tuned() -> dict[str, str]:
    tunables = os.environ.get(_TUNABLES)
    return {_TUNABLES: f"{tunables}:{_TUNED}" if tunables else _TUNED}


def _path() -> list[str]:
    """Return where the other process looks for modules: where this one found its own."""
    path = [each for each in sys.path if each]
    return path if _HOME in path else [_HOME, *path]


@cache
def pool() -> Pool:
    """Return the pool of this process."""
    shared = Pool(_MOST_WORKERS)
    atexit.register(shared.close)
    os.register_at_fork(after_in_child=shared.forget)
    return shared
