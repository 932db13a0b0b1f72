"""Coordinates in a packet of XMP: moved with the corner, or dropped where they cannot be.

Regions of the Metadata Working Group (and ACDSee's, of the same form), of Microsoft and of IPTC;
Google's panoramas; Camera Raw's crops and masks; the subject's place, as EXIF has it.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cropkit.formats.account import Account
from cropkit.formats.metadata.crop_change import OLD_FRAME, Change, Rectangle
from cropkit.formats.metadata.xml_packet import Element, Property, XmlDamage, edited, parse
from cropkit.geometry import PixelBox

_OUTSIDE = "it was cropped out"
_RDF = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_MWG = b"http://www.metadataworkinggroup.com/schemas/regions/"
_ACDSEE = b"http://ns.acdsee.com/regions/"
_AREAS = (b"http://ns.adobe.com/xmp/sType/Area#", b"http://ns.acdsee.com/sType/Area#")
_DIMENSIONS = (
    b"http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    b"http://ns.acdsee.com/sType/Dimensions#",
)
_MICROSOFT = b"http://ns.microsoft.com/photo/1.2/"
_MICROSOFT_REGION = b"http://ns.microsoft.com/photo/1.2/t/Region#"
_IPTC = b"http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_PANORAMA = b"http://ns.google.com/photos/1.0/panorama/"
_CAMERA_RAW = b"http://ns.adobe.com/camera-raw-settings/1.0/"
_EXIF = b"http://ns.adobe.com/exif/1.0/"
_DEPTH = b"http://ns.apple.com/depthData/1.0/"
_BLUR = b"http://ns.apple.com/depthBlurEffect/1.0/"
# By name space, what it is called and which of its properties are said of the old frame.
_STALE: Mapping[bytes, tuple[str, re.Pattern[bytes]]] = {
    _CAMERA_RAW: (
        "crs",
        re.compile(
            rb"(?:Has)?Crop\w*|\w*Corrections|Retouch\w+|RedEye\w*|Look\w*Mask\w*|MaskGroup\w*"
        ),
    ),
    _DEPTH: ("depthData", re.compile(rb"IntrinsicMatrix\w*|(?:Inverse)?LensDistortion\w+")),
    _BLUR: ("depthBlurEffect", re.compile(rb"RenderingParameters")),
}
_SPACES = (_MWG, _ACDSEE, _MICROSOFT, _IPTC, _PANORAMA, _EXIF, *_STALE)
_NUMBER = re.compile(rb"\s*([+-]?\d{1,9}(?:\.\d{0,12})?)(?:[eE]([+-]?\d{1,2}))?\s*\Z")


@dataclass(slots=True)
class _Edit:
    """What is done to a packet: by its places, what stands there afterwards."""

    packet: bytes
    change: Change
    account: Account
    label: str
    changes: dict[range, bytes] = field(default_factory=dict)

    def number(self, value: Property | None) -> float | None:
        """Return the number that a property says, None where there is none."""
        text = self.packet[value.value.start : value.value.stop] if value else b""
        return float(text) if _NUMBER.match(text) else None

    def write(self, value: Property, number: float, *, whole: bool = False) -> None:
        """Let a property say another number."""
        text = f"{number:.0f}" if whole else f"{number:.6f}".rstrip("0").rstrip(".")
        self.changes[value.value] = text.encode()

    def remove(self, span: range, what: str, reason: str) -> None:
        """Cut something out, and tell."""
        self.changes[span] = b""
        self.account.drop(f"{self.label} {what}", reason)


def moved(packet: bytes, change: Change, account: Account, label: str) -> bytes | None:
    """Return the packet with the coordinates of the crop; what went is accounted for.

    None where it may hold coordinates and does not hold together.
    """
    if change.is_none or not any(space in packet for space in _SPACES):
        return packet
    try:
        root = parse(packet)
    except XmlDamage:
        return None
    edit = _Edit(packet, change, account, label)
    for element in root.walk():
        rule = _RULES.get(element.name)
        if rule:
            rule(element, edit)
    _restate_panorama(root, edit)
    _drop_stale(root, edit)
    return edited(packet, edit.changes)


def _items(element: Element) -> Iterator[Element]:
    """Yield the items of the first list in an element."""
    for child in element.walk():
        if child.name in ((_RDF, b"Bag"), (_RDF, b"Seq"), (_RDF, b"Alt")):
            yield from (item for item in child.children if item.name == (_RDF, b"li"))
            return


def _by_name(element: Element, spaces: Sequence[bytes]) -> dict[bytes, Property]:
    return {p.name[1]: p for p in element.properties() if p.name[0] in spaces}


def _move_regions(regions: Element, edit: _Edit) -> None:
    """Move the regions of the Metadata Working Group (guidelines 2.0, section 5.9)."""
    sides = _by_name(regions, _DIMENSIONS)
    width, height = (edit.number(sides.get(side)) for side in (b"w", b"h"))
    before, after = edit.change.before, edit.change.result
    if width and height and not _same_shape((width, height), (before.width, before.height)):
        edit.remove(range(regions.start, regions.stop), "regions", "they are of another frame")
        return
    for side, value in ((b"w", after.width), (b"h", after.height)):
        if edit.number(sides.get(side)) is not None:
            edit.write(sides[side], value, whole=True)
    _each(regions, edit, "region", _move_area)


def _same_shape(stated: tuple[float, float], size: tuple[int, int]) -> bool:
    return math.isclose(stated[0] * size[1], stated[1] * size[0], rel_tol=0.02)


def _each(
    regions: Element, edit: _Edit, what: str, move: Callable[[Element, _Edit], bool | None]
) -> None:
    """Move each item; those outside go with their names, and with the last of them all of it."""
    items = list(_items(regions))
    stay = 0
    for item in items:
        inside = move(item, edit)
        if inside:
            stay += 1
        else:
            reason = OLD_FRAME if inside is None else _OUTSIDE
            edit.remove(range(item.start, item.stop), what, reason)
    if items and not stay:
        edit.changes[range(regions.start, regions.stop)] = b""


def _move_area(item: Element, edit: _Edit) -> bool | None:
    """Move an area, which is given by its centre; None where it cannot be read.

    One whose centre is in the crop keeps centre and size; of another one stays what the crop shows.
    """
    area = _by_name(item, _AREAS)
    unit = area.get(b"unit")
    text = edit.packet[unit.value.start : unit.value.stop] if unit else b"normalized"
    x, y, width, height, across = (edit.number(area.get(k)) for k in (b"x", b"y", b"w", b"h", b"d"))
    if text.strip() != b"normalized" or x is None or y is None:
        return None
    before, after = edit.change.before, edit.change.result
    wide, high = (width or 0) * before.width, (height or 0) * before.height
    moved = _about(edit.change, (x * before.width, y * before.height), (wide, high))
    if moved is None:
        return False
    (x, y), (wide, high) = moved
    values = {b"x": x / after.width, b"y": y / after.height}
    values |= {b"w": wide / after.width, b"h": high / after.height}
    if across is not None:
        smaller = min(before.width, before.height), min(after.width, after.height)
        values[b"d"] = across * smaller[0] / smaller[1]
    for key in values.keys() & area.keys():
        edit.write(area[key], values[key])
    return True


_Pair = tuple[float, float]


def _about(change: Change, centre: _Pair, size: _Pair) -> tuple[_Pair, _Pair] | None:
    """Return centre and size of an area as they are now, None where nothing of it is left."""
    middle = change.placed((*centre, 0, 0))
    if middle:
        sized = change.placed(_in_the_middle(change.box, size))
        return (middle[0], middle[1]), (sized[2], sized[3]) if sized else size
    left, top = (at - side / 2 for at, side in zip(centre, size, strict=True))
    shown = change.placed((left, top, *size))
    if shown is None:
        return None
    left, top, wide, high = shown
    return (left + wide / 2, top + high / 2), (wide, high)


def _in_the_middle(box: PixelBox, size: _Pair) -> Rectangle:
    """Return an area of a size that a fine angle leaves where it is."""
    left, top = (box.left + box.right - size[0]) / 2, (box.top + box.bottom - size[1]) / 2
    return left, top, *size


def _move_microsoft(info: Element, edit: _Edit) -> None:
    _each(info, edit, "region", _move_rectangle)


def _move_rectangle(item: Element, edit: _Edit) -> bool | None:
    """Move one of Microsoft's: left, top, width, height in one text, in shares of the image."""
    rectangle = _by_name(item, (_MICROSOFT_REGION,)).get(b"Rectangle")
    if rectangle is None:
        return True  # a person without a place
    words = edit.packet[rectangle.value.start : rectangle.value.stop].split(b",")
    if len(words) != 4 or not all(_NUMBER.match(word) for word in words):  # noqa: PLR2004  (sides)
        return None
    before, after = edit.change.before, edit.change.result
    scales = (before.width, before.height) * 2
    left, top, width, height = (float(w) * s for w, s in zip(words, scales, strict=True))
    shown = edit.change.placed((left, top, width, height))
    if shown is None:
        return False
    sides = (after.width, after.height) * 2
    text = ", ".join(f"{value / side:.6f}" for value, side in zip(shown, sides, strict=True))
    edit.changes[rectangle.value] = text.encode()
    return True


def _move_iptc(regions: Element, edit: _Edit) -> None:
    _each(regions, edit, "region", _move_boundary)


def _move_boundary(item: Element, edit: _Edit) -> bool | None:
    """Move one of IPTC's boundaries (Photo Metadata Standard): a rectangle or a circle."""
    values = [p for p in item.properties() if p.name[0] == _IPTC and p.name[1][:2] == b"rb"]
    boundary = {p.name[1]: p for p in values}
    if not boundary:
        return True
    if len(boundary) != len(values):
        return None  # a polygon: it has no clip that is one
    unit = boundary.get(b"rbUnit")
    in_pixels = unit is not None and edit.packet[unit.value.start : unit.value.stop] == b"pixel"
    x, y, width, height, radius = (
        edit.number(boundary.get(k)) for k in (b"rbX", b"rbY", b"rbW", b"rbH", b"rbRx")
    )
    if x is None or y is None:
        return None
    before, after = edit.change.before, edit.change.result
    scale = (1, 1) if in_pixels else (before.width, before.height)
    shown = edit.change.placed(
        (x * scale[0], y * scale[1], (width or 0) * scale[0], (height or 0) * scale[1])
    )
    if shown is None:
        return False
    sides = (1, 1) if in_pixels else (after.width, after.height)
    keys = (b"rbX", b"rbY", b"rbW", b"rbH")
    for key, value, side in zip(keys, shown, sides * 2, strict=True):
        if key in boundary:
            edit.write(boundary[key], value / side)
    if radius is not None:
        (across,) = edit.change.extents(round(radius * scale[0]))
        edit.write(boundary[b"rbRx"], across / sides[0])
    return True


def _move_subject(element: Element, edit: _Edit) -> None:
    """Move the subject (Exif 2.3 for XMP): a list of two, three or four numbers, in pixels."""
    items = list(_items(element))
    values = [Property(item.name, item.inner, item.inner) for item in items]
    numbers = [edit.number(value) for value in values]
    x, y = (*numbers, None, None)[:2]
    place = edit.change.moved(int(x), int(y)) if x is not None and y is not None else None
    if place is None:
        edit.remove(range(element.start, element.stop), "subject", _OUTSIDE)
        return
    for value, number in zip(values, place, strict=False):
        edit.write(value, number, whole=True)


def _restate_panorama(root: Element, edit: _Edit) -> None:
    """Say which part of the panorama the crop shows (Google's photo sphere metadata)."""
    panorama = _by_name(root, (_PANORAMA,))
    change = edit.change
    if change.is_turned:  # what is on its side, or mirrored, is none of them
        for name, value in panorama.items():
            edit.remove(value.whole, f"GPano:{name.decode()}", OLD_FRAME)
        return
    axes = (
        (b"Width", b"Left", change.before.width, change.after.width, change.box.left),
        (b"Height", b"Top", change.before.height, change.after.height, change.box.top),
    )
    for side, edge, before, after, corner in axes:
        shown = panorama.get(b"CroppedAreaImage%bPixels" % side)
        place = panorama.get(b"CroppedArea%bPixels" % edge)
        width, start = edit.number(shown), edit.number(place)
        if shown is not None and width is not None:
            scale = width / before
            edit.write(shown, after * scale, whole=True)
            if place is not None and start is not None:
                edit.write(place, start + corner * scale, whole=True)
    for name, value in panorama.items():
        if name.startswith(b"LargestValidInteriorRect"):
            edit.remove(value.whole, "GPano:LargestValidInteriorRect", OLD_FRAME)


def _drop_stale(root: Element, edit: _Edit) -> None:
    """Cut out what Camera Raw would crop and mask, and how a depth map was calibrated."""
    for element in root.walk():
        for value in element.attributes:
            label = _stale(value.name)
            if label:
                edit.remove(value.whole, label, OLD_FRAME)
        label = _stale(element.name)
        if label:
            edit.remove(range(element.start, element.stop), label, OLD_FRAME)


def _stale(name: tuple[bytes, bytes]) -> str | None:
    prefix, names = _STALE.get(name[0], ("", None))
    return f"{prefix}:{name[1].decode()}" if names and names.fullmatch(name[1]) else None


_RULES: Mapping[tuple[bytes, bytes], Callable[[Element, _Edit], None]] = {
    (_MWG, b"Regions"): _move_regions,
    (_ACDSEE, b"Regions"): _move_regions,
    (_MICROSOFT, b"RegionInfo"): _move_microsoft,
    (_IPTC, b"ImageRegion"): _move_iptc,
    (_EXIF, b"SubjectArea"): _move_subject,
    (_EXIF, b"SubjectLocation"): _move_subject,
}
