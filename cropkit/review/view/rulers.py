"""Rulers along a picture, in pixels of its image: ticks, and numbers where they have room; pure."""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from cropkit.review.view.guides import Line
from cropkit.review.view.labels import text_width
from cropkit.review.view.viewport import Rect, Viewport

SIZE = 11  # of the numbers, in canvas units
_APART = 72  # of two numbers, at least
_LONG, _SHORT = 10, 5  # ticks
_BESIDE = 3  # of a tick
_PARTS = 5  # of what lies between two numbers
_PADDING, _HEIGHT = 2, 14


class Word(NamedTuple):
    """A number: where its text begins and has its middle, and its ground."""

    text: str
    x: float
    y: float
    ground: Rect


class Ruler(NamedTuple):
    """What is drawn over a picture, along its upper and left side."""

    lines: tuple[Line, ...] = ()
    words: tuple[Word, ...] = ()


NO_RULER = Ruler()


def ruler(view: Viewport) -> Ruler:
    """Return the rulers of an image as it is seen: zoomed, of the part that is in sight."""
    seen, step = view.seen, step_of(view.scale)
    left, top = view.to_image(seen.x, seen.y)
    right, bottom = view.to_image(seen.right, seen.bottom)
    across = tuple(_ticks(left, right, step))
    down = tuple(_ticks(top, bottom, step))
    lines = (
        *(_standing(view.to_canvas(at, 0)[0], seen.y, at % step == 0) for at in across),
        *(_lying(view.to_canvas(0, at)[1], seen.x, at % step == 0) for at in down),
    )
    columns, rows = ([at for at in ticks if at % step == 0] for ticks in (across, down))
    numbers = (
        *(_word(at, view.to_canvas(at, 0)[0] + _BESIDE, seen.y + _LONG) for at in columns),
        *(_word(at, seen.x + _LONG, view.to_canvas(0, at)[1] + _BESIDE) for at in rows),
    )
    return Ruler(lines, tuple(word for word in numbers if word.ground.is_inside(seen)))


def step_of(scale: float) -> int:
    """Return how many pixels lie between two numbers: 1, 2 or 5, 10, 20 or 50, and so on.

    Parameters
    ----------
    scale : canvas units for a pixel
    """
    return next(step for step in _round_numbers() if step * scale >= _APART)


def _round_numbers() -> Iterator[int]:
    size = 1
    while True:
        yield from (size, 2 * size, 5 * size)
        size *= 10


def _ticks(first: float, last: float, step: int) -> Iterator[int]:
    """Yield the pixels between two that have a tick, but for the border itself."""
    by = max(1, step // _PARTS)
    at = (int(max(0.0, first)) // by + 1) * by
    while at < last:
        yield at
        at += by


def _standing(x: float, top: float, is_numbered: bool) -> Line:  # noqa: FBT001  (one of two)
    return (x, top, x, top + (_LONG if is_numbered else _SHORT))


def _lying(y: float, left: float, is_numbered: bool) -> Line:  # noqa: FBT001  (as above)
    return (left, y, left + (_LONG if is_numbered else _SHORT), y)


def _word(at: int, x: float, top: float) -> Word:
    """Return a number below a tick, or beside it."""
    text = f"{at}"
    ground = Rect(x, top, ceil(text_width(text, SIZE)) + 2 * _PADDING, _HEIGHT)
    return Word(text, x + _PADDING, ground.middle[1], ground)
