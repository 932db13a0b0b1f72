"""How closely an image is looked at: zoom at the pointer, and pan."""

from dataclasses import dataclass

from cropkit.review.controller import ReviewController
from cropkit.review.model import Arrangement, Choose, Open
from cropkit.review.model.box_editing import CORNERS, handle_point
from cropkit.review.model.slots import named
from cropkit.review.view.viewport import WHOLE, Viewport, Zoom

_STEP = 2**0.5
_PIXELS = 240  # of a wheel that are twice as close: a notch has about 100
_MOST = 480


@dataclass(frozen=True, slots=True)
class Pull:
    """What the hand pulls along: an image, and how it was seen when it took hold."""

    path: str
    x: float
    y: float
    view: Viewport


class ZoomInput:
    """Zooms and pans; knows where the pointer is, as a wheel does not tell it."""

    def __init__(self, controller: ReviewController) -> None:
        self._controller, self._screen = controller, controller.screen
        self._pointer: tuple[float, float] | None = None
        self._pull: Pull | None = None
        self._cornered, self._corner = "", 0  # what `actual` has shown last

    def pointer_at(self, x: float, y: float) -> None:
        """Take note of where the pointer is, in canvas units."""
        self._pointer = (x, y)

    def pointer_gone(self) -> None:
        """Take note that the pointer is elsewhere."""
        self._pointer = self._pull = None

    def turn(self, dy: float) -> None:
        """Follow a wheel: away from the hand comes closer, to what is under the pointer."""
        position = self._under()
        if position is None or self._pointer is None:
            return
        self._controller.stay()
        if position != self._controller.session.chosen:
            self._controller.take(Choose(position))
        self._zoom(2 ** (-max(-_MOST, min(_MOST, dy)) / _PIXELS), self._pointer)

    def closer(self) -> None:
        """Come closer to what is under the pointer, or to the middle of the chosen box."""
        self._zoom(_STEP, self._aim())

    def farther(self) -> None:
        """Go back the way that `closer` came."""
        self._zoom(1 / _STEP, self._aim())

    def whole(self) -> None:
        """See the chosen image whole."""
        self._cornered = ""
        session = self._controller.session
        if session.entries:
            self._screen.zoom_to(session.entries[session.chosen].path, WHOLE)

    def actual(self) -> None:
        """See a corner of the chosen box pixel by pixel of the screen; again, the next corner."""
        session, screen = self._controller.session, self._screen
        view, entry = screen.viewport(session.chosen), None
        if session.entries and session.arrangement is not Arrangement.GRID:
            entry = session.entries[session.chosen]
        if view is None or not isinstance(entry, Open):
            return
        factor = 1 / (screen.scale * view.fit)
        if factor <= 1:
            self._controller.guard.note(f"All of {named(entry.path)} is seen at 100 % or closer")
            return
        at = self._corner + 1 if self._cornered == entry.path else 0
        self._cornered, self._corner = entry.path, at % len(CORNERS)
        x, y = handle_point(entry.box.xyxy, CORNERS[self._corner])
        zoom = Zoom(factor, x / entry.size.width, y / entry.size.height)
        screen.zoom_to(entry.path, zoom)

    def grab(self, position: int, x: float, y: float) -> None:
        """Take hold of a zoomed image, to pull it along."""
        view = self._screen.viewport(position)
        if view is not None and view.closer:
            self._pull = Pull(self._controller.session.entries[position].path, x, y, view)

    def pull(self, x: float, y: float) -> None:
        """Pull along what was taken hold of."""
        pull = self._pull
        if pull is not None:
            self._screen.zoom_to(pull.path, pull.view.panned(x - pull.x, y - pull.y).zoom)

    def let_go(self) -> None:
        """Pull nothing any more."""
        self._pull = None

    def _aim(self) -> tuple[float, float] | None:
        session = self._controller.session
        if self._pointer is not None and self._under() == session.chosen:
            return self._pointer
        view = self._screen.viewport(session.chosen)
        if view is None:
            return None
        entry = session.entries[session.chosen]
        if not isinstance(entry, Open):
            return view.stage.middle
        left, top, right, bottom = view.edges(entry.box)
        return (left + right) / 2, (top + bottom) / 2

    def _under(self) -> int | None:
        """Return the position that the pointer is on."""
        target = self._screen.layout.target(*self._pointer) if self._pointer else None
        return target.position if target else None

    def _zoom(self, by: float, at: tuple[float, float] | None) -> None:
        session = self._controller.session
        view = self._screen.viewport(session.chosen)
        if view is None or at is None or session.arrangement is Arrangement.GRID:
            return
        self._screen.zoom_to(session.entries[session.chosen].path, view.zoomed(by, at).zoom)
