"""Many pages in a real browser: nothing grows, and no picture is kept that was drawn."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser.memory import kernel
from browser.reviewing import Desk, Review, Running, desk
from PIL import Image
from playwright.sync_api import Browser, CDPSession

from cropkit.review.keys.actions import Repeats

PAGES, SOAK = 60, 500
# Counts what is drawn from elements, whose pixels the browser keeps, and pictures that are open.
_COUNTED = """() => {
    const counts = window.pictures = {elements: 0, made: 0, open: 0};
    const proto = CanvasRenderingContext2D.prototype, draw = proto.drawImage;
    proto.drawImage = function (picture, ...where) {
        if (picture instanceof HTMLImageElement) counts.elements += 1;
        return draw.call(this, picture, ...where);
    };
    const make = window.createImageBitmap, close = ImageBitmap.prototype.close;
    window.createImageBitmap = async (...given) => {
        const made = await make.call(window, ...given);
        counts.made += 1;
        counts.open += 1;
        return made;
    };
    ImageBitmap.prototype.close = function () { counts.open -= 1; close.call(this); };
}"""


@pytest.fixture
def pages(request: pytest.FixtureRequest) -> int:
    return SOAK if request.config.getoption("--soak") else PAGES


@pytest.fixture
def review(tmp_path: Path, demo: Running, pages: int) -> Iterator[Review]:
    folder = tmp_path / "many"
    folder.mkdir()
    rng = np.random.default_rng(7)
    for number in range(pages):
        noise = rng.integers(0, 256, (40, 60, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{number:04}.png", compress_level=1)
    with demo.reviewing(folder, "many", per_page=1) as found:
        yield found


def page_of(client: CDPSession) -> tuple[float, float]:
    """Elements, and memory of the scripts in MB, when what is not needed is gone."""
    client.send("HeapProfiler.collectGarbage")
    found = {m["name"]: m["value"] for m in client.send("Performance.getMetrics")["metrics"]}
    return found["Nodes"], found["JSHeapUsedSize"] / 1e6


def turned(page: Desk, numbers: range) -> None:
    """Press as a person may: a press that comes sooner is taken for the repeat of a held key."""
    for number in numbers:
        pressed_at = time.monotonic()
        page.press("PageDown")
        page.until_page(number)
        time.sleep(max(0.0, pressed_at + 1.5 * Repeats.STEADY.value - time.monotonic()))


def test_many_pages_leave_kernel_widgets_and_page_as_large_as_they_were(
    review: Review, browser: Browser, pages: int
) -> None:
    with desk(browser, review.url) as page:
        client = page.page.context.new_cdp_session(page.page)
        client.send("Performance.enable")
        turned(page, range(2, 12))
        widgets, megabytes = kernel(review)
        nodes, heap = page_of(client)
        page.page.evaluate(_COUNTED)
        turned(page, range(12, pages + 1))
        assert kernel(review)[0] == widgets
        assert kernel(review)[1] < megabytes + 100
        assert page_of(client)[0] < 1.2 * nodes
        assert page_of(client)[1] < heap + 20
        counts = page.page.evaluate("() => window.pictures")
        assert counts["made"] >= pages - 13, "what was read ahead was drawn before"
        assert (counts["elements"], counts["open"]) == (0, 0)
        assert not page.errors
