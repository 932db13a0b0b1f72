"""A large collection in a real browser: its first page, its last one, undo, filter, memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.memory import kernel
from browser.reviewing import APART, SLOW, Desk, Review, Running, desk
from PIL import Image
from playwright.sync_api import Browser

IMAGES, SOAK = 20_000, 100_000
IN_A_FOLDER = 1_000
MOST_MEGABYTES = 200


@pytest.fixture
def images(request: pytest.FixtureRequest) -> int:
    return SOAK if request.config.getoption("--soak") else IMAGES


@pytest.fixture
def review(tmp_path: Path, demo: Running, images: int) -> Iterator[Review]:
    folder = tmp_path / "large"
    for number in range(images):
        path = folder / f"set{number // IN_A_FOLDER:03}" / f"image{number + 1:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        colour = (number >> 16, number >> 8 & 255, number & 255)  # no two of one content
        Image.new("RGB", (48, 32), colour).save(path, compress_level=1)
    with demo.reviewing(folder, "large") as review:
        yield review


def go_to(page: Desk, words: str) -> None:
    page.press("g")
    page.page.keyboard.type(words)
    page.press("Enter")


def settle(page: Desk) -> None:
    """Wait as a person does who looks at what a key has done before pressing the next one."""
    page.until_idle()
    page.settled()
    page.until_shown()
    page.page.wait_for_timeout(APART)


def test_what_a_person_does_is_the_same_in_a_large_collection(
    review: Review, browser: Browser, images: int
) -> None:
    last, on_it = -(-images // 3), (images - 1) % 3 + 1
    with desk(browser, review.url) as page:
        status = page.status()
        assert status is not None
        assert (status.page, status.pages) == (1, last)
        go_to(page, str(images))
        page.until_page(last)
        settle(page)
        page.press("Enter")
        page.wait(lambda s: s.written == on_it, "the last page is written", SLOW)
        settle(page)
        page.press("z")
        page.wait(lambda s: s.written == on_it - 1, "one is taken back", SLOW)
        settle(page)
        assert page.status() == page.until_page(last)
        page.press("i")
        page.wait(lambda s: s.pages == -(-(images - on_it + 1) // 3), "what is undecided")
        settle(page)
        go_to(page, "image000004")
        page.until_page(2)
        assert not page.errors
    assert kernel(review)[1] < MOST_MEGABYTES
