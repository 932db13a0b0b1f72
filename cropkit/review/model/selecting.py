"""What follows from moves that select images, and from those made to all that are selected."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cropkit.errors import IllegalMove
from cropkit.review.model import edits
from cropkit.review.model.decided import Mark
from cropkit.review.model.listing import folder_of
from cropkit.review.model.moves import (
    CarryOn,
    LevelImages,
    Move,
    Pick,
    PickAll,
    PickNone,
    PickTo,
    SetRatio,
    ShareBox,
    ToggleLock,
    ToggleMark,
    ToggleTargets,
    TurnLock,
)
from cropkit.review.model.slots import slot_of
from cropkit.review.model.state import (
    Arrangement,
    Carried,
    Open,
    ReviewState,
    Step,
    source_size,
)
from cropkit.review.model.transforms import (
    arranged,
    carried_to,
    choosing,
    edited,
    entry_at,
    is_changed,
    name_of,
    open_at,
    turned,
    turned_at,
)

Rule = Callable[[ReviewState, Any], Step]

# moves whose own rules know what is selected
_FOR_ALL = frozenset({ToggleLock, TurnLock, SetRatio, ToggleTargets, ShareBox, LevelImages})


def over_picked(session: ReviewState, move: Move, rule: Rule) -> Step:
    """Return what follows where a move is made to each image that is selected, or to none of them.

    A move that names a position is that image's alone.
    """
    where = () if type(move) in _FOR_ALL else _meant(session, move)
    if len(where) < 2 or getattr(move, "position", None) is not None:  # noqa: PLR2004  (several)
        return rule(session, move)
    after = session
    for position in where:
        after = rule(replace(after, chosen=position), move).session
    return Step(replace(after, chosen=session.chosen))


def _meant(session: ReviewState, move: Move) -> tuple[int, ...]:
    """Return where a move is made: what cannot be cropped is only marked."""
    if not session.entries:
        return ()
    if not isinstance(move, ToggleMark):
        return tuple(n for n in session.at_hand if isinstance(session.entries[n], Open))
    unmarked = tuple(n for n in session.at_hand if _mark(session, n) is not move.mark)
    return unmarked or session.at_hand


def _mark(session: ReviewState, position: int) -> Mark | None:
    return getattr(session.entries[position], "mark", None)


def _pick(session: ReviewState, move: Pick) -> Step:
    at = session.chosen if move.position is None else move.position
    path = entry_at(session, at, move).path
    if not session.is_open(at):
        open_at(session, at, move)
    here = session.entries[session.chosen].path
    # the one that was chosen is meant, too, where another is clicked beside it
    beside = not session.picked and at != session.chosen and session.is_open(session.chosen)
    picked = session.picked | {here} if beside else session.picked
    return Step(_picking(session, picked ^ {path}, at))


def _pick_to(session: ReviewState, move: PickTo) -> Step:
    for position in (move.first, move.last):
        entry_at(session, position, move)
    low, high = sorted((move.first, move.last))
    between = (n for n in range(low, high + 1) if session.is_open(n))
    picked = frozenset(session.entries[n].path for n in between)
    return Step(_picking(session, picked, move.last))


def _pick_all(session: ReviewState, move: PickAll) -> Step:
    every = (e.path for n, e in enumerate(session.entries) if session.is_open(n))
    picked = frozenset(every)
    if not picked:
        raise IllegalMove(name_of(move), "no image of this page is undecided")
    at = session.chosen if session.is_open(session.chosen) else _first(session, picked)
    return Step(_picking(session, frozenset() if picked == session.picked else picked, at))


def _pick_none(session: ReviewState, _: PickNone) -> Step:
    return Step(_picking(session, frozenset(), session.chosen))


def _first(session: ReviewState, picked: frozenset[str]) -> int:
    return next(n for n, entry in enumerate(session.entries) if entry.path in picked)


def _picking(session: ReviewState, picked: frozenset[str], chosen: int) -> ReviewState:
    return replace(session, picked=picked, picked_lock=None, chosen=chosen)


def _share_box(session: ReviewState, move: ShareBox) -> Step:
    """Give the chosen box, as it is turned, to the others: the same parts of another size."""
    entry = open_at(session, None, move)
    others = [n for n in session.at_hand if n != session.chosen]
    if not others:
        raise IllegalMove(name_of(move), "no other image is selected")
    after = session
    for position in others:
        other = open_at(session, position, move)
        box = entry.cut.of(source_size(other)).seen
        after = edited(turned_at(after, position, entry.turn, move), position, box=box).session
    return Step(after)


def _carry_on(session: ReviewState, move: CarryOn) -> Step:
    """Offer the box for the images of the page that are as they came, and for all that come.

    They are looked at in the grid: none of them is decided before it is seen and accepted.
    """
    entry = open_at(session, None, move)
    place = folder_of(entry.path), slot_of(entry.path)
    carried = Carried(*place, entry.cut)
    after = replace(session, carrying=(*session.carrying, carried), picked=frozenset())
    untouched = (isinstance(e, Open) and not is_changed(session, e) for e in session.entries)
    entries = tuple(
        carried_to(after, e) if is_as_it_came and isinstance(e, Open) and e is not entry else e
        for e, is_as_it_came in zip(session.entries, untouched, strict=True)
    )
    shown = edits.recorded(session, move, replace(after, entries=entries), again=False)
    return Step(_in_grid(shown), note=_offers(carried))


def _in_grid(session: ReviewState) -> ReviewState:
    if session.arrangement is Arrangement.GRID:
        return session
    at = session.page * session.per_page + session.chosen
    grid = arranged(session, Arrangement.GRID)
    return choosing(turned(grid, at // grid.per_page), at)


def _offers(carried: Carried) -> str:
    of = carried.cut.size
    size = f"{of.width} \N{MULTIPLICATION SIGN} {of.height}"
    where = f"{carried.folder} " if carried.folder else "this folder "
    return f"The box is offered for what {where}has of {size}: look, then accept; Z takes it back"


SELECTING_RULES: Mapping[type, Rule] = {
    Pick: _pick,
    PickTo: _pick_to,
    PickAll: _pick_all,
    PickNone: _pick_none,
    ShareBox: _share_box,
    CarryOn: _carry_on,
}
