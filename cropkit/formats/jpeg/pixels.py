"""JPEG pixels by way of Pillow: decoded in the components that are stored, never converted."""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from cropkit.formats.jpeg.blocks import Plane
from cropkit.formats.jpeg.metadata import ADOBE_TRANSFORM
from cropkit.formats.jpeg.segments import APP0, APP14, Jpeg

MODES: Mapping[int, str] = {1: "L", 3: "YCbCr", 4: "CMYK"}


def decode(jpeg: Jpeg, mode: str) -> Image.Image:
    """Decode in the components that are stored, without a conversion of colour."""
    picture = JpegImageFile(BytesIO(bare(jpeg)))
    if mode == "YCbCr":
        picture.draft("YCbCr", picture.size)
    picture.load()
    if picture.mode != mode:
        raise ValueError(f"decoded as {picture.mode}, not {mode}")
    return picture


def bare(jpeg: Jpeg) -> bytes:
    """Return the file with only those segments that say what the components mean."""
    return jpeg.spliced([s for s in jpeg.metadata if s.data[:5] in (b"JFIF\0", b"Adobe")], b"")


def planes(pixels: Image.Image) -> tuple[Plane, ...]:
    """Return the components apart."""
    return tuple(np.asarray(band) for band in pixels.split())


def stored_mode(jpeg: Jpeg) -> str:
    """Tell stored RGB from YCbCr the way libjpeg does (jdapimin.c, default_decompress_parms)."""
    mode = MODES[len(jpeg.components)]
    starts = {
        s.marker: s.data for s in reversed(jpeg.metadata) if s.data[:5] in (b"JFIF\0", b"Adobe")
    }
    if mode != "YCbCr" or APP0 in starts:
        return mode
    adobe = starts.get(APP14, b"")
    if len(adobe) > ADOBE_TRANSFORM:
        return "YCbCr" if adobe[ADOBE_TRANSFORM] else "RGB"
    return "RGB" if bytes(c.id for c in jpeg.components) == b"RGB" else mode
