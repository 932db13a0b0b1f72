"""PNG's pixel stream, written: as small as the original's was, by the least work that does it.

On photographic pixels matching repeated strings gains next to nothing and costs nearly all the
time, so a filter and Huffman codes alone are both faster and smaller; on smooth and on flat pixels
matching is everything. Which an image is shows when a few bands of it are compressed in each way,
beginning with the cheapest.
"""

from collections import ChainMap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cropkit.formats import zlib_streams
from cropkit.formats.png.filters import ADAPTIVE, AVERAGE, NONE, PAETH, Frame
from cropkit.formats.zlib_streams import Inflate

_BANDS, _ROWS = 5, 16  # what is sampled
_HUFFMAN = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A filter, and how long to search for repeats: 0 not at all, 12 for ever."""

    filter: int
    level: int


Sizes = dict[Plan, float]
# In the order of their cost; those on one rung cost about the same.
LADDER: tuple[tuple[Plan, ...], ...] = (
    (Plan(AVERAGE, _HUFFMAN), Plan(PAETH, _HUFFMAN)),
    (Plan(PAETH, 1), Plan(NONE, 1)),
    (Plan(PAETH, 3),),
    (Plan(ADAPTIVE, 5),),
    (Plan(NONE, 6), Plan(ADAPTIVE, 6)),
    (Plan(NONE, 7), Plan(ADAPTIVE, 7)),
)
INDEXED: tuple[tuple[Plan, ...], ...] = ((Plan(NONE, 7),), (Plan(NONE, 9), Plan(ADAPTIVE, 9)))
_SEARCH_GAINS = 0.99  # where a search gains less over Huffman codes alone, longer ones do too
_GRAIN = 0.4  # of all bytes: what stays longer than that without a search is not flat
_NEAR = 1.02  # close enough to the best, when none is as small as it should be
_WASTEFUL = 1.1  # too far from the best, although it is as small as it should be


@dataclass(frozen=True, slots=True)
class Stream:
    """A pixel stream, and the way to inflate it that shares no code with what deflated it."""

    data: bytes
    inflate: Inflate


def deflate(frame: Frame, ceiling: float, *, indexed: bool) -> Stream:
    """Return the pixel stream of the rows in a frame.

    Parameters
    ----------
    ceiling : bytes it should not be longer than, if it can be helped
    indexed : indices and packed samples gain nothing by filters, as a rule
    """
    ladder = INDEXED if indexed else LADDER
    climbed = _climbed(frame, ceiling, ladder)
    plan = _chosen(climbed, ceiling)
    stream = _stream(frame, plan, frame.bands())
    if len(stream.data) <= ceiling or _best(climbed) > ceiling:
        return stream
    # the bands promised what the whole did not keep
    second = _chosen(_climbed(frame, 0, ladder), 0)
    other = _stream(frame, second, frame.bands())
    return min(stream, other, key=lambda each: len(each.data))


def _climbed(frame: Frame, ceiling: float, ladder: Sequence[Sequence[Plan]]) -> list[Sizes]:
    """Try rung after rung until one serves; return the length that each plan promises."""
    climbed: list[Sizes] = []
    for plans in ladder:
        climbed.append({plan: _promise(frame, plan) for plan in plans})
        if _suffices(climbed, ceiling, frame.rows.size) or _is_grain(climbed):
            break
    return climbed


def _promise(frame: Frame, plan: Plan) -> float:
    height = len(frame.rows)
    bands = _bands_to_sample(height)
    sampled: int = sum(band.stop - band.start for band in bands)
    return len(_stream(frame, plan, bands).data) * height / sampled


def _suffices(climbed: Sequence[Sizes], ceiling: float, raw: int) -> bool:
    return _best(climbed) <= ceiling and (len(climbed) > 1 or _best(climbed) > _GRAIN * raw)


def _best(climbed: Sequence[Sizes]) -> float:
    return min(ChainMap(*climbed).values())


def _is_grain(climbed: Sequence[Sizes]) -> bool:
    """Whether even a search leaves the pixels as long as Huffman codes alone do."""
    sizes = ChainMap(*climbed)
    searched = [size for plan, size in sizes.items() if plan.level > 1]
    codes = [size for plan, size in sizes.items() if plan.level == _HUFFMAN]
    return bool(searched and codes) and min(searched) > _SEARCH_GAINS * min(codes)


def _chosen(climbed: Sequence[Sizes], ceiling: float) -> Plan:
    """Return the cheapest plan that is small enough, or else the cheapest that is near the best."""
    best = _best(climbed)
    enough = min(ceiling, best * _WASTEFUL)
    return next(
        min(rung, key=lambda plan: rung[plan])
        for most in (enough, best * _NEAR)
        for rung in climbed
        if min(rung.values()) <= most
    )


def _bands_to_sample(height: int) -> list[slice]:
    """Return a few bands from all over; the first row, which has none above, is like no other."""
    rows = min(_ROWS, height)
    starts = np.linspace(min(1, height - rows), height - rows, _BANDS).astype(int)
    return [slice(start, start + rows) for start in dict.fromkeys(starts.tolist())]


def _stream(frame: Frame, plan: Plan, bands: Iterable[slice]) -> Stream:
    pieces = (frame.filtered(plan.filter, band) for band in bands)
    if plan.level == _HUFFMAN:
        codes = zlib_streams.deflate_in_pieces(pieces, 1, zlib_streams.engine.Z_HUFFMAN_ONLY)
        return Stream(codes, zlib_streams.inflate)
    searched = zlib_streams.deflate(np.concatenate(list(pieces)), plan.level)
    return Stream(searched, zlib_streams.inflate_in_pieces)
