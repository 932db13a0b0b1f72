"""A machine that makes any moves in a review, and counts and sorts anew what the review keeps."""

from collections import Counter
from collections.abc import Iterable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cropkit.collection import Counts
from cropkit.errors import IllegalMove
from cropkit.geometry import PixelBox, Size
from cropkit.records import Status, Verdict
from cropkit.review.model import (
    AddCrop,
    Applied,
    Arrange,
    Arrangement,
    Choose,
    ConfidenceScanned,
    Decide,
    Decided,
    DecidePage,
    Filter,
    Find,
    GoTo,
    ImageLoaded,
    JumpTo,
    Leased,
    LeasesKnown,
    LoadFailed,
    Loading,
    Mark,
    Move,
    NextFilter,
    NextSlot,
    NextUnreviewed,
    Nudge,
    PlanKnown,
    Redo,
    RemoveCrop,
    Restored,
    RestoreFailed,
    ReviewState,
    ToggleMark,
    ToggleOrder,
    TurnFolder,
    TurnPage,
    Undo,
    advance,
    begin,
    folder_of,
)
from cropkit.review.model.progress import SessionCounts, within
from cropkit.review.model.slots import image_of, keyed
from cropkit.wanted import Wanted

FOLDERS = ("", "a", "a/b", "c", "a")  # the last of them once more, apart from its like
PATHS = tuple(
    f"{folder}/{n}{place}.png".lstrip("/") for place, folder in enumerate(FOLDERS) for n in range(3)
)
ELSEWHERE = ("a/gone.png", "far/gone.png", "c/gone.png")
REJECTED = Decided(Verdict.REJECT, Status.REJECTED)
CROPPED = Decided(Verdict.ADJUSTED, Status.CROPPED, PixelBox(1, 2, 30, 40))
SETTLED = {path: (REJECTED, CROPPED)[n % 2] for n, path in enumerate((*ELSEWHERE, *PATHS[4:7]))}
STALE = (PATHS[9], "far/stale.png")

SLOTS = ("face", "bust")
COPIES = {"one crop": False, "slots": True, "copies": True}
WAYS: dict[str, tuple[Wanted, ...]] = {
    "one crop": (Wanted(),),
    "slots": tuple(map(Wanted, SLOTS)),
    "copies": (Wanted(),),
}
ALL = (*PATHS, *ELSEWHERE, *STALE, "unknown.png")
any_path = st.sampled_from((*ALL, *ALL, *(keyed(path, slot) for path in ALL for slot in SLOTS)))
moves = st.one_of(
    st.sampled_from([DecidePage(), DecidePage(), Undo(), Undo(), Redo(), NextFilter()]),
    st.sampled_from([AddCrop(), AddCrop(), RemoveCrop(), DecidePage(), ToggleOrder()]),
    st.sampled_from([NextUnreviewed(), NextSlot(), Nudge(1, 1), Find("A/"), Find("gone")]),
    st.builds(Choose, st.integers(0, 3)),
    st.builds(Decide, st.integers(0, 3)),
    st.builds(TurnPage, st.sampled_from([1, -1])),
    st.builds(TurnFolder, st.sampled_from([1, -1])),
    st.builds(JumpTo, st.integers(0, 16)),
    st.builds(GoTo, any_path),
    st.builds(Arrange, st.sampled_from(Arrangement)),
    st.builds(ToggleMark, st.sampled_from(Mark), st.integers(0, 8)),
    st.builds(LoadFailed, any_path, st.just("truncated")),
    st.builds(Applied, any_path, st.sampled_from(Status), st.sampled_from(["", "why"])),
    st.builds(Restored, any_path),
    st.builds(RestoreFailed, any_path),
    st.builds(
        ConfidenceScanned,
        st.frozensets(any_path),
        st.dictionaries(any_path, st.sampled_from([0.0, 0.5, 1.0]), max_size=9),
        st.booleans(),
    ),
    st.builds(
        LeasesKnown,
        st.tuples(st.builds(Leased, st.sampled_from(["", "Ben"]), st.frozensets(any_path))),
    ),
    st.builds(PlanKnown, st.frozensets(any_path), st.just("promised"), st.booleans()),
)


def after(state: ReviewState, move: Move) -> ReviewState:
    try:
        return advance(state, move).session
    except IllegalMove:
        return state


def arrived(state: ReviewState) -> ReviewState:
    for entry in state.entries:
        if isinstance(entry, Loading):
            size, cropped = Size(90, 80), image_of(entry.path) == PATHS[2]
            state = after(state, ImageLoaded(entry.path, "a" * 64, size, cropped=cropped))
    return state


def left(state: ReviewState) -> list[str]:
    """Return what is undecided, by looking at every image."""
    known = (state.settled, state.broken, state.restoring)
    return [path for path in state.listing if not any(path in each for each in known)]


def pages_left(state: ReviewState) -> list[int]:
    """Return the pages with something undecided, as they are gone to: what others have, last."""
    open_ones, theirs = set(left(state)), {crop for each in state.leases for crop in each.crops}
    order = [*range(state.page + 1, state.pages), *range(state.page + 1)]
    undecided = [page for page in order if open_ones & set(state.on_page(page))]
    return sorted(undecided, key=lambda p: (open_ones & set(state.on_page(p))) <= theirs)


def everything(state: ReviewState, paths: set[str]) -> dict[str, list[object]]:
    """Return all that is known of some images, by path, and in which order they stand."""
    by_path: dict[str, list[object]] = {
        path: [
            *(known.get(path) for known in (state.settled, state.broken, state.restoring)),
            *(path in some for some in (state.stale, state.paths)),
            path in state.redo and state.decision(path),
            [chosen for chosen in Filter if state.shows(path, chosen)],
        ]
        for path in paths
    }
    orders = (state.undo, state.redo, state.listing, state.paths)
    return by_path | {"": [[path for path in order if path in paths] for order in orders]}


def as_listed(state: ReviewState) -> list[str]:
    """Return what the pages show, in the order of the listing: folders and names follow it."""
    return list(map(state.images.index.path, state.shown))


def folders(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(folder_of, paths)))


class Kept(RuleBasedStateMachine):
    """Any moves, in a review with folders, with one crop or two, and images that are elsewhere."""

    @initialize(per_page=st.integers(1, 4), way=st.sampled_from(sorted(WAYS)))
    def start(self, per_page: int, way: str) -> None:
        wanted = WAYS[way]
        last = wanted[-1].slot
        settled = {keyed(path, last): decided for path, decided in SETTLED.items()}
        undo, stale = (
            [keyed(path, last) for path in some] for some in ((*ELSEWHERE, PATHS[5]), STALE)
        )
        self.state = begin(
            *(PATHS, per_page, settled, undo), stale=stale, wanted=wanted, copies=COPIES[way]
        )

    @rule(move=moves, arrives=st.booleans())
    def move(self, move: Move, arrives: bool) -> None:  # noqa: FBT001  (drawn by Hypothesis)
        before = arrived(self.state) if arrives else self.state
        self.state = after(before, move)
        if isinstance(move, AddCrop | RemoveCrop):
            both = set(before.listing) & set(self.state.listing)
            assert everything(self.state, both) == everything(before, both)

    @invariant()
    def what_is_left_is_what_nobody_looked_at(self) -> None:
        state, open_ones = self.state, left(self.state)
        assert [path for path in state.listing if state.undecided(path)] == open_ones
        assert not any(map(state.undecided, (*state.settled, *state.restoring, "unknown.png")))
        assert state.next_undecided_page() == next(iter(pages_left(state)), None)

    @invariant()
    def counts_are_those_of_the_decisions(self) -> None:
        state = self.state
        counts = SessionCounts(Counts(*[7] * 9)).of(state)
        by = Counter(decided.status for decided in state.settled.values())
        failed = sum(by[status] for status in Status if status.is_failure)
        assert (counts.total, counts.decided) == (
            len({*state.listing, *state.settled}),
            len(state.settled) - failed,
        )
        assert (counts.written, counts.waiting) == (by[Status.CROPPED], by[Status.WAITING])
        assert (counts.rejected, counts.skipped) == (by[Status.REJECTED], by[Status.SKIPPED])
        assert (counts.failed, counts.stale) == (failed, len(tuple(state.stale)))
        assert set(state.failed) == {p for p, d in state.settled.items() if d.status.is_failure}

    @invariant()
    def an_image_is_whole_when_each_of_its_crops_is_decided(self) -> None:
        images = self.state.images
        whole = [
            path
            for path in dict.fromkeys(PATHS)
            if all(keyed(path, slot) in self.state.settled for slot in images.required)
        ]
        expected = (len(PATHS), len(whole)) if images.required else (0, 0)
        assert (images.image_count, images.whole_count) == expected

    @invariant()
    def the_crops_of_an_image_follow_one_another(self) -> None:
        state = self.state
        for path in PATHS:
            crops = [crop for crop in state.listing if image_of(crop) == path]
            assert all(list(state.listing.of_image(crop)) == crops for crop in crops)

    @invariant()
    def a_folder_has_what_lies_in_it(self) -> None:
        state = self.state
        if state.entries:
            folder = folder_of(state.entries[state.chosen].path)
            mine = [path for path in state.listing if folder_of(path) == folder]
            there = [path for path in state.settled if folder_of(path) == folder]
            decided = [path for path in there if path in state.listing]
            assert within(state) == (len(decided), len(mine))

    @invariant()
    def filters_let_through_what_they_say(self) -> None:
        state = self.state
        open_ones = set(left(state))
        status = {path: decided.status for path, decided in state.settled.items()}
        for path in state.listing:
            assert state.shows(path, Filter.ALL)
            assert state.shows(path, Filter.UNREVIEWED) is (path in open_ones)
            assert state.shows(path, Filter.REJECTED) is (status.get(path) is Status.REJECTED)
            assert state.shows(path, Filter.FAILED) is (path in state.failed)
            assert state.shows(path, Filter.BROKEN) is (path in state.broken)
            assert state.shows(path, Filter.STALE) is (path in state.stale)
            done = path in status and path not in state.failed
            assert state.shows(path, Filter.SKIPPED) is (status.get(path) is Status.SKIPPED)
            assert state.shows(path, Filter.DONE) is done
        for chosen in Filter:
            # what was rejected is seen where it is now
            among = {*state.listing, *(status if chosen is Filter.REJECTED else ())}
            shown = [path for path in among if state.shows(path, chosen)]
            assert len(state.passing(chosen)) == len(shown)

    @invariant()
    def every_path_has_its_place(self) -> None:
        state = self.state
        for paths in (state.listing, state.paths):
            every = list(paths)
            assert [paths[n] for n in range(len(paths))] == every
            assert list(map(paths.index, every)) == list(range(len(every)))
            assert tuple(paths[1:4]) == tuple(every[1:4])
            assert paths == tuple(every)
            assert "unknown.png" not in paths

    @invariant()
    def folders_follow_one_another_as_their_first_images_do(self) -> None:
        state = self.state
        if not state.entries:
            return
        order = folders(as_listed(state))
        at = order.index(folder_of(state.entries[state.chosen].path))
        for step in (-1, 1):
            turned = after(state, TurnFolder(step))
            if 0 <= at + step < len(order):
                here = turned.entries[turned.chosen].path
                assert here == next(p for p in as_listed(state) if folder_of(p) == order[at + step])
            else:
                assert turned == state

    @invariant()
    def a_search_comes_to_the_next_with_the_letters(self) -> None:
        state = self.state
        every = as_listed(state)
        at = every.index(state.entries[state.chosen].path) if state.entries else 0
        for text in ("2.PNG", "gone", "a/b"):
            here = [image_of(path) == image_of(every[at]) for path in every] if every else []
            while at + 1 < len(every) and here[at + 1]:
                at += 1
            assert sorted(state.paths) == sorted(every)
            order = [*every[at + 1 :], *every[: at + 1]]
            wanted = next((path for path in order if text.casefold() in image_of(path)), None)
            reached = after(state, Find(text))
            if wanted is not None:
                assert reached.entries[reached.chosen].path == wanted

    @invariant()
    def what_can_be_done_again_is_not_decided(self) -> None:
        state = self.state
        assert len(set(state.redo)) == len(state.redo)
        assert all(state.decision(path).path == path for path in state.redo)
