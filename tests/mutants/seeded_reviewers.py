"""Bugs where several people decide: what stands is compared, second opinions, agreement."""

from seeding import mutant

OPINIONS, SECOND = "opinions.py", "audit/second_opinions.py"
TRAIL, EXECUTOR = "audit/trail.py", "engine/executor.py"
AGREEMENT, INTERVALS = "monitor/agreement.py", "monitor/intervals.py"
IN_AGREEMENT, IN_OPINIONS = "tests/monitor/test_agreement.py", "tests/test_opinions.py"
IN_SECOND = "tests/audit/test_second_opinions.py"
IN_DOUBLED = "tests/review/test_review_doubled.py"
IN_SEEN = "tests/audit/test_decided_as_seen.py"
LEASES, IN_LEASES = "audit/leases.py", "tests/audit/test_leases.py"
STATE, RULES, TRANSFORMS = (f"review/model/{name}.py" for name in ("state", "rules", "transforms"))
IN_MODEL, IN_LEASED = "tests/review/test_model_leased.py", "tests/review/test_review_leased.py"
CONTROLLER = "review/controller.py"
ONLY, IN_ONLY = "system/only.py", "tests/system/test_only.py"
SCOPE, LISTING = "system/scope.py", "engine/listing.py"
IN_REVIEW_ONLY = "tests/review/test_review_only.py"

REVIEWERS = (
    mutant(
        "the page of another is not passed over",
        STATE,
        "self.paths[found] in taken",
        "False",
        IN_MODEL,
    ),
    mutant(
        "what others have is hidden where nothing else is left",
        STATE,
        "            place = self._next_from_here(frozenset())\n",
        "            pass\n",
        IN_MODEL,
    ),
    mutant(
        "a page of which another has one image is passed over",
        STATE,
        "return bool(undecided) and self.taken.issuperset(undecided)",
        "return not self.taken.isdisjoint(undecided)",
        IN_MODEL,
    ),
    mutant(
        "what others have is leased as the next page",
        STATE,
        "(crop for crop in ahead if crop not in self.taken)",
        "ahead",
        IN_MODEL,
    ),
    mutant(
        "a page moves while one looks at it",
        RULES,
        "if not move.arriving or known.ended",
        "if known.ended",
        IN_MODEL,
        IN_LEASED,
    ),
    mutant(
        "that nothing else is left is not said",
        TRANSFORMS,
        "if session.ended or not session.is_with_others(session.page):",
        "if True:",
        IN_MODEL,
    ),
    mutant(
        "a lease of the dead holds",
        "system/locks.py",
        "return None if _is_free(fd) else",
        "return",
        IN_LEASES,
    ),
    mutant(
        "who asks for a lock is taken for its holder",
        "system/locks.py",
        "fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        IN_LEASES,
    ),
    mutant(
        "a lease that nobody renews holds on",
        LEASES,
        "is_new and self._now() < lease.until",
        "is_new",
        IN_LEASES,
    ),
    mutant(
        "a clock that is set back prolongs a lease",
        LEASES,
        "is_new and self._now() < lease.until",
        "self._now() < lease.until",
        IN_LEASES,
    ),
    mutant(
        "half a line is taken for a lease",
        LEASES,
        " or proof != _proof(text)",
        "",
        IN_LEASES,
    ),
    mutant(
        "two who go on at once lease one page",
        LEASES,
        "            self._keep_others_off(held)\n",
        "",
        IN_LEASES,
    ),
    mutant(
        "a lease is written each second",
        LEASES,
        "(not crops or self._ticks() - at < RENEWED)",
        "not crops",
        IN_LEASES,
    ),
    mutant(
        "a lease is written once",
        LEASES,
        "(not crops or self._ticks() - at < RENEWED)",
        "True",
        IN_LEASES,
    ),
    mutant(
        "a review that is closed keeps its page",
        CONTROLLER,
        "        self._leases.close()\n",
        "",
        IN_LEASED,
    ),
    mutant(
        "another page is leased a second late",
        CONTROLLER,
        "        self._leases.follow()\n",
        "",
        IN_LEASED,
    ),
    mutant(
        "what is not chosen is listed",
        LISTING,
        "return images if scope.only is None else",
        "return images if True else",
        IN_REVIEW_ONLY,
    ),
    mutant(
        "what is not chosen may be decided about",
        SCOPE,
        " and (self.only is None or self.only.holds(name))",
        "",
        IN_REVIEW_ONLY,
    ),
    mutant(
        "a choice of images is a whole collection",
        SCOPE,
        "return not self.part and self.only is None",
        "return not self.part",
        IN_REVIEW_ONLY,
    ),
    mutant(
        "a folder is chosen by the beginning of its name",
        ONLY,
        'name.startswith(f"{each}/")',
        "name.startswith(each)",
        IN_ONLY,
    ),
    mutant(
        "of two kinds one is enough",
        ONLY,
        "        if self.labels and name not in self.labelled:\n            return False\n",
        "        if self.labels and name in self.labelled:\n            return True\n",
        IN_ONLY,
    ),
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
