"""What is told of a key before it is pressed is what it comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moving import on, opened

from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Suggestion
from cropkit.review.model import (
    ImageLoaded,
    Mark,
    Move,
    Nudge,
    Open,
    ResetBox,
    ReviewState,
    SetRatio,
    ToggleLock,
    ToggleMark,
    ToggleTargets,
    TurnLock,
    begin,
)
from cropkit.review.model.foreseeing import FORESEEN, Foreseen, foreseen

BOXES = (NormalizedBox(0.1, 0.2, 0.8, 0.7), NormalizedBox(0.3, 0.05, 0.5, 0.9))
MOVES = tuple(kind() for kind in FORESEEN)


def suggested(path: str) -> ImageLoaded:
    several = tuple(Suggestion(box, "model", "v1") for box in BOXES)
    return ImageLoaded(path, "a" * 64, Size(4000, 3000), several)


def fresh() -> ReviewState:
    return opened(begin([f"{n}.png" for n in range(6)], 3), suggested)


def boxes(state: ReviewState) -> list[tuple[object, ...]]:
    return [(e.box, e.ratio, e.aims, e.mark) for e in state.entries if isinstance(e, Open)]


@given(
    before=st.lists(
        st.sampled_from([ToggleLock(), SetRatio(3, 2), Nudge(40, 30), ToggleMark(Mark.SKIP)]),
        max_size=4,
    ),
    move=st.sampled_from(MOVES),
)
def test_what_is_foreseen_of_a_key_is_what_each_press_of_it_comes_to(
    before: list[Move], move: Move
) -> None:
    state = on(fresh(), *before)
    told = foreseen(state, move)
    presses = [*told.after, *told.after[len(told.after) - told.period :] * 2]
    for after in presses:
        state = on(state, move)
        assert boxes(state) == boxes(after)


def test_what_is_not_allowed_is_not_foreseen() -> None:
    assert foreseen(fresh(), TurnLock()) == foreseen(fresh(), ToggleTargets()) == Foreseen(())


def test_what_comes_again_is_foreseen_once() -> None:
    state = fresh()
    held = on(state, SetRatio(3, 2))
    shown = {kind: foreseen(held, kind()) for kind in (ToggleLock, TurnLock, ResetBox)}
    assert {kind: (len(told.after), told.period) for kind, told in shown.items()} == {
        ToggleLock: (7, 7),
        TurnLock: (2, 2),
        ResetBox: (1, 1),
    }


@pytest.mark.parametrize("move", MOVES)
def test_nothing_that_is_foreseen_decides(move: Move) -> None:
    for after in foreseen(on(fresh(), SetRatio(1, 1)), move).after:
        assert len(after.settled) == 0
        assert after.page == 0
