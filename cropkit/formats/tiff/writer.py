"""A TIFF put together again: what stood before the pixels stays there, the rest follows them.

Only what a directory refers to is carried. What stays in place keeps offsets into the file true
that nobody here understands, such as those of a MakerNote.
"""

from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from cropkit.formats.tiff.codecs import Bytes
from cropkit.formats.tiff.directory import Directory, Entry, Form

_PIXELS_ALIGNED = 8
_Place = Callable[[int, int], int]


@dataclass(frozen=True, slots=True)
class Written:
    """A file, the directory that it begins with, and where its strips or tiles are."""

    data: bytes
    directory: Directory
    spans: tuple[tuple[int, int], ...]


def assembled(
    form: Form, root: Directory, pixels: Sequence[Bytes], offsets_tag: int, pixels_at: int
) -> Written:
    """Return the file.

    Parameters
    ----------
    root : as it is to be, but for the values of `offsets_tag` and of pointers to directories
    pixels_at : where the first pixel stood
    """
    room = _Room(form, pixels_at)
    kept = _placed(root, form, room.keep)
    starts = room.take_for_pixels(pixels)
    placed = _placed(kept, form, room.append)
    final = _pointing(placed, form, {offsets_tag: starts})
    spans = tuple((at, len(data)) for at, data in zip(starts, pixels, strict=True))
    return Written(_joined(form, final, starts[0], pixels), final, spans)


def without_pixels(form: Form, root: Directory) -> bytes:
    """Return a file of tags alone, as EXIF is; every value gets a new place."""
    room = _Room(form, 0)
    start = form.first_at + form.number.size
    room.take_for_pixels(())
    placed = _placed(root, form, lambda _at, length: room.append(0, length))
    return _joined(form, _pointing(placed, form, {}), start, ())


class _Room:
    """Which bytes of the new file are taken."""

    def __init__(self, form: Form, pixels_at: int) -> None:
        self._aligned = form.number.size if form.big else 2
        self._pixels_at = pixels_at
        self._taken = [(0, form.first_at + form.number.size)]
        self._end = 0

    def keep(self, at: int, length: int) -> int:
        """Take the old place where it is before the pixels and free; else return 0."""
        index = bisect(self._taken, (at, 0))
        after = self._taken[index][0] if index < len(self._taken) else self._pixels_at
        if not at or at < self._taken[index - 1][1] or at + length > after:
            return 0
        self._taken.insert(index, (at, at + length))
        return at

    def take_for_pixels(self, pixels: Sequence[Bytes]) -> list[int]:
        """Return where strips or tiles start: one behind the other, after what stays."""
        first = _rounded_up(self._taken[-1][1], _PIXELS_ALIGNED)
        *starts, self._end = accumulate(map(len, pixels), initial=first)
        return starts

    def append(self, at: int, length: int) -> int:
        """Return a place behind the pixels for what has none."""
        if at:
            return at
        place = _rounded_up(self._end, self._aligned)
        self._end = place + length
        return place


def _placed(directory: Directory, form: Form, place: _Place) -> Directory:
    def moved(entry: Entry) -> Entry:
        is_long = len(entry.data) > form.inline
        return replace(entry, at=place(entry.at, len(entry.data)) if is_long else 0)

    at = place(directory.at, form.table_length(len(directory.entries)))
    entries = tuple(moved(entry) for entry in directory.entries)
    subs = {tag: _placed(sub, form, place) for tag, sub in directory.subs.items()}
    return Directory(at, entries, subs)


def _pointing(directory: Directory, form: Form, numbers: Mapping[int, Sequence[int]]) -> Directory:
    """Fill in offsets, now that they are known; lengths stay."""
    subs = {tag: _pointing(sub, form, {}) for tag, sub in directory.subs.items()}
    known = {**numbers, **{tag: [sub.at] for tag, sub in subs.items()}}

    def filled(entry: Entry) -> Entry:
        values = known.get(entry.tag)
        return entry if values is None else replace(entry, data=form.packed(entry.kind, values))

    return Directory(directory.at, tuple(filled(e) for e in directory.entries), subs)


def _joined(form: Form, root: Directory, start: int, pixels: Sequence[Bytes]) -> bytes:
    end = start + sum(map(len, pixels))
    before, after = bytearray(start), bytearray()
    head = (b"II" if form.order == "<" else b"MM") + form.packed(
        3, [43, 8, 0] if form.big else [42]
    )
    for at, data in ((0, head + form.number.pack(root.at)), *_pieces(root, form)):
        part, base = (before, 0) if at < start else (after, end)
        part.extend(bytes(max(0, at - base + len(data) - len(part))))
        part[at - base : at - base + len(data)] = data
    return b"".join((before, *pixels, after))


def _pieces(root: Directory, form: Form) -> Iterator[tuple[int, bytes]]:
    for directory in root.walk():
        yield directory.at, _table(directory, form)
        for entry in directory.entries:
            if len(entry.data) > form.inline:
                yield entry.at, entry.data


def _table(directory: Directory, form: Form) -> bytes:
    rows = [form.head.pack(len(directory.entries))]
    for e in directory.entries:
        value = e.data if len(e.data) <= form.inline else form.number.pack(e.at)
        rows.append(form.entry.pack(e.tag, e.kind, e.count, value))
    return b"".join(rows) + bytes(form.number.size)


def _rounded_up(at: int, step: int) -> int:
    return -(-at // step) * step
