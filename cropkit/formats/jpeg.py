"""JPEG: segment splice around pixels that are encoded anew with the same tables and sampling."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from cropkit.errors import UnsupportedDepth, VerificationFailed
from cropkit.formats import jpeg_blocks, jpeg_parts, jpeg_segments
from cropkit.formats.account import Account, Bare, Candidate, Header
from cropkit.formats.border import reading
from cropkit.formats.change import Change
from cropkit.formats.jpeg_blocks import Plane
from cropkit.formats.jpeg_parts import ADOBE_TRANSFORM
from cropkit.formats.jpeg_segments import Jpeg, Segment
from cropkit.formats.limits import check_pixels
from cropkit.formats.options import Options
from cropkit.geometry import PixelBox, Size

# What Pillow's encoder can write, by the sampling factors of the three components.
_SUBSAMPLING: Mapping[tuple[tuple[int, int], ...], str] = {
    ((2, 1), (1, 1), (1, 1)): "4:2:2",
    ((2, 2), (1, 1), (1, 1)): "4:2:0",
}
_MOST_BYTES_A_PIXEL = 8
_MODES = {1: "L", 3: "YCbCr", 4: "CMYK"}


@dataclass(frozen=True, slots=True)
class Coding:
    """How pixels are coded: what must be the same in the written file."""

    mode: str
    size: Size
    tables: tuple[tuple[int, ...], ...]
    sampling: tuple[tuple[int, int], ...]
    progressive: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """What the written file must hold: these segments, these codes, pixels close to these."""

    metadata: tuple[Segment, ...]
    coded: bytes
    trailer: bytes
    coding: Coding
    planes: tuple[Plane, ...]


def read_header(data: bytes, name: str) -> Header:
    """Read size and orientation; see `cropkit.formats.read_header`."""
    jpeg = _parsed(data, name)
    orientation = jpeg_parts.orientation(jpeg)
    return Header("jpeg", jpeg.size.oriented(orientation), orientation)


def crop(data: bytes, name: str, box: PixelBox, _options: Options) -> Candidate:
    """Crop to an upright box; see `cropkit.formats.crop`."""
    jpeg = _parsed(data, name)
    orientation = jpeg_parts.orientation(jpeg)
    stored = box.stored(jpeg.size.oriented(orientation), orientation)
    account = Account()
    coding = _coding(jpeg, stored.size, account)
    pixels = decode(jpeg, coding.mode).crop(stored.xyxy)
    transform = 0 if coding.mode == "CMYK" else None  # Pillow writes CMYK, never YCCK
    edit = jpeg_parts.Edit(Change(jpeg.size, stored), account, name, transform)
    metadata = tuple(jpeg_parts.edited(jpeg, edit))
    if jpeg.trailer:
        account.keep(f"{len(jpeg.trailer)} bytes after the end")
    encoded = jpeg_segments.parse(_encoded(pixels, coding, jpeg), name)
    written = encoded.spliced(metadata, jpeg.trailer)
    proof = Proof(metadata, encoded.coded, jpeg.trailer, coding, planes(pixels))
    return account.candidate(written, (box, box), proof)


def verify(written: bytes, proof: Proof, name: str) -> None:
    """Hold what was read back against the proof: segments and coding exactly, pixels by block.

    Rounding a DCT coefficient to its quantisation step moves it by half a step at most, and the
    DCT keeps lengths: so every block of 8 x 8 has a hard limit to how far it may be off.
    """
    with reading(name):
        jpeg = jpeg_segments.parse(written, name)
        pixels = decode(jpeg, proof.coding.mode)
    if jpeg.metadata != proof.metadata or jpeg.trailer != proof.trailer:
        raise VerificationFailed(name, "the segments around the pixels are not those meant")
    if jpeg.coded != proof.coded:
        raise VerificationFailed(name, "the coded pixels are not those that were written")
    found = _coding_found(jpeg, proof.coding.mode)
    if found != proof.coding:
        raise VerificationFailed(name, "size, tables or sampling are not those meant")
    excess = jpeg_blocks.excess(planes(pixels), proof.planes, found.tables, found.sampling)
    if excess > 1:
        raise VerificationFailed(name, f"a block is off by {excess:.1f} times what rounding allows")


def bare(data: bytes, name: str) -> Bare:
    """Take the metadata off; animations and second pictures do not matter here."""
    jpeg = jpeg_segments.parse(data, name)
    check_pixels(name, jpeg.size)
    return Bare(_bare(jpeg), jpeg_parts.orientation(jpeg), jpeg_parts.profile(jpeg))


def decode(jpeg: Jpeg, mode: str) -> Image.Image:
    """Decode in the components that are stored, without a conversion of colour."""
    picture = JpegImageFile(BytesIO(_bare(jpeg)))
    if mode == "YCbCr":
        picture.draft("YCbCr", picture.size)
    picture.load()
    if picture.mode != mode:
        raise ValueError(f"decoded as {picture.mode}, not {mode}")
    return picture


def _bare(jpeg: Jpeg) -> bytes:
    """Return the file with only those segments that say what the components mean."""
    return jpeg.spliced([s for s in jpeg.metadata if s.data[:5] in (b"JFIF\0", b"Adobe")], b"")


def _parsed(data: bytes, name: str) -> Jpeg:
    jpeg = jpeg_segments.parse(data, name)
    check_pixels(name, jpeg.size)
    jpeg.check_coding()
    jpeg_parts.refuse(jpeg)
    if len(jpeg.components) not in _MODES:
        raise UnsupportedDepth(name, f"a JPEG of {len(jpeg.components)} components")
    return jpeg


def _coding(jpeg: Jpeg, size: Size, account: Account) -> Coding:
    """Plan the coding of the crop: that of the source, but where Pillow cannot write it."""
    found = _coding_found(jpeg, _mode(jpeg))
    count = len(found.tables)
    tables, sampling = found.tables, found.sampling
    if found.mode == "CMYK":
        tables = (found.tables[0],) * count
    writable = found.mode == "YCbCr" and sampling in _SUBSAMPLING
    if not writable:
        sampling = ((1, 1),) * count
    if sampling != found.sampling:
        account.patch("sampling: every component at full resolution")
    if tables != found.tables:
        account.patch("quantisation tables: the finest for every component")
    return Coding(found.mode, size, tables, sampling, found.progressive)


def _coding_found(jpeg: Jpeg, mode: str) -> Coding:
    tables = tuple(c.table for c in jpeg.components)
    sampling = jpeg.sampling
    if len(set(sampling)) == 1:  # 2x2, 2x2, 2x2 is 1x1, 1x1, 1x1 in larger MCUs
        sampling = ((1, 1),) * len(sampling)
    return Coding(mode, jpeg.size, tables, sampling, jpeg.progressive)


def _mode(jpeg: Jpeg) -> str:
    """Tell stored RGB from YCbCr the way libjpeg does (jdapimin.c, default_decompress_parms)."""
    mode = _MODES[len(jpeg.components)]
    starts = {
        s.marker: s.data for s in reversed(jpeg.metadata) if s.data[:5] in (b"JFIF\0", b"Adobe")
    }
    if mode != "YCbCr" or jpeg_segments.APP0 in starts:
        return mode
    adobe = starts.get(jpeg_segments.APP14, b"")
    if len(adobe) > ADOBE_TRANSFORM:
        return "YCbCr" if adobe[ADOBE_TRANSFORM] else "RGB"
    return "RGB" if bytes(c.id for c in jpeg.components) == b"RGB" else mode


def _encoded(pixels: Image.Image, coding: Coding, jpeg: Jpeg) -> bytes:
    options: dict[str, Any] = {
        "qtables": _in_order(coding, jpeg),
        "subsampling": _SUBSAMPLING.get(coding.sampling, "4:4:4"),
        "progressive": coding.progressive,
        "optimize": not jpeg.codes <= _typical_codes(),
        "keep_rgb": coding.mode == "RGB",
        "restart_marker_blocks": jpeg.restart_interval,
    }
    pixels.info.clear()
    try:
        return _saved(pixels, options)
    except OSError:
        # Codes made to measure need a buffer for the whole file, and Pillow guessed too low.
        ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, _MOST_BYTES_A_PIXEL * coding.size.area)
        return _saved(pixels, options)


def _saved(pixels: Image.Image, options: Mapping[str, Any]) -> bytes:
    out = BytesIO()
    pixels.save(out, "JPEG", **options)
    return out.getvalue()


@cache
def _typical_codes() -> frozenset[bytes]:
    """Return the Huffman tables of annex K.3: those of an encoder that looks for no better."""
    out = BytesIO()
    Image.new("YCbCr", (8, 8)).save(out, "JPEG")
    return jpeg_segments.parse(out.getvalue(), "typical").codes


def _in_order(coding: Coding, jpeg: Jpeg) -> list[list[int]]:
    """Return a table for each component; Pillow uses the last one for all that follow."""
    numbers = [0] * len(coding.tables) if coding.mode == "CMYK" else jpeg.table_numbers
    count = len(numbers)
    while count > 1 and numbers[count - 1] == numbers[count - 2]:
        count -= 1
    return [list(table) for table in coding.tables[:count]]


def planes(pixels: Image.Image) -> tuple[Plane, ...]:
    """Return the components apart."""
    return tuple(np.asarray(band) for band in pixels.split())
