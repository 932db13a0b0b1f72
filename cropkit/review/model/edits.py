"""What was changed about boxes that are not decided yet, so that it can be taken back; pure.

What a press or a drag changes is one `Edit`: the images as they were before, and what held their
boxes; what ends as it began is none. Edits and decisions are taken back in the order in which they
were made; an edit knows how many presses had decided something before it. It is forgotten when its
images are decided.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cropkit.review.model.decided import Cut, Mark
from cropkit.review.model.moves import Drag, Move, Nudge, Resize, StraightenTo, TurnImage
from cropkit.review.model.stack import Stack
from cropkit.review.model.state import (
    CARRIED,
    Broken,
    Edit,
    Entry,
    Open,
    ReviewState,
    source_size,
)
from cropkit.review.model.transforms import (
    as_it_came,
    carried_to,
    choosing,
    cut_as,
    draft_of,
    showing,
)

_MOST = 1_000  # edits that are kept: each is a few hundred bytes
_HELD = (Nudge, Resize, TurnImage, StraightenTo)  # moves whose key, or hand, may hold on
_HOLDING = ("lock", "holding", "picked_lock", "carrying")  # fields of a session, and of an edit


def recorded(before: ReviewState, move: Move, after: ReviewState, *, again: bool) -> ReviewState:
    """Return the session with what a move has changed on its page, to be taken back.

    Parameters
    ----------
    again : a key that is held, or a hand that has not let go, goes on: with the move before it is
        one edit
    """
    pairs = zip(before.entries, after.entries, strict=True)
    were = tuple(was for was, now in pairs if isinstance(was, Open | Broken) and was != now)
    if not were and _holds(before) == _holds(after):
        return after
    presses, hold = after.images.presses, _hold(move, were)
    edit = Edit(were=were, presses=presses, hold=hold, **_holds(before))
    edits = before.edits
    if edits and _continues(edits[-1], edit, again=again and isinstance(move, _HELD)):
        edits, edit = edits[:-1], edits[-1]
    new = () if _is_as_before(edit, after) else (edit,)
    images = replace(after.images, redo=Stack()) if len(after.images.redo) else after.images
    return replace(after, images=images, edits=(*edits, *new)[-_MOST:], undone_edits=())


def _holds(there: ReviewState | Edit) -> dict[str, Any]:
    """Return what holds boxes, or is offered, whatever is on the page; by the names of fields."""
    return {name: getattr(there, name) for name in _HOLDING}


def _hold(move: Move, were: tuple[Open | Broken, ...]) -> tuple[object, ...]:
    """Return what tells the moves of one drag, or of one held key, from those of another."""
    paths = tuple(was.path for was in were)
    if isinstance(move, Drag):
        return (paths, move.grip, move.origin)
    if isinstance(move, StraightenTo):
        return (paths, StraightenTo)
    return (paths, move) if isinstance(move, _HELD) else ()


def _continues(last: Edit, edit: Edit, *, again: bool) -> bool:
    is_drag = len(edit.hold) > 2  # noqa: PLR2004  (paths, grip and origin)
    return last.hold == edit.hold and (is_drag or again) and last.presses == edit.presses


def _is_as_before(edit: Edit, after: ReviewState) -> bool:
    return _holds(edit) == _holds(after) and all(was in after.entries for was in edit.were)


def without(edits: tuple[Edit, ...], paths: Iterable[str]) -> tuple[Edit, ...]:
    """Return edits without what they say of some images."""
    gone = frozenset(paths)
    left = (
        replace(edit, were=tuple(was for was in edit.were if was.path not in gone))
        for edit in edits
    )
    return tuple(edit for edit in left if edit.were)


def decided(session: ReviewState, paths: Iterable[str]) -> ReviewState:
    """Forget what was changed about images that are decided now."""
    return replace(session, edits=without(session.edits, paths), undone_edits=())


def loaded(session: ReviewState, path: str, sha256: str) -> ReviewState:
    """Forget what was changed about an image whose file is another one now."""
    was = (was for edit in session.edits for was in edit.were if was.path == path)
    if all(each.sha256 == sha256 for each in was):
        return session
    return decided(session, (path,))


def is_last(session: ReviewState) -> bool:
    """Whether what was done last, and can be taken back, is an edit."""
    if not session.edits:
        return False
    return session.edits[-1].presses >= session.images.press_of_last


def is_next(session: ReviewState) -> bool:
    """Whether what was taken back last, and can be done again, is an edit."""
    if not session.undone_edits:
        return False
    return len(session.images.redo) <= session.undone_edits[-1].redo


def taken_back(session: ReviewState) -> ReviewState:
    """Take the last edit back, where it was made."""
    edit = session.edits[-1]
    back, now = _put_back(session, edit)
    undone = replace(now, redo=len(session.images.redo))
    return replace(back, edits=session.edits[:-1], undone_edits=(*session.undone_edits, undone))


def done_again(session: ReviewState) -> ReviewState:
    """Make the last edit again that was taken back."""
    edit = session.undone_edits[-1]
    again, now = _put_back(session, edit)
    return replace(again, edits=(*session.edits, now), undone_edits=session.undone_edits[:-1])


def _put_back(session: ReviewState, edit: Edit) -> tuple[ReviewState, Edit]:
    """Return the session with what an edit says, and the edit that says what was instead."""
    there = _at(session, edit)
    now = tuple(_as_is(there, was) for was in edit.were)
    images, by_path = there.images, {was.path: was for was in edit.were}
    here = {entry.path for entry in there.entries if isinstance(entry, Open | Broken)}
    for path, was in by_path.items():
        if path not in here:  # it comes as it was left
            images = images.drafted(path, draft_of(was))
    held = replace(there, images=images, **_holds(edit))
    entries = tuple(by_path.get(e.path) or _offered_anew(held, e) for e in there.entries)
    return replace(held, entries=entries), replace(edit, were=now, **_holds(there))


def _offered_anew(session: ReviewState, entry: Entry) -> Entry:
    """Return an image with what is offered for it now, where nobody has changed what was."""
    if not isinstance(entry, Open) or entry.framed != CARRIED:
        return entry
    return carried_to(session, as_it_came(session, entry))


def _at(session: ReviewState, edit: Edit) -> ReviewState:
    """Return the session where an edit was made, with its image chosen."""
    if not edit.were:
        return session
    path = edit.were[0].path
    here = [entry.path for entry in session.entries]
    if path in here:
        return replace(session, chosen=here.index(path))
    return choosing(*showing(session, path))


def _as_is(session: ReviewState, was: Open | Broken) -> Open | Broken:
    """Return an image as it is now: on the page, or as it was left."""
    entry = next((entry for entry in session.entries if entry.path == was.path), None)
    if isinstance(entry, Open | Broken):
        return entry
    draft = session.images.draft(was.path)
    mark = Mark.KEEP if draft is None else draft.mark
    if isinstance(was, Broken):
        return replace(was, mark=mark)
    if draft is None or draft.box is None:
        return replace(as_it_came(session, was), mark=mark)
    cut = Cut(draft.box, source_size(was), draft.turn)
    return replace(cut_as(session, was, cut), mark=mark, candidate=draft.candidate or 0)
