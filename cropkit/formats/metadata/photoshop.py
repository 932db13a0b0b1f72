"""Photoshop's image resources (8BIM): what shows or describes the old frame is cut out."""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cropkit.formats.account import Account
from cropkit.formats.metadata import colour_profile, exif, inspection, iptc, xmp
from cropkit.formats.metadata.crop_change import SHOWS_MORE, Change

_SIGNATURES = (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR")
_OLD_FRAME = "its coordinates are those of the old frame"
# Adobe Photoshop file format specification, "Image resource IDs".
_DROPPED = {
    0x0408: ("guides", _OLD_FRAME),
    0x0409: ("thumbnail", SHOWS_MORE),
    0x040C: ("thumbnail", SHOWS_MORE),
    0x041A: ("slices", _OLD_FRAME),
    0x0438: ("count", _OLD_FRAME),
    **dict.fromkeys(range(0x07D0, 0x0BB6), ("path", _OLD_FRAME)),
}


@dataclass(frozen=True, slots=True)
class _Resource:
    """A resource: what stands before its length, and its data without the padding."""

    number: int
    span: range
    head: bytes
    data: bytes

    def holding(self, data: bytes) -> bytes:
        """Return the whole resource with other data."""
        return self.head + struct.pack(">I", len(data)) + data + bytes(len(data) % 2)


@dataclass(frozen=True, slots=True)
class _Edit:
    """What an edit may look at."""

    change: Change
    account: Account
    label: str
    name: str


def patched(data: bytes, change: Change, account: Account, label: str, name: str) -> bytes:
    """Return the resources without what a crop makes wrong, and account for them.

    Raises
    ------
    GainMap
        When a packet of XMP in them carries a second picture of the whole scene.
    """
    edit = _Edit(change, account, label, name)
    kept, end = [], 0
    for resource in _resources(data):
        after = _edited(resource, edit)
        if after == resource.data:
            kept.append(data[resource.span.start : resource.span.stop])
        elif after is not None:
            kept.append(resource.holding(after))
        end = resource.span.stop
    reason = inspection.unfit(data[end:])
    if reason:
        account.drop(f"{label}: {len(data) - end} bytes behind its resources", reason)
    after_all = b"".join([*kept, b"" if reason else data[end:]])
    (account.keep if after_all == data else account.patch)(label)
    return after_all


def _edited(resource: _Resource, edit: _Edit) -> bytes | None:
    """Return a resource's data for the cropped file, None where it is left out."""
    if resource.number in _DROPPED:
        what, reason = _DROPPED[resource.number]
        edit.account.drop(f"{edit.label} {what}", reason)
        return None
    rule = _RULES.get(resource.number)
    if rule:
        return rule(resource.data, edit)
    unfit = inspection.unfit(resource.data) or inspection.unfit(resource.head)
    if unfit:
        edit.account.drop(f"{edit.label} resource {resource.number}", unfit)
    return None if unfit else resource.data


def _edit_iptc(data: bytes, edit: _Edit) -> bytes:
    return iptc.without_pictures(data, edit.account, edit.label)


def _edit_exif(data: bytes, edit: _Edit) -> bytes:
    return exif.patched(data, edit.change, edit.account, f"{edit.label} EXIF")


def _edit_xmp(data: bytes, edit: _Edit) -> bytes:
    return xmp.patched(data, edit.change, edit.account, f"{edit.label} XMP", edit.name)


def _edit_profile(data: bytes, edit: _Edit) -> bytes | None:
    if not colour_profile.hides(data):
        return data
    edit.account.drop(f"{edit.label} ICC profile", SHOWS_MORE)
    return None


_RULES: Mapping[int, Callable[[bytes, _Edit], bytes | None]] = {
    0x0404: _edit_iptc,
    0x040F: _edit_profile,
    0x0422: _edit_exif,
    0x0423: _edit_exif,
    0x0424: _edit_xmp,
}


def _resources(data: bytes) -> Iterator[_Resource]:
    """Yield each resource: names and data are padded to even lengths."""
    at = 0
    while data[at : at + 4] in _SIGNATURES and at + 12 <= len(data):
        (number,) = struct.unpack_from(">H", data, at + 4)
        named = at + 6 + 1 + data[at + 6]
        named += named % 2 ^ at % 2
        (length,) = struct.unpack(">I", data[named : named + 4].rjust(4, b"\0"))
        begin, end = named + 4, named + 4 + length
        if end > len(data):
            return
        padded = min(end + length % 2, len(data))
        yield _Resource(number, range(at, padded), data[at:named], data[begin:end])
        at = padded
