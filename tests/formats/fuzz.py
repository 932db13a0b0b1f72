"""Crop mutated files of every format, in a process that may die, and count how each ended.

    python tests/formats/fuzz.py [--cases N] [--first N] [--seed WORD] [--show CASE]

A case is made from its number and the seed alone, so any of them can be had again: `--show` tells
of one what happened. The process has 3 GiB of address space and 60 seconds for a case. When it
dies or hangs, that is the case's outcome, and a new process goes on with the next one. The exit
code is 1 when there was a defect: an error that is not ours, a crop that is not what Pillow sees in
the source, a process that died, hung, or outgrew its memory.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
PATIENCE = 60.0
TOLD_EVERY = 1000


@dataclass
class Campaign:
    """How many cases ended in each way."""

    outcomes: Counter[str] = field(default_factory=Counter)
    defects: list[str] = field(default_factory=list)
    mebibytes: int = 0

    def add(self, case: int, outcome: str) -> None:
        self.outcomes[outcome.split("\t", maxsplit=1)[0]] += 1
        if outcome.startswith("DEFECT"):
            self.defects.append(f"case {case}: {outcome}")


def run(seed: str, first: int, cases: int) -> Campaign:
    """Run cases until all have an outcome, in as many processes as that takes."""
    campaign, case, end = Campaign(), first, first + cases
    while case < end:
        for number, outcome, mebibytes in _lines(seed, case, end - case):
            campaign.add(number, outcome)
            campaign.mebibytes = max(campaign.mebibytes, mebibytes)
            case = number + 1
    return campaign


def _lines(seed: str, first: int, cases: int) -> Iterator[tuple[int, str, int]]:
    """Yield case, outcome and memory as a process tells them; its death is an outcome, too."""
    with subprocess.Popen(
        _command(seed, first, cases),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
        start_new_session=True,
    ) as child:
        told: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_read, args=(child, told), daemon=True).start()
        case = first
        while case < first + cases:
            try:
                line = told.get(timeout=PATIENCE)
            except queue.Empty:
                child.kill()
                yield case, "DEFECT hung", 0
                return
            if not line:
                said = child.stderr.read()[-2000:] if child.stderr else ""
                yield case, f"DEFECT died\twith {child.wait()}: {said}", 0
                return
            number, mebibytes, outcome = line.rstrip("\n").split("\t", 2)
            yield int(number), outcome, int(mebibytes)
            case = int(number) + 1


def _read(child: "subprocess.Popen[str]", told: "queue.Queue[str]") -> None:
    with suppress(ValueError):
        for line in child.stdout or ():
            told.put(line)
    told.put("")


def _command(seed: str, first: int, cases: int) -> list[str]:
    return [sys.executable, "-m", "fuzz_cases", seed, str(first), str(cases)]


def _environment() -> dict[str, str]:
    roots = [HERE.parent.parent, HERE.parent, HERE]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, roots)),
        "OPENBLAS_NUM_THREADS": "1",  # each thread reserves address space
        "PYTHONWARNINGS": "ignore",
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--show", type=int, help="run this case alone, with its traceback")
    given = parser.parse_args()
    if given.show is not None:
        command = [*_command(given.seed, given.show, 1), "--show"]
        return subprocess.run(command, check=False, env=_environment()).returncode
    campaign = run(given.seed, given.first, given.cases)
    document = {
        "cases": sum(campaign.outcomes.values()),
        "outcomes": dict(campaign.outcomes.most_common()),
        "most memory, MiB": campaign.mebibytes,
        "defects": campaign.defects,
    }
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
    return 1 if campaign.defects else 0


if __name__ == "__main__":
    sys.exit(main())
