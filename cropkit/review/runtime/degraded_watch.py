"""Tell the reviewer when suggestions, images or workers fail, and when too many of them do."""

from typing import TYPE_CHECKING

from cropkit.monitor.health import Alert, degraded_alert
from cropkit.monitor.reporting import tell
from cropkit.records import Problem, ProblemKind
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop

if TYPE_CHECKING:
    from cropkit.collection import Collection


class DegradedWatch:
    """Listens to what the collection reports, from any thread; alerts once for the session."""

    def __init__(
        self, collection: "Collection", thread: BackgroundThread, loop: Loop, guard: Guard
    ) -> None:
        self._collection, self._thread = collection, thread
        self._loop, self._guard = loop, guard
        self._alerted = False
        self.stop_listening = collection.problems.listen(self._reported)

    def check(self) -> None:
        """Alert at once, here and wherever alerts go, when too much of the session is degraded."""
        root, session = self._collection.root, self._collection.session
        alert = degraded_alert(str(root), session, "review", self._collection.trail.presence.tally)
        if alert is None or self._alerted:
            return
        self._alerted = True
        self._guard.alert(str(alert))
        self._thread.submit("", lambda: tell(root, [alert]), self._not_delivered)

    def _reported(self, problem: Problem) -> None:
        """Show what no caption shows: what has no suggestion at all says so in its own."""
        if problem.kind in (ProblemKind.SUGGESTION, ProblemKind.APPLIER_DIED):
            show = self._guard.watch(self._guard.problem)
            self._loop.call_soon_threadsafe(show, problem.reason, problem.path)
        self._loop.call_soon_threadsafe(self._guard.watch(self.check))

    def _not_delivered(self, failed: list[Alert]) -> None:
        for alert in failed:
            self._guard.alert(str(alert))
