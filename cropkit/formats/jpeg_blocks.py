"""How far a decoded JPEG may be from the pixels it was made of: a limit for each 8 x 8 block."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
_BLOCK = 8
# Samples are rounded once after the inverse DCT, and DCTs are exact to a fraction of a step.
_ROUNDING = 1.0
# Reduced components are rounded three times more, and neighbouring blocks bleed into each other
# when they are interpolated.
_REDUCED_ROUNDING = 2.5
_BLEEDING = 1.5
_FANCY_ABOVE = 2


def excess(
    found: Samples,
    meant: Samples,
    tables: Sequence[Sequence[int]],
    sampling: Sequence[tuple[int, int]],
) -> float:
    """Return how much of its limit the worst block uses; over 1, it is not from rounding alone."""
    most = (max(h for h, _ in sampling), max(v for _, v in sampling))
    worst = 0.0
    for at, table in enumerate(tables):
        factors = (most[0] // sampling[at][0], most[1] // sampling[at][1])
        planes = found[:, :, at], meant[:, :, at]
        worst = max(worst, _component(planes, factors, np.asarray(table, np.float64)))
    return worst


def _component(
    planes: tuple[Samples, Samples], factors: tuple[int, int], table: npt.NDArray[np.float64]
) -> float:
    half_steps = float(np.sqrt(np.square(table / 2).sum()))
    if factors == (1, 1):
        off = _off_by_block(_squares(*planes))
        return off / (half_steps + _ROUNDING * _BLOCK)
    found, meant = (_reduced(plane, factors) for plane in planes)
    difference = np.square(found - _interpolated(meant, factors))
    return _off_by_block(difference) / (_BLEEDING * half_steps + _REDUCED_ROUNDING * _BLOCK)


def _squares(found: Samples, meant: Samples) -> npt.NDArray[np.uint16]:
    apart = np.maximum(found, meant) - np.minimum(found, meant)
    squares: npt.NDArray[np.uint16] = np.multiply(apart, apart, dtype=np.uint16)
    return squares


def _off_by_block(squares: npt.NDArray[np.uint16] | Plane) -> float:
    """Return the largest distance of a block, as a Euclidean norm."""
    rows = np.add.reduceat(
        squares, np.arange(0, squares.shape[0], _BLOCK), axis=0, dtype=np.float32
    )
    blocks = np.add.reduceat(rows, np.arange(0, squares.shape[1], _BLOCK), axis=1)
    return float(np.sqrt(blocks.max()))


def _reduced(plane: Samples, factors: tuple[int, int]) -> Plane:
    """Average as the encoder does; the last row and column stand for those that are missing."""
    across, down = factors
    padded = np.pad(
        plane, ((0, -plane.shape[0] % down), (0, -plane.shape[1] % across)), mode="edge"
    )
    parts = [padded[y::down, x::across] for y in range(down) for x in range(across)]
    total = np.zeros(parts[0].shape, np.uint16)
    for part in parts:
        total += part
    return total.astype(np.float32) / np.float32(len(parts))


def _interpolated(plane: Plane, factors: tuple[int, int]) -> Plane:
    """Do to reduced samples what interpolating and averaging them again does: 1/8, 3/4, 1/8."""
    for axis, factor in ((1, factors[0]), (0, factors[1])):
        if factor == 2 and plane.shape[1] > _FANCY_ABOVE:  # noqa: PLR2004  (libjpeg's jdsample.c)
            edges = [(1, 1) if a == axis else (0, 0) for a in (0, 1)]
            wide = np.pad(plane, edges, mode="edge")
            before, after = (np.take(wide, r, axis) for r in _ends(plane.shape[axis]))
            plane = plane * np.float32(0.75) + (before + after) * np.float32(0.125)
    return plane


def _ends(length: int) -> tuple[range, range]:
    return range(length), range(2, length + 2)
