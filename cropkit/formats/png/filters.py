"""PNG's filters, done: each row becomes its difference from a prediction (clause 9).

Everything stays in 8 bits, and bands are small enough for the processor's own memory: filtering
is then a small part of the time that deflating takes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cropkit.formats.zlib_streams import Octets

Filter = Callable[[Octets, Octets, Octets, Octets], Octets]
_BAND_BYTES = 1 << 17


def _none(row: Octets, _left: Octets, _up: Octets, _corner: Octets) -> Octets:
    return row


def _sub(row: Octets, left: Octets, _up: Octets, _corner: Octets) -> Octets:
    return row - left


def _up(row: Octets, _left: Octets, up: Octets, _corner: Octets) -> Octets:
    return row - up


def _average(row: Octets, left: Octets, up: Octets, _corner: Octets) -> Octets:
    # floor((a + b) / 2) without leaving 8 bits
    return row - ((left & up) + ((left ^ up) >> 1))


def _paeth(row: Octets, left: Octets, up: Octets, corner: Octets) -> Octets:
    """Take off whichever of left, up and corner is nearest to left + up - corner.

    Of left and up, call the lower `low` and the higher `high`. A corner outside of them makes the
    one on its far side nearest. Between them, low is as far away as the corner is from high, and
    the other way round; the corner's own distance is the difference of those two. So low is
    nearest when twice its distance is at most high's, high likewise, and else the corner. With
    differences that stop at 0 the same comparison serves a corner outside, and no order between
    left and up is left to decide: where they tie they are equal.
    """
    low, high = np.minimum(left, up), np.maximum(left, up)
    low_distance = np.maximum(high, corner) - corner
    high_distance = corner - np.minimum(low, corner)
    nearest = _chosen(high_distance <= low_distance >> 1, high, corner)
    return row - _chosen(low_distance <= high_distance >> 1, low, nearest)


def _chosen(choice: np.typing.NDArray[np.bool_], first: Octets, other: Octets) -> Octets:
    """Do as `np.where` does, by masks, which is several times faster on bytes."""
    return other ^ ((first ^ other) & np.negative(choice.view(np.uint8)))


# By the number that PNG gives them (9.2); ADAPTIVE chooses one for each row.
_FILTERS: tuple[Filter, ...] = (_none, _sub, _up, _average, _paeth)
NONE, SUB, UP, AVERAGE, PAETH, ADAPTIVE = range(6)


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows with the zeros that stand left of and above an image (9.2).

    Parameters
    ----------
    bordered : (1 + height, bpp + stride)
    bpp : bytes a pixel, as filters see them
    """

    bordered: Octets
    bpp: int

    @classmethod
    def empty(cls, height: int, stride: int, bpp: int) -> "Frame":
        """Return a frame for rows that are still to come."""
        return cls(np.zeros((height + 1, stride + bpp), np.uint8), bpp)

    @classmethod
    def around(cls, rows: Octets, bpp: int) -> "Frame":
        """Copy rows of (height, stride) into a frame."""
        frame = cls.empty(rows.shape[0], rows.shape[1], bpp)
        frame.rows[:] = rows
        return frame

    @property
    def rows(self) -> Octets:
        """The rows inside, without a copy."""
        return self.bordered[1:, self.bpp :]

    def bands(self) -> Iterator[slice]:
        """Cut all rows into bands that are worked on one at a time."""
        height = self.bordered.shape[0] - 1
        step = max(1, _BAND_BYTES // self.bordered.shape[1])
        return (slice(at, min(at + step, height)) for at in range(0, height, step))

    def filtered(self, number: int, band: slice) -> Octets:
        """Return the rows of a band behind their filter bytes."""
        if number == ADAPTIVE:
            return self._adapted(band)
        below, above, bpp = self.bordered[1:][band], self.bordered[:-1][band], self.bpp
        out = np.empty((below.shape[0], below.shape[1] - bpp + 1), np.uint8)
        out[:, 0] = number
        out[:, 1:] = _FILTERS[number](
            below[:, bpp:], below[:, :-bpp], above[:, bpp:], above[:, :-bpp]
        )
        return out

    def _adapted(self, band: slice) -> Octets:
        """Filter each row in the way that leaves the smallest sum of differences (12.7)."""
        ways = np.stack([self.filtered(number, band) for number in range(len(_FILTERS))])
        sizes = np.abs(ways[:, :, 1:].view(np.int8)).view(np.uint8).sum(axis=2, dtype=np.uint64)
        best: Octets = ways[np.argmin(sizes, axis=0), np.arange(ways.shape[1])]
        return best
