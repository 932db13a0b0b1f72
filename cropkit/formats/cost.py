"""What a file may cost to be decoded, by a few numbers of its header: no more than a look.

It is no parser: a header that is not as usual is taken for one that costs whatever there is. The
times are those of ordinary files, coded anew and proven; a file that is made to cost time has been
seen to take some four times as much.
"""

import re
import struct
from collections.abc import Callable, Mapping
from itertools import islice
from math import ceil, inf
from typing import NamedTuple

from cropkit.errors import Refused
from cropkit.formats.limits import MOST_PARTS
from cropkit.formats.options import EXTENSION
from cropkit.formats.sniff import sniff

_NS = 1e-9
_SCAN_NS = 5  # for each further scan of a JPEG, of which each may go over the whole image
_MOST_BLOCKS = 200  # of a GIF before its picture: more are not looked through
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of PNG, by colour type
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd9]")  # of JPEG
_SCAN = re.compile(rb"\xff\xda")  # searched for in a third of the time that `count` takes
_FRAMES = frozenset(bytes((0xFF, n)) for n in range(0xC0, 0xD0) if n not in (0xC4, 0xC8, 0xCC))
_STRIP_NS = 6_000  # for each strip or tile of a TIFF, which Pillow holds in lists
_RAW, _RLE = 10, 300  # ns a byte, without compression and with BMP's, which Python takes apart
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _SAMPLES = 256, 257, 258, 259, 277
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_CODES = {1: "B", 3: "H", 4: "I", 16: "Q"}


# JPEG 2000's and HEIF's box of height and width, and the marker of the first one's bare stream.
_SIDES = re.compile(rb"ihdr|ispe\0{4}|\xff\x4f\xff\x51.{4}", re.DOTALL)
_COPIES = 4  # of the pixels, that decoders and encoders have at a time
_HEAD, _JP2_SAMPLE = 1 << 16, 12  # bytes of a pixel, in OpenJPEG's 32 bits each


class Cost(NamedTuple):
    """What decoding, coding anew and proving may take: seconds of CPU and bytes of pixels."""

    seconds: float
    memory: float


UNKNOWN = Cost(inf, inf)


def of(data: bytes) -> Cost:
    """Return what a file may cost, whatever its name; `UNKNOWN` where its header does not tell."""
    try:
        room = _ROOMS.get(sniff(data, "", frozenset({EXTENSION})))
        pixels, ns = room(data) if room else (inf, inf)
    except (Refused, struct.error, LookupError, ValueError):
        return UNKNOWN
    return Cost((pixels * ns + len(data) * _RAW) * _NS, pixels + len(data))


def pixels(data: bytes) -> float:
    """Return how many bytes of pixels a header states, of other formats as well; 0: it does not."""
    known = of(data).memory
    if known != inf:
        return known
    stated = [struct.unpack_from(">II", data, each.end()) for each in _SIDES.finditer(data[:_HEAD])]
    return max((width * height * _JP2_SAMPLE for width, height in stated), default=0)


def is_short_of_memory(data: bytes, memory: int) -> bool:
    """Whether a decoder that calls a file damaged may only have got no memory for it."""
    return pixels(data) * _COPIES > memory


def is_written(data: bytes) -> bool:
    """Whether a format of ours takes the file apart: with bounds of its own, and no decoder."""
    try:
        return sniff(data, "", frozenset({EXTENSION})) in _ROOMS
    except Refused:
        return True


def _png(data: bytes) -> tuple[float, float]:
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    return width * height * _CHANNELS[colour] * max(depth, 8) / 8, 20


def _jpeg(data: bytes) -> tuple[float, float]:
    at = 2
    for _ in range(MOST_PARTS["segments"]):
        marker = _MARKER.search(data, at)
        if marker is None:
            break
        at = marker.end()
        if marker[0] in _FRAMES:
            height, width, components = struct.unpack_from(">HHB", data, at + 3)
            return width * height * components, 30 + _SCAN_NS * max(0, _scans(data, at) - 10)
        at += int.from_bytes(data[at : at + 2])
    raise ValueError


def _scans(data: bytes, at: int) -> int:
    """Return as many at least as there are behind a frame's header, and one too many at most."""
    return sum(1 for _ in islice(_SCAN.finditer(data, at), MOST_PARTS["scans"] + 1))


def _webp(data: bytes) -> tuple[float, float]:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        return width * height * 4, 120
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (1 + (bits & 0x3FFF)) * (1 + (bits >> 14 & 0x3FFF)) * 4, 120
    width, height = struct.unpack_from("<HH", data, 26)
    return (width & 0x3FFF) * (height & 0x3FFF) * 3, 40


def _tiff(data: bytes) -> tuple[float, float]:
    tags, pieces = _first_tags(data)
    width, length = tags[_WIDTH], tags[_LENGTH]
    if _TILE_WIDTH in tags:
        width = ceil(width / tags[_TILE_WIDTH]) * tags[_TILE_WIDTH]
        length = ceil(length / tags[_TILE_LENGTH]) * tags[_TILE_LENGTH]
    pixels = width * length * tags.get(_SAMPLES, 1) * max(8, tags.get(_BITS, 8)) / 8
    ns = _RAW if tags.get(_COMPRESSION, 1) == 1 else 30
    return pixels, ns + _STRIP_NS * pieces / max(pixels, 1)


def _first_tags(data: bytes) -> tuple[dict[int, int], int]:
    """Return the first number of each tag of the first directory, and the most that one has."""
    order, big = "<" if data[:2] == b"II" else ">", data[2:4] in (b"+\0", b"\0+")
    number, entry, head, start = ("Q", 20, "Q", 8) if big else ("I", 12, "H", 4)
    (first,) = struct.unpack_from(order + number, data, start)
    (count,) = struct.unpack_from(order + head, data, first)
    at, most = first + struct.calcsize(order + head), 0
    tags: dict[int, int] = {}
    for place in range(at, at + entry * min(count, 100), entry):
        tag, kind = struct.unpack_from(order + "HH", data, place)
        (several,) = struct.unpack_from(order + number, data, place + 4)
        if kind in _CODES:
            most = max(most, several)
            code, value = order + _CODES[kind], place + entry - struct.calcsize(number)
            if several * struct.calcsize(code) > struct.calcsize(number):
                (value,) = struct.unpack_from(order + number, data, value)
            tags.setdefault(tag, struct.unpack_from(code, data, value)[0])
    return tags, most


def _bmp(data: bytes) -> tuple[float, float]:
    (length,) = struct.unpack_from("<I", data, 14)
    if length == 12:  # noqa: PLR2004  (BITMAPCOREHEADER)
        width, height = struct.unpack_from("<HH", data, 18)
        return width * height * 4, _RAW
    width, height, _, _, compression = struct.unpack_from("<iiHHI", data, 18)
    return abs(width * height) * 4, _RLE if compression in (1, 2) else _RAW


def _gif(data: bytes) -> tuple[float, float]:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    for _ in range(_MOST_BLOCKS):
        if data[at] == ord(","):
            own = struct.unpack_from("<HHHH", data, at + 1)
            right, bottom = max(width, own[0] + own[2]), max(height, own[1] + own[3])
            return right * bottom * 4, 20
        at += 2 if data[at] == ord("!") else data[at] + 1
    raise ValueError


_ROOMS: Mapping[str, Callable[[bytes], tuple[float, float]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "tiff": _tiff,
    "bmp": _bmp,
    "gif": _gif,
}
