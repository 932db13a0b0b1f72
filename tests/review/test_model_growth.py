"""A move costs as much in many images as in few; counted, without a clock.

Three counts see what Python code can do: lines that run, comparisons and hashes of paths, which
show a search that C does, and bytes that are allocated at once, which show a copy. A tree of our
own is a handful of levels high at any size, so that a few lines more are all that may come.
"""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any, NamedTuple

import pytest
from moving import on, opened, undone

from cropkit.collection import Counts
from cropkit.errors import IllegalMove
from cropkit.geometry import PixelBox
from cropkit.records import Status, Verdict
from cropkit.review.model import (
    Applied,
    ConfidenceScanned,
    Decided,
    DecidePage,
    Filter,
    Find,
    GoTo,
    JumpTo,
    Listed,
    NextFilter,
    NextUnreviewed,
    PlanKnown,
    Redo,
    Rest,
    ReviewState,
    ToggleOrder,
    TurnFolder,
    TurnPage,
    Undo,
    advance,
    begin,
)
from cropkit.review.model.progress import SessionCounts, within
from cropkit.wanted import Wanted

FEW, MANY = 1_000, 20_000
FOLDERS = 4
COUNTS = SessionCounts(Counts(*[0] * 9))
compared = [0]


class Path(str):
    """A path that counts how often it is compared or hashed."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        compared[0] += 1
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        compared[0] += 1
        return str.__ne__(self, other)

    def __hash__(self) -> int:
        compared[0] += 1
        return str.__hash__(self)


class Work(NamedTuple):
    """What a move cost."""

    lines: int
    comparisons: int
    allocated: int


def work(move: Callable[[], object]) -> Work:
    lines = [0]

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        lines[0] += event == "line"
        return trace

    move()  # what is made once is made
    compared[0], before = 0, sys.gettrace()
    sys.settrace(trace)
    try:
        move()
    finally:
        sys.settrace(before)
    comparisons = compared[0]
    gc.collect()
    tracemalloc.start()
    try:
        move()
        allocated = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return Work(lines[0], comparisons, allocated)


def half_done(count: int) -> ReviewState:
    """Return a review of which half is decided, each tenth of that by a reject."""
    paths = [Path(f"{FOLDERS * n // count}/{n:06}.png") for n in range(count)]
    rejected = Decided(Verdict.REJECT, Status.REJECTED)
    cropped = Decided(Verdict.ADJUSTED, Status.CROPPED, PixelBox(1, 2, 30, 40))
    half = paths[: count // 2]
    settled: dict[str, Decided] = {
        path: cropped if n % 10 else rejected for n, path in enumerate(half)
    }
    return opened(begin(paths, 3, settled, tuple(half)))


def enter(state: ReviewState) -> object:
    """Accept a page, hear what became of it, and say all that the screen says."""
    paths = [entry.path for entry in state.entries]
    later = opened(on(state, DecidePage()))
    later = on(later, *(Applied(path, Status.CROPPED) for path in paths))
    last = [later.settled[path] for path in later.undo[-9:]]
    return COUNTS.of(later), within(later), later.next_undecided_page(), later.total, last


def failed(state: ReviewState) -> ReviewState:
    return on(on(state, DecidePage()), Applied(state.entries[0].path, Status.FAILED, "no space"))


def rejected(state: ReviewState) -> ReviewState:
    while state.filter is not Filter.REJECTED:
        state = on(state, NextFilter())
    return state


def missed(state: ReviewState) -> None:
    with pytest.raises(IllegalMove, match="no image is called"):
        advance(state, Find("nowhere"))


def filtered(state: ReviewState) -> ReviewState:
    return opened(on(state, NextFilter()))


def sorted_by_certainty(state: ReviewState) -> ReviewState:
    """Have every image in an order of its own, in which what is decided comes first."""
    sure = {path: int(path[-10:-4]) / MANY for path in state.paths}
    return opened(on(state, ConfidenceScanned(frozenset(), sure, whole=True), ToggleOrder()))


def at_the_end(state: ReviewState) -> ReviewState:
    state = opened(on(sorted_by_certainty(state), JumpTo(len(state.paths) - 1)))
    return opened(on(state, DecidePage()))


def scanned(state: ReviewState) -> ReviewState:
    return on(state, ConfidenceScanned(frozenset(), dict.fromkeys(state.paths[:9], 0.5)))


def turned(state: ReviewState) -> ReviewState:
    return on(state, TurnPage(1), TurnPage(-1))


def to_the_end(state: ReviewState) -> ReviewState:
    return on(state, JumpTo(len(state.paths) - 2))


Prepare = Callable[[ReviewState], ReviewState]
Act = Callable[[ReviewState], object]
MOVES: dict[str, tuple[Prepare, Act]] = {
    "Enter": (opened, enter),
    "a failure": (opened, failed),
    "undo": (opened, lambda state: on(state, Undo())),
    "redo": (undone, lambda state: on(state, Redo())),
    "turn": (opened, turned),
    "jump": (opened, to_the_end),
    "go to": (opened, lambda state: on(state, GoTo(state.paths[len(state.paths) - 2]))),
    "folder": (opened, lambda state: on(state, TurnFolder(1), TurnFolder(-1), TurnFolder(-1))),
    "next undecided": (lambda state: on(state, JumpTo(0)), lambda s: on(s, NextUnreviewed())),
    "filter": (opened, filtered),
    "few": (opened, rejected),
    "Enter under a filter": (filtered, enter),
    "certain": (opened, lambda s: on(s, PlanKnown(frozenset(s.paths[:9]), "promised"))),
    "unsure": (opened, lambda s: on(s, ConfidenceScanned(frozenset(s.paths[:9])))),
    "sure": (
        opened,
        lambda s: on(s, ConfidenceScanned(frozenset(), dict.fromkeys(s.paths[:9], 0.5))),
    ),
    "Enter, the least certain first": (sorted_by_certainty, enter),
    "turn, the least certain first": (
        sorted_by_certainty,
        turned,
    ),
    "jump, the least certain first": (
        sorted_by_certainty,
        to_the_end,
    ),
    "next undecided, the least certain first": (at_the_end, lambda s: on(s, NextUnreviewed())),
}


@pytest.fixture(scope="module")
def reviews() -> tuple[ReviewState, ReviewState]:
    return half_done(FEW), half_done(MANY)


# two sets are laid over each other, 1,024 images at a time: some lines and bytes for each of them
LAID_OVER = {"filter", "few"}


@pytest.mark.parametrize("name", MOVES)
def test_a_move_costs_as_much_in_many_images_as_in_few(
    name: str, reviews: tuple[ReviewState, ReviewState]
) -> None:
    prepare, act = MOVES[name]
    few, many = (work(partial(act, prepare(state))) for state in reviews)
    leaves = (MANY - FEW) // 1024 if name in LAID_OVER else 0
    assert many.lines <= few.lines * 1.5 + 100 + 200 * leaves
    assert many.comparisons <= few.comparisons * 1.5 + 40
    assert many.allocated <= few.allocated * 1.5 + 4_000 + 600 * leaves


def test_a_crop_of_several_costs_as_much_in_many_images_as_in_few() -> None:
    def three_of_each(count: int) -> ReviewState:
        paths = [Path(f"{FOLDERS * n // count}/{n:06}.png") for n in range(count)]
        return opened(begin(paths, 3, wanted=tuple(map(Wanted, ("face", "bust", "full")))))

    few, many = (work(partial(enter, three_of_each(count // 3))) for count in (FEW, MANY))
    assert many.lines <= few.lines * 1.5 + 100
    assert many.allocated <= few.allocated * 1.5 + 4_000


def test_a_chunk_of_the_listing_costs_as_much_in_many_images_as_in_few() -> None:
    def growing(count: int) -> ReviewState:
        return replace(half_done(count), rest=Rest.COMING)

    def chunk(state: ReviewState) -> ReviewState:
        """Go on from the newest state, as a review does: an older one has to be copied."""
        first = len(latest[-1].listing)
        paths = tuple(f"z/{n:06}.png" for n in range(first, first + 200))
        latest.append(on(latest[-1], Listed(paths, {paths[0]: latest[0].settled["0/000001.png"]})))
        return state

    costs = []
    for count in (FEW, MANY):
        latest = [growing(count)]
        costs.append(work(partial(chunk, latest[0])))
    few, many = costs
    assert many.lines <= few.lines * 1.5 + 4_000
    assert many.comparisons <= few.comparisons * 1.5 + 40
    assert many.allocated <= few.allocated * 1.5 + 300_000


def test_a_search_that_meets_nothing_reads_a_thousand_names_at_a_time(
    reviews: tuple[ReviewState, ReviewState],
) -> None:
    few, many = (work(partial(missed, state)) for state in reviews)
    assert many.lines - few.lines <= 40 * (MANY - FEW) / 1024
    assert many.comparisons == few.comparisons == 0


def test_a_copy_and_a_search_would_be_seen() -> None:
    paths = [Path(n) for n in range(MANY)]
    assert work(lambda: Path("none") in paths).comparisons >= MANY
    assert work(lambda: dict.fromkeys(range(MANY))).allocated > 8 * MANY
    assert work(lambda: sum(1 for _ in paths)).lines >= MANY


def test_a_review_holds_few_bytes_of_each_image() -> None:
    """With all decided by this reviewer, and the names, which are half of it."""
    cropped = Status.CROPPED
    gc.collect()
    tracemalloc.start()
    try:
        paths = tuple(f"folder-{n // 500:03}/some image {n:07}.png" for n in range(MANY))
        settled = {
            path: Decided(Verdict.ADJUSTED, cropped, PixelBox(n, n, n + 900, n + 800))
            for n, path in enumerate(paths)
        }
        state = begin(paths, 3, settled, paths)
        del paths, settled
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(state.settled) == MANY
    assert held / MANY < 250
