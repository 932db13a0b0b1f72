"""Where everything is on the review's canvas; pure.

Canvas units are those of one page design, 1400 wide: the browser scales the canvas to the space it
has, and reports the mouse in canvas units again. A `Viewport` maps them to the upright pixels of
one image.
"""

from dataclasses import dataclass
from enum import StrEnum

from cropkit.editing import Grip, grip_at, handle_point
from cropkit.geometry import PixelBox, Size

WIDTH = 1400
PADDING = 16
HEADER = 52
CAPTION = 52
STRIP = 60
PLACE = 84
SNAP = 7  # how near a border draws what is dragged
MESSAGE = 46
HINTS = 46
GAP = 8
HANDLE = 12
REACH = 16
CHIP = 116
HELP = 170

_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 3, 6: 3, 7: 4, 8: 4}
_STAGE_HEIGHTS = {1: 600, 2: 560, 3: 500, 4: 420}


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle on the canvas."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """First x outside."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """First y outside."""
        return self.y + self.height

    @property
    def middle(self) -> tuple[float, float]:
        """The point in the middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is inside."""
        return self.x <= x < self.right and self.y <= y < self.bottom

    def trimmed(self, by: float) -> "Rect":
        """Return it without a strip of that height above and below."""
        return Rect(self.x, self.y + by, self.width, self.height - 2 * by)

    def inset(self, by: float) -> "Rect":
        """Return it without a border of that width."""
        return Rect(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)


@dataclass(frozen=True, slots=True)
class Viewport:
    """An image of `size` shown whole, centred in `stage`, as large as it fits."""

    stage: Rect
    size: Size

    @property
    def scale(self) -> float:
        """Canvas units for one image pixel."""
        return min(self.stage.width / self.size.width, self.stage.height / self.size.height)

    @property
    def frame(self) -> Rect:
        """Where the image is on the canvas."""
        width, height = self.size.width * self.scale, self.size.height * self.scale
        x = self.stage.x + (self.stage.width - width) / 2
        y = self.stage.y + (self.stage.height - height) / 2
        return Rect(x, y, width, height)

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Map image pixels to the canvas."""
        return self.frame.x + x * self.scale, self.frame.y + y * self.scale

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Map a canvas point to image pixels; outside the image it goes on beyond the border."""
        return (x - self.frame.x) / self.scale, (y - self.frame.y) / self.scale

    def edges(self, box: PixelBox) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a box on the canvas."""
        return (*self.to_canvas(box.left, box.top), *self.to_canvas(box.right, box.bottom))


class Kind(StrEnum):
    """What can be clicked."""

    STAGE = "stage"
    CHIP = "chip"
    ACKNOWLEDGE = "acknowledge"
    HELP = "help"
    STRIP = "strip"


@dataclass(frozen=True, slots=True)
class Target:
    """What lies under a point; `position` is the image's, where it belongs to one."""

    kind: Kind
    position: int | None = None


@dataclass(frozen=True, slots=True)
class PageLayout:
    """Bands of a page: header, cells of picture and caption, message, key hints."""

    per_page: int = 3

    @property
    def columns(self) -> int:
        """Cells side by side."""
        return _COLUMNS.get(self.per_page, -(-self.per_page // 2))

    @property
    def rows(self) -> int:
        """Rows of cells."""
        return -(-self.per_page // self.columns)

    @property
    def stage_height(self) -> int:
        """Height for a picture."""
        return _STAGE_HEIGHTS.get(self.per_page, 270)

    @property
    def cell_height(self) -> int:
        """Height of picture, padding and caption."""
        return self.stage_height + 2 * PADDING + CAPTION - PADDING // 2

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
        """Space for the picture: at least `PADDING` from every border, so that a drag can leave."""
        cell = self.cell(position)
        return Rect(cell.x + PADDING, cell.y + PADDING, cell.width - 2 * PADDING, self.stage_height)

    def caption(self, position: int) -> Rect:
        """Return where number, name, source and verdict are."""
        stage = self.stage(position)
        return Rect(stage.x, stage.bottom + PADDING / 2, stage.width, CAPTION - PADDING / 2)

    def chip(self, position: int) -> Rect:
        """Return where the verdict is: a click accepts this image."""
        caption = self.caption(position)
        return Rect(caption.right - CHIP, caption.y, CHIP, caption.height)

    def target(self, x: float, y: float) -> Target | None:
        """Return what lies under a point."""
        if self.message.holds(x, y):
            return Target(Kind.ACKNOWLEDGE)
        if self.help.holds(x, y):
            return Target(Kind.HELP)
        if self.strip.holds(x, y):
            return Target(Kind.STRIP, int(x // PLACE))
        for position in range(self.per_page):
            if self.chip(position).holds(x, y):
                return Target(Kind.CHIP, position)
            if self.cell(position).holds(x, y):
                return Target(Kind.STAGE, position)
        return None


def grip_under(view: Viewport, box: PixelBox, x: float, y: float) -> Grip | None:
    """Return what of a box a point of the canvas takes hold of."""
    return grip_at(view.edges(box), x, y, REACH)


def grip_point(view: Viewport, box: PixelBox, grip: Grip) -> tuple[float, float]:
    """Return where a person would take hold of a grip."""
    return handle_point(view.edges(box), grip)
