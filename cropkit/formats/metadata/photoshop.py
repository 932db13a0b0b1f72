"""Photoshop's image resources (8BIM): thumbnails and what describes the old frame are cut out."""

import struct
from collections.abc import Iterator

from cropkit.formats.account import Account
from cropkit.formats.metadata.crop_change import SHOWS_MORE

_SIGNATURES = (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR")
_OLD_FRAME = "its coordinates are those of the old frame"
# Adobe Photoshop file format specification, "Image resource IDs".
_DROPPED = {
    0x0409: ("thumbnail", SHOWS_MORE),
    0x040C: ("thumbnail", SHOWS_MORE),
    0x041A: ("slices", _OLD_FRAME),
    **dict.fromkeys(range(0x07D0, 0x0BB6), ("path", _OLD_FRAME)),
}


def patched(data: bytes, account: Account, label: str) -> bytes:
    """Return the resources without those that a crop makes wrong, and account for them."""
    kept, end = [], 0
    for number, span in _resources(data):
        if number in _DROPPED:
            what, reason = _DROPPED[number]
            account.drop(f"{label} {what}", reason)
        else:
            kept.append(data[span.start : span.stop])
        end = span.stop
    after = b"".join([*kept, data[end:]])
    (account.keep if after == data else account.patch)(label)
    return after


def _resources(data: bytes) -> Iterator[tuple[int, range]]:
    """Yield number and bytes of each resource: names and data are padded to even lengths."""
    at = 0
    while data[at : at + 4] in _SIGNATURES and at + 12 <= len(data):
        (number,) = struct.unpack_from(">H", data, at + 4)
        named = at + 6 + 1 + data[at + 6]
        named += named % 2 ^ at % 2
        (length,) = struct.unpack(">I", data[named : named + 4].rjust(4, b"\0"))
        end = named + 4 + length + length % 2
        if named + 4 + length > len(data):
            return
        end = min(end, len(data))
        yield number, range(at, end)
        at = end
