"""See within a second what other sessions decide about images, carry out and take back."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cropkit.records import Status
from cropkit.review.model import Applied, DecidedElsewhere, ReviewState
from cropkit.review.model.slots import keyed, named
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.decision_ids import DecisionIds
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.image_stream import decided_by
from cropkit.review.runtime.loop import Loop, Timer

if TYPE_CHECKING:
    from cropkit.audit.decision_reader import Changed
    from cropkit.audit.decisions import Standing
    from cropkit.review.runtime.review_store import ReviewStore

_PACE = 0.5  # seconds from one look to the next


@dataclass(frozen=True, slots=True)
class News:
    """What another session has done about a crop.

    Parameters
    ----------
    decision : its id, '' where what was decided was taken back
    words : for the reviewer who has it on the page; '' where they have heard of it
    """

    path: str
    move: Applied | DecidedElsewhere
    decision: str = ""
    words: str = ""


class ElsewhereWatch:
    """Asks the trail for events of others, in a thread that keeps nobody waiting.

    Parameters
    ----------
    take : called in the main thread with the images that there are new events about
    """

    def __init__(
        self,
        store: "ReviewStore",
        thread: BackgroundThread,
        loop: Loop,
        guard: Guard,
        take: Callable[[frozenset[str]], object],
    ) -> None:
        self._store, self._thread, self._loop, self._guard = store, thread, loop, guard
        self._take, self._closed = take, False
        self._timer: Timer | None = None
        self._theirs: dict[str, str] = {}  # the decisions of others that this review shows

    def begin(self) -> None:
        """Look from now on."""
        self._look()

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def news(self, session: ReviewState, ids: DecisionIds, images: Iterable[str]) -> list[News]:
        """Return what is to be shown of images, as the trail has them at this moment.

        What this review itself decides is durable before it shows it, so that nothing of that is
        taken for another's.
        """
        several = tuple(images)
        standing = self._store.standing_of(several)
        return [
            news
            for crop in _crops(session, several, standing)
            for news in self._about(crop, session, ids, standing.get(crop))
        ]

    def _about(
        self, crop: str, session: ReviewState, ids: DecisionIds, standing: "Standing | None"
    ) -> Iterator[News]:
        shown = session.settled.get(crop)
        if standing is None or standing.status is Status.STALE:
            is_theirs = self._theirs.pop(crop, None) is not None
            if shown is not None and (standing is None or is_theirs):
                status = Status.RESTORED if standing is None else Status.STALE
                words = f"{named(crop)}: its decision was taken back elsewhere"
                yield News(crop, Applied(crop, status), words=words)
            return
        decision, decided = standing.decision, decided_by(standing)
        is_new = ids.get(crop) != decision or shown is None
        if is_new or (self._theirs.get(crop) == decision and shown != decided):
            self._theirs[crop] = decision
            words = f"{named(crop)}: {standing.reviewer} has decided it meanwhile" * is_new
            yield News(crop, DecidedElsewhere(crop, decided), decision, words)

    def _look(self) -> None:
        if not (self._closed or self._guard.stopped):
            self._thread.submit("", self._store.changed_elsewhere, self._looked)

    def _looked(self, changed: "Changed") -> None:
        self._timer = self._loop.call_later(_PACE, self._guard.watch(self._look))
        if changed.images:
            self._take(changed.images)


def _crops(session: ReviewState, images: Iterable[str], standing: Iterable[str]) -> Iterator[str]:
    """Yield the crops of images that the session knows, but for those that are being restored."""
    every = dict.fromkeys((*(keyed(i, s) for i in images for s in session.slots), *standing))
    for crop in every:
        if session.images.index.number(crop) is not None and crop not in session.restoring:
            yield crop
