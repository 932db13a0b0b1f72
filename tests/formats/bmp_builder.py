"""BMP files put together by hand, and read again bit by bit (Windows GDI's bitmap structures)."""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.uint32]
CORE, INFO, V4, V5 = 12, 40, 108, 124
MASKS_565 = (0xF800, 0x07E0, 0x001F)
MASKS_8888 = (0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000)


def build(
    values: Values,
    bits: int,
    *,
    header: int = INFO,
    top_down: bool = False,
    masks: tuple[int, ...] = (),
    profile: bytes = b"",
    extra: bytes = b"",
) -> bytes:
    """A file of (height, width) pixel values; `extra` stands between header and rows."""
    height, width = values.shape
    rows = b"".join(_row(row, bits) for row in (values if top_down else values[::-1]))
    coding = 3 if masks else 0
    colours = 1 << bits if bits <= 8 else 0
    entry = 3 if header == CORE else 4
    palette = bytes((i * 37 + c * 5) % 256 for i in range(colours) for c in range(entry))
    if header == CORE:
        dib = struct.pack("<IHHHH", CORE, width, height, 1, bits)
    else:
        tall = -height if top_down else height
        dib = struct.pack("<IiiHHI", header, width, tall, 1, bits, coding)
        dib += struct.pack("<IiiII", len(rows), 2835, 3780, colours, 0)
        if header == INFO:
            extra = struct.pack(f"<{len(masks)}I", *masks) + extra
        else:
            dib = (dib + struct.pack("<4I", *(*masks, 0, 0, 0, 0)[:4])).ljust(header, b"\0")
    start = 14 + len(dib) + len(palette) + len(extra)
    if profile:
        offset = start - 14 + len(rows)
        dib = (
            dib[:56] + b"DEBM" + dib[60:112] + struct.pack("<II", offset, len(profile)) + dib[120:]
        )
    head = struct.pack("<2sIHHI", b"BM", start + len(rows) + len(profile), 0, 0, start)
    return head + dib + extra + palette + rows + profile


def read(data: bytes) -> tuple[bytes, Values, bytes]:
    """What stands before the rows, the pixel values, and what stands behind."""
    (start,) = struct.unpack_from("<I", data, 10)
    (header,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header == CORE else "<ii", data, 18)
    (bits,) = struct.unpack_from("<H", data, 24 if header == CORE else 28)
    stride = (width * bits + 31) // 32 * 4
    rows = [
        _values(data[start + y * stride : start + (y + 1) * stride], bits, width)
        for y in range(abs(height))
    ]
    values = np.array(rows, np.uint32)
    return data[:start], values[:: 1 if height < 0 else -1], data[start + abs(height) * stride :]


def _row(row: npt.NDArray[Any], bits: int) -> bytes:
    if bits >= 8:
        packed = b"".join(int(v).to_bytes(bits // 8, "little") for v in row)
    else:
        text = "".join(f"{int(v):0{bits}b}" for v in row)
        packed = int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")
    return packed.ljust(-(-len(packed) // 4) * 4, b"\0")


def _values(row: bytes, bits: int, width: int) -> list[int]:
    if bits >= 8:
        step = bits // 8
        return [int.from_bytes(row[x * step : (x + 1) * step], "little") for x in range(width)]
    text = "".join(f"{byte:08b}" for byte in row)
    return [int(text[x * bits : (x + 1) * bits], 2) for x in range(width)]
