"""Lines in a box by which one composes: in parts of its width and height; pure."""

from collections.abc import Mapping
from enum import StrEnum

Line = tuple[float, float, float, float]  # from (x, y) to (x, y)


class Guides(StrEnum):
    """Which lines are drawn in the chosen box, or, as rulers, along its picture."""

    THIRDS = "thirds"
    GOLDEN = "golden section"
    DIAGONAL = "diagonals"
    CENTRE = "centre"
    MARGINS = "safe margins"
    RULERS = "rulers"
    NONE = "no lines"


def _crossing(*parts: float) -> tuple[Line, ...]:
    """Return lines across and down, at these parts."""
    return tuple(line for part in parts for line in ((part, 0, part, 1), (0, part, 1, part)))


def _framed(margin: float) -> tuple[Line, ...]:
    """Return the four sides of what is inside of a margin."""
    near, far = margin, 1 - margin
    corners = ((near, near), (far, near), (far, far), (near, far))
    return tuple((*corners[n - 1], *corners[n]) for n in range(4))


_GOLDEN = (5**0.5 - 1) / 2
_ACTION_SAFE, _TITLE_SAFE = 0.05, 0.1  # SMPTE RP 218: the middle 90 and 80 % of each side
LINES: Mapping[Guides, tuple[Line, ...]] = {
    Guides.THIRDS: _crossing(1 / 3, 2 / 3),
    Guides.GOLDEN: _crossing(1 - _GOLDEN, _GOLDEN),
    Guides.DIAGONAL: ((0, 0, 1, 1), (0, 1, 1, 0)),
    Guides.CENTRE: _crossing(0.5),
    Guides.MARGINS: (*_framed(_ACTION_SAFE), *_framed(_TITLE_SAFE)),
    Guides.RULERS: (),
    Guides.NONE: (),
}


def following(guides: Guides) -> Guides:
    """Return the next ones, round all of them."""
    every = tuple(Guides)
    return every[(every.index(guides) + 1) % len(every)]
