"""A line that is drawn along the horizon, or along what stands upright, levels an image."""

from collections.abc import Callable
from math import cos, radians, sin
from typing import Any

import pytest
from desktop import IN_THE_MIDDLE, Browser, entries
from hypothesis import given
from hypothesis import strategies as st

from cropkit.geometry import NO_TURN, Turn
from cropkit.review.canvas.pen import SCALE
from cropkit.review.view.drawn_line import LEAST, DrawnLine
from cropkit.review.view.turning import angle
from cropkit.review.view.viewport import Zoom

Started = Callable[..., Browser]
Point = tuple[float, float]
WIDE = (480, 320)


def stage(browser: Browser, position: int = 0) -> Point:
    view = browser.controller.screen.viewport(position)
    assert view is not None
    return view.stage.middle


def move(browser: Browser, event: str, at: Point) -> None:
    browser.mouse(event, (at[0] * SCALE, at[1] * SCALE))


def ends(middle: Point, degrees: float, length: float = 200) -> tuple[Point, Point]:
    x, y = cos(radians(degrees)) * length / 2, sin(radians(degrees)) * length / 2
    return (middle[0] - x, middle[1] - y), (middle[0] + x, middle[1] + y)


def draw(browser: Browser, degrees: float, position: int = 0, length: float = 200) -> None:
    """Draw a line of an angle, clockwise from the left to the right, over an image."""
    begin, end = ends(stage(browser, position), degrees, length)
    move(browser, "down", begin)
    move(browser, "move", stage(browser, position))
    move(browser, "up", end)


def ask(browser: Browser) -> None:
    browser.key("F6", ctrl=True)


def turns(browser: Browser) -> list[float]:
    return [angle(entry.turn) for entry in entries(browser)]


@given(st.floats(-180, 180), st.floats(1, 500))
def test_a_line_is_off_the_nearest_of_level_and_upright(degrees: float, length: float) -> None:
    line = DrawnLine(0, *ends((300, 300), degrees, length))
    assert -45 <= line.askew <= 45
    off = (degrees - line.askew) / 90
    assert off == pytest.approx(round(off), abs=1e-6)
    assert line.is_long_enough is (length >= LEAST) or length == pytest.approx(LEAST)


@pytest.mark.parametrize("drawn", [7.0, -3.2, 187.0, 97.0, 86.8, -93.2])
def test_an_image_is_level_by_the_line_drawn_along_it_and_that_is_one_step(
    copying: Browser, drawn: float
) -> None:
    ask(copying)
    draw(copying, drawn)
    wanted = -((drawn + 45) % 90 - 45)
    assert turns(copying) == [pytest.approx(wanted, abs=0.02), 0]
    assert f"straightened by {wanted:+g}°" in copying.words
    copying.key("z")
    assert turns(copying) == [0, 0]
    assert entries(copying)[0].box == IN_THE_MIDDLE
    start = (stage(copying)[0] * SCALE, stage(copying)[1] * SCALE)
    copying.drag(start, (30, 0))
    assert entries(copying)[0].box.left > IN_THE_MIDDLE.left, (
        "the next drag is one of the box again"
    )


def test_it_goes_on_from_what_is_seen_turned_mirrored_and_straightened(copying: Browser) -> None:
    copying.key("{")
    copying.key("]")
    ask(copying)
    draw(copying, 6)
    ask(copying)
    draw(copying, 2.5)
    assert turns(copying)[0] == pytest.approx(-8.5, abs=0.03)
    copying.key("z")
    assert turns(copying)[0] == pytest.approx(-6, abs=0.02)
    ask(copying)
    draw(copying, 44)
    assert "45 degrees at most" in copying.words
    assert turns(copying)[0] == pytest.approx(-6, abs=0.02)


def test_escape_or_the_key_again_leaves_it_and_nothing_happens(copying: Browser) -> None:
    before = entries(copying)
    for key, held in (("Escape", False), ("F6", True)):
        ask(copying)
        assert "Draw a line along the horizon" in copying.words
        copying.key(key, ctrl=held)
        assert "Draw a line" not in copying.words
        begin, end = ends(stage(copying), 9)
        ask(copying)
        move(copying, "down", begin)
        move(copying, "move", stage(copying))
        copying.key(key, ctrl=held)
        move(copying, "move", end)
        move(copying, "up", end)
        assert entries(copying) == before
        assert not copying.controller.screen.view_state.line


def test_another_key_leaves_it_and_does_what_it_does(copying: Browser) -> None:
    ask(copying)
    copying.key("]")
    assert entries(copying)[0].turn == Turn.of(90)
    draw(copying, 9)
    assert entries(copying)[0].turn == Turn.of(90)


def test_the_line_is_seen_with_its_angle_while_it_is_drawn(copying: Browser) -> None:
    ask(copying)
    begin, end = ends(stage(copying), 9)
    move(copying, "down", begin)
    copying.drawn.clear()
    move(copying, "move", end)
    copying.loop.sleep(0.1)
    lines = [[n / SCALE for n in command[1]] for command in copying.named("strokeLine")]
    assert lines[-1] == pytest.approx([*begin, *end], abs=0.02)
    assert "-9.0°" in [command[1][0] for command in copying.named("fillText")]
    move(copying, "up", end)
    copying.drawn.clear()
    copying.key("z")
    assert "-9.0°" not in [command[1][0] for command in copying.named("fillText")]


def test_a_line_that_is_too_short_levels_nothing_and_another_may_be_drawn(
    copying: Browser,
) -> None:
    ask(copying)
    draw(copying, 9, length=LEAST - 4)
    assert "too short" in copying.words
    assert turns(copying) == [0, 0]
    draw(copying, 9)
    assert turns(copying)[0] == pytest.approx(-9, abs=0.02)
    ask(copying)
    draw(copying, 0)
    assert "0.png is level already, by that line" in copying.words


def test_it_is_of_the_image_that_it_is_drawn_over_whichever_are_selected(
    copying: Browser,
) -> None:
    copying.key("&")
    ask(copying)
    draw(copying, 5, position=1)
    assert turns(copying) == [0, pytest.approx(-5, abs=0.02)]
    assert copying.controller.session.chosen == 1


def test_what_is_decided_is_told_and_the_grid_has_no_line(copying: Browser) -> None:
    copying.key(" ")
    ask(copying)
    draw(copying, 5, position=0)
    assert "0.png is decided already" in copying.words
    copying.key("Escape")
    copying.key("q")
    copying.shown()
    ask(copying)
    assert "in the grid boxes are only looked at" in copying.words
    assert not any(turns(copying)[1:])


def test_a_zoomed_image_is_levelled_and_not_pulled_along(copying: Browser) -> None:
    copying.key("m")
    copying.shown()
    copying.controller.screen.zoom_to(entries(copying)[0].path, Zoom(2.0, 0.4, 0.4))
    ask(copying)
    draw(copying, 5)
    assert turns(copying) == [pytest.approx(-5, abs=0.02)]
    assert copying.controller.screen.view_state.zooms() == {"0.png": [2.0, 0.4, 0.4]}


def test_the_browser_is_told_to_leave_the_press_and_a_page_that_comes_is_in_no_mode(
    copying: Browser,
) -> None:
    widget: Any = copying.controller.screen.live_drag_widget
    copying.holding()  # so there is a browser's part
    copying.key("2")
    copying.loop.sleep(0.1)
    assert (widget.scene["live"], widget.scene["aims"]) == (True, False)
    ask(copying)
    copying.loop.sleep(0.1)
    assert widget.scene["aims"]
    assert not widget.scene["live"]
    copying.open()
    copying.shown()
    copying.loop.sleep(0.1)
    assert not widget.scene["aims"]
    draw(copying, 5)
    assert entries(copying)[0].turn == NO_TURN
