"""Pictures hidden inside other data: previews and second images show the whole scene."""

import re
from collections.abc import Iterator

# A start of image followed by a marker that a JPEG can begin with.
_START = re.compile(rb"\xff\xd8\xff[\xc0-\xc2\xc4\xdb\xdd\xe0-\xef\xfe]")
_END = b"\xff\xd9"
_SOS = 0xDA
_OTHERS = (b"\x89PNG\r\n\x1a\n", b"ftyp", b"WEBPVP8", b"\x1aE\xdf\xa3", b"moov", b"mdat")


def pictures(data: bytes) -> Iterator[range]:
    """Yield where whole JPEG files lie inside `data`."""
    at = 0
    while beginning := _START.search(data, at):
        scan = _scan_start(data, beginning.start() + 2)
        end = data.find(_END, scan) if scan else -1
        at = beginning.start() + 2 if end < 0 else end + len(_END)
        if end >= 0:
            yield range(beginning.start(), at)


def holds_picture(data: bytes) -> bool:
    """Whether there is a picture or a video inside."""
    return bool(_START.search(data)) or any(magic in data for magic in _OTHERS)


def _scan_start(data: bytes, at: int) -> int:
    """Walk the segments from `at` to the first scan; 0 when they are none."""
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004  (a marker's first byte)
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        at += 2 + length
        if marker == _SOS:
            return at
    return 0
