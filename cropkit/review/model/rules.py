"""What follows from each move: a table of rules, and `advance`, which looks a move up in it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cropkit.errors import IllegalMove
from cropkit.records import Status
from cropkit.review.model.box_rules import BOX_RULES
from cropkit.review.model.moves import (
    Applied,
    ConfidenceScanned,
    Decide,
    DecidePage,
    ImageLoaded,
    LoadFailed,
    Move,
    Redo,
    Restored,
    RestoreFailed,
    ToggleMark,
    Undo,
)
from cropkit.review.model.navigation import PLACE_RULES
from cropkit.review.model.state import (
    Arrangement,
    Broken,
    Decided,
    Done,
    Draft,
    Filter,
    Loading,
    Mark,
    Open,
    ReviewState,
    Step,
    full,
)
from cropkit.review.model.transforms import (
    choosing,
    edited,
    listed,
    loading_at,
    locked,
    name_of,
    narrowed,
    not_undoable,
    open_at,
    opened,
    put,
    regridded,
    replaced,
    restoring_of,
    ruling_on,
    settle,
    turned,
    unfiltered,
    with_outcome,
    without,
)

_TAKEN_BACK = frozenset({Status.STALE, Status.RESTORED, Status.SUPERSEDED})


def begin(
    paths: Iterable[str],
    per_page: int = 3,
    settled: Mapping[str, Decided] | None = None,
    undo: tuple[str, ...] = (),
    place: str | None = None,
    *,
    minimum: int = 0,
) -> ReviewState:
    """Start or resume a review, at the page of `place` or at the first with something to do.

    Parameters
    ----------
    minimum : pixels that the shorter side of a crop should have
    """
    if per_page < 1:
        raise IllegalMove("per_page", f"{per_page} images a page make no page")
    listed, stands = tuple(paths), dict(settled or {})
    elsewhere = len(stands.keys() - set(listed))
    session = ReviewState(
        listed,
        per_page,
        settled=stands,
        undo=undo,
        elsewhere=elsewhere,
        minimum=minimum,
        usual=per_page,
    )
    first = replace(session, page=session.pages - 1).next_undecided_page()
    if first is None:
        return replace(turned(session, 0), ended=True)
    known = place is not None and place in session.paths
    return turned(session, session.paths.index(place) // per_page if known else first)


def advance(session: ReviewState, move: Move) -> Step:
    """Return what follows from a move; raise `IllegalMove`, and change nothing, when it may not."""
    if session.ended and type(move) not in _AFTER_THE_END:
        raise IllegalMove(name_of(move), "everything has been decided")
    return _RULES[type(move)](session, move)


def _toggle_mark(session: ReviewState, move: ToggleMark) -> Step:
    entry = open_at(session, move.position, move)
    if move.mark is Mark.LATER and session.arrangement is not Arrangement.GRID:
        raise IllegalMove(name_of(move), "that is for the grid: here it is looked at closely")
    mark = Mark.KEEP if entry.mark is move.mark else move.mark
    return edited(session, move.position, mark=mark)


def _decide(session: ReviewState, move: Decide) -> Step:
    entry = open_at(session, move.position, move)
    if entry.mark is Mark.LATER:
        raise IllegalMove(name_of(move), f"{entry.path} is marked for a closer look")
    decided = settle(session, (entry,))
    position = next((i for i, e in enumerate(decided.entries) if isinstance(e, Open)), None)
    chosen = session.chosen if position is None else position
    return Step(replace(decided, chosen=chosen), (ruling_on(entry),))


def _decide_page(session: ReviewState, move: DecidePage) -> Step:
    if not session.ready:
        raise IllegalMove(name_of(move), "the page is still loading")
    shown = tuple(e for e in session.entries if isinstance(e, Open))
    waiting = tuple(e for e in shown if e.mark is not Mark.LATER)
    if session.ended and session.next_undecided_page() is None:
        raise IllegalMove(name_of(move), "everything has been decided")
    decided = settle(session, () if session.ended else waiting)
    aside = frozenset(e.path for e in shown if e.mark is Mark.LATER)
    if aside:
        return Step(narrowed(decided, aside), tuple(map(ruling_on, waiting)))
    page = decided.next_undecided_page()
    if page is None and session.filter is not Filter.ALL:
        decided = regridded(decided)
        page = decided.next_undecided_page()
    after = replace(decided, ended=True) if page is None else turned(decided, page)
    return Step(after, tuple(map(ruling_on, waiting)))


def _undo(session: ReviewState, move: Undo) -> Step:
    if not session.undo:
        raise IllegalMove(name_of(move), "nothing is left to undo")
    path = session.undo[-1]
    stood = session.settled[path]
    taken = replace(
        listed(session, path),
        undo=session.undo[:-1],
        settled=without(session.settled, path),
        restoring={**session.restoring, path: stood},
        drafts={**session.drafts, path: Draft(None, stood.box)},
        redo=(*session.redo, *filter(None, [session.rulings.get(path)])),
    )
    if path not in taken.paths:
        taken = unfiltered(taken)
    index = taken.paths.index(path)
    shown = turned(taken, index // session.per_page)
    return Step(choosing(shown, index), undone=path)


def _redo(session: ReviewState, move: Redo) -> Step:
    if not session.redo:
        raise IllegalMove(name_of(move), "nothing was undone")
    again = session.redo[-1]
    if again.path in session.restoring:
        raise IllegalMove(name_of(move), f"{again.path} is still being restored")
    if again.path in session.settled:
        raise IllegalMove(name_of(move), f"{again.path} is decided already")
    stands = Decided(again.verdict, Status.WAITING, again.box)
    decided = replace(
        session,
        settled={**session.settled, again.path: stands},
        drafts=without(session.drafts, again.path),
        undo=(*session.undo, again.path),
        redo=session.redo[:-1],
    )
    if again.path not in decided.paths:
        decided = unfiltered(decided)
    index = decided.paths.index(again.path)
    shown = replaced(decided, again.path, lambda e: Done(e.path, stands, again.size))
    return Step(choosing(shown, index), (again,))


def _surveyed(session: ReviewState, move: ConfidenceScanned) -> Step:
    return Step(replace(session, unsure=session.unsure | move.unsure))


def _looked(session: ReviewState, move: ImageLoaded) -> Step:
    position = loading_at(session, move.path, move)
    known = replace(
        session,
        broken=without(session.broken, move.path),
        settled=without(session.settled, move.path),
    )
    if move.cropped:
        earlier = Decided(None, Status.CROPPED, full(move.size), "cropped already")
        settled = {**known.settled, move.path: earlier}
        shown = put(known, position, Done(move.path, earlier, move.size))
        return Step(replace(shown, settled=settled))
    entry = opened(move, known.drafts.get(move.path))
    if entry.mark is Mark.LATER and session.arrangement is not Arrangement.GRID:
        entry = replace(entry, mark=Mark.KEEP)
    drafts = without(known.drafts, move.path)
    return Step(replace(put(known, position, locked(entry, known.lock)), drafts=drafts))


def _load_failed(session: ReviewState, move: LoadFailed) -> Step:
    position = loading_at(session, move.path, move)
    shown = put(session, position, Broken(move.path, move.reason))
    following = min(position + 1, len(session.entries) - 1)
    chosen = following if session.chosen == position else session.chosen
    broken = {**session.broken, move.path: move.reason}
    return Step(replace(shown, broken=broken, chosen=chosen))


def _applied(session: ReviewState, move: Applied) -> Step:
    stood = session.settled.get(move.path)
    if stood is None:  # undone meanwhile: the undo follows in the worker's queue
        return Step(session)
    if move.status not in _TAKEN_BACK:
        settled = replace(stood, status=move.status, reason=move.reason)
        known = replace(session, settled={**session.settled, move.path: settled})
        if move.status.is_failure:  # nothing to undo; whoever comes back to it can decide again
            drafts = {**session.drafts, move.path: Draft(None, stood.box)}
            known = replace(not_undoable(known, move.path), drafts=drafts)
        return Step(replaced(known, move.path, lambda e: with_outcome(e, settled)))
    undecided = not_undoable(listed(session, move.path), move.path)
    stale = {move.path} if move.status is Status.STALE else set()
    undecided = replace(
        undecided,
        settled=without(session.settled, move.path),
        stale=session.stale | stale,
        redo=tuple(ruling for ruling in session.redo if ruling.path != move.path),
    )
    return Step(replaced(undecided, move.path, lambda e: Loading(e.path)))


def _restored(session: ReviewState, move: Restored) -> Step:
    restoring_of(session, move)
    back = replace(session, restoring=without(session.restoring, move.path))
    return Step(replaced(back, move.path, lambda e: Loading(e.path)))


def _restore_failed(session: ReviewState, move: RestoreFailed) -> Step:
    stood = restoring_of(session, move)
    stands = replace(
        session,
        restoring=without(session.restoring, move.path),
        settled={**session.settled, move.path: stood},
        drafts=without(session.drafts, move.path),
    )
    return Step(replaced(stands, move.path, lambda e: Done(e.path, stood)))


_RULES: Mapping[type, Callable[[ReviewState, Any], Step]] = {
    **BOX_RULES,
    **PLACE_RULES,
    ToggleMark: _toggle_mark,
    Decide: _decide,
    DecidePage: _decide_page,
    Undo: _undo,
    Redo: _redo,
    ImageLoaded: _looked,
    LoadFailed: _load_failed,
    Applied: _applied,
    Restored: _restored,
    RestoreFailed: _restore_failed,
    ConfidenceScanned: _surveyed,
}
_AFTER_THE_END = frozenset(
    {
        *(*PLACE_RULES, DecidePage, Undo, Redo),
        *(ImageLoaded, LoadFailed, Applied, Restored, RestoreFailed, ConfidenceScanned),
    }
)
