"""What can be pressed on a page, and what the pointer is told there; pure."""

from collections.abc import Mapping
from types import MappingProxyType

from cropkit.review.model import Arrangement, Broken, Entry, Open, ReviewState
from cropkit.review.model.slots import named
from cropkit.review.model.state import turn_of
from cropkit.review.view import turning
from cropkit.review.view.captions import source_words
from cropkit.review.view.layout import PageLayout
from cropkit.review.view.viewport import Rect

NOTHING: Mapping[str, str] = MappingProxyType({})
POINTER, PLAIN = "pointer", "default"
# x, y, width, height in canvas units, the cursor, and words in full or nothing
Spot = tuple[float, float, float, float, str, str]


def spots(
    layout: PageLayout, session: ReviewState, unturnable: Mapping[str, str] = NOTHING
) -> list[Spot]:
    """Return what can be pressed, and what is told where the pointer rests; the first counts.

    Parameters
    ----------
    unturnable : why files cannot be turned as their images are
    """
    pressed = [
        _spot(layout.window.inset(3), POINTER),
        _spot(layout.help, POINTER, "All keys, and what the mouse does"),
    ]
    last = session.undo[-layout.places :]
    strip = [
        _spot(layout.place(number), POINTER, f"Go back to {named(path)}")
        for number, path in enumerate(last)
    ]
    each = [
        spot
        for position, entry in enumerate(session.entries)
        for spot in _of_image(layout, session, position, unturnable.get(entry.path, ""))
    ]
    return pressed + strip + each


def _of_image(layout: PageLayout, session: ReviewState, position: int, why: str) -> list[Spot]:
    entry = session.entries[position]
    told = (named(entry.path), _size(entry), turning.words(turn_of(entry)), why)
    words = " · ".join(filter(None, (*told, source_words(entry))))
    caption = layout.caption(position)
    if session.arrangement is Arrangement.GRID:
        return [_spot(layout.cell(position), POINTER, words)]
    decides = isinstance(entry, Open | Broken)
    does = "Accept this image" if isinstance(entry, Open) else ""
    chip = [_spot(layout.chip(position), POINTER, does)] if decides else []
    return [*chip, _spot(caption, PLAIN, words)]


def _size(entry: Entry) -> str:
    size = entry.size if isinstance(entry, Open | Broken) else None
    return f"{size.width} \N{MULTIPLICATION SIGN} {size.height}" if size else ""


def _spot(rect: Rect, cursor: str, tip: str = "") -> Spot:
    return (rect.x, rect.y, rect.width, rect.height, cursor, tip)
