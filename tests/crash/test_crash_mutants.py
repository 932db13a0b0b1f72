"""The harness bites: bugs seeded into the protocol, one line each, are noticed."""

from pathlib import Path

import pytest
from campaigns import FULL, experiment
from mutants import MUTANTS
from patience import patient
from seeding import NOTICED, Mutant, check_fits, noticed_by_tests, tell, verdicts

CHEAP = ("no intent at all", "files are never synced", "an error at done is swallowed")
CHOSEN = [bug for bug in MUTANTS if FULL or bug.name in CHEAP]
HOW = {
    "power": ["power", "--limit", "250"],
    "every power": ["power"],
    "kills": ["kills", "--share", "2"],
    "faults": ["faults", "--share", "7"],
    "faults-then-kills": ["faults-then-kills", "--first", "3", "--share", "5"],
}
pytestmark = pytest.mark.timeout(0 if FULL else patient(600))


@pytest.fixture(scope="module")
def noticed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Which class noticed each bug, '' where none did."""
    return verdicts(CHOSEN, tmp_path_factory.mktemp("mutants"), notices)


def notices(tried: str, copy: Path) -> bool:
    kind, _, only = tried.partition(":")
    if kind == "calls":
        return noticed_by_tests(only or "tests/crash/test_crash_rivals.py", copy)
    chosen = ["--only", only] if only else []
    environment = {"CROPKIT_CRASH_PACKAGE": str(copy)}
    found = experiment(*HOW[kind], "--enough", "1", *chosen, **environment)
    return bool(found["violations"])


@pytest.mark.parametrize("bug", CHOSEN, ids=[bug.name for bug in CHOSEN])
def test_a_seeded_bug_is_noticed(noticed: dict[str, str], bug: Mutant) -> None:
    assert bool(noticed[bug.name]) == (bug.harmless is None)


def test_nearly_every_seeded_bug_is_noticed(noticed: dict[str, str]) -> None:
    survivors = tell("seeded into the protocol", CHOSEN, noticed)
    assert len(survivors) <= len(CHOSEN) * (1 - NOTICED)


def test_every_seeded_bug_still_fits_the_engine() -> None:
    assert len(MUTANTS) >= 30
    check_fits(MUTANTS)
