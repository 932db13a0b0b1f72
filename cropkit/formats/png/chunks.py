"""PNG's container: chunks in, chunks out, nothing interpreted but IHDR (W3C PNG, third edition)."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from cropkit.errors import CorruptImage, TrailingData, Truncated, UnsupportedFormat
from cropkit.formats import zlib_streams
from cropkit.formats.limits import check_parts
from cropkit.formats.options import TRAILING
from cropkit.geometry import Size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LEAST = 12  # bytes of a chunk without data
_CHECKSUM = 4  # bytes, at the end of a zlib stream (RFC 1950, 2.2)
_IDAT_BYTES = 1 << 20
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CRITICAL = ("IHDR", "PLTE", "IDAT", "IEND")
_ANCILLARY_BIT = 0x20
# What programs leave behind when they round a file up; anything else may be a picture.
PADDING = b"\0\r\n \x1a\xff"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its four-letter type and its data.

    Parameters
    ----------
    crc : the checksum that it is written with where that is a wrong one, as it was read
    """

    type: str
    data: bytes
    crc: bytes | None = None

    def encoded(self) -> bytes:
        """Return length, type, data and CRC."""
        head, tail = framed(self.type, (self.data,))
        return head + self.data + (self.crc or tail)


def framed(kind: str, pieces: Iterable[bytes | memoryview]) -> tuple[bytes, bytes]:
    """Return what stands before and after the data of a chunk: length and type, and the CRC."""
    crc, length = zlib_streams.engine.crc32(kind.encode("latin-1")), 0
    for piece in pieces:
        crc, length = zlib_streams.engine.crc32(piece, crc), length + len(piece)
    return struct.pack(">I", length) + kind.encode("latin-1"), struct.pack(">I", crc)


@dataclass(frozen=True, slots=True)
class Ihdr:
    """The image header (11.2.1)."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int = 0
    filtering: int = 0
    interlace: int = 0

    @classmethod
    def parse(cls, chunk: Chunk, name: str) -> "Ihdr":
        """Read and judge the header; a combination that the standard lacks is damage."""
        if chunk.type != "IHDR" or len(chunk.data) != struct.calcsize(">IIBBBBB"):
            raise CorruptImage(name, "it does not begin with a header chunk")
        header = cls(*struct.unpack(">IIBBBBB", chunk.data))
        known = header.depth in _DEPTHS.get(header.colour, ())
        if not known or (header.compression, header.filtering, header.interlace >> 1) != (0, 0, 0):
            raise CorruptImage(name, f"the header says {header}")
        if not 0 < header.width < 1 << 31 or not 0 < header.height < 1 << 31:
            raise CorruptImage(name, f"{header.width} x {header.height} pixels")
        return header

    @property
    def size(self) -> Size:
        """Stored width and height."""
        return Size(self.width, self.height)

    @property
    def bits(self) -> int:
        """Bits a pixel."""
        return _CHANNELS[self.colour] * self.depth

    @property
    def bpp(self) -> int:
        """Bytes a pixel as filters see them: at least 1 (9.2)."""
        return max(1, self.bits // 8)

    def stride(self, width: int) -> int:
        """Bytes in a row of that many pixels, without the filter byte."""
        return (width * self.bits + 7) // 8

    def sized(self, size: Size) -> "Ihdr":
        """Return the header of a straight image of that size."""
        return replace(self, width=size.width, height=size.height, interlace=0)

    def chunk(self) -> Chunk:
        """Return it as a chunk."""
        values = (self.width, self.height, self.depth, self.colour)
        rest = (self.compression, self.filtering, self.interlace)
        return Chunk("IHDR", struct.pack(">IIBBBBB", *values, *rest))


@dataclass(frozen=True, slots=True)
class Container:
    """A PNG taken apart: the chunks without IDAT, and where the pixels stood among them.

    `pixels` are views of the file's bytes, which are not copied before they are needed.

    Parameters
    ----------
    ended : whether it has an end chunk, without which all of the pixels have to be looked for
    broken : which is the first of the pixels' pieces whose checksum is wrong, None where all are
        right
    unread : how many bytes stand behind damage after which nothing is looked for
    """

    chunks: tuple[Chunk, ...]
    idat_at: int
    pixels: tuple[memoryview, ...]
    trailer: bytes
    ended: bool = True
    broken: int | None = None
    unread: int = 0

    @property
    def idat(self) -> bytes:
        """The pixel stream."""
        return b"".join(self.pixels)

    @property
    def idat_end(self) -> bytes:
        """The pixel stream's last 4 bytes, where its checksum stands; fewer where it is shorter."""
        end = b""
        for piece in reversed(self.pixels):
            if len(end) >= _CHECKSUM:
                break
            end = piece[-_CHECKSUM:].tobytes() + end
        return end[-_CHECKSUM:]

    @property
    def idat_length(self) -> int:
        """Bytes in the pixel stream."""
        return sum(piece.nbytes for piece in self.pixels)

    def encoded(self) -> bytes:
        """Return the whole file."""
        before, after = self.chunks[: self.idat_at], self.chunks[self.idat_at :]
        parts: list[bytes | memoryview] = [SIGNATURE, *(chunk.encoded() for chunk in before)]
        for piece in self.pixels:
            for at in range(0, piece.nbytes, _IDAT_BYTES):
                cut = piece[at : at + _IDAT_BYTES]
                head, tail = framed("IDAT", (cut,))
                parts += [head, cut, tail]
        return b"".join([*parts, *(chunk.encoded() for chunk in after), self.trailer])


def parse(
    data: bytes, name: str, drop: frozenset[str] = frozenset(), *, salvage: bool = False
) -> Container:
    """Take a PNG apart; CRCs, order and end are checked.

    Of an ancillary chunk a wrong CRC is carried: readers leave it out, and show the image. Of the
    pixels it is told, since their stream has a checksum of its own. To salvage pixels, what is no
    chunk behind them is taken for the end.

    Raises
    ------
    Truncated, CorruptImage, TrailingData, UnsupportedFormat
    """
    if not data.startswith(SIGNATURE):
        raise CorruptImage(name, "it does not begin as a PNG")
    spans = list(_spans(data, name, salvage=salvage))
    ended = spans[-1].type == "IEND"
    trailer = data[spans[-1].end :] if ended else b""
    if trailer.strip(PADDING) and TRAILING not in drop:
        raise TrailingData(name, len(trailer))
    at = [i for i, span in enumerate(spans) if span.type == "IDAT"]
    if not at or at != list(range(at[0], at[-1] + 1)):
        raise CorruptImage(name, "pixel data is missing or torn apart")
    check_parts(name, "chunks beside the pixels", len(spans) - len(at))
    view = memoryview(data)
    rest = tuple(s.chunk(view) for s in spans if s.type != "IDAT")
    rest = rest if ended else (*rest, Chunk("IEND", b""))
    _check_critical(rest, name)
    pixels = tuple(spans[i].of(view) for i in at)
    broken = next((i for i, place in enumerate(at) if not spans[place].sound), None)
    unread = 0 if ended else max(0, len(data) - spans[-1].end)
    return Container(rest, at[0], pixels, trailer, ended, broken, unread)


def read_ihdr(data: bytes, name: str) -> Ihdr:
    """Read only the header, which stands first."""
    span = _span(data, len(SIGNATURE), name)
    if span.type not in _CRITICAL and not ord(span.type[0]) & _ANCILLARY_BIT:
        raise UnsupportedFormat(name, f"a PNG with the critical chunk {span.type}")
    return Ihdr.parse(span.chunk(memoryview(data)), name)


class _Span(NamedTuple):
    """Where a chunk stands in the file: there may be very many."""

    type: str
    start: int
    end: int
    sound: bool

    def of(self, data: memoryview) -> memoryview:
        return data[self.start + 8 : self.end - 4]

    def chunk(self, data: memoryview) -> Chunk:
        crc = None if self.sound else data[self.end - 4 : self.end].tobytes()
        return Chunk(self.type, self.of(data).tobytes(), crc)


def _spans(data: bytes, name: str, *, salvage: bool) -> Iterator[_Span]:
    span = _span(data, len(SIGNATURE), name)
    yield span
    number, has_pixels = 1, False
    while span.type != "IEND":
        number += 1
        has_pixels = has_pixels or span.type == "IDAT"
        if has_pixels and len(data) < span.end + _LEAST:
            return  # its end is missing, of which readers do not need to see more
        check_parts(name, "chunks", number)
        try:
            span = _span(data, span.end, name)
        except (Truncated, CorruptImage):
            if not (salvage and has_pixels):
                raise
            return
        if span.type == "IEND" and not span.sound:
            return  # as if it were missing: it is the last that there is
        yield span


def _span(data: bytes, at: int, name: str) -> _Span:
    if at + _LEAST > len(data):
        raise Truncated(name, "no end chunk")
    (length,) = struct.unpack_from(">I", data, at)
    kind = data[at + 4 : at + 8]
    if not kind.isalpha():
        raise CorruptImage(name, f"chunk type {kind!r} at byte {at}")
    named, end = kind.decode("latin-1"), at + 12 + length
    if end > len(data):
        if named == "IDAT":  # the last one, which may hold all that is needed
            return _Span(named, at, end, sound=True)
        raise Truncated(name, f"inside a {named} chunk")
    crc = zlib_streams.engine.crc32(memoryview(data)[at + 4 : end - 4])
    sound = crc == int.from_bytes(data[end - 4 : end])
    made_good = named == "IDAT" or (named == "IEND" and end == len(data))
    if not (sound or made_good or kind[0] & _ANCILLARY_BIT):
        raise CorruptImage(name, f"the {named} chunk at byte {at} fails its CRC")
    return _Span(named, at, end, sound)


def _check_critical(chunks: Iterable[Chunk], name: str) -> None:
    types = [chunk.type for chunk in chunks]
    for kind in types:
        if not ord(kind[0]) & _ANCILLARY_BIT and kind not in _CRITICAL:
            raise UnsupportedFormat(name, f"a PNG with the critical chunk {kind}")
    if types.count("IHDR") != 1 or types.count("PLTE") > 1:
        raise CorruptImage(name, "a chunk that stands once stands there twice")
