"""A hand straightens an image: a drag outside of a corner of its box turns it about the middle."""

from collections.abc import Callable
from math import cos, radians, sin
from pathlib import Path
from typing import Any

import pytest
from desktop import IN_THE_MIDDLE, Browser, entries

from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.review.canvas.pen import SCALE
from cropkit.review.model import SetBox
from cropkit.review.model.box_editing import CORNERS, Grip, corner_beside, grip_at
from cropkit.review.view.turning import angle, with_angle
from cropkit.review.view.viewport import Zoom
from cropkit.straightening import is_inside

Started = Callable[..., Browser]
WIDE = (480, 320)
Point = tuple[float, float]


def middle_and_corner(browser: Browser, corner: Grip) -> tuple[Point, Point]:
    """Return the middle of the first box, and a point outside of a corner, in canvas units."""
    view = browser.controller.screen.viewport(0)
    assert view is not None
    left, top, right, bottom = view.edges(entries(browser)[0].box)
    column, row = corner.value
    x, y = right if column > 0 else left, bottom if row > 0 else top
    return view.middle_of(entries(browser)[0].box), (x + 20 * column, y + 20 * row)


def swung(middle: Point, at: Point, degrees: float) -> Point:
    """Return a point turned about another, clockwise as it is seen."""
    x, y, by = at[0] - middle[0], at[1] - middle[1], radians(degrees)
    return middle[0] + x * cos(by) - y * sin(by), middle[1] + x * sin(by) + y * cos(by)


def move(browser: Browser, event: str, at: Point) -> None:
    browser.mouse(event, (at[0] * SCALE, at[1] * SCALE))


def swing(browser: Browser, *degrees: float, corner: Grip = Grip.TOP_RIGHT) -> None:
    """Press outside of a corner, go round to each of these angles, and do not let go."""
    middle, at = middle_and_corner(browser, corner)
    move(browser, "down", at)
    for each in degrees:
        move(browser, "move", swung(middle, at, each))


def turn(browser: Browser) -> Turn:
    found: Turn = entries(browser)[0].turn
    return found


@pytest.mark.parametrize("corner", CORNERS)
def test_it_turns_as_far_as_the_hand_goes_round_and_stays_inside(
    copying: Browser, corner: Grip
) -> None:
    middle, at = middle_and_corner(copying, corner)
    for to in (7.5, -12.3):
        swing(copying, to / 2, to, corner=corner)
        assert turn(copying).angle == pytest.approx(to, abs=0.051)
        move(copying, "up", swung(middle, at, to))
        copying.key("z")
    assert turn(copying) == NO_TURN
    copying.controller.take(SetBox(PixelBox(0, 40, 480, 300)))
    swing(copying, 20)
    entry = entries(copying)[0]
    assert is_inside(entry.box, Size(*WIDE), entry.turn)


def test_a_drag_is_one_step_and_the_next_goes_on_from_it(copying: Browser) -> None:
    middle, at = middle_and_corner(copying, Grip.TOP_LEFT)
    for to in (10, 5):
        move(copying, "down", at)
        for part in (0.2, 0.6, 1):
            move(copying, "move", swung(middle, at, to * part))
        move(copying, "up", swung(middle, at, to))
    assert turn(copying).angle == pytest.approx(15, abs=0.1)
    copying.key("z")
    assert turn(copying).angle == pytest.approx(10, abs=0.1)
    copying.key("z")
    assert turn(copying) == NO_TURN
    assert entries(copying)[0].box == IN_THE_MIDDLE


def test_shift_takes_whole_degrees_and_no_hand_turns_it_by_more_than_45(copying: Browser) -> None:
    middle, at = middle_and_corner(copying, Grip.TOP_RIGHT)
    swing(copying, 6.4)
    copying.holding(shift=True)
    assert turn(copying) == Turn(1, 600)
    move(copying, "move", swung(middle, at, -3.6))
    assert turn(copying) == Turn(1, -400)
    copying.holding()
    for to in (-60, -120, -170, -200, -300):  # a long way round is no way back
        move(copying, "move", swung(middle, at, to))
        assert turn(copying) == Turn(1, -4500)
    move(copying, "up", at)


def test_escape_gives_back_and_the_hand_turns_nothing_more(copying: Browser) -> None:
    before = entries(copying)
    swing(copying, 5, 9)
    assert turn(copying) != NO_TURN
    copying.strike("Escape")
    assert entries(copying) == before
    middle, at = middle_and_corner(copying, Grip.TOP_RIGHT)
    move(copying, "move", swung(middle, at, 15))
    move(copying, "up", swung(middle, at, 15))
    assert entries(copying) == before
    swing(copying)
    copying.key("Escape")
    assert entries(copying) == before, "nothing was done, and nothing before it is taken back"
    move(copying, "up", at)


def test_a_drag_there_and_back_is_no_step_and_the_next_one_is_given_back(copying: Browser) -> None:
    _, at = middle_and_corner(copying, Grip.TOP_RIGHT)
    before, steps = entries(copying), copying.controller.session.edits
    swing(copying, 5, 0)
    move(copying, "up", at)
    assert (entries(copying), copying.controller.session.edits) == (before, steps)
    swing(copying, 5, 9)
    copying.strike("Escape")
    assert (entries(copying), copying.controller.session.edits) == (before, steps)


def test_what_only_takes_a_mark_away_is_a_step_of_its_own(copying: Browser) -> None:
    copying.key("x")
    before = entries(copying)
    _, at = middle_and_corner(copying, Grip.TOP_RIGHT)
    swing(copying, 5, 0)
    move(copying, "up", at)
    kept = entries(copying)
    assert kept != before
    swing(copying, 5, 0, 9)
    copying.strike("Escape")
    assert entries(copying) == kept
    copying.key("z")
    assert entries(copying) == before


@pytest.mark.parametrize("key", ["x", "]", "{", "z", "2", "ArrowLeft"])
@pytest.mark.parametrize("gone", [(3, 7), (3, 0)])
def test_what_a_key_does_under_the_hand_stands_and_the_hand_lets_go(
    copying: Browser, key: str, gone: tuple[float, ...]
) -> None:
    middle, at = middle_and_corner(copying, Grip.TOP_RIGHT)
    swing(copying, *gone)
    copying.key(key)
    done = (entries(copying), copying.controller.session.chosen)
    move(copying, "move", swung(middle, at, 8))
    assert (entries(copying), copying.controller.session.chosen) == done
    move(copying, "up", swung(middle, at, 8))
    assert (entries(copying), copying.controller.session.chosen) == done


@pytest.mark.parametrize("key", ["x", "z"])
def test_escape_gives_nothing_back_that_a_key_did_under_the_hand(
    copying: Browser, key: str
) -> None:
    copying.key("ArrowLeft")
    middle, at = middle_and_corner(copying, Grip.TOP_RIGHT)
    swing(copying, 3, 7)
    copying.key(key)
    done = entries(copying)
    copying.strike("Escape")
    assert entries(copying) == done
    move(copying, "move", swung(middle, at, 8))
    assert entries(copying) == done


def test_a_click_there_turns_nothing_and_far_from_a_corner_a_box_is_drawn(
    copying: Browser,
) -> None:
    _, at = middle_and_corner(copying, Grip.TOP_RIGHT)
    move(copying, "down", at)
    move(copying, "move", (at[0] + 3, at[1] + 2))
    move(copying, "up", (at[0] + 3, at[1] + 2))
    assert (turn(copying), entries(copying)[0].box) == (NO_TURN, IN_THE_MIDDLE)
    view = copying.controller.screen.viewport(0)
    assert view is not None
    start = view.to_canvas(10, 10)
    copying.drag((start[0] * SCALE, start[1] * SCALE), (30, 30))
    assert turn(copying) == NO_TURN
    assert entries(copying)[0].box.right < IN_THE_MIDDLE.left


def test_a_click_with_shift_there_selects_and_a_drag_does_not(copying: Browser) -> None:
    _, at = middle_and_corner(copying, Grip.TOP_LEFT)
    copying.click((at[0] * SCALE, at[1] * SCALE), shift=True)
    assert copying.controller.session.picked
    copying.holding()
    copying.key("Escape")
    copying.holding(shift=True)
    middle, at = middle_and_corner(copying, Grip.TOP_LEFT)
    swing(copying, 8, corner=Grip.TOP_LEFT)
    move(copying, "up", swung(middle, at, 8))
    assert turn(copying) == Turn(1, 800)
    assert not copying.controller.session.picked
    copying.holding()
    copying.key("z")
    copying.holding(shift=True)
    swing(copying, 8, 0, corner=Grip.TOP_LEFT)
    move(copying, "up", at)
    assert turn(copying) == NO_TURN
    assert not copying.controller.session.picked, "it has gone there and back"


def test_a_mirrored_image_follows_the_hand_as_it_is_seen(copying: Browser) -> None:
    copying.key("{")
    copying.key("]")
    swing(copying, 10)
    assert angle(turn(copying)) == pytest.approx(10, abs=0.06)
    assert turn(copying).hundredths == pytest.approx(-1000, abs=6)


def test_a_zoomed_image_is_turned_and_not_pulled_along(copying: Browser) -> None:
    copying.key("m")
    copying.shown()
    copying.controller.screen.zoom_to(entries(copying)[0].path, Zoom(1.5, 0.5, 0.5))
    swing(copying, 10)
    assert turn(copying).angle == pytest.approx(10, abs=0.06)
    assert copying.controller.screen.view_state.zooms() == {"0.png": [1.5, 0.5, 0.5]}


def test_a_hand_lets_go_of_an_image_that_is_turned_away_under_it(copying: Browser) -> None:
    swing(copying, 10)
    copying.strike("PageDown")
    copying.shown()
    middle, at = (300.0, 300.0), (400.0, 200.0)
    move(copying, "move", swung(middle, at, 20))
    assert [entry.turn for entry in entries(copying)] == [NO_TURN] * len(entries(copying))
    copying.key("PageUp")
    copying.shown()
    assert turn(copying).angle == pytest.approx(10, abs=0.06), "and what was done stays"


def test_what_it_cannot_be_straightened_in_is_marked_as_by_the_keys(
    start: Started, three_pictures: Path
) -> None:
    browser = start(three_pictures, per_page=2)
    browser.open()
    browser.shown()
    browser.controller.take(SetBox(IN_THE_MIDDLE))
    swing(browser, 10)
    assert "a fine angle has every pixel computed anew" in browser.words


def test_the_browser_is_told_how_far_from_a_corner_that_is_and_the_cell_it_is_in(
    copying: Browser,
) -> None:
    copying.loop.sleep(0.1)
    widget: Any = copying.controller.screen.live_drag_widget
    view = copying.controller.screen.viewport(0)
    assert view is not None
    stage = view.stage
    assert widget.scene["turns"] == 44
    assert widget.scene["shapes"][0]["room"] == [stage.x, stage.y, stage.right, stage.bottom]


def test_outside_of_a_corner_is_where_nothing_else_is_taken_hold_of() -> None:
    edges = (100.0, 100.0, 300.0, 200.0)
    seen = {(x, y): corner_beside(edges, x, y, 16, 44) for x in range(400) for y in range(300)}
    assert set(seen.values()) == {None, *CORNERS}
    assert all(grip_at(edges, *at, 16) is None for at, corner in seen.items() if corner)
    assert seen[75, 75] is Grip.TOP_LEFT
    assert seen[300, 230] is Grip.BOTTOM_RIGHT
    assert seen[200, 230] is None


@pytest.mark.parametrize("number", range(1, 9))
def test_an_angle_as_it_is_seen_is_given_to_a_turn(number: int) -> None:
    for degrees in (-45.0, -0.1, 12.34, 0.0):
        turn = with_angle(Turn(number, 777), degrees)
        assert turn.orientation == number
        assert angle(turn) == pytest.approx(degrees)
