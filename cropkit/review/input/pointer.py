"""Keys and mouse: what a person does with the canvas becomes moves at the desk."""

from collections.abc import Callable
from dataclasses import dataclass

from cropkit.geometry import PixelBox
from cropkit.review.controller import ReviewController
from cropkit.review.input.click_drag import ClickDrag, Press
from cropkit.review.input.zoom import ZoomInput
from cropkit.review.keys.actions import Command
from cropkit.review.keys.key_repeat import WATCH, KeyRepeat, Response
from cropkit.review.keys.keymap import Binding, Keymap
from cropkit.review.keys.prompt import Prompt
from cropkit.review.model import (
    Arrangement,
    Choose,
    Decide,
    Drag,
    Entry,
    GoTo,
    Mark,
    Open,
    ToggleMark,
)
from cropkit.review.model.box_editing import Grip
from cropkit.review.runtime.loop import Loop, Timer
from cropkit.review.view.layout import SNAP, ClickTarget
from cropkit.review.view.viewport import grip_under

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Hold:
    """What the hand has hold of, where it took it, and the box as it was then."""

    position: int
    path: str
    grip: Grip
    x: float
    y: float
    origin: PixelBox


class Hands:
    """Listens to one canvas; knows which keys are held, what is dragged, and the key sheet."""

    def __init__(self, desk: ReviewController, loop: Loop, keymap: Keymap) -> None:
        self._desk, self._loop, self.keymap = desk, loop, keymap
        self.eyes, self._picks = ZoomInput(desk), ClickDrag(desk)
        self._rhythm = KeyRepeat()
        self._watched: tuple[Binding, Timer] | None = None
        self._hold: Hold | None = None
        self._at: Point = (0.0, 0.0)  # where the hand was last, in canvas units
        self.sheet = False
        self.prompt: Prompt | None = None
        self._listen()

    def _listen(self) -> None:
        canvas, watch = self._desk.surface.canvas, self._desk.guard.watch
        self._desk.surface.on_client(watch(self._drop))
        canvas.on_key_down(watch(self.key))
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

    def _drop(self) -> None:
        """Hold nothing: the picture under the hand may be gone."""
        self._take_hold(None)
        self.eyes.let_go()

    def _let_down(self) -> None:
        """Let go at the end of a press, which may have been a click."""
        self._drop()
        self._picks.release(self._at)

    def _take_hold(self, hold: Hold | None) -> None:
        self._hold = hold
        if hold is None:
            self._desk.lift()
        else:
            self._desk.lift(hold.position, hold.path, hold.grip)

    # --- keys

    def key(self, key: str, shift: bool, ctrl: bool, meta: bool) -> None:  # noqa: FBT001  (ipycanvas)
        """Take a key as the browser names it."""
        if self.prompt is not None:
            if not (ctrl or meta):
                self._type(self.prompt, key)
            return
        binding = self.keymap.look_up(key, shift=shift, ctrl=ctrl, meta=meta)
        if binding is None or self._desk.guard.stopped:
            return
        self._rhythm, beat = self._rhythm.heard(binding.label, binding.pace, self._loop.time())
        self._settle_watched(binding)
        if beat is Response.WATCH:
            timer = self._loop.call_later(WATCH, self._desk.guard.watch(self._take_watched))
            self._watched = (binding, timer)
        elif beat is Response.TAKE:
            self._take_key(binding)

    def _settle_watched(self, binding: Binding) -> None:
        """Another press of a watched key shows that it is held; another key that it is not."""
        if self._watched is None:
            return
        watched, timer = self._watched
        timer.cancel()
        self._watched = None
        if watched is not binding:
            self._take_key(watched)

    def _take_watched(self) -> None:
        if self._watched is not None:
            watched, self._watched = self._watched[0], None
            self._take_key(watched)

    def _take_key(self, binding: Binding) -> None:
        self._picks.put_down()
        if self._desk.guard.messages.note:
            self._desk.guard.note("")
        if binding.does in _PROMPTS:
            self._ask(Prompt(Command(binding.does)))
        elif isinstance(binding.does, Command):
            _COMMANDS[binding.does](self)
        elif self.sheet:
            self._toggle_sheet()
        elif self._in_grid and binding.key in _DIGITS:  # whatever it does on a page
            self._set_aside(int(binding.key) - 1)
        else:
            self._desk.take(binding.does)

    @property
    def _in_grid(self) -> bool:
        return self._desk.session.arrangement is Arrangement.GRID

    def _set_aside(self, position: int) -> None:
        self._desk.take(Choose(position))
        self._desk.take(ToggleMark(Mark.LATER, position))

    def _ask(self, prompt: Prompt | None) -> None:
        self.prompt, self.sheet = prompt, False
        self._desk.changed()

    def _type(self, prompt: Prompt, key: str) -> None:
        if key == "Enter":
            # its held key is no press of the one that accepts the page
            accepts = self.keymap.look_up(key, shift=False, ctrl=False, meta=False)
            if accepts is not None:
                self._rhythm, _ = self._rhythm.heard(accepts.label, accepts.pace, self._loop.time())
            self._ask(None)
            self._desk.take(prompt.move())
        elif key == "Escape":
            self._ask(None)
        else:
            self._ask(prompt.typed(key))

    def _toggle_sheet(self) -> None:
        self.sheet = not self.sheet
        self._desk.cover(covered=self.sheet)

    def _acknowledge(self) -> None:
        self._desk.guard.acknowledge()

    def _let_go(self) -> None:
        if self.sheet:
            self._toggle_sheet()
        else:
            self._desk.surface.canvas.blur()

    # --- the mouse

    def press(self, x: float, y: float) -> None:
        """Take what is under the pointer."""
        at = self._at = self._units(x, y)
        target = self._desk.layout.target(*at)
        self._drop()
        self._picks.press(None)
        if self.prompt is not None:
            self._ask(None)
        if target is None or self._desk.guard.stopped:
            return
        if self.sheet or target.kind is ClickTarget.HELP:
            self._toggle_sheet()
        elif target.kind is ClickTarget.ACKNOWLEDGE:
            self._acknowledge()
        elif target.kind is ClickTarget.STRIP and target.position is not None:
            self._go_back(target.position)
        elif target.position is not None and target.position < len(self._desk.session.entries):
            self._press_image(target.kind, target.position, *at)

    def _go_back(self, place: int) -> None:
        shown = self._desk.session.undo[-self._desk.layout.places :]
        if place < len(shown):
            self._desk.take(GoTo(shown[place]))

    def _press_image(self, kind: ClickTarget, position: int, x: float, y: float) -> None:
        if self._in_grid:
            self._set_aside(position)
            return
        self._desk.take(Choose(position))
        if kind is ClickTarget.CHIP:
            self._desk.take(Decide(position))
            return
        entry = self._desk.session.entries[position]
        if not self._desk.pages.acknowledged(self._desk.session):
            return
        view = self.eyes.view(position)
        grip = None
        if isinstance(entry, Open) and view is not None:
            grip = grip_under(view, entry.box, x, y)
            self._picks.press(Press(position, entry.path, (x, y), grip, entry.box))
        if isinstance(entry, Open) and view is not None and grip is not None:
            at = view.to_image(x, y)
            self._take_hold(Hold(position, entry.path, grip, *at, entry.box))
        else:
            self.eyes.take(position, x, y)

    def move(self, x: float, y: float) -> None:
        """Follow the pointer, with what is held if anything is."""
        at = self._at = self._units(x, y)
        self.eyes.point(*at)
        self.eyes.pull(*at)
        self.drag(x, y)

    def _units(self, x: float, y: float) -> Point:
        scale = self._desk.surface.scale
        return x / scale, y / scale

    def drag(self, x: float, y: float) -> None:
        """Follow the pointer with what is held."""
        hold = self._hold
        if hold is None or self._desk.guard.stopped:
            return
        entry = self._held_entry(hold)
        if not isinstance(entry, Open) or entry.path != hold.path:
            self._drop()  # the page was turned under the hand
            return
        view = self._desk.sight.view(hold.position, hold.path, entry.size)
        at_x, at_y = view.to_image(*self._units(x, y))
        by = (at_x - hold.x, at_y - hold.y)
        snap = SNAP / view.scale
        self._desk.take(Drag(hold.position, hold.grip, hold.origin, *by, snap=snap))

    def _held_entry(self, hold: Hold) -> Entry | None:
        entries = self._desk.session.entries
        return entries[hold.position] if hold.position < len(entries) else None

    def release(self, x: float, y: float) -> None:
        """Let go, where the pointer is now."""
        self.move(x, y)
        self._let_down()

    def leave(self, x: float, y: float) -> None:
        """Let go, where the pointer left."""
        self._picks.press(None)
        self.move(x, y)
        self._drop()
        self.eyes.lose()

    def wheel(self, _: float, dy: float) -> None:
        """Come closer, or go back; while something is held, it stays as it is."""
        if self._hold is None and not (self._desk.guard.stopped or self.sheet):
            self.eyes.turn(dy)

    # --- touch: a pen comes as a mouse

    def touch(self, fingers: list[Point]) -> None:
        """Take what is under one finger; a second one lets go of it."""
        if len(fingers) != 1:
            self._picks.press(None)
            self._drop()
            return
        self._desk.surface.canvas.focus()  # a touch gives no focus of itself
        self.press(*fingers[0])

    def stroke(self, fingers: list[Point]) -> None:
        """Follow the finger."""
        if len(fingers) == 1:
            self.move(*fingers[0])

    def lift(self, _: list[Point]) -> None:
        """Let go, where the finger was last: its end has no place."""
        self._let_down()


_DIGITS = tuple("123456789")
_PROMPTS = (Command.EXACT, Command.GO_TO)
_COMMANDS: dict[Command, Callable[[Hands], None]] = {
    Command.SHEET: Hands._toggle_sheet,  # noqa: SLF001  (its own table)
    Command.ACKNOWLEDGE: Hands._acknowledge,  # noqa: SLF001  (its own table)
    Command.RELEASE: Hands._let_go,  # noqa: SLF001  (its own table)
    Command.CLOSER: lambda hands: hands.eyes.closer(),
    Command.FARTHER: lambda hands: hands.eyes.farther(),
    Command.WHOLE: lambda hands: hands.eyes.whole(),
    Command.LOUPE: lambda hands: hands.eyes.magnify(),
}
