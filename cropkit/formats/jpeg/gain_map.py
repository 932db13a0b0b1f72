"""A JPEG with a gain map behind it (Ultra HDR, ISO 21496-1, Adobe's, Apple's), cropped together.

The map is a JPEG of its own, smaller by a whole number. Both are cropped without loss, at a corner
on the grid of both, to sides that the number divides: so each sample of the map stays above the
pixels that it was made for. What tells how long they are, and where, is restated.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cropkit.errors import GainMap, Refused
from cropkit.formats.account import Account, Candidate, Header
from cropkit.formats.jpeg import lossless, metadata, second_pictures, segments
from cropkit.formats.jpeg.segments import APP2, Jpeg, Segment
from cropkit.formats.metadata.xml_packet import Element, Property, XmlDamage, edited, parse
from cropkit.geometry import PixelBox, Size

_ITEM = b"http://ns.google.com/photos/1.0/container/item/"
_PADDING = b"\0"
_MOST_SCALE = 16
_ENTRIES = 0xB002  # of a multi-picture index (CIPA DC-007)
_ENTRY = 16


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and its gain map; `scale` pixels of the one, each way, are a sample of the other."""

    base: Jpeg
    map: Jpeg
    scale: int

    @property
    def grid(self) -> Size:
        """The grid of both, in pixels of the image."""
        own, other = lossless.grid(self.base), lossless.grid(self.map)
        return Size(
            math.lcm(own.width, other.width * self.scale),
            math.lcm(own.height, other.height * self.scale),
        )


def pair(jpeg: Jpeg, *, motion: bool = False) -> Pair | None:
    """Return an image with its gain map, None where it is no such pair, or no plain one.

    Parameters
    ----------
    motion : whether a video was left out
    """
    try:
        other = segments.parse(jpeg.trailer.lstrip(_PADDING), jpeg.name)
        other.check_coding()
    except Refused:
        return None
    sides = (jpeg.size.width, jpeg.size.height, other.size.width, other.size.height)
    scale = sides[0] // sides[2]
    fits = 1 <= scale <= _MOST_SCALE and sides[:2] == (scale * sides[2], scale * sides[3])
    alone = other.ended and not other.trailer.strip(_PADDING)
    if fits and alone and second_pictures.is_gain_map(jpeg, other, motion=motion):
        return Pair(replace(jpeg, trailer=b""), other, scale)
    return None


def crop(
    both: Pair, header: Header, boxes: tuple[PixelBox, PixelBox], drop: frozenset[str]
) -> Candidate:
    """Crop both to a stored box, snapped outward to their grid and to whole samples of the map.

    Raises
    ------
    Ended
        There is no libjpeg that can.
    GainMap
        What tells how long they are cannot be restated.
    """
    base = lossless.crop(both.base, header, boxes, Account("jpeg"), drop, paired=True)
    stored = header.snapped(boxes[1])
    small = PixelBox(*(side // both.scale for side in stored.xyxy))
    of_map = Header("jpeg", both.map.size, 1, lossless.grid(both.map))
    other = lossless.crop(both.map, of_map, (small, small), Account("jpeg"), drop)
    return _joined(both, base, other)


def _joined(both: Pair, base: Candidate, other: Candidate) -> Candidate:
    """Put both together again, with what tells of their lengths."""
    name = both.base.name
    before, length = segments.parse(base.data, name), len(other.data)
    carried = tuple(_with_length(segment, length, name) for segment in before.metadata)
    whole = before.spliced(carried, b"")
    carried = tuple(_indexed(carried, (len(whole), length), name))
    proof = base.proof
    if not isinstance(proof, lossless.Proof):
        raise TypeError
    meant = replace(proof, metadata=carried, trailer=other.data, second=other.proof)
    told = tuple(f"gain map: {item}" for item in other.patched)
    restated = ("APP1 XMP",) if carried[: len(before.metadata)] != before.metadata else ()
    return replace(
        base,
        data=before.spliced(carried, other.data),
        proof=meant,
        kept=tuple(item for item in base.kept if item not in restated),
        patched=(*base.patched, *restated, "gain map: cropped with the image, without loss", *told),
        dropped=(*base.dropped, *((f"gain map: {item}", why) for item, why in other.dropped)),
    )


def _with_length(segment: Segment, length: int, name: str) -> Segment:
    """Let the directory of a container say how long the gain map is now."""
    if not segment.data.startswith(metadata.XMP) or _ITEM not in segment.data:
        return segment
    packet = segment.data[len(metadata.XMP) :]
    try:
        root = parse(packet)
    except XmlDamage as error:
        raise GainMap(name, "gain map, in a directory that is damaged") from error
    changes = {}
    for item in _items(root):
        is_map = packet[item[b"Semantic"].value.start : item[b"Semantic"].value.stop] == b"GainMap"
        for key, value in ((b"Length", length if is_map else None), (b"Padding", 0)):
            if key in item and value is not None:
                changes[item[key].value] = b"%d" % value
    return replace(segment, data=metadata.XMP + edited(packet, changes))


def _items(root: Element) -> Iterator[dict[bytes, Property]]:
    """Yield the properties of each item of a directory."""
    for element in root.walk():
        own = [*element.attributes]
        own += [p for child in element.children for p in child.properties() if not child.attributes]
        item = {p.name[1]: p for p in own if p.name[0] == _ITEM}
        if b"Semantic" in item:
            yield item


def _indexed(carried: Sequence[Segment], lengths: tuple[int, int], name: str) -> Iterator[Segment]:
    """Yield the segments with an index that says how long both are, and where the map begins."""
    at = 2
    for segment in carried:
        if segment.marker == APP2 and segment.data.startswith(second_pictures.MPF):
            start = at + 4 + len(second_pictures.MPF)  # what offsets are counted from
            yield replace(segment, data=_restated(segment.data, lengths, start, name))
        else:
            yield segment
        at += 4 + len(segment.data)


def _restated(index: bytes, lengths: tuple[int, int], start: int, name: str) -> bytes:
    order = "<" if index[4:6] == b"II" else ">"
    tag = index.find(struct.pack(f"{order}HHI", _ENTRIES, 7, 2 * _ENTRY))
    place = struct.unpack_from(f"{order}I", index, tag + 8)[0] if tag >= 0 else len(index)
    first = len(second_pictures.MPF) + place
    if first + 2 * _ENTRY > len(index):
        raise GainMap(name, "gain map, in an index that cannot be restated")
    after = bytearray(index)
    struct.pack_into(f"{order}II", after, first + 4, lengths[0], 0)
    struct.pack_into(f"{order}II", after, first + _ENTRY + 4, lengths[1], lengths[0] - start)
    return bytes(after)
