"""A picture is straightened in the page: by its own lines, which are offered."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pictures
import pytest
from browser.reviewing import SLOW, Desk, Probe, Review, Running, desk
from PIL import Image
from playwright.sync_api import Browser

from cropkit.formats.rotation import rotated
from cropkit.geometry import PixelBox

SIZE = (900, 600)
ASKEW = (400, -250)  # hundredths of a degree
TURNS = "[e.turn.hundredths for e in review._controller.session.entries]"


def sea(askew: int) -> Image.Image:
    """Return a plain horizon, turned clockwise."""
    scene = np.full((1300, 1500, 3), (150, 190, 230), np.uint8)
    scene[650:] = (20, 40, 90)
    return Image.fromarray(rotated(scene, PixelBox.from_xywh(300, 350, *SIZE), askew))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "seas"
    made.mkdir()
    for number, askew in enumerate(ASKEW):
        name = made / f"{number}.png"
        pictures.write_png(name, sea(askew))
        pictures.write_sidecar(name, [0.25, 0.2, 0.75, 0.8])
    return made


@pytest.fixture
def review(folder: Path, tmp_path: Path, demo: Running) -> Iterator[Review]:
    with demo.reviewing(folder, "angles", 2, copy_to=str(tmp_path / "out")) as review:
        yield review


def until_turned(page: Desk, probe: Probe, *hundredths: int, near: int = 15) -> None:
    """Wait until the images of the page are straightened so."""

    def fits(_: object) -> bool:
        turns = probe.value(TURNS)
        return all(abs(a - b) <= near for a, b in zip(turns, hundredths, strict=True))

    page.wait(fits, f"the images are straightened by {hundredths}")


def is_level(picture: Path) -> bool:
    """Whether the horizon of a picture lies in one row."""
    with Image.open(picture) as image:
        rows = np.asarray(image.convert("L"), float)
    return bool(np.ptp(np.abs(np.diff(rows, axis=0)).argmax(axis=0)) <= 2)


def test_what_is_askew_is_offered_levelled_by_a_key_and_written_so(
    review: Review, tmp_path: Path, browser: Browser
) -> None:
    with desk(browser, review.url) as page, review.probe() as probe:
        page.wait(lambda _: "∠-4.0°?" in page.text() and "∠+2.5°?" in page.text(), "it is offered")
        page.press("Shift+F6")
        until_turned(page, probe, -400, 0)
        page.wait(lambda _: "∠-4.0°?" not in page.text(), "it is offered no more")
        page.press("z")
        until_turned(page, probe, 0, 0)
        page.press("&", "Shift+F6")
        until_turned(page, probe, -400, 250)
        page.page.reload()
        page.until_replayed()
        until_turned(page, probe, -400, 250)
        page.press("Enter")
        page.wait(lambda s: s.written == 2, "both copies are written", SLOW)
        assert all(is_level(tmp_path / "out" / f"{n}.png") for n in range(2))
        assert not page.errors
