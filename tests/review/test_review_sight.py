"""Grid, single view, zoom and loupe, driven as a browser drives them."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pictures
import pytest
from desktop import Browser, entries
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from strategies import sizes_with_boxes

from cropkit.geometry import PixelBox, Size
from cropkit.records import Status
from cropkit.review.canvas.canvases import DETAIL
from cropkit.review.canvas.pen import SCALE
from cropkit.review.canvas.sharp_preview import SIDES, side_for
from cropkit.review.keys.keymap import PRESETS, preset
from cropkit.review.model import Arrangement, Loading, Mark, Open
from cropkit.review.model.box_editing import Grip
from cropkit.review.runtime.prefetch import Arrival
from cropkit.review.view.layout import ClickTarget
from cropkit.review.view.viewport import CLOSEST, Rect, Viewport, Zoom, grip_point, grip_under

Started = Callable[..., Browser]
STAGE = Rect(16, 68, 440, 500)
shares = st.floats(0, 1)


def press(browser: Browser, *keys: str) -> None:
    for key in keys:
        browser.key(key)
        browser.until(lambda: not any(isinstance(e, Loading) for e in entries(browser)))
        browser.shown()


def view(browser: Browser, position: int = 0) -> Viewport:
    entry = entries(browser)[position]
    return browser.controller.screen.view_state.view(position, entry.path, entry.size)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Eleven images, the first of them larger than any preview of a page."""
    folder = tmp_path / "large"
    folder.mkdir()
    Image.new("RGB", (3600, 2400), "#4080a0").save(folder / "00.png")
    for number in range(1, 11):
        colour = (20 * number, 90, 130)  # no two have the same content
        Image.new("RGB", (240, 160), colour).save(folder / f"{number:02}.png")
    for image in sorted(folder.iterdir()):
        pictures.write_sidecar(image, [0.2, 0.2, 0.8, 0.8])
    return folder


@pytest.fixture
def browser(start: Started, large: Path) -> Browser:
    browser = start(large)
    browser.open()
    browser.shown()
    return browser


# --- where a zoomed image is


@given(sizes_with_boxes(), st.floats(1, 50), shares, shares)
def test_coming_closer_leaves_what_is_under_the_pointer_where_it_is(
    pair: tuple[Size, PixelBox], by: float, across: float, down: float
) -> None:
    size, _ = pair
    whole = Viewport(STAGE, size)
    covering = max(STAGE.width / whole.frame.width, STAGE.height / whole.frame.height)
    before = Viewport(STAGE, size, Zoom(covering, across, down))
    at = (STAGE.x + STAGE.width * across, STAGE.y + STAGE.height * down)
    after = before.zoomed(by, at)
    closest = max(1.0, CLOSEST / before.fit)
    assert after.zoom.factor == pytest.approx(min(closest, max(1.0, covering * by)))
    if covering <= closest:
        assert after.to_canvas(*before.to_image(*at)) == pytest.approx(at, abs=1e-3)


@given(sizes_with_boxes(), st.floats(0.01, 50), shares, shares)
def test_a_zoomed_image_leaves_no_room_that_it_could_fill(
    pair: tuple[Size, PixelBox], by: float, across: float, down: float
) -> None:
    at = (STAGE.x + STAGE.width * across, STAGE.y + STAGE.height * down)
    check_filled(Viewport(STAGE, pair[0]).zoomed(by, at))


def check_filled(seen: Viewport) -> None:
    frame = seen.frame
    for low, lying, start, room in (
        (frame.x, frame.width, STAGE.x, STAGE.width),
        (frame.y, frame.height, STAGE.y, STAGE.height),
    ):
        if lying > room:
            assert low <= start + 1e-6
            assert low + lying >= start + room - 1e-6
        else:
            assert low + lying / 2 == pytest.approx(start + room / 2)


@given(sizes_with_boxes(), st.floats(1, 9), shares, shares, st.sampled_from(list(Grip)))
def test_a_grip_is_found_where_it_is_drawn_however_close(
    pair: tuple[Size, PixelBox], by: float, across: float, down: float, grip: Grip
) -> None:
    size, box = pair
    seen = Viewport(STAGE, size, Zoom(by, across, down))
    x, y = seen.to_image(*seen.to_canvas(box.left, box.bottom))
    assert (x, y) == pytest.approx((box.left, box.bottom), abs=1e-4)
    if min(box.size.width, box.size.height) * seen.scale > 3:
        assert grip_under(seen, box, *grip_point(seen, box, grip)) is grip


@given(sizes_with_boxes(), st.floats(-900, 900), st.floats(-900, 900))
def test_pulling_ends_where_the_image_ends(
    pair: tuple[Size, PixelBox], dx: float, dy: float
) -> None:
    seen = Viewport(STAGE, pair[0], Zoom(4.0)).panned(dx, dy)
    check_filled(seen)
    assert seen.panned(0, 0).zoom.x == pytest.approx(seen.zoom.x)


def test_every_arrangement_is_on_the_same_canvas_with_the_same_bands(browser: Browser) -> None:
    layouts = []
    for key in ("", "m", "q", "q"):
        press(browser, *key)
        layouts.append(browser.controller.screen.layout)
    page = layouts[0]
    assert {layout.per_page for layout in layouts} == {3, 1, 9}
    for layout in layouts:
        assert (layout.width, layout.height) == (page.width, page.height)
        for band in ("strip", "message", "hints", "help", "board"):
            assert getattr(layout, band) == getattr(page, band)


# --- the grid


def test_the_grid_has_as_many_images_as_the_page_has_room_for(browser: Browser) -> None:
    screen, total = browser.controller.screen, browser.controller.session.total
    for count, *room in ((24, 1440, 900, 1), (9, 600, 500, 1), (40, 2560, 1440, 1)):
        screen._measured(list[object](room))
        browser.shown()
        press(browser, "q")
        assert len(entries(browser)) == min(count, total)
        press(browser, "q")
        assert len(entries(browser)) == 3


def test_a_decided_image_has_the_shape_of_its_crop_in_the_grid(browser: Browser) -> None:
    at = browser.review.screen_point(0, Grip.RIGHT)
    browser.mouse("down", at)
    browser.mouse("move", (at[0] - 60, at[1]))
    browser.mouse("up", (at[0] - 60, at[1]))
    browser.key("Enter")
    browser.shown()
    browser.written()
    press(browser, "q")
    session, layout = browser.controller.session, browser.controller.screen.layout
    boxes = [session.settled[entry.path].box for entry in session.entries[:3]]
    shapes = [box.size.aspect_ratio for box in boxes if box]
    assert len(shapes) == 3
    assert layout.aspects[:3] == pytest.approx(shapes)


def test_a_click_or_a_digit_marks_and_enter_decides_all_the_others(browser: Browser) -> None:
    press(browser, "q")
    assert "seen as grid" in browser.status
    assert "accept all but the marked" in browser.words
    assert len(entries(browser)) == 9
    browser.key("4")
    browser.mouse("down", browser.review.screen_point(6, ClickTarget.CHIP))
    assert [n for n, e in enumerate(entries(browser)) if e.mark is Mark.LATER] == [3, 6]
    assert browser.words.count("look</span>") == 2
    told: list[Any] = []
    browser.review.on_submit(told.extend)
    paths = [e.path for e in entries(browser)]
    press(browser, "Enter")
    assert [one.path for one in told] == [p for p in paths if p not in (paths[3], paths[6])]
    assert all(one.shown_at < one.decided_at for one in told)
    assert [e.path for e in entries(browser)] == [paths[3], paths[6]]
    assert "set aside only" in browser.words
    press(browser, "Enter")
    assert "seen as grid" in browser.status
    press(browser, "Enter")
    assert "end" in browser.status
    browser.written()
    standing = browser.review.collection.trail.decisions.standing()
    assert [one.status for one in standing] == [Status.CROPPED] * 11


@pytest.mark.parametrize("name", PRESETS)
def test_in_the_grid_a_digit_marks_whatever_the_preset(
    start: Started, large: Path, name: str
) -> None:
    browser = start(large, keys=name)
    browser.open()
    browser.shown()
    (key,) = (row.key for row in preset(name).bindings if row.name == "grid")
    press(browser, key, "2")
    assert entries(browser)[1].mark is Mark.LATER
    assert browser.controller.session.chosen == 1


def test_in_the_grid_nothing_is_dragged_and_nothing_is_zoomed(browser: Browser) -> None:
    press(browser, "q")
    before = entries(browser)[2].box
    browser.drag(browser.review.screen_point(2, Grip.RIGHT), (-20, 0))
    browser.key("+")
    assert entries(browser)[2].box == before
    assert not view(browser, 2).closer


# --- one image


def test_enter_on_a_single_image_accepts_it_and_shows_the_next(browser: Browser) -> None:
    press(browser, "2", "m")
    assert "seen as single" in browser.status
    assert [e.path for e in entries(browser)] == ["01.png"]
    assert view(browser).stage.width > 1300
    press(browser, "Enter")
    assert [e.path for e in entries(browser)] == ["02.png"]
    assert list(browser.review.collection.trail.decisions.standing_by_path()) == ["01.png"]
    browser.written()
    press(browser, "m")
    press(browser, "z")
    browser.written()
    assert (
        browser.review.collection.trail.decisions.standing() == []
        or "01.png" not in browser.controller.session.settled
    )


def test_arrangements_make_no_widgets_and_the_canvas_keeps_its_size(browser: Browser) -> None:
    canvases = browser.controller.screen.canvases
    before = [id(canvas) for canvas in browser.canvases], canvases.canvas.height
    press(browser, "q", "m", "+", "m", "q", "q")
    assert ([id(canvas) for canvas in browser.canvases], canvases.canvas.height) == before


# --- closer


def wheel(browser: Browser, dy: float) -> None:
    browser._event({"event": "mouse_wheel", "x": 0, "y": dy})
    browser.loop.sleep(0.02)


def test_the_wheel_zooms_at_the_pointer_and_grips_go_on_working(browser: Browser) -> None:
    x, y = browser.review.screen_point(1, Grip.RIGHT)
    browser.mouse("move", (x, y))
    for _ in range(3):
        wheel(browser, -100)
    seen = view(browser, 1)
    assert seen.zoom.factor == pytest.approx(2 ** (300 / 240))
    assert browser.controller.session.chosen == 1
    assert browser.review.screen_point(1, Grip.RIGHT)[0] == pytest.approx(x, abs=1)
    before = entries(browser)[1].box
    browser.drag(browser.review.screen_point(1, Grip.RIGHT), (-5 * seen.scale, 0))
    after = entries(browser)[1].box
    assert (after.left, after.top, after.bottom) == (before.left, before.top, before.bottom)
    assert after.right == before.right - 5
    assert not view(browser, 0).closer
    wheel(browser, 2000)
    assert not view(browser, 1).closer


def test_a_drag_beside_the_box_pulls_the_zoomed_image_along(browser: Browser) -> None:
    press(browser, "+", "+", "+", "+")
    before, box = view(browser), entries(browser)[0].box
    outside = before.to_canvas(0, 0)
    assert outside[0] < before.stage.x, "the corner is out of sight"
    browser.key("e")
    for key in "0,0,300,300":
        browser.strike(key)
    browser.strike("Enter")
    box = entries(browser)[0].box
    x, y = before.stage.middle
    browser.drag((x * SCALE, y * SCALE), (60, 40))
    assert entries(browser)[0].box == box
    moved = view(browser).frame
    assert (moved.x, moved.y) == pytest.approx((before.frame.x + 60, before.frame.y + 40))
    browser.key("0")
    assert not view(browser).closer


def test_a_zoomed_image_and_its_box_stay_in_their_place(browser: Browser) -> None:
    browser.drawn.clear()
    press(browser, "+", "+")
    stage = view(browser).stage
    kept = [command[1] for command in browser.named("rect")]
    picture = [stage.x * SCALE, stage.y * SCALE, stage.width * SCALE, stage.height * SCALE]
    assert pytest.approx(picture, abs=0.01) in kept
    assert len(kept) == len(browser.named("clip")) == len(browser.named("restore")) >= 4
    assert all(x >= picture[0] - 17 and w <= picture[2] + 33 for x, _, w, _ in kept)


def test_the_browsers_part_takes_hold_of_nothing_in_the_grid_or_where_it_is_zoomed(
    browser: Browser,
) -> None:
    def told() -> list[object]:
        browser.loop.sleep(0.1)
        return list(browser.controller.screen.canvases.live_drag.widget.scene["cells"])

    assert None not in told()
    press(browser, "+")
    assert [cell is None for cell in told()] == [True, False, False]
    press(browser, "q")
    assert told() == [None] * 9


def test_zoom_ends_with_the_page(browser: Browser) -> None:
    press(browser, "+", "PageDown", "PageUp")
    assert not view(browser).closer


def test_a_zoomed_image_is_drawn_from_a_sharper_preview_and_never_from_the_original(
    browser: Browser,
) -> None:
    detail = browser.controller.screen.canvases.sharp_buffer
    assert detail.holds is None
    assert browser.controller.screen.page_display.source(0, "00.png") is not detail, (
        "the small one until it has come"
    )
    browser.until(lambda: browser.controller.screen.page_display.source(0, "00.png") is detail)
    prefetch = browser.controller.prefetch
    arrival = prefetch.get("00.png")
    assert isinstance(arrival, Arrival)
    jpeg = prefetch.closer(arrival, Size(1600, 1600))
    assert jpeg is not None
    assert Image.open(io.BytesIO(jpeg)).size == (1600, 1067)
    assert "1600" in str(detail.holds)
    press(browser, "+", "+")
    browser.until(lambda: "3200" in str(detail.holds))
    assert (detail.part.width, detail.part.height) == pytest.approx((3200, 2133.3), abs=0.1)


def test_a_sharper_picture_of_another_content_is_not_shown(browser: Browser, large: Path) -> None:
    Image.new("RGB", (3600, 2400), "#a02040").save(large / "00.png")
    press(browser, "+", "+")
    arrival = browser.controller.prefetch.get("00.png")
    key = (arrival.name, Size(1600, 1600))  # type: ignore[union-attr]  # (it has arrived)
    browser.until(browser.controller.prefetch._closer[key].done)
    browser.loop.sleep(0.2)
    closer = browser.controller.prefetch._closer[key].result()
    was_read_before = closer.sha256 == arrival.sha256  # type: ignore[union-attr]  # (as above)
    assert was_read_before or browser.controller.screen.canvases.sharp_buffer.holds is None


def test_a_small_image_has_no_sharper_preview(browser: Browser) -> None:
    press(browser, "2", "+", "+", "+")
    browser.loop.sleep(0.2)
    assert browser.controller.screen.canvases.sharp_buffer.holds is None


@given(st.builds(Size, st.integers(1, 9000), st.integers(1, 9000)), st.floats(0.01, 20))
def test_the_smallest_preview_that_resolves_what_is_seen_is_asked_for(
    size: Size, scale: float
) -> None:
    fit = Size(880, 1000)
    side = side_for(size, fit, scale)
    there = min(1.0, fit.width / size.width, fit.height / size.height)
    if there == 1.0 or scale * 0.85 <= there:
        assert side is None
    elif side is not None:
        assert side in SIDES
        assert side <= DETAIL
        assert min(1.0, side / max(size.width, size.height)) > there


# --- the loupe


def clips(browser: Browser) -> int:
    """How often something was held in a part of a cell."""
    layout, scale = browser.controller.screen.layout, browser.controller.screen.scale
    cells = [layout.painted(position) for position in range(layout.per_page)]
    whole = [[round(by * scale, 2) for by in (c.x, c.y, c.width, c.height)] for c in cells]
    held = [command[1] for command in browser.named("rect")]
    assert len(held) == len(browser.named("clip"))
    return sum(place not in whole for place in held)


def through_the_glass(browser: Browser) -> int:
    """How often a hidden canvas with the first image was drawn."""
    canvases = browser.controller.screen.canvases
    hidden = {f"IPY_MODEL_{slots[0].canvas.model_id}" for slots in canvases.buffers}
    hidden.add(f"IPY_MODEL_{canvases.sharp_buffer.canvas.model_id}")
    return sum(command[1][0] in hidden for command in browser.named("drawImage"))


def test_the_loupe_is_there_while_a_handle_is_held_and_then_gone(browser: Browser) -> None:
    grip = browser.review.screen_point(0, Grip.TOP_LEFT)
    browser.drawn.clear()
    browser.mouse("down", grip)
    browser.mouse("move", (grip[0] + 20, grip[1]))
    lens = browser.controller.screen.view_state.lens(browser.controller.session)
    assert lens is not None
    assert lens.scale == pytest.approx(3 * view(browser).scale)
    left, top, *_ = lens.edges(entries(browser)[0].box)
    assert (left, top) == pytest.approx(lens.stage.middle, abs=1)
    assert clips(browser) == 2
    assert through_the_glass(browser) == 2
    browser.mouse("up", grip)
    browser.drawn.clear()
    browser.key("ArrowLeft")
    browser.loop.sleep(0.1)
    assert (clips(browser), through_the_glass(browser)) == (0, 0)


def test_a_key_lays_the_loupe_on_the_corner_that_keys_move(browser: Browser) -> None:
    browser.key("p")
    lens = browser.controller.screen.view_state.lens(browser.controller.session)
    assert lens is not None
    *_, right, bottom = lens.edges(entries(browser)[0].box)
    assert (right, bottom) == pytest.approx(lens.stage.middle, abs=1)
    browser.key("p")
    assert browser.controller.screen.view_state.lens(browser.controller.session) is None


def test_a_drag_sends_one_message_for_each_move_however_close(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ipycanvas import canvas as ipycanvas  # noqa: PLC0415  (for this test alone)

    press(browser, "m", "+")
    browser.until(lambda: browser.controller.screen.canvases.sharp_buffer.holds)
    messages: list[int] = []

    def receive(metadata: dict[str, Any], buffers: list[Any]) -> None:
        messages.append(len(buffers))
        browser.receive(metadata, buffers)

    x, y = browser.review.screen_point(0, Grip.RIGHT)
    browser.mouse("down", (x, y))
    browser.until(lambda: "3200" in str(browser.controller.screen.canvases.sharp_buffer.holds))
    browser.loop.sleep(0.1)
    monkeypatch.setattr(ipycanvas._CANVAS_MANAGER, "send", receive)
    for step in range(1, 11):
        browser.mouse("move", (x - 3 * step, y))
    assert len(messages) == 10
    assert isinstance(entries(browser)[0], Open)
    assert browser.controller.session.arrangement is Arrangement.SINGLE


def test_the_key_line_says_what_keys_do_in_each_arrangement(browser: Browser) -> None:
    def says(*words: str) -> list[bool]:
        foot = browser.review._bands["foot"].value
        return [f"</span> {word}</span>" in foot for word in words]

    asked = ("accept page", "accept", "accept one", "page", "single", "accept all but the marked")
    assert says(*asked) == [True, False, True, False, True, False]
    press(browser, "m")
    assert says(*asked) == [False, True, False, True, False, False]
    browser.loop.sleep(2)
    press(browser, "m", "q")
    assert says(*asked) == [False, False, False, True, True, True]
