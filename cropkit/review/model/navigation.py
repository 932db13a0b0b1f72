"""What follows from moves that lead to another image, page, folder or choice of images."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from cropkit.errors import IllegalMove
from cropkit.review.model.moves import (
    Arrange,
    Choose,
    ChooseNext,
    Find,
    GoTo,
    JumpTo,
    NextFilter,
    NextUnreviewed,
    TurnFolder,
    TurnPage,
)
from cropkit.review.model.state import Arrangement, Filter, ReviewState, Step
from cropkit.review.model.transforms import (
    arranged,
    choosing,
    entry_at,
    filtered,
    name_of,
    turned,
    unfiltered,
)


def _choose(session: ReviewState, move: Choose) -> Step:
    entry_at(session, move.position, move)
    return Step(replace(session, chosen=move.position))


def _choose_next(session: ReviewState, move: ChooseNext) -> Step:
    if not session.entries:
        raise IllegalMove(name_of(move), "there is no image")
    return Step(replace(session, chosen=(session.chosen + move.step) % len(session.entries)))


def _turn_page(session: ReviewState, move: TurnPage) -> Step:
    if session.ended and move.step < 0:
        return Step(turned(session, session.page))
    page = session.page + move.step
    if not 0 <= page < session.pages:
        raise IllegalMove(
            name_of(move), "this is the first page" if page < 0 else "no page follows"
        )
    return Step(turned(session, page))


def _turn_folder(session: ReviewState, move: TurnFolder) -> Step:
    folders = list(dict.fromkeys(map(folder_of, session.paths)))
    here = folder_of(_here(session, move))
    after = folders.index(here) + move.step
    if not 0 <= after < len(folders):
        which = "first" if move.step < 0 else "last"
        raise IllegalMove(name_of(move), f"this is the {which} folder")
    first = next(i for i, p in enumerate(session.paths) if folder_of(p) == folders[after])
    return Step(choosing(session, first))


def _jump_to(session: ReviewState, move: JumpTo) -> Step:
    if not 0 <= move.index < len(session.paths):
        count = len(session.paths)
        raise IllegalMove(name_of(move), f"there is no image {move.index + 1} of {count}")
    return Step(choosing(session, move.index))


def _find(session: ReviewState, move: Find) -> Step:
    wanted = move.text.casefold()
    at = session.page * session.per_page + session.chosen
    matching = (i for i in _round(at, len(session.paths)) if wanted in session.paths[i].casefold())
    index = next(matching, None)
    if not wanted or index is None:
        raise IllegalMove(name_of(move), f"no image is called {move.text!r}")
    return Step(choosing(session, index))


def _go_to(session: ReviewState, move: GoTo) -> Step:
    shown = session if move.path in session.paths else unfiltered(session)
    if move.path not in shown.paths:
        raise IllegalMove(name_of(move), f"{move.path} is not in the folder any more")
    return Step(choosing(shown, shown.paths.index(move.path)))


def _next_unreviewed(session: ReviewState, move: NextUnreviewed) -> Step:
    page = session.next_undecided_page()
    if page is None:
        raise IllegalMove(name_of(move), "everything has been decided")
    return Step(turned(session, page))


def _next_filter(session: ReviewState, move: NextFilter) -> Step:
    every = tuple(Filter)
    at = every.index(session.filter)
    for chosen in (every[i] for i in _round(at, len(every)) if every[i] is not session.filter):
        if any(session.shows(path, chosen) for path in session.listing):
            return Step(filtered(session, chosen))
    raise IllegalMove(name_of(move), "there is no image")


def _arrange(session: ReviewState, move: Arrange) -> Step:
    again = session.arrangement is move.arrangement
    at = session.page * session.per_page + session.chosen
    other = arranged(session, Arrangement.PAGE if again else move.arrangement)
    return Step(choosing(turned(other, at // other.per_page), at))


def folder_of(path: str) -> str:
    """Return the folder of an image, '' for the collection itself."""
    return path.rpartition("/")[0]


def _here(session: ReviewState, move: TurnFolder) -> str:
    if not session.entries:
        raise IllegalMove(name_of(move), "there is no image")
    return session.entries[session.chosen].path


def _round(at: int, count: int) -> Iterator[int]:
    """Count on from the one after `at`, and round to it."""
    return chain(range(at + 1, count), range(min(at + 1, count)))


PLACE_RULES: Mapping[type, Callable[[ReviewState, Any], Step]] = {
    Choose: _choose,
    ChooseNext: _choose_next,
    TurnPage: _turn_page,
    TurnFolder: _turn_folder,
    JumpTo: _jump_to,
    Find: _find,
    GoTo: _go_to,
    NextUnreviewed: _next_unreviewed,
    NextFilter: _next_filter,
    Arrange: _arrange,
}
