"""Run one class of crashes on the engine, in a process of its own; the counts come out as JSON.

The engine is imported once; each point forks. `python lab.py CLASS [--seed N] [--full] ...`
"""

import argparse
import contextlib
import gc
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "CROPKIT_CRASH_PACKAGE"  # a folder whose cropkit is tried instead of the clone's
sys.path[:0] = [os.environ.get(PACKAGE, str(HERE.parents[1])), str(HERE), str(HERE.parent)]

import interrupts  # noqa: E402  (after the path)
import machine  # noqa: E402  (after the path)
import points  # noqa: E402
import tracer  # noqa: E402
from power import losses, without_each_sync  # noqa: E402
from scenarios import DOWNLOADED, SCENARIOS, Scenario, Stage  # noqa: E402

Points = Iterator[tuple[str, list[str]]]
ENOUGH = 20  # violations: more of them tell nothing new


def kills(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from points.kills(stage, asked.share, everywhere=False, seed=asked.seed)


def kills_everywhere(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from points.kills(stage, asked.share, everywhere=True, seed=asked.seed)


def kills_in_recovery(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from points.kills_in_recovery(stage, asked.first, asked.share, asked.seed)


def faults(stage: Stage, asked: argparse.Namespace) -> Points:
    for persistent in (False, True):
        yield from points.faults(stage, asked.share, persistent=persistent, seed=asked.seed)


def faults_then_kills(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from points.faults_then_kills(stage, asked.first, asked.share, asked.seed)


def signals(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from interrupts.interrupts(stage, asked.share, by_signal=True, seed=asked.seed)


def exceptions(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from interrupts.interrupts(stage, asked.share, by_signal=False, seed=asked.seed)


def power(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from losses(stage, asked.limit, asked.seed)


def syncs(stage: Stage, asked: argparse.Namespace) -> Points:
    """Each sync that is left out; a redundant one is no violation, but it is told."""
    for what, shown, tried in without_each_sync(stage, asked.limit or 400, asked.seed):
        SYNCS.append((stage.scenario.name, what, shown, tried))
        yield f"{stage.scenario.name}: without syncing {what}: {shown} after {tried}", []


SYNCS: list[tuple[str, str, bool, int]] = []
CLASSES: dict[str, Callable[[Stage, argparse.Namespace], Points]] = {
    "kills": kills,
    "kills-everywhere": kills_everywhere,
    "kills-in-recovery": kills_in_recovery,
    "faults": faults,
    "faults-then-kills": faults_then_kills,
    "signals": signals,
    "exceptions": exceptions,
    "power": power,
    "syncs": syncs,
}


def run(asked: argparse.Namespace, place: Path) -> dict[str, object]:
    """Try every point of a class; return counts and violations."""
    started, count, wrong = time.monotonic(), 0, []
    by: dict[str, int] = {}
    for scenario in _chosen(asked.kind, asked.only):
        stage = Stage(scenario, place / "world")
        gc.freeze()
        for point, found in CLASSES[asked.kind](stage, asked):
            count += 1
            by[scenario.name] = by.get(scenario.name, 0) + 1
            if asked.verbose:
                sys.stderr.write(f"{point} {found or ''}\n")
            if found:
                wrong.append(f"{point}: {'; '.join(found)}")
            if len(wrong) >= asked.enough:
                break
        if len(wrong) >= asked.enough:
            break
    seconds = round(time.monotonic() - started, 1)
    return {"points": count, "violations": wrong, "seconds": seconds, "by": by, "syncs": SYNCS}


def play(asked: argparse.Namespace, place: Path) -> dict[str, object]:
    """Let the machine play; each step of the process that comes and goes is a point."""
    started = time.monotonic()
    count, wrong = machine.steps(place / "world", asked.limit or 100)
    return {
        "points": count,
        "violations": wrong,
        "seconds": round(time.monotonic() - started, 1),
    }


def _chosen(kind: str, only: str | None) -> list[Scenario]:
    every = (*SCENARIOS, *DOWNLOADED) if kind in ("power", "syncs") else SCENARIOS
    # a name may have commas itself
    return [one for one in every if only is None or one.name in (only, *only.split(","))]


def scratch() -> str | None:
    """Memory where there is some: what is tried does not depend on a real disk's speed."""
    memory = Path("/dev/shm")  # noqa: S108  (a folder of our own is made in it)
    return str(memory) if memory.is_dir() and os.access(memory, os.W_OK) else None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=(*CLASSES, "machine"))
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only")
    parser.add_argument("--enough", type=int, default=ENOUGH)
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    try:
        tracer.check_that_it_works()
    except tracer.TracerUnavailable as missing:
        sys.stdout.write(
            json.dumps({"unavailable": f"no system call can be traced here: {missing}"})
        )
        return
    place = Path(tempfile.mkdtemp(prefix="cropkit-crash-", dir=scratch()))
    os.environ["XDG_STATE_HOME"] = str(place / "state")  # beside the world that is tried
    (place / "tmp").mkdir()
    tempfile.tempdir = str(place / "tmp")  # where a killed process leaves what nobody removes
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where Hypothesis says what it thinks
            found = play(asked, place) if asked.kind == "machine" else run(asked, place)
        sys.stdout.write(json.dumps(found) + "\n")
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
