"""What a plan lets a batch accept unseen, and what it says of that."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cropkit import clock
from cropkit.audit.reader import TrailReader
from cropkit.batch.plan import Plan
from cropkit.errors import BadPlan, TooFewDecisions
from cropkit.records import Decision
from cropkit.taste import review_plan
from cropkit.taste.assurance import Flags, clopper_pearson
from cropkit.taste.calibration import Band, Calibration, Rated, bands, cross_fitted
from cropkit.taste.promise import Promise, Terms
from cropkit.taste.review_plan import Planned, ReviewPlan, percent

_DIGITS = 6  # of a certainty: as many as are kept, by which images are in order ever after
TO_BE_SEEN = "by the plan a person has to look at it"
OTHERWISE = "another box is proposed, or it is another image, than was planned"


@dataclass(frozen=True, slots=True)
class Unseen:
    """What a batch accepts unseen.

    Parameters
    ----------
    accepted : by path
    words : what is promised of them, and what was found of the sample
    """

    accepted: Mapping[str, Planned]
    words: tuple[str, ...]

    def is_planned(self, decision: Decision) -> bool:
        """Whether a decision is for the content and the box that were planned."""
        planned = self.accepted[decision.path]
        return (decision.sha256, decision.box) == (planned.sha256, planned.box)


def by_plan(trail: TrailReader) -> Unseen:
    """Return what the plan of a collection lets through now.

    Raises
    ------
    BadPlan
        There is none, or what is there is none.
    InsideCollection
        This is a part of what it was drawn for.
    TooFewDecisions
        Nothing is promised yet.
    """
    trail.scope.check_is_whole()
    plan = review_plan.read(trail.scope.state)
    if plan is None:
        raise BadPlan(trail.scope.folder, "has no plan: `cropkit plan-review` draws one")
    promise = review_plan.promised(plan, trail)
    if is_too_early(promise):
        raise TooFewDecisions(trail.scope.folder, promise.decided, promise.missing)
    accepted = {each.path: each for each in plan.at(promise.accepted)}
    return Unseen(accepted, words(plan.terms, promise, plan.reviewer))


def is_too_early(promise: Promise) -> bool:
    """Whether more decisions could promise something, and too few are there for anything."""
    return not promise.is_enough and promise.missing is not None


def words(terms: Terms, promise: Promise, reviewer: str) -> tuple[str, ...]:
    """Return what is promised, and what was found, a sentence each."""
    found = f"of {promise.decided:,} decided images of the sample, {promise.changed:,} were changed"
    if not promise.unseen:
        return (f"promised: nothing; {found}",)
    of, most = f"{promise.unseen:,} images that nobody looks at", f"{promise.at_most:,}"
    beyond, sure = percent(terms.within), percent(terms.confidence)
    like, changed = f"{promise.seen:,} that are as certain as these", f"{promise.seen_changed:,}"
    between = " to ".join(map(percent, clopper_pearson(promise.seen_changed, promise.seen)))
    return (
        f"promised, at {sure}: of {of}, {reviewer} would change {most} at most beyond {beyond}",
        f"found: {found}; {changed} of the {like}: {between}",
    )


# -- drawing -------------------------------------------------------------------------------------


def calibrated(trail: TrailReader, reviewer: str, within: float) -> Calibration:
    """Learn from a reviewer's decisions what a confidence means."""
    return Calibration.fitted(*_history(trail, reviewer, within))


def expected(trail: TrailReader, reviewer: str, within: float) -> tuple[Band, ...]:
    """Return what was to be expected of a reviewer's decisions by the others, and what came."""
    rated, kept = _history(trail, reviewer, within)
    return bands(cross_fitted(rated, kept), kept)


def _history(trail: TrailReader, reviewer: str, within: float) -> tuple[list[Rated], Flags]:
    """Return what was proposed to a reviewer, oldest first, and whether it was left as it was."""
    mine = [
        each
        for each in review_plan.in_force(trail)
        if each.reviewer == reviewer and each.suggestion is not None and not each.slot
    ]
    mine.sort(key=lambda each: each.decided_at)
    rated = [Rated.of(each.suggestion) for each in mine if each.suggestion is not None]
    return rated, np.array([_is_left(each, within) for each in mine], dtype=np.bool_)


def _is_left(decision: Decision, within: float) -> bool:
    box, suggested = decision.box, decision.suggested
    if box is None or suggested is None:
        return False
    return review_plan.is_within(box, suggested, decision.size, within)


def drawn(
    plan: Plan, calibration: Calibration, reviewer: str, terms: Terms, *, number: int, seed: int
) -> ReviewPlan:
    """Draw a plan of the images that a batch would take up by their suggestions.

    Raises
    ------
    BadPlan
        There are none, or several crops are wanted of each.
    """
    decisions = [item.decision for item in plan.ready if not item.recorded]
    if any(each.slot for each in decisions):
        raise BadPlan(plan.folder, "several crops are wanted of each image, and a plan is for one")
    if not decisions:
        raise BadPlan(plan.folder, "no undecided image has a box that could be accepted")
    images = [_planned(each, calibration) for each in decisions]
    moment = clock.written(clock.now())
    order = review_plan.shuffled(images, seed)
    return ReviewPlan(reviewer, moment, number, seed, terms, order)


def _planned(decision: Decision, calibration: Calibration) -> Planned:
    if decision.box is None or decision.suggestion is None:
        raise BadPlan(decision.path, "has no box")
    sure = round(calibration.probability(Rated.of(decision.suggestion)), _DIGITS)
    return Planned(decision.path, decision.sha256, decision.size, decision.box, sure)
