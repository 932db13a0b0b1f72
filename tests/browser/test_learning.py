"""Twenty decisions change the boxes of the images that come next, for everybody to see."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser.reviewing import SLOW, Review, Running, desk
from playwright.sync_api import Browser
from scenes import SIZE, around

PER_PAGE, PAGES = 4, 7
MIDDLE = tuple(round(side * part) for part in (0.25, 0.75) for side in SIZE)
MODEL = f"""
from functools import partial

import cropkit


def middle(image):
    return [{list(MIDDLE)}]


cropkit.open = partial(cropkit.open, suggest=middle)
"""


@pytest.fixture
def review(tmp_path: Path, demo: Running) -> Iterator[Review]:
    folder = tmp_path / "photos"
    folder.mkdir()
    images, _ = around(np.random.default_rng(90), PER_PAGE * PAGES)
    for number, image in enumerate(images):
        image.save(folder / f"{number:02}.png")
    with demo.reviewing(folder, "learning", PER_PAGE, prepared=MODEL) as review:
        yield review


def test_twenty_decisions_change_the_next_boxes(review: Review, browser: Browser) -> None:
    viewport = {"width": 1440, "height": 900}
    with desk(browser, review.url, viewport=viewport) as page, review.probe() as probe:
        assert probe.boxes() == [MIDDLE] * PER_PAGE
        for number in range(2, 8):
            for _ in range(PER_PAGE):
                page.press("f", "Tab")  # this reviewer wants whole images
            page.settled()
            page.press("Enter")
            page.until_page(number, SLOW)
        boxes = probe.boxes()
        assert "your " in page.text()
        assert " reviews" in page.text()
        assert not page.errors
    widths = [right - left for left, _, right, _ in boxes]
    assert min(widths) > 0.75 * SIZE[0]
