"""TIFF files put together by hand (TIFF 6.0, BigTIFF): any tags, before or behind the pixels."""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

Tag = tuple[int, int, Any]  # number, type, values or bytes or the tags of another directory
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, DOUBLE = 1, 2, 3, 4, 5, 7, 12
_CODES = {1: "u1", 3: "u2", 4: "u4", 5: "u4", 12: "f8", 13: "u4", 16: "u8", 18: "u8"}
_COUNTED = {5: 2}
OFFSETS, COUNTS = 273, 279


class Builder:
    """Lays a file out from front to back; the first directory's offset is patched in last."""

    def __init__(self, order: str = "<", *, big: bool = False) -> None:
        self.order, self.big = order, big
        mark = b"II" if order == "<" else b"MM"
        self.data = bytearray(mark + struct.pack(f"{order}H", 43 if big else 42))
        self.data += struct.pack(f"{order}HHQ", 8, 0, 0) if big else bytes(4)

    def put(self, data: bytes) -> int:
        """Append bytes at an even offset; return it."""
        self.data += bytes(len(self.data) % 2)
        at = len(self.data)
        self.data += data
        return at

    def directory(self, tags: list[Tag], following: int = 0) -> int:
        """Append the values, then the directory; return where it is."""
        number, entry, inline = ("Q", "HHQ", 8) if self.big else ("I", "HHI", 4)
        rows = b""
        for tag, kind, given in tags:
            values = [self.directory(given)] if kind == LONG and _is_directory(given) else given
            data = values if isinstance(values, bytes) else self.packed(kind, values)
            count = len(data) // (np.dtype(_CODES.get(kind, "u1")).itemsize * _COUNTED.get(kind, 1))
            field = data
            if len(data) > inline:
                field = struct.pack(self.order + number, self.put(data))
            rows += struct.pack(self.order + entry, tag, kind, count) + field.ljust(inline, b"\0")
        head = struct.pack(self.order + ("Q" if self.big else "H"), len(tags))
        return self.put(head + rows + struct.pack(self.order + number, following))

    def packed(self, kind: int, values: Any) -> bytes:
        return np.asarray(values).astype(f"{self.order}{_CODES[kind]}").tobytes()

    def finished(self, first: int) -> bytes:
        at = 8 if self.big else 4
        struct.pack_into(self.order + ("Q" if self.big else "I"), self.data, at, first)
        return bytes(self.data)


def _is_directory(given: Any) -> bool:
    return isinstance(given, list) and bool(given) and isinstance(given[0], tuple)


def build(
    pixels: np.ndarray[Any, Any],
    extra: list[Tag] | None = None,
    *,
    order: str = "<",
    big: bool = False,
    tags_first: bool = False,
    rows_per_strip: int | None = None,
    changed: Mapping[int, Tag | None] | None = None,
) -> bytes:
    """An uncompressed image of 8-bit gray or RGB with more tags, replaced or missing ones.

    With `tags_first`, everything stands before the pixels, as cameras and Photoshop write it.
    """
    height, width, *channels = pixels.shape
    samples = channels[0] if channels else 1
    step = rows_per_strip or height
    strips = [pixels[at : at + step].tobytes() for at in range(0, height, step)]

    def tags(offsets: list[int]) -> list[Tag]:
        own: dict[int, Tag | None] = {
            256: (256, SHORT, [width]),
            257: (257, SHORT, [height]),
            258: (258, SHORT, [8] * samples),
            259: (259, SHORT, [1]),
            262: (262, SHORT, [1 if samples == 1 else 2]),
            OFFSETS: (OFFSETS, LONG, offsets),
            277: (277, SHORT, [samples]),
            278: (278, LONG, [step]),
            COUNTS: (COUNTS, LONG, [len(strip) for strip in strips]),
            **{tag[0]: tag for tag in extra or []},
        }
        own |= changed or {}
        return [tag for _, tag in sorted(own.items()) if tag is not None]

    builder = Builder(order, big=big)
    if not tags_first:
        offsets = [builder.put(strip) for strip in strips]
        return builder.finished(builder.directory(tags(offsets)))
    # Once to learn how long the tags are, once more for good.
    trial = Builder(order, big=big)
    trial.directory(tags([1] * len(strips)))
    start = len(trial.data) + 64
    ends = np.cumsum([0, *map(len, strips)]).tolist()
    first = builder.directory(tags([start + end for end in ends[:-1]]))
    builder.data += bytes(start - len(builder.data)) + b"".join(strips)
    return builder.finished(first)


def read(data: bytes) -> dict[int, bytes]:
    """The values of the first directory, as bytes: a reader of its own."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    return _read(
        data, order, big, struct.unpack_from(order + "QI"[not big], data, 8 if big else 4)[0]
    )


def below(data: bytes, tag: int) -> dict[int, bytes]:
    """The values of the directory that a tag of the first one points to."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    (at,) = struct.unpack_from(order + "QI"[len(read(data)[tag]) == 4], read(data)[tag])
    return _read(data, order, big, at)


def _read(data: bytes, order: str, big: bool, at: int) -> dict[int, bytes]:  # noqa: FBT001  (a test's own reader)
    count, head, entry = ("Q", 8, 20) if big else ("H", 2, 12)
    widths = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 12: 8, 13: 4, 16: 8, 18: 8}
    found = {}
    for index in range(struct.unpack_from(order + count, data, at)[0]):
        start = at + head + index * entry
        tag, kind, many = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, start)
        length, inline = many * widths[kind], 8 if big else 4
        value = start + (12 if big else 8)
        if length > inline:
            (value,) = struct.unpack_from(order + ("Q" if big else "I"), data, value)
        found[tag] = data[value : value + length]
    return found
