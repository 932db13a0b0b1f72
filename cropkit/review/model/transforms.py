"""The parts that the rules are made of: each returns a changed session, entry or step."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeGuard

from cropkit.errors import BadBox, IllegalMove
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.records import Status, Suggestion
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.decided import Cut, Decided, Draft, DraftDecision, Mark
from cropkit.review.model.images import Images
from cropkit.review.model.moves import ImageLoaded, Move, Restored, RestoreFailed
from cropkit.review.model.slots import image_of, keyed, named, slot_of
from cropkit.review.model.stack import Order, Stack
from cropkit.review.model.state import (
    CARRIED,
    Arrangement,
    AspectLock,
    Broken,
    Done,
    Entry,
    Filter,
    Loading,
    Open,
    Ordering,
    Rest,
    Restoring,
    ReviewState,
    Step,
    as_seen,
    full,
    source_size,
)
from cropkit.review.model.tree import NumberSet


def name_of(move: object) -> str:
    """Name a move, as an error says it."""
    return type(move).__name__


def entry_at(session: ReviewState, position: int | None, move: Move) -> Entry:
    """Return the image at a position of the page, or refuse the move."""
    at = session.chosen if position is None else position
    if not 0 <= at < len(session.entries):
        raise IllegalMove(name_of(move), f"the page has no image {at + 1}")
    return session.entries[at]


def open_at(session: ReviewState, position: int | None, move: Move) -> Open:
    """Return the image at a position if it waits for the reviewer, or refuse the move."""
    entry = entry_at(session, position, move)
    if not isinstance(entry, Open):
        raise IllegalMove(name_of(move), f"{named(entry.path)} {stands(entry)}")
    return entry


_SO_FAR = {
    Rest.NONE: "",
    Rest.COMING: " so far: the rest is still being listed",
    Rest.LOST: ": the listing broke off, and there may be more",
}


def so_far(session: ReviewState) -> str:
    """Return what is added to a sentence that is true of the images that are listed."""
    return _SO_FAR[session.rest]


def stands(entry: Entry) -> str:
    """Say how it is with an image that does not wait for the reviewer."""
    if isinstance(entry, Broken) and entry.size is not None:
        return "cannot be cropped: reject it, skip it, or let it be"
    return STANDS[type(entry)]


STANDS = {
    Loading: "is still loading",
    Restoring: "is still being restored",
    Broken: "could not be shown",
    Done: "is decided already: U reopens it",
}


def loading_at(session: ReviewState, path: str, move: Move) -> int:
    """Return the position of an image that is being read, or refuse the move."""
    for position, entry in enumerate(session.entries):
        if entry.path == path and isinstance(entry, Loading):
            return position
    raise IllegalMove(name_of(move), f"{named(path)} is not being loaded on this page")


def restoring_of(session: ReviewState, move: Restored | RestoreFailed) -> Decided:
    """Return the decision that is being undone, or refuse the move."""
    if move.path not in session.restoring:
        raise IllegalMove(name_of(move), f"{named(move.path)} is not being restored")
    return session.restoring[move.path]


def edited(
    session: ReviewState,
    position: int | None,
    *,
    box: PixelBox | None = None,
    anew: PixelBox | None = None,
    mark: Mark | None = None,
    grip: Grip = Grip.WHOLE,
) -> Step:
    """Change the box, set it anew (its ratio is then what is locked), or the mark.

    Parameters
    ----------
    grip : what was pulled of the box
    """
    at = session.chosen if position is None else position
    entry = session.entries[at]
    if not isinstance(entry, Open):
        raise IllegalMove("edit", f"{named(entry.path)} {stands(entry)}")
    # Whoever works on the box wants to keep the image: a mark does not survive that.
    marked = replace(entry, mark=mark or Mark.KEEP)
    other = box or anew
    changed = marked if other is None else marked.boxed(other, grip)
    return Step(put(session, at, locked(changed, _lock_at(session, at)) if anew else changed))


def _lock_at(session: ReviewState, at: int) -> AspectLock:
    return session.lock_at_hand if at in session.at_hand else session.lock


def locked(entry: Open, lock: AspectLock) -> Open:
    """Return an image with the ratio that a lock holds from now on."""
    return replace(entry, ratio=lock.ratio(entry.box.size, entry.size))


def turned_at(session: ReviewState, at: int, turn: Turn, move: Move) -> ReviewState:
    """Return a session with an image that waits for the reviewer seen with a turn.

    Raises
    ------
    IllegalMove
        It is too small for any box that is turned so.
    """
    entry = session.entries[at]
    if not isinstance(entry, Open) or entry.turn == turn:
        return session
    lock = _lock_at(session, at)
    try:
        other = seen_with(replace(session, lock=lock), entry, turn)
    except BadBox:
        raise IllegalMove(name_of(move), f"{named(entry.path)} is too small for that") from None
    return put(session, at, locked(replace(other, mark=Mark.KEEP), lock))


def seen_with(session: ReviewState, entry: Open, turn: Turn) -> Open:
    """Return an image as it is seen with a turn: its box goes on to hold what was asked for.

    Where the ratio of the image holds the box, it is that of the turned one.
    """
    if turn == entry.turn:
        return entry
    asked = replace(entry, box=entry.wanted)
    cut = asked.cut._replace(turn=turn)
    size, aims = cut.size.turned(turn), entry.aims
    if aims == session.aims(entry.path, entry.size):
        aims = session.aims(entry.path, size)
    return replace(asked, turn=turn, size=size, aims=aims).boxed(cut.seen)


def cut_as(session: ReviewState, entry: Open, cut: Cut) -> Open:
    """Return an image with what was to be kept of one: turned, the same part of another size."""
    return seen_with(session, entry, cut.turn).boxed(cut.of(source_size(entry)).seen)


def opened(session: ReviewState, move: ImageLoaded, draft: Draft | None) -> Open:
    """Return an image as it is offered, with what was changed about it before."""
    aims = session.aims(move.path, move.size)
    fresh = Open(move.path, move.sha256, move.size, move.suggestions, full(move.size), aims=aims)
    fresh = replace(fresh, planned=move.planned)
    fresh = offering(fresh, _of_slot(move.suggestions, slot_of(move.path)))
    if draft is None or draft.sha256 not in (None, move.sha256):
        return fresh
    if draft.candidate is not None and draft.candidate < len(fresh.suggestions):
        fresh = offering(fresh, draft.candidate)
    if draft.box is not None and _fits(draft.box, move.size):
        fresh = cut_as(session, fresh, Cut(draft.box, move.size, draft.turn))
    return replace(fresh, mark=draft.mark)


def offering(entry: Open, candidate: int) -> Open:
    """Return an image with one of its suggestions offered."""
    other = replace(entry, candidate=candidate)
    return other.boxed(other.suggested)


def box_beside(session: ReviewState, entry: Entry, path: str) -> PixelBox | None:
    """Return the box of another crop of an image on the page: as it is, or would be offered.

    It is one of the image as that is seen on the page.
    """
    there = any(e.path == path and isinstance(e, Open | Done) for e in session.entries)
    if there or path in session.settled or session.images.draft(path) is not None:
        box = session.box_of(path)
        return None if box is None else as_seen(entry, box)
    if not isinstance(entry, Open):
        return None
    plain = as_it_came(session, entry)
    beside = replace(plain, path=path, aims=session.aims(path, plain.size))
    return as_seen(entry, offering(beside, _of_slot(entry.suggestions, slot_of(path))).box)


def _of_slot(suggestions: Sequence[Suggestion], slot: str) -> int:
    """Return which suggestion a slot begins with: the first whose source has its name, if any."""
    sources = [each.source.casefold() for each in suggestions] if slot else []
    name = slot.casefold()
    return sources.index(name) if name in sources else 0


def _fits(box: PixelBox, size: Size) -> bool:
    return box.right <= size.width and box.bottom <= size.height


def is_to_be_decided(entry: Entry) -> TypeGuard[Open | Broken]:
    """Whether the next Enter decides about an image: what cannot be cropped, only as marked."""
    if isinstance(entry, Broken):
        return entry.verdict is not None
    return isinstance(entry, Open) and entry.mark is not Mark.LATER


def decision_on(entry: Open | Broken) -> DraftDecision:
    """Return what accepting an image says."""
    if isinstance(entry, Broken):
        if entry.size is None or entry.verdict is None:
            raise IllegalMove("Decide", f"{named(entry.path)} {stands(entry)}")
        return DraftDecision(entry.path, entry.sha256, entry.size, entry.verdict, None, None)
    verdict = entry.verdict
    box = entry.box if verdict.keeps_a_box else None
    target = entry.fit.target.name if box and entry.fit else None
    cut, turn = entry.cut, entry.turn if box else NO_TURN
    kept = cut.box if box else None
    return DraftDecision(
        *(entry.path, entry.sha256, cut.size, verdict, kept), entry.suggestion, target, turn
    )


def waiting(decision: DraftDecision) -> Decided:
    """Return a decision as it stands when it is new."""
    target, turn = decision.target or "", decision.turn
    return Decided(decision.verdict, Status.WAITING, decision.box, target=target, turn=turn)


def settle(session: ReviewState, entries: tuple[Open | Broken, ...]) -> ReviewState:
    """Take images as decided."""
    decisions = {e.path: decision_on(e) for e in entries}
    new = {path: waiting(decision) for path, decision in decisions.items()}
    kept = {slot_of(p): Cut(d.box, d.size, d.turn) for p, d in decisions.items() if d.box}
    done = tuple(
        Done.of(e.path, new[e.path], decisions[e.path].size) if e.path in new else e
        for e in session.entries
    )
    if not new:
        return session
    images = replace(session.images, redo=Stack()).pressed()
    for path, decision in decisions.items():
        images = images.shown(path).decided_here(decision, new[path])
    return replace(
        session,
        entries=done,
        images=images,
        carried={**session.carried, **kept},
    )


def turned(session: ReviewState, page: int) -> ReviewState:
    """Show a page; what was changed on the one that is left is kept."""
    images = session.images
    for entry in session.entries:
        if isinstance(entry, Open | Broken):
            images = _left(session, images, entry)
    kept = replace(session, images=images, page=page, ended=False, picked=frozenset())
    entries = tuple(_arriving(kept, path) for path in kept.on_page(page))
    chosen = next((i for i, e in enumerate(entries) if not isinstance(e, Done)), 0)
    return replace(kept, entries=entries, chosen=chosen)


def free_page(session: ReviewState, page: int) -> int:
    """Return a page, or the next one with something that others do not have, where they have it."""
    if not session.is_with_others(page):
        return page
    after = replace(session, page=page).next_undecided_page()
    return page if after is None or session.is_with_others(after) else after


def with_others(session: ReviewState) -> str:
    """Say so where a page is shown although others have all of it; '' where that is not so."""
    if session.ended or not session.is_with_others(session.page):
        return ""
    return f"Nothing else is left: {session.taken_words}. You may decide here, too"


def _left(session: ReviewState, images: Images, entry: Open | Broken) -> Images:
    """Keep what was changed about an image, and nothing of what was taken back since."""
    changed = is_changed(session, entry) if isinstance(entry, Open) else entry.mark is not Mark.KEEP
    return (
        images.drafted(entry.path, draft_of(entry)) if changed else images.not_drafted(entry.path)
    )


def draft_of(entry: Open | Broken) -> Draft:
    """Return what is kept of an image that leaves the page undecided."""
    if isinstance(entry, Broken):
        return Draft(entry.sha256, None, entry.mark)
    return Draft(entry.sha256, entry.cut.box, entry.mark, entry.candidate, entry.turn)


def filled(session: ReviewState) -> ReviewState:
    """Let the images that have come stand on the page at hand, as far as it has room for them."""
    here = len(session.entries)
    new = tuple(_arriving(session, path) for path in session.on_page(session.page)[here:])
    if not new:
        return session
    entries = (*session.entries, *new)
    if not all(isinstance(entry, Done) for entry in session.entries):
        return replace(session, entries=entries)
    chosen = next((i for i, e in enumerate(entries) if not isinstance(e, Done)), session.chosen)
    return replace(session, entries=entries, chosen=chosen)


def is_changed(session: ReviewState, entry: Open) -> bool:
    """Whether an image is not any more as it came."""
    other = entry.candidate != _of_slot(entry.suggestions, slot_of(entry.path))
    came = carried_to(session, as_it_came(session, entry))
    is_cut_else = (entry.box, entry.turn) != (came.box, came.turn)
    return other or is_cut_else or entry.mark is not Mark.KEEP


def as_it_came(session: ReviewState, entry: Open) -> Open:
    """Return an image with the box that its suggestion offers, and no turn."""
    plain = seen_with(session, entry, NO_TURN)
    return plain.boxed(plain.offered)


def is_let_through(session: ReviewState, entry: Open) -> bool:
    """Whether an image may be accepted where only those of a plan are meant: as they were planned.

    So may what the reviewer has changed: they have looked at it.
    """
    if session.filter is not Filter.CERTAIN or is_changed(session, entry):
        return True
    is_meant = session.images.index.known(entry.path) in session.images.certain
    return is_meant and entry.box == entry.planned


def carried_to(session: ReviewState, entry: Open) -> Open:
    """Return an image with the box that is offered for all like it, if one is."""
    for carried in reversed(session.carrying):
        if carried.is_for(entry):
            return replace(cut_as(session, entry, carried.cut), framed=CARRIED)
    return entry


def _arriving(session: ReviewState, path: str) -> Entry:
    if path in session.restoring:
        return Restoring(path)
    settled = session.settled.get(path)
    if settled is None or settled.status.is_failure:
        return Loading(path)
    return Done(path, settled)


def listed(session: ReviewState, path: str) -> ReviewState:
    """List an image that a decision had taken out of the folder: last, so that no page moves."""
    if path in session.listing:
        return session
    images = session.images.listing(path)
    known = replace(session, images=images)
    if session.filter is not Filter.ALL:
        return known
    last = session.page == len(session.paths) // session.per_page
    return replace(
        joined(known, NumberSet.of((images.index.known(path),))),
        entries=(*session.entries, Loading(path)) if last else session.entries,
    )


def joined(session: ReviewState, new: NumberSet) -> ReviewState:
    """Have pages show more images, after all others."""
    images, order = session.images, session.images.order
    for number in new if order else ():
        order = order.put(number, left=number in images.left)
    return replace(session, shown=session.shown | new, images=replace(images, order=order))


def showing_only(session: ReviewState, shown: NumberSet) -> ReviewState:
    """Have pages show some images, sorted now as they are asked for."""
    images, sorts = session.images, session.ordering is Ordering.LEAST_CERTAIN
    order = images.least_certain_first(shown) if sorts else Order()
    return replace(session, shown=shown, images=replace(images, order=order))


def sorted_anew(session: ReviewState) -> ReviewState:
    """Have the images in order, between two pages, where far more is known of them by now.

    It goes on from the last page, as it were: first comes what is the least certain of all.
    """
    if not session.sorts:
        return session
    return replace(showing_only(session, session.shown), page=session.pages - 1)


def unfiltered(session: ReviewState) -> ReviewState:
    """Show every image again, at the page of the one that was chosen."""
    return filtered(session, Filter.ALL)


def showing(session: ReviewState, path: str) -> tuple[ReviewState, int]:
    """Return a session whose pages show an image, and which of what they show it is."""
    shown = session if path in session.paths else unfiltered(session)
    place = shown.paths.place(path)
    if place is None:
        raise KeyError(path)
    return shown, place


def place_of(session: ReviewState, place: str) -> int | None:
    """Return which of what the pages show an image or a crop is: of an image, its first crop."""
    at = session.paths.place(place)
    first = keyed(image_of(place), session.wanted[0].slot)
    return session.paths.place(first) if at is None else at


def regridded(session: ReviewState) -> ReviewState:
    """Show every image again, in the grid if it was there that some were set aside.

    Where these were not as a plan lets them through, the others that are come next.
    """
    is_aside = session.filter is Filter.ASIDE
    if is_aside and session.arranged_before and session.passing(Filter.CERTAIN):
        return filtered(session, Filter.CERTAIN)
    return unfiltered(arranged(session, Arrangement.GRID) if is_aside else session)


def filtered(session: ReviewState, chosen: Filter) -> ReviewState:
    """Show the images that a filter lets through, now: pages do not move while one looks."""
    if chosen is session.filter:
        return session
    here = session.entries[session.chosen].path if session.entries else ""
    seen = _arranged_for(session, chosen)
    other = showing_only(replace(seen, filter=chosen), session.passing(chosen))
    at = other.paths.place(here) or 0
    return choosing(turned(other, at // other.per_page), at)


def _arranged_for(session: ReviewState, chosen: Filter) -> ReviewState:
    """Go to the grid for what a plan lets through, and back where it was come from."""
    before = session.arranged_before
    if chosen is Filter.CERTAIN:
        seen = arranged(session, Arrangement.GRID)
        return replace(seen, arranged_before=before or session.arrangement)
    return replace(arranged(session, before), arranged_before=None) if before else session


def arranged(session: ReviewState, arrangement: Arrangement) -> ReviewState:
    """Have so many images on a page; the page itself is still to be turned to."""
    counts = {
        Arrangement.PAGE: session.usual,
        Arrangement.SINGLE: 1,
        Arrangement.GRID: max(session.grid, session.usual),
    }
    return replace(session, arrangement=arrangement, per_page=counts[arrangement])


def narrowed(session: ReviewState, paths: Iterable[str]) -> ReviewState:
    """Show what is set aside, and nothing else, as large as it fits."""
    aside = NumberSet.of(map(session.images.index.known, paths))
    alone = Arrangement.SINGLE if len(aside) == 1 else Arrangement.PAGE
    shown = showing_only(replace(session, aside=aside, filter=Filter.ASIDE), aside)
    return turned(arranged(shown, alone), 0)


def choosing(session: ReviewState, index: int) -> ReviewState:
    """Choose the image with this number, on the page that it is on."""
    page, position = divmod(index, session.per_page)
    shown = turned(session, page) if page != session.page or session.ended else session
    return replace(shown, chosen=min(position, max(0, len(shown.entries) - 1)))


def with_outcome(entry: Entry, settled: Decided) -> Entry:
    """Return a decided image with what became of the decision."""
    return replace(entry, settled=settled) if isinstance(entry, Done) else entry


def put(session: ReviewState, position: int, entry: Entry) -> ReviewState:
    """Replace the image at a position."""
    entries = session.entries
    return replace(session, entries=(*entries[:position], entry, *entries[position + 1 :]))


def reloading(session: ReviewState, path: str) -> ReviewState:
    """Wait for the crops of an image again that are open on the page: its file is another one."""
    same = image_of(path)
    entries = tuple(
        Loading(e.path) if isinstance(e, Open) and image_of(e.path) == same else e
        for e in session.entries
    )
    return replace(session, entries=entries)


def replaced(session: ReviewState, path: str, change: Callable[[Entry], Entry]) -> ReviewState:
    """Change an image wherever it is on the page."""
    entries = tuple(change(e) if e.path == path else e for e in session.entries)
    return replace(session, entries=entries)
