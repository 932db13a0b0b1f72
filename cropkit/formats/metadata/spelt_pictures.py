"""Pictures that a text spells out otherwise than in a run of base64 or hexadecimal digits.

Lists of numbers, pairs of digits that stand apart, base64 in short pieces: what they stand for is
looked into. Bytes in escapes as programs print them, base85 and uuencoding: of these the beginnings
of pictures are known. Texts of two bytes a character are read as those of one.
"""

import binascii
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

_APART = rb"[^0-9A-Za-z.+\-]{1,24}+"
_TWO = rb"(?:0?[xX]|u00)?[0-9A-Fa-f]{2}"
# Each run is taken whole, however long it is: so that the searches are linear.
_DECIMAL = re.compile(rb"(?<![0-9A-Za-z.+\-])[0-9]{1,3}+(?:" + _APART + rb"[0-9]{1,3}+)++")
_PAIRS = re.compile(rb"(?<![0-9A-Za-z])" + _TWO + rb"(?:[^0-9A-Za-z]{1,24}+" + _TWO + rb")++")
_NUMBER, _PAIR = re.compile(rb"[0-9]{1,3}"), re.compile(rb"(?:0?[xX]|u00)?([0-9A-Fa-f]{2})")
_LEAST, _LARGEST = 64, 255
# So many numbers are no list of settings any more, and so many pairs of digits no fingerprint.
_MANY_NUMBERS, _MANY_PAIRS = 2048, 256
# As long as that, no words of a language do with the letters of hexadecimal numbers.
_LETTERS = re.sub(rb"[A-Fa-fXxu]", b"", string.ascii_letters.encode())
_CLASSES = bytes(ord("A") if byte in _LETTERS else ord(".") for byte in range(256))
_NO_WORDS = re.compile(rb"\." * (2 * _LEAST) + rb"\.*+")

# JPEG, PNG, WebP, GIF in base64; what stands between its pieces is left out.
_PIECES = tuple(map(re.compile, (rb"/9j", rb"iVBO", rb"UklG", rb"R0lG")))
_DIGITS = (string.ascii_letters + string.digits + "+/").encode()
_NO_DIGITS = bytes(set(range(256)).difference(_DIGITS))
_WINDOW, _MOST_STARTS = 1 << 18, 16  # characters that are read from a beginning, and beginnings

_WORDS = ((b"&lt;", b"<"), (b"&gt;", b">"), (b"&quot;", b'"'), (b"&apos;", b"'"), (b"&amp;", b"&"))
# The same, where a byte that is no letter is written by an escape, or as two bytes of UTF-8; in the
# first line of uuencoding; in base85 as Adobe, RFC 1924 and ZeroMQ write it. A search for what
# begins with one sign costs a tenth of one for what may begin with many.
_ESCAPES = rb"(?:[\\%=]|&#|[\xc2\xc3])"
_BEGINNINGS = tuple(
    re.compile(beginning + rb"[\s\S]{64}")
    for beginning in (
        rb"\\(?:x[fF]{2}\\x[dD]8\\x[fF]{2}|u00[fF]{2}\\u00[dD]8\\u00[fF]{2}|377\\330\\377)",
        rb"\\(?:(?:x89|u0089|211)PNG|211\\120\\116|107\\111\\106\\|122\\111\\106\\106)",
        rb"%(?:[fF]{2}%[dD]8%[fF]{2}|89PNG)",
        rb"=(?:[fF]{2}=[dD]8=[fF]{2}|89PNG)",
        rb"&#[xX](?:[fF]{2};&#[xX][dD]8;&#[xX][fF]{2}|89;PNG)",
        rb"\xc3\xbf\xc3\x98\xc3\xbf",
        rb"\xc2\x89PNG",
        rb"RIFF[^\s]{4,40}WEBPVP8",
        rb"GIF8[79]a[^\s]{0,2}" + _ESCAPES,
        rb"/\* XPM \*/",
        rb"\nM(?:_\]C_|B5!\.1PT|4DE&1|1TE&\.)[ -`]{52}",
    )
) + tuple(
    re.compile(beginning + rb"[!-~\r\n]{64}")
    for beginning in (
        *(rb"s4I[@A]", rb"M,6r;", rb";Fs>I", rb"7nH00"),
        *(rb"\|Je[UVW]", rb"iBL\{Q", rb"Qb\|Te", rb"M@dFF"),
        *(rb"%jE[uvw]", rb"Ibl@q", rb"qB%tE", rb"m\[Dff"),
    )
)


@dataclass(frozen=True, slots=True)
class Spelt:
    """Bytes that a text spells out; from `many` on they are more than a person wrote."""

    data: bytes
    many: int


def spelt(text: bytes) -> Iterator[Spelt]:
    """Yield the bytes that stand in a text as numbers, as pairs of digits, in pieces of base64."""
    text = _plain(text)
    for span in _NO_WORDS.finditer(text.translate(_CLASSES)):
        yield from _numbers(text[span.start() : span.end()])
    for piece in _PIECES:
        for start in islice(piece.finditer(text), _MOST_STARTS):
            digits = text[start.start() : start.start() + _WINDOW].translate(None, _NO_DIGITS)
            yield Spelt(binascii.a2b_base64(digits[: len(digits) // 4 * 4]), _WINDOW)


def _numbers(text: bytes) -> Iterator[Spelt]:
    for run in _DECIMAL.finditer(text):
        numbers = [int(number) for number in _NUMBER.findall(run[0][:_WINDOW])]
        if len(numbers) >= _LEAST and max(numbers) <= _LARGEST:
            yield Spelt(bytes(numbers), _MANY_NUMBERS)
    for run in _PAIRS.finditer(text):
        if len(run[0]) >= 3 * _LEAST:
            pairs = _PAIR.findall(run[0][:_WINDOW])
            yield Spelt(binascii.unhexlify(b"".join(pairs)), _MANY_PAIRS)


def begins_picture(text: bytes) -> bool:
    """Whether the beginning of a picture stands in a text, with more of it behind."""
    text = _plain(text)
    return any(beginning.search(text) for beginning in _BEGINNINGS)


def _plain(text: bytes) -> bytes:
    """Return the text in one byte a character, with signs as they are that XML writes as words."""
    text = text.translate(None, b"\0")  # where there are many, a tenth of the time of `replace`
    for word, sign in _WORDS if b"&" in text else ():
        text = text.replace(word, sign)
    return text
