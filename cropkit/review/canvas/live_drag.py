"""An optional part of the review in the browser: it draws a box while that is dragged.

Without it everything is right, only later: a drag is then redrawn by the kernel, which lags behind
the hand by the way there and back. It runs where JupyterLab has anywidget's extension
(https://anywidget.dev), and says so itself; where that is not installed the log says so.
"""

import importlib.util
import logging
from collections.abc import Callable, Iterable
from math import isclose
from typing import Any

from ipywidgets import Layout

from cropkit.review.canvas.cells import CellState, Weight
from cropkit.review.model import Mark, Move, Open, ReviewState
from cropkit.review.model.foreseeing import foreseen, looked_at
from cropkit.review.runtime.guard import Watch
from cropkit.review.view.guides import LINES
from cropkit.review.view.layout import SLOP, SNAP, PageLayout
from cropkit.review.view.rulers import NO_RULER, Ruler
from cropkit.review.view.spots import Spot
from cropkit.review.view.viewport import REACH, TURNS

_KEY_FACTS = ("shift", "ctrl", "meta", "repeat")
_LONGEST_NAME = 20  # that a page may have
_log = logging.getLogger(__name__)


class LiveDrag:
    """What the browser's part knows; `there` once a browser has it.

    `tells_presence`: a page has told that all of its canvases are there, and the next ones will.
    `nudges`: keys that move the chosen box, [key, Shift, Ctrl, sides, pixels] each, which a page
    far away draws before it hears what the kernel has made of them; none while keys are `typing`.
    `foreseen`: keys that change boxes otherwise, [key, Shift, Ctrl] each, and what they do; the
    page is told what they would come to, and draws that.
    `aims`: a press draws a line, which the kernel shows.
    """

    def __init__(self) -> None:
        self.held: int | None = None
        self.nudges: list[object] = []
        self.foreseen: list[tuple[list[object], Move]] = []
        self._foreseen: tuple[object, list[list[object]]] | None = None  # of how a page looks
        self.typing = self.aims = False
        self._heard: list[object] = []
        self.widget = _model()
        self.there = self.tells_presence = False

    def on_message(self, kind: str, take: Callable[[Any], object], watch: Watch) -> None:
        """Call back with what the browser tells of one kind."""

        def came(_: object, content: object, __: object) -> None:
            if isinstance(content, dict) and kind in content:
                self.there = True
                take(content[kind])

        if self.widget is not None:
            self.widget.on_msg(watch(came))

    def on_key(self, heard: Callable[..., object], watch: Watch) -> None:
        """Call back with each key: its name, the modifiers, and whether it repeats being held."""

        def came(_: object, content: object, __: object) -> None:
            if not isinstance(content, dict) or "key" not in content:
                return
            self._heard = _numbered(content.get("number"))
            modifiers = {name: content.get(name) is True for name in _KEY_FACTS}
            heard(str(content["key"]), **modifiers)

        if self.widget is not None:
            self.widget.on_msg(watch(came))

    def on_present(self, ids: list[str], complete: Callable[[], object]) -> None:
        """Call back when a page says that it has all of these canvases."""

        def came(_: object, content: dict[str, Any], __: object) -> None:
            if content.get("present"):
                self.tells_presence = True
                complete()

        if self.widget is not None:
            self.widget.canvases = ids
            self.widget.on_msg(came)

    def take_focus(self) -> bool:
        """Have the page give its keys to the canvas, unless somebody is in a menu of it.

        Return whether there is a page that can be asked.
        """
        return self._ask_for(focus=True)

    def let_go_of_focus(self) -> bool:
        """Have the page give the keys of the canvas back, also where it was about to keep them.

        Return whether there is a page that can be asked.
        """
        return self._ask_for(focus=False)

    def _ask_for(self, *, focus: bool) -> bool:
        if self.widget is None or not self.there:
            return False
        self.widget.send({"focus": focus})
        return True

    @property
    def fills(self) -> bool | None:
        """Whether the review takes the whole window; None where no browser can say."""
        return self.widget.filling if self.widget is not None else None

    def fill(self, *, alone: bool = False) -> None:
        """Have the review take the whole window.

        Parameters
        ----------
        alone : the notebook is there for the review, and nothing of it is kept
        """
        if self.widget is not None:
            self.widget.filling, self.widget.alone = True, alone

    def toggle_window(self) -> None:
        """Have the review take the whole window, or give the notebook back."""
        if self.widget is not None:
            self.widget.filling = not self.widget.filling

    def show(
        self,
        layout: PageLayout,
        cells: tuple[CellState | None, ...],
        *,
        session: ReviewState | None = None,
        live: bool,
    ) -> None:
        """Tell the browser what a hand can take hold of; while it holds, nothing new.

        Parameters
        ----------
        session : what the keys would change
        """
        if self.widget is not None and (
            self.held is None or self.widget.scene["held"] != self.held
        ):
            keys = session is not None and live and not self.typing
            chosen = None if session is None or session.picked else session.chosen
            self.widget.scene = {
                "width": layout.width,
                "height": layout.height,
                "reach": REACH,
                "turns": TURNS,
                "snap": SNAP,
                "slop": SLOP,
                "live": live and self.there and not self.aims,
                "aims": self.aims,
                "held": self.held,
                "chosen": chosen,  # of several that are selected, keys move all
                "nudges": self.nudges if keys else [],
                "foreseen": self._outcomes(session) if session is not None and keys else [],
                "heard": self._heard,
                "cells": [described(cell_state) for cell_state in cells],
                "shapes": [_shape(cell_state) for cell_state in cells],
            }

    def _outcomes(self, session: ReviewState) -> list[list[object]]:
        """Return what the keys would make of the page, by the number of presses."""
        looks = looked_at(session)
        if self._foreseen is None or self._foreseen[0] != looks:
            known = [(key, foreseen(session, move)) for key, move in self.foreseen]
            told = [
                [*key, [_changed(session, after) for after in each.after], each.period]
                for key, each in known
            ]
            self._foreseen = looks, told
        return self._foreseen[1]

    def tell_spots(self, pressed: list[Spot]) -> None:
        """Tell what can be pressed; the same again sends nothing."""
        if self.widget is not None:
            self.widget.spots = [list(spot) for spot in pressed]

    def offer(self, menu: Iterable[tuple[str, str, str]]) -> None:
        """Tell what the menu of an image has: name of an action, words, and its key."""
        if self.widget is not None:
            self.widget.menu = [list(row) for row in menu]

    def hold_keys(self, keys: Iterable[str]) -> None:
        """Have the browser tell when these are let go."""
        if self.widget is not None:
            self.widget.holds = [key.lower() for key in keys]

    def draws(self, cell_state: CellState) -> bool:
        """Whether the browser draws the box of this image, which a hand holds."""
        return described(cell_state) is not None

    def close(self) -> None:
        """Close the widget."""
        if self.widget is not None:
            self.widget.close()


def described(cell_state: CellState | None) -> dict[str, object] | None:
    """Return what can be taken hold of.

    A zoomed image is the kernel's, which clips it, and so is a box that is held to targets: one
    that is held to the ratio of the lock is drawn as it is pulled in that ratio. So is one of an
    image that is straightened, which is turned about its middle and has to stay inside.
    """
    entry, view = (cell_state.entry, cell_state.view) if cell_state is not None else (None, None)
    if view is None or view.closer or (cell_state and cell_state.weight is Weight.SMALL):
        return None
    if not isinstance(entry, Open) or entry.mark is not Mark.KEEP or _is_aimed(entry):
        return None
    if entry.turn.resamples:
        return None
    return {
        "x": view.frame.x,
        "y": view.frame.y,
        "scale": view.scale,
        "stage": [view.stage.x, view.stage.y, view.stage.right, view.stage.bottom],
        "size": [entry.size.width, entry.size.height],
        "box": list(entry.box.xyxy),
        "ratio": entry.ratio,
        "guides": [list(line) for line in LINES[cell_state.guides]] if cell_state else [],
        "ruler": _ruler(cell_state.ruler if cell_state else NO_RULER),
    }


def _changed(before: ReviewState, after: ReviewState) -> list[list[object]]:
    """Return what is other on the page: position, box, ratio, and whether keys may move it then.

    What is straightened is the kernel's, as in `described`.
    """
    pairs = enumerate(zip(before.entries, after.entries, strict=True))
    return [
        [position, list(now.box.xyxy), now.ratio, not _is_aimed(now)]
        for position, (was, now) in pairs
        if isinstance(now, Open) and now != was and _is_kept_as_it_is(now)
    ]


def _is_kept_as_it_is(entry: Open) -> bool:
    return entry.mark is Mark.KEEP and not entry.turn.resamples


def _numbered(number: object) -> list[object]:
    """Return what a page calls a key, to be told back: the page, and a number."""
    if not isinstance(number, list) or list(map(type, number)) != [str, int]:
        return []
    return number if len(number[0]) <= _LONGEST_NAME else []


def _ruler(ruler: Ruler) -> dict[str, list[list[object]]]:
    words: list[list[object]] = [
        [word.text, word.x, word.y, [ground.x, ground.y, ground.width, ground.height]]
        for word, ground in ((word, word.ground) for word in ruler.words)
    ]
    return {"lines": [list(line) for line in ruler.lines], "words": words}


def _is_aimed(entry: Open) -> bool:
    """Whether a pull ends at another box than the ratio alone would make of it."""
    if entry.fit is None:
        return False
    return entry.ratio is None or not isclose(entry.ratio, entry.fit.target.aspect_ratio)


def _shape(cell_state: CellState | None) -> dict[str, object] | None:
    """Return where an image is seen, and its box where a hand can take hold of one."""
    view = cell_state.view if cell_state is not None else None
    if cell_state is None or view is None:
        return None
    entry, seen = cell_state.entry, view.seen
    small = cell_state.weight is Weight.SMALL
    return {
        "x": view.frame.x,
        "y": view.frame.y,
        "scale": view.scale,
        "size": [view.size.width, view.size.height],
        "stage": [seen.x, seen.y, seen.right, seen.bottom],
        "room": [view.stage.x, view.stage.y, view.stage.right, view.stage.bottom],
        "box": list(entry.box.xyxy) if isinstance(entry, Open) and not small else None,
        "closer": view.closer,
    }


def _model() -> Any:  # noqa: ANN401  (its type is there only where anywidget is)
    if importlib.util.find_spec("anywidget") is None:
        _log.warning("anywidget is not installed: the kernel draws each drag, which lags behind")
        return None
    from cropkit.review.canvas.live_drag_model import LiveDragModel  # noqa: PLC0415  (optional)

    return LiveDragModel(layout=Layout(display="none"))
