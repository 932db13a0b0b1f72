"""An 8-bit picture of a TIFF whose kind of pixels Pillow does not know, for previews alone."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from cropkit.errors import UnsupportedDepth
from cropkit.formats.bit_rows import Rows
from cropkit.formats.tiff import pixels
from cropkit.formats.tiff.directory import Tiff
from cropkit.formats.tiff.layout import (
    PHOTOMETRIC,
    SAMPLE_FORMAT,
    Layout,
    read_number,
    read_segments,
)
from cropkit.geometry import PixelBox

Channel = npt.NDArray[np.uint8]
_WHITE_IS_0, _RGB, _CMYK = 0, 2, 5
_MODES = {_RGB: ("RGB", 3), _CMYK: ("CMYK", 4)}
_KINDS = {1: "u", 2: "i", 3: "f"}
_BYTE, _WORD = 8, 16


def shown(data: bytes, tiff: Tiff, layout: Layout, name: str) -> bytes:
    """Return an uncompressed TIFF of the channels that a person can see, as they are stored.

    Raises
    ------
    UnsupportedDepth
        For samples that are not whole bytes.
    """
    segments = read_segments(tiff.first, tiff.form, layout, data, name)
    planes = pixels.decoded_box(data, layout, segments, PixelBox.full(layout.size))
    photometric = read_number(tiff.first, tiff.form, PHOTOMETRIC, 1)
    kind = _KINDS.get(read_number(tiff.first, tiff.form, SAMPLE_FORMAT, 1), "u")
    mode, count = _MODES.get(photometric, ("L", 1))
    if layout.bits not in ((16, 32, 64) if kind == "f" else (8, 16, 32, 64)):
        raise UnsupportedDepth(name, f"{layout.bits} bits")
    shown_channels = channels(planes, layout, kind)[:count]
    if len(shown_channels) < count:
        mode, shown_channels = "L", shown_channels[:1]
    eight = _in_8_bits(shown_channels, layout.bits, kind)
    if photometric == _WHITE_IS_0:
        eight = [255 - channel for channel in eight]
    out = BytesIO()
    Image.merge(mode, [Image.fromarray(channel) for channel in eight]).save(out, "TIFF")
    return out.getvalue()


def channels(planes: Sequence[Rows], layout: Layout, kind: str) -> list[npt.NDArray[np.generic]]:
    """Return each sample of the planes' rows as (height, width); `kind` is NumPy's u, i or f."""
    dtype = np.dtype(f"{layout.order}{kind}{layout.bits // _BYTE}")
    shape = (layout.size.height, layout.size.width, layout.samples)
    arrays = [np.ascontiguousarray(plane).view(dtype).reshape(shape) for plane in planes]
    return [plane[..., sample] for plane in arrays for sample in range(layout.samples)]


def _in_8_bits(channels: Sequence[npt.NDArray[np.generic]], bits: int, kind: str) -> list[Channel]:
    """Scale unsigned bytes and words by their range, and anything else by what they all hold."""
    values = np.stack(channels).astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    if kind == "u" and bits in (_BYTE, _WORD):
        low, high = 0.0, float((1 << bits) - 1)
    unit = np.nan_to_num((values - low) / max(float(high - low), 1e-9))
    return list((np.clip(unit, 0, 1) * 255).astype(np.uint8))
