"""From subjects to a crop: a box with margins around what a detector or a mask has found; pure.

All is upright pixels. A subject's edges are rounded outward to whole pixels and cut at the image's
border; a margin is its fraction of the subjects' bounding box, rounded half up. From there:

1. Each margin is what was asked, or what the image has on that side.
2. `min_size`, then the ratio, makes the box larger, never smaller: about the middle of what was
   asked, the margins outside of the image counted, and moved by what keeps it inside.
3. Where the image has no room for that, the box is the largest that has the ratio: margins shrink
   first, and the subjects stay in it as long as they fit.
4. What does not fit even so is cut about its middle, and `Framed.cut` names it.

So a box is never smaller for a larger margin, and holds the one of a smaller margin where the
margins are the same on all sides.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cropkit.errors import BadBox, BadFraming
from cropkit.geometry import PixelBox, Size
from cropkit.subjects import subjects_of
from cropkit.targets import LARGEST, Target, covering, targets
from cropkit.wanted import Targets, read

Margin = float | Sequence[float]
Margins = tuple[int, int, int, int]
Choice = tuple[PixelBox, Target | None]

EYES = 0.4  # of a face's height from above, as detectors box it: brow to chin, near enough
_SIDES = 4
_HALF = Fraction(1, 2)
_FINEST = 1000  # largest denominator of a ratio that was given as a float
_MOST_MARGIN = 100


@dataclass(frozen=True, slots=True, eq=False)
class Framed(PixelBox):
    """A crop box and what it is around; equal to any box with the same edges.

    Parameters
    ----------
    subjects : rows of the subjects that it is around, from 0
    around : their bounding box, inside of the image
    cut : rows of those that it cuts, because no box of that ratio in the image would hold them all
    asked : margins asked for, in pixels: left, top, right, bottom
    target : what the box fits, if a ratio was wanted
    """

    subjects: tuple[int, ...] = ()
    around: PixelBox | None = None
    cut: tuple[int, ...] = ()
    asked: Margins = (0, 0, 0, 0)
    target: Target | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PixelBox) and self.xyxy == other.xyxy

    def __hash__(self) -> int:
        return hash(PixelBox(*self.xyxy))

    @property
    def margins(self) -> Margins:
        """Pixels from the subjects to left, top, right, bottom; below 0 where cut."""
        inner = self.around or self
        return (
            inner.left - self.left,
            inner.top - self.top,
            self.right - inner.right,
            self.bottom - inner.bottom,
        )

    @property
    def is_shrunk(self) -> bool:
        """Whether a margin is smaller than it was to be: for the border, the ratio or the eyes."""
        return any(has < asked for has, asked in zip(self.margins, self.asked, strict=True))

    @property
    def label(self) -> str:
        """What a person is told in one line."""
        count = len(self.subjects)
        parts = [f"around {count} subject{'s' * (count != 1)}"]
        parts += [self.target.name] if self.target else []
        parts += [f"cuts {len(self.cut)}"] if self.cut else []
        parts += ["margin shrunk"] if self.is_shrunk and not self.cut else []
        return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class _Rule:
    """Parameters that were read: how a box is put around one bounding box."""

    margins: tuple[Fraction, Fraction, Fraction, Fraction]
    among: tuple[Target, ...]
    least: Size
    eyes: Fraction
    eye_line: Fraction | None


def around(
    subjects: Any,  # noqa: ANN401  (arrays and lists of many makers)
    size: Size,
    *,
    aspect: str | float | Target | None = None,
    margin: Margin = 0.1,
    headroom: float | None = None,
    keep: str | Iterable[str] = "all",
    eye_line: float | None = None,
    eyes: float = EYES,
    min_size: Size | int | None = None,
    targets: Targets | None = None,
    classes: Sequence[str] | None = None,
) -> tuple[Framed, ...]:
    """Return crop boxes around subjects: inside of the image, and none cut that need not be.

    One box around all that are kept; with ``keep="each"`` one for each subject, in their order.
    Without a subject there is no box.

    Parameters
    ----------
    subjects : boxes, (N, 4) left, top, right, bottom or (N, 5) with a confidence, upright pixels;
        masks, (H, W) or (N, H, W) bool; a polygon, (P, 2) x and y of its corners; or a list of
        masks and polygons
    size : of the image, upright
    aspect : ratio of the crop, as "4:5", width over height, or a target; None: what comes of it
    margin : fraction of the subjects' width left and right, of their height above and below; or
        four: left, top, right, bottom
    headroom : the fraction above, instead of the margin's
    keep : "all", "largest" (in area), "most-confident", "each", or names of `classes`
    eye_line : where the eyes are to be, as a fraction of the crop's height from above; then margins
        above and below decide how high the crop is, and this where it stands
    eyes : where in the subjects' height, from above, the eyes are
    min_size : least width and height of a crop, as far as the image has them
    targets : sizes or ratios, of which the box takes the one that costs least: cut subjects first,
        then margin, then area
    classes : name of each subject's class

    Raises
    ------
    BadFraming
        When subjects or a parameter make no sense, or a subject is wholly outside of the image.
    BadTarget
        When a ratio or a target cannot be read.
    """
    boxes, scores = subjects_of(subjects, size)
    rule = _Rule(
        _margins(margin, headroom),
        _ratios(aspect, targets),
        _least(min_size, size),
        _fraction("eyes", eyes, 1),
        None if eye_line is None else _fraction("eye_line", eye_line, 1),
    )
    groups = _kept(keep, boxes, scores, classes)
    return tuple(_framed(group, boxes, size, rule) for group in groups if group)


def _kept(
    keep: str | Iterable[str],
    boxes: Sequence[PixelBox],
    scores: Sequence[float] | None,
    classes: Sequence[str] | None,
) -> list[tuple[int, ...]]:
    rows = range(len(boxes))
    if not boxes or keep == "all":
        return [tuple(rows)]
    if keep == "each":
        return [(row,) for row in rows]
    if keep == "largest":
        return [(max(rows, key=lambda row: boxes[row].size.area),)]
    if keep == "most-confident":
        if scores is None:
            raise BadFraming("keep", "no confidence is known: give boxes as (N, 5)")
        return [(max(rows, key=scores.__getitem__),)]
    return [_of_classes({keep} if isinstance(keep, str) else set(keep), len(boxes), classes)]


def _of_classes(names: set[str], count: int, classes: Sequence[str] | None) -> tuple[int, ...]:
    if classes is None or len(classes) != count:
        have = "none" if classes is None else len(classes)
        raise BadFraming("keep", f"{count} subjects need `classes`, a name for each; there: {have}")
    return tuple(row for row, name in enumerate(classes) if name in names)


def _margins(
    margin: Margin, headroom: float | None
) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    sides = (margin,) * 4 if isinstance(margin, int | float) else tuple(margin)
    if len(sides) != _SIDES:
        raise BadFraming("margin", f"it is one number or four, not {len(sides)}")
    left, top, right, bottom = (_fraction("margin", side, _MOST_MARGIN) for side in sides)
    above = top if headroom is None else _fraction("headroom", headroom, _MOST_MARGIN)
    return left, above, right, bottom


def _fraction(name: str, value: object, most: int) -> Fraction:
    """Return the decimal that a person wrote: 0.1 is a tenth, not the nearest double of it."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= most:  # type: ignore[operator]  # (it is a number)
        raise BadFraming(name, f"{value!r:.40} is no number from 0 to {most}")
    return Fraction(str(float(value)))  # type: ignore[arg-type]  # (as above)


def _ratios(aspect: str | float | Target | None, among: Targets | None) -> tuple[Target, ...]:
    if among is not None:
        if aspect is not None:
            raise BadFraming("aspect", "targets say the ratio already")
        return read(among)
    if aspect is None:
        return ()
    if isinstance(aspect, Target):
        return (aspect,)
    return targets(aspect) if isinstance(aspect, str) else (_of_number(aspect),)


def _of_number(aspect: float) -> Target:
    ratio = _fraction("aspect", aspect, LARGEST).limit_denominator(_FINEST)
    return Target(ratio.numerator, ratio.denominator, bare=True)


def _least(min_size: Size | int | None, image: Size) -> Size:
    if min_size is None:
        return Size(1, 1)
    try:
        least = min_size if isinstance(min_size, Size) else Size(min_size, min_size)
    except BadBox as error:
        raise BadFraming("min_size", str(error.args[1])) from None
    return Size(min(least.width, image.width), min(least.height, image.height))


def _framed(group: tuple[int, ...], boxes: Sequence[PixelBox], image: Size, rule: _Rule) -> Framed:
    held = [boxes[row] for row in group]
    inner = _union(held)
    asked = _asked(inner.size, rule)
    choices = [_placed(inner, asked, image, rule, target) for target in rule.among or (None,)]
    box, target = min(choices, key=_cost(inner, asked))
    cut = tuple(row for row in group if _lost(boxes[row], box))
    return Framed(*box.xyxy, group, inner, cut, asked, target)


def _union(boxes: Sequence[PixelBox]) -> PixelBox:
    lefts, tops, rights, bottoms = zip(*(box.xyxy for box in boxes), strict=True)
    return PixelBox(min(lefts), min(tops), max(rights), max(bottoms))


def _asked(size: Size, rule: _Rule) -> Margins:
    sides = (size.width, size.height, size.width, size.height)
    left, top, right, bottom = (
        int(margin * side + _HALF) for margin, side in zip(rule.margins, sides, strict=True)
    )
    return left, top, right, bottom


def _placed(
    inner: PixelBox,
    asked: Margins,
    image: Size,
    rule: _Rule,
    target: Target | None,
) -> Choice:
    x, y = (
        (inner.left - asked[0], inner.right + asked[2]),
        (inner.top - asked[1], inner.bottom + asked[3]),
    )
    needed = Size(
        max(rule.least.width, _shown(x, image.width)),
        max(rule.least.height, _shown(y, image.height)),
    )
    size = needed if target is None else covering(needed, image, target)
    left = _start(sum(x) - size.width, size.width, (inner.left, inner.right), image.width)
    twice_top = _twice_top(inner, sum(y), size.height, rule)
    top = _start(twice_top, size.height, (inner.top, inner.bottom), image.height)
    return PixelBox.from_xywh(left, top, size.width, size.height), target


def _shown(span: tuple[int, int], extent: int) -> int:
    return min(extent, span[1]) - max(0, span[0])


def _twice_top(inner: PixelBox, twice_middle: int, height: int, rule: _Rule) -> int | Fraction:
    if rule.eye_line is None:
        return twice_middle - height
    eyes = inner.top + rule.eyes * inner.size.height
    return 2 * (eyes - rule.eye_line * height)


def _start(twice: int | Fraction, extent: int, subject: tuple[int, int], limit: int) -> int:
    """Return where a span begins: as near to what is wanted as subject, then image allow."""
    first, last = sorted((subject[1] - extent, subject[0]))
    start = max(first, min(last, int(twice // 2)))
    return max(0, min(limit - extent, start))


def _cost(inner: PixelBox, asked: Margins) -> Callable[[Choice], tuple[int, int, int]]:
    """Compare choices: by what is cut of the subjects, then by missing margin, then by area."""

    def cost(choice: Choice) -> tuple[int, int, int]:
        box = choice[0]
        margins = Framed(*box.xyxy, around=inner).margins
        missing = sum(max(0, a - m) for a, m in zip(asked, margins, strict=True))
        return _lost(inner, box), missing, box.size.area

    return cost


def _lost(subject: PixelBox, box: PixelBox) -> int:
    """Return how many pixels of a subject are outside of a box."""
    spans = _shared(subject, box)
    return subject.size.area - next(spans) * next(spans)


def _shared(a: PixelBox, b: PixelBox) -> Iterator[int]:
    yield max(0, min(a.right, b.right) - max(a.left, b.left))
    yield max(0, min(a.bottom, b.bottom) - max(a.top, b.top))
