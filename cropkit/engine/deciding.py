"""Decisions made durable, each with the place that its crop goes to."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from cropkit.audit.decisions import Standing
from cropkit.audit.tally import Tally
from cropkit.audit.trail import AuditTrail
from cropkit.errors import AuditError, BadDecision
from cropkit.formats.copy_options import CopyOptions
from cropkit.formats.headers import Headers
from cropkit.formats.options import Options
from cropkit.records import Decision, Placement, Problem, ProblemKind


class DecisionRecorder:
    """Records what was decided about one collection; thread-safe.

    Parameters
    ----------
    placement : where crops go of which no decision says where
    report : told of a decision that could not be recorded
    refusal : why none can be; None: they can
    """

    def __init__(
        self,
        trail: AuditTrail,
        placement: Placement,
        report: Callable[[Problem], object],
        refusal: AuditError | None = None,
    ) -> None:
        self._trail = trail
        self._placement = placement
        self._report = report
        self._refusal = refusal

    def record(self, decisions: Sequence[Decision]) -> None:
        """Make decisions durable in one transaction.

        Raises
        ------
        AuditError
            They are not recorded: the work must stop.
        """
        with self._counted(decisions):
            self._trail.decide(self._bound(decisions))

    def record_undecided(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Make decisions durable as `record` does, but leave each image alone that has one by now.

        Return those that were recorded: a person's choice is never replaced.
        """
        with self._counted(decisions):
            return self._trail.decide_undecided(self._bound(decisions))

    def record_as_seen(
        self, decisions: Sequence[Decision], seen: Sequence[str | None]
    ) -> tuple[Standing, ...]:
        """Make decisions durable as `record` does, unless one was overtaken by somebody else's.

        Return these others; then none is recorded.

        Parameters
        ----------
        seen : for each, the decision that stood as far as the person knew; None: none
        """
        with self._counted(decisions):
            return self._trail.decide_as_seen(self._bound(decisions), seen)

    @contextmanager
    def _counted(self, decisions: Sequence[Decision]) -> Iterator[None]:
        """Count decisions whose rows could not be written."""
        try:
            if self._refusal is not None:
                raise self._refusal
            yield
        except BadDecision as error:
            self._report(Problem(ProblemKind.DECISION, decisions[0].path, str(error)))
            raise
        except AuditError:  # it cannot be told in the trail, since that is what failed
            self._trail.presence.count(partial(Tally.with_degraded, kind=ProblemKind.DECISION))
            raise

    def _bound(self, decisions: Sequence[Decision]) -> list[Decision]:
        return [bound(each, self._placement) for each in decisions]


def headers_for(placement: Placement, options: Options) -> Headers:
    """Return how images are read for crops that go somewhere."""
    if placement.folder is None or placement.copying is None:
        return Headers(options)
    return Headers(options, CopyOptions.from_text(placement.copying), placement.resize)


def bound(decision: Decision, placement: Placement) -> Decision:
    """Return a decision that says where its crop goes."""
    where = placement.of(decision)
    copying = where.copying
    if where.resize and copying is not None and decision.target is not None:
        copying = CopyOptions.from_text(copying).for_target(decision.target).text
    return replace(decision, destination=where.folder, copying=copying)
