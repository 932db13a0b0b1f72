"""Which target a box is for, and how it is made to fit; pure.

`cropkit.targets` says which box fits. What a hand has pulled is that size, too, but it stays where
the hand did not pull.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from cropkit.geometry import PixelBox, Size
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.slots import slot_of
from cropkit.targets import Fit, Target, nearest
from cropkit.wanted import Wanted, of_slot

_KEPT = 1024  # fits: what is shown is asked for again with each drawing

# of a box, the size of its image, and targets
at_best = lru_cache(_KEPT)(nearest)


def targets_of(path: str, wanted: Sequence[Wanted]) -> tuple[Target, ...]:
    """Return what a crop may be for."""
    return of_slot(slot_of(path), wanted).targets


def aimed(box: PixelBox, image: Size, among: tuple[Target, ...], grip: Grip = Grip.WHOLE) -> Fit:
    """Fit a box to the nearest target.

    Parameters
    ----------
    grip : what was pulled of it: the opposite edges stay, as far as the image has room
    """
    fit = at_best(box, image, among)
    column, row = grip.value
    width, height = fit.box.size.width, fit.box.size.height
    left = _placed((box.left, box.right), column, width, fit.box.left)
    top = _placed((box.top, box.bottom), row, height, fit.box.top)
    left, top = min(max(left, 0), image.width - width), min(max(top, 0), image.height - height)
    return replace(fit, box=PixelBox.from_xywh(left, top, width, height))


def _placed(span: tuple[int, int], side: int, length: int, middle: int) -> int:
    return {-1: span[1] - length, 0: middle, 1: span[0]}[side]


def along_short_side(fit: Fit, by: tuple[float, float]) -> tuple[float, float]:
    """Return a pull of one edge as one of the shorter side: the other follows by half pixels."""
    length, upright = sum(by), fit.target.width <= fit.target.height
    return (length, 0.0) if upright else (0.0, length)
