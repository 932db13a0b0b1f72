"""Where a crop lies in the blocks of each component, and what of the last ones is seen; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd

from cropkit.lossless.edges import Visible

BLOCK = 8

Box = tuple[int, int, int, int]
Place = tuple[int, int]
Way = tuple[bool, bool, bool]  # rows become columns; columns, rows are read backwards


@dataclass(frozen=True, slots=True)
class Strip:
    """Blocks at an edge of a window, of which the same part can be seen."""

    rows: range
    columns: range
    visible: Visible

    @property
    def count(self) -> int:
        """How many blocks."""
        return len(self.rows) * len(self.columns)


@dataclass(frozen=True, slots=True)
class Window:
    """Blocks of one component.

    Parameters
    ----------
    last : what the crop shows of the last column and row
    cut_right, cut_bottom : whether their hidden samples are of the scene that was cropped out
    """

    left: int
    top: int
    columns: int
    rows: int
    last: Visible
    cut_right: bool
    cut_bottom: bool

    @property
    def whole_columns(self) -> int:
        """Columns of blocks that are carried as they are."""
        return self.columns - self.cut_right

    @property
    def whole_rows(self) -> int:
        """Rows of blocks that are carried as they are."""
        return self.rows - self.cut_bottom

    def strips(self) -> Iterator[Strip]:
        """Yield the blocks that are made anew: right, bottom, corner."""
        rows, columns = range(self.whole_rows), range(self.whole_columns)
        last_row = range(self.rows - 1, self.rows)
        last_column = range(self.columns - 1, self.columns)
        if self.cut_right:
            yield Strip(rows, last_column, Visible(self.last.columns, BLOCK))
        if self.cut_bottom:
            yield Strip(last_row, columns, Visible(BLOCK, self.last.rows))
        if self.cut_right and self.cut_bottom:
            yield Strip(last_row, last_column, self.last)


def grid_of(sampling: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the step in pixels at which every component has a block's corner (T.81, A.2)."""
    across, down = zip(*sampling, strict=True)
    return BLOCK * max(across) // gcd(*across), BLOCK * max(down) // gcd(*down)


def transposed(table: Sequence[int]) -> tuple[int, ...]:
    """Return a quantisation table in natural order, of rows that have become columns."""
    return tuple(table[BLOCK * across + down] for down in range(BLOCK) for across in range(BLOCK))


def windows(
    sampling: Sequence[tuple[int, int]], box: Box, beyond: tuple[bool, bool]
) -> tuple[Window, ...]:
    """Return the window of each component; the box's corner lies on the grid (T.81, A.1.1).

    Where the scene does not go on nothing is cropped out, and where the box ends with a block
    nothing is hidden: there every block is carried as it is.

    Parameters
    ----------
    beyond : whether the scene goes on to the right of the box, and below it
    """
    most = (max(h for h, _ in sampling), max(v for _, v in sampling))
    return tuple(_window((h, v), most, box, beyond) for h, v in sampling)


def _window(factors: Place, most: Place, box: Box, beyond: tuple[bool, bool]) -> Window:
    left, top, right, bottom = box
    columns, seen_columns = _blocks(right - left, factors[0], most[0])
    rows, seen_rows = _blocks(bottom - top, factors[1], most[1])
    return Window(
        left * factors[0] // (most[0] * BLOCK),
        top * factors[1] // (most[1] * BLOCK),
        columns,
        rows,
        Visible(seen_columns, seen_rows),
        beyond[0] and seen_columns != BLOCK,
        beyond[1] and seen_rows != BLOCK,
    )


def _blocks(pixels: int, factor: int, most: int) -> tuple[int, int]:
    """Return how many blocks cover so many pixels, and how many samples of the last are seen."""
    samples = -(-pixels * factor // most)
    blocks = -(-samples // BLOCK)
    return blocks, samples - BLOCK * (blocks - 1)
