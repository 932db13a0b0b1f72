"""A picture is straightened in the page: by its own lines, by hand, and by a line."""

from collections.abc import Iterator
from math import cos, radians, sin
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
ENTRY = "review._controller.session.entries[0]"
ASKEW = (400, -250)  # hundredths of a degree
Point = tuple[float, float]
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


def outside_of_the_corner(page: Desk, probe: Probe) -> tuple[Point, Point]:
    """Return the middle of the first box, and a point beside its upper right corner."""
    left, top, right, bottom, scale = probe.value(
        f"[*review._controller.screen.viewport(0).edges({ENTRY}.box),"
        " review._controller.screen.scale]"
    )
    middle = (left + right) / 2 * scale, (top + bottom) / 2 * scale
    return page.on_screen(middle), page.on_screen(((right + 22) * scale, (top - 22) * scale))


def go_round(page: Desk, middle: Point, at: Point, degrees: float) -> None:
    """Go on from a point, clockwise about another."""
    x, y = at[0] - middle[0], at[1] - middle[1]
    for part in range(1, 7):
        by = radians(degrees * part / 6)
        to = middle[0] + x * cos(by) - y * sin(by), middle[1] + x * sin(by) + y * cos(by)
        page.page.mouse.move(*to)


def test_a_drag_outside_of_a_corner_turns_it_and_escape_gives_back(
    review: Review, tmp_path: Path, browser: Browser
) -> None:
    with desk(browser, review.url) as page, review.probe() as probe:
        mouse, before = page.page.mouse, probe.boxes()[0]
        middle, at = outside_of_the_corner(page, probe)
        mouse.move(*at)
        cursor = "document.querySelector('.cropkit-canvas canvas, canvas.cropkit-canvas')"
        page.page.wait_for_function(f"() => {cursor}.style.cursor.startsWith('url(')")
        mouse.down()
        go_round(page, middle, at, 9)
        until_turned(page, probe, 900, 0)
        assert not page.page.locator(".cropkit-front").count(), "the kernel draws it"
        page.press("Escape")
        until_turned(page, probe, 0, 0)
        go_round(page, middle, at, 20)
        mouse.up()
        page.settled()
        until_turned(page, probe, 0, 0)
        assert probe.boxes()[0] == before
        mouse.move(*at)
        mouse.down()
        go_round(page, middle, at, -2)
        page.page.keyboard.down("Shift")
        go_round(page, middle, at, -4.2)
        mouse.up()
        page.page.keyboard.up("Shift")
        until_turned(page, probe, -400, 0, near=0)
        page.press("Enter")
        page.wait(lambda s: s.written == 2, "both copies are written", SLOW)
        assert is_level(tmp_path / "out" / "0.png")
        assert not page.errors


def test_a_line_along_the_horizon_levels_it_and_escape_draws_none(
    review: Review, tmp_path: Path, browser: Browser
) -> None:
    with desk(browser, review.url) as page, review.probe() as probe:
        mouse, before = page.page.mouse, probe.boxes()
        x, y, wide = probe.value(
            "(lambda f, by: [f.middle[0] * by, f.middle[1] * by, f.width * by])"
            "(review._controller.screen.viewport(0).frame, review._controller.screen.scale)"
        )
        middle, right = page.on_screen((x, y)), page.on_screen((x + 0.4 * wide, y))
        along = right[0] - middle[0]
        rises = along * sin(radians(4)) / cos(radians(4))
        for leaves in (True, False):
            page.press("Control+F6")
            page.wait(lambda _: "Draw a line along" in page.text(), "it is asked for")
            mouse.move(middle[0] - along, middle[1] - rises)
            mouse.down()
            mouse.move(*middle, steps=4)
            if leaves:
                page.press("Escape")
                page.wait(lambda _: "Draw a line along" not in page.text(), "it is left")
            mouse.move(middle[0] + along, middle[1] + rises, steps=4)
            mouse.up()
            page.settled()
            until_turned(page, probe, 0 if leaves else -400, 0, near=20)
            assert not page.page.locator(".cropkit-front").count(), "no box was drawn meanwhile"
            assert probe.boxes() == before
        page.press("z")
        until_turned(page, probe, 0, 0)
        page.press("y", "Enter")
        page.wait(lambda s: s.written == 2, "both copies are written", SLOW)
        assert is_level(tmp_path / "out" / "0.png")
        assert not page.errors
