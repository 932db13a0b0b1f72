"""Run classes of crashes on the engine, in a process of its own; the counts come out as JSON.

The engine is imported once, the world of a scenario is made once, and each point forks.

    python lab.py CLASS [--seed N] [--share N] ...
    python lab.py CLASS ... / CLASS ... / ...     several, each with what it takes
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
from dataclasses import dataclass, field
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
BETWEEN = "/"  # what is asked for of one class, and of the next one
MACHINE = "machine"


def kills(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from points.kills(stage, asked.share, everywhere=False, seed=asked.seed)


def kills_everywhere(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from points.kills(stage, asked.share, everywhere=True, seed=asked.seed)


def kills_in_recovery(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from points.kills_in_recovery(stage, asked.first, asked.share, asked.seed)


def faults(stage: Stage, asked: argparse.Namespace) -> Points:
    yield from points.faults(stage, asked.share, asked.seed)


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


@dataclass
class Tally:
    """What was tried of one class."""

    asked: argparse.Namespace
    points: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0
    by: dict[str, int] = field(default_factory=dict)

    @property
    def is_enough(self) -> bool:
        return len(self.violations) >= int(self.asked.enough)

    def take(self, stage: Stage) -> None:
        """Try the class's points of one scenario, until there are violations enough."""
        started = time.monotonic()
        for point, wrong in CLASSES[self.asked.kind](stage, self.asked):
            self.points += 1
            self.by[stage.scenario.name] = self.by.get(stage.scenario.name, 0) + 1
            if self.asked.verbose:
                sys.stderr.write(f"{point} {wrong or ''}\n")
            if wrong:
                self.violations.append(f"{point}: {'; '.join(wrong)}")
            if self.is_enough:
                break
        self.seconds += time.monotonic() - started

    def told(self) -> dict[str, object]:
        counts = {name: getattr(self, name) for name in ("points", "violations", "by")}
        syncs = SYNCS if self.asked.kind == "syncs" else []
        return {**counts, "seconds": round(self.seconds, 1), "syncs": syncs}


def run(all_asked: list[argparse.Namespace], place: Path) -> list[dict[str, object]]:
    """Try every point of each class, scenario by scenario; return counts and violations."""
    tallies = [Tally(asked) for asked in all_asked]
    for scenario in (*SCENARIOS, *DOWNLOADED):
        due = [each for each in tallies if _takes(each.asked, scenario) and not each.is_enough]
        if due:
            stage = Stage(scenario, place / "world")
            gc.freeze()
            for tally in due:
                tally.take(stage)
    return [tally.told() for tally in tallies]


def play(asked: argparse.Namespace, place: Path) -> list[dict[str, object]]:
    """Let the machine play; each step of the process that comes and goes is a point."""
    started = time.monotonic()
    count, wrong = machine.steps(place / "world", asked.limit or 100)
    seconds = round(time.monotonic() - started, 1)
    return [{"points": count, "violations": wrong, "seconds": seconds}]


def _takes(asked: argparse.Namespace, scenario: Scenario) -> bool:
    """Whether a class is tried with a scenario: unsynced files matter to lost power alone."""
    if scenario in DOWNLOADED and asked.kind not in ("power", "syncs"):
        return False
    if asked.only is not None:
        return scenario.name in (asked.only, *asked.only.split(","))  # a name may have commas
    return (*SCENARIOS, *DOWNLOADED).index(scenario) % int(asked.of) == int(asked.part)


def scratch() -> str | None:
    """Memory where there is some: what is tried does not depend on a real disk's speed."""
    memory = Path("/dev/shm")  # noqa: S108  (a folder of our own is made in it)
    return str(memory) if memory.is_dir() and os.access(memory, os.W_OK) else None


def main() -> None:
    logging.disable(logging.CRITICAL)
    all_asked = asked_for(sys.argv[1:])
    try:
        tracer.check_that_it_works()
    except tracer.TracerUnavailable as missing:
        why = {"unavailable": f"no system call can be traced here: {missing}"}
        sys.stdout.write(json.dumps([why] * len(all_asked)))
        return
    place = Path(tempfile.mkdtemp(prefix="cropkit-crash-", dir=scratch()))
    os.environ["XDG_STATE_HOME"] = str(place / "state")  # beside the world that is tried
    (place / "tmp").mkdir()
    tempfile.tempdir = str(place / "tmp")  # where a killed process leaves what nobody removes
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where Hypothesis says what it thinks
            plays = all_asked[0].kind == MACHINE
            results = play(all_asked[0], place) if plays else run(all_asked, place)
        sys.stdout.write(json.dumps(results) + "\n")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def asked_for(arguments: list[str]) -> list[argparse.Namespace]:
    """Return what each group of the arguments asks for; the machine plays alone."""
    groups: list[list[str]] = [[]]
    for argument in arguments:
        if argument == BETWEEN:
            groups.append([])
        else:
            groups[-1].append(argument)
    return [_parser().parse_args(group) for group in groups]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=(*CLASSES, MACHINE))
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only")
    parser.add_argument("--part", type=int, default=0, help="which part of the scenarios, from 0")
    parser.add_argument("--of", type=int, default=1, help="how many parts there are")
    parser.add_argument("--enough", type=int, default=ENOUGH)
    parser.add_argument("--verbose", action="store_true")
    return parser


if __name__ == "__main__":
    main()
