"""How far a review has come."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cropkit.records import Status
from cropkit.review.model import ReviewState, folder_of

if TYPE_CHECKING:
    from cropkit.collection import Counts


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


class SessionCounts:
    """Counts in the whole collection, anew only when something was decided; asks no database.

    Parameters
    ----------
    counts : what the trail says at the beginning
    """

    def __init__(self, counts: "Counts") -> None:
        self._counts = counts
        self._counted: object = None

    def of(self, session: ReviewState) -> "Counts":
        """Return how far the review has come."""
        if self._counted is not session.settled:
            self._counts, self._counted = _tallied(session, self._counts), session.settled
        return self._counts

    def count_degraded(self, session: ReviewState, degraded: int) -> None:
        """Take over what only the trail knows: how often something was degraded."""
        self._counts, self._counted = replace(self.of(session), degraded=degraded), None


def _tallied(session: ReviewState, counts: "Counts") -> "Counts":
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
