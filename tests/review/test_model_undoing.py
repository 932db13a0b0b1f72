"""What is taken back, and done again: changes of a box, and what one press decided."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import on, opened

from cropkit.errors import IllegalMove
from cropkit.geometry import PixelBox, Size, Turn
from cropkit.records import Status, Verdict
from cropkit.review.model import (
    AddCrop,
    Applied,
    Arrange,
    Arrangement,
    Choose,
    Decide,
    Decided,
    DecidePage,
    Done,
    Drag,
    Filter,
    FullImage,
    Mark,
    Move,
    NextFilter,
    NextUnreviewed,
    Nudge,
    Open,
    Redo,
    RemoveCrop,
    Reopen,
    ResetBox,
    Restored,
    Restoring,
    ReviewState,
    SetRatio,
    ToggleLock,
    ToggleMark,
    TurnImage,
    TurnPage,
    Undo,
    advance,
    begin,
)
from cropkit.review.model.box_editing import Grip

PATHS = tuple(f"{n}.png" for n in range(12))


def fresh(per_page: int = 3) -> ReviewState:
    return opened(begin(PATHS, per_page))


def box(state: ReviewState, position: int = 0) -> PixelBox:
    entry = state.entries[position]
    assert isinstance(entry, Open)
    return entry.box


def test_the_last_change_of_a_box_is_taken_back_before_any_decision() -> None:
    """A3: after a drag, Z is about the drag."""
    second = opened(on(fresh(), DecidePage()))
    dragged = on(second, Drag(0, Grip.RIGHT, box(second), -500, 0))
    step = advance(dragged, Undo())
    assert (step.undone, box(step.session)) == ((), box(second))
    assert advance(step.session, Undo()).undone == PATHS[2::-1]
    assert box(on(step.session, Redo())) == box(dragged)


def test_nine_changes_are_nine_steps_back_and_forth() -> None:
    moves = [Nudge(n, 0) for n in range(-9, 0)]
    states = [on(fresh(), FullImage(), SetRatio(1, 1))]
    for move in moves:
        states.append(on(states[-1], move if len(states) % 2 else Nudge(3, 0)))
    state = states[-1]
    for before in states[-2::-1]:
        state = on(state, Undo())
        assert state.entries == before.entries
    for after in states[1:]:
        state = on(state, Redo())
        assert state.entries == after.entries


def test_one_drag_is_one_change_and_so_is_one_held_key() -> None:
    state = fresh()
    whole = box(state)
    dragged = on(state, *(Drag(0, Grip.RIGHT, whole, -by, 0) for by in (10, 20, 30)))
    assert box(on(dragged, Undo())) == whole
    held = on(dragged, Nudge(1, 0))
    for _ in range(5):
        held = advance(held, Nudge(1, 0), again=True).session
    assert box(on(held, Undo())) == box(dragged)
    pressed = on(dragged, Nudge(1, 0), Nudge(1, 0))
    assert box(on(pressed, Undo())) == box(on(dragged, Nudge(1, 0)))


def test_what_ends_as_it_began_is_no_step_and_goes_on_as_the_same_one() -> None:
    state = on(fresh(), Nudge(1, 0), FullImage())
    drags = [Drag(0, Grip.RIGHT, box(state), -by, 0) for by in (10, 0, 20)]
    assert on(state, *drags[:2]) == replace(state, undone_edits=())
    assert on(state, *drags, Undo()).entries == state.entries
    held, steps = state, list[int]()
    for again in (False, True, True, True, True):
        held = advance(held, TurnImage(Turn.of(90)), again=again).session
        steps.append(len(held.edits) - len(state.edits))
    assert steps == [1, 1, 1, 0, 1]
    assert on(held, Undo()).entries == state.entries


def test_a_mark_and_a_lock_are_taken_back_as_a_box_is() -> None:
    state = on(fresh(), ToggleMark(Mark.REJECT, 1), *[ToggleLock()] * 3)
    assert str(state.lock) == "1:1"
    state = on(state, *[Undo()] * 3)
    assert str(state.lock) == "free"
    assert on(state, Undo()).entries == fresh().entries


def test_a_change_on_another_page_is_taken_back_there() -> None:
    state = on(fresh(), Choose(1), Drag(1, Grip.RIGHT, box(fresh(), 1), -500, 0))
    away = opened(on(state, TurnPage(1)))
    back = opened(on(away, Undo()))
    assert (back.page, back.chosen, box(back, 1)) == (0, 1, box(fresh(), 1))
    again = opened(on(back, TurnPage(1), Redo()))
    assert (again.page, box(again, 1)) == (0, box(state, 1))


def test_what_was_changed_and_decided_is_taken_back_with_its_decision() -> None:
    state = on(fresh(), Drag(0, Grip.RIGHT, box(fresh()), -500, 0))
    step = advance(opened(on(state, DecidePage())), Undo())
    assert len(step.undone) == 3
    back = opened(on(step.session, *map(Restored, step.undone)))
    assert box(back) == box(state)
    with pytest.raises(IllegalMove, match="nothing is left to undo"):
        advance(back, Undo())


def test_changes_and_decisions_are_taken_back_in_their_order() -> None:
    state = on(fresh(), Choose(0), ToggleMark(Mark.SKIP), Choose(1), Decide())
    state = on(state, Choose(2), ToggleMark(Mark.REJECT))
    state = on(state, Undo())
    step = advance(state, Undo())
    assert step.undone == (PATHS[1],)
    state = opened(on(step.session, Restored(PATHS[1]), Undo()))
    assert state.entries == fresh().entries


def test_a_grid_is_one_press() -> None:
    state = opened(on(fresh(), Arrange(Arrangement.GRID)))
    step = advance(opened(on(state, DecidePage())), Undo())
    assert set(step.undone) == set(PATHS[:9])
    back = opened(on(step.session, *map(Restored, step.undone)))
    assert (len(back.entries), back.page) == (9, 0)
    again = advance(back, Redo())
    assert {each.path for each in again.decisions} == set(PATHS[:9])
    assert set(advance(again.session, Undo()).undone) == set(PATHS[:9])


def test_a_change_ends_what_could_be_done_again() -> None:
    state = on(fresh(), ToggleMark(Mark.REJECT, 1), Undo(), ToggleMark(Mark.SKIP))
    with pytest.raises(IllegalMove, match="nothing was undone"):
        advance(state, Redo())


def test_any_decided_image_is_reopened_by_itself() -> None:
    """A4: the second of nine, ten minutes ago."""
    state = fresh()
    for _ in range(3):
        state = opened(on(state, DecidePage()))
    state = on(state, TurnPage(-1), TurnPage(-1), Choose(1))
    path = state.entries[1].path
    step = advance(state, Reopen())
    assert step.undone == (path,)
    assert isinstance(step.session.entries[step.session.chosen], Restoring)
    assert path not in step.session.undo
    assert len(step.session.undo) == 8
    state = opened(on(step.session, Restored(path)))
    assert isinstance(state.entries[1], Open)
    with pytest.raises(IllegalMove, match="is not decided"):
        advance(state, Reopen())


def test_what_no_review_decided_is_not_reopened_and_what_failed_is_at_once() -> None:
    cropped = Decided(None, Status.CROPPED, None)
    state = begin(PATHS, 3, {PATHS[0]: cropped})
    with pytest.raises(IllegalMove, match="cropped outside of a review"):
        advance(replace(state, chosen=0), Reopen())
    failing = on(fresh(), Decide(0), Applied(PATHS[0], Status.FAILED, "no space"), Choose(0))
    step = advance(failing, Reopen())
    assert step.undone == ()
    assert isinstance(opened(step.session).entries[0], Open)


def test_skipped_images_are_looked_at_again() -> None:
    """A15: skip is later, not never."""
    state = on(fresh(), ToggleMark(Mark.SKIP, 0), ToggleMark(Mark.SKIP, 2), DecidePage())
    state = on(state, Applied(PATHS[0], Status.SKIPPED), Applied(PATHS[2], Status.SKIPPED))
    assert state.passing(Filter.SKIPPED) == state.images.outcomes.having(Status.SKIPPED)
    assert advance(opened(state), NextUnreviewed()).undone == (), "others are undecided"
    while not state.ended:
        state = on(opened(state), DecidePage())
    step = advance(state, NextUnreviewed())
    assert set(step.undone) == {PATHS[0], PATHS[2]}
    state = opened(on(step.session, *map(Restored, step.undone)))
    assert [type(each) for each in state.entries] == [Open, Done, Open]
    state = on(state, DecidePage())
    assert state.ended
    with pytest.raises(IllegalMove, match="everything has been decided"):
        advance(state, NextUnreviewed())


def test_the_filters_show_what_is_rejected_also_from_earlier_sessions() -> None:
    rejected = Decided(Verdict.REJECT, Status.REJECTED)
    state = begin(PATHS, 3, {"gone.png": rejected, PATHS[1]: rejected}, ("gone.png", PATHS[1]))
    while state.filter is not Filter.REJECTED:
        state = on(state, NextFilter())
    assert {entry.path for entry in state.entries} == {"gone.png", PATHS[1]}
    at = [entry.path for entry in state.entries].index("gone.png")
    step = advance(on(state, Choose(at)), Reopen())
    assert step.undone == ("gone.png",)
    assert opened(on(step.session, Restored("gone.png"))).undecided("gone.png")


def test_an_added_crop_that_is_removed_takes_its_changes_along() -> None:
    state = opened(begin(PATHS, 3, copies=True))
    state = opened(on(state, AddCrop()))
    state = on(state, ToggleMark(Mark.SKIP), RemoveCrop())
    with pytest.raises(IllegalMove, match="nothing is left to undo"):
        advance(opened(state), Undo())


CHANGES = st.sampled_from(
    [
        *(Nudge(7, 3), ToggleLock(), ToggleMark(Mark.SKIP), ToggleMark(Mark.REJECT, 2)),
        *(FullImage(), ResetBox(), Choose(1), SetRatio(4, 5), Decide(), DecidePage()),
        *(Drag(0, Grip.TOP_LEFT, PixelBox(100, 100, 2000, 2000), 50, 90), TurnPage(1)),
    ]
)


def test_what_was_taken_back_from_another_page_does_not_come_back_with_its_page() -> None:
    state = on(fresh(), ToggleMark(Mark.SKIP), Nudge(7, 3))
    state = opened(on(state, TurnPage(1)))
    state = opened(on(opened(on(state, Undo())), Undo()))
    state = opened(on(opened(on(state, TurnPage(1))), TurnPage(-1)))
    assert [entry.mark for entry in state.entries if isinstance(entry, Open)] == [Mark.KEEP] * 3
    assert box(state) == box(fresh())


@settings(max_examples=60, deadline=None)
@given(st.lists(CHANGES, max_size=12))
def test_whatever_was_done_is_taken_back_step_by_step(moves: list[Move]) -> None:
    state = fresh()
    for move in moves:
        try:
            state = opened(on(state, move))
        except IllegalMove:
            continue
    for _ in range(len(moves) + 1):
        try:
            step = advance(state, Undo())
        except IllegalMove:
            break
        state = opened(on(step.session, *map(Restored, step.undone)))
    assert not state.settled
    assert not state.edits
    for page in range(state.pages):
        there = opened(on(state, TurnPage(page - state.page)))
        for entry in there.entries:
            assert isinstance(entry, Open)
            if entry.mark is not Mark.KEEP:
                pytest.fail(f"{entry.path} is still marked")


def test_sizes_of_what_is_kept_are_bounded() -> None:
    state = fresh()
    for n in range(1_010):
        state = on(state, Nudge(1 if n % 2 else -1, 0), ToggleMark(Mark.SKIP))
    assert len(state.edits) == 1_000
    assert Size(4000, 3000).area == box(on(state, FullImage())).size.area
