"""What follows from moves that note something about images; pure.

Only what is noted about the page at hand is known: it comes when the page is shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cropkit.errors import IllegalMove
from cropkit.records import Note
from cropkit.review.model.moves import NotesKnown, ToggleStar, WriteNote
from cropkit.review.model.slots import named
from cropkit.review.model.state import ReviewState, Step
from cropkit.review.model.transforms import entry_at, name_of


def _toggle_star(session: ReviewState, move: ToggleStar) -> Step:
    """Give all that are meant a star; where all have one, take it away."""
    notes = _meant(session, move)
    star = not all(note.star for note in notes.values())
    return _noted(session, {path: replace(note, star=star) for path, note in notes.items()})


def _write_note(session: ReviewState, move: WriteNote) -> Step:
    notes = _meant(session, move)
    return _noted(session, {path: Note.of(note.star, move.text) for path, note in notes.items()})


def _meant(session: ReviewState, move: ToggleStar | WriteNote) -> dict[str, Note]:
    """Return what is known of the chosen image, or of all that are selected with it."""
    paths = [entry_at(session, position, move).path for position in session.at_hand]
    for path in paths:
        if path not in session.notes:
            raise IllegalMove(name_of(move), f"what is noted about {named(path)} is being read")
    return {path: session.notes[path] for path in paths}


def _noted(session: ReviewState, notes: Mapping[str, Note]) -> Step:
    new = {path: note for path, note in notes.items() if note != session.notes[path]}
    return Step(replace(session, notes={**session.notes, **new}), noted=tuple(new.items()))


def _notes_known(session: ReviewState, move: NotesKnown) -> Step:
    here = {entry.path for entry in session.entries}
    known = {**move.notes, **session.notes}  # what was noted meanwhile counts
    notes = {path: note for path, note in known.items() if path in here}
    return Step(replace(session, notes=notes))


NOTING_RULES: Mapping[type, Callable[[ReviewState, Any], Step]] = {
    ToggleStar: _toggle_star,
    WriteNote: _write_note,
    NotesKnown: _notes_known,
}
