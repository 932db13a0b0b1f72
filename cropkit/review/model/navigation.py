"""What follows from moves that lead to another image, page, folder or choice of images."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from cropkit.errors import IllegalMove
from cropkit.review.model.listing import folder_of
from cropkit.review.model.moves import (
    Arrange,
    Choose,
    ChooseNext,
    Find,
    FitGrid,
    GoTo,
    JumpTo,
    MoreOnPage,
    NextFilter,
    NextSlot,
    NextUnreviewed,
    OpenFolder,
    ToggleOrder,
    TurnFolder,
    TurnPage,
)
from cropkit.review.model.slots import named
from cropkit.review.model.state import (
    GRID,
    MOST_IN_GRID,
    Arrangement,
    Filter,
    Ordering,
    Rest,
    ReviewState,
    Step,
)
from cropkit.review.model.transforms import (
    arranged,
    choosing,
    entry_at,
    filtered,
    name_of,
    showing,
    showing_only,
    so_far,
    sorted_anew,
    turned,
    with_others,
)


def _choose(session: ReviewState, move: Choose) -> Step:
    entry = entry_at(session, move.position, move)
    picked = session.picked if entry.path in session.picked else frozenset[str]()
    return Step(replace(session, chosen=move.position, picked=picked))


def _choose_next(session: ReviewState, move: ChooseNext) -> Step:
    if not session.entries:
        raise IllegalMove(name_of(move), "there is no image")
    return Step(replace(session, chosen=(session.chosen + move.step) % len(session.entries)))


def _next_slot(session: ReviewState, move: NextSlot) -> Step:
    """Go round the crops of the image at hand, on whichever page they are."""
    here = _here(session, move)
    crops = session.listing.of_image(here)
    if len(crops) == 1:
        raise IllegalMove(name_of(move), f"{named(here)} is the only crop of its image")
    after = crops[(crops.index(here) + 1) % len(crops)]
    return Step(choosing(*showing(session, after)))


def _turn_page(session: ReviewState, move: TurnPage) -> Step:
    if session.ended and move.step < 0:
        return Step(turned(session, session.page))
    page = session.page + move.step
    if not 0 <= page < session.pages:
        where = "this is the first page" if page < 0 else f"no page follows{so_far(session)}"
        raise IllegalMove(name_of(move), where)
    return Step(turned(session, page))


def _turn_folder(session: ReviewState, move: TurnFolder) -> Step:
    index, numbers = session.images.index, session.shown
    first = index.first_of(folder_of(_here(session, move)), numbers)
    for _ in range(abs(move.step)):
        beside = index.folder_after if move.step > 0 else index.folder_before
        first = None if first is None else beside(first, numbers)
    if first is None:
        which = "first folder" if move.step < 0 else f"last folder{so_far(session)}"
        raise IllegalMove(name_of(move), f"this is the {which}")
    return Step(choosing(session, session.paths.index(index.path(first))))


def _open_folder(session: ReviewState, move: OpenFolder) -> Step:
    """Go back folder by folder, as long as it is in the one that is meant, or beneath it."""
    index, numbers = session.images.index, session.shown
    here = folder_of(_here(session, move))
    if not _is_beneath(here, move.folder):
        raise IllegalMove(name_of(move), f"the chosen image is not in {move.folder}")
    first = index.first_of(here, numbers) if move.folder else numbers.next(0)
    before = None if first is None or not move.folder else index.folder_before(first, numbers)
    while before is not None and _is_beneath(folder_of(index.path(before)), move.folder):
        first, before = before, index.folder_before(before, numbers)
    if first is None:
        raise IllegalMove(name_of(move), "there is no image")
    return Step(choosing(session, session.paths.index(index.path(first))))


def _is_beneath(folder: str, other: str) -> bool:
    return not other or f"{folder}/".startswith(f"{other}/")


def _jump_to(session: ReviewState, move: JumpTo) -> Step:
    if not 0 <= move.index < len(session.paths):
        count = len(session.paths)
        which = f"there is no image {move.index + 1} of {count}{so_far(session)}"
        raise IllegalMove(name_of(move), which)
    return Step(choosing(session, move.index))


def _find(session: ReviewState, move: Find) -> Step:
    index = _numbered(session, move.text)
    if index is None and move.text.strip():
        at = session.page * session.per_page + session.chosen
        index = session.paths.find(move.text, after=at)
    if index is None:
        raise IllegalMove(name_of(move), _nowhere(session, move.text))
    return Step(choosing(session, index))


def _numbered(session: ReviewState, text: str) -> int | None:
    """Return which image has a number, where it is one that an image has."""
    if not text.isdecimal() or text.startswith("0") or int(text) > len(session.paths):
        return None
    return int(text) - 1


def _nowhere(session: ReviewState, text: str) -> str:
    count = f"there are {len(session.paths):,} images, and " if text.isdecimal() else ""
    return f"{count}no image is called {text!r}{so_far(session)}"


def _go_to(session: ReviewState, move: GoTo) -> Step:
    if move.path not in session.listing and not session.whole:
        raise IllegalMove(name_of(move), f"{named(move.path)} is not listed{so_far(session)}")
    if move.path not in session.listing:
        raise IllegalMove(name_of(move), f"{named(move.path)} is not in the folder any more")
    return Step(choosing(*showing(session, move.path)))


def _next_unreviewed(session: ReviewState, move: NextUnreviewed) -> Step:
    session = sorted_anew(session)
    page = session.next_undecided_page()
    if page is not None:
        onward = turned(session, page)
        return Step(onward, note=with_others(onward))
    if session.rest is Rest.COMING:
        return Step(replace(session, onward=True))
    raise IllegalMove(name_of(move), f"everything has been decided{so_far(session)}")


def _next_filter(session: ReviewState, move: NextFilter) -> Step:
    every = tuple(Filter)
    at = every.index(session.filter)
    for chosen in (every[i] for i in _round(at, len(every)) if every[i] is not session.filter):
        if session.passing(chosen):
            return Step(filtered(session, chosen))
    raise IllegalMove(name_of(move), f"there is no image{so_far(session)}")


def _toggle_order(session: ReviewState, _: ToggleOrder) -> Step:
    """Have the least certain first, and go to what is undecided of them, or back to the listing."""
    if session.ordering is Ordering.LEAST_CERTAIN:
        here = session.entries[session.chosen].path if session.entries else ""
        other = showing_only(replace(session, ordering=Ordering.LISTED), session.shown)
        return Step(_anew(other, other.paths.place(here) or 0), note=f"{Ordering.LISTED}")
    other = showing_only(replace(session, ordering=Ordering.LEAST_CERTAIN), session.shown)
    page = replace(other, page=other.pages - 1).next_undecided_page() or 0
    return Step(_anew(other, page * other.per_page), note=_sorted(other))


def _anew(session: ReviewState, place: int) -> ReviewState:
    return choosing(turned(session, place // session.per_page), place)


def _sorted(session: ReviewState) -> str:
    """Say how many suggestions say how sure they are: by these images are sorted."""
    known, so_far = session.images.sure_count, "" if session.asked else " so far"
    suggestions = f"{known:,} of {len(session.listing):,} suggestions say how sure they are"
    return f"{session.ordering}: {suggestions}{so_far}"


def _arrange(session: ReviewState, move: Arrange) -> Step:
    again = session.arrangement is move.arrangement
    at = session.page * session.per_page + session.chosen
    other = arranged(session, Arrangement.PAGE if again else move.arrangement)
    return Step(choosing(turned(other, at // other.per_page), at))


def _fit_grid(session: ReviewState, move: FitGrid) -> Step:
    """Have as many images in the grid as a window has room for; the chosen one stays in sight."""
    grid = min(MOST_IN_GRID, max(GRID, move.images))
    fitted = replace(session, grid=grid)
    if session.arrangement is not Arrangement.GRID or session.ended or grid == session.grid:
        return Step(fitted)
    at = session.page * session.per_page + session.chosen
    other = arranged(fitted, Arrangement.GRID)
    return Step(choosing(turned(other, at // other.per_page), at))


def _more_on_page(session: ReviewState, move: MoreOnPage) -> Step:
    """Have another number of images on a page; the chosen one stays in sight."""
    usual = session.usual + move.step
    if not 1 <= usual <= MOST_IN_GRID:
        raise IllegalMove(name_of(move), f"a page has 1 to {MOST_IN_GRID} images")
    at = session.page * session.per_page + session.chosen
    other = arranged(replace(session, usual=usual), Arrangement.PAGE)
    return Step(choosing(turned(other, at // other.per_page), at))


def _here(session: ReviewState, move: TurnFolder | NextSlot | OpenFolder) -> str:
    if not session.entries:
        raise IllegalMove(name_of(move), "there is no image")
    return session.entries[session.chosen].path


def _round(at: int, count: int) -> Iterator[int]:
    """Count on from the one after `at`, and round to it."""
    return chain(range(at + 1, count), range(min(at + 1, count)))


PLACE_RULES: Mapping[type, Callable[[ReviewState, Any], Step]] = {
    Choose: _choose,
    ChooseNext: _choose_next,
    NextSlot: _next_slot,
    TurnPage: _turn_page,
    TurnFolder: _turn_folder,
    OpenFolder: _open_folder,
    JumpTo: _jump_to,
    Find: _find,
    GoTo: _go_to,
    NextUnreviewed: _next_unreviewed,
    NextFilter: _next_filter,
    Arrange: _arrange,
    FitGrid: _fit_grid,
    MoreOnPage: _more_on_page,
    ToggleOrder: _toggle_order,
}
