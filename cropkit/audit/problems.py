"""Degraded operations of one session: logged, counted, kept in the trail, told to who listens."""

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial

from cropkit.audit.tally import Tally
from cropkit.audit.trail import AuditTrail
from cropkit.records import Problem

_log = logging.getLogger("cropkit")


class Problems:
    """Where a session's problems are reported; thread-safe."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail
        self._reported: set[Problem] = set()
        self._reporting = threading.Lock()
        self._listeners: list[Callable[[Problem], object]] = []

    def report(self, problem: Problem) -> None:
        """Log, count and keep a degraded operation.

        Raises
        ------
        AuditError
            It is in the log alone.
        """
        facts = (problem.kind, problem.path, problem.reason)
        _log.warning("%s: %s: %s", *facts, extra={"session": self._trail.session})
        self._trail.report(problem)
        for listener in tuple(self._listeners):
            listener(problem)

    def hear(self, problem: Problem) -> None:
        """Count and tell here what a process of this session has reported in the trail."""
        self._trail.presence.count(partial(Tally.with_degraded, kind=problem.kind))
        for listener in tuple(self._listeners):
            listener(problem)

    def report_once(self, problems: Sequence[Problem]) -> None:
        """Report what this session has not reported yet."""
        # a page that is shown again is not degraded again, nor one that two threads read ahead
        with self._reporting:
            new = [problem for problem in problems if problem not in self._reported]
            self._reported.update(new)
        for problem in new:
            self.report(problem)

    def listen(self, listener: Callable[[Problem], object]) -> Callable[[], None]:
        """Call back, in whichever thread, with each problem reported; return how to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
