"""What is to be seen over each image of a page; pure."""

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from enum import Enum

from cropkit.geometry import PixelBox
from cropkit.review.canvas.buffers import OffscreenBuffer
from cropkit.review.model import Broken, Done, Entry, Mark, Open, ReviewState
from cropkit.review.model.decided import Cut
from cropkit.review.model.slots import slot_of
from cropkit.review.model.state import as_seen
from cropkit.review.model.transforms import box_beside, offering
from cropkit.review.view.drawn_line import DrawnLine
from cropkit.review.view.guides import Guides
from cropkit.review.view.rulers import NO_RULER, Ruler, ruler
from cropkit.review.view.view_state import ViewState, is_cropped
from cropkit.review.view.viewport import Viewport

_NAMELESS = "1"  # the others are numbered from 2
_DIGITS = 9  # suggestions that a key takes
AppliedBox = Callable[[str, Cut], PixelBox]


class Weight(Enum):
    """How much of a box is drawn: thirds are for the one that is worked on."""

    CHOSEN = "chosen"
    PLAIN = "plain"
    SMALL = "small"  # no handles: it is only looked at
    ALONE = "alone"  # nothing but what the crop will hold


@dataclass(frozen=True, slots=True)
class Loupe:
    """The loupe: over which image, what it shows, and from where."""

    position: int
    lens: Viewport
    buffer: OffscreenBuffer
    holds: str | None
    filters: str = ""


@dataclass(frozen=True, slots=True)
class OtherCrop:
    """Where else a crop of the image is, or is suggested: by the names of slots, or by number."""

    names: str
    box: PixelBox


@dataclass(frozen=True, slots=True)
class CellState:
    """All that is painted over one image: two of them that are equal look the same.

    Parameters
    ----------
    lifted : its box is drawn in the browser, while a hand holds it
    guides : lines in the box, where it is the chosen one
    others : the other crops of its image, and, where it is chosen, its other suggestions
    is_unturnable : its file cannot be turned so without a loss
    line : that a hand draws over it
    """

    entry: Entry
    weight: Weight
    view: Viewport | None = None
    written: PixelBox | None = None
    least: int = 0
    loupe: Loupe | None = None
    lifted: bool = False
    others: tuple[OtherCrop, ...] = ()
    guides: Guides = Guides.THIRDS
    is_unturnable: bool = False
    line: DrawnLine | None = None

    @property
    def ruler(self) -> Ruler:
        """The rulers along the picture, where it is the chosen one and they are wanted."""
        is_wanted = self.guides is Guides.RULERS and self.weight is Weight.CHOSEN
        return ruler(self.view) if is_wanted and self.view is not None else NO_RULER


def cell_states(
    session: ReviewState,
    view_state: ViewState,
    applied: AppliedBox,
    unturnable: Container[str] = (),
) -> tuple[CellState, ...]:
    """Return what is to be painted over each image of the page.

    Parameters
    ----------
    applied : from a path and a box to what a crop will hold, which is dimmed no more than the box;
        both of the image before any turn
    unturnable : images whose files cannot be turned so without a loss
    """
    states = (
        _cell_state(session, view_state, position, applied)
        for position in range(len(session.entries))
    )
    return tuple(
        replace(state, is_unturnable=True) if state.entry.path in unturnable else state
        for state in states
    )


def _cell_state(
    session: ReviewState, view_state: ViewState, position: int, applied: AppliedBox
) -> CellState:
    entry, weight = session.entries[position], _weight(session, view_state, position)
    size = entry.size if isinstance(entry, Open | Done | Broken) else None
    view = None if size is None else view_state.view(position, entry.path, size)
    others = () if view is None or weight is Weight.ALONE else _others(session, entry)
    if not isinstance(entry, Open):
        return CellState(entry, weight, view, others=others)
    least = session.minimum if session.is_below_minimum(entry) else 0
    written = as_seen(entry, applied(entry.path, entry.cut))
    if weight is Weight.CHOSEN and entry.mark is Mark.KEEP:
        others += _suggested(entry, prefix="suggestion " * bool(others))
    line = view_state.line if view_state.line and view_state.line.position == position else None
    known = (entry, weight, view, written, least)
    return CellState(*known, others=others, guides=view_state.guides, line=line)


def _others(session: ReviewState, entry: Entry) -> tuple[OtherCrop, ...]:
    """Return the other crops whose boxes are known; those that are the same as one."""
    names: dict[PixelBox, list[str]] = {}
    for crop in session.crops_beside(entry.path):
        box = box_beside(session, entry, crop)
        if box is not None:
            names.setdefault(box, []).append(slot_of(crop) or _NAMELESS)
    return tuple(OtherCrop(", ".join(each), box) for box, each in names.items())


def _suggested(entry: Open, prefix: str) -> tuple[OtherCrop, ...]:
    """Return what else is suggested for an image, by the digits that take it."""
    if len(entry.suggestions) < 2:  # noqa: PLR2004  (one is the one that is offered)
        return ()
    numbers: dict[PixelBox, list[str]] = {}
    for number in range(min(len(entry.suggestions), _DIGITS)):
        box = offering(entry, number).box
        if box != entry.box:
            numbers.setdefault(box, []).append(str(number + 1))
    return tuple(OtherCrop(prefix + ", ".join(each), box) for box, each in numbers.items())


def _weight(session: ReviewState, view_state: ViewState, position: int) -> Weight:
    if view_state.peeking and is_cropped(session.entries[position]):
        return Weight.ALONE
    if view_state.layout.tight:
        return Weight.SMALL
    return Weight.CHOSEN if position == session.chosen else Weight.PLAIN
