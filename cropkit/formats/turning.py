"""Samples turned by quarters and mirrored, as arrays; none of them is ever computed anew."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from cropkit.formats.bit_rows import Rows

_BYTE = 8
# How stored samples become upright, by EXIF orientation (CIPA DC-008, tag 0x0112).
_TURNS: Mapping[int, Callable[[Any], Any]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}

# How Pillow calls the ways in which pixels are seen (EXIF orientation; CIPA DC-008, tag 0x0112).
TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turned(samples: Any, orientation: int) -> Any:  # noqa: ANN401  (arrays of any kind of samples)
    """Return (height, width, ...) samples as a person sees them under an EXIF orientation."""
    return np.ascontiguousarray(_TURNS[orientation](samples))


def turned_rows(rows: Rows, width: int, pixel_bits: int, orientation: int) -> Rows:
    """Return rows of packed pixels turned, each row from a whole byte on.

    Parameters
    ----------
    width : pixels in a row; what follows them in it is left out
    """
    if orientation == 1:
        return rows
    if pixel_bits % _BYTE:
        units = np.unpackbits(rows, axis=1)[:, : width * pixel_bits]
        after = turned(units.reshape(len(rows), width, pixel_bits), orientation)
        return np.packbits(after.reshape(len(after), -1), axis=1)
    units = rows[:, : width * pixel_bits // _BYTE]
    after = turned(units.reshape(len(rows), width, pixel_bits // _BYTE), orientation)
    return np.reshape(after, (len(after), -1))
