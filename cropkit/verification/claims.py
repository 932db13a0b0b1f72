"""What a row of a manifest claims of one crop: each value checked, as anybody may have written it.

A row of an earlier manifest has fewer fields; what it says of filters and colours in words is read
from these.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cropkit.errors import BadBox, BadSetting, BadTurn
from cropkit.formats.copy_options import Filter
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn

Row = Mapping[str, Any]

SRGB, CARRIED = "srgb", "carry"
EDGES = ("left", "top", "right", "bottom")
BOXES = ("box_asked", "box_applied", "suggestion_box")
MODES = ("copy", "in-place", "move")
CAPTIONS = (".txt", ".caption")
# Of a row, what anything is proven by; in CSV a box has four columns instead.
FIELDS = (
    *("mode", "source", "source_sha256", "crop", "crop_sha256", "box_asked", "box_applied"),
    *("upright_width", "upright_height", "crop_width", "crop_height", "resampling", "copying"),
    *("filter", "linear_light", "colour", "psnr", "turn"),
    *("caption", "caption_sha256", "second_caption", "second_caption_sha256"),
)
_RESAMPLED = re.compile(
    r"size: resampled from (\d{1,9})x(\d{1,9}) to (\d{1,9})x(\d{1,9}) by (\w{1,20})"
    r"(, in linear light)?"
)
_SHA256 = re.compile("[0-9a-f]{64}")
_LONGEST_NAME = 4096
_MOST_DIGITS = 9
_LARGEST_PSNR = 400.0
_NO, _YES = ("False", "false", "0"), ("True", "true", "1")


@dataclass(frozen=True, slots=True)
class Resized:
    """How a crop was brought to another size."""

    size: Size
    by: Filter
    linear_light: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be proven of one crop.

    Parameters
    ----------
    number : of the row, from 1
    crop, source : as the manifest names them
    box : upright pixels of the source; what the crop holds
    asked : the box that was asked for; None where the manifest does not say
    upright : size of the source; None where the manifest does not say
    size : of the crop, upright; None where the manifest does not say
    resized : None where the crop has the size of its box
    srgb : whether the colours were converted to sRGB
    turn : of what the box holds
    psnr : in dB; None where the pixels are said to be those of the source
    captions : name and SHA-256 of each
    """

    number: int
    crop: str
    crop_sha256: str
    source: str
    source_sha256: str
    mode: str
    box: PixelBox
    asked: PixelBox | None = None
    upright: Size | None = None
    size: Size | None = None
    resized: Resized | None = None
    srgb: bool = False
    psnr: float | None = None
    turn: Turn = NO_TURN
    captions: tuple[tuple[str, str], ...] = ()

    @property
    def resamples(self) -> bool:
        """Whether samples are computed anew before they are coded."""
        return self.resized is not None or self.srgb or self.turn.resamples

    @property
    def in_place(self) -> bool:
        """Whether the crop has the name that its source had."""
        return self.mode == "in-place"

    @property
    def box_size(self) -> Size:
        """Of what the box holds, turned."""
        return self.box.size.turned(self.turn)


def resampled(words: str) -> Resized | None:
    """Read how a size was changed from the account of a crop; None where it is something else.

    Raises
    ------
    ValueError
        There is no such filter or size.
    """
    match = _RESAMPLED.fullmatch(words)
    if match is None:
        return None
    return Resized(Size(int(match[3]), int(match[4])), Filter(match[5]), match[6] is not None)


def claim(row: Row, number: int) -> Claim:
    """Check a row, and return what it claims.

    Raises
    ------
    ValueError
        A sentence that says which field makes no sense.
    """
    try:
        return _claim(row, number)
    except (BadBox, BadSetting, BadTurn) as error:
        raise ValueError(str(error)) from error


def _claim(row: Row, number: int) -> Claim:
    applied = _box(row, "box_applied")
    asked = _box(row, "box_asked")
    box = applied or asked
    if box is None:
        raise ValueError("it states no box")
    mode = _text(row, "mode")
    if mode not in MODES:
        raise ValueError(f"mode is {_shown(mode)}, not one of {', '.join(MODES)}")
    return Claim(
        number=number,
        crop=_name(row, "crop"),
        crop_sha256=_sha256(row, "crop_sha256"),
        source=_name(row, "source"),
        source_sha256=_sha256(row, "source_sha256"),
        mode=mode,
        box=box,
        asked=asked,
        upright=_size(row, "upright_width", "upright_height"),
        size=_size(row, "crop_width", "crop_height"),
        resized=_resized(row, box.size.turned(_turn(row))),
        srgb=_is_srgb(row),
        turn=_turn(row),
        psnr=_psnr(row),
        captions=tuple(_captions(row)),
    )


def _turn(row: Row) -> Turn:
    return Turn.from_text(_text(row, "turn") if row.get("turn") else "")


def _resized(row: Row, of_box: Size) -> Resized | None:
    words = row.get("resampling") or None
    stated = None if words is None else resampled(_text(row, "resampling"))
    if words is not None and stated is None:
        raise ValueError(f"resampling is {_shown(words)}, which says no sizes and filter")
    size, by = _size(row, "crop_width", "crop_height"), row.get("filter") or None
    if by is not None:
        if by not in tuple(Filter) or size is None:
            raise ValueError(f"filter is {_shown(by)}, of {', '.join(Filter)}, with a size")
        fields = Resized(size, Filter(by), _flag(row, "linear_light"))
        if stated not in (None, fields):
            raise ValueError("filter and size are not those of resampling")
        return fields
    if size not in (None, of_box) and stated is None:
        raise ValueError("the crop's size is not the box's, and no filter is stated")
    if stated is not None and size not in (None, stated.size):
        raise ValueError("size is not that of resampling")
    return stated


def _is_srgb(row: Row) -> bool:
    colour = row.get("colour") or None
    if colour is None:
        return f"colour={SRGB}" in (_text(row, "copying") if row.get("copying") else "").split()
    if colour not in (SRGB, CARRIED):
        raise ValueError(f"colour is {_shown(colour)}, not {SRGB} or {CARRIED}")
    return bool(colour == SRGB)


def _captions(row: Row) -> list[tuple[str, str]]:
    fields = (field for field in ("caption", "second_caption") if row.get(field))
    return [(_name(row, field), _sha256(row, f"{field}_sha256")) for field in fields]


def _psnr(row: Row) -> float | None:
    value = row.get("psnr")
    if value is None or value == "":
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= _LARGEST_PSNR:
        raise ValueError(f"psnr is {_shown(value)}, no number of decibels")
    return number


def _box(row: Row, field: str) -> PixelBox | None:
    value = row.get(field)
    if field not in row and any(row.get(f"{field}_{edge}") for edge in EDGES):
        value = [row.get(f"{field}_{edge}") for edge in EDGES]
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != len(EDGES):
        raise ValueError(f"{field} is {_shown(value)}, not four edges")
    left, top, right, bottom = (_whole(edge, field) for edge in value)
    return PixelBox(left, top, right, bottom)


def _size(row: Row, *fields: str) -> Size | None:
    if all(row.get(field) in (None, "") for field in fields):
        return None
    width, height = (_whole(row.get(field), field) for field in fields)
    return Size(width, height)


def _whole(value: object, field: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value) if len(value) <= _MOST_DIGITS else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_MOST_DIGITS:
        return value
    raise ValueError(f"{field} has {_shown(value)}, no whole number of pixels")


def _flag(row: Row, field: str) -> bool:
    value = row.get(field)
    if isinstance(value, bool):
        return value
    if value not in (*_NO, *_YES):
        raise ValueError(f"{field} is {_shown(value)}, not true or false")
    return value in _YES


def _sha256(row: Row, field: str) -> str:
    value = row.get(field)
    if not (isinstance(value, str) and _SHA256.fullmatch(value)):
        raise ValueError(f"{field} is {_shown(value)}, no SHA-256")
    return value


def _name(row: Row, field: str) -> str:
    name = _text(row, field)
    if not name or "\0" in name:
        raise ValueError(f"{field} is no name of a file")
    return name


def _text(row: Row, field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or len(value) > _LONGEST_NAME:
        raise ValueError(f"{field} is {_shown(value)}, no text")
    return value


def _shown(value: object) -> str:
    """Show the beginning of a value that may be of any length and depth."""
    if value is None:
        return "missing"
    return repr(value)[:60] if isinstance(value, str | int | float) else type(value).__name__
