"""A turned box is inside of its image by its corners; the largest one is, by trying all."""

import math
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import sizes_with_boxes

from cropkit import straightening
from cropkit.errors import BadBox, BadTurn
from cropkit.geometry import PixelBox, Size, Turn

FINE = st.integers(-4500, 4500).map(lambda hundredths: Turn(1, hundredths))
SMALL = st.builds(Size, st.integers(1, 9), st.integers(1, 9))
SHARES = [n / 400 for n in range(1, 400, 3)]


def corners(box: PixelBox, turn: Turn) -> list[complex]:
    """Turn the corners of a box about its middle: counterclockwise, where the picture turns on."""
    middle = complex(box.left + box.right, box.top + box.bottom) / 2
    way = complex(math.cos(math.radians(turn.angle)), -math.sin(math.radians(turn.angle)))
    edges = product((box.left, box.right), (box.top, box.bottom))
    return [middle + (complex(x, y) - middle) * way for x, y in edges]


def reaches(box: PixelBox, image: Size, turn: Turn) -> float:
    """Return by how many pixels a corner is outside; below 0 for none."""
    at = corners(box, turn)
    across = max(max(-each.real, each.real - image.width) for each in at)
    return max(across, *(max(-each.imag, each.imag - image.height) for each in at))


def every_box(image: Size) -> list[PixelBox]:
    across, down = range(image.width + 1), range(image.height + 1)
    spans = [(a, b) for a, b in product(across, across) if a < b]
    return [PixelBox(a, c, b, d) for a, b in spans for c, d in product(down, down) if c < d]


def all_inside(image: Size, turn: Turn) -> list[PixelBox]:
    return [box for box in every_box(image) if reaches(box, image, turn) <= 1e-6]


@given(sizes_with_boxes(), FINE)
def test_a_box_is_inside_when_its_turned_corners_are(
    pair: tuple[Size, PixelBox], turn: Turn
) -> None:
    image, box = pair
    assert straightening.is_inside(box, image, turn) is (reaches(box, image, turn) <= 1e-6)


@settings(max_examples=30)
@given(SMALL, FINE)
def test_the_nearest_box_is_inside_of_the_same_size_and_moved_the_least(
    image: Size, turn: Turn
) -> None:
    inside = all_inside(image, turn)
    for box in every_box(image):
        if not inside:
            with pytest.raises(BadBox, match="no pixel"):
                straightening.nearest(box, image, turn)
            continue
        nearest = straightening.nearest(box, image, turn)
        assert nearest in inside
        alike = [each for each in inside if each.size == box.size]
        if alike:
            assert nearest.size == box.size
            assert away(nearest, box) == min(away(each, box) for each in alike)
        else:
            assert nearest.size.area <= box.size.area


def away(a: PixelBox, b: PixelBox) -> int:
    return abs(a.left + a.right - b.left - b.right) + abs(a.top + a.bottom - b.top - b.bottom)


@given(sizes_with_boxes(), FINE)
def test_a_box_that_has_to_shrink_keeps_its_ratio_and_is_the_largest(
    pair: tuple[Size, PixelBox], turn: Turn
) -> None:
    image, box = pair
    try:
        nearest = straightening.nearest(box, image, turn)
    except BadBox:
        assert min(image.width, image.height) <= 2, "a pixel in the middle can be turned"
        return
    assert straightening.nearest(nearest, image, turn) == nearest
    assert reaches(nearest, image, turn) <= 1e-6
    if nearest.size == box.size:
        return
    long, short = max(box.size.width, box.size.height), min(box.size.width, box.size.height)
    ours = max(nearest.size.width, nearest.size.height)
    assert min(nearest.size.width, nearest.size.height) == max(1, ours * short // long)
    longer = ours + 3 * long / short  # the shorter side is rounded as well
    sides = (box.size.width * longer / long, box.size.height * longer / long)
    wide, high = straightening.enclosing(sides, turn)
    assert wide > image.width or high > image.height


@settings(max_examples=30)
@given(st.builds(Size, st.integers(20, 4000), st.integers(20, 4000)), FINE)
def test_no_larger_rectangle_is_inside_than_the_largest(image: Size, turn: Turn) -> None:
    box = straightening.largest(image, turn)
    assert reaches(box, image, turn) <= 1e-6
    most = max(width * tallest(width, image, turn) for width in (s * image.width for s in SHARES))
    sides = (box.size.width + 3, box.size.height + 3)
    assert most <= sides[0] * sides[1]


def tallest(width: float, image: Size, turn: Turn) -> float:
    """Return the greatest height that a turned box of a width may have, by halving."""
    low, high = 0.0, float(image.height)
    for _ in range(40):
        middle = (low + high) / 2
        wide, deep = straightening.enclosing((width, middle), turn)
        fits = wide <= image.width and deep <= image.height
        low, high = (middle, high) if fits else (low, middle)
    return low


@given(
    st.builds(Size, st.integers(50, 4000), st.integers(50, 4000)),
    FINE,
    st.floats(0.25, 4, allow_nan=False),
)
def test_the_largest_of_a_ratio_has_it_and_is_inside(image: Size, turn: Turn, ratio: float) -> None:
    box = straightening.largest(image, turn, ratio)
    assert reaches(box, image, turn) <= 1e-6
    width = box.size.width + 3 * max(1.0, ratio)
    larger = (width, width / ratio)
    wide, high = straightening.enclosing(larger, turn)
    assert max(wide - image.width, high - image.height) > 0
    assert abs(box.size.width - box.size.height * ratio) <= max(1.0, ratio)


def test_without_an_angle_all_of_an_image_is_inside() -> None:
    image = Size(640, 481)
    assert straightening.largest(image, Turn()) == PixelBox.full(image)
    assert straightening.largest(image, Turn.of(90), 1) == PixelBox(80, 0, 561, 481)


def test_a_box_that_reaches_out_is_refused_with_the_one_that_does_not() -> None:
    image, turn = Size(400, 300), Turn.of(angle=2)
    box = PixelBox(0, 0, 200, 100)
    with pytest.raises(BadBox, match=r"by 2 degrees; 2,4,202,104 does not"):
        straightening.check_inside(box, image, turn)
    inside = PixelBox(2, 4, 202, 104)
    assert straightening.check_inside(inside, image, turn) == inside
    with pytest.raises(BadBox, match="reaches outside"):
        straightening.check_inside(PixelBox(0, 0, 401, 100), image, turn)


@pytest.mark.parametrize(
    ("angle", "hundredths"),
    [(1.3, 130), ("-0.25", -25), (Decimal("44.90"), 4490), (0, 0), (-45, -4500), ("+7", 700)],
)
def test_an_angle_is_exact_in_hundredths(angle: Decimal | float | str, hundredths: int) -> None:
    turn = Turn.of(angle=angle)
    assert turn.hundredths == hundredths
    assert Fraction(str(turn.angle)) == Fraction(hundredths, 100)
    assert turn.resamples is bool(hundredths)


@pytest.mark.parametrize("angle", [45.01, 1.234, "1e1", "nan", float("inf"), "", True, "1,3", 300])
def test_no_other_number_is_an_angle(angle: Decimal | float | str) -> None:
    with pytest.raises(BadTurn, match="by up to 45 degrees"):
        Turn.of(angle=angle)
