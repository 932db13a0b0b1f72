"""PNG's pixel stream, written: NumPy filters the rows, zlib-ng deflates them.

On photographic pixels matching repeated strings gains next to nothing and costs nearly all the
time, so a filter and Huffman codes alone are both faster and smaller; on flat pixels matching is
everything. Which one an image is shows when a few bands of it are compressed both ways.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cropkit.formats.png_samples import Samples
from cropkit.formats.zstream import engine

Filter = Callable[[Samples, Samples, Samples, Samples], Samples]
_BAND_BYTES = 1 << 19
_SAMPLED_BANDS, _FEWEST_ROWS, _MOST_ROWS = 5, 8, 24
_WINDOW_BITS, _MEMORY = 15, 9


@dataclass(frozen=True, slots=True)
class Plan:
    """A filter for all rows and a way to deflate; `handicap` weighs its size by its cost."""

    filter: int
    level: int
    strategy: int
    handicap: float = 1.0

    def compressor(self) -> Any:  # noqa: ANN401  (zlib names no type for it)
        """Start a stream."""
        method = engine.DEFLATED
        return engine.compressobj(self.level, method, _WINDOW_BITS, _MEMORY, self.strategy)


def _none(row: Samples, _left: Samples, _up: Samples, _corner: Samples) -> Samples:
    return row


def _sub(row: Samples, left: Samples, _up: Samples, _corner: Samples) -> Samples:
    return row - left


def _up(row: Samples, _left: Samples, up: Samples, _corner: Samples) -> Samples:
    return row - up


def _average(row: Samples, left: Samples, up: Samples, _corner: Samples) -> Samples:
    # floor((a + b) / 2) without leaving 8 bits
    return row - ((left & up) + ((left ^ up) >> 1))


def _paeth(row: Samples, left: Samples, up: Samples, corner: Samples) -> Samples:
    c = corner.astype(np.int16)
    to_left, to_up = up - c, left - c
    to_corner = np.abs(to_left + to_up)
    np.abs(to_left, out=to_left)
    np.abs(to_up, out=to_up)
    nearest = np.where(to_up <= to_corner, up, corner)
    left_wins = (to_left <= to_up) & (to_left <= to_corner)
    return row - np.where(left_wins, left, nearest)


# By the number that PNG gives them (9.2).
_FILTERS: tuple[Filter, ...] = (_none, _sub, _up, _average, _paeth)
NONE, SUB, UP, AVERAGE, PAETH = range(5)
_HUFFMAN = engine.Z_HUFFMAN_ONLY
_MATCH = engine.Z_DEFAULT_STRATEGY

QUICK = (
    Plan(AVERAGE, 1, _HUFFMAN),
    Plan(PAETH, 1, _HUFFMAN, 1.03),
    Plan(AVERAGE, 3, _MATCH, 1.03),
)
THOROUGH = tuple(Plan(number, 6, _MATCH, 1.12) for number in (NONE, SUB, UP, AVERAGE, PAETH))
INDEXED = Plan(NONE, 6, _MATCH)


def deflate(rows: Samples, bpp: int, ceiling: float) -> bytes:
    """Return the pixel stream of packed rows.

    Parameters
    ----------
    rows : (height, stride), without filter bytes
    bpp : bytes a pixel, as filters see them; 0 for indices and packed samples, which are not
        filtered
    ceiling : bytes it should stay under; above, a thorough plan is tried too
    """
    if not bpp:
        return _stream(_bordered(rows, 1), 1, INDEXED)
    bordered = _bordered(rows, bpp)
    plan = _best(bordered, bpp, QUICK)
    if plan.strategy == _MATCH:
        plan = _best(bordered, bpp, (plan, *THOROUGH))
    stream = _stream(bordered, bpp, plan)
    if len(stream) <= ceiling:
        return stream
    second = _best(bordered, bpp, THOROUGH)
    return min(stream, _stream(bordered, bpp, second), key=len)


def _best(bordered: Samples, bpp: int, plans: Sequence[Plan]) -> Plan:
    """Return the plan that does best on a few bands."""
    bands = _bands_to_sample(bordered.shape[0] - 1)
    return min(plans, key=lambda plan: _sampled(bordered, bpp, plan, bands))


def _bands_to_sample(height: int) -> list[slice]:
    rows = min(height, max(_FEWEST_ROWS, min(_MOST_ROWS, height // 100)))
    starts = np.linspace(0, height - rows, _SAMPLED_BANDS).astype(int)
    return [slice(int(start), int(start) + rows) for start in dict.fromkeys(starts.tolist())]


def _sampled(bordered: Samples, bpp: int, plan: Plan, bands: list[slice]) -> float:
    stream = plan.compressor()
    size = sum(len(stream.compress(_filtered(bordered, bpp, plan.filter, b))) for b in bands)
    return (size + len(stream.flush())) * plan.handicap


def _stream(bordered: Samples, bpp: int, plan: Plan) -> bytes:
    stream = plan.compressor()
    height = bordered.shape[0] - 1
    step = max(1, _BAND_BYTES // bordered.shape[1])
    bands = (slice(at, min(at + step, height)) for at in range(0, height, step))
    parts = [stream.compress(_filtered(bordered, bpp, plan.filter, band)) for band in bands]
    return b"".join([*parts, stream.flush()])


def _bordered(rows: Samples, bpp: int) -> Samples:
    """Return the rows with the zeros that stand left of and above an image (9.2)."""
    bordered = np.zeros((rows.shape[0] + 1, rows.shape[1] + bpp), np.uint8)
    bordered[1:, bpp:] = rows
    return bordered


def _filtered(bordered: Samples, bpp: int, number: int, band: slice) -> Samples:
    below, above = bordered[1:][band], bordered[:-1][band]
    out = np.empty((below.shape[0], below.shape[1] - bpp + 1), np.uint8)
    out[:, 0] = number
    out[:, 1:] = _FILTERS[number](below[:, bpp:], below[:, :-bpp], above[:, bpp:], above[:, :-bpp])
    return out
