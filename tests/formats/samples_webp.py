"""A WebP for each row of the table of capabilities, its chunks put together by hand."""

import struct

import jpeg_builder as jpg
import numpy as np
import pictures
import riff_builder as riff
from PIL import Image
from planting import PLACES

from cropkit.formats.capabilities import PRIVATE, UNSIGNED, UNTRAILED

PHOTO = pictures.photo(64, 48)
LOSSY, LOSSLESS = riff.pixels(PHOTO, quality=80), riff.pixels(PHOTO, lossless=True)
EXIF = jpg.tiff(jpg.long(0x0100, 64), jpg.long(0x0101, 48))
EXIF_SHOWING = jpg.tiff(jpg.long(0x0100, 64), thumbnail=pictures.encoded(PHOTO, "JPEG"))
SMALL = pictures.encoded(pictures.photo(16, 12), "JPEG")
XMP = b"<x tiff:ImageWidth='64' tiff:ImageLength='48'/>"


def transparent() -> Image.Image:
    """Alpha of any value over colours that go on where it is 0."""
    alpha = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
    alpha[:20] = 0
    photo = PHOTO.copy()
    photo.putalpha(Image.fromarray(alpha))
    return photo


def announced(flags: int, *parts: riff.Chunk, pixels: list[riff.Chunk] = LOSSY) -> bytes:
    before = [part for part in parts if part[0] == b"ICCP"]
    after = [part for part in parts if part[0] != b"ICCP"]
    return riff.assembled([riff.canvas(64, 48, flags), *before, *pixels, *after])


def one_frame() -> bytes:
    frame = bytes(6) + struct.pack("<I", 63)[:3] + struct.pack("<I", 47)[:3] + bytes(4)
    inside = riff.assembled(LOSSY)[12:]
    return riff.assembled([riff.canvas(64, 48, 2), (b"ANIM", bytes(6)), (b"ANMF", frame + inside)])


ICC = (b"ICCP", pictures.icc_profile())

SAMPLES: dict[str, bytes | list[bytes]] = {
    "lossless pixels, colours under full transparency": [
        pictures.encoded(PHOTO, "WEBP", lossless=True),
        pictures.encoded(transparent(), "WEBP", lossless=True, exact=True),
        pictures.encoded(PHOTO.quantize(16).convert("RGB"), "WEBP", lossless=True),
    ],
    "alpha beside lossy pixels": pictures.encoded(transparent(), "WEBP", quality=80),
    "ICC profile, unknown chunks, flags, scaling hints": announced(
        riff.ICC, ICC, (b"odd ", b"three"), (b"LIST", b"INFOISFT\x04\0\0\0me\0\0")
    ),
    "padding after the end": riff.assembled(LOSSY, b"\0\0\r\n"),
    "canvas (VP8X)": announced(0),
    "EXIF": announced(riff.EXIF, (b"EXIF", EXIF)),
    "XMP": announced(riff.XMP, (b"XMP ", XMP)),
    "lossy pixels": [
        pictures.encoded(PHOTO, "WEBP", quality=quality) for quality in (5, 50, 80, 100)
    ],
    "thumbnails in EXIF and XMP": [
        announced(riff.EXIF, (b"EXIF", EXIF_SHOWING)),
        announced(riff.XMP, (b"XMP ", b"<xmp:Thumbnails>scene</xmp:Thumbnails>")),
    ],
    "animation": pictures.encoded(PHOTO, "WEBP", save_all=True, append_images=[PHOTO.rotate(180)]),
    "content credentials (C2PA)": riff.assembled([*LOSSY, (b"C2PA", b"signed")]),
    "several pictures": riff.assembled([*LOSSY, *LOSSY]),
    "a picture inside an unknown chunk": riff.assembled(
        [*LOSSY, (b"abcd", pictures.encoded(PHOTO, "JPEG"))]
    ),
    PRIVATE: riff.assembled([*LOSSY, (b"abcd", bytes(range(256)) * 2)]),
    "a picture in the colour profile": PLACES["webp: colour profile"][1](SMALL),
    "an animation of one frame": one_frame(),
    "data after the end": riff.assembled(LOSSY, struct.pack("<I", 77) * 20),
}
SAMPLES[UNSIGNED] = SAMPLES["content credentials (C2PA)"]
SAMPLES[UNTRAILED] = SAMPLES["data after the end"]
