"""What a source holds beside its pixels: what a copy may carry, and the name of all the rest."""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from PIL import Image

from cropkit.errors import UnsuitableFormat, UnsupportedDepth, UnsupportedFormat
from cropkit.formats import heif, preview
from cropkit.formats.account import Account
from cropkit.formats.copies import tiff_exif
from cropkit.formats.jpeg import lossless, segments
from cropkit.formats.jpeg import metadata as of_jpeg
from cropkit.formats.jpeg.segments import COM
from cropkit.formats.limits import MOST_PARTS
from cropkit.formats.png import chunks, text
from cropkit.formats.png.chunks import Chunk
from cropkit.formats.sniff import shown
from cropkit.formats.tiff import directory
from cropkit.formats.tiff import metadata as of_tiff
from cropkit.formats.webp import riff

_EXIF_PREFIX = b"Exif\0\0"
_OF_THE_FILE = "it describes the old file, or holds a second picture of the scene"
ONE_PICTURE = "a copy holds one picture"
_TEXTS = ("tEXt", "zTXt", "iTXt")
_COLOURS = ("sRGB", "gAMA", "cHRM", "cICP", "mDCV", "cLLI")
_PNG_PIXELS = ("IHDR", "PLTE", "tRNS", "IEND", "iCCP", "eXIf")
_WEBP_PIXELS = (riff.VP8X, riff.ALPH, *riff.PIXELS, "ICCP", "EXIF", "XMP ")
_NUMBERED = b"colrnclx"
_PRIMARIES, _TRANSFERS = (1, 2), (1, 2, 6, 13, 14, 15)  # of sRGB and BT.709, or not told
_FRAMES = ("ANIM", "ANMF", "acTL", "fcTL", "fdAT")
_JPEG_CARRIED = ("APP1 Exif", "APP1 XMP")
_JPEG_PIXELS = ("APP0 JFIF", "APP14 Adobe", "APP2 ICC profile")


@dataclass(frozen=True, slots=True)
class Source:
    """What stands beside the pixels.

    Parameters
    ----------
    exif : a TIFF block, without the prefix that JPEG has
    texts : (keyword as a person knows it, PNG chunk that holds it)
    colours : PNG's chunks that say the colours without a profile
    comments : of a JPEG
    """

    profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    texts: tuple[tuple[str, Chunk], ...] = ()
    colours: tuple[Chunk, ...] = ()
    comments: tuple[bytes, ...] = ()


def read(data: bytes, name: str, form: str, account: Account) -> Source:
    """Take a file apart, and account for what no copy carries.

    Raises
    ------
    Refused
        When it is damaged, or has more parts than any program needs.
    """
    return _READERS.get(form, _other)(data, name, form, account)


def _png(data: bytes, name: str, _form: str, account: Account) -> Source:
    container = chunks.parse(data, name)
    for chunk in container.chunks:
        if chunk.crc is not None:
            account.drop(f"{chunk.type} of a wrong checksum", "readers leave it out")
    container = replace(container, chunks=tuple(c for c in container.chunks if c.crc is None))
    kinds = dict.fromkeys(chunk.type for chunk in container.chunks)
    told = [(_keyword(c), c) for c in container.chunks if c.type in _TEXTS]
    packets = [c for keyword, c in told if keyword == text.XMP_KEYWORD]
    profiles = [keyword for keyword, _ in told if text.raw_profile_kind(keyword) is not None]
    for keyword in profiles:
        account.drop(f"text {keyword.decode('latin-1')}", "it is a copy of metadata, in a text")
    for kind in [kind for kind in kinds if kind not in (*_TEXTS, *_COLOURS, *_PNG_PIXELS)]:
        frames = kind in _FRAMES
        account.drop(
            "frames after the first" if frames else kind, ONE_PICTURE if frames else _OF_THE_FILE
        )
    if container.trailer:
        account.drop(f"{len(container.trailer)} bytes after the end", _OF_THE_FILE)
    profile = text.profile(container.chunks)
    if profile is None and "iCCP" in kinds:
        account.drop("colour profile", "it cannot be inflated")
    return Source(
        profile=profile,
        exif=_bare_exif(c.data for c in container.chunks if c.type == "eXIf"),
        xmp=_packet(packets, account),
        texts=tuple((k.decode("latin-1"), c) for k, c in told if not text.is_metadata(k)),
        colours=tuple(c for c in container.chunks if c.type in _COLOURS),
    )


def _keyword(chunk: Chunk) -> bytes:
    return chunk.data.partition(b"\0")[0]


def _packet(packets: list[Chunk], account: Account) -> bytes | None:
    """Inflate the first XMP packet; a damaged one is told of, and not carried."""
    for chunk in packets[:1]:
        try:
            parsed = text.parse_text(chunk, MOST_PARTS["bytes of metadata in texts"])
        except text.TooLong:
            parsed = None
        if parsed is not None:
            return parsed.text
        account.drop("XMP", "it cannot be inflated")
    return None


def _jpeg(data: bytes, name: str, _form: str, account: Account) -> Source:
    jpeg = segments.parse(data, name)
    if jpeg.frame.data[0] != 8:  # noqa: PLR2004  (bits, of the only depth that libjpeg reads here)
        raise UnsupportedDepth(name, f"{jpeg.frame.data[0]}-bit JPEG")
    damage = lossless.damage(jpeg)
    if damage:
        account.patch(damage)
    of_jpeg.tell_of_container(jpeg, account)
    first: dict[str, bytes] = {}
    for segment in jpeg.metadata:
        label = of_jpeg.label(segment)
        if label in _JPEG_CARRIED and label not in first:
            first[label] = segment.data
        elif segment.marker != COM and label not in _JPEG_PIXELS:
            account.drop(label, _OF_THE_FILE)
    if jpeg.trailer:
        account.drop(f"{len(jpeg.trailer)} bytes after the end", _OF_THE_FILE)
    return Source(
        profile=of_jpeg.profile(jpeg),
        exif=_bare_exif([first["APP1 Exif"]] if "APP1 Exif" in first else []),
        xmp=first["APP1 XMP"][len(of_jpeg.XMP) :] if "APP1 XMP" in first else None,
        comments=tuple(s.data for s in jpeg.metadata if s.marker == COM),
    )


def _webp(data: bytes, name: str, _form: str, account: Account) -> Source:
    container = riff.parse(data, name)
    for chunk in container.chunks:
        if chunk.type in _FRAMES:
            account.drop("frames after the first", ONE_PICTURE)
        elif chunk.type not in _WEBP_PIXELS:
            account.drop(chunk.type.strip(), _OF_THE_FILE)
    exif = [c.data for c in container.chunks if c.type == "EXIF"]
    return Source(
        profile=container.first("ICCP"), exif=_bare_exif(exif), xmp=container.first("XMP ")
    )


def _tiff(data: bytes, name: str, _form: str, account: Account) -> Source:
    tiff = directory.parse(data, name)
    first = tiff.first
    if first.first(of_tiff.DNG):
        raise UnsuitableFormat(name, "a DNG", "another format", "what it holds is no picture yet")
    for others, what in (
        (tiff.pages, "pages after the first"),
        (tiff.children, "pictures below it"),
    ):
        if others:
            account.drop(f"{len(others)} {what}", ONE_PICTURE)
    held = {tag: first.first(tag) for tag in (of_tiff.ICC, of_tiff.XMP)}
    profile, packet = (entry.data if entry else None for entry in held.values())
    described = tiff_exif.block(tiff, tuple(held), account)
    return Source(profile=profile, exif=described, xmp=packet)


def _other(data: bytes, name: str, form: str, account: Account) -> Source:
    """Read what Pillow tells of a file that has no room of its own, or one without metadata."""
    read_of = "pixels, profile, EXIF and XMP"
    if form == "jxl":
        account.drop("profile, metadata, later frames", "of JPEG XL only the pixels are read")
        return Source()
    account.drop("anything else in the file", f"of {shown(form)} only {read_of} are read")
    info = by_pillow(data, name, form).info
    if form == "heic":
        heif.refuse_transparency(data, name)
    exif, packet, profile = info.get("exif"), info.get("xmp"), info.get("icc_profile")
    if form in ("avif", "heic") and profile is None:
        _tell_of_colours(data, account)
    return Source(
        profile=profile,
        exif=_bare_exif([exif] if isinstance(exif, bytes) else []),
        xmp=packet if isinstance(packet, bytes) else None,
    )


def by_pillow(data: bytes, name: str, form: str) -> Image.Image:
    """Open with Pillow's decoder of the format, without decoding a pixel.

    Raises
    ------
    UnsuitableFormat
        When there is none.
    """
    try:
        return preview.opened(data, name)
    except UnsupportedFormat as error:
        cure = "no decoder for it is installed"
        raise UnsuitableFormat(name, shown(form), "another format", cure) from error


def _tell_of_colours(data: bytes, account: Account) -> None:
    """Name colours that a file states by numbers (ISO 23091-2) and are not nearly sRGB's."""
    stated = data[data.find(_NUMBERED) + len(_NUMBERED) :][:4] if _NUMBERED in data else b""
    primaries, transfer = struct.unpack(">HH", stated) if len(stated) == 4 else (1, 13)  # noqa: PLR2004  (two shorts)
    if primaries not in _PRIMARIES or transfer not in _TRANSFERS:
        named = f"colours by number: primaries {primaries}, transfer {transfer}"
        account.drop(named, "no profile says them: the copy is taken for sRGB")


def _bare_exif(blocks: Iterable[bytes]) -> bytes | None:
    return next((block.removeprefix(_EXIF_PREFIX) for block in blocks), None)


_READERS: Mapping[str, Callable[[bytes, str, str, Account], Source]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "tiff": _tiff,
}
