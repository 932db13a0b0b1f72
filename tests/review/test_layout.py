"""Geometry of the page: what is drawn where, and what a point means."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import sizes_with_boxes
from window_shares import LANDSCAPE, PORTRAIT, SQUARE, pictured, table

from cropkit.geometry import PixelBox, Size
from cropkit.review.canvas.paint import RIM
from cropkit.review.model import GRID, MOST_IN_GRID
from cropkit.review.model.box_editing import HANDLES, Grip
from cropkit.review.view.layout import GLANCE, HANDLE, PADDING, ClickTarget, PageLayout, Target
from cropkit.review.view.viewport import Rect, Viewport, grip_point, grip_under

aspects = st.lists(st.floats(0.02, 50), min_size=1, max_size=40).map(tuple)
layouts = st.builds(
    lambda width, height, aspects, tight: PageLayout(
        len(aspects), width, height, aspects, tight=tight
    ),
    st.integers(480, 4000),
    st.integers(360, 2500),
    aspects,
    st.booleans(),
)
roomy = st.builds(
    lambda width, height, aspects: PageLayout(len(aspects), width, height, aspects),
    st.integers(1000, 4000),
    st.integers(700, 2500),
    st.lists(st.floats(0.4, 2.5), min_size=1, max_size=9).map(tuple),
)
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
def test_what_is_painted_of_an_image_holds_its_handles_and_touches_no_other(
    layout: PageLayout,
) -> None:
    """So that whatever was drawn of it is gone when it is painted anew, and nothing else."""
    painted = [layout.painted(position) for position in range(layout.per_page)]
    reach = 0 if layout.tight else HANDLE / 2 + RIM  # boxes are only looked at in the grid
    for position, part in enumerate(painted):
        stage = layout.stage(position).inset(-reach)
        assert part.x - ROUNDING <= stage.x
        assert part.y - ROUNDING <= stage.y
        assert stage.right <= part.right + ROUNDING
        assert stage.bottom <= part.bottom + ROUNDING
    for one, other in itertools.combinations(painted, 2):
        across = min(one.right, other.right) - max(one.x, other.x)
        down = min(one.bottom, other.bottom) - max(one.y, other.y)
        assert min(across, down) <= ROUNDING


@given(layouts)
def test_nothing_overlaps_and_everything_is_on_the_canvas(layout: PageLayout) -> None:
    cells = [layout.cell(position) for position in range(layout.per_page)]
    bands = [layout.header, *cells, layout.strip, layout.message, layout.hints]
    for rect in bands:
        assert rect.x >= -ROUNDING
        assert rect.right <= layout.width + ROUNDING
        assert rect.bottom <= layout.height + 1
    for one, other in itertools.combinations(bands, 2):
        apart = (
            one.right <= other.x + ROUNDING
            or other.right <= one.x + ROUNDING
            or one.bottom <= other.y + ROUNDING
            or other.bottom <= one.y + ROUNDING
        )
        assert apart, (one, other)


@given(roomy)
def test_a_drag_can_leave_every_picture_and_still_be_on_the_canvas(layout: PageLayout) -> None:
    for position in range(layout.per_page):
        stage = layout.stage(position)
        assert stage.x >= PADDING - ROUNDING
        assert stage.right <= layout.width - PADDING + ROUNDING
        assert stage.width > 100
        assert stage.height > 39


@given(roomy)
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


@pytest.mark.parametrize(
    "shapes",
    [
        (LANDSCAPE,) * 3,
        (PORTRAIT,) * 3,
        (LANDSCAPE, PORTRAIT, SQUARE),
        (PORTRAIT, LANDSCAPE, LANDSCAPE),
    ],
)
def test_whatever_their_shapes_three_pictures_use_three_quarters_of_the_stage(
    shapes: tuple[float, ...],
) -> None:
    layout = PageLayout(3, 1440, 900, shapes)
    board = layout.board
    assert board.height >= 0.88 * layout.height
    assert pictured(layout) >= 0.75 * board.width * board.height


def test_pictures_that_no_cut_has_room_for_are_rather_large_than_all_of_one_size() -> None:
    layout = PageLayout(3, 1440, 900, (SQUARE,) * 3)
    in_a_row = 3 * (layout.width / 3) ** 2
    assert pictured(layout) > 1.1 * in_a_row


@pytest.mark.parametrize("size", [(1440, 900), (1920, 1080), (2560, 1300)])
@pytest.mark.parametrize("shapes", [(LANDSCAPE,), (PORTRAIT,), (LANDSCAPE, PORTRAIT, SQUARE)])
def test_a_grid_of_any_shapes_uses_about_three_quarters_of_the_stage(
    size: tuple[int, int], shapes: tuple[float, ...]
) -> None:
    count = PageLayout(1, *size).many
    grid = tuple(itertools.islice(itertools.cycle(shapes), count))
    layout = PageLayout(count, *size, grid, tight=True)
    assert GRID <= count <= MOST_IN_GRID
    assert pictured(layout) >= 0.745 * layout.board.width * layout.board.height


@given(st.integers(480, 4000), st.integers(360, 2500))
@settings(max_examples=20)
def test_a_grid_has_about_as_many_images_as_a_glance_has_room_for(width: int, height: int) -> None:
    layout = PageLayout(1, width, height)
    room = layout.board.width * layout.board.height / (GLANCE[0] * GLANCE[1])
    assert GRID <= layout.many <= min(MOST_IN_GRID, max(GRID, 1.3 * room))


@given(st.integers(480, 4000), st.integers(360, 2500), aspects)
def test_bands_keep_their_places_whatever_is_shown(
    width: int, height: int, shapes: tuple[float, ...]
) -> None:
    """Page, grid and single: nothing moves under the pointer, and the stage is what is left."""
    page = PageLayout(3, width, height)
    other = replace(page, per_page=len(shapes), aspects=shapes, tight=True)
    assert (page.board, page.foot, page.hints) == (other.board, other.foot, other.hints)
    assert page.strip.right == page.message.x
    assert page.message.width >= width / 2


@given(layouts)
def test_each_of_the_last_decisions_is_hit_where_it_is_drawn(layout: PageLayout) -> None:
    for number in range(layout.places):
        place = layout.place(number)
        assert place.is_inside(layout.strip)
        for x in (place.x, place.right - 1):
            target = layout.target(x, place.middle[1])
            assert target is not None
            assert (target.kind, target.position) == (ClickTarget.STRIP, number)


@given(st.lists(st.floats(0.4, 2.5), min_size=2, max_size=4))
def test_cells_have_the_shapes_of_their_pictures(shapes: list[float]) -> None:
    layout = PageLayout(width=2000, height=1400).of(*shapes)
    for position, aspect in enumerate(layout.aspects):
        stage = layout.stage(position)
        assert stage.width / stage.height == pytest.approx(aspect)


@given(layouts)
def test_images_come_in_their_order(layout: PageLayout) -> None:
    """No cell is both above or before the one before it."""
    for one, other in itertools.pairwise(map(layout.cell, range(layout.per_page))):
        assert other.x >= one.right - 1 or other.y >= one.bottom - 1


def test_the_documented_shares_are_those_of_the_layout() -> None:
    """`python tests/window_shares.py` prints them."""
    document = Path(__file__).resolve().parents[2] / "docs" / "review.md"
    assert table() in document.read_text(encoding="utf-8")


def test_the_words_of_a_narrow_caption_have_more_of_it_than_the_verdict() -> None:
    layout = PageLayout(3, 700, 700, (PORTRAIT,) * 3)
    captions = [layout.caption(position) for position in range(3)]
    assert min(each.width for each in captions) < 180
    for position, caption in enumerate(captions):
        assert layout.chip(position).width < caption.width / 2
        assert layout.target(*layout.chip(position).middle) == Target(ClickTarget.CHIP, position)
