"""Death, failing calls and lost power at every point of every operation: nothing is lost."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from campaigns import CAMPAIGNS, FULL, TOLD, WITHOUT_PTRACE, experiment
from patience import patient

Results = dict[str, "Future[dict[str, Any]]"]
pytestmark = pytest.mark.timeout(0 if FULL else patient(600))


@pytest.fixture(scope="module")
def laboratory() -> Iterator[dict[str, "Future[dict[str, Any]]"]]:
    """Every class under way at once, on two cores."""
    with ThreadPoolExecutor(2) as pool:
        yield {
            name: pool.submit(experiment, *(full if FULL else sample))
            for name, (sample, full) in CAMPAIGNS.items()
        }


def result(laboratory: Results, name: str) -> dict[str, Any]:
    found = laboratory[name].result()
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
