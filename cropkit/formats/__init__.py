"""Images in, cropped images out: the one place that knows formats, Pillow and codecs.

Everything works on bytes; the original is never touched here. A file that cannot be rewritten
faithfully is refused with the reason (see docs/formats.md), never degraded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cropkit.errors import Refused, UnsupportedFormat, VerificationFailed
from cropkit.formats import bmp, gif, jpeg, png, tiff, webp
from cropkit.formats.account import Candidate, Header
from cropkit.formats.decoder_errors import reading
from cropkit.formats.digest import digests
from cropkit.formats.options import Jpeg, Options
from cropkit.formats.preview import preview, thumbnail
from cropkit.formats.sniff import EXTENSIONS, shown, sniff
from cropkit.geometry import PixelBox
from cropkit.lossless.process import expected

__all__ = [
    "EXTENSIONS",
    "Candidate",
    "Header",
    "Options",
    "applied",
    "crop",
    "digests",
    "preview",
    "read_header",
    "thumbnail",
    "verify",
]

_DEFAULT = Options()


@dataclass(frozen=True, slots=True)
class _Format:
    """The three things that a format which is written can do."""

    read_header: Callable[[bytes, str, Options], Header]
    crop: Callable[[bytes, str, PixelBox, Options], Candidate]
    verify: Callable[[bytes, Any, str], float | None]


_FORMATS: Mapping[str, _Format] = {
    "png": _Format(png.read_header, png.crop, png.verify),
    "jpeg": _Format(jpeg.read_header, jpeg.crop, jpeg.verify),
    "webp": _Format(webp.read_header, webp.crop, webp.verify),
    "tiff": _Format(tiff.read_header, tiff.crop, tiff.verify),
    "bmp": _Format(bmp.read_header, bmp.crop, bmp.verify),
    "gif": _Format(gif.read_header, gif.crop, gif.verify),
}


def read_header(data: bytes, name: str, options: Options = _DEFAULT) -> Header:
    """Read format, upright size and orientation without decoding a pixel.

    Raises
    ------
    Refused
        A leaf that names the file and says why it cannot be cropped faithfully.
    """
    found = _format(data, name)
    with reading(name):
        return found.read_header(data, name, options)


def applied(header: Header, box: PixelBox, options: Options = _DEFAULT) -> PixelBox:
    """Return the box that a crop to `box` will hold, upright, without decoding anything.

    It is larger than what was asked for where a JPEG is cropped without loss: its corner moves
    outward to the grid of whole blocks.
    """
    if options.jpeg is not Jpeg.LOSSLESS or header.grid is None or not expected():
        return box
    stored = header.size.oriented(header.orientation)
    snapped = box.stored(header.size, header.orientation).snapped(header.grid)
    return snapped.upright(stored, header.orientation)


def crop(data: bytes, name: str, box: PixelBox, options: Options = _DEFAULT) -> Candidate:
    """Crop an image to an upright box and account for every part of the file.

    The candidate is not proven: write it, read it back and `verify` that.

    Raises
    ------
    Refused
        As in `read_header`, and `BadBox` when the box reaches outside.
    """
    found = _format(data, name)
    with reading(name):
        box.within(found.read_header(data, name, options).size)
        return found.crop(data, name, box, options)


def verify(written: bytes, candidate: Candidate, name: str) -> Candidate:
    """Decode the bytes that were read back and compare them with what was meant.

    Returns the candidate, with the loss where decoding has shown it.

    Raises
    ------
    VerificationFailed
        The candidate is to be discarded; the original stands.
    """
    try:
        loss = _FORMATS[candidate.format].verify(written, candidate.proof, name)
    except Refused as error:
        raise VerificationFailed(name, str(error)) from error
    return candidate if loss is None else replace(candidate, psnr=loss)


def _format(data: bytes, name: str) -> _Format:
    found = sniff(data, name)
    if found not in _FORMATS:
        raise UnsupportedFormat(name, shown(found))
    return _FORMATS[found]
