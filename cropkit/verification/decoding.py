"""Files decoded for a proof, by decoders alone: Pillow, and others beyond it.

No line of those that write crops is used. What stands beside the pixels is taken off where it could
stop a decoder, and sizes are bounded before anything is decoded.
"""

import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from cropkit.errors import CorruptImage, UnsupportedDepth, UnsupportedFormat
from cropkit.formats.codecs import codec
from cropkit.formats.copies import jpeg_xl
from cropkit.formats.limits import MOST_PARTS, check_parts, check_pixels
from cropkit.formats.options import EXTENSION
from cropkit.formats.sniff import shown, sniff
from cropkit.geometry import Size
from cropkit.verification import heic

Samples = npt.NDArray[Any]  # uint8 or uint16; of a TIFF, of any kind
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}
_ORIENTATION, _PROFILE = 0x0112, 34675
_PLUGINS = {
    "png": "PNG",
    "webp": "WEBP",
    "bmp": "BMP",
    "gif": "GIF",
    "avif": "AVIF",
    "jp2": "JPEG2000",
    "ico": "ICO",
    "tiff": "TIFF",
}
_ALIKE = {"1": "L", "La": "LA", "RGBa": "RGBA", "PA": "RGBA", "RGBX": "RGB", "YCbCr": "RGB"}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SHOWN_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
_BYTE, _DEEP = 8, 16  # bits
_WHITE_IS_0, _BLACK_IS_0, _RGB = 0, 1, 2
# Of a TIFF, what says how its samples are to be seen.
_MEANING = (262, 258, 277, 338, 339, 320, 317, 332, 532)
_MOST_SAMPLES = 8  # of a pixel, on the average: what is decoded fits a bounded memory


@dataclass(frozen=True, slots=True)
class Pixels:
    """Samples as they are stored: (height, width, channels), and the name of the channels."""

    samples: Samples
    mode: str


class Picture:
    """A file whose header was read; what else is asked of it is decoded then, once.

    Parameters
    ----------
    data : the file
    name : for errors

    Raises
    ------
    Refused
        It is no image of a known format.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name = data, name
        self.form = sniff(data, name, frozenset({EXTENSION}))
        if self.form == "jpeg":
            check_parts(name, "scans", data.count(_START_OF_SCAN))

    @cached_property
    def pixels(self) -> Pixels:
        """Samples in their own depth, palettes as their colours.

        Raises
        ------
        Refused, or whatever a decoder raises
        """
        return _DECODERS.get(self.form, _by_pillow)(self)

    @cached_property
    def opened(self) -> Image.Image:
        """Opened by Pillow, of which no pixel was decoded."""
        return _opened(self)

    @cached_property
    def orientation(self) -> int:
        """By EXIF, 1 to 8; what a decoder turns by itself is 1."""
        if self.form in ("jxl", "heic") or (self.form == "tiff" and not _is_raw(self)):
            return 1
        if self.form == "tiff":
            return tiff_orientation(self)
        is_png = self.form == "png"
        return _orientation(self.chunk(b"eXIf") if is_png else self.opened.info.get("exif"))

    @cached_property
    def profile(self) -> bytes | None:
        """The colour profile; None where there is none that can be read."""
        if self.form == "jxl":
            return None
        if self.form == "png":
            return _inflated(self.chunk(b"iCCP"))
        if self.form == "tiff":
            return _profile_of_tiff(self)
        profile = self.opened.info.get("icc_profile")
        return profile if isinstance(profile, bytes) and profile else None

    @cached_property
    def frames(self) -> int:
        """How many pictures follow one another in it, 2 standing for more than one."""
        if self.form == "png":
            return 1 if self.chunk(b"fcTL") is None else 2
        if self.form in ("jxl", "jpeg"):
            return 1
        if self.form == "tiff":
            return _pages(self)
        return 2 if getattr(self.opened, "is_animated", False) else 1

    @cached_property
    def chunks(self) -> list[tuple[bytes, bytes]]:
        """Of a PNG, those whose checksum is right."""
        return list(_chunks(self.data, self.name))

    def chunk(self, kind: bytes) -> bytes | None:
        """Return what the first chunk of a kind holds."""
        return next((body for each, body in self.chunks if each == kind), None)


def _opened(picture: Picture) -> Image.Image:
    data, form = picture.data, picture.form
    if form == "jpeg":
        opened: Image.Image = jpeg(data)
    elif form == "heic":
        opened = heic.opened(data, picture.name)
    else:
        Image.init()
        plugin, _ = Image.OPEN.get(_PLUGINS.get(form, ""), (None, None))
        if plugin is None:
            raise UnsupportedFormat(picture.name, shown(form))
        opened = plugin(BytesIO(_without_ancillary(picture) if form == "png" else data), "")
    check_pixels(picture.name, Size(*opened.size))
    return opened


def jpeg(data: bytes) -> JpegImageFile:
    """Open the first picture of a JPEG; where its end is missing, it ends with what is there."""
    return JpegImageFile(BytesIO(data + _END_OF_IMAGE))


def _by_pillow(picture: Picture) -> Pixels:
    opened = picture.opened
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of metadata; what cannot be decoded is an error
        opened.load()
    if opened.mode.startswith("I;16"):
        return Pixels(np.asarray(opened).astype(np.uint16)[..., None], "L")
    clear = "transparency" in opened.info
    mode = _ALIKE.get(opened.mode, opened.mode)
    if mode == "P" or clear:
        mode = {"L": "LA"}.get(mode, "RGBA") if clear else "RGB"
    if mode not in CHANNELS:
        raise UnsupportedDepth(picture.name, opened.mode)
    shown = opened if opened.mode == mode else opened.convert(mode)
    return Pixels(np.asarray(shown).reshape(shown.height, shown.width, -1), mode)


def _png(picture: Picture) -> Pixels:
    """Decode 16 bits by libpng: Pillow has colours of 8 alone."""
    if picture.data[24:25] != bytes([_DEEP]):
        return _by_pillow(picture)
    _ = picture.opened  # its size is within the limit
    samples = np.asarray(codec("png_decode", _without_ancillary(picture)))
    return _named(picture, samples)


def _heic(picture: Picture) -> Pixels:
    """Decode as it is seen, in colours of 8 bits: so is every copy, one of a grey HEIC, too."""
    pixels = _by_pillow(picture)
    samples = pixels.samples
    if samples.dtype == np.uint16:
        samples = (samples >> _BYTE).astype(np.uint8)
    if pixels.mode == "L":
        return Pixels(np.repeat(samples, 3, axis=2), "RGB")
    return Pixels(samples, pixels.mode)


def heic_samples(picture: Picture) -> Samples:
    """Return the samples of a HEIC as they are seen, upright, at the depth that it has.

    Raises
    ------
    Refused, or whatever pillow-heif raises
    """
    _ = picture.opened  # its size is within the limit
    return heic.samples(picture.data, picture.name)


def _jpeg_xl(picture: Picture) -> Pixels:
    check_pixels(picture.name, jpeg_xl.header(picture.data, picture.name)[0])
    return _named(picture, np.asarray(codec("jpegxl_decode", picture.data, index=0)))


def _tiff(picture: Picture) -> Pixels:
    """Decode 16 bits of grey and RGB by tifffile, and else by Pillow, which turns it upright."""
    if not _is_raw(picture):
        return _by_pillow(picture)
    samples, tags = tiff_samples(picture)
    photometric = tags[0]
    is_grey = samples.shape[2] == 1 and photometric in (_WHITE_IS_0, _BLACK_IS_0)
    if not is_grey and (photometric, samples.shape[2]) != (_RGB, 3):
        raise UnsupportedDepth(picture.name, f"16 bits, in TIFF's colours {photometric}")
    values = samples.astype(np.uint16)
    return Pixels(
        np.uint16(65535) - values if photometric == _WHITE_IS_0 else values, _MODES[values.shape[2]]
    )


_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def _named(picture: Picture, samples: Samples) -> Pixels:
    if samples.ndim == 2:  # noqa: PLR2004  (rows and columns of grey)
        samples = samples[..., None]
    if samples.ndim != 3 or samples.dtype not in (np.uint8, np.uint16):  # noqa: PLR2004  (with channels)
        raise UnsupportedDepth(picture.name, f"{samples.dtype}, of {samples.ndim} dimensions")
    return Pixels(samples, _MODES[samples.shape[2]])


# -- TIFF ------------------------------------------------------------------------------------------


def _first(tiff: tifffile.TiffFile) -> tifffile.TiffPage:
    return cast("tifffile.TiffPage", tiff.pages[0])  # it is no mere frame of a series


def _is_raw(picture: Picture) -> bool:
    with tifffile.TiffFile(BytesIO(picture.data)) as tiff:
        page = _first(tiff)
        return bool(page.bitspersample == _DEEP and page.sampleformat == 1)


def _pages(picture: Picture) -> int:
    with tifffile.TiffFile(BytesIO(picture.data)) as tiff:
        try:
            _ = tiff.pages[1]
        except IndexError:
            return 1
    return 2


def _profile_of_tiff(picture: Picture) -> bytes | None:
    with tifffile.TiffFile(BytesIO(picture.data)) as tiff:
        tag = _first(tiff).tags.get(_PROFILE)
        return bytes(tag.value) if tag is not None and tag.value else None


def tiff_orientation(picture: Picture) -> int:
    """Return how the samples of a TIFF, as they are stored, are turned upright."""
    with tifffile.TiffFile(BytesIO(picture.data)) as tiff:
        tag = _first(tiff).tags.get(_ORIENTATION)
        value = 1 if tag is None else tag.value
    return value if value in range(1, 9) else 1


def tiff_samples(picture: Picture) -> tuple[Samples, tuple[object, ...]]:
    """Return the samples of a TIFF as they are stored, of any depth, and what says their meaning.

    Raises
    ------
    Refused, or whatever tifffile raises
    """
    with tifffile.TiffFile(BytesIO(picture.data)) as tiff:
        page = _first(tiff)
        check_pixels(picture.name, Size(page.imagewidth, page.imagelength))
        if page.samplesperpixel > _MOST_SAMPLES * 8 or page.imagedepth != 1:
            raise UnsupportedDepth(picture.name, f"{page.samplesperpixel} samples a pixel")
        samples = np.asarray(page.asarray())
        axes = page.axes
        tags = tuple(_value(page, number) for number in _MEANING)
    if axes.startswith("S"):
        samples = np.moveaxis(samples, 0, -1)
    return samples.reshape(page.imagelength, page.imagewidth, -1), tags


def _value(page: tifffile.TiffPage, number: int) -> object:
    tag = page.tags.get(number)
    value = None if tag is None else tag.value
    return int(value) if isinstance(value, int) else value


# -- PNG -------------------------------------------------------------------------------------------


def _chunks(data: bytes, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield each chunk whose checksum is right (PNG, 5.3), up to the end or what is no chunk."""
    at, number = len(_SIGNATURE), 0
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        number += 1
        check_parts(name, "chunks", number)
        if zlib.crc32(kind + body) == int.from_bytes(data[at + 8 + length : at + 12 + length]):
            yield kind, body
        elif not kind[0] & 0x20:  # PNG, 5.4: critical
            raise CorruptImage(name, f"the checksum of {kind!r} is wrong")
        if kind == b"IEND":
            return
        at += 12 + length


def _without_ancillary(picture: Picture) -> bytes:
    """Return the file with what is seen of it alone: no text can stop a decoder."""
    shown = [_chunk(kind, body) for kind, body in picture.chunks if kind in _SHOWN_CHUNKS]
    return b"".join([_SIGNATURE, *shown])


def _chunk(kind: bytes, body: bytes) -> bytes:
    return b"".join(
        [len(body).to_bytes(4), kind, body, zlib.crc32(body, zlib.crc32(kind)).to_bytes(4)]
    )


def _inflated(body: bytes | None) -> bytes | None:
    """Inflate the profile of an iCCP chunk (PNG, 11.3.2.3)."""
    packed = (body or b"").partition(b"\0")[2][1:]
    try:
        return (
            zlib.decompressobj().decompress(packed, MOST_PARTS["bytes of colour profile"]) or None
        )
    except zlib.error:
        return None


def _orientation(block: object) -> int:
    """Return what EXIF says; 1 where it says nothing that can be read."""
    if not isinstance(block, bytes):
        return 1
    exif = Image.Exif()
    try:
        exif.load(block)
        value = exif.get(_ORIENTATION, 1)
    except (ValueError, SyntaxError, OSError, LookupError, TypeError, struct.error):
        return 1
    return int(value) if value in range(1, 9) else 1


_DECODERS: Mapping[str, Callable[[Picture], Pixels]] = {
    "png": _png,
    "tiff": _tiff,
    "jxl": _jpeg_xl,
    "heic": _heic,
}
