"""IPTC's datasets around a crop: the preview of the object data is cut out (IIM 4.2, 2:200-202)."""

from collections.abc import Iterator

from cropkit.formats.account import Account
from cropkit.formats.metadata import inspection
from cropkit.formats.metadata.crop_change import SHOWS_MORE

_MARK, _HEADER, _EXTENDED = 0x1C, 5, 0x8000
_PREVIEW = {(2, 200), (2, 201), (2, 202)}


def begins(data: bytes) -> bool:
    """Whether the bytes begin as a row of datasets does."""
    return data[:1] == bytes([_MARK])


def without_pictures(data: bytes, account: Account, label: str) -> bytes:
    """Return the datasets without those that show what was cropped out, or may."""
    kept, end = [], 0
    for dataset, span, value in _datasets(data):
        reason = SHOWS_MORE if dataset in _PREVIEW else inspection.unfit(value)
        if reason is None:
            kept.append(data[span.start : span.stop])
        else:
            what = "preview" if dataset in _PREVIEW else "{}:{}".format(*dataset)
            account.drop(f"{label} IPTC {what}", reason)
        end = span.stop
    rest, reason = data[end:], inspection.unfit(data[end:])
    if reason:
        account.drop(f"{label} IPTC: {len(rest)} bytes behind its datasets", reason)
    return b"".join([*kept, b"" if reason else rest])


def _datasets(data: bytes) -> Iterator[tuple[tuple[int, int], range, bytes]]:
    """Yield record and number, place, and value of each dataset, as long as they hold together."""
    at = 0
    while at + _HEADER <= len(data) and data[at] == _MARK:
        start, value_at = at, at + _HEADER
        length = int.from_bytes(data[at + 3 : at + 5])
        if length & _EXTENDED:
            value_at += length & ~_EXTENDED
            length = int.from_bytes(data[at + _HEADER : value_at][:8])
        at = value_at + length
        if at > len(data):
            return
        yield (data[start + 1], data[start + 2]), range(start, at), data[value_at:at]
