"""How far a review has come."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cropkit.records import Status
from cropkit.review.model import ReviewState

if TYPE_CHECKING:
    from cropkit.collection import Counts


def within(session: ReviewState) -> tuple[int, int]:
    """Return how many images of the folder at hand are decided, and how many there are."""
    if not session.entries:
        return 0, 0
    return session.images.within(session.entries[session.chosen].path)


class SessionCounts:
    """Counts in the whole collection, kept with the session; asks no database.

    Parameters
    ----------
    counts : what the trail says at the beginning
    """

    def __init__(self, counts: "Counts") -> None:
        self._counts = counts

    def of(self, session: ReviewState) -> "Counts":
        """Return how far the review has come; what the session does not know stays as it was."""
        by = session.images.outcomes.counts()
        failed = sum(number for status, number in by.items() if status.is_failure)
        return replace(
            self._counts,
            total=session.total,
            decided=session.decided - failed,
            written=by[Status.CROPPED],
            waiting=by[Status.WAITING],
            failed=failed,
            stale=len(session.images.stale),
            rejected=by[Status.REJECTED],
            skipped=by[Status.SKIPPED],
        )

    def count_degraded(self, degraded: int) -> None:
        """Take over what only the trail knows: how often something was degraded."""
        self._counts = replace(self._counts, degraded=degraded)
