"""Rows of packed samples, cut at any bit."""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.uint8]
_BYTE = 8
_BAND = 1 << 18


def bytes_of(first_bit: int, bits: int) -> slice:
    """Return the bytes of a row that hold a span of its bits."""
    return slice(first_bit // _BYTE, -(-(first_bit + bits) // _BYTE))


def cut_bits(rows: Rows, first_bit: int, bits: int) -> Rows:
    """Return rows of that span alone, from a whole byte on, with nothing after the last bit."""
    return aligned(rows[:, bytes_of(first_bit, bits)], first_bit % _BYTE, bits)


def aligned(rows: Rows, first_bit: int, bits: int) -> Rows:
    """Return rows that begin at a whole byte, with nothing after their last bit."""
    if not first_bit and not bits % _BYTE:
        return rows
    every: Rows = np.unpackbits(rows, axis=1)[:, first_bit : first_bit + bits]
    return np.packbits(every, axis=1)


def same(read: Rows, meant: Rows) -> bool:
    """Whether rows are equal; in bands, which stay in the processor's cache."""
    if read.shape != meant.shape:
        return False
    step = max(1, _BAND // max(1, meant.shape[1]))
    bands = (slice(at, at + step) for at in range(0, len(meant), step))
    return all(np.array_equal(read[band], meant[band]) for band in bands)
