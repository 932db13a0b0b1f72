"""Boxes of an image that is straightened: whether the turned box is inside, and which one is; pure.

A box is one of the image as a person sees it before the turn, and a fine angle turns it about its
own middle (`cropkit.geometry.Turn`). Nothing is filled in: the turned box, and the box itself, are
inside of the image, so that each pixel of the crop has its source, and a box says where it is.

A rectangle of width w and height h, turned by an angle a, is inside of an upright one that is
w cos a + h sin a wide and w sin a + h cos a high: the sums of what its two sides are across and
down. All that is here follows from that. Which side the turn goes to makes no difference.
"""

import math

from cropkit.errors import BadBox
from cropkit.geometry import PixelBox, Size, Turn

_SLACK = 1e-6  # pixels: doubles are off by far less in the largest image, and no pixel by so much
Sides = tuple[float, float]


def enclosing(sides: Sides, turn: Turn) -> Sides:
    """Return width and height of the upright box around one of these sides that is turned."""
    cos, sin = _cos_sin(turn)
    width, height = sides
    return width * cos + height * sin, width * sin + height * cos


def is_inside(box: PixelBox, image: Size, turn: Turn) -> bool:
    """Whether a box, and what it is when it is turned, are inside of an image."""
    return _placed(box.size, image, turn, _middle(box)) == box


def check_inside(box: PixelBox, image: Size, turn: Turn) -> PixelBox:
    """Return the box itself, or refuse it with the nearest one that is inside.

    Raises
    ------
    BadBox
        It reaches outside, itself or when it is turned.
    """
    box.within(image)
    if is_inside(box, image, turn):
        return box
    inside = ",".join(map(str, nearest(box, image, turn).xyxy))
    why = f"reaches outside the {image.width} x {image.height} image when it is turned by"
    raise BadBox(box.xyxy, f"{why} {turn.angle:g} degrees; {inside} does not")


def around(box: PixelBox, image: Size, turn: Turn, *, beyond: int = 0) -> PixelBox:
    """Return the upright box around one that is turned, and some pixels more; within the image."""
    wide, high = enclosing((box.size.width, box.size.height), turn)
    x, y = _middle(box)
    left, right = math.floor(x - wide / 2) - beyond, math.ceil(x + wide / 2) + beyond
    top, bottom = math.floor(y - high / 2) - beyond, math.ceil(y + high / 2) + beyond
    edges = (min(right, image.width), min(bottom, image.height))
    return PixelBox(max(0, left), max(0, top), *edges)


def top_left(box: PixelBox, turn: Turn) -> Sides:
    """Return where the corner of a turned box is that is the crop's upper left one, in pixels."""
    radians = math.radians(turn.angle)
    cos, sin = math.cos(radians), math.sin(radians)
    (x, y), half = _middle(box), (box.size.width / 2, box.size.height / 2)
    return x - half[0] * cos - half[1] * sin, y + half[0] * sin - half[1] * cos


def largest(image: Size, turn: Turn, aspect_ratio: float | None = None) -> PixelBox:
    """Return the largest box in the middle that is inside when it is turned.

    Its sides are those of the largest rectangle, rounded down to pixels, and up to two pixels less
    where whole ones have no place for them.

    Parameters
    ----------
    aspect_ratio : width over height of the box, before quarter turns; None for whichever is largest

    Raises
    ------
    BadBox
        Not one pixel has its place.
    """
    sides = _sides(image, turn) if aspect_ratio is None else (aspect_ratio, 1.0)
    return _fitted(sides, image, turn, (image.width / 2, image.height / 2))


def nearest(box: PixelBox, image: Size, turn: Turn) -> PixelBox:
    """Return the box inside of the image that is nearest to one when both are turned.

    It has the same size where there is room for that, else the largest of the same ratio; and it is
    moved the least.

    Raises
    ------
    BadBox
        Not one pixel has its place.
    """
    same = _placed(box.size, image, turn, _middle(box))
    sides = (float(box.size.width), float(box.size.height))
    return _fitted(sides, image, turn, _middle(box)) if same is None else same


def _sides(image: Size, turn: Turn) -> Sides:
    """Return the sides of the rectangle of most area that is inside when it is turned.

    Its four corners touch the image's edges, and both sums above are the image's sides, unless the
    image is so narrow that only the long edges bind: then the area is most where both parts of
    that sum are alike, by the inequality of means.
    """
    cos, sin = _cos_sin(turn)
    short, long = sorted((image.width, image.height))
    if short <= 2 * sin * cos * long:
        across, down = short / (2 * sin), short / (2 * cos)
        return (across, down) if image.width >= image.height else (down, across)
    double = cos * cos - sin * sin
    width, height = image.width, image.height
    return (width * cos - height * sin) / double, (height * cos - width * sin) / double


def _fitted(sides: Sides, image: Size, turn: Turn, middle: Sides) -> PixelBox:
    """Return the largest box with sides in that ratio that has a place, nearest to a middle."""
    wide, high = enclosing(sides, turn)
    bounds = (image.width / wide, image.height / high)
    factor = min(*bounds, image.width / sides[0], image.height / sides[1])
    short, long = sorted(sides)
    for length in range(math.floor(long * factor + _SLACK), 0, -1):
        other = max(1, math.floor(length * short / long + _SLACK))
        size = Size(length, other) if sides[0] == long else Size(other, length)
        placed = _placed(size, image, turn, middle)
        if placed is not None:
            return placed
    what = f"no pixel of a {image.width} x {image.height} image has room to be turned"
    raise BadBox((image.width, image.height), f"{what} by {turn.angle:g} degrees")


def _placed(size: Size, image: Size, turn: Turn, middle: Sides) -> PixelBox | None:
    """Return the box of a size that is inside, nearest to a middle; None where there is no room."""
    wide, high = enclosing((size.width, size.height), turn)
    left = _first(size.width, wide, image.width, middle[0])
    top = _first(size.height, high, image.height, middle[1])
    if left is None or top is None:
        return None
    return PixelBox(left, top, left + size.width, top + size.height)


def _first(side: int, turned: float, extent: int, middle: float) -> int | None:
    """Return the first column or row of a side whose middle is nearest to one, if it has room."""
    margin = max(0.0, (turned - side) / 2)
    low, high = math.ceil(margin - _SLACK), math.floor(extent - side - margin + _SLACK)
    wanted = math.floor(middle - side / 2 + 1 / 2)
    return None if low > high else min(max(wanted, low), high)


def _middle(box: PixelBox) -> Sides:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _cos_sin(turn: Turn) -> Sides:
    angle = math.radians(abs(turn.angle))
    return math.cos(angle), math.sin(angle)
