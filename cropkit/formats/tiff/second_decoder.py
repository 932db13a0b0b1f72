"""libtiff's view of strips and tiles: a decoder that shares nothing with the one that encoded.

Pillow brings libtiff, but knows few kinds of pixels. So the strips or tiles are shown to it as
those of one gray picture, whose pixels are their bytes: for that, a BigTIFF header is set before
the file and a directory behind it.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain

import numpy as np
from PIL.TiffImagePlugin import TiffImageFile

from cropkit.formats.bit_rows import Rows
from cropkit.formats.tiff.layout import Layout

_HEADER = struct.Struct("<4sHHQ")
_TAG = struct.Struct("<HHQQ")
_LONG, _LONG8 = 4, 16
_OFFSETS, _COUNTS = 273, 279


@dataclass(frozen=True, slots=True)
class Stack:
    """Strips or tiles of one plane: offset and length in the file, and the rows in each.

    Only the last may have fewer rows than the others.
    """

    spans: Sequence[tuple[int, int]]
    rows: Sequence[int]
    stride: int


def decompressed(data: bytes, layout: Layout, stack: Stack) -> Rows:
    """Return all the rows, (rows, stride), that libtiff finds in a file."""
    at = _HEADER.size + len(data)
    header = _HEADER.pack(b"II+\0", 8, 0, at)
    picture = TiffImageFile(BytesIO(b"".join((header, data, _directory(at, layout, stack)))))
    picture.load()
    return np.asarray(picture)


def _directory(at: int, layout: Layout, stack: Stack) -> bytes:
    many = len(stack.spans)
    shown = {256: stack.stride, 257: sum(stack.rows), 258: 8, 259: layout.compression, 262: 1}
    shown |= {
        266: 2 if layout.reversed_bits else 1,
        _OFFSETS: 0,
        277: 1,
        278: stack.rows[0],
        _COUNTS: 0,
    }
    arrays_at = at + 8 + len(shown) * _TAG.size + 8
    offsets = [_HEADER.size + offset for offset, _ in stack.spans]
    counts = [count for _, count in stack.spans]
    places = {_OFFSETS: (arrays_at, offsets), _COUNTS: (arrays_at + 8 * many, counts)}
    tags = []
    for tag, value in shown.items():
        place, values = places.get(tag, (value, [value]))
        # A single value stands in the tag itself.
        tags.append(
            _TAG.pack(
                tag,
                _LONG8 if tag in places else _LONG,
                len(values),
                place if len(values) > 1 else values[0],
            )
        )
    arrays = struct.pack(f"<{2 * many}Q", *chain(offsets, counts))
    return struct.pack("<Q", len(shown)) + b"".join(tags) + bytes(8) + arrays
