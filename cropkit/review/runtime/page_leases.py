"""Lease the page that is shown and the one that comes next, and hear which others have.

Who goes on goes to what is theirs already, and read ahead, so that no page turn waits for a look at
others. It is looked at once a second, and whenever another page is shown, in a thread that keeps
nobody waiting; what is leased is renewed by the same. One look waits or is under way at a time,
however long it takes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cropkit.audit.leases import Lease, Leases, of_others
from cropkit.review.model import Leased, LeasesKnown, ReviewState, advance
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop, Timer

if TYPE_CHECKING:
    from cropkit.collection import Collection
    from cropkit.records import Problem

_PACE = 1.0  # seconds from one look to the next


class PageLeases:
    """Keeps what is shown leased, as long as the review is open, and tells what others have.

    Parameters
    ----------
    session : what is shown now
    take : called in the main thread when others have something else than before
    """

    def __init__(
        self,
        collection: "Collection",
        thread: BackgroundThread,
        loop: Loop,
        guard: Guard,
        *,
        session: Callable[[], ReviewState],
        take: Callable[[LeasesKnown], object],
    ) -> None:
        self._collection = collection
        self._thread, self._loop, self._guard = thread, loop, guard
        self._session, self._take = session, take
        trail = collection.trail
        report, folder = collection.problems.report_once, trail.root.path
        self._leases = Leases(folder, trail.presence, lambda each: report([each]), self._own_failed)
        self._timer: Timer | None = None
        self._begun = self._closed = False
        self._is_looking = self._looks_again = False
        self._shown: tuple[str, ...] | None = None

    def begin(self) -> None:
        """Lease from now on; a first page that others have may give way to another one."""
        self._begun = True
        known = self._claimed(self._session(), arriving=True)
        self._take(known)
        self._timer = self._loop.call_later(_PACE, self._guard.watch(self._look))

    def follow(self) -> None:
        """Lease what is shown now, where that is something else than before."""
        session = self._session()
        shown = () if session.ended else tuple(entry.path for entry in session.entries)
        if self._begun and shown != self._shown:
            self._shown = shown
            self._looks_again = self._is_looking
            self._submit()

    def close(self) -> None:
        """Lease nothing any more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._begun:
            self._leases.let_go()

    def _look(self) -> None:
        if not self._closed:
            self._submit()
            self._timer = self._loop.call_later(_PACE, self._guard.watch(self._look))

    def _submit(self) -> None:
        """Look at others, unless that is under way or waits."""
        if self._is_looking:
            return
        self._is_looking, session = True, self._session()
        if self._guard.stopped:
            self._thread.submit("", self._leases.let_go, lambda _: self._looked(), self._looked)
        else:
            self._thread.submit("", lambda: self._claimed(session), self._heard, self._looked)

    def _heard(self, known: LeasesKnown) -> None:
        self._looked()
        if known.leases != self._session().leases and not self._closed:
            self._take(known)

    def _looked(self) -> None:
        """Look again where another page was shown meanwhile."""
        self._is_looking = False
        if self._looks_again and not self._closed:
            self._looks_again = False
            self._submit()

    def _claimed(self, session: ReviewState, *, arriving: bool = False) -> LeasesKnown:
        return claimed(self._leases, session, self._collection.reviewer, arriving=arriving)

    def _own_failed(self, problem: "Problem") -> None:
        """Tell and count it, and write nothing: the disk may be full."""
        self._collection.problems.hear(problem)
        self._guard.watch(self._guard.problem)(problem.reason)


def claimed(
    leases: Leases, session: ReviewState, reviewer: str, *, arriving: bool = False
) -> LeasesKnown:
    """Lease what a session shows and goes on to in view of what others have; return that.

    Parameters
    ----------
    arriving : nobody has seen a page yet
    """

    def known(others: tuple[Lease, ...]) -> LeasesKnown:
        return LeasesKnown(tuple(Leased(*each) for each in of_others(others, reviewer)), arriving)

    others = leases.claim(lambda there: advance(session, known(there)).session.to_lease)
    return known(others)
