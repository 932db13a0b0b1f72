"""HEIC files put together by hand, around pictures that libheif coded; they need the extra."""

import struct
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from PIL import Image
from planting import SCENE

from cropkit.formats.heif import container, library, sequence
from cropkit.formats.heif.boxes import box, boxes
from cropkit.formats.heif.container import Heif, Item, Property, Reference
from cropkit.formats.heif.library import Plane, Samples
from cropkit.formats.heif.sequence import Signal

SIGNAL = Signal(is_stated=True, full_range=True, colours=(1, 13, 6))
ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"
DEPTH = b"urn:mpeg:hevc:2015:auxid:2\0"
GAIN = b"urn:com:apple:photo:2020:aux:hdrgainmap\0"
C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_STEPS = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}


def samples(
    picture: Image.Image = SCENE, chroma: int = 1, bits: int = 8, signal: Signal = SIGNAL
) -> Samples:
    """Luma, and chroma of every so-manieth pixel."""
    across, down = _STEPS[chroma]
    luma, *others = np.moveaxis(np.asarray(picture.convert("YCbCr")), 2, 0)
    planes = [luma, *(plane[::down, ::across] for plane in others if chroma)]
    return Samples(tuple(_deep(plane, bits) for plane in planes), bits, chroma, signal)


def _deep(plane: Plane, bits: int) -> Plane:
    if bits == 8:
        return plane.copy()
    wide = plane.astype(np.uint16)
    deep: Plane = (wide << (bits - 8) | wide >> (16 - bits)).astype(np.uint16)
    return deep


@cache
def _coded(data: bytes, size: tuple[int, int]) -> Item:
    return image(samples(Image.frombytes("RGB", size, data)))


def image(stored: Samples) -> Item:
    """The item of a picture, which codes samples, with what it needs."""
    item = container.parse(library.encoded(stored), "coded").image
    kinds = ("hvcC", "ispe", "pixi")
    return replace(item, properties=tuple(p for p in item.properties if p.kind in kinds))


def picture(shown: Image.Image, number: int = 1, *properties: Property) -> Item:
    item = _coded(shown.tobytes(), shown.size)
    return replace(item, number=number, properties=(*item.properties, *properties))


def text(number: int, content_type: str, data: bytes) -> Item:
    return Item(number, "mime", b"\0" + content_type.encode() + b"\0", data)


def exif(number: int, block: bytes, prefix: bytes = b"") -> Item:
    return Item(number, "Exif", b"\0", len(prefix).to_bytes(4) + prefix + block)


def about(*numbers: int) -> tuple[Reference, ...]:
    return tuple(Reference("cdsc", number, (1,)) for number in numbers)


def auxiliary(number: int, kind: bytes) -> tuple[Item, Reference]:
    """A picture beside the picture, smaller, of the same scene."""
    part = Property("auxC", bytes(4) + kind)
    return picture(SCENE.resize((80, 64)), number, part), Reference("auxl", number, (1,))


def heif(
    *items: Item,
    references: tuple[Reference, ...] = (),
    properties: tuple[Property, ...] = (),
    main: Item | None = None,
    brands: bytes = b"heic\0\0\0\0mif1heic",
    handler: bytes = bytes(8) + b"pict" + bytes(13),
) -> Heif:
    first = main or picture(SCENE)
    first = replace(first, properties=(*first.properties, *properties))
    return Heif(brands, handler, first.number, (first, *items), references)


def encoded(made: Heif, inside: bytes = b"", behind: bytes = b"") -> bytes:
    """Return a file with more boxes in `meta`, which then stands behind its data, or at the end."""
    data = made.encoded()
    head, meta, media = boxes(data, "made")
    place = struct.pack(">I4s", 8 + len(meta.body), b"free") + bytes(len(meta.body))
    start = data[: head.begin + len(head.body)]
    after = data[media.begin - 8 :]
    return start + place + after + box("meta", meta.body, inside) + behind


def grid(rows: int, columns: int, side: int, *, cut: int = 0) -> tuple[Heif, Image.Image]:
    """A picture in tiles, and the whole of it; `cut` pixels of the last ones are not shown."""
    whole = Image.new("RGB", (columns * side, rows * side))
    whole.paste(SCENE.resize(whole.size))
    tiles = []
    for n in range(rows * columns):
        left, top = n % columns * side, n // columns * side
        tiles.append(picture(whole.crop((left, top, left + side, top + side)), n + 2))
    width, height = whole.width - cut, whole.height - cut
    stated = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    size = Property("ispe", bytes(4) + struct.pack(">II", width, height))
    main = Item(1, "grid", b"\0", stated, (size,))
    parts = Reference("dimg", 1, tuple(tile.number for tile in tiles))
    return heif(*tiles, main=main, references=(parts,)), whole.crop((0, 0, width, height))


def untold(item: Item, monkeypatch: pytest.MonkeyPatch) -> Item:
    """Take out of a coded picture's stream what it says about the use of its samples."""
    places: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(sequence, "_read_usability", lambda bits: places.append(bits._left))  # noqa: SLF001  (where it stands)
        sequence.signal(item.first("hvcC") or b"")
    record = item.first("hvcC") or b""
    unit = sequence._unit(record)  # noqa: SLF001  (as above)
    kept = len(unit) * 8 - places[0] - 1
    bits = f"{int.from_bytes(unit):0{len(unit) * 8}b}"[:kept] + "001"
    bits += "0" * (-len(bits) % 8)
    plain = int(bits, 2).to_bytes(len(bits) // 8)
    shorter = plain.replace(b"\0\0\0", b"\0\0\3\0").replace(b"\0\0\1", b"\0\0\3\1")
    whole = unit.replace(b"\0\0", b"\0\0\3")
    at = record.index(unit[:2], 23)
    (length,) = struct.unpack_from(">H", record, at - 2)
    assert whole[:8] == record[at : at + 8]
    after = record[: at - 2] + struct.pack(">H", len(shorter)) + shorter + record[at + length :]
    others = tuple(p for p in item.properties if p.kind != "hvcC")
    return replace(item, properties=(Property("hvcC", after), *others))
