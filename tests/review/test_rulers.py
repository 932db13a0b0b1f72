"""Rulers say where pixels of the image are, and safe margins how much is inside."""

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx  # noqa: PT013  (read as a word)
from strategies import sizes_with_boxes

from cropkit.geometry import PixelBox, Size
from cropkit.review.view.guides import LINES, Guides
from cropkit.review.view.rulers import ruler, step_of
from cropkit.review.view.viewport import Rect, Viewport, Zoom

stages = st.builds(Rect, st.just(16.0), st.just(50.0), st.floats(40, 1400), st.floats(40, 900))
zooms = st.builds(Zoom, st.sampled_from((1.0, 1.5, 8.0)), st.floats(0, 1), st.floats(0, 1))


@given(stages, sizes_with_boxes(), zooms)
def test_a_number_stands_at_its_pixel_and_all_is_on_what_is_seen(
    stage: Rect, pair: tuple[Size, PixelBox], zoom: Zoom
) -> None:
    view = Viewport(stage, pair[0], zoom)
    seen, along = view.seen, ruler(view)
    for x, y, end, foot in along.lines:
        assert seen.x <= x <= end <= seen.x + seen.width + 10.01
        assert seen.y <= y <= foot <= seen.y + seen.height + 10.01
    ticks = {round(value, 3) for line in along.lines for value in line}
    for word in along.words:
        assert word.ground.is_inside(seen)
        column, row = (view.to_canvas(int(word.text), int(word.text))[n] for n in (0, 1))
        assert (word.ground.x - 3 == approx(column)) or (word.ground.y - 3 == approx(row))
        assert round(column, 3) in ticks or round(row, 3) in ticks


@given(st.floats(1e-4, 40))
def test_numbers_are_round_and_have_room_however_close_one_looks(scale: float) -> None:
    step = step_of(scale)
    assert step * scale >= 72
    assert int(str(step).rstrip("0")) in (1, 2, 5)
    assert step == 1 or step * scale < 72 * 2.5 + 1e-6


def test_a_ruler_of_a_large_image_has_as_many_ticks_as_one_of_a_small() -> None:
    stage = Rect(0, 0, 1200, 800)
    for size in (Size(300, 200), Size(3000, 2000), Size(30_000, 20_000)):
        assert 40 < len(ruler(Viewport(stage, size)).lines) < 150


def test_safe_margins_are_ninety_and_eighty_percent_of_each_side() -> None:
    lines = LINES[Guides.MARGINS]
    assert len(lines) == 8
    for frame, part in ((lines[:4], 0.9), (lines[4:], 0.8)):
        across = [line[n] for line in frame for n in (0, 2)]
        down = [line[n] for line in frame for n in (1, 3)]
        assert max(across) - min(across) == approx(part)
        assert max(down) - min(down) == approx(part)
        assert max(across) + min(across) == approx(1)
