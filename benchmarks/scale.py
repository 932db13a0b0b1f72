"""How work grows with a collection: CPU seconds of one process, and how fast they grow.

    python benchmarks/scale.py [--sizes 1000,10000] [--only TASK] [--kept FOLDER] [--grown]
                               [--plot FILE.svg] [--before FILE.json] [--json]
    python benchmarks/scale.py --measured FILE.json [--plot FILE.svg] [--before FILE.json]

For each size a collection of small real images is made, all of them cropped, with the trail that
this leaves. Then each task runs on it by itself, in a process of its own that has opened a small
collection first, so that what is made once in a process is not counted. The figure is the least of
some rounds; `grows` is the exponent of n that fits it over all sizes: 0 is constant, 1 linear, 2
quadratic. Collections are made again each time unless they are `--kept`: 10,000 take minutes. With
`--grown` only rows and names are made, with nothing in the files that could be cropped: what asks
the trail alone can be timed at 100,000. `--measured` times nothing, and tells and draws what an
earlier run has written with `--json`; `--before` draws another one beside each curve. Neither need
have all tasks, nor a figure (but `null`) for each size.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from deciding import decision
from grown import grow
from growth import exponent, row, table

from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.monitor.reporting import look
from cropkit.review.runtime.review_store import ReviewStore

SIZES = "100,1000,10000"
SIDE, BOX, SMALLER = 16, PixelBox(2, 2, 12, 12), PixelBox(1, 1, 8, 8)
IN_A_FOLDER = 1000
AT_ONCE = 500  # decisions in one transaction
ROUNDS = 3
SMALL = 10  # images of the collection that is opened first


Work = Callable[[Collection], object]
BEFORE = {"color": "0.55", "marker": "s", "linestyle": "--", "markersize": 4}
NOW = {"color": "tab:blue", "marker": "o", "markersize": 4}


class Document(TypedDict):
    """What a run has measured: the figures of each task in the order of the sizes."""

    sizes: list[int]
    rows: dict[str, list[dict[str, float]]]


def nothing(_collection: Collection) -> None:
    """Leave it as it is."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is timed on an open collection, and what comes before and after it without a clock."""

    run: Work
    before: Work = nothing
    after: Work = nothing


@cache
def middle(root: Path) -> str:
    """Name an image in the middle of a collection."""
    folders = sorted(path for path in root.iterdir() if path.name.startswith("set"))
    images = sorted(folders[len(folders) // 2].glob("*.png"))
    return images[len(images) // 2].relative_to(root).as_posix()


def crop(collection: Collection) -> object:
    """Crop one image once more."""
    return collection.crop(middle(collection.root), SMALLER)


def undo(collection: Collection) -> object:
    """Bring one image back to what it was before its last crop."""
    return collection.undo(middle(collection.root))


def history(collection: Collection) -> object:
    """Return the events of one image."""
    return collection.trail.events(middle(collection.root))


def reopen(collection: Collection) -> object:
    """Open the collection once more, beside the open one."""
    return Collection(collection.root).close()


def resume(collection: Collection) -> object:
    """Return what a review begins with."""
    return ReviewStore(collection).resumed(per_page=3, minimum=1)


TASKS: Mapping[str, Task] = {
    "open and close": Task(reopen),
    "crop one": Task(crop, after=undo),
    "undo one": Task(undo, before=crop),
    "undo the last": Task(Collection.undo, before=crop),
    "history of one": Task(history),
    "list the images": Task(Collection.images),
    "begin a review": Task(resume),
    "health": Task(lambda collection: look(collection.root)),
    "fsck": Task(Collection.fsck),
}


# -- collections ----------------------------------------------------------------------------------


def make(folder: Path, count: int) -> None:
    """Make images, no two of one content, and crop them all."""
    for number in range(count):
        path = folder / f"set{number // IN_A_FOLDER:04}" / f"image{number:07}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
        pixels[..., 0] = np.arange(SIDE)
        pixels[:, :, 1:] = number % 256, number // 256 % 256
        pixels[5, 5] = number // 65536, 7, 7
        Image.fromarray(pixels).save(path)
    with Collection(folder, reviewer="benchmark", kind="batch") as collection:
        images = collection.images()
        for start in range(0, count, AT_ONCE):
            collection.decide(
                [decision(collection, each, BOX) for each in images[start:][:AT_ONCE]]
            )
        collection.apply_waiting()


def make_grown(folder: Path, count: int) -> None:
    """Make what such a collection leaves in trail and folders, without any image."""
    folder.mkdir(parents=True)
    with Collection(folder, reviewer="benchmark"):
        pass
    grow(folder, count)


def collection_of(place: Path, count: int, made: Callable[[Path, int], None]) -> Path:
    """Return a collection of so many images; one that was made before is taken."""
    folder = place / str(count)
    if not (folder / ".cropkit").is_dir():
        sys.stderr.write(f"making {count} images and their crops\n")
        made(folder, count)
    return folder


# -- timing ---------------------------------------------------------------------------------------


def timed(name: str, small: Path, folder: Path) -> dict[str, float]:
    """Run one task in this process, after another on a small collection; return what it took."""
    task = TASKS[name]
    took = [seconds(task, each) for each in (small, *[folder] * ROUNDS)][1:]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": min(took), "MB": peak}


def seconds(task: Task, folder: Path) -> float:
    """Return the CPU seconds of one run."""
    with Collection(folder, reviewer="benchmark") as collection:
        middle(collection.root)
        task.before(collection)
        before = time.process_time()
        task.run(collection)
        took = time.process_time() - before
        task.after(collection)
    return took


def apart(name: str, small: Path, folder: Path) -> dict[str, float]:
    """Time one task in a process of its own."""
    command = [sys.executable, __file__, "--task", name, str(small), str(folder)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  (this file, no shell)
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


# -- telling --------------------------------------------------------------------------------------


def in_words(document: Document) -> str:
    """Return the figures as a table of Markdown."""
    sizes, rows = document["sizes"], document["rows"]
    lines = {
        name: [*row(name, sizes, [each["seconds"] for each in figures]), f"{figures[-1]['MB']:.0f}"]
        for name, figures in rows.items()
    }
    return table(sizes, lines, f"MB at {sizes[-1]:,}")


def plot(path: Path, now: Document, before: Document) -> None:
    """Draw the curves of each task, both axes logarithmic, and how each grows."""
    from matplotlib import rc_context  # noqa: PLC0415  (only where somebody wants a picture)
    from matplotlib.figure import Figure  # noqa: PLC0415  (as above)

    tasks = list(now["rows"])
    across = math.ceil(math.sqrt(len(tasks)))
    down = -(-len(tasks) // across)
    figure = Figure(figsize=(3.2 * across, 2.4 * down), layout="constrained")
    panels = [*figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).flat]
    for panel, name in zip(panels, tasks, strict=False):
        grows = [
            _curve(panel, document, name, how)
            for document, how in ((before, BEFORE), (now, NOW))
            if name in document["rows"]
        ]
        panel.set_title(f"{name}: {', now '.join(grows)}", fontsize="small")
        panel.grid(visible=True, which="major", alpha=0.3)
        panel.minorticks_off()
        panel.label_outer()
    for panel in panels[len(tasks) :]:
        panel.set_visible(False)
    for label, how in (("before", BEFORE), ("now", NOW)) if before["rows"] else ():
        panels[0].plot([], [], label=label, **how)
        panels[0].legend(loc="center right", fontsize="x-small")
    figure.supxlabel("images that were cropped", fontsize="small")
    figure.supylabel("milliseconds of CPU", fontsize="small")
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "scale"}):  # the same each time
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _curve(panel: Any, document: Document, name: str, how: Mapping[str, Any]) -> str:  # noqa: ANN401  (of a library without types)
    pairs = zip(document["sizes"], document["rows"][name], strict=True)
    sizes, took = zip(*((size, each["seconds"]) for size, each in pairs if each), strict=True)
    panel.loglog(sizes, [1000 * seconds for seconds in took], **how)
    return f"n^{exponent(sizes, took):.1f}"


def measured(asked: argparse.Namespace) -> Document:
    """Make collections, and time the tasks on them."""
    tasks, made = asked.only or list(TASKS), make_grown if asked.grown else make
    sizes = sorted(int(size) for size in asked.sizes.split(","))
    with tempfile.TemporaryDirectory(prefix="cropkit-scale-") as temporary:
        place = asked.kept or Path(temporary)
        os.environ["XDG_STATE_HOME"] = str(place / "state")
        small, *folders = (collection_of(place, count, made) for count in (SMALL, *sizes))
        rows = {name: [apart(name, small, folder) for folder in folders] for name in tasks}
    return {"sizes": sizes, "rows": rows}


def document_in(path: Path | None) -> Document:
    """Read what a run has written with `--json`; nothing where there is none."""
    nothing: Document = {"sizes": [], "rows": {}}
    return nothing if path is None else json.loads(path.read_text("utf-8"))


def main() -> None:
    """Make, time, tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default=SIZES, help="how many images, by commas")
    parser.add_argument("--only", action="append", choices=TASKS, help="time this task alone")
    parser.add_argument("--kept", type=Path, help="where collections are made, and found again")
    parser.add_argument("--grown", action="store_true", help="make rows and names, and no images")
    parser.add_argument("--plot", type=Path, help="draw the curves to this file")
    parser.add_argument("--measured", type=Path, help="tell and draw these figures of --json")
    parser.add_argument("--before", type=Path, help="figures of --json to be drawn beside them")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--task", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.task:
        name, small, folder = asked.task
        sys.stdout.write(json.dumps(timed(name, Path(small), Path(folder))))
        return
    document = document_in(asked.measured) if asked.measured else measured(asked)
    if asked.plot:
        plot(asked.plot, document, document_in(asked.before))
    sys.stdout.write((json.dumps(document) if asked.json else in_words(document)) + "\n")


if __name__ == "__main__":
    main()
