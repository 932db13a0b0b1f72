"""Hold the session, make moves and carry out what follows from them.

Who calls whom
--------------
`input` turns keys, pointer and wheel into moves and hands them to `take`; `widget` shows what
`view` returns. Both ask this class and know none of its parts. A move goes this way:

1. `take` refuses it while the page is not on the screen, or after an audit error.
2. `advance` of `model`, which is pure, returns the next session and what is decided by the move.
3. Decisions become durable (`collection.decide`) *before* the session shows them: what a person has
   seen as decided survives the kernel.
4. They are handed to the `BackgroundApplier`; its outcome comes back as a move (`Applied`,
   `Restored`) and goes the same way, but for the check of step 1.
5. `follow` lets the screen follow: arrivals become moves, `PageDisplay` draws, and `changed`
   has the words written anew. It is called after everything that may look different, and draws
   only what does.

In which thread
---------------
Everything of this class runs in one thread, the kernel's main thread, where alone it is safe to
draw: `Guard.watch` brings callbacks there, whichever thread a browser's message came in, and shows,
logs and counts what they raise. Beside it work:

- `Prefetch`, two threads that read images ahead (with processes of their own where there are);
- the thread of `BackgroundApplier`: decisions one after the other, in their order. It stands back
  for a moment after each decision, so that the next page is drawn first;
- `_side_thread`: what keeps no crop waiting and waits for none: the place that is remembered, the
  other reviews, the scan of confidences, alerts that are sent.

None of them touches the session: each hands its outcome back with `call_soon_threadsafe`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

from ipywidgets import Widget
from PIL.Image import Image

from cropkit.geometry import Size
from cropkit.records import CropResult, Decision, Status
from cropkit.review.canvas.canvases import Canvases, NamedCanvas
from cropkit.review.canvas.page_display import PageDisplay
from cropkit.review.canvas.pen import SCALE
from cropkit.review.canvas.snapshot import page_picture
from cropkit.review.keys.keymap import Keymap
from cropkit.review.keys.prompt import Prompt
from cropkit.review.model import (
    Applied,
    Arrangement,
    Choose,
    ConfidenceScanned,
    Done,
    DraftDecision,
    Mark,
    Move,
    Open,
    Restored,
    RestoreFailed,
    ToggleMark,
    advance,
)
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.progress import FolderProgress, tallied
from cropkit.review.runtime.appliers import Workers
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.background_applier import BackgroundApplier
from cropkit.review.runtime.confidence_scan import ConfidenceScan
from cropkit.review.runtime.degraded_watch import DegradedWatch
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop, Timer
from cropkit.review.runtime.other_reviews import OtherReviews
from cropkit.review.runtime.prefetch import Arrival, Prefetch
from cropkit.review.runtime.review_store import ReviewStore
from cropkit.review.view.layout import PageLayout
from cropkit.review.view.view_model import View
from cropkit.review.view.view_state import ViewState, layouts
from cropkit.review.view.viewport import Viewport, Zoom

if TYPE_CHECKING:
    from cropkit.audit.run import Run
    from cropkit.collection import Collection, Counts

P = ParamSpec("P")
_THUMBS = 200  # a few KB each
_ENOUGH_FOR_A_RATE = 6
_CLIENT_PATIENCE = 3.0  # a browser page announces its canvases one by one
_FOCUS_AGAIN = 1.0
_STILL_LOADING = "Not taken: the page is not on the screen yet"


class ReviewController:
    """Holds the session and everything that serves it; knows no HTML."""

    def __init__(
        self,
        collection: "Collection",
        per_page: int,
        loop: Loop,
        clock: Callable[[], datetime],
        changed: Callable[[], None],
        *,
        workers: Workers,
        minimum: int = 0,
        min_confidence: float = 0.0,
    ) -> None:
        self.collection, self._loop, self._clock = collection, loop, clock
        self._folder_progress, self._other_reviews = FolderProgress(), OtherReviews(collection)
        self._thumbs: dict[str, bytes] = {}
        self._reader = workers.reader
        self.changed = changed
        self.guard = Guard(collection, changed, loop)
        self.view_state = ViewState(per_page)
        self.store = ReviewStore(collection)
        self.session, self._ids = self.store.resumed(per_page, minimum)
        self._tallied: tuple[object, Counts] = (None, collection.counts())
        every = layouts(per_page)
        page, grid = every[Arrangement.PAGE], every[Arrangement.GRID]
        self.canvases = Canvases(page, grid, self.guard.watch)
        fit = Size(*(round(n * SCALE) for n in _stage_size(page)))
        arrived = self.guard.watch(lambda _: self.follow())
        self.prefetch = Prefetch(
            collection, fit, loop, arrived, self.guard.caught, reader=workers.reader
        )
        self.page_display = PageDisplay(
            self.canvases, self.view_state, self.prefetch, loop, self.guard, clock=clock
        )
        self._decisions = BackgroundApplier(collection, workers.applier, loop, self.guard)
        self._replay_due: Timer | None = None
        self._run: Run | None = None
        self._placed: int | None = None
        self.present = self.closed = self._unfocused = False
        self._at_the_end = False
        self._decided = 0
        self._started: float | None = None
        self._seen: set[str] = set()
        # what keeps no crop waiting, nor waits for one
        self._side_thread = BackgroundThread(loop, self.guard)
        self._confidence_scan = ConfidenceScan(
            self.store, self._side_thread, loop, self.guard, min_confidence
        )
        self._on_submit: list[Callable[[tuple[Decision, ...]], object]] = []
        self._on_undo: list[Callable[[CropResult], object]] = []
        self._degraded = DegradedWatch(collection, self._side_thread, loop, self.guard)
        for folder in collection.unread:
            self.guard.problem(
                f"not shown: the folder cannot be read ({folder.reason})", folder.path
            )
        watch = self.guard.watch
        self.canvases.on_client(watch(self._client_came), watch(self._client_complete))
        self.canvases.live_drag.on_pixels(self._measured, watch)

    # --- what is asked by `input` and `widget`, which know none of the parts

    @property
    def canvas(self) -> NamedCanvas:
        """The canvas that is seen, and that takes keys and pointer."""
        return self.canvases.canvas

    @property
    def live_drag_widget(self) -> Widget | None:
        """The browser's own part, where there is one; it has to be displayed to run."""
        widget: Widget | None = self.canvases.live_drag.widget
        return widget

    @property
    def scale(self) -> float:
        """Pixels of the canvas for one of its units."""
        return self.canvases.scale

    @property
    def layout(self) -> PageLayout:
        """Where everything is, in the arrangement at hand."""
        return self.view_state.layout

    @property
    def on_screen(self) -> bool:
        """Whether the page is known to be on the screen, all of it."""
        return self.page_display.acknowledged(self.session)

    @property
    def stopped(self) -> bool:
        """Whether nothing is taken any more: no audit, no work."""
        return self.guard.stopped

    def viewport(self, position: int) -> Viewport | None:
        """Return how an image of the page is seen; None where none is seen."""
        entries = self.session.entries
        entry = entries[position] if position < len(entries) else None
        if not isinstance(entry, Open | Done) or entry.size is None:
            return None
        return self.view_state.view(position, entry.path, entry.size)

    def watch(self, callback: Callable[P, object]) -> Callable[P, None]:
        """Return the callback so that it runs in the main thread and what it raises is shown."""
        return self.guard.watch(callback)

    def on_browser(self, callback: Callable[[], None]) -> None:
        """Call back for each canvas of a newly opened page: nothing is on its screen."""
        self.canvases.on_client(self.guard.watch(callback))

    def on_submit(self, callback: Callable[[tuple[Decision, ...]], object]) -> None:
        """Call back with the decisions each time some have become durable."""
        self._on_submit.append(callback)

    def on_undo(self, callback: Callable[[CropResult], object]) -> None:
        """Call back with the result each time a decision was taken back."""
        self._on_undo.append(callback)

    def note(self, text: str) -> None:
        """Say something in passing."""
        self.guard.note(text)

    def clear_note(self) -> None:
        """Say no longer what was said in passing."""
        if self.guard.messages.note:
            self.guard.note("")

    def acknowledge_problem(self) -> None:
        """Keep in the trail that the problem in front was seen, and show the next one."""
        self.guard.acknowledge()

    def report(self, error: Exception) -> None:
        """Log and count what the caller shows."""
        self.guard.count(error)

    def set_aside(self, position: int) -> None:
        """Choose an image of the grid, to be looked at closely, or not."""
        self.take(Choose(position))
        self.take(ToggleMark(Mark.LATER, position))

    def hold(self, position: int | None, path: str, grip: Grip) -> None:
        """Lay the loupe on what a hand holds, and leave its box to the browser if it draws it.

        Parameters
        ----------
        position : None where the hand moves no box yet
        """
        magnified = self.view_state.hold(path, grip)
        if self.page_display.leave_to_browser(position) or magnified:
            self.follow()

    def let_go(self) -> None:
        """Take the loupe away, and draw every box here."""
        self.hold(None, "", Grip.WHOLE)

    def look(self, path: str, zoom: Zoom) -> None:
        """See an image so closely from now on."""
        self.view_state.look(path, zoom)
        self.follow()

    def toggle_loupe(self) -> None:
        """Have the loupe stay, or only while a handle is held."""
        self.view_state.loupe_stays = not self.view_state.loupe_stays
        self.follow()

    def cover(self, *, covered: bool) -> None:
        """Say whether words lie over the page, so that a hand takes hold of nothing."""
        self.page_display.covered = covered
        self.follow()
        self.changed()

    def view(self, keymap: Keymap, *, sheet: bool, prompt: Prompt | None) -> View:
        """Return all that the words over the canvas are made from."""
        return View(
            folder=Path(self.collection.root).name,
            layout=self.layout,
            session=self.session,
            counts=self.counts,
            messages=self.guard.messages,
            acknowledged=self.on_screen,
            keymap=keymap,
            sheet=sheet,
            prompt=prompt,
            rate=self._rate(),
            thumbs=self._thumbs,
            within=self._folder_progress.of(self.session),
        )

    def picture(self, view: View) -> Image:
        """Return the page as a picture of its own."""
        return page_picture(view, self.view_state, self.prefetch)

    def _rate(self) -> float | None:
        """Return decisions an hour, as soon as there are enough of them."""
        if self._started is None or self._decided < _ENOUGH_FOR_A_RATE:
            return None
        return self._decided / max(1.0, self._loop.time() - self._started) * 3600

    @property
    def counts(self) -> "Counts":
        """How far the review has come: counted from the session, asking no database."""
        settled, counts = self._tallied
        if settled is not self.session.settled:
            counts = tallied(self.session, counts)
            self._tallied = (self.session.settled, counts)
        return counts

    @property
    def defer(self) -> bool:
        """Whether decisions are only queued."""
        return self._decisions.defers

    @property
    def idle(self) -> bool:
        """Whether the page is on the screen and nothing is being read, written or restored."""
        pending = self._decisions.thread.pending or self._side_thread.pending
        return self.on_screen and not pending and not self.session.restoring

    # --- browsers

    def _client_came(self) -> None:
        self._reader.start()
        # Whatever was on a screen may be gone: nothing is taken until it is acknowledged again.
        self.page_display.reset()
        self._replay_after(_CLIENT_PATIENCE)

    def _client_complete(self) -> None:
        self._replay_after(0)

    def _measured(self, width: int) -> None:
        """Draw anew with as many pixels as the screen has."""
        if not self.closed and self.canvases.rescale(width):
            self.page_display.reset()
            self.follow()

    def _replay_after(self, seconds: float) -> None:
        if self._replay_due is not None:
            self._replay_due.cancel()
        self._replay_due = self._loop.call_later(seconds, self.guard.watch(self._replay))

    def _replay(self) -> None:
        self._replay_due = None
        if self.closed:
            return
        first, self.present = not self.present, True
        if first:
            self._run = self.collection.begin_run("review")
        self.page_display.reset()
        self._unfocused = True
        self.follow()
        if first and not self.defer:
            self._decisions.start()
            self._take_up_waiting()

    # --- moves

    def take(self, move: Move) -> None:
        """Make a move of the reviewer's, on a page that is on the screen."""
        if self.guard.stopped or self.closed:
            return
        if not self.on_screen:
            self.guard.note(_STILL_LOADING)
            return
        self._advance(move)

    def _advance(self, move: Move) -> None:
        step = advance(self.session, move)
        decisions = tuple(map(self._stamped, step.rulings))
        if decisions:
            self.collection.decide(decisions)  # durable before anything shows it as decided
            self._ids.update((decision.path, decision.id) for decision in decisions)
            self._keep_thumbs(decisions)
            self._decisions.thread.stand_back()
        self.session = step.session
        self._carry_out(decisions, step.undone)
        self.follow()

    def _keep_thumbs(self, decisions: tuple[Decision, ...]) -> None:
        for decision in decisions:
            arrival = self.prefetch.get(decision.path)
            if isinstance(arrival, Arrival):
                self._thumbs[decision.path] = arrival.thumb
        while len(self._thumbs) > _THUMBS:
            self._thumbs.pop(next(iter(self._thumbs)))

    def _stamped(self, ruling: DraftDecision) -> Decision:
        now = self._clock()
        return Decision(
            ruling.path,
            ruling.sha256,
            ruling.size,
            ruling.verdict,
            ruling.box,
            self.collection.reviewer,
            self.collection.session,
            shown_at=self.page_display.shown_at.get(ruling.path, now),
            decided_at=now,
            suggestion=ruling.suggestion,
        )

    def follow(self) -> None:
        """Let the screen follow the session."""
        if self.closed or not self.present or self._replay_due is not None:
            return  # nobody to draw for, or a page whose canvases are not all there
        for move in self.page_display.arrivals(self.session):
            self.session = advance(self.session, move).session
        self.view_state.follow(self.session)
        self.page_display.show(self.session, self.follow)
        self.page_display.draw_boxes(lambda: self.session)
        if self.on_screen:
            self._decisions.thread.go_on()
            self._came_on_screen()
        self._remember_place()
        if self.session.ended and not self._at_the_end:
            self._decisions.thread.submit("", self.collection.counts, self._recount)
        self._at_the_end = self.session.ended
        self.changed()

    def _came_on_screen(self) -> None:
        new = self.page_display.shown_at.keys() - self._seen
        if new:
            self._seen |= new
            self.store.shown(len(new))
            self._degraded.check()
        if self._started is None:
            self._started = self._loop.time()
            self._confidence_scan.begin(
                self.session.listing, lambda unsure: self._advance(ConfidenceScanned(unsure))
            )
        if self._unfocused:
            self._unfocused = False
            self.canvas.focus()
            # JupyterLab takes the focus for a cell when it has opened a notebook
            self._loop.call_later(_FOCUS_AGAIN, self.guard.watch(self._focus))

    def _focus(self) -> None:
        if not self.closed:
            self.canvas.focus()

    def _recount(self, counts: "Counts") -> None:
        """Take over what only the trail knows: how often something was degraded."""
        self._tallied = (None, replace(self.counts, degraded=counts.degraded))
        self.changed()

    def _remember_place(self) -> None:
        if self.session.page != self._placed and self.session.entries:
            self._placed = self.session.page
            path = self.session.entries[0].path
            self._side_thread.submit(path, lambda: self._arrive_at(path), self._introduce)

    def _arrive_at(self, path: str) -> list[str]:
        self.store.remember_place(path)
        return self._other_reviews.newcomers()

    def _introduce(self, newcomers: list[str]) -> None:
        for sentence in newcomers:
            self.guard.problem(sentence)

    # --- the worker

    def _carry_out(self, decisions: tuple[Decision, ...], undone: str | None) -> None:
        if decisions:
            self._decided += len(decisions)
            for callback in self._on_submit:
                self.guard.watch(callback)(decisions)
        for decision in decisions:
            self._apply(decision.path, decision.id)
        if undone is not None:
            self._retract(undone)

    def _take_up_waiting(self) -> None:
        """Carry out what an earlier kernel left undone."""
        for path, settled in self.session.settled.items():
            if settled.status is Status.WAITING and path in self._ids:
                self._apply(path, self._ids[path])

    def _apply(self, path: str, decision: str) -> None:
        self._decisions.apply(path, decision, partial(self._applied, path))

    def _retract(self, path: str) -> None:
        self._decisions.retract(path, self._ids[path], partial(self._restored, path))

    def _applied(self, path: str, result: CropResult) -> None:
        if result.status is Status.STALE:
            self.page_display.forget(path)
        if not result.ok:
            self.guard.problem(result.message or str(result.code), path)
        self._advance(Applied(path, result.status, result.message or ""))

    def _restored(self, path: str, result: CropResult) -> None:
        self.page_display.forget(path)
        if not result.ok:
            self.guard.problem(result.message or str(result.code), path)
        self._advance(Restored(path) if result.ok else RestoreFailed(path))
        for callback in self._on_undo:
            self.guard.watch(callback)(result)

    def close(self) -> None:
        """Finish what is being written; what waits is durable and taken up by the next review."""
        self.closed = True
        self._degraded.stop_listening()
        self.prefetch.close()
        self._decisions.close()
        self._side_thread.close()
        self.canvases.retire(self._loop, seen=self.present)
        if self._run is not None:
            self._run.end()


def _stage_size(layout: PageLayout) -> tuple[float, float]:
    stage = layout.stage(0)
    return stage.width, stage.height
