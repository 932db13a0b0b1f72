"""A reviewer who does not stop: what the last thousand decisions cost, against the first ones.

    python benchmarks/soak.py [--decisions N] [--each N] [--no-batch] [--folder FOLDER] [--json]

A scripted reviewer accepts page after page of small PNGs with sidecars, while a batch in a process
of its own crops other images of the same collection; each crop is written by the review's own
process, as in a notebook. The kernel's part of the browser is played: it says what was drawn, and
sends keys. For each `--each` decisions: the kernel's CPU for one, the 95th percentile of a page by
the clock, the memory of both processes and the bytes of the trail. `drift` is the last figure over
the second one, as the first begins with what is made once.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

CLONE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(CLONE), str(CLONE / "tests")]

import numpy as np  # noqa: E402  (after the path)
import pictures  # noqa: E402
from desktop import Browser, ManualLoop  # noqa: E402
from ipycanvas import canvas as ipycanvas  # noqa: E402

from cropkit.review import Review  # noqa: E402
from cropkit.system.home import HOME  # noqa: E402

PAGE = 3
_FOLDER = 1_000  # images in one
_BATCH = (
    "import sys; from cropkit.batch import Batch\n"
    "batch = Batch(sys.argv[1], source='suggestions', workers=1)\n"
    "batch.plan; print('planned', flush=True); batch.apply()"
)


@dataclass(frozen=True)
class Stretch:
    """Some decisions one after the other, and what they cost.

    Parameters
    ----------
    cpu_ms : of the kernel, for a decision
    page_ms : 95th percentile, by the clock, from a key to the next page
    kernel_mb, writer_mb : resident memory at the end, of the review and of the process that writes
    trail_kb : bytes of database and export for each decision of the collection
    """

    decisions: int
    cpu_ms: float
    page_ms: float
    kernel_mb: float
    writer_mb: float
    trail_kb: float


def make(folder: Path, name: str, images: int) -> None:
    """Make small images with sidecars, no two of one content."""
    noise = np.random.default_rng(0)
    for number in range(images):
        path = folder / f"{name}{number // _FOLDER:03}" / f"{name}{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = noise.integers(0, 255, (32, 48, 3), dtype=np.uint8)
        pictures.write_png(path, pictures.Image.fromarray(pixels))
        pictures.write_sidecar(path, [0.1, 0.1, 0.9, 0.9])


def soaked(folder: Path, decisions: int, each: int, *, batch: bool) -> list[Stretch]:
    """Review a new collection in `folder`; return what each stretch cost."""
    make(folder, "mine", decisions)
    make(folder, "zbatch", decisions if batch else 0)
    beside = _start_batch(folder) if batch else None
    loop = ManualLoop()
    review = Review(folder, loop=loop)
    browser = Browser(review, loop)
    ipycanvas._CANVAS_MANAGER.send = browser.receive  # noqa: SLF001  (it has no other ears)
    browser.open()
    try:
        soak = Soak(folder, browser, beside.pid if beside else None)
        return [soak.stretch(each) for _ in range(0, decisions, each)]
    finally:
        review.close()
        review.collection.close()
        if beside is not None:
            beside.terminate()
            beside.wait()


def _start_batch(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _BATCH, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(CLONE)}
    beside = subprocess.Popen(  # noqa: S603  (ourselves)
        command, stdout=subprocess.PIPE, text=True, env=environment
    )
    if beside.stdout is not None:
        beside.stdout.readline()
    return beside


@dataclass(frozen=True)
class Soak:
    """A review under way, and the batch beside it, by its process."""

    folder: Path
    browser: Browser
    beside: int | None

    def stretch(self, decisions: int) -> Stretch:
        """Accept page after page; return what that cost."""
        began = time.process_time()
        waits = [self._page() for _ in range(0, decisions, PAGE)]
        cpu = time.process_time() - began
        self.browser.written()
        writers = (pid for pid in _children() if pid != self.beside)
        return Stretch(
            decisions=decisions,
            cpu_ms=1000 * cpu / decisions,
            page_ms=1000 * float(np.percentile(waits, 95)),
            kernel_mb=_resident(os.getpid()),
            writer_mb=max(map(_resident, writers), default=0.0),
            trail_kb=_bytes(self.folder) / 1000 / self.browser.review.collection.counts().written,
        )

    def _page(self) -> float:
        """Accept a page when it is there, and forget what was drawn; return how long that took."""
        self.browser.shown()
        began = time.perf_counter()
        self.browser.key("Enter")
        self.browser.shown()
        self.browser.drawn.clear()
        return time.perf_counter() - began


def _bytes(folder: Path) -> int:
    kept = (path for name in ("cropkit.db*", "trail*") for path in (folder / HOME).glob(name))
    return sum(path.stat().st_size for path in kept)


def _children() -> list[int]:
    return [
        int(each)
        for path in Path("/proc/self/task").glob("*/children")
        for each in path.read_text("ascii").split()
    ]


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    return int(sizes[0]) / 1000 if sizes else 0.0


def drift(stretches: list[Stretch]) -> dict[str, float]:
    """Return each figure of the last stretch over that of the second one."""
    last, second = asdict(stretches[-1]), asdict(stretches[min(1, len(stretches) - 1)])
    return {name: last[name] / second[name] for name in last if second[name]}


def table(stretches: list[Stretch]) -> str:
    """Return the stretches as a table, and the drift as its last line."""
    heads = list(asdict(stretches[0]))
    rows = [[f"{value:.1f}" for value in asdict(each).values()] for each in stretches]
    ratios = drift(stretches)
    last = ["drift", *(f"{ratios.get(name, 1):.2f}" for name in heads[1:])]
    lines = [heads, ["---"] * len(heads), *rows, last]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=20_000)
    parser.add_argument("--each", type=int, default=1_000)
    parser.add_argument("--no-batch", action="store_true")
    parser.add_argument("--folder", type=Path, help="where the collection is made")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as place:
        stretches = soaked(Path(place), asked.decisions, asked.each, batch=not asked.no_batch)
    if asked.json:
        answer = {"stretches": [asdict(each) for each in stretches], "drift": drift(stretches)}
        sys.stdout.write(json.dumps(answer) + "\n")
    else:
        sys.stdout.write(table(stretches) + "\n")


if __name__ == "__main__":
    main()
