"""The review as a widget: the canvas, the words over it, and what a notebook sees of both."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, WeakValueDictionary

from ipywidgets import HTML, Layout, VBox
from PIL.Image import Image
from traitlets import Dict, Int, List

from cropkit import clock
from cropkit.collection import Collection
from cropkit.errors import CannotShow, IllegalMove
from cropkit.records import CropResult, Decision
from cropkit.review.controller import ReviewController
from cropkit.review.input.click_drag import ClickDrag
from cropkit.review.input.keyboard import Keyboard
from cropkit.review.input.level_line import LevelLine
from cropkit.review.input.pointer import Pointer
from cropkit.review.input.straighten import Straighten
from cropkit.review.input.zoom import ZoomInput
from cropkit.review.keys.keymap import PRESETS, Keymap, keymap
from cropkit.review.model import Done, Open
from cropkit.review.model.box_editing import Grip
from cropkit.review.runtime.appliers import workers_in_kernel, workers_in_processes
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.unanswered import (
    Unanswered,
    below_this_cell,
    running_cell,
    server_findings,
)
from cropkit.review.view.bands import foot, header, status, strip, unshown
from cropkit.review.view.buttons import buttons
from cropkit.review.view.captions import cells
from cropkit.review.view.css import CSS
from cropkit.review.view.hints import hints
from cropkit.review.view.layout import ClickTarget
from cropkit.review.view.overlay import over
from cropkit.review.view.view_model import View
from cropkit.review.view.viewport import grip_point
from cropkit.system import parameters
from cropkit.system.only import SURE, Given

if TYPE_CHECKING:
    import pandas as pd

_MOST_A_PAGE, _MOST_PIXELS = 1_000, 1_000_000
_MOST_DECISIONS = 50  # that the trait holds: each new one sends them all
_BANDS: Mapping[str, Callable[[View], str]] = {
    "header": header,
    "cells": cells,
    "strip": strip,
    "foot": foot,
    "hints": hints,
    "buttons": buttons,
    "over": over,
}

_LIVE: WeakValueDictionary[Path, "Review"] = WeakValueDictionary()
_OF_CELL: "dict[str, tuple[str, WeakSet[Review]]]" = {}  # by cell: latest run, what that made


class Review(VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Show a page of images with their boxes, and record what the reviewer decides.

    Displays as the last expression of a cell. Nothing happens before a browser shows it, so a
    notebook that is executed without one neither waits nor writes.

    Parameters
    ----------
    folder_or_collection : folder of images, or an opened `Collection`, which then stays open
    per_page : images on a page; 0: as many as this person has chosen last, else 3
    defer : only queue the decisions; `cropkit apply` or the batch notebook carries them out
    state : folder that holds `.cropkit`, where a folder is given and its state is not in it
    suggest : where boxes come from, where a folder is given: as a `Collection` takes it
    loop : the main thread's event loop; the running one when not given
    keys : default, classic or vim; what the person's own keymap says when not given
    minimum : pixels that the shorter side of a crop should have; less is shown as a warning
    min_confidence : least confidence, 0 to 1, of a suggestion; less is unsure, which `I` filters
    around : how `B` puts a box around suggestions as subjects, by parameters of `cropkit.around`
        such as "margin=0.15 aspect=4:5", or by the name of a rule that the collection keeps; None:
        as `cropkit settings` has it
    only : of the images some, where a folder is given: as a `Collection` takes it
    double : share of the images that two people decide about, each for themselves, as "5%" or 0.05,
        from now on; 0 ends it; None: as it was chosen before
    learn : propose boxes by what this reviewer has decided before; nothing leaves the machine
    vision : learn from subjects and faces, too, where the extra ``vision`` is installed
    apart : read and write images in processes of their own; else in threads of this one
    fill_window : take the whole window from the beginning; the notebook is there for the review

    Raises
    ------
    AuditError
        When there can be no trail: the review does not start.
    BadKeymap
        When keys cannot be bound as they should be.
    """

    index = Int(0, help="Page, from 0.").tag(sync=False)
    boxes: Any = List(help="[left, top, right, bottom] or None for each image; before a turn.").tag(
        sync=False
    )
    decisions: Any = List(help="What was decided here and stands, the latest last.").tag(sync=True)
    progress = Dict(help="Counts of what is listed; of all when complete.").tag(sync=False)

    def __init__(
        self,
        folder_or_collection: str | os.PathLike[str] | Collection,
        per_page: int = 0,
        defer: bool = False,  # noqa: FBT001, FBT002  (as a notebook's parameters give it)
        *,
        state: str | os.PathLike[str] | None = None,
        suggest: Any = None,  # noqa: ANN401  (what a person has)
        loop: Loop | None = None,
        keys: str | Keymap = "",
        minimum: int = 0,
        min_confidence: float = SURE,
        around: str | None = None,
        only: Given | None = None,
        double: float | str | None = None,
        learn: bool = True,
        vision: bool = True,
        apart: bool = True,
        fill_window: bool = False,
    ) -> None:
        _refuse_marimo()
        bound = keys if isinstance(keys, Keymap) else keymap(_preset(keys))
        images = parameters.whole("per_page", per_page, 0, _MOST_A_PAGE)
        defers = parameters.flag("defer", defer)
        fills = parameters.flag("fill_window", fill_window)
        pixels = parameters.whole("minimum", minimum, 0, _MOST_PIXELS)
        least = parameters.share("min_confidence", min_confidence)
        rule = None if around is None else parameters.text("around", around)
        learns, sees = parameters.flag("learn", learn), parameters.flag("vision", vision)
        self._owned = not isinstance(folder_or_collection, Collection)
        collection = _opened(folder_or_collection, state, suggest, only, double)
        _close_earlier(collection.scope.folder, self)
        self._shown_words, self._waiting = dict[str, str](), list[asyncio.Future[None]]()
        running = loop or _running_loop()
        self._controller = ReviewController(
            *(collection, images, running, clock.now, self._refresh),
            workers=_workers_in(apart=apart)(collection, defer=defers),
            minimum=pixels,
            min_confidence=least,
            around=_rules(collection, rule),
            learn=learns,
            vision=sees,
        )
        self._serve_notebook(running)
        self._controller.screen.furnish(bound.menu(), fills=fills)
        self._keyboard = self._listening(running, bound)
        bands = self._bands = {name: _band() for name in _BANDS}
        self._status = _status_line()
        self._style = HTML(CSS, layout=Layout(display="none"))
        live_drag = self._controller.screen.live_drag_widget
        super().__init__(
            [
                *(self._style, self._controller.screen.canvas, *bands.values(), self._status),
                *([] if live_drag is None else [live_drag]),
            ],
            layout=Layout(width="100%", margin="0", padding="0"),
        )
        self.add_class("cropkit-review")
        _LIVE[collection.scope.folder] = self
        self._say_first(bound.changes())

    def _say_first(self, changes: str) -> None:
        """Write all words for the first time, and what a new default key has changed."""
        if changes:
            self._controller.guard.note(changes)
        self._refresh()

    def __repr__(self) -> str:
        """Say the same on every run: a notebook's stored output is compared with it."""
        session = self._controller.session
        crops = f"{session.total} crops of " if session.images.required else ""
        images = session.images.image_count if session.images.required else session.total
        so_far = "" if session.whole else " so far"
        return f"Review({crops}{images} images{so_far}, {session.per_page} a page)"

    @property
    def collection(self) -> Collection:
        """The collection under review."""
        return self._controller.collection

    @property
    def idle(self) -> bool:
        """Whether the page is on the screen and nothing is being read, written or restored."""
        return self._controller.idle

    def on_submit(self, callback: Callable[[tuple[Decision, ...]], object]) -> None:
        """Call back with the decisions each time some have become durable."""
        self._controller.on_submit(callback)

    def on_undo(self, callback: Callable[[CropResult], object]) -> None:
        """Call back with the result each time a decision was taken back."""
        self._controller.on_undo(callback)

    async def done(self) -> dict[str, Any]:
        """Wait until every image has a decision, and what is to be written is; return `progress`.

        Also returns when the review is closed, as far as it has come. A cell may wait for it where
        a kernel answers widgets while a cell runs (ipykernel 7 with JupyterLab 4.4 or newer);
        elsewhere no key would be taken meanwhile, and a task waits: ``asyncio.create_task(...)``.
        """
        if not (self._is_done() or self._controller.closed):
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        return dict(self.progress)

    def to_frame(self) -> "pd.DataFrame":
        """Return the decisions in force of the collection: one row each, typed, times in UTC.

        Of each image and slot it is the latest that nobody took back, whatever its verdict and
        whether or not it was carried out; the columns are those of ``export("csv", ...)``.

        Raises
        ------
        AuditError
            The trail cannot be read.
        """
        from cropkit.exports.frame import frame  # noqa: PLC0415  (pandas: only where it is needed)

        return frame(self.collection.trail, self.collection.root)

    def snapshot(self) -> Image:
        """Return the page as it looks now, as a picture, 1000 pixels wide.

        As the last expression of a later cell it stays in the notebook that is saved; of the
        review itself a saved notebook shows nothing where there is no kernel.
        """
        return self._controller.screen.picture(self._view())

    def screen_point(self, position: int, kind: Grip | ClickTarget) -> tuple[float, float]:
        """Return where a grip of a box, or something to click, is, in pixels of the canvas.

        Parameters
        ----------
        position : of the image on the page, from 0
        """
        screen, entry = self._controller.screen, self._controller.session.entries[position]
        layout = screen.layout
        if kind is ClickTarget.CHIP:
            x, y = layout.chip(position).middle
        elif isinstance(kind, ClickTarget):
            places = {
                ClickTarget.STRIP: layout.place(position),
                ClickTarget.ACKNOWLEDGE: layout.message,
                ClickTarget.HELP: layout.help,
                ClickTarget.WINDOW: layout.window,
            }
            x, y = places.get(kind, layout.stage(position)).middle
        elif isinstance(entry, Open) and (view := screen.viewport(position)):
            x, y = grip_point(view, entry.box, kind)
        else:
            raise IllegalMove("screen_point", f"{entry.path} has no box to hold")
        return x * screen.scale, y * screen.scale

    def _repr_mimebundle_(self, **how: Any) -> Any:  # noqa: ANN401  (as ipywidgets has it)
        self._unanswered.displayed()
        return super()._repr_mimebundle_(**how)

    def close(self) -> None:
        """End the review: what is being written is finished, what waits stays queued."""
        # none where the folder was refused
        controller: ReviewController | None = getattr(self, "_controller", None)
        if controller is not None and not controller.closed:
            self._unanswered.cancel()
            controller.close()
            self._let_go()
            for child in (*self._bands.values(), self._status, self._style):
                child.close()
            if self._owned:
                self.collection.close()
        super().close()

    def _refresh(self) -> None:
        if not hasattr(self, "_bands") or self._controller.closed:
            return
        view = self._view()
        for name, band in self._bands.items():
            self._say(name, band, self._words(name, view))
        self._say("status", self._status, f"<div>{status(view)}</div>")
        session = view.session
        self.index = session.page
        self.boxes = [_box(entry) for entry in session.entries]
        self.progress = asdict(view.counts) | {
            "broken": len(session.broken),
            "kept_whole": view.kept_whole,
            "complete": session.whole,
        }
        if self._waiting and self._is_done():
            self._let_go()

    def _is_done(self) -> bool:
        """Whether nothing is left to decide or, unless that is put off, to write here."""
        session, counts = self._controller.session, self._controller.counts
        left = counts.waiting > self._controller.for_others and not self._controller.defer
        is_decided = session.whole and session.decided >= session.total
        return is_decided and not left and not session.restoring

    def _let_go(self) -> None:
        """Let go on whoever waits until all is done."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _keep_decided(self, decisions: tuple[Decision, ...]) -> None:
        self._set_decided({_key(each): each for each in map(_told, decisions)})

    def _forget_decided(self, result: CropResult) -> None:
        if result.ok:
            self._set_decided({(result.path, result.slot): None})

    def _set_decided(self, new: Mapping[tuple[str, str], dict[str, Any] | None]) -> None:
        """Let decisions of crops stand, or none any more; the latest are told."""
        kept = [each for each in self.decisions if _key(each) not in new]
        self.decisions = [*kept, *filter(None, new.values())][-_MOST_DECISIONS:]

    def _words(self, name: str, view: View) -> str:
        """Return the words of a band, or, in their place, why there are none."""
        try:
            return _BANDS[name](view)
        except Exception as error:  # noqa: BLE001  (no other place is left to say it in)
            words = unshown(view, error)
            if self._shown_words.get(name) != words:
                self._controller.guard.count(error)
            return words

    def _say(self, name: str, band: HTML, words: str) -> None:
        # Comparing here spares the trait's comparison and the message.
        if self._shown_words.get(name) != words:
            self._shown_words[name] = band.value = words

    def _view(self) -> View:
        keyboard = self._keyboard
        return self._controller.view(
            keyboard.keymap,
            sheet=keyboard.sheet,
            prompt=keyboard.prompt,
            sought=keyboard.sought,
            report=keyboard.report,
        )

    def _serve_notebook(self, loop: Loop) -> None:
        """Keep what the trait of decisions tells, and say below the cell when no page comes."""
        self._unanswered = Unanswered(loop, below_this_cell, server_findings)
        self._controller.screen.on_browser(self._unanswered.answered)
        self.on_submit(self._keep_decided)
        self.on_undo(self._forget_decided)

    def _listening(self, loop: Loop, bound: Keymap) -> Keyboard:
        """Have keys, mouse and touch on the canvas become moves."""
        controller, canvas = self._controller, self._controller.screen.canvas
        hands: Any = {
            "zoom": ZoomInput(controller),
            "click_drag": ClickDrag(controller),
            "straighten": Straighten(controller),
            "level_line": LevelLine(controller),
        }
        keyboard = Keyboard(controller, canvas, loop, bound, **hands)
        Pointer(controller, canvas, keyboard, **hands)
        return keyboard


def _refuse_marimo() -> None:
    """Say so where nothing would be seen, before a collection is opened.

    Raises
    ------
    CannotShow
        In a notebook of marimo.
    """
    marimo = sys.modules.get("marimo")
    if marimo is not None and marimo.running_in_notebook():
        raise CannotShow("marimo")


def _opened(
    given: str | os.PathLike[str] | Collection,
    state: str | os.PathLike[str] | None,
    suggest: Any,  # noqa: ANN401  (what a person has)
    only: Given | None,
    double: float | str | None,
) -> Collection:
    share = None if double is None else parameters.percentage("double", double)
    collection = (
        given
        if isinstance(given, Collection)
        else Collection(given, state=state, suggest=suggest, only=only)
    )
    if share is not None:
        collection.keep_double(share)
    return collection


def _preset(keys: object) -> str:
    return parameters.choice("keys", keys, ("", *PRESETS))


def _status_line() -> HTML:
    line = HTML(layout=Layout())
    line.add_class("cropkit-status")
    return line


def _band() -> HTML:
    band = HTML(layout=Layout())
    band.add_class("cropkit-over")
    return band


def _box(entry: object) -> list[int] | None:
    if isinstance(entry, Open):
        return list(entry.cut.box.xyxy)
    if isinstance(entry, Done) and entry.settled.box:
        return list(entry.settled.box.xyxy)
    return None


def _running_loop() -> Any:  # noqa: ANN401  (an asyncio loop is a Loop with more)
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        msg = "A review needs a running event loop, as every Jupyter kernel has"
        raise RuntimeError(msg) from None


def _close_earlier(folder: Path, review: Review) -> None:
    earlier = _LIVE.pop(folder, None)
    if earlier is not None:
        earlier.close()
    _close_of_earlier_run(review)


def _close_of_earlier_run(review: Review) -> None:
    """Close what an earlier run of the same cell has made: its output is gone."""
    running = running_cell()
    if running is None:
        return
    cell, run = running
    earlier_run, earlier = _OF_CELL.get(cell, (run, WeakSet()))
    if earlier_run != run:
        for each in tuple(earlier):
            each.close()
        earlier = WeakSet()
    earlier.add(review)
    _OF_CELL[cell] = (run, earlier)


def _key(told: Mapping[str, Any]) -> tuple[str, str]:
    return told["path"], told["slot"]


def _told(decision: Decision) -> dict[str, Any]:
    """Return a decision as the trait has it: plain values."""
    box = decision.box
    return {
        "path": decision.path,
        "slot": decision.slot,
        "verdict": decision.verdict.value,
        "box": None if box is None else list(box.xyxy),
        "target": decision.target,
        "turn": decision.turn.text or None,
        "decided_at": clock.written(decision.decided_at),
    }


def _workers_in(*, apart: bool) -> Callable[..., Any]:
    return workers_in_processes if apart else workers_in_kernel


def _rules(collection: Collection, rule: str | None) -> dict[str, Any]:
    """Return the rules by which boxes are put around subjects: those kept, or the one asked."""
    return collection.rules() if rule is None else {"": collection.rule(rule)}
