"""A picture of what cannot be cropped: decoded as far as it goes, else a card that says what it is.

For processes in which nothing else is decoded meanwhile: Pillow goes on behind damage for all of a
process or not at all.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFile, ImageFont

from cropkit.bounds import Bounds
from cropkit.errors import Refused, TooCostly, TooLarge, TooManyParts, UnreadableImage
from cropkit.formats import preview
from cropkit.formats.account import Bare
from cropkit.formats.codecs import codec
from cropkit.formats.copies import jpeg_xl
from cropkit.formats.cost import is_short_of_memory
from cropkit.formats.decoder_errors import reading
from cropkit.formats.limits import check_pixels
from cropkit.formats.preview import BY_CONTENT
from cropkit.formats.sniff import shown, sniff
from cropkit.geometry import Size

CARD = Size(480, 360)
_GROUND, _EDGE, _INK = (226, 229, 233), (150, 157, 166), (52, 58, 66)
_LARGE, _SMALL = 44, 26
_WORD = 16  # bits of a sample


def glimpse(data: bytes, name: str, fit: Size) -> tuple[bytes, Size]:
    """Return a JPEG of the first picture that fits into `fit`, and its upright size.

    Where nothing can be decoded it is a card with the format, by content, and the bytes.

    Raises
    ------
    TooCostly
        It is at a bound.
    """
    try:
        with reading(name):
            return _as_far_as_it_goes(data, name, fit)
    except TooCostly:
        raise
    except Refused:
        return card(_what(data, name), len(data))


def _as_far_as_it_goes(data: bytes, name: str, fit: Size) -> tuple[bytes, Size]:
    try:
        with reading(name):
            return _decoded(data, name, fit)
    except UnreadableImage as error:
        bounds = Bounds.from_environment()
        if is_short_of_memory(data, bounds.memory):  # it would be a picture of nothing
            raise bounds.too_much_memory(name) from error
    with _behind_damage():
        return _decoded(data, name, fit)


def card(what: str, size: int) -> tuple[bytes, Size]:
    """Return a card that says what a file of so many bytes is, where no picture is to be had."""
    picture = Image.new("RGB", (CARD.width, CARD.height), _GROUND)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, CARD.width - 1, CARD.height - 1), outline=_EDGE, width=4)
    lines = ((what, _LARGE, 0.42), (f"{size:,} bytes", _SMALL, 0.6))
    for words, height, down in lines:
        middle = (CARD.width / 2, CARD.height * down)
        pen.text(middle, words, fill=_INK, font=ImageFont.load_default(height), anchor="mm")
    out = BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue(), CARD


def _what(data: bytes, name: str) -> str:
    try:
        return shown(sniff(data, name, BY_CONTENT))
    except Refused:
        return "no known format" if data else "empty"


@contextmanager
def _behind_damage() -> Iterator[None]:
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _decoded(data: bytes, name: str, fit: Size) -> tuple[bytes, Size]:
    other = _OTHERS.get(sniff(data, name, BY_CONTENT))
    if other is not None:
        picture = other(data, name)
        return preview.encoded_in(picture, Bare(data, 1, None), name, fit)
    bare = _bare(data, name)
    return preview.encoded_in(preview.opened(bare.data, name), bare, name, fit)


def _bare(data: bytes, name: str) -> Bare:
    """Take the metadata off, where a room takes the file apart; what was made to cost stays out."""
    try:
        return preview.bare_of(data, name)
    except (TooCostly, TooLarge, TooManyParts):
        raise
    except Refused:
        return Bare(data, 1, None)


def _jpeg_xl(data: bytes, name: str) -> Image.Image:
    """Decode by libjxl, which turns pixels upright by itself."""
    check_pixels(name, jpeg_xl.header(data, name)[0])
    values = np.asarray(codec("jpegxl_decode", data, index=0))
    if values.dtype == np.uint16:
        values = values >> (_WORD - 8)
    return Image.fromarray(values.astype(np.uint8).squeeze())


_OTHERS: Mapping[str, Callable[[bytes, str], Image.Image]] = {"jxl": _jpeg_xl}
