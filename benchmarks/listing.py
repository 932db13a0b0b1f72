"""How long the list of a collection's images takes: CPU seconds of one process.

    python benchmarks/listing.py [--sizes 1000,100000] [--a-folder 1000] [--folder FOLDER] [--json]

For each size, folders of 1,000 empty files (or as many as `--a-folder` says) with names of images
are made beneath FOLDER (a new temporary one) and removed again. They are listed for the first time,
with nothing kept; once more, with nothing changed; and after one folder has changed. Then a review
is begun, with nothing kept and with all of it, each in a process of its own: from the opening of
the collection until its first page can be drawn, and until every image is listed. Of the second it
is told how much memory the process has taken at most, and how long the thread that draws was busy
at once. What is kept lies in a temporary cache. What has just changed would not be kept; here it
is. Each figure is the least of some rounds.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cropkit
from cropkit.engine import kept_listing
from cropkit.engine.listing import listed
from cropkit.review.widget import Review
from cropkit.system.scope import Scope

SIZES = "1000,100000"
A_FOLDER = 1000
ROUNDS = 3


@contextmanager
def images(above: Path, number: int, a_folder: int) -> Iterator[Path]:
    """Make so many files, some in each folder; remove them at the end."""
    root = Path(tempfile.mkdtemp(prefix="cropkit-listing-", dir=above))
    try:
        for folder in range(-(-number // a_folder)):
            place = root / f"batch_{folder:04d}"
            place.mkdir()
            for image in range(min(a_folder, number - folder * a_folder)):
                name = f"20260105_{image:06d}_stage{image % 3}_image.jpg"
                os.close(os.open(place / name, os.O_WRONLY | os.O_CREAT, 0o600))
        yield root
    finally:
        shutil.rmtree(root)


def seconds(work: Callable[[], object], before: Callable[[], object]) -> float:
    """Return the least CPU time of some rounds, each after `before`."""
    rounds = []
    for _ in range(ROUNDS):
        before()
        began = time.process_time()
        work()
        rounds.append(time.process_time() - began)
    return min(rounds)


def measured(root: Path, number: int) -> dict[str, float]:
    """Return the figures of one collection."""
    cache = Path(os.environ["XDG_CACHE_HOME"])
    changing = root / "batch_0000"

    def work() -> object:
        return listed(Scope(root))

    def forget() -> None:
        shutil.rmtree(cache, ignore_errors=True)

    def change() -> None:
        (changing / f"new_{time.monotonic_ns()}.jpg").touch()

    first = seconds(work, forget)
    same, changed = seconds(work, lambda: None), seconds(work, change)
    files = cache.rglob("listing-*")
    kept = sum(path.stat().st_size for path in files)
    cold, warm = least(root, forget), least(root, lambda: None)
    figures = {"first": first, "same": same, "changed": changed, "bytes": kept}
    return {"images": number, **figures, **cold, **{f"{name}_kept": warm[name] for name in warm}}


def least(root: Path, before: Callable[[], object]) -> dict[str, float]:
    """Return the figures of a review in a process of its own: the least of some rounds."""
    command = [sys.executable, __file__, "--review", str(root)]
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        before()
        told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  (ourselves)
        rounds.append(json.loads(told.stdout))
    return {name: min(each[name] for each in rounds) for name in rounds[0]}


async def begun(root: Path) -> dict[str, float]:
    """Begin a review, let it list everything, and end it."""
    began, held = time.process_time(), 0.0
    with cropkit.open(root) as collection:
        review = Review(collection, apart=False)
        page = time.process_time() - began
        while not review.progress["complete"]:
            turn = time.thread_time()
            await asyncio.sleep(0.002)
            held = max(held, time.thread_time() - turn)
        listed = time.process_time() - began
        review.close()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"page": page, "listed": listed, "held": held, "memory": most}


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--a-folder", type=int, default=A_FOLDER)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--review", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    kept_listing.SETTLED = -60.0
    if arguments.review is not None:
        sys.stdout.write(json.dumps(asyncio.run(begun(arguments.review))))
        return
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        rows = []
        for size in map(int, arguments.sizes.split(",")):
            with images(arguments.folder, size, arguments.a_folder) as root:
                rows.append(measured(root, size))
    if arguments.json:
        sys.stdout.write(json.dumps({"rows": rows}) + "\n")
        return
    for row in rows:
        sys.stdout.write(
            f"{row['images']:>9,}  first {row['first']:.3f} s  nothing changed {row['same']:.3f} s"
            f"  one folder changed {row['changed']:.3f} s  kept {row['bytes']:,} bytes"
            f"  first page {row['page']:.3f} s, with what is kept {row['page_kept']:.3f} s"
            f"  all listed {row['listed']:.2f} s, with what is kept {row['listed_kept']:.2f} s"
            f"  held {row['held'] * 1000:.0f} ms  memory {row['memory'] / 1e6:.0f} MB\n"
        )


if __name__ == "__main__":
    main()
