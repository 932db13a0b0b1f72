"""Straighten an image by a line that a hand draws along its horizon, or along what stands upright.

A key asks for it, and the next line is it: until then, or Escape, or another key, a press draws.
"""

from dataclasses import replace

from cropkit.errors import IllegalMove
from cropkit.geometry import MOST_ANGLE
from cropkit.review.controller import ReviewController
from cropkit.review.model import Arrangement, Open, StraightenTo
from cropkit.review.model.angles import TOO_MUCH
from cropkit.review.model.slots import named
from cropkit.review.model.transforms import stands
from cropkit.review.runtime.queued_enter import STILL_LOADING
from cropkit.review.view.drawn_line import DrawnLine, Point
from cropkit.review.view.turning import angle, with_angle

_ASKED = "Draw a line along the horizon, or along what stands upright; Esc leaves it"
_TOO_SHORT = "That line is too short to go by: draw a longer one, or Esc"
_IN_GRID = "in the grid boxes are only looked at: level an image on a page, or alone"
_NAME = "level-line"


class LevelLine:
    """Knows whether a line is to be drawn, and the line that is being drawn."""

    def __init__(self, controller: ReviewController) -> None:
        self._controller, self._screen = controller, controller.screen
        self._guard = controller.guard
        self._is_asked = False
        self._line: DrawnLine | None = None
        self._path = ""

    @property
    def holds(self) -> bool:
        """Whether a line is being drawn."""
        return self._line is not None

    def ask(self) -> None:
        """Have the next press draw the line."""
        if self._controller.session.arrangement is Arrangement.GRID:
            raise IllegalMove(_NAME, _IN_GRID)
        if not self._screen.acknowledged:
            raise IllegalMove(_NAME, STILL_LOADING)
        self._is_asked = True
        self._screen.aim(aiming=True)
        self._guard.note(_ASKED)

    def leave(self) -> bool:
        """Draw none, and change nothing; return whether one was to be drawn."""
        was_asked, self._is_asked = self._is_asked, False
        if was_asked:
            self._show(None)
            self._screen.aim(aiming=False)
            self._guard.clear_note()
        return was_asked

    def begin(self, position: int, at: Point) -> bool:
        """Begin the line over an image; return whether one was to be drawn."""
        if not self._is_asked:
            return False
        entry = self._controller.session.entries[position]
        if isinstance(entry, Open):
            self._path = entry.path
            self._show(DrawnLine(position, at, at))
        else:
            self._guard.note(f"{named(entry.path)} {stands(entry)}")
        return True

    def pull(self, at: Point) -> None:
        """Draw it to where the hand is."""
        if self._line is not None:
            self._show(replace(self._line, end=at))

    def let_go(self) -> None:
        """Draw this line no further; another one may be drawn."""
        if self._line is not None:
            self._show(None)

    def finish(self) -> None:
        """Level the image by the line, where that is one."""
        line = self._line
        self.let_go()
        if line is None:
            return
        entries = self._controller.session.entries
        entry = entries[line.position] if line.position < len(entries) else None
        if not isinstance(entry, Open) or entry.path != self._path:
            self.leave()  # the page was turned under the hand
        elif not line.is_long_enough:
            self._guard.note(_TOO_SHORT)
        else:
            self.leave()
            self._level(line, entry)

    def _level(self, line: DrawnLine, entry: Open) -> None:
        by = angle(entry.turn) - line.askew
        if abs(by) > MOST_ANGLE:
            raise IllegalMove(_NAME, TOO_MUCH)
        turn = with_angle(entry.turn, by)
        if turn == entry.turn:
            raise IllegalMove(_NAME, f"{named(entry.path)} is level already, by that line")
        self._controller.take(StraightenTo(line.position, turn))

    def _show(self, line: DrawnLine | None) -> None:
        self._line = line
        self._screen.draw_line(line)
