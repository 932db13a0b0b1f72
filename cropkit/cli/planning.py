"""The command that says how much a person has to see: plan-review."""

import argparse
import secrets
from typing import TYPE_CHECKING, Any

from cropkit.cli import values
from cropkit.cli.shell import (
    DONE,
    FAILED,
    Commands,
    complain,
    document,
    folder_command,
    opened,
    tell,
)
from cropkit.errors import BadPlan, TooFewDecisions

if TYPE_CHECKING:
    from cropkit.collection import Collection
    from cropkit.taste.calibration import Band
    from cropkit.taste.promise import Promise, Terms
    from cropkit.taste.review_plan import ReviewPlan

_TEXT = "say how many undecided images may be accepted unseen, by a random sample that is looked at"
_HALF = 50.0  # percent


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = folder_command(commands, "plan-review", _TEXT, _plan)
    text = "an edge may move by so much of the side while its box counts as unchanged (5%%)"
    parser.add_argument(
        "--within", type=values.percent(0, _HALF), default=0.05, metavar="X%", help=text
    )
    text = "of the images that nobody looks at, at most so many would be changed (2%%)"
    parser.add_argument(
        "--error", type=values.percent(0, 100), default=0.02, metavar="X%", help=text
    )
    text = "how sure that is (95%%)"
    parser.add_argument(
        "--confidence", type=values.percent(_HALF, 100), default=0.95, metavar="X%", help=text
    )
    text = "draw another sample, of what is undecided now"
    parser.add_argument("--anew", action="store_true", help=text)
    text = "draw by this number, which is recorded in any case"
    parser.add_argument("--seed", type=values.whole_number(0), metavar="N", help=text)
    parser.add_argument("--reviewer", metavar="NAME", help="who decides; whoever is logged in")


def _plan(arguments: argparse.Namespace) -> int:
    from cropkit.batch import unseen  # noqa: PLC0415  (codecs and database: not for `--help`)
    from cropkit.taste import review_plan  # noqa: PLC0415  (as above)
    from cropkit.taste.promise import Terms  # noqa: PLC0415  (as above)

    terms = Terms(arguments.within, arguments.error, arguments.confidence)
    ways = {"reviewer": arguments.reviewer} if arguments.reviewer else {}
    with opened(arguments.folder, state=arguments.state, **ways) as collection:
        collection.scope.check_is_whole()
        plan = _kept(arguments, collection, terms) or _drawn(arguments, collection, terms)
        promise = review_plan.promised(plan, collection.trail)
        bands = unseen.expected(collection.trail, plan.reviewer, terms.within)
    answer = _json(plan, promise, bands)
    if not arguments.json:
        tell(*_lines(plan, promise, bands))
    if unseen.is_too_early(promise):
        refusal = TooFewDecisions(arguments.folder, promise.decided, promise.missing)
        complain(refusal)
        answer |= {"ok": False, "code": refusal.code, "message": str(refusal)}
    if arguments.json:
        document(answer)
    return DONE if answer["ok"] else FAILED


def _kept(
    arguments: argparse.Namespace, collection: "Collection", terms: "Terms"
) -> "ReviewPlan | None":
    """Return the plan that is there, if it is for what is asked; None where one is to be drawn.

    Raises
    ------
    BadPlan
        It is for something else, or another reviewer's.
    """
    from cropkit.taste import review_plan  # noqa: PLC0415  (as above)

    plan = None if arguments.anew else review_plan.read(collection.scope.state)
    if plan is None:
        return None
    if plan.reviewer != collection.reviewer:
        raise BadPlan(arguments.folder, f"its plan is {plan.reviewer}'s; --anew draws another")
    if plan.terms != terms or arguments.seed not in (None, plan.seed):
        asked = " ".join(f"--{name} {100 * each:g}%" for name, each in plan.terms._asdict().items())
        reason = f"its plan was drawn for {asked} --seed {plan.seed}; --anew draws another"
        raise BadPlan(arguments.folder, reason)
    return plan


def _drawn(arguments: argparse.Namespace, collection: "Collection", terms: "Terms") -> "ReviewPlan":
    from cropkit.batch import unseen  # noqa: PLC0415  (as above)
    from cropkit.batch.plan import Source  # noqa: PLC0415  (as above)
    from cropkit.batch.planning import planner_of  # noqa: PLC0415  (as above)
    from cropkit.batch.progress import LookBar  # noqa: PLC0415  (as above)
    from cropkit.taste import review_plan  # noqa: PLC0415  (as above)

    candidates = planner_of(collection).plan(Source.SUGGESTIONS, seen=LookBar())
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    number = review_plan.count(collection.scope.state) + 1
    calibration = unseen.calibrated(collection.trail, collection.reviewer, terms.within)
    how = {"number": number, "seed": seed}
    plan = unseen.drawn(candidates, calibration, collection.reviewer, terms, **how)
    review_plan.write(plan, collection.scope.state)
    return plan


def _lines(plan: "ReviewPlan", promise: "Promise", bands: "tuple[Band, ...]") -> list[str]:
    from cropkit.batch import unseen  # noqa: PLC0415  (as above)
    from cropkit.taste.review_plan import percent  # noqa: PLC0415  (as above)

    earlier = f", number {plan.number} here: each is as sure by itself" if plan.number > 1 else ""
    sample = f"{promise.decided:,} are decided and {len(promise.set_aside):,} set aside"
    lines = [
        f"a plan for {plan.reviewer}, drawn {plan.drawn_at} by seed {plan.seed}{earlier}",
        f"{len(plan.images):,} images; of the sample, {sample}",
        f"to accept unseen: {len(promise.accepted):,}",
    ]
    lines += unseen.words(plan.terms, promise, plan.reviewer)
    if promise.missing is None and not promise.unseen and promise.decided < len(plan.images):
        lines.append("no sample of these images would do: all have to be looked at")
    for band in bands:
        low, high = band.interval
        lines.append(
            f"expected {percent(band.expected)}: {band.decisions:,} decided, {percent(band.kept)}"
            f" left as proposed ({percent(low)} to {percent(high)})"
        )
    return lines


def _json(plan: "ReviewPlan", promise: "Promise", bands: "tuple[Band, ...]") -> dict[str, Any]:
    return {
        "ok": True,
        "reviewer": plan.reviewer,
        "drawn_at": plan.drawn_at,
        "number": plan.number,
        "seed": plan.seed,
        **plan.terms._asdict(),
        "images": len(plan.images),
        "decided": promise.decided,
        "changed": promise.changed,
        "needed": promise.needed,
        "missing": promise.missing,
        "set_aside": [each.path for each in plan.at(promise.set_aside)],
        "accept": [each.path for each in plan.at(promise.accepted)],
        "unseen": promise.unseen,
        "at_most": promise.at_most,
        "expected": [band._asdict() for band in bands],
    }
