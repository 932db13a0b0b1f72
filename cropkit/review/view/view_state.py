"""How the page is seen: in which arrangement, and how closely each image of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.review.model import Arrangement, Broken, Done, Entry, Mark, Open, ReviewState
from cropkit.review.model.box_editing import Grip, handle_point
from cropkit.review.model.state import turn_of
from cropkit.review.view.guides import Guides
from cropkit.review.view.layout import PageLayout
from cropkit.review.view.slicing import USUAL
from cropkit.review.view.tone import Ground, Tone
from cropkit.review.view.viewport import WHOLE, Rect, Viewport, Zoom

if TYPE_CHECKING:
    from cropkit.review.view.drawn_line import DrawnLine

_LENS = 176  # side of the loupe
_MAGNIFIED = 3.0
_CLOSEST_KEPT = 10_000.0
_LARGEST = 16.0  # canvas units for a pixel under the loupe, at most


class Pictured(NamedTuple):
    """How a picture is seen, how it is turned, and about which point of the canvas by an angle."""

    view: Viewport
    turn: Turn
    about: tuple[float, float]


class ViewState:
    """Follows a session: an image that leaves the page is whole when it comes again.

    A zoom is kept by the image before any turn, so that it shows the same place of a turned one.
    """

    def __init__(self, per_page: int) -> None:
        self.layout = PageLayout(per_page)  # where everything is, now
        self.arrangement = Arrangement.PAGE
        self._zooms: dict[str, Zoom] = {}
        self._turns: dict[str, Turn] = {}
        self._held: str | None = None
        self._grip = Grip.BOTTOM_RIGHT
        self.loupe_stays = self.peeking = False
        self.guides, self.tone = Guides.THIRDS, Tone()
        self._boxes: dict[str, PixelBox] = {}
        self.line: DrawnLine | None = None  # that a hand draws

    def put_buttons(self, *, shown: bool) -> None:
        """Have room for a button for every key, or none."""
        self.layout = replace(self.layout, buttons=shown)

    def resize(self, width: int, height: int) -> None:
        """Lay everything out in a canvas of that size."""
        self.layout = replace(self.layout, width=width, height=height)

    def follow(self, session: ReviewState) -> None:
        """See what the session shows: each image has room by its shape."""
        shown = self.layout.of(*(_aspect(entry, session) for entry in session.entries))
        self.layout = replace(shown, tight=session.arrangement is Arrangement.GRID)
        if session.arrangement is not self.arrangement:
            self.arrangement = session.arrangement
            self._zooms.clear()
        self._boxes = {e.path: e.box for e in session.entries if is_cropped(e)}
        self._turns = {entry.path: turn_of(entry) for entry in session.entries}
        here = {entry.path for entry in session.entries}
        for path in self._zooms.keys() - here:
            del self._zooms[path]

    def view(self, position: int, path: str, size: Size) -> Viewport:
        """Return how an image of the page is seen: while one peeks, no more of it than its crop.

        Parameters
        ----------
        size : as it is seen, turned
        """
        stage = self.layout.stage(position)
        if self.peeking and path in self._boxes:
            return filling(stage, size, self._boxes[path])
        return Viewport(stage, size, self._zooms.get(path, WHOLE).turned(self._turn(path)))

    def pictured(self, position: int, entry: Entry, size: Size) -> Pictured:
        """Return how a picture of an image of the page is seen, and how it is turned for that.

        Parameters
        ----------
        size : of what the picture shows; where that is the crop by now, it is turned already
        """
        turn = turn_of(entry)
        seen = entry.size if isinstance(entry, Open | Done) else None
        if seen not in (None, size.turned(turn)):
            turn = NO_TURN
        view = self.view(position, entry.path, size.turned(turn))
        box = entry.box if isinstance(entry, Open | Done) else None
        about = view.middle_of(box) if box and turn.resamples else (0.0, 0.0)
        return Pictured(view, turn, about)

    def _turn(self, path: str) -> Turn:
        return self._turns.get(path, NO_TURN)

    def hold(self, path: str, grip: Grip) -> bool:
        """Lay the loupe on a handle for as long as it is held; keys go on with the last one.

        Return whether it comes or goes. No handle: it goes where it is not to stay.
        """
        before, self._held = self._held, None if grip is Grip.WHOLE else path
        if self._held is not None:
            self._grip = grip
        return before != self._held

    def lens(self, session: ReviewState) -> Viewport | None:
        """Return what the loupe shows, and where: the corner that is farthest from the handle."""
        entry = session.entries[session.chosen] if session.entries else None
        if not isinstance(entry, Open) or entry.mark is not Mark.KEEP or self.layout.tight:
            return None
        if self.peeking or (entry.path != self._held and not self.loupe_stays):
            return None
        view = self.view(session.chosen, entry.path, entry.size)
        handle = handle_point(view.edges(entry.box), self._grip)
        stage = _far_corner(view.stage, handle)
        scale = min(_MAGNIFIED * view.scale, _LARGEST)
        x, y = view.to_image(*handle)
        lying = Viewport(stage, entry.size)
        middle = (x / entry.size.width, y / entry.size.height)
        return Viewport(stage, entry.size, Zoom(max(1.0, scale / lying.fit), *middle))

    def chosen(self) -> dict[str, Any]:
        """Return what a person has chosen of how all images are seen."""
        ground = self.tone.ground.value  # how bright images are seen is not remembered
        return {"guides": self.guides.value, "loupe": self.loupe_stays, "ground": ground}

    def zooms(self) -> dict[str, list[float]]:
        """Return how closely the images of the page are seen."""
        return {path: [zoom.factor, zoom.x, zoom.y] for path, zoom in self._zooms.items()}

    def choose(self, own: Mapping[str, Any], zooms: Mapping[str, Any]) -> None:
        """See images as it was chosen before; those of the page, which `follow` knows.

        Raises
        ------
        ValueError
            That is not what `chosen` and `zooms` have returned; what is right of it is taken.
        """
        self.loupe_stays = own.get("loupe") is True
        self.guides = Guides(own.get("guides", Guides.THIRDS))
        self.tone = Tone(ground=Ground(own.get("ground", Ground.THEME)))
        self._zooms |= {path: _zoom(row) for path, row in zooms.items()}

    def peek(self, *, peeking: bool) -> bool:
        """See what the crops would be, or the images again; return whether that is different."""
        before, self.peeking = self.peeking, peeking
        return before != peeking

    def zoom_to(self, path: str, zoom: Zoom) -> None:
        """See an image so closely from now on."""
        self._zooms[path] = zoom.turned(self._turn(path).inverse)


def _zoom(row: object) -> Zoom:
    match row:
        case [float() | int(), float() | int(), float() | int()]:
            factor, x, y = map(float, row)
            if 1 <= factor <= _CLOSEST_KEPT and 0 <= x <= 1 and 0 <= y <= 1:
                return Zoom(factor, x, y)
    msg = f"no zoom: {row!r:.80}"
    raise ValueError(msg)


def is_cropped(entry: Entry) -> TypeGuard[Open]:
    """Whether an image is going to be cropped, as it is now."""
    return isinstance(entry, Open) and entry.mark is Mark.KEEP


def filling(stage: Rect, size: Size, box: PixelBox) -> Viewport:
    """Return how an image is seen so that its box is as large as the stage has room for."""
    whole = Viewport(stage, size)
    by = min(stage.width / box.size.width, stage.height / box.size.height) / whole.fit
    x, y = (box.left + box.right) / 2 / size.width, (box.top + box.bottom) / 2 / size.height
    return Viewport(stage, size, Zoom(by, x, y)) if by > 1 else whole


def _aspect(entry: Entry, session: ReviewState) -> float:
    """Return the shape of a picture; where the crop has become the file, that of its box."""
    size = entry.size if isinstance(entry, Open | Done | Broken) else None
    if size is None and isinstance(entry, Done) and entry.settled.box and not session.copies:
        size = entry.settled.box.size.turned(entry.settled.turn)
    return USUAL if size is None else size.aspect_ratio


def _far_corner(stage: Rect, point: tuple[float, float]) -> Rect:
    side = min(_LENS, 0.4 * stage.width, 0.4 * stage.height)
    left, above = point[0] > stage.middle[0], point[1] > stage.middle[1]
    x = stage.x if left else stage.right - side
    y = stage.y if above else stage.bottom - side
    return Rect(x, y, side, side)
