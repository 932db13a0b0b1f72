"""A box that is edited by single clicks (WCAG 2.2, 2.5.7), driven as a browser drives it."""

from typing import Any

import pytest
from desktop import Browser

from cropkit.geometry import PixelBox
from cropkit.review.canvas.pen import SCALE
from cropkit.review.model.box_editing import HANDLES, Grip, dragged
from cropkit.review.view.layout import ClickTarget

Point = tuple[float, float]


def entry(browser: Browser, position: int = 0) -> Any:
    return browser.controller.session.entries[position]


def click(browser: Browser, at: Point) -> None:
    browser.mouse("down", at)
    browser.mouse("up", at)


def place(browser: Browser, x: float, y: float, position: int = 0) -> Point:
    """Where pixels of an image are on the canvas."""
    shown = entry(browser, position)
    view = browser.controller.screen.view_state.view(position, shown.path, shown.size)
    across, down = view.to_canvas(x, y)
    return across * SCALE, down * SCALE


def handle(browser: Browser, grip: Grip, position: int = 0) -> Point:
    return browser.review.screen_point(position, grip)


def goal(box: PixelBox, grip: Grip) -> Point:
    """A point that is in the box, at some way from its edges and from its middle."""
    width, height = box.size.width, box.size.height
    column, row = grip.value
    return box.left + width * (0.5 + 0.2 * column), box.top + height * (0.5 + 0.2 * row)


@pytest.mark.parametrize("grip", HANDLES)
def test_2_5_7_a_click_on_a_handle_and_one_where_it_goes_do_what_a_drag_does(
    browser: Browser, grip: Grip
) -> None:
    before = entry(browser)
    x, y = goal(before.box, grip)
    column, row = grip.value
    from_x = (before.box.left + before.box.right + column * before.box.size.width) / 2
    from_y = (before.box.top + before.box.bottom + row * before.box.size.height) / 2
    wanted = dragged(before.box, grip, (x - from_x, y - from_y), before.size)
    click(browser, handle(browser, grip))
    assert entry(browser).box == before.box
    assert "picked up" in browser.messages.note
    click(browser, place(browser, x, y))
    found = entry(browser).box
    assert found != before.box
    assert all(abs(a - b) <= 1 for a, b in zip(found.xyxy, wanted.xyxy, strict=True))
    assert browser.messages.note == ""
    click(browser, place(browser, *goal(found, Grip.WHOLE)))
    assert entry(browser).box == found, "a click moved something that was not picked up"


def test_the_same_handle_again_leaves_it_where_it_is(browser: Browser) -> None:
    before = entry(browser).box
    click(browser, handle(browser, Grip.RIGHT))
    click(browser, handle(browser, Grip.RIGHT))
    assert browser.messages.note == ""
    click(browser, place(browser, *goal(before, Grip.RIGHT)))
    assert entry(browser).box == before


def test_another_handle_is_picked_up_instead(browser: Browser) -> None:
    before = entry(browser).box
    click(browser, handle(browser, Grip.RIGHT))
    click(browser, handle(browser, Grip.LEFT))
    assert "left edge" in browser.messages.note
    click(browser, place(browser, *goal(before, Grip.LEFT)))
    found = entry(browser).box
    assert (found.left > before.left, found.right) == (True, before.right)


def test_a_drag_is_no_click_and_puts_the_handle_down(browser: Browser) -> None:
    before = entry(browser).box
    click(browser, handle(browser, Grip.RIGHT))
    browser.drag(handle(browser, Grip.BOTTOM), (0, -10))
    moved = entry(browser).box
    assert (moved.right, moved.bottom < before.bottom) == (before.right, True)
    assert browser.messages.note == ""
    click(browser, place(browser, *goal(moved, Grip.RIGHT)))
    assert entry(browser).box == moved


@pytest.mark.parametrize("key", ["Escape", "ArrowUp"])
def test_a_key_puts_it_down(browser: Browser, key: str) -> None:
    click(browser, handle(browser, Grip.RIGHT))
    browser.key(key)
    before = entry(browser).box
    click(browser, place(browser, *goal(before, Grip.RIGHT)))
    assert entry(browser).box == before


def test_a_click_elsewhere_puts_it_down(browser: Browser) -> None:
    before = entry(browser).box, entry(browser, 1).box
    click(browser, handle(browser, Grip.RIGHT))
    click(browser, place(browser, *goal(before[1], Grip.RIGHT), 1))
    click(browser, place(browser, *goal(before[0], Grip.RIGHT)))
    assert (entry(browser).box, entry(browser, 1).box) == before
    click(browser, handle(browser, Grip.RIGHT))
    click(browser, browser.review.screen_point(0, ClickTarget.ACKNOWLEDGE))
    click(browser, place(browser, *goal(before[0], Grip.RIGHT)))
    assert entry(browser).box == before[0]


def test_the_page_that_comes_next_has_nothing_picked_up(browser: Browser) -> None:
    click(browser, handle(browser, Grip.RIGHT))
    browser.key("PageDown")
    browser.shown()
    before = entry(browser).box
    click(browser, place(browser, *goal(before, Grip.RIGHT)))
    assert entry(browser).box == before


def test_a_pointer_that_leaves_while_it_presses_has_clicked_nothing(browser: Browser) -> None:
    at = handle(browser, Grip.RIGHT)
    browser.mouse("down", at)
    browser.mouse("out", at)
    browser.mouse("up", at)
    assert browser.messages.note == ""


def test_a_pointer_that_looks_elsewhere_does_not_put_it_down(browser: Browser) -> None:
    before = entry(browser).box
    at = handle(browser, Grip.RIGHT)
    click(browser, at)
    browser.mouse("out", at)
    click(browser, place(browser, *goal(before, Grip.RIGHT)))
    assert entry(browser).box.right < before.right


def test_a_finger_does_the_same(browser: Browser) -> None:
    before = entry(browser).box
    for at in (handle(browser, Grip.RIGHT), place(browser, *goal(before, Grip.RIGHT))):
        browser.touch("start", at)
        browser.touch("end")
    assert entry(browser).box.right < before.right
