"""A review whose images come bit by bit is the one that begins with all of them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from kept_review import (
    COPIES,
    CROPPED,
    ELSEWHERE,
    PATHS,
    REJECTED,
    SETTLED,
    STALE,
    WAYS,
    Kept,
    arrived,
)
from moving import on, opened

from cropkit.errors import IllegalMove
from cropkit.records import Status, Verdict
from cropkit.review.model import (
    AddCrop,
    Choose,
    ConfidenceScanned,
    Decided,
    DecidePage,
    Filter,
    Find,
    GoTo,
    JumpTo,
    Listed,
    ListedAll,
    ListingFailed,
    NextFilter,
    NextUnreviewed,
    Rest,
    ReviewState,
    Stay,
    TurnFolder,
    TurnPage,
    Undo,
    begin,
)
from cropkit.review.model.listing import Index
from cropkit.review.model.slots import image_of, is_added, keyed, slot_of
from cropkit.wanted import Wanted

SIX = tuple(f"{n}.png" for n in range(6))
DONE = dict.fromkeys(SIX, CROPPED)


def is_of(crop: str, paths: tuple[str, ...], wanted: tuple[Wanted, ...]) -> bool:
    """Whether a crop is one of those that some images are listed with."""
    slots = tuple(each.slot for each in wanted)
    return image_of(crop) in paths and (slot_of(crop) in slots or is_added(crop, slots))


def part(
    paths: tuple[str, ...],
    settled: dict[str, Decided],
    stale: tuple[str, ...],
    wanted: tuple[Wanted, ...],
) -> Listed:
    """Return what tells of some images."""
    of_them = {crop: decided for crop, decided in settled.items() if is_of(crop, paths, wanted)}
    return Listed(paths, of_them, tuple(crop for crop in stale if is_of(crop, paths, wanted)))


def rest_of(state: ReviewState, settled: dict[str, Decided], stale: tuple[str, ...]) -> Listed:
    """Return what tells of all that is not listed."""
    number = state.images.index.number
    gone = {crop: decided for crop, decided in settled.items() if number(crop) is None}
    return Listed((), gone, tuple(crop for crop in stale if number(crop) is None))


def cut(paths: tuple[str, ...], sizes: list[int]) -> Iterator[tuple[str, ...]]:
    at = 0
    for size in sizes:
        yield paths[at : at + size]
        at += size
    yield paths[at:]


many = tuple(f"set{n // 700}/{n:05}.png" for n in range(2_600))
some_paths = st.sampled_from([PATHS, SIX, many])


@st.composite
def collections(draw: st.DrawFn) -> dict[str, Any]:
    paths = draw(some_paths)
    way = draw(st.sampled_from(["one crop", "slots", "copies"]))
    slots = (*(each.slot for each in WAYS[way]), "2")
    crops = st.builds(
        keyed, st.sampled_from((*paths[:9], *paths[-9:], *ELSEWHERE)), st.sampled_from(slots)
    )
    outcome = st.builds(
        Decided,
        st.sampled_from(Verdict),
        st.sampled_from(Status),
        st.just(CROPPED.box),
        st.sampled_from(["", "why"]),
    )
    settled = draw(st.dictionaries(crops, outcome, max_size=30))
    changed = draw(
        st.lists(crops.filter(lambda crop: crop not in settled), unique=True, max_size=3)
    )
    undo = draw(st.permutations(sorted(settled)))
    place = draw(st.none() | st.sampled_from((*paths, "gone.png")))
    kept = {"settled": settled, "stale": tuple(changed), "wanted": WAYS[way]}
    return {
        "paths": paths,
        "undo": undo,
        "place": place,
        "per_page": draw(st.integers(1, 5)),
        **kept,
    }


@settings(max_examples=120, deadline=None)
@given(collections(), st.lists(st.integers(0, 1_500) | st.integers(0, 5), max_size=6))
def test_whatever_the_chunks_it_is_what_all_at_once_would_be(
    known: dict[str, Any], sizes: list[int]
) -> None:
    paths, settled, stale, wanted = (
        known[name] for name in ("paths", "settled", "stale", "wanted")
    )
    whole = begin(**known)
    first, *others = cut(paths, sizes)
    told = part(first, settled, stale, wanted)
    state = begin(
        **known | {"paths": first, "settled": dict(told.settled), "stale": told.stale, "undo": ()},
        rest=Rest.COMING,
    )
    for some in others:
        state = on(state, part(some, settled, stale, wanted))
    state = on(state, rest_of(state, settled, stale))
    state = on(state, ListedAll(state.images.earlier(known["undo"])))
    assert state == whole


def test_a_state_sees_nothing_of_what_came_after_it() -> None:
    first = begin(many[:1_500], rest=Rest.COMING)
    later = on(first, Listed(many[1_500:]))
    other = on(first, Listed(("else/x.png", "else/y.png")))
    assert (len(first.listing), len(later.listing), len(other.listing)) == (1_500, 2_600, 1_502)
    assert first.images.index.number(many[-1]) is None
    assert later.listing[-1] == many[-1]
    assert other.listing[-2:] == ("else/x.png", "else/y.png")
    assert other.images.index.number(many[-1]) is None
    turned = on(first, TurnFolder(1), TurnFolder(1))
    assert turned.entries[turned.chosen].path == many[1_400]
    with pytest.raises(IllegalMove, match="last folder so far"):
        on(first, TurnFolder(1), TurnFolder(1), TurnFolder(1))
    assert on(later, Find(many[-1])).entries
    with pytest.raises(IllegalMove, match="is called"):
        on(first, Find(many[-1]))


def test_an_index_that_grows_takes_no_path_twice_in_hand() -> None:
    """Each table is filled once: what is entered is counted."""
    index, entered = Index(), 0
    for at in range(0, 40_000, 400):
        index = index.with_listed([f"{n}.png" for n in range(at, at + 400)])
        entered += 400
    tables = index.begun.names._tables
    assert sum(len(t.numbers) - t.numbers.count(-1) for t in tables) == entered
    assert len(tables) < 10
    assert [index.number(f"{n}.png") for n in (0, 399, 400, 39_999)] == [0, 399, 400, 39_999]


def test_what_is_not_listed_has_numbers_after_all_that_is() -> None:
    index = Index.of(("a.png",), ("gone.png",))
    with pytest.raises(ValueError, match="b"):
        index.with_listed(("b.png",))
    with pytest.raises(ValueError, match="c"):
        Index.of(("a.png",)).added("b.png").with_others(("c.png",))


# --- where the review stands, and where it goes by itself


def coming(paths: tuple[str, ...] = SIX[:2], **known: Any) -> ReviewState:
    return begin(paths, 2, rest=Rest.COMING, **known)


def ended(state: ReviewState) -> ReviewState:
    return on(state, ListedAll(state.images.earlier(())))


def test_the_end_is_not_reached_while_others_may_follow() -> None:
    state = opened(coming())
    state = on(state, DecidePage())
    assert (state.ended, state.onward, state.page) == (False, True, 0)
    further = on(state, Listed(SIX[2:4]))
    assert (further.page, further.onward, further.ended) == (1, False, False)
    assert ended(state).ended


def test_nobody_is_told_that_all_is_decided_while_others_may_follow() -> None:
    state = coming(settled={path: DONE[path] for path in SIX[:2]})
    assert (state.ended, state.onward) == (False, True)
    waiting = on(on(state, Stay()), NextUnreviewed())
    assert waiting.onward
    assert on(waiting, Listed(SIX[2:4])).page == 1
    assert ended(waiting).ended
    lost = on(waiting, ListingFailed())
    assert (lost.ended, lost.rest) == (False, Rest.LOST)
    with pytest.raises(IllegalMove, match="broke off"):
        on(lost, NextUnreviewed())
    assert not on(lost, DecidePage()).ended


def test_a_page_that_somebody_works_on_stays() -> None:
    decided = {path: DONE[path] for path in SIX[:2]}
    for state in (coming(settled=decided), coming(place=SIX[5])):
        for move in (Choose(1), TurnPage(0), Stay()):
            stays = ended(on(state, move, Listed(SIX[2:])))
            assert (stays.page, stays.ended, stays.resuming) == (0, False, "")
    assert ended(on(coming(settled=decided), Stay())).ended is False


def test_the_review_goes_where_it_was_left_when_that_is_listed() -> None:
    state = coming(place=SIX[5])
    assert (state.page, state.resuming) == (0, SIX[5])
    assert on(state, Listed(SIX[2:4])).resuming == SIX[5]
    there = on(state, Listed(SIX[2:4]), Listed(SIX[4:]))
    assert (there.page, there.resuming) == (2, "")
    with pytest.raises(IllegalMove):
        on(state, TurnPage(1))
    gone = coming(place="gone.png", settled={path: DONE[path] for path in SIX[:2]})
    gone = on(gone, Listed(SIX[2:]))
    assert (gone.page, gone.resuming) == (0, "gone.png")
    assert (ended(gone).page, ended(gone).resuming) == (1, "")


def test_what_is_all_decided_has_ended_wherever_it_was_left() -> None:
    first = {path: DONE[path] for path in SIX[:2]}
    others = {path: DONE[path] for path in SIX[2:]}
    for place, shown in ((SIX[0], SIX[0]), (SIX[5], SIX[4])):
        state = on(coming(place=place, settled=first), Listed(SIX[2:], others))
        assert (state.ended, state.entries[0].path) == (False, shown)
        assert ended(state) == begin(SIX, 2, DONE, (), place)
        assert not ended(on(state, Stay(), Choose(0))).ended, "somebody looks at it"


def test_a_page_has_what_comes_as_far_as_it_has_room() -> None:
    state = opened(begin(SIX[:2], 4, rest=Rest.COMING))
    fuller = on(state, Listed(SIX[2:]))
    assert [entry.path for entry in fuller.entries] == [*SIX[:4]]
    assert fuller.entries[:2] == state.entries
    empty = begin((), 4, rest=Rest.COMING)
    assert (empty.ended, empty.entries) == (False, ())
    assert on(empty, Listed(SIX)).entries[0].path == SIX[0]
    assert ended(empty).ended


def test_a_filter_lets_through_what_comes() -> None:
    state = on(coming(settled={SIX[0]: DONE[SIX[0]]}), NextFilter())
    assert (state.filter, list(state.paths)) == (Filter.UNREVIEWED, [SIX[1]])
    more = on(state, Listed(SIX[2:], {SIX[3]: REJECTED}))
    assert list(more.paths) == [SIX[1], SIX[2], SIX[4], SIX[5]]
    assert [entry.path for entry in more.entries] == [SIX[1], SIX[2]]


@pytest.mark.parametrize(
    ("move", "words"),
    [
        (JumpTo(5), "no image 6 of 2 so far"),
        (Find("5.png"), r"called '5\.png' so far"),
        (GoTo("5.png"), "not listed so far"),
        (TurnPage(1), "no page follows so far"),
        (TurnFolder(1), "last folder so far"),
        (Undo(), "when every image is listed"),
        (AddCrop(), "when every image is listed"),
    ],
)
def test_what_cannot_be_known_yet_is_not_said(move: Any, words: str) -> None:
    state = opened(coming(copies=True))
    with pytest.raises(IllegalMove, match=words):
        on(state, move)
    lost = on(state, ListingFailed())
    with pytest.raises(IllegalMove) as refused:
        on(lost, move)
    assert "so far" not in str(refused.value)


def test_what_this_session_decided_is_taken_back_before_what_others_did() -> None:
    state = on(opened(coming()), DecidePage())
    assert list(state.undo) == [*SIX[:2]]
    state = on(state, Listed(SIX[2:], {SIX[4]: CROPPED, SIX[5]: CROPPED}))
    state = on(state, ListedAll(state.images.earlier((SIX[5], SIX[4], "unknown.png"))))
    assert list(state.undo) == [SIX[5], SIX[4], *SIX[:2]]


def test_what_has_failed_meanwhile_is_not_taken_back() -> None:
    state = on(coming(), Listed(SIX[2:], dict(DONE) and {path: DONE[path] for path in SIX[2:]}))
    earlier = state.images.earlier(SIX[2:])
    images = state.images.not_decided(SIX[2])
    images = images.decided(SIX[3], replace(CROPPED, status=Status.FAILED))
    assert list(on(replace(state, images=images), ListedAll(earlier)).undo) == [*SIX[4:]]


def test_nothing_more_is_listed_after_all_is() -> None:
    for state in (begin(SIX), ended(coming())):
        for move in (Listed(("x.png",)), ListedAll(state.images.earlier(()))):
            with pytest.raises(IllegalMove, match="every image is listed"):
                on(state, move)


def test_what_is_unsure_and_not_listed_takes_no_number() -> None:
    state = on(coming(), ConfidenceScanned(frozenset(SIX)))
    assert len(on(state, Listed(SIX[2:])).listing) == 6


class Streamed(Kept):
    """Any moves between the chunks; all that `Kept` holds of a review holds of what is listed."""

    @initialize(
        per_page=st.integers(1, 4),
        way=st.sampled_from(sorted(WAYS)),
        count=st.integers(0, 6),
        place=st.none() | st.sampled_from(PATHS),
    )
    def start(self, per_page: int, way: str, count: int = 0, place: str | None = None) -> None:
        self.wanted, self.come = WAYS[way], count
        last = self.wanted[-1].slot
        self.settled = {keyed(path, last): decided for path, decided in SETTLED.items()}
        self.stale = tuple(keyed(path, last) for path in STALE)
        told = part(PATHS[:count], self.settled, self.stale, self.wanted)
        self.state = begin(
            *(told.paths, per_page, dict(told.settled), (), place),
            stale=told.stale,
            wanted=self.wanted,
            copies=COPIES[way],
            rest=Rest.COMING,
        )

    @precondition(lambda self: self.state.rest is Rest.COMING)
    @rule(count=st.integers(0, 6), arrives=st.booleans())
    def list_more(self, count: int, arrives: bool) -> None:  # noqa: FBT001  (drawn by Hypothesis)
        state = arrived(self.state) if arrives else self.state
        before = self.state = state
        move = part(PATHS[self.come : self.come + count], self.settled, self.stale, self.wanted)
        self.come += count
        self.state = on(state, move)
        if not (before.resuming or before.onward):  # what it returned to stays until all is listed
            assert self.state.entries[: len(before.entries)] == before.entries
            assert (self.state.page, self.state.filter) == (before.page, before.filter)

    @precondition(lambda self: self.state.rest is Rest.COMING and self.come >= len(PATHS))
    @rule()
    def list_all(self) -> None:
        state = on(self.state, rest_of(self.state, self.settled, self.stale))
        last = self.wanted[-1].slot
        undo = [keyed(path, last) for path in (*ELSEWHERE, PATHS[5])]
        self.state = on(state, ListedAll(state.images.earlier(undo)))

    @invariant()
    def nothing_has_ended_before_all_is_listed(self) -> None:
        assert self.state.whole or not self.state.ended

    @invariant()
    def an_image_is_whole_when_each_of_its_crops_is_decided(self) -> None:
        images = self.state.images
        begun = [path for path in dict.fromkeys(map(image_of, self.state.listing)) if path in PATHS]
        whole = [
            path
            for path in begun
            if all(keyed(path, slot) in self.state.settled for slot in images.required)
        ]
        expected = (len(begun), len(whole)) if images.required else (0, 0)
        assert (images.image_count, images.whole_count) == expected


TestStreamed = Streamed.TestCase
TestStreamed.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
