"""What is pressed counts, what is taken back is what was done, and a reload always ends drawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.reviewing import Desk, Review, Running, desk
from playwright.sync_api import Browser

from cropkit.demo import make_demo

_RELOADS = 6


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory, demo: Running) -> Iterator[Review]:
    """A review of its own: what is pressed and taken back here is how no other test begins."""
    with demo.reviewing(make_demo(tmp_path_factory.mktemp("hand") / "demo"), "hand") as review:
        yield review


@pytest.fixture
def page(reviewed: Review, browser: Browser) -> Iterator[Desk]:
    with desk(browser, reviewed.url) as shown:
        yield shown
        assert not shown.errors


def content(reviewed: Review) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(reviewed.folder).glob("*.png")}


def test_a_press_is_a_step_back_and_a_held_enter_one_page(page: Desk, reviewed: Review) -> None:
    before = content(reviewed)
    page.press("x", "Control+z")
    for _ in range(4):
        page.press("Control+ArrowLeft")
    for _ in range(4):
        page.press("z")
    page.settled()
    with reviewed.probe() as probe:
        boxes = probe.boxes()
    page.page.keyboard.down("Enter")
    for _ in range(15):  # the browser repeats a key that is down, and says so
        page.page.keyboard.down("Enter")
        page.page.wait_for_timeout(80)
    page.page.keyboard.up("Enter")
    page.until_page(2)
    page.until_idle()
    assert content(reviewed) != before
    page.press("z")
    page.until_page(1)
    page.until_idle()
    assert content(reviewed) == before
    with reviewed.probe() as probe:
        assert probe.boxes() == boxes


def test_a_reload_ends_in_a_drawn_page_however_often(page: Desk) -> None:
    for _ in range(_RELOADS):
        page.page.reload(wait_until="commit")
        page.page.wait_for_timeout(300)
    page.page.reload()
    page.until_replayed()
    page.until_shown()
