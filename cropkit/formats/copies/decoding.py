"""Whole images, decoded for copies: whatever a decoder that is installed can read, or refused."""

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from cropkit.errors import UnsupportedDepth
from cropkit.formats import preview
from cropkit.formats.account import Account, Bare
from cropkit.formats.codecs import codec
from cropkit.formats.copies import jpeg_xl
from cropkit.formats.copies.pixels import CHANNELS, Pixels, of_picture
from cropkit.formats.copies.sources import ONE_PICTURE, by_pillow
from cropkit.formats.limits import check_pixels
from cropkit.formats.metadata.exif import read_orientation
from cropkit.formats.png import chunks, samples
from cropkit.formats.png.chunks import read_ihdr
from cropkit.formats.sniff import shown
from cropkit.formats.tiff import directory, display, metadata
from cropkit.formats.tiff import pixels as tiff_pixels
from cropkit.formats.tiff.layout import (
    BITS,
    LENGTH,
    PHOTOMETRIC,
    SAMPLE_FORMAT,
    WIDTH,
    read_layout,
    read_number,
    read_segments,
)
from cropkit.geometry import PixelBox, Size

Decoded = tuple[Pixels, int]  # as stored, and the EXIF orientation that turns them upright
_BYTE, _WORD = 8, 16
_WHITE_IS_0, _RGB = 0, 2
_PNG_MODES = {0: "L", 2: "RGB", 4: "LA", 6: "RGBA"}
_GREY_OR_RGB = {(0, 1): "L", (1, 1): "L", (_RGB, 3): "RGB"}
_CLOSE = {"1": "L", "La": "LA", "RGBa": "RGBA", "PA": "RGBA", "RGBX": "RGB", "YCbCr": "RGB"}
_LOST_BITS = "bits of each sample below the eighth"


def decoded(data: bytes, name: str, form: str, account: Account) -> Decoded:
    """Decode the first or only picture of a file.

    Raises
    ------
    UnsupportedFormat
        When no decoder for it is installed.
    UnsupportedDepth
        When its samples cannot be told from 8 or 16 bits of grey, RGB or CMYK.
    TooLarge
        From its header, before anything is decoded.
    """
    return _DECODERS.get(form, _by_pillow)(data, name, form, account)


def header(data: bytes, name: str, form: str) -> tuple[Size, int]:
    """Return the stored size of what `decoded` returns, and the orientation, from headers alone.

    Raises
    ------
    UnsuitableFormat, TooLarge, CorruptImage, Truncated
        As `decoded`.
    """
    if form == "jxl":
        size, orientation = jpeg_xl.header(data, name)
        return check_pixels(name, size), orientation
    if form == "tiff":
        tiff = directory.parse(data, name)
        sides = (read_number(tiff.first, tiff.form, side, 0) for side in (WIDTH, LENGTH))
        return check_pixels(name, Size(*sides)), metadata.orientation(tiff)
    bare, picture = _opened(data, name, form)
    return Size(*picture.size), _orientation(bare, picture)


def _by_pillow(data: bytes, name: str, form: str, account: Account) -> Decoded:
    bare, picture = _opened(data, name, form)
    if form != "tiff" and getattr(picture, "is_animated", False):  # not n_frames: it counts all
        account.drop("frames after the first", ONE_PICTURE)
    if _depth(form, data) > _BYTE and not picture.mode.startswith("I;16"):
        account.drop(_LOST_BITS, f"{shown(form)} is decoded in 8")
    picture.load()
    return _pixels(picture, name), _orientation(bare, picture)


def _opened(data: bytes, name: str, form: str) -> tuple[Bare, Image.Image]:
    """Open a file without its metadata, where a room can take that off."""
    bare = preview.bare_of(data, name)
    if form == "tiff" and bare.data is not data:  # drawn for a preview, of some of its channels
        raise UnsupportedDepth(name, "that Pillow does not know")
    picture = by_pillow(bare.data, name, form)
    check_pixels(name, Size(*picture.size))
    return bare, picture


def _orientation(bare: Bare, picture: Image.Image) -> int:
    stated = picture.info.get("exif", b"").removeprefix(b"Exif\0\0")
    return read_orientation(stated) if stated else bare.orientation


def _pixels(picture: Image.Image, name: str) -> Pixels:
    if picture.mode.startswith("I;16"):
        return of_picture(picture, "L")
    mode = _CLOSE.get(picture.mode, picture.mode)
    if "transparency" in picture.info or mode == "P":
        clear = "transparency" in picture.info
        mode = {"L": "LA", "P": "RGBA"}.get(mode, "RGBA") if clear else "RGB"
    if mode not in CHANNELS:
        raise UnsupportedDepth(name, picture.mode)
    return of_picture(picture if mode == picture.mode else picture.convert(mode), mode)


def _png(data: bytes, name: str, form: str, account: Account) -> Decoded:
    """Decode whole samples as the room of PNG does; palettes, bits and transparent colours not."""
    ihdr = read_ihdr(data, name)
    check_pixels(name, ihdr.size)
    bare = preview.bare_of(data, name)
    container = chunks.parse(bare.data, name)
    filtered, note = samples.inflated(ihdr, container.idat, name)
    if note:
        account.patch(f"pixel stream: {note}")
    mode = _PNG_MODES.get(ihdr.colour)
    if mode is None or ihdr.depth < _BYTE or any(c.type == "tRNS" for c in container.chunks):
        return _png_of_colours(data, name, form, account)
    rows = np.ascontiguousarray(
        samples.cut_out(ihdr, filtered, PixelBox.full(ihdr.size), name).rows
    )
    values = rows.view(f">u{ihdr.depth // _BYTE}").astype(f"u{ihdr.depth // _BYTE}")
    shape = (ihdr.height, ihdr.width, CHANNELS[mode])
    return Pixels(values.reshape(shape), mode), bare.orientation


def _png_of_colours(data: bytes, name: str, form: str, account: Account) -> Decoded:
    """Decode 16 bits by libpng, through imagecodecs, and all others by Pillow."""
    header = read_ihdr(data, name)
    if header.depth != _WORD:
        return _by_pillow(data, name, form, account)
    bare = preview.bare_of(data, name)
    values = codec("png_decode", bare.data)
    values = values.reshape(header.height, header.width, -1)
    mode = next(m for m, channels in CHANNELS.items() if channels == values.shape[2])
    return Pixels(values, mode), bare.orientation


def _tiff(data: bytes, name: str, form: str, account: Account) -> Decoded:
    """Decode 16 bits by our own reader, and other depths by Pillow, which turns them upright."""
    tiff = directory.parse(data, name)
    bits = read_number(tiff.first, tiff.form, BITS, 1)
    unsigned = read_number(tiff.first, tiff.form, SAMPLE_FORMAT, 1) == 1
    if bits <= _BYTE and unsigned:
        return _by_pillow(data, name, form, account)
    layout = read_layout(tiff.first, tiff.form, name)
    photometric = read_number(tiff.first, tiff.form, PHOTOMETRIC, 1)
    mode = _GREY_OR_RGB.get((photometric, layout.samples * layout.planes))
    if bits != _WORD or mode is None or not unsigned:
        raise UnsupportedDepth(name, f"{bits} bits, in TIFF's colours {photometric}")
    segments = read_segments(tiff.first, tiff.form, layout, data, name)
    planes = tiff_pixels.decoded_box(data, layout, segments, PixelBox.full(layout.size))
    values = np.stack(display.channels(planes, layout, "u"), axis=2).astype(np.uint16)
    upright = 65535 - values if photometric == _WHITE_IS_0 else values
    return Pixels(upright, mode), metadata.orientation(tiff)


def _jpeg_xl(data: bytes, name: str, _form: str, _account: Account) -> Decoded:
    """Decode by libjxl, through imagecodecs; it turns pixels upright by itself."""
    size = check_pixels(name, jpeg_xl.header(data, name)[0])
    values = np.asarray(codec("jpegxl_decode", data, index=0))
    values = values.reshape(*values.shape, 1) if values.ndim == 2 else values  # noqa: PLR2004  (grey)
    mode = next((m for m, channels in CHANNELS.items() if (channels,) == values.shape[2:]), None)
    if mode is None or values.dtype not in (np.uint8, np.uint16):
        raise UnsupportedDepth(name, f"{values.dtype}, of {values.ndim} dimensions")
    if sorted(values.shape[:2]) != sorted((size.width, size.height)):
        raise ValueError(f"decoded to {values.shape}, not {size}")
    return Pixels(values, mode), 1


def _depth(form: str, data: bytes) -> int:
    """Return the bits a sample that a header states; 8 where none is looked for."""
    if form == "avif":
        at = data.find(b"av1C")  # AV1-ISOBMFF 2.3.3: bits 6 and 5 of the third byte behind it
        flags = data[at + 6] if 0 <= at < len(data) - 6 else 0
        return 12 if flags & 0x20 else 10 if flags & 0x40 else _BYTE
    if form == "heic":
        at = data.find(b"hvcC")  # ISO 14496-15, 8.3.3.1.2: the depth of luma, less 8
        return _BYTE + (data[at + 21] & 7) if 0 <= at < len(data) - 21 else _BYTE
    if form == "jp2":
        at = data.find(b"\xff\x4f\xff\x51")  # ISO 15444-1, A.5.1: Ssiz, 42 bytes from there
        return (data[at + 42] & 0x7F) + 1 if 0 <= at < len(data) - 42 else _BYTE
    return _BYTE


_DECODERS: Mapping[str, Callable[[bytes, str, str, Account], Decoded]] = {
    "png": _png,
    "tiff": _tiff,
    "jxl": _jpeg_xl,
}
