"""GIF's container: blocks in, blocks out (GIF89a specification)."""

import struct
from dataclasses import dataclass

from cropkit.errors import CorruptImage, Truncated
from cropkit.formats.limits import check_parts
from cropkit.geometry import PixelBox, Size

_SCREEN = struct.Struct("<6sHHBBB")
_IMAGE = struct.Struct("<HHHHB")
_EXTENSION, _PICTURE, _END = 0x21, 0x2C, 0x3B
_SUB_BLOCK = 255
_ASPECT, _ASPECT_OFFSET, _ASPECT_SCALE = 12, 15, 64  # (stated + 15) / 64 is width over height
_HAS_TABLE, _TABLE_BITS, _INTERLACED = 0x80, 0x07, 0x40


@dataclass(frozen=True, slots=True)
class Picture:
    """An image block: where it stands on the screen, its own colours, its coded indices.

    ``coded`` are sub-blocks without the empty one that ends them.
    """

    place: tuple[int, int]
    size: Size
    flags: int
    table: bytes
    bits: int
    coded: bytes

    @property
    def interlaced(self) -> bool:
        """Whether rows stand in four passes."""
        return bool(self.flags & _INTERLACED)

    @property
    def box(self) -> PixelBox:
        """What it covers of the screen."""
        return PixelBox.from_xywh(*self.place, self.size.width, self.size.height)

    def encoded(self) -> bytes:
        """Return the whole block."""
        descriptor = _IMAGE.pack(*self.place, self.size.width, self.size.height, self.flags)
        head = bytes([_PICTURE]) + descriptor + self.table
        return head + bytes([self.bits]) + self.coded + b"\0"


@dataclass(frozen=True, slots=True)
class Container:
    """A GIF taken apart: the screen with its colours, extensions as bytes, pictures."""

    screen: bytes
    blocks: tuple[bytes | Picture, ...]
    trailer: bytes

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The image blocks."""
        return tuple(block for block in self.blocks if isinstance(block, Picture))

    @property
    def size(self) -> Size:
        """The screen, or what pictures need where they reach outside."""
        _, width, height, *_ = _SCREEN.unpack_from(self.screen)
        boxes = [picture.box for picture in self.pictures]
        return Size(
            max([width, *(box.right for box in boxes)]),
            max([height, *(box.bottom for box in boxes)]),
        )

    def encoded(self) -> bytes:
        """Return the whole file."""
        blocks = (b if isinstance(b, bytes) else b.encoded() for b in self.blocks)
        return self.screen + b"".join(blocks) + bytes([_END]) + self.trailer


def with_size(screen: bytes, size: Size) -> bytes:
    """Return the screen descriptor, with its colours, for another size."""
    return screen[:6] + struct.pack("<HH", size.width, size.height) + screen[10:]


def with_pixels_on_side(screen: bytes) -> bytes:
    """Return the screen descriptor with pixels as high as they were wide (section 18, aspect)."""
    stated = screen[_ASPECT]
    if not stated:
        return screen
    turned = round(_ASPECT_SCALE**2 / (stated + _ASPECT_OFFSET)) - _ASPECT_OFFSET
    return screen[:_ASPECT] + bytes([min(255, max(1, turned))]) + screen[_ASPECT + 1 :]


def parse(data: bytes, name: str) -> Container:
    """Take a GIF apart.

    Raises
    ------
    Truncated, CorruptImage
    """
    if len(data) < _SCREEN.size:
        raise Truncated(name, "inside the header")
    *_, flags, _, _ = _SCREEN.unpack_from(data)
    at = _SCREEN.size + _table_length(flags)
    screen = data[:at]
    blocks: list[bytes | Picture] = []
    while data[at : at + 1] != bytes([_END]):
        block, at = _block(data, at, name)
        blocks.append(block)
        check_parts(name, "blocks", len(blocks))
    return Container(screen, tuple(blocks), data[at + 1 :])


def _block(data: bytes, at: int, name: str) -> tuple[bytes | Picture, int]:
    if at + 2 > len(data):
        raise Truncated(name, "no end")
    if data[at] == _EXTENSION:
        end = _end_of_sub_blocks(data, at + 2, name)
        return data[at:end], end
    if data[at] != _PICTURE:
        raise CorruptImage(name, f"a block of kind {data[at]:#04x} at byte {at}")
    return _picture(data, at + 1, name)


def _picture(data: bytes, at: int, name: str) -> tuple[Picture, int]:
    if at + _IMAGE.size > len(data):
        raise Truncated(name, "inside an image descriptor")
    left, top, width, height, flags = _IMAGE.unpack_from(data, at)
    if not width or not height:
        raise CorruptImage(name, f"an image of {width} x {height} pixels")
    at += _IMAGE.size
    coded_at = at + _table_length(flags)
    if coded_at >= len(data):
        raise Truncated(name, "inside a colour table")
    end = _end_of_sub_blocks(data, coded_at + 1, name)
    table, coded = data[at:coded_at], data[coded_at + 1 : end - 1]
    size = Size(width, height)
    return Picture((left, top), size, flags, table, data[coded_at], coded), end


def _end_of_sub_blocks(data: bytes, at: int, name: str) -> int:
    """Return where a chain of sub-blocks ends: after the first one that is empty."""
    number = 0
    while at < len(data) and data[at]:
        at += 1 + data[at]
        number += 1
    check_parts(name, "sub-blocks", number)
    if at >= len(data):
        raise Truncated(name, "inside a block")
    return at + 1


def joined(block: bytes) -> bytes:
    """Return what the sub-blocks of an extension hold together."""
    pieces, at = [], 2
    while block[at]:
        pieces.append(block[at + 1 : at + 1 + block[at]])
        at += 1 + block[at]
    return b"".join(pieces)


def in_sub_blocks(data: bytes) -> bytes:
    """Return bytes as a chain of sub-blocks, with the empty one that ends it."""
    cut = (data[at : at + _SUB_BLOCK] for at in range(0, len(data), _SUB_BLOCK))
    return b"".join(bytes([len(piece)]) + piece for piece in cut) + b"\0"


def _table_length(flags: int) -> int:
    return 3 << (flags & _TABLE_BITS) + 1 if flags & _HAS_TABLE else 0
