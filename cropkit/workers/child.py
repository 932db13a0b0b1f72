"""Work in a process of its own: asked one thing at a time, it may die, and ends with who asks.

Theory of operation. A codec can bring down the process it runs in, and holds its interpreter; so
neither may be the reviewer's. Two processes hold the two ends of one pipe, and no end is inherited
by anybody else: who dies lets go of its end, and the kernel tells the other.

- The child dies, at any moment: the asker's `recv` or `send` fails, it reaps the child and raises
  `ChildDied` with the exit code. What to do is up to who asked: previews are made again, and a
  decision is settled by recovery first, because the child held a lock on its owner's file that the
  kernel has let go of. A question on which a child dies twice is given up as failed, by name.
- The asker dies: the child's `recv` ends with the pipe. It finishes what it is at, cannot send the
  answer, and ends; what it wrote is in the trail.
- The interpreter of the asker ends: `hang_up` closes the pipe and waits for nothing.
- The asker closes: the child has some seconds for what it is at and is killed after them, which
  recovery survives as it survives any death.
- An interrupt goes to the whole group of a terminal or kernel: the child ignores it.

Nothing that must last is in the pipe: a question names what is durable already. A `CropkitError` is
an answer; anything else that is raised ends the child, because its state is not known any more.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cropkit.errors import CropkitError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Question = TypeVar("Question")
Answer = TypeVar("Answer")
_PATIENCE = 20.0  # seconds for what it is at


class ChildDied(Exception):
    """(exit code): the process ended before it answered."""


class ChildProcess(Generic[Question, Answer]):
    """A process that answers; started when it is first needed, and again after it died.

    Parameters
    ----------
    nice : how far the process stands back for others
    opened : called in the process with `given`; what it yields answers there
    """

    def __init__(
        self,
        name: str,
        nice: int,
        opened: Callable[..., AbstractContextManager[Callable[[Question], Answer]]],
        *arguments: object,
    ) -> None:
        self._name, self._serving = name, (nice, opened, arguments)
        self._mutex = threading.Lock()
        self._process: BaseProcess | None = None
        self._line: Connection[Any, Any] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process before it is needed."""
        with self._mutex:
            self._connected()

    def ask(self, question: Question) -> Answer:
        """Return the answer.

        Raises
        ------
        CropkitError
            As it was raised there.
        Died
            The process is gone; the next question goes to another one.
        """
        with self._mutex:
            line = self._connected()
            try:
                line.send(question)
                answer: Answer | CropkitError = line.recv()
            except (EOFError, OSError):
                raise ChildDied(self._ended()) from None
        if isinstance(answer, CropkitError):
            raise answer
        return answer

    def close(self) -> None:
        """End the process when it has finished what it is at."""
        with self._mutex:
            self._ended()

    def hang_up(self) -> None:
        """Let the process end by itself when it has answered: the interpreter is ending, too."""
        with self._mutex:
            if self._line is not None:
                self._line.close()
                self._line = None

    def _connected(self) -> "Connection[Any, Any]":
        if self._line is None:
            context = multiprocessing.get_context("spawn")  # a kernel has threads: no fork
            self._line, theirs = context.Pipe()
            self._process = context.Process(
                target=_serve,
                args=(theirs, *self._serving),
                name=self._name,
                daemon=True,
            )
            self._process.start()
            theirs.close()  # so that its death ends our waiting
        return self._line

    def _ended(self) -> int | None:
        line, process = self._line, self._process
        self._line = self._process = None
        if line is None or process is None:
            return None
        line.close()
        process.join(_PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()
        return process.exitcode


def _serve(
    line: "Connection[Any, Any]",
    nice: int,
    opened: Callable[..., AbstractContextManager[Callable[[object], object]]],
    arguments: tuple[object, ...],
) -> None:
    """Be the process: answer until nobody is left to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted kernel interrupts its whole group
    with suppress(OSError):
        os.nice(nice)
    with suppress(EOFError, BrokenPipeError), ExitStack() as stack:
        answer: Callable[[object], object] | None = None
        while True:
            question = line.recv()
            try:
                answer = answer or stack.enter_context(opened(*arguments))
                reply = answer(question)
            except CropkitError as error:
                reply = error
            line.send(reply)
