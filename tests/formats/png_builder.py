"""PNG by the letter of the standard, in plain Python: slow, and independent of what it tests."""

import struct
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
KINDS = [
    *((0, depth) for depth in (1, 2, 4, 8, 16)),
    *((3, depth) for depth in (1, 2, 4, 8)),
    *((colour, depth) for colour in (2, 4, 6) for depth in (8, 16)),
]
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
Values = npt.NDArray[np.uint16]
Part = tuple[str, bytes]


def values(colour: int, depth: int, width: int, height: int, seed: int = 0) -> Values:
    """Random samples of a kind, shape (height, width, channels)."""
    rng = np.random.default_rng(seed)
    shape = (height, width, CHANNELS[colour])
    return rng.integers(0, 1 << depth, shape, dtype=np.uint16)


def chunk(kind: str, data: bytes) -> bytes:
    typed = kind.encode() + data
    return struct.pack(">I", len(data)) + typed + struct.pack(">I", zlib.crc32(typed))


def chunks(data: bytes) -> list[Part]:
    """Take a file apart without judging it."""
    found, at = [], len(SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8].decode(), data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def assembled(parts: Iterable[Part]) -> bytes:
    return SIGNATURE + b"".join(chunk(*part) for part in parts)


def build(
    samples: Values,
    colour: int,
    depth: int,
    *,
    interlace: bool = False,
    before: Sequence[Part] = (),
    after: Sequence[Part] = (),
    filters: Sequence[int] = range(5),
) -> bytes:
    """Write a PNG whose rows go through the filters in turn."""
    height, width, _ = samples.shape
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlace))
    palette = [("PLTE", bytes(range(256)) * 3)] if colour == 3 else []
    palette = [(kind, data[: 3 << depth]) for kind, data in palette]
    passes = _ADAM7 if interlace else ((0, 0, 1, 1),)
    parts = (samples[y::dy, x::dx] for x, y, dx, dy in passes)
    raw = b"".join(_filtered(part, colour, depth, filters) for part in parts)
    stream = zlib.compress(raw)
    half = len(stream) // 2
    pixels = [("IDAT", stream[:half]), ("IDAT", stream[half:])]
    return assembled([("IHDR", header), *palette, *before, *pixels, *after, ("IEND", b"")])


def idat(data: bytes) -> bytes:
    """Return the pixel stream."""
    return b"".join(part for kind, part in chunks(data) if kind == "IDAT")


def cut(stream: bytes, length: int) -> list[Part]:
    """Return the pixel stream in chunks of a length."""
    return [("IDAT", stream[at : at + length]) for at in range(0, len(stream), length)]


def read(data: bytes) -> tuple[tuple[int, ...], Values]:
    """Return the header's fields and the samples; straight images only."""
    parts = chunks(data)
    header = struct.unpack(">IIBBBBB", parts[0][1])
    width, height, depth, colour, _, _, interlace = header
    assert not interlace
    raw = zlib.decompress(idat(data))
    bits = CHANNELS[colour] * depth
    stride, bpp = (width * bits + 7) // 8, max(1, bits // 8)
    rows, above = [], bytes(stride)
    for y in range(height):
        line = raw[y * (stride + 1) : (y + 1) * (stride + 1)]
        above = _unfiltered(line[0], line[1:], above, bpp)
        rows.append(above)
    return header, np.stack(
        [_unpacked(row, depth, width * CHANNELS[colour]) for row in rows]
    ).reshape(height, width, -1)


def _paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def _predicted(kind: int, a: int, b: int, c: int) -> int:
    return (0, a, b, (a + b) // 2, _paeth(a, b, c))[kind]


def _unfiltered(kind: int, line: bytes, above: bytes, bpp: int) -> bytes:
    out = bytearray(len(line))
    for i, value in enumerate(line):
        a, c = (out[i - bpp], above[i - bpp]) if i >= bpp else (0, 0)
        out[i] = (value + _predicted(kind, a, above[i], c)) & 255
    return bytes(out)


def filtered_row(kind: int, row: bytes, above: bytes, bpp: int) -> bytes:
    """Filter one row, without its filter byte."""
    out = bytearray()
    for i, value in enumerate(row):
        a, c = (row[i - bpp], above[i - bpp]) if i >= bpp else (0, 0)
        out.append((value - _predicted(kind, a, above[i], c)) & 255)
    return bytes(out)


def packed(samples: Values, depth: int) -> list[bytes]:
    """Return the rows as they stand in a file before they are filtered."""
    return [_packed(row.reshape(-1), depth) for row in samples]


def _filtered(samples: Values, colour: int, depth: int, filters: Sequence[int]) -> bytes:
    if not samples.size:
        return b""
    bpp = max(1, CHANNELS[colour] * depth // 8)
    rows = packed(samples, depth)
    above = [bytes(len(rows[0])), *rows[:-1]]
    kinds = (filters[y % len(filters)] for y in range(len(rows)))
    return b"".join(
        bytes([kind]) + filtered_row(kind, row, up, bpp)
        for kind, row, up in zip(kinds, rows, above, strict=True)
    )


def _packed(row: Values, depth: int) -> bytes:
    bits = "".join(f"{value:0{depth}b}" for value in row.tolist())
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def _unpacked(row: bytes, depth: int, count: int) -> Values:
    bits = f"{int.from_bytes(row):0{8 * len(row)}b}"
    return np.array([int(bits[i * depth : (i + 1) * depth], 2) for i in range(count)], np.uint16)
