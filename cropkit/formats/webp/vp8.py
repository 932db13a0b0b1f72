"""How coarsely a VP8 key frame is quantised, and which quality libwebp was asked for to get it.

The frame header is read as RFC 6386, section 9, describes it. libwebp's ``VP8SetSegmentParams``
(quant_enc.c) turns a quality Q of 0 to 1 into a base compression c = cbrt(Q * 2/3 below 0.75, else
Q * 2 - 1), and gives segment i the index 127 * (1 - c ** (1 - a_i)), where the a_i average to
nothing over the picture. So the logarithms of the segments' compressions, weighted by how much of
the picture the header's probabilities give each, average to that of c.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = 10
_SEGMENTS = 4
_COARSEST = 127
_KNEE = 0.75
# RFC 6386, 14.1: what an index means for AC coefficients, which stand for twice a pixel's value.
AC_STEPS: tuple[int, ...] = (
    *range(4, 59),
    *range(60, 117, 2),
    *range(119, 174, 3),
    *range(177, 230, 4),
    *(234, 239, 245, 249, 254, 259, 264, 269, 274, 279, 284),
)


@dataclass(frozen=True, slots=True)
class Quantisers:
    """Index (0 the finest, 127 the coarsest) and share of the picture of each segment."""

    indices: tuple[int, ...]
    shares: tuple[float, ...]

    @property
    def coarsest_step(self) -> int:
        """The largest step of an AC coefficient anywhere in the frame."""
        return AC_STEPS[max(self.indices)]

    @property
    def quality(self) -> float:
        """The quality, 0 to 100, at which libwebp quantises like that."""
        if not any(self.indices):
            return 100.0  # anything above 98.8 has the finest steps everywhere
        # An index is cut to a whole number: its middle stands for it.
        logs = (math.log(max(0.5, _COARSEST - i - 0.5) / _COARSEST) for i in self.indices)
        mean = sum(log * share for log, share in zip(logs, self.shares, strict=True))
        linear = math.exp(mean / sum(self.shares)) ** 3
        return 100 * (linear * 3 / 2 if linear < _KNEE * 2 / 3 else (linear + 1) / 2)


def quantisers(frame: bytes) -> Quantisers:
    """Read the quantisers of a key frame; bits that are missing count as zeros, as in a decoder."""
    bits = _Bits(frame[_HEADER:])
    bits.number(2)  # colour space, clamping
    deltas, absolute, shares = _segments(bits)
    bits.number(1 + 6 + 3)  # loop filter: type, level, sharpness
    if bits.number(1) and bits.number(1):
        for _ in range(8):
            bits.signed(6)
    bits.number(2)  # partitions
    base = bits.number(7)
    indices = (delta if absolute else base + delta for delta in deltas)
    return Quantisers(tuple(min(max(i, 0), _COARSEST) for i in indices), shares)


class _Bits:
    """The boolean entropy decoder (RFC 6386, 7.3), for even odds."""

    def __init__(self, data: bytes) -> None:
        self._bits = _bits(data)

    def number(self, width: int) -> int:
        """Read an unsigned number, most significant bit first."""
        value = 0
        for _ in range(width):
            value = value << 1 | next(self._bits)
        return value

    def signed(self, width: int) -> int:
        """Read a number that may be left out, with its sign last."""
        if not self.number(1):
            return 0
        value = self.number(width)
        return -value if self.number(1) else value


def _bits(data: bytes) -> Iterator[int]:
    value, span, shifts, at = int.from_bytes(data[:2].ljust(2, b"\0")), 255, 0, 2
    while True:
        split = 1 + ((span - 1) >> 1)
        bit = value >= split << 8
        value, span = (value - (split << 8), span - split) if bit else (value, split)
        while span < 128:  # noqa: PLR2004  (half of a byte's range)
            value, span, shifts = value << 1, span << 1, shifts + 1
            if shifts == 8:  # noqa: PLR2004  (a byte)
                value |= data[at] if at < len(data) else 0
                shifts, at = 0, at + 1
        yield int(bit)


def _segments(bits: _Bits) -> tuple[list[int], bool, tuple[float, ...]]:
    """Read what segments change (9.3, 9.6): index or difference of each, and their shares."""
    if not bits.number(1):
        return [0], False, (1.0,)
    has_map, has_data = bits.number(1), bits.number(1)
    absolute, deltas = False, [0] * _SEGMENTS
    if has_data:
        absolute = bool(bits.number(1))
        deltas = [bits.signed(7) for _ in range(_SEGMENTS)]
        for _ in range(_SEGMENTS):
            bits.signed(6)
    odds = [_odds(bits) if has_map else 1.0 for _ in range(_SEGMENTS - 1)]
    first, low, high = odds
    shares = (first * low, first * (1 - low), (1 - first) * high, (1 - first) * (1 - high))
    return deltas, absolute, shares


def _odds(bits: _Bits) -> float:
    """Read how likely a zero is; 255 stands for always."""
    return max(1, bits.number(8) if bits.number(1) else 255) / 255
