"""Mouse, pen and touch on the canvas become moves: what is pressed, dragged and let go."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import hypot
from typing import TYPE_CHECKING

from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.review.controller import ReviewController
from cropkit.review.input.click_drag import ClickDrag, Press
from cropkit.review.input.keyboard import Keyboard
from cropkit.review.input.level_line import LevelLine
from cropkit.review.input.straighten import Straighten
from cropkit.review.input.zoom import ZoomInput
from cropkit.review.keys.actions import NAMED
from cropkit.review.model import (
    Arrangement,
    Broken,
    Choose,
    Decide,
    Drag,
    GoTo,
    Mark,
    Open,
    OpenFolder,
    Pick,
    PickTo,
    ToggleMark,
    folder_of,
)
from cropkit.review.model.box_editing import Grip
from cropkit.review.view.html import FOLDER
from cropkit.review.view.layout import SLOP, SNAP, ClickTarget, Target
from cropkit.review.view.viewport import grip_under

if TYPE_CHECKING:
    from ipycanvas import Canvas

Point = tuple[float, float]

_OF_IMAGES = (ClickTarget.STAGE, ClickTarget.CHIP)
# What a click makes of an image that cannot be cropped: reject it, skip it, nothing again.
_NEXT_MARK = {Mark.KEEP: Mark.REJECT, Mark.REJECT: Mark.SKIP, Mark.SKIP: Mark.SKIP}


@dataclass(frozen=True, slots=True)
class Hold:
    """What the hand has hold of, where it took it, and the box as it was then.

    Parameters
    ----------
    grip : None where it draws a new box, out of the one pixel that `origin` is
    begun : whether it has moved far enough to be no click
    turn : how the image was seen then
    """

    position: int
    path: str
    grip: Grip | None
    x: float
    y: float
    origin: PixelBox
    begun: bool = True
    turn: Turn = NO_TURN


def _towards(by: Point) -> Grip:
    """Return the corner that a hand pulls out of a point."""
    return Grip((-1 if by[0] < 0 else 1, -1 if by[1] < 0 else 1))


def _pixel_at(at: Point, size: Size) -> PixelBox:
    """Return the pixel of an image at a point of it."""
    left, top = min(int(at[0]), size.width - 1), min(int(at[1]), size.height - 1)
    return PixelBox.from_xywh(left, top, 1, 1)


class Pointer:
    """Listens to the canvas's mouse and touch; knows what is held, and where the hand is."""

    def __init__(
        self,
        controller: ReviewController,
        canvas: "Canvas",
        keyboard: Keyboard,
        *,
        zoom: ZoomInput,
        click_drag: ClickDrag,
        straighten: Straighten,
        level_line: LevelLine,
    ) -> None:
        self._controller, self._canvas, self._keyboard = controller, canvas, keyboard
        self._screen, self._guard = controller.screen, controller.guard
        self._zoom, self._click_drag, self._straighten = zoom, click_drag, straighten
        self._level_line = level_line
        self._hold: Hold | None = None
        self._at: Point = (0.0, 0.0)  # where the hand was last, in canvas units
        self._shift = self._alt = self._ctrl = False
        self._range: PickTo | None = None  # what a click with Shift selects
        self._listen()

    def _listen(self) -> None:
        canvas, watch = self._canvas, self._guard.watch
        self._screen.on_browser(self._page_came)
        self._screen.on_message("keys", self.held_keys)
        self._screen.on_message("do", self.do)
        canvas.on_mouse_down(watch(self._placed(self.press)))
        canvas.on_mouse_move(watch(self._placed(self.move)))
        canvas.on_mouse_up(watch(self._placed(self.release)))
        canvas.on_mouse_out(watch(self._placed(self.leave)))
        canvas.on_mouse_wheel(watch(self.wheel))
        canvas.on_touch_start(watch(self._touched(self.touch)))
        canvas.on_touch_move(watch(self._touched(self.stroke)))
        canvas.on_touch_end(watch(self.lift))
        canvas.on_touch_cancel(watch(self.lift))

    def _placed(self, take: Callable[[float, float], None]) -> Callable[..., None]:
        """Let go at an event without a place: one of a canvas that is not to be seen."""

        def taken(x: float | None, y: float | None) -> None:
            if x is None or y is None:
                self._drop()
            else:
                take(x, y)

        return taken

    def _touched(self, take: Callable[[list[Point]], None]) -> Callable[..., None]:
        def taken(fingers: list[tuple[float | None, float | None]]) -> None:
            take([(x, y) for x, y in fingers if x is not None and y is not None])

        return taken

    def _page_came(self) -> None:
        self._level_line.leave()
        self._drop()

    def _drop(self) -> None:
        """Hold nothing: the picture under the hand may be gone."""
        self._hold = None
        self._screen.let_go()
        self._zoom.let_go()
        self._straighten.let_go()
        self._level_line.let_go()

    def _let_down(self) -> None:
        """Let go at the end of a press, which may have been a click, or a line."""
        self._level_line.finish()
        self._drop()
        picked, self._range = self._range, None
        if picked is not None and self._click_drag.is_click(self._at):
            self._click_drag.press(None)
            self._controller.take(picked)
        self._click_drag.release(self._at)

    def _units(self, x: float, y: float) -> Point:
        scale = self._screen.scale
        return x / scale, y / scale

    # --- the mouse

    def press(self, x: float, y: float) -> None:
        """Take what is under the pointer."""
        self._at = self._units(x, y)
        target = self._screen.layout.target(*self._at)
        self._drop()
        self._click_drag.press(None)
        # a line that is typed hides what lies under it
        hidden = self._keyboard.prompt and self._screen.layout.foot.holds(*self._at)
        self._keyboard.leave_prompt()
        self._controller.stay()
        if target is not None and not hidden and not self._guard.stopped:
            self._press_target(target)

    def _press_target(self, target: Target) -> None:
        position = target.position
        if self._keyboard.uncover():
            return
        if target.kind is ClickTarget.HELP:
            self._keyboard.toggle_sheet()
        elif target.kind is ClickTarget.WINDOW:
            self._screen.toggle_window()
        elif target.kind is ClickTarget.ACKNOWLEDGE:
            self._guard.acknowledge()
        elif target.kind is ClickTarget.STRIP and position is not None:
            self._go_back(position)
        elif position is None or position >= len(self._controller.session.entries):
            return
        elif self._screen.peeking:
            self._screen.peek(peeking=False)  # a hand takes hold of what it sees
        elif not self._press_to_select(target.kind, position):
            self._press_image(target.kind, position)

    def _press_to_select(self, kind: ClickTarget, position: int) -> bool:
        """Select with Ctrl or Shift; return whether that was all. A drag with Shift is one."""
        session, self._range = self._controller.session, None
        if kind is not ClickTarget.STAGE or not (self._ctrl or self._shift):
            return False
        if self._ctrl:
            self._controller.take(Pick(position))
            return True
        self._range = PickTo(session.chosen, position)
        if session.arrangement is not Arrangement.GRID:
            return False
        self._controller.take(self._range)
        return True

    def _go_back(self, place: int) -> None:
        shown = self._controller.session.undo[-self._screen.layout.places :]
        if place < len(shown):
            self._controller.take(GoTo(shown[place]))

    def _press_image(self, kind: ClickTarget, position: int) -> None:
        entry = self._controller.session.entries[position]
        in_grid = self._controller.session.arrangement is Arrangement.GRID
        if isinstance(entry, Broken) and entry.size and (in_grid or kind is ClickTarget.CHIP):
            self._controller.take(Choose(position))
            self._controller.take(ToggleMark(_NEXT_MARK[entry.mark], position))
            return
        if in_grid:
            self._controller.set_aside(position)
            return
        self._controller.take(Choose(position))
        if kind is ClickTarget.CHIP:
            self._controller.take(Decide(position))
        elif self._screen.acknowledged:
            self._take_hold(position)

    def _take_hold(self, position: int) -> None:
        """Take hold of the box under the hand, or, beside it, of the image if it is zoomed."""
        if self._level_line.begin(position, self._at):
            return
        view = self._screen.viewport(position)
        entry = self._controller.session.entries[position]
        if not isinstance(entry, Open) or view is None:
            self._zoom.grab(position, *self._at)
            return
        grip = grip_under(view, entry.box, *self._at)
        self._click_drag.press(Press(position, entry.path, self._at, grip, entry.box))
        at = view.to_image(*self._at)
        if grip is not None:
            self._hold = Hold(position, entry.path, grip, *at, entry.box, turn=entry.turn)
        elif self._straighten.take_hold(position, self._at):
            return
        elif view.closer or not view.frame.holds(*self._at):
            self._zoom.grab(position, *self._at)
            return
        else:
            pixel = _pixel_at(at, entry.size)
            hold = Hold(position, entry.path, None, *at, pixel, turn=entry.turn)
            self._hold = replace(hold, begun=False)
        self._screen.hold(position, entry.path, grip or Grip.WHOLE)

    def move(self, x: float, y: float) -> None:
        """Follow the pointer, with what is held if anything is."""
        at = self._at = self._units(x, y)
        self._zoom.pointer_at(*at)
        self._zoom.pull(*at)
        self._level_line.pull(at)
        self._drag()

    def _drag(self) -> None:
        hold = self._hold
        if self._straighten.holds:
            self._swing()
        if hold is None or self._guard.stopped or not self._screen.acknowledged:
            return
        view = self._screen.viewport(hold.position)
        if view is None or not self._is_there(hold):
            self._drop()  # the page, or the image, was turned under the hand
            return
        x, y = view.to_image(*self._at)
        by = (x - hold.x, y - hold.y)
        if not hold.begun and hypot(*by) * view.scale <= SLOP:
            return
        self._hold = replace(hold, begun=True)
        drag = Drag(hold.position, hold.grip or _towards(by), hold.origin, *by)
        self._controller.take(
            replace(drag, snap=SNAP / view.scale, in_shape=self._shift, from_centre=self._alt)
        )

    def _swing(self) -> None:
        self._straighten.pull(self._at, whole=self._shift)
        if self._straighten.begun:
            self._click_drag.press(None)

    def held_keys(self, keys: list[object]) -> None:
        """Hold the shape of the box with Shift, and its centre with Alt; Ctrl selects."""
        self._shift, self._alt, self._ctrl = map(bool, keys)
        self._drag()

    def do(self, asked: list[object]) -> None:
        """Do what the menu says, with the image that it was opened on, or a button."""
        name, x, y = asked
        if str(name).startswith(FOLDER):
            self._open_folder(str(name).removeprefix(FOLDER))
        if name not in NAMED:
            return
        target = self._screen.layout.target(float(str(x)), float(str(y)))
        session = self._controller.session
        position = target.position if target and target.kind in _OF_IMAGES else None
        if position is not None and session.chosen != position < len(session.entries):
            self._controller.take(Choose(position))
        self._keyboard.carry_out(str(name))

    def _open_folder(self, depth: str) -> None:
        """Go to the first image of a folder that the chosen one is in, by how deep that is."""
        session = self._controller.session
        if depth.isdecimal() and session.entries:
            folders = folder_of(session.entries[session.chosen].path).split("/")
            self._controller.stay()
            self._controller.take(OpenFolder("/".join(folders[: int(depth)])))

    def _is_there(self, hold: Hold) -> bool:
        entry = self._controller.session.entries[hold.position]
        return isinstance(entry, Open) and (entry.path, entry.turn) == (hold.path, hold.turn)

    def release(self, x: float, y: float) -> None:
        """Let go, where the pointer is now."""
        self.move(x, y)
        self._let_down()

    def leave(self, x: float, y: float) -> None:
        """Let go, where the pointer left."""
        self._click_drag.press(None)
        self.move(x, y)
        self._drop()
        self._zoom.pointer_gone()

    def wheel(self, _: float, dy: float) -> None:
        """Come closer, or go back; while something is held, it stays as it is."""
        is_held = self._hold is not None or self._straighten.holds or self._level_line.holds
        if not is_held and not (self._guard.stopped or self._keyboard.covers):
            self._zoom.turn(dy)

    # --- touch: a pen comes as a mouse

    def touch(self, fingers: list[Point]) -> None:
        """Take what is under one finger; a second one lets go of it."""
        if len(fingers) != 1:
            self._click_drag.press(None)
            self._drop()
            return
        self._canvas.focus()  # a touch gives no focus of itself
        self.press(*fingers[0])

    def stroke(self, fingers: list[Point]) -> None:
        """Follow the finger."""
        if len(fingers) == 1:
            self.move(*fingers[0])

    def lift(self, _: list[Point]) -> None:
        """Let go, where the finger was last: its end has no place."""
        self._let_down()
