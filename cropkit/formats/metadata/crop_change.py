"""What a crop changes for the metadata around the pixels; in stored pixels."""

import math
from dataclasses import dataclass

from cropkit.geometry import PixelBox, Size, Turn
from cropkit.straightening import enclosing

SHOWS_MORE = "it shows what was cropped out"
MAY_SHOW = "they may show what was cropped out"
OLD_FRAME = "its coordinates are those of the old frame"


Rectangle = tuple[float, float, float, float]  # left, top, width, height


@dataclass(frozen=True, slots=True)
class Change:
    """A stored image of size `before`, cropped to the stored `box`."""

    before: Size
    box: PixelBox

    @property
    def after(self) -> Size:
        """Stored size of the crop."""
        return self.box.size

    @property
    def is_none(self) -> bool:
        """Whether the whole image is kept."""
        return self.before == self.after

    @property
    def is_upright(self) -> bool:
        """Whether the new pixels are stored as they are seen, whatever the old ones were."""
        return False

    @property
    def is_turned(self) -> bool:
        """Whether rows or columns stand in another order than they were stored in."""
        return False

    @property
    def is_on_side(self) -> bool:
        """Whether rows have become columns."""
        return False

    def stated(self, width: int, height: int) -> tuple[int, int]:
        """Return what a pair of dimension tags should say now.

        Some writers state the upright size of an image that is stored on its side.
        """
        turned = (width, height) == (self.before.height, self.before.width)
        size = self.after.swapped if turned and self.before.swapped != self.before else self.after
        return size.width, size.height

    def moved(self, x: int, y: int) -> tuple[int, int] | None:
        """Return where a point of the image is now, None when it was cropped away."""
        box = self.box
        inside = box.left <= x < box.right and box.top <= y < box.bottom
        return (x - box.left, y - box.top) if inside else None

    def extents(self, *lengths: int) -> tuple[int, ...]:
        """Return what widths, heights or diameters in the image are now: a crop leaves them."""
        return lengths

    @property
    def result(self) -> Size:
        """Size of the new image, as it is stored."""
        return self.box.size

    def placed(self, area: Rectangle) -> Rectangle | None:
        """Return where what the crop shows of an area is now; None where it shows nothing.

        Sides may be 0, for a point.
        """
        left, top, width, height = area
        box = self.box
        right, bottom = min(left + width, box.right), min(top + height, box.bottom)
        left, top = max(left, box.left), max(top, box.top)
        outside = right < left or bottom < top or left >= box.right or top >= box.bottom
        if outside or (width and right == left) or (height and bottom == top):
            return None
        return left - box.left, top - box.top, right - left, bottom - top


@dataclass(frozen=True, slots=True)
class Resampling(Change):
    """A crop that is turned upright, or as somebody wants it, and brought to another size.

    Parameters
    ----------
    orientation : the EXIF orientation that the stored image had, with the turn that is wanted
    size : of the new file, upright
    hundredths : of a degree, by which what is stored is turned clockwise about the box's middle
        first; areas become the smallest upright ones around them
    """

    orientation: int
    size: Size
    hundredths: int = 0

    @property
    def is_none(self) -> bool:
        """Whether the new file shows what the old one stored, pixel by pixel."""
        return (self.before, self.orientation, self.hundredths) == (self.size, 1, 0)

    @property
    def is_upright(self) -> bool:
        """Whether the new pixels are stored as they are seen."""
        return True

    @property
    def is_turned(self) -> bool:
        """Whether rows or columns stand in another order than they were stored in."""
        return self.orientation != 1 or self.hundredths != 0

    @property
    def is_on_side(self) -> bool:
        """Whether rows have become columns."""
        return self.orientation >= _FIRST_SWAPPED

    def stated(self, _width: int, _height: int) -> tuple[int, int]:
        """Return what a pair of dimension tags should say now."""
        return self.size.width, self.size.height

    def moved(self, x: int, y: int) -> tuple[int, int] | None:
        """Return where a stored point is now, None when it was cropped away."""
        box, upright = self.box, self.before.oriented(self.orientation)
        left, top, _, _ = self._about_middle((x + 1 / 2, y + 1 / 2, 0, 0))
        x, y = math.floor(left), math.floor(top)
        if not (box.left <= x < box.right and box.top <= y < box.bottom):
            return None
        point = PixelBox(x, y, x + 1, y + 1).upright(self.before, self.orientation)
        crop = box.upright(self.before, self.orientation).within(upright)
        across, down = self._scale
        return int((point.left - crop.left) * across), int((point.top - crop.top) * down)

    def extents(self, *lengths: int) -> tuple[int, ...]:
        """Return what a diameter, or a width and a height, in the stored image are now."""
        across, down = self._scale
        if len(lengths) > 1:
            lengths = tuple(round(side) for side in self._around(lengths[0], lengths[1]))
        turned = self.before.oriented(self.orientation) != self.before
        ordered = lengths[::-1] if turned and len(lengths) > 1 else lengths
        return tuple(max(1, round(n * by)) for n, by in zip(ordered, (across, down), strict=False))

    @property
    def result(self) -> Size:
        """Size of the new image."""
        return self.size

    def placed(self, area: Rectangle) -> Rectangle | None:
        """Return where what the crop shows of a stored area is now."""
        shown = Change.placed(self, self._about_middle(area))
        if shown is None:
            return None
        left, top, width, height = _turned(shown, self.box.size, self.orientation)
        across, down = self._scale
        return left * across, top * down, width * across, height * down

    def _about_middle(self, area: Rectangle) -> Rectangle:
        """Return the upright area around one that is turned with what is stored."""
        if not self.hundredths:
            return area
        left, top, width, height = area
        middle = complex(self.box.left + self.box.right, self.box.top + self.box.bottom) / 2
        radians = math.radians(self.hundredths / 100)
        away = complex(left + width / 2, top + height / 2) - middle
        at = middle + away * complex(math.cos(radians), math.sin(radians))
        wide, high = self._around(width, height)
        return at.real - wide / 2, at.imag - high / 2, wide, high

    def _around(self, width: float, height: float) -> tuple[float, float]:
        return enclosing((width, height), Turn(1, self.hundredths))

    @property
    def _scale(self) -> tuple[float, float]:
        crop = self.box.size.oriented(self.orientation)
        return self.size.width / crop.width, self.size.height / crop.height


def changed(before: Size, box: PixelBox, orientation: int, turn: Turn) -> Change:
    """Return what a crop changes that may be turned: then its pixels are stored as they are seen.

    Parameters
    ----------
    before, box : stored pixels
    orientation : the EXIF orientation of the image
    """
    if turn.is_none:
        return Change(before, box)
    both = Turn(orientation).then(turn)
    return Resampling(before, box, both.orientation, box.size.turned(both), both.hundredths)


def _turned(area: Rectangle, size: Size, orientation: int) -> Rectangle:
    """Return an area of a stored image in the upright one, as `PixelBox.upright` does."""
    left, top, width, height = area
    if orientation in _FLIPPED_X:
        left = size.width - left - width
    if orientation in _FLIPPED_Y:
        top = size.height - top - height
    return (
        (top, left, height, width) if orientation >= _FIRST_SWAPPED else (left, top, width, height)
    )


# Exif 2.32, tag 0112: which corner of the scene the first row and column stand for.
_FLIPPED_X, _FLIPPED_Y, _FIRST_SWAPPED = (2, 3, 7, 8), (3, 4, 6, 7), 5
