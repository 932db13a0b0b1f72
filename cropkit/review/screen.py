"""What the reviewer has before them: how the page is seen, and whether it is on the screen.

A browser page that is opened or loaded again has nothing on its screen, and announces its canvases
one by one; a drawing on one that is not there yet would end all drawing in it. So nothing is drawn
until all of them have come, or for `_CLIENT_PATIENCE` none; then `opened` is called, and all is
drawn from the beginning. Later the page measures itself, and gets as many pixels as it has.

The session is asked for and never changed here: what looks different is shown when `show` is
called, which is the controller's part, as `follow` is, which asks it to.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from ipywidgets import Widget
from PIL.Image import Image

from cropkit.geometry import Size
from cropkit.review.canvas.canvases import Canvases, NamedCanvas
from cropkit.review.canvas.page_display import PageDisplay
from cropkit.review.canvas.sharp_preview import ENOUGH
from cropkit.review.canvas.snapshot import page_picture
from cropkit.review.model import MOST_IN_GRID, Broken, Done, Move, Open, ReviewState
from cropkit.review.model.box_editing import Grip
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop, Timer
from cropkit.review.runtime.prefetch import Arrival, Prefetch
from cropkit.review.view.drawn_line import DrawnLine
from cropkit.review.view.guides import following
from cropkit.review.view.layout import PageLayout
from cropkit.review.view.room import Room, measured
from cropkit.review.view.view_model import View
from cropkit.review.view.view_state import ViewState
from cropkit.review.view.viewport import Viewport, Zoom

_THUMBS = 200  # a few KB each
_CLIENT_PATIENCE = 3.0  # a browser page announces its canvases one by one
# where it tells when all are there: after that its kernel is not told any more
_TOLD_PATIENCE = 30.0
_LATE = 10.0  # so much later a canvas is announced by another page
_FOCUS_AGAIN = 1.0
# Pixels along the longer side of the first picture of an image, by images on a page.
_SIDES = {1: 1600, 2: 1200, 3: 1200, 4: 900}
_LEAST_SIDE = 640
_LARGER = (640, 900, 1200, 1800, 2400)  # what they are read at where there is room for more
_WIDE = 1.5  # width over height of a landscape
_NO_WINDOW = "Only the browser's own part can fill the window: it needs the package anywidget"


class Screen:
    """Shows the session to the browser pages that come; decides nothing.

    Parameters
    ----------
    session : what is to be shown, as it is now
    follow : called when something may look different
    opened : called when a browser page is there with all of its canvases, and nothing on them
    has_room : told how many images a page that was measured has room for, at a glance
    """

    def __init__(
        self,
        per_page: int,
        prefetch: Prefetch,
        loop: Loop,
        guard: Guard,
        *,
        clock: Callable[[], datetime],
        session: Callable[[], ReviewState],
        follow: Callable[[], None],
        opened: Callable[[], None],
        has_room: Callable[[int], None],
    ) -> None:
        self._prefetch, self._loop, self._guard = prefetch, loop, guard
        self._per_page = per_page
        self._session, self._follow, self._opened = session, follow, opened
        self._has_room = has_room
        watch = guard.watch
        self.view_state = ViewState(per_page)
        self.canvases = Canvases(_buffers(per_page), watch)
        self.page_display = PageDisplay(
            self.canvases, self.view_state, prefetch, loop, guard, clock=clock
        )
        self.thumbs: dict[str, bytes] = {}
        self._seen: set[str] = set()
        self._replay_due: Timer | None = None
        self._focus_due: Timer | None = None
        self._room: Room | None = None
        self._present_at = float("-inf")
        self._unfocused = self._closed = False
        self.canvases.on_client(watch(self._client_came), watch(self._client_complete))
        self.canvases.live_drag.on_message("room", self._measured, watch)

    # --- what is seen, and where

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
        self.view_state.follow(self._session())
        return self.view_state.layout

    @property
    def acknowledged(self) -> bool:
        """Whether the page is known to be on the screen, all of it, and is not drawn ahead."""
        display = self.page_display
        return not display.ahead and display.acknowledged(self._session())

    @property
    def is_coming(self) -> bool:
        """Whether another page is on its way to the screen, and its words had better wait."""
        return self.page_display.is_coming and not self._session().ended

    @property
    def shown_at(self) -> Mapping[str, datetime]:
        """When each image of the page was first known to be on the screen."""
        return self.page_display.shown_at

    def viewport(self, position: int) -> Viewport | None:
        """Return how an image of the page is seen; None where none is seen."""
        entries = self._session().entries
        entry = entries[position] if position < len(entries) else None
        if not isinstance(entry, Open | Done | Broken) or entry.size is None:
            return None
        self.view_state.follow(self._session())
        return self.view_state.view(position, entry.path, entry.size)

    def picture(self, view: View) -> Image:
        """Return the page as a picture of its own."""
        return page_picture(view, self.view_state, self._prefetch)

    # --- how it is seen

    def hold(self, position: int | None, path: str, grip: Grip) -> None:
        """Lay the loupe on what a hand holds, and leave its box to the browser if it draws it.

        Parameters
        ----------
        position : None where the hand moves no box yet
        """
        magnified = self.view_state.hold(path, grip)
        if self.page_display.leave_to_browser(position) or magnified:
            self._follow()

    def let_go(self) -> None:
        """Take the loupe away, and draw every box here."""
        self.hold(None, "", Grip.WHOLE)

    def aim(self, *, aiming: bool) -> None:
        """Have the browser say by its pointer that a press draws a line, or that it does not."""
        self.canvases.live_drag.aims = aiming
        self._follow()

    def draw_line(self, line: DrawnLine | None) -> None:
        """Show a line over an image, or none."""
        self.view_state.line = line
        self._follow()

    def zoom_to(self, path: str, zoom: Zoom) -> None:
        """See an image so closely from now on."""
        self.view_state.zoom_to(path, zoom)
        self._follow()

    def on_message(self, kind: str, take: Callable[[list[object]], object]) -> None:
        """Call back with what the browser's own part tells of one kind."""
        self.canvases.live_drag.on_message(kind, take, self._guard.watch)

    def furnish(self, menu: Iterable[tuple[str, str, str]], *, fills: bool) -> None:
        """Have a menu of these actions at an image: name, words, key; take the window if wanted."""
        self.canvases.live_drag.offer(menu)
        if fills:
            self.canvases.live_drag.fill(alone=True)

    @property
    def fills(self) -> bool | None:
        """Whether the review takes the whole window; None where no browser can say."""
        return self.canvases.live_drag.fills

    def toggle_window(self) -> None:
        """Take the whole window, or give the notebook back."""
        self.canvases.live_drag.toggle_window()
        if self.fills is None:
            self._guard.note(_NO_WINDOW)
        self._follow()

    def hold_keys(self, keys: Iterable[str]) -> None:
        """Have the browser tell, as `up`, when these are let go."""
        self.canvases.live_drag.hold_keys(keys)

    def nudge_by(self, nudges: Iterable[tuple[object, ...]]) -> None:
        """Have a browser far away draw at once what these keys do to the chosen box."""
        self.canvases.live_drag.nudges = [list(row) for row in nudges]

    def foresee(self, keys: Iterable[tuple[tuple[object, ...], Move]]) -> None:
        """Have a browser far away draw at once what these keys would make of the page."""
        self.canvases.live_drag.foreseen = [(list(key), move) for key, move in keys]

    @property
    def hears_release(self) -> bool:
        """Whether a browser tells when a key is let go."""
        return self.canvases.live_drag.there

    @property
    def peeking(self) -> bool:
        """Whether nothing is seen of the page's images but their crops."""
        return self.view_state.peeking

    def peek(self, *, peeking: bool) -> None:
        """See what the crops would be, or the images again."""
        if self.view_state.peek(peeking=peeking):
            self._follow()

    def turn_guides(self) -> None:
        """Have other lines in the chosen box."""
        self.view_state.guides = following(self.view_state.guides)
        self._guard.note(f"Lines: {self.view_state.guides}")
        self._follow()

    def turn_tone(self, *, brightness: int = 0, contrast: int = 0) -> None:
        """See pictures brighter or darker, or with more contrast or less."""
        tone = self.view_state.tone.turned(brightness=brightness, contrast=contrast)
        self.view_state.tone = tone
        words = f"Seen with {tone}: that is for the eye alone" if str(tone) else "Seen as it is"
        self._guard.note(words)
        self._follow()

    def turn_ground(self) -> None:
        """See pictures on another ground."""
        self.view_state.tone = self.view_state.tone.on_next_ground()
        self._guard.note(f"Around the pictures: {self.view_state.tone.ground}")
        self._follow()

    def put_buttons(self, *, shown: bool) -> None:
        """Have a button for every key below the page, or none."""
        self.view_state.put_buttons(shown=shown)
        self._follow()

    def toggle_loupe(self) -> None:
        """Have the loupe stay, or only while a handle is held."""
        self.view_state.loupe_stays = not self.view_state.loupe_stays
        self._follow()

    def cover(self, *, covered: bool, typing: bool = False) -> None:
        """Say whether words lie over the page, so that a hand takes hold of nothing.

        Parameters
        ----------
        typing : keys are what is typed, and move nothing
        """
        self.canvases.live_drag.typing = typing
        self.page_display.covered = covered
        self._follow()

    # --- what is drawn

    @property
    def opening(self) -> bool:
        """Whether a browser page has come whose canvases are not all there yet."""
        return self._replay_due is not None

    def arrivals(self) -> list[Move]:
        """Return the moves of images that have arrived and that the page still waits for."""
        return self.page_display.arrivals(self._session())

    def show(self, *, ahead: bool = False) -> None:
        """Draw what has come, and what looks different from what is there.

        Parameters
        ----------
        ahead : what leads to this page is not durable yet, and nothing on it is taken
        """
        self.page_display.ahead = ahead
        session = self._session()
        self._have_on_page(session.usual)
        self.view_state.follow(session)
        self.page_display.show(session, self._follow)
        self.page_display.draw_boxes(self._session)

    def _have_on_page(self, images: int) -> None:
        """Have pictures as large as a page of so many images shows them."""
        if images == self._per_page:
            return
        self._per_page = images
        if self._room is not None:
            self._enlarge(sharp_side(images, self._room))
        self.canvases.enlarge(images, self._prefetch.fit.width)

    def start_over(self) -> None:
        """Draw all of it from the beginning, for a browser page that has nothing yet."""
        self.page_display.reset()
        self._unfocused = True

    def take_focus(self) -> None:
        """Have the canvas take keys, once for each browser page that has come."""
        if self._unfocused:
            self._unfocused = False
            self._stay()
            self.canvas.focus()
            # JupyterLab takes the focus for a cell when it has opened a notebook
            self._focus_due = self._loop.call_later(_FOCUS_AGAIN, self._guard.watch(self._focus))

    def let_go_of_focus(self) -> None:
        """Give the keys to the notebook: whoever has asked for that is not brought back."""
        self._stay()
        if not self.canvases.live_drag.let_go_of_focus():
            self.canvas.blur()

    def newly_shown(self) -> int:
        """Return how many images have come before the reviewer's eyes since it was last asked."""
        new = self.shown_at.keys() - self._seen
        self._seen |= new
        return len(new)

    def keep_thumbs(self, paths: Iterable[str]) -> None:
        """Keep small pictures of these images, to be shown when they have left the page."""
        for path in paths:
            arrival = self._prefetch.get(path)
            if isinstance(arrival, Arrival):
                self.thumbs[path] = arrival.thumb
        while len(self.thumbs) > _THUMBS:
            self.thumbs.pop(next(iter(self.thumbs)))

    def retire(self, *, seen: bool) -> None:
        """Close the canvases when a browser that has `seen` them has drawn what it was sent."""
        self._closed = True
        self.canvases.retire(self._loop, seen=seen)

    def _stay(self) -> None:
        """Take the focus no second time."""
        if self._focus_due is not None:
            self._focus_due.cancel()

    def _focus(self) -> None:
        if not self._closed and not self.canvases.live_drag.take_focus():
            self.canvas.focus()

    # --- browsers

    def on_browser(self, callback: Callable[[], None]) -> None:
        """Call back for each canvas of a newly opened page: nothing is on its screen."""
        self.canvases.on_client(self._guard.watch(callback))

    def on_exact_key(self, heard: Callable[..., object]) -> None:
        """Call back with each key that the browser's own part tells of, repeats as such."""
        self.canvases.live_drag.on_key(heard, self._guard.watch)

    def _client_came(self) -> None:
        self._prefetch.start()
        # Whatever was on a screen may be gone: nothing is taken until it is acknowledged again.
        self.page_display.reset()
        self._replay_after(self._patience)

    @property
    def _patience(self) -> float:
        """How long a page may take to make its canvases: longer where it tells when it has."""
        just_told = self._loop.time() - self._present_at < _LATE
        is_told = self.canvases.live_drag.tells_presence and not just_told
        return _TOLD_PATIENCE if is_told else _CLIENT_PATIENCE

    def _client_complete(self) -> None:
        self._present_at = self._loop.time()
        self._replay_after(0)

    def _measured(self, numbers: list[object]) -> None:
        """Lay out for the room that there is, and draw with as many pixels as the screen has."""
        room = self._room = measured(numbers)
        if not self._closed and self.canvases.resize(room):
            self.view_state.resize(room.width, room.height)
            self._enlarge(sharp_side(self._per_page, room))
            self.page_display.redraw()
            self._has_room(self.view_state.layout.many)
            self._follow()

    def _enlarge(self, side: int) -> None:
        """Have pictures as sharp as the room shows them; smaller ones are not asked for again."""
        if side > self._prefetch.fit.width:
            self._prefetch.enlarge(Size(side, side))
            self.canvases.enlarge(self._per_page, side)

    def _replay_after(self, seconds: float) -> None:
        if self._replay_due is not None:
            self._replay_due.cancel()
        self._replay_due = self._loop.call_later(seconds, self._guard.watch(self._replay))

    def _replay(self) -> None:
        self._replay_due = None
        self._opened()


def stage_fit(per_page: int) -> Size:
    """Return the size in pixels of the first picture of an image, on a page of so many."""
    side = _SIDES.get(per_page, _LEAST_SIDE)
    return Size(side, side)


def sharp_side(per_page: int, room: Room) -> int:
    """Return how many pixels the largest picture of a page needs along its longer side."""
    layout = PageLayout(per_page, room.width, room.height)
    stages = (layout.of(*(aspect,) * per_page).stage(0) for aspect in (_WIDE, 1 / _WIDE))
    longest = max(side for stage in stages for side in (stage.width, stage.height))
    wanted = longest * room.ratio * ENOUGH
    return next((side for side in _LARGER if side >= wanted), _LARGER[-1])


def _buffers(per_page: int) -> list[Size]:
    small = Size(_LEAST_SIDE, _LEAST_SIDE)
    return [stage_fit(per_page)] * per_page + [small] * (MOST_IN_GRID - per_page)
