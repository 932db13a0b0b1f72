"""Edits of a crop box: move it, drag an edge or a corner, nudge it, hold its aspect ratio; pure.

Every function takes a box inside the image and returns one inside the image, never empty. Distances
are in upright pixels and may be fractions (a mouse moves less than a pixel); edges are whole.
"""

from enum import Enum
from math import dist

from cropkit.geometry import PixelBox, Size

# The opposite corner or edge stays where it is: -1 moves left/top, 1 moves right/bottom, 0 neither.
_Sides = tuple[int, int]


class Grip(Enum):
    """What a hand holds of a box: (horizontal side, vertical side)."""

    TOP_LEFT = (-1, -1)
    TOP = (0, -1)
    TOP_RIGHT = (1, -1)
    RIGHT = (1, 0)
    BOTTOM_RIGHT = (1, 1)
    BOTTOM = (0, 1)
    BOTTOM_LEFT = (-1, 1)
    LEFT = (-1, 0)
    WHOLE = (0, 0)


CORNERS = (Grip.TOP_LEFT, Grip.TOP_RIGHT, Grip.BOTTOM_RIGHT, Grip.BOTTOM_LEFT)
HANDLES = tuple(grip for grip in Grip if grip is not Grip.WHOLE)


def moved(box: PixelBox, dx: float, dy: float, size: Size) -> PixelBox:
    """Shift the whole box, as far as the image allows."""
    left = _clamped(box.left + round(dx), 0, size.width - box.size.width)
    top = _clamped(box.top + round(dy), 0, size.height - box.size.height)
    return PixelBox.from_xywh(left, top, box.size.width, box.size.height)


def dragged(
    box: PixelBox,
    grip: Grip,
    by: tuple[float, float],
    size: Size,
    ratio: float | None = None,
    *,
    from_centre: bool = False,
) -> PixelBox:
    """Drag one grip of `box` by (dx, dy); with `ratio` (width / height) the shape is held.

    From the centre, the side opposite moves as far the other way, as long as both have room.
    """
    if grip is Grip.WHOLE:
        return moved(box, *by, size)
    if from_centre:
        return _dragged_from_centre(box, grip.value, by, size, ratio)
    if ratio is None:
        return _dragged_freely(box, grip.value, by, size)
    return _dragged_in_shape(box, grip.value, by, size, ratio)


def resized(
    box: PixelBox, by: tuple[float, float], size: Size, ratio: float | None = None
) -> PixelBox:
    """Move the right and bottom edges, as the keys do; left and top stay."""
    return dragged(box, Grip.BOTTOM_RIGHT, by, size, ratio)


def fitted(box: PixelBox, ratio: float) -> PixelBox:
    """Return the largest box of a shape inside `box`, on the same middle."""
    width, height = box.size.width, box.size.height
    if width > height * ratio:
        width = _clamped(round(height * ratio), 1, width)
    else:
        height = _clamped(round(width / ratio), 1, height)
    left = box.left + (box.size.width - width) // 2
    top = box.top + (box.size.height - height) // 2
    return PixelBox.from_xywh(left, top, width, height)


def sized(box: PixelBox, wanted: Size, size: Size) -> PixelBox:
    """Return a box of the size wanted, on the same middle as far as the image allows."""
    width, height = min(wanted.width, size.width), min(wanted.height, size.height)
    left = _clamped(box.left + (box.size.width - width) // 2, 0, size.width - width)
    top = _clamped(box.top + (box.size.height - height) // 2, 0, size.height - height)
    return PixelBox.from_xywh(left, top, width, height)


def snapped_to_border(
    box: PixelBox, grip: Grip, by: tuple[float, float], size: Size, reach: float
) -> tuple[float, float]:
    """Lengthen or shorten a pull so that what it moves meets a border of the image nearby.

    Parameters
    ----------
    reach : how near, in pixels of the image
    """
    column, row = grip.value
    return (
        _drawn((box.left, box.right), column, by[0], size.width, reach),
        _drawn((box.top, box.bottom), row, by[1], size.height, reach),
    )


def _drawn(span: tuple[int, int], side: int, by: float, extent: int, reach: float) -> float:
    low, high = -span[0], extent - span[1]  # the pulls that meet a border
    moved = [meets for meets, moves in ((low, side <= 0), (high, side >= 0)) if moves]
    near = [meets for meets in moved if abs(by - meets) <= reach]
    return float(min(near, key=lambda meets: abs(by - meets))) if near else by


def grip_at(
    edges: tuple[float, float, float, float], x: float, y: float, reach: float
) -> Grip | None:
    """Find what of a box a point takes hold of; None outside.

    Parameters
    ----------
    edges : left, top, right, bottom of the box on the canvas
    reach : how far from an edge it can still be taken, outside; inside it is at most a third of
        the box, so that a small box can still be moved
    """
    left, top, right, bottom = edges
    column, row = _side(x, left, right, reach), _side(y, top, bottom, reach)
    return None if column is None or row is None else Grip((column, row))


def corner_beside(
    edges: tuple[float, float, float, float], x: float, y: float, reach: float, beyond: float
) -> Grip | None:
    """Find the corner of a box that a point is near to, outside of what `grip_at` takes hold of.

    Parameters
    ----------
    beyond : how far from the corner that is at most
    """
    if grip_at(edges, x, y, reach) is not None:
        return None
    away = {corner: dist(handle_point(edges, corner), (x, y)) for corner in CORNERS}
    nearest = min(CORNERS, key=lambda corner: away[corner])
    return nearest if away[nearest] <= beyond else None


def handle_point(edges: tuple[float, float, float, float], grip: Grip) -> tuple[float, float]:
    """Return where the middle of a handle is drawn."""
    left, top, right, bottom = edges
    column, row = grip.value
    return left + (right - left) * (column + 1) / 2, top + (bottom - top) * (row + 1) / 2


def _side(at: float, low: float, high: float, reach: float) -> int | None:
    inner = min(reach, (high - low) / 3)
    if not low - reach <= at <= high + reach:
        return None
    return -1 if at <= low + inner else 1 if at >= high - inner else 0


def _dragged_freely(box: PixelBox, sides: _Sides, by: tuple[float, float], size: Size) -> PixelBox:
    left, right = _stretched((box.left, box.right), sides[0], by[0], size.width)
    top, bottom = _stretched((box.top, box.bottom), sides[1], by[1], size.height)
    return PixelBox(left, top, right, bottom)


def _stretched(span: tuple[int, int], side: int, by: float, extent: int) -> tuple[int, int]:
    low, high = span
    if side < 0:
        return _clamped(low + round(by), 0, high - 1), high
    if side > 0:
        return low, _clamped(high + round(by), low + 1, extent)
    return span


def _dragged_in_shape(
    box: PixelBox, sides: _Sides, by: tuple[float, float], size: Size, ratio: float
) -> PixelBox:
    grow = (by[0] * sides[0], by[1] * sides[1])
    room = (
        _room((box.left, box.right), sides[0], size.width),
        _room((box.top, box.bottom), sides[1], size.height),
    )
    # The side that the hand moved further leads and is exact; the other follows by the ratio.
    if abs(grow[0]) >= abs(grow[1]) * ratio and sides[0]:
        width, height = _led(box.size.width + grow[0], room, ratio)
    else:
        height, width = _led(box.size.height + grow[1], room[::-1], 1 / ratio)
    left = _placed((box.left, box.right), sides[0], width, size.width)
    top = _placed((box.top, box.bottom), sides[1], height, size.height)
    return PixelBox.from_xywh(left, top, width, height)


def _dragged_from_centre(
    box: PixelBox, sides: _Sides, by: tuple[float, float], size: Size, ratio: float | None
) -> PixelBox:
    across, down = (box.left, box.right), (box.top, box.bottom)
    grow = (2 * by[0] * sides[0], 2 * by[1] * sides[1])
    room = (_room_both_ways(across, size.width), _room_both_ways(down, size.height))
    width, height = box.size.width, box.size.height
    if ratio is None:
        width = _clamped(round(width + grow[0]), 1, room[0])
        height = _clamped(round(height + grow[1]), 1, room[1])
    elif abs(grow[0]) >= abs(grow[1]) * ratio and sides[0]:
        width, height = _led(width + grow[0], room, ratio)
    else:
        height, width = _led(height + grow[1], room[::-1], 1 / ratio)
    left, top = _placed(across, 0, width, size.width), _placed(down, 0, height, size.height)
    return PixelBox.from_xywh(left, top, width, height)


def _room_both_ways(span: tuple[int, int], extent: int) -> int:
    return span[1] - span[0] + 2 * min(span[0], extent - span[1])


def _room(span: tuple[int, int], side: int, extent: int) -> int:
    return {-1: span[1], 0: extent, 1: extent - span[0]}[side]


def _led(wanted: float, room: tuple[int, int], ratio: float) -> tuple[int, int]:
    leading = _clamped(round(wanted), 1, max(1, min(room[0], int(room[1] * ratio))))
    return leading, _clamped(round(leading / ratio), 1, room[1])


def _placed(span: tuple[int, int], side: int, length: int, extent: int) -> int:
    if side > 0:
        return span[0]
    if side < 0:
        return span[1] - length
    return _clamped((span[0] + span[1] - length) // 2, 0, extent - length)


def _clamped(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))
