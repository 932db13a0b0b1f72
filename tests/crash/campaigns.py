"""Which classes of crashes are tried, how much of each, and what is told at the end."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FULL = os.environ.get("CROPKIT_CRASH_FULL") == "1"
SEED = os.environ.get("CROPKIT_CRASH_SEED", "0")
WITHOUT_PTRACE = "CROPKIT_CRASH_WITHOUT_PTRACE"
BETWEEN = "/"  # the laboratory's word
PARTS = 2  # processes, each with its part of the scenarios
LAB = Path(__file__).with_name("lab.py")
TOLD: list[str] = []
# class of crashes: what a normal run tries of it, and what a full run does
CAMPAIGNS: dict[str, tuple[list[str], list[str]]] = {
    "kills": (["kills", "--share", "71"], ["kills"]),
    "kills at calls of every kind": (
        ["kills-everywhere", "--share", "997"],
        ["kills-everywhere", "--share", "2"],
    ),
    "kills in recovery": (
        ["kills-in-recovery", "--first", "139", "--share", "79"],
        ["kills-in-recovery", "--first", "6", "--share", "4"],
    ),
    "faults": (["faults", "--share", "557"], ["faults", "--share", "40"]),
    "faults, then kills": (
        ["faults-then-kills", "--first", "229", "--share", "131"],
        ["faults-then-kills", "--first", "17", "--share", "17"],
    ),
    "signals at lines": (["signals", "--share", "3413"], ["signals", "--share", "37"]),
    "exceptions at lines": (["exceptions", "--share", "3413"], ["exceptions", "--share", "37"]),
    "power losses": (["power", "--limit", "3"], ["power", "--limit", "400"]),
    "steps of two processes with kills and faults": (
        ["machine", "--limit", "6"],
        ["machine", "--limit", "150"],
    ),
}

ALONE = ("steps of two processes with kills and faults",)  # it has no scenarios to be parted


def experiment(*arguments: str, seed: str = SEED, **environment: str) -> dict[str, Any]:
    """Run one class in a process of its own."""
    (result,) = experiments([list(arguments)], seed=seed, **environment)
    return result


def experiments(
    classes: list[list[str]], *, seed: str = SEED, **environment: str
) -> list[dict[str, Any]]:
    """Run some classes in one process; return what each one gave."""
    arguments: list[str] = []
    for each in classes:
        arguments += [*([BETWEEN] if arguments else []), *each, "--seed", seed]
    single = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        [sys.executable, str(LAB), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **single, **environment},
    )
    if ended.returncode:
        return [{"points": 0, "violations": [ended.stderr[-3000:]], "seconds": 0} for _ in classes]
    results: list[dict[str, Any]] = json.loads(ended.stdout)
    return results


def together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the result of a class from those of its parts."""
    refusals = [part for part in parts if "unavailable" in part]
    if refusals:
        return refusals[0]
    return {
        "points": sum(part["points"] for part in parts),
        "violations": [each for part in parts for each in part["violations"]],
        "seconds": sum(part["seconds"] for part in parts),
    }


def summarise(terminalreporter: pytest.TerminalReporter) -> None:
    if TOLD:
        terminalreporter.section("crashes that were survived")
        for line in TOLD:
            terminalreporter.write_line(line)
