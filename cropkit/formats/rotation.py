"""Samples of a box that is turned by a fine angle: each is computed anew, by cubic convolution.

Source: R. Keys, "Cubic Convolution Interpolation for Digital Image Processing" (IEEE Transactions
on Acoustics, Speech, and Signal Processing 29, 1981), equation 4 with a = -1/2, of which he proves
that no other gives a parabola back as it was; also known as the Catmull-Rom spline. Pillow's
`transform` has a = -1, by which even an even slope comes out in steps.

Numbers are interpolated as they are stored. Where there is opacity, colours weigh by it, so that
none bleeds out of what is transparent. Beyond the image's edge, which the outermost samples of a
box at the edge reach by half the filter, its last row or column is repeated.
"""

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from cropkit.geometry import PixelBox

Samples = npt.NDArray[Any]  # (rows, columns, channels), uint8 or uint16
Unit = npt.NDArray[np.float32]
_BLOCK = 256  # rows and columns at a time: what a block is made of stays in the processor's cache
_TAPS = range(-1, 3)
REACH = 2  # pixels beyond a turned box, which its outermost samples are made of, too
_AROUND = REACH + 1  # beside a block's first and last sample, both rounded down


def rotated(values: Samples, box: PixelBox, hundredths: int, *, has_alpha: bool = False) -> Samples:
    """Return what a box holds that is turned about its middle.

    Parameters
    ----------
    values : (rows, columns, channels) of the whole image, uint8 or uint16
    box : of `values`, inside of them when it is turned, too
    hundredths : of a degree, by which the picture is seen turned clockwise
    has_alpha : whether the last channel is opacity
    """
    size = box.size
    after = np.empty((size.height, size.width, values.shape[2]), values.dtype)
    starts = product(range(0, size.height, _BLOCK), range(0, size.width, _BLOCK))
    for top, left in starts:
        place = after[top : top + _BLOCK, left : left + _BLOCK]
        columns = np.arange(left, left + place.shape[1]) + 1 / 2 - size.width / 2
        rows = np.arange(top, top + place.shape[0]) + 1 / 2 - size.height / 2
        x, y = _source(columns[None, :], rows[:, None], box, hundredths)
        place[...] = _interpolated(values, x, y, has_alpha=has_alpha)
    return after


def _source(
    across: npt.NDArray[np.float64], down: npt.NDArray[np.float64], box: PixelBox, hundredths: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the column and row, whole where a sample lies, that is seen so far off the middle."""
    cos = math.cos(math.radians(hundredths / 100))
    sin = math.sin(math.radians(hundredths / 100))
    x = (box.left + box.right - 1) / 2 + across * cos + down * sin
    y = (box.top + box.bottom - 1) / 2 - across * sin + down * cos
    return x, y


def _interpolated(
    values: Samples, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, has_alpha: bool
) -> Samples:
    """Return samples at some places, rounded once."""
    column, row = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    left, top = max(0, int(column.min()) - _AROUND), max(0, int(row.min()) - _AROUND)
    around = values[top : row.max() + _AROUND, left : column.max() + _AROUND]
    window = around.astype(np.float32)
    peak = np.float32(np.iinfo(values.dtype).max)
    if has_alpha:
        window[..., :-1] *= window[..., -1:] / peak
    weights = (_weights((x - column).astype(np.float32)), _weights((y - row).astype(np.float32)))
    after = _convolved(window, column - left, row - top, weights)
    if has_alpha:
        opacity = after[..., -1:].clip(0, peak)
        after[..., :-1] *= np.divide(peak, opacity, out=np.zeros_like(opacity), where=opacity > 0)
    return (after.clip(0, peak) + np.float32(0.5)).astype(values.dtype)


def _convolved(
    window: Unit,
    column: npt.NDArray[np.intp],
    row: npt.NDArray[np.intp],
    weights: tuple[list[Unit], list[Unit]],
) -> Unit:
    height, width, channels = window.shape
    flat = window.reshape(-1, channels)
    columns = [(column + tap).clip(0, width - 1) for tap in _TAPS]
    after = np.zeros((*column.shape, channels), np.float32)
    for start, by in zip(_starts(row, height, width), weights[1], strict=True):
        line = np.zeros_like(after)
        for at, weight in zip(columns, weights[0], strict=True):
            line += flat.take(start + at, axis=0) * weight[..., None]
        after += line * by[..., None]
    return after


def _starts(row: npt.NDArray[np.intp], height: int, width: int) -> Iterator[npt.NDArray[np.intp]]:
    for tap in _TAPS:
        yield (row + tap).clip(0, height - 1) * width


def _weights(part: Unit) -> list[Unit]:
    """Return what the samples before, at, behind and beyond a place weigh, by its part of a step.

    They are the pieces of the paper's kernel at 1 + s, s, 1 - s and 2 - s.
    """
    s, half = part, np.float32(0.5)
    return [
        ((2 - s) * s - 1) * s * half,
        ((3 * s - 5) * s * s + 2) * half,
        ((4 - 3 * s) * s + 1) * s * half,
        (s - 1) * s * s * half,
    ]
