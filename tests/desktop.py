"""A browser and a main thread in small: what drives the review where there is neither."""

import heapq
import io
import itertools
import json
import queue
import time
from collections.abc import Callable
from typing import Any

from ipycanvas import canvas as ipycanvas
from patience import patient
from PIL import Image

from cropkit.geometry import PixelBox
from cropkit.records import Status
from cropkit.review import Review
from cropkit.review.canvas.pen import SCALE

DEADLINE = patient(20.0)
IN_THE_MIDDLE = PixelBox(120, 80, 360, 240)  # of pictures of 480 x 320


class ManualLoop:
    """A main thread whose clock the test sets."""

    def __init__(self) -> None:
        self._now, self._order = 100.0, itertools.count()
        self._due: list[tuple[float, int, Handle]] = []
        self._soon: queue.SimpleQueue[tuple[Callable[..., object], tuple[object, ...]]]
        self._soon = queue.SimpleQueue()

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: object) -> None:
        self._soon.put((callback, args))

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> "Handle":
        handle = Handle(callback, args)
        heapq.heappush(self._due, (self._now + delay, next(self._order), handle))
        return handle

    def time(self) -> float:
        return self._now

    def run(self) -> None:
        """Call what is due now."""
        while not self._soon.empty():
            callback, args = self._soon.get()
            callback(*args)
        while self._due and self._due[0][0] <= self._now:
            heapq.heappop(self._due)[2].call()

    def sleep(self, seconds: float) -> None:
        self._now += seconds
        self.run()


class Handle:
    def __init__(self, callback: Callable[..., object], args: tuple[object, ...]) -> None:
        self._callback, self._args, self._cancelled = callback, args, False

    def cancel(self) -> None:
        self._cancelled = True

    def call(self) -> None:
        if not self._cancelled:
            self._callback(*self._args)


class Browser:
    """Receives drawing, acknowledges it when told to, and sends what a person does."""

    def __init__(self, review: Review, loop: ManualLoop) -> None:
        self.review, self.loop = review, loop
        self.controller = review._controller
        self.drawn: list[list[Any]] = []

    def receive(self, metadata: dict[str, Any], buffers: list[Any]) -> None:
        """Take the place of the canvas manager's `send`: each message says for which canvas it is.

        A page that came since the last one could not know.
        """
        del metadata
        sent = json.loads(bytes(buffers[0]))
        assert sent[0][0] == ipycanvas.COMMANDS["switchCanvas"], f"for no canvas: {sent[0]}"
        self.drawn += sent

    def named(self, name: str) -> list[list[Any]]:
        """Return the drawing commands of one kind."""
        code = ipycanvas.COMMANDS[name]
        return [command for command in self.drawn if command[0] == code]

    # --- what the page does

    def open(self) -> None:
        """A page has loaded, and has made every canvas."""
        for canvas in self.canvases:
            canvas._handle_frontend_event(canvas, {"event": "client_ready"}, [])
        self.loop.sleep(0.02)

    @property
    def canvases(self) -> list[Any]:
        canvases = self.controller.screen.canvases
        hidden = [slot.canvas for slots in canvases.buffers for slot in slots]
        return [*canvases.canvas._canvases, canvases.fence.canvas, *hidden]

    def acknowledge(self, number: int | None = None) -> None:
        """Send one of the fence's pixels back: the last one, where it is not said which."""
        fence = self.controller.screen.canvases.fence
        number = fence._last if number is None else number
        if not number:
            return
        colour = (number >> 16, number >> 8 & 255, number & 255, 255)
        png = io.BytesIO()
        Image.new("RGBA", (1, 1), colour).save(png, "PNG")
        fence.canvas.set_trait("image_data", png.getvalue())

    def until(self, condition: Callable[[], object], *, acknowledging: bool = True) -> None:
        """Let threads, main thread and browser work until something holds."""
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"not reached: {self.status}, {self.messages}"
            self.loop.sleep(0.02)
            if acknowledging:
                self.acknowledge()
            time.sleep(0.002)

    def shown(self) -> None:
        """Wait for the page."""
        self.until(lambda: self.controller.screen.acknowledged)

    def written(self) -> None:
        """Wait for the worker."""
        self.until(lambda: self.review.idle)
        assert self.controller.defer or "waiting 0" in self.status

    # --- what a person does

    def key(self, key: str, *, shift: bool = False, ctrl: bool = False, meta: bool = False) -> None:
        """Press a key, a good while after the one before."""
        self.loop.sleep(2)
        self.strike(key, shift=shift, ctrl=ctrl, meta=meta)

    def strike(
        self, key: str, *, shift: bool = False, ctrl: bool = False, meta: bool = False
    ) -> None:
        """Press a key now."""
        self.send_key(key, shift=shift, ctrl=ctrl, meta=meta)
        self.loop.run()

    def send_key(
        self, key: str, *, shift: bool = False, ctrl: bool = False, meta: bool = False
    ) -> None:
        """Send a key, and do not let the main thread run."""
        self._event(
            {
                "event": "key_down",
                "key": key,
                "shift_key": shift,
                "ctrl_key": ctrl,
                "meta_key": meta,
            }
        )

    def press(self, key: str, *, repeat: bool = False, **modifiers: bool) -> None:
        """Press a key now, as the browser's own part tells of it; or have it repeat, being held."""
        facts = {"shift": False, "ctrl": False, "meta": False} | modifiers
        widget: Any = self.controller.screen.live_drag_widget
        widget._handle_custom_msg({"key": key, "repeat": repeat} | facts, [])
        self.loop.run()

    def holding(self, *, shift: bool = False, alt: bool = False, ctrl: bool = False) -> None:
        """Hold these keys from now on, as the browser's own part tells with the mouse."""
        widget: Any = self.controller.screen.live_drag_widget
        widget._handle_custom_msg({"keys": [shift, alt, ctrl]}, [])
        self.loop.run()

    def click(self, point: tuple[float, float], **held: bool) -> None:
        """Press the first button and let go at once, with these keys held."""
        self.holding(**held)
        self.mouse("down", point)
        self.mouse("up", point)

    def mouse(self, event: str, point: tuple[float, float]) -> None:
        self._event({"event": f"mouse_{event}", "x": point[0], "y": point[1]})
        self.loop.sleep(0.02)

    def touch(self, event: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        self._event({"event": f"touch_{event}", "touches": touches})
        self.loop.sleep(0.02)

    def drag(self, start: tuple[float, float], by: tuple[float, float]) -> None:
        """Drag by canvas units."""
        end = (start[0] + by[0] * SCALE, start[1] + by[1] * SCALE)
        self.mouse("down", start)
        self.mouse("move", ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
        self.mouse("move", end)
        self.mouse("up", end)

    # --- what is to be seen

    @property
    def status(self) -> str:
        return str(self.review._status.value)

    @property
    def messages(self) -> Any:
        return self.controller.guard.messages

    @property
    def words(self) -> str:
        return "".join(band.value for band in self.review._bands.values())

    def _event(self, content: dict[str, Any]) -> None:
        layer = self.controller.screen.canvases.canvas[-1]
        layer._handle_frontend_event(layer, content, [])


def entries(browser: Browser) -> tuple[Any, ...]:
    """Return the images of the page."""
    return tuple(browser.controller.session.entries)


def standing(browser: Browser) -> dict[str, Status]:
    """Return what became of each image that was decided about."""
    return {
        path: decision.status
        for path, decision in browser.review.collection.trail.decisions.standing_by_path().items()
    }
