"""Pixels brought to another size by a named filter of Pillow's, in numbers or in light."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from cropkit.formats.copies.pixels import Pixels
from cropkit.formats.copy_options import Filter
from cropkit.geometry import Size

Unit = npt.NDArray[np.float32]  # samples of 0..1
_FILTERS = {each: Image.Resampling[each.name] for each in Filter}
# sRGB's transfer function (IEC 61966-2-1): a line near black, a power above it.
_SLOPE, _OFFSET, _POWER = 12.92, 0.055, 2.4
_LINE_ENDS, _LIGHT_ENDS = 0.04045, 0.0031308


def resampled(pixels: Pixels, size: Size, by: Filter, *, linear_light: bool) -> Pixels:
    """Return pixels of another size.

    Colours weigh by their opacity, so that none bleeds out of what is transparent.

    Parameters
    ----------
    linear_light : filter light, by sRGB's curve, and not the numbers that stand for it
    """
    if pixels.size == size:
        return pixels
    if pixels.bits == 8 and not linear_light:  # noqa: PLR2004  (bits)
        picture = pixels.picture().resize((size.width, size.height), _FILTERS[by])
        values = np.asarray(picture).reshape(size.height, size.width, -1)
        return Pixels(values, pixels.mode)
    return _in_floats(pixels, size, by, linear_light=linear_light)


def light(values: Unit) -> Unit:
    """Return the light that sRGB's numbers stand for, both 0..1."""
    line, power = values / _SLOPE, ((values + _OFFSET) / (1 + _OFFSET)) ** _POWER
    return np.where(values <= _LINE_ENDS, line, power).astype(np.float32)


def numbers(values: Unit) -> Unit:
    """Return the numbers by which sRGB writes light; the inverse of `light`."""
    power = (1 + _OFFSET) * np.maximum(values, 0) ** (1 / _POWER) - _OFFSET
    return np.where(values <= _LIGHT_ENDS, values * _SLOPE, power).astype(np.float32)


def _in_floats(pixels: Pixels, size: Size, by: Filter, *, linear_light: bool) -> Pixels:
    peak = np.float32(np.iinfo(pixels.values.dtype).max)
    planes = [p.astype(np.float32) / peak for p in np.moveaxis(pixels.values, 2, 0)]
    alpha = planes.pop() if pixels.has_alpha else None
    inwards, outwards = (light, numbers) if linear_light else (_as_it_is, _as_it_is)
    weight = None if by is Filter.NEAREST else alpha  # a pixel that is chosen has its own colour
    weighed = (inwards(p) if weight is None else inwards(p) * weight for p in planes)
    after = [_plane(p, size, by) for p in weighed]
    opacity = [] if alpha is None else [_plane(alpha, size, by).clip(0, 1)]
    if weight is not None:
        after = [_divided(p, opacity[0]) for p in after]
    units = [outwards(p.clip(0, 1)).clip(0, 1) for p in after] + opacity
    rounded = [(unit * peak + 0.5).astype(pixels.values.dtype) for unit in units]
    return Pixels(np.stack(rounded, axis=2), pixels.mode)


def _divided(values: Unit, opacity: Unit) -> Unit:
    """Take the weight off again; nothing is left where nothing is seen."""
    return np.divide(values, opacity, out=np.zeros_like(values), where=opacity > 0)


def _plane(values: Unit, size: Size, by: Filter) -> Unit:
    picture = Image.fromarray(np.ascontiguousarray(values))
    return np.asarray(picture.resize((size.width, size.height), _FILTERS[by]))


def _as_it_is(values: Unit) -> Unit:
    return values
