"""TIFF's directories: tags in, tags out; classic and big, either byte order (TIFF 6.0, BigTIFF)."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cropkit.errors import CorruptImage, Truncated, UnsupportedFormat
from cropkit.formats.limits import check_parts

EXIF, GPS, INTEROPERABILITY, SUB_IFDS = 34665, 34853, 40965, 330
# Directories that hold no picture, by the tag that points to them.
SUB_DIRECTORIES = (EXIF, GPS, INTEROPERABILITY)
BYTE, ASCII, SHORT, LONG, UNDEFINED, DOUBLE, IFD, LONG8, IFD8 = 1, 2, 3, 4, 7, 12, 13, 16, 18
_WIDTHS: Final = {
    **dict.fromkeys((1, 2, 6, 7), 1),
    **dict.fromkeys((3, 8), 2),
    **dict.fromkeys((4, 9, 11, 13), 4),
    **dict.fromkeys((5, 10, 12, 16, 17, 18), 8),
}
_INTEGERS: Final = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
_MOST_DIRECTORIES = 4096

Numbers = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Form:
    """How numbers and directories are laid out in a file."""

    order: str
    big: bool

    @property
    def number(self) -> struct.Struct:
        """An offset, and how many entries' worth of anything."""
        return struct.Struct(f"{self.order}{'Q' if self.big else 'I'}")

    @property
    def head(self) -> struct.Struct:
        """How many entries a directory has."""
        return struct.Struct(f"{self.order}{'Q' if self.big else 'H'}")

    @property
    def entry(self) -> struct.Struct:
        """Tag, type, count, and the value or where it is."""
        return struct.Struct(f"{self.order}HH{'Q8s' if self.big else 'I4s'}")

    @property
    def inline(self) -> int:
        """Bytes of a value that stands in its entry."""
        return self.number.size

    @property
    def first_at(self) -> int:
        """Where the header says where the first directory is."""
        return 8 if self.big else 4

    def table_length(self, entries: int) -> int:
        """Return the length of a directory without its values."""
        return self.head.size + entries * self.entry.size + self.number.size

    def packed(self, kind: int, values: Sequence[int] | Numbers) -> bytes:
        """Return integers as bytes of that type."""
        return np.asarray(values, np.uint64).astype(f"{self.order}{_INTEGERS[kind]}").tobytes()


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: its type, its value's bytes, and where they stood; `at` is 0 for inline ones."""

    tag: int
    kind: int
    data: bytes
    at: int = 0

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.data) // _WIDTHS[self.kind]

    def numbers(self, form: Form) -> Numbers:
        """Return the values, none where they are not unsigned integers."""
        code = _INTEGERS.get(self.kind)
        if code is None:
            return np.zeros(0, np.uint64)
        return np.frombuffer(self.data, f"{form.order}{code}").astype(np.uint64)

    def of_data(self, data: bytes) -> "Entry":
        """Return the entry with another value, which stays in its place while it fits there."""
        data += bytes(-len(data) % _WIDTHS[self.kind])  # some writers call text numbers
        return replace(self, data=data, at=self.at if len(data) <= len(self.data) else 0)

    def of_numbers(self, form: Form, values: Sequence[int] | Numbers) -> "Entry":
        """Return the entry with other values, in a wider type where its own is too narrow."""
        most = max((int(v) for v in values), default=0)
        kind = self.kind
        if most >= 1 << 8 * _WIDTHS[kind]:
            kind = LONG if most >> 32 == 0 else LONG8
        return replace(self.of_data(form.packed(kind, values)), kind=kind)


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory, where it stood, and those that its tags point to."""

    at: int
    entries: tuple[Entry, ...]
    subs: dict[int, "Directory"] = field(default_factory=dict)

    def first(self, tag: int) -> Entry | None:
        """Return the first entry of a tag."""
        return next((e for e in self.entries if e.tag == tag), None)

    @property
    def said(self) -> tuple[object, ...]:
        """What it says, wherever it stands."""
        own = tuple((e.tag, e.kind, e.data) for e in self.entries)
        return own, tuple((tag, sub.said) for tag, sub in sorted(self.subs.items()))

    def walk(self) -> Iterator["Directory"]:
        """Yield this directory and all below it."""
        yield self
        for sub in self.subs.values():
            yield from sub.walk()


@dataclass(frozen=True, slots=True)
class Tiff:
    """A TIFF's directories taken apart; pixels stay where they are.

    ``pages`` are those that follow the first, ``children`` those of pictures below it.
    """

    form: Form
    first: Directory
    pages: tuple[Directory, ...]
    children: tuple[Directory, ...]

    @property
    def claimed(self) -> Iterator[tuple[int, int]]:
        """Place and length of the header, of every table and of every value."""
        yield 0, self.form.first_at + self.form.number.size
        for page in (self.first, *self.pages, *self.children):
            for directory in page.walk():
                yield directory.at, self.form.table_length(len(directory.entries))
                yield from ((e.at, len(e.data)) for e in directory.entries if e.at)


def parse(data: bytes, name: str) -> Tiff:
    """Take a TIFF apart.

    Raises
    ------
    Truncated, CorruptImage, UnsupportedFormat
    """
    return _Reader(data, name).read()


class _Reader:
    """Reads directories, each once, and only as many bytes as the file can hold."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._name = data, name
        self._seen: set[int] = set()
        self._claimed = self._entries = 0
        self._form = self._read_form()

    def read(self) -> Tiff:
        chain = [self._directory(self._offset(self._form.first_at))]
        while following := self._next(chain[-1]):
            chain.append(self._directory(following))
        first, *pages = chain
        children = [self._directory(int(at)) for at in self._pointers(first, SUB_IFDS)]
        for tag in SUB_DIRECTORIES:  # some writers hang the last one here, and not below EXIF
            for at in self._pointers(first, tag)[:1]:
                first.subs[tag] = self._directory(int(at))
        if EXIF in first.subs:
            for at in self._pointers(first.subs[EXIF], INTEROPERABILITY)[:1]:
                first.subs[EXIF].subs[INTEROPERABILITY] = self._directory(int(at))
        return Tiff(self._form, first, tuple(pages), tuple(children))

    def _read_form(self) -> Form:
        order = {b"II": "<", b"MM": ">"}.get(self._data[:2])
        if order is None or len(self._data) < 8:  # noqa: PLR2004  (a header's length)
            raise CorruptImage(self._name, "it does not begin as a TIFF")
        (version,) = struct.unpack_from(f"{order}H", self._data, 2)
        if version not in (42, 43):
            raise CorruptImage(self._name, f"version {version} of TIFF")
        return Form(order, big=version == 43)  # noqa: PLR2004  (BigTIFF's)

    def _directory(self, at: int) -> Directory:
        if at in self._seen or len(self._seen) >= _MOST_DIRECTORIES:
            raise CorruptImage(self._name, "its directories point back at each other, or never end")
        self._seen.add(at)
        form = self._form
        (count,) = self._unpacked(form.head, at)
        if form.table_length(count) > len(self._data):
            raise Truncated(self._name, "inside a directory")
        self._entries += count
        check_parts(self._name, "directory entries", self._entries)
        starts = (at + form.head.size + i * form.entry.size for i in range(count))
        return Directory(at, tuple(self._entry(start) for start in starts))

    def _entry(self, start: int) -> Entry:
        tag, kind, count, value = self._unpacked(self._form.entry, start)
        if kind not in _WIDTHS:
            raise CorruptImage(self._name, f"tag {tag} is of no type that there is")
        length = count * _WIDTHS[kind]
        if length <= self._form.inline:
            return Entry(tag, kind, value[:length])
        (at,) = self._form.number.unpack(value)
        self._claimed += length
        if at + length > len(self._data):
            raise Truncated(self._name, f"tag {tag} reaches beyond the end")
        if self._claimed > 2 * len(self._data):
            raise CorruptImage(self._name, "its tags share each other's values")
        return Entry(tag, kind, self._data[at : at + length], at)

    def _next(self, directory: Directory) -> int:
        table = self._form.table_length(len(directory.entries))
        link = directory.at + table - self._form.number.size
        # Some writers leave the link of the last directory out.
        return self._offset(link) if link + self._form.number.size <= len(self._data) else 0

    def _offset(self, at: int) -> int:
        (offset,) = self._unpacked(self._form.number, at)
        return int(offset)

    def _pointers(self, directory: Directory, tag: int) -> Numbers:
        entry = directory.first(tag)
        return np.zeros(0, np.uint64) if entry is None else entry.numbers(self._form)

    def _unpacked(self, layout: struct.Struct, at: int) -> tuple[Any, ...]:
        if at + layout.size > len(self._data):
            raise Truncated(self._name, "inside a directory")
        return layout.unpack_from(self._data, at)


def refuse_pointers(directory: Directory, name: str) -> None:
    """Raise `UnsupportedFormat` for directories that nobody here knows how to move."""
    for entry in directory.entries:
        known = (*SUB_DIRECTORIES, SUB_IFDS)
        if entry.kind in (IFD, IFD8) and entry.tag not in known:
            raise UnsupportedFormat(name, f"a TIFF with the directory {entry.tag}")
