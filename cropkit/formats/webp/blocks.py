"""How far a decoded lossy WebP may be from the pixels it was made of: a limit for each block.

VP8 quantises the coefficients of 4 x 4 blocks with a dead zone, so the error of each is spread over
a whole step to either side at the most: step / sqrt(3) in the root mean square. The transform
doubles lengths (RFC 6386, 14.3), which makes it step / sqrt(12) in pixels. Chroma is stored at half
resolution, and saturated colours that it pushes out of range are clipped on the way back to RGB,
which moves the luma and the mean colour of a block: `_CLIPPING` is more than saturated noise shows.

Where that is not enough, colours change from pixel to pixel: then what half the resolution alone
does to these very pixels is allowed as well, seen through their opacity, by which libwebp weighs
them.
"""

import math

import numpy as np
from PIL import Image, ImageChops

from cropkit.formats.psnr import Pixels

_BLOCK = 16
_CLIPPING = 4.0
_IN_RGB = (
    2.02  # by that RGB shows an error of chroma, which fewer pixels than a block do not average
)
_OF_HALVING = 2.0  # libwebp averages light and not numbers, and interpolates otherwise than Pillow


def excess(
    decoded: Image.Image, meant: Image.Image, step: int, alpha: Image.Image | None = None
) -> float:
    """Return how much of its limit the worst block uses; over 1, it is not from coding alone.

    Parameters
    ----------
    decoded, meant : RGB
    step : the coarsest quantiser step of the frame
    """
    limit = step / math.sqrt(12) + _CLIPPING
    used = _apart(decoded, meant) / limit
    if used <= 1:
        return used
    opacity = Image.new("L", meant.size, 255) if alpha is None else alpha
    shown, as_meant = (_seen(picture, opacity) for picture in (decoded, meant))
    halving = _apart(_seen(_halved(meant, opacity), opacity), as_meant)
    return _apart(shown, as_meant) / (limit + _OF_HALVING * halving)


def _apart(decoded: Image.Image, meant: Image.Image) -> float:
    """Return by how much the worst block is off, in luma or in mean colour."""
    luma = ImageChops.difference(*(picture.convert("L") for picture in (decoded, meant)))
    colour = ImageChops.difference(*(_block_means(picture) for picture in (decoded, meant)))
    mean = float(np.asarray(colour).max()) / (_IN_RGB if min(meant.size) < _BLOCK else 1)
    return max(_root_mean_square(np.asarray(luma)), mean)


def _seen(picture: Image.Image, opacity: Image.Image) -> Image.Image:
    return ImageChops.multiply(picture, Image.merge("RGB", [opacity] * 3))


def _halved(picture: Image.Image, opacity: Image.Image) -> Image.Image:
    """Return a picture whose colours went through half the resolution, weighed by opacity."""
    weight = np.asarray(opacity, np.float32) + 1
    total = np.asarray(Image.fromarray(weight).reduce(2))
    luma, *colours = picture.convert("YCbCr").split()
    after = [luma]
    for band in colours:
        weighed = Image.fromarray(np.asarray(band, np.float32) * weight).reduce(2)
        mean = Image.fromarray(np.asarray(weighed) / total)
        after.append(mean.resize(picture.size, Image.Resampling.BILINEAR).convert("L"))
    return Image.merge("YCbCr", after).convert("RGB")


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
