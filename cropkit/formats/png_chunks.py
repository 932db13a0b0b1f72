"""PNG's container: chunks in, chunks out, nothing interpreted but IHDR (W3C PNG, third edition)."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cropkit.errors import CorruptImage, TrailingData, Truncated, UnsupportedFormat
from cropkit.formats.zstream import engine
from cropkit.geometry import Size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IDAT_BYTES = 1 << 20
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CRITICAL = ("IHDR", "PLTE", "IDAT", "IEND")
_ANCILLARY_BIT = 0x20
# What programs leave behind when they round a file up; anything else may be a picture.
_PADDING = b"\0\r\n \x1a\xff"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its four-letter type and its data."""

    type: str
    data: bytes

    def encoded(self) -> bytes:
        """Return length, type, data and CRC."""
        typed = self.type.encode("latin-1") + self.data
        return struct.pack(">I", len(self.data)) + typed + struct.pack(">I", engine.crc32(typed))


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
    """A PNG taken apart: the chunks without IDAT, and where the pixels stood among them."""

    chunks: tuple[Chunk, ...]
    idat_at: int
    idat: bytes
    trailer: bytes

    def encoded(self) -> bytes:
        """Return the whole file."""
        cuts = range(0, len(self.idat), _IDAT_BYTES)
        pixels = [Chunk("IDAT", self.idat[at : at + _IDAT_BYTES]) for at in cuts]
        before, after = self.chunks[: self.idat_at], self.chunks[self.idat_at :]
        return SIGNATURE + b"".join(c.encoded() for c in (*before, *pixels, *after)) + self.trailer


def parse(data: bytes, name: str) -> Container:
    """Take a PNG apart; CRCs, order and end are checked.

    Raises
    ------
    Truncated, CorruptImage, TrailingData, UnsupportedFormat
    """
    if not data.startswith(SIGNATURE):
        raise CorruptImage(name, "it does not begin as a PNG")
    chunks, end = _chunks(data, name)
    trailer = data[end:]
    if trailer.strip(_PADDING):
        raise TrailingData(name, len(trailer))
    at = [i for i, chunk in enumerate(chunks) if chunk.type == "IDAT"]
    if not at or at != list(range(at[0], at[-1] + 1)):
        raise CorruptImage(name, "pixel data is missing or torn apart")
    rest = tuple(c for c in chunks if c.type != "IDAT")
    _check_critical(rest, name)
    return Container(rest, at[0], b"".join(chunks[i].data for i in at), trailer)


def read_ihdr(data: bytes, name: str) -> Ihdr:
    """Read only the header, which stands first."""
    chunk, _ = _chunk(data, len(SIGNATURE), name)
    return Ihdr.parse(chunk, name)


def _chunks(data: bytes, name: str) -> tuple[list[Chunk], int]:
    chunks: list[Chunk] = []
    at = len(SIGNATURE)
    while not chunks or chunks[-1].type != "IEND":
        chunk, at = _chunk(data, at, name)
        chunks.append(chunk)
    return chunks, at


def _chunk(data: bytes, at: int, name: str) -> tuple[Chunk, int]:
    if at + 12 > len(data):
        raise Truncated(name, "no end chunk")
    (length,) = struct.unpack_from(">I", data, at)
    end = at + 12 + length
    kind = data[at + 4 : at + 8]
    if not kind.isalpha():
        raise CorruptImage(name, f"chunk type {kind!r} at byte {at}")
    if end > len(data):
        raise Truncated(name, f"inside a {kind.decode('latin-1')} chunk")
    if engine.crc32(memoryview(data)[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
        raise CorruptImage(name, f"the {kind.decode('latin-1')} chunk at byte {at} fails its CRC")
    return Chunk(kind.decode("latin-1"), data[at + 8 : end - 4]), end


def _check_critical(chunks: Iterable[Chunk], name: str) -> None:
    types = [chunk.type for chunk in chunks]
    for kind in types:
        if not ord(kind[0]) & _ANCILLARY_BIT and kind not in _CRITICAL:
            raise UnsupportedFormat(name, f"a PNG with the critical chunk {kind}")
    if types.count("IHDR") != 1 or types.count("PLTE") > 1:
        raise CorruptImage(name, "a chunk that stands once stands there twice")
