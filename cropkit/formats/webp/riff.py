"""WebP's container: RIFF chunks in, RIFF chunks out (RFC 9649, section 2)."""

import struct
from dataclasses import dataclass

from cropkit.errors import CorruptImage, TrailingData, Truncated, UnreadableImage
from cropkit.formats.limits import check_parts
from cropkit.formats.options import TRAILING
from cropkit.geometry import Size

VP8, VP8L, VP8X, ALPH = "VP8 ", "VP8L", "VP8X", "ALPH"
PIXELS = (VP8, VP8L)
EXIF_FLAG = 0x08
_HEADER = struct.Struct("<4sI4s")
_CHUNK = struct.Struct("<4sI")
_VP8_START = b"\x9d\x01\x2a"  # RFC 6386, 9.1
_VP8L_SIGNATURE = 0x2F  # RFC 9649, 3.4
_SIDE = 0x3FFF
_ALPHA_BIT = 28
_FRAME, _ANIMATION = "ANMF", "ANIM"
_FRAME_HEADER, _CANVAS_BYTES = 16, 10
_NO_ANIMATION = bytes(flags & ~0x02 for flags in range(256))
PADDING = b"\0\r\n \x1a\xff"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its four characters and its data, without the padding."""

    type: str
    data: bytes

    def encoded(self) -> bytes:
        """Return type, length, data, and a zero where the length is odd."""
        kind = self.type.encode("latin-1")
        return _CHUNK.pack(kind, len(self.data)) + self.data + bytes(len(self.data) % 2)


@dataclass(frozen=True, slots=True)
class Container:
    """A WebP taken apart."""

    chunks: tuple[Chunk, ...]
    trailer: bytes = b""

    def encoded(self) -> bytes:
        """Return the whole file."""
        body = b"".join(chunk.encoded() for chunk in self.chunks)
        return _HEADER.pack(b"RIFF", 4 + len(body), b"WEBP") + body + self.trailer

    def first(self, *types: str) -> bytes | None:
        """Return the data of the first chunk of these types."""
        return next((c.data for c in self.chunks if c.type in types), None)

    @property
    def lossless(self) -> bool:
        """Whether the pixels are coded without loss."""
        return any(c.type == VP8L for c in self.chunks)

    def only(self, *types: str) -> "Container":
        """Return the container with the chunks of these types alone."""
        return Container(tuple(c for c in self.chunks if c.type in types))


def parse(data: bytes, name: str, drop: frozenset[str] = frozenset()) -> Container:
    """Take a WebP apart.

    Raises
    ------
    Truncated, CorruptImage, TrailingData
    """
    if len(data) < _HEADER.size:
        raise Truncated(name, "inside the header")
    riff, length, webp = _HEADER.unpack_from(data)
    end = 8 + length
    if (riff, webp) != (b"RIFF", b"WEBP"):
        raise CorruptImage(name, "it does not begin as a WebP")
    if end > len(data):
        raise Truncated(name, f"{len(data)} of {end} bytes")
    trailer = data[end:]
    if trailer.strip(PADDING) and TRAILING not in drop:
        raise TrailingData(name, len(trailer))
    return Container(_chunks(data, end, name), trailer)


def size(container: Container, name: str) -> Size:
    """Return the stored size; what the canvas and the pixels say must agree.

    Raises
    ------
    CorruptImage
    """
    pixels = container.first(*PIXELS)
    if pixels is None:
        raise CorruptImage(name, "it has no pixels")
    sides = _vp8l_size(pixels) if container.lossless else _vp8_size(pixels)
    if sides is None:
        raise CorruptImage(name, "the pixels have no sound header")
    canvas = container.first(VP8X)
    if canvas is not None and _canvas(canvas) != sides:
        raise CorruptImage(name, "the canvas is not of the size of the pixels")
    return Size(*sides)


def unwrapped(container: Container, name: str) -> Container | None:
    """Return the still image that an animation of one frame is, None where it is none.

    The frame has to cover the canvas (2.7.1.1): a smaller one has something around it.
    """
    canvas = container.first(VP8X)
    frames = [chunk.data for chunk in container.chunks if chunk.type == _FRAME]
    if canvas is None or len(canvas) < _CANVAS_BYTES or len(frames) != 1:
        return None
    (frame,) = frames
    sides = tuple(1 + int.from_bytes(frame[at : at + 3], "little") for at in (6, 9))
    if frame[:6] != bytes(6) or sides != _canvas(canvas) or container.first(*PIXELS):
        return None
    try:
        inside = _chunks(frame, len(frame), name, _FRAME_HEADER)
    except UnreadableImage:
        return None
    still = canvas[:1].translate(_NO_ANIMATION) + canvas[1:]
    after = {VP8X: (Chunk(VP8X, still),), _FRAME: inside, _ANIMATION: ()}
    chunks = (after.get(chunk.type, (chunk,)) for chunk in container.chunks)
    return Container(tuple(c for each in chunks for c in each), container.trailer)


def with_canvas(data: bytes, after: Size) -> bytes:
    """Return VP8X's data for another size; its flags stay (2.7)."""
    sides = (side - 1 for side in (after.width, after.height))
    return data[:4] + b"".join(side.to_bytes(3, "little") for side in sides) + data[10:]


def like(pixels: bytes, source: bytes, *, lossless: bool) -> bytes:
    """Carry the hints of a pixel header over to new pixels: use of alpha, scaling for display."""
    after = bytearray(pixels)
    if lossless:
        bit = 1 << (_ALPHA_BIT % 8)
        after[4] = after[4] & ~bit | source[4] & bit
    else:
        for at in (7, 9):
            after[at] = after[at] & 0x3F | source[at] & 0xC0
    return bytes(after)


def _chunks(data: bytes, end: int, name: str, at: int = _HEADER.size) -> tuple[Chunk, ...]:
    chunks = []
    while at < end:
        if at + _CHUNK.size > end:
            raise CorruptImage(name, "the last chunk has no header")
        kind, length = _CHUNK.unpack_from(data, at)
        begin, at = at + _CHUNK.size, at + _CHUNK.size + length + length % 2
        # Some writers leave out the padding of the last chunk.
        if begin + length > end:
            raise Truncated(name, f"inside the chunk {kind.decode('latin-1')!r}")
        chunks.append(Chunk(kind.decode("latin-1"), data[begin : begin + length]))
        check_parts(name, "RIFF chunks", len(chunks))
    return tuple(chunks)


def _canvas(data: bytes) -> tuple[int, int]:
    return tuple(1 + int.from_bytes(data[at : at + 3], "little") for at in (4, 7))  # type: ignore[return-value]  # (two of them)


def _vp8_size(data: bytes) -> tuple[int, int] | None:
    """Read a key frame's header (RFC 6386, 9.1)."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != _VP8_START:  # noqa: PLR2004  (its length)
        return None
    width, height = struct.unpack_from("<HH", data, 6)
    sides = (width & _SIDE, height & _SIDE)
    return sides if all(sides) else None


def _vp8l_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 5 or data[0] != _VP8L_SIGNATURE:  # noqa: PLR2004  (its length)
        return None
    (bits,) = struct.unpack_from("<I", data, 1)
    return (bits & _SIDE) + 1, (bits >> 14 & _SIDE) + 1
