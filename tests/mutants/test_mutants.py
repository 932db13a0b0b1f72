"""The tests bite: bugs seeded beside the write protocol, one line each, are noticed.

Normally three of them are tried, and that every one still fits the code; with CROPKIT_MUTANTS=1 all
of them. Those in the protocol are in tests/crash.
"""

import os

import pytest
from seeded_exports import EXPORTS
from seeded_files import FILES
from seeded_labels import LABELS
from seeded_review import REVIEW
from seeded_reviewers import REVIEWERS
from seeded_runs import RUNS
from seeded_suggestions import SUGGESTIONS
from seeded_taste import TASTE
from seeded_verification import VERIFICATION
from seeding import NOTICED, Mutant, check_fits, noticed_by_tests, tell, verdicts

ALL = os.environ.get("CROPKIT_MUTANTS") == "1"
MUTANTS = (
    *(*RUNS, *REVIEW, *SUGGESTIONS, *LABELS, *FILES, *EXPORTS, *VERIFICATION),
    *(*TASTE, *REVIEWERS),
)
CHEAP = (
    "a break of five minutes is none",
    "the box of an overlap is counted twice",
    "a key that is held decides again",
)
CHOSEN = [bug for bug in MUTANTS if ALL or bug.name in CHEAP]
pytestmark = pytest.mark.timeout(0 if ALL else 300)


@pytest.fixture(scope="module")
def noticed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return verdicts(CHOSEN, tmp_path_factory.mktemp("mutants"), noticed_by_tests)


@pytest.mark.parametrize("bug", CHOSEN, ids=[bug.name for bug in CHOSEN])
def test_a_seeded_bug_is_noticed(noticed: dict[str, str], bug: Mutant) -> None:
    assert bool(noticed[bug.name]) == (bug.harmless is None)


def test_nearly_every_seeded_bug_is_noticed(noticed: dict[str, str]) -> None:
    survivors = tell("seeded beside the protocol", CHOSEN, noticed)
    assert len(survivors) <= len(CHOSEN) * (1 - NOTICED)


def test_every_seeded_bug_still_fits_the_code() -> None:
    assert len(MUTANTS) >= 100
    check_fits(MUTANTS)
