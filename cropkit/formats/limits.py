"""How much an image may hold: pixels, known from its header before anything is decoded, and parts.

Whoever takes a file apart goes through its parts one by one: each kind has a number that no program
needs more of, so that a file made to cost time is refused by name.
"""

import os
from collections.abc import Mapping

from cropkit.errors import TooLarge, TooManyParts, UnsupportedImage
from cropkit.geometry import Size

MAX_PIXELS = 178_956_970
"""Twice Pillow's own ``Image.MAX_IMAGE_PIXELS``: where it calls an image a bomb."""

MOST_PARTS: Mapping[str, int] = {
    "chunks": 30_000,  # of PNG, whose pixels may come in pieces of 8 KiB
    "chunks beside the pixels": 10_000,  # of PNG
    "bytes of metadata in texts": 1 << 20,  # of PNG: XMP and raw profiles, inflated
    "bytes of XMP": 1 << 20,
    "bytes of extended XMP": 1 << 24,  # of JPEG, all its segments together
    "bytes of colour profile": 1 << 24,
    "segments": 10_000,  # of JPEG, each of up to 64 KiB
    "tables": 4_096,  # of JPEG
    "scans": 500,  # of JPEG: each may cost as much as the whole image
    "blocks": 50_000,  # of GIF
    "sub-blocks": 1_000_000,  # of GIF, each of up to 255 bytes
    "RIFF chunks": 10_000,
    "directory entries": 8_000,  # of TIFF
    "strips or tiles": 1 << 18,  # of TIFF
    "boxes": 20_000,  # of HEIF, in one other
    "items": 5_000,  # of HEIF: a tile of 512 x 512 pixels is one
    "properties": 50_000,  # of HEIF's items
    "references": 50_000,  # from one of HEIF's items to others
}

_DIGITS = 18
VARIABLE = "CROPKIT_MAX_PIXELS"


def max_pixels(name: str) -> int:
    """Return the limit, from the environment when it is set there.

    Raises
    ------
    UnsupportedImage
        When the variable is not a positive whole number: no limit that is guessed.
    """
    text = os.environ.get(VARIABLE, str(MAX_PIXELS))
    if not text.isdecimal() or len(text) > _DIGITS or int(text) < 1:
        raise UnsupportedImage(name, f"{VARIABLE} is not a whole number above 0: {text!r}")
    return int(text)


def check_pixels(name: str, size: Size) -> Size:
    """Return the size itself, or raise `TooLarge` when it is over the limit."""
    limit = max_pixels(name)
    if size.area > limit:
        raise TooLarge(name, size.area, limit)
    return size


def check_parts(name: str, what: str, number: int) -> None:
    """Raise `TooManyParts` when there are more of a kind than `MOST_PARTS` says."""
    if number > MOST_PARTS[what]:
        raise TooManyParts(name, what, MOST_PARTS[what])
