"""Decoded samples of a copy: cut out, turned upright, reduced, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cropkit.formats.rotation import rotated
from cropkit.formats.turning import turned
from cropkit.geometry import PixelBox, Size

Samples = npt.NDArray[Any]  # uint8 or uint16
CHANNELS: Mapping[str, int] = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}


@dataclass(frozen=True, slots=True)
class Pixels:
    """Samples of an image.

    Parameters
    ----------
    values : (height, width, channels), uint8 or uint16, in native byte order
    mode : Pillow's name of the channels: L, LA, RGB, RGBA or CMYK
    """

    values: Samples
    mode: str

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.values.shape[2] != CHANNELS[self.mode]:  # noqa: PLR2004  (rows, columns, channels)
            raise ValueError(f"{self.values.shape} for {self.mode}")

    @property
    def size(self) -> Size:
        """Width and height."""
        return Size(self.values.shape[1], self.values.shape[0])

    @property
    def bits(self) -> int:
        """Bits a sample, 8 or 16."""
        return 8 * self.values.itemsize

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is opacity."""
        return self.mode.endswith("A")

    @property
    def is_opaque(self) -> bool:
        """Whether nothing shows through."""
        peak = np.iinfo(self.values.dtype).max
        return not self.has_alpha or bool((self.values[..., -1] == peak).all())

    def cut(self, box: PixelBox, hundredths: int = 0) -> "Pixels":
        """Return what is inside a box, turned clockwise by hundredths of a degree."""
        if hundredths:
            turned_box = rotated(self.values, box, hundredths, has_alpha=self.has_alpha)
            return Pixels(turned_box, self.mode)
        return Pixels(self.values[box.top : box.bottom, box.left : box.right], self.mode)

    def upright(self, orientation: int) -> "Pixels":
        """Return stored pixels as a person sees them."""
        return Pixels(turned(self.values, orientation), self.mode)

    def without_alpha(self) -> "Pixels":
        """Return the colours alone."""
        return Pixels(np.ascontiguousarray(self.values[..., :-1]), self.mode[:-1])

    def in_rgb(self) -> "Pixels":
        """Return grey as three equal channels."""
        grey, rest = self.values[..., :1], self.values[..., 1:]
        return Pixels(
            np.concatenate([grey, grey, grey, rest], axis=2), self.mode.replace("L", "RGB")
        )

    def in_8_bits(self) -> "Pixels":
        """Return samples of 8 bits, each rounded once."""
        wide = self.values.astype(np.uint32)
        return Pixels(((wide * 255 + 32767) // 65535).astype(np.uint8), self.mode)

    def picture(self) -> Image.Image:
        """Return samples of 8 bits as a picture."""
        values = self.values[..., 0] if self.mode == "L" else self.values
        return Image.fromarray(np.ascontiguousarray(values), self.mode)


def of_picture(picture: Image.Image, mode: str) -> Pixels:
    """Return the pixels of a picture in one of the modes; I;16 is L of 16 bits."""
    values = np.asarray(picture)
    if values.dtype.itemsize == 2:  # noqa: PLR2004  (bytes, which Pillow may hold in either order)
        values = values.astype(np.uint16)
    return Pixels(values.reshape(*values.shape[:2], CHANNELS[mode]), mode)
