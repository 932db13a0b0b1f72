"""Pictures beside the picture: which of them are mere previews of it, and which refuse a file."""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cropkit.errors import GainMap, MultiPage
from cropkit.formats.jpeg.segments import APP1, APP2, Jpeg
from cropkit.formats.metadata.embedded_pictures import holds_picture, pictures
from cropkit.geometry import Size

MPF = b"MPF\0"
MAP = "gain map"
GAIN_MAP_ISO = b"urn:iso:std:iso:ts:21496:-1"
_GAIN_MAPS = (b"hdrgm:Version", b"hdrgainmap", GAIN_MAP_ISO)
_OF_A_MAP = (b"HDRGainMap:HDRGainMapVersion", b"aux:hdrgainmap")
# What Apple calls the pictures behind one: depth, disparity, mattes of people, hair, skin, sky.
_AUXILIARY = re.compile(
    rb"AuxiliaryImageType(?:>|=[\"'])(?:urn:com:apple:photo:\d{4}:aux:)?([A-Za-z]{1,40})[<\"']"
)
_MOVING = (b"MotionPhoto", b"MicroVideo")
_MORE = (b"GDepth:", b"GImage:", b"auxiliary:depth", b"FLIR\0")
# Photographs that move, and directories of what stands behind the end.
_PARTS = (b"MotionPhoto", b"MicroVideo", b"Container:Item", b"GContainer:", b"GDepth:", b"GImage:")
_MP4 = re.compile(rb"\0\0\0[\x08-\x60]ftyp[a-zA-Z0-9 ]{4}")
_VIDEO = (b"ftyp", b"moov", b"mdat", b"SEFT")
_PREVIEWS = (0x010001, 0x010002)  # "large thumbnails" (CIPA DC-007, 5.2.3.3.1)
_TYPE = 0xFFFFFF
_ENTRY, _MOST_ENTRIES = 16, 1024
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))


def refuse(jpeg: Jpeg) -> None:
    """Refuse a file that holds more than one picture; what are previews of it does not count.

    Raises
    ------
    GainMap, MultiPage
    """
    indices = [s.data for s in jpeg.metadata if s.marker == APP2 and s.data.startswith(MPF)]
    pages = max((_images(data) for data in indices), default=1)
    if pages == 1 and not holds_picture(jpeg.trailer):
        return
    metadata = jpeg.trailer + b"".join(s.data for s in jpeg.metadata if s.marker in (APP1, APP2))
    if any(word in metadata for word in _GAIN_MAPS):
        raise GainMap(jpeg.name, "gain map")
    listed = pages > 1 and not all(_lists_previews(data) for data in indices)
    more = any(w in metadata for w in _PARTS) or any(w in jpeg.trailer for w in _VIDEO)
    if listed or more or any(_is_as_large(size, jpeg.size) for size in _sizes(jpeg.trailer)):
        raise MultiPage(jpeg.name, max(pages, 2))


def without_video(jpeg: Jpeg) -> Jpeg:
    """Return an image without the video behind it; what stood before that stays if it is a JPEG."""
    video = _MP4.search(jpeg.trailer)
    if video is None:
        return jpeg
    before = jpeg.trailer[: video.start()].rstrip(b"\0")
    is_picture = before.lstrip(b"\0").startswith(b"\xff\xd8\xff")
    return replace(jpeg, trailer=before if is_picture else b"")


def labels(jpeg: Jpeg, others: Sequence[Jpeg], *, motion: bool) -> list[str]:
    """Return what each picture behind an image is, where all are of its frame and nothing is more.

    None of them where one is not known for a gain map or an auxiliary picture, where an index
    lists others, or where the metadata speak of more pictures.

    Parameters
    ----------
    motion : whether there was a video as well, which is left out
    """
    indices = [s.data for s in jpeg.metadata if s.marker == APP2 and s.data.startswith(MPF)]
    words = [b"".join(s.data for s in each.metadata) for each in (jpeg, *others)]
    unknown = _MORE if motion else _MORE + _MOVING
    more = any(word in each for word in unknown for each in words)
    known = [_label(each) for each in words[1:]]
    if more or not all(known) or any(_images(data) != len(words) for data in indices):
        return []
    return known


def _label(words: bytes) -> str:
    """Return what a picture is by its own metadata, "" where they do not say."""
    if any(word in words for word in _GAIN_MAPS + _OF_A_MAP):
        return MAP
    auxiliary = _AUXILIARY.search(words)
    return f"auxiliary picture ({auxiliary[1].decode()})" if auxiliary else ""


def lists_one(index: bytes) -> bool:
    """Whether an index of several pictures lists no second one."""
    return _images(index) < 2  # noqa: PLR2004  (the image itself, and a second one)


def _images(data: bytes) -> int:
    """Return how many images a multi-picture index lists (CIPA DC-007, tag B001)."""
    order = "<" if data[4:6] == b"II" else ">"
    entry = data.find(struct.pack(f"{order}HHI", 0xB001, 4, 1))
    count = data[entry + 8 : entry + 12] if entry >= 0 else b""
    return int(struct.unpack(f"{order}I", count)[0]) if len(count) == 4 else 2  # noqa: PLR2004  (bytes of a long)


def _lists_previews(data: bytes) -> bool:
    """Whether all but the first picture of an index are large thumbnails of it (tag B002)."""
    order = "<" if data[4:6] == b"II" else ">"
    tag = data.find(struct.pack(f"{order}HH", 0xB002, 7))
    if tag < 0 or tag + 12 > len(data):
        return False
    length, at = struct.unpack_from(f"{order}II", data, tag + 4)
    entries = data[len(MPF) + at :][: min(length, _ENTRY * _MOST_ENTRIES)]
    kinds = [
        struct.unpack_from(f"{order}I", entries, start)[0] & _TYPE
        for start in range(0, len(entries) - _ENTRY + 1, _ENTRY)
    ]
    return len(kinds) == _images(data) and all(kind in _PREVIEWS for kind in kinds[1:])


def _sizes(trailer: bytes) -> Iterator[Size]:
    """Yield the size of each JPEG; pictures of other kinds are no photographs of a camera's."""
    sizes = (_size(trailer, span) for span in pictures(trailer))
    yield from (size for size in sizes if size is not None)


def _size(data: bytes, span: range) -> Size | None:
    """Return the size that the frame header of a JPEG says, None where there is none."""
    at = span.start + 2
    while at + 9 <= span.stop and data[at] == 0xFF:  # noqa: PLR2004  (a marker's first byte)
        if data[at + 1] in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return Size(width, height) if width and height else None
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    return None


def _is_as_large(size: Size, than: Size) -> bool:
    sides = sorted((size.width, size.height))
    whole = sorted((than.width, than.height))
    return any(side >= full for side, full in zip(sides, whole, strict=True))
