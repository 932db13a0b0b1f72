"""How long a reviewer's decision waits while a batch works on the same collection, and the reverse.

The batch runs in a process of its own, as it does beside a review. Printed for each: the longest
and the median wait of a decision, with and without a batch, and the images a second of the batch,
with and without a reviewer who decides all the time. Waits are wall times, so that this is no test:
run it on a quiet machine.

    python tests/batch/beside.py [--images N] [--megapixels M]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

if __name__ == "__main__":
    CLONE = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(CLONE), str(CLONE / "tests"), str(CLONE / "tests" / "batch")]

import pictures
from queueing import decision

from cropkit.collection import Collection
from cropkit.geometry import PixelBox

ROOT = Path(__file__).resolve().parents[2]
BATCH = (
    "import sys, time; from cropkit.batch import Batch\n"
    "batch = Batch(sys.argv[1], source='suggestions', workers=2)\n"
    "batch.plan; print('planned', flush=True); began = time.monotonic()\n"
    "batch.apply(); print(len(batch.plan.ready) / (time.monotonic() - began), flush=True)"
)
PAUSE = 0.05  # seconds between a reviewer's decisions: far faster than anybody is
MINE = 40  # images that the reviewer goes to and fro between


@dataclass(frozen=True)
class Waits:
    """Seconds that decisions took."""

    seconds: list[float]

    def __str__(self) -> str:
        ranked = sorted(self.seconds)
        return (
            f"{len(ranked)} decisions, longest {1000 * ranked[-1]:.0f} ms, "
            f"median {1000 * median(ranked):.1f} ms"
        )


def make(folder: Path, images: int, side: int) -> Path:
    """Make images for the batch, with sidecars, and some for the reviewer, without."""
    folder.mkdir()
    for number in range(images):
        path = pictures.write_png(
            folder / f"batch{number:04}.png", pictures.photo(side, side, number)
        )
        pictures.write_sidecar(path, [0.1, 0.1, 0.9, 0.9])
    for number in range(MINE):
        pictures.write_png(folder / f"mine{number:02}.png", pictures.photo(160, 160, number))
    return folder


def review(folder: Path, until: "subprocess.Popen[str] | None", seconds: float) -> Waits:
    """Decide and decide again, about images of one's own, until the batch ends or time is up."""
    taken, began = [], time.monotonic()
    with Collection(folder, reviewer="ann", kind="review") as kit:
        made = [decision(kit, f"mine{n:02}.png", PixelBox(0, 0, 80, 80)) for n in range(MINE)]
        number = 0
        while until.poll() is None if until else time.monotonic() - began < seconds:
            one = decision(kit, made[number % MINE].path, PixelBox(0, 0, 80, 80))
            start = time.monotonic()
            kit.decide([one])
            taken.append(time.monotonic() - start)
            number += 1
            time.sleep(PAUSE)
    return Waits(taken)


def batch(folder: Path) -> "subprocess.Popen[str]":
    """Start a batch; it has planned on return."""
    command = [sys.executable, "-c", BATCH, str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def rate(process: "subprocess.Popen[str]") -> str:
    """Return what a batch printed at its end."""
    said, _ = process.communicate()
    return f"{float(said):.1f} images a second"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--megapixels", type=float, default=1.0)
    given = parser.parse_args()
    side = int((given.megapixels * 1e6) ** 0.5)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        alone = batch(make(place / "alone", given.images, side))
        sys.stdout.write(f"batch alone: {rate(alone)}\n")
        folder = make(place / "together", given.images, side)
        sys.stdout.write(f"review alone: {review(folder, None, 5)}\n")
        beside = batch(folder)
        waits = review(folder, beside, 0)
        sys.stdout.write(f"review beside a batch: {waits}\nbatch beside it: {rate(beside)}\n")


if __name__ == "__main__":
    main()
