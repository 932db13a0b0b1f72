"""What follows from each move: a table of rules, and `advance`, which looks a move up in it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from cropkit.errors import IllegalMove
from cropkit.formats.options import PROVENANCE
from cropkit.geometry import Size
from cropkit.records import Status
from cropkit.review.model import edits
from cropkit.review.model.adding import ADDING_RULES
from cropkit.review.model.angles import ANGLE_RULES
from cropkit.review.model.box_rules import BOX_RULES
from cropkit.review.model.decided import Decided, Draft, Mark
from cropkit.review.model.images import Images
from cropkit.review.model.leased import all_of
from cropkit.review.model.moves import (
    Applied,
    ConfidenceScanned,
    Decide,
    DecidedElsewhere,
    DecidePage,
    DropCredentials,
    FitGrid,
    ImageLoaded,
    LeasesKnown,
    Listed,
    ListedAll,
    ListingFailed,
    LoadFailed,
    Move,
    NotesKnown,
    PlanKnown,
    Redo,
    Restored,
    RestoreFailed,
    ShareBox,
    Stay,
    ToggleMark,
)
from cropkit.review.model.navigation import PLACE_RULES
from cropkit.review.model.noting import NOTING_RULES
from cropkit.review.model.selecting import SELECTING_RULES, over_picked
from cropkit.review.model.slots import added, every_crop, named
from cropkit.review.model.state import (
    Arrangement,
    Broken,
    Done,
    Entry,
    Filter,
    Loading,
    Open,
    Rest,
    ReviewState,
    Step,
    full,
    turn_of,
)
from cropkit.review.model.taking_back import TAKING_BACK_RULES
from cropkit.review.model.transforms import (
    carried_to,
    decision_on,
    edited,
    entry_at,
    filled,
    free_page,
    is_let_through,
    is_to_be_decided,
    joined,
    listed,
    loading_at,
    locked,
    name_of,
    narrowed,
    open_at,
    opened,
    place_of,
    put,
    regridded,
    reloading,
    replaced,
    restoring_of,
    settle,
    sorted_anew,
    turned,
    with_others,
    with_outcome,
)
from cropkit.review.model.tree import NumberSet
from cropkit.wanted import Wanted

_NONE_SIGNED = "no image here is kept from being cropped by content credentials"
_WITH_OTHERS = "The page where this review was is with somebody else now: this is the next one"
_TAKEN_BACK = frozenset({Status.STALE, Status.RESTORED, Status.SUPERSEDED})


def begin(
    paths: Iterable[str],
    per_page: int = 3,
    settled: Mapping[str, Decided] | None = None,
    undo: Iterable[str] = (),
    place: str | None = None,
    *,
    minimum: int = 0,
    stale: Iterable[str] = (),
    wanted: tuple[Wanted, ...] = (Wanted(),),
    copies: bool = False,
    around: Mapping[str, Mapping[str, Any]] | None = None,
    rest: Rest = Rest.NONE,
) -> ReviewState:
    """Start or resume a review, at the page of `place` or at the first with something to do.

    What is not listed yet comes by `Listed`: where `place`, or anything to do, is among that, the
    review goes there by itself as soon as it has come.

    Parameters
    ----------
    paths : of images; all else is told by the paths of crops, as `slots` makes them
    place : of an image or of a crop
    minimum : pixels that the shorter side of a crop should have
    stale : what was decided about other content than there is now
    wanted : the crops of each image
    copies : whether crops are copies, so that an image may have more of them
    around : how a box is put around subjects, by name; None: as `cropkit.around` does by itself
    rest : whether other images follow; then there is nothing to `undo` yet
    """
    if per_page < 1:
        raise IllegalMove("per_page", f"{per_page} images a page make no page")
    decided, changed = settled or {}, tuple(stale)
    slots = tuple(each.slot for each in wanted)
    more = added(chain(decided, changed), slots)
    required = slots if more or slots != ("",) else ()
    crops = every_crop(paths, slots, more) if required else paths
    images = Images.of(crops, decided, undo, changed, required)
    session = ReviewState(
        *(images, images.listed, per_page),
        minimum=minimum,
        usual=per_page,
        wanted=wanted,
        copies=copies,
        around=around or {"": {}},
        rest=rest,
    )
    first = replace(session, page=session.pages - 1).next_undecided_page()
    if first is None and session.whole:
        return replace(turned(session, 0), ended=True)
    at = None if place is None else place_of(session, place)
    begun = turned(session, (first or 0) if at is None else at // per_page)
    if at is not None:
        return replace(begun, returned=not session.whole)
    if session.whole:
        return begun
    return replace(begun, resuming=place or "", onward=first is None)


def advance(session: ReviewState, move: Move, *, again: bool = False) -> Step:
    """Return what follows from a move; raise `IllegalMove`, and change nothing, when it may not.

    Parameters
    ----------
    again : the move is that of a key that is being held
    """
    if session.ended and type(move) not in _AFTER_THE_END:
        raise IllegalMove(name_of(move), "everything has been decided")
    if type(move) in _BY_ITSELF:
        return _RULES[type(move)](session, move)
    if session.goes_by_itself:
        session = replace(session, resuming="", onward=False, returned=False)
    rule = _RULES[type(move)]
    step: Step = over_picked(session, move, rule) if type(move) in _EDITING else rule(session, move)
    if type(move) in _EDITING:
        return replace(step, session=edits.recorded(session, move, step.session, again=again))
    if step.decisions and not isinstance(move, Redo):
        paths = [decision.path for decision in step.decisions]
        return replace(step, session=edits.decided(step.session, paths))
    return step


def _toggle_mark(session: ReviewState, move: ToggleMark) -> Step:
    at = session.chosen if move.position is None else move.position
    broken = entry_at(session, at, move)
    if isinstance(broken, Broken) and broken.size is not None and move.mark is not Mark.LATER:
        marked = Mark.KEEP if broken.mark is move.mark else move.mark
        return Step(put(session, at, replace(broken, mark=marked)))
    entry = open_at(session, move.position, move)
    if move.mark is Mark.LATER and session.arrangement is not Arrangement.GRID:
        raise IllegalMove(name_of(move), "that is for the grid: here it is looked at closely")
    mark = Mark.KEEP if entry.mark is move.mark else move.mark
    return edited(session, move.position, mark=mark)


def _decide(session: ReviewState, move: Decide) -> Step:
    where = session.at_hand if move.position is None else (move.position,)
    accepted = tuple(_accepted(session, position, move) for position in where)
    decided = settle(session, accepted)
    position = next((i for i, e in enumerate(decided.entries) if isinstance(e, Open)), None)
    chosen = session.chosen if position is None else position
    alone = replace(decided, chosen=chosen, picked=decided.picked - {e.path for e in accepted})
    return Step(alone, tuple(map(decision_on, accepted)))


def _accepted(session: ReviewState, position: int, move: Decide) -> Open | Broken:
    """Return an image that is decided as it is marked, or refuse the move."""
    entry: Entry = entry_at(session, position, move)
    if not isinstance(entry, Broken) or entry.verdict is None:
        entry = open_at(session, position, move)
    if entry.mark is Mark.LATER:
        raise IllegalMove(name_of(move), f"{named(entry.path)} is marked for a closer look")
    return entry


def _decide_page(session: ReviewState, move: DecidePage) -> Step:
    if not session.ready:
        raise IllegalMove(name_of(move), "the page is still loading")
    shown = tuple(e for e in session.entries if isinstance(e, Open))
    closely = tuple(e for e in shown if not is_let_through(session, e))
    every = (e for e in session.entries if e not in closely and not session.ended)
    accepted = tuple(e for e in every if is_to_be_decided(e))
    if session.ended and session.next_undecided_page() is None:
        raise IllegalMove(name_of(move), "everything has been decided")
    decided = settle(session, accepted)
    aside = [e.path for e in shown if e.mark is Mark.LATER or e in closely]
    if aside:
        return Step(narrowed(decided, aside), tuple(map(decision_on, accepted)))
    decided = sorted_anew(decided)
    page = decided.next_undecided_page()
    if page is None and session.filter is not Filter.ALL:
        decided = regridded(decided)
        page = decided.next_undecided_page()
    onward = _onward(decided, page)
    return Step(onward, tuple(map(decision_on, accepted)), note=with_others(onward))


def _drop_credentials(session: ReviewState, move: DropCredentials) -> Step:
    signed = [e for e in session.entries if isinstance(e, Broken) and e.is_signed]
    if not signed:
        raise IllegalMove(name_of(move), _NONE_SIGNED)
    images = session.images.unsigned()
    for each in signed:
        if each.mark is not Mark.KEEP:
            images = images.drafted(each.path, Draft(each.sha256, None, each.mark))
    entries = tuple(Loading(e.path) if e in signed else e for e in session.entries)
    return Step(replace(session, images=images, entries=entries), dropping=PROVENANCE)


def _onward(session: ReviewState, page: int | None) -> ReviewState:
    """Go to the next page with something to do: where there is none yet, as soon as there is."""
    if page is not None:
        return turned(replace(session, onward=False), page)
    return replace(session, ended=session.whole, onward=session.rest is Rest.COMING)


def _stay(session: ReviewState, _: Stay) -> Step:
    return Step(session)


def _listed_more(session: ReviewState, move: Listed) -> Step:
    if session.rest is not Rest.COMING:
        raise IllegalMove(name_of(move), "every image is listed")
    before, slots = session.images, session.slots
    more = added(chain(move.settled, move.stale), slots)
    images = before.requiring(slots) if more else before
    crops = every_crop(move.paths, slots, more) if images.required else move.paths
    images = images.with_listed(crops, move.settled, move.stale)
    known = replace(session, images=images)
    new = known.passing(session.filter) & NumberSet.span(len(before.index), len(images.index))
    return Step(_gone_on(filled(joined(known, new))))


def _listed_all(session: ReviewState, move: ListedAll) -> Step:
    if session.rest is not Rest.COMING:
        raise IllegalMove(name_of(move), "every image is listed")
    images = session.images.with_earlier(move.earlier)
    listed = _gone_on(replace(session, images=images, rest=Rest.NONE))
    if not listed.returned:
        return Step(listed)
    ended = listed.next_undecided_page() is None
    return Step(replace(turned(listed, 0) if ended else listed, ended=ended, returned=False))


def _listing_failed(session: ReviewState, _: ListingFailed) -> Step:
    return Step(replace(session, rest=Rest.LOST, resuming="", onward=False, returned=False))


def _gone_on(session: ReviewState) -> ReviewState:
    """Go where the review was left, or where there is something to do, once that is listed."""
    at = place_of(session, session.resuming) if session.resuming else None
    if at is not None:
        there = replace(session, resuming="", onward=False, returned=True)
        return turned(there, free_page(there, at // session.per_page))
    if session.resuming and not session.whole:
        return session
    there = replace(session, resuming="")  # it is in the folder no more
    if not there.onward:
        return there
    return _onward(there, replace(there, page=there.page - 1).next_undecided_page())


def _scanned(session: ReviewState, move: ConfidenceScanned) -> Step:
    number = session.images.index.number
    # what comes without having been listed would have a number that is the listing's
    known = (path for path in move.unsure if session.whole or number(path) is not None)
    images = session.images.found_unsure(frozenset(known)).found_sure(move.sure)
    return Step(replace(session, images=images, asked=move.whole and session.whole))


def _plan_known(session: ReviewState, move: PlanKnown) -> Step:
    before = replace(session.images, certain=NumberSet()) if move.anew else session.images
    return Step(replace(session, images=before.found_certain(move.certain), promise=move.promise))


def _leases_known(session: ReviewState, move: LeasesKnown) -> Step:
    known = replace(session, leases=move.leases, taken=all_of(move.leases))
    page = free_page(known, known.page)
    if not move.arriving or known.ended or page == known.page:
        return Step(known)
    return Step(turned(known, page), note=_WITH_OTHERS)


def _loaded(session: ReviewState, move: ImageLoaded) -> Step:
    position = loading_at(session, move.path, move)
    images = session.images.shown(move.path).not_decided(move.path)
    if move.cropped:
        earlier = Decided(None, Status.CROPPED, full(move.size), "cropped already")
        known = replace(session, images=images.decided(move.path, earlier))
        return Step(put(known, position, Done(move.path, earlier, move.size)))
    draft = images.draft(move.path)
    entry = opened(session, move, draft)
    entry = carried_to(session, entry) if draft is None else entry
    if entry.mark is Mark.LATER and session.arrangement is not Arrangement.GRID:
        entry = replace(entry, mark=Mark.KEEP)
    if session.arrangement is Arrangement.GRID and not is_let_through(session, entry):
        entry = replace(entry, mark=Mark.LATER)
    known = replace(
        edits.loaded(session, move.path, move.sha256), images=images.not_drafted(move.path)
    )
    return Step(put(known, position, locked(entry, session.lock)))


def _load_failed(session: ReviewState, move: LoadFailed) -> Step:
    position = loading_at(session, move.path, move)
    draft = session.images.draft(move.path)
    is_drafted = draft is not None and draft.sha256 == move.sha256 and move.size is not None
    mark = draft.mark if draft is not None and is_drafted else Mark.KEEP
    mark = Mark.KEEP if mark is Mark.LATER else mark
    broken = Broken(move.path, move.reason, move.sha256, move.size, mark, move.code)
    shown = put(session, position, broken)
    following = min(position + 1, len(session.entries) - 1)
    chosen = following if session.chosen == position else session.chosen
    images = session.images.not_shown(move.path, move.reason, signed=broken.is_signed)
    return Step(replace(shown, images=images, chosen=chosen))


def _applied(session: ReviewState, move: Applied) -> Step:
    stood = session.settled.get(move.path)
    if stood is None:  # undone meanwhile: the undo follows in the worker's queue
        return Step(session)
    if move.status in _TAKEN_BACK:
        return _taken_back(session, move)
    settled = replace(stood, status=move.status, reason=move.reason)
    images = session.images.decided(move.path, settled)
    if move.status.is_failure:  # nothing to undo; whoever comes back to it can decide again
        images = images.not_undoable(move.path).drafted(move.path, stood.draft)
    known = replace(session, images=images)
    return Step(replaced(known, move.path, lambda e: with_outcome(e, settled)))


def _taken_back(session: ReviewState, move: Applied) -> Step:
    path = move.path
    images = session.images.not_undoable(path).not_redoable(path).not_decided(path)
    undecided = listed(replace(session, images=images), path)
    if move.status is Status.STALE:
        undecided = reloading(replace(undecided, images=undecided.images.out_of_date(path)), path)
    return Step(replaced(undecided, path, lambda e: Loading(e.path)))


def _decided_elsewhere(session: ReviewState, move: DecidedElsewhere) -> Step:
    """Let the decision of another session stand: it is theirs to take back."""
    path, decided = move.path, move.decided
    images = session.images.not_undoable(path).not_redoable(path).not_drafted(path)
    known = edits.decided(replace(session, images=images.decided(path, decided)), (path,))
    return Step(replaced(known, path, lambda e: Done.of(path, decided, _size_before(e))))


def _size_before(entry: Entry) -> Size | None:
    """Return the size of an image before any turn, as far as it is known."""
    size = entry.size if isinstance(entry, Open | Done | Broken) else None
    return size and size.turned(turn_of(entry).inverse)


def _restored(session: ReviewState, move: Restored) -> Step:
    restoring_of(session, move)
    back = replace(session, images=session.images.not_restoring(move.path))
    return Step(replaced(back, move.path, lambda e: Loading(e.path)))


def _restore_failed(session: ReviewState, move: RestoreFailed) -> Step:
    stood = restoring_of(session, move)
    images = session.images.not_restoring(move.path).decided(move.path, stood)
    stands = replace(session, images=images.not_drafted(move.path))
    return Step(replaced(stands, move.path, lambda e: Done(e.path, stood)))


_RULES: Mapping[type, Callable[[ReviewState, Any], Step]] = {
    **BOX_RULES,
    **ANGLE_RULES,
    **PLACE_RULES,
    **ADDING_RULES,
    **SELECTING_RULES,
    **NOTING_RULES,
    **TAKING_BACK_RULES,
    ToggleMark: _toggle_mark,
    Decide: _decide,
    DecidePage: _decide_page,
    DropCredentials: _drop_credentials,
    ImageLoaded: _loaded,
    LoadFailed: _load_failed,
    Applied: _applied,
    DecidedElsewhere: _decided_elsewhere,
    Restored: _restored,
    RestoreFailed: _restore_failed,
    ConfidenceScanned: _scanned,
    PlanKnown: _plan_known,
    LeasesKnown: _leases_known,
    Stay: _stay,
    Listed: _listed_more,
    ListedAll: _listed_all,
    ListingFailed: _listing_failed,
}
_EDITING = frozenset({*BOX_RULES, *ANGLE_RULES, ShareBox, ToggleMark})
# what no reviewer does
_BY_ITSELF = frozenset(
    {
        *(ImageLoaded, LoadFailed, Applied, Restored, RestoreFailed, ConfidenceScanned),
        DecidedElsewhere,
        *(Listed, ListedAll, ListingFailed, FitGrid, NotesKnown, PlanKnown, LeasesKnown),
    }
)
_AFTER_THE_END = frozenset({*_BY_ITSELF, *PLACE_RULES, *TAKING_BACK_RULES, DecidePage, Stay})
