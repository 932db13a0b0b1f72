"""A TIFF block, as EXIF uses it, edited in place: nothing in it ever moves.

MakerNotes hold offsets into the block that nobody but their maker understands, so an edit here
changes values, blanks bytes and unlinks entries, and keeps the length (TIFF 6.0, CIPA DC-008).
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_WIDTHS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_INTEGERS: Final = {1: "B", 3: "H", 4: "I", 13: "I"}
_ENTRY = 12
_INLINE = 4
_MOST_ENTRIES = 1024
_MOST_DIRECTORIES = 8
_MOST_NUMBERS = 1 << 16


class TiffDamage(ValueError):
    """The block does not hold together."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: where its entry is, and where its value is."""

    tag: int
    kind: int
    count: int
    at: int
    value_at: int
    length: int


class TiffBlock:
    """The block under edit; offsets are from its first byte."""

    def __init__(self, data: bytes) -> None:
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
        if order is None:
            raise TiffDamage("no TIFF header")
        self.data = bytearray(data)
        self._order = order
        self._read: set[int] = set()
        self.first = self._number("I", 4)

    def entries(self, ifd: int) -> list[Entry]:
        """Return the entries of the directory at an offset."""
        count = self._number("H", ifd)
        if count > _MOST_ENTRIES:
            raise TiffDamage(f"{count} entries")
        self._read.add(ifd)
        if len(self._read) > _MOST_DIRECTORIES:
            raise TiffDamage("more directories than there are kinds of")
        return [self._entry(ifd + 2 + _ENTRY * i) for i in range(count)]

    def sound_entries(self, ifd: int) -> list[Entry]:
        """Return the entries of a directory that hold together, without the others."""
        entries: list[Entry] = []
        with suppress(TiffDamage):
            for number in range(min(self._number("H", ifd), _MOST_ENTRIES)):
                with suppress(TiffDamage):
                    entries.append(self._entry(ifd + 2 + _ENTRY * number))
        return entries

    def table(self, ifd: int) -> range:
        """Return the bytes that a directory's own table covers."""
        return range(ifd, ifd + 2 + _ENTRY * self._number("H", ifd) + 4)

    def next(self, ifd: int) -> int:
        """Return the offset of the directory after this one, 0 when it is the last."""
        link = self.table(ifd).stop - 4
        return self._number("I", link) if link + 4 <= len(self.data) else 0

    def unlink_next(self, ifd: int) -> None:
        """Make a directory the last one."""
        self._put("I", self.table(ifd).stop - 4, 0)

    def integers(self, entry: Entry) -> tuple[int, ...]:
        """Return an entry's values when they are unsigned integers, else nothing."""
        code = _INTEGERS.get(entry.kind)
        if code is None:
            return ()
        if entry.count > _MOST_NUMBERS:
            raise TiffDamage(f"{entry.count} numbers in one tag")
        return struct.unpack_from(f"{self._order}{entry.count}{code}", self.data, entry.value_at)

    def write(self, entry: Entry, values: tuple[int, ...]) -> bool:
        """Put new values in place of the old; False when they do not fit their type."""
        code = _INTEGERS[entry.kind]
        if any(v >= 1 << (8 * struct.calcsize(f"={code}")) for v in values):
            return False
        struct.pack_into(f"{self._order}{len(values)}{code}", self.data, entry.value_at, *values)
        return True

    def remove(self, ifd: int, tag: int) -> None:
        """Unlink a tag: later entries and the link close up, the room is left blank."""
        entry = next(e for e in self.entries(ifd) if e.tag == tag)
        if entry.length > _INLINE:
            self.blank(range(entry.value_at, entry.value_at + entry.length))
        end = self.table(ifd).stop
        self._put("H", ifd, self._number("H", ifd) - 1)
        moved = self.data[entry.at + _ENTRY : end]
        self.data[entry.at : end] = moved + bytes(_ENTRY)

    def shorten(self, entry: Entry, value: bytes) -> None:
        """Put a value that is no longer in the place of an entry's own; the rest is left blank."""
        self.data[entry.value_at : entry.value_at + entry.length] = value.ljust(entry.length, b"\0")
        width = _WIDTHS.get(entry.kind, 1)
        self._put("I", entry.at + 4, -(-len(value) // width))

    def value(self, entry: Entry) -> bytes:
        """Return the bytes of an entry's value."""
        return bytes(self.data[entry.value_at : entry.value_at + entry.length])

    def blank(self, span: range) -> None:
        """Overwrite bytes with zeros."""
        stop = min(span.stop, len(self.data))
        self.data[span.start : stop] = bytes(max(0, stop - span.start))

    def blank_where(self, mask: npt.NDArray[np.bool_]) -> None:
        """Overwrite the bytes that a mask of the block's length chooses with zeros."""
        np.frombuffer(self.data, np.uint8)[mask] = 0

    def spans(self, ifd: int) -> Iterator[range]:
        """Yield every range of bytes that a directory owns."""
        yield self.table(ifd)
        for entry in self.entries(ifd):
            yield range(entry.value_at, entry.value_at + entry.length)

    def _entry(self, at: int) -> Entry:
        tag, kind = self._number("H", at), self._number("H", at + 2)
        count = self._number("I", at + 4)
        length = _WIDTHS.get(kind, 1) * count
        value_at = at + 8 if length <= _INLINE else self._number("I", at + 8)
        if value_at + length > len(self.data):
            raise TiffDamage(f"tag {tag:#06x} reaches outside the block")
        return Entry(tag, kind, count, at, value_at, length)

    def _number(self, code: str, at: int) -> int:
        if at + struct.calcsize(f"={code}") > len(self.data):
            raise TiffDamage("a directory reaches outside the block")
        (value,) = struct.unpack_from(f"{self._order}{code}", self.data, at)
        return int(value)

    def _put(self, code: str, at: int, value: int) -> None:
        struct.pack_into(f"{self._order}{code}", self.data, at, value)
