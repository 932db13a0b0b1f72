"""WebP files put together by hand (RFC 9649), around pixels that Pillow coded."""

import struct
from collections.abc import Iterator
from typing import Any

import pictures
from PIL import Image

Chunk = tuple[bytes, bytes]
ICC, ALPHA, EXIF, XMP = 0x20, 0x10, 0x08, 0x04


def assembled(chunks: list[Chunk], trailer: bytes = b"") -> bytes:
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body + trailer


def chunks(data: bytes) -> Iterator[Chunk]:
    at, end = 12, 8 + struct.unpack_from("<I", data, 4)[0]
    while at < end:
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def pixels(image: Image.Image, **options: Any) -> list[Chunk]:
    """The chunks that code an image."""
    coded = chunks(pictures.encoded(image, "WEBP", **options))
    return [(kind, data) for kind, data in coded if kind != b"VP8X"]


def canvas(width: int, height: int, flags: int) -> Chunk:
    sides = (side - 1 for side in (width, height))
    return b"VP8X", bytes([flags, 0, 0, 0]) + b"".join(s.to_bytes(3, "little") for s in sides)
