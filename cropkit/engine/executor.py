"""Decisions carried out: planned, run, waited for where a rival is at work, told when they fail.

Whatever a request comes to is an `Outcome`; what to make of its error is up to the caller.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from cropkit.audit.trail import AuditTrail, Standing
from cropkit.engine.apply import Applier
from cropkit.engine.groups import GroupSize, groups
from cropkit.engine.planning import Planner
from cropkit.engine.request import Outcome, Request, status_of
from cropkit.errors import (
    AuditError,
    BadBox,
    Busy,
    CropkitError,
    LosslessUnavailable,
    NoSpace,
    Overtaken,
    TrailDisagrees,
)
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, Decision, Problem, ProblemKind, Status
from cropkit.system.files import Root

_log = logging.getLogger("cropkit")
_DEGRADED = ((BadBox, ProblemKind.BOX), (LosslessUnavailable, ProblemKind.NO_LOSSLESS))
_OVERTAKING = {
    Status.SUPERSEDED: "somebody decided otherwise before this was carried out",
    Status.RESTORED: "somebody took this decision back meanwhile",
}
GROUP = 64  # crops that share their transactions and syncs in a batch, at most,
GROUP_SECONDS = 0.5  # and no more than are done in this time: others wait for their files


class DecisionExecutor:
    """Carries out what was decided about one collection; thread-safe.

    Parameters
    ----------
    deadline : seconds to wait for a rival
    report : told of each degraded operation
    group_size : how many decisions of many share their syncs
    """

    def __init__(
        self,
        root: Root,
        applier: Applier,
        planner: Planner,
        report: Callable[[Problem], object],
        *,
        deadline: float,
        group_size: GroupSize | None = None,
    ) -> None:
        self.applier = applier
        self._root = root
        self._trail: AuditTrail = applier.trail
        self._planner = planner
        self._report = report
        self._deadline = deadline
        self._group_size = group_size or GroupSize(GROUP_SECONDS, GROUP)

    def decision(self, decision: str) -> Outcome:
        """Carry out a decision; one that was carried out before tells how it ended."""
        planned = self._planned(decision)
        if isinstance(planned, Outcome):
            return planned
        return self._settled(planned, self.run(planned))

    def decisions(
        self, wanted: Iterable[str], progress: Callable[[CropResult], object] | None
    ) -> list[CropResult]:
        """Carry out decisions in groups that share their syncs; a full disk ends it.

        Raises
        ------
        AuditError
            Work must stop; what was carried out before is recorded.
        """
        outcomes: list[Outcome] = []

        def ended(outcome: Outcome) -> None:
            outcomes.append(outcome)
            result = result_of(outcome)
            if progress is not None:
                progress(result)

        for group in groups(self._requests(wanted, ended), lambda: self._group_size.size):
            begun = time.monotonic()
            together = self._ran(group)
            self._group_size.took(len(group), time.monotonic() - begun)
            for request, first in zip(group, together, strict=True):
                ended(self._settled(request, first))
            if any(isinstance(outcome.error, NoSpace) for outcome in together):
                break  # the next ones would not fit either, and wait
        return [outcome.result for outcome in outcomes]

    def _settled(self, request: Request, first: Outcome) -> Outcome:
        """Wait for a rival to let go of a file; tell what a rival has done meanwhile."""
        outcome = self.run(request) if isinstance(first.error, Busy) else first
        if outcome.already and request.decision is not None:
            return settled_before(self._trail.decisions.by_id(request.decision)[1])
        return outcome

    def _requests(
        self, wanted: Iterable[str], ended: Callable[[Outcome], None]
    ) -> Iterator[Request]:
        for decision in wanted:
            planned = self._planned(decision)
            if isinstance(planned, Outcome):
                ended(planned)
            else:
                yield planned

    def _planned(self, decision: str) -> Request | Outcome:
        """Plan a decision that waits; how it ended where that cannot be or was done before."""
        try:
            decided, standing, disagreement = self._trail.decisions.compared(decision)
        except TrailDisagrees as error:  # it cannot even be read
            return self._left_alone(error)
        if standing.status is not Status.WAITING:
            return settled_before(standing)
        if disagreement is not None:
            return self._left_alone(disagreement, decided.box)
        lacking = self._trail.opinions.lacking(decided)
        if lacking:
            return Outcome(_waiting(decided, lacking))
        try:
            return self._planner.for_decision(decided)
        except CropkitError as error:
            return self._refuse(decided, error)

    def run(self, request: Request) -> Outcome:
        """Run one request, waiting for a rival to let go of the file."""
        until = time.monotonic() + self._deadline
        while True:
            (outcome,) = self._ran([request])
            if not isinstance(outcome.error, Busy):
                return outcome
            if time.monotonic() > until:
                self._told_of(outcome)
                return outcome
            time.sleep(0.05)

    def _ran(self, group: Sequence[Request]) -> list[Outcome]:
        """Run requests, and tell what came to nothing; a busy file may yet become free."""
        outcomes = self.applier.run(group)
        for outcome in outcomes:
            if not isinstance(outcome.error, Busy):
                self._told_of(outcome)
        return outcomes

    def give_up(self, decision: str, error: CropkitError) -> CropResult:
        """Record that a decision which still waits is not tried any more, and why."""
        try:
            decided, standing, disagreement = self._trail.decisions.compared(decision)
        except TrailDisagrees as unreadable:
            return self._left_alone(unreadable).result
        if standing.status is not Status.WAITING:
            return told(standing)
        if disagreement is not None:
            return self._left_alone(disagreement, decided.box).result
        return self._refuse(decided, error).result

    def _left_alone(self, error: TrailDisagrees, box: PixelBox | None = None) -> Outcome:
        """Refuse a decision whose row is none of the trail's, and let it wait.

        The event does not name it: that would tell of what never was, or let it wait from then on.
        """
        result = refusal(error.args[0], box, error, decided=True)
        self._trail.settle(None, result)
        self._log_failure(result)
        return Outcome(result, error)

    def _refuse(self, decision: Decision, error: CropkitError) -> Outcome:
        result = refusal(decision.path, decision.box, error, decided=True)
        self.report(decision.path, error)
        self._trail.settle(decision.id, result)
        self._log_failure(result)
        return Outcome(result, error)

    def report(self, path: str, error: CropkitError) -> None:
        """Count as degraded what is: a refused box, a JPEG that waits; other errors are not."""
        kind = next((kind for cut, kind in _DEGRADED if isinstance(error, cut)), None)
        if kind is not None:
            self._report(Problem(kind, path, str(error)))

    def _told_of(self, outcome: Outcome) -> None:
        """Log what came to nothing, and count what was degraded."""
        if outcome.error is not None:
            self.report(outcome.result.path, outcome.error)
            self._log_failure(outcome.result)
        if outcome.error is None:
            for problem in problems(outcome.result):
                self._report(problem)

    def _log_failure(self, result: CropResult) -> None:
        known = {"session": self._trail.session, "operation": result.operation}
        _log.error("%s: %s", result.code, result.message, extra=known)


def refusal(
    path: str, box: PixelBox | None, error: CropkitError, *, decided: bool = False
) -> CropResult:
    """Tell that something, a decision perhaps, came to nothing before it began."""
    status = status_of(error, decided=decided)
    return CropResult(status, path, code=error.code, message=str(error), box_asked=box)


def _waiting(decision: Decision, why: str) -> CropResult:
    """Tell that a decision is not to be carried out yet, which is as it should be."""
    box, slot = decision.box, decision.slot
    return CropResult(Status.WAITING, decision.path, message=why, box_asked=box, slot=slot)


def degraded(result: CropResult) -> Problem | None:
    """Return what a result has to tell of what could not be cropped as well as it was asked for."""
    if result.degraded is not None:
        salvaged = result.degraded.startswith(ProblemKind.SALVAGED)
        kind = ProblemKind.SALVAGED if salvaged else ProblemKind.ENCODED_ANEW
        return Problem(kind, result.path, result.degraded)
    if result.code == LosslessUnavailable.__name__:
        return Problem(ProblemKind.NO_LOSSLESS, result.path, result.message or result.code)
    return None


def problems(result: CropResult) -> list[Problem]:
    """Return all that a result has to tell of what is worse than it should be."""
    problem = degraded(result)
    left = [Problem(ProblemKind.COMPANION, each, result.left_beside) for each in result.stale]
    return [*([problem] if problem else []), *left]


def result_of(outcome: Outcome) -> CropResult:
    """Return the result of what was carried out; only a trail that failed stops the work."""
    if isinstance(outcome.error, AuditError):
        raise outcome.error
    return outcome.result


def settled_before(standing: Standing) -> Outcome:
    """Tell how a decision ended that had been settled before, by whomever."""
    result = told(standing)
    error = None if result.ok else _overtaking(standing)
    return Outcome(result, error, already=True)


def _overtaking(standing: Standing) -> Overtaken:
    failure = f"somebody else carried it out, to no good end: {standing.message}"
    return Overtaken(standing.path, _OVERTAKING.get(standing.status, failure))


def told(standing: Standing) -> CropResult:
    """Tell how a decision ended, and why, where it does not stand any more."""
    gone = _overtaking(standing) if standing.status in _OVERTAKING else None
    return CropResult(
        standing.status,
        standing.path,
        code=gone.code if gone else standing.code,
        message=str(gone) if gone else standing.message,
        operation=standing.operation,
        box_asked=standing.box,
    )
