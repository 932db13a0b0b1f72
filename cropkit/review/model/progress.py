"""How far a review has come, and where it was left."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cropkit.records import Status
from cropkit.review.model import Decided, ReviewState, begin, folder_of

if TYPE_CHECKING:
    from cropkit.collection import Collection, Counts
    from cropkit.review.runtime.review_store import ReviewStore


class FolderProgress:
    """Counts in the folder at hand, anew only when something was decided."""

    def __init__(self) -> None:
        self._listing: tuple[str, ...] = ()
        self._folders: Mapping[str, list[str]] = {}
        self._counted: tuple[object, str] = (None, "")
        self._found = (0, 0)

    def of(self, session: ReviewState) -> tuple[int, int]:
        """Return how many of the folder's images are decided, and how many there are."""
        if not session.entries:
            return 0, 0
        folder = folder_of(session.entries[session.chosen].path)
        if self._listing is not session.listing:
            self._listing, self._folders = session.listing, _by_folder(session.listing)
            self._counted = (None, "")
        settled, counted = self._counted
        if settled is not session.settled or counted != folder:
            paths = self._folders.get(folder, [])
            self._found = sum(path in session.settled for path in paths), len(paths)
            self._counted = (session.settled, folder)
        return self._found


def _by_folder(listing: tuple[str, ...]) -> Mapping[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for path in listing:
        folders.setdefault(folder_of(path), []).append(path)
    return folders


def tallied(session: ReviewState, counts: "Counts") -> "Counts":
    """Count the session's outcomes; what it does not know stays as it was."""
    by = Counter(settled.status for settled in session.settled.values())
    failed = sum(number for status, number in by.items() if status.is_failure)
    return replace(
        counts,
        total=session.total,
        decided=session.decided - failed,
        written=by[Status.CROPPED],
        waiting=by[Status.WAITING],
        failed=failed,
        stale=len(session.stale),
        rejected=by[Status.REJECTED],
        skipped=by[Status.SKIPPED],
    )


def resumed(
    collection: "Collection", store: "ReviewStore", per_page: int, minimum: int
) -> tuple[ReviewState, dict[str, str]]:
    """Return the review as it was left, and the ids of the decisions that stand."""
    standing = store.standing()
    settled = {
        path: Decided(s.verdict, s.status, s.box, s.message or "")
        for path, s in standing.items()
        if s.status not in (Status.STALE, Status.RESTORED)
    }
    undo = tuple(s.path for s in store.undo_stack() if s.path in settled)
    session = begin(collection.images(), per_page, settled, undo, store.place(), minimum=minimum)
    changed = (path for path, s in standing.items() if s.status is Status.STALE)
    session = replace(session, stale=frozenset(changed))
    return session, {path: s.decision for path, s in standing.items()}
