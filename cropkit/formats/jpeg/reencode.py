"""JPEG, the very box: pixels are encoded anew with the tables and sampling of the source."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from cropkit.errors import VerificationFailed
from cropkit.formats import psnr
from cropkit.formats.account import Account, Candidate
from cropkit.formats.decoder_errors import reading
from cropkit.formats.jpeg import blocks, metadata, pixels, segments
from cropkit.formats.jpeg.blocks import Plane
from cropkit.formats.jpeg.segments import Jpeg, Segment
from cropkit.formats.metadata.crop_change import Change, Resampling
from cropkit.formats.rotation import rotated
from cropkit.formats.turning import turned
from cropkit.geometry import PixelBox, Size

# What Pillow's encoder can write, by the sampling factors of the three components.
_SUBSAMPLING: Mapping[tuple[tuple[int, int], ...], str] = {
    ((2, 1), (1, 1), (1, 1)): "4:2:2",
    ((2, 2), (1, 1), (1, 1)): "4:2:0",
}
_MOST_BYTES_A_PIXEL = 8


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


def crop(
    jpeg: Jpeg, asked: PixelBox, change: Change, account: Account, drop: frozenset[str]
) -> Candidate:
    """Crop to an upright box, by what it changes of the stored image."""
    coding = _coding(jpeg, change.result, account)
    cropped = _cut(pixels.decode(jpeg, coding.mode), change)
    account.tell_of_turn(change)
    transform = 0 if coding.mode == "CMYK" else None  # Pillow writes CMYK, never YCCK
    edit = metadata.Edit(change, account, jpeg.name, transform, drop)
    carried, trailer = tuple(metadata.edited(jpeg, edit)), metadata.trailer(jpeg, edit)
    metadata.tell_of_container(jpeg, account)
    encoded = segments.parse(_encoded(cropped, coding, jpeg), jpeg.name)
    written = encoded.spliced(carried, trailer)
    coded = pixels.decode(replace(encoded, segments=carried), coding.mode)
    account.psnr = psnr.psnr(np.asarray(coded), np.asarray(cropped))
    meant = pixels.planes(cropped)
    proof = Proof(carried, encoded.coded, trailer, coding, meant)
    return account.candidate(written, (asked, asked), proof)


def _cut(picture: Image.Image, change: Change) -> Image.Image:
    if not isinstance(change, Resampling):
        return picture.crop(change.box.xyxy)
    if change.hundredths:
        held = rotated(np.atleast_3d(np.asarray(picture)), change.box, change.hundredths)
    else:
        held = np.atleast_3d(np.asarray(picture.crop(change.box.xyxy)))
    bands = np.moveaxis(turned(held, change.orientation), 2, 0)
    after = [Image.fromarray(np.ascontiguousarray(band)) for band in bands]
    return Image.merge(picture.mode, after)


def verify(written: bytes, proof: Proof, name: str) -> None:
    """Hold what was read back against the proof: segments and coding exactly, pixels by block.

    Rounding a DCT coefficient to its quantisation step moves it by half a step at most, and the
    DCT keeps lengths: so every block of 8 x 8 has a hard limit to how far it may be off.
    """
    with reading(name):
        jpeg = segments.parse(written, name)
        decoded = pixels.decode(jpeg, proof.coding.mode)
    around = (jpeg.metadata, jpeg.trailer, jpeg.stray, jpeg.ended)
    if around != (proof.metadata, proof.trailer, 0, True):
        raise VerificationFailed(name, "the segments around the pixels are not those meant")
    if jpeg.coded != proof.coded:
        raise VerificationFailed(name, "the coded pixels are not those that were written")
    coding = coding_of(jpeg, proof.coding.mode)
    if coding != proof.coding:
        raise VerificationFailed(name, "size, tables or sampling are not those meant")
    excess = blocks.excess(pixels.planes(decoded), proof.planes, coding.tables, coding.sampling)
    if excess > 1:
        raise VerificationFailed(name, f"a block is off by {excess:.1f} times what rounding allows")


def _coding(jpeg: Jpeg, size: Size, account: Account) -> Coding:
    """Plan the coding of the crop: that of the source, but where Pillow cannot write it."""
    coding = coding_of(jpeg, pixels.stored_mode(jpeg))
    count = len(coding.tables)
    tables = tuple(tuple(max(1, step) for step in table) for table in coding.tables)
    sampling = coding.sampling
    if tables != coding.tables:
        account.patch("quantisation tables: steps of 0, which cannot be, are 1")
    coding = replace(coding, tables=tables)
    if coding.mode == "CMYK":
        tables = (coding.tables[0],) * count
    writable = coding.mode == "YCbCr" and sampling in _SUBSAMPLING
    if not writable:
        sampling = ((1, 1),) * count
    if sampling != coding.sampling:
        account.patch("sampling: every component at full resolution")
    if tables != coding.tables:
        account.patch("quantisation tables: the finest for every component")
    return Coding(coding.mode, size, tables, sampling, coding.progressive)


def coding_of(jpeg: Jpeg, mode: str) -> Coding:
    """Return how the pixels of a JPEG are coded, whose components are those of a mode."""
    tables = tuple(c.table for c in jpeg.components)
    sampling = jpeg.sampling
    if len(set(sampling)) == 1:  # 2x2, 2x2, 2x2 is 1x1, 1x1, 1x1 in larger MCUs
        sampling = ((1, 1),) * len(sampling)
    return Coding(mode, jpeg.size, tables, sampling, jpeg.progressive)


def _encoded(pixels: Image.Image, coding: Coding, jpeg: Jpeg) -> bytes:
    options: dict[str, Any] = {
        "qtables": _in_order(coding, jpeg),
        "subsampling": _SUBSAMPLING.get(coding.sampling, "4:4:4"),
        "progressive": coding.progressive,
        "optimize": has_measured_codes(jpeg),
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


def has_measured_codes(jpeg: Jpeg) -> bool:
    """Whether its encoder looked for better codes than those of the standard."""
    return not jpeg.codes <= _typical_codes()


@cache
def _typical_codes() -> frozenset[bytes]:
    """Return the Huffman tables of annex K.3: those of an encoder that looks for no better."""
    out = BytesIO()
    Image.new("YCbCr", (8, 8)).save(out, "JPEG")
    return segments.parse(out.getvalue(), "typical").codes


def _in_order(coding: Coding, jpeg: Jpeg) -> list[list[int]]:
    """Return a table for each component; Pillow uses the last one for all that follow."""
    numbers = [0] * len(coding.tables) if coding.mode == "CMYK" else jpeg.table_numbers
    count = len(numbers)
    while count > 1 and numbers[count - 1] == numbers[count - 2]:
        count -= 1
    return [list(table) for table in coding.tables[:count]]
