"""Decisions are carried out in a process of its own, so that no codec holds the reviewer's.

The process opens the collection for itself, as any other session does. What it is to do is durable
before it hears of it, and claims keep two from doing it at once: it may die at any moment, and is
started again. Trail and protocol stay where they are; between the two processes go the id of a
decision and its result.
"""

import atexit
import logging
import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from cropkit.errors import ApplierDied, CropkitError
from cropkit.formats import Options
from cropkit.kit import Kit
from cropkit.records import CropResult, Problem, Status
from cropkit.tally import Tally

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

DIED = "applier-died"
_log = logging.getLogger("cropkit.workshop")
_ATTEMPTS = 2
_NICE = 5  # whoever looks at a page comes first
_PATIENCE = 20.0  # seconds for the last crop
Errand = Literal["apply", "retract"]


@dataclass(frozen=True, slots=True)
class _Opening:
    """What the process opens its collection with."""

    folder: str
    reviewer: str
    destination: str | None
    options: Options


class Workshop:
    """Carries out decisions of one `Kit` elsewhere, one at a time; thread-safe."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._mutex = threading.Lock()
        self._opened: _Opening | None = None
        self._process: BaseProcess | None = None
        self._line: Connection[Any, Any] | None = None
        atexit.register(self.close)

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process before it is needed."""
        with self._mutex:
            self._connected()

    def apply(self, decision: str) -> CropResult:
        """Carry out a decision, as `Kit.apply` does.

        Raises
        ------
        AuditError
            Work must stop.
        ApplierDied
            The process ended twice on it; that is recorded, and the original stands.
        """
        return self._ask("apply", decision)

    def retract(self, decision: str) -> CropResult:
        """Take a decision back, as `Kit.retract` does; raises what `apply` raises."""
        return self._ask("retract", decision)

    def close(self) -> None:
        """End the process when it has finished what it is at."""
        atexit.unregister(self.close)
        with self._mutex:
            self._hang_up()

    def _ask(self, errand: Errand, decision: str) -> CropResult:
        with self._mutex:
            ended: int | None = None
            for _ in range(_ATTEMPTS):
                try:
                    answer = self._told(errand, decision)
                except (EOFError, OSError):
                    ended = self._mourn(decision)
                    if self._is_taken_back(decision):  # it had come as far as that
                        break
                else:
                    if isinstance(answer, BaseException):
                        raise answer
                    return answer
            return self._given_up(errand, decision, ended)

    def _told(self, errand: Errand, decision: str) -> CropResult | CropkitError:
        line = self._connected()
        line.send((errand, decision))
        answer: CropResult | CropkitError = line.recv()
        if isinstance(answer, CropResult):  # it is this session that had it done
            self._kit.trail.count(partial(Tally.with_outcome, status=answer.status))
        return answer

    def _connected(self) -> "Connection[Any, Any]":
        opening = self._opening()
        if self._opened != opening:  # how crops are made was changed, or there is none yet
            self._hang_up()
        if self._line is None:
            context = multiprocessing.get_context("spawn")  # a kernel has threads: no fork
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve, args=(theirs, opening), name="cropkit-apply", daemon=True
            )
            process.start()
            theirs.close()  # so that its death ends our waiting
            self._line, self._process, self._opened = ours, process, opening
        return self._line

    def _opening(self) -> _Opening:
        kit = self._kit
        destination = str(kit.root / kit.destination) if kit.destination else None
        return _Opening(str(kit.root), kit.reviewer, destination, kit.options)

    def _mourn(self, decision: str) -> int | None:
        """Tell that the process is gone; the files are settled before anybody looks again."""
        process = self._process
        self._hang_up()
        ended = process.exitcode if process else None
        made, _ = self._kit.trail.decision(decision)
        said = f"the process that writes crops ended (exit code {ended}) and is started again"
        self._kit.report(Problem(DIED, made.path, said))
        self._kit.recover()
        return ended

    def _is_taken_back(self, decision: str) -> bool:
        return self._kit.trail.decision(decision)[1].status is Status.RESTORED

    def _given_up(self, errand: Errand, decision: str, ended: int | None) -> CropResult:
        made, _ = self._kit.trail.decision(decision)
        error = ApplierDied(made.path, ended)
        if errand == "apply":
            return self._kit.give_up(decision, error)
        if self._is_taken_back(decision):
            return CropResult(Status.RESTORED, made.path, box_asked=made.box)
        return CropResult(Status(error.status), made.path, error.code, str(error))

    def _hang_up(self) -> None:
        line, process = self._line, self._process
        self._line = self._process = None
        if line is None or process is None:
            return
        line.close()
        process.join(_PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()


def _serve(line: "Connection[Any, Any]", opening: _Opening) -> None:
    """Be the process: do what is asked until nobody is left to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted kernel interrupts its whole group
    with suppress(OSError):
        os.nice(_NICE)
    with suppress(EOFError, BrokenPipeError):
        try:
            kit = _opened(opening)
        except CropkitError as error:
            line.recv()
            line.send(error)
            return
        with kit:
            while True:
                errand, decision = line.recv()
                line.send(_done(kit, errand, decision))


def _opened(opening: _Opening) -> Kit:
    return Kit(
        opening.folder,
        reviewer=opening.reviewer,
        destination=opening.destination,
        suggesters=(),
        kind="applier",
        options=opening.options,
    )


def _done(kit: Kit, errand: Errand, decision: str) -> CropResult | CropkitError:
    try:
        return {"apply": kit.apply, "retract": kit.retract}[errand](decision)
    except CropkitError as error:
        return error
    except BaseException:
        _log.exception("decision %s ends the process that writes crops", decision)
        raise
