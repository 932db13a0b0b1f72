"""What a lock does: each undecided box of the page has its ratio, from when it is held."""

from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import on, opened

from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.records import Suggestion, Verdict
from cropkit.review.model import (
    Choose,
    Decide,
    DecidePage,
    Drag,
    ImageLoaded,
    Nudge,
    Open,
    ReviewState,
    SetBox,
    SetRatio,
    ToggleLock,
    TurnLock,
    TurnPage,
    Undo,
    advance,
    begin,
)
from cropkit.review.model.box_editing import Grip
from cropkit.targets import fits

PATHS = tuple(f"{n}.png" for n in range(6))
SIZE = Size(4000, 3000)
BOXES = (
    NormalizedBox(0.1, 0.2, 0.8, 0.7),
    NormalizedBox(0.3, 0.05, 0.5, 0.9),
    NormalizedBox(0.2, 0.4, 0.9, 0.6),
)
TO_SQUARE = (ToggleLock(), ToggleLock(), ToggleLock())


def suggested(path: str) -> ImageLoaded:
    number = int(path.partition(".")[0])
    suggestion = Suggestion(BOXES[number % len(BOXES)], "model", "v1")
    return ImageLoaded(path, "a" * 64, SIZE, (suggestion,))


def fresh() -> ReviewState:
    return opened(begin(PATHS, 3), suggested)


def boxes(state: ReviewState) -> list[PixelBox]:
    return [entry.box for entry in state.entries if isinstance(entry, Open)]


def middle(box: PixelBox) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def test_a_lock_reshapes_every_undecided_box_of_the_page_around_its_middle() -> None:
    """A6: 706x882, 980x997 and 1067x781 were accepted under a lock of 1:1."""
    state = on(fresh(), *TO_SQUARE)
    assert str(state.lock) == "1:1"
    for before, after in zip(boxes(fresh()), boxes(state), strict=True):
        assert after.size.width == after.size.height
        for there, here in zip(middle(before), middle(after), strict=True):
            assert abs(there - here) <= 1
        assert abs(after.size.area - before.size.area) < before.size.area * 0.01
    step = advance(state, DecidePage())
    assert all(d.box is not None and d.box.size.aspect_ratio == 1 for d in step.decisions)
    assert {d.verdict for d in step.decisions} == {Verdict.ACCEPT}
    assert {d.target for d in step.decisions} == {"1:1"}
    following = boxes(opened(step.session, suggested))
    assert all(box.size.aspect_ratio == 1 for box in following)


def test_decided_images_keep_their_box_and_the_lock_is_taken_back_with_the_boxes() -> None:
    state = on(fresh(), Decide(0))
    locked = on(state, *TO_SQUARE)
    assert locked.entries[0] == state.entries[0]
    assert boxes(locked) != boxes(state)
    back = on(locked, Undo(), Undo(), Undo())
    assert (back.entries, str(back.lock)) == (state.entries, "free")


def test_going_round_the_locks_comes_back_to_the_same_boxes() -> None:
    state = fresh()
    for _ in range(7):
        state = on(state, ToggleLock())
    assert (str(state.lock), boxes(state)) == ("free", boxes(fresh()))


def test_a_lock_that_is_turned_reshapes_them_again() -> None:
    state = on(fresh(), SetRatio(16, 9), TurnLock())
    assert str(state.lock) == "9:16"
    for box in boxes(state):
        assert isclose(box.size.aspect_ratio, 9 / 16, rel_tol=0.01)


def test_what_is_done_under_a_lock_keeps_to_it() -> None:
    state = on(fresh(), *TO_SQUARE)
    moves = (
        Nudge(5, 5),
        Drag(0, Grip.RIGHT, boxes(state)[0], -300, 0),
        Drag(1, Grip.TOP_LEFT, boxes(state)[1], 40, 90),
        SetBox(PixelBox(100, 100, 1000, 400)),
    )
    for move in moves:
        state = on(state, move)
        assert all(box.size.aspect_ratio == 1 for box in boxes(state)), move


def test_the_ratio_of_each_image_is_given_to_its_box() -> None:
    state = on(fresh(), ToggleLock(), ToggleLock())
    assert str(state.lock) == "image"
    for entry in state.entries:
        assert isinstance(entry, Open)
        assert entry.fit is not None
        assert fits(entry.box.size, entry.fit.target)
        assert isclose(entry.box.size.aspect_ratio, SIZE.aspect_ratio, rel_tol=0.01)
        assert entry.fit.target.name == "4:3", "not that of one image's sides"


def test_what_cannot_have_the_ratio_is_marked_before_it_is_accepted() -> None:
    tiny = ImageLoaded(PATHS[0], "a" * 64, Size(1, 40))
    state = on(on(begin(PATHS, 1), tiny), SetRatio(16, 9))
    assert state.too_small(state.entries[0])
    assert not on(fresh(), *TO_SQUARE).too_small(on(fresh(), *TO_SQUARE).entries[0])


def test_a_page_that_was_left_and_comes_again_is_held() -> None:
    state = on(fresh(), Choose(1), Nudge(9, 9), TurnPage(1), *TO_SQUARE, TurnPage(-1))
    state = opened(state, suggested)
    assert all(box.size.aspect_ratio == 1 for box in boxes(state))


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.lists(st.booleans(), max_size=3))
def test_every_box_has_the_ratio_by_half_a_pixel(
    width: int, height: int, turns: list[bool]
) -> None:
    state = on(fresh(), SetRatio(width, height), *(TurnLock() for turn in turns if turn))
    for entry in state.entries:
        assert isinstance(entry, Open)
        assert entry.fit is not None
        assert fits(entry.box.size, entry.fit.target)
        with pytest.raises(AttributeError):
            entry.box.left = 0  # type: ignore[misc]  # it is frozen
