"""Processes that read a costly file for another one: kept, bounded, and started anew.

One that is at its bound of time dies of it, in C code, too; the file is refused, and the next
question finds another process. None is forked from here without a new program in it, and all end
with the process that asks.
"""

import atexit
import io
import os
import pickle
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, BinaryIO

from cropkit.bounds import Bounds, ended_by_time
from cropkit.errors import ApplierStopped, CropkitError, ReaderDied, SystemRefused
from cropkit.system.child_process import ChildProcess
from cropkit.system.signals import SIGNALS

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1));"
    "from cropkit.bounded.worker import main; main()"
)
_MOST = 4  # processes: each may have the whole bound of memory
_ATTEMPTS = 2
_HEAD = 8  # bytes before a message: its length

# A function whose second argument names a file, what it is called with, and the bounds.
Question = tuple[Callable[..., Any], tuple[Any, ...], Mapping[str, Any], Bounds]


class Died(Exception):
    """(exit code): the process ended before it answered."""


class _Pickler(pickle.Pickler):
    """What a proof holds may be a view of a file's bytes: the other process gets the bytes."""

    def reducer_override(self, value: object) -> Any:  # noqa: ANN401  (as pickle has it)
        if isinstance(value, memoryview):
            return memoryview, (value.tobytes(),)
        return NotImplemented


def send(stream: BinaryIO, message: object) -> None:
    """Write one message, its length before it."""
    packed = io.BytesIO()
    _Pickler(packed, protocol=5).dump(message)
    stream.write(packed.tell().to_bytes(_HEAD))
    stream.write(packed.getbuffer())
    stream.flush()


def receive(stream: BinaryIO) -> Any:  # noqa: ANN401  (whatever was sent)
    """Read one message.

    Raises
    ------
    EOFError
        The other side is gone.
    """
    head = stream.read(_HEAD)
    packed = stream.read(int.from_bytes(head)) if len(head) == _HEAD else b""
    if not packed or len(packed) < int.from_bytes(head):
        raise EOFError
    return pickle.loads(packed)  # noqa: S301  (by a process of ours, of what it made)


class ReadingProcess:
    """One process; not for two threads at once, and of no more use once it raised."""

    def __init__(self) -> None:
        self._process = ChildProcess(_START, [each for each in sys.path if each])
        self.pid = self._process.pid

    def ask(self, question: Question) -> Any:  # noqa: ANN401  (whatever the function returns)
        """Return what the function returned there.

        Raises
        ------
        CropkitError
            As it was raised there.
        Died
            The process is gone; nothing else was touched.
        """
        try:
            with suppress(BrokenPipeError):  # it ended early: its exit code says why
                send(self._process.stdin, question)
            answer = receive(self._process.stdout)
        except EOFError:
            raise Died(self._process.wait()) from None
        if isinstance(answer, CropkitError):
            raise answer
        return answer

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.alive

    def end(self) -> None:
        """End the process and leave nothing of it behind."""
        self._process.end()


class Pool:
    """Keeps the processes that are idle; a thread that asks takes one or starts one."""

    def __init__(self, most: int) -> None:
        self._idle: list[ReadingProcess] = []
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(most)

    def ask(self, question: Question) -> Any:  # noqa: ANN401  (as `ReadingProcess.ask`)
        """Put one question about a file.

        Raises
        ------
        TooCostly
            It is at a bound.
        ApplierStopped
            Somebody stopped the process, as the end of a session does: nothing is wrong with the
            file.
        ReaderDied
            The process ended on it, and another one, too.
        """
        name = question[1][1]
        for _ in range(_ATTEMPTS):
            try:
                return self._asked(question)
            except Died as died:
                (code,) = died.args
            if ended_by_time(code):
                raise question[-1].too_long(name)
            stopped = next((number.name for number in SIGNALS if code == -number), None)
            if stopped is not None:
                raise ApplierStopped(name, stopped)
        raise ReaderDied(name, code)

    def close(self) -> None:
        """End all that is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for each in idle:
            each.end()

    def forget(self) -> None:
        """Leave the processes to the parent: this is a forked child now."""
        self.__init__(_MOST)  # type: ignore[misc]  # (locks may be held by threads that are not here)

    def _asked(self, question: Question) -> Any:  # noqa: ANN401  (as above)
        with self._places:
            process = self._taken()
            try:
                answer = process.ask(question)
            except CropkitError:
                self._let_go(process)
                raise
            except BaseException:  # also an interrupt: half an answer may be on its way
                process.end()
                raise
            self._let_go(process)
            return answer

    def _let_go(self, process: ReadingProcess) -> None:
        with self._lock:
            self._idle.append(process)

    def _taken(self) -> ReadingProcess:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
                process.end()
        try:
            return ReadingProcess()
        except OSError as error:
            raise SystemRefused("a process to read with", error.strerror or error) from error


@cache
def pool() -> Pool:
    """Return the pool of this process."""
    shared = Pool(_MOST)
    atexit.register(shared.close)
    os.register_at_fork(after_in_child=shared.forget)
    return shared
