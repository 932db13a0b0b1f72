"""What cannot be cropped, in a real browser: it is seen, with the reason, and put aside by eye."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pictures
import pytest
from browser.reviewing import Desk, Running, desk
from misfits import MISFITS, UNDECODED
from PIL import Image
from playwright.sync_api import Browser

SHOWN = (
    *("animation.gif", "depth.jpg", "pages.tif", "short.png", "signed.jpg"),
    *("other.avif", "other.heic", "words.png"),
)


@pytest.fixture
def page(tmp_path: Path, browser: Browser, demo: Running) -> Iterator[tuple[Path, Desk]]:
    folder = tmp_path / "misfits"
    folder.mkdir()
    for name in SHOWN:
        (folder / name).write_bytes((MISFITS | UNDECODED)[name][0]())
    pictures.write_png(folder / "well.png", pictures.photo(400, 300, 9))
    with (
        demo.reviewing(folder, "misfits", per_page=9) as review,
        desk(browser, review.url, viewport={"width": 1440, "height": 900}) as found,
    ):
        yield folder, found
        assert not found.errors


def drawn(found: Desk) -> list[int]:
    """Return how many colours are in each cell of the page, as it is on the screen."""
    found.page.locator(".cropkit-review").first.scroll_into_view_if_needed()
    frames = found.page.locator(".cropkit-review .ck-frame")
    seen = []
    for number in range(frames.count()):
        box = frames.nth(number).bounding_box() or pytest.fail("no cell")
        inside = {
            "x": box["x"] + box["width"] * 0.2,
            "y": box["y"] + box["height"] * 0.25,
            "width": box["width"] * 0.6,
            "height": box["height"] * 0.25,
        }
        shot = found.page.screenshot(clip=inside)  # type: ignore[arg-type]  # a mapping is one
        with Image.open(BytesIO(shot)) as cell:
            seen.append(len(np.unique(np.asarray(cell.convert("RGB")).reshape(-1, 3), axis=0)))
    return seen


def test_what_cannot_be_cropped_is_seen_rejected_and_skipped(page: tuple[Path, Desk]) -> None:
    folder, found = page
    found.until_shown().wait(lambda s: s.broken == len(SHOWN), "all are read")
    found.page.wait_for_timeout(500)
    found.acknowledge_all()
    cells = drawn(found)
    assert len(cells) == len(SHOWN) + 1
    assert min(cells) > 15, cells
    words = found.text()
    for said in ("an animation of 2 frames", "content credentials", "not an image", "HEIC"):
        assert said in words, said
    found.press("1")
    found.settled()
    found.press(" ")
    found.settled()
    assert "cannot be cropped: reject it, skip it, or let it be" in found.text()
    found.press("x", "2")
    found.settled()
    found.press("s", "Enter")
    found.until_idle()
    found.wait(lambda s: (s.written, s.broken) == (1, len(SHOWN) - 2), "all is carried out")
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    assert names == sorted({*SHOWN, "well.png"} - {"animation.gif"})
    with Image.open(folder / "well.png") as whole:
        assert whole.size == (400, 300)
