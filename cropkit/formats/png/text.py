"""PNG's text chunks that hold more than text: XMP packets and ImageMagick's raw profiles."""

import binascii
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from cropkit.formats.limits import MOST_PARTS
from cropkit.formats.png.chunks import Chunk

XMP_KEYWORD = b"XML:com.adobe.xmp"
_RAW_PROFILE = b"Raw profile type "
# "\nexif\n    1234\n" and then hexadecimal digits in lines, as ImageMagick writes it.
_PROFILE = re.compile(rb"(\n\w+\n\s*)(\d+)(\n)([0-9a-fA-F\s]*)\Z")
_LINE = 36
_MOST_PROFILE = MOST_PARTS["bytes of colour profile"]


@dataclass(frozen=True, slots=True)
class Text:
    """A text chunk taken apart (11.3.3): everything before its text, and the text inflated.

    ``behind`` is what follows the end of a stream that it is compressed in.
    """

    type: str
    keyword: bytes
    head: bytes
    compressed: bool
    text: bytes
    behind: bytes = b""

    def chunk(self, text: bytes) -> Chunk:
        """Return the chunk with another text, compressed if it was."""
        return Chunk(self.type, self.head + (zlib.compress(text) if self.compressed else text))


class TooLong(ValueError):
    """A text holds more than it may."""


def is_metadata(keyword: bytes) -> bool:
    """Whether a text of this keyword holds more than text."""
    return keyword == XMP_KEYWORD or keyword.startswith(_RAW_PROFILE)


def parse_text(chunk: Chunk, most: int) -> Text | None:
    """Take a tEXt, zTXt or iTXt chunk apart; None when it is malformed.

    Raises
    ------
    TooLong
        When it holds more than `most` bytes.
    """
    keyword, _, rest = chunk.data.partition(b"\0")
    fields = {"tEXt": 0, "zTXt": 1, "iTXt": 2}[chunk.type]
    head = rest[:fields]
    if chunk.type == "iTXt":
        head += b"".join(part + b"\0" for part in rest[fields:].split(b"\0", 2)[:2])
    compressed = chunk.type == "zTXt" or head[:1] == b"\1"
    text, behind = rest[len(head) :], b""
    try:
        text, behind = _inflated(text, most) if compressed else (text, behind)
    except zlib.error:
        return None
    if len(text) > most:
        raise TooLong
    return Text(chunk.type, keyword, keyword + b"\0" + head, compressed, text, behind)


def profile(chunks: Iterable[Chunk]) -> bytes | None:
    """Return the colour profile of an iCCP chunk (11.3.2.3); None as in `profile_parts`."""
    data = next((chunk.data for chunk in chunks if chunk.type == "iCCP"), None)
    parts = profile_parts(data) if data is not None else None
    return parts[0] if parts else None


def profile_parts(data: bytes) -> tuple[bytes, bytes] | None:
    """Return the colour profile of an iCCP chunk, and what follows its stream.

    None when it cannot be inflated, or holds more than any profile.
    """
    try:
        return _inflated(data.partition(b"\0")[2][1:], _MOST_PROFILE)
    except (zlib.error, TooLong):
        return None


def raw_profile_kind(keyword: bytes) -> str | None:
    """Return ``exif``, ``APP1``, ``xmp``, ``8bim``... for a raw profile's keyword."""
    return (
        keyword[len(_RAW_PROFILE) :].decode("latin-1") if keyword.startswith(_RAW_PROFILE) else None
    )


def raw_profile(text: bytes) -> bytes | None:
    """Return the bytes of a raw profile, None where it is none."""
    match = _PROFILE.match(text)
    digits = b"".join(match[4].split()) if match else b""
    return binascii.unhexlify(digits) if match and len(digits) % 2 == 0 else None


def with_raw_profile(text: bytes, after: bytes) -> bytes:
    """Return a raw profile's text for other bytes; the text itself where nothing changes."""
    match = _PROFILE.match(text)
    if not match or after == raw_profile(text):
        return text
    digits = binascii.hexlify(after)
    lines = [digits[at : at + 2 * _LINE] for at in range(0, len(digits), 2 * _LINE)]
    return match[1] + b"%d" % len(after) + match[3] + b"\n".join([*lines, b""])


def _inflated(data: bytes, most: int) -> tuple[bytes, bytes]:
    """Return what a stream holds, and what follows it."""
    inflate = zlib.decompressobj()
    text = inflate.decompress(data, most + 1)
    if len(text) > most:
        raise TooLong
    if not inflate.eof:
        raise zlib.error("it ends too early")
    return text, inflate.unused_data
