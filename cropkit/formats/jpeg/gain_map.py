"""A JPEG with pictures of the same frame behind it, cropped together: gain maps, depth, mattes.

Ultra HDR, ISO 21496-1, Adobe's and Apple's gain maps; the auxiliary pictures of an iPhone. Each is
a JPEG of its own, smaller by a whole number. All are cropped without loss, at a corner on the grid
of all, to sides that the numbers divide: so each sample stays above the pixels that it was made
for. What tells how long they are, and where, is restated.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cropkit.errors import GainMap, Refused
from cropkit.formats.account import Account, Candidate, Header
from cropkit.formats.jpeg import lossless, metadata, second_pictures, segments
from cropkit.formats.jpeg.segments import APP2, Jpeg, Segment
from cropkit.formats.metadata.xml_packet import Element, Property, XmlDamage, edited, parse
from cropkit.formats.options import DEPTH
from cropkit.geometry import PixelBox, Size, Turn

_ITEM = b"http://ns.google.com/photos/1.0/container/item/"
_PADDING = b"\0"
_CANNOT = "a sample of it is no whole number of pixels: it cannot be cropped along"
_MOST_SCALE, _MOST_PICTURES = 16, 16
_NUMBER, _ENTRIES = 0xB001, 0xB002  # of a multi-picture index (CIPA DC-007)
_ENTRY = 16


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """A picture of the same frame; `scale` pixels of the image, each way, are a sample of it.

    ``scale`` is 0 where that is no whole number; ``number`` is its place in an index, the image's
    own being 0.
    """

    jpeg: Jpeg
    scale: int
    label: str
    number: int

    @property
    def may_go(self) -> bool:
        """Whether it is one that a person may leave out by itself, as a map of depth."""
        return not self.scale and self.label != second_pictures.MAP

    def cropped(self, stored: PixelBox, drop: frozenset[str], turn: Turn) -> Candidate:
        """Crop to the samples above a stored box of the image, and turn them as that is stored.

        Raises
        ------
        Ended
            There is no libjpeg that can.
        """
        small = PixelBox(*(side // self.scale for side in stored.xyxy))
        header = Header("jpeg", self.jpeg.size, 1, lossless.grid(self.jpeg))
        return lossless.crop(self.jpeg, header, (small, small), Account("jpeg"), drop, turn=turn)


@dataclass(frozen=True, slots=True)
class Family:
    """An image, and the pictures of the same frame behind it in their order.

    ``left_out`` are those that do not go with it, because the person says so.
    """

    base: Jpeg
    others: tuple[Auxiliary, ...]
    left_out: tuple[Auxiliary, ...] = ()

    @property
    def grid(self) -> Size:
        """The grid of all, in pixels of the image."""
        own = lossless.grid(self.base)
        grids = [(lossless.grid(each.jpeg), each.scale) for each in self.others]
        return Size(
            math.lcm(own.width, *(grid.width * scale for grid, scale in grids)),
            math.lcm(own.height, *(grid.height * scale for grid, scale in grids)),
        )

    @property
    def step(self) -> int:
        """What divides each side of a crop, but at the image's own edges."""
        return math.lcm(*(each.scale for each in self.others))

    @property
    def gone(self) -> list[tuple[str, str]]:
        """What is told of those that are left out."""
        return [(each.label, _CANNOT) for each in self.left_out]


def family(jpeg: Jpeg, drop: frozenset[str], *, motion: bool = False) -> Family | None:
    """Return an image with what is behind it, None where that is something else, or no plain one.

    Parameters
    ----------
    motion : whether a video was left out
    """
    pictures = _behind(jpeg)
    labels = second_pictures.labels(jpeg, pictures, motion=motion)
    scales = [_scale(jpeg.size, each.size) for each in pictures]
    every = list(map(Auxiliary, pictures, scales, labels, range(1, 1 + len(labels))))
    gone = [each for each in every if DEPTH in drop and each.may_go]
    others = [each for each in every if each not in gone]
    if not every or not all(each.scale for each in others):
        return None
    return Family(replace(jpeg, trailer=b""), tuple(others), tuple(gone))


def _behind(jpeg: Jpeg) -> list[Jpeg]:
    """Return the pictures behind an image, each without what follows it; none where they fail."""
    pictures: list[Jpeg] = []
    rest = jpeg.trailer.lstrip(_PADDING)
    while rest and len(pictures) < _MOST_PICTURES:
        try:
            other = segments.parse(rest, jpeg.name)
            other.check_coding()
        except Refused:
            return []
        if not other.ended:
            return []
        rest = other.trailer.lstrip(_PADDING)
        pictures.append(replace(other, trailer=b""))
    return [] if rest else pictures


def _scale(whole: Size, part: Size) -> int:
    """Return how many pixels are a sample, 0 where that is no whole number or a large one."""
    scale = whole.width // part.width
    fits = (whole.width, whole.height) == (scale * part.width, scale * part.height)
    return scale if fits and scale <= _MOST_SCALE else 0


def crop(
    whole: Family,
    header: Header,
    boxes: tuple[PixelBox, PixelBox],
    drop: frozenset[str],
    turn: Turn,
) -> Candidate:
    """Crop all to a stored box, snapped outward to their grid and to whole samples of each.

    Raises
    ------
    Ended
        There is no libjpeg that can.
    GainMap
        What tells how long they are cannot be restated.
    """
    paired = bool(whole.others)
    base = lossless.crop(whole.base, header, boxes, Account("jpeg"), drop, turn=turn, paired=paired)
    if not paired:
        return replace(base, dropped=(*base.dropped, *whole.gone))
    stored = header.snapped(boxes[1], turn)
    way = turn if turn.is_none else header.through(turn)
    return _joined(whole, base, [each.cropped(stored, drop, way) for each in whole.others])


def _joined(whole: Family, base: Candidate, others: Sequence[Candidate]) -> Candidate:
    """Put all together again, with what tells of their lengths."""
    name, labels = whole.base.name, [each.label for each in whole.others]
    before, lengths = segments.parse(base.data, name), [len(each.data) for each in others]
    carried = tuple(_with_lengths(segment, lengths, name) for segment in before.metadata)
    size = len(before.spliced(carried, b""))
    carried = tuple(_indexed(carried, whole, (size, *lengths)))
    trailer, second = _proven_in_turn(others)
    meant = replace(_proof(base), metadata=carried, trailer=trailer, second=second)
    told = [(label, each) for label, each in zip(labels, others, strict=True)]
    restated = ("APP1 XMP",) if carried[: len(before.metadata)] != before.metadata else ()
    kept = tuple(item for item in base.kept if item not in restated)
    patched = [*base.patched, *restated]
    patched += [f"{label}: cropped with the image, without loss" for label in labels]
    patched += [f"{label}: {item}" for label, each in told for item in each.patched]
    dropped = [(f"{label}: {item}", why) for label, each in told for item, why in each.dropped]
    dropped += whole.gone
    return replace(
        base,
        data=before.spliced(carried, trailer),
        proof=meant,
        kept=kept,
        patched=tuple(patched),
        dropped=(*base.dropped, *dropped),
    )


def _proof(candidate: Candidate) -> lossless.Proof:
    if not isinstance(candidate.proof, lossless.Proof):
        raise TypeError
    return candidate.proof


def _proven_in_turn(others: Sequence[Candidate]) -> tuple[bytes, lossless.Proof | None]:
    """Return what stands behind the image: each picture's proof knows what follows it."""
    trailer, proof = b"", None
    for each in reversed(others):
        proof = replace(_proof(each), trailer=trailer, second=proof)
        trailer = each.data + trailer
    return trailer, proof


def _with_lengths(segment: Segment, lengths: Sequence[int], name: str) -> Segment:
    """Let the directory of a container say how long the pictures behind the image are now."""
    if not segment.data.startswith(metadata.XMP) or _ITEM not in segment.data:
        return segment
    packet = segment.data[len(metadata.XMP) :]
    try:
        items = _in_order(_items(parse(packet)))
    except XmlDamage as error:
        raise GainMap(name, "gain map, in a directory that is damaged") from error
    changes = {i[b"Padding"].value: b"0" for i in items if b"Padding" in i}
    listed = [item for item in items if not _says(packet, item, b"Semantic", b"Primary")]
    if len(listed) != len(lengths):
        raise GainMap(name, "gain map, in a directory that lists other pictures")
    for item, length in zip(listed, lengths, strict=True):
        if b"Length" in item:
            changes[item[b"Length"].value] = b"%d" % length
    return replace(segment, data=metadata.XMP + edited(packet, changes))


def _in_order(items: Iterable[dict[bytes, Property]]) -> list[dict[bytes, Property]]:
    """Return each item once, as its innermost element has it, in the order of the packet."""
    innermost = {item[b"Semantic"].value.start: item for item in items}
    return [innermost[at] for at in sorted(innermost)]


def _says(packet: bytes, item: Mapping[bytes, Property], name: bytes, word: bytes) -> bool:
    return packet[item[name].value.start : item[name].value.stop] == word


def _items(root: Element) -> Iterator[dict[bytes, Property]]:
    """Yield the properties of each item of a directory."""
    for element in root.walk():
        own = [*element.attributes]
        own += [p for child in element.children for p in child.properties() if not child.attributes]
        item = {p.name[1]: p for p in own if p.name[0] == _ITEM}
        if b"Semantic" in item:
            yield item


def _indexed(
    carried: Sequence[Segment], whole: Family, lengths: Sequence[int]
) -> Iterator[Segment]:
    """Yield the segments with an index that says how long all are, and where each begins."""
    at = 2
    for segment in carried:
        if segment.marker == APP2 and segment.data.startswith(second_pictures.MPF):
            start = at + 4 + len(second_pictures.MPF)  # what offsets are counted from
            yield replace(segment, data=_restated(segment.data, whole, lengths, start))
        else:
            yield segment
        at += 4 + len(segment.data)


def _restated(index: bytes, whole: Family, lengths: Sequence[int], start: int) -> bytes:
    order = "<" if index[4:6] == b"II" else ">"
    room = _ENTRY * (1 + len(whole.others) + len(whole.left_out))
    counted = index.find(struct.pack(f"{order}HHI", _NUMBER, 4, 1))
    tag = index.find(struct.pack(f"{order}HHI", _ENTRIES, 7, room))
    place = struct.unpack_from(f"{order}I", index, tag + 8)[0] if tag >= 0 else len(index)
    first = len(second_pictures.MPF) + place
    if counted < 0 or first + room > len(index):
        raise GainMap(whole.base.name, "gain map, in an index that cannot be restated")
    after, at = bytearray(index), 0
    struct.pack_into(f"{order}I", after, counted + 8, len(lengths))
    struct.pack_into(f"{order}I", after, tag + 4, _ENTRY * len(lengths))
    after[first : first + room] = bytes(room)
    place = first
    for number, length in zip((0, *(each.number for each in whole.others)), lengths, strict=True):
        offset = at - start if number else 0  # the image itself is at 0 (CIPA DC-007, 5.2.3.3.3)
        entry = bytearray(index[first + number * _ENTRY :][:_ENTRY])
        struct.pack_into(f"{order}II", entry, 4, length, offset)
        if whole.left_out:
            entry[12:] = bytes(4)  # numbers of others, which are not theirs now
        after[place : place + _ENTRY] = entry
        at, place = at + length, place + _ENTRY
    return bytes(after)
