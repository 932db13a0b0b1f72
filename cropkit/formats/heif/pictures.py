"""What each item of a HEIF shows: the picture, a tile of it, or another picture beside it."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from cropkit.errors import GainMap, MultiPage, UnsupportedFormat
from cropkit.formats.heif.container import Heif, Item
from cropkit.formats.options import DEPTH, GAIN_MAP

_CODED = ("hvc1", "hev1", "av01", "avc1", "vvc1", "lhv1", "hvt1", "jpeg", "j2k1", "unci", "mski")
_DERIVED = ("grid", "iovl", "iden", "tili", "tmap")
_ALPHA = (b"alpha", b"auxid:1")
_DEPTH = (b"depth", b"disparity", b"matte", b"auxid:2")
_MAP = (b"gainmap",)


class Role(StrEnum):
    """What an item is to the primary one."""

    IMAGE = "image"
    TILE = "tile"
    THUMBNAIL = "thumbnail"
    ALPHA = "transparency"
    DEPTH = "depth map"
    MAP = "gain map"
    OTHER = "second picture"
    METADATA = "metadata"


def roles(heif: Heif) -> Mapping[int, Role]:
    """Return what each item is; what another picture is made of is what that is."""
    known = {heif.primary: Role.IMAGE} | dict.fromkeys(made_of(heif), Role.TILE)
    numbered, seen = heif.numbered, set[int]()
    for item in heif.items:
        if item.number not in known and _is_derived_from_others(heif, item):
            role = _role(heif, item)
            for number in (item.number, *_below(heif, item.number, seen)):
                known.setdefault(number, role)
    return {n: known.get(n) or _role(heif, numbered[n]) for n in numbered}


def _is_derived_from_others(heif: Heif, item: Item) -> bool:
    return bool(heif.targets("dimg", item.number))


def _role(heif: Heif, item: Item) -> Role:
    if item.kind not in (*_CODED, *_DERIVED) and item.first("ispe") is None:
        return Role.METADATA
    if heif.targets("thmb", item.number):
        return Role.THUMBNAIL
    kind = item.first("auxC") or (b"gainmap" if item.kind == "tmap" else b"")
    names = {Role.ALPHA: _ALPHA, Role.DEPTH: _DEPTH, Role.MAP: _MAP}
    matching = (role for role, words in names.items() if any(word in kind for word in words))
    return next(matching, Role.OTHER)


def made_of(heif: Heif) -> tuple[int, ...]:
    """Return the numbers of the primary picture's tiles, row by row; none where it is coded."""
    return heif.targets("dimg", heif.primary)


def _below(heif: Heif, number: int, seen: set[int]) -> Iterator[int]:
    """Yield what a derived picture is made of, but for what was gone through for another one."""
    seen.add(number)
    waiting = list(heif.targets("dimg", number))
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            yield each
            waiting += heif.targets("dimg", each)


def refuse(heif: Heif, name: str, drop: frozenset[str]) -> None:
    """Refuse pictures beside the picture, but for its thumbnails and for what may be left out.

    Raises
    ------
    GainMap, MultiPage
    UnsupportedFormat
        One of them is its transparency.
    """
    present = set(roles(heif).values())
    if Role.ALPHA in present:
        raise UnsupportedFormat(name, "HEIC with transparency")
    if Role.MAP in present and GAIN_MAP not in drop:
        raise GainMap(name, Role.MAP)
    if Role.DEPTH in present and not drop & {GAIN_MAP, DEPTH}:
        raise GainMap(name, Role.DEPTH)
    if Role.OTHER in present and GAIN_MAP not in drop:
        raise MultiPage(name, 1 + sum(role is Role.OTHER for role in roles(heif).values()))
