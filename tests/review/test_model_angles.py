"""Images are levelled by what their lines say: each its own, as one step, or none with a reason."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from moving import on, opened

from cropkit.errors import IllegalMove
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.review.model import (
    CarryBox,
    Decide,
    ImageLoaded,
    LevelImages,
    Mark,
    Open,
    Pick,
    PickAll,
    Redo,
    ReviewState,
    SetBox,
    ShareBox,
    StraightenTo,
    ToggleMark,
    TurnImage,
    TurnPage,
    Undo,
    advance,
    begin,
)
from cropkit.review.model.foreseeing import foreseen
from cropkit.straightening import is_inside

PATHS = [f"{n}.png" for n in range(6)]
SIZE = Size(400, 300)
BOX = PixelBox(40, 60, 320, 210)
RIGHT, FLIPS = TurnImage(Turn.of(90)), TurnImage(Turn.of(0, "horizontal"))


def plain(path: str) -> ImageLoaded:
    return ImageLoaded(path, _content(path), SIZE)


def _content(path: str) -> str:
    return path[0] * 64


def fresh() -> ReviewState:
    return on(opened(begin(PATHS, 3), plain), SetBox(BOX))


def levels(turns: Mapping[int, int | None]) -> LevelImages:
    """Return a move by hundredths of a degree, or None, of images by their numbers."""
    each = turns.items()
    return LevelImages({str(n) * 64: None if by is None else Turn(1, by) for n, by in each})


def entry(state: ReviewState, position: int = 0) -> Open:
    found = state.entries[position]
    assert isinstance(found, Open)
    return found


def turns(state: ReviewState) -> list[Turn]:
    return [entry(state, position).turn for position in range(3)]


def test_the_chosen_image_is_level_by_its_own_lines_as_one_step() -> None:
    state = on(fresh(), levels({0: 130}))
    assert turns(state) == [Turn(1, 130), NO_TURN, NO_TURN]
    assert is_inside(entry(state).box, SIZE, entry(state).turn)
    assert on(state, Undo()).entries == fresh().entries
    assert entry(on(state, Undo(), Redo())) == entry(state)
    assert advance(state, Decide()).decisions[0].turn == Turn(1, 130)


@pytest.mark.parametrize("by", [130, -130])
def test_it_is_level_whatever_quarters_mirror_or_angle_it_is_seen_with(by: int) -> None:
    """The angle is one of the image as its file has it, before quarters and mirror."""
    for before in ((), (RIGHT,), (FLIPS,), (RIGHT, FLIPS), (TurnImage(Turn.of(angle=5)),)):
        state = on(fresh(), *before)
        after = on(state, levels({0: by}))
        assert entry(after).turn == Turn(entry(state).turn.orientation, by)


def test_a_selection_is_levelled_each_by_its_own_and_what_is_silent_stays() -> None:
    picked = on(fresh(), PickAll())
    step = advance(picked, levels({0: 130, 1: -70, 2: 45}))
    assert turns(step.session) == [Turn(1, 130), Turn(1, -70), Turn(1, 45)]
    assert step.note == ""
    assert turns(on(step.session, Undo())) == [NO_TURN] * 3
    step = advance(picked, levels({0: 130, 1: None, 2: 0}))
    assert turns(step.session) == [Turn(1, 130), NO_TURN, NO_TURN]
    said = "1 of 3 levelled: 1 with no lines that plainly say how, 1 level already"
    assert step.note == said
    with pytest.raises(IllegalMove, match=r"nothing is levelled: 3 with no lines"):
        advance(picked, levels({0: None, 1: None, 2: None}))


def test_what_is_decided_in_a_selection_is_passed_by() -> None:
    state = on(fresh(), Pick(0), Pick(1), Decide(), Pick(2))
    assert turns_of_open(on(state, levels({2: 90}))) == [Turn(1, 90)]
    with pytest.raises(IllegalMove, match="is decided already"):
        advance(replace(state, picked=frozenset(), chosen=0), levels({0: 90}))


def turns_of_open(state: ReviewState) -> list[Turn]:
    return [each.turn for each in state.entries if isinstance(each, Open)]


def test_where_lines_do_not_say_or_it_is_level_a_sentence_says_so_and_nothing_changes() -> None:
    state = fresh()
    with pytest.raises(IllegalMove, match=r"0\.png has no lines that plainly say"):
        advance(state, levels({0: None}))
    with pytest.raises(IllegalMove, match=r"0\.png has no lines that plainly say"):
        advance(state, levels({}))
    with pytest.raises(IllegalMove, match=r"0\.png is level already"):
        advance(state, levels({0: 0}))
    again = on(state, levels({0: 130}))
    with pytest.raises(IllegalMove, match=r"0\.png is level already"):
        advance(again, levels({0: 130}))
    assert turns(on(again, levels({0: 0}))) == [NO_TURN] * 3, "it was straightened by hand"


def test_an_image_that_is_too_small_is_refused_and_none_is_changed() -> None:
    tiny = opened(begin(PATHS, 3), lambda path: ImageLoaded(path, _content(path), Size(1, 1)))
    with pytest.raises(IllegalMove, match="too small"):
        advance(tiny, levels({0: 1500}))


def test_what_was_straightened_is_carried_to_no_image_that_is_too_small() -> None:
    def arriving(path: str) -> ImageLoaded:
        return ImageLoaded(path, _content(path), Size(1, 60) if path == PATHS[1] else SIZE)

    straightened = opened(begin(PATHS, 1), arriving)
    straightened = on(straightened, SetBox(BOX), TurnImage(Turn.of(angle=20)), Decide())
    tiny = opened(on(straightened, TurnPage(1)), arriving)
    with pytest.raises(IllegalMove, match=r"1\.png is too small"):
        advance(tiny, CarryBox())
    assert foreseen(tiny, CarryBox()).after == ()
    both = on(opened(begin(PATHS, 2), arriving), StraightenTo(0, Turn(1, 2000)), PickAll())
    with pytest.raises(IllegalMove, match=r"1\.png is too small"):
        advance(both, ShareBox())


def test_it_takes_a_mark_away_and_stays_with_an_image_that_leaves_the_page() -> None:
    state = on(fresh(), ToggleMark(Mark.SKIP), levels({0: 130}))
    assert entry(state).mark is Mark.KEEP
    back = opened(on(opened(on(state, TurnPage(1)), plain), TurnPage(-1)), plain)
    assert entry(back) == entry(state)
    assert entry(opened(on(back, Undo(), Undo()), plain)).turn.is_none


def led(to: int, position: int = 0) -> StraightenTo:
    return StraightenTo(position, Turn(1, to))


def test_a_hand_leads_an_image_to_its_angle_in_one_step_and_the_box_comes_back_with_it() -> None:
    whole = PixelBox.full(SIZE)
    state = on(fresh(), SetBox(whole), led(50))
    for to in (2000, 1700):
        state = advance(state, led(to), again=True).session
    assert entry(state).turn == Turn(1, 1700)
    assert is_inside(entry(state).box, SIZE, entry(state).turn)
    assert entry(on(state, led(0))).box == whole, "what was asked for is remembered meanwhile"
    assert entry(on(state, Undo())).box == whole
    assert entry(on(state, Undo(), Redo())) == entry(state)
    again = on(state, led(2500))
    assert entry(on(again, Undo())) == entry(state), "each drag is a step of its own"


def test_a_hand_leads_the_image_that_it_holds_alone_and_chooses_it() -> None:
    state = on(fresh(), PickAll(), led(300, position=1))
    assert turns(state) == [NO_TURN, Turn(1, 300), NO_TURN]
    assert state.chosen == 1
    done = on(fresh(), Decide())
    with pytest.raises(IllegalMove, match="is decided already"):
        advance(done, led(300))
