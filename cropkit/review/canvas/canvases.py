"""The canvases of the review: one to see, two generations of hidden ones, and a fence.

Everything is made once: the browser never gives the memory of a canvas back. ipycanvas 0.14 has
edges that this module rounds off, each seen in a browser: a body that raises leaves `hold_canvas`
holding for ever; one coordinate that is not finite ends all drawing in the page; after a page
reload the browser does not know which canvas is meant (ipycanvas#322); nothing tells when a
drawing has reached the screen.
"""

import base64
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain

from ipycanvas import Canvas, MultiCanvas, hold_canvas
from ipycanvas import canvas as _ipycanvas
from ipywidgets import Image, Layout
from traitlets import Unicode

from cropkit.geometry import Size
from cropkit.review.canvas.buffers import OffscreenBuffer
from cropkit.review.canvas.live_drag import LiveDrag, Watch
from cropkit.review.runtime.loop import Loop
from cropkit.review.view.layout import WIDTH, PageLayout
from cropkit.review.view.viewport import Rect, Viewport

SCALE = 2  # backing pixels for a canvas unit: sharp on the screens that have two
LEAST, MOST = 0.75, 3.0
GENERATIONS = 2
DETAIL = 3200  # side of the one canvas for a sharper picture, in pixels
_JPEG_START = b"\xff\xd8\xff"
_PATIENCE = 5.0
_SAME = 0.02  # a canvas that is a little larger or smaller is left alone
_COLOURS = 1 << 24
NAME = "Crop review. Keys work here; question mark lists them"
_FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


@contextmanager
def batched() -> Iterator[None]:
    """Send the drawing of the body in one message; let go also when it raises."""
    manager = _ipycanvas._CANVAS_MANAGER  # noqa: SLF001  (hold_canvas does not undo itself)
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
        self._canvas.font = f"{size * self.scale:g}px {_FONT}"
        self._canvas.text_baseline = "middle"
        self._canvas.fill_text(text, *self._finite(*at))

    def picture(self, source: Image | Canvas, rect: Rect) -> None:
        """Draw an image, or what another canvas shows, into a rectangle."""
        self._canvas.draw_image(source, *self._finite(rect.x, rect.y, rect.width, rect.height))

    def slot(self, slot: OffscreenBuffer, frame: Rect) -> None:
        """Draw what a hidden canvas holds so that its image fills a frame."""
        by = frame.width / slot.part.width
        x, y = frame.x - slot.part.x * by, frame.y - slot.part.y * by
        rect = Rect(x, y, slot.canvas.width * by, slot.canvas.height * by)
        self.picture(slot.canvas, rect)

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


class Fence:
    """Tells when the browser has carried out everything that was drawn before a mark.

    A canvas of one pixel, never displayed, is filled with a number as its colour; the browser
    sends the pixel back after the drawing that came before.
    """

    def __init__(self, layout: Layout, guard: Watch) -> None:
        self.canvas = Canvas(width=1, height=1, layout=layout, sync_image_data=True)
        self.canvas.observe(guard(self._returned), "image_data")
        self._last = 0
        self._waiting: dict[int, Callable[[], None]] = {}

    def mark(self, done: Callable[[], None]) -> None:
        """Call `done` when the browser has drawn everything up to here."""
        self._last = self._last % (_COLOURS - 1) + 1
        self._waiting[self._last] = done
        self.canvas.fill_style = f"#{self._last:06x}"
        self.canvas.fill_rect(0, 0, 1, 1)

    @property
    def oldest(self) -> int | None:
        """The mark that has been waited for longest."""
        return next(iter(self._waiting), None)

    def ask_again(self) -> None:
        """Have everything up to here acknowledged again.

        The browser reads its pixels in the background, and only its last word comes while the
        kernel is busy: where two are read at a time, the older one may be that.
        """
        self.mark(lambda: None)

    def forget(self) -> None:
        """Expect nothing any more: the page that was drawn on is gone."""
        self._waiting.clear()

    def reached(self, number: int) -> None:
        """Take an acknowledgement: everything up to that mark is drawn."""
        if number in self._waiting:
            for earlier in list(self._waiting):
                self._waiting.pop(earlier)()
                if earlier == number:
                    return

    def _returned(self, _: object) -> None:
        if self.canvas.image_data:
            red, green, blue = (int(value) for value in self.canvas.get_image_data()[0, 0][:3])
            self.reached(red << 16 | green << 8 | blue)


class NamedCanvas(MultiCanvas):  # type: ignore[misc]  # ipycanvas ships no types
    """A canvas with a name for whoever hears the page instead of seeing it (WCAG 2.2, 4.1.2).

    A tooltip becomes the element's `title`, which browsers take for its name; ipywidgets 8.1 sets
    it only on models with an empty description, and throws where there is none.
    """

    description = Unicode("").tag(sync=True)


class Canvases:
    """The canvas that is seen, with a layer of pictures and a layer of boxes, and its helpers.

    Parameters
    ----------
    layout : of the page, whose size the canvas has
    small : of the grid, which has more images
    """

    def __init__(self, layout: PageLayout, small: PageLayout, guard: Watch) -> None:
        shown = Layout(width="100%", height="auto", margin="0")
        self.scale: float = SCALE
        self._height = layout.height
        self.canvas = NamedCanvas(
            2, width=WIDTH * SCALE, height=layout.height * SCALE, layout=shown
        )
        self.canvas.add_class("cropkit-canvas")
        # It would also pop up under a mouse that rests: it goes with the mouse, comes with a key.
        self.canvas.tooltip = NAME
        self.canvas.on_key_down(guard(lambda *_: self._name(NAME)))
        self.canvas.on_mouse_move(guard(lambda *_: self._name(None)))
        self.pictures, self.boxes = Pen(self.canvas[0]), Pen(self.canvas[1])
        hidden = Layout()
        stages = [layout.stage(0)] * layout.per_page
        stages += [small.stage(0)] * (small.per_page - layout.per_page)
        self.slots = [[self._slot(hidden, stage) for stage in stages] for _ in range(GENERATIONS)]
        self.detail = self._slot(hidden, Rect(0, 0, DETAIL / SCALE, DETAIL / SCALE))
        self.fence = Fence(hidden, guard)
        self.front = LiveDrag()
        self._closed = False

    def on_client(
        self, came: Callable[[], None], complete: Callable[[], None] = lambda: None
    ) -> None:
        """Call back for each canvas that a newly opened page has made: it is blank there.

        `complete` follows when all of them are made: a drawing on a canvas that is not there yet
        would end all drawing in the page.
        """
        hidden = [slot.canvas for slot in self._every_slot()]
        every = (*self.canvas._canvases, self.fence.canvas, *hidden)  # noqa: SLF001  (ipycanvas has no other way)
        missing = set(range(len(every)))

        def announced(number: int) -> None:
            missing.discard(number)
            came()
            if not missing:
                missing.update(range(len(every)))
                complete()

        for number, canvas in enumerate(every):
            canvas.on_client_ready(partial(announced, number))

    def rescale(self, width: int) -> bool:
        """Give the canvas as many pixels as its page has for it; return whether that changed it.

        Fewer of them are drawn sooner; as many are as sharp as the screen.
        """
        scale = min(MOST, max(LEAST, width / WIDTH))
        if abs(scale - self.scale) < self.scale * _SAME:
            return False
        self.scale = self.pictures.scale = self.boxes.scale = scale
        self.canvas.width, self.canvas.height = round(WIDTH * scale), round(self._height * scale)
        return True

    def reset(self) -> None:
        """Forget what browsers have: a new one has nothing."""
        _ipycanvas._CANVAS_MANAGER._current_canvas = None  # noqa: SLF001  (ipycanvas#322)
        self.fence.forget()
        for slot in self._every_slot():
            slot.holds, slot.busy, slot.following = None, False, None

    def upload(
        self,
        slot: OffscreenBuffer,
        name: str,
        picture: tuple[bytes, Size],
        done: Callable[[], None],
        fit: Size | None = None,
    ) -> None:
        """Put a picture (JPEG, upright size of its image) into a slot; `done` when it is there.

        It fills the slot one way, or, where `fit` is given, what a preview of that size fills.
        """
        jpeg, size = picture
        if not jpeg.startswith(_JPEG_START):
            # A picture that does not decode would end all drawing in the page, silently.
            msg = f"{name}: the preview is not a JPEG"
            raise ValueError(msg)
        if slot.busy:
            slot.following = (name, picture, done, fit)
            return
        slot.busy, slot.holds = True, name
        slot.image.value = b"data:image/jpeg;base64," + base64.b64encode(jpeg)
        pen, slot.part = Pen(slot.canvas), _part(slot, size, fit)
        with batched():
            pen.clear()
            pen.picture(slot.image, _unscaled(slot.part))
            self.fence.mark(lambda: self._uploaded(slot, done))

    def retire(self, loop: Loop, *, seen: bool) -> None:
        """Close when the browser has carried out what it was sent, or after a while.

        A drawing on a canvas that is closed already would end all drawing in the page.
        """
        if not seen:
            self.close()
            return
        self.fence.mark(self.close)
        loop.call_later(_PATIENCE, self.close)

    def _name(self, name: str | None) -> None:
        self.canvas.tooltip = name  # the same again sends nothing

    def close(self) -> None:
        """Close every widget; what the fence may still send goes nowhere."""
        if self._closed:
            return
        self._closed = True
        self.fence.forget()
        hidden = [part for slot in self._every_slot() for part in (slot.canvas, slot.image)]
        for widget in (*hidden, *self.canvas._canvases, self.canvas):  # noqa: SLF001  (ipycanvas has no other way)
            widget.close()
        self.front.close()

    def _uploaded(self, slot: OffscreenBuffer, done: Callable[[], None]) -> None:
        slot.busy = False
        if slot.following:
            name, picture, following, fit = slot.following
            slot.following = None
            self.upload(slot, name, picture, following, fit)
        done()

    def _every_slot(self) -> Iterator[OffscreenBuffer]:
        return chain(*self.slots, [self.detail])

    @staticmethod
    def _slot(layout: Layout, stage: Rect) -> OffscreenBuffer:
        width, height = round(stage.width * SCALE), round(stage.height * SCALE)
        canvas = Canvas(width=width, height=height, layout=layout)
        return OffscreenBuffer(canvas, Image(format="url", value=b"data:,", layout=layout))


def _part(slot: OffscreenBuffer, size: Size, fit: Size | None) -> Rect:
    if fit is None:
        return Viewport(Rect(0, 0, slot.canvas.width, slot.canvas.height), size).frame
    scale = min(1.0, fit.width / size.width, fit.height / size.height)
    return Rect(0, 0, size.width * scale, size.height * scale)


def _unscaled(rect: Rect) -> Rect:
    return Rect(rect.x / SCALE, rect.y / SCALE, rect.width / SCALE, rect.height / SCALE)
