"""Whether a part of a file may hide a picture of the old frame: all that is carried is asked.

A part that is known by its structure is searched for pictures. Text is also searched for bytes that
it spells out. What is neither is carried while it is too short for a picture, and else not: nothing
stays that nobody could look into.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from cropkit.formats.metadata.crop_change import SHOWS_MORE
from cropkit.formats.metadata.embedded_pictures import holds_picture
from cropkit.formats.metadata.encoded_bytes import Encoded, encoded_bytes, unescaped
from cropkit.formats.metadata.spelt_pictures import begins_picture, spelt

UNSEEN = "what it holds cannot be looked into, and may show what was cropped out"
MOST_UNSEEN = 256  # bytes: fewer than any picture has in which something is to be seen
_LEAST_PICTURE = 64
_MOST_OUT_OF_ONE = 16  # bytes of text that one byte of a stream may stand for
_ROOM = 1 << 12
_SAMPLE = 1 << 16
_ANY_HEADER, _NO_HEADER = 47, -15  # window bits, as zlib takes them: zlib's or gzip's header; none
_CONTROLS = bytes((*range(9), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F))
_LETTERS = bytes((9, 10, 13, *range(0x20, 0x7F)))
_CODINGS = ("utf-8", "gbk", "shift_jis", "euc_jp", "big5", "euc_kr", "cp949")
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
# How much shorter a repetition deflates, but for what is a stream's own.
_REPEATED, _STREAM = 32, 16
_MOST_NESTED = 2
_STRETCH = 512  # bytes of a text: it is looked at by such
_TO_BLANKS = bytes((0, *b" " * 255))


@dataclass(frozen=True, slots=True)
class Hidden:
    """A stretch of a text that may not stay, and why."""

    span: range
    reason: str


def unfit(data: bytes) -> str | None:
    """Return why a part of which no more is known may not be carried; None when it may."""
    if is_text(data):
        return next((each.reason for each in hidden(data)), None) or _unfit_unescaped(data)
    if holds_picture(data) or any(holds_picture(e.data) for e in _spelt(data)):
        return SHOWS_MORE
    return UNSEEN if len(data.strip(b"\0")) > MOST_UNSEEN and not _is_filling(data) else None


def without_hidden(text: bytes, *, in_place: bool = False) -> tuple[bytes, str | None]:
    """Return a text without the bytes that it spells out and that may not stay, and why not.

    Nothing is left of a text that hides them behind escapes.

    Parameters
    ----------
    in_place : whether blanks have to stand where something is cut out, so that nothing moves
    """
    kept, at, reason = list[bytes](), 0, None
    for each in sorted(hidden(text), key=lambda each: each.span.start):
        kept += [text[at : each.span.start], _cut(text, each.span) if in_place else b""]
        at, reason = each.span.stop, each.reason if reason != SHOWS_MORE else reason
    after = b"".join([*kept, text[at:]])
    more = _unfit_unescaped(after)
    if more:
        return (_cut(text, range(len(text))) if in_place else b""), more
    return after, reason


def _cut(text: bytes, span: range) -> bytes:
    """Return blanks, of one byte or of two as the letters were."""
    return text[span.start : span.stop].translate(_TO_BLANKS)


def hidden(text: bytes, depth: int = 0) -> Iterator[Hidden]:
    """Yield each stretch of a text that spells out bytes which may not stay."""
    for each in _spelt(text):
        reason = _unfit_bytes(each.data, depth)
        if reason:
            yield Hidden(each.span, reason)


def is_text(data: bytes) -> bool:
    """Whether bytes are words in one of the codings that programs write."""
    data = data.removeprefix(b"UNICODE\0").strip(b"\0")
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if controls > len(data) // 50:
        return data.count(0) > len(data) // 5 and any(_reads(data, coding) for coding in _WIDE)
    letters = len(data) - len(data.translate(None, _LETTERS))
    return letters >= len(data) * 7 // 10 or any(_reads(data, coding) for coding in _CODINGS)


def _reads(data: bytes, coding: str) -> bool:
    data = data.ljust(-(-len(data) // 4) * 4, b"\0") if coding in _WIDE else data
    try:
        words = data.decode(coding)
    except UnicodeDecodeError:
        return False
    if words.isprintable():
        return True
    return sum(not (c.isprintable() or c.isspace() or c == "\0") for c in words) <= len(words) // 50


def _spelt(text: bytes) -> Iterator[Encoded]:
    return encoded_bytes(text, _LEAST_PICTURE)


def _unfit_unescaped(text: bytes) -> str | None:
    plain = unescaped(text)
    reasons = () if plain == text else (each.reason for each in hidden(plain))
    return next(iter(reasons), None) or _unfit_otherwise(text)


def _unfit_otherwise(text: bytes) -> str | None:
    """Return why a text may not stay that spells bytes in other ways, or has them in between."""
    if len(text) < MOST_UNSEEN:  # a letter stands for a byte at most
        return None
    if _is_interrupted(text):
        return SHOWS_MORE if holds_picture(text) else UNSEEN
    if begins_picture(text):
        return SHOWS_MORE
    for each in spelt(text):
        if holds_picture(each.data):
            return SHOWS_MORE
        if len(each.data) >= each.many and not (is_text(each.data) or _is_filling(each.data)):
            return UNSEEN
    return None


def _is_interrupted(text: bytes) -> bool:
    """Whether a stretch of a text is none, although there are words enough around it."""
    stretches = (text[at : at + _STRETCH] for at in range(0, len(text), _STRETCH))
    return 0 < _controls(text) <= len(text) // 50 and any(
        _controls(each) > len(each) // 50 for each in stretches
    )


def _controls(text: bytes) -> int:
    """Return how many signs there are that no words have; zeros fill up, and widen characters."""
    return len(text) - len(text.translate(None, _CONTROLS[1:]))


def _unfit_bytes(data: bytes, depth: int) -> str | None:
    """Return why bytes that a text spells out may not stay."""
    if holds_picture(data):
        return SHOWS_MORE
    if is_text(data):
        deeper = hidden(data, depth + 1) if depth < _MOST_NESTED else iter(())
        return next((each.reason for each in deeper), None if depth < _MOST_NESTED else UNSEEN)
    inflated = _inflated(data) if depth == 0 else b""
    if inflated:
        return _unfit_bytes(inflated, 1)
    return UNSEEN if len(data) > MOST_UNSEEN and not _is_filling(data) else None


def _inflated(data: bytes) -> bytes:
    """Return what a stream holds, nothing where it is none, or holds more than text would."""
    for bits in (_ANY_HEADER, _NO_HEADER):
        inflating = zlib.decompressobj(bits)
        try:
            inflated = inflating.decompress(data, _MOST_OUT_OF_ONE * len(data) + _ROOM)
        except zlib.error:
            continue
        if inflating.eof and not inflating.unused_data:
            return inflated
    return b""


def _is_filling(data: bytes) -> bool:
    """Whether the same few bytes stand there again and again."""
    start = data[:_SAMPLE]
    return (len(zlib.compress(start, 1)) - _STREAM) * _REPEATED < len(start)
