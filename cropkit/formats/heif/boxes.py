"""The boxes of ISO 14496-12 that a HEIF file is made of: taken apart, and put together."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cropkit.errors import CorruptImage, Truncated
from cropkit.formats.limits import check_parts

_HEAD = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")
_UUID_BYTES = 16
_TO_THE_END, _LARGER = 0, 1


@dataclass(frozen=True, slots=True)
class Box:
    """One box.

    Parameters
    ----------
    kind : its four characters
    begin : where its body begins in the file
    body : without size and type
    """

    kind: str
    begin: int
    body: bytes

    @property
    def version(self) -> int:
        """Of a full box (4.2); its flags are the three bytes behind it."""
        return self.body[0]

    @property
    def flags(self) -> int:
        """Of a full box."""
        return int.from_bytes(self.body[1:4])


def boxes(data: bytes, name: str, begin: int = 0, end: int | None = None) -> tuple[Box, ...]:
    """Take the boxes of a file apart, or those of a body within it.

    Raises
    ------
    Truncated, CorruptImage, TooManyParts
    """
    parts = list[Box]()
    for part in _each(data, name, begin, len(data) if end is None else end):
        parts.append(part)
        check_parts(name, "boxes", len(parts))
    return tuple(parts)


def _each(data: bytes, name: str, at: int, end: int) -> Iterator[Box]:
    while at < end:
        if at + _HEAD.size > end:
            raise Truncated(name, "inside the head of a box")
        size, kind = _HEAD.unpack_from(data, at)
        head = _HEAD.size
        if size == _LARGER and at + head + _LARGE.size <= end:
            (size,), head = _LARGE.unpack_from(data, at + head), head + _LARGE.size
        elif size == _TO_THE_END:
            size = end - at
        if size < head:
            raise CorruptImage(name, "a box that is shorter than its head")
        if at + size > end:
            raise Truncated(name, f"inside the box {kind.decode('latin-1')!r}")
        yield Box(kind.decode("latin-1"), at + head, data[at + head : at + size])
        at += size


def box(kind: str, *parts: bytes) -> bytes:
    """Return a box; one of more than 4 GiB cannot be written."""
    body = b"".join(parts)
    return _HEAD.pack(_HEAD.size + len(body), kind.encode("latin-1")) + body


def full_box(kind: str, version: int, *parts: bytes, flags: int = 0) -> bytes:
    """Return a full box (4.2)."""
    return box(kind, bytes([version]), flags.to_bytes(3), *parts)
