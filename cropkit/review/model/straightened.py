"""A box of an image that is straightened stays inside of it, and of the ratio it is held to; pure.

All is as it is seen: a quarter turn, or a mirror image, of what is inside is inside.
"""

from collections.abc import Iterator
from dataclasses import replace

from cropkit.geometry import PixelBox, Size, Turn
from cropkit.review.model.aiming import aimed
from cropkit.review.model.box_editing import Grip
from cropkit.straightening import is_inside, nearest
from cropkit.targets import Fit, Target

_HALVINGS = 14  # of a pull, until it ends at the pixel
_SMALLER = 8  # pixels off each side: then a box of the ratio has its place

Held = tuple[PixelBox, Fit | None]


def brought_inside(box: PixelBox, fit: Fit | None, image: Size, turn: Turn) -> Held:
    """Return the nearest box that is inside; where it fits a target, the nearest that does.

    Raises
    ------
    BadBox
        The image has room for none.
    """
    inside = nearest(box, image, turn)
    if fit is None:
        return inside, None
    for smaller in _smaller(inside):
        other = aimed(smaller, image, (fit.target,)).box
        there = nearest(other, image, turn)
        if there.size == other.size:
            return there, replace(fit, box=there)
    return inside, replace(fit, box=inside)


def _smaller(box: PixelBox) -> Iterator[PixelBox]:
    """Yield a box, and those that have less at each side."""
    yield box
    most = (min(box.size.width, box.size.height) - 1) // 2
    for less in range(1, min(most, _SMALLER) + 1):
        yield PixelBox(box.left + less, box.top + less, box.right - less, box.bottom - less)


def pulled(
    ends: tuple[PixelBox, PixelBox], grip: Grip, image: Size, turn: Turn, aims: tuple[Target, ...]
) -> Held | None:
    """Return the last box on the way from one to another that is inside; None: not even one.

    Parameters
    ----------
    grip : what was pulled
    """
    (before, after), best, low, high = ends, None, 0.0, 1.0
    for _ in range(_HALVINGS):
        part = (low + high) / 2
        edges = zip(before.xyxy, after.xyxy, strict=True)
        some = PixelBox(*(round(a + (b - a) * part) for a, b in edges))
        fit = aimed(some, image, aims, grip) if aims else None
        box = fit.box if fit else some
        if is_inside(box, image, turn):
            best, low = (box, fit), part
        else:
            high = part
    return best
