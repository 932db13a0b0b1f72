"""Give images of known shapes as much of a room as they can have together; pure.

A room is cut into cells by rows inside of columns inside of rows (a slicing tree), in the order of
the images. A cell is as wide as its picture, which is as high as the cell without its caption: so
the width of any part is `slope` times its height plus `rest`, and every tree is solved exactly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from math import log

from cropkit.review.view.viewport import Rect

USUAL = 1.5  # width over height of an image that nothing is known of yet
_FLATTEST = 3.0  # a cell is no flatter and no narrower, whatever its picture is
_TREES = 4  # of so many images every tree is tried, of more of them rows alone
_ENOUGH = 0.75  # of the room: then the images should rather be of one size
_NEARLY = 0.95  # of what they can have at most, where that is less
_EVEN = 6.0  # how many times as large as the smallest the largest may be then
_BEYOND = 2  # rows that are tried beyond what pictures without captions would fill
_LOWEST = 40.0  # a picture in its cell


@dataclass(frozen=True, slots=True)
class Trim:
    """What a cell has round its picture: at each side, above and below together, and between.

    Parameters
    ----------
    narrowest : a cell may be, for its caption
    """

    beside: float
    above_and_below: float
    gap: float
    narrowest: float


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the room: one image, or parts side by side or one above the other."""

    slope: float
    rest: float
    image: int = -1
    parts: tuple["_Part", ...] = ()
    is_row: bool = True

    def width(self, height: float) -> float:
        return self.slope * height + self.rest

    def height(self, width: float) -> float:
        return (width - self.rest) / self.slope


@lru_cache(maxsize=256)
def sliced(aspects: tuple[float, ...], room: Rect, trim: Trim) -> tuple[Rect, ...]:
    """Return the cells of images of these aspect ratios, in the middle of a room.

    Parameters
    ----------
    aspects : width over height of each picture
    """
    if len(aspects) <= 1:
        return (room,) * len(aspects)  # one is alone: zoomed, it fills all of it
    leaves = [_leaf(number, aspect, trim) for number, aspect in enumerate(aspects)]
    trees = _trees(leaves, trim) if len(leaves) <= _TREES else _rows(leaves, room, trim)
    layouts = [_laid_out(tree, room, trim) for tree in trees]
    legible = [cells for cells in layouts if _is_legible(cells, trim)]
    if not legible:
        return _even(len(aspects), room, trim)
    most = max(sum(_areas(cells, trim)) for cells in legible)
    enough = min(_ENOUGH * room.width * room.height, _NEARLY * most)
    return max(legible, key=lambda cells: _worth(cells, enough, trim))


@lru_cache(maxsize=256)
def used(aspects: tuple[float, ...], room: Rect, trim: Trim) -> float:
    """Return how much of a room its pictures are, 0 to 1."""
    cells = sliced(aspects, room, trim)
    pictures = (_picture(cell, aspect, trim) for cell, aspect in zip(cells, aspects, strict=True))
    return sum(pictures) / (room.width * room.height)


def _picture(cell: Rect, aspect: float, trim: Trim) -> float:
    width, height = cell.width - 2 * trim.beside, cell.height - trim.above_and_below
    high = max(0.0, min(height, width / aspect))
    return aspect * high * high


def _leaf(number: int, aspect: float, trim: Trim) -> _Part:
    slope = min(_FLATTEST, max(1 / _FLATTEST, aspect))
    return _Part(slope, 2 * trim.beside - slope * trim.above_and_below, number)


def _joined(parts: tuple[_Part, ...], trim: Trim, *, is_row: bool) -> _Part:
    """Return parts as one: side by side of one height, or one above the other of one width."""
    gaps = trim.gap * (len(parts) - 1)
    if is_row:
        slope, rest = sum(part.slope for part in parts), sum(part.rest for part in parts) + gaps
    else:
        slope = 1 / sum(1 / part.slope for part in parts)
        rest = slope * (sum(part.rest / part.slope for part in parts) - gaps)
    return _Part(slope, rest, parts=parts, is_row=is_row)


def _trees(parts: Sequence[_Part], trim: Trim) -> list[_Part]:
    """Return every way to cut a room for these images, in their order."""
    if len(parts) == 1:
        return [parts[0]]
    return [
        _joined((one, other), trim, is_row=is_row)
        for at in range(1, len(parts))
        for one, other in product(_trees(parts[:at], trim), _trees(parts[at:], trim))
        for is_row in (True, False)
    ]


def _rows(parts: Sequence[_Part], room: Rect, trim: Trim) -> list[_Part]:
    """Return rows of about the same length: one row, two rows, up to more than fill the room."""
    filling = (room.height / room.width * sum(part.slope for part in parts)) ** 0.5
    most = min(len(parts), int(filling) + _BEYOND)
    return [
        _joined(
            tuple(_joined(tuple(row), trim, is_row=True) for row in _broken(parts, count)),
            trim,
            is_row=False,
        )
        for count in range(1, most + 1)
    ]


def _broken(parts: Sequence[_Part], count: int) -> Iterator[Sequence[_Part]]:
    """Break a line of images into so many rows, each of about the same share of its length."""
    length = sum(part.slope for part in parts)
    ends, so_far = [0], 0.0
    for number, part in enumerate(parts):
        left, rows = len(parts) - number, count - len(ends)
        middle = so_far + part.slope / 2
        if number > ends[-1] and rows and (middle > length * len(ends) / count or left == rows):
            ends.append(number)
        so_far += part.slope
    return (parts[start:end] for start, end in pairwise((*ends, len(parts))))


def _laid_out(tree: _Part, room: Rect, trim: Trim) -> tuple[Rect, ...]:
    height = min(room.height, tree.height(room.width))
    width = tree.width(height)
    x, y = room.middle
    whole = Rect(x - width / 2, y - height / 2, width, height)
    placed = dict(_placed(tree, whole, trim))
    return tuple(placed[number] for number in range(len(placed)))


def _placed(part: _Part, rect: Rect, trim: Trim) -> Iterator[tuple[int, Rect]]:
    if not part.parts:
        yield part.image, rect
        return
    x, y = rect.x, rect.y
    for inner in part.parts:
        if part.is_row:
            width, height = inner.width(rect.height), rect.height
        else:
            width, height = rect.width, inner.height(rect.width)
        yield from _placed(inner, Rect(x, y, width, height), trim)
        x += width + trim.gap if part.is_row else 0
        y += 0 if part.is_row else height + trim.gap


def _even(count: int, room: Rect, trim: Trim) -> tuple[Rect, ...]:
    """Return cells of one size: where there is little room, pictures do not say how it is cut."""
    columns = max(1, min(count, round((count * room.width / (2 * room.height)) ** 0.5)))
    rows = -(-count // columns)
    width = (room.width + trim.gap) / columns - trim.gap
    height = (room.height + trim.gap) / rows - trim.gap
    return tuple(
        Rect(
            room.x + column * (width + trim.gap), room.y + row * (height + trim.gap), width, height
        )
        for row, column in (divmod(number, columns) for number in range(count))
    )


def _is_legible(cells: tuple[Rect, ...], trim: Trim) -> bool:
    """Whether each cell has room for its caption, and a picture."""
    lowest = trim.above_and_below + _LOWEST
    return all(cell.width > trim.narrowest and cell.height > lowest for cell in cells)


def _worth(cells: tuple[Rect, ...], enough: float, trim: Trim) -> tuple[bool, bool, float]:
    """Return how well cells use a room: enough of it, alike in size, and each of them large."""
    areas = _areas(cells, trim)
    is_enough = sum(areas) >= enough
    return is_enough, is_enough and max(areas) <= _EVEN * min(areas), sum(map(log, areas))


def _areas(cells: tuple[Rect, ...], trim: Trim) -> list[float]:
    """Return how large the pictures in cells of their shapes are."""
    return [(cell.width - 2 * trim.beside) * (cell.height - trim.above_and_below) for cell in cells]
