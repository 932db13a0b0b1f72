"""What presses of a key would make of the boxes of the page, before any is pressed; pure."""

from dataclasses import dataclass

from cropkit.errors import IllegalMove
from cropkit.geometry import Turn
from cropkit.review.model.moves import (
    CarryBox,
    FullImage,
    Move,
    NextCandidate,
    ResetBox,
    ToggleLock,
    ToggleTargets,
    TurnLock,
)
from cropkit.review.model.rules import advance
from cropkit.review.model.state import LOCKS, ReviewState, turn_of

_AHEAD = len(LOCKS)  # presses: so many go once through all that a lock can hold
# What changes boxes, decides nothing, and does so by what is on the page alone.
FORESEEN = (ToggleLock, TurnLock, ToggleTargets, FullImage, ResetBox, NextCandidate, CarryBox)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the first press of a key comes to, and each one after it.

    Parameters
    ----------
    period : so many of the last ones come again and again; 0: what follows is not known
    """

    after: tuple[ReviewState, ...]
    period: int = 0


def foreseen(session: ReviewState, move: Move) -> Foreseen:
    """Return what presses of a key come to, as far as each is allowed, and turns no picture."""
    states = [session]
    while len(states) <= _AHEAD:
        try:
            after = advance(states[-1], move).session
        except IllegalMove:
            break
        if _turns(after) != _turns(session):
            break
        looks = looked_at(after)
        same = next((n for n, state in enumerate(states) if looked_at(state) == looks), None)
        if same == 0:
            return Foreseen((*states[1:], after), len(states))
        if same is not None:
            return Foreseen(tuple(states[1:]), len(states) - same)
        states.append(after)
    return Foreseen(tuple(states[1:]))


def _turns(session: ReviewState) -> list[Turn]:
    return [turn_of(entry) for entry in session.entries]


def looked_at(session: ReviewState) -> tuple[object, ...]:
    """Return all that these keys go by."""
    held = (session.lock, session.picked_lock, session.holding)
    offered = (session.carried, session.carrying)
    return (session.chosen, session.picked, session.entries, *held, *offered)
