"""HEIF's container: what is taken apart is put together again, and a hostile one is refused."""

import struct
from collections.abc import Iterator

import pytest

from cropkit import errors, formats
from cropkit.formats import Options
from cropkit.formats.heif import container, library, pictures, sequence
from cropkit.formats.heif.boxes import box, boxes, full_box
from cropkit.formats.heif.container import Heif, Item, Property, Reference
from cropkit.formats.heif.pictures import Role
from cropkit.formats.limits import MOST_PARTS
from cropkit.formats.options import Heic
from cropkit.geometry import PixelBox

NAME = "a.heic"
SIZE = Property("ispe", bytes(4) + struct.pack(">II", 640, 480))
MADE = Heif(
    brands=b"heic\0\0\0\0mif1heic",
    handler=bytes(8) + b"pict" + bytes(13),
    primary=1,
    items=(
        Item(1, "hvc1", b"\0", b"coded", (SIZE, Property("irot", b"\1", essential=True))),
        Item(2, "mime", b"\0text/plain\0", b"words"),
        Item(7, "Exif", b"\0", b"", ()),
    ),
    references=(Reference("cdsc", 2, (1,)), Reference("cdsc", 7, (1, 2))),
)


def with_meta(*inside: bytes, brands: bytes = b"heic\0\0\0\0") -> bytes:
    handler = box("hdlr", MADE.handler)
    first = full_box("pitm", 0, b"\0\1")
    return box("ftyp", brands) + full_box("meta", 0, handler, first, *inside)


def table(version: int, sizes: bytes, *rows: bytes) -> bytes:
    return full_box("iloc", version, sizes, struct.pack(">H", len(rows)), *rows)


def info(*entries: bytes) -> bytes:
    return full_box("iinf", 0, struct.pack(">H", len(entries)), *entries)


def entry(number: int, kind: bytes = b"hvc1", version: int = 2, protected: int = 0) -> bytes:
    return full_box("infe", version, struct.pack(">HH4s", number, protected, kind), b"\0")


def test_what_is_written_is_read_again() -> None:
    assert container.parse(MADE.encoded(), NAME) == MADE


def test_numbers_of_any_width_and_data_in_pieces_and_in_the_metadata_are_read() -> None:
    row = struct.pack(">HHHIH", 1, 1, 0, 2, 2) + struct.pack(">4B", 0, 1, 2, 2)
    held = table(1, b"\x11\x40", row)
    other = box("idat", b"abcdefgh")
    data = with_meta(info(entry(1)), held, other)
    (item,) = container.parse(data, NAME).items
    assert item.data == b"cef"  # of offsets 2 + 0 and 2 + 2, of lengths 1 and 2
    wide = full_box("iref", 1, box("cdsc", struct.pack(">IHI", 1, 1, 70_000)))
    parsed = container.parse(with_meta(info(entry(1)), held, other, wide), NAME)
    assert parsed.references == (Reference("cdsc", 1, (70_000,)),)


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("CorruptImage", box("ftyp", b"heic") * 2),
        ("Truncated", MADE.encoded()[:-1]),
        ("Truncated", MADE.encoded()[:30]),
        ("CorruptImage", with_meta(info(entry(1)))),
        ("CorruptImage", with_meta(info(entry(1), entry(1)), table(0, b"\0\0"))),
        ("CorruptImage", box("ftyp", b"heic\0\0\0\0") + struct.pack(">I4s", 4, b"meta")),
        ("AnimatedImage", MADE.encoded() + box("moov")),
        ("UnsupportedFormat", with_meta(info(entry(1, version=1)), table(0, b"\0\0"))),
        ("UnsupportedFormat", with_meta(info(entry(1, protected=1)), table(0, b"\0\0"))),
        (
            "UnsupportedFormat",
            with_meta(info(entry(1)), table(1, b"\0\0", struct.pack(">HHHH", 1, 2, 0, 0))),
        ),
        (
            "CorruptImage",
            with_meta(info(entry(1)), table(0, b"\x44\0", struct.pack(">HHHII", 1, 0, 1, 9999, 9))),
        ),
        (
            "CorruptImage",
            with_meta(
                info(entry(1)),
                table(0, b"\x44\0", struct.pack(">HHH", 1, 0, 99) + struct.pack(">II", 0, 99) * 99),
            ),
        ),
        ("CorruptImage", with_meta(info(entry(1)), table(0, b"\x44\0", b"\0\1\0\0\0\1"))),
    ],
)
def test_what_does_not_hold_together_is_refused(
    monkeypatch: pytest.MonkeyPatch, code: str, data: bytes
) -> None:
    monkeypatch.setattr(library, "installed", lambda: True)
    with pytest.raises(getattr(errors, code), match=NAME):
        formats.crop(data, NAME, PixelBox(0, 0, 64, 64), Options(heic=Heic.EXACT))


def _associations(rows: int) -> bytes:
    properties = box("ipco", box("free"))
    each = b"\0\1" + bytes([250]) + bytes(250)
    return box("iprp", properties, full_box("ipma", 0, struct.pack(">I", rows), *[each] * rows))


HELD = table(0, b"\0\0")
MORE = {
    "boxes": box("ftyp", b"heic\0\0\0\0") + box("free") * (MOST_PARTS["boxes"] + 1),
    "items": with_meta(info(*map(entry, range(MOST_PARTS["items"] + 2))), HELD),
    "properties": with_meta(
        info(entry(1)), HELD, _associations(MOST_PARTS["properties"] // 250 + 1)
    ),
    "references": with_meta(
        info(entry(1)), HELD, full_box("iref", 0, box("dimg", struct.pack(">HH", 1, 50_000)), b"")
    ),
}


@pytest.mark.parametrize("what", MORE)
def test_a_file_of_more_parts_is_refused_by_name(what: str) -> None:
    with pytest.raises(errors.TooManyParts, match=f"more than {MOST_PARTS[what]} {what}"):
        container.parse(MORE[what], NAME)


def test_what_leads_round_in_circles_is_gone_through_once() -> None:
    items = tuple(Item(n, "grid", b"\0", b"", (SIZE,)) for n in range(1, 5))
    circle = (Reference("dimg", 2, (3,)), Reference("dimg", 3, (2, 4)), Reference("dimg", 4, (1,)))
    made = Heif(MADE.brands, MADE.handler, 1, items, circle)
    assert pictures.roles(made) == {1: Role.IMAGE, 2: Role.OTHER, 3: Role.OTHER, 4: Role.OTHER}


def test_many_items_that_are_made_of_each_other_cost_one_look_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count, asked, rounds = 200, list[tuple[str, int]](), list[None]()
    items = tuple(Item(n, "iden", b"\0", b"", (SIZE,)) for n in range(1, count + 1))
    chain = [Reference("dimg", n, (n - 1,)) for n in range(3, count + 1)]

    class Counted(tuple[Reference, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[Reference]:
            rounds.append(None)
            return super().__iter__()

    made, targets = Heif(MADE.brands, MADE.handler, 1, items, Counted(chain)), Heif.targets

    def asking(heif: Heif, kind: str, source: int) -> tuple[int, ...]:
        asked.append((kind, source))
        return targets(heif, kind, source)

    monkeypatch.setattr(Heif, "targets", asking)
    assert set(pictures.roles(made).values()) == {Role.IMAGE, Role.OTHER}
    assert len(rounds) == 1
    assert len(asked) < 5 * count


def test_each_picture_is_what_it_says() -> None:
    kinds = {
        2: (b"urn:mpeg:hevc:2015:auxid:1", Role.ALPHA),
        3: (b"urn:mpeg:hevc:2015:auxid:2", Role.DEPTH),
        4: (b"urn:com:apple:photo:2018:aux:portraiteffectsmatte", Role.DEPTH),
        5: (b"urn:com:apple:photo:2020:aux:hdrgainmap", Role.MAP),
        6: (b"urn:example:another", Role.OTHER),
    }
    items = tuple(
        Item(n, "hvc1", b"\0", b"", (Property("auxC", bytes(4) + kind + b"\0"),))
        for n, (kind, _) in kinds.items()
    )
    made = Heif(MADE.brands, MADE.handler, 1, (*MADE.items, *items), ())
    told = pictures.roles(made)
    assert {n: told[n] for n in kinds} == {n: role for n, (_, role) in kinds.items()}
    assert told[7] is Role.METADATA


def test_without_the_choice_and_without_the_extra_it_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(errors.UnsupportedFormat, match="--heic exact"):
        formats.opened(MADE.encoded(), NAME)
    monkeypatch.setattr(library, "find_spec", lambda _name: None)
    with pytest.raises(errors.PartMissing, match=r"needs 'cropkit\[heic\]'"):
        formats.opened(MADE.encoded(), NAME, Options(heic=Heic.EXACT))


@pytest.mark.parametrize("record", [b"", bytes(22), bytes(23), b"\1" * 60])
def test_a_stream_without_a_parameter_set_says_nothing(record: bytes) -> None:
    with pytest.raises((LookupError, ValueError)):
        sequence.signal(record)


def test_boxes_of_any_length_are_read() -> None:
    large = struct.pack(">I4sQ", 1, b"abcd", 20) + b"1234"
    last = struct.pack(">I4s", 0, b"efgh") + b"the rest"
    assert [(b.kind, b.body) for b in boxes(large + last, NAME)] == [
        ("abcd", b"1234"),
        ("efgh", b"the rest"),
    ]
