"""How far decoded pixels are from those that were meant, where the coding loses something."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

Pixels = npt.NDArray[np.uint8]
_PEAK = 255


def psnr(decoded: Pixels, meant: Pixels) -> float | None:
    """Return the peak signal-to-noise ratio of 8-bit pixels in dB; None when they are equal."""
    return psnr_of_pictures(Image.fromarray(decoded), Image.fromarray(meant))


def psnr_of_pictures(decoded: Image.Image, meant: Image.Image) -> float | None:
    """Return the same of two pictures of 8-bit samples."""
    apart = ImageChops.difference(decoded, meant).histogram()
    squares = sum(n * (i % 256) ** 2 for i, n in enumerate(apart))
    samples = sum(apart)
    return round(10 * math.log10(_PEAK**2 * samples / squares), 2) if squares else None
