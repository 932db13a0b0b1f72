"""Several images at once, selected by mouse and keys as a browser tells of them."""

from pathlib import Path

import pictures
from conftest import (  # type: ignore[attr-defined]  # (several conftest.py)
    Started,
    on_the_screen,
)
from desktop import Browser, entries, standing

from cropkit.records import Status
from cropkit.review.model import Arrangement, Open
from cropkit.review.model.box_editing import Grip
from cropkit.review.view.layout import ClickTarget


def stage(browser: Browser, position: int) -> tuple[float, float]:
    return browser.review.screen_point(position, ClickTarget.STAGE)


def picked(browser: Browser) -> list[int]:
    session = browser.controller.session
    return [n for n, entry in enumerate(session.entries) if entry.path in session.picked]


def moved(browser: Browser, *keys: str) -> list[bool]:
    """Press keys; return of which images the box is another one."""
    before = [entry.box for entry in entries(browser) if isinstance(entry, Open)]
    for key in keys:
        browser.key(key)
    after = [entry.box for entry in entries(browser) if isinstance(entry, Open)]
    return [was != now for was, now in zip(before, after, strict=True)]


def test_a_click_with_ctrl_selects_beside_and_one_without_ends_it(browser: Browser) -> None:
    browser.click(stage(browser, 2), ctrl=True)
    assert picked(browser) == [0, 2]
    assert "2 selected" in browser.words
    assert "selected 2" in browser.status
    assert moved(browser, "ArrowLeft") == [True, False, True]
    assert moved(browser, "z") == [True, False, True]
    browser.click(stage(browser, 1))
    assert picked(browser) == []
    assert moved(browser, "ArrowLeft") == [False, True, False]


def test_a_click_with_shift_selects_to_there_and_a_drag_with_shift_is_a_drag(
    browser: Browser,
) -> None:
    browser.click(stage(browser, 2), shift=True)
    assert picked(browser) == [0, 1, 2]
    before = entries(browser)[1].box
    browser.holding(shift=True)
    browser.drag(browser.review.screen_point(1, Grip.BOTTOM_RIGHT), (-30, -30))
    after = entries(browser)[1].box
    assert after != before
    assert abs(after.size.aspect_ratio - before.size.aspect_ratio) < 0.05
    assert picked(browser) == [0, 1, 2]


def test_a_click_on_a_handle_with_shift_selects_and_picks_nothing_up(browser: Browser) -> None:
    browser.click(browser.review.screen_point(1, Grip.LEFT), shift=True)
    assert picked(browser) == [0, 1]
    assert "picked up" not in browser.messages.note


def test_keys_select_and_escape_ends_it_before_it_releases_the_keyboard(browser: Browser) -> None:
    browser.key("t")
    browser.key("Tab")
    browser.key("t")
    assert picked(browser) == [0, 1]
    browser.key("Escape")
    assert picked(browser) == []
    browser.key("&")
    assert picked(browser) == [0, 1, 2]


def test_space_decides_all_that_are_selected(browser: Browser) -> None:
    browser.click(stage(browser, 1), ctrl=True)
    browser.holding()
    browser.key(" ")
    browser.written()
    assert list(standing(browser).values()) == [Status.CROPPED] * 2


def test_the_grid_selects_with_the_same_keys_and_marks_without(browser: Browser) -> None:
    browser.key("q")
    browser.shown()
    browser.click(stage(browser, 1), ctrl=True)
    browser.click(stage(browser, 4), shift=True)
    assert picked(browser) == [1, 2, 3, 4]
    browser.key("x")
    marks = [str(entry.mark) for entry in entries(browser)]
    assert marks == ["keep", *["reject"] * 4]


def test_a_box_is_carried_on_and_looked_at_before_it_counts(start: Started, folder: Path) -> None:
    for name in ("x.png", "y.png"):
        pictures.write_png(folder / name, pictures.photo(120, 160, 3))
    pictures.write_png(folder / "0.png", pictures.photo(120, 160, 4))
    browser = on_the_screen(start)
    browser.key("E")
    for key in "4 5 90 100":
        browser.key(key)
    browser.key("Enter")
    box = entries(browser)[0].box
    browser.key("End")
    browser.shown()
    session = browser.controller.session
    same = [entry for entry in entries(browser) if entry.path in ("0.png", "x.png", "y.png")]
    assert session.arrangement is Arrangement.GRID
    assert [e.box for e in same] == [box] * len(same)
    assert len(same) == 3
    assert "Z takes it back" in browser.messages.note
    assert standing(browser) == {}
