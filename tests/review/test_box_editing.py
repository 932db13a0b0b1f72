"""Editing a box: never empty, never outside, and the shape held when it is locked."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import sizes_with_boxes

from cropkit.geometry import PixelBox, Size
from cropkit.review.model.box_editing import (
    HANDLES,
    Grip,
    dragged,
    fitted,
    grip_at,
    handle_point,
    moved,
    resized,
    sized,
    snapped_to_border,
)

distances = st.floats(-5000, 5000)
ratios = st.floats(0.05, 20)
SIZE = Size(100, 80)
BOX = PixelBox(20, 20, 60, 50)


@given(sizes_with_boxes(), st.sampled_from(Grip), distances, distances, st.none() | ratios)
def test_no_drag_leaves_the_image_or_empties_the_box(
    pair: tuple[Size, PixelBox], grip: Grip, dx: float, dy: float, ratio: float | None
) -> None:
    size, box = pair
    assert dragged(box, grip, (dx, dy), size, ratio).within(size)


@given(sizes_with_boxes(), ratios)
def test_a_box_of_a_shape_lies_inside_the_one_it_is_made_from_and_touches_it(
    pair: tuple[Size, PixelBox], ratio: float
) -> None:
    _, box = pair
    shaped = fitted(box, ratio)
    assert box.left <= shaped.left < shaped.right <= box.right
    assert box.top <= shaped.top < shaped.bottom <= box.bottom
    assert shaped.size.width == box.size.width or shaped.size.height == box.size.height
    wanted = shaped.size.height * ratio, shaped.size.width / ratio
    off = abs(shaped.size.width - wanted[0]), abs(shaped.size.height - wanted[1])
    assert min(off) <= 0.5 or 1 in (shaped.size.width, shaped.size.height)


@given(sizes_with_boxes(), sizes_with_boxes())
def test_a_box_that_gets_a_size_has_it_as_far_as_the_image_allows(
    pair: tuple[Size, PixelBox], other: tuple[Size, PixelBox]
) -> None:
    size, box = pair
    after = sized(box, other[0], size).within(size)
    assert after.size.width == min(other[0].width, size.width)
    assert after.size.height == min(other[0].height, size.height)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Size(20, 10), (30, 30, 50, 40)),
        (Size(60, 40), (10, 15, 70, 55)),
        (Size(90, 70), (0, 0, 90, 70)),
    ],
)
def test_a_box_that_gets_a_size_stays_on_its_middle_as_far_as_the_image_allows(
    wanted: Size, expected: tuple[int, int, int, int]
) -> None:
    assert sized(BOX, wanted, SIZE).xyxy == expected


@example((Size(8, 1), PixelBox(7, 0, 8, 1)), Grip.TOP, 1.0, 0.0, 7.0)
@given(sizes_with_boxes(), st.sampled_from(Grip), distances, distances, st.floats(0, 50))
def test_a_border_draws_by_no_more_than_its_reach(
    pair: tuple[Size, PixelBox], grip: Grip, dx: float, dy: float, reach: float
) -> None:
    size, box = pair
    by = snapped_to_border(box, grip, (dx, dy), size, reach)
    assert abs(by[0] - dx) <= reach
    assert abs(by[1] - dy) <= reach
    assert snapped_to_border(box, grip, by, size, reach) == by
    assert snapped_to_border(box, grip, (dx, dy), size, 0) == (dx, dy)


@given(sizes_with_boxes(), distances, distances)
def test_a_moved_box_keeps_its_size(pair: tuple[Size, PixelBox], dx: float, dy: float) -> None:
    size, box = pair
    assert moved(box, dx, dy, size).within(size).size == box.size


@given(sizes_with_boxes(), st.sampled_from(HANDLES), distances, distances)
def test_the_opposite_edges_stay_where_they_are(
    pair: tuple[Size, PixelBox], grip: Grip, dx: float, dy: float
) -> None:
    size, box = pair
    after = dragged(box, grip, (dx, dy), size)
    column, row = grip.value
    assert column == -1 or after.left == box.left
    assert column == 1 or after.right == box.right
    assert row == -1 or after.top == box.top
    assert row == 1 or after.bottom == box.bottom


@given(sizes_with_boxes(), st.sampled_from(HANDLES), distances, distances, ratios)
def test_a_locked_shape_is_held_to_the_pixel(
    pair: tuple[Size, PixelBox], grip: Grip, dx: float, dy: float, ratio: float
) -> None:
    size, box = pair
    after = dragged(box, grip, (dx, dy), size, ratio).size
    exact_height, exact_width = after.width / ratio, after.height * ratio
    off = min(abs(exact_height - after.height), abs(exact_width - after.width))
    assert off <= 0.5 + 1e-9 or 1 in (after.width, after.height)


@given(sizes_with_boxes(), st.sampled_from([g for g in HANDLES if 0 not in g.value]), ratios)
def test_a_locked_corner_drag_leaves_the_opposite_corner(
    pair: tuple[Size, PixelBox], grip: Grip, ratio: float
) -> None:
    size, box = pair
    after = dragged(box, grip, (-3.0, 4.0), size, ratio)
    column, row = grip.value
    assert (after.left == box.left) if column == 1 else (after.right == box.right)
    assert (after.top == box.top) if row == 1 else (after.bottom == box.bottom)


@pytest.mark.parametrize(
    ("grip", "by", "expected"),
    [
        (Grip.LEFT, (-5, 99), (15, 20, 60, 50)),
        (Grip.TOP_RIGHT, (7.4, -3.6), (20, 16, 67, 50)),
        (Grip.BOTTOM, (0, 500), (20, 20, 60, 80)),
        (Grip.RIGHT, (-500, 0), (20, 20, 21, 50)),
        (Grip.WHOLE, (-500, 3), (0, 23, 40, 53)),
    ],
)
def test_drags_by_example(
    grip: Grip, by: tuple[float, float], expected: tuple[int, int, int, int]
) -> None:
    assert dragged(BOX, grip, by, SIZE).xyxy == expected


def test_a_locked_box_grows_by_one_pixel_at_a_time_without_drifting() -> None:
    box, ratio = PixelBox(0, 0, 100, 50), 2.0
    for _ in range(60):
        box = resized(box, (1, 0), Size(1000, 1000), ratio)
    assert box.size == Size(160, 80)


def test_a_locked_tall_box_answers_to_the_vertical_keys() -> None:
    box = resized(PixelBox(0, 0, 50, 100), (0, 1), Size(1000, 1000), 0.5)
    assert box.size.height == 101


def test_a_locked_edge_drag_grows_both_ways_across() -> None:
    after = dragged(PixelBox(40, 40, 60, 60), Grip.RIGHT, (10, 0), SIZE, 1.0)
    assert after == PixelBox(40, 35, 70, 65)


@pytest.mark.parametrize("grip", HANDLES)
def test_every_handle_is_taken_where_it_is_drawn(grip: Grip) -> None:
    edges = (100.0, 100.0, 300.0, 220.0)
    assert grip_at(edges, *handle_point(edges, grip), reach=16) is grip


def test_a_small_box_can_still_be_moved() -> None:
    assert grip_at((100.0, 100.0, 110.0, 110.0), 105, 105, reach=16) is Grip.WHOLE


def test_outside_reach_nothing_is_taken() -> None:
    assert grip_at((100.0, 100.0, 300.0, 220.0), 83, 160, reach=16) is None
