"""Drawing on an ipycanvas, in canvas units: one message for many calls, only finite numbers.

ipycanvas 0.14 has edges that are rounded off here, each seen in a browser: a body that raises
leaves `hold_canvas` holding for ever; one coordinate that is not finite ends all drawing in the
page, and so does a command for "the same canvas as before" in a page that came after that was said.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from ipycanvas import Canvas, hold_canvas
from ipycanvas import canvas as _ipycanvas
from ipywidgets import Image

from cropkit.geometry import NO_TURN, Turn
from cropkit.review.canvas.buffers import OffscreenBuffer
from cropkit.review.view.turning import angle, matrix
from cropkit.review.view.viewport import Rect

SCALE = 2  # backing pixels for a canvas unit: sharp on the screens that have two
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


@contextmanager
def batched() -> Iterator[None]:
    """Send the drawing of the body in one message; let go also when it raises.

    The message names its canvas first, whatever the last one was for: a page that is loading may
    hear it before anybody knows of the page, and could not tell which canvas is meant.
    """
    manager = _ipycanvas._CANVAS_MANAGER  # noqa: SLF001  (hold_canvas does not undo itself)
    manager._current_canvas = None  # noqa: SLF001  (ipycanvas#322)
    before, failure = manager._caching, None  # noqa: SLF001  (ipycanvas has no other way)
    try:
        with hold_canvas():
            try:
                yield
            except BaseException as error:  # noqa: BLE001  (raised again below)
                failure = error
    finally:
        manager._caching = before  # noqa: SLF001  (ipycanvas has no other way)
    if failure is not None:
        raise failure


class Pen:
    """Draws in canvas units and refuses a coordinate that is not finite.

    Parameters
    ----------
    scale : backing pixels for a canvas unit
    """

    def __init__(self, canvas: Canvas, scale: float = SCALE) -> None:
        self._canvas, self.scale = canvas, scale

    def clear(self) -> None:
        """Wipe the canvas."""
        self._canvas.clear()

    def wipe(self, rect: Rect) -> None:
        """Wipe a part of the canvas."""
        self._canvas.clear_rect(*self._finite(rect.x, rect.y, rect.width, rect.height))

    def fill(self, colour: str, *rects: Rect) -> None:
        """Fill rectangles."""
        self._canvas.fill_style = colour
        for rect in rects:
            self._canvas.fill_rect(*self._finite(rect.x, rect.y, rect.width, rect.height))

    def whole_rows(self, rect: Rect) -> Rect:
        """Return a rectangle that ends between two rows of pixels: what meets there has no seam."""
        top, bottom = (round(y * self.scale) / self.scale for y in (rect.y, rect.bottom))
        return Rect(rect.x, top, rect.width, bottom - top)

    def frame(self, colour: str, width: float, rect: Rect) -> None:
        """Draw the outline of a rectangle."""
        self._canvas.stroke_style = colour
        self._canvas.line_width = width * self.scale
        self._canvas.stroke_rect(*self._finite(rect.x, rect.y, rect.width, rect.height))

    def line(self, colour: str, width: float, *lines: tuple[float, float, float, float]) -> None:
        """Draw lines, each from (x, y) to (x, y)."""
        self._canvas.stroke_style = colour
        self._canvas.line_width = width * self.scale
        for ends in lines:
            self._canvas.stroke_line(*self._finite(*ends))

    def words(self, text: str, at: tuple[float, float], colour: str, size: float = 16) -> None:
        """Write a line of text, from its left end and its middle height."""
        self._canvas.fill_style = colour
        self._canvas.font = f"{size * self.scale:g}px {FONT}"
        self._canvas.text_baseline = "middle"
        self._canvas.fill_text(text, *self._finite(*at))

    def picture(self, source: Image | Canvas, rect: Rect) -> None:
        """Draw an image, or what another canvas shows, into a rectangle."""
        self._canvas.draw_image(source, *self._finite(rect.x, rect.y, rect.width, rect.height))

    def buffer(
        self,
        buffer: OffscreenBuffer,
        frame: Rect,
        turn: Turn = NO_TURN,
        about: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Draw what a hidden canvas holds so that its image, turned, fills a frame.

        Parameters
        ----------
        about : the point that a fine angle is about; what that moves out of the frame is drawn
        """
        by = frame.width / (buffer.part.height if turn.swaps else buffer.part.width)
        with self._turned(turn, frame.middle, about) as middle:
            x, y = middle[0] - buffer.part.middle[0] * by, middle[1] - buffer.part.middle[1] * by
            rect = Rect(x, y, buffer.canvas.width * by, buffer.canvas.height * by)
            self.picture(buffer.canvas, rect)

    @contextmanager
    def _turned(
        self, turn: Turn, middle: tuple[float, float], about: tuple[float, float]
    ) -> Iterator[tuple[float, float]]:
        """Draw the body turned about its middle; say where that is to the body."""
        if turn.is_none:
            yield middle
            return
        self._canvas.save()
        if turn.resamples:
            x, y = self._finite(*about)
            self._canvas.translate(x, y)
            self._canvas.rotate(math.radians(angle(turn)))
            self._canvas.translate(-x, -y)
        self._canvas.transform(*matrix(turn), *self._finite(*middle))
        try:
            yield 0.0, 0.0
        finally:
            self._canvas.restore()

    @contextmanager
    def through(self, filters: str) -> Iterator[None]:
        """Draw the pictures of the body through filters, as CSS writes them; '': as they are."""
        if filters:
            self._canvas.filter = filters
        try:
            yield
        finally:
            if filters:
                self._canvas.filter = "none"

    @contextmanager
    def within(self, rect: Rect) -> Iterator[None]:
        """Draw nothing of the body outside of a rectangle."""
        self._canvas.save()
        self._canvas.begin_path()
        self._canvas.rect(*self._finite(rect.x, rect.y, rect.width, rect.height))
        self._canvas.clip()
        try:
            yield
        finally:
            self._canvas.restore()

    def _finite(self, *values: float) -> list[float]:
        if not all(map(math.isfinite, values)):
            msg = f"not drawn: {values} is not finite"
            raise ValueError(msg)
        return [round(value * self.scale, 2) for value in values]
