"""Tell the reviewer when suggestions, images or workers fail, and when too many of them do.

What is wrong with the suggestion for an image is told when that image is on the page: images are
read ahead.

Rates, names of runs and commands are for whoever runs the collection: they go where alerts go, to
`cropkit health` and to the log. The reviewer is told one sentence.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cropkit.monitor.health import Alert, degraded_alert
from cropkit.monitor.reporting import tell
from cropkit.records import Problem, ProblemKind
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop
from cropkit.review.runtime.prefetch import READING

if TYPE_CHECKING:
    from cropkit.collection import Collection

_MANY = "More goes wrong here than should: whoever runs this collection is told. You can go on"
_UNDELIVERED = "An alert about this collection could not be sent. The log has it"
_log = logging.getLogger("cropkit.review")


class DegradedWatch:
    """Listens to what the collection reports, from any thread; alerts once for the session."""

    def __init__(
        self, collection: "Collection", thread: BackgroundThread, loop: Loop, guard: Guard
    ) -> None:
        self._collection, self._thread = collection, thread
        self._loop, self._guard = loop, guard
        self._alerted = False
        self._here: frozenset[str] = frozenset()
        self._later: dict[str, list[Problem]] = {}
        self.stop_listening = collection.problems.listen(self._reported)

    def check(self) -> None:
        """Alert at once, here and wherever alerts go, when too much of the session is degraded."""
        root, session = self._collection.root, self._collection.session
        alert = degraded_alert(str(root), session, "review", self._collection.trail.presence.tally)
        if alert is None or self._alerted:
            return
        self._alerted = True
        _log.warning("%s", alert, extra={"session": session})
        self._guard.problem(_MANY)
        self._thread.submit("", lambda: tell(root, [alert]), self._not_delivered)

    def _reported(self, problem: Problem) -> None:
        """Show what no caption shows: what has no suggestion at all says so in its own."""
        if problem.kind in (ProblemKind.SUGGESTION, ProblemKind.APPLIER_DIED):
            hear = self._guard.watch(self._hear)
            self._loop.call_soon_threadsafe(hear, problem, READING.get())
        self._loop.call_soon_threadsafe(self._guard.watch(self.check))

    def _hear(self, problem: Problem, image: str) -> None:
        """Show a problem now, or when the image that was being read is on the page."""
        if image and image not in self._here:
            self._later.setdefault(image, []).append(problem)
        else:
            self._guard.problem(problem.reason, problem.path, problem.kind)

    def on_page(self, images: Iterable[str]) -> None:
        """Show what was met when these were read ahead: they are before the reviewer's eyes now."""
        self._here = frozenset(images)
        for image in self._here.intersection(self._later):
            for problem in self._later.pop(image):
                self._guard.problem(problem.reason, problem.path, problem.kind)

    def _not_delivered(self, failed: list[Alert]) -> None:
        for alert in failed:
            _log.warning("not delivered: %s", alert)
            self._guard.problem(_UNDELIVERED)
