"""A review, a batch or an apply: known by its beat while it lasts, by its counts at the end."""

import atexit
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from cropkit.audit import heartbeat
from cropkit.audit.heartbeat import Heartbeat
from cropkit.audit.trail import AuditTrail
from cropkit.errors import AuditError
from cropkit.records import Problem, ProblemKind

Ask = Callable[[Callable[[], None]], object]
_log = logging.getLogger("cropkit.audit.run")


class Run:
    """Begins when it is made, and ends once.

    A run whose process ends in an orderly way ends with it. One whose process is killed does not:
    that is what the beat is for.

    Parameters
    ----------
    kind : review, batch or apply
    period : seconds between beats
    ask : has the thread that works call something, where the work may rest; None: what is counted
        shows that it goes on

    Raises
    ------
    AuditError
        The trail cannot be written: there is no run.
    """

    def __init__(
        self,
        trail: AuditTrail,
        kind: str,
        period: float = heartbeat.PERIOD,
        ask: Ask | None = None,
    ) -> None:
        self.kind = kind
        self._ask = ask
        self._trail = trail
        self._missed: list[Problem] = []
        self._ended = False
        trail.begin_run(kind)
        self._heartbeat = Heartbeat(self._beat, self._miss, period)
        atexit.register(self.end, "its process ended")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self.end("failed" if failed else "closed")

    def end(self, how: str = "closed") -> None:
        """Write the last heartbeat, with counts, and the same as one line of the log.

        A forked child that ends, ends no run of its parent's.

        Raises
        ------
        AuditError
            It could not be written: the run will be found by its missing beat.
        """
        if self._ended or not self._trail.presence.is_here:
            return
        self._ended = True
        atexit.unregister(self.end)
        self._heartbeat.stop()
        self._tell_missed()
        self._trail.end_run(how)
        facts = {"run": self.kind, "how": how, "counts": self._trail.presence.tally.to_json()}
        _log.info("heartbeat", extra={"session": self._trail.session, "facts": facts})

    def _beat(self) -> None:
        self._trail.beat(heartbeat.PATIENCE)
        self._tell_missed()
        if self._ask is not None:
            with suppress(RuntimeError):  # the thread that works has ended: nothing moves
                self._ask(self.move)

    def move(self) -> None:
        """Say that the work goes on, where nothing is counted meanwhile."""
        self._trail.presence.move()

    def _miss(self, error: AuditError) -> None:
        """Remember it: what could not be written now is told with the next beat that can be."""
        self._missed.append(Problem(ProblemKind.BEAT, "", str(error)))
        _log.warning("beat missed: %s", error, extra={"session": self._trail.session})

    def _tell_missed(self) -> None:
        while self._missed:
            self._trail.report(self._missed[0])
            del self._missed[0]
