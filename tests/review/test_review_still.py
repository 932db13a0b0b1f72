"""The page as a picture that stays in a saved notebook."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
from desktop import Browser
from IPython.core.formatters import DisplayFormatter
from PIL import Image, ImageChops, ImageColor

from cropkit.review.canvas import snapshot
from cropkit.review.canvas.paint import LIGHT
from cropkit.review.canvas.pen import Pen
from cropkit.review.canvas.snapshot import PIXELS, PillowCanvas
from cropkit.review.view.layout import WIDTH
from cropkit.review.view.viewport import Rect

Started = Callable[..., Browser]
COLOURS = ("#4080a0", "#a06040", "#50a060", "#b0b040", "#7040a0")
UNIT = PIXELS / WIDTH


@pytest.fixture
def browser(start: Started, tmp_path: Path) -> Browser:
    """Five images of one colour each, with names that no page has room for."""
    folder = tmp_path / "flat"
    folder.mkdir()
    for number, colour in enumerate(COLOURS):
        image = folder / f"{'long' * 20}{number}.png"
        Image.new("RGB", (300, 200), colour).save(image)
        pictures.write_sidecar(image, [0.25, 0.25, 0.75, 0.75])
    browser = start(folder)
    browser.open()
    browser.shown()
    return browser


def colour(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """The colour at a point of the canvas, in its units."""
    found = picture.getpixel((round(x * UNIT), round(y * UNIT)))
    assert isinstance(found, tuple)
    return found


def near(found: tuple[int, ...], wanted: str) -> bool:
    return all(abs(a - b) <= 4 for a, b in zip(found, ImageColor.getrgb(wanted), strict=True))


def frame(browser: Browser, position: int) -> Rect:
    entry: Any = browser.controller.session.entries[position]
    return browser.controller.screen.view_state.view(position, entry.path, entry.size).frame


def quarter(frame: Rect) -> tuple[float, float]:
    """A point in the box and between its thirds."""
    return frame.x + frame.width * 0.37, frame.y + frame.height * 0.37


def crossed(picture: Image.Image, frame: Rect) -> list[bool]:
    """Whether a light line crosses each corner of an image, beside its box."""
    x, y = frame.x + frame.width * 0.1, frame.height * 0.1
    corners = (frame.y + y, frame.bottom - y)
    return [
        any(near(colour(picture, x, corner + off), LIGHT) for off in range(-3, 4))
        for corner in corners
    ]


def caption(browser: Browser, picture: Image.Image, position: int) -> Image.Image:
    place = browser.controller.screen.layout.caption(position)
    edges = (place.x, place.y, place.right, place.bottom)
    left, top, right, bottom = (round(edge * UNIT) for edge in edges)
    return picture.crop((left, top, right, bottom))


def differ(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is not None


def test_it_shows_each_picture_in_its_place_bright_in_the_box_and_dim_outside(
    browser: Browser,
) -> None:
    picture = browser.review.snapshot()
    assert picture.width == PIXELS
    for position in range(3):
        there = frame(browser, position)
        assert near(colour(picture, *quarter(there)), COLOURS[position])
        outside = colour(picture, there.x + 20, there.y + 20)
        bright = ImageColor.getrgb(COLOURS[position])
        assert all(a < 0.7 * b for a, b in zip(outside, bright, strict=True))


def test_a_verdict_changes_the_words_under_its_image_and_the_picture(browser: Browser) -> None:
    before = browser.review.snapshot()
    browser.key("x")
    browser.shown()
    after = browser.review.snapshot()
    assert differ(caption(browser, before, 0), caption(browser, after, 0))
    assert not differ(caption(browser, before, 1), caption(browser, after, 1))
    assert not near(colour(after, *quarter(frame(browser, 0))), COLOURS[0])
    assert near(colour(after, *quarter(frame(browser, 1))), COLOURS[1])


def test_a_rejected_image_is_crossed_out_and_a_skipped_one_is_not(browser: Browser) -> None:
    browser.key("x")
    browser.key("2")
    browser.key("s")
    browser.shown()
    page = browser.review.snapshot()
    assert crossed(page, frame(browser, 0)) == [True, True]
    assert crossed(page, frame(browser, 1)) == [False, False]


def test_a_long_name_stays_beside_its_verdict(browser: Browser) -> None:
    shown = caption(browser, browser.review.snapshot(), 0)
    verdict = snapshot.font(18).getlength("✓ accept") * UNIT
    gap = shown.crop((round(shown.width - verdict - 9), 0, round(shown.width - verdict - 2), 20))
    assert np.asarray(gap).min() > 250, "nothing parts the name from the verdict"
    assert np.asarray(shown).min() < 100


def test_every_page_has_a_picture(browser: Browser) -> None:
    seen = [browser.review.snapshot()]
    for key in ("q", "q", "m", "m", "Enter", "Enter"):
        browser.loop.sleep(2)
        browser.key(key)
        browser.until(lambda: browser.controller.session.ready)
        browser.shown()
        seen.append(browser.review.snapshot())
    assert all(one.size == seen[0].size for one in seen)
    assert browser.controller.session.ended
    grid, single, end = seen[1], seen[3], seen[-1]
    assert all(differ(seen[0], one) for one in (grid, single, end))
    assert not differ(seen[0], seen[2])


def test_before_a_browser_has_come_the_places_are_empty(start: Started, folder: Path) -> None:
    browser = start(folder)
    picture, layout = browser.review.snapshot(), browser.controller.screen.layout
    grounds = {colour(picture, *layout.stage(position).middle) for position in range(3)}
    assert len(grounds) == 1
    assert grounds != {(255, 255, 255)}


def test_a_label_that_is_wider_than_its_box_stands_beside_it(
    start: Started, tmp_path: Path
) -> None:
    folder = tmp_path / "narrow"
    folder.mkdir()
    boxes = {"narrow": [0.45, 0.2, 0.55, 0.6], "wide": [0.1, 0.2, 0.9, 0.6]}
    for name, box in boxes.items():
        Image.new("RGB", (200, 200), COLOURS[0]).save(folder / f"{name}.png")
        pictures.write_sidecar(folder / f"{name}.png", box)
    browser = start(folder)
    browser.open()
    browser.shown()
    picture = browser.review.snapshot()
    for position, (name, box) in enumerate(boxes.items()):
        there = frame(browser, position)
        wide = there.width * (box[2] - box[0])
        x = there.x + there.width * box[0] + min(wide / 2, 50)  # between its thirds
        inside = colour(picture, x, there.y + there.height * box[3] - 18)
        below = colour(picture, x, there.y + there.height * box[3] + 16)
        assert near(inside, COLOURS[0]) == (name == "narrow")
        assert (max(below) < 40) == (name == "narrow")


def test_a_notebook_keeps_it_as_png(browser: Browser) -> None:
    picture = browser.review.snapshot()
    kept: Any = DisplayFormatter().format(picture)[0]  # type: ignore[no-untyped-call]
    with Image.open(io.BytesIO(kept["image/png"])) as saved:
        assert not differ(saved.convert("RGB"), picture)
    assert " at 0x" not in kept["text/plain"]  # the same on every run, as far as words go


def test_its_canvas_draws_as_a_browser_does() -> None:
    canvas = PillowCanvas(60, 40)
    pen = Pen(canvas, 1)
    pen.fill("rgba(0, 0, 0, 0.50)", Rect(0, 0, 10, 10), Rect(20, 20, -3, 5))
    pen.frame("#ff0000", 2, Rect(20, 10, 10, 10))
    pen.line("#00ff00", 1, (0, 30.5, 10, 30.5))
    with pen.within(Rect(40, 0, 10, 40)):
        pen.fill("#0000ff", Rect(30, 0, 30, 40))
    seen = canvas.image.load()
    assert seen is not None
    assert seen[9, 9] == pytest.approx((127, 127, 127), abs=1)
    assert seen[10, 10] == seen[18, 22] == (255, 255, 255)
    assert {seen[19, 15], seen[20, 15], seen[30, 15], seen[25, 9]} == {(255, 0, 0)}
    assert seen[21, 15] == seen[31, 15] == seen[18, 15] == (255, 255, 255)
    assert (0, 255, 0) in {seen[5, 30], seen[5, 31]}
    assert seen[39, 5] == seen[50, 5] == (255, 255, 255)
    assert seen[40, 5] == seen[49, 39] == (0, 0, 255)


def test_words_come_in_any_script_a_file_name_is_likely_to_have() -> None:
    font = snapshot.font(20)
    missing = font.getmask("\uffff").getbbox(), bytes(font.getmask("\uffff"))
    for sign in "ßüñŁЖλ→…✓✎✕↷◷✔✖↪⚠↻◎":
        assert (font.getmask(sign).getbbox(), bytes(font.getmask(sign))) != missing, sign
