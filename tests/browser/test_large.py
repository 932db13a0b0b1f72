"""A large collection in a real browser: its first page, its last one, undo, filter, memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser.memory import kernel
from browser.reviewing import APART, SLOW, Desk, Review, Running, desk
from pictures import write_sidecar
from PIL import Image
from playwright.sync_api import Browser

IMAGES, SOAK = 20_000, 100_000
IN_A_FOLDER = 1_000
UNSURE = {500: 0.9, 700: 0.2, 300: 0.6}  # what says how sure it is, by number
MOST_MEGABYTES = 200
FOLDERS = 8
# as on a network: a folder takes its time, and the fifth as long as somebody wants it to
SLOWED = """
import time
from pathlib import Path
from cropkit.collection import Collection

def slowed(collection, listed=Collection.streamed):
    for number, stretch in enumerate(listed(collection)):
        time.sleep(0.2)
        while number > 3 and not Path({gate!r}).exists():
            time.sleep(0.02)
        yield stretch

Collection.streamed = slowed
"""


@pytest.fixture
def images(request: pytest.FixtureRequest) -> int:
    return SOAK if request.config.getoption("--soak") else IMAGES


def painted(folder: Path, images: int) -> Path:
    for number in range(images):
        path = folder / f"set{number // IN_A_FOLDER:03}" / f"image{number + 1:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        colour = (number >> 16, number >> 8 & 255, number & 255)  # no two of one content
        Image.new("RGB", (48, 32), colour).save(path, compress_level=1)
    return folder


@pytest.fixture
def review(tmp_path: Path, demo: Running, images: int) -> Iterator[Review]:
    folder = painted(tmp_path / "large", images)
    for number, sure in UNSURE.items():
        coords, image = [0.0, 0.0, 1.0, 0.5], folder / "set000" / f"image{number:06}.png"
        write_sidecar(image, coords, confidence=sure)
    with demo.reviewing(folder, "large") as review:
        yield review


def go_to(page: Desk, words: str) -> None:
    page.press("g")
    page.page.keyboard.type(words)
    page.press("Enter")


def sort_by_certainty(page: Desk) -> None:
    """Press the key until what says how sure it is was asked."""
    for _ in range(30):
        page.press(":")
        page.settled()
        if f"{len(UNSURE)} of " in page.text():
            return
        page.press(":")
        page.page.wait_for_timeout(APART)
    raise AssertionError(page.text())


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
        page.wait(lambda s: s.written == 0, "all of it are taken back", SLOW)
        settle(page)
        assert page.status() == page.until_page(last)
        page.press("i")
        page.wait(lambda s: s.pages == -(-images // 3), "what is undecided")
        settle(page)
        go_to(page, "image000004")
        page.until_page(2)
        settle(page)
        sort_by_certainty(page)
        page.until_page(1)
        settle(page)
        assert "least certain first" in page.text()
        with review.probe() as probe:
            assert [int(path[-10:-4]) for path in probe.paths()] == [700, 300, 500]
        assert not page.errors
    assert kernel(review)[1] < MOST_MEGABYTES


@contextmanager
def slowly(demo: Running, folder: Path, gate: Path) -> Iterator[Review]:
    """Review a folder of which three folders are listed until there is a gate."""
    prepared = SLOWED.format(gate=str(gate))
    with demo.reviewing(folder, gate.name, prepared=prepared) as review:
        yield review


def listing(page: Desk) -> bool:
    return "rest coming" in (page.page.locator(".cropkit-status").text_content() or "")


def all_listed(page: Desk, pages: int) -> None:
    page.wait(lambda s: s.pages == pages and not listing(page), "all is listed", SLOW)


def test_a_review_is_used_while_its_folders_are_listed(
    tmp_path: Path, demo: Running, browser: Browser
) -> None:
    folder = painted(tmp_path / "slow", FOLDERS * IN_A_FOLDER)
    pages, there = -(-FOLDERS * IN_A_FOLDER // 3), FOLDERS * IN_A_FOLDER // 3 - 20
    gates = [tmp_path / "first", tmp_path / "again"]
    with slowly(demo, folder, gates[0]) as review, desk(browser, review.url) as page:
        assert listing(page), "the first page is there while the rest is listed"
        assert "0 decided · 3,000 images so far, still listing" in page.text()
        page.press("Enter")
        page.until_page(2)
        assert listing(page), "a page is decided while the rest is listed"
        go_to(page, str(3 * there))
        nowhere = f"there are 3,000 images, and no image is called '{3 * there}' so far"
        page.page.get_by_text(nowhere).wait_for()
        gates[0].touch()
        all_listed(page, pages)
        assert "3 of 8,000 decided" in page.text()
        go_to(page, str(3 * there))
        page.until_page(there)
        settle(page)
        assert not page.errors
    with slowly(demo, folder, gates[1]) as review, desk(browser, review.url) as page:
        assert page.until_page(2)
        page.page.get_by_text("goes to where you were").wait_for()
        gates[1].touch()
        page.until_page(there, SLOW)
        page.page.get_by_text("Back where you were").wait_for()
        all_listed(page, pages)
        assert page.until_page(there)
        assert not page.errors
