"""The reviewer's desk: holds the session, makes moves and carries out what follows from them.

All of it runs in the kernel's main thread, except reading ahead (`Prefetch`) and carrying out
decisions (`BackgroundThread`).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from cropkit.geometry import Size
from cropkit.monitor.health import Alert, degraded_alert
from cropkit.monitor.reporting import tell
from cropkit.records import CropResult, Decision, Problem, Status
from cropkit.review.canvas.canvases import Canvases
from cropkit.review.canvas.page_display import PageDisplay
from cropkit.review.canvas.pen import SCALE
from cropkit.review.model import (
    Applied,
    Arrangement,
    ConfidenceScanned,
    DraftDecision,
    Move,
    Restored,
    RestoreFailed,
    advance,
)
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.progress import FolderProgress, resumed, tallied
from cropkit.review.runtime.appliers import Workers
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.confidence_scan import ConfidenceScan
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop, Timer
from cropkit.review.runtime.other_reviews import OtherReviews
from cropkit.review.runtime.prefetch import Arrival, Prefetch
from cropkit.review.view.layout import PageLayout
from cropkit.review.view.view_state import ViewState, layouts
from cropkit.suggest import UNUSABLE
from cropkit.workers.applier import DIED

if TYPE_CHECKING:
    from cropkit.audit.run import Run
    from cropkit.collection import Collection, Counts

_THUMBS = 200  # a few KB each
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
        self._within, self._company = FolderProgress(), OtherReviews(collection)
        self.thumbs: dict[str, bytes] = {}
        self._applier, self._reader = workers
        self.changed = changed
        self.guard = Guard(collection, changed, loop)
        self.sight = ViewState(per_page)
        self.session, self._ids = resumed(collection, per_page, minimum)
        self._tallied: tuple[object, Counts] = (None, collection.counts())
        every = layouts(per_page)
        page, grid = every[Arrangement.PAGE], every[Arrangement.GRID]
        self.surface = Canvases(page, grid, self.guard.watch)
        fit = Size(*(round(n * SCALE) for n in _stage_size(page)))
        arrived = self.guard.watch(lambda _: self.follow())
        self.previews = Prefetch(
            collection, fit, loop, arrived, self.guard.caught, reader=workers.reader
        )
        self.pages = PageDisplay(
            self.surface, self.sight, self.previews, loop, self.guard, clock=clock
        )
        self._worker = BackgroundThread(loop, self.guard)
        self._client: Timer | None = None
        self._run: Run | None = None
        self._placed: int | None = None
        self.present = self.closed = self._unfocused = False
        self._at_the_end = False
        self.made = 0
        self.started: float | None = None
        self._seen: set[str] = set()
        self._alerted = False
        self._aside = BackgroundThread(
            loop, self.guard
        )  # what keeps no crop waiting, nor waits for one
        self._survey = ConfidenceScan(collection, self._aside, loop, self.guard, min_confidence)
        self.submitted: list[Callable[[tuple[Decision, ...]], object]] = []
        self.undone: list[Callable[[CropResult], object]] = []
        self._deaf = collection.listen(self._told)
        for folder in collection.unread:
            self.guard.problem(
                f"not shown: the folder cannot be read ({folder.reason})", folder.path
            )
        watch = self.guard.watch
        self.surface.on_client(watch(self._client_came), watch(self._client_complete))
        self.surface.front.on_pixels(self._measured, watch)

    @property
    def layout(self) -> PageLayout:
        """Where everything is, in the arrangement at hand."""
        return self.sight.layout

    @property
    def counts(self) -> "Counts":
        """How far the review has come: counted from the session, asking no database."""
        settled, counts = self._tallied
        if settled is not self.session.settled:
            counts = tallied(self.session, counts)
            self._tallied = (self.session.settled, counts)
        return counts

    @property
    def within(self) -> tuple[int, int]:
        """How many images of the folder at hand are decided, and how many it has."""
        return self._within.of(self.session)

    @property
    def defer(self) -> bool:
        """Whether decisions are only queued."""
        return self._applier is None

    @property
    def idle(self) -> bool:
        """Whether the page is on the screen and nothing is being read, written or restored."""
        shown = self.pages.acknowledged(self.session)
        pending = self._worker.pending or self._aside.pending
        return shown and not pending and not self.session.restoring

    def _told(self, problem: Problem) -> None:
        """Show what a thread reports; what has no suggestion at all says so in its caption."""
        if problem.kind in (UNUSABLE, DIED):
            show = self.guard.watch(self.guard.problem)
            self._loop.call_soon_threadsafe(show, problem.reason, problem.path)
        self._loop.call_soon_threadsafe(self.guard.watch(self._watch_rate))

    def _watch_rate(self) -> None:
        """Tell at once, here and wherever alerts go, when too much of the session is degraded."""
        root, session = self.collection.root, self.collection.session
        alert = degraded_alert(str(root), session, "review", self.collection.tally)
        if alert is None or self._alerted:
            return
        self._alerted = True
        self.guard.alert(str(alert))
        self._aside.submit("", lambda: tell(root, [alert]), self._not_delivered)

    def _not_delivered(self, failed: list[Alert]) -> None:
        for alert in failed:
            self.guard.alert(str(alert))

    # --- browsers

    def _client_came(self) -> None:
        self._reader.start()
        # Whatever was on a screen may be gone: nothing is taken until it is acknowledged again.
        self.pages.reset()
        self._replay_after(_CLIENT_PATIENCE)

    def _client_complete(self) -> None:
        self._replay_after(0)

    def _measured(self, width: int) -> None:
        """Draw anew with as many pixels as the screen has."""
        if not self.closed and self.surface.rescale(width):
            self.pages.reset()
            self.follow()

    def _replay_after(self, seconds: float) -> None:
        if self._client is not None:
            self._client.cancel()
        self._client = self._loop.call_later(seconds, self.guard.watch(self._replay))

    def _replay(self) -> None:
        self._client = None
        if self.closed:
            return
        first, self.present = not self.present, True
        if first:
            self._run = self.collection.begin_run("review")
        self.pages.reset()
        self._unfocused = True
        self.follow()
        if first and self._applier is not None:
            self._worker.submit("", self._applier.start, lambda _: None)
            self._take_up_waiting()

    # --- moves

    def take(self, move: Move) -> None:
        """Make a move of the reviewer's, on a page that is on the screen."""
        if self.guard.stopped or self.closed:
            return
        if not self.pages.acknowledged(self.session):
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
            self._worker.stand_back()
        self.session = step.session
        self._carry_out(decisions, step.undone)
        self.follow()

    def _keep_thumbs(self, decisions: tuple[Decision, ...]) -> None:
        for decision in decisions:
            arrival = self.previews.get(decision.path)
            if isinstance(arrival, Arrival):
                self.thumbs[decision.path] = arrival.thumb
        while len(self.thumbs) > _THUMBS:
            self.thumbs.pop(next(iter(self.thumbs)))

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
            shown_at=self.pages.shown_at.get(ruling.path, now),
            decided_at=now,
            suggestion=ruling.suggestion,
        )

    def lift(self, position: int | None = None, path: str = "", grip: Grip = Grip.WHOLE) -> None:
        """Lay the loupe on what a hand holds, and leave the box to the browser if it draws it."""
        magnified = self.sight.hold(path, grip)
        if self.pages.lift(position) or magnified:
            self.follow()

    def cover(self, *, covered: bool) -> None:
        """Say whether words lie over the page, so that a hand takes hold of nothing."""
        self.pages.covered = covered
        self.follow()
        self.changed()

    def follow(self) -> None:
        """Let the screen follow the session."""
        if self.closed or not self.present or self._client is not None:
            return  # nobody to draw for, or a page whose canvases are not all there
        for move in self.pages.arrivals(self.session):
            self.session = advance(self.session, move).session
        self.sight.follow(self.session)
        self.pages.show(self.session, self.follow)
        self.pages.draw_boxes(lambda: self.session)
        if self.pages.acknowledged(self.session):
            self._worker.go_on()
            self._on_screen()
        self._remember_place()
        if self.session.ended and not self._at_the_end:
            self._worker.submit("", self.collection.counts, self._recount)
        self._at_the_end = self.session.ended
        self.changed()

    def _on_screen(self) -> None:
        new = self.pages.shown_at.keys() - self._seen
        if new:
            self._seen |= new
            self.collection.shown(len(new))
            self._watch_rate()
        if self.started is None:
            self.started = self._loop.time()
            self._survey.begin(
                self.session.listing, lambda found: self._advance(ConfidenceScanned(found))
            )
        if self._unfocused:
            self._unfocused = False
            self.surface.canvas.focus()
            # JupyterLab takes the focus for a cell when it has opened a notebook
            self._loop.call_later(_FOCUS_AGAIN, self.guard.watch(self._focus))

    def _focus(self) -> None:
        if not self.closed:
            self.surface.canvas.focus()

    def _recount(self, counts: "Counts") -> None:
        """Take over what only the trail knows: how often something was degraded."""
        self._tallied = (None, replace(self.counts, degraded=counts.degraded))
        self.changed()

    def _remember_place(self) -> None:
        if self.session.page != self._placed and self.session.entries:
            self._placed = self.session.page
            path = self.session.entries[0].path
            self._aside.submit(path, lambda: self._arrive_at(path), self._introduce)

    def _arrive_at(self, path: str) -> list[str]:
        self.collection.remember_place(path)
        return self._company.newcomers()

    def _introduce(self, newcomers: list[str]) -> None:
        for said in newcomers:
            self.guard.problem(said)

    # --- the worker

    def _carry_out(self, decisions: tuple[Decision, ...], undone: str | None) -> None:
        if decisions:
            self.made += len(decisions)
            for callback in self.submitted:
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
        applier = self._applier
        if applier is not None:
            self._worker.submit(
                path, lambda: applier.apply(decision), lambda r: self._applied(path, r)
            )

    def _retract(self, path: str) -> None:
        decision, applier = self._ids[path], self._applier or self.collection
        self._worker.submit(
            path, lambda: applier.retract(decision), lambda r: self._restored(path, r)
        )

    def _applied(self, path: str, result: CropResult) -> None:
        if result.status is Status.STALE:
            self.pages.forget(path)
        if not result.ok:
            self.guard.problem(result.message or str(result.code), path)
        self._advance(Applied(path, result.status, result.message or ""))

    def _restored(self, path: str, result: CropResult) -> None:
        self.pages.forget(path)
        if not result.ok:
            self.guard.problem(result.message or str(result.code), path)
        self._advance(Restored(path) if result.ok else RestoreFailed(path))
        for callback in self.undone:
            self.guard.watch(callback)(result)

    def close(self) -> None:
        """Finish what is being written; what waits is durable and taken up by the next review."""
        self.closed = True
        self._deaf()
        self.previews.close()
        self._worker.close()
        self._aside.close()
        if self._applier is not None:
            self._applier.close()
        self.surface.retire(self._loop, seen=self.present)
        if self._run is not None:
            self._run.end()


def _stage_size(layout: PageLayout) -> tuple[float, float]:
    stage = layout.stage(0)
    return stage.width, stage.height
