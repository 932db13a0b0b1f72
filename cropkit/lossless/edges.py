"""What hides behind the right and bottom edge of a crop, made anew from what is visible; pure.

A block of 8 x 8 that the edge cuts still holds all its 64 samples. Its new coefficients are a
function of nothing but the visible samples, as a viewer shows them: so nothing that was cropped out
can be read from them. Hidden samples are free, and are chosen so that the visible ones come back as
they were as closely as the block's quantisation lets them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Blocks = npt.NDArray[np.int16]
Samples = npt.NDArray[np.float32]

_SIDE = 8
_MOST_STEPS = 200
_LEAST_GAIN = 1e-2  # in squared levels: below that it is the rounding of 32-bit floats
_LARGEST = 1023  # of a coefficient that baseline Huffman codes can write (T.81, table F.1)
_MIDDLE, _WHITE = np.float32(128), 255


def _basis() -> Samples:
    """Return the orthonormal DCT-II of 8 samples (T.81, A.3.3)."""
    at = np.arange(_SIDE)
    basis = np.cos((2 * at[None, :] + 1) * at[:, None] * np.pi / (2 * _SIDE)) / 2
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


_DCT = _basis()
_DCT_2D = np.kron(_DCT, _DCT)


@dataclass(frozen=True, slots=True)
class Visible:
    """How many columns and rows of a block can be seen, 1 to 8 each."""

    columns: int
    rows: int

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Which of the 64 samples, row by row."""
        seen = np.zeros((_SIDE, _SIDE), bool)
        seen[: self.rows, : self.columns] = True
        return seen.reshape(-1)


def shown(blocks: Blocks, table: tuple[int, ...]) -> Samples:
    """Return the samples of blocks as a decoder shows them, (n, 64), 0 to 255."""
    return np.clip(np.rint(_decoded(blocks, _steps(table))), 0, _WHITE)


def regenerated(blocks: Blocks, table: tuple[int, ...], visible: Visible) -> Blocks:
    """Return blocks whose visible samples are the same within rounding, and the hidden ones new.

    The search begins where an encoder would: the last visible row and column are repeated. Then one
    coefficient at a time takes the step that brings the visible samples closer most, until none
    does (matching pursuit on the lattice that the quantisation table spans).
    """
    steps, seen = _steps(table), visible.mask
    meant = shown(blocks, table)
    candidate = _quantised(_extended(meant, visible), steps)
    reach = (steps[:, None] * _DCT_2D)[:, seen]  # what one step of each coefficient does
    overlaps = reach @ reach.T
    pull = (meant - _decoded(candidate, steps))[:, seen] @ reach.T
    every = np.arange(len(candidate))
    for _ in range(_MOST_STEPS):
        gain = 2 * np.abs(pull) - np.diag(overlaps)
        best = gain.argmax(axis=1)
        sign = np.sign(pull[every, best]) * (gain[every, best] > _LEAST_GAIN)
        if not sign.any():
            break
        candidate[every, best] += sign.astype(np.int16)
        pull -= sign[:, None] * overlaps[best]
    return np.clip(candidate, -_LARGEST, _LARGEST)


def apart(before: Blocks, after: Blocks, table: tuple[int, ...], visible: Visible) -> Samples:
    """Return how far the visible samples of each block moved, (n, visible samples)."""
    seen = visible.mask
    return (shown(after, table) - shown(before, table))[:, seen]


def limit(table: tuple[int, ...]) -> float:
    """Return the most that a block's visible samples can move, as a Euclidean norm.

    Quantising moves a coefficient by half a step at most and the DCT keeps lengths; then each
    sample is rounded.
    """
    return float(np.linalg.norm(_steps(table)) / 2 + _SIDE / 2)


def _extended(meant: Samples, visible: Visible) -> Samples:
    """Repeat the last visible row and column."""
    squares = meant.reshape(-1, _SIDE, _SIDE)[:, : visible.rows, : visible.columns]
    hidden = ((0, 0), (0, _SIDE - visible.rows), (0, _SIDE - visible.columns))
    return np.pad(squares, hidden, mode="edge").reshape(-1, _SIDE * _SIDE)


def _quantised(samples: Samples, steps: Samples) -> Blocks:
    exact = _transformed(samples - _MIDDLE, _DCT.T) / steps
    quantised: Blocks = np.clip(np.rint(exact), -_LARGEST, _LARGEST).astype(np.int16)
    return quantised


def _decoded(blocks: Blocks, steps: Samples) -> Samples:
    return _transformed(blocks * steps, _DCT) + _MIDDLE


def _transformed(values: Samples, matrix: Samples) -> Samples:
    """Multiply blocks by a matrix from both sides, each by itself.

    All of a side at once would be as much as a numerics library wakes its threads for.
    """
    squares = values.reshape(-1, _SIDE, _SIDE)
    both: Samples = (matrix.T @ (squares @ matrix)).reshape(-1, _SIDE * _SIDE)
    return both


def _steps(table: tuple[int, ...]) -> Samples:
    return np.asarray(table, np.float32)
