"""A JPEG's corner moves out to whole blocks: the review shows that before it is accepted."""

import re
from pathlib import Path

import pytest
from conftest import Started  # type: ignore[attr-defined]  # (several conftest.py)
from desktop import Browser
from pictures import photo, write_jpeg

from cropkit.collection import Collection
from cropkit.formats import Options
from cropkit.formats.options import Jpeg

NUDGE = 13


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "jpegs"
    folder.mkdir()
    write_jpeg(folder / "a.jpg", photo(160, 120), orientation=6)
    return folder


def nudged(start: Started, album: Path, options: Options) -> Browser:
    """Take the box of the whole image, and draw its left and bottom edge inwards."""
    browser: Browser = start(Collection(album, options=options))
    browser.open()
    browser.shown()
    browser.key("f")
    for _ in range(NUDGE):
        browser.key("ArrowLeft", ctrl=True, shift=True)
    browser.drawn.clear()
    browser.key("ArrowUp", ctrl=True)
    browser.loop.sleep(1)
    return browser


def readout(browser: Browser) -> str:
    """Return the lines that were drawn on the box, with a plain x between the sides."""
    browser_drew = [str(command[1][0]) for command in browser.named("fillText")]
    lines = browser_drew[-2:] if browser_drew[-1].startswith("lossless") else browser_drew[-1:]
    return ", ".join(lines).replace("\N{MULTIPLICATION SIGN}", "x")


def frames(browser: Browser) -> float:
    """Return how many outlines were drawn each time."""
    sizes = [command for command in browser.named("fillText") if "lossless" not in str(command)]
    return len(browser.named("strokeRect")) / len(sizes)


def test_the_box_that_will_be_written_is_drawn_and_its_size_is_told(
    start: Started, album: Path
) -> None:
    browser = nudged(start, album, Options())
    (entry,) = browser.controller.session.entries
    drawn = readout(browser)
    asked, told = re.fullmatch(r"(\d+ x \d+) · \d\.\d\d, lossless: (\d+ x \d+)", drawn).groups()  # type: ignore[union-attr]  # (a text that does not match is a failure)
    assert asked == f"{entry.box.size.width} x {entry.box.size.height}"  # type: ignore[union-attr]  # (it is open)
    assert frames(browser) == 4  # two lines each
    browser.key("Enter")
    browser.written()
    result = browser.review.collection.look("a.jpg")
    assert told == f"{result.size.width} x {result.size.height}"


def test_in_exact_mode_the_box_is_the_one_that_was_drawn(start: Started, album: Path) -> None:
    browser = nudged(start, album, Options(jpeg=Jpeg.EXACT))
    assert re.fullmatch(r"\d+ x \d+ · \d\.\d\d", readout(browser))
    assert frames(browser) == 2
