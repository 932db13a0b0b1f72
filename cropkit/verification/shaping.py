"""What a source becomes on the way to its crop, worked out anew: turned, converted, resampled."""

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from cropkit.errors import UnsupportedDepth
from cropkit.formats.codecs import codec
from cropkit.geometry import PixelBox, Size
from cropkit.verification.claims import Claim, Resized
from cropkit.verification.decoding import CHANNELS, Pixels, Samples
from cropkit.verification.straightened import straightened

Light = npt.NDArray[np.float64]
# EXIF 2.32, tag 0112: where the first row and the first column of what is stored are to be seen.
_ON_THEIR_SIDE, _COLUMNS_BACKWARDS, _ROWS_BACKWARDS = (5, 6, 7, 8), (2, 3, 6, 7), (3, 4, 7, 8)
_SPACES = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}
_NAMES = {"L": "gray", "RGB": "rgb", "CMYK": "cmyk"}


def upright(samples: Samples, orientation: int) -> Samples:
    """Turn stored samples as a person sees them."""
    turned = samples.swapaxes(0, 1) if orientation in _ON_THEIR_SIDE else samples
    return _flipped(turned, orientation)


def stored(samples: Samples, orientation: int) -> Samples:
    """Turn upright samples back to how they are stored."""
    flipped = _flipped(samples, orientation)
    return flipped.swapaxes(0, 1) if orientation in _ON_THEIR_SIDE else flipped


def _flipped(samples: Samples, orientation: int) -> Samples:
    across = -1 if orientation in _COLUMNS_BACKWARDS else 1
    down = -1 if orientation in _ROWS_BACKWARDS else 1
    return samples[::down, ::across]


def size_of(samples: Samples) -> Size:
    """Return width and height."""
    return Size(samples.shape[1], samples.shape[0])


def inside(samples: Samples, box: PixelBox) -> Samples:
    """Return what a box holds."""
    return np.ascontiguousarray(samples[box.top : box.bottom, box.left : box.right])


def cut(
    samples: Samples, claim: Claim, box: PixelBox | None = None, *, has_alpha: bool = False
) -> Samples:
    """Return what the box of a crop holds of an upright source, or another box, turned."""
    box, turn = box or claim.box, claim.turn
    if turn.resamples:
        held = straightened(samples, box, turn.angle, has_alpha=has_alpha)
    else:
        held = inside(samples, box)
    return np.ascontiguousarray(upright(held, claim.turn.orientation))


def is_for(profile: bytes | None, mode: str) -> bool:
    """Whether a profile says how the colours of a mode are seen (ICC.1, 7.2.6)."""
    return profile is not None and profile[16:20] == _SPACES[mode.removesuffix("A")]


def in_srgb(pixels: Pixels, profile: bytes | None) -> Pixels:
    """Convert colours by littlecms, where a profile is for them; else they are sRGB's.

    Eight bits go through Pillow, sixteen through imagecodecs, which alone has them.
    """
    if profile is None or not is_for(profile, pixels.mode):
        return pixels
    colours = pixels.mode.removesuffix("A")
    values = pixels.samples[..., : CHANNELS[colours]]
    converted = _by_profile(np.ascontiguousarray(values), colours, profile)
    if pixels.mode == colours:
        return Pixels(converted, "RGB")
    return Pixels(np.concatenate([converted, pixels.samples[..., -1:]], axis=2), "RGBA")


def _by_profile(values: Samples, mode: str, profile: bytes) -> Samples:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    if values.dtype != np.uint8:
        spaces = {"colorspace": _NAMES[mode], "outcolorspace": "rgb"}
        plain = values[..., 0] if mode == "L" else values
        return np.asarray(codec("cms_transform", plain, profile, srgb.tobytes(), **spaces))
    theirs = ImageCms.ImageCmsProfile(BytesIO(profile))
    transform = ImageCms.buildTransform(theirs, srgb, mode, "RGB")
    after = ImageCms.applyTransform(as_image(Pixels(values, mode)), transform)
    return np.asarray(after)


def as_image(pixels: Pixels) -> Image.Image:
    """Return samples of 8 bits as a picture."""
    values = pixels.samples[..., 0] if pixels.mode == "L" else pixels.samples
    return Image.fromarray(np.ascontiguousarray(values), pixels.mode)


def resized(pixels: Pixels, how: Resized, name: str) -> Pixels:
    """Resample by Pillow: whole numbers of 8 bits as they are, all else plane by plane in floats.

    Colours weigh by their opacity.

    Raises
    ------
    UnsupportedDepth
        Light cannot be told of inks.
    """
    if size_of(pixels.samples) == how.size:
        return pixels
    if pixels.samples.dtype == np.uint8 and not how.linear_light:
        after = as_image(pixels).resize(_sides(how.size), Image.Resampling[how.by.name])
        return Pixels(np.asarray(after).reshape(after.height, after.width, -1), pixels.mode)
    if how.linear_light and pixels.mode == "CMYK":
        raise UnsupportedDepth(name, "CMYK, in linear light")
    return _in_floats(pixels, how)


def _in_floats(pixels: Pixels, how: Resized) -> Pixels:
    peak = float(np.iinfo(pixels.samples.dtype).max)
    values = pixels.samples.astype(np.float64) / peak
    alpha = values[..., -1] if pixels.mode.endswith("A") else None
    colours = values if alpha is None else values[..., :-1]
    weight = alpha if how.by.value != "nearest" else None
    after_alpha = None if alpha is None else _plane(alpha, how).clip(0, 1)
    planes = []
    for at in range(colours.shape[2]):
        plane = _light(colours[..., at]) if how.linear_light else colours[..., at]
        plane = _plane(plane if weight is None else plane * weight, how)
        if weight is not None and after_alpha is not None:
            plane = np.divide(plane, after_alpha, out=np.zeros_like(plane), where=after_alpha > 0)
        plane = plane.clip(0, 1)
        planes.append(_numbers(plane) if how.linear_light else plane)
    if after_alpha is not None:
        planes.append(after_alpha)
    whole = np.floor(np.stack(planes, axis=2).clip(0, 1) * peak + 0.5)
    return Pixels(whole.astype(pixels.samples.dtype), pixels.mode)


def _plane(values: Light, how: Resized) -> Light:
    picture = Image.fromarray(values.astype(np.float32))
    after = picture.resize(_sides(how.size), Image.Resampling[how.by.name])
    return np.asarray(after).astype(np.float64)


def _light(numbers: Light) -> Light:
    """Return the light that numbers of sRGB stand for (IEC 61966-2-1), both 0 to 1."""
    return np.where(numbers <= 0.04045, numbers / 12.92, ((numbers + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004  (of the standard)


def _numbers(light: Light) -> Light:
    """Return the numbers by which sRGB writes light."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)  # noqa: PLR2004  (of the standard)


def _sides(size: Size) -> tuple[int, int]:
    return size.width, size.height
