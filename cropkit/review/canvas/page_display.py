"""Bring the session's page to the screen and know when it is there.

How a page is drawn
-------------------
What a person decides on must be what they saw, so a decision is taken only when the page is known
to be on the screen. Drawing is therefore two steps, and each of them is waited for:

1. *Upload.* A JPEG goes into a hidden canvas of the browser, an `OffscreenBuffer`. An image's value
   arrives at once while a drawing waits for its turn, so a buffer takes its next picture only when
   the fence has told that the last one is drawn. There are two generations of buffers: while one
   page is on the screen, the next one is uploaded into the other generation, and turning the page
   draws pictures that are already there.
2. *Draw.* The layer of pictures is wiped and every picture that is there is drawn from its buffer,
   in one message that ends with a mark of the fence. Which picture lies at which position is kept
   with that mark: `_wanted` is what should be seen, `_drawn` what was sent last, `_sent` what is on
   its way, `_acknowledged` what the browser is known to show.

Boxes are a layer of their own, painted image by image where one looks different from what is
there, at most once a frame: they follow every key and would be too slow to draw with the pictures.

When a page counts as shown
---------------------------
When every undecided image of it is in what the browser has acknowledged *and* in every draw that is
still on its way: such a draw may take a picture away for a moment. Images that were decided before
may come later, as nothing is decided by them. The time of the first acknowledgement is the
`shown_at` of a decision. Without an acknowledgement nothing is taken: the reviewer is told so.

What is asked again
-------------------
- An acknowledgement that is overdue is asked for again, after 0.6 seconds and then after twice as
  long each time (`_ask_again`): the browser's last word may have been lost while the kernel was
  busy. Nothing is drawn for it.
- A page that is not acknowledged after 5, 10 and 20 seconds is uploaded and drawn anew, as if the
  browser knew nothing (`_check`), and the reviewer is told to reload. After the last there is no
  further try: a browser that is gone would be sent the same for ever.
- A browser page that is opened or reloaded knows nothing: `reset` forgets what is shown, and with
  it that anything may be decided.
- An image whose file was changed is read again and has another name, so that the buffer which
  holds its old picture counts as empty.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from cropkit.review.canvas.buffers import OffscreenBuffer
from cropkit.review.canvas.canvases import GENERATIONS, Canvases
from cropkit.review.canvas.cells import CellState, Loupe, cell_states
from cropkit.review.canvas.paint import paint_cell, paint_pictures
from cropkit.review.canvas.pen import batched
from cropkit.review.canvas.sharp_preview import SharpPreviews
from cropkit.review.model import Arrangement, Broken, Entry, Loading, Move, Open, ReviewState
from cropkit.review.model.slots import image_of
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.prefetch import Arrival, Prefetch
from cropkit.review.view.spots import spots
from cropkit.review.view.view_state import Pictured, ViewState

# Seconds until a page that was not acknowledged is sent again; after the last, never.
_LOST_AFTER = (5.0, 10.0, 20.0)
_LOST = (
    "The browser has not drawn the page yet. If this stays, reload the browser page; "
    "nothing is lost"
)
_FRAME = 1 / 60
# Seconds for which words stand back behind a page that is on its way: a browser that hears of both
# at once reads the words before it shows the frame.
_COMING = 0.25
# Seconds until an acknowledgement is asked for again, twice as many each time, and at most so many.
_OVERDUE, _LATEST = 0.6, 5.0

_log = logging.getLogger("cropkit.review")

# What the pictures layer shows: the generation and, for each position, the picture's name.
_Shown = tuple[int, tuple[str | None, ...]]
# The buffer of each picture, what it holds, and how it is seen, and turned.
_Looks = tuple[tuple[OffscreenBuffer, str | None, Pictured] | None, ...]


class PageDisplay:
    """Uploads pictures, draws them and waits for the browser's acknowledgement."""

    def __init__(
        self,
        canvases: Canvases,
        view_state: ViewState,
        prefetch: Prefetch,
        loop: Loop,
        guard: Guard,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._view_state, self._canvases, self._prefetch = view_state, canvases, prefetch
        self._sharp_previews = SharpPreviews(canvases, prefetch, guard)
        self._loop, self._guard, self._clock = loop, guard, clock
        self._generation = 0
        self._page: tuple[str, ...] = ()
        self._drawn: _Shown | None = None
        self._looked: _Looks = ()
        self._acknowledged: _Shown | None = None
        self._sent: dict[int, _Shown] = {}  # draws on their way, by number
        self._painted: tuple[CellState | None, ...] = ()  # what the boxes layer shows
        self._laid_out, self._toned = view_state.layout, view_state.tone
        self._boxes_due: object = None
        self._boxes_at = float("-inf")
        self._tries = self._draws = 0
        self._turned_at = float("-inf")
        self.shown_at: dict[str, datetime] = {}
        self._asking = False
        self.covered = False  # by words, so that a hand takes hold of nothing
        self.ahead = False  # nor while what leads to the page is being recorded

    def acknowledged(self, session: ReviewState) -> bool:
        """Whether the session's page is known to be on the screen, all of it."""
        if session.ended:
            return True
        if not session.ready or self._acknowledged is None:
            return False
        if self._page != tuple(entry.path for entry in session.entries):
            return False
        # What is under way to the browser counts, too: it may take a picture away for a moment.
        # Pictures of decided images may still come: nothing is decided by them.
        wanted = self._wanted(session)[1]
        return all(
            wanted[position] is not None
            and all(shown[1][position] == wanted[position] for shown in self._screens())
            for position, entry in enumerate(session.entries)
            if isinstance(entry, Open) or (isinstance(entry, Broken) and entry.size is not None)
        )

    @property
    def is_coming(self) -> bool:
        """Whether another page is on its way to the screen, and was sent only now."""
        soon = self._loop.time() - self._turned_at < _COMING
        return soon and self._acknowledged is None

    def _speak(self, changed: Callable[[], None]) -> None:
        """Have words wait no longer for a page that has not come yet."""
        if self._acknowledged is None:
            changed()

    def _screens(self) -> list[_Shown]:
        """Return what the browser shows, and what it is going to show next."""
        acknowledged = [] if self._acknowledged is None else [self._acknowledged]
        return acknowledged + [s for s in self._sent.values() if s[0] == self._generation]

    def arrivals(self, session: ReviewState) -> list[Move]:
        """Return the moves of images that have arrived and that the page still waits for."""
        loading = [e.path for e in session.entries if isinstance(e, Loading)]
        come = [(path, self._prefetch.get(path)) for path in loading]
        return [arrival.move(path) for path, arrival in come if arrival is not None]

    def show(self, session: ReviewState, changed: Callable[[], None]) -> None:
        """Ask for what is missing, upload what has come, draw what is new."""
        here = tuple(entry.path for entry in session.entries)
        if here != self._page:
            self._turn(here, session, changed)
        self._ask(session)
        for position, path in enumerate(here):
            self._upload(self._generation, position, path, changed)
        wanted = self._wanted(session)
        if wanted != self._drawn:
            self._draw(wanted, session, changed)
        if session.entries and session.arrangement is not Arrangement.GRID:
            self._sharpen(session, changed)
        if self.acknowledged(session):
            self._upload_ahead(session, changed)
        if not self._asking:
            self._ask_after(_OVERDUE)

    def draw_boxes(self, session: Callable[[], ReviewState]) -> None:
        """Draw the boxes at once, or, within a frame of the last time, once at its end."""
        wait = self._boxes_at + _FRAME - self._loop.time()
        if wait <= 0:
            self._draw_boxes(session)
        elif self._boxes_due is None:
            draw = self._guard.watch(self._draw_boxes)
            self._boxes_due = self._loop.call_later(wait, draw, session)

    def leave_to_browser(self, position: int | None) -> bool:
        """Leave a box to the browser while a hand holds it, where the browser can draw it.

        Return whether that makes a difference to what is drawn.
        """
        live_drag = self._canvases.live_drag
        before, live_drag.held = live_drag.held, position if live_drag.there else None
        return live_drag.held != before

    def reset(self) -> None:
        """Start with nothing drawn: a browser page has come that knows nothing."""
        self._tries = 0
        self._start_over()

    def _start_over(self) -> None:
        self._canvases.reset()
        self.redraw()

    def redraw(self) -> None:
        """Draw all of it anew, on a canvas that has another size or nothing on it."""
        self._painted = ()
        self._drawn = self._acknowledged = None
        self._sent.clear()
        self._canvases.live_drag.held = None  # what it draws lies where it lay

    def _turn(
        self, here: tuple[str, ...], session: ReviewState, changed: Callable[[], None]
    ) -> None:
        for path in self._page:
            if path in session.settled and not session.copies:  # its file is about to change
                self._prefetch.forget(path)
        self._page, self._generation = here, (self._generation + 1) % GENERATIONS
        self._acknowledged = None
        self._turned_at = self._loop.time()
        self._loop.call_later(_COMING, self._guard.watch(self._speak), changed)
        self._canvases.live_drag.held = None  # what a hand held is not there any more
        self.shown_at.clear()

    def _ask(self, session: ReviewState) -> None:
        ahead = self._ahead(session)
        back = session.on_page(session.page - 1) if session.page else ()
        near = (*self._page, *ahead, *back)
        self._prefetch.keep(set(near))
        # what a person waits for comes first, also before other work of the machine
        undecided = {image_of(path) for path in near if path not in session.settled}
        for path in near if self.acknowledged(session) else self._page:
            # of an image that copies are made of, any crop may need the suggestions, any time
            boxes = session.copies or image_of(path) in undecided
            self._prefetch.want((path,), boxes=boxes)

    @staticmethod
    def _ahead(session: ReviewState) -> tuple[str, ...]:
        page = session.next_undecided_page()
        return () if page in (None, session.page) else session.on_page(page)

    def _upload_ahead(self, session: ReviewState, changed: Callable[[], None]) -> None:
        other = (self._generation + 1) % GENERATIONS
        for position, path in enumerate(self._ahead(session)):
            self._upload(other, position, path, changed)

    def _upload(
        self, generation: int, position: int, path: str, changed: Callable[[], None]
    ) -> None:
        arrival, buffer = self._prefetch.get(path), self._canvases.buffers[generation][position]
        if not isinstance(arrival, Arrival) or buffer.holds == arrival.name:
            return
        if buffer.following and buffer.following[0] == arrival.name:
            return
        picture = (arrival.jpeg, arrival.size)
        self._canvases.upload(buffer, arrival.name, picture, self._guard.watch(changed, path))

    def _wanted(self, session: ReviewState) -> _Shown:
        buffers = self._canvases.buffers[self._generation]
        names = []
        for buffer, entry in zip(buffers, session.entries, strict=False):
            arrival = self._prefetch.get(entry.path)
            there = isinstance(arrival, Arrival) and buffer.holds == arrival.name
            names.append(buffer.holds if there else None)
        return self._generation, tuple(names)

    def _sharpen(self, session: ReviewState, changed: Callable[[], None]) -> None:
        entry = session.entries[session.chosen]
        seen, lens = self._pictured(session.chosen, entry), self._view_state.lens(session)
        view = lens or (seen and seen.view)
        if view is not None:
            self._sharp_previews.follow(entry.path, view, changed)

    def _pictured(self, position: int, entry: Entry) -> Pictured | None:
        arrival = self._prefetch.get(entry.path)
        if not isinstance(arrival, Arrival):
            return None
        return self._view_state.pictured(position, entry, arrival.size)

    def source(self, position: int, path: str) -> OffscreenBuffer | None:
        """Return where the best picture of an image of the page is, if the browser has any."""
        arrival = self._prefetch.get(path)
        buffer = self._canvases.buffers[self._generation][position]
        if not isinstance(arrival, Arrival) or buffer.holds != arrival.name:
            return None
        return self._sharp_previews.best_buffer(arrival, buffer)

    def _looks(self, session: ReviewState) -> _Looks:
        """Return from which buffer each picture is drawn, and where."""
        looks: list[tuple[OffscreenBuffer, str | None, Pictured] | None] = []
        for position, entry in enumerate(session.entries):
            buffer, seen = self.source(position, entry.path), self._pictured(position, entry)
            looks.append((buffer, buffer.holds, seen) if buffer and seen else None)
        return tuple(looks)

    def _paint(self, session: ReviewState) -> None:
        self._looked = self._looks(session)
        pictures = [(buffer, seen) for buffer, _, seen in filter(None, self._looked)]
        self._toned = tone = self._view_state.tone
        paint_pictures(self._canvases.pictures, self._view_state.layout, session, pictures, tone)

    def _draw(self, wanted: _Shown, session: ReviewState, changed: Callable[[], None]) -> None:
        """Draw the pictures; of a page that comes, the boxes in the same message.

        So they are seen together. What hands and keys may do with them is told behind that, within
        a frame: to compute it would keep the message from being sent.
        """
        with batched():
            self._paint(session)
            if self.is_coming:
                self._boxes_at = self._loop.time()
                self._paint_cells(self._lifted(self._cells(session), self._loupe(session)))
            self._draws += 1
            done = self._guard.watch(partial(self._on_screen, self._draws, changed))
            self._canvases.fence.mark(done)
        self._drawn = self._sent[self._draws] = wanted
        patience = _LOST_AFTER[min(self._tries, len(_LOST_AFTER) - 1)]
        self._loop.call_later(patience, self._guard.watch(self._check), self._draws, changed)

    def _on_screen(self, draw: int, changed: Callable[[], None]) -> None:
        wanted = self._sent.pop(draw, None)
        if wanted is None or wanted[0] != self._generation:  # drawn anew, or turned, since
            return
        self._acknowledged, self._tries = wanted, 0
        for path in self._page:
            self.shown_at.setdefault(path, self._clock())
        changed()

    def _ask_after(self, seconds: float) -> None:
        oldest = self._canvases.fence.oldest
        self._asking = oldest is not None and seconds < _LATEST
        if self._asking:
            again = self._guard.watch(self._ask_again)
            self._loop.call_later(seconds, again, oldest, seconds)

    def _ask_again(self, overdue: int, after: float) -> None:
        """Ask whether the browser has drawn what it has been silent about for so long."""
        same = self._canvases.fence.oldest == overdue
        if same:
            self._canvases.fence.ask_again()
        self._ask_after(2 * after if same else _OVERDUE)

    def _check(self, draw: int, changed: Callable[[], None]) -> None:
        """Send a page again whose drawing or acknowledgement was lost on the way."""
        if draw != self._draws or self._drawn in (None, self._acknowledged):
            return
        self._guard.note(_LOST)
        if self._tries < len(_LOST_AFTER):
            self._tries += 1
            _log.warning("page not acknowledged, sent again (%d)", self._tries)
            self._start_over()
            changed()

    def _draw_boxes(self, session: Callable[[], ReviewState]) -> None:
        """Draw what looks different from what is there, image by image."""
        self._boxes_due = None
        now, live_drag = session(), self._canvases.live_drag
        self._view_state.follow(now)
        wanted = self._cells(now)
        after = self._lifted(wanted, self._loupe(now))
        looks_different = self._looks(now) != self._looked or self._view_state.tone != self._toned
        moved = self._drawn is not None and looks_different
        if moved or tuple(after) != self._painted or self._view_state.layout != self._laid_out:
            self._boxes_at = self._loop.time()
            with batched():
                if moved:
                    self._paint(now)  # seen otherwise: zoomed, or sharper
                self._paint_cells(after)
        kept_off = self.covered or self.ahead or self._guard.stopped
        live = self.acknowledged(now) and not kept_off
        layout = self._view_state.layout
        live_drag.show(layout, wanted, session=now, live=live)
        live_drag.tell_spots(spots(layout, now, self._prefetch.unturnable(now)))

    def _cells(self, session: ReviewState) -> tuple[CellState, ...]:
        unturnable = self._prefetch.unturnable(session)
        return cell_states(session, self._view_state, self._prefetch.applied, unturnable)

    def _lifted(self, wanted: tuple[CellState, ...], loupe: Loupe | None) -> list[CellState | None]:
        """Return what the kernel paints: the loupe, but not the box that the browser draws."""
        live_drag, layout = self._canvases.live_drag, self._view_state.layout
        after: list[CellState | None] = [*wanted, *[None] * (layout.per_page - len(wanted))]
        if live_drag.held is not None and live_drag.draws(wanted[live_drag.held]):
            after[live_drag.held] = replace(wanted[live_drag.held], lifted=True)
        if loupe is not None:
            seen = after[loupe.position]
            after[loupe.position] = replace(seen, loupe=loupe) if seen else None
        return after

    def _paint_cells(self, after: list[CellState | None]) -> None:
        layout, pen, before = self._view_state.layout, self._canvases.boxes, self._painted
        self._painted = ()  # where painting raises, nobody knows
        if layout != self._laid_out:
            pen.clear()
            before = ()
        for n, cell_state in enumerate(after):
            if [*before[n : n + 1]] != [cell_state]:
                paint_cell(pen, layout.painted(n), cell_state)
        self._painted, self._laid_out = tuple(after), layout

    def _loupe(self, session: ReviewState) -> Loupe | None:
        """Return what the loupe shows, if it is there."""
        lens, position = self._view_state.lens(session), session.chosen
        buffer = self.source(position, session.entries[position].path) if lens else None
        if lens is None or buffer is None:
            return None
        return Loupe(position, lens, buffer, buffer.holds, self._view_state.tone.filters)
