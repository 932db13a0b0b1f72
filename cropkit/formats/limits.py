"""How many pixels an image may have, known from its header before anything is decoded."""

import os

from cropkit.errors import TooLarge, UnsupportedImage
from cropkit.geometry import Size

MAX_PIXELS = 178_956_970
"""Twice Pillow's own ``Image.MAX_IMAGE_PIXELS``: where it calls an image a bomb."""

VARIABLE = "CROPKIT_MAX_PIXELS"


def max_pixels(name: str) -> int:
    """Return the limit, from the environment when it is set there.

    Raises
    ------
    UnsupportedImage
        When the variable is not a positive whole number: no limit that is guessed.
    """
    text = os.environ.get(VARIABLE, str(MAX_PIXELS))
    if not text.isdecimal() or int(text) < 1:
        raise UnsupportedImage(name, f"{VARIABLE} is not a whole number above 0: {text!r}")
    return int(text)


def check_pixels(name: str, size: Size) -> Size:
    """Return the size itself, or raise `TooLarge` when it is over the limit."""
    limit = max_pixels(name)
    if size.area > limit:
        raise TooLarge(name, size.area, limit)
    return size
