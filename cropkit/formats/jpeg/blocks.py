"""How far a decoded JPEG may be from the pixels it was made of: a limit for each 8 x 8 block."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]
Fixed = npt.NDArray[np.uint16]
_BLOCK = 8
# Samples are rounded once after the inverse DCT, and DCTs are exact to a fraction of a step.
_ROUNDING = 1.0
# Reduced components are rounded three times more, and neighbouring blocks bleed into each other
# when they are interpolated.
_REDUCED_ROUNDING = 2.5
_BLEEDING = 1.5
_FANCY_ABOVE = 2
_HALF = 2


def excess(
    decoded: Sequence[Plane],
    meant: Sequence[Plane],
    tables: Sequence[Sequence[int]],
    sampling: Sequence[tuple[int, int]],
) -> float:
    """Return how much of its limit the worst block uses; over 1, it is not from rounding alone."""
    most = (max(h for h, _ in sampling), max(v for _, v in sampling))
    worst = 0.0
    for planes, table, (h, v) in zip(
        zip(decoded, meant, strict=True), tables, sampling, strict=True
    ):
        half_steps = float(np.sqrt(np.square(np.asarray(table) / 2).sum()))
        factors = (most[0] // h, most[1] // v)
        worst = max(worst, _component(planes, factors, half_steps))
    return worst


def _component(planes: tuple[Plane, Plane], factors: tuple[int, int], half_steps: float) -> float:
    decoded, meant = planes
    if factors == (1, 1):
        apart = np.maximum(decoded, meant) - np.minimum(decoded, meant)
        off = _off_by_block(np.multiply(apart, apart, dtype=np.uint16))
        return off / (half_steps + _ROUNDING * _BLOCK)
    cut = (meant.shape[1] % factors[0] > 0, meant.shape[0] % factors[1] > 0)
    smooth, scale = _interpolated(_reduced(meant, factors), factors, cut)
    apart = np.subtract(_reduced(decoded, factors) * np.uint16(scale), smooth, dtype=np.int32)
    off = _off_by_block(np.square(apart.astype(np.float32))) / (scale * factors[0] * factors[1])
    return off / (_BLEEDING * half_steps + _REDUCED_ROUNDING * _BLOCK)


def _off_by_block(squares: Fixed | npt.NDArray[np.float32]) -> float:
    """Return the largest distance of a block, as a Euclidean norm."""
    height, width = (-(-side // _BLOCK) for side in squares.shape)
    padded = np.zeros((height * _BLOCK, width * _BLOCK), squares.dtype)
    padded[: squares.shape[0], : squares.shape[1]] = squares
    rows = padded.reshape(height, _BLOCK, -1).sum(axis=1, dtype=np.float32)
    return float(np.sqrt(rows.reshape(height, width, _BLOCK).sum(axis=2).max()))


def _reduced(plane: Plane, factors: tuple[int, int]) -> Fixed:
    """Sum the samples that the encoder averages; edges stand for what lies outside."""
    across, down = factors
    padded = np.pad(
        plane, ((0, -plane.shape[0] % down), (0, -plane.shape[1] % across)), mode="edge"
    )
    rows = padded[::down].astype(np.uint16)
    for y in range(1, down):
        rows += padded[y::down]
    total = rows[:, ::across].copy()
    for x in range(1, across):
        total += rows[:, x::across]
    return total


def _interpolated(
    plane: Fixed, factors: tuple[int, int], cut: tuple[bool, bool]
) -> tuple[Fixed, int]:
    """Do to reduced samples what interpolating and averaging them again does: 1/8, 3/4, 1/8.

    Returns them scaled by the second value. Four samples of 8 bits, scaled by 8 both ways, fit
    16 bits (libjpeg's jdsample.c interpolates halves only, and only when there are enough).

    Parameters
    ----------
    cut : whether the image has one half alone of what the last sample stands for, across and down
    """
    scale = 1
    fancy = plane.shape[1] > _FANCY_ABOVE
    if fancy and factors[0] == _HALF:
        plane, scale = _smoothed(plane, cut=cut[0]), scale * 8
    if fancy and factors[1] == _HALF:
        plane, scale = _smoothed(plane.T, cut=cut[1]).T, scale * 8
    return plane, scale


def _smoothed(plane: Fixed, *, cut: bool) -> Fixed:
    smooth = plane * np.uint16(6)
    smooth[:, 1:] += plane[:, :-1]
    smooth[:, :1] += plane[:, :1]
    smooth[:, :-1] += plane[:, 1:]
    smooth[:, -1:] += plane[:, -2:][:, :1] if cut else plane[:, -1:]
    return smooth
