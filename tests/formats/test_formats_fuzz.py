"""Mutated files: a proven candidate or one of our own errors, and nothing else."""

import os
import random
import struct
import time
from typing import Any

import jpeg_builder as jpg
import pictures
import png_builder as png
import pytest

from cropkit import errors, formats
from cropkit.geometry import PixelBox, Size

CASES = int(os.environ.get("CROPKIT_FUZZ_CASES", "500"))
LONGEST_SECONDS = 20
_EXIF = (0xE1, pictures.exif_bytes(orientation=6, gps=True))
_TEXT = [("tEXt", b"parameters\0a lighthouse"), ("zTXt", b"Raw profile type exif\0\0x")]


def seeds() -> list[tuple[str, bytes]]:
    photo = pictures.photo(48, 36)
    kinds = [(2, 8), (3, 4), (0, 16), (6, 16), (0, 1)]
    made = [("a.png", png.build(png.values(*k, 24, 18), *k, before=_TEXT)) for k in kinds]
    made += [("a.png", png.build(png.values(2, 8, 24, 18), 2, 8, interlace=True))]
    made += [("a.png", pictures.encoded(photo, "PNG", exif=_EXIF[1], dpi=(72, 72)))]
    options: tuple[dict[str, Any], ...] = (
        {},
        {"progressive": True},
        {"restart_marker_blocks": 2},
        {"subsampling": "4:4:4"},
    )
    made += [("a.jpg", jpg.build([_EXIF, (0xFE, b"note")], photo, **o)) for o in options]
    made += [("a.jpg", jpg.build([], photo.convert(mode))) for mode in ("L", "CMYK")]
    others = (("a.webp", "WEBP"), ("a.gif", "GIF"), ("a.tif", "TIFF"), ("a.bmp", "BMP"))
    return [*made, *((name, pictures.encoded(photo, kind)) for name, kind in others)]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Flip, overwrite, cut out, repeat or cut off, a few times; PNG's CRCs are often put right."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at, length = rng.randrange(len(out) + 1), rng.choice((1, 1, 2, 4, 30))
        out[at : at + length] = rng.choice(
            (
                bytes(b ^ (1 << rng.randrange(8)) for b in out[at : at + length]),
                rng.randbytes(length),
                b"",
                bytes(out[at : at + length]) * 2,
                b"\xff" * length,
                b"\0" * length,
            )
        )
    if rng.random() < 0.1:
        del out[rng.randrange(len(out) + 1) :]
    return _with_right_crcs(bytes(out)) if rng.random() < 0.7 else bytes(out)


def _with_right_crcs(data: bytes) -> bytes:
    if not data.startswith(png.SIGNATURE):
        return data
    try:
        return png.assembled(png.chunks(data))
    except (ValueError, ArithmeticError, LookupError, struct.error):
        return data


@pytest.mark.parametrize("block", range(5))
def test_a_mutated_file_is_cropped_with_proof_or_refused(block: int) -> None:
    rng = random.Random(block)  # noqa: S311  (the same cases every time)
    files = seeds()
    for _ in range(CASES // 5):
        name, data = rng.choice(files)
        _try(mutated(data, rng), name, rng)


def _try(data: bytes, name: str, rng: random.Random) -> None:
    started = time.monotonic()
    try:
        size = formats.read_header(data, name).size
        box = _box(size, rng)
        candidate = formats.crop(data, name, box)
        formats.verify(candidate.data, candidate, name)
        assert formats.read_header(candidate.data, name).size == candidate.box_applied.size
    except (errors.Refused, errors.VerificationFailed) as error:
        assert name in str(error)  # noqa: PT017  (both ways out are right)
    try:
        formats.preview(data, name, Size(32, 32))
    except errors.Refused as error:
        assert name in str(error)  # noqa: PT017
    assert time.monotonic() - started < LONGEST_SECONDS


def _box(size: Size, rng: random.Random) -> PixelBox:
    left, top = rng.randrange(size.width), rng.randrange(size.height)
    right, bottom = rng.randrange(left, size.width) + 1, rng.randrange(top, size.height) + 1
    return PixelBox(left, top, right, bottom)
