"""HEIF's container (ISO 23008-12, ISO 14496-12 8.11): items with their data and properties."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cropkit.errors import AnimatedImage, CorruptImage, UnsupportedFormat
from cropkit.formats.heif.boxes import Box, box, boxes, full_box
from cropkit.formats.limits import check_parts

_FILLING = ("free", "skip", "wide")
_META = ("hdlr", "dinf", "pitm", "iinf", "iref", "iprp", "iloc", "idat", *_FILLING)
_IN_FILE, _IN_META = 0, 1
_MOST_NUMBER = 0xFFFF
_MOST_SHARED = 4  # times the file: tiles that are alike may be stored once
_ESSENTIAL, _WIDE_INDEX = 0x80, 0x8000
_INFE = 2  # the version that files of today have; 3 has larger numbers, older ones no type


@dataclass(frozen=True, slots=True)
class Property:
    """What an item is: its kind, the body of its box, and whether a reader has to know it."""

    kind: str
    data: bytes
    essential: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One item.

    Parameters
    ----------
    about : what stands behind its type: a name, and of a text its content type
    """

    number: int
    kind: str
    about: bytes
    data: bytes = field(repr=False)
    properties: tuple[Property, ...] = ()

    def first(self, kind: str) -> bytes | None:
        """Return the data of its first property of a kind."""
        return next((each.data for each in self.properties if each.kind == kind), None)

    @property
    def content_type(self) -> str:
        """Of a text (kind `mime`), as it is stated."""
        texts = self.about.split(b"\0")
        return texts[1].decode("latin-1") if self.kind == "mime" and len(texts) > 1 else ""


@dataclass(frozen=True, slots=True)
class Reference:
    """That one item speaks of others, and how."""

    kind: str
    source: int
    targets: tuple[int, ...]


@dataclass(frozen=True)
class Heif:
    """A file taken apart.

    Parameters
    ----------
    brands : body of the first box, which says who can read the file
    handler : body of `hdlr`
    others : kinds and bodies of boxes beside the items, at the top and in `meta`
    loose : bytes of media data that no item has
    """

    brands: bytes
    handler: bytes
    primary: int
    items: tuple[Item, ...]
    references: tuple[Reference, ...]
    others: tuple[tuple[str, bytes], ...] = ()
    loose: int = 0

    @property
    def image(self) -> Item:
        """The primary item."""
        return self.item(self.primary)

    def item(self, number: int) -> Item:
        """Return an item by its number.

        Raises
        ------
        LookupError
            There is none.
        """
        return self.numbered[number]

    @cached_property
    def numbered(self) -> Mapping[int, Item]:
        """Every item by its number."""
        return {each.number: each for each in self.items}

    def targets(self, kind: str, source: int) -> tuple[int, ...]:
        """Return what an item speaks of in one way."""
        return self._spoken_of.get((kind, source), ())

    @cached_property
    def _spoken_of(self) -> Mapping[tuple[str, int], tuple[int, ...]]:
        """What is asked for each item: a hostile file has many of them, and more references."""
        every = dict[tuple[str, int], list[int]]()
        for each in self.references:
            every.setdefault((each.kind, each.source), []).extend(each.targets)
        return {key: tuple(numbers) for key, numbers in every.items()}

    def encoded(self) -> bytes:
        """Return the whole file: brands, items, and their data behind them."""
        head = box("ftyp", self.brands)
        begin = len(head) + len(self._meta(0)) + 8
        data = b"".join(item.data for item in self.items)
        return head + self._meta(begin) + box("mdat", data)

    def _meta(self, begin: int) -> bytes:
        return full_box(
            "meta",
            0,
            box("hdlr", self.handler),
            full_box("pitm", 0, struct.pack(">H", self.primary)),
            _locations(self.items, begin),
            _infos(self.items),
            *([_references(self.references)] if self.references else []),
            _properties(self.items),
        )


def parse(data: bytes, name: str) -> Heif:
    """Take a HEIF apart.

    Raises
    ------
    Truncated, CorruptImage, TooManyParts
    UnsupportedFormat
        What stands in it is of a form that no usual program writes.
    AnimatedImage
        It holds a sequence.
    """
    top = boxes(data, name)
    if not top or top[0].kind != "ftyp":
        raise CorruptImage(name, "it does not begin with its brands")
    if any(part.kind in ("moov", "moof") for part in top):
        raise AnimatedImage(name, "several")
    meta = _single(top, "meta", name)
    inside = boxes(data, name, meta.begin + 4, meta.begin + len(meta.body))
    items = tuple(_items(data, inside, name))
    read = sum(len(each.data) for each in items)
    held = sum(len(part.body) for part in (*top, *inside) if part.kind in ("mdat", "idat"))
    known = ("ftyp", "meta", "mdat", *_FILLING)
    others = [part for part in top if part.kind not in known]
    others += [part for part in inside if part.kind not in _META]
    loose = [part for part in (*top, *inside) if part.kind in _FILLING and part.body.strip(b"\0")]
    return Heif(
        brands=top[0].body,
        handler=_single(inside, "hdlr", name).body,
        primary=_number(_single(inside, "pitm", name), 4)[0],
        items=items,
        references=tuple(_read_references(data, inside, name)),
        others=tuple((part.kind, part.body) for part in others),
        loose=max(0, held - read) + sum(len(part.body) for part in loose),
    )


def _single(parts: tuple[Box, ...], kind: str, name: str) -> Box:
    matching = [part for part in parts if part.kind == kind]
    if len(matching) != 1:
        raise CorruptImage(name, f"{len(matching)} boxes {kind!r}, where there has to be one")
    return matching[0]


def _number(part: Box, at: int) -> tuple[int, int]:
    """Read an item's number, of 16 bits or (in later versions) 32; and where it ends."""
    wide = part.version > 0
    (number,) = struct.unpack_from(">I" if wide else ">H", part.body, at)
    return number, at + (4 if wide else 2)


def _items(data: bytes, inside: tuple[Box, ...], name: str) -> Iterator[Item]:
    info = _single(inside, "iinf", name)
    _, at = _number(info, 4)
    places = _read_locations(_single(inside, "iloc", name), name)
    _check_extent(places, data, name)
    described = _read_properties(data, inside, name)
    idat = next((part.body for part in inside if part.kind == "idat"), b"")
    entries = boxes(data, name, info.begin + at, info.begin + len(info.body))
    numbers = set[int]()
    for entry in entries:
        number, kind, about = _read_info(entry, name)
        check_parts(name, "items", len(numbers))
        if number in numbers:
            raise CorruptImage(name, f"two items of number {number}")
        numbers.add(number)
        held = _held(data, idat, places.get(number, ()), name)
        yield Item(number, kind, about, held, described.get(number, ()))


def _read_info(entry: Box, name: str) -> tuple[int, str, bytes]:
    if entry.kind != "infe" or entry.version not in (_INFE, _INFE + 1):
        raise UnsupportedFormat(name, "HEIF of an old form")
    wide = entry.version > _INFE
    number, protected, kind = struct.unpack_from(">IH4s" if wide else ">HH4s", entry.body, 4)
    if protected:
        raise UnsupportedFormat(name, "protected HEIF")
    if number > _MOST_NUMBER:
        raise UnsupportedFormat(name, f"HEIF with items beyond {_MOST_NUMBER}")
    return number, kind.decode("latin-1"), entry.body[14 if wide else 12 :]


_Place = tuple[int, int, int]  # where it is to be found, offset, length


def _read_locations(part: Box, name: str) -> Mapping[int, tuple[_Place, ...]]:
    """Read `iloc` (ISO 14496-12, 8.11.3)."""
    sizes, more = part.body[4:6]
    widths = (sizes >> 4, sizes & 15, more >> 4, more & 15 if part.version else 0)
    reader = _Numbers(part.body, 6)
    count = reader.read(4 if part.version > 1 else 2)
    check_parts(name, "items", count)
    places = dict[int, tuple[_Place, ...]]()
    for _ in range(count):
        number, extents = _read_location(reader, part.version, widths, name)
        places[number] = tuple(extents)
    return places


def _read_location(
    reader: "_Numbers", version: int, widths: tuple[int, int, int, int], name: str
) -> tuple[int, list[_Place]]:
    offset, length, base, index = widths
    number = reader.read(4 if version > 1 else 2)
    method = reader.read(2) & 15 if version else _IN_FILE
    elsewhere, start, extents = reader.read(2), reader.read(base), reader.read(2)
    if elsewhere or method not in (_IN_FILE, _IN_META):
        raise UnsupportedFormat(name, "HEIF with data that lies elsewhere")
    check_parts(name, "items", extents)
    places = []
    for _ in range(extents):
        reader.read(index)
        places.append((method, start + reader.read(offset), reader.read(length)))
    return number, places


class _Numbers:
    """Reads one number after the other, of any width."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def read(self, width: int) -> int:
        end = self._at + width
        if end > len(self._data):
            raise LookupError("a table of items that is too short")
        number = int.from_bytes(self._data[self._at : end])
        self._at = end
        return number


def _check_extent(places: Mapping[int, tuple[_Place, ...]], data: bytes, name: str) -> None:
    """Refuse items that together have many times what the file holds, before they are read."""
    every = (length or len(data) for extents in places.values() for _, _, length in extents)
    if sum(every) > _MOST_SHARED * len(data):
        raise CorruptImage(name, "items that hold more than the file")


def _held(data: bytes, idat: bytes, places: tuple[_Place, ...], name: str) -> bytes:
    pieces = []
    for method, offset, length in places:
        source = idat if method == _IN_META else data
        end = offset + length if length else len(source)  # 0: all that is there
        if end > len(source):
            raise CorruptImage(name, "an item that reaches outside of the file")
        pieces.append(source[offset:end])
    return b"".join(pieces)


def _read_references(data: bytes, inside: tuple[Box, ...], name: str) -> Iterator[Reference]:
    total = 0
    for part in (part for part in inside if part.kind == "iref"):
        wide = 4 if part.version else 2
        for entry in boxes(data, name, part.begin + 4, part.begin + len(part.body)):
            reader = _Numbers(entry.body, 0)
            source, count = reader.read(wide), reader.read(2)
            total += 1 + count
            check_parts(name, "references", total)
            yield Reference(entry.kind, source, tuple(reader.read(wide) for _ in range(count)))


def _read_properties(
    data: bytes, inside: tuple[Box, ...], name: str
) -> Mapping[int, tuple[Property, ...]]:
    described = dict[int, tuple[Property, ...]]()
    for part in (part for part in inside if part.kind == "iprp"):
        within = boxes(data, name, part.begin, part.begin + len(part.body))
        store = _single(within, "ipco", name)
        every = boxes(data, name, store.begin, store.begin + len(store.body))
        for table in (each for each in within if each.kind == "ipma"):
            described |= _read_associations(table, every, name)
    return described


def _read_associations(
    table: Box, every: tuple[Box, ...], name: str
) -> Mapping[int, tuple[Property, ...]]:
    """Read `ipma` (ISO 14496-12, 8.11.14): which properties each item has, in their order."""
    reader = _Numbers(table.body, 4)
    count, wide = reader.read(4), table.flags & 1
    check_parts(name, "items", count)
    described, total = dict[int, tuple[Property, ...]](), 0
    for _ in range(count):
        number = reader.read(4 if table.version else 2)
        rows = [reader.read(2 if wide else 1) for _ in range(reader.read(1))]
        total += len(rows)
        check_parts(name, "properties", total)
        mark = _WIDE_INDEX if wide else _ESSENTIAL
        chosen = [(row & (mark - 1), bool(row & mark)) for row in rows]
        described[number] = tuple(
            Property(every[index - 1].kind, every[index - 1].body, essential)
            for index, essential in chosen
            if index  # 0: none
        )
    return described


# -- written --------------------------------------------------------------------------------------


def _locations(items: tuple[Item, ...], begin: int) -> bytes:
    rows, at = [struct.pack(">BBH", 0x44, 0, len(items))], begin
    for item in items:
        rows.append(struct.pack(">HHHII", item.number, 0, 1, at, len(item.data)))
        at += len(item.data)
    return full_box("iloc", 0, *rows)


def _infos(items: tuple[Item, ...]) -> bytes:
    rows = (
        (struct.pack(">HH4s", each.number, 0, each.kind.encode("latin-1")), each.about)
        for each in items
    )
    entries = [full_box("infe", _INFE, *row) for row in rows]
    return full_box("iinf", 0, struct.pack(">H", len(entries)), *entries)


def _references(references: tuple[Reference, ...]) -> bytes:
    rows = [
        box(r.kind, struct.pack(f">HH{len(r.targets)}H", r.source, len(r.targets), *r.targets))
        for r in references
    ]
    return full_box("iref", 0, *rows)


def _properties(items: tuple[Item, ...]) -> bytes:
    every = dict.fromkeys((p.kind, p.data) for item in items for p in item.properties)
    places = {each: place for place, each in enumerate(every, 1)}
    store = box("ipco", *(box(kind, data) for kind, data in every))
    rows = []
    described = [item for item in items if item.properties]
    for item in described:
        marks = [
            places[p.kind, p.data] | (_WIDE_INDEX if p.essential else 0) for p in item.properties
        ]
        rows.append(struct.pack(f">HB{len(marks)}H", item.number, len(marks), *marks))
    table = full_box("ipma", 0, struct.pack(">I", len(described)), *rows, flags=1)
    return box("iprp", store, table)
