"""Samples and colour profile of a copy, brought to what its format can hold; or refused by name."""

from collections.abc import Mapping

import numpy as np
from PIL import ImageCms

from cropkit.errors import UnsuitableFormat
from cropkit.formats.account import Account
from cropkit.formats.codecs import codec
from cropkit.formats.copies.pixels import Pixels, Samples
from cropkit.formats.sniff import shown

_MODES: Mapping[str, tuple[str, ...]] = {
    "png": ("L", "LA", "RGB", "RGBA"),
    "jpeg": ("L", "RGB", "CMYK"),
    "webp": ("RGB", "RGBA"),
}
# The signature of a profile's colour space, at byte 16 (ICC.1, 7.2.6), by the modes it is for.
_SPACES: Mapping[str, bytes] = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}
_SPACE = slice(16, 20)
_8_BITS = 8

Coloured = tuple[Pixels, bytes | None]  # and the profile by which to see them, None for sRGB


def suited(
    pixels: Pixels, profile: bytes | None, form: str, name: str, account: Account
) -> Coloured:
    """Return pixels and profile as a format can hold them, and account for what changed.

    Raises
    ------
    UnsuitableFormat
        For transparency in a JPEG, and for CMYK in anything else; nothing is flattened unasked.
    """
    if pixels.has_alpha and pixels.is_opaque and form != "png":
        pixels = pixels.without_alpha()
        account.drop("alpha", "every pixel of the crop is opaque")
    if pixels.has_alpha and form == "jpeg":
        raise UnsuitableFormat(name, "transparency", shown(form), "choose png or webp")
    if pixels.mode == "CMYK" and form != "jpeg":
        cure = "choose jpeg, or have it converted to sRGB"
        raise UnsuitableFormat(name, "CMYK", shown(form), cure)
    if pixels.mode not in _MODES[form]:
        pixels = pixels.in_rgb()
        account.patch(f"pixels: grey written as RGB, which {shown(form)} has alone")
        if profile is not None and profile[_SPACE] == _SPACES["L"]:
            profile = None
            account.drop("colour profile", f"it is for grey, which {shown(form)} has not")
    if pixels.bits > _8_BITS and form != "png":
        pixels = pixels.in_8_bits()
        account.drop("bits of each sample below the eighth", f"{shown(form)} has no room for them")
    return pixels, profile


def carried(pixels: Pixels, profile: bytes | None, account: Account) -> bytes | None:
    """Return the profile where it is one for these pixels, None and a word where it is not."""
    if profile is None or profile[_SPACE] == _space(pixels):
        return profile
    account.drop("colour profile", "it is for other colours than the pixels have")
    return None


def in_srgb(pixels: Pixels, profile: bytes | None, name: str, account: Account) -> Pixels:
    """Return grey, RGB or CMYK as sRGB, through a profile for them; alpha stays.

    Without a profile, grey and RGB are taken for sRGB as they are.

    Raises
    ------
    UnsuitableFormat
        For CMYK without a profile: nobody knows its inks.
    """
    if profile is None:
        if pixels.mode == "CMYK":
            cure = "it has no profile: choose jpeg, and carry the inks as they are"
            raise UnsuitableFormat(name, "CMYK", "sRGB", cure)
        account.keep("pixels: taken for sRGB, no profile says otherwise")
        return pixels
    colours = pixels.without_alpha() if pixels.has_alpha else pixels
    values = _transformed(colours, profile)
    if pixels.has_alpha:
        values = np.concatenate([values, pixels.values[..., -1:]], axis=2)
    account.patch("colour: converted to sRGB by the profile, which is not carried")
    return Pixels(values, "RGBA" if pixels.has_alpha else "RGB")


def _space(pixels: Pixels) -> bytes:
    return _SPACES[pixels.mode.removesuffix("A")]


def _transformed(pixels: Pixels, profile: bytes) -> Samples:
    """Convert by littlecms, through imagecodecs: Pillow's has no colours of 16 bits."""
    names = {"L": "gray", "RGB": "rgb", "CMYK": "cmyk"}
    values = pixels.values[..., 0] if pixels.mode == "L" else pixels.values
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    spaces = {"colorspace": names[pixels.mode], "outcolorspace": "rgb"}
    after = codec("cms_transform", np.ascontiguousarray(values), profile, srgb, **spaces)
    return np.asarray(after)
