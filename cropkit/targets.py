"""Sizes that a training set needs: what crops are to become, and the box that fits; pure.

Boxes and images are upright pixels, as in `cropkit.geometry`. All is whole numbers: the same box
gives the same answer everywhere.

A box *fits* a target when its long side is the whole number nearest to what its short side asks
for by the target's ratio: at most half a pixel off, so that no other box of that width, and none of
that height, is nearer to the ratio. A box that fits is left as it is. Any other becomes the one
with the same centre that is nearest to it in area, of all that fit: what a reviewer's box loses at
its ends it gains at its sides. It becomes smaller only where the image has no room; its centre
moves by half a pixel where an odd side becomes an even one, else by what keeps it inside.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from math import isqrt
from typing import NamedTuple

from cropkit.errors import BadTarget, TooSmall
from cropkit.geometry import PixelBox, Size

LARGEST = 65535  # the longest side that a JPEG can have (ITU-T T.81, B.2.2)
_MOST = 1000  # targets in a list: a person compares fewer, and each box is held against all
_SHOWN = 40
_TIMES = "\N{MULTIPLICATION SIGN}"
_WRITTEN = re.compile(rf"(-?[0-9.]+) *([x{_TIMES}:]) *(-?[0-9.]+)")
_PRODUCT = re.compile(rf"([0-9]{{1,10}})(?: *[x{_TIMES}] *([0-9]{{1,10}}))?")

# Width and height of the buckets that SDXL was trained with: Podell et al., "SDXL: Improving Latent
# Diffusion Models for High-Resolution Image Synthesis" (arXiv 2307.01952), appendix I, which gives
# the height first. All but a few come in both orientations: 1344x704 has no upright twin there.
_SDXL = """
2048x512 1984x512 1920x512 1856x512 1792x576 1728x576 1664x576 1600x640 1536x640 1472x704
1408x704 1344x704 1344x768 1280x768 1216x832 1152x832 1152x896 1088x896 1088x960 1024x960
1024x1024 960x1024 960x1088 896x1088 896x1152 832x1152 832x1216 768x1280 768x1344 704x1408
704x1472 640x1536 640x1600 576x1664 576x1728 576x1792 512x1856 512x1920 512x1984 512x2048
"""
_RULE = {"step": "step", "area": "area", "min": "shortest", "max": "longest"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a crop is to become: a size in pixels, or a `bare` ratio without one.

    Parameters
    ----------
    width, height : pixels, or the terms of the ratio, which are reduced
    name : as people write it; made of the numbers where it is left out, and no part of equality

    Raises
    ------
    BadTarget
        When a side is not a whole number from 1 to 65535.
    """

    width: int
    height: int
    bare: bool = field(default=False, kw_only=True)
    name: str = field(default="", kw_only=True, compare=False)

    def __post_init__(self) -> None:
        sign = ":" if self.bare else "x"
        name = self.name or _short(f"{self.width}{sign}{self.height}")
        if not (_is_side(self.width) and _is_side(self.height)):
            raise BadTarget(name, f"a side is a whole number from 1 to {LARGEST}")
        object.__setattr__(self, "name", name)
        if self.bare:
            ratio = Fraction(self.width, self.height)
            object.__setattr__(self, "width", ratio.numerator)
            object.__setattr__(self, "height", ratio.denominator)

    @property
    def size(self) -> Size | None:
        """The exact size of the output, None for a bare ratio."""
        return None if self.bare else Size(self.width, self.height)

    @property
    def aspect_ratio(self) -> float:
        """Width over height."""
        return self.width / self.height

    def within(self, image: Size, path: str) -> "Target":
        """Return the target itself, where a box of the image reaches its size.

        Raises
        ------
        TooSmall
            When the image would have to be enlarged whatever the box; nothing was written.
        """
        _check_scale(path, "the image", image, self)
        return self


class Conditioning(NamedTuple):
    """What SDXL is told of a training image, each as (vertical, horizontal).

    Podell et al., "SDXL" (arXiv 2307.01952), 2.2: the size before anything was done to the image,
    and where the crop begins in the image as it was scaled; the order is that of diffusers.

    Parameters
    ----------
    original_size : height and width of the whole upright image
    crop_top_left : of the crop, in pixels of the image scaled as the crop was
    target_size : height and width of the crop that was written
    """

    original_size: tuple[int, int]
    crop_top_left: tuple[int, int]
    target_size: tuple[int, int]


def conditioning(image: Size, box: PixelBox, output: Size) -> Conditioning:
    """Return what SDXL is told of a crop.

    Parameters
    ----------
    image, box : in upright pixels
    output : size that the box was brought to; that of the box where it was not resampled
    """
    top = _scaled(box.top, output.height, box.size.height)
    left = _scaled(box.left, output.width, box.size.width)
    return Conditioning((image.height, image.width), (top, left), (output.height, output.width))


def _scaled(edge: int, after: int, before: int) -> int:
    """Round a scaled edge once, half up."""
    return (2 * edge * after + before) // (2 * before)


@dataclass(frozen=True, slots=True)
class Fit:
    """A box that fits a target, and what that costs.

    Parameters
    ----------
    asked : the box that was to be fitted
    box : the box that fits, inside of the image
    """

    target: Target
    asked: PixelBox
    box: PixelBox

    @property
    def lost(self) -> int:
        """Pixels of the box asked for that are outside of the one that fits."""
        a, b = self.asked, self.box
        width = min(a.right, b.right) - max(a.left, b.left)
        height = min(a.bottom, b.bottom) - max(a.top, b.top)
        return a.size.area - max(0, width) * max(0, height)

    @property
    def scale(self) -> float:
        """By how much the crop is enlarged to the target's size; 1 for a bare ratio."""
        return _scale(self.box.size, self.target)

    @property
    def is_upscale(self) -> bool:
        """Whether a side of the crop is shorter than the target's."""
        return self.short > 0

    @property
    def short(self) -> int:
        """Pixels that the crop lacks on the side that lacks most; 0 where it is large enough."""
        size = self.target.size
        if size is None:
            return 0
        crop = self.box.size
        return max(size.width - crop.width, size.height - crop.height, 0)

    @property
    def label(self) -> str:
        """What a person is told in one line: target, part that is cut off, scale."""
        target, cut = self.target, f"{_percent(self.lost, self.asked)} % cut"
        if target.bare:
            return f"{target.name} · {cut}"
        lack = f": {self.short} px short" if self.is_upscale else ""
        size = f"{target.width}{_TIMES}{target.height}"
        return f"{size} · {cut} · {_TIMES}{self.scale:.2f}{lack}"

    def without_upscaling(self, path: str) -> "Fit":
        """Return the fit itself, or refuse it where the crop would be enlarged.

        Raises
        ------
        TooSmall
            With the factor; nothing was written.
        """
        _check_scale(path, "the crop", self.box.size, self.target)
        return self


def targets(wanted: str | Iterable[str | Target]) -> tuple[Target, ...]:
    """Read targets: sizes as ``1024x1024``, ratios as ``4:5`` or ``1.91:1``, commas between.

    Raises
    ------
    BadTarget
        When one cannot be read, stands there twice, or there are none or more than 1000.
    """
    entries = wanted.split(",", _MOST) if isinstance(wanted, str) else wanted
    listed = tuple(islice(entries, _MOST + 1))
    if len(listed) > _MOST:
        raise BadTarget(f"{_short(str(listed[0]))}, …", f"these are more than {_MOST}")
    return _distinct([w if isinstance(w, Target) else _read(w) for w in listed])


def buckets(rule: str) -> tuple[Target, ...]:
    """Return a table of sizes by its name, or the sizes of a rule.

    ``sdxl`` is the list that SDXL was trained with (arXiv 2307.01952, appendix I). A rule is
    written ``step=64,area=1024x1024,min=512,max=2048``: see `by_rule`. The area may also be a
    number of pixels.

    Raises
    ------
    BadTarget
        When there is no such table, or the rule is incomplete or makes no sense.
    """
    if rule.strip().casefold() == "sdxl":
        return targets(_SDXL.split())
    return by_rule(**_rule(rule))


def by_rule(*, step: int, area: int, shortest: int, longest: int) -> tuple[Target, ...]:
    """Return the sizes of a rule: sides in steps, from `shortest` to `longest`, up to an area.

    For each width the height is the largest that keeps to the area; each size comes in both
    orientations, and the largest square with them. These are the buckets of kohya's trainer
    (sd-scripts, ``make_bucket_resolutions``) where both limits are multiples of the step. Where
    they are not, sides here are multiples all the same, which there they are not; and the square is
    left out here where it is outside of the limits.

    Parameters
    ----------
    area : pixels at most, as 1024 * 1024

    Raises
    ------
    BadTarget
        When a number is not a whole one of at least 1, or nothing or too much comes of the rule.
    """
    written = f"step={step},area={area},min={shortest},max={longest}"
    _check_rule(written, step=step, area=area, shortest=shortest, longest=longest)
    low, high = -(-shortest // step) * step, longest // step * step
    pairs = {(w, min(high, area // w // step * step)) for w in range(low, high + 1, step)}
    square = isqrt(area) // step * step
    both = {(square, square), *pairs, *((h, w) for w, h in pairs)}
    sizes = [pair for pair in sorted(both) if low <= min(pair) and max(pair) <= high]
    if not sizes:
        raise BadTarget(_short(written), "no size comes of it")
    return targets(Target(*pair) for pair in sizes)


def snapped(box: PixelBox, image: Size, target: Target) -> PixelBox:
    """Return the box that fits a target, as this module's rule has it; see there.

    Raises
    ------
    BadBox
        When the box reaches outside of the image.
    """
    box.within(image)
    size = _fitting(box.size, image, target)
    left = _placed(box.left + box.right, size.width, image.width)
    top = _placed(box.top + box.bottom, size.height, image.height)
    return PixelBox.from_xywh(left, top, size.width, size.height)


def covering(least: Size, image: Size, target: Target) -> Size:
    """Return the smallest size that fits a target and is at least as large; or the image's largest.

    Parameters
    ----------
    least : width and height that are needed, at most those of the image
    """
    if target.width > target.height:
        tall = Target(target.height, target.width, bare=target.bare)
        return covering(least.swapped, image.swapped, tall).swapped
    ratio = (target.width, target.height)
    # The height may be rounded up by half a pixel: so far may the width stay behind the ratio.
    for_height = -(-ratio[0] * (2 * least.height - 1) // (2 * ratio[1]))
    width = min(max(least.width, for_height), _widest(image, ratio))
    low, high = _heights(width, image, ratio)
    return Size(width, min(high, max(low, least.height)))


def fits(crop: Size, target: Target) -> bool:
    """Whether a crop of this size is of a target's ratio, by half a pixel of its long side."""
    if target.width > target.height:
        return fits(crop.swapped, Target(target.height, target.width, bare=target.bare))
    return 2 * abs(crop.height * target.width - crop.width * target.height) <= target.width


def enlarged(crop: Size, output: Size) -> float:
    """Return by how much the side of a crop is enlarged that is enlarged most."""
    return max(output.width / crop.width, output.height / crop.height)


def read_size(text: str) -> Size:
    """Read one size in pixels, as ``1024x768``.

    Raises
    ------
    BadTarget
        When it cannot be read, or is a bare ratio.
    """
    size = _read(text).size
    if size is None:
        raise BadTarget(_short(text), "it is a ratio, where a size is needed")
    return size


def fit(box: PixelBox, image: Size, target: Target) -> Fit:
    """Snap a box to a target and say what that costs.

    Raises
    ------
    BadBox
        When the box reaches outside of the image.
    """
    return Fit(target, box, snapped(box, image, target))


def nearest(box: PixelBox, image: Size, among: Sequence[Target]) -> Fit:
    """Fit a box to the target by which it loses the least area.

    Of those that lose the same, the one that needs no enlarging; of these the largest, so that the
    least detail is lost, and else the one that is enlarged least; then the first of the list.

    Raises
    ------
    BadBox, BadTarget
        When the box reaches outside of the image; when there is no target.
    """
    if not among:
        raise BadTarget("", "there is none to choose from")
    return min((fit(box, image, target) for target in among), key=_cost)


def _cost(fitted: Fit) -> tuple[int, bool, float]:
    upscale = fitted.is_upscale
    return fitted.lost, upscale, fitted.scale if upscale else -fitted.scale


def _fitting(asked: Size, image: Size, target: Target) -> Size:
    """Return the size that fits; worked out for a tall target, and turned for a wide one."""
    if target.width > target.height:
        tall = Target(target.height, target.width, bare=target.bare)
        return _fitting(asked.swapped, image.swapped, tall).swapped
    ratio = (target.width, target.height)
    widest = _widest(image, ratio)
    if asked.width <= widest and asked.height in _heights(asked.width, image, ratio):
        return asked
    # Sides are rounded by less than a step of the width: no other width has a nearer area.
    ideal = isqrt(asked.area * ratio[0] // ratio[1])
    widths = {max(1, min(widest, width)) for width in (ideal, ideal + 1)}
    sizes = [Size(w, height) for w in widths for height in _heights(w, image, ratio)]
    return min(sizes, key=lambda s: (abs(s.area - asked.area), s.area))


def _widest(image: Size, ratio: tuple[int, int]) -> int:
    """Return the largest width whose height the image holds: the rounding of `_heights` undone."""
    return max(1, min(image.width, (2 * image.height + 1) * ratio[0] // (2 * ratio[1])))


def _heights(width: int, image: Size, ratio: tuple[int, int]) -> tuple[int, int]:
    """Return the height nearest to the ratio, twice, or the two that are equally near.

    Where the image is too low for the narrowest box, that is as high as the image.
    """
    exact, step = 2 * width * ratio[1], 2 * ratio[0]
    low, high = (exact + ratio[0] - 1) // step, (exact + ratio[0]) // step
    return min(image.height, low), min(image.height, high)


def _placed(twice_centre: int, extent: int, limit: int) -> int:
    return max(0, min(limit - extent, (twice_centre - extent) // 2))


def _scale(crop: Size, target: Target) -> float:
    return 1.0 if target.size is None else enlarged(crop, target.size)


def _check_scale(path: str, what: str, size: Size, target: Target) -> None:
    factor = _scale(size, target)
    if factor > 1:
        raise TooSmall(path, f"{what}, {size.width}x{size.height}", target.name, f"{factor:.2f}")


def _percent(lost: int, asked: PixelBox) -> str:
    percent = 100 * lost / asked.size.area
    return "<1" if 0 < percent < 1 else f"{percent:.0f}"


def _read(text: str) -> Target:
    match = _WRITTEN.fullmatch(text.strip().lower()) if len(text) <= _SHOWN else None
    if match is None:
        raise BadTarget(_short(text), "it is neither a size nor a ratio")
    width, sign, height = match.groups()
    return _ratio(text, width, height) if sign == ":" else _size(text, width, height)


def _size(text: str, width: str, height: str) -> Target:
    if not (width.isdecimal() and height.isdecimal()):
        raise BadTarget(text, f"a side is a whole number from 1 to {LARGEST}")
    return Target(int(width), int(height))


def _ratio(text: str, width: str, height: str) -> Target:
    try:
        terms = Fraction(width) / Fraction(height)
    except (ValueError, ZeroDivisionError):
        raise BadTarget(text, "its terms are numbers above 0") from None
    name = f"{width}:{height}"
    return Target(terms.numerator, terms.denominator, bare=True, name=name)


def _distinct(listed: Sequence[Target]) -> tuple[Target, ...]:
    if not listed:
        raise BadTarget("", "none is named")
    twice = next((target for target, count in Counter(listed).items() if count > 1), None)
    if twice is not None:
        same = [target.name for target in listed if target == twice]
        raise BadTarget(_short(", ".join(same)), "these are the same")
    return tuple(listed)


def _rule(text: str) -> Mapping[str, int]:
    parts = dict(_settings(text))
    missing = [name for name in _RULE if name not in parts]
    if missing:
        raise BadTarget(_short(text), f"as a rule it also has to say {', '.join(missing)}")
    return {_RULE[name]: value for name, value in parts.items()}


def _settings(text: str) -> Iterator[tuple[str, int]]:
    for part in text.split(",", len(_RULE)):
        name, _, value = (word.strip() for word in part.partition("="))
        if name not in _RULE:
            raise BadTarget(_short(part), f"it is not one of sdxl, {', '.join(_RULE)}")
        yield name, _number(part, value, squared=name == "area")


def _number(part: str, value: str, *, squared: bool) -> int:
    """Read a whole number of at most ten digits, or for an area the product of two."""
    numbers = _PRODUCT.fullmatch(value)
    if numbers is None or (numbers[2] and not squared):
        raise BadTarget(_short(part), "it is not a whole number")
    return int(numbers[1]) * int(numbers[2] or 1)


def _check_rule(written: str, **numbers: int) -> None:
    if not all(type(n) is int and n > 0 for n in numbers.values()):
        raise BadTarget(_short(written), "its numbers are whole and above 0")
    if not numbers["shortest"] <= numbers["longest"] <= LARGEST:
        raise BadTarget(_short(written), f"min is at most max, and max at most {LARGEST}")
    if (numbers["longest"] - numbers["shortest"]) // numbers["step"] >= _MOST:
        raise BadTarget(_short(written), f"these are more than {_MOST}")


def _is_side(value: object) -> bool:
    return type(value) is int and 1 <= value <= LARGEST


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
