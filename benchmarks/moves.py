"""How the review's moves grow with the collection: CPU of each at several sizes, and its exponent.

    python benchmarks/moves.py [--sizes 1000,10000,100000,1000000] [--only TASK] [--json]

The state machine alone: no image, no database, no browser. *begin* is with all images at once, *the
first page* with the first chunk of them, and *a chunk more* what each that follows adds. In folders
of 250 images half is decided, each tenth of that by a reject, and the review stands in the middle.
A move returns a new state, so that it is made again and again from the same one; the figure is the
mean of the fastest round. What `begin` makes, with the paths, is weighed by `tracemalloc`.
"""

import argparse
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count, islice
from pathlib import Path

from growth import row, table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from moving import on, opened, undone

from cropkit.collection import Counts
from cropkit.errors import IllegalMove
from cropkit.geometry import PixelBox
from cropkit.records import Status, Verdict
from cropkit.review.model import (
    Applied,
    Decided,
    DecidePage,
    Filter,
    Find,
    GoTo,
    JumpTo,
    Listed,
    NextFilter,
    NextUnreviewed,
    Redo,
    Rest,
    ReviewState,
    TurnFolder,
    TurnPage,
    Undo,
    advance,
    begin,
)
from cropkit.review.model.progress import SessionCounts, within
from cropkit.review.runtime.image_stream import MOST

SIZES = "1000,10000,100000,1000000"
IN_A_FOLDER = 250
PER_PAGE = 3
ROUNDS, ENOUGH = 3, 0.05  # seconds of a round, at least
COUNTS = SessionCounts(Counts(*[0] * 9))


def listing(count: int) -> list[str]:
    """Name so many images."""
    return [f"set{n // IN_A_FOLDER:04}/image{n:07}.png" for n in range(count)]


def decided(number: int) -> Decided:
    """Say what became of an image: no two boxes are one object."""
    if number % 10 == 0:
        return Decided(Verdict.REJECT, Status.REJECTED)
    left = 300 + number % 1000
    return Decided(Verdict.ADJUSTED, Status.CROPPED, PixelBox(left, 400, left + 2000, 2400))


def outcomes(paths: list[str]) -> dict[str, Decided]:
    """Say what became of one half."""
    return {path: decided(number) for number, path in enumerate(paths[: len(paths) // 2])}


def begun(paths: list[str], settled: dict[str, Decided]) -> ReviewState:
    """Return a review of which half is done."""
    return begin(paths, PER_PAGE, settled, tuple(settled))


def enter(state: ReviewState) -> object:
    """Accept a page, hear what became of it, and say how far the review has come."""
    paths = [entry.path for entry in state.entries]
    after = on(opened(on(state, DecidePage())), *(Applied(p, Status.CROPPED) for p in paths))
    return COUNTS.of(after), within(after), after.next_undecided_page()


class Growing:
    """A review that is still listed: chunk after chunk, half of each decided."""

    def __init__(self, state: ReviewState) -> None:
        self._state, self._names = replace(state, rest=Rest.COMING), count()

    def grow(self) -> None:
        """List 2,048 images more."""
        paths = tuple(f"z/{number:09}.png" for number in islice(self._names, MOST))
        settled = {path: decided(number) for number, path in enumerate(paths[::2])}
        self._state = on(self._state, Listed(paths, settled))


def missed(state: ReviewState) -> None:
    """Search for what no image is called."""
    try:
        advance(state, Find("nowhere"))
    except IllegalMove:
        return
    raise AssertionError


def tasks(paths: list[str], state: ReviewState) -> Mapping[str, Callable[[], object]]:
    """Return what is timed, by name."""
    start, back = on(state, JumpTo(0)), undone(state)
    first = paths[:MOST]
    some = {path: decided(number) for number, path in enumerate(first[::2])}
    filtered = on(state, NextFilter())
    if filtered.filter is not Filter.UNREVIEWED:
        raise AssertionError
    return {
        "the first page": lambda: begin(first, PER_PAGE, some, rest=Rest.COMING),
        "a chunk more": Growing(state).grow,
        "Enter: decide, apply, count": partial(enter, state),
        "undo": partial(on, state, Undo()),
        "redo": partial(on, back, Redo()),
        "turn the page": partial(on, state, TurnPage(1)),
        "jump to a number": partial(on, state, JumpTo(len(paths) - 2)),
        "go to an image": partial(on, state, GoTo(paths[-1])),
        "next undecided, from the start": partial(on, start, NextUnreviewed()),
        "next folder": partial(on, start, TurnFolder(1)),
        "within the folder": partial(within, state),
        "filter: unreviewed": partial(on, state, NextFilter()),
        "filter: the next one": partial(on, filtered, NextFilter()),
        "Enter under a filter": partial(enter, opened(filtered)),
        "find the last": partial(on, start, Find(paths[-1])),
        "find nothing": partial(missed, state),
    }


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one time, in the fastest of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        times, before = 0, time.process_time()
        while (took := time.process_time() - before) < ENOUGH:
            work()
            times += 1
        rounds.append(took / times)
    return min(rounds)


def weighed(count: int) -> float:
    """Return the bytes an image that a review holds from its beginning."""
    tracemalloc.start()
    paths = listing(count)
    state = begun(paths, outcomes(paths))
    del paths
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return taken / len(state.listing)


def measured(count: int, only: list[str]) -> dict[str, float]:
    """Return the seconds of each task at one size."""
    paths = listing(count)
    settled = outcomes(paths)
    before = time.process_time()
    state = opened(begun(paths, settled))
    took = {"begin": time.process_time() - before}
    return took | {
        name: seconds(work)
        for name, work in tasks(paths, state).items()
        if not only or name in only
    }


def main() -> None:
    """Time, weigh, tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default=SIZES, help="how many images, by commas")
    parser.add_argument("--only", action="append", default=[], help="time this task alone")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    sizes = sorted(int(size) for size in asked.sizes.split(","))
    figures = [measured(size, asked.only) for size in sizes]
    rows = {name: [each[name] for each in figures] for name in figures[0]}
    weight = [weighed(size) for size in sizes]
    if asked.json:
        sys.stdout.write(json.dumps({"sizes": sizes, "rows": rows, "bytes": weight}) + "\n")
        return
    lines = {name: row(name, sizes, took) for name, took in rows.items()}
    lines["bytes"] = ["bytes an image", *(f"{each:.0f}" for each in weight), ""]
    sys.stdout.write(table(sizes, lines) + "\n")


if __name__ == "__main__":
    main()
