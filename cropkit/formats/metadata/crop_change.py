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
