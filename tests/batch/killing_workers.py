"""Kill workers of Dask while they crop for a batch, one every few seconds, until it has ended.

What is left must be as of one clean run in threads, and each image be cropped once.

python tests/batch/killing_workers.py [--images N] [--workers N] [--seconds S] [--seed N]
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    ROOT = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "batch")]

from clusters import cluster
from killing import differences
from processes import descendants
from queueing import collection, decide_all

from cropkit.batch import Batch
from cropkit.collection import Collection

_UP_SECONDS = 4.0


@dataclass
class Outcome:
    """What came of it: how many workers were killed, and what is wrong; nothing, that is.

    Parameters
    ----------
    cut_off : operations that were under way when their worker was killed
    seconds : that the batch took, and that the clean one took in threads
    """

    images: int
    kills: int = 0
    cut_off: int = 0
    seconds: float = 0.0
    clean_seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def run(place: Path, images: int, workers: int, every: float, chance: random.Random) -> Outcome:
    """Have one batch carried out by workers that are killed, and compare it with a clean one."""
    clean, killed = place / "clean", place / "killed"
    collection(clean, images)
    shutil.copytree(clean, killed)
    for folder in (clean, killed):
        decide_all(folder)
    outcome = Outcome(images)
    outcome.clean_seconds = _batch(clean, None, outcome)
    with cluster(workers) as (address, process):
        ended = threading.Event()
        killer = threading.Thread(target=_kill, args=(process.pid, every, chance, ended, outcome))
        killer.start()
        try:
            outcome.seconds = _batch(killed, address, outcome)
        finally:
            ended.set()
            killer.join()
    outcome.wrong += differences(clean, killed, images)
    with Collection(killed) as kit:
        outcome.cut_off = sum("aborted" in str(event["body"]) for event in kit.trail.events())
    return outcome


def _batch(folder: Path, executor: str | None, outcome: Outcome) -> float:
    begun = time.monotonic()
    with Batch(folder, executor=executor) as batch:
        batch.apply()
        seconds = time.monotonic() - begun
        statuses = {entry.status for entry in batch.run.entries}
    if statuses != {"cropped"}:
        outcome.wrong.append(f"it ended with {statuses}")
    return seconds


def _kill(
    scheduler: int, every: float, chance: random.Random, ended: threading.Event, outcome: Outcome
) -> None:
    """Kill workers that are up: a nanny that waits for its worker's first word waits for ever."""
    seen: dict[int, float] = {}
    while not ended.wait(every):
        now = time.monotonic()
        seen = {pid: seen.get(pid, now) for pid in _workers(scheduler)}
        up = [pid for pid, since in seen.items() if now - since > _UP_SECONDS]
        if up:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(up), signal.SIGKILL)
                outcome.kills += 1


def _workers(scheduler: int) -> list[int]:
    """Name the processes that its nannies have started."""
    return [pid for pid in descendants(scheduler) if b"spawn_main" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return b""


def main() -> int:
    """Run one trial as asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0, help="between two kills")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)  # noqa: S311  (no secret)
    with tempfile.TemporaryDirectory() as name:
        outcome = run(Path(name), asked.images, asked.workers, asked.seconds, chance)
    sys.stdout.write(f"seed {asked.seed}: {outcome}\n")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
