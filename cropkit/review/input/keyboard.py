"""Keys on the canvas become moves and commands; what is typed, and the sheet of all keys."""

from functools import partial
from typing import TYPE_CHECKING

from cropkit.records import Note, Verdict
from cropkit.review.controller import ReviewController
from cropkit.review.input.click_drag import ClickDrag
from cropkit.review.input.level_line import LevelLine
from cropkit.review.input.straighten import Straighten
from cropkit.review.input.zoom import ZoomInput
from cropkit.review.keys.actions import Command, Repeats
from cropkit.review.keys.key_repeat import WATCH, KeyRepeat, Response
from cropkit.review.keys.keymap import Binding, Keymap
from cropkit.review.keys.prompt import Prompt, typed
from cropkit.review.model import (
    Arrangement,
    Choose,
    Move,
    Nudge,
    Open,
    PickNone,
    Resize,
    ReviewState,
    TakeCandidate,
)
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.foreseeing import FORESEEN
from cropkit.review.runtime.loop import Loop, Timer
from cropkit.review.runtime.queued_enter import STILL_LOADING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipycanvas import Canvas

_DIGITS = tuple("123456789")
_UNTOUCHED = (Verdict.ACCEPT, Verdict.KEPT_WHOLE)
_PULLED = {Nudge: Grip.WHOLE, Resize: Grip.BOTTOM_RIGHT}  # by the pixels of the move
_PROMPTS = (Command.EXACT, Command.GO_TO, Command.NOTE, Command.UNSIGNED)


def _verdict(session: ReviewState) -> Verdict | None:
    entry = session.entries[session.chosen] if session.entries else None
    return entry.verdict if isinstance(entry, Open) else None


class Keyboard:
    """Listens to the canvas's keys; knows which are held, what is typed, and the key sheet."""

    def __init__(
        self,
        controller: ReviewController,
        canvas: "Canvas",
        loop: Loop,
        keymap: Keymap,
        *,
        zoom: ZoomInput,
        click_drag: ClickDrag,
        straighten: Straighten,
        level_line: LevelLine,
    ) -> None:
        self._controller, self._loop = controller, loop
        self._screen, self._guard = controller.screen, controller.guard
        self._click_drag, self.keymap = click_drag, keymap
        self._straighten, self._level_line = straighten, level_line
        self._repeat = KeyRepeat()
        self._watched: tuple[Binding, Timer] | None = None
        self.sheet = self.report = False
        self.sought = ""
        self.prompt: Prompt | None = None
        self._commands = self._what_commands_do(zoom)
        canvas.on_key_down(self._guard.watch(self.key))
        self._screen.on_exact_key(self.exact_key)
        self._screen.hold_keys(row.key for row in keymap.bindings if row.does is Command.PEEK)
        self._screen.nudge_by(_nudges(keymap))
        self._screen.foresee(_foreseen(keymap))
        self._screen.on_message("up", lambda _: self._screen.peek(peeking=False))

    def _what_commands_do(self, zoom: ZoomInput) -> "dict[Command, Callable[[], None]]":
        return {
            Command.SHEET: self.toggle_sheet,
            Command.REPORT: self.toggle_report,
            Command.BUTTONS: self._controller.toggle_buttons,
            Command.ACKNOWLEDGE: self._guard.acknowledge,
            Command.RELEASE: self._release,
            Command.CLOSER: zoom.closer,
            Command.FARTHER: zoom.farther,
            Command.WHOLE: zoom.whole,
            Command.ACTUAL: zoom.actual,
            Command.LOUPE: self._screen.toggle_loupe,
            Command.PEEK: self._peek,
            Command.GUIDES: self._screen.turn_guides,
            Command.BRIGHTER: partial(self._screen.turn_tone, brightness=1),
            Command.DARKER: partial(self._screen.turn_tone, brightness=-1),
            Command.MORE_CONTRAST: partial(self._screen.turn_tone, contrast=1),
            Command.LESS_CONTRAST: partial(self._screen.turn_tone, contrast=-1),
            Command.GROUND: self._screen.turn_ground,
            Command.WINDOW: self._screen.toggle_window,
            Command.LEVEL: self._level,
            Command.LEVEL_LINE: self._draw_level,
        }

    def exact_key(self, key: str, *, shift: bool, ctrl: bool, meta: bool, repeat: bool) -> None:
        """Take a key of which the browser says whether it repeats: no press is guessed, or lost."""
        if self.prompt is not None:
            if not (ctrl or meta or (repeat and key == "Enter")):
                self._type(self.prompt, key)
            return
        if self._seeks(key, held=ctrl or meta):
            return
        binding = self.keymap.look_up(key, shift=shift, ctrl=ctrl, meta=meta)
        if binding is None or self._guard.stopped:
            return
        if not repeat or binding.pace is Repeats.FREE:
            self._take(binding, again=repeat)

    def key(self, key: str, shift: bool, ctrl: bool, meta: bool) -> None:  # noqa: FBT001  (ipycanvas)
        """Take a key as ipycanvas tells of it: whether it is held is guessed by the clock."""
        if self.prompt is not None:
            if not (ctrl or meta):
                self._type(self.prompt, key)
            return
        if self._seeks(key, held=ctrl or meta):
            return
        binding = self.keymap.look_up(key, shift=shift, ctrl=ctrl, meta=meta)
        if binding is None or self._guard.stopped:
            return
        again = self._repeat.is_held(binding.label, self._loop.time())
        response = self._heard(binding)
        self._settle_watched(binding)
        if response is Response.WATCH:
            timer = self._loop.call_later(WATCH, self._guard.watch(self._take_watched))
            self._watched = (binding, timer)
        elif response is Response.TAKE:
            self._take(binding, again=again)

    def carry_out(self, name: str) -> None:
        """Do what an action of the menu says."""
        if not self._guard.stopped:
            self._take(Binding("", name))

    def toggle_sheet(self) -> None:
        """Show the sheet of all keys, or hide it."""
        self._cover(sheet=not self.sheet)

    def toggle_report(self) -> None:
        """Show the report over the page, or hide it; at the end it is there anyway."""
        self._cover(report=not self.report and not self._controller.session.ended)

    @property
    def covers(self) -> bool:
        """Whether the sheet or the report is over the page."""
        return self.sheet or self.report

    def uncover(self) -> bool:
        """Show the page again; return whether something was over it."""
        covered = self.covers
        if covered:
            self._cover()
        return covered

    def _cover(self, *, sheet: bool = False, report: bool = False) -> None:
        self.sheet, self.report, self.sought = sheet, report, ""
        self._screen.cover(covered=sheet or report, typing=self.prompt is not None)
        self._controller.changed()

    def _seeks(self, key: str, *, held: bool) -> bool:
        """Take what is typed over the sheet as words to look for; return whether it is that."""
        if not self.sheet or held:
            return False
        bound = self.keymap.look_up(key, shift=False, ctrl=False, meta=False)
        if bound is not None and bound.does is Command.SHEET:
            return False
        sought = typed(self.sought, key)
        if sought == self.sought:
            return False
        self.sought = sought
        self._controller.changed()
        return True

    def leave_prompt(self) -> None:
        """Type no further."""
        if self.prompt is not None:
            self._ask(None)

    def _heard(self, binding: Binding) -> Response:
        self._repeat, response = self._repeat.heard(binding.label, binding.pace, self._loop.time())
        return response

    def _settle_watched(self, binding: Binding) -> None:
        """Another press of a watched key shows that it is held; another key that it is not."""
        if self._watched is None:
            return
        watched, timer = self._watched
        timer.cancel()
        self._watched = None
        if watched is not binding:
            self._take(watched)

    def _take_watched(self) -> None:
        if self._watched is not None:
            watched, self._watched = self._watched[0], None
            self._take(watched)

    def _take(self, binding: Binding, *, again: bool = False) -> None:
        self._click_drag.put_down()
        was_to_draw = self._level_line.leave()
        self._guard.clear_note()
        if was_to_draw and binding.does in (Command.LEVEL_LINE, Command.RELEASE):
            return
        if isinstance(binding.does, Command):
            self._controller.stay()
        if binding.does in _PROMPTS:
            command = Command(binding.does)
            prompt = Prompt(command, self._noted if command is Command.NOTE else "")
            if prompt.is_question:
                self._controller.check(prompt.move())
            self._ask(prompt)
        elif isinstance(binding.does, Command):
            self._commands[binding.does]()
        elif self.uncover():
            pass  # it was over the page
        elif self._in_grid and binding.key in _DIGITS:  # whatever it does on a page
            self._controller.set_aside(int(binding.key) - 1)
        elif isinstance(binding.does, Choose) and self._has_suggestions:
            self._controller.take(TakeCandidate(binding.does.position))
        else:
            before = self._controller.session
            self._controller.take(binding.does, again=again)
            if binding.key.startswith("Arrow") and isinstance(binding.does, Nudge):
                self._tell_of_arrows(before)

    def _tell_of_arrows(self, before: ReviewState) -> None:
        """Say that a box was moved that nobody had touched: an arrow turns pages elsewhere."""
        after = self._controller.session
        was, now = (_verdict(session) for session in (before, after))
        if was in _UNTOUCHED and now is Verdict.ADJUSTED:
            onward, back = map(self.keymap.label, ("next-image", "undo"))
            self._guard.note(
                f"Arrows move the box. {onward} is the next image; {back} takes it back"
            )

    @property
    def _in_grid(self) -> bool:
        return self._controller.session.arrangement is Arrangement.GRID

    @property
    def _noted(self) -> str:
        """The line that is noted about the chosen image."""
        session = self._controller.session
        path = session.entries[session.chosen].path if session.entries else ""
        return session.notes.get(path, Note()).text

    @property
    def _has_suggestions(self) -> bool:
        """Whether one image is seen alone, which has several suggestions to choose from."""
        session = self._controller.session
        alone = session.arrangement is Arrangement.SINGLE and session.entries
        entry = session.entries[session.chosen] if alone else None
        return isinstance(entry, Open) and len(entry.suggestions) > 1

    def _ask(self, prompt: Prompt | None) -> None:
        self.prompt = prompt
        self._cover()

    def _type(self, prompt: Prompt, key: str) -> None:
        if key == "Enter":
            # its held key is no press of the one that accepts the page
            accepts = self.keymap.look_up(key, shift=False, ctrl=False, meta=False)
            if accepts is not None:
                self._heard(accepts)
            self._ask(None)
            self._controller.take(prompt.move())
        elif key == "Escape":
            self._ask(None)
        else:
            self._ask(prompt.typed(key))

    def _peek(self) -> None:
        """See the crops alone, until the key is let go; where that is not told, until the next."""
        self._screen.peek(peeking=self._screen.hears_release or not self._screen.peeking)

    def _level(self) -> None:
        if self.uncover():
            return
        if self._screen.acknowledged:
            self._controller.levelling.level()
        else:
            self._guard.note(STILL_LOADING)

    def _draw_level(self) -> None:
        if not self.uncover():
            self._level_line.ask()

    def _release(self) -> None:
        if self._straighten.give_back() or self.uncover():
            return
        if self._controller.session.picked:
            self._controller.take(PickNone())
        else:
            self._screen.let_go_of_focus()


def _nudges(keymap: Keymap) -> list[tuple[object, ...]]:
    """Return the keys that move a box, as the browser's part takes them."""
    return [
        (
            row.key,
            row.shift,
            row.ctrl,
            list(_PULLED[type(row.does)].value),
            [row.does.dx, row.does.dy],
        )
        for row in keymap.bindings
        if isinstance(row.does, Nudge | Resize)
    ]


def _foreseen(keymap: Keymap) -> list[tuple[tuple[object, ...], Move]]:
    """Return the keys that change boxes otherwise; a digit means something else in the grid."""
    return [
        ((row.key, row.shift, row.ctrl), row.does)
        for row in keymap.bindings
        if isinstance(row.does, FORESEEN) and row.key not in _DIGITS
    ]
