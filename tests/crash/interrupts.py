"""An interrupt at chosen lines of each scenario: as a signal, or as an exception out of the blue.

A signal is what Ctrl-C, `kill` and a notebook's stop button send; the engine may hold it off. The
exception cannot be held off: it stands for everything that nobody foresaw.
"""

import errno
import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from checks import what_is_wrong
from scenarios import Stage, Unsuccessful

from cropkit.errors import CropkitError
from cropkit.system import home

if TYPE_CHECKING:
    from cropkit.collection import Collection

PACKAGE = Path(home.__file__).parents[1]
ROOMS = tuple(f"{PACKAGE / name}{os.sep}" for name in ("engine", "audit", "system", "formats"))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CRASH = "crash: "
DEFECTS = {
    CRASH: "an end from outside our tree",
    os.strerror(errno.EBADF): "a descriptor was closed twice",
}


@dataclass
class Line:
    """Interrupt at the line with this number, in whichever thread comes to it.

    Parameters
    ----------
    sent : the signal; None for an exception
    """

    number: int
    sent: signal.Signals | None
    reached: int = 0
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> None:
        threading.settrace(self._called)
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def _called(self, frame: FrameType, _event: str, _argument: object) -> Any:
        return self._line if frame.f_code.co_filename.startswith(ROOMS) else None

    def _line(self, _frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            with self._mutex:
                self.reached += 1
                due = self.reached == self.number
            if due:
                self._interrupt()
        return self._line

    def _interrupt(self) -> None:
        if self.sent is None:
            raise KeyboardInterrupt
        os.kill(os.getpid(), self.sent)


@dataclass
class Said:
    """What the interrupted process tells."""

    reached: bool = False
    ended: str = ""
    unsettled: list[str] = field(default_factory=list)


def interrupts(
    stage: Stage, share: int, *, by_signal: bool, seed: int
) -> Iterator[tuple[str, list[str]]]:
    """Interrupt at each `share`-th line; with signals, in turn."""
    number = seed % share + 1
    while True:
        stage.fresh()
        sent = SIGNALS[number % len(SIGNALS)] if by_signal else None
        told = _apart(stage, Line(number, sent))
        if not told.reached:
            wrong = [] if told.ended == "ok" else [f"calm, it ended with {told.ended}"]
            yield f"{stage.scenario.name}: calm", wrong
            return
        wrong = [f"{why}: {told.ended}" for sign, why in DEFECTS.items() if sign in told.ended]
        if by_signal:  # held off where it would leave something open
            wrong += [f"left open in a process that goes on: {one}" for one in told.unsettled]
        success = told.ended == "ok"
        wrong = wrong or what_is_wrong(stage, success=success, thorough=number % 5 == 0)
        how = sent.name if sent else "an exception"
        yield f"{stage.scenario.name}: {how} at line {number}: {told.ended}", wrong
        number += share


def _apart(stage: Stage, line: Line) -> Said:
    """Act in a process of its own, which ends without any clean-up, as a killed one does."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(here)
            with os.fdopen(there, "wb") as out:
                out.write(pickle.dumps(_interrupted(stage, line)))
        finally:
            os._exit(0)
    os.close(there)
    with os.fdopen(here, "rb") as told:
        data = told.read()
    os.waitpid(child, 0)
    said: Said = pickle.loads(data) if data else Said(reached=True, ended=f"{CRASH}it said nothing")  # noqa: S301  (our own child's)
    return said


def _interrupted(stage: Stage, line: Line) -> Said:
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)
    scenario = stage.scenario
    kit: Collection | None = None
    said = Said()
    try:
        if scenario.opens or scenario.mends:
            with line:
                kit = scenario.run(stage.place)
        else:
            kit = scenario.open(stage.place)
            with line:
                scenario.act(kit)
        said.ended = "ok"
    except KeyboardInterrupt:
        said.ended = "interrupted"
    except CropkitError as error:
        said.ended = f"{error.code}: {error}"
    except Unsuccessful as error:
        said.ended = f"{error.args[1]} {error.args[0]}"
    except Exception as error:  # noqa: BLE001  (told as what it is: a defect)
        said.ended = f"{CRASH}{type(error).__name__}: {error}"
    said.reached = line.reached >= line.number
    if kit is not None and line.sent is not None:
        said.unsettled = [
            f"{one.kind} {one.source} {one.state}" for one in kit.trail.operations.unsettled()
        ]
    return said
