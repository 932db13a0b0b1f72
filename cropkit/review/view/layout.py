"""Where everything is on the review's canvas; pure.

A canvas unit is a CSS pixel of the page that measured its room; where none has, the canvas has the
size of one page design, and the browser scales it to the space it has.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import cycle, islice

from cropkit.review.model import GRID, MOST_IN_GRID
from cropkit.review.view.slicing import USUAL, Trim, sliced, used
from cropkit.review.view.viewport import Rect

WIDTH, HEIGHT = 1400, 788  # of a canvas whose page has not told how much room it has
NARROWEST, LOWEST = 480, 360  # a smaller room is filled by a canvas that is scaled down
PADDING, BELOW = 6, 5  # round a picture; above its caption, where handles reach out of it
HEADER = 32
CAPTION = 32
TRIM = 2
STRIP = 44  # of the last decisions, and of the message line beside them
PLACE = 64
SLOP = 6  # how far a hand may slip in a click
SNAP = 7  # how near a border draws what is dragged
HINTS = 28
BUTTONS = 62  # two rows
GAP = 6
# in the grid, where pictures are small
SMALL_PADDING, SMALL_BELOW, SMALL_CAPTION, SMALL_GAP = 2, 1, 16, 2
HANDLE = 12
CHIP, CHIP_WIDE, CHIP_SMALL = 106, 136, 84
CHIP_SIGN, CHIP_SMALL_SIGN = 34, 22  # these have a sign and no word
HELP = 216
GLANCE = (220, 180)  # of an image in the grid, with its caption
WINDOW = 132
_ROOMY = 420  # a caption that has room for the whole words of a verdict
_WORDY = 180  # one that has room for a name and a word
_NARROW_CELL, _NARROW_PAGE = 100.0, 130.0  # cells of the grid, and of a page
_USUAL_SHAPES = ((1.5,), (2 / 3,), (1.5, 2 / 3, 1.0))  # what the pictures of a grid may be like
_FEWER, _MORE = 0.75, 1.25  # images than a glance has room for
_PAST, _PAST_NARROW = 0.4, 0.3  # of the width: the last decisions; the message has the rest
_SMALL_WINDOW, _NARROW = 34, 900  # what the button of the window has where there is little room


class ClickTarget(StrEnum):
    """What can be clicked."""

    STAGE = "stage"
    CHIP = "chip"
    ACKNOWLEDGE = "acknowledge"
    HELP = "help"
    STRIP = "strip"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Target:
    """What lies under a point; `position` is the image's, where it belongs to one."""

    kind: ClickTarget
    position: int | None = None


@dataclass(frozen=True, slots=True)
class PageLayout:
    """Bands of a page: header, cells of picture and caption, last decisions and message, key hints.

    No band comes, goes or moves with what it says: nothing is pushed away under the pointer.

    Parameters
    ----------
    per_page : how many images are shown
    width, height : of the whole canvas
    aspects : width over height of each image, as far as it is known
    buttons : whether every key has a button, too
    tight : little room for words, and for the hand: the grid, where boxes are only looked at
    """

    per_page: int = 3
    width: int = WIDTH
    height: int = HEIGHT
    aspects: tuple[float, ...] = ()
    tight: bool = False
    buttons: bool = False

    def of(self, *aspects: float) -> "PageLayout":
        """Return the layout of images of these shapes on the same canvas."""
        return replace(self, per_page=len(aspects), aspects=aspects)

    @property
    def padding(self) -> int:
        """Room round a picture."""
        return SMALL_PADDING if self.tight else PADDING

    @property
    def trim(self) -> int:
        """Room above and below the words of a caption."""
        return 0 if self.tight else TRIM

    @property
    def _gap(self) -> int:
        return SMALL_GAP if self.tight else GAP

    @property
    def _below(self) -> int:
        return SMALL_BELOW if self.tight else BELOW

    @property
    def _caption_height(self) -> int:
        return SMALL_CAPTION if self.tight else CAPTION

    @property
    def header(self) -> Rect:
        """Progress."""
        return Rect(0, 0, self.width, HEADER)

    @property
    def window(self) -> Rect:
        """Where a click has the review fill the window, or gives the notebook back."""
        width = WINDOW if self.width >= _NARROW else _SMALL_WINDOW
        return Rect(self.width - width, 0, width, HEADER)

    @property
    def hints(self) -> Rect:
        """The few keys that matter."""
        return Rect(0, self.height - HINTS, self.width, HINTS)

    @property
    def help(self) -> Rect:
        """Where a click shows all keys."""
        return Rect(self.width - HELP, self.hints.y, HELP, HINTS)

    @property
    def button_strip(self) -> Rect:
        """Every key as a button, where that is wanted."""
        height = BUTTONS if self.buttons else 0
        return Rect(0, self.hints.y - height, self.width, height)

    @property
    def foot(self) -> Rect:
        """The last decisions, and the message beside them."""
        return Rect(0, self.button_strip.y - STRIP, self.width, STRIP)

    @property
    def strip(self) -> Rect:
        """The last decisions."""
        return Rect(0, self.foot.y, self.places * PLACE, STRIP)

    @property
    def message(self) -> Rect:
        """The last problem or note, beside the last decisions."""
        strip = self.strip
        return Rect(strip.right, strip.y, self.width - strip.right, STRIP)

    @property
    def places(self) -> int:
        """How many decisions the strip has room for."""
        return int(self.width * (_PAST if self.width >= _NARROW else _PAST_NARROW) // PLACE)

    def place(self, number: int) -> Rect:
        """Return where one of the last decisions is, the oldest first."""
        return Rect(number * PLACE + 3, self.strip.y + 3, PLACE - 6, STRIP - 6)

    @property
    def board(self) -> Rect:
        """All the cells: the end is told there, and the message line stays in sight."""
        return Rect(0, HEADER, self.width, self.strip.y - HEADER)

    @property
    def many(self) -> int:
        """How many images have room at a glance, each with a box that can be judged.

        About as many as `GLANCE` says: the number whose rows fill the board best, whatever shapes
        the pictures have, for these are not known before they are shown.
        """
        glance = int(self.board.width // GLANCE[0] * (self.board.height // GLANCE[1]))
        fewest, most = (
            min(MOST_IN_GRID, max(GRID, round(by * min(MOST_IN_GRID, glance))))
            for by in (_FEWER, _MORE)
        )
        board, trim = self.board, replace(self, tight=True).trim_of_cells
        return max(range(fewest, most + 1), key=lambda count: _least_used(count, board, trim))

    @property
    def trim_of_cells(self) -> Trim:
        """What each cell has round its picture."""
        above_and_below = self.padding + self._below + self._caption_height
        narrowest = _NARROW_CELL if self.tight else _NARROW_PAGE
        return Trim(self.padding, above_and_below, self._gap, narrowest)

    @property
    def _cells(self) -> tuple[Rect, ...]:
        known = self.aspects[: self.per_page]
        aspects = known + (USUAL,) * (self.per_page - len(known))
        return sliced(aspects, self.board, self.trim_of_cells)

    def cell(self, position: int) -> Rect:
        """Frame of one image with its caption."""
        return self._cells[position]

    def painted(self, position: int) -> Rect:
        """Return the cell, and half of what is between it and others: handles reach out of it."""
        return self.cell(position).inset(-self._gap / 2)

    def stage(self, position: int) -> Rect:
        """Space for the picture."""
        cell, by = self.cell(position), self.padding
        height = cell.height - by - self._below - self._caption_height
        return Rect(cell.x + by, cell.y + by, cell.width - 2 * by, height)

    def caption(self, position: int) -> Rect:
        """Return where number, name, source and verdict are."""
        stage = self.stage(position)
        y = stage.bottom + self._below
        return Rect(stage.x, y, stage.width, self._caption_height)

    def chip(self, position: int) -> Rect:
        """Return where the verdict is: a click accepts this image."""
        caption = self.caption(position)
        wide = CHIP_WIDE if caption.width >= _ROOMY else CHIP
        words, sign = (CHIP_SMALL, CHIP_SMALL_SIGN) if self.tight else (wide, CHIP_SIGN)
        width = words if caption.width >= _WORDY else sign
        return Rect(caption.right - width, caption.y, width, caption.height)

    def target(self, x: float, y: float) -> Target | None:
        """Return what lies under a point."""
        bands = {
            ClickTarget.WINDOW: self.window,
            ClickTarget.ACKNOWLEDGE: self.message,
            ClickTarget.HELP: self.help,
        }
        for kind, rect in bands.items():
            if rect.holds(x, y):
                return Target(kind)
        if self.strip.holds(x, y):
            return Target(ClickTarget.STRIP, int(x // PLACE))
        return self._image_target(x, y)

    def _image_target(self, x: float, y: float) -> Target | None:
        for position in range(self.per_page):
            if self.chip(position).holds(x, y):
                return Target(ClickTarget.CHIP, position)
            if self.cell(position).holds(x, y):
                return Target(ClickTarget.STAGE, position)
        return None


def _least_used(count: int, board: Rect, trim: Trim) -> float:
    """Return how much of a board so many pictures use, of the shapes that use least."""
    shapes = (tuple(islice(cycle(usual), count)) for usual in _USUAL_SHAPES)
    return min(used(aspects, board, trim) for aspects in shapes)
