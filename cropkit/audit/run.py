"""A review, a batch or an apply: known by its beat while it lasts, by its counts at the end."""

import atexit
import logging
from typing import Self

from cropkit.audit import heartbeat
from cropkit.audit.heartbeat import Heartbeat
from cropkit.audit.trail import AuditTrail
from cropkit.errors import AuditError
from cropkit.records import Problem, ProblemKind

_log = logging.getLogger("cropkit.audit.run")


class Run:
    """Begins when it is made, and ends once.

    A run whose process ends in an orderly way ends with it. One whose process is killed does not:
    that is what the beat is for.

    Parameters
    ----------
    kind : review, batch or apply
    period : seconds between beats

    Raises
    ------
    AuditError
        The trail cannot be written: there is no run.
    """

    def __init__(self, trail: AuditTrail, kind: str, period: float = heartbeat.PERIOD) -> None:
        self.kind = kind
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

        Raises
        ------
        AuditError
            It could not be written: the run will be found by its missing beat.
        """
        if self._ended:
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

    def _miss(self, error: AuditError) -> None:
        """Remember it: what could not be written now is told with the next beat that can be."""
        self._missed.append(Problem(ProblemKind.BEAT, "", str(error)))
        _log.warning("beat missed: %s", error, extra={"session": self._trail.session})

    def _tell_missed(self) -> None:
        while self._missed:
            self._trail.report(self._missed[0])
            del self._missed[0]
