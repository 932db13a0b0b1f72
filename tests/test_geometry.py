import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from strategies import boxes_in, sizes, sizes_with_boxes

from cropkit.errors import BadBox
from cropkit.geometry import NormalizedBox, PixelBox, Size, iou, largest_edge_shift

ORIENTATIONS = st.integers(1, 8)
ORIENTATION_TAG = 0x0112


@given(pair=sizes_with_boxes(), orientation=ORIENTATIONS)
def test_stored_and_upright_are_inverses(pair: tuple[Size, PixelBox], orientation: int) -> None:
    size, box = pair
    stored = box.stored(size, orientation)
    assert stored.upright(size.oriented(orientation), orientation) == box
    assert box.upright(size, orientation).stored(size.oriented(orientation), orientation) == box


@given(pair=sizes_with_boxes(24), orientation=ORIENTATIONS)
def test_stored_boxes_hold_the_pixels_that_pillow_shows_upright(
    pair: tuple[Size, PixelBox], orientation: int
) -> None:
    stored_size = pair[0].oriented(orientation)
    count = stored_size.area
    pixels = np.arange(count, dtype=np.int32).reshape(stored_size.height, stored_size.width)
    image = Image.fromarray(pixels)
    image.getexif()[ORIENTATION_TAG] = orientation
    upright = ImageOps.exif_transpose(image)
    assert upright.size == (pair[0].width, pair[0].height)

    stored = pair[1].stored(pair[0], orientation)
    cut = image.crop(stored.xyxy)
    cut.getexif()[ORIENTATION_TAG] = orientation
    expected = upright.crop(pair[1].xyxy)
    assert np.array_equal(np.asarray(ImageOps.exif_transpose(cut)), np.asarray(expected))


@given(pair=sizes_with_boxes(200_000))
def test_pixels_survive_normalizing(pair: tuple[Size, PixelBox]) -> None:
    size, box = pair
    assert box.normalized(size).pixels(size) == box


@given(box=..., size=sizes())
@example(box=NormalizedBox(0.0, 0.0, 1e-300, 5e-324), size=Size(1, 1))
@example(box=NormalizedBox(1 - 2**-53, 1 - 2**-53, 1.0, 1.0), size=Size(5000, 1))
def test_a_normalized_box_never_becomes_empty_or_leaves_the_image(
    box: NormalizedBox, size: Size
) -> None:
    pixels = box.pixels(size).within(size)
    assert pixels.size.area >= 1


@given(box=..., size=sizes())
def test_normalized_edges_are_rounded_by_at_most_half_a_pixel_unless_the_box_is_tiny(
    box: NormalizedBox, size: Size
) -> None:
    assume((box.right - box.left) * size.width >= 1 and (box.bottom - box.top) * size.height >= 1)
    extents = (size.width, size.height, size.width, size.height)
    shift = [
        abs(p - v * n) for p, v, n in zip(box.pixels(size).xyxy, box.xyxy, extents, strict=True)
    ]
    assert max(shift) <= 0.5 + 1e-9


@given(size=...)
def test_the_full_box_is_the_whole_image_in_every_frame(size: Size) -> None:
    full = PixelBox.full(size)
    assert full.size == size
    assert full.normalized(size) == NormalizedBox(0.0, 0.0, 1.0, 1.0)
    assert all(full.stored(size, o) == PixelBox.full(size.oriented(o)) for o in range(1, 9))


@given(box=...)
def test_xywh_and_xyxy_describe_the_same_box(box: PixelBox) -> None:
    assert PixelBox.from_xywh(box.left, box.top, box.size.width, box.size.height) == box
    assert PixelBox(*box.xyxy) == box


@given(size=...)
def test_a_quarter_turn_twice_is_the_same_size(size: Size) -> None:
    assert size.swapped.swapped == size
    assert size.swapped.area == size.area
    assert math.isclose(size.aspect_ratio * size.swapped.aspect_ratio, 1)


@given(data=st.data(), size=...)
def test_iou_is_symmetric_between_zero_and_one_and_one_only_for_equal_boxes(
    data: st.DataObject, size: Size
) -> None:
    a, b = data.draw(boxes_in(size)), data.draw(boxes_in(size))
    assert iou(a, b) == iou(b, a)
    assert 0 <= iou(a, b) <= 1
    assert (iou(a, b) == 1) is (a == b)


def test_iou_by_hand() -> None:
    assert iou(PixelBox(0, 0, 10, 10), PixelBox(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert iou(PixelBox(0, 0, 10, 10), PixelBox(10, 10, 20, 20)) == 0


@given(data=st.data(), size=...)
def test_the_largest_edge_shift_is_symmetric_and_zero_only_for_equal_boxes(
    data: st.DataObject, size: Size
) -> None:
    a, b = data.draw(boxes_in(size)), data.draw(boxes_in(size))
    assert largest_edge_shift(a, b, size) == largest_edge_shift(b, a, size) <= 1
    assert (largest_edge_shift(a, b, size) == 0) is (a == b)


def test_the_largest_edge_shift_is_a_fraction_of_its_own_axis() -> None:
    a, b = PixelBox(0, 0, 100, 40), PixelBox(10, 10, 100, 40)
    assert largest_edge_shift(a, b, Size(100, 40)) == 0.25


@pytest.mark.parametrize(
    "edges",
    [(0, 0, 0, 5), (5, 0, 5, 5), (6, 0, 5, 5), (0, 7, 5, 5), (-1, 0, 5, 5), (0, -1, 5, 5)],
)
def test_empty_inverted_and_negative_pixel_boxes_are_refused(edges: tuple[int, ...]) -> None:
    with pytest.raises(BadBox):
        PixelBox(*edges)


@pytest.mark.parametrize("value", [1.0, "1", None, True, math.nan, [1]])
def test_pixels_are_whole_numbers(value: Any) -> None:
    with pytest.raises(BadBox, match="whole number"):
        PixelBox(value, 0, 10, 10)
    with pytest.raises(BadBox, match="whole number"):
        Size(10, value)


def test_numpy_integers_are_whole_numbers_and_become_plain_ones() -> None:
    box = PixelBox(np.int64(1), np.uint8(2), np.int16(3), np.int32(4))  # type: ignore[arg-type]  # what callers do
    assert all(type(edge) is int for edge in box.xyxy)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e-9, 1.0000001, True, "0.5", None])
def test_normalized_edges_are_finite_numbers_in_0_to_1(value: Any) -> None:
    with pytest.raises(BadBox):
        NormalizedBox(0.0, value, 1.0, 1.0)
    with pytest.raises(BadBox):
        NormalizedBox(0.0, 0.0, 1.0, value)


@given(box=...)
def test_an_inverted_normalized_box_is_refused(box: NormalizedBox) -> None:
    with pytest.raises(BadBox, match="inverted"):
        NormalizedBox(box.right, box.top, box.left, box.bottom)
    with pytest.raises(BadBox, match="inverted"):
        NormalizedBox(box.left, box.top, box.right, box.top)


@pytest.mark.parametrize("sides", [(0, 1), (1, 0), (-5, 5)])
def test_a_size_without_pixels_is_refused(sides: tuple[int, int]) -> None:
    with pytest.raises(BadBox):
        Size(*sides)


@given(pair=sizes_with_boxes(), orientation=ORIENTATIONS)
def test_a_box_outside_its_image_is_refused_by_every_mapping(
    pair: tuple[Size, PixelBox], orientation: int
) -> None:
    size, box = pair
    outside = PixelBox(box.left, box.top, size.width + 1, box.bottom)
    for mapping in (
        lambda: outside.within(size),
        lambda: outside.normalized(size),
        lambda: outside.stored(size, orientation),
        lambda: outside.upright(size, orientation),
    ):
        with pytest.raises(BadBox, match="outside"):
            mapping()


def test_a_corner_moves_outward_to_a_step_of_its_own_axis() -> None:
    assert PixelBox(17, 17, 40, 50).snapped(Size(16, 8)) == PixelBox(16, 16, 40, 50)
    assert PixelBox(31, 31, 40, 50).snapped(Size(8, 16)) == PixelBox(24, 16, 40, 50)


def test_a_box_ends_with_the_last_row_and_column() -> None:
    size = Size(40, 30)
    assert PixelBox(0, 0, 40, 30).within(size) == PixelBox.full(size)
    for edges in ((0, 0, 41, 30), (0, 0, 40, 31)):
        with pytest.raises(BadBox, match="outside the 40 x 30 image"):
            PixelBox(*edges).within(size)
