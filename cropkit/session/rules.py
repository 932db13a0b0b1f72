"""What follows from each move: a table of rules, and `advance`, which looks a move up in it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cropkit.editing import dragged, moved, resized
from cropkit.errors import IllegalMove
from cropkit.records import Status
from cropkit.session.changes import (
    edited,
    entry_at,
    listed,
    loading_at,
    locked,
    name_of,
    not_undoable,
    open_at,
    opened,
    put,
    replaced,
    restoring_of,
    ruling_on,
    settle,
    turned,
    with_outcome,
    without,
)
from cropkit.session.moves import (
    Applied,
    Choose,
    ChooseNext,
    Decide,
    DecidePage,
    Drag,
    FullImage,
    LoadFailed,
    Looked,
    Move,
    Nudge,
    ResetBox,
    Resize,
    Restored,
    RestoreFailed,
    ToggleLock,
    ToggleMark,
    TurnPage,
    Undo,
)
from cropkit.session.state import (
    FAILED,
    AspectLock,
    Broken,
    Done,
    Draft,
    Loading,
    Mark,
    Open,
    Session,
    Settled,
    Step,
    full,
)

_NEXT_LOCK = {
    AspectLock.FREE: AspectLock.BOX,
    AspectLock.BOX: AspectLock.IMAGE,
    AspectLock.IMAGE: AspectLock.FREE,
}
_TAKEN_BACK = frozenset({Status.STALE, Status.RESTORED})


def begin(
    paths: Iterable[str],
    per_page: int = 3,
    settled: Mapping[str, Settled] | None = None,
    undo: tuple[str, ...] = (),
    place: str | None = None,
) -> Session:
    """Start or resume a review, at the page of `place` or at the first with something to do."""
    if per_page < 1:
        raise IllegalMove("per_page", f"{per_page} images a page make no page")
    listed, stands = tuple(paths), dict(settled or {})
    elsewhere = len(stands.keys() - set(listed))
    session = Session(listed, per_page, settled=stands, undo=undo, elsewhere=elsewhere)
    first = replace(session, page=session.pages - 1).next_undecided_page()
    if first is None:
        return replace(turned(session, 0), ended=True)
    known = place is not None and place in session.paths
    return turned(session, session.paths.index(place) // per_page if known else first)


def advance(session: Session, move: Move) -> Step:
    """Return what follows from a move; raise `IllegalMove`, and change nothing, when it may not."""
    if session.ended and type(move) not in _AFTER_THE_END:
        raise IllegalMove(name_of(move), "everything has been decided")
    return _RULES[type(move)](session, move)


def _choose(session: Session, move: Choose) -> Step:
    entry_at(session, move.position, move)
    return Step(replace(session, chosen=move.position))


def _choose_next(session: Session, move: ChooseNext) -> Step:
    if not session.entries:
        raise IllegalMove(name_of(move), "there is no image")
    return Step(replace(session, chosen=(session.chosen + move.step) % len(session.entries)))


def _nudge(session: Session, move: Nudge) -> Step:
    entry = open_at(session, None, move)
    return edited(session, None, box=moved(entry.box, move.dx, move.dy, entry.size))


def _resize(session: Session, move: Resize) -> Step:
    entry = open_at(session, None, move)
    by = (move.dx, move.dy)
    return edited(session, None, box=resized(entry.box, by, entry.size, entry.ratio))


def _drag(session: Session, move: Drag) -> Step:
    entry = open_at(session, move.position, move)
    origin, by = move.origin.within(entry.size), (move.dx, move.dy)
    box = dragged(origin, move.grip, by, entry.size, entry.ratio)
    return edited(replace(session, chosen=move.position), move.position, box=box)


def _toggle_mark(session: Session, move: ToggleMark) -> Step:
    entry = open_at(session, move.position, move)
    mark = Mark.KEEP if entry.mark is move.mark else move.mark
    return edited(session, move.position, mark=mark)


def _reset_box(session: Session, move: ResetBox) -> Step:
    return edited(session, None, anew=open_at(session, None, move).offered)


def _full_image(session: Session, move: FullImage) -> Step:
    return edited(session, None, anew=full(open_at(session, None, move).size))


def _toggle_lock(session: Session, _: ToggleLock) -> Step:
    lock = _NEXT_LOCK[session.lock]
    entries = tuple(locked(e, lock) if isinstance(e, Open) else e for e in session.entries)
    return Step(replace(session, lock=lock, entries=entries))


def _decide(session: Session, move: Decide) -> Step:
    entry = open_at(session, move.position, move)
    decided = settle(session, (entry,))
    position = next((i for i, e in enumerate(decided.entries) if isinstance(e, Open)), None)
    chosen = session.chosen if position is None else position
    return Step(replace(decided, chosen=chosen), (ruling_on(entry),))


def _decide_page(session: Session, move: DecidePage) -> Step:
    if not session.ready:
        raise IllegalMove(name_of(move), "the page is still loading")
    waiting = tuple(e for e in session.entries if isinstance(e, Open))
    if session.ended and session.next_undecided_page() is None:
        raise IllegalMove(name_of(move), "everything has been decided")
    decided = settle(session, () if session.ended else waiting)
    page = decided.next_undecided_page()
    after = replace(decided, ended=True) if page is None else turned(decided, page)
    return Step(after, tuple(map(ruling_on, waiting)))


def _turn_page(session: Session, move: TurnPage) -> Step:
    if session.ended and move.step < 0:
        return Step(turned(session, session.page))
    page = session.page + move.step
    if not 0 <= page < session.pages:
        raise IllegalMove(
            name_of(move), "this is the first page" if page < 0 else "no page follows"
        )
    return Step(turned(session, page))


def _undo(session: Session, move: Undo) -> Step:
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
    )
    index = taken.paths.index(path)
    shown = turned(taken, index // session.per_page)
    return Step(replace(shown, chosen=index % session.per_page), undone=path)


def _looked(session: Session, move: Looked) -> Step:
    position = loading_at(session, move.path, move)
    known = replace(
        session,
        broken=without(session.broken, move.path),
        settled=without(session.settled, move.path),
    )
    if move.cropped:
        earlier = Settled(None, Status.CROPPED, full(move.size), "cropped already")
        settled = {**known.settled, move.path: earlier}
        shown = put(known, position, Done(move.path, earlier, move.size))
        return Step(replace(shown, settled=settled))
    entry = opened(move, known.drafts.get(move.path))
    drafts = without(known.drafts, move.path)
    return Step(replace(put(known, position, locked(entry, known.lock)), drafts=drafts))


def _load_failed(session: Session, move: LoadFailed) -> Step:
    position = loading_at(session, move.path, move)
    shown = put(session, position, Broken(move.path, move.reason))
    following = min(position + 1, len(session.entries) - 1)
    chosen = following if session.chosen == position else session.chosen
    broken = {**session.broken, move.path: move.reason}
    return Step(replace(shown, broken=broken, chosen=chosen))


def _applied(session: Session, move: Applied) -> Step:
    stood = session.settled.get(move.path)
    if stood is None:  # undone meanwhile: the undo follows in the worker's queue
        return Step(session)
    if move.status not in _TAKEN_BACK:
        settled = replace(stood, status=move.status, reason=move.reason)
        known = replace(session, settled={**session.settled, move.path: settled})
        if move.status in FAILED:  # nothing to undo; whoever comes back to it can decide again
            drafts = {**session.drafts, move.path: Draft(None, stood.box)}
            known = replace(not_undoable(known, move.path), drafts=drafts)
        return Step(replaced(known, move.path, lambda e: with_outcome(e, settled)))
    undecided = not_undoable(listed(session, move.path), move.path)
    undecided = replace(undecided, settled=without(session.settled, move.path))
    return Step(replaced(undecided, move.path, lambda e: Loading(e.path)))


def _restored(session: Session, move: Restored) -> Step:
    restoring_of(session, move)
    back = replace(session, restoring=without(session.restoring, move.path))
    return Step(replaced(back, move.path, lambda e: Loading(e.path)))


def _restore_failed(session: Session, move: RestoreFailed) -> Step:
    stood = restoring_of(session, move)
    stands = replace(
        session,
        restoring=without(session.restoring, move.path),
        settled={**session.settled, move.path: stood},
        drafts=without(session.drafts, move.path),
    )
    return Step(replaced(stands, move.path, lambda e: Done(e.path, stood)))


_RULES: Mapping[type, Callable[[Session, Any], Step]] = {
    Choose: _choose,
    ChooseNext: _choose_next,
    Nudge: _nudge,
    Resize: _resize,
    Drag: _drag,
    ToggleMark: _toggle_mark,
    ResetBox: _reset_box,
    FullImage: _full_image,
    ToggleLock: _toggle_lock,
    Decide: _decide,
    DecidePage: _decide_page,
    TurnPage: _turn_page,
    Undo: _undo,
    Looked: _looked,
    LoadFailed: _load_failed,
    Applied: _applied,
    Restored: _restored,
    RestoreFailed: _restore_failed,
}
_AFTER_THE_END = frozenset(
    {DecidePage, TurnPage, Undo, Looked, LoadFailed, Applied, Restored, RestoreFailed}
)
