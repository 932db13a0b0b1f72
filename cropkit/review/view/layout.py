"""Where everything is on the review's canvas; pure.

Canvas units are those of one page design, 1400 wide: the browser scales the canvas to the space it
has, and reports the mouse in canvas units again.
"""

from dataclasses import dataclass
from enum import StrEnum

from cropkit.review.view.viewport import Rect

WIDTH = 1400
PADDING = 16
HEADER = 52
CAPTION = 52
TRIM = 7
STRIP = 60
PLACE = 84
SNAP = 7  # how near a border draws what is dragged
MESSAGE = 46
HINTS = 46
GAP = 8
HANDLE = 12
CHIP = 116
CHIP_SMALL = 88
HELP = 170

_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 3, 6: 3, 7: 4, 8: 4}
_STAGE_HEIGHTS = {1: 600, 2: 560, 3: 500, 4: 420}


class ClickTarget(StrEnum):
    """What can be clicked."""

    STAGE = "stage"
    CHIP = "chip"
    ACKNOWLEDGE = "acknowledge"
    HELP = "help"
    STRIP = "strip"


@dataclass(frozen=True, slots=True)
class Target:
    """What lies under a point; `position` is the image's, where it belongs to one."""

    kind: ClickTarget
    position: int | None = None


@dataclass(frozen=True, slots=True)
class PageLayout:
    """Bands of a page: header, cells of picture and caption, message, key hints.

    Parameters
    ----------
    room : height of all the cells, where it is not this layout that says it
    tight : little room for words, and for the hand: the grid, where boxes are only looked at
    """

    per_page: int = 3
    room: float | None = None
    tight: bool = False

    def beside(self, per_page: int, *, tight: bool = False) -> "PageLayout":
        """Return the layout of so many images on the same canvas."""
        return PageLayout(per_page, self.board.height, tight)

    @property
    def columns(self) -> int:
        """Cells side by side."""
        return _COLUMNS.get(self.per_page, -(-self.per_page // 2))

    @property
    def rows(self) -> int:
        """Rows of cells."""
        return -(-self.per_page // self.columns)

    @property
    def padding(self) -> int:
        """Room round a picture."""
        return PADDING // 2 if self.tight else PADDING

    @property
    def trim(self) -> int:
        """Room above and below the words of a caption."""
        return 0 if self.tight else TRIM

    @property
    def _besides(self) -> float:
        """Height of a cell that is not the picture's."""
        return 1.5 * self.padding + (CAPTION - 2 * TRIM if self.tight else CAPTION)

    @property
    def stage_height(self) -> float:
        """Height for a picture."""
        if self.room is None:
            return _STAGE_HEIGHTS.get(self.per_page, 270)
        return self.cell_height - self._besides

    @property
    def cell_height(self) -> float:
        """Height of picture, padding and caption."""
        if self.room is None:
            return self.stage_height + self._besides
        return self.room / self.rows - GAP

    @property
    def height(self) -> int:
        """Height of the whole canvas."""
        return round(self.hints.bottom)

    @property
    def header(self) -> Rect:
        """Progress."""
        return Rect(0, 0, WIDTH, HEADER)

    @property
    def strip(self) -> Rect:
        """The last decisions."""
        below = HEADER + self.rows * (self.cell_height + GAP)
        return Rect(0, below, WIDTH, STRIP)

    @property
    def places(self) -> int:
        """How many decisions the strip has room for."""
        return WIDTH // PLACE

    def place(self, number: int) -> Rect:
        """Return where one of the last decisions is, the oldest first."""
        return Rect(number * PLACE, self.strip.y, PLACE - 6, STRIP - 8)

    @property
    def message(self) -> Rect:
        """The last problem or note."""
        return Rect(0, self.strip.bottom, WIDTH, MESSAGE)

    @property
    def hints(self) -> Rect:
        """The few keys that matter."""
        return Rect(0, self.message.bottom, WIDTH, HINTS)

    @property
    def help(self) -> Rect:
        """Where a click shows all keys."""
        return Rect(WIDTH - HELP, self.hints.y, HELP, HINTS)

    @property
    def board(self) -> Rect:
        """All the cells: the end is told there, and the message line stays in sight."""
        return Rect(0, HEADER, WIDTH, self.strip.y - HEADER)

    def cell(self, position: int) -> Rect:
        """Frame of one image with its caption."""
        row, column = divmod(position, self.columns)
        width = (WIDTH + GAP) / self.columns - GAP
        y = HEADER + row * (self.cell_height + GAP)
        return Rect(column * (width + GAP), y, width, self.cell_height)

    def stage(self, position: int) -> Rect:
        """Space for the picture: at some way from every border, so that a drag can leave."""
        cell, by = self.cell(position), self.padding
        return Rect(cell.x + by, cell.y + by, cell.width - 2 * by, self.stage_height)

    def caption(self, position: int) -> Rect:
        """Return where number, name, source and verdict are."""
        stage = self.stage(position)
        below = self.cell(position).bottom - stage.bottom - self.padding
        return Rect(stage.x, stage.bottom + self.padding / 2, stage.width, below)

    def chip(self, position: int) -> Rect:
        """Return where the verdict is: a click accepts this image."""
        caption, width = self.caption(position), CHIP_SMALL if self.tight else CHIP
        return Rect(caption.right - width, caption.y, width, caption.height)

    def target(self, x: float, y: float) -> Target | None:
        """Return what lies under a point."""
        if self.message.holds(x, y):
            return Target(ClickTarget.ACKNOWLEDGE)
        if self.help.holds(x, y):
            return Target(ClickTarget.HELP)
        if self.strip.holds(x, y):
            return Target(ClickTarget.STRIP, int(x // PLACE))
        for position in range(self.per_page):
            if self.chip(position).holds(x, y):
                return Target(ClickTarget.CHIP, position)
            if self.cell(position).holds(x, y):
                return Target(ClickTarget.STAGE, position)
        return None
