"""Lines in a box by which one composes: in parts of its width and height; pure."""

from collections.abc import Mapping
from enum import StrEnum

Line = tuple[float, float, float, float]  # from (x, y) to (x, y)


class Guides(StrEnum):
    """Which lines are drawn in the chosen box."""

    THIRDS = "thirds"
    GOLDEN = "golden section"
    DIAGONAL = "diagonals"
    CENTRE = "centre"
    NONE = "no lines"


def _crossing(*parts: float) -> tuple[Line, ...]:
    """Return lines across and down, at these parts."""
    return tuple(line for part in parts for line in ((part, 0, part, 1), (0, part, 1, part)))


_GOLDEN = (5**0.5 - 1) / 2
LINES: Mapping[Guides, tuple[Line, ...]] = {
    Guides.THIRDS: _crossing(1 / 3, 2 / 3),
    Guides.GOLDEN: _crossing(1 - _GOLDEN, _GOLDEN),
    Guides.DIAGONAL: ((0, 0, 1, 1), (0, 1, 1, 0)),
    Guides.CENTRE: _crossing(0.5),
    Guides.NONE: (),
}


def following(guides: Guides) -> Guides:
    """Return the next ones, round all of them."""
    every = tuple(Guides)
    return every[(every.index(guides) + 1) % len(every)]
