"""The reviewer's desk: turns events into moves, and carries out what follows from them.

All of it runs in the kernel's main thread, except reading ahead (`Previews`) and carrying out
decisions, which one worker thread does in the order in which they were made.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from cropkit.editing import Grip
from cropkit.geometry import PixelBox, Size
from cropkit.records import CropResult, Decision, Status
from cropkit.review.guard import Guard
from cropkit.review.keys import Binding, Command, look_up
from cropkit.review.layout import Kind, PageLayout, Viewport, grip_under
from cropkit.review.loop import Loop, Timer
from cropkit.review.pages import Pages
from cropkit.review.previews import Previews
from cropkit.review.rhythm import WATCH, Beat, Rhythm
from cropkit.review.surface import SCALE, Surface
from cropkit.session import (
    FAILED,
    Applied,
    Choose,
    Decide,
    Drag,
    Move,
    Open,
    Restored,
    RestoreFailed,
    Ruling,
    Session,
    Settled,
    advance,
    begin,
)

if TYPE_CHECKING:
    from cropkit.kit import Counts, Kit

T = TypeVar("T")
_CLIENT_QUIET = 0.1  # a browser page announces its canvases one by one
_STILL_LOADING = "Not taken: the page is not on the screen yet"


@dataclass(frozen=True, slots=True)
class Hold:
    """What the hand has hold of, where it took it, and the box as it was then."""

    position: int
    grip: Grip
    x: float
    y: float
    origin: PixelBox


class Desk:
    """Holds the session and everything that serves it; knows no HTML."""

    def __init__(
        self,
        kit: "Kit",
        per_page: int,
        loop: Loop,
        clock: Callable[[], datetime],
        changed: Callable[[], None],
        *,
        defer: bool,
    ) -> None:
        self.kit, self.defer, self._loop, self._clock = kit, defer, loop, clock
        self._changed = changed
        self.guard = Guard(kit, changed)
        self.layout = PageLayout(per_page)
        self.session, self._ids = _resumed(kit, per_page)
        self._tallied: tuple[object, Counts] = (None, kit.counts())
        self.surface = Surface(self.layout, self.guard.watch)
        fit = Size(*(round(n * SCALE) for n in _stage_size(self.layout)))
        arrived = self.guard.watch(lambda _: self._follow())
        self.previews = Previews(kit, fit, loop, arrived, self.guard.caught)
        self.pages = Pages(self.surface, self.previews, loop, self.guard, clock)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="cropkit-apply")
        self._rhythm = Rhythm()
        self._watched: tuple[Binding, Timer] | None = None
        self._hold: Hold | None = None
        self._client: Timer | None = None
        self._placed: int | None = None
        self.sheet = self.present = self.closed = False
        self._at_the_end = False
        self.made = 0
        self.started: float | None = None
        self.submitted: list[Callable[[tuple[Decision, ...]], object]] = []
        self.undone: list[Callable[[CropResult], object]] = []
        self._listen()

    @property
    def counts(self) -> "Counts":
        """How far the review has come: counted from the session, asking no database."""
        settled, counts = self._tallied
        if settled is not self.session.settled:
            counts = tallied(self.session, counts)
            self._tallied = (self.session.settled, counts)
        return counts

    # --- browsers

    def _listen(self) -> None:
        canvas, watch = self.surface.canvas, self.guard.watch
        self.surface.on_client(watch(self._client_came))
        canvas.on_key_down(watch(self.key))
        canvas.on_mouse_down(watch(self.press))
        canvas.on_mouse_move(watch(self.drag))
        canvas.on_mouse_up(watch(self.release))
        canvas.on_mouse_out(watch(self.release))

    def _client_came(self) -> None:
        # Whatever was on a screen may be gone: nothing is taken until it is acknowledged again.
        self.pages.reset()
        self._hold = None
        if self._client is not None:
            self._client.cancel()
        self._client = self._loop.call_later(_CLIENT_QUIET, self.guard.watch(self._replay))

    def _replay(self) -> None:
        self._client = None
        if self.closed:
            return
        first, self.present = not self.present, True
        self.pages.reset()
        self._follow()
        self.surface.canvas.focus()
        if first and not self.defer:
            self._take_up_waiting()

    # --- keys

    def key(self, key: str, shift: bool, ctrl: bool, meta: bool) -> None:  # noqa: FBT001  (ipycanvas)
        """Take a key as the browser names it."""
        binding = look_up(key, shift=shift, ctrl=ctrl, meta=meta)
        if binding is None or self.guard.stopped:
            return
        self._rhythm, beat = self._rhythm.heard(binding.label, binding.pace, self._loop.time())
        self._settle_watched(binding)
        if beat is Beat.WATCH:
            timer = self._loop.call_later(WATCH, self.guard.watch(self._take_watched))
            self._watched = (binding, timer)
        elif beat is Beat.TAKE:
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
        if self.guard.messages.note:
            self.guard.note("")
        if isinstance(binding.does, Command):
            _COMMANDS[binding.does](self)
        elif self.sheet:
            self._toggle_sheet()
        else:
            self.take(binding.does)

    def _toggle_sheet(self) -> None:
        self.sheet = not self.sheet
        self._changed()

    def _acknowledge(self) -> None:
        self.guard.acknowledge()

    def _let_go(self) -> None:
        if self.sheet:
            self._toggle_sheet()
        else:
            self.surface.canvas.blur()

    # --- the mouse

    def press(self, x: float, y: float) -> None:
        """Take what is under the pointer."""
        at = (x / SCALE, y / SCALE)
        target = self.layout.target(*at)
        self._hold = None
        if target is None or self.guard.stopped:
            return
        if self.sheet or target.kind is Kind.HELP:
            self._toggle_sheet()
        elif target.kind is Kind.ACKNOWLEDGE:
            self._acknowledge()
        elif target.position is not None and target.position < len(self.session.entries):
            self._press_image(target.kind, target.position, *at)

    def _press_image(self, kind: Kind, position: int, x: float, y: float) -> None:
        self.take(Choose(position))
        if kind is Kind.CHIP:
            self.take(Decide(position))
            return
        entry = self.session.entries[position]
        if self.pages.acknowledged(self.session) and isinstance(entry, Open):
            view = Viewport(self.layout.stage(position), entry.size)
            grip = grip_under(view, entry.box, x, y)
            if grip is not None:
                self._hold = Hold(position, grip, *view.to_image(x, y), entry.box)

    def drag(self, x: float, y: float) -> None:
        """Follow the pointer with what is held."""
        hold = self._hold
        if hold is None or self.guard.stopped:
            return
        entry = self.session.entries[hold.position]
        if not isinstance(entry, Open):
            self._hold = None
            return
        view = Viewport(self.layout.stage(hold.position), entry.size)
        at_x, at_y = view.to_image(x / SCALE, y / SCALE)
        by = (at_x - hold.x, at_y - hold.y)
        self.take(Drag(hold.position, hold.grip, hold.origin, *by))

    def release(self, x: float, y: float) -> None:
        """Let go, where the pointer is now."""
        self.drag(x, y)
        self._hold = None

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
            self.kit.decide(decisions)  # durable before anything shows it as decided
            self._ids.update((decision.path, decision.id) for decision in decisions)
        self.session = step.session
        self._carry_out(decisions, step.undone)
        self._follow()

    def _stamped(self, ruling: Ruling) -> Decision:
        now = self._clock()
        return Decision(
            ruling.path,
            ruling.sha256,
            ruling.size,
            ruling.verdict,
            ruling.box,
            self.kit.reviewer,
            self.kit.session,
            shown_at=self.pages.shown_at.get(ruling.path, now),
            decided_at=now,
            suggestion=ruling.suggestion,
        )

    def _follow(self) -> None:
        """Let the screen follow the session."""
        if self.closed or not self.present:
            return
        for move in self.pages.arrivals(self.session):
            self.session = advance(self.session, move).session
        self.pages.show(self.session, self._follow)
        self.pages.draw_boxes(lambda: self.session)
        if self.pages.acknowledged(self.session) and self.started is None:
            self.started = self._loop.time()
        self._remember_place()
        if self.session.ended and not self._at_the_end:
            self._submit("", self.kit.counts, self._recount)
        self._at_the_end = self.session.ended
        self._changed()

    def _recount(self, counts: "Counts") -> None:
        """Take over what only the trail knows: how often something was degraded."""
        self._tallied = (None, replace(self.counts, degraded=counts.degraded))
        self._changed()

    def _remember_place(self) -> None:
        if self.session.page != self._placed and self.session.entries:
            self._placed = self.session.page
            path = self.session.entries[0].path
            self._submit(path, lambda: self.kit.remember_place(path), lambda _: None)

    # --- the worker

    def _carry_out(self, decisions: tuple[Decision, ...], undone: str | None) -> None:
        if decisions:
            self.made += len(decisions)
            for callback in self.submitted:
                self.guard.watch(callback)(decisions)
        for decision in () if self.defer else decisions:
            self._apply(decision.path, decision.id)
        if undone is not None:
            self._retract(undone)

    def _take_up_waiting(self) -> None:
        """Carry out what an earlier kernel left undone."""
        for path, settled in self.session.settled.items():
            if settled.status is Status.WAITING and path in self._ids:
                self._apply(path, self._ids[path])

    def _apply(self, path: str, decision: str) -> None:
        self._submit(path, lambda: self.kit.apply(decision), lambda r: self._applied(path, r))

    def _retract(self, path: str) -> None:
        decision = self._ids[path]
        self._submit(path, lambda: self.kit.retract(decision), lambda r: self._restored(path, r))

    def _submit(self, path: str, work: Callable[[], T], then: Callable[[T], None]) -> None:
        def arrived(future: Future[T]) -> None:
            if self.closed:
                return
            error = future.exception()
            if error is not None:
                self.guard.caught(error, path)
                return
            then(future.result())

        def post(future: Future[T]) -> None:
            if not future.cancelled() and not self.closed:
                self._loop.call_soon_threadsafe(self.guard.watch(arrived, path), future)

        self._worker.submit(work).add_done_callback(post)

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
        self.previews.close()
        self._worker.shutdown(wait=True, cancel_futures=True)
        self.surface.retire(self._loop, seen=self.present)


_COMMANDS: dict[Command, Callable[[Desk], None]] = {
    Command.SHEET: Desk._toggle_sheet,  # noqa: SLF001
    Command.ACKNOWLEDGE: Desk._acknowledge,  # noqa: SLF001
    Command.RELEASE: Desk._let_go,  # noqa: SLF001
}


def tallied(session: Session, counts: "Counts") -> "Counts":
    """Count the session's outcomes; what it does not know stays as it was."""
    by = Counter(settled.status for settled in session.settled.values())
    failed = sum(by[status] for status in FAILED)
    return replace(
        counts,
        total=session.total,
        decided=session.decided - failed,
        written=by[Status.CROPPED],
        waiting=by[Status.WAITING],
        failed=failed,
        rejected=by[Status.REJECTED],
        skipped=by[Status.SKIPPED],
    )


def _resumed(kit: "Kit", per_page: int) -> tuple[Session, dict[str, str]]:
    standing = kit.standing()
    settled = {
        path: Settled(s.verdict, s.status, s.box, s.message or "")
        for path, s in standing.items()
        if s.status not in (Status.STALE, Status.RESTORED)
    }
    undo = tuple(s.path for s in kit.undo_stack() if s.path in settled)
    session = begin(kit.images(), per_page, settled, undo, kit.place())
    return session, {path: s.decision for path, s in standing.items()}


def _stage_size(layout: PageLayout) -> tuple[float, float]:
    stage = layout.stage(0)
    return stage.width, stage.height
