"""Death, failing calls and lost power at every point of every operation: nothing is lost."""

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from campaigns import (
    ALONE,
    CAMPAIGNS,
    FULL,
    PARTS,
    TOLD,
    WITHOUT_PTRACE,
    experiment,
    experiments,
    together,
)
from patience import patient

Results = Callable[[str], dict[str, Any]]
pytestmark = pytest.mark.timeout(0 if FULL else patient(1200))  # the first waits for all of them


@pytest.fixture(scope="module")
def laboratory() -> Iterator[Results]:
    """Every class under way at once, on two cores: the scenarios in parts, and the machine."""
    asked = {name: full if FULL else sample for name, (sample, full) in CAMPAIGNS.items()}
    apart = {name: asked.pop(name) for name in ALONE}
    with ThreadPoolExecutor(PARTS) as pool:
        alone = {name: pool.submit(experiments, [each]) for name, each in apart.items()}
        parts = [pool.submit(experiments, part_of(asked, number)) for number in range(PARTS)]

        def result_of(name: str) -> dict[str, Any]:
            if name in alone:
                return alone[name].result()[0]
            place = list(asked).index(name)
            return together([part.result()[place] for part in parts])

        yield result_of


def part_of(asked: dict[str, list[str]], number: int) -> list[list[str]]:
    return [[*each, "--part", str(number), "--of", str(PARTS)] for each in asked.values()]


def result(laboratory: Results, name: str) -> dict[str, Any]:
    found = laboratory(name)
    if "unavailable" in found:
        TOLD.append(f"NOT TRIED, {name}: {found['unavailable']}")
        if os.environ.get(WITHOUT_PTRACE) == "1":
            pytest.skip(found["unavailable"])
        pytest.fail(f"{found['unavailable']}; {WITHOUT_PTRACE}=1 runs the rest without it")
    return found


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_every_crash_of_this_class_is_survived(laboratory: Results, name: str) -> None:
    found = result(laboratory, name)
    TOLD.append(
        f"{name}: {found['points']} points, {len(found['violations'])} violations, "
        f"{found['seconds']:.0f} s"
    )
    assert found["violations"] == []
    assert found["points"] > 0


def test_the_sample_is_large_enough(laboratory: Results) -> None:
    points = sum(result(laboratory, name)["points"] for name in CAMPAIGNS)
    TOLD.append(f"all: {points} points{'' if FULL else ' (a sample: --crash-full tries all)'}")
    assert points >= (18_000 if FULL else 800)


@pytest.mark.parametrize("fault", range(3, 7))
def test_what_a_session_without_its_key_left_is_adopted(fault: int) -> None:
    """The person's key cannot be read, and the session is killed later: nothing is lost."""
    only = ("--only", "open, crop, close", "--first", "1000", "--share", "20")
    found = experiment("faults-then-kills", *only, seed=str(fault - 1))
    if "unavailable" in found:
        pytest.skip(found["unavailable"])
    assert found["violations"] == []
    assert found["points"] > 10


NEEDED = {
    "collection",
    "collection/moved",
    "collection/.cropkit/cropkit.db-wal",
    "collection/.cropkit/originals",
    "collection/.cropkit/originals/*",
    "collection/.cropkit/stage/*",
}


def test_each_sync_of_the_protocol_has_a_state_that_is_wrong_without_it() -> None:
    """Leave each sync out in turn; only what is legal without it, and was not with it, is tried."""
    only = "move a PNG,crop what was never synced"
    found = experiment("syncs", "--limit", "400" if FULL else "30", "--only", only)
    if "unavailable" in found:
        pytest.skip(found["unavailable"])
    shown = {
        re.sub(r"/[0-9a-f]{32,}.*", "/*", what) for _, what, wrong, _ in found["syncs"] if wrong
    }
    TOLD.append(f"syncs left out: {found['points']}, needed: {', '.join(sorted(shown))}")
    assert shown >= NEEDED
