"""Where an image is on the canvas, and how closely it is seen: the one place of that; pure.

Canvas units are those of one page design, 1400 wide; a `Viewport` maps them to the upright pixels
of one image.
"""

from dataclasses import dataclass

from cropkit.geometry import PixelBox, Size, Turn
from cropkit.review.model.box_editing import Grip, corner_beside, grip_at, handle_point

REACH = 16  # how far from an edge a box can still be taken
TURNS = 44  # how far from a corner a hand turns the image, where it takes no hold of the box
CLOSEST = 8.0  # canvas units for a pixel of the image, at most


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

    def common(self, other: "Rect") -> "Rect":
        """Return the part inside another one, empty where there is none."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width, height = min(self.right, other.right) - x, min(self.bottom, other.bottom) - y
        return Rect(x, y, max(0.0, width), max(0.0, height))

    def meets(self, other: "Rect") -> bool:
        """Whether the two have an area in common."""
        common = self.common(other)
        return common.width > 0 and common.height > 0

    def is_inside(self, other: "Rect") -> bool:
        """Whether nothing of it is outside of another one."""
        across = other.x <= self.x and self.right <= other.right
        return across and other.y <= self.y and self.bottom <= other.bottom

    def held_in(self, other: "Rect") -> "Rect":
        """Return it with each edge at the nearest place inside another one."""
        left, right = (min(max(x, other.x), other.right) for x in (self.x, self.right))
        top, bottom = (min(max(y, other.y), other.bottom) for y in (self.y, self.bottom))
        return Rect(left, top, right - left, bottom - top)

    def trimmed(self, by: float) -> "Rect":
        """Return it without a strip of that height above and below."""
        return Rect(self.x, self.y + by, self.width, self.height - 2 * by)

    def inset(self, by: float) -> "Rect":
        """Return it without a border of that width."""
        return Rect(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)


@dataclass(frozen=True, slots=True)
class Zoom:
    """How much larger than whole, and which point is in the middle, as parts of the image."""

    factor: float = 1.0
    x: float = 0.5
    y: float = 0.5

    def turned(self, turn: Turn) -> "Zoom":
        """Return it for the image as it is seen with a turn: the same point is in the middle."""
        across, down = turn.mirrored
        x, y = 1 - self.x if across else self.x, 1 - self.y if down else self.y
        return Zoom(self.factor, *((y, x) if turn.swaps else (x, y)))


WHOLE = Zoom()


@dataclass(frozen=True, slots=True)
class Viewport:
    """An image of `size` in `stage`: whole and centred as large as it fits, or zoomed.

    A zoomed image never leaves room at a side that it could fill.
    """

    stage: Rect
    size: Size
    zoom: Zoom = WHOLE

    @property
    def fit(self) -> float:
        """Canvas units for one image pixel where the image is whole."""
        return min(self.stage.width / self.size.width, self.stage.height / self.size.height)

    @property
    def scale(self) -> float:
        """Canvas units for one image pixel."""
        return self.fit * self.zoom.factor

    @property
    def frame(self) -> Rect:
        """Where the image is on the canvas; zoomed, it reaches out of the stage."""
        stage, scale = self.stage, self.scale
        width, height = self.size.width * scale, self.size.height * scale
        x = _placed(stage.x, stage.width, width, self.zoom.x)
        y = _placed(stage.y, stage.height, height, self.zoom.y)
        return Rect(x, y, width, height)

    @property
    def seen(self) -> Rect:
        """The part of the frame that is inside the stage."""
        return self.frame.common(self.stage)

    @property
    def closer(self) -> bool:
        """Whether some of the image may be out of sight."""
        return self.zoom.factor > 1

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Map image pixels to the canvas."""
        frame, scale = self.frame, self.scale
        return frame.x + x * scale, frame.y + y * scale

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Map a canvas point to image pixels; outside the image it goes on beyond the border."""
        frame, scale = self.frame, self.scale
        return (x - frame.x) / scale, (y - frame.y) / scale

    def edges(self, box: PixelBox) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a box on the canvas."""
        return (*self.to_canvas(box.left, box.top), *self.to_canvas(box.right, box.bottom))

    def middle_of(self, box: PixelBox) -> tuple[float, float]:
        """Return where the middle of a box is on the canvas."""
        return self.to_canvas((box.left + box.right) / 2, (box.top + box.bottom) / 2)

    def zoomed(self, by: float, at: tuple[float, float]) -> "Viewport":
        """Return it `by` times as close, with what is at a canvas point still there."""
        closest = max(1.0, CLOSEST / self.fit)
        factor = min(max(self.zoom.factor * by, 1.0), closest)
        x, y = self.to_image(*at)
        scale = self.fit * factor
        corner = (at[0] - x * scale, at[1] - y * scale)
        return self._with_corner(factor, corner)

    def panned(self, dx: float, dy: float) -> "Viewport":
        """Return it with the image pulled along, as far as it covers the stage."""
        frame = self.frame
        return self._with_corner(self.zoom.factor, (frame.x + dx, frame.y + dy))

    def _with_corner(self, factor: float, corner: tuple[float, float]) -> "Viewport":
        middle, scale = self.stage.middle, self.fit * factor
        x = (middle[0] - corner[0]) / (self.size.width * scale)
        y = (middle[1] - corner[1]) / (self.size.height * scale)
        frame = Viewport(self.stage, self.size, Zoom(factor, x, y)).frame
        kept = ((middle[0] - frame.x) / frame.width, (middle[1] - frame.y) / frame.height)
        return Viewport(self.stage, self.size, Zoom(factor, *kept) if factor > 1 else WHOLE)


def _placed(start: float, room: float, length: float, part: float) -> float:
    """Return where an extent begins: in the middle of its room, or covering all of it."""
    if length <= room:
        return start + (room - length) / 2
    return min(start, max(start + room - length, start + room / 2 - part * length))


def grip_under(view: Viewport, box: PixelBox, x: float, y: float) -> Grip | None:
    """Return what of a box a point of the canvas takes hold of."""
    return grip_at(view.edges(box), x, y, REACH)


def corner_under(view: Viewport, box: PixelBox, x: float, y: float) -> Grip | None:
    """Return outside of which corner of a box a point is, near enough to turn the image there."""
    if not view.stage.holds(x, y):
        return None  # a caption
    return corner_beside(view.edges(box), x, y, REACH, TURNS)


def grip_point(view: Viewport, box: PixelBox, grip: Grip) -> tuple[float, float]:
    """Return where a person would take hold of a grip."""
    return handle_point(view.edges(box), grip)
