"""How much room a page of the browser has for the review; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from cropkit.review.view.layout import LOWEST, NARROWEST

_WIDEST, _HIGHEST = 7680, 4320
_RATIOS = (0.25, 8.0)


@dataclass(frozen=True, slots=True)
class Room:
    """What a review may be as large as: CSS pixels, and pixels of the screen for one of them."""

    width: int
    height: int
    ratio: float


def measured(numbers: Sequence[object]) -> Room:
    """Return the room that a browser tells, within what can be laid out.

    Raises
    ------
    ValueError
        These are not three finite numbers.
    """
    width, height, ratio = (float(str(number)) for number in numbers)
    if not all(map(isfinite, (width, height, ratio))):
        msg = f"no room has the size {numbers}"
        raise ValueError(msg)
    return Room(
        round(min(_WIDEST, max(NARROWEST, width))),
        round(min(_HIGHEST, max(LOWEST, height))),
        min(_RATIOS[1], max(_RATIOS[0], ratio)),
    )
