"""What is done with several images at once, and a box that is carried to the rest of a folder."""

import pytest
from moving import on, opened

from cropkit.errors import IllegalMove
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import Suggestion, Verdict
from cropkit.review.model import (
    Arrange,
    Arrangement,
    CarryOn,
    Choose,
    ChooseNext,
    Decide,
    DecidePage,
    FullImage,
    ImageLoaded,
    LoadFailed,
    Mark,
    Move,
    Nudge,
    Open,
    Pick,
    PickAll,
    PickTo,
    Redo,
    ResetBox,
    Rest,
    ReviewState,
    SetBox,
    SetRatio,
    SetSize,
    ShareBox,
    ToggleLock,
    ToggleMark,
    TurnPage,
    Undo,
    advance,
    begin,
)

PATHS = (*(f"a/{n}.png" for n in range(12)), *(f"b/{n}.png" for n in range(3)))
SIZE, OTHER = Size(4000, 3000), Size(2000, 1000)
BOX = NormalizedBox(0.1, 0.2, 0.8, 0.7)
MINE = PixelBox(400, 300, 2400, 1500)


def suggested(path: str) -> ImageLoaded:
    size = OTHER if path == "a/4.png" else SIZE
    return ImageLoaded(path, "a" * 64, size, (Suggestion(BOX, "model", "v1"),))


def fresh() -> ReviewState:
    return opened(begin(PATHS, 6), suggested)


def entry(state: ReviewState, position: int) -> Open:
    there = state.entries[position]
    assert isinstance(there, Open)
    return there


def boxes(state: ReviewState) -> list[PixelBox]:
    return [entry(state, n).box for n in range(len(state.entries))]


def changed(before: ReviewState, after: ReviewState) -> list[int]:
    pairs = zip(before.entries, after.entries, strict=True)
    return [n for n, (was, now) in enumerate(pairs) if was != now]


def three() -> ReviewState:
    return on(fresh(), Pick(1), Pick(3))


def test_a_pick_beside_the_chosen_image_selects_both() -> None:
    state = three()
    assert state.picked == {PATHS[0], PATHS[1], PATHS[3]}
    assert state.chosen == 3
    assert on(state, Pick(1)).picked == {PATHS[0], PATHS[3]}
    assert on(fresh(), PickTo(4, 2)).picked == {*PATHS[2:5]}
    assert on(fresh(), PickTo(4, 2)).chosen == 2
    assert on(fresh(), PickAll()).picked == {*PATHS[:6]}
    assert not on(fresh(), PickAll(), PickAll()).picked


@pytest.mark.parametrize(
    "move",
    [Nudge(10, 0), FullImage(), SetBox(MINE), SetSize(Size(500, 400)), ToggleMark(Mark.SKIP)],
    ids=lambda move: type(move).__name__,
)
def test_what_a_key_does_to_one_of_the_selected_it_does_to_all_as_one_step(move: Move) -> None:
    before = three()
    after = on(before, move)
    assert changed(before, after) == [0, 1, 3]
    assert (after.picked, after.chosen) == (before.picked, before.chosen)
    back = on(after, Undo())
    assert (changed(before, back), len(back.edits)) == ([], 0)
    assert changed(after, on(back, Redo())) == []


def test_what_is_done_to_an_image_beside_them_is_done_to_that_alone() -> None:
    before = on(three(), ChooseNext(1))
    assert before.picked
    assert changed(before, on(before, Nudge(10, 0))) == [4]
    assert changed(before, on(before, ToggleMark(Mark.REJECT, 0))) == [0]


def test_another_image_that_is_chosen_and_a_page_that_is_turned_end_the_selection() -> None:
    assert on(three(), Choose(1)).picked
    assert not on(three(), Choose(4)).picked
    assert not on(three(), TurnPage(1)).picked


def test_a_move_that_one_of_them_refuses_changes_none() -> None:
    state = on(fresh(), PickTo(3, 4))
    for move in (SetSize(Size(3000, 900)), SetBox(PixelBox(0, 0, 3000, 900))):
        with pytest.raises(IllegalMove, match="2000 x 1000"):
            advance(state, move)


def test_where_no_image_is_shown_each_move_is_refused() -> None:
    for move in (Nudge(1, 0), ToggleMark(Mark.SKIP), Decide(), Pick(), PickAll(), ShareBox()):
        with pytest.raises(IllegalMove):
            advance(begin((), rest=Rest.COMING), move)


def test_a_mark_that_some_have_is_given_to_the_others_first() -> None:
    state = on(fresh(), ToggleMark(Mark.REJECT, 1), PickTo(0, 2), ToggleMark(Mark.REJECT))
    assert [entry(state, n).mark for n in range(4)] == [Mark.REJECT] * 3 + [Mark.KEEP]
    kept = on(state, ToggleMark(Mark.REJECT))
    assert [entry(kept, n).mark for n in range(3)] == [Mark.KEEP] * 3


def test_what_cannot_be_cropped_is_marked_with_the_others_and_its_box_let_be() -> None:
    broken = on(begin(PATHS, 3), LoadFailed(PATHS[1], "animated", "b" * 64, SIZE))
    state = on(opened(broken, suggested), PickAll())
    assert changed(state, on(state, Nudge(5, 0))) == [0, 2]
    assert changed(state, on(state, ToggleMark(Mark.SKIP))) == [0, 1, 2]


def test_a_ratio_is_given_to_the_selected_alone_and_taken_back_as_one_step() -> None:
    before = three()
    after = on(before, SetRatio(1, 1))
    assert changed(before, after) == [0, 1, 3]
    assert all(entry(after, n).box.size.aspect_ratio == 1 for n in (0, 1, 3))
    assert (str(after.lock), str(after.lock_at_hand)) == ("free", "1:1")
    assert changed(before, on(after, Undo())) == []
    image = on(before, ToggleLock(), ToggleLock())
    assert str(image.lock_at_hand) == "image"
    again = on(image, ResetBox())
    assert all(entry(again, n).ratio == SIZE.aspect_ratio for n in (0, 1, 3))
    assert str(on(image, Choose(5)).lock_at_hand) == "free"
    assert on(image, Undo()).lock_at_hand != image.lock_at_hand


def test_a_box_is_shared_as_the_same_parts_of_each_image() -> None:
    before = on(fresh(), SetBox(MINE), Pick(4), Pick(2), Choose(0))
    after = on(before, ShareBox())
    assert changed(before, after) == [2, 4]
    assert entry(after, 2).box == MINE
    assert entry(after, 4).box == PixelBox(200, 100, 1200, 500)
    assert changed(before, on(after, Undo())) == []
    with pytest.raises(IllegalMove, match="no other image is selected"):
        advance(fresh(), ShareBox())


def test_the_selected_are_decided_by_one_press_which_one_step_takes_back() -> None:
    step = advance(three(), Decide())
    assert [decision.path for decision in step.decisions] == [PATHS[0], PATHS[1], PATHS[3]]
    assert not step.session.picked
    assert set(advance(step.session, Undo()).undone) == {PATHS[0], PATHS[1], PATHS[3]}


def test_a_box_that_is_carried_on_is_offered_for_each_image_of_the_folder_and_size() -> None:
    state = on(fresh(), Choose(5), Nudge(7, 0), Choose(0), SetBox(MINE), CarryOn())
    assert state.arrangement is Arrangement.GRID
    state = opened(state, suggested)
    mine = [n for n in range(9) if entry(state, n).box == MINE]
    assert mine == [0, 1, 2, 3, 6, 7, 8]  # not of another size, and not what was changed by hand
    assert entry(state, 1).framed
    step = advance(state, DecidePage())
    assert step.decisions[1].verdict is Verdict.ADJUSTED
    following = opened(step.session, suggested)
    ours = [e.box == MINE for e in following.entries if isinstance(e, Open)]
    assert ours == [True] * 3 + [False] * 3  # the other folder has its own


def test_what_is_carried_on_decides_nothing_and_is_taken_back_from_every_page() -> None:
    first = on(fresh(), SetBox(MINE))
    step = advance(first, CarryOn())
    assert not step.decisions
    grid = opened(step.session, suggested)
    seen = opened(on(grid, TurnPage(1)), suggested)
    assert entry(seen, 1).box == MINE
    back = opened(on(seen, Undo()), suggested)
    page = on(opened(on(back, Arrange(Arrangement.GRID)), suggested), TurnPage(1))
    for state in (on(grid, Undo()), back, opened(page, suggested)):
        others = [e for e in state.entries if isinstance(e, Open) and e.path != PATHS[0]]
        assert others
        assert all(e.box == e.offered for e in others)


def test_an_image_that_was_given_its_own_box_back_keeps_it() -> None:
    carried = opened(advance(on(fresh(), SetBox(MINE)), CarryOn()).session, suggested)
    reset = on(carried, Choose(2), ResetBox())
    again = opened(on(opened(on(reset, TurnPage(1)), suggested), TurnPage(-1)), suggested)
    assert entry(again, 2).box == entry(again, 2).offered
    assert entry(again, 3).box == MINE
