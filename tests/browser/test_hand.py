"""What is pressed counts, what is taken back is what was done, and a reload always ends drawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.reviewing import Desk, Running, desk
from playwright.sync_api import Browser

_RELOADS = 6


@pytest.fixture
def page(demo: Running, browser: Browser) -> Iterator[Desk]:
    with desk(browser, demo.url) as shown:
        yield shown
        assert not shown.errors


def content(demo: Running) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(demo.folder).glob("*.png")}


def test_a_press_is_a_step_back_and_a_held_enter_one_page(page: Desk, demo: Running) -> None:
    before = content(demo)
    page.press("x", "Control+z")
    for _ in range(4):
        page.press("Control+ArrowLeft")
    for _ in range(4):
        page.press("z")
    page.settled()
    with demo.probe() as probe:
        boxes = probe.boxes()
    page.page.keyboard.down("Enter")
    for _ in range(15):  # the browser repeats a key that is down, and says so
        page.page.keyboard.down("Enter")
        page.page.wait_for_timeout(80)
    page.page.keyboard.up("Enter")
    page.until_page(2)
    page.until_idle()
    assert content(demo) != before
    page.press("z")
    page.until_page(1)
    page.until_idle()
    assert content(demo) == before
    with demo.probe() as probe:
        assert probe.boxes() == boxes


def test_a_reload_ends_in_a_drawn_page_however_often(page: Desk) -> None:
    for _ in range(_RELOADS):
        page.page.reload(wait_until="commit")
        page.page.wait_for_timeout(300)
    page.page.reload()
    page.until_replayed()
    page.until_shown()
