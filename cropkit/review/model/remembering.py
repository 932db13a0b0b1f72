"""How a collection was looked at last, as a document, and a review that begins so; pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cropkit.review.model.state import (
    MOST_IN_GRID,
    Arrangement,
    AspectLock,
    Filter,
    Held,
    Ordering,
    ReviewState,
)
from cropkit.review.model.transforms import (
    arranged,
    choosing,
    filtered,
    place_of,
    turned,
)
from cropkit.targets import LARGEST

_ONCE = frozenset({Filter.ASIDE, Filter.CERTAIN})  # what it shows is known to one kernel only


def way(session: ReviewState) -> dict[str, Any]:
    """Return what is remembered of how a session is looked at."""
    lock = session.lock
    return {
        "arrangement": (session.arranged_before or session.arrangement).value,
        "filter": (Filter.ALL if session.filter in _ONCE else session.filter).value,
        "order": session.ordering.value,
        "lock": [lock.held.value, lock.width, lock.height, lock.turned],
    }


def as_left(
    session: ReviewState, document: Mapping[str, Any], place: str | None = None
) -> ReviewState:
    """Return a session that begins as `way` has told it, where it was left.

    A filter that no image passes is none, and what is asked for by name is not overridden: a lock
    is not held where targets are.

    Parameters
    ----------
    place : the image that it was left at; None, or one that is not shown: where it begins

    Raises
    ------
    ValueError
        The document is none of `way`.
    """
    arrangement = Arrangement(document.get("arrangement", Arrangement.PAGE))
    chosen = Filter(document.get("filter", Filter.ALL))
    ordering = Ordering(document.get("order", Ordering.LISTED))
    lock = _lock(document.get("lock", ["free", 1, 1, False]))
    begun = replace(session, lock=lock, ordering=ordering)
    if session.ended:
        return begun
    if chosen not in _ONCE and session.passing(chosen):
        begun = filtered(begun, chosen)
    if arrangement is Arrangement.PAGE:
        return begun
    left = None if place is None else place_of(begun, place)
    at = begun.page * begun.per_page + begun.chosen if left is None else left
    other = arranged(begun, arrangement)
    return choosing(turned(other, at // other.per_page), at)


def _lock(row: object) -> AspectLock:
    match row:
        case [str(held), int(width), int(height), bool(turned)] if _are_sides(width, height):
            return AspectLock(Held(held), width, height, turned)
    msg = f"no lock: {row!r:.80}"
    raise ValueError(msg)


def _are_sides(*sides: int) -> bool:
    return all(0 < side <= LARGEST for side in sides)


def page_size(value: object, usual: int) -> int:
    """Return how many images a page has, as it is remembered; `usual` where it is not.

    Raises
    ------
    ValueError
        It is no such number.
    """
    if value is None:
        return usual
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_IN_GRID:
        msg = f"no number of images on a page: {value!r:.80}"
        raise ValueError(msg)
    return value
