"""What stands split over several segments of a JPEG: put together, edited, and split again."""

import hashlib
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from cropkit.formats.jpeg.segments import APP1, APP13, Segment

XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"
PHOTOSHOP = b"Photoshop 3.0\0"
EXIF = b"Exif\0\0"
_MOST = 0xFFFF - 2  # bytes in a segment: its length counts itself
_DIGEST = 32  # characters of an MD5
_PLACE = struct.Struct(">II")  # the whole length, and where the part belongs
_XMP_HEADER = len(XMP_MORE) + _DIGEST + _PLACE.size
_BYTE_ORDERS = (b"II", b"MM")


@dataclass(frozen=True, slots=True)
class Whole:
    """Parts that belong together: where they stood among the segments, and what they hold.

    ``data`` is None where a part is missing.
    """

    places: tuple[int, ...]
    data: bytes | None


def extended_xmp(segments: Sequence[Segment]) -> Mapping[bytes, Whole]:
    """Return each extended packet by its digest."""
    places: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, segment in enumerate(segments):
        if _begins(segment, APP1, XMP_MORE):
            places[digest_of(segment)].append(place)
    return {
        digest: Whole(tuple(each), _joined([segments[place].data for place in each]))
        for digest, each in places.items()
    }


def _joined(parts: Sequence[bytes]) -> bytes | None:
    """Return what parts hold together, which each say how long it is, and where they belong."""
    if any(len(part) < _XMP_HEADER for part in parts):
        return None
    stated = [(*_PLACE.unpack_from(part, _XMP_HEADER - _PLACE.size), part) for part in parts]
    in_order = sorted((at, length, part[_XMP_HEADER:]) for length, at, part in stated)
    whole = b"".join(part for _, _, part in in_order)
    ends = accumulate((len(part) for _, _, part in in_order), initial=0)
    fit = all(
        (at, length) == (end, len(whole))
        for (at, length, _), end in zip(in_order, ends, strict=False)
    )
    return whole if fit else None


def extended_segments(packet: bytes) -> tuple[bytes, tuple[Segment, ...]]:
    """Return the digest of a packet, and the segments that hold it (XMP, part 3, 1.1.3.1)."""
    digest = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper().encode()
    step = _MOST - _XMP_HEADER
    return digest, tuple(
        Segment(APP1, XMP_MORE + digest + _PLACE.pack(len(packet), at) + packet[at : at + step])
        for at in range(0, len(packet), step)
    )


def digest_of(segment: Segment) -> bytes:
    """Return the digest of the extended packet that a segment is a part of."""
    return segment.data[len(XMP_MORE) :][:_DIGEST]


def photoshop(segments: Sequence[Segment]) -> Iterator[Whole]:
    """Yield Photoshop's resources: one may begin in a segment and end in the next."""
    places = [i for i, segment in enumerate(segments) if _begins(segment, APP13, PHOTOSHOP)]
    if places:
        data = b"".join(segments[i].data[len(PHOTOSHOP) :] for i in places)
        yield Whole(tuple(places), data)


def photoshop_segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments that hold resources."""
    step = _MOST - len(PHOTOSHOP)
    for at in range(0, len(data), step):
        yield Segment(APP13, PHOTOSHOP + data[at : at + step])


def exif(segments: Sequence[Segment]) -> Iterator[Whole]:
    """Yield each EXIF block: a long one goes on in the next segment, which begins as none does."""
    places: list[int] = []
    for place, segment in enumerate(segments):
        if _begins(segment, APP1, EXIF):
            begins = segment.data[len(EXIF) :][:2] in _BYTE_ORDERS
            if begins and places:
                yield _block(segments, places)
                places = []
            places.append(place)
    if places:
        yield _block(segments, places)


def _block(segments: Sequence[Segment], places: Sequence[int]) -> Whole:
    return Whole(tuple(places), b"".join(segments[i].data[len(EXIF) :] for i in places))


def exif_segments(block: bytes, lengths: Iterable[int]) -> Iterator[Segment]:
    """Yield the segments of a block, cut where it was cut."""
    at = 0
    for length in lengths:
        yield Segment(APP1, EXIF + block[at : at + length - len(EXIF)])
        at += length - len(EXIF)


def _begins(segment: Segment, marker: int, prefix: bytes) -> bool:
    return segment.marker == marker and segment.data.startswith(prefix)
