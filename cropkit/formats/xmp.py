"""XMP around a crop: dimensions updated in the text, thumbnails of the whole scene cut out."""

import re

from cropkit.errors import GainMap
from cropkit.formats.account import Account
from cropkit.formats.change import SHOWS_MORE, Change

# Properties that hold the stored size (XMP specification part 2; Exif 2.3 for XMP).
_DIMENSIONS = (
    (b"tiff:ImageWidth", b"tiff:ImageLength"),
    (b"exif:PixelXDimension", b"exif:PixelYDimension"),
)
_THUMBNAILS = re.compile(rb"<(xmp|xap):Thumbnails\b.*?</\1:Thumbnails>\s*", re.DOTALL)
# Properties that carry a whole second picture (Google's depth and cardboard photos).
_PICTURES = (b"GDepth:Data", b"GImage:Data", b"GDepth:Confidence=")


def patched(packet: bytes, change: Change, account: Account, label: str, name: str) -> bytes:
    """Return the packet for the cropped image, and account for it.

    Raises
    ------
    GainMap
        When the packet carries a second picture of the whole scene.
    """
    refuse_pictures(packet, name)
    after, thumbnails = _THUMBNAILS.subn(b"", packet)
    if thumbnails:
        account.drop(f"{label} thumbnail", SHOWS_MORE)
    if not change.is_none:
        for pair in _DIMENSIONS:
            after = _restated(after, pair, change)
    (account.keep if after == packet else account.patch)(label)
    return after


def refuse_pictures(packet: bytes, name: str) -> None:
    """Raise `GainMap` when the packet carries a second picture."""
    for key in _PICTURES:
        if key in packet:
            raise GainMap(name, f"XMP {key.decode().rstrip('=')}")


def _restated(packet: bytes, pair: tuple[bytes, bytes], change: Change) -> bytes:
    patterns = [_property(key) for key in pair]
    found = [pattern.search(packet) for pattern in patterns]
    sides = (change.before.width, change.before.height)
    old = [int(f["digits"]) if f else side for f, side in zip(found, sides, strict=True)]
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
