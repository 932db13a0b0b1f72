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
    said = os.environ.get(VARIABLE, str(MAX_PIXELS))
    if not said.isdecimal() or int(said) < 1:
        raise UnsupportedImage(name, f"{VARIABLE} is not a whole number above 0: {said!r}")
    return int(said)


def check_pixels(name: str, size: Size) -> Size:
    """Return the size itself, or raise `TooLarge` when it is over the limit."""
    limit = max_pixels(name)
    if size.area > limit:
        raise TooLarge(name, size.area, limit)
    return size
