"""How a copy is made beside its source: in which format, at which size, by which filter; pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from cropkit.errors import BadSetting, BadSlot, OtherRatio, TooSmall, UnsuitableFormat
from cropkit.formats.sniff import named_format, shown
from cropkit.geometry import Size
from cropkit.records import check_slot
from cropkit.targets import LARGEST, Target, enlarged, fits, read_size, targets


class Format(StrEnum):
    """The format of the copy."""

    SAME = "same"  # the source's: cropped in its own file, as in place, unless it is resampled
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


class Filter(StrEnum):
    """The filter of resampling, as Pillow names and defines it; each but nearest antialiases."""

    NEAREST = "nearest"
    BOX = "box"
    BILINEAR = "bilinear"
    HAMMING = "hamming"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"


class Sampling(StrEnum):
    """At which resolution a JPEG's colour is stored."""

    FULL = "4:4:4"
    HALF = "4:2:2"
    QUARTER = "4:2:0"


class Colour(StrEnum):
    """What becomes of the colour profile where pixels are coded anew."""

    CARRY = "carry"  # the numbers stay, and their profile with them
    SRGB = "srgb"  # the numbers are those of sRGB, and no profile is needed


_PLACES = re.compile(r"\{(stem|slot)\}")
_REST = re.compile(r"[\w.+-]{0,40}")
_SUFFIXES = {Format.PNG: ".png", Format.JPEG: ".jpg", Format.WEBP: ".webp"}
_LOSSY = ("jpeg", "webp")
_BEST = 100
_NO, _YES = "no", "yes"
_UNNAMED = "-"  # stands for the slot without a name: none begins so


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOptions:
    """The choices for copies; a copy without any is the very crop that is made in place.

    Parameters
    ----------
    quality : 1 to 100; None is 95 for JPEG, and lossless for WebP; a PNG has none
    subsampling : of a JPEG that is coded anew
    size : exact size of the output; the box has to be of that ratio, by half a pixel
    long_side : pixels of the longer side instead
    scale_to_fit : the crop keeps its own ratio, and becomes as large as `size` holds
    linear_light : resample light instead of the numbers that stand for it, by sRGB's curve
    allow_upscale : enlarge where the crop is smaller, which is refused otherwise
    colour : carry the source's profile, or convert to sRGB
    name : of the copy of a named slot, without its suffix: ``{stem}`` of the image, and ``{slot}``
    recut : slot of the decided crop that is made anew: the copy has the name of one of that slot,
        and is of the kept original where the image does not hold what was decided about any more;
        None for any other copy

    Raises
    ------
    BadSetting
        When there is no such choice; nothing was read or written.
    """

    format: Format = Format.SAME
    quality: int | None = None
    subsampling: Sampling = Sampling.FULL
    size: Size | None = None
    long_side: int | None = None
    scale_to_fit: bool = False
    filter: Filter = Filter.LANCZOS
    linear_light: bool = False
    allow_upscale: bool = False
    colour: Colour = Colour.CARRY
    name: str = "{stem}_{slot}"
    recut: str | None = None

    def __post_init__(self) -> None:
        _check_number("quality", self.quality, _BEST)
        _check_number("long-side", self.long_side, LARGEST)
        if self.size is not None:
            _check_number("size", max(self.size.width, self.size.height), LARGEST)
        if self.size is not None and self.long_side is not None:
            raise BadSetting("long-side", self.long_side, "size or long-side, of which one is left")
        if self.scale_to_fit and self.size is None:
            raise BadSetting("scale-to-fit", _YES, "no, where there is no size to fit into")

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> "CopyOptions":
        """Read what `to_settings` wrote, or a person; what is not there has its default.

        Raises
        ------
        BadSetting, BadTarget
            When there is no such setting or choice; when the size makes no sense.
        """
        for name in settings.keys() - _READERS.keys():
            raise BadSetting(name, settings[name], f"a setting of {', '.join(_READERS)}")
        values = {n.replace("-", "_"): _READERS[n](n, text) for n, text in settings.items()}
        return cls(**values)  # type: ignore[arg-type]  # (each reader returns its field's type)

    def to_settings(self) -> dict[str, str]:
        """Return the settings that say the same, without those that are the default."""
        default = CopyOptions()
        fields = {name: name.replace("-", "_") for name in _READERS}
        values = {name: getattr(self, field) for name, field in fields.items()}
        chosen = {n: v for n, v in values.items() if v != getattr(default, fields[n])}
        return {n: _slot_written(v) if n == "recut" else _written(v) for n, v in chosen.items()}

    @classmethod
    def from_text(cls, text: str) -> "CopyOptions":
        """Read what `text` wrote.

        Raises
        ------
        BadSetting, BadTarget
            As `from_settings`; a word that sets nothing is no setting.
        """
        return cls.from_settings(dict(_setting(word) for word in text.split()))

    @property
    def text(self) -> str:
        """The settings in one line, '' where all are the default."""
        return " ".join(f"{name}={value}" for name, value in self.to_settings().items())

    def for_target(self, name: str) -> "CopyOptions":
        """Return the choices that bring a copy to a target's size; a bare ratio has none.

        Raises
        ------
        BadTarget
            There can be none of that name.
        """
        (target,) = targets(name)
        return self if target.size is None else replace(self, size=target.size, long_side=None)

    @property
    def resamples(self) -> bool:
        """Whether a size was asked for."""
        return self.size is not None or self.long_side is not None

    def is_faithful(self, source: str) -> bool:
        """Whether a source of this format is to be cropped in its own file, as in place."""
        same = self.format in (Format.SAME, source)
        anew = self.quality is not None and source in _LOSSY
        return same and not (self.resamples or anew or self.colour is Colour.SRGB)

    def coded(self, source: str, path: str) -> str:
        """Return the format in which the pixels of a source of this format are coded anew.

        Raises
        ------
        UnsuitableFormat
            When it is none in which copies are; nothing was written.
        """
        wanted = source if self.format is Format.SAME else self.format.value
        if wanted not in tuple(Format):
            what = "other pixels than those of the source"
            raise UnsuitableFormat(path, what, shown(source), "choose png, jpeg or webp")
        return wanted

    def stem(self, of_image: str, slot: str) -> str:
        """Return the name of a copy without its suffix: that of its image where it has no slot."""
        called = slot if self.recut is None else self.recut
        if not called:
            return of_image
        return _PLACES.sub(lambda place: {"stem": of_image, "slot": called}[place[1]], self.name)

    def renamed(self, path: str) -> str:
        """Return the path of the copy, with the suffix of its format where the old one is not."""
        if self.format is Format.SAME or named_format(path) == self.format.value:
            return path
        return str(PurePosixPath(path).with_suffix(_SUFFIXES[self.format]))

    def output(self, crop: Size, path: str) -> Size:
        """Return the size that a crop of this size is brought to.

        Raises
        ------
        OtherRatio
            When it is not of the ratio of the size that is wanted; nothing was written.
        TooSmall
            When it would have to be enlarged, with the factor; nothing was written.
        """
        after = self._scaled(crop, path)
        factor = enlarged(crop, after)
        if factor > 1 and not self.allow_upscale:
            sides = (f"the crop, {crop.width}x{crop.height}", f"{after.width}x{after.height}")
            raise TooSmall(path, *sides, f"{factor:.2f}")
        return after

    def _scaled(self, crop: Size, path: str) -> Size:
        if self.size is None:
            longest = max(crop.width, crop.height)
            return _times(crop, self.long_side or longest, longest)
        target = Target(self.size.width, self.size.height)
        if not self.scale_to_fit:
            if not fits(crop, target):
                raise OtherRatio(path, f"{crop.width}x{crop.height}", target.name)
            return self.size
        if self.size.width * crop.height <= self.size.height * crop.width:
            return _times(crop, self.size.width, crop.width)
        return _times(crop, self.size.height, crop.height)


def _times(size: Size, numerator: int, denominator: int) -> Size:
    """Multiply both sides, each rounded once, half up, to at least a pixel."""
    sides = (
        (2 * s * numerator + denominator) // (2 * denominator) for s in (size.width, size.height)
    )
    return Size(*(max(1, side) for side in sides))


def _check_number(name: str, value: int | None, most: int) -> None:
    if value is not None and not (type(value) is int and 1 <= value <= most):
        raise BadSetting(name, value, f"1 to {most}")


def _setting(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def _number(name: str, text: str) -> int:
    if not (text.isdecimal() and len(text) <= 9):  # noqa: PLR2004  (digits, more than any limit has)
        raise BadSetting(name, text[:40], "whole numbers above 0")
    return int(text)


def _flag(name: str, text: str) -> bool:
    if text not in (_NO, _YES):
        raise BadSetting(name, text[:40], f"{_NO}, {_YES}")
    return text == _YES


def _size(_name: str, text: str) -> Size:
    return read_size(text.replace(",", "x", 1))


def _pattern(name: str, text: str) -> str:
    """Read a pattern that makes a name of its own of each slot, in the folder of its image."""
    rest = _PLACES.sub("", text)
    both = all(text.count(place) == 1 for place in ("{stem}", "{slot}"))
    if not (both and _REST.fullmatch(rest)) or text.startswith("."):
        wanted = "{stem} and {slot}, with letters, digits, dots, plus, minus and underscores"
        raise BadSetting(name, text[:40], wanted)
    return text


def _slot(name: str, text: str) -> str:
    slot = "" if text == _UNNAMED else unquote(text)
    try:
        check_slot(slot)
    except BadSlot:
        raise BadSetting(name, text[:40], f"a slot, or {_UNNAMED}") from None
    return slot


def _slot_written(slot: object) -> str:
    """Return a slot as one word: its name may have blanks."""
    return quote(str(slot), safe="") or _UNNAMED


def _choice(choices: type[StrEnum]) -> "_Reader":
    def read(name: str, text: str) -> StrEnum:
        if text not in tuple(choices):
            raise BadSetting(name, text[:40], ", ".join(choices))
        return choices(text)

    return read


def _written(value: object) -> str:
    if isinstance(value, bool):
        return _YES if value else _NO
    return f"{value.width}x{value.height}" if isinstance(value, Size) else str(value)


_Reader = Callable[[str, str], object]
_READERS: Mapping[str, _Reader] = {
    "format": _choice(Format),
    "quality": _number,
    "subsampling": _choice(Sampling),
    "size": _size,
    "long-side": _number,
    "scale-to-fit": _flag,
    "filter": _choice(Filter),
    "linear-light": _flag,
    "allow-upscale": _flag,
    "colour": _choice(Colour),
    "name": _pattern,
    "recut": _slot,
}
