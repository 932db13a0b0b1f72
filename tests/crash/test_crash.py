"""Death, failing calls and lost power at every point of every operation: nothing is lost."""

import os
from concurrent.futures import Future
from typing import Any

import pytest
from conftest import CAMPAIGNS, FULL, TOLD, WITHOUT_PTRACE  # type: ignore[attr-defined]  # one of several

Results = dict[str, "Future[dict[str, Any]]"]
pytestmark = pytest.mark.timeout(0 if FULL else 600)


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
