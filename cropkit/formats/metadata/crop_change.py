"""What a crop changes for the metadata around the pixels; in stored pixels."""

from dataclasses import dataclass

from cropkit.geometry import PixelBox, Size

SHOWS_MORE = "it shows what was cropped out"


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


@dataclass(frozen=True, slots=True)
class Resampling(Change):
    """A crop that is turned upright, and brought to another size.

    Parameters
    ----------
    orientation : the EXIF orientation that the stored image had
    size : of the new file, upright
    """

    orientation: int
    size: Size

    @property
    def is_none(self) -> bool:
        """Whether the new file shows what the old one stored, pixel by pixel."""
        return (self.before, self.orientation) == (self.size, 1)

    def stated(self, _width: int, _height: int) -> tuple[int, int]:
        """Return what a pair of dimension tags should say now."""
        return self.size.width, self.size.height

    def moved(self, x: int, y: int) -> tuple[int, int] | None:
        """Return where a stored point is now, None when it was cropped away."""
        box, upright = self.box, self.before.oriented(self.orientation)
        if not (box.left <= x < box.right and box.top <= y < box.bottom):
            return None
        point = PixelBox(x, y, x + 1, y + 1).upright(self.before, self.orientation)
        crop = box.upright(self.before, self.orientation).within(upright)
        across, down = self._scale
        return int((point.left - crop.left) * across), int((point.top - crop.top) * down)

    def extents(self, *lengths: int) -> tuple[int, ...]:
        """Return what a diameter, or a width and a height, in the stored image are now."""
        across, down = self._scale
        turned = self.before.oriented(self.orientation) != self.before
        ordered = lengths[::-1] if turned and len(lengths) > 1 else lengths
        return tuple(max(1, round(n * by)) for n, by in zip(ordered, (across, down), strict=False))

    @property
    def _scale(self) -> tuple[float, float]:
        crop = self.box.size.oriented(self.orientation)
        return self.size.width / crop.width, self.size.height / crop.height
