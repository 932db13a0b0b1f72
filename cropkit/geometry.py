"""Sizes and crop boxes, one class for each frame of reference; pure.

Frames: *upright* pixels are what a person sees, with the origin top left; *stored* pixels are what
the file holds before its EXIF orientation is applied; *normalized* is 0..1 of the upright width and
height. Boxes are half-open (right and bottom are the first column and row outside), in Pillow's
order left, top, right, bottom.
"""

import math
import operator
import re
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Self

from cropkit.errors import BadBox, BadTurn

# (axes are swapped, stored x runs backwards, stored y runs backwards) for EXIF tag 0x0112,
# "Orientation" (CIPA DC-008, 4.6.5.1): which corner of the scene row 0 and column 0 stand for.
_ORIENTATIONS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, both at least 1.

    Raises
    ------
    BadBox
        When one is not a whole number of at least 1.
    """

    width: int
    height: int

    def __post_init__(self) -> None:
        _coerce_to_int(self, ("width", "height"))
        if self.width < 1 or self.height < 1:
            raise BadBox(astuple(self), "an image has at least one pixel each way")

    @property
    def aspect_ratio(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @property
    def swapped(self) -> "Size":
        """The size after a quarter turn."""
        return Size(self.height, self.width)

    def oriented(self, orientation: int) -> "Size":
        """Upright size of stored pixels under an EXIF orientation, and the other way round."""
        return self.swapped if _ORIENTATIONS[orientation][0] else self

    def turned(self, turn: "Turn") -> "Size":
        """Return the size after a turn."""
        return self.oriented(turn.orientation)


@dataclass(frozen=True, slots=True)
class Turn:
    """How what a crop box holds is turned, and whether it is mirrored; not at all by default.

    A box is one of the image as a person sees it before the turn. By a fine angle, which is what
    straightens an image, the box is turned about its own middle the other way, and what it holds
    then is cut out; then come the quarters. So a box says where a crop is, whatever its turn, and a
    turned box is the rotated box of others, whose centre and size it has.

    Parameters
    ----------
    orientation : 1 to 8, the EXIF orientation of pixels that are seen so turned by quarters
    hundredths : -4500 to 4500 of a degree: clockwise is positive, as the picture is seen turned,
        before the quarters; a horizon whose left end is the lower one wants more than 0

    Raises
    ------
    BadTurn
        When there is no such one.
    """

    orientation: int = 1
    hundredths: int = 0

    def __post_init__(self) -> None:
        if type(self.orientation) is not int or self.orientation not in _ORIENTATIONS:
            raise BadTurn(self.orientation)
        if type(self.hundredths) is not int or abs(self.hundredths) > _MOST_HUNDREDTHS:
            raise BadTurn(self.hundredths)

    @classmethod
    def of(
        cls, degrees: int = 0, flip: str | None = None, angle: Decimal | float | str = 0
    ) -> "Turn":
        """Turn clockwise by an angle; then by quarters; then mirror.

        Parameters
        ----------
        degrees : 0, 90, 180 or 270
        flip : "horizontal" or "vertical"
        angle : -45 to 45 degrees, with two decimals at most: no other number is one exactly

        Raises
        ------
        BadTurn
            When it is another angle or word.
        """
        quarters = _QUARTERS.get(degrees)
        mirror = 1 if flip is None else _FLIPS.get(flip)
        if quarters is None or mirror is None:
            raise BadTurn(degrees if quarters is None else flip)
        return cls(1, _hundredths(angle)).then(cls(quarters)).then(cls(mirror))

    @classmethod
    def from_text(cls, text: str) -> "Turn":
        """Read what `text` wrote.

        Raises
        ------
        BadTurn
            Nobody of ours wrote it.
        """
        match = _TEXT.fullmatch(text) if isinstance(text, str) else None
        if match is None or match["quarters"] not in _WORDS:
            raise BadTurn(text)
        turn = cls(_WORDS[match["quarters"]], _hundredths(match["angle"] or 0))
        if turn.text != text:
            raise BadTurn(text)
        return turn

    @property
    def text(self) -> str:
        """In words: angle, degrees clockwise, then the direction it is mirrored in; '' for none."""
        fine = f"angle {self.angle:g}" if self.resamples else ""
        quarters = next(words for words, number in _WORDS.items() if number == self.orientation)
        return " ".join(filter(None, (fine, quarters)))

    @property
    def is_none(self) -> bool:
        """Whether all stays as it is."""
        return self.orientation == 1 and not self.resamples

    @property
    def resamples(self) -> bool:
        """Whether there is a fine angle, by which every pixel is computed anew."""
        return self.hundredths != 0

    @property
    def angle(self) -> float:
        """The fine angle in degrees, clockwise."""
        return self.hundredths / 100

    @property
    def quarters(self) -> "Turn":
        """The turn without its fine angle."""
        return Turn(self.orientation)

    @property
    def swaps(self) -> bool:
        """Whether rows become columns."""
        return _ORIENTATIONS[self.orientation][0]

    @property
    def mirrored(self) -> tuple[bool, bool]:
        """Whether the columns, and the rows, of what is turned are read backwards."""
        return _ORIENTATIONS[self.orientation][1:]

    @property
    def inverse(self) -> "Turn":
        """The turn that takes it back."""
        fine = -self._way_round * self.hundredths
        numbers = _SWAPPING if self.swaps else (self.orientation,)
        turns = (Turn(number, fine) for number in numbers)
        return next(turn for turn in turns if self.then(turn).is_none)

    def then(self, other: "Turn") -> "Turn":
        """Return the one turn that both are together, one after the other.

        Raises
        ------
        BadTurn
            The fine angles are more than 45 degrees together.
        """
        swap, x, y = _ORIENTATIONS[self.orientation]
        swap_after, x_after, y_after = _ORIENTATIONS[other.orientation]
        if swap:
            x_after, y_after = y_after, x_after
        both = (swap != swap_after, x != x_after, y != y_after)
        fine = self.hundredths + self._way_round * other.hundredths
        return next(Turn(number, fine) for number, way in _ORIENTATIONS.items() if way == both)

    @property
    def _way_round(self) -> int:
        """-1 where clockwise has become counterclockwise, as in a mirror."""
        return -1 if sum(_ORIENTATIONS[self.orientation]) % 2 else 1


_MOST_HUNDREDTHS = 4500
MOST_ANGLE = _MOST_HUNDREDTHS / 100
"""Degrees by which crops are straightened at most."""
NO_TURN = Turn()


_QUARTERS = {0: 1, 90: 6, 180: 3, 270: 8}
_FLIPS = {"horizontal": 2, "vertical": 4}
# A mirror image after a turn by 90 or 270 degrees is one over a diagonal.
_WORDS = {
    "": 1,
    "90": 6,
    "180": 3,
    "270": 8,
    **_FLIPS,
    "90 horizontal": 5,
    "270 horizontal": 7,
}
_SWAPPING = tuple(number for number, way in _ORIENTATIONS.items() if way[0])
_TEXT = re.compile(r"(?:angle (?P<angle>-?\d{1,2}(?:\.\d{1,2})?) ?)?(?P<quarters>.*)")
_ANGLE = re.compile(r"[+-]?\d{1,2}(?:\.\d{1,2}0*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PixelBox:
    """A crop box in pixels: upright ones, unless a name says stored.

    Parameters
    ----------
    left, top : first column and row that are kept, from 0
    right, bottom : first column and row that are not

    Raises
    ------
    BadBox
        When it is empty, inverted, negative or not of whole numbers.
    """

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        _coerce_to_int(self, ("left", "top", "right", "bottom"))
        if self.left < 0 or self.top < 0:
            raise BadBox(astuple(self), "starts outside the image")
        if self.right <= self.left or self.bottom <= self.top:
            raise BadBox(astuple(self), "is empty or inverted")

    @classmethod
    def full(cls, size: Size) -> Self:
        """Return the box that keeps everything."""
        return cls(0, 0, size.width, size.height)

    @classmethod
    def from_xywh(cls, x: int, y: int, width: int, height: int) -> Self:
        """Read COCO's order: left, top, width, height."""
        return cls(x, y, x + width, y + height)

    @property
    def size(self) -> Size:
        """Size of what is kept."""
        return Size(self.right - self.left, self.bottom - self.top)

    @property
    def xyxy(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom: the order of Pillow's ``Image.crop``."""
        return (self.left, self.top, self.right, self.bottom)

    def within(self, size: Size) -> Self:
        """Return the box itself, or raise `BadBox` when it reaches outside `size`."""
        if self.right > size.width or self.bottom > size.height:
            raise BadBox(self.xyxy, f"reaches outside the {size.width} x {size.height} image")
        return self

    def normalized(self, size: Size) -> "NormalizedBox":
        """Express an upright box in fractions of `size`, which is upright, too."""
        self.within(size)
        w, h = size.width, size.height
        return NormalizedBox(self.left / w, self.top / h, self.right / w, self.bottom / h)

    def stored(self, upright: Size, orientation: int) -> "PixelBox":
        """Map an upright box to the stored pixels of an image with that EXIF orientation."""
        self.within(upright)
        swap, flip_x, flip_y = _ORIENTATIONS[orientation]
        stored = upright.oriented(orientation)
        x, y = ((self.top, self.bottom), (self.left, self.right)) if swap else self._spans()
        return _from_spans(
            _mirrored(x, stored.width, flip=flip_x), _mirrored(y, stored.height, flip=flip_y)
        )

    def upright(self, stored: Size, orientation: int) -> "PixelBox":
        """Map a stored box to what a person sees: the inverse of `stored`."""
        self.within(stored)
        swap, flip_x, flip_y = _ORIENTATIONS[orientation]
        x, y = self._spans()
        x, y = _mirrored(x, stored.width, flip=flip_x), _mirrored(y, stored.height, flip=flip_y)
        return _from_spans(y, x) if swap else _from_spans(x, y)

    def turned(self, size: Size, turn: Turn) -> "PixelBox":
        """Return where what an upright box holds is, when an image of that size was turned."""
        return self.upright(size, turn.orientation)

    def snapped(self, grid: Size) -> "PixelBox":
        """Move the corner outward to the grid: left and top up to a step, right and bottom stay."""
        left, top = self.left // grid.width * grid.width, self.top // grid.height * grid.height
        return PixelBox(left, top, self.right, self.bottom)

    def _spans(self) -> tuple[tuple[int, int], tuple[int, int]]:
        return (self.left, self.right), (self.top, self.bottom)


@dataclass(frozen=True, slots=True)
class NormalizedBox:
    """A crop box in fractions of the upright width and height.

    Parameters
    ----------
    left, right : 0 to 1 of the width, from the left
    top, bottom : 0 to 1 of the height, from above

    Raises
    ------
    BadBox
        When a value is not finite or outside 0..1, or when the box is empty or inverted.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        values = self.xyxy
        if any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
            raise BadBox(values, "is not made of numbers")
        if not all(math.isfinite(v) and 0 <= v <= 1 for v in values):
            raise BadBox(values, "is not inside 0..1")
        if self.right <= self.left or self.bottom <= self.top:
            raise BadBox(values, "is empty or inverted")

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return (self.left, self.top, self.right, self.bottom)

    def pixels(self, size: Size) -> PixelBox:
        """Round each edge once, half up, to a pixel edge of `size`; keep at least one pixel."""
        left, right = _rounded(self.left, self.right, size.width)
        top, bottom = _rounded(self.top, self.bottom, size.height)
        return PixelBox(left, top, right, bottom)


def iou(a: PixelBox, b: PixelBox) -> float:
    """Intersection over union of two boxes of one image (Jaccard 1912), 0..1."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    shared = max(0, width) * max(0, height)
    return shared / (a.size.area + b.size.area - shared)


def largest_edge_shift(a: PixelBox, b: PixelBox, size: Size) -> float:
    """Return how far the edge moved that moved most, as a fraction of width or height."""
    extents = (size.width, size.height, size.width, size.height)
    return max(abs(p - q) / n for p, q, n in zip(a.xyxy, b.xyxy, extents, strict=True))


def _coerce_to_int(value: object, names: tuple[str, ...]) -> None:
    for name in names:
        number = getattr(value, name)
        if isinstance(number, bool):
            raise BadBox(number, "is not a whole number")
        try:
            object.__setattr__(value, name, operator.index(number))
        except TypeError:
            raise BadBox(number, "is not a whole number") from None


def _hundredths(angle: object) -> int:
    """Return an angle of degrees in hundredths, exactly."""
    text = str(angle)
    if not _ANGLE.fullmatch(text):
        raise BadTurn(angle)
    return int(Decimal(text) * 100)


def _mirrored(span: tuple[int, int], extent: int, *, flip: bool) -> tuple[int, int]:
    return (extent - span[1], extent - span[0]) if flip else span


def _from_spans(x: tuple[int, int], y: tuple[int, int]) -> PixelBox:
    return PixelBox(x[0], y[0], x[1], y[1])


def _rounded(low: float, high: float, extent: int) -> tuple[int, int]:
    start = min(extent - 1, math.floor(low * extent + 0.5))
    return start, max(start + 1, math.floor(high * extent + 0.5))
