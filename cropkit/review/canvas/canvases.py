"""The canvases of the review: one to see, two generations of hidden ones, and a fence.

Everything is made once: the browser never gives the memory of a canvas back. What ipycanvas 0.14
gets wrong is rounded off in `pen` and in `fence`.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain

from ipycanvas import Canvas, MultiCanvas
from ipywidgets import Image, Layout
from traitlets import Unicode

from cropkit.geometry import Size
from cropkit.review.canvas.buffers import OffscreenBuffer
from cropkit.review.canvas.fence import Fence
from cropkit.review.canvas.live_drag import LiveDrag
from cropkit.review.canvas.pen import SCALE, Pen, batched
from cropkit.review.runtime.guard import Watch
from cropkit.review.runtime.loop import Loop
from cropkit.review.view.layout import HEIGHT, WIDTH
from cropkit.review.view.room import Room
from cropkit.review.view.viewport import Rect, Viewport

LEAST, MOST = 0.75, 3.0
GENERATIONS = 2
DETAIL = 3200  # side of the one canvas for a sharper picture, in pixels
_JPEG_START = b"\xff\xd8\xff"
_PATIENCE = 5.0
NAME = "Crop review. Keys work here; question mark lists them"


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
    buffers : how large each of the hidden ones is, in pixels
    """

    def __init__(self, buffers: Iterable[Size], guard: Watch) -> None:
        shown = Layout(width="100%", height="auto", margin="0")
        self.scale: float = SCALE
        self.canvas = NamedCanvas(2, width=WIDTH * SCALE, height=HEIGHT * SCALE, layout=shown)
        self.canvas.add_class("cropkit-canvas")
        # It would also pop up under a mouse that rests: it goes with the mouse, comes with a key.
        self.canvas.tooltip = NAME
        self.canvas.on_key_down(guard(lambda *_: self._name(NAME)))
        self.canvas.on_mouse_move(guard(lambda *_: self._name(None)))
        self.pictures, self.boxes = Pen(self.canvas[0]), Pen(self.canvas[1])
        hidden = Layout()
        sizes = tuple(buffers)
        self.buffers = [
            [self._new_buffer(hidden, size) for size in sizes] for _ in range(GENERATIONS)
        ]
        self.sharp_buffer = self._new_buffer(hidden, Size(DETAIL, DETAIL))
        self.fence = Fence(hidden, guard)
        self.live_drag = LiveDrag()
        self.live_drag.on_key(lambda *_, **__: self._name(NAME), guard)
        self._closed = False

    def on_client(
        self, came: Callable[[], None], complete: Callable[[], None] = lambda: None
    ) -> None:
        """Call back for each canvas that a newly opened page has made: it is blank there.

        `complete` follows when all of them are made: a drawing on a canvas that is not there yet
        would end all drawing in the page. Where pages do not tell themselves, that is counted, and
        what two pages tell at the same time may be taken for what one has told.
        """
        hidden = [buffer.canvas for buffer in self._every_buffer()]
        every = (*self.canvas._canvases, self.fence.canvas, *hidden)  # noqa: SLF001  (ipycanvas has no other way)
        images = [buffer.image for buffer in self._every_buffer()]
        ids = [str(each.model_id) for each in (*every, *images, self.canvas)]
        self.live_drag.on_present(ids, complete)
        missing = set(range(len(every)))

        def announced(number: int) -> None:
            missing.discard(number)
            came()
            if not missing:
                missing.update(range(len(every)))
                if not self.live_drag.tells_presence:
                    complete()

        for number, canvas in enumerate(every):
            canvas.on_client_ready(partial(announced, number))

    def resize(self, room: Room) -> bool:
        """Give the canvas as many pixels as its page has for it; return whether that changed it.

        Fewer of them are drawn sooner; as many are as sharp as the screen.
        """
        scale = min(MOST, max(LEAST, room.ratio))
        size = round(room.width * scale), round(room.height * scale)
        if size == (self.canvas.width, self.canvas.height) and scale == self.scale:
            return False
        self.scale = self.pictures.scale = self.boxes.scale = scale
        self.canvas.width, self.canvas.height = size
        return True

    def enlarge(self, count: int, side: int) -> None:
        """Give the buffers of so many images more pixels: what they hold is gone."""
        for buffer in chain(*(generation[:count] for generation in self.buffers)):
            if buffer.canvas.width < side:
                buffer.canvas.width = buffer.canvas.height = side
                buffer.holds = None

    def reset(self) -> None:
        """Forget what browsers have: a new one has nothing."""
        self.fence.forget()
        for buffer in self._every_buffer():
            buffer.holds, buffer.busy, buffer.following = None, False, None

    def upload(
        self,
        buffer: OffscreenBuffer,
        name: str,
        picture: tuple[bytes, Size],
        done: Callable[[], None],
        fit: Size | None = None,
    ) -> None:
        """Put a picture (JPEG, upright size of its image) into a buffer; `done` when it is there.

        It fills the buffer one way, or, where `fit` is given, what a preview of that size fills.
        """
        jpeg, size = picture
        if not jpeg.startswith(_JPEG_START):
            # A picture that does not decode would end all drawing in the page, silently.
            msg = f"{name}: the preview is not a JPEG"
            raise ValueError(msg)
        if buffer.busy:
            buffer.following = (name, picture, done, fit)
            return
        buffer.busy, buffer.holds = True, name
        buffer.image.value = b"data:image/jpeg;base64," + base64.b64encode(jpeg)
        pen, buffer.part = Pen(buffer.canvas), _part(buffer, size, fit)
        with batched():
            pen.clear()
            pen.picture(buffer.image, _unscaled(buffer.part))
            self.fence.mark(lambda: self._uploaded(buffer, done))

    def retire(self, loop: Loop, *, seen: bool) -> None:
        """Close when the browser has carried out what it was sent, or after a while.

        A drawing on a canvas that is closed already would end all drawing in the page.
        """
        if not seen:
            self.close()
            return
        with batched():
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
        hidden = [part for buffer in self._every_buffer() for part in (buffer.canvas, buffer.image)]
        for widget in (*hidden, *self.canvas._canvases, self.canvas):  # noqa: SLF001  (ipycanvas has no other way)
            widget.close()
        self.live_drag.close()

    def _uploaded(self, buffer: OffscreenBuffer, done: Callable[[], None]) -> None:
        buffer.busy = False
        if buffer.following:
            name, picture, following, fit = buffer.following
            buffer.following = None
            self.upload(buffer, name, picture, following, fit)
        done()

    def _every_buffer(self) -> Iterator[OffscreenBuffer]:
        return chain(*self.buffers, [self.sharp_buffer])

    @staticmethod
    def _new_buffer(layout: Layout, size: Size) -> OffscreenBuffer:
        canvas = Canvas(width=size.width, height=size.height, layout=layout)
        return OffscreenBuffer(canvas, Image(format="url", value=b"data:,", layout=layout))


def _part(buffer: OffscreenBuffer, size: Size, fit: Size | None) -> Rect:
    if fit is None:
        return Viewport(Rect(0, 0, buffer.canvas.width, buffer.canvas.height), size).frame
    scale = min(1.0, fit.width / size.width, fit.height / size.height)
    return Rect(0, 0, size.width * scale, size.height * scale)


def _unscaled(rect: Rect) -> Rect:
    return Rect(rect.x / SCALE, rect.y / SCALE, rect.width / SCALE, rect.height / SCALE)
