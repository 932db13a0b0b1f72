"""Hold the session, make moves and carry out what follows from them.

Who calls whom
--------------
`input` turns keys, pointer and wheel into moves and hands them to `take`; `widget` shows what
`view` returns. Of the parts they know two: `screen`, which is how the page is seen, and `guard`,
which is what is said. A move goes this way:

1. `take` refuses it while the page is not on the screen, or after an audit error.
2. `advance` of `model`, which is pure, returns the next session and what is decided by the move.
3. Decisions become durable (`decide_as_seen`) *before* the session has them: what a person has read
   as decided survives the kernel, and replaces nothing that they did not know of. The pictures of
   the page that follows are drawn meanwhile (`_ahead`); until it is durable nothing more is taken
   and nothing carried out, and where it cannot be, the page comes back (`Recording`).
4. They are handed to the `BackgroundApplier`; its outcome comes back as a move (`Applied`,
   `Restored`) and goes the same way, but for the check of step 1.
5. `follow` lets the screen follow: arrivals become moves, `Screen` draws, and `changed` has the
   words written anew. It is called after everything that may look different, and draws
   only what does.

In which thread
---------------
Everything of this class runs in one thread, the kernel's main thread, where alone it is safe to
draw: `Guard.watch` brings callbacks there, whichever thread a browser's message came in, and shows,
logs and counts what they raise. Beside it work:

- `Prefetch`, two threads that read images ahead (with processes of their own where there are);
- the thread of `BackgroundApplier`: decisions one after the other, in their order. It stands back
  for a moment after each decision, so that the next page is drawn first;
- `BackgroundListing`: the images of a large collection, a chunk at a time, which come as moves
  (`Listed`) while the first pages are looked at;
- the thread of `Levelling`: by which angle the images of the page are level, from their pictures;
- the thread of `Recording`: a press's decisions, while the page behind them is drawn;
- `_side_thread`: what keeps no crop waiting and waits for none: the place that is remembered, the
  other reviews, the scan of confidences, alerts that are sent.

None of them touches the session: each hands its outcome back with `call_soon_threadsafe`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cropkit.engine.executor import degraded
from cropkit.errors import IllegalMove, NoImages, NothingToUndo
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, Decision, Problem, ProblemKind, Status
from cropkit.review.keys.keymap import Keymap
from cropkit.review.keys.prompt import Prompt
from cropkit.review.model import (
    Applied,
    Choose,
    DecidePage,
    DraftDecision,
    Drag,
    FitGrid,
    ListingFailed,
    Mark,
    Move,
    NotesKnown,
    Nudge,
    Redo,
    Resize,
    Restored,
    RestoreFailed,
    ReviewState,
    Stay,
    Step,
    ToggleMark,
    Undo,
    advance,
)
from cropkit.review.model.decided import Cut
from cropkit.review.model.messages import NOT_CROPPED, NOT_RESTORED, WORSE
from cropkit.review.model.progress import SessionCounts, within
from cropkit.review.model.remembering import as_left, page_size, way
from cropkit.review.model.slots import image_of, keyed, named, slot_of
from cropkit.review.model.transforms import name_of
from cropkit.review.runtime.appliers import Workers
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.background_applier import BackgroundApplier
from cropkit.review.runtime.background_listing import BackgroundListing
from cropkit.review.runtime.confidence_scan import ConfidenceScan
from cropkit.review.runtime.degraded_watch import DegradedWatch
from cropkit.review.runtime.elsewhere_watch import ElsewhereWatch
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.image_stream import Chunk, crop_of
from cropkit.review.runtime.learning import Learning, NotLearning
from cropkit.review.runtime.levelling import Levelling
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.next_folder import next_folder
from cropkit.review.runtime.other_reviews import OtherReviews
from cropkit.review.runtime.pace import Pace
from cropkit.review.runtime.page_leases import PageLeases
from cropkit.review.runtime.plan_watch import PlanWatch
from cropkit.review.runtime.preferences import Preferences
from cropkit.review.runtime.prefetch import Prefetch
from cropkit.review.runtime.queued_enter import STILL_LOADING, QueuedEnter
from cropkit.review.runtime.recording import Overtaken, Recording
from cropkit.review.runtime.remembering import Chosen, Remembering
from cropkit.review.runtime.review_store import Resumed, ReviewStore
from cropkit.review.runtime.second_attempts import SecondAttempts
from cropkit.review.screen import Screen, stage_fit
from cropkit.review.view.hints import ACCEPT, DRAG, HINTS, UNDO
from cropkit.review.view.view_model import View
from cropkit.suggest.suggested import told_of
from cropkit.system.home import rejected

if TYPE_CHECKING:
    from cropkit.audit.run import Run
    from cropkit.collection import Collection, Counts

_BUTTONS = "buttons"
_Submitted = Callable[[tuple[Decision, ...]], object]
_Undone = Callable[[CropResult], object]
_COUNT_SHOWN_AGAIN = 0.25  # seconds, while images are being listed
_FOR_THE_WHOLE = "that is for the whole collection, and this is a review of a part of it"
_NAMED = 3
_A_PAGE = 3  # images, where nobody has chosen
_MEANWHILE = "{}: {} has {} it meanwhile, and nothing more was done"
_NOT_MEANT = "Not taken: what it was pressed after was not recorded"
_NOTHING_ELSE: tuple[Path | None, int] = (None, 0)
_WITHOUT_LOOKING = (Undo, Redo)  # it decides nothing that was not seen


class ReviewController:
    """Holds the session and everything that serves it; knows no HTML."""

    _begun = False  # whether a browser has come: there is nothing to see before that

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
        around: Mapping[str, Mapping[str, Any]] | None = None,
        learn: bool = False,
        vision: bool = False,
    ) -> None:
        self.collection, self._loop, self._clock = collection, loop, clock
        self._other_reviews, self._say = OtherReviews(collection), changed
        self.guard, self.store = Guard(collection, self.changed, loop), ReviewStore(collection)
        self._recording = Recording(loop, self.guard, apart=workers.apart)
        self._remembering = Remembering(collection.scope.folder, loop, self.guard)
        self._own, here = self._remembering.read()
        self._asked_for = per_page = per_page or self._remembered_page()
        resumed = self.store.resumed(per_page, minimum, around)
        self.session, self._ids, self._waiting = resumed.session, resumed.ids, [*resumed.waiting]
        self._counts = SessionCounts(self.store.counts())
        arrived = self.guard.watch(lambda _: self.follow())
        self.learning = self._learning(vision=vision) if learn else NotLearning()
        self.prefetch = Prefetch(
            *(collection, stage_fit(per_page), loop, arrived, self.guard.caught),
            reader=workers.reader,
            see=self.learning.see,
            where=self._where,
        )
        self.screen = self._screen_of(per_page)
        self._decisions = BackgroundApplier(collection, workers.applier, loop, self.guard)
        self._second_attempts = SecondAttempts(loop, self.guard, self._carry_out_waiting)
        self._run: Run | None = None
        self._placed: int | None = None
        self._at_the_end = self.closed = False
        self._pace, self._enter = Pace(loop.time), QueuedEnter()
        self._next_folder, self._outside = _NOTHING_ELSE
        self._not_lossless, self._without_credentials = set[str](), set[str]()
        self._side_thread = BackgroundThread("cropkit-side", loop, self.guard)  # no crop waits
        self._preferences = Preferences(self._side_thread, self.guard)
        self.levelling = self._levelling_here()
        self.screen.put_buttons(shown=self._preferences.is_chosen(_BUTTONS))
        beside = (self.store, self._side_thread, loop, self.guard)
        self._confidence_scan = ConfidenceScan(*beside, min_confidence)
        self._elsewhere = ElsewhereWatch(*beside, self._hear_elsewhere)
        self._leases = self._leasing()
        self._plan = PlanWatch(*beside, self._advance)
        self._on_submit: list[_Submitted] = [self.learning.decided, self._plan.decided]
        self._on_undo: list[_Undone] = [self.learning.undone, self._plan.undone]
        self._degraded = DegradedWatch(collection, self._side_thread, loop, self.guard)
        self._begin_as_left(here)
        self._tell_of_unread(resumed.problems)
        self._left_at, self._told_at = self.session.resuming, loop.time()
        self._waiting_elsewhere, self._noting = list[str](), tuple[str, ...]()
        self._listing = self._listing_on(resumed)
        self._listing.go_on()

    def _remembered_page(self) -> int:
        """Return how many images a page has where nobody asks for a number."""
        try:
            return page_size(self._own.get("per_page"), _A_PAGE)
        except ValueError as error:
            self._remembering.refuse(error)
            return _A_PAGE

    def _begin_as_left(self, here: Mapping[str, Any]) -> None:
        """Look at the collection as this person did last."""
        view_state = self.screen.view_state
        try:
            self.session = as_left(self.session, here, self.store.place())
            view_state.follow(self.session)
            view_state.choose(self._own, here.get("zooms", {}))
        except (ValueError, AttributeError, TypeError) as error:
            self._remembering.refuse(error)
        self._remembering.begin(self._chosen(), self._side_thread)

    def _chosen(self) -> Chosen:
        """Return what is remembered of how images are looked at."""
        view_state, usual = self.screen.view_state, self.session.usual
        per_page = self._own.get("per_page") if usual == self._asked_for else usual
        own = view_state.chosen() | ({} if per_page is None else {"per_page": per_page})
        return Chosen(own, way(self.session) | {"zooms": view_state.zooms()})

    def _screen_of(self, per_page: int) -> Screen:
        return Screen(
            *(per_page, self.prefetch, self._loop, self.guard),
            clock=self._clock,
            session=lambda: self._drawn,
            follow=self.follow,
            opened=self._opened,
            has_room=lambda images: self._advance(FitGrid(images)),
        )

    def _levelling_here(self) -> Levelling:
        return Levelling(
            *(self.prefetch, self._loop, self.guard),
            session=lambda: self._drawn,
            changed=self.changed,
            take=self.take,
        )

    def _learning(self, *, vision: bool) -> Learning:
        return Learning(self.collection, self._loop, self.guard, vision=vision)

    def _leasing(self) -> PageLeases:
        return PageLeases(
            *(self.collection, self._side_thread, self._loop, self.guard),
            session=lambda: self._drawn,
            take=self._advance,
        )

    def _listing_on(self, resumed: Resumed) -> BackgroundListing:
        return BackgroundListing(
            *(resumed.rest, self._loop, self.guard),
            images=lambda: self.session.images,
            take=self._listed,
            failed=self._listing_failed,
            in_turn=self._recording.in_turn,
        )

    # --- what is asked by `input` and `widget`

    def on_submit(self, callback: _Submitted) -> None:
        """Call back with the decisions each time some have become durable."""
        self._on_submit.append(callback)

    def on_undo(self, callback: _Undone) -> None:
        """Call back with the result each time a decision was taken back."""
        self._on_undo.append(callback)

    def set_aside(self, position: int) -> None:
        """Choose an image of the grid, to be looked at closely, or not."""
        self.take(Choose(position))
        self.take(ToggleMark(Mark.LATER, position))

    def toggle_buttons(self) -> None:
        """Have a button for every key, or none, and in the next review, too."""
        shown = not self._preferences.is_chosen(_BUTTONS)
        self._preferences.choose(_BUTTONS, chosen=shown)
        self.screen.put_buttons(shown=shown)

    @property
    def _ahead(self) -> ReviewState | None:
        """The session that is drawn already while what leads to it becomes durable."""
        return self._recording.ahead

    @property
    def _drawn(self) -> ReviewState:
        """The session that the screen shows: the one ahead, where there is one."""
        return self.session if self._ahead is None else self._ahead

    def changed(self) -> None:
        """Have the words written anew.

        Those of a page that is drawn ahead wait for the trail, and for a moment for the page.
        """
        is_urgent = self.guard.stopped or self._recording.is_late
        waits = self._ahead is not None or (self._begun and self.screen.is_coming)
        if is_urgent or not waits:
            self._say()

    def view(
        self,
        keymap: Keymap,
        *,
        sheet: bool,
        prompt: Prompt | None,
        sought: str = "",
        report: bool = False,
    ) -> View:
        """Return all that the words over the canvas are made from."""
        return View(
            folder=self.collection.scope.title,
            layout=self.screen.layout,
            session=self._drawn,
            counts=self.counts,
            messages=self.guard.messages,
            acknowledged=self.screen.acknowledged,
            keymap=keymap,
            sheet=sheet,
            prompt=prompt,
            sought=sought,
            report=report,
            rate=self._pace.rate,
            spent=self._pace.spent,
            next_folder=self._next_folder,
            outside=(self.collection.scope.root, self._outside),
            hints=frozenset(hint for hint in HINTS if not self._preferences.is_chosen(hint)),
            thumbs=self.screen.thumbs,
            within=within(self.session),
            not_lossless=len(self._not_lossless),
            without_credentials=frozenset(self._without_credentials),
            proposing=told_of(self.collection.suggesters),
            fills=self.screen.fills,
            tone=str(self.screen.view_state.tone),
            unturnable=self.prefetch.unturnable(self.session),
            levels=self.levelling.offered(),
        )

    @property
    def counts(self) -> "Counts":
        """How far the review has come: counted from the session, asking no database."""
        return self._counts.of(self.session)

    @property
    def defer(self) -> bool:
        """Whether decisions are only queued."""
        return self._decisions.defers

    @property
    def idle(self) -> bool:
        """Whether the page is on the screen and nothing is being read, written or restored."""
        pending = self._decisions.thread.pending or self._side_thread.pending
        return self.screen.acknowledged and not pending and not self.session.restoring

    def _opened(self) -> None:
        """Show the review to a browser page that has come; the first of them begins it."""
        if self.closed:
            return
        first, self._begun = not self._begun, True
        self._enter.forget()
        if first:
            self._run = self.collection.begin_run("review", self._loop.call_soon_threadsafe)
        self.screen.start_over()
        if first:
            self._leases.begin()
        self.follow()
        if first:
            now = self._clock()
            self._side_thread.submit("", lambda: self.store.since(now), self._tell_since)
            self._elsewhere.begin()
        if first and not self.defer:
            self._decisions.start()
            self._take_up_waiting()

    def _tell_since(self, words: str) -> None:
        """Say to who comes back where they are, and what has happened."""
        if words and not self.guard.messages.note:
            session = self.session
            self.guard.note(f"Page {session.page + 1} of {session.pages}. {words}")

    # --- moves

    def _where(self, path: str) -> str:
        """Return where the file of an image is: one that was rejected is out of the way."""
        stood = self.session.settled.get(path)
        is_moved = stood is not None and stood.status is Status.REJECTED
        if not is_moved or self.session.copies:
            return path
        return f"{rejected(self._ids[path])}/{path}"

    def stay(self) -> None:
        """Go nowhere by yourself: the reviewer works on this page."""
        if self.session.goes_by_itself:
            self._advance(Stay())

    def take(self, move: Move, *, again: bool = False) -> None:
        """Make a move of the reviewer's, on a page that is on the screen, or is to be.

        Parameters
        ----------
        again : the move is that of a key that is being held, or of a hand that goes on with a drag
        """
        if self.guard.stopped or self.closed:
            return
        if self._ahead is not None and isinstance(move, _WITHOUT_LOOKING):
            self._recording.in_turn(
                partial(self._take_meant, again=again), move, self._recording.comebacks
            )
        elif self.screen.acknowledged or isinstance(move, _WITHOUT_LOOKING):
            self._advance(move, again=again)
        elif isinstance(move, DecidePage) and not self.screen.opening:
            self.guard.note(self._enter.press(self._drawn))
        else:
            self.guard.note(STILL_LOADING)

    def _take_meant(self, move: Move, comebacks: int, *, again: bool) -> None:
        """Take what was to follow a decision, unless that was not recorded: no older one is meant.

        Parameters
        ----------
        comebacks : how many pages had come back whole when it was pressed
        """
        if comebacks == self._recording.comebacks:
            self.take(move, again=again)
        elif not self.guard.stopped:
            self.guard.note(_NOT_MEANT)

    def _take_queued(self) -> None:
        """Take the Enter that has waited for this page, or say that it is dropped."""
        words = self._enter.taken(self.session)
        if words == "":
            self.guard.clear_note()
            self._advance(DecidePage())
        elif words is not None:
            self.guard.note(words)

    def check(self, move: Move) -> None:
        """Raise `IllegalMove` where a move may not be made now; nothing is changed."""
        chooses = advance(self.session, move).dropping is not None
        collection = self.collection
        if chooses and collection.looking is not None:
            raise IllegalMove(name_of(move), str(collection.looking))
        if chooses and not collection.scope.is_whole:
            raise IllegalMove(name_of(move), _FOR_THE_WHOLE)

    def _advance(self, move: Move, *, again: bool = False) -> None:
        self._recording.in_turn(partial(self._make, again=again), move)

    def _make(self, move: Move, *, again: bool) -> None:
        step = advance(self.session, move, again=again)
        if step.dropping is not None:
            self.collection.also_drop(step.dropping)
            self.prefetch.read_anew()
        decisions = tuple(map(self._stamped, step.decisions))
        if not decisions:
            self._made(move, step, ())
            return
        self.screen.keep_thumbs(map(_crop, decisions))
        self._decisions.thread.stand_back()
        self._stand_back(free=False)
        self._enter.announce(step.session)
        seen = [self._ids.get(_crop(decision)) for decision in decisions]
        decide = partial(self.collection.decide_as_seen, decisions, seen)
        done = partial(self._decided, move, step, decisions)
        self._recording.record(decide, step.session, self.follow, done, self._nothing_recorded)

    def _stand_back(self, *, free: bool) -> None:
        """Let everything that can wait do so, unless this is `free`: somebody waits for a page."""
        self._listing.stand_back(free=free)
        self.learning.stand_back(free=free)

    def _come_back(self) -> None:
        """Show the page again whose decisions could not be recorded; no press waits any more."""
        self._enter.forget()
        self.follow()

    def _nothing_recorded(self) -> None:
        """Show the page again; what was pressed to follow its decisions has nothing to follow."""
        self._recording.comebacks += 1
        self._come_back()

    def _decided(
        self, move: Move, step: Step, decisions: tuple[Decision, ...], overtaken: Overtaken
    ) -> None:
        """Take over what is durable; or show what others decided meanwhile, and decide the rest."""
        if not overtaken:
            self._made(move, step, decisions)
            return
        for each in overtaken:
            did = "cropped" if each.status is Status.CROPPED else "decided"
            words = _MEANWHILE.format(named(crop_of(each)), each.reviewer, did)
            self.guard.problem(words, crop_of(each), NOT_CROPPED)
        self._come_back()
        self._changed_elsewhere(frozenset(each.path for each in overtaken))
        if all(crop_of(each) in self.session.settled for each in overtaken):
            with suppress(IllegalMove):  # nothing is left that it could decide
                self._make(move, again=False)
        if self._ahead is None:
            self._recording.comebacks += 1

    def _made(self, move: Move, step: Step, decisions: tuple[Decision, ...]) -> None:
        """Take over what a move comes to: what is decided by it is durable."""
        self._ids.update((_crop(decision), decision.id) for decision in decisions)
        for path, note in step.noted:
            self.store.note(path, note)  # durable, too
        self._learned(move, step)
        self.session = step.session
        self._tell_taken_back(step.undone)
        if step.note:
            self.guard.note(step.note)
        self._carry_out(decisions, step.undone)
        self.follow()

    def _learned(self, move: Move, step: Step) -> None:
        """Give no hint any more of what the reviewer has done."""
        done = {
            DRAG: isinstance(move, Drag | Nudge | Resize),
            ACCEPT: isinstance(move, DecidePage) and bool(step.decisions),
            UNDO: isinstance(move, Undo),
        }
        for hint in (hint for hint, is_done in done.items() if is_done):
            self._preferences.choose(hint)

    def _stamped(self, draft: DraftDecision) -> Decision:
        now = self._clock()
        return Decision(
            image_of(draft.path),
            draft.sha256,
            draft.size,
            draft.verdict,
            draft.box,
            self.collection.reviewer,
            self.collection.session,
            shown_at=self.screen.shown_at.get(draft.path, now),
            decided_at=now,
            suggestion=draft.suggestion,
            shown=self._shown(draft),
            slot=slot_of(draft.path),
            target=draft.target,
            turn=draft.turn,
        )

    def _shown(self, draft: DraftDecision) -> PixelBox | None:
        if self.collection.placement.resize and draft.target is None:
            return None  # shown as resized, which is for a target only
        if draft.box is None:
            return None
        cut = Cut(draft.box, draft.size, draft.turn)
        return self.prefetch.shown(draft.path, draft.sha256, cut)

    def follow(self) -> None:
        """Let the screen follow the session."""
        if self.closed or not self._begun or self.screen.opening:
            return  # nobody to draw for, or a page whose canvases are not all there
        if self._ahead is not None:
            self._recording.ahead = self._with_arrivals(self._ahead)
            self.screen.show(ahead=True)
            return
        self.session = self._with_arrivals(self.session)
        self.screen.show()
        acknowledged = self.screen.acknowledged
        self._stand_back(free=acknowledged)
        if acknowledged:
            self._decisions.thread.go_on()
            self._came_on_screen()
            self._take_queued()
            self.levelling.follow()
        self._degraded.on_page(image_of(entry.path) for entry in self.session.entries)
        self._remember_place()
        self._read_notes()
        self._remembering.follow(self._chosen())
        self._leases.follow()
        if self.session.ended and not self._at_the_end:
            self._decisions.thread.submit("", self.store.counts, self._recount)
            self._side_thread.submit("", self._what_else, self._offer_next)
        self._at_the_end = self.session.ended
        self.changed()

    def _with_arrivals(self, session: ReviewState) -> ReviewState:
        """Return a session with the images that have arrived for its page."""
        for move in self.screen.arrivals():
            arriving = self.learning.improved(self._plan.arriving(move))
            session = advance(session, arriving).session
        return session

    def _came_on_screen(self) -> None:
        new = self.screen.newly_shown()
        if new:
            self.store.shown(new)
            self._degraded.check()
        self._plan.begin(whole=self.session.whole)
        if self._pace.start():
            self._confidence_scan.begin(self.session.listing, self._advance)
        self.screen.take_focus()

    def _recount(self, counts: "Counts") -> None:
        """Take over what only the trail knows: how often something was degraded."""
        self._counts.count_degraded(counts.degraded)
        self.changed()

    def _what_else(self) -> tuple[Path | None, int]:
        """Return the folder beside this one, and how much is left outside of what is reviewed."""
        return next_folder(self.collection.scope.folder), self.store.left_outside()

    def _offer_next(self, others: tuple[Path | None, int]) -> None:
        """Offer what else there is, at the end."""
        self._next_folder, self._outside = others
        self.changed()

    def _remember_place(self) -> None:
        here = self.session.entries and not self.session.resuming
        if here and self.session.page != self._placed:
            self._placed = self.session.page
            path = self.session.entries[0].path
            self._side_thread.submit(path, lambda: self._arrive_at(path), self._introduce)

    def _read_notes(self) -> None:
        """Have read what is noted about the images of the page, once for each page."""
        here = tuple(entry.path for entry in self.session.entries)
        if here == self._noting or all(path in self.session.notes for path in here):
            return
        self._noting = here
        read = partial(self.store.notes, here)
        self._side_thread.submit("", read, lambda notes: self._advance(NotesKnown(notes)))

    def _arrive_at(self, path: str) -> list[str]:
        self.store.remember_place(path)
        return self._other_reviews.newcomers()

    def _introduce(self, newcomers: list[str]) -> None:
        for sentence in newcomers:
            self.guard.problem(sentence)

    # --- the listing

    def _listed(self, chunk: Chunk) -> None:
        """Take in more images, and what is decided about them."""
        before = self.session
        self._tell_of_unread(chunk.problems)
        self.session = advance(before, chunk.move).session
        self._ids.follow(self.session.images.index)
        self._ids.update(chunk.known.ids)
        self._confidence_scan.follow(self.session.listing)
        self._wait_for(chunk)
        self._tell_of_place(before)
        if self.session.whole and not self.session.total:
            self.guard.problem(str(NoImages(self.collection.scope.folder)))
        if self._looks_different(before):
            self._told_at = self._loop.time()
            self.follow()
            self.changed()  # though no browser has come: a notebook sees how far it is

    def _looks_different(self, before: ReviewState) -> bool:
        """Whether more than the number of images has changed, or that was not shown for a while."""
        after = self.session
        is_other = (after.entries, after.rest) != (before.entries, before.rest)
        return is_other or self._loop.time() - self._told_at >= _COUNT_SHOWN_AGAIN

    def _wait_for(self, chunk: Chunk) -> None:
        """Have carried out what an earlier kernel left undone; of what is elsewhere, at the end."""
        (self._waiting if chunk.paths else self._waiting_elsewhere).extend(chunk.known.waiting)
        if chunk.earlier is not None:
            self._waiting += self._waiting_elsewhere
        if self._begun and not self.defer:
            self._take_up_waiting()

    def _tell_of_place(self, before: ReviewState) -> None:
        place = self._left_at
        if not place or self.session.images.index.number(place) is None:
            return
        self._left_at = ""
        if before.resuming:
            self.guard.note(f"Back where you were: {place}")
        else:
            self.guard.note(f"Where you were is listed now: {place}. Go to it by its name")

    def _listing_failed(self) -> None:
        if self.session.resuming:
            self._placed = self.session.page  # where the review was left stays remembered
        self._advance(ListingFailed())

    def _tell_of_unread(self, problems: Sequence[Problem]) -> None:
        for each in problems:
            if each.kind is ProblemKind.FOLDER:
                words = f"not shown: the folder cannot be read ({each.reason})"
                self.guard.problem(words, each.path, each.kind)

    # --- other sessions

    def _hear_elsewhere(self, images: frozenset[str]) -> None:
        self._recording.in_turn(self._changed_elsewhere, images)

    def _changed_elsewhere(self, images: frozenset[str]) -> None:
        """Show what others have decided and taken back, and say so of what is on the page."""
        here = {entry.path for entry in self.session.entries}
        several = self._elsewhere.news(self.session, self._ids, images)
        for news in several:
            if news.decision:
                self._ids.update([(news.path, news.decision)])
            else:
                self.prefetch.forget(news.path)
            self._advance(news.move)
        told = [news.words for news in several if news.words and news.path in here]
        if told:
            self.guard.note("; ".join(told[:_NAMED]))

    # --- the worker

    def _carry_out(self, decisions: tuple[Decision, ...], undone: tuple[str, ...]) -> None:
        if decisions:
            self._pace.decided(len(decisions))
            for callback in self._on_submit:
                self.guard.watch(callback)(decisions)
        for decision in decisions:
            self._apply(_crop(decision), decision.id)
        for path in undone:
            self._retract(path)

    def _tell_taken_back(self, undone: tuple[str, ...]) -> None:
        """Say which images come back, as they are listed."""
        if undone:
            listed = sorted(undone, key=self.session.images.index.known)
            others = len(listed) - _NAMED
            more = f" and {others:,} more" if others > 0 else ""
            self.guard.note(f"Taken back: {', '.join(map(named, listed[:_NAMED]))}{more}")

    @property
    def for_others(self) -> int:
        """How many decisions wait for somebody else's opinion."""
        settled = self.session.settled
        waiting = (settled.get(path) for path in self._second_attempts.for_others)
        return sum(each is not None and each.status is Status.WAITING for each in waiting)

    def _take_up_waiting(self) -> None:
        """Carry out what an earlier kernel left undone."""
        waiting, self._waiting = self._waiting, []
        for path in waiting:
            self._carry_out_waiting(path, self._ids.get(path) or "")

    def _carry_out_waiting(self, path: str, decision: str) -> bool:
        """Carry a decision out; return False where it does not stand, or waits no more."""
        settled = self.session.settled.get(path)
        waits = settled is not None and settled.status is Status.WAITING
        if waits and self._ids.get(path) == decision:
            self._apply(path, decision)
            return True
        return False

    def _apply(self, path: str, decision: str) -> None:
        self._decisions.apply(path, decision, partial(self._applied, path, decision))

    def _retract(self, path: str) -> None:
        self._decisions.retract(path, self._ids[path], partial(self._restored, path))

    def _applied(self, path: str, decision: str, result: CropResult) -> None:
        if result.status is Status.SUPERSEDED and self._ids.get(path) != decision:
            return  # by the reviewer's own next decision, whose outcome follows
        if result.status in (Status.STALE, Status.SUPERSEDED):
            self.prefetch.forget(path)
        is_news = self._second_attempts.ended(path, decision, result)
        if is_news and (result.degraded is not None or not result.ok):
            kind = NOT_CROPPED if not result.ok else WORSE
            self.guard.problem(self._reason(path, result), path, kind)
        for name in result.stale:
            self.guard.problem(result.left_beside, name, ProblemKind.COMPANION)
        self._count_losses(path, result)
        self._advance(Applied(path, result.status, result.message or ""))

    def _reason(self, path: str, result: CropResult) -> str:
        """Return why a crop is none, or is worse: another file is there by somebody, most often."""
        other = self.store.cropped_by(path) if result.status is Status.STALE else ""
        if other:
            return _MEANWHILE.format(named(path), other, "cropped")
        return result.degraded or result.message or str(result.code)

    def _count_losses(self, path: str, result: CropResult) -> None:
        self._count_no_loss(path)
        if degraded(result) is not None:
            self._not_lossless.add(path)
        if result.lost_credentials:
            self._without_credentials.add(path)

    def _count_no_loss(self, path: str) -> None:
        self._not_lossless.discard(path)
        self._without_credentials.discard(path)

    def _restored(self, path: str, result: CropResult) -> None:
        self._count_no_loss(path)
        if not self.session.copies:
            self.prefetch.forget(path)
        if not result.ok:
            self.guard.problem(result.message or str(result.code), path, NOT_RESTORED)
        self._advance(Restored(path) if result.ok else RestoreFailed(path))
        if result.code == NothingToUndo.__name__:  # others were sooner, and are not told of again
            self._hear_elsewhere(frozenset((image_of(path),)))
        for callback in self._on_undo:
            self.guard.watch(callback)(result)

    def close(self) -> None:
        """Finish what is being written; what waits is durable and taken up by the next review."""
        self.closed = True
        self._recording.close()
        self._degraded.stop_listening()
        self._elsewhere.close()
        self._second_attempts.close()
        self.levelling.close()
        self.prefetch.close()
        self._listing.close()
        self._decisions.close()
        self._remembering.close()
        self._side_thread.close()
        self._leases.close()
        self.learning.close()
        self.screen.retire(seen=self._begun)
        if self._run is not None:
            self._run.end()


def _crop(decision: Decision) -> str:
    return keyed(decision.path, decision.slot)
