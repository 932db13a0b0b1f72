"""JPEG files put together by hand: segments spliced into what Pillow wrote."""

import struct
from collections.abc import Sequence
from io import BytesIO

import pictures
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

Part = tuple[int, bytes]
Entry = tuple[int, int, int, bytes]
_SOS = 0xDA


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def build(parts: Sequence[Part] = (), image: Image.Image | None = None, **options: object) -> bytes:
    """Write a JPEG whose metadata is exactly `parts`."""
    encoded = pictures.encoded(image or pictures.photo(160, 120), "JPEG", **options)
    coded = [part for part in header(encoded) if not is_metadata(part[0])]
    head = b"".join(segment(*part) for part in (*parts, *coded))
    return b"\xff\xd8" + head + encoded[_scan(encoded) :]


def header(data: bytes) -> list[Part]:
    """Return the segments before the first scan."""
    found, at = [], 2
    while data[at + 1] != _SOS:
        (length,) = struct.unpack_from(">H", data, at + 2)
        found.append((data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
    return found


def metadata(data: bytes) -> list[Part]:
    return [part for part in header(data) if is_metadata(part[0])]


def is_metadata(marker: int) -> bool:
    return 0xE0 <= marker <= 0xEF or marker == 0xFE


def _scan(data: bytes) -> int:
    at = 2
    while data[at + 1] != _SOS:
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return at


def tiff(*entries: Entry, following: bytes = b"", thumbnail: bytes = b"") -> bytes:
    """Write a big-endian TIFF block: entries of (tag, type, count, value) in IFD0; values longer
    than 4 bytes go after it, then `following`; a thumbnail gets an IFD1 of its own."""
    table = 8 + 2 + 12 * len(entries) + 4
    values, rows = b"", b""
    for tag, kind, count, value in entries:
        inline = len(value) <= 4
        place = value.ljust(4, b"\0") if inline else struct.pack(">I", table + len(values))
        values += b"" if inline else value + b"\0" * (len(value) % 2)
        rows += struct.pack(">HHI", tag, kind, count) + place
    end = table + len(values) + len(following)
    link, second = 0, b""
    if thumbnail:
        link, at = end, end + 2 + 24 + 4
        second = struct.pack(">HHHIIHHII", 2, 0x0201, 4, 1, at, 0x0202, 4, 1, len(thumbnail))
        second += struct.pack(">I", 0) + thumbnail
    head = struct.pack(">2sHIH", b"MM", 42, 8, len(entries))
    return head + rows + struct.pack(">I", link) + values + following + second


def short(tag: int, *values: int) -> tuple[int, int, int, bytes]:
    return (tag, 3, len(values), struct.pack(f">{len(values)}H", *values))


def long(tag: int, *values: int) -> tuple[int, int, int, bytes]:
    return (tag, 4, len(values), struct.pack(f">{len(values)}I", *values))


def resampled(data: bytes, before: bytes, after: bytes) -> bytes:
    """Let the frame say other sampling factors, with as many blocks in all its MCUs together."""
    at = data.index(b"\xff\xc0\0") + 11
    patched = bytearray(data)
    for n, (old, new) in enumerate(zip(before, after, strict=True)):
        assert patched[at + 3 * n] == old
        patched[at + 3 * n] = new
    return bytes(patched)


def kept_whole(data: bytes, width: int, height: int) -> bytes:
    """Crop to a size in whole MCUs from the corner, hidden samples and all."""
    picture = JpegImageFile(BytesIO(data))
    part = picture.crop((0, 0, width, height))
    return pictures.encoded(part, "JPEG", qtables=picture.quantization, subsampling="4:4:4")
