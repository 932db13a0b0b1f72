"""Pictures hidden inside other data, by their signatures: previews and second images.

Every search goes over its bytes a bounded number of times, whatever an enemy wrote there.
"""

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice

# A start of image whose first byte a maker may have changed (Minolta), before a marker.
_JPEG = re.compile(rb"\xd8\xff(?=[\xc0-\xc2\xc4\xdb\xdd\xe0-\xef\xfe])")
_PNG = b"\x89PNG\r\n\x1a\n"
_RIFF = rb"RIFF.{4}WEBP"
_GIF = rb"GIF8[79]a"
# The 16 reserved bits twice, the offset, and a header of a length that there is.
_BMP = rb"BM.{4}\0{4}.{2}\0{2}[\x0c\x28\x34\x38\x40\x6c\x7c]\0{3}"
_BOX = rb"\0\0.{2}(?:ftyp[a-zA-Z0-9 ]{4}|jP  \r\n\x87\n|JXL \r\n\x87\n)"
_CODESTREAM = rb"\xff\x4f\xff\x51\0|\xffWPC|\x1aE\xdf\xa3"
_REST = rb"8BPS\0\x01|II\xbc\x01|v/1\x01|\xabKTX 1|PKM [12]0\0|DDS \x7c\0\0\0|qoif\0\0"
_WHOLE = re.compile(
    b"|".join((re.escape(_PNG), _RIFF, _GIF, _BMP, _BOX, _CODESTREAM, _REST)), re.DOTALL
)
_VIDEO = re.compile(rb"[\0-\x0f].{3}(?:moov|mdat|moof)|\0\0\x01[\xba\xb3]", re.DOTALL)
# What can follow entropy-coded data: 00 and restart markers belong to it (T.81, B.1.1.5).
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SOS, _EOI = 0xDA, 0xD9
_SEGMENTS = frozenset((0xC4, _SOS, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE, *range(0xC0, 0xC4)))
# A TIFF's header, and tags that only pixels need: width, length, strips or tiles.
_TIFF = re.compile(rb"(?:II\*\0|MM\0\*)(.{4})", re.DOTALL)
_LAID_OUT = frozenset((256, 257, 273))
_MOST_HEADS, _MOST_ENTRIES, _TIFF_ENTRY = 64, 256, 12
_HEADER = 4
_RIFF_HEADER, _PNG_CHUNK = 8, 12


def pictures(data: bytes, ends: Sequence[int] = ()) -> Iterator[range]:
    """Yield where pictures lie inside `data`, in order and apart from each other.

    Parameters
    ----------
    ends : where pieces that belong together end, sorted; a picture that tells no end of its own
        goes on to the next of these
    """
    jpegs, others = _jpegs(data, ends), _others(data, ends)
    at = 0
    for span in sorted((*jpegs, *others), key=lambda span: span.start):
        start = max(span.start, at)
        if start < span.stop:
            yield range(start, span.stop)
            at = span.stop


def holds_picture(data: bytes) -> bool:
    """Whether there is a picture or a video inside, or what looks like the beginning of one."""
    return any(pattern.search(data) for pattern in (_WHOLE, _VIDEO)) or any(_jpegs(data, ()))


def holds_tiff(data: bytes) -> bool:
    """Whether a TIFF with pixels is inside: makers begin their own tables as one, but without."""
    for head in islice(_TIFF.finditer(data), _MOST_HEADS):
        order = "<" if head[0][:1] == b"I" else ">"
        (at,) = struct.unpack(f"{order}I", head[1])
        tags = _tags(data, head.start() + at, order)
        if tags >= _LAID_OUT:
            return True
    return False


def _tags(data: bytes, at: int, order: str) -> set[int]:
    """Return the tags of the directory that begins there."""
    count = int.from_bytes(data[at : at + 2], "little" if order == "<" else "big")
    rows = data[at + 2 : at + 2 + _TIFF_ENTRY * min(count, _MOST_ENTRIES)]
    return {row[0] for row in struct.iter_unpack(f"{order}H10x", rows[: len(rows) // 12 * 12])}


def _jpegs(data: bytes, ends: Sequence[int]) -> Iterator[range]:
    at, walked = 0, dict[int, int]()
    while beginning := _JPEG.search(data, at):
        first = beginning.start() + 1
        scan = _scan_start(data, first, walked)
        at = _coded_end(data, scan, _end_of_piece(first, ends, len(data))) if scan else first
        if scan:
            yield range(max(0, first - 2), at)


def _scan_start(data: bytes, at: int, walked: dict[int, int]) -> int:
    """Walk the segments from `at` to the first scan; 0 when they are none.

    Parameters
    ----------
    walked : what walks of before led to, by where they went: none is gone twice
    """
    way = []
    scan = 0
    while at + _HEADER <= len(data) and data[at] == 0xFF and data[at + 1] in _SEGMENTS:  # noqa: PLR2004  (a marker's first byte)
        if at in walked:
            scan = walked[at]
            break
        way.append(at)
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        at += 2 + max(length, 2)
        if marker == _SOS and at <= len(data):
            scan = at
            break
    walked.update(dict.fromkeys(way, scan))
    return scan


def _coded_end(data: bytes, at: int, limit: int) -> int:
    """Return where a JPEG ends whose first scan begins at `at`."""
    while (marker := _MARKER.search(data, at, limit)) and data[marker.start() + 1] in _SEGMENTS:
        start = marker.start()
        at = start + 2 + max(2, int.from_bytes(data[start + 2 : start + 4]))
    if marker is None:
        return limit
    return marker.end() if data[marker.start() + 1] == _EOI else marker.start()


def _others(data: bytes, ends: Sequence[int]) -> Iterator[range]:
    at = 0
    while beginning := _WHOLE.search(data, at):
        limit = _end_of_piece(beginning.start(), ends, len(data))
        at = max(beginning.end(), min(limit, _end(data, beginning.start(), limit)))
        yield range(beginning.start(), at)


def _end(data: bytes, start: int, limit: int) -> int:
    """Return where a picture says that it ends, `limit` where that is not known."""
    if data.startswith(b"RIFF", start):
        return start + _RIFF_HEADER + int.from_bytes(data[start + 4 : start + 8], "little")
    if not data.startswith(_PNG, start):
        return limit
    at = start + len(_PNG)
    while at + _PNG_CHUNK <= limit:
        kind = data[at + 4 : at + 8]
        at += _PNG_CHUNK + int.from_bytes(data[at : at + 4])
        if kind == b"IEND":
            return at
    return limit


def _end_of_piece(at: int, ends: Sequence[int], length: int) -> int:
    index = bisect_right(ends, at)
    return ends[index] if index < len(ends) else length
