"""HEIC, by pillow-heif's own interface: libheif's colours, turned and mirrored as the file says.

The engine cuts luma and chroma as they are stored, by another interface. Here they are compared
as they are seen, at their own depth: no line of what wrote them is used.
"""

from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cropkit.errors import PartMissing

_EXTRA = "'cropkit[heic]'"
Samples = npt.NDArray[Any]


def opened(data: bytes, name: str) -> Image.Image:
    """Open the primary picture for Pillow: upright, in 8 bits; nothing is decoded yet.

    Raises
    ------
    PartMissing
        The extra is not installed.
    """
    picture: Image.Image = _library(name).HeifImageFile(BytesIO(data), "")
    return picture


def samples(data: bytes, name: str) -> Samples:
    """Return the samples of the primary picture, upright: (H, W, channels), uint8 or uint16.

    Raises
    ------
    PartMissing, or whatever pillow-heif raises
    """
    read = _library(name).open_heif(BytesIO(data), convert_hdr_to_8bit=False)
    decoded = np.asarray(read)
    return decoded.reshape(*decoded.shape[:2], -1)


def _library(name: str) -> Any:  # noqa: ANN401  (a module without types)
    if find_spec("pillow_heif") is None:
        raise PartMissing(name, _EXTRA)
    return import_module("pillow_heif")
