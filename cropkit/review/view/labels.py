"""How wide words are, and where a label has room that hides no handle; pure."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import hypot

from cropkit.review.view.viewport import Rect

# How wide letters are, in parts of their size: as wide as in any font that a browser may take.
EM, _WIDE_EM = 0.65, 1.3
EMS: Mapping[str, float] = {
    **dict.fromkeys(" .,:;·'|", 0.34),
    **dict.fromkeys("\N{MULTIPLICATION SIGN}%mwMW", 0.97),
}
LINE, PADDING, MARGIN = 20, 6, 12  # of a label, in canvas units
TALL = 4 * LINE  # a box that has room for its label inside is taller
SMALLER = (1.0, 0.8, 0.64)  # a label is as large as has room: these parts of its size are tried


def text_width(text: str, size: float) -> float:
    """Return how wide a line is at most, in canvas units."""
    wide = (unicodedata.east_asian_width(letter) in "WF" for letter in text)
    ems = (EMS.get(letter, EM) for letter in text)
    return size * sum(_WIDE_EM if is_wide else em for is_wide, em in zip(wide, ems, strict=True))


def label_place(
    frame: Rect, box: Rect, size: tuple[float, float], handles: Iterable[Rect]
) -> Rect | None:
    """Return where a label of a box is: on no handle, and inside of the image; None: nowhere."""
    taken = tuple(handles)
    places = [Rect(x, y, *size) for x, y in _usual(frame, box, size)]
    free = next((place for place in places if _is_free(place, frame, taken)), None)
    return free or _nearest_free(places[-1], frame, taken)


def _usual(frame: Rect, box: Rect, size: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """Yield where a label of a box should be, the best first: inside, below, above, beside."""
    width, height = size
    along = max(frame.x, min(box.x + MARGIN, frame.right - width))
    low = box.bottom - MARGIN - height
    if box.height > TALL and box.width > width + 2 * MARGIN:
        yield box.x + MARGIN, low
    yield along, box.bottom + MARGIN
    yield along, box.y - MARGIN - height
    yield box.right + MARGIN, low
    yield box.x - MARGIN - width, low
    yield box.x + MARGIN, low


def _nearest_free(wanted: Rect, frame: Rect, taken: tuple[Rect, ...]) -> Rect | None:
    """Return the nearest place: where there is any, one of them touches what it avoids."""
    width, height = wanted.width, wanted.height
    across = {frame.x, frame.right - width, *(x for r in taken for x in (r.right, r.x - width))}
    down = {frame.y, frame.bottom - height, *(y for r in taken for y in (r.bottom, r.y - height))}
    places = (Rect(x, y, width, height) for x, y in product(sorted(across), sorted(down)))
    free = (place for place in places if _is_free(place, frame, taken))
    return min(free, key=lambda r: hypot(r.x - wanted.x, r.y - wanted.y), default=None)


def _is_free(place: Rect, frame: Rect, taken: tuple[Rect, ...]) -> bool:
    return place.is_inside(frame) and not any(map(place.meets, taken))
