"""A new file of one format around finished pixels, with the proof that its room verifies."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np

from cropkit.errors import UnsuitableFormat
from cropkit.formats import png, psnr, webp
from cropkit.formats.account import Account
from cropkit.formats.copies.pixels import Pixels
from cropkit.formats.copies.sources import Source
from cropkit.formats.copy_options import CopyOptions
from cropkit.formats.jpeg import pixels as jpeg_pixels
from cropkit.formats.jpeg import reencode, segments
from cropkit.formats.jpeg.metadata import ICC, XMP
from cropkit.formats.jpeg.segments import APP0, APP1, APP2, COM, Segment
from cropkit.formats.jpeg.split import EXIF
from cropkit.formats.png import compress
from cropkit.formats.png.chunks import Chunk, Container, Ihdr
from cropkit.formats.png.filters import Frame
from cropkit.formats.png.text import XMP_KEYWORD
from cropkit.formats.sniff import shown
from cropkit.formats.webp import riff

_PNG_COLOURS = {"L": 0, "LA": 4, "RGB": 2, "RGBA": 6}
_SEGMENT = 65533  # bytes of data in one (T.81, B.1.1.4)
_ICC_PART = _SEGMENT - len(ICC) - 2
_MOST_PARTS = 255
_JPEG_QUALITY, _METHOD, _LOSSLESS_EFFORT = 95, 4, 75
_TOO_LONG = "it is longer than a segment of JPEG can be"
_LONGEST = {"jpeg": 65535, "webp": 16383}


@dataclass(frozen=True, slots=True)
class Work:
    """What a file is made of; `source` is already that of the new pixels."""

    pixels: Pixels
    source: Source
    how: CopyOptions
    name: str
    account: Account


Written = tuple[bytes, object]  # the file, and the proof of its room


def written(work: Work, form: str) -> Written:
    """Encode the file; nothing is written to a disk.

    Raises
    ------
    UnsuitableFormat
        When a side is longer than the format allows.
    """
    if form == "jpeg":
        work = replace(work, source=_within_segments(work))
    size, longest = work.pixels.size, _LONGEST.get(form)
    if longest is not None and max(size.width, size.height) > longest:
        what = f"{size.width}x{size.height} pixels"
        raise UnsuitableFormat(work.name, what, shown(form), f"its sides end at {longest}")
    return _WRITERS[form](work)


def _png(work: Work) -> Written:
    pixels, account = work.pixels, work.account
    size = pixels.size
    header = Ihdr(size.width, size.height, pixels.bits, _PNG_COLOURS[pixels.mode])
    big_endian = pixels.values.astype(pixels.values.dtype.newbyteorder(">"))
    rows = np.ascontiguousarray(big_endian).view(np.uint8).reshape(size.height, -1)
    frame = Frame.around(rows, header.bpp)
    stream = compress.deflate(frame, 0, indexed=False)
    chunks = (header.chunk(), *_png_chunks(work), Chunk("IEND", b""))
    container = Container(chunks, len(chunks) - 1, (memoryview(stream.data),), b"")
    account.keep(f"pixels: exactly, at {pixels.bits} bits a sample")
    return container.encoded(), png.Proof(chunks, b"", header, frame.rows, stream.inflate)


def _png_chunks(work: Work) -> Iterator[Chunk]:
    """Yield what stands before the pixels, colours first (5.6)."""
    source, account = work.source, work.account
    if source.profile is not None:
        account.keep("colour profile")
        yield Chunk("iCCP", b"ICC profile\0\0" + zlib.compress(source.profile))
    for chunk in source.colours:
        account.keep(chunk.type)
        yield chunk
    if source.exif is not None:
        yield Chunk("eXIf", source.exif)
    if source.xmp is not None:
        yield Chunk("iTXt", XMP_KEYWORD + bytes(5) + source.xmp)
    for keyword, chunk in source.texts:
        account.keep(f"text {keyword}")
        yield chunk
    _drop_all(account, ["comment"] * bool(source.comments), "PNG")


def _jpeg(work: Work) -> Written:
    account, how = work.account, work.how
    picture = work.pixels.picture()
    mode = {"RGB": "YCbCr"}.get(picture.mode, picture.mode)
    picture = picture if picture.mode == mode else picture.convert(mode)
    out = BytesIO()
    quality, sampling = how.quality or _JPEG_QUALITY, how.subsampling.value
    picture.save(out, "JPEG", quality=quality, subsampling=sampling)
    encoded = segments.parse(out.getvalue(), work.name)
    carried = (*encoded.metadata, *_jpeg_segments(work))
    carried = tuple(sorted(carried, key=lambda s: s.marker != APP0))  # JFIF stands first
    decoded = jpeg_pixels.decode(replace(encoded, segments=carried), mode)
    account.psnr = psnr.psnr(np.asarray(decoded), np.asarray(picture))
    account.patch(f"pixels: coded at quality {quality}, {sampling}")
    coding = reencode.coding_of(encoded, mode)
    proof = reencode.Proof(carried, encoded.coded, b"", coding, jpeg_pixels.planes(picture))
    return encoded.spliced(carried, b""), proof


def _within_segments(work: Work) -> Source:
    """Leave out what is longer than a segment of JPEG can be."""
    block, packet = work.source.exif, work.source.xmp
    if block is not None and len(EXIF) + len(block) > _SEGMENT:
        work.account.drop("EXIF", _TOO_LONG)
        block = None
    if packet is not None and len(XMP) + len(packet) > _SEGMENT:
        work.account.drop("XMP", _TOO_LONG)
        packet = None
    return replace(work.source, exif=block, xmp=packet)


def _jpeg_segments(work: Work) -> Iterator[Segment]:
    source, account = work.source, work.account
    for prefix, data in ((EXIF, source.exif), (XMP, source.xmp)):
        if data is not None:
            yield Segment(APP1, prefix + data)
    yield from _profile_segments(source.profile or b"", account)
    for comment in source.comments:
        account.keep("COM")
        yield Segment(COM, comment)
    _drop_texts(work, "JPEG")


def _profile_segments(profile: bytes, account: Account) -> Iterator[Segment]:
    parts = [profile[at : at + _ICC_PART] for at in range(0, len(profile), _ICC_PART)]
    if len(parts) > _MOST_PARTS:
        account.drop("colour profile", "it is longer than JPEG can hold")
        return
    if parts:
        account.keep("colour profile")
    for number, part in enumerate(parts, 1):
        yield Segment(APP2, ICC + bytes([number, len(parts)]) + part)


def _webp(work: Work) -> Written:
    source, account, quality = work.source, work.account, work.how.quality
    lossless = quality is None
    parts = {"icc_profile": source.profile, "exif": source.exif, "xmp": source.xmp}
    out = BytesIO()
    work.pixels.picture().save(
        out,
        "WEBP",
        lossless=lossless,
        quality=_LOSSLESS_EFFORT if quality is None else quality,
        method=_METHOD,
        exact=True,
        **{key: part for key, part in parts.items() if part is not None},
    )
    container = riff.parse(out.getvalue(), work.name)
    if source.profile is not None:
        account.keep("colour profile")
    how = "exactly, lossless" if lossless else f"coded at quality {quality}"
    (account.keep if lossless else account.patch)(f"pixels: {how}")
    _drop_all(account, ["comment"] * bool(source.comments), "WebP")
    _drop_texts(work, "WebP")
    return out.getvalue(), webp.Proof(container.chunks, container.trailer, work.pixels.values)


def _drop_texts(work: Work, form: str) -> None:
    _drop_all(work.account, [f"text {keyword}" for keyword, _ in work.source.texts], form)
    _drop_all(work.account, [chunk.type for chunk in work.source.colours], form)


def _drop_all(account: Account, items: list[str], form: str) -> None:
    for item in items:
        account.drop(item, f"{form} has no place for it")


_WRITERS: Mapping[str, Callable[[Work], Written]] = {"png": _png, "jpeg": _jpeg, "webp": _webp}
