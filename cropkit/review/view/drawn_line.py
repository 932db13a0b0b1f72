"""A line that a hand draws along what is to lie level or stand upright; pure."""

from dataclasses import dataclass
from math import atan2, degrees, dist

LEAST = 24  # canvas units: of a shorter line nobody can tell how askew it is
_QUARTER = 90.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """Over which image of the page a line is, from where to where on the canvas."""

    position: int
    start: Point
    end: Point

    @property
    def is_long_enough(self) -> bool:
        """Whether it tells how askew something is."""
        return dist(self.start, self.end) >= LEAST

    @property
    def askew(self) -> float:
        """By how many degrees, clockwise, it is off the nearest of level and upright."""
        across, down = self.end[0] - self.start[0], self.end[1] - self.start[1]
        return (degrees(atan2(down, across)) + _QUARTER / 2) % _QUARTER - _QUARTER / 2
