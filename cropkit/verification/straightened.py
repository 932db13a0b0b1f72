"""What a box holds that is turned by a fine angle, worked out anew.

The filter is the one that is documented: the Catmull-Rom spline through four samples each way, with
the image's last rows and columns repeated beyond its edges, and colours weighed by their opacity.
"""

import cmath
import math

import numpy as np
import numpy.typing as npt

from cropkit.geometry import PixelBox
from cropkit.verification.decoding import Samples

Exact = npt.NDArray[np.float64]
Whole = npt.NDArray[np.intp]
_BAND = 64  # rows at a time


def straightened(samples: Samples, box: PixelBox, degrees: float, *, has_alpha: bool) -> Samples:
    """Return the samples of a box in a picture that is seen turned clockwise about its middle."""
    planes = samples[..., None] if samples.ndim == 2 else samples  # noqa: PLR2004  (rows, columns)
    width, height = box.size.width, box.size.height
    after = np.empty((height, width, planes.shape[2]), samples.dtype)
    across, down = np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2
    middle = complex(box.left + box.right - 1, box.top + box.bottom - 1) / 2
    back = cmath.rect(1, -math.radians(degrees))
    for top in range(0, height, _BAND):
        places = middle + (across + 1j * down[top : top + _BAND, None]) * back
        after[top : top + _BAND] = _at(planes, places, has_alpha=has_alpha)
    return after.reshape(height, width, *samples.shape[2:])


def _at(samples: Samples, places: npt.NDArray[np.complex128], *, has_alpha: bool) -> Samples:
    x, y = np.floor(places.real), np.floor(places.imag)
    column, row = x.astype(np.intp), y.astype(np.intp)
    right, below = (places.real - x)[..., None], (places.imag - y)[..., None]
    lines = [
        _spline([_near(samples, row + n, column + m, has_alpha) for n in range(-1, 3)], below)
        for m in range(-1, 3)
    ]
    values = _spline(lines, right)
    peak = np.iinfo(samples.dtype).max
    if has_alpha:
        alpha = values[..., -1:].clip(0, peak)
        whole = np.zeros_like(values[..., :-1])
        values[..., :-1] = np.divide(values[..., :-1] * peak, alpha, out=whole, where=alpha > 0)
    rounded: Samples = np.floor(values.clip(0, peak) + 0.5).astype(samples.dtype)
    return rounded


def _near(samples: Samples, row: Whole, column: Whole, has_alpha: bool) -> Exact:  # noqa: FBT001  (one of four, each by its name)
    height, width = samples.shape[:2]
    values: Exact = samples[row.clip(0, height - 1), column.clip(0, width - 1)].astype(np.float64)
    if has_alpha:
        values[..., :-1] *= values[..., -1:] / np.iinfo(samples.dtype).max
    return values


def _spline(four: list[Exact], t: Exact) -> Exact:
    """Return the spline's value between the second and the third of four values."""
    before, here, there, beyond = four
    slope = there - before
    bend = 2 * before - 5 * here + 4 * there - beyond
    twist = 3 * (here - there) + beyond - before
    value: Exact = here + t * (slope + t * (bend + t * twist)) / 2
    return value
