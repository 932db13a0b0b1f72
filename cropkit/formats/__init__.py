"""Images in, cropped images out: a room for each format, and what is asked of all of them.

Everything works on bytes; the original is never touched here. A file that cannot be rewritten
faithfully is refused with the reason (see docs/formats.md), never degraded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cropkit.errors import PartMissing, Refused, UnsupportedFormat, VerificationFailed
from cropkit.formats import bmp, gif, jpeg, png, tiff, webp
from cropkit.formats.account import Candidate, Header, OpenedImage
from cropkit.formats.decoder_errors import reading
from cropkit.formats.digest import digests
from cropkit.formats.options import Jpeg, Options
from cropkit.formats.preview import preview, thumbnail
from cropkit.formats.sniff import EXTENSIONS, shown, sniff
from cropkit.formats.zlib_streams import absent
from cropkit.geometry import PixelBox

__all__ = [
    "EXTENSIONS",
    "Candidate",
    "Header",
    "Opened",
    "Options",
    "absent",
    "applied",
    "crop",
    "digests",
    "opened",
    "preview",
    "read_header",
    "thumbnail",
    "verify",
]

_DEFAULT = Options()


@dataclass(frozen=True, slots=True)
class _Format:
    """What a format which is written can do: take a file apart, and prove a crop."""

    opened: Callable[[bytes, str, Options], OpenedImage]
    verify: Callable[[bytes, Any, str], float | None]


_FORMATS: Mapping[str, _Format] = {
    "png": _Format(png.opened, png.verify),
    "jpeg": _Format(jpeg.opened, jpeg.verify),
    "webp": _Format(webp.opened, webp.verify),
    "tiff": _Format(tiff.opened, tiff.verify),
    "bmp": _Format(bmp.opened, bmp.verify),
    "gif": _Format(gif.opened, gif.verify),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """An image that was taken apart once, for all that is asked of it.

    It holds the file's bytes: keep it for the crop and no longer.
    """

    name: str
    options: Options
    image: OpenedImage

    @property
    def header(self) -> Header:
        """Format, upright size and orientation."""
        return self.image.header

    def applied(self, box: PixelBox) -> PixelBox:
        """Return the box that a crop to `box` will hold, as `cropkit.formats.applied` does.

        Raises
        ------
        BadBox
            When it reaches outside.
        """
        return applied(self.header, box.within(self.header.size), self.options)

    def crop(self, box: PixelBox) -> Candidate:
        """Crop to an upright box and account for every part of the file.

        The candidate is not proven: write it, read it back and `verify` that.

        Raises
        ------
        Refused
            As in `opened`, and `BadBox` when the box reaches outside.
        """
        with reading(self.name):
            return self.image.crop(box.within(self.header.size))


def opened(data: bytes, name: str, options: Options = _DEFAULT) -> Opened:
    """Take an image apart without decoding a pixel.

    Raises
    ------
    Refused
        A leaf that names the file and says why it cannot be cropped faithfully.
    """
    image_format = _format(data, name)
    with reading(name):
        return Opened(name, options, image_format.opened(data, name, options))


def read_header(data: bytes, name: str, options: Options = _DEFAULT) -> Header:
    """Read format, upright size and orientation, where nothing else is asked of the image.

    Raises
    ------
    Refused
        As in `opened`.
    """
    return opened(data, name, options).header


def applied(header: Header, box: PixelBox, options: Options = _DEFAULT) -> PixelBox:
    """Return the box that a crop to `box` will hold, upright, without decoding anything.

    It is larger than what was asked for where a JPEG is to be cropped without loss: its corner
    moves outward to the grid of whole blocks. Header and options alone decide, not whether a
    libjpeg is there at the moment: what is shown is what will be written.
    """
    if options.jpeg is Jpeg.EXACT or header.grid is None:
        return box
    stored = header.size.oriented(header.orientation)
    snapped = box.stored(header.size, header.orientation).snapped(header.grid)
    return snapped.upright(stored, header.orientation)


def crop(data: bytes, name: str, box: PixelBox, options: Options = _DEFAULT) -> Candidate:
    """Crop an image, where nothing else is asked of it; see `Opened.crop`.

    Raises
    ------
    Refused
        As in `opened`, and `BadBox` when the box reaches outside.
    """
    return opened(data, name, options).crop(box)


def verify(written: bytes, candidate: Candidate, name: str) -> Candidate:
    """Decode the bytes that were read back and compare them with what was meant.

    Returns the candidate, with the loss where decoding has shown it.

    Raises
    ------
    VerificationFailed, LosslessUnavailable, PartMissing
        The candidate is to be discarded; the original stands.
    """
    try:
        loss = _FORMATS[candidate.format].verify(written, candidate.proof, name)
    except ImportError as error:
        raise PartMissing(name, error.name) from error
    except Refused as error:
        if error.passes:
            raise
        raise VerificationFailed(name, str(error)) from error
    return candidate if loss is None else replace(candidate, psnr=loss)


def _format(data: bytes, name: str) -> _Format:
    format_name = sniff(data, name)
    if format_name not in _FORMATS:
        raise UnsupportedFormat(name, shown(format_name))
    return _FORMATS[format_name]
