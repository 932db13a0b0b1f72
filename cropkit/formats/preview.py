"""Previews for a browser: upright, sRGB, JPEG, as small as asked."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from cropkit.errors import UnsupportedFormat
from cropkit.formats import heif, jpeg, png, tiff, webp
from cropkit.formats.account import Bare
from cropkit.formats.decoder_errors import reading
from cropkit.formats.limits import check_pixels
from cropkit.formats.metadata.exif import read_orientation
from cropkit.formats.options import EXTENSION
from cropkit.formats.sniff import shown, sniff
from cropkit.formats.turning import TRANSPOSES
from cropkit.geometry import Size

BY_CONTENT = frozenset({EXTENSION})
_QUALITY = 85
_GREY = (128, 128, 128)
_REDUCIBLE = ("L", "RGB", "RGBA", "CMYK")
# These are decoded without their metadata: a decoder that sees none cannot stumble over it.
_BARE = {
    "png": png.bare,
    "jpeg": jpeg.bare,
    "webp": webp.bare,
    "tiff": tiff.bare,
    "heic": heif.bare,
}
# What Pillow may open; nothing that starts a program, and nothing we have not sniffed.
_OPENERS = {
    "png": "PNG",
    "jpeg": "JPEG",
    "webp": "WEBP",
    "tiff": "TIFF",
    "bmp": "BMP",
    "gif": "GIF",
    "avif": "AVIF",
    "jp2": "JPEG2000",
    "ico": "ICO",
}
# What Pillow cannot: decoded here, and upright.
_OTHERS = {"heic": heif.picture}


def preview(data: bytes, name: str, fit: Size) -> bytes:
    """Return the image as an upright sRGB JPEG that fits into `fit`, and is never enlarged.

    Transparency shows as a neutral grey. Safe to call from several threads.

    Raises
    ------
    Refused
        When it cannot be decoded.
    """
    with reading(name):
        return _encoded(_shown(data, name, fit))


def upright(data: bytes, name: str, size: Size) -> Image.Image:
    """Return the whole image in RGB, upright, in sRGB, at its own upright size.

    Raises
    ------
    Refused
        When it cannot be decoded.
    """
    with reading(name):
        picture = _shown(data, name, size).convert("RGB")
    picture.info.clear()
    return picture


def encoded_in(picture: Image.Image, bare: Bare, name: str, fit: Size) -> tuple[bytes, Size]:
    """Return an opened picture as `preview` returns it, and its own upright size.

    Raises
    ------
    TooLarge
        From its header, before anything is decoded.
    """
    stored = check_pixels(name, Size(*picture.size))
    return _encoded(_upright(picture, bare, fit)), stored.oriented(_orientation(picture, bare))


def _shown(data: bytes, name: str, fit: Size) -> Image.Image:
    bare = bare_of(data, name)
    picture = opened(bare.data, name)
    check_pixels(name, Size(*picture.size))
    return _upright(picture, bare, fit)


def thumbnail(jpeg: bytes, fit: Size) -> bytes:
    """Return a preview that `preview` has made, as small as a thumbnail."""
    picture = Image.open(BytesIO(jpeg), formats=("JPEG",))
    picture.draft(None, (fit.width, fit.height))
    picture.thumbnail((fit.width, fit.height), Image.Resampling.BICUBIC)
    return _encoded(picture)


def bare_of(data: bytes, name: str) -> Bare:
    """Take the metadata off, where a room knows how to."""
    form = sniff(data, name, BY_CONTENT)  # whatever a file is called, it is shown
    return _BARE[form](data, name) if form in _BARE else Bare(data, 1, None)


def opened(data: bytes, name: str) -> Image.Image:
    """Open with the one decoder that the content names."""
    form = sniff(data, name, BY_CONTENT)  # whatever a file is called, it is shown
    if form in _OTHERS:
        return _OTHERS[form](data, name)
    Image.init()
    opener, _ = Image.OPEN.get(_OPENERS.get(form, ""), (None, None))
    if opener is None:
        raise UnsupportedFormat(name, shown(form))
    # Not Image.open: its limit is a warning first, and our own is checked before any pixel.
    return opener(BytesIO(data), name)


def _upright(picture: Image.Image, bare: Bare, fit: Size) -> Image.Image:
    """Decode at the smallest scale that still fills `fit`, reduce, turn, and convert to sRGB."""
    orientation = _orientation(picture, bare)
    box = _lying(fit, orientation)
    picture.draft(None, box)
    picture.load()
    profile = bare.profile or picture.info.get("icc_profile")
    plain = _plain(picture)
    plain.thumbnail(box, Image.Resampling.BICUBIC, reducing_gap=2.0)
    shown = _in_srgb(plain, profile)
    turn = TRANSPOSES.get(orientation)
    return shown if turn is None else shown.transpose(turn)


def _orientation(picture: Image.Image, bare: Bare) -> int:
    stated = picture.info.get("exif", b"").removeprefix(b"Exif\0\0")
    return read_orientation(stated) if stated else bare.orientation


def _lying(fit: Size, orientation: int) -> tuple[int, int]:
    stored = fit.oriented(orientation)
    return stored.width, stored.height


def _plain(picture: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be reduced: L, RGB, RGBA or CMYK."""
    if picture.mode in ("F", "I") or picture.mode.startswith("I;16"):
        return _scaled_to_8_bits(picture)
    if picture.mode in ("LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in _REDUCIBLE else picture.convert("RGB")


def _scaled_to_8_bits(picture: Image.Image) -> Image.Image:
    """Scale 16 bits by their range, and anything else by what it holds."""
    values = np.asarray(picture).astype(np.float32)
    low, high = (0.0, 65535.0) if picture.mode != "F" else (values.min(), values.max())
    unit = (values - low) / max(float(high - low), 1e-9)
    return Image.fromarray((np.clip(unit, 0, 1) * 255).round().astype(np.uint8))


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if picture.mode == "RGBA":
        backdrop = Image.new("RGB", picture.size, _GREY)
        colours = _in_srgb(picture.convert("RGB"), profile)
        backdrop.paste(colours, mask=picture.getchannel("A"))
        return backdrop
    transform = _transform(profile, picture.mode) if profile else None
    if transform is None:
        return picture.convert("RGB")
    return ImageCms.applyTransform(picture, transform) or picture


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the way to sRGB; None when the profile is damaged or is for another colour space."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


def _encoded(picture: Image.Image) -> bytes:
    picture.info.clear()
    out = BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
