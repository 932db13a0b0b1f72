"""Bugs where several people decide: what stands is compared, second opinions, agreement."""

from seeding import mutant

OPINIONS, SECOND = "opinions.py", "audit/second_opinions.py"
TRAIL, EXECUTOR = "audit/trail.py", "engine/executor.py"
AGREEMENT, INTERVALS = "monitor/agreement.py", "monitor/intervals.py"
IN_AGREEMENT, IN_OPINIONS = "tests/monitor/test_agreement.py", "tests/test_opinions.py"
IN_SECOND = "tests/audit/test_second_opinions.py"
IN_DOUBLED = "tests/review/test_review_doubled.py"
IN_SEEN = "tests/audit/test_decided_as_seen.py"

REVIEWERS = (
    mutant(
        "a decision replaces one that its person has not seen",
        TRAIL,
        "            if not overtaken:\n",
        "            if True:\n",
        IN_SEEN,
    ),
    mutant(
        "what a person has seen is in their way",
        TRAIL,
        "if stands.decision != known and stands.status in _TAKES_PLACE",
        "if stands.status in _TAKES_PLACE",
        IN_SEEN,
    ),
    mutant(
        "a second opinion is refused as overtaken",
        TRAIL,
        "return tuple(second_opinions.shown(db, self.reviewer, unseen))",
        "return tuple(unseen)",
        IN_SEEN,
    ),
    mutant(
        "nothing waits for a second opinion",
        EXECUTOR,
        "        if lacking:\n",
        "        if False:\n",
        IN_SECOND,
    ),
    mutant(
        "a third person is shown what two disagree about",
        SECOND,
        "return is_one and is_opinion_missing and bool(lacking(opinions))",
        "return is_one and is_opinion_missing and len(opinions) < 2",
        IN_SECOND,
    ),
    mutant(
        "what was skipped is shown to the second person",
        SECOND,
        "standing.status in (Status.SKIPPED, Status.REJECTED)",
        "standing.status is Status.REJECTED",
        IN_SECOND,
    ),
    mutant(
        "another seed at each choice",
        SECOND,
        'seed = Doubling.from_text(before.get(SETTING, "")).seed',
        "seed = secrets.token_hex(8)",
        IN_SECOND,
    ),
    mutant(
        "a program's decision is an opinion",
        OPINIONS,
        "return decision.decided_at > decision.shown_at and not is_batch(decision.reviewer)",
        "return True",
        IN_OPINIONS,
    ),
    mutant(
        "two are enough, whatever they think",
        OPINIONS,
        'return "" if Pair(*latest).is_agreed else _THIRD',
        'return ""',
        IN_OPINIONS,
    ),
    mutant(
        "the earliest opinion of a person counts",
        OPINIONS,
        "        latest[each.reviewer] = each\n",
        "        latest.setdefault(each.reviewer, each)\n",
        IN_AGREEMENT,
    ),
    mutant(
        "boxes that are turned otherwise agree",
        OPINIONS,
        "return is_near and self.first.turn == self.second.turn",
        "return is_near",
        IN_AGREEMENT,
    ),
    mutant(
        "an interval is of one degree of freedom more",
        INTERVALS,
        "student(count - 1)",
        "student(count)",
        IN_AGREEMENT,
    ),
    mutant(
        "agreement is of the edges alone",
        AGREEMENT,
        "agreed=share_of([pair.is_agreed for pair in of_both])",
        "agreed=share_of([pair.are_edges_near is not False for pair in of_both])",
        IN_AGREEMENT,
    ),
    mutant(
        "a review waits for ever for what others have to decide",
        "review/widget.py",
        "counts.waiting > self._controller.for_others and",
        "counts.waiting and",
        IN_DOUBLED,
    ),
)
