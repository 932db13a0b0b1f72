"""Mutated files: a proven crop or one of our own errors, in bounded time and memory."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import fuzz
import fuzz_cases
import pytest

CASES = int(os.environ.get("CROPKIT_FUZZ_CASES", "500"))
MOST_MEBIBYTES = 1024


@pytest.mark.timeout(1200)
def test_a_mutated_file_is_cropped_with_proof_or_refused() -> None:
    campaign = fuzz.run("ci", 0, CASES)
    assert campaign.defects == []
    assert sum(campaign.outcomes.values()) == CASES
    assert campaign.mebibytes < MOST_MEBIBYTES
    endings = {outcome.split()[-1] for outcome in campaign.outcomes}
    assert {"proven", "CorruptImage", "Truncated"} <= endings
    kinds = {outcome.split()[0] for outcome in campaign.outcomes}
    assert {Path(name).suffix[1:] for name in fuzz_cases.WRITTEN} <= kinds


CHILD = """\
import os, sys, time
for case in range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[3])):
    if case == 2:
        {act}
    print(case, 9, "png proven", sep="\\t", flush=True)
"""


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (f"os.kill(os.getpid(), {signal.SIGSEGV.value})", "DEFECT died"),
        ("time.sleep(60)", "DEFECT hung"),
        ("raise MemoryError", "DEFECT died"),
    ],
)
def test_a_process_that_dies_or_hangs_is_told_and_the_rest_goes_on(
    act: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "PATIENCE", 3.0)
    text = CHILD.format(act=act)
    monkeypatch.setattr(
        fuzz, "_command", lambda *given: [sys.executable, "-c", text, *map(str, given)]
    )
    campaign = fuzz.run("0", 0, 5)
    assert campaign.outcomes == {"png proven": 4, told: 1}
    assert [defect.split(":")[0] for defect in campaign.defects] == ["case 2"]


def test_a_single_case_can_be_had_again() -> None:
    command = [sys.executable, str(Path(fuzz.__file__)), "--seed", "ci", "--show", "3"]
    first, second = (subprocess.run(command, capture_output=True, check=True) for _ in range(2))
    assert first.stdout.startswith(b"3\t")
    assert first.stdout.split(b"\t")[2:] == second.stdout.split(b"\t")[2:]
