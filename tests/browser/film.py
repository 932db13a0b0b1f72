"""Make docs/review.gif, the README's moving picture: a session in JupyterLab, on the demo.

The pointer is drawn where the mouse is, and keys are named as they are pressed: a screenshot has
neither.

    python tests/browser/film.py [PICTURE]
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from browser import chromium
from browser.reviewing import ROOT, Desk, desk, running
from PIL import Image, ImageDraw, ImageFont

PICTURE = ROOT / "docs" / "review.gif"
WIDTH = 960  # of the picture
SIZE = {"width": 1280, "height": 860}
STEPS = (0, -9, -21, -34)  # of the drag, in pixels of the window
SHORT, LONG = 220, 1700  # milliseconds that a frame stays
ARROW = ((0, 0), (0, 22), (6, 17), (10, 25), (14, 23), (10, 15), (17, 15))
INK, PAPER = "#202020", "#ffffff"
COLOURS = 160
LABEL = (12, 34)  # from the right and the top border of the review


@dataclass
class Film:
    """Screenshots of the review, each with the milliseconds that it stays."""

    page: Desk
    frames: list[tuple[Image.Image, int]] = field(default_factory=list)

    def take(self, stays: int, *, key: str = "", at: tuple[float, float] | None = None) -> None:
        """Photograph the review with a pointer in the window's pixels, or with a key's name."""
        where = self.page.page.locator(".cropkit-review").first.bounding_box()
        png = self.page.page.screenshot(clip=where)
        with Image.open(BytesIO(png)) as shot:
            picture = shot.convert("RGB")
        drawn = ImageDraw.Draw(picture)
        if at is not None and where is not None:
            _draw_pointer(drawn, (at[0] - where["x"], at[1] - where["y"]))
        if key:
            _draw_key(drawn, key, picture.width)
        height = round(picture.height * WIDTH / picture.width)
        self.frames.append((picture.resize((WIDTH, height), Image.Resampling.LANCZOS), stays))

    def save(self, path: Path) -> None:
        """Write a GIF that begins again at its end, in one palette for all of it."""
        pictures, stays = zip(*self.frames, strict=True)
        palette = _all_of(pictures).quantize(COLOURS)
        flat = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures]
        flat[0].save(
            path, save_all=True, append_images=flat[1:], duration=list(stays), loop=0, optimize=True
        )


def _all_of(pictures: Sequence[Image.Image]) -> Image.Image:
    width, height = pictures[0].size
    sheet = Image.new("RGB", (width, height * len(pictures)))
    for number, one in enumerate(pictures):
        sheet.paste(one, (0, number * height))
    return sheet


def _draw_pointer(drawn: ImageDraw.ImageDraw, at: tuple[float, float]) -> None:
    points = [(at[0] + x, at[1] + y) for x, y in ARROW]
    drawn.polygon(points, fill=PAPER, outline=INK, width=2)


def _draw_key(drawn: ImageDraw.ImageDraw, key: str, width: int) -> None:
    font = ImageFont.load_default(26)
    left, top, right, bottom = drawn.textbbox((0, 0), key, font=font)
    x, y = width - LABEL[0] - (right - left) - 28, LABEL[1]
    drawn.rounded_rectangle(
        (x, y, x + right - left + 28, y + bottom - top + 22), 8, fill=INK, outline=PAPER, width=2
    )
    drawn.text((x + 14 - left, y + 11 - top), key, font=font, fill=PAPER)


def session(page: Desk, grip: tuple[float, float]) -> Film:
    """Film a reviewer: an edge is dragged, a page accepted, an image rejected, all taken back."""
    film = Film(page)
    start = page.status()
    assert start is not None
    film.take(LONG)
    x, y = page.on_screen(grip)
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    for dx in STEPS:
        page.page.mouse.move(x + dx, y)
        _let_it_draw(page)
        film.take(SHORT if dx else 3 * SHORT, at=(x + dx, y))
    page.page.mouse.up()
    _let_it_draw(page)
    film.take(LONG // 2, at=(x + STEPS[-1], y))
    _turn(page, "Enter", start.page + 1)
    film.take(LONG, key="Enter")
    page.press("2", "x")
    _let_it_draw(page)
    film.take(LONG, key="X")
    _turn(page, "Enter", start.page + 2)
    film.take(LONG, key="Enter")
    _turn(page, "z", start.page + 1)
    film.take(LONG, key="Z")
    return film


def _turn(page: Desk, key: str, number: int) -> None:
    page.page.wait_for_timeout(1000)  # not a held key
    page.press(key)
    page.wait(lambda s: s.page == number and s.shown == "shown", f"page {number} is shown")
    page.until_idle()
    _let_it_draw(page)


def _let_it_draw(page: Desk) -> None:
    page.settled()
    page.page.wait_for_timeout(120)


def main(arguments: list[str]) -> None:
    picture = Path(arguments[0]) if arguments else PICTURE
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "home") as review,
        chromium.launched() as browser,
        desk(browser, review.url, viewport=SIZE) as page,
        review.probe() as probe,
    ):
        session(page, probe.grip(0, "LEFT")).save(picture)


if __name__ == "__main__":
    main(sys.argv[1:])
