"""An image may be turned: everything on the page is as it is seen, what is decided as it is."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from moving import on, opened

from cropkit.errors import IllegalMove
from cropkit.geometry import NO_TURN, NormalizedBox, PixelBox, Size, Turn
from cropkit.records import Status, Suggestion, Verdict
from cropkit.review.model import (
    AddCrop,
    Applied,
    CarryBox,
    CarryOn,
    Choose,
    Decide,
    DecidedElsewhere,
    DecidePage,
    Done,
    DraftDecision,
    Drag,
    FitSubjects,
    FullImage,
    ImageLoaded,
    Mark,
    Move,
    NextCandidate,
    Open,
    Pick,
    PickAll,
    Redo,
    ResetBox,
    Restored,
    ReviewState,
    SetBox,
    SetRatio,
    ShareBox,
    ToggleLock,
    ToggleMark,
    TurnImage,
    TurnLock,
    TurnPage,
    Undo,
    advance,
    begin,
)
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.decided import Cut, Decided
from cropkit.review.model.foreseeing import foreseen
from cropkit.review.model.outcomes import Outcomes
from cropkit.review.model.state import as_seen, source_size
from cropkit.review.model.transforms import box_beside, is_changed
from cropkit.review.view.viewport import Zoom
from cropkit.straightening import is_inside
from cropkit.targets import fits
from cropkit.wanted import Wanted

PATHS = tuple(f"{n}.png" for n in range(6))
SIZE = Size(400, 300)
SUGGESTED = NormalizedBox(0.1, 0.2, 0.8, 0.7)
OTHER = NormalizedBox(0.5, 0.5, 1.0, 1.0)
BOX = PixelBox(40, 60, 320, 210)  # SUGGESTED in pixels
TURNS = [Turn(number) for number in range(1, 9)]
RIGHT, LEFT = TurnImage(Turn.of(90)), TurnImage(Turn.of(270))
FLIPS = TurnImage(Turn.of(0, "horizontal"))


def suggested(path: str) -> ImageLoaded:
    boxes = (Suggestion(SUGGESTED, "model"), Suggestion(OTHER, "model", rank=1))
    return ImageLoaded(path, "a" * 64, SIZE, boxes)


def fresh() -> ReviewState:
    return opened(begin(PATHS, 3), suggested)


def chosen(state: ReviewState) -> Open:
    entry = state.entries[state.chosen]
    assert isinstance(entry, Open)
    return entry


def entry(state: ReviewState, position: int) -> Open:
    return chosen(replace(state, chosen=position))


def decided(state: ReviewState) -> DraftDecision:
    return advance(state, Decide()).decisions[0]


turns = st.sampled_from(TURNS)


@given(strategies.sizes_with_boxes(), turns)
def test_a_box_as_it_is_seen_is_the_box_of_the_image_and_back(
    sized: tuple[Size, PixelBox], turn: Turn
) -> None:
    size, box = sized
    cut = Cut(box, size, turn)
    shown = Open("a.png", "a" * 64, size.turned(turn), (), cut.seen, turn=turn)
    assert shown.cut == cut
    assert as_seen(shown, box) == shown.box
    assert source_size(shown) == size
    done = Done.of("a.png", Decided(Verdict.ADJUSTED, Status.WAITING, box, turn=turn), size)
    assert (done.box, done.size) == (shown.box, shown.size)


@given(strategies.sizes_with_boxes(400), st.lists(turns, max_size=6))
def test_however_it_is_turned_the_box_keeps_its_pixels(
    sized: tuple[Size, PixelBox], ways: list[Turn]
) -> None:
    size, box = sized
    state = opened(begin(PATHS, 3), lambda path: ImageLoaded(path, "a" * 64, size))
    state = on(state, SetBox(box), *map(TurnImage, ways))
    together = NO_TURN
    for way in ways:
        together = together.then(way)
    decision = decided(state)
    assert (decision.box, decision.size, decision.turn) == (box, size, together)
    assert chosen(state).size == size.turned(together)


@given(st.floats(0, 1), st.floats(0, 1), turns)
def test_a_zoom_shows_the_same_place_of_what_is_turned(x: float, y: float, turn: Turn) -> None:
    zoom = Zoom(2.0, x, y)
    back = zoom.turned(turn).turned(turn.inverse)
    assert [back.x, back.y] == pytest.approx([x, y])
    pixel, size = PixelBox(30, 10, 31, 11), Size(100, 80)
    seen = pixel.turned(size, turn)
    there = Zoom(2.0, 30.5 / 100, 10.5 / 80).turned(turn)
    after = size.turned(turn)
    assert there.x == pytest.approx((seen.left + 0.5) / after.width)
    assert there.y == pytest.approx((seen.top + 0.5) / after.height)


@pytest.mark.parametrize("turn", [*TURNS, Turn(6, 130), Turn(1, -5)])
def test_what_is_decided_is_remembered_with_its_turn(turn: Turn) -> None:
    stands = Decided(Verdict.ADJUSTED, Status.WAITING, BOX, turn=turn)
    outcomes = Outcomes.of([(3, stands)])
    assert outcomes.get(3) == stands
    assert bool(outcomes.loose) is turn.resamples
    assert outcomes.put(3, replace(stands, status=Status.CROPPED)).get(3) == replace(
        stands, status=Status.CROPPED
    )


def test_a_turn_is_a_step_that_is_taken_back_and_done_again() -> None:
    state = on(fresh(), RIGHT, FLIPS)
    once = on(state, Undo())
    assert chosen(once) == chosen(on(fresh(), RIGHT))
    assert chosen(on(once, Undo())) == chosen(fresh())
    assert chosen(on(once, Redo())) == chosen(state)


def test_a_turn_stays_with_an_image_that_leaves_the_page() -> None:
    state = on(fresh(), RIGHT, SetBox(PixelBox(10, 20, 110, 220)))
    there = opened(on(state, TurnPage(1)), suggested)
    back = opened(on(there, TurnPage(-1)), suggested)
    assert chosen(back) == chosen(state)
    gone = opened(on(there, Undo(), Undo()), suggested)  # the turn, too, from another page
    assert chosen(gone) == chosen(fresh())
    assert chosen(opened(on(there, Undo(), Redo()), suggested)) == chosen(state)
    again = on(fresh(), RIGHT, Undo(), TurnPage(1), Redo(), Undo())
    assert chosen(opened(again, suggested)) == chosen(fresh())


def test_a_decision_that_is_taken_back_is_shown_as_it_was_turned() -> None:
    state = on(fresh(), RIGHT)
    path = chosen(state).path
    done = on(state, Decide())
    assert isinstance(done.entries[0], Done)
    assert done.entries[0].box == chosen(state).box
    back = on(done, Applied(path, Status.CROPPED), Undo(), Restored(path))
    back = opened(back, suggested)
    assert chosen(back).cut == chosen(state).cut
    again = advance(back, Redo())
    assert again.decisions[0].turn == RIGHT.by
    assert getattr(again.session.entries[0], "size", None) == SIZE.turned(RIGHT.by)


def test_a_selection_is_turned_together_and_one_image_alone() -> None:
    state = on(fresh(), Pick(0), Pick(2), RIGHT)
    assert [entry(state, n).turn for n in range(3)] == [RIGHT.by, NO_TURN, RIGHT.by]
    assert all(entry(on(state, Undo()), n).turn.is_none for n in range(3))


@pytest.mark.parametrize("moves", [(ToggleLock(),) * 5, (SetRatio(3, 1),), (ToggleLock(),) * 2])
def test_what_holds_a_box_holds_it_as_it_is_seen(moves: tuple[Move, ...]) -> None:
    """4:5; a ratio of one's own; the image's."""
    state = on(fresh(), *moves, RIGHT)
    shown = chosen(state)
    assert shown.fit is not None
    assert fits(shown.box.size, shown.fit.target)
    assert shown.fit.asked == BOX.turned(SIZE, RIGHT.by)
    held = state.lock.ratio(shown.box.size, shown.size)
    assert held is not None
    assert shown.box.size.aspect_ratio == pytest.approx(held, rel=0.02)
    assert chosen(on(state, LEFT)) == chosen(on(fresh(), *moves))


def test_the_ratio_of_the_box_turns_with_it() -> None:
    state = on(fresh(), ToggleLock(), RIGHT)
    assert chosen(state).ratio == pytest.approx(150 / 280)
    assert chosen(on(state, TurnLock())).box.size.aspect_ratio == pytest.approx(280 / 150, rel=0.02)


def test_moves_after_a_turn_are_made_as_it_is_seen() -> None:
    state = on(fresh(), RIGHT)
    assert chosen(state).suggested == BOX.turned(SIZE, RIGHT.by)
    assert chosen(on(state, FullImage())).box == PixelBox(0, 0, 300, 400)
    assert chosen(on(state, FullImage(), ResetBox())) == chosen(state)
    other = OTHER.pixels(SIZE)
    assert chosen(on(state, NextCandidate())).cut == Cut(other, SIZE, RIGHT.by)
    around = chosen(on(state, FitSubjects())).cut.box
    assert around == chosen(on(fresh(), FitSubjects())).box
    with pytest.raises(IllegalMove):
        advance(state, SetBox(PixelBox(0, 0, 301, 400)))


def test_a_turn_takes_a_mark_away_and_counts_as_a_change() -> None:
    state = on(fresh(), ToggleMark(Mark.SKIP), RIGHT)
    assert chosen(state).mark is Mark.KEEP
    assert is_changed(state, chosen(state))
    assert not is_changed(state, chosen(on(state, LEFT)))
    assert decided(state).verdict is Verdict.ACCEPT
    assert decided(on(state, ToggleMark(Mark.REJECT))).turn.is_none


def test_a_whole_image_that_is_turned_is_no_untouched_one() -> None:
    state = opened(begin(PATHS, 3))
    assert decided(state).verdict is Verdict.KEPT_WHOLE
    upside_down = on(state, RIGHT, RIGHT)
    assert is_changed(upside_down, chosen(upside_down))
    turned = decided(on(state, RIGHT))
    assert (turned.verdict, turned.box) == (Verdict.ADJUSTED, PixelBox(0, 0, 4000, 3000))


CARRYING: dict[str, Callable[[ReviewState], ReviewState]] = {
    "carry": lambda state: on(state, Decide(), CarryBox()),
    "share": lambda state: on(state, PickAll(), ShareBox(), Choose(1)),
}


@pytest.mark.parametrize("how", CARRYING)
def test_a_box_goes_to_other_images_with_its_turn(how: str) -> None:
    state = on(fresh(), FLIPS, RIGHT, SetBox(PixelBox(1, 2, 200, 300)))
    after = CARRYING[how](state)
    assert entry(after, 1).cut == chosen(state).cut
    back = on(after, Undo())
    assert entry(back, 1).cut == entry(fresh(), 1).cut


def test_a_key_that_turns_a_picture_is_not_foreseen() -> None:
    """The browser draws boxes beforehand, and no picture."""
    same = on(fresh(), SetBox(PixelBox(1, 2, 200, 290)), Decide())
    assert len(foreseen(same, CarryBox()).after) == 1
    assert not foreseen(on(fresh(), RIGHT, Decide()), CarryBox()).after


def test_what_is_offered_for_a_folder_is_offered_with_its_turn() -> None:
    state = on(fresh(), RIGHT, SetBox(PixelBox(1, 2, 200, 300)))
    grid = opened(advance(state, CarryOn()).session, suggested)
    assert {e.cut for e in grid.entries if isinstance(e, Open)} == {chosen(state).cut}
    offered = entry(grid, 4)
    assert not is_changed(grid, offered)
    left = opened(on(grid, Undo()), suggested)
    assert entry(left, 4).cut == Cut(BOX, SIZE)


def test_each_crop_of_an_image_has_a_turn_of_its_own_and_shows_the_others_boxes() -> None:
    wanted = (Wanted("face", ()), Wanted("body", ()))
    state = opened(begin(PATHS, 2, wanted=wanted, copies=True), suggested)
    state = on(state, RIGHT, SetBox(PixelBox(10, 20, 110, 220)))
    face, body = entry(state, 0), entry(state, 1)
    assert body.turn.is_none
    assert box_beside(state, face, body.path) == BOX.turned(SIZE, RIGHT.by)
    assert box_beside(state, body, face.path) == face.cut.box
    added = opened(on(state, AddCrop()), suggested)
    assert chosen(added).cut == face.cut


def test_what_another_has_decided_is_shown_as_they_have_turned_it() -> None:
    theirs = Decided(Verdict.ADJUSTED, Status.WAITING, BOX, turn=FLIPS.by)
    state = on(fresh(), RIGHT, DecidedElsewhere(PATHS[0], theirs))
    done = state.entries[0]
    assert isinstance(done, Done)
    assert (done.size, done.box) == (SIZE, BOX.turned(SIZE, FLIPS.by))
    other = replace(theirs, box=PixelBox(0, 0, 9000, 10))  # of another content
    done = on(state, DecidedElsewhere(PATHS[0], other)).entries[0]
    assert isinstance(done, Done)
    assert done.size is None


def test_a_page_is_decided_with_each_images_turn() -> None:
    state = on(fresh(), RIGHT, Choose(2), FLIPS)
    decisions = advance(state, DecidePage()).decisions
    assert [d.turn for d in decisions] == [RIGHT.by, NO_TURN, FLIPS.by]
    assert {(d.box, d.size) for d in decisions} == {(BOX, SIZE)}


helds = st.sampled_from([(), (SetRatio(3, 2),)])
angles = st.integers(-4500, 4500).filter(bool).map(lambda hundredths: Turn(1, hundredths))


@given(strategies.sizes_with_boxes(400), angles, turns, st.sampled_from([None, (1, 1), (3, 2)]))
def test_a_straightened_box_is_inside_and_of_the_ratio_that_is_held(
    sized: tuple[Size, PixelBox], angle: Turn, quarters: Turn, ratio: tuple[int, int] | None
) -> None:
    size, box = sized
    state = opened(begin(PATHS, 3), lambda path: ImageLoaded(path, "a" * 64, size))
    state = on(state, SetBox(box), TurnImage(quarters))
    state = on(state, SetRatio(*ratio)) if ratio else state
    try:
        after = on(state, TurnImage(angle))
    except IllegalMove:
        return  # too small
    shown = chosen(after)
    decision = decided(after)
    assert decision.box is not None
    assert is_inside(decision.box, size, decision.turn)
    assert is_inside(shown.box, shown.size, shown.turn)
    if ratio and min(shown.box.size.width, shown.box.size.height) > 40:
        assert shown.fit is not None
        assert fits(shown.box.size, shown.fit.target)
    assert chosen(on(after, TurnImage(angle.inverse))).cut == chosen(state).cut


def test_the_largest_box_of_a_ratio_is_one_pixel_smaller_where_it_has_no_place() -> None:
    size, ratio = Size(997, 613), (16, 9)
    state = opened(begin(PATHS, 3), lambda path: ImageLoaded(path, "a" * 64, size))
    shown = chosen(on(state, SetRatio(*ratio), FullImage(), TurnImage(Turn(1, 4379))))
    assert is_inside(shown.box, size, shown.turn)
    assert shown.fit is not None
    assert fits(shown.box.size, shown.fit.target)


@given(st.sampled_from(Grip), st.integers(-400, 400), st.integers(-400, 400), turns, helds)
def test_a_pull_of_a_straightened_box_ends_inside(
    grip: Grip, dx: int, dy: int, quarters: Turn, held: tuple[Move, ...]
) -> None:
    state = on(fresh(), TurnImage(quarters), TurnImage(Turn(1, 730)), *held)
    before = chosen(state)
    after = chosen(on(state, Drag(0, grip, before.box, dx, dy)))
    assert is_inside(after.cut.box, SIZE, after.turn)
    if grip is not Grip.WHOLE and not held:
        edges = zip(before.box.xyxy, after.box.xyxy, strict=True)
        stays = [was == now for was, now in edges]
        column, row = grip.value
        assert all(stays[at] for at in ({-1: [2], 1: [0], 0: [0, 2]}[column]))
        assert all(stays[at] for at in ({-1: [3], 1: [1], 0: [1, 3]}[row]))


def test_angles_add_up_to_what_a_turn_has_and_a_held_key_is_one_step() -> None:
    by = TurnImage(Turn.of(angle="0.1"))
    state = fresh()
    for again in (False, True, True):
        state = advance(state, by, again=again).session
    assert chosen(state).turn == Turn(1, 30)
    assert chosen(on(state, Undo())) == chosen(fresh())
    mirrored = on(state, FLIPS, by)
    assert decided(mirrored).turn == Turn(2, 20), "clockwise as it is seen"
    with pytest.raises(IllegalMove, match="45 degrees"):
        on(fresh(), *[TurnImage(Turn.of(angle=20))] * 3)
    tiny = opened(begin(PATHS, 3), lambda path: ImageLoaded(path, "a" * 64, Size(1, 1)))
    with pytest.raises(IllegalMove, match="too small"):
        on(tiny, TurnImage(Turn.of(angle=20)))


def test_what_is_suggested_counts_as_it_is_offered_in_a_straightened_image() -> None:
    state = on(fresh(), TurnImage(Turn.of(angle=44)))
    assert chosen(state).box != BOX
    assert decided(state).verdict is Verdict.ACCEPT
    whole = chosen(on(state, FullImage()))
    assert whole.box.size.aspect_ratio == pytest.approx(4 / 3, rel=0.03)
    assert chosen(on(state, FullImage(), TurnImage(Turn.of(angle=-44)))).box == PixelBox.full(SIZE)
