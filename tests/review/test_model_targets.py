"""Boxes that are held to targets, as the model of the review has them."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from moving import on, opened, plain

from cropkit.errors import IllegalMove
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import Status, Suggestion, Verdict
from cropkit.review.model import (
    Applied,
    CarryBox,
    Choose,
    Decide,
    Decided,
    Drag,
    FullImage,
    ImageLoaded,
    Mark,
    Nudge,
    Open,
    Redo,
    ResetBox,
    Resize,
    Restored,
    ReviewState,
    SetBox,
    ToggleMark,
    ToggleTargets,
    TurnPage,
    Undo,
    advance,
    begin,
)
from cropkit.review.model.aiming import aimed, targets_of
from cropkit.review.model.box_editing import HANDLES, Grip, dragged
from cropkit.targets import buckets, nearest, snapped, targets
from cropkit.wanted import wanted

PATHS = ("0.png", "1.png", "2.png")
SIZE = Size(4000, 3000)
AMONG = targets("1024x1024, 832x1216, 1216x832")
WANTED = wanted(None, AMONG)
SUGGESTION = Suggestion(NormalizedBox(0.1, 0.1, 0.6, 0.7), "sidecar", "v3")


def looked(path: str) -> ImageLoaded:
    return ImageLoaded(path, "a" * 64, SIZE, (SUGGESTION,))


def fresh(per_page: int = 3) -> ReviewState:
    return opened(begin(PATHS, per_page, wanted=WANTED), looked)


def entry(state: ReviewState, position: int | None = None) -> Open:
    shown = state.entries[state.chosen if position is None else position]
    assert isinstance(shown, Open)
    return shown


def test_a_box_is_shown_as_it_fits_the_target_by_which_it_loses_least() -> None:
    shown = entry(fresh())
    raw = SUGGESTION.box.pixels(SIZE)
    fit = nearest(raw, SIZE, AMONG)
    assert (shown.box, shown.fit) == (fit.box, fit)
    assert shown.box != raw


def test_the_suggestion_as_it_was_fitted_is_accepted_and_the_decision_names_its_target() -> None:
    (decision,) = advance(fresh(), Decide()).decisions
    assert (decision.verdict, decision.target) == (Verdict.ACCEPT, "1024x1024")
    assert decision.box == entry(fresh()).box
    (decision,) = advance(on(fresh(), Nudge(5, 0)), Decide()).decisions
    assert decision.verdict is Verdict.ADJUSTED
    assert entry(on(fresh(), Nudge(5, 0), ResetBox())).verdict is Verdict.ACCEPT


def test_a_reject_is_for_no_target() -> None:
    (decision,) = advance(on(fresh(), ToggleMark(Mark.REJECT)), Decide()).decisions
    assert (decision.box, decision.target) == (None, None)


edges = st.integers(0, 3000)


@given(st.sampled_from(HANDLES), st.integers(-900, 900), st.integers(-900, 900))
def test_the_edges_that_no_hand_pulls_stay_where_there_is_room(
    grip: Grip, dx: int, dy: int
) -> None:
    state = on(fresh(), SetBox(PixelBox(1500, 1000, 2524, 2024)))
    before = entry(state).box
    after = entry(on(state, Drag(0, grip, before, dx, dy))).box
    column, row = grip.value
    inside = after.left > 0 and after.right < SIZE.width and after.top > 0
    assume(inside and after.bottom < SIZE.height)
    assert column <= 0 or after.left == before.left
    assert column >= 0 or after.right == before.right
    assert row <= 0 or after.top == before.top
    assert row >= 0 or after.bottom == before.bottom


def test_a_pull_chooses_among_targets() -> None:
    state = on(fresh(), SetBox(PixelBox(1500, 1000, 2524, 2024)))
    assert entry(state).fit == nearest(entry(state).box, SIZE, AMONG)
    wide = entry(on(state, Drag(0, Grip.RIGHT, entry(state).box, 600, 0)))
    tall = entry(on(state, Drag(0, Grip.BOTTOM, entry(state).box, 0, 600)))
    assert [each.fit and each.fit.target.name for each in (wide, tall)] == ["1216x832", "832x1216"]
    assert wide.fit
    asked = dragged(entry(state).box, Grip.RIGHT, (600, 0), SIZE)
    assert wide.fit.asked == asked
    assert wide.fit.lost == asked.size.area - _common(asked, wide.box) > 0


def _common(one: PixelBox, other: PixelBox) -> int:
    width = min(one.right, other.right) - max(one.left, other.left)
    return width * (min(one.bottom, other.bottom) - max(one.top, other.top))


@given(
    st.sampled_from(buckets("sdxl")),
    st.integers(20, 1500),
    st.sampled_from([Resize(1, 0), Resize(0, 1), Resize(10, 0), Resize(0, 10)]),
)
def test_each_press_of_a_key_makes_a_box_larger_and_its_reverse_as_it_was(
    target: object, width: int, move: Resize
) -> None:
    state = opened(begin(PATHS, wanted=wanted(None, [target])), looked)  # type: ignore[list-item]  # (of buckets)
    state = on(state, SetBox(PixelBox(0, 0, width, width)))
    before = entry(state).box
    larger = on(state, move)
    after = entry(larger).box
    assume(after.right < SIZE.width and after.bottom < SIZE.height)
    step = move.dx + move.dy
    short = min(after.size.width, after.size.height) - min(before.size.width, before.size.height)
    assert short == step
    again = entry(on(larger, Resize(-move.dx, -move.dy))).box
    assert abs(again.size.width - before.size.width) <= 1
    assert abs(again.size.height - before.size.height) <= 1


def test_boxes_are_let_go_and_held_again() -> None:
    state = on(fresh(), ToggleTargets())
    raw = SUGGESTION.box.pixels(SIZE)
    assert (entry(state).box, entry(state).fit) == (raw, None)
    assert entry(state).verdict is Verdict.ACCEPT
    (decision,) = advance(state, Decide()).decisions
    assert (decision.target, decision.box) == (None, raw)
    free = PixelBox(7, 8, 1900, 1000)
    state = on(state, SetBox(free))
    assert entry(state).box == free
    later = opened(on(state, TurnPage(0)), looked) if state.pages > 1 else state
    assert entry(later).box == free
    assert entry(on(state, ToggleTargets())).fit == nearest(free, SIZE, AMONG)
    assert on(fresh(), ToggleTargets(), ToggleTargets()).entries == fresh().entries
    with pytest.raises(IllegalMove, match="for a target"):
        on(opened(begin(PATHS)), ToggleTargets())


def test_a_carried_box_and_the_full_image_are_held_too() -> None:
    state = on(fresh(), SetBox(PixelBox(100, 100, 1500, 1300)), Decide(), Choose(1), CarryBox())
    assert entry(state).box == snapped(entry(state).box, SIZE, AMONG[0])
    fit = entry(on(state, FullImage())).fit
    assert fit
    assert fit.box == nearest(PixelBox.full(SIZE), SIZE, AMONG).box


def test_a_crop_that_would_be_enlarged_is_too_small() -> None:
    state = on(fresh(), SetBox(PixelBox(0, 0, 1024, 1024)))
    assert not state.too_small(entry(state))
    state = on(state, SetBox(PixelBox(0, 0, 1023, 1023)))
    assert state.too_small(entry(state))
    assert not state.too_small(entry(on(state, ToggleTargets())))
    ratios = opened(begin(PATHS, wanted=wanted(None, "1:1")), plain)
    assert not ratios.too_small(entry(on(ratios, SetBox(PixelBox(0, 0, 3, 3)))))


def test_crops_are_counted_by_target_until_they_fail_or_are_taken_back() -> None:
    state = on(fresh(), Decide(0), Decide(1))
    count = state.images.outcomes.crops_by_target
    assert count() == {"1024x1024": 2}
    assert state.settled["0.png"].target == "1024x1024"
    state = on(state, Applied("0.png", Status.CROPPED), Applied("1.png", Status.FAILED, "why"))
    assert state.images.outcomes.crops_by_target() == {"1024x1024": 1}
    state = opened(on(state, Undo(), Restored("0.png")), looked)
    assert +state.images.outcomes.crops_by_target() == {}
    assert on(state, Redo()).images.outcomes.crops_by_target() == {"1024x1024": 1}
    cropped = Decided(Verdict.ACCEPT, Status.CROPPED, PixelBox(0, 0, 9, 9), target="1:1")
    state = begin(PATHS, settled={"2.png": cropped}, wanted=WANTED)
    assert state.images.outcomes.crops_by_target() == {"1:1": 1}
    assert state.settled["2.png"] == cropped


def test_a_decided_box_comes_back_as_it_was() -> None:
    state = on(fresh(), Drag(0, Grip.LEFT, entry(fresh()).box, -200, 0))
    box = entry(state).box
    state = opened(on(state, Decide(0), Undo(), Restored("0.png")), looked)
    assert entry(state, 0).box == box


def test_each_slot_has_its_own_targets_and_an_added_one_has_all() -> None:
    several = wanted({"face": "1:1", "wide": "16:9, 1:1", "any": ""})
    square, wide = targets("1:1, 16:9")
    assert targets_of("a.png//face", several) == (square,)
    assert targets_of("a.png//wide", several) == (wide, square)
    assert targets_of("a.png//any", several) == ()
    assert targets_of("a.png//2", several) == (square, wide)


def test_a_pulled_box_stays_in_the_image() -> None:
    asked = PixelBox(0, 2800, 3900, 3000)
    fit = aimed(asked, SIZE, AMONG, Grip.BOTTOM)
    assert fit.box.within(SIZE)
    assert snapped(fit.box, SIZE, fit.target) == fit.box
