"""Images in, cropped images out: a room for each format, and what is asked of all of them.

Everything works on bytes; the original is never touched here. A file that cannot be rewritten
faithfully is refused with the reason (see docs/formats.md), never degraded.

A room is loaded with the first file of its format, and Pillow and NumPy with it: to undo, to tell
and to list need neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from cropkit.errors import (
    PartMissing,
    Refused,
    TooCostly,
    UnsupportedFormat,
    VerificationFailed,
)
from cropkit.formats import turnable
from cropkit.formats.account import Candidate, Header, OpenedImage, Signature
from cropkit.formats.decoder_errors import reading
from cropkit.formats.metadata.crop_change import Resampling
from cropkit.formats.options import Jpeg, Options
from cropkit.formats.sniff import EXTENSIONS, shown, sniff
from cropkit.formats.zlib_streams import absent
from cropkit.geometry import NO_TURN, PixelBox, Turn
from cropkit.straightening import check_inside

__all__ = [
    "EXTENSIONS",
    "Candidate",
    "Header",
    "Opened",
    "Options",
    "absent",
    "applied",
    "check_turn",
    "crop",
    "load",
    "opened",
    "read_header",
    "verify",
]

_DEFAULT = Options()


class _Format(Protocol):
    """What the room of a format which is written can do: take a file apart, and prove a crop."""

    def opened(self, data: bytes, name: str, options: Options, /) -> OpenedImage: ...

    def verify(self, written: bytes, proof: Any, name: str, /) -> float | None: ...  # noqa: ANN401  (each format's own)


_FORMATS: Mapping[str, str] = {
    "png": "cropkit.formats.png",
    "jpeg": "cropkit.formats.jpeg",
    "webp": "cropkit.formats.webp",
    "tiff": "cropkit.formats.tiff",
    "bmp": "cropkit.formats.bmp",
    "gif": "cropkit.formats.gif",
    "heic": "cropkit.formats.heif",
}

if TYPE_CHECKING:
    from cropkit.formats import bmp, gif, heif, jpeg, png, tiff, webp

    _ROOMS: tuple[_Format, ...] = (png, jpeg, webp, tiff, bmp, gif, heif)


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

    def applied(self, box: PixelBox, turn: Turn = NO_TURN) -> PixelBox:
        """Return the box that a crop to `box` will hold, as `cropkit.formats.applied` does.

        Raises
        ------
        BadBox
            When it reaches outside.
        """
        return applied(self.header, box.within(self.header.size), self.options, turn)

    def crop(self, box: PixelBox, turn: Turn = NO_TURN) -> Candidate:
        """Crop to an upright box, turn what it holds, and account for every part of the file.

        What is turned is stored as it is seen: its orientation is 1. The candidate is not proven:
        write it, read it back and `verify` that.

        Raises
        ------
        Refused
            As in `opened`, `BadBox` when the box reaches outside, and `UnsuitableTurn`.
        """
        if not _is_exact(self.header, self.options):
            turnable.check_angle(self.header.format, turn, self.name)
        with reading(self.name):
            candidate = self.image.crop(check_inside(box, self.header.size, turn), turn)
        if turn.is_none:
            return candidate
        stored = candidate.box_applied.stored(self.header.size, self.header.orientation)
        change = self.header.change(stored, turn)
        return replace(candidate, resampling=change if isinstance(change, Resampling) else None)


def load() -> None:
    """Load every room now: for a process that is started before anybody waits for it."""
    for room in _FORMATS.values():
        import_module(room)


def opened(data: bytes, name: str, options: Options = _DEFAULT) -> Opened:
    """Take an image apart without decoding a pixel.

    Raises
    ------
    Refused
        A leaf that names the file and says why it cannot be cropped faithfully.
    """
    image_format = _format(data, name, options.drop)
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


def applied(
    header: Header, box: PixelBox, options: Options = _DEFAULT, turn: Turn = NO_TURN
) -> PixelBox:
    """Return the box that a crop to `box` will hold, upright, without decoding anything.

    It is larger than what was asked for where a JPEG is to be cropped without loss: its corner
    moves outward to the grid of whole blocks; that of a HEIC to an even pixel. Header and options
    alone decide, not whether a libjpeg is there at the moment: what is shown will be written.
    """
    if _is_exact(header, options) or header.grid is None or turn.resamples:
        return box
    stored = header.size.oriented(header.orientation)
    snapped = header.snapped(box.stored(header.size, header.orientation), turn)
    return snapped.upright(stored, header.orientation)


def check_turn(header: Header, box: PixelBox, options: Options, turn: Turn, name: str) -> None:
    """Refuse a turn that a file cannot be given in its own format, without decoding anything.

    Raises
    ------
    UnsuitableTurn
        As `Opened.crop` would; nothing was written.
    """
    if turn.is_none or _is_exact(header, options):
        return
    turnable.check_angle(header.format, turn, name)
    holds = applied(header, box, options, turn)
    turnable.check(header, holds.stored(header.size, header.orientation), turn, name)


def _is_exact(header: Header, options: Options) -> bool:
    """Whether the very box of an image is encoded anew."""
    return options.jpeg is Jpeg.EXACT and header.format == "jpeg"


def crop(
    data: bytes, name: str, box: PixelBox, options: Options = _DEFAULT, turn: Turn = NO_TURN
) -> Candidate:
    """Crop an image, where nothing else is asked of it; see `Opened.crop`.

    Raises
    ------
    Refused
        As in `opened`, `BadBox` when the box reaches outside, and `UnsuitableTurn`.
    """
    return opened(data, name, options).crop(box, turn)


def verify(written: bytes, candidate: Candidate, name: str) -> Candidate:
    """Decode the bytes that were read back and compare them with what was meant.

    Returns the candidate, with the loss where decoding has shown it.

    Raises
    ------
    VerificationFailed, LosslessUnavailable, PartMissing, TooCostly
        The candidate is to be discarded; the original stands.
    """
    try:
        if candidate.signature is not None:
            written = _unsigned(written, candidate, candidate.signature, name)
        loss = _room(candidate.format, name).verify(written, candidate.proof, name)
    except ImportError as error:
        raise PartMissing(name, error.name) from error
    except Refused as error:
        if error.passes or isinstance(error, TooCostly):
            raise
        raise VerificationFailed(name, str(error)) from error
    return candidate if loss is None else replace(candidate, psnr=loss)


def _unsigned(written: bytes, candidate: Candidate, signature: Signature, name: str) -> bytes:
    from cropkit.formats.credentials import signing  # noqa: PLC0415  (for signed crops only)

    return signing.proven(written, candidate, signature, name)


def _format(data: bytes, name: str, drop: frozenset[str]) -> _Format:
    format_name = sniff(data, name, drop)
    if format_name not in _FORMATS:
        raise UnsupportedFormat(name, shown(format_name))
    return _room(format_name, name)


def _room(format_name: str, name: str) -> _Format:
    """Return the room of a format; one that cannot be loaded refuses this file, and no other."""
    room = _FORMATS[format_name]
    try:
        return cast("_Format", import_module(room))
    except ImportError as error:
        raise PartMissing(name, error.name) from error
    except OSError as error:  # no descriptor, no memory: the next file tries again
        raise PartMissing(name, f"{room} ({error.strerror or error})") from error
