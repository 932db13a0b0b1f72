"""TIFF's pixels as rows of packed bytes, plane by plane, just as they stand in the file.

No sample is interpreted, so every depth, format and number of samples is exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from cropkit.formats import bit_rows
from cropkit.formats.bit_rows import Rows
from cropkit.formats.tiff import codecs, second_decoder
from cropkit.formats.tiff.codecs import COMPRESSIONS, LZW, Bytes, Pixel
from cropkit.formats.tiff.layout import Layout, Segments, touched
from cropkit.geometry import PixelBox

_BYTE = 8
_SAMPLED = 5
_SIZE_GUARD = 1.02


@dataclass(frozen=True, slots=True)
class Part:
    """A strip or tile: its place in the grid of its plane, and which one of the file it is."""

    column: int
    row: int
    number: int


def decoded_box(data: bytes, layout: Layout, segments: Segments, box: PixelBox) -> tuple[Rows, ...]:
    """Return the rows of each plane inside a stored box; only what it touches is decoded."""
    first_bit, bits = box.left * layout.pixel_bits, box.size.width * layout.pixel_bits
    span = bit_rows.bytes_of(first_bit, bits)
    planes = []
    for plane in range(layout.planes):
        window = np.empty((box.size.height, span.stop - span.start), np.uint8)
        parts = list(_touched(layout, plane, box))
        for part, rows in zip(parts, _all(data, layout, segments, parts), strict=True):
            _place(rows, window, layout, (part, box, span))
        planes.append(bit_rows.aligned(window, first_bit % _BYTE, bits))
    return tuple(planes)


def encoded(planes: Sequence[Rows], layout: Layout, level: int) -> list[Bytes]:
    """Return the strips or tiles of an image, in the order of the file."""
    return [_compressed(rows, layout, level) for rows in cut(planes, layout)]


def level(data: bytes, layout: Layout, segments: Segments, box: PixelBox) -> int:
    """Return the quickest level that makes a few strips or tiles as small as the source has them.

    Those that a stored box touches are tried; where no level does, the last one is taken.
    """
    *quick, last = COMPRESSIONS[layout.compression].levels
    if not quick:
        return last
    touched = [part for plane in range(layout.planes) for part in _touched(layout, plane, box)]
    picked = sorted(set(np.linspace(0, len(touched) - 1, _SAMPLED).astype(int).tolist()))
    parts = [touched[index] for index in picked]
    rows = [_decoded(data, layout, segments, part) for part in parts]
    ceiling = _SIZE_GUARD * sum(int(segments.counts[part.number]) for part in parts)
    fit = (n for n in quick if sum(len(_compressed(r, layout, n)) for r in rows) <= ceiling)
    return next(fit, last)


def restored(rows: Rows, layout: Layout) -> Rows:
    """Undo the differences of rows that were decompressed."""
    return codecs.unpredicted(rows, layout.predictor, _pixel(layout))


def cut(planes: Sequence[Rows], layout: Layout) -> Iterator[Rows]:
    """Yield the rows of each strip or tile, filled up where it reaches outside."""
    for number, plane in enumerate(planes):
        for part in _touched(layout, number, PixelBox.full(layout.size)):
            yield _cut(plane, layout, part)


def _touched(layout: Layout, plane: int, box: PixelBox) -> Iterator[Part]:
    columns, rows = touched(layout, box)
    across, down = layout.grid
    for row in rows:
        for column in columns:
            yield Part(column, row, (plane * down + row) * across + column)


def _all(data: bytes, layout: Layout, segments: Segments, parts: Sequence[Part]) -> Iterator[Rows]:
    """Yield the rows of each part; libtiff reads LZW in two thirds of the time."""
    if layout.compression != LZW:
        yield from (_decoded(data, layout, segments, part) for part in parts)
        return
    spans = [(int(segments.offsets[p.number]), int(segments.counts[p.number])) for p in parts]
    rows = [layout.rows(part.row) for part in parts]
    every = second_decoder.decompressed(
        data, layout, second_decoder.Stack(spans, rows, layout.stride)
    )
    for end, count in zip(accumulate(rows), rows, strict=True):
        yield restored(every[end - count : end], layout)


def _decoded(data: bytes, layout: Layout, segments: Segments, part: Part) -> Rows:
    offset, count = int(segments.offsets[part.number]), int(segments.counts[part.number])
    stored: Bytes = memoryview(data)[offset : offset + count]
    if layout.reversed_bits:
        stored = codecs.reversed_bits(stored)
    rows, stride = layout.rows(part.row), layout.stride
    decoded = codecs.decompressed(
        stored, layout.compression, rows * stride, layout.segment.height * stride
    )
    return restored(decoded.reshape(rows, stride), layout)


def _place(rows: Rows, window: Rows, layout: Layout, place: tuple[Part, PixelBox, slice]) -> None:
    """Copy what a strip or tile has of the window; `place` says where both are."""
    part, box, span = place
    left, top = part.column * layout.stride, part.row * layout.segment.height
    x = range(max(span.start, left), min(span.stop, left + layout.stride))
    y = range(max(box.top, top), min(box.bottom, top + len(rows)))
    window[y.start - box.top : y.stop - box.top, x.start - span.start : x.stop - span.start] = rows[
        y.start - top : y.stop - top, x.start - left : x.stop - left
    ]


def _cut(plane: Rows, layout: Layout, part: Part) -> Rows:
    stride, height = layout.stride, layout.segment.height
    rows = plane[part.row * height : (part.row + 1) * height]
    rows = rows[:, part.column * stride : (part.column + 1) * stride]
    if not layout.tiled or rows.shape == (height, stride):
        return rows
    filled = np.zeros((height, stride), np.uint8)
    filled[: rows.shape[0], : rows.shape[1]] = rows
    return filled


def _compressed(rows: Rows, layout: Layout, level: int) -> Bytes:
    apart = codecs.predicted(rows, layout.predictor, _pixel(layout))
    stored = codecs.compressed(apart, layout.compression, level)
    return codecs.reversed_bits(stored) if layout.reversed_bits else stored


def _pixel(layout: Layout) -> Pixel:
    return Pixel(layout.samples, layout.bits // _BYTE, layout.order)
