"""Signals: each ends a command in the same order, and none comes between a commit and its end.

Python runs signal handlers in the main thread, between any two of its steps; the one for SIGINT
raises `KeyboardInterrupt` there. Where that would cut something in two it is held off, and
delivered where the work can stop. Nothing is lost by that: whoever sent it waits one step
longer.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """(number of the signal): another signal than Ctrl-C's ends the work, in the same order."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Stopped` inside the block; for the main thread.

    One that somebody ignores, as `nohup` does, or handles already, stays as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def number_of(interrupt: KeyboardInterrupt) -> int:
    """Which signal it was; an exit code is 128 more, as shells have it."""
    return int(interrupt.args[0]) if isinstance(interrupt, Stopped) else signal.SIGINT


class HeldOff:
    """What came while signals were held off."""

    def __init__(self) -> None:
        self.handlers: dict[int, Handler] = {}
        self._came: list[int] = []

    def remember(self, number: int, _frame: FrameType | None) -> None:
        """Be the handler meanwhile."""
        self._came.append(number)

    def deliver(self) -> None:
        """Let what came have its effect now: call this where the work can stop.

        Raises
        ------
        KeyboardInterrupt
            Or whatever else the handler that was there before raises.
        """
        while self._came:
            number = self._came.pop(0)
            self.handlers[number](number, None)


@contextmanager
def held_off() -> Iterator[HeldOff]:
    """Let no signal interrupt the block; what came meanwhile is delivered at its end.

    Where the block failed, too, its error is the context of what the signal raises.

    In other threads than the main one there is nothing to hold off. A signal without a handler of
    Python's ends the process as before: that is a kill, and the write protocol is made for it.
    """
    held = HeldOff()
    if threading.current_thread() is not threading.main_thread():
        yield held
        return
    held.handlers = {
        number: handler for number in SIGNALS if callable(handler := signal.getsignal(number))
    }
    try:
        for number in held.handlers:
            signal.signal(number, held.remember)
        yield held
    finally:
        _restore(held)
        held.deliver()


def _restore(held: HeldOff) -> None:
    """Give each signal its handler back, although one of them may raise while we are at it."""
    while True:
        try:
            for number, handler in held.handlers.items():
                signal.signal(number, handler)
        except KeyboardInterrupt:
            held.remember(signal.SIGINT, None)
        else:
            return


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Stopped(number)
