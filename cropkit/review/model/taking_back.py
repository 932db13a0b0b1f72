"""What follows from moves that take back what was done, or do it again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cropkit.errors import IllegalMove
from cropkit.records import Status
from cropkit.review.model import edits
from cropkit.review.model.moves import NextUnreviewed, Redo, Reopen, Undo
from cropkit.review.model.navigation import PLACE_RULES
from cropkit.review.model.slots import named
from cropkit.review.model.state import Arrangement, Done, Entry, Filter, Loading, ReviewState, Step
from cropkit.review.model.transforms import (
    arranged,
    choosing,
    entry_at,
    filtered,
    listed,
    name_of,
    replaced,
    showing,
    turned,
    waiting,
)

_LATER = "what was decided earlier can be undone when every image is listed"


def _undo(session: ReviewState, move: Undo) -> Step:
    if edits.is_last(session):
        return Step(edits.taken_back(session))
    if not session.undo:
        left = "nothing is left to undo" if session.whole else _LATER
        raise IllegalMove(name_of(move), left)
    return _taken_back(session, session.images.of_one_press(session.images.undo))


def _taken_back(session: ReviewState, paths: Sequence[str]) -> Step:
    """Take decisions back, and show the first of their images as the listing has them."""
    back = session
    for path in paths:
        back = _reopened(back, path)
    first, shown = _first(back, paths), _roomy(back, len(paths))
    shown, index = showing(shown, first)
    return Step(choosing(turned(shown, index // shown.per_page), index), undone=tuple(paths))


def _roomy(session: ReviewState, count: int) -> ReviewState:
    """Return a session in the grid, where more comes back than a page has room for."""
    return arranged(session, Arrangement.GRID) if count > session.usual else session


def _first(session: ReviewState, paths: Sequence[str]) -> str:
    return min(paths, key=session.images.index.known)


def _reopened(session: ReviewState, path: str) -> ReviewState:
    """Let a decision wait for being undone; the image is shown when its file is back."""
    stood = session.settled[path]
    images = session.images.not_undoable(path).not_decided(path).redoable(path)
    taken = listed(replace(session, images=images), path)
    images = taken.images.being_restored(path, stood).drafted(path, stood.draft)
    return replace(taken, images=images)


def _reopen(session: ReviewState, move: Reopen) -> Step:
    entry = entry_at(session, None, move)
    if not isinstance(entry, Done):
        raise IllegalMove(name_of(move), f"{named(entry.path)} is not decided")
    if entry.settled.status.is_failure:  # nothing was done that could be taken back
        return Step(replaced(session, entry.path, _loading))
    if entry.settled.verdict is None:
        outside = "was cropped outside of a review: `cropkit undo` restores it"
        raise IllegalMove(name_of(move), f"{named(entry.path)} {outside}")
    return _taken_back(session, (entry.path,))


def _loading(entry: Entry) -> Entry:
    return Loading(entry.path)


def _next_unreviewed(session: ReviewState, move: NextUnreviewed) -> Step:
    """Go on, and where everything is decided, to what was skipped: later has come."""
    skipped = session.images.outcomes.having(Status.SKIPPED) & session.images.listed
    if not session.whole or not skipped or session.next_undecided_page() is not None:
        step: Step = PLACE_RULES[NextUnreviewed](session, move)
        return step
    paths = tuple(map(session.images.index.path, skipped))
    return _taken_back(filtered(session, Filter.ALL), paths)


def _redo(session: ReviewState, move: Redo) -> Step:
    if edits.is_next(session):
        return Step(edits.done_again(session))
    if not session.redo:
        raise IllegalMove(name_of(move), "nothing was undone")
    paths = session.images.of_one_press(session.images.redo)
    for path in paths:
        if path in session.restoring:
            raise IllegalMove(name_of(move), f"{named(path)} is still being restored")
        if path in session.settled:
            raise IllegalMove(name_of(move), f"{named(path)} is decided already")
    again = session
    for path in paths:
        again = _decided_again(again, path)
    shown, index = showing(again, _first(again, paths))
    return Step(choosing(shown, index), tuple(map(session.decision, paths)))


def _decided_again(session: ReviewState, path: str) -> ReviewState:
    again = session.decision(path)
    stands = waiting(again)
    images = session.images.not_redoable(path).not_drafted(path)
    decided = replace(session, images=images.decided(path, stands).undoable(path))
    return replaced(decided, path, lambda e: Done.of(e.path, stands, again.size))


TAKING_BACK_RULES: Mapping[type, Callable[[ReviewState, Any], Step]] = {
    Undo: _undo,
    Redo: _redo,
    Reopen: _reopen,
    NextUnreviewed: _next_unreviewed,
}
