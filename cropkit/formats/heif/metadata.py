"""What becomes of each item and property of a HEIC when it is cropped."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cropkit.errors import CorruptImage, GainMap, MultiPage, Provenance, UnsupportedFormat
from cropkit.formats.account import Account
from cropkit.formats.heif import pictures, sequence
from cropkit.formats.heif.container import Heif, Item, Property, Reference
from cropkit.formats.heif.pictures import Role
from cropkit.formats.heif.sequence import Signal
from cropkit.formats.limits import check_parts, check_pixels
from cropkit.formats.metadata import colour_profile, exif, inspection, xmp
from cropkit.formats.metadata.crop_change import MAY_SHOW, SHOWS_MORE, Change
from cropkit.formats.options import GAIN_MAP, MOTION, PROVENANCE
from cropkit.geometry import Size
from cropkit.records import SIGNED

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # the type of its box (C2PA 2.1, A.5.1)
_CODED, _GRID = "hvc1", "grid"
# What a decoder needs of an item, and what it does not understand without.
_CODING = ("hvcC", "ispe", "pixi", "colr")
_TEXTS = ("udes", "altt")
_SHORT = ("pixi", "pasp", "irot", "imir", "clli", "mdcv", "cclv", "amve", "crtt", "mdft")
_MOVING = ("irot", "imir", "clap")  # a tile, whether or not it says that one has to know
_FROM_TILES = ("colr", "pixi")  # which some writers leave to these
_LONGEST = 64  # bytes of a property that is known by its structure
_NCLX = struct.Struct(">4sHHHB")  # ISO 14496-12, 12.1.5
_GRANTED = (1, 13, 6, 0x80)  # BT.709, sRGB, BT.601, full range
_PROFILES = (b"prof", b"rICC")
_RDF = "application/rdf+xml"
_EXIF_PREFIX = b"Exif\0\0"
_OLD_FRAME = "nobody can say whether it is of the old frame"
_DESCRIBES = "it describes what is dropped"
_MOST_BRANDS, _BRAND = 32, 4
_HANDLER = 24  # bytes of hdlr before its name
_TURNS = {("irot", 0): 1, ("irot", 1): 8, ("irot", 2): 3, ("irot", 3): 6}
_MIRRORS = {("imir", 0): 4, ("imir", 1): 2}  # of the top and the bottom, of left and right
# How each EXIF orientation brings a stored picture's x and y upright.
_MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, -1, 1, 0),
    7: (0, -1, -1, 0),
    8: (0, 1, -1, 0),
}


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit may look at; `coded` is the crop as libheif wrote it."""

    change: Change
    coded: Item
    account: Account
    name: str
    drop: frozenset[str]


def refuse(heif: Heif, name: str, drop: frozenset[str]) -> None:
    """Refuse what a crop would falsify, and what cannot be proven.

    Raises
    ------
    GainMap, MultiPage, Provenance, UnsupportedFormat, CorruptImage
    """
    if PROVENANCE not in drop and _is_signed(heif):
        raise Provenance(name)
    if MOTION not in drop and any(kind == "mpvd" for kind, _ in heif.others):
        raise MultiPage(name, 2)
    pictures.refuse(heif, name, drop)
    check_coding(heif, name)
    for part in _colours(heif):
        if part.data[:4] in _PROFILES:
            check_parts(name, "bytes of colour profile", len(part.data))
            if colour_profile.hides(part.data[4:]):
                raise GainMap(name, "in the colour profile")


def _is_signed(heif: Heif) -> bool:
    boxes = any(kind == "jumb" or body.startswith(_C2PA) for kind, body in heif.others)
    return boxes or any("c2pa" in item.content_type or item.kind == "jumb" for item in heif.items)


def check_coding(heif: Heif, name: str) -> None:
    """Refuse a picture that is not simply coded, or a grid of pictures that are."""
    image, tiles = heif.image, _tiles(heif)
    if heif.targets("thmb", image.number):
        raise UnsupportedFormat(name, "HEIC that is a thumbnail of itself")
    if image.kind not in (_CODED, _GRID) or (image.kind == _GRID) != bool(tiles):
        raise UnsupportedFormat(name, f"HEIC of kind {image.kind!r}")
    if any(part.kind == "clap" for part in image.properties):
        raise UnsupportedFormat(name, "HEIC with an aperture, which hides pixels,")
    known = (*_CODING, *_SHORT, *_TEXTS)
    for part in image.properties:
        if part.essential and part.kind not in known:
            raise UnsupportedFormat(name, f"HEIC with the property {part.kind!r}")
    coded = tiles or (image,)
    _check_grid(heif, tiles, name)
    others = [p for tile in set(tiles) for p in tile.properties if p.kind not in _CODING]
    turned = any(p.essential or p.kind in _MOVING for p in others)
    alike = {_sampling(item) for item in coded}, {item.first("ispe") for item in coded}
    if turned or any(len(each) != 1 for each in alike):
        raise UnsupportedFormat(name, "HEIC of tiles that differ")
    if any(tile.kind != _CODED for tile in tiles) or None in alike[0]:
        raise UnsupportedFormat(name, "HEIC of tiles that are not coded by HEVC")
    if any(_is_stated_twice(item) for item in {image, *coded}):
        raise CorruptImage(name, "a picture that says twice how it is coded")
    if len(_signals(coded)) != 1:
        raise UnsupportedFormat(name, "HEIC of streams that disagree on what their samples mean")


def _is_stated_twice(item: Item) -> bool:
    kinds = [part.kind for part in item.properties]
    return any(kinds.count(kind) > 1 for kind in ("hvcC", "ispe"))


def _signals(coded: tuple[Item, ...]) -> frozenset[Signal]:
    every = (sequence.signals(item.first("hvcC") or b"", item.data) for item in set(coded))
    return frozenset().union(*every)


def _check_grid(heif: Heif, tiles: tuple[Item, ...], name: str) -> None:
    """Refuse a grid that takes more memory than the picture that it says it is (6.6.2.3)."""
    if not tiles:
        return
    whole, (version, flags, rows, columns) = size(heif, name), heif.image.data[:4]
    numbers = ">II" if flags & 1 else ">HH"
    stated = Size(*struct.unpack_from(numbers, heif.image.data, 4))
    if version or stated != whole or len(tiles) != (rows + 1) * (columns + 1):
        raise CorruptImage(name, "a grid that is no picture of its size")
    tile = check_pixels(name, _stated_size(tiles[0], name))
    if rows * tile.height >= whole.height or columns * tile.width >= whole.width:
        raise CorruptImage(name, "a grid with tiles that show nothing")


def _tiles(heif: Heif) -> tuple[Item, ...]:
    numbered = heif.numbered
    return tuple(numbered[each] for each in pictures.made_of(heif))


def _sampling(item: Item) -> bytes | None:
    """Return what says chroma and depth (ISO 14496-15, 8.3.3.1.2)."""
    stated = item.first("hvcC") or b""
    return stated[16:19] if len(stated) > 22 else None  # noqa: PLR2004  (the fixed part of it)


def signal(heif: Heif, name: str) -> Signal:
    """Return how the samples are meant: what the stream says, else the file.

    Raises
    ------
    UnsupportedFormat
        Neither says it: viewers differ in what they take for granted.
    """
    coded = (_tiles(heif) or (heif.image,))[0]
    stated = sequence.signal(coded.first("hvcC") or b"")
    if stated.is_stated:
        return replace(stated, location=stated.location if _has_colour(coded) else 0)
    numbers = _numbered(heif)
    if numbers is None:
        raise UnsupportedFormat(name, "HEIC that does not say the range of its samples")
    _, primaries, transfer, matrix, full = _NCLX.unpack(numbers)
    return Signal(
        is_stated=True,
        full_range=bool(full & 0x80),
        colours=(primaries, transfer, matrix),
        location=stated.location,
    )


def _numbered(heif: Heif) -> bytes | None:
    """Return the colours that a file states by numbers."""
    stated = (p.data for p in _colours(heif) if p.data[:4] == b"nclx")
    return next((numbers for numbers in stated if len(numbers) == _NCLX.size), None)


def _has_colour(coded: Item) -> bool:
    return bool((_sampling(coded) or b"\0")[0] & 3)


def size(heif: Heif, name: str) -> Size:
    """Return the stored size."""
    return _stated_size(heif.image, name)


def _stated_size(item: Item, name: str) -> Size:
    """Return the size that a picture states."""
    stated = item.first("ispe") or b""
    if len(stated) != 12:  # noqa: PLR2004  (version, width and height)
        raise CorruptImage(name, "a picture that does not say its size")
    return Size(*struct.unpack_from(">II", stated, 4))


def orientation(heif: Heif, name: str) -> int:
    """Return what turns the picture upright, as EXIF counts it; its EXIF says nothing of that."""
    turned = 1
    for part in heif.image.properties:
        if part.kind in ("irot", "imir"):
            step = (_TURNS | _MIRRORS).get((part.kind, part.data[0] & 3 if part.data else 0))
            if step is None:
                raise CorruptImage(name, "a mirror that does not exist")
            turned = _composed(turned, step)
    return turned


def _composed(first: int, then: int) -> int:
    """Return the orientation that does what two of them do, one after the other."""
    (a, b, c, d), (e, f, g, h) = _MATRICES[then], _MATRICES[first]
    both = (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)
    return next(number for number, matrix in _MATRICES.items() if matrix == both)


def bare(heif: Heif) -> Heif:
    """Return the picture alone: nothing that turns it, and nothing that is not a sample.

    Their colours are said to be what libheif takes for granted: it would convert all others to
    these, back and forth and with a loss.
    """
    return _alone(heif, _GRANTED)


def in_colour(heif: Heif) -> Heif:
    """Return the picture alone as `bare` does, for a viewer: its colours are said to be its own."""
    coded = (_tiles(heif) or (heif.image,))[0]
    stated = sequence.signal(coded.first("hvcC") or b"")
    numbers = _numbered(heif)
    if numbers is not None:
        return _alone(heif, _NCLX.unpack(numbers)[1:])
    *colours, full = stated.numbers
    return _alone(heif, (*colours, full << 7) if stated.is_stated else _GRANTED)


def _alone(heif: Heif, numbers: tuple[int, ...]) -> Heif:
    needed = {heif.primary, *pictures.made_of(heif)}
    numbered = Property("colr", _NCLX.pack(b"nclx", *numbers))
    items = tuple(
        replace(item, about=b"\0", properties=(*_needed(item), numbered))
        for item in heif.items
        if item.number in needed
    )
    tiles = tuple(r for r in heif.references if (r.kind, r.source) == ("dimg", heif.primary))
    brands = b"mif1\0\0\0\0mif1heicheixmiaf"
    return Heif(brands, heif.handler[:_HANDLER] + b"\0", heif.primary, items, tiles)


def _needed(item: Item) -> tuple[Property, ...]:
    kinds = ("hvcC", "ispe", "pixi")
    return tuple(each for each in item.properties if each.kind in kinds)


def upright(rows: npt.NDArray[np.uint8], turned: int) -> npt.NDArray[np.uint8]:
    """Turn (H, W, C) rows of a stored picture upright."""
    (across, swapped, other, down) = _MATRICES[turned]
    if swapped:
        rows = rows.transpose(1, 0, 2)
        across, down = swapped, other
    return rows[::down, ::across]


def described(heif: Heif) -> Mapping[str, bytes]:
    """Return EXIF, XMP and profile of an upright picture, by the names that Pillow has for them."""
    kept = {"icc_profile": profile(heif)}
    for item in heif.items:
        if heif.primary not in heif.targets("cdsc", item.number):
            continue
        if item.kind == "Exif":
            kept["exif"] = exif.upright(item.data[4 + int.from_bytes(item.data[:4]) :])
        elif item.content_type == _RDF and not _is_packed(item):
            kept["xmp"] = item.data
    return {name: data for name, data in kept.items() if data}


def profile(heif: Heif) -> bytes | None:
    """Return the colour profile, None where there is none."""
    return next((p.data[4:] for p in _colours(heif) if p.data[:4] in _PROFILES), None)


def _colours(heif: Heif) -> Iterator[Property]:
    for item in (heif.image, *_tiles(heif)):
        yield from (each for each in item.properties if each.kind == "colr")


def edited(heif: Heif, edit: Edit) -> Heif:
    """Return the cropped file: the picture coded in one piece, and what stays beside it."""
    role = pictures.roles(heif)
    for each in (Role.THUMBNAIL, Role.MAP, Role.DEPTH, Role.OTHER):
        if each in role.values():
            edit.account.drop(each.value, SHOWS_MORE)
    kept = [_image(heif, edit)]
    for item in (item for item in heif.items if role[item.number] is Role.METADATA):
        after = _metadata(heif, item, role, edit)
        kept += [after] if after is not None else []
    _tell_of_the_rest(heif, edit)
    numbers = {item.number for item in kept}
    items = tuple(item for item in kept)
    return Heif(
        brands=_brands(heif, edit),
        handler=_handler(heif, edit),
        primary=heif.primary,
        items=items,
        references=tuple(_references(heif, numbers)),
    )


def _image(heif: Heif, edit: Edit) -> Item:
    """Return the picture's item: what codes it is the crop's, all else as it was."""
    image = heif.image
    own = {part.kind for part in image.properties}
    first = _tiles(heif)[:1]
    lent = [p for tile in first for p in tile.properties if p.kind in _FROM_TILES]
    stays = [p for p in (*lent, *image.properties) if p.kind not in own or p in image.properties]
    coding = tuple(p for p in edit.coded.properties if p.kind in ("hvcC", "ispe"))
    others = tuple(p for p in stays if p.kind not in ("hvcC", "ispe") and _stays(p, edit))
    about = b"\0" if inspection.unfit(image.about) else image.about
    if image.kind == _GRID:
        edit.account.patch("grid of tiles: one picture")
    return Item(image.number, _CODED, about, edit.coded.data, coding + others)


def _stays(part: Property, edit: Edit) -> bool:
    """Whether a property of the picture is carried; one that is not is told."""
    is_profile = part.kind == "colr" and part.data[:4] in _PROFILES
    known = part.kind in ("colr", *_SHORT, *_TEXTS)
    reason = None if known else _OLD_FRAME
    if part.kind in _TEXTS:
        reason = inspection.unfit(part.data)
    elif known and not is_profile and len(part.data) > _LONGEST:
        reason = inspection.UNSEEN
    if reason:
        edit.account.drop(f"property {part.kind}", reason)
    else:
        edit.account.keep(f"property {part.kind}")
    return reason is None


def _metadata(heif: Heif, item: Item, role: Mapping[int, Role], edit: Edit) -> Item | None:
    label = _label(item)
    described = heif.targets("cdsc", item.number)
    stays = (Role.IMAGE, Role.TILE, Role.METADATA)
    if described and not any(role.get(number) in stays for number in described):
        edit.account.drop(label, _DESCRIBES)
        return None
    if "c2pa" in item.content_type or item.kind == "jumb":  # where it is not refused
        edit.account.drop(label, SIGNED)
        return None
    reason = inspection.unfit(item.about)
    for part in item.properties:
        edit.account.drop(f"{label}: property {part.kind}", _OLD_FRAME)
    after = None if reason else _carried(item, label, edit)
    if reason:
        edit.account.drop(label, reason)
    return None if not after else replace(item, data=after, properties=())


def _label(item: Item) -> str:
    if item.kind == "Exif":
        return "EXIF"
    is_packet = item.content_type == _RDF
    return "XMP" if is_packet else f"item {item.kind} {item.content_type}".rstrip()


def _carried(item: Item, label: str, edit: Edit) -> bytes | None:
    if item.kind == "Exif":
        return _exif(item.data, label, edit)
    if label == "XMP" and not _is_packed(item):
        return _xmp(item.data, label, edit)
    reason = inspection.UNSEEN if _is_packed(item) else inspection.unfit(item.data)
    if reason:
        edit.account.drop(label, reason)
        return None
    edit.account.keep(label)
    return item.data


def _is_packed(item: Item) -> bool:
    """Whether a text is compressed, by what is said behind its type."""
    texts = item.about.split(b"\0")
    return item.kind == "mime" and any(texts[2:])


def _exif(data: bytes, label: str, edit: Edit) -> bytes | None:
    """Patch a block behind the offset to it, and what some writers begin it with."""
    before = 4 + int.from_bytes(data[:4])
    prefix = data[4:before]
    if before > len(data):
        edit.account.drop(label, "it does not hold together")
        return None
    if prefix not in (b"", _EXIF_PREFIX):
        edit.account.drop(f"{label}: {len(prefix)} bytes before it", MAY_SHOW)
        prefix = b""
    block = exif.patched(data[before:], edit.change, edit.account, label)
    return len(prefix).to_bytes(4) + prefix + block


def _xmp(packet: bytes, label: str, edit: Edit) -> bytes:
    if GAIN_MAP in edit.drop:
        packet = xmp.without_pictures(packet, edit.account, label)
    if MOTION in edit.drop:
        packet = xmp.without_motion(packet, edit.account, label)
    return xmp.patched(packet, edit.change, edit.account, label, edit.name)


def _tell_of_the_rest(heif: Heif, edit: Edit) -> None:
    reasons = {"mpvd": SHOWS_MORE, "grpl": "it groups what is dropped"}
    for kind, body in heif.others:
        signed = kind == "jumb" or body.startswith(_C2PA)
        edit.account.drop(f"box {kind}", SIGNED if signed else reasons.get(kind, inspection.UNSEEN))
    if heif.loose:
        edit.account.drop(f"{heif.loose} bytes that no item has", MAY_SHOW)


def _brands(heif: Heif, edit: Edit) -> bytes:
    """Return who can read the file; what no brand is, or is of what is dropped, goes."""
    stated = [heif.brands[at : at + _BRAND] for at in range(8, len(heif.brands), _BRAND)]
    stays = [b for b in stated if b.isalnum() and len(b) == _BRAND and b != b"tmap"]
    after = heif.brands[:8] + b"".join(stays[:_MOST_BRANDS])
    if after != heif.brands:
        edit.account.patch("brands")
    return after


def _handler(heif: Heif, edit: Edit) -> bytes:
    after = heif.handler
    if len(after) > _LONGEST or inspection.unfit(after):
        edit.account.drop("name of the handler", inspection.UNSEEN)
        after = after[:_HANDLER] + b"\0"
    return after


def _references(heif: Heif, numbers: set[int]) -> Iterator[Reference]:
    """Yield what items that stay say of others that stay."""
    for each in heif.references:
        targets = tuple(number for number in each.targets if number in numbers)
        if each.source in numbers and targets and each.kind != "dimg":
            yield replace(each, targets=targets)
