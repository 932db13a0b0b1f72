"""A GIF for each row of the table of capabilities: Pillow's, with blocks put in by hand."""

import base64
from typing import Any

import pictures
from PIL import Image

from cropkit.formats.capabilities import PRIVATE, SPELT, UNSIGNED, UNTRAILED

JPEG = pictures.encoded(pictures.photo(16, 12), "JPEG")
PHOTO = pictures.photo(46, 37)
COMMENT = b"!\xfe\x05hello\x06 there\0"
CONTROL = b"!\xf9\x04\x01\x0a\0\x03\0"
LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
TEXT = b"!\x01\x0c" + bytes(12) + b"\5words\0"
MAGIC = b"\x01" + bytes(range(255, -1, -1)) + b"\0"  # Adobe's trailer: XMP specification, part 3
XMP = b"!\xff\x0bXMP DataXMP<x tiff:ImageWidth='46' tiff:ImageLength='37'/>" + MAGIC


def in_sub_blocks(data: bytes) -> bytes:
    cut = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(piece)]) + piece for piece in cut) + b"\0"


def coded(colours: int = 16, **options: Any) -> bytes:
    return pictures.encoded(PHOTO.quantize(colours), "GIF", **options)


def with_blocks(*blocks: bytes) -> bytes:
    """Put blocks in front of the picture."""
    data = coded(interlace=0)
    at = 13 + 3 * (2 << (data[10] & 7))
    return data[:at] + b"".join(blocks) + data[at:]


def animated() -> bytes:
    turned = PHOTO.transpose(Image.Transpose.ROTATE_180).quantize(16)
    return coded(save_all=True, append_images=[turned])


SAMPLES: dict[str, bytes | list[bytes]] = {
    "indices, colour tables, transparency": [
        *(coded(colours) for colours in (2, 3, 16, 255, 256)),
        coded(transparency=3),
        pictures.encoded(PHOTO.convert("L"), "GIF"),
    ],
    "comments, application extensions, interlacing": [
        with_blocks(COMMENT, LOOP, CONTROL),
        coded(interlace=0),
        coded(interlace=1),
    ],
    "screen and place of the picture": coded(),
    "XMP": with_blocks(XMP),
    SPELT: with_blocks(b"!\xfe" + in_sub_blocks(b'{"a": "%b"}' % base64.b64encode(JPEG))),
    "a picture in an extension": with_blocks(b"!\xff\x0bVENDOR  1.0" + in_sub_blocks(JPEG)),
    PRIVATE: with_blocks(b"!\xff\x0bVENDOR  1.0" + in_sub_blocks(bytes(range(256)) * 2)),
    "animation": animated(),
    "content credentials (C2PA)": with_blocks(b"!\xff\x0bC2PA_GIF\1\0\0\5jumbf\0"),
    "text to be drawn": with_blocks(TEXT),
    "data after the end": coded() + b"more",
}
SAMPLES[UNSIGNED] = SAMPLES["content credentials (C2PA)"]
SAMPLES[UNTRAILED] = SAMPLES["data after the end"]
