"""PNG's pixel stream to native samples and back, without losing a bit.

Samples are held as bytes: (height, width, bytes a pixel) for 8 and 16 bits (big-endian, as PNG
stores them), (height, width, 1) of unscaled values for 1, 2 and 4 bits.

Pillow's C decoder undoes the filters. It is asked for raw modes under which its unpacker copies
bytes: 16-bit gray looks to it like 8-bit gray with alpha, and 16-bit colour is read twice, once
for the high bytes and once for the low ones.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cropkit.errors import CorruptImage, Truncated
from cropkit.formats.png_chunks import Ihdr
from cropkit.formats.zstream import engine
from cropkit.geometry import PixelBox, Size

Samples = npt.NDArray[np.uint8]

# (colour type, depth) -> Pillow mode and the raw modes to read it with, first byte first.
_RAW = {
    (0, 1): ("P", ("P;1",)),
    (0, 2): ("P", ("P;2",)),
    (0, 4): ("P", ("P;4",)),
    (0, 8): ("L", ("L",)),
    (0, 16): ("LA", ("LA",)),
    (2, 8): ("RGB", ("RGB",)),
    (2, 16): ("RGB", ("RGB;16B", "RGB;16L")),
    (3, 1): ("P", ("P;1",)),
    (3, 2): ("P", ("P;2",)),
    (3, 4): ("P", ("P;4",)),
    (3, 8): ("L", ("L",)),
    (4, 8): ("LA", ("LA",)),
    (4, 16): ("RGBA", ("RGBA",)),
    (6, 8): ("RGBA", ("RGBA",)),
    (6, 16): ("RGBA", ("RGBA;16B", "RGBA;16L")),
}
# Adam7 (8.1): x start, y start, x step, y step of the seven passes.
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_UP = 2
_FILTERS = 5


def decode(header: Ihdr, stream: bytes) -> Samples:
    """Decode the whole pixel stream with Pillow alone."""
    mode, raws = _RAW[header.colour, header.depth]
    size = (header.width, header.height)
    read: list[Any] = [
        np.asarray(Image.frombytes(mode, size, stream, "zip", raw, header.interlace))
        for raw in raws
    ]
    samples = read[0] if len(read) == 1 else np.stack(read, axis=-1)
    return np.ascontiguousarray(samples).reshape(header.height, header.width, -1)


def decode_box(header: Ihdr, stream: bytes, box: PixelBox, name: str) -> Samples:
    """Decode the samples inside a stored box, and check the whole stream."""
    filtered = _inflated(header, stream, name)
    if header.interlace:
        whole = decode(header, engine.compress(filtered, 0))
        return np.ascontiguousarray(whole[box.top : box.bottom, box.left : box.right])
    rows = np.frombuffer(filtered, np.uint8).reshape(header.height, -1)
    if rows[:, 0].max() >= _FILTERS:
        raise CorruptImage(name, "a row has a filter that does not exist")
    first = _first_row_needed(rows[:, 0], box.top)
    needed = rows[first : box.bottom, : 1 + header.stride(box.right)]
    part = header.sized(Size(box.right, box.bottom - first))
    samples = decode(part, engine.compress(np.ascontiguousarray(needed), 0))
    return samples[box.top - first :, box.left :]


def pack(samples: Samples, depth: int) -> Samples:
    """Pack samples into rows of bytes, as they stand in the file."""
    height, width, _ = samples.shape
    if depth >= 8:  # noqa: PLR2004  (a byte)
        return samples.reshape(height, -1)
    per_byte = 8 // depth
    padded = np.zeros((height, -(-width // per_byte) * per_byte), np.uint8)
    padded[:, :width] = samples[:, :, 0]
    grouped = padded.reshape(height, -1, per_byte)
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    packed: Samples = np.bitwise_or.reduce(grouped << shifts, axis=2)
    return packed


def _first_row_needed(filters: Samples, top: int) -> int:
    """Rows above one whose filter does not look up are not needed to undo what follows."""
    independent = np.flatnonzero(filters[: top + 1] < _UP)
    return int(independent[-1]) if independent.size else 0


def _inflated(header: Ihdr, stream: bytes, name: str) -> bytes:
    expected = _stream_length(header)
    inflate = engine.decompressobj()
    filtered: bytes = inflate.decompress(stream, expected + 1)
    if len(filtered) > expected:
        raise CorruptImage(name, "more pixels than the header says")
    if len(filtered) < expected or not inflate.eof:
        raise Truncated(name, f"{len(filtered)} of {expected} bytes of pixels")
    return filtered


def _stream_length(header: Ihdr) -> int:
    if not header.interlace:
        return header.height * (1 + header.stride(header.width))
    return sum(_pass_length(header, *adam) for adam in _ADAM7)


def _pass_length(header: Ihdr, x: int, y: int, step_x: int, step_y: int) -> int:
    wide = -(-(header.width - x) // step_x)
    high = -(-(header.height - y) // step_y)
    return high * (1 + header.stride(wide)) if wide > 0 and high > 0 else 0
