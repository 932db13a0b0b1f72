"""One image of each kind that cannot be cropped in place, and the error that says so."""

from collections.abc import Callable
from io import BytesIO

import imagecodecs
import jpeg_builder as jpg
import numpy as np
import pictures
from PIL import Image

MANY = 400, 300


def photo(seed: int = 0) -> Image.Image:
    return pictures.photo(*MANY, seed)


def _frames(kind: str, mode: str = "RGB") -> bytes:
    out = BytesIO()
    first, second = (photo(seed).convert(mode) for seed in (1, 2))
    first.save(out, kind, save_all=True, append_images=[second], duration=100)
    return out.getvalue()


def _jpeg(*parts: jpg.Part) -> bytes:
    return jpg.build(list(parts), photo(3))


def _short(kind: str) -> bytes:
    whole = pictures.encoded(photo(4), kind)
    return whole[: len(whole) * 2 // 3]


def _jxl() -> bytes:
    return bytes(imagecodecs.jpegxl_encode(np.asarray(photo(7))))


MISFITS: dict[str, tuple[Callable[[], bytes], str]] = {
    "animation.gif": (lambda: _frames("GIF", "P"), "AnimatedImage"),
    "animation.png": (lambda: _frames("PNG"), "AnimatedImage"),
    "animation.webp": (lambda: _frames("WEBP"), "AnimatedImage"),
    "depth.jpg": (lambda: _jpeg((0xE1, b"FLIR\0\1\0\0")), "GainMap"),
    "pages.tif": (lambda: _frames("TIFF"), "MultiPage"),
    "short.jpg": (lambda: _short("JPEG"), "Truncated"),
    "short.png": (lambda: _short("PNG"), "Truncated"),
    "signed.jpg": (lambda: _jpeg((0xEB, b"JP\0\1\0\0\0\1....jumbc2pa")), "Provenance"),
    "other.avif": (lambda: pictures.encoded(photo(5), "AVIF", speed=10), "UnsupportedFormat"),
    "other.jp2": (lambda: pictures.encoded(photo(6), "JPEG2000"), "UnsupportedFormat"),
    "other.jxl": (_jxl, "UnsupportedFormat"),
    "inks.tif": (
        lambda: pictures.encoded(photo(8).convert("CMYK"), "TIFF", compression="jpeg"),
        "UnsupportedFormat",
    ),
}
# What nothing here decodes: a card says what it is.
UNDECODED: dict[str, tuple[Callable[[], bytes], str]] = {
    "other.heic": (
        lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
        "UnsupportedFormat",
    ),
    "words.png": (lambda: b"just words, quite a few of them, no image", "UnknownFormat"),
    "nothing.png": (lambda: b"", "EmptyFile"),
}
