"""Geometry of the page: what is drawn where, and what a point means."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import sizes_with_boxes

from cropkit.geometry import PixelBox, Size
from cropkit.review.model.box_editing import HANDLES, Grip
from cropkit.review.view.layout import PADDING, WIDTH, ClickTarget, PageLayout
from cropkit.review.view.viewport import Rect, Viewport, grip_point, grip_under

layouts = st.builds(PageLayout, st.integers(1, 12))
stages = st.builds(
    Rect, st.floats(0, 900), st.floats(0, 900), st.floats(50, 900), st.floats(50, 900)
)
ROUNDING = 1e-6


@given(stages, sizes_with_boxes())
def test_a_point_of_the_image_comes_back_from_the_canvas(
    stage: Rect, pair: tuple[Size, PixelBox]
) -> None:
    size, box = pair
    view = Viewport(stage, size)
    x, y = view.to_image(*view.to_canvas(box.left, box.bottom))
    assert x == pytest.approx(box.left, abs=1e-4)
    assert y == pytest.approx(box.bottom, abs=1e-4)


@given(stages, sizes_with_boxes())
def test_the_picture_is_inside_its_stage_fills_it_one_way_and_keeps_its_shape(
    stage: Rect, pair: tuple[Size, PixelBox]
) -> None:
    size, _ = pair
    frame = Viewport(stage, size).frame
    assert stage.x - ROUNDING <= frame.x
    assert frame.right <= stage.right + ROUNDING
    assert stage.y - ROUNDING <= frame.y
    assert frame.bottom <= stage.bottom + ROUNDING
    gaps = (stage.width - frame.width, stage.height - frame.height)
    assert min(gaps) == pytest.approx(0, abs=ROUNDING)
    assert frame.width * size.height == pytest.approx(frame.height * size.width)


@given(layouts)
def test_nothing_overlaps_and_everything_is_on_the_canvas(layout: PageLayout) -> None:
    cells = [layout.cell(position) for position in range(layout.per_page)]
    bands = [layout.header, *cells, layout.message, layout.hints]
    for rect in bands:
        assert rect.x >= 0
        assert rect.right <= WIDTH + ROUNDING
        assert rect.bottom <= layout.height + 1
    for one, other in itertools.combinations(bands, 2):
        apart = (
            one.right <= other.x + ROUNDING
            or other.right <= one.x + ROUNDING
            or one.bottom <= other.y + ROUNDING
            or other.bottom <= one.y + ROUNDING
        )
        assert apart, (one, other)


@given(layouts)
def test_a_drag_can_leave_every_picture_and_still_be_on_the_canvas(layout: PageLayout) -> None:
    for position in range(layout.per_page):
        stage = layout.stage(position)
        assert stage.x >= PADDING
        assert stage.right <= WIDTH - PADDING + ROUNDING
        assert stage.width > 100
        assert stage.height > 100


@given(layouts)
def test_every_target_is_hit_in_its_middle(layout: PageLayout) -> None:
    for position in range(layout.per_page):
        for kind, rect in (
            (ClickTarget.CHIP, layout.chip(position)),
            (ClickTarget.STAGE, layout.stage(position)),
        ):
            target = layout.target(*rect.middle)
            assert target is not None
            assert (target.kind, target.position) == (kind, position)
    for kind, rect in ((ClickTarget.ACKNOWLEDGE, layout.message), (ClickTarget.HELP, layout.help)):
        target = layout.target(*rect.middle)
        assert target is not None
        assert target.kind is kind


def test_the_header_is_no_target() -> None:
    assert PageLayout(3).target(700, 20) is None


@pytest.mark.parametrize("grip", [*HANDLES, Grip.WHOLE])
def test_a_grip_is_found_where_it_is_drawn(grip: Grip) -> None:
    view = Viewport(PageLayout(3).stage(1), Size(800, 600))
    box = PixelBox(100, 80, 600, 500)
    assert grip_under(view, box, *grip_point(view, box, grip)) is grip
