"""Moves of a review whose images arrive at once."""

from collections.abc import Callable

from cropkit.geometry import Size
from cropkit.records import Status
from cropkit.review.model import (
    Applied,
    Decide,
    ImageLoaded,
    Loading,
    Move,
    Restored,
    ReviewState,
    Undo,
    advance,
)

Arrive = Callable[[str], ImageLoaded]


def on(state: ReviewState, *moves: Move) -> ReviewState:
    """Make moves."""
    for move in moves:
        state = advance(state, move).session
    return state


def plain(path: str) -> ImageLoaded:
    """Return an image without a suggestion."""
    return ImageLoaded(path, "a" * 64, Size(4000, 3000))


def opened(state: ReviewState, arrive: Arrive = plain) -> ReviewState:
    """Let the images of the page arrive."""
    waiting = [entry.path for entry in state.entries if isinstance(entry, Loading)]
    return on(state, *map(arrive, waiting))


def undone(state: ReviewState) -> ReviewState:
    """Take a decision of this session back."""
    path = state.entries[state.chosen].path
    return opened(on(state, Decide(), Applied(path, Status.CROPPED), Undo(), Restored(path)))
