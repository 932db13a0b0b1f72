"""Decisions are carried out and taken back in one thread, in the order in which they were made."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cropkit.records import CropResult
from cropkit.review.runtime.appliers import DecisionApplier
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop

if TYPE_CHECKING:
    from cropkit.collection import Collection

Then = Callable[[CropResult], None]


class BackgroundApplier:
    """Keeps the main thread free of a decision's files; tells the outcome there.

    Parameters
    ----------
    applier : None where decisions are only queued; the collection then takes them back
    """

    def __init__(
        self, collection: "Collection", applier: DecisionApplier | None, loop: Loop, guard: Guard
    ) -> None:
        self._collection, self._applier = collection, applier
        self.thread = BackgroundThread("cropkit-decisions", loop, guard)

    @property
    def defers(self) -> bool:
        """Whether decisions are only queued."""
        return self._applier is None

    def start(self) -> None:
        """Be ready before the first decision."""
        if self._applier is not None:
            self.thread.submit("", self._applier.start, lambda _: None)

    def apply(self, path: str, decision: str, then: Then) -> None:
        """Carry a decision about an image out."""
        applier = self._applier
        if applier is not None:
            self.thread.submit(path, lambda: applier.apply(decision), then)

    def retract(self, path: str, decision: str, then: Then) -> None:
        """Take a decision about an image back."""
        applier = self._applier or self._collection.undoer
        self.thread.submit(path, lambda: applier.retract(decision), then)

    def close(self) -> None:
        """Finish what has begun, and no more."""
        self.thread.close()
        if self._applier is not None:
            self._applier.close()
