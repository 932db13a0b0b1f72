"""What follows from moves that give an image another crop, or take one away again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from cropkit.errors import IllegalMove
from cropkit.review.model.decided import Draft, Mark
from cropkit.review.model.edits import without
from cropkit.review.model.moves import AddCrop, RemoveCrop
from cropkit.review.model.slots import image_of, is_added, keyed, named
from cropkit.review.model.state import Done, Entry, Open, ReviewState, Step
from cropkit.review.model.transforms import (
    STANDS,
    choosing,
    draft_of,
    entry_at,
    name_of,
    turned,
)
from cropkit.review.model.tree import Shift

_NOT_YET = "crops come and go when every image is listed: others still follow"
_ONLY_COPIES = "several crops of one image are copies, which need a folder (--copy-to)"


def _add_crop(session: ReviewState, move: AddCrop) -> Step:
    entry = entry_at(session, None, move)
    if not session.copies:
        raise IllegalMove(name_of(move), _ONLY_COPIES)
    if not session.whole:
        raise IllegalMove(name_of(move), _NOT_YET)
    if not isinstance(entry, Open | Done):
        raise IllegalMove(name_of(move), f"{named(entry.path)} is not there to be cropped")
    path, last = _next(session, entry.path), session.listing.of_image(entry.path)[-1]
    images = session.images.adding(path, last, session.slots).drafted(path, _draft(entry))
    shift = Shift(images.index.known(path), 1)
    shown = session.shown.shifted(shift).put(shift.at)
    after = replace(session, images=images, shown=shown, aside=session.aside.shifted(shift))
    return Step(_choosing_anew(after, path))


def _next(session: ReviewState, path: str) -> str:
    """Return the path of the next numbered crop of an image."""
    image, known = image_of(path), session.images.index.number
    crops = (keyed(image, str(number)) for number in count(2))
    return next(crop for crop in crops if known(crop) is None)


def _draft(entry: Entry) -> Draft:
    if isinstance(entry, Open):
        return replace(draft_of(entry), mark=Mark.KEEP)
    return entry.settled.draft if isinstance(entry, Done) else Draft(None, None)


def _remove_crop(session: ReviewState, move: RemoveCrop) -> Step:
    path = entry_at(session, None, move).path
    if not session.whole:
        raise IllegalMove(name_of(move), _NOT_YET)
    if not is_added(path, session.slots):
        raise IllegalMove(name_of(move), f"{named(path)} was not added: S leaves it out")
    if path in session.settled or path in session.restoring:
        raise IllegalMove(name_of(move), f"{named(path)} {STANDS[Done]}")
    kept = turned(session, session.page)  # as long as each crop of the page is known
    crops = kept.listing.of_image(path)
    beside = crops[max(0, crops.index(path) - 1)]
    shift = Shift(kept.images.index.known(path), -1)
    after = replace(
        kept,
        images=kept.images.removing(path),
        edits=without(kept.edits, (path,)),
        undone_edits=(),
        shown=kept.shown.shifted(shift),
        aside=kept.aside.shifted(shift),
    )
    return Step(_choosing_anew(after, beside))


def _choosing_anew(session: ReviewState, path: str) -> ReviewState:
    """Show the page of a crop anew, and choose it; where a filter hides it, the page stays."""
    place = session.paths.place(path)
    at = min(session.page * session.per_page, len(session.paths) - 1) if place is None else place
    return choosing(turned(session, max(0, at) // session.per_page), max(0, at))


ADDING_RULES: Mapping[type, Callable[[ReviewState, Any], Step]] = {
    AddCrop: _add_crop,
    RemoveCrop: _remove_crop,
}
