"""What a drag does, by two clicks: one picks a handle up, the next says where it goes.

For hands that cannot hold a button while they move (WCAG 2.2, 2.5.7).
"""

from dataclasses import dataclass
from math import dist

from cropkit.geometry import PixelBox
from cropkit.review.controller import ReviewController
from cropkit.review.model import Drag, Open
from cropkit.review.model.box_editing import Grip
from cropkit.review.view.layout import SLOP
from cropkit.review.view.viewport import grip_point

_ROWS = {-1: "top", 1: "bottom", 0: ""}
_COLUMNS = {-1: "left", 1: "right", 0: ""}


@dataclass(frozen=True, slots=True)
class Press:
    """Where an image of the page was pressed: the grip there, and its box at that time."""

    position: int
    path: str
    at: tuple[float, float]
    grip: Grip | None = None
    box: PixelBox | None = None

    @property
    def handle(self) -> tuple[str, Grip] | None:
        """The edge or corner that was pressed."""
        return None if self.grip in (None, Grip.WHOLE) else (self.path, self.grip)


class ClickDrag:
    """Tells clicks from drags, and knows the handle that is picked up."""

    def __init__(self, controller: ReviewController) -> None:
        self._controller, self._screen = controller, controller.screen
        self._guard = controller.guard
        self._press: Press | None = None
        self._picked_up: Press | None = None

    def press(self, press: Press | None) -> None:
        """Take note of a press; None: of one that can be no click."""
        self._press = press

    def is_click(self, at: tuple[float, float]) -> bool:
        """Whether the hand lets go where it has pressed, and nothing was moved since."""
        press = self._press
        if press is None or dist(press.at, at) > SLOP:
            return False
        entry = self._entry(press)
        return entry is not None and entry.box == press.box

    def release(self, at: tuple[float, float]) -> None:
        """Take a click, where nothing was moved since the press."""
        is_click = self.is_click(at)
        press, self._press, picked_up = self._press, None, self._picked_up
        self.put_down()
        entry = None if press is None else self._entry(press)
        if not is_click or press is None or entry is None:
            return  # it was a drag
        if press.handle is None:
            self._place(picked_up, press, entry)
        elif picked_up is None or picked_up.handle != press.handle:
            self._pick_up(press)

    def put_down(self) -> None:
        """Leave the handle where it is."""
        if self._picked_up is not None:
            self._picked_up = None
            self._guard.note("")
            self._screen.let_go()

    def _pick_up(self, press: Press) -> None:
        grip = press.grip or Grip.WHOLE
        self._picked_up = press
        self._screen.hold(None, press.path, grip)  # the loupe stays
        self._guard.note(f"{_named(grip)} is picked up: click where it goes, or on it again")

    def _place(self, picked_up: Press | None, press: Press, entry: Open) -> None:
        view = self._screen.viewport(press.position)
        if (
            view is None
            or picked_up is None
            or picked_up.grip is None
            or picked_up.path != press.path
        ):
            return
        x, y = view.to_image(*press.at)
        from_x, from_y = view.to_image(*grip_point(view, entry.box, picked_up.grip))
        self._controller.take(
            Drag(press.position, picked_up.grip, entry.box, x - from_x, y - from_y)
        )

    def _entry(self, press: Press) -> Open | None:
        """Return the image that was pressed, if it is still there to be decided."""
        entries = self._controller.session.entries
        entry = entries[press.position] if press.position < len(entries) else None
        return entry if isinstance(entry, Open) and entry.path == press.path else None


def _named(grip: Grip) -> str:
    column, row = grip.value
    corner = "corner" if column and row else "edge"
    return " ".join(filter(None, ("The", _ROWS[row], _COLUMNS[column], corner)))
