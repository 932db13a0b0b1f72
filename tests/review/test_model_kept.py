"""What a review keeps counted and sorted is what counting and sorting anew would say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept_review import PATHS, REJECTED, Kept, after, arrived

from cropkit.collection import Counts
from cropkit.geometry import PixelBox
from cropkit.records import Status, Verdict
from cropkit.review.model import (
    Applied,
    Decide,
    Decided,
    Filter,
    GoTo,
    NextFilter,
    RestoreFailed,
    TurnFolder,
    Undo,
    begin,
)
from cropkit.review.model.progress import SessionCounts, within


def test_an_image_that_comes_back_is_counted_once_and_in_its_folder() -> None:
    state = begin((*PATHS, "a/1.png"), 3, {"a/gone.png": REJECTED}, ("a/gone.png",))
    assert state.total == len(PATHS) + 2
    before = within(after(state, GoTo("a/1.png")))
    state = after(state, Undo())
    assert (state.total, state.listing[-1]) == (len(PATHS) + 2, "a/gone.png")
    assert within(state) == (before[0], before[1] + 1)
    state = after(state, RestoreFailed("a/gone.png"))
    assert (state.total, within(state)) == (len(PATHS) + 2, (before[0] + 1, before[1] + 1))


def test_a_decision_is_counted_by_what_became_of_it_last() -> None:
    state = after(arrived(begin(PATHS, 2)), Decide(0))
    counts = SessionCounts(Counts(*[7] * 9))
    assert (counts.of(state).waiting, counts.of(state).written) == (1, 0)
    state = after(state, Applied(PATHS[0], Status.CROPPED))
    assert (counts.of(state).waiting, counts.of(state).written) == (0, 1)
    assert len(state.failed) == 0


def test_a_folder_of_which_nothing_is_listed_any_more_follows_too() -> None:
    gone = {"a/gone.png": REJECTED, "c/gone.png": REJECTED}
    state = begin(PATHS, 1, {**gone, PATHS[5]: REJECTED})
    while state.filter is not Filter.REJECTED:
        state = after(state, NextFilter())
    there = after(state, TurnFolder(1))
    assert there.entries[there.chosen].path == "c/gone.png"
    back = after(there, TurnFolder(-1))
    assert back.entries[back.chosen].path == PATHS[5]


TestKept = Kept.TestCase
TestKept.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@given(
    st.dictionaries(
        st.sampled_from(PATHS),
        st.builds(
            Decided,
            st.none() | st.sampled_from(Verdict),
            st.sampled_from(Status),
            st.none() | st.sampled_from([PixelBox(0, 0, 1, 1), PixelBox(5, 6, 1 << 32, 1 << 40)]),
            st.sampled_from(["", "no space"]),
        ),
    )
)
def test_every_decision_is_kept_as_it_is(settled: dict[str, Decided]) -> None:
    state = begin(PATHS, 3, settled)
    assert dict(state.settled) == settled
    assert len(state.settled) == len(settled)


def test_an_image_that_is_named_twice_is_listed_once() -> None:
    assert begin(("a.png", "b.png", "a.png")).listing == ("a.png", "b.png")


def test_what_is_not_known_has_no_place_and_no_decision() -> None:
    state = begin(PATHS)
    with pytest.raises(ValueError, match=r"unknown\.png"):
        state.listing.index("unknown.png")
    with pytest.raises(KeyError, match=r"unknown\.png"):
        _ = state.settled["unknown.png"]
