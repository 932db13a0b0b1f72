"""The page as a picture of its own, for where there is no kernel: a notebook that was saved.

What the review draws in a browser is drawn here by Pillow, on a canvas that takes the same calls;
the words, which are HTML there, are written in short.
"""

import io
import re
from collections.abc import Iterator
from functools import cache

from PIL import Image, ImageColor, ImageDraw, ImageFont

from cropkit.errors import NotInstalled
from cropkit.formats.turning import TRANSPOSES
from cropkit.geometry import NO_TURN
from cropkit.monitor.plots import matplotlib_data
from cropkit.names import printable
from cropkit.review.canvas.buffers import OffscreenBuffer
from cropkit.review.canvas.cells import cell_states
from cropkit.review.canvas.paint import paint_cell, paint_pictures
from cropkit.review.canvas.pen import Pen
from cropkit.review.model.slots import slot_of
from cropkit.review.runtime.prefetch import Arrival, Prefetch
from cropkit.review.view.captions import verdict
from cropkit.review.view.html import file_name
from cropkit.review.view.layout import PageLayout
from cropkit.review.view.tone import Tone
from cropkit.review.view.turning import angle
from cropkit.review.view.view_model import View
from cropkit.review.view.view_state import Pictured, ViewState
from cropkit.review.view.viewport import Rect

PIXELS = 1000  # width: enough to see what was decided, little enough to be saved in a notebook
_GROUND, _INK, _QUIET = "#ffffff", "#10151c", "#5a6470"
_SIZE = 18
_COLOUR = re.compile(r"rgba\((\d+), (\d+), (\d+), ([\d.]+)\)")
_FONT_SIZE = re.compile(r"([\d.]+)px ")


class PillowCanvas:
    """As much of an ipycanvas `Canvas` as a `Pen` asks for; lengths in pixels."""

    fill_style = stroke_style = _INK
    line_width = 1.0
    font, text_baseline = f"{_SIZE}px ", "middle"

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width, height), _GROUND)
        self._kept: list[Image.Image] = []
        self._clip: Rect | None = None
        self._path: Rect | None = None

    def clear(self) -> None:
        """Wipe everything."""
        self.image.paste(_GROUND, (0, 0, *self.image.size))

    def clear_rect(self, *_: float) -> None:
        """Leave what is there: boxes have no layer of their own here, and are painted once."""

    def fill_rect(self, x: float, y: float, width: float, height: float) -> None:
        """Fill a rectangle."""
        left, top, right, bottom = round(x), round(y), round(x + width), round(y + height)
        if right > left and bottom > top:
            self._pen.rectangle((left, top, right - 1, bottom - 1), fill=_rgba(self.fill_style))

    def stroke_rect(self, x: float, y: float, width: float, height: float) -> None:
        """Draw an outline, half of its width outside."""
        line = max(1, round(self.line_width))
        outer = round(x - line / 2), round(y - line / 2)
        inner = round(x + width + line / 2) - 1, round(y + height + line / 2) - 1
        if inner[0] >= outer[0] and inner[1] >= outer[1]:
            self._pen.rectangle((*outer, *inner), outline=_rgba(self.stroke_style), width=line)

    def stroke_line(self, *ends: float) -> None:
        """Draw a line from (x, y) to (x, y)."""
        width = max(1, round(self.line_width))
        self._pen.line(ends, fill=_rgba(self.stroke_style), width=width)

    def fill_text(self, text: str, x: float, y: float) -> None:
        """Write a line of text, from its left end and its middle height."""
        size = _FONT_SIZE.match(self.font)
        letters = font(float(size[1]) if size else _SIZE)
        self._pen.text((x, y), text, fill=_rgba(self.fill_style), font=letters, anchor="lm")

    def draw_image(
        self, source: Image.Image, x: float, y: float, width: float, height: float
    ) -> None:
        """Draw an image into a rectangle."""
        size = max(1, round(width)), max(1, round(height))
        corner = round(x), round(y)
        self.image.paste(source.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0), corner)

    def save(self) -> None:
        """Keep what is there, until what is drawn next is clipped."""
        self._kept.append(self.image.copy())

    def begin_path(self) -> None:
        """Begin what `clip` clips to."""
        self._path = None

    def rect(self, x: float, y: float, width: float, height: float) -> None:
        """Add to it."""
        self._path = Rect(x, y, width, height)

    def clip(self) -> None:
        """Let nothing of what is drawn next be seen outside."""
        self._clip = self._path

    def restore(self) -> None:
        """Draw anywhere again."""
        drawn, self.image = self.image, self._kept.pop()
        clip, self._clip = self._clip, None
        if clip is not None:
            inside = (round(clip.x), round(clip.y), round(clip.right), round(clip.bottom))
            self.image.paste(drawn.crop(inside), inside[:2])

    @property
    def _pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image, "RGBA")  # blends


def page_picture(view: View, view_state: ViewState, prefetch: Prefetch) -> Image.Image:
    """Return the page that a review shows, `PIXELS` wide; what is not there yet stays empty."""
    layout, session = view.layout, view.session
    scale = PIXELS / layout.width
    canvas = PillowCanvas(PIXELS, round(layout.strip.y * scale))
    pen = Pen(canvas, scale)
    tone = Tone(ground=view_state.tone.ground)
    paint_pictures(pen, layout, session, _pictures(view, view_state, prefetch), tone)
    _write(pen, _line(layout), f"{view.folder} · {_progress(view)}")
    states = cell_states(session, view_state, prefetch.applied, view.unturnable)
    for position, cell_state in enumerate(states):
        paint_cell(pen, layout.cell(position), cell_state)
        _, sign, word = verdict(view, cell_state.entry)
        name, slot = file_name(cell_state.entry.path), slot_of(cell_state.entry.path)
        words = " ".join(filter(None, (str(position + 1), printable(slot), name)))
        _write(pen, layout.caption(position), words, f"{sign} {word}")
    if session.ended:
        _write(pen, layout.board, "Nothing is left to decide")
    return canvas.image


def _pictures(
    view: View, view_state: ViewState, prefetch: Prefetch
) -> Iterator[tuple[OffscreenBuffer, Pictured]]:
    for position, entry in enumerate(view.session.entries):
        arrival = prefetch.get(entry.path)
        if isinstance(arrival, Arrival):
            with Image.open(io.BytesIO(arrival.jpeg), formats=("JPEG",)) as opened:
                picture = opened.convert("RGB")
            seen = view_state.pictured(position, entry, arrival.size)
            picture = _turned(picture, seen)
            whole = Rect(0, 0, *picture.size)
            yield OffscreenBuffer(picture, picture, whole), seen._replace(turn=NO_TURN)


def _turned(picture: Image.Image, seen: Pictured) -> Image.Image:
    """Return a picture as it is seen: by quarters, then by an angle, within its frame."""
    turn = seen.turn
    if not turn.quarters.is_none:
        picture = picture.transpose(TRANSPOSES[turn.orientation])
    if not turn.resamples:
        return picture
    x, y = seen.view.to_image(*seen.about)
    by = picture.width / seen.view.size.width
    way = Image.Resampling.BICUBIC
    return picture.rotate(-angle(turn), way, center=(x * by, y * by), fillcolor=_GROUND)


def _line(layout: PageLayout) -> Rect:
    return Rect(layout.padding, 0, layout.width - 2 * layout.padding, layout.header.height)


def _progress(view: View) -> str:
    session, counts = view.session, view.counts
    return (
        f"page {session.page + 1} of {session.pages} · {session.decided:,} of {session.total:,} "
        f"decided · {counts.written:,} written, {counts.waiting:,} waiting"
        + "".join(f", {number:,} {word}" for word, number in view.troubles if number)
    )


def _write(pen: Pen, rect: Rect, words: str, tail: str = "") -> None:
    """Write a line, its tail at the right; what is too long loses its middle."""
    middle, end = rect.y + rect.height / 2, font(_SIZE).getlength(tail)
    room = rect.width - end - (_SIZE if tail else 0)
    pen.words(_shortened(words, room), (rect.x, middle), _INK, _SIZE)
    if tail:
        pen.words(tail, (rect.right - end, middle), _QUIET, _SIZE)


def _shortened(words: str, room: float) -> str:
    kept = len(words)
    shown = words
    while kept > 1 and font(_SIZE).getlength(shown) > room:
        kept -= 1
        shown = f"{words[: kept - kept // 2]}…{words[len(words) - kept // 2 :]}"
    return shown


def _rgba(colour: str) -> tuple[int, ...]:
    """Return a colour as CSS writes it, in numbers up to 255."""
    parts = _COLOUR.fullmatch(colour)
    if parts is None:
        return ImageColor.getrgb(colour)
    red, green, blue, alpha = parts.groups()
    return int(red), int(green), int(blue), round(float(alpha) * 255)


@cache
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return letters of that size in pixels, of a font that knows the verdicts' signs."""
    try:
        return ImageFont.truetype(matplotlib_data("fonts", "ttf", "DejaVuSans.ttf"), size)
    except NotInstalled:  # it comes with batches; Pillow's own has fewer signs
        return ImageFont.load_default(size)
