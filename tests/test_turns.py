"""A turn is one of eight, whatever it was put together from; boxes and sizes follow it."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit.errors import BadTurn
from cropkit.formats.turning import turned, turned_rows
from cropkit.geometry import PixelBox, Size, Turn

TURNS = [Turn(number) for number in range(1, 9)]
FINE = [Turn(number, fine) for number in range(1, 9) for fine in (-4500, -7, 130, 2000)]
SIZE = Size(5, 3)
GRID = np.arange(15).reshape(3, 5)


def seen(turn: Turn) -> list[list[int]]:
    after: list[list[int]] = turned(GRID, turn.orientation).tolist()
    return after


@pytest.mark.parametrize(
    ("degrees", "flip", "wanted"),
    [
        (0, None, GRID),
        (90, None, np.rot90(GRID, -1)),
        (180, None, np.rot90(GRID, 2)),
        (270, None, np.rot90(GRID)),
        (0, "horizontal", np.fliplr(GRID)),
        (0, "vertical", np.flipud(GRID)),
        (90, "horizontal", np.fliplr(np.rot90(GRID, -1))),
        (270, "vertical", np.flipud(np.rot90(GRID))),
    ],
)
def test_it_turns_clockwise_and_mirrors_then(
    degrees: int, flip: str | None, wanted: np.ndarray
) -> None:
    assert seen(Turn.of(degrees, flip)) == wanted.tolist()


@pytest.mark.parametrize(("first", "second"), [*itertools.product(TURNS, TURNS)])
def test_two_turns_are_one(first: Turn, second: Turn) -> None:
    one_by_one = turned(turned(GRID, first.orientation), second.orientation)
    assert seen(first.then(second)) == one_by_one.tolist()


def place(turn: Turn, at: complex) -> complex:
    """Turn a place about the middle of all, with y downwards: the fine angle, then the quarters."""
    radians = math.radians(turn.angle)
    at *= complex(math.cos(radians), math.sin(radians))
    x, y = at.real, at.imag
    ways = [(x, y), (-x, y), (-x, -y), (x, -y), (y, x), (-y, x), (-y, -x), (y, -x)]
    return complex(*ways[turn.orientation - 1])


@given(st.sampled_from(FINE), st.sampled_from([*TURNS, Turn(1, -90), Turn(7, 250), Turn(2, 1)]))
def test_two_turns_are_one_by_fine_angles_too(first: Turn, second: Turn) -> None:
    try:
        both = first.then(second)
    except BadTurn:
        assert 4500 - abs(first.hundredths) < abs(second.hundredths)
        return
    for at in (1 + 0j, 1j, 3 + 2j):
        assert abs(place(both, at) - place(second, place(first, at))) < 1e-9


@pytest.mark.parametrize("turn", [*TURNS, *FINE])
def test_its_inverse_takes_it_back(turn: Turn) -> None:
    assert turn.then(turn.inverse) == turn.inverse.then(turn) == Turn()


@pytest.mark.parametrize("turn", [*TURNS, *FINE])
def test_its_words_are_read_again(turn: Turn) -> None:
    assert Turn.from_text(turn.text) == turn
    assert bool(turn.text) is not turn.is_none


@pytest.mark.parametrize(
    "text",
    [
        *("45", "90 vertical", "horizontal 90", 90, None, b"90", ["90"], "1.3", "angle", "angle 0"),
        *("angle 1.30", "angle 01.3", "angle 1.390", "90 angle 1.3", "angle 45.01", "angle 1 "),
        *("angle -0", "angle 1\n", "angle \N{ARABIC-INDIC DIGIT ONE}"),
    ],
)
def test_other_words_are_no_turn(text: object) -> None:
    with pytest.raises(BadTurn):
        Turn.from_text(text)  # type: ignore[arg-type]  # (as a row may hold it)


@pytest.mark.parametrize("arguments", [(45, None), (360, None), (90, "diagonal"), (-90, None)])
def test_no_other_angle_is_one(arguments: tuple[int, str | None]) -> None:
    with pytest.raises(BadTurn, match="by quarters, and mirrored"):
        Turn.of(*arguments)


@pytest.mark.parametrize("number", [0, 9, True, 1.0, "6"])
def test_there_are_eight(number: object) -> None:
    with pytest.raises(BadTurn):
        Turn(number)  # type: ignore[arg-type]  # (whatever somebody writes)


@given(st.sampled_from(TURNS), st.data())
def test_a_box_of_the_turned_image_holds_the_turned_pixels(turn: Turn, data: st.DataObject) -> None:
    left, top = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 2))
    right, bottom = data.draw(st.integers(left + 1, 5)), data.draw(st.integers(top + 1, 3))
    box = PixelBox(left, top, right, bottom)
    there = box.turned(SIZE, turn)
    whole = turned(GRID, turn.orientation)
    held = turned(GRID[top:bottom, left:right], turn.orientation)
    assert whole[there.top : there.bottom, there.left : there.right].tolist() == held.tolist()
    assert there.turned(SIZE.turned(turn), turn.inverse) == box
    assert there.size == box.size.turned(turn)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12, 24, 33])
@pytest.mark.parametrize("turn", TURNS)
def test_packed_rows_are_turned_pixel_by_pixel(turn: Turn, bits: int) -> None:
    units = np.random.default_rng(bits).integers(0, 2, (3, 5, bits), dtype=np.uint8)
    rows = np.packbits(units.reshape(3, -1), axis=1)
    after = turned(units, turn.orientation)
    wanted = np.packbits(after.reshape(len(after), -1), axis=1)
    assert turned_rows(rows, 5, bits, turn.orientation).tolist() == wanted.tolist()
