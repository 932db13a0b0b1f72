"""How far a decoded lossy WebP may be from the pixels it was made of: a limit for each block.

VP8 quantises the coefficients of 4 x 4 blocks with a dead zone, so the error of each is spread over
a whole step to either side at the most: step / sqrt(3) in the root mean square. The transform
doubles lengths (RFC 6386, 14.3), which makes it step / sqrt(12) in pixels. Chroma is stored at half
resolution, and saturated colours that it pushes out of range are clipped on the way back to RGB,
which moves the luma and the mean colour of a block: `_CLIPPING` is more than saturated noise shows.
"""

import math

import numpy as np
from PIL import Image, ImageChops

from cropkit.formats.psnr import Pixels

_BLOCK = 16
_CLIPPING = 4.0


def excess(decoded: Image.Image, meant: Image.Image, step: int) -> float:
    """Return how much of its limit the worst block uses; over 1, it is not from coding alone.

    Parameters
    ----------
    step : the coarsest quantiser step of the frame
    """
    limit = step / math.sqrt(12) + _CLIPPING
    luma = ImageChops.difference(*(picture.convert("L") for picture in (decoded, meant)))
    colour = ImageChops.difference(*(_block_means(picture) for picture in (decoded, meant)))
    return max(_root_mean_square(np.asarray(luma)), float(np.asarray(colour).max())) / limit


def _block_means(picture: Image.Image) -> Image.Image:
    """Return the mean colour of whole blocks; of a sliver, half-resolution chroma tells little."""
    width, height = (side - side % _BLOCK or side for side in picture.size)
    return picture.reduce(_BLOCK, (0, 0, width, height))


def _root_mean_square(apart: Pixels) -> float:
    """Return that of the worst block; those at the right and bottom edges may be smaller."""
    starts = [np.arange(0, side, _BLOCK) for side in apart.shape]
    squares = np.multiply(apart, apart, dtype=np.uint16)
    rows = np.add.reduceat(squares, starts[0], axis=0, dtype=np.uint32)
    sums = np.add.reduceat(rows, starts[1], axis=1)
    sides = [np.diff(s, append=side) for s, side in zip(starts, apart.shape, strict=True)]
    return float(np.sqrt((sums / np.outer(*sides)).max()))
