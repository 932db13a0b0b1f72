"""JPEG's container: marker segments in, marker segments out (ITU-T T.81, annex B)."""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from cropkit.errors import CorruptImage, TooManyParts, Truncated, UnsupportedDepth
from cropkit.formats.limits import check_parts
from cropkit.geometry import Size

DHT, SOS, DQT, DRI, COM = 0xC4, 0xDA, 0xDB, 0xDD, 0xFE
_LEAST_TABLE = {DQT: 65, DHT: 17}  # bytes of one (B.2.4.1, B.2.4.2)
APP0, APP1, APP2, APP3, APP11, APP13, APP14 = 0xE0, 0xE1, 0xE2, 0xE3, 0xEB, 0xED, 0xEE
_FRAMES = range(0xC0, 0xD0)
_NO_FRAMES = (0xC4, 0xC8, 0xCC)
_CODED = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive; Huffman, in one pass or several
_KINDS = {0xC3: "lossless", 0xC9: "arithmetic", 0xCA: "arithmetic progressive", 0xCB: "lossless"}
# In entropy-coded data FF is followed by 00, a restart marker, or more FF (B.1.1.5). What is below
# C0 is no marker that ends it, but damage: decoders go on at the next restart marker.
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
# Where a reader goes on that meets what is no marker: fill bytes may precede one (B.1.1.2).
_NEXT = re.compile(rb"\xff(?=[^\x00\xff])")
_ALONE = (0x01, *range(0xD0, 0xD8))  # markers without a segment, of use in coded data only
_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_8_BITS = 8
_MANY_SCANS, _MOST_SCANNED = 64, 4 << 30  # scans that any image may have; pixels of all together
# Zigzag order (figure A.6): natural index of each coded coefficient.
ZIGZAG = tuple(
    y * 8 + x
    for x, y in sorted(
        ((x, y) for y in range(8) for x in range(8)),
        key=lambda p: (p[0] + p[1], p[1] if (p[0] + p[1]) % 2 else p[0]),
    )
)


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment: its marker's second byte, and its data without the length."""

    marker: int
    data: bytes

    def encoded(self) -> bytes:
        """Return marker, length and data."""
        return struct.pack(">BBH", 0xFF, self.marker, len(self.data) + 2) + self.data

    @property
    def is_metadata(self) -> bool:
        """Whether it is carried: APPn or COM."""
        return APP0 <= self.marker <= 0xEF or self.marker == COM  # noqa: PLR2004  (APP15)


@dataclass(frozen=True, slots=True)
class Component:
    """A component of the frame: its sampling factors and its quantisation table."""

    id: int
    h: int
    v: int
    table: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan header: components by their place in the frame, spectral and bit ranges (B.2.3)."""

    components: tuple[int, ...]
    spectral: tuple[int, int]
    bits: tuple[int, int]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Everything in one row."""
        return (*self.components, *self.spectral, *self.bits)


@dataclass(frozen=True)
class Jpeg:
    """A JPEG taken apart; the codes of the pixels are the codec's business.

    ``pieces`` are what is no metadata: views of the file, in order.

    Parameters
    ----------
    stray : how many bytes, other than fill bytes, stood between segments
    ended : whether it has an end of image
    """

    segments: tuple[Segment, ...]
    pieces: tuple[memoryview, ...]
    trailer: bytes
    name: str
    stray: int = 0
    ended: bool = True

    @cached_property
    def coded(self) -> bytes:
        """All that is no metadata, from the first table to the end of the image."""
        return b"".join([*self.pieces, _EOI])

    @property
    def metadata(self) -> tuple[Segment, ...]:
        """Every APPn and COM segment, in order."""
        return tuple(s for s in self.segments if s.is_metadata)

    def spliced(self, metadata: Sequence[Segment], trailer: bytes) -> bytes:
        """Return the file with these pixels and other metadata around them."""
        around = [segment.encoded() for segment in metadata]
        return b"".join([_SOI, *around, *self.pieces, _EOI, trailer])

    @cached_property
    def frame(self) -> Segment:
        """The frame header; there is exactly one, of 6 bytes and 3 for each component."""
        frames = [s for s in self.segments if s.marker in _FRAMES and s.marker not in _NO_FRAMES]
        sound = [s for s in frames if len(s.data) == 6 + 3 * (s.data[5:6] or b"\0")[0]]
        if len(frames) != 1 or not sound:
            raise CorruptImage(self.name, "it has no sound frame header")
        return frames[0]

    @property
    def size(self) -> Size:
        """Stored width and height."""
        height, width = struct.unpack_from(">HH", self.frame.data, 1)
        if not width or not height:
            raise CorruptImage(self.name, f"{width} x {height} pixels")
        return Size(width, height)

    @property
    def progressive(self) -> bool:
        """Whether the scans refine the image."""
        return self.frame.marker == 0xC2  # noqa: PLR2004  (SOF2)

    @property
    def restart_interval(self) -> int:
        """MCUs between restart markers, 0 for none."""
        intervals = [s.data for s in self.segments if s.marker == DRI]
        return int.from_bytes(intervals[-1][:2]) if intervals else 0

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """The frame's components with the tables that they use."""
        tables = dict(_tables(self.segments))
        data = self.frame.data
        records = [data[at : at + 3] for at in range(6, len(data), 3)]
        if not records or any(
            c[2] not in tables or not c[1] >> 4 or not c[1] & 15 for c in records
        ):
            raise CorruptImage(self.name, "a component lacks its table or its sampling")
        return tuple(Component(c[0], c[1] >> 4, c[1] & 15, tables[c[2]]) for c in records)

    @cached_property
    def scans(self) -> tuple[Scan, ...]:
        """The scan headers, in order."""
        ids = [c.id for c in self.components]
        return tuple(_scan(s.data, ids, self.name) for s in self.segments if s.marker == SOS)

    @property
    def codes(self) -> frozenset[bytes]:
        """The Huffman tables, each with its class and number."""
        return frozenset(t for s in self.segments if s.marker == DHT for t in _codes(s.data))

    @property
    def table_numbers(self) -> list[int]:
        """Number of the quantisation table of each component."""
        return [self.frame.data[at] for at in range(8, len(self.frame.data), 3)]

    @property
    def sampling(self) -> tuple[tuple[int, int], ...]:
        """Sampling factors of the components; those of a single one mean nothing."""
        factors = tuple((c.h, c.v) for c in self.components)
        return factors if len(factors) > 1 else ((1, 1),)

    def check_coding(self) -> None:
        """Raise `UnsupportedDepth` for codings that would not come back the same."""
        marker, depth = self.frame.marker, self.frame.data[0]
        if marker not in _CODED:
            raise UnsupportedDepth(self.name, f"{_KINDS.get(marker, 'hierarchical')} JPEG")
        if depth != _8_BITS:
            raise UnsupportedDepth(self.name, f"{depth}-bit JPEG")


def check_scans(jpeg: Jpeg) -> None:
    """Raise `TooManyParts` where scans go over the image so often that it is made to cost time."""
    number = sum(segment.marker == SOS for segment in jpeg.segments)
    if number > _MANY_SCANS and number * jpeg.size.area > _MOST_SCANNED:
        raise TooManyParts(jpeg.name, "scans", max(_MANY_SCANS, _MOST_SCANNED // jpeg.size.area))


def parse(data: bytes, name: str) -> Jpeg:
    """Take a JPEG apart.

    Raises
    ------
    Truncated, CorruptImage
    """
    if not data.startswith(_SOI):
        raise CorruptImage(name, "it does not begin as a JPEG")
    segments: list[Segment] = []
    pieces: list[memoryview] = []
    view = memoryview(data)
    at, stray = 2, 0
    while True:
        start, skipped = _marker(data, at, name)
        stray += skipped
        if data.startswith((_EOI, _SOI), start):
            break
        try:
            segment, at = _segment(data, start, name)
        except (Truncated, CorruptImage):
            if SOS not in (each.marker for each in segments):
                raise
            break  # behind pixels: they have no end, and may all be there
        segments.append(segment)
        check_parts(name, "segments", len(segments))
        if segment.marker == SOS:
            marker = _MARKER.search(data, at)
            at = marker.start() if marker else len(data)
        if not segment.is_metadata:
            pieces.append(view[start:at])
        if at == len(data) and segment.marker == SOS:
            start = at
            break
    check_parts(name, "scans", sum(s.marker == SOS for s in segments))
    check_parts(name, "tables", sum(_most_tables(s) for s in segments))
    if not any(s.marker == SOS for s in segments):
        raise CorruptImage(name, "it has no pixels")
    ended = data.startswith(_EOI, start)
    trailer = data[start + 2 * ended :]
    return Jpeg(tuple(segments), tuple(pieces), trailer, name, stray, ended)


def _marker(data: bytes, at: int, name: str) -> tuple[int, int]:
    """Return where the next marker is that has a segment, and how many bytes are skipped."""
    skipped = 0
    while (marker := _NEXT.search(data, at)) and data[marker.start() + 1] in _ALONE:
        skipped += marker.end() + 1 - at
        at = marker.end() + 1
    if marker is None:
        raise Truncated(name, "between two segments")
    return marker.start(), skipped + len(data[at : marker.start()].strip(b"\xff"))


def _most_tables(segment: Segment) -> int:
    """Return how many tables a segment can hold, by its length."""
    least = _LEAST_TABLE.get(segment.marker)
    return -(-len(segment.data) // least) if least else 0


def _segment(data: bytes, at: int, name: str) -> tuple[Segment, int]:
    if at + 4 > len(data):
        raise Truncated(name, "between two segments")
    length = int.from_bytes(data[at + 2 : at + 4])
    end = at + 2 + length
    if length < 2:  # noqa: PLR2004  (the length counts itself)
        raise CorruptImage(name, f"a segment of length {length} at byte {at}")
    if end > len(data):
        raise Truncated(name, "inside a segment")
    return Segment(data[at + 1], data[at + 4 : end]), end


def _tables(segments: tuple[Segment, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield number and values of each quantisation table, in natural order (B.2.4.1)."""
    for segment in segments:
        at = 0 if segment.marker == DQT else len(segment.data)
        while at < len(segment.data):
            precision, number = segment.data[at] >> 4, segment.data[at] & 15
            coded = struct.unpack_from(">64H" if precision else ">64B", segment.data, at + 1)
            at += 129 if precision else 65
            natural = [0] * 64
            for index, value in zip(ZIGZAG, coded, strict=True):
                natural[index] = value
            yield number, tuple(natural)


def _scan(data: bytes, ids: list[int], name: str) -> Scan:
    count = data[0] if data else 0
    chosen = data[1 : 1 + 2 * count : 2]
    if len(data) != 4 + 2 * count or any(number not in ids for number in chosen):
        raise CorruptImage(name, "a scan header that does not fit its frame")
    start, end, bits = data[-3:]
    return Scan(tuple(map(ids.index, chosen)), (start, end), (bits >> 4, bits & 15))


def _codes(data: bytes) -> Iterator[bytes]:
    """Yield each Huffman table of a segment (B.2.4.2): 1 byte, 16 counts, as many values."""
    at = 0
    while at < len(data):
        end = at + 17 + sum(data[at + 1 : at + 17])
        yield data[at:end]
        at = end
