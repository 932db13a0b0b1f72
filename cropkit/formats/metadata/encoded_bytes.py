"""Bytes that stand in a text as base64 or hexadecimal digits, and where.

Texts of one byte a character and of two (UTF-16) are gone through in the same way. Each byte is
looked at a bounded number of times.
"""

import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_CLASSES = bytes(
    ord("A") if byte in _ALPHABET else ord("0") if byte == 0 else ord(".") for byte in range(256)
)
# No word of a language is as long. They begin with literals: the search for one is linear.
_LEAST = 24
_NARROW = re.compile(b"A" * _LEAST + b"A*+")
_WIDE = re.compile(b"A0" * _LEAST + b"(?:A0)*+A?+")
# What stands between two lines: blanks and breaks, also as XML, JSON and addresses write them.
_BREAK = rb"(?:\s|\0|&#[xX]?0{0,6}(?:9|1?0|13|[aAdD]);|\\[nrt]|\\u000[aAdD]|%0[aAdD]|%20)"
_BREAKS = re.compile(_BREAK + rb"*+")
_LONGEST_BREAK = 240
_LAST_LINE = re.compile(_BREAK + rb"{1,12}+[A-Za-z0-9+/_\-\0]{1,47}+(?:(?:=|%3[dD])\0?){0,2}")
_PADDING = re.compile(rb"\0?(?:(?:=|%3[dD])\0?){0,2}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_HEX = re.compile(rb"[0-9a-fA-F]+\Z")
# Digits that JSON and addresses write in longer words; a text that has such is read a second time.
_ESCAPES = (
    *((rb"\/", b"/"), (b"%2F", b"/"), (b"%2f", b"/"), (b"%2B", b"+"), (b"%2b", b"+")),
    *(
        (prefix % digits, digit)
        for prefix in (rb"\u00%b", rb"\x%b", b"&#x%b;")
        for digits, digit in ((b"2F", b"/"), (b"2f", b"/"), (b"2B", b"+"), (b"2b", b"+"))
    ),
)
_SIGNS = {word[:1] for word, _ in _ESCAPES}  # most texts have none of them


@dataclass(frozen=True, slots=True)
class Encoded:
    """A stretch of a text, and the bytes that it stands for."""

    span: range
    data: bytes


def encoded_bytes(text: bytes, least: int) -> Iterator[Encoded]:
    """Yield each stretch of a text that stands for at least `least` bytes."""
    classes = text.translate(_CLASSES)
    for pattern in (_NARROW, _WIDE) if b"\0" in text else (_NARROW,):
        for pieces in _stretches(text, classes, pattern):
            digits = b"".join(text[p.start : p.stop] for p in pieces).replace(b"\0", b"")
            data = _decoded(digits) if len(digits) >= least else b""
            if len(data) >= least:
                yield Encoded(range(pieces[0].start, _end(text, pieces)), data)


def unescaped(text: bytes) -> bytes:
    """Return a text with those digits as they are that it writes in longer words."""
    for word, digit in _ESCAPES if any(sign in text for sign in _SIGNS) else ():
        text = text.replace(word, digit)
    return text


def _stretches(text: bytes, classes: bytes, pattern: re.Pattern[bytes]) -> Iterator[list[range]]:
    """Yield runs of digits, those together that nothing but breaks of lines stands between."""
    pieces: list[range] = []
    for run in pattern.finditer(classes):
        if pieces and not _is_break(text, pieces[-1].stop, run.start()):
            yield pieces
            pieces = []
        pieces.append(range(*run.span()))
    if pieces:
        yield pieces


def _is_break(text: bytes, start: int, stop: int) -> bool:
    return stop - start <= _LONGEST_BREAK and bool(_BREAKS.fullmatch(text, start, stop))


def _end(text: bytes, pieces: Sequence[range]) -> int:
    """Return where a stretch ends: behind its padding, and behind a last line that is short."""
    stop = pieces[-1].stop
    last = _LAST_LINE.match(text, stop) if len(pieces) > 1 else None
    padding = _PADDING.match(text, stop)
    return max(stop, *(match.end() for match in (last, padding) if match))


def _decoded(digits: bytes) -> bytes:
    if _HEX.match(digits):
        return binascii.unhexlify(digits[: len(digits) // 2 * 2])
    whole = digits[: len(digits) // 4 * 4].translate(_URL_SAFE)
    return binascii.a2b_base64(whole)
