"""Straighten an image by hand: a drag outside of a corner of its box turns it about the middle."""

from dataclasses import dataclass, replace
from math import atan2, degrees, hypot

from cropkit.geometry import MOST_ANGLE, Turn
from cropkit.review.controller import ReviewController
from cropkit.review.model import Open, StraightenTo, Undo
from cropkit.review.model.edits import is_last
from cropkit.review.model.state import Edit, Entry
from cropkit.review.view.layout import SLOP
from cropkit.review.view.turning import angle, with_angle
from cropkit.review.view.viewport import corner_under

_ROUND = 360.0

Point = tuple[float, float]
# The position that is chosen, what is at the one that is held, and the last change.
_Standing = tuple[int, tuple[Entry, ...], tuple[Edit, ...]]


@dataclass(frozen=True, slots=True)
class Swing:
    """What a hand turns: an image, about which point of the canvas, and how it was seen before.

    Parameters
    ----------
    before, left : how it stood when the hand took hold of it, and how the hand has left it
    at : where the hand is, and by how many degrees it has gone round by there
    """

    position: int
    middle: Point
    start: Point
    turn: Turn
    before: _Standing
    left: _Standing
    at: Point
    gone: float = 0.0
    begun: bool = False


class Straighten:
    """Knows what a hand turns."""

    def __init__(self, controller: ReviewController) -> None:
        self._controller, self._screen = controller, controller.screen
        self._swing: Swing | None = None

    @property
    def holds(self) -> bool:
        """Whether a hand has hold of an image, to turn it."""
        return self._swing is not None

    @property
    def begun(self) -> bool:
        """Whether it has moved far enough to be no click."""
        return self._swing is not None and self._swing.begun

    def take_hold(self, position: int, at: Point) -> bool:
        """Take hold of an image where the hand is outside of a corner; return whether it is."""
        session, view = self._controller.session, self._screen.viewport(position)
        entry = session.entries[position]
        if not isinstance(entry, Open) or view is None or not corner_under(view, entry.box, *at):
            return False
        middle = view.middle_of(entry.box)
        stood = self._standing(position)
        self._swing = Swing(position, middle, at, entry.turn, stood, stood, at)
        return True

    def pull(self, at: Point, *, whole: bool) -> None:
        """Turn the image as far as the hand has gone round.

        Parameters
        ----------
        whole : by whole degrees, as it is seen then
        """
        swing = self._swing
        if swing is None or self._controller.guard.stopped or not self._screen.acknowledged:
            return
        if self._standing(swing.position) != swing.left:
            self.let_go()  # a key has done something under the hand
            return
        step = _heading(swing.middle, at) - _heading(swing.middle, swing.at)
        gone = swing.gone + (step + _ROUND / 2) % _ROUND - _ROUND / 2
        begun = swing.begun or hypot(at[0] - swing.start[0], at[1] - swing.start[1]) > SLOP
        self._swing = swing = replace(swing, at=at, gone=gone, begun=begun)
        if begun:
            turn = _led(swing.turn, gone, whole=whole)
            goes_on = swing.left != swing.before
            self._controller.take(StraightenTo(swing.position, turn), again=goes_on)
            self._swing = replace(swing, left=self._standing(swing.position))

    def let_go(self) -> None:
        """Turn nothing any more."""
        self._swing = None

    def give_back(self) -> bool:
        """Let go, with the image as it was before; return whether anything was held."""
        swing, self._swing = self._swing, None
        if swing is None:
            return False
        is_turned = self._standing(swing.position) == swing.left != swing.before
        if is_turned and is_last(self._controller.session):
            self._controller.take(Undo())
        return True

    def _standing(self, position: int) -> _Standing:
        session = self._controller.session
        return session.chosen, session.entries[position : position + 1], session.edits[-1:]


def _heading(middle: Point, at: Point) -> float:
    return degrees(atan2(at[1] - middle[1], at[0] - middle[0]))


def _led(turn: Turn, by: float, *, whole: bool) -> Turn:
    """Return a turn with a fine angle that is larger by some degrees, as it is seen."""
    before = angle(turn)
    after = round(before + by) if whole else before + round(by, 1)
    return with_angle(turn, max(-MOST_ANGLE, min(MOST_ANGLE, after)))
