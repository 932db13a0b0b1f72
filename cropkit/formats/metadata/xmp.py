"""XMP around a crop: sizes and coordinates updated in the text, pictures of the scene cut out."""

import re
from collections import defaultdict, deque

from cropkit.errors import GainMap
from cropkit.formats.account import Account
from cropkit.formats.limits import check_parts
from cropkit.formats.metadata import inspection, xml_packet, xmp_geometry
from cropkit.formats.metadata.crop_change import SHOWS_MORE, Change

# Properties that hold the stored size (XMP specification part 2; Exif 2.3 for XMP).
_DIMENSIONS = (
    (b"tiff:ImageWidth", b"tiff:ImageLength"),
    (b"exif:PixelXDimension", b"exif:PixelYDimension"),
)
_THUMBNAILS = rb"[\w.\-]+:Thumbnails"
# A packet in wider characters than UTF-8's: marks of byte order, or a bracket that fills a word.
_WIDE = (
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\xfe\xff", "utf-16"),
    (b"\xff\xfe", "utf-16"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0<", "utf-16-be"),
    (b"<\0", "utf-16-le"),
)
# Properties that carry a whole second picture (Google's depth and cardboard photos).
_PICTURES = (b"GDepth:Data", b"GImage:Data", b"GDepth:Confidence=")
# What describes a second picture: gain maps of Adobe, Apple and Google, depth maps, motion photos,
# the directory of what follows the image.
_OF_PICTURES = (
    rb"hdrgm:[\w-]+|HDRGainMap:[\w-]+|GDepth:[\w-]+|GImage:[\w-]+|Device:[\w-]+"
    rb"|(?:G?Container):[\w-]+|GCamera:(?:MotionPhoto|MicroVideo)[\w-]*|apdi:[\w-]+"
    rb"|OpCamera:[\w-]+"
)
# Each begins at the first of several blanks: else a run of them would be gone through from each.
_ATTRIBUTE = rb"(?<!\s)\s+(?:%b)\s*=\s*(?:\"[^\"]*\"|'[^']*')"
_ATTRIBUTES = re.compile(_ATTRIBUTE % _OF_PICTURES)
_MOTION = rb"GCamera:(?:MotionPhoto|MicroVideo)\w*"
_MOTION_ATTRIBUTE = re.compile(_ATTRIBUTE % _MOTION)
# The pointer to a packet in other segments (XMP, part 3, 1.1.3.1).
_POINTER = rb"xmpNote:HasExtendedXMP"
_POINTER_ATTRIBUTE = re.compile(_ATTRIBUTE % _POINTER)
_NAMESPACE = re.compile(rb"(?<!\s)\s+xmlns:([\w-]+)\s*=\s*(?:\"[^\"]*\"|'[^']*')")


def patched(packet: bytes, change: Change, account: Account, label: str, name: str) -> bytes:
    """Return the packet for the cropped image, and account for it.

    Raises
    ------
    GainMap
        When the packet carries a second picture of the whole scene.
    """
    after = restated(packet, change, account, label, name)
    (account.keep if after == packet else account.patch)(label)
    return after


def restated(
    packet: bytes,
    change: Change,
    account: Account,
    label: str,
    name: str,
    *,
    extended: bool = False,
) -> bytes:
    """Return the packet for the cropped image; only what is left out is accounted for.

    Nothing is left of a packet that speaks of coordinates and does not hold together.

    Parameters
    ----------
    extended : whether it is the part of a packet that did not fit into one segment of a JPEG

    Raises
    ------
    GainMap
        As in `patched`.
    """
    check_parts(name, "bytes of extended XMP" if extended else "bytes of XMP", len(packet))
    plain = _in_utf_8(packet)
    refuse_pictures(plain, name)
    if not inspection.is_text(plain) and (why := inspection.unfit(plain)):
        account.drop(label, why)
        return b""
    after = _without_elements(plain, _THUMBNAILS)
    if after != plain:
        account.drop(f"{label} thumbnail", SHOWS_MORE)
    after, reason = inspection.without_hidden(after)
    if reason:
        account.drop(f"{label}: bytes that it spells out", reason)
    if not change.is_none:
        for pair in _DIMENSIONS:
            after = _restated(after, pair, change)
    if change.is_upright:
        after = _property(b"tiff:Orientation").sub(rb"\g<before>1\g<after>", after)
    moved = xmp_geometry.moved(after, change, account, label)
    if moved is None:
        account.drop(label, "it is damaged, and may hold coordinates of the old frame")
    return packet if moved == plain else moved or b""


def _in_utf_8(packet: bytes) -> bytes:
    """Return the packet as all but a few programs write it (XMP, part 1, 7.1)."""
    coding = next((coding for start, coding in _WIDE if packet.startswith(start)), None)
    if coding is None:
        return packet
    try:
        return packet.decode(coding).encode()
    except UnicodeError:
        return packet


def renewed(packet: bytes, change: Change, account: Account, label: str, name: str) -> bytes | None:
    """Return the packet for pixels that were turned upright, and account for it.

    What describes a second picture goes. None, and a word of it, where one is in it all the same.
    """
    try:
        after = restated(without_pictures(packet, account, label), change, account, label, name)
    except GainMap:
        account.drop(label, "it carries a second picture")
        return None
    if not after:
        return None
    (account.keep if after == packet else account.patch)(label)
    return after


def without_pictures(packet: bytes, account: Account, label: str) -> bytes:
    """Return the packet without what describes a second picture, and account for that.

    Namespaces that nothing needs any more go as well: a reader may take them for a promise.
    """
    after = _ATTRIBUTES.sub(b"", _without_elements(packet, _OF_PICTURES))
    if after == packet:
        return packet
    account.drop(f"{label} of a second picture", "it describes what is dropped")
    return _NAMESPACE.sub(lambda n: n[0] if b"%b:" % n[1] in _bodies(after) else b"", after)


def without_motion(packet: bytes, account: Account, label: str) -> bytes:
    """Return the packet without what describes a motion photo's video, and account for that."""
    after = _MOTION_ATTRIBUTE.sub(b"", _without_elements(packet, _MOTION))
    try:
        items = (e for e in xml_packet.parse(after).walk() if e.name[1] == b"li")
        gone = {range(e.start, e.stop): b"" for e in items if _is_motion(after, e)}
    except xml_packet.XmlDamage:
        gone = {}
    after = xml_packet.edited(after, gone)
    if after != packet:
        account.drop(f"{label} of the video", "it describes what is dropped")
    return after


def _is_motion(packet: bytes, item: xml_packet.Element) -> bool:
    kinds = (p for p in item.properties() if p.name[1] == b"Semantic")
    return any(packet[p.value.start : p.value.stop] == b"MotionPhoto" for p in kinds)


def pointing_to(packet: bytes, old: bytes, new: bytes | None) -> bytes:
    """Return the packet that points to an extended one by another digest, or to none."""
    if new is not None:
        return packet.replace(old, new)
    return _POINTER_ATTRIBUTE.sub(b"", _without_elements(packet, _POINTER))


def _without_elements(packet: bytes, names: bytes) -> bytes:
    """Cut out every element of these names, with what is in it and the blanks behind it.

    One pass for the ends and one for the beginnings: to look for the end of each anew would go
    through a packet of beginnings again and again.
    """
    ends: defaultdict[bytes, deque[tuple[int, int]]] = defaultdict(deque)
    for end in re.finditer(rb"</(%b)\s*>\s*" % names, packet):
        ends[end[1]].append(end.span())
    kept: list[bytes] = []
    at = 0
    for start in re.finditer(rb"<(%b)\b[^>]*>?\s*" % names, packet):
        if start.start() < at:
            continue  # inside of one that is cut out
        stop = _end_of(start, ends[start[1]])
        if stop is not None:
            kept.append(packet[at : start.start()])
            at = stop
    return b"".join([*kept, packet[at:]])


def _end_of(start: re.Match[bytes], ends: deque[tuple[int, int]]) -> int | None:
    """Return where an element ends: at once, or behind its end, None where it has none."""
    if start[0].rstrip().endswith(b"/>"):
        return start.end()
    while ends and ends[0][0] < start.end():
        ends.popleft()
    return ends[0][1] if ends else None


def holds_picture(packet: bytes) -> bool:
    """Whether the packet carries a second picture."""
    return any(key in packet for key in _PICTURES)


def _bodies(packet: bytes) -> bytes:
    return _NAMESPACE.sub(b"", packet)


def refuse_pictures(packet: bytes, name: str) -> None:
    """Raise `GainMap` when the packet carries a second picture."""
    for key in _PICTURES:
        if key in packet:
            raise GainMap(name, f"XMP {key.decode().rstrip('=')}")


def _restated(packet: bytes, pair: tuple[bytes, bytes], change: Change) -> bytes:
    patterns = [_property(key) for key in pair]
    matches = [pattern.search(packet) for pattern in patterns]
    sides = (change.before.width, change.before.height)
    old = [int(f["digits"]) if f else side for f, side in zip(matches, sides, strict=True)]
    new = change.stated(old[0], old[1])
    for pattern, value in zip(patterns, new, strict=True):
        packet = pattern.sub(rb"\g<before>%d\g<after>" % value, packet)
    return packet


def _property(key: bytes) -> re.Pattern[bytes]:
    """Match a property written as an attribute or as an element."""
    return re.compile(
        rb"(?P<before><%b>\s*|\b%b\s*=\s*[\"'])(?P<digits>\d{1,9})(?P<after>\s*[<\"'])"
        % (key, key),
    )
