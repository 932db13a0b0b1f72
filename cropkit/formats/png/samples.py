"""PNG's pixel stream to rows of native samples, without losing a bit.

Rows are held as they stand in the file, (height, stride): 16 bits big-endian, 1, 2 and 4 bits
packed. Nothing is ever converted to another kind of pixel.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from cropkit.errors import CorruptImage, Truncated
from cropkit.formats import zlib_streams
from cropkit.formats.png import unfilter
from cropkit.formats.png.chunks import Ihdr
from cropkit.formats.png.filters import Frame
from cropkit.formats.zlib_streams import Octets
from cropkit.geometry import PixelBox, Size

# Adam7 (8.1): x start, y start, x step, y step of the seven passes.
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_BYTE = 8
_UP = 2
_FILTERS = 5
_MOST_DEFLATED = 1032


def holds(header: Ihdr, filtered: Octets, rows: Octets) -> bool:
    """Whether what a straight image's stream held is these rows; Pillow undoes its filters."""
    filtered = filtered.reshape(header.height, -1)
    at = 0
    for band in unfilter.undone(filtered, header.bpp, unfilter.by_pillow):
        if not np.array_equal(band, rows[at : at + len(band)]):
            return False
        at += len(band)
    return at == len(rows)


def inflated(header: Ihdr, stream: bytes, name: str) -> tuple[Octets, str | None]:
    """Return the filtered rows that a stream holds, and what is wrong with a stream that has all.

    Raises
    ------
    Truncated, CorruptImage
    """
    try:
        return zlib_streams.inflate(stream, _expected(header), name), None
    except (Truncated, CorruptImage, zlib_streams.engine.error):
        whole = zlib_streams.made_do(stream, _expected(header), 1 + header.stride(header.width))
        if whole is None:
            raise
        return whole


def vouched_for(header: Ihdr, stream: bytes, name: str) -> Octets:
    """Return the filtered rows by the stream's own checksum, where that of a chunk is wrong.

    Raises
    ------
    CorruptImage
    """
    try:
        return zlib_streams.inflate(stream, _expected(header), name)
    except (Truncated, CorruptImage, zlib_streams.engine.error) as error:
        raise CorruptImage(name, "pixels fail the checksum of their chunk") from error


def begun(header: Ihdr, pieces: Sequence[memoryview]) -> tuple[Octets, int]:
    """Return the filtered rows that a damaged stream holds, and how many of the image are whole.

    What is missing is zero.
    """
    expected = _expected(header)
    there = zlib_streams.begun(pieces, expected)
    filtered = np.zeros(expected, np.uint8)
    filtered[: len(there)] = there
    at, whole = 0, header.height
    for (_, first, _, step), reduced in _passes(header) if header.interlace else _straight(header):
        rows = filtered[at : at + length(reduced)].reshape(reduced.height, -1)
        complete = min(reduced.height, max(0, len(there) - at) // rows.shape[1])
        wrong = np.flatnonzero(rows[:complete, 0] >= _FILTERS)
        complete = int(wrong[0]) if wrong.size else complete
        rows[complete:] = 0
        if complete < reduced.height:
            whole = min(whole, first + complete * step)
        at += length(reduced)
    return filtered, whole


def _straight(header: Ihdr) -> Iterator[tuple[tuple[int, int, int, int], Ihdr]]:
    yield (0, 0, 1, 1), header


def check_room(header: Ihdr, stream_length: int, name: str) -> None:
    """Refuse a stream that is too short for its pixels, before any memory is asked for.

    Deflate makes nothing smaller than by 1032 (https://zlib.net/zlib_tech.html).

    Raises
    ------
    Truncated
    """
    if _expected(header) > _MOST_DEFLATED * (stream_length + 1):
        raise Truncated(name, "inside the pixels")


def _expected(header: Ihdr) -> int:
    return _woven_length(header) if header.interlace else length(header)


def cut_out(header: Ihdr, filtered: Octets, box: PixelBox, name: str) -> Frame:
    """Return the rows inside a stored box.

    Raises
    ------
    CorruptImage
        When a row says that it has a filter which does not exist.
    """
    if header.interlace:
        samples = _woven(header, filtered, name)
        cut = samples[box.top : box.bottom, box.left : box.right].reshape(box.size.height, -1)
        return Frame.around(cut if header.bits >= _BYTE else _pack(cut, header.depth), header.bpp)
    filtered = filtered.reshape(header.height, -1)
    _check_filters(filtered, name)
    first = _first_row_needed(filtered[:, 0], box.top)
    needed = filtered[first : box.bottom, : 1 + header.stride(box.right)]
    frame = Frame.empty(box.size.height, header.stride(box.size.width), header.bpp)
    at = first - box.top
    for band in unfilter.undone(needed, header.bpp, unfilter.by_libpng):
        end = at + len(band)
        if end > 0:
            frame.rows[max(0, at) : end] = _columns(band[max(0, -at) :], header, box)
        at = end
    return frame


def _columns(rows: Octets, header: Ihdr, box: PixelBox) -> Octets:
    if header.bits >= _BYTE:
        return rows[:, box.left * header.bpp :]
    return _pack(_unpack(rows, header.depth)[:, box.left : box.right], header.depth)


def _check_filters(filtered: Octets, name: str) -> None:
    if filtered[:, 0].max() >= _FILTERS:
        raise CorruptImage(name, "a row has a filter that does not exist")


def _first_row_needed(filters: Octets, top: int) -> int:
    """Rows above one whose filter does not look up are not needed to undo what follows."""
    independent = np.flatnonzero(filters[: top + 1] < _UP)
    return int(independent[-1]) if independent.size else 0


def _woven(header: Ihdr, filtered: Octets, name: str) -> Octets:
    """Undo each of the seven passes and put its pixels where they belong."""
    whole = np.zeros((header.height, header.width, header.bpp), np.uint8)
    at = 0
    for (x, y, step_x, step_y), reduced in _passes(header):
        part = filtered[at : at + length(reduced)].reshape(reduced.height, -1)
        _check_filters(part, name)
        rows = np.concatenate(list(unfilter.undone(part, header.bpp, unfilter.by_libpng)))
        pixels = rows if header.bits >= _BYTE else _unpack(rows, header.depth)[:, : reduced.width]
        whole[y::step_y, x::step_x] = pixels.reshape(reduced.height, reduced.width, -1)
        at += length(reduced)
    return whole


def _unpack(rows: Octets, depth: int) -> Octets:
    """Return one byte for each packed sample, what pads the row included."""
    shifts = np.arange(_BYTE - depth, -1, -depth, dtype=np.uint8)
    samples: Octets = (rows[:, :, None] >> shifts) & np.uint8((1 << depth) - 1)
    return samples.reshape(rows.shape[0], -1)


def _pack(samples: Octets, depth: int) -> Octets:
    """Pack samples into rows of bytes, the last one padded with zeros."""
    height, width = samples.shape
    per_byte = _BYTE // depth
    padded = np.zeros((height, -(-width // per_byte) * per_byte), np.uint8)
    padded[:, :width] = samples
    shifts = np.arange(_BYTE - depth, -1, -depth, dtype=np.uint8)
    packed: Octets = np.bitwise_or.reduce(padded.reshape(height, -1, per_byte) << shifts, axis=2)
    return packed


def length(header: Ihdr) -> int:
    """Bytes that the pixel stream of a straight image holds."""
    return header.height * (1 + header.stride(header.width))


def _woven_length(header: Ihdr) -> int:
    return sum(length(header) for _, header in _passes(header))


def _passes(header: Ihdr) -> Iterator[tuple[tuple[int, int, int, int], Ihdr]]:
    """Yield where the pixels of each pass belong, and its header; a small image lacks some."""
    for x, y, step_x, step_y in _ADAM7:
        if x < header.width and y < header.height:
            wide, high = (header.width - x - 1) // step_x + 1, (header.height - y - 1) // step_y + 1
            yield (x, y, step_x, step_y), header.sized(Size(wide, high))
