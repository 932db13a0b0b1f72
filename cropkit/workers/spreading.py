"""Decisions carried out by the workers of an executor, and what became of them as it comes.

Here it is chosen who gets what, and what a death means; how a decision is carried out is the same
as everywhere (`workers.chunk`). Nothing is remembered: the trail says what waits.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

from cropkit.collection import Collection
from cropkit.engine.groups import GroupSize
from cropkit.errors import ApplierDied, NoSpace, WorkersUnavailable
from cropkit.records import CropResult, Problem, ProblemKind
from cropkit.system.elsewhere import TaskDied, Workers
from cropkit.workers.chunk import Done, Site, carried_out, check_fits
from cropkit.workers.opening import Opening, count_here

Ended = Callable[[CropResult], object]
MOST = 64  # decisions of a chunk, as many as share their syncs at most,
SECONDS = 2.0  # and no more than take so long: a chunk is what a death sets back
_FIRST = 32_000_000  # bytes and samples of the first chunks: nothing is known yet
_LARGEST = 1 << 40
_LOOK_SECONDS, _END_SECONDS = 1.0, 30.0
_DYING_SECONDS, _LOOK_AGAIN_SECONDS = 3.0, 0.02
_TRIES = 2  # that workers died of alone: then it is the image's


@dataclass(frozen=True, slots=True)
class Chunk:
    """Decisions that go together.

    Parameters
    ----------
    weight : of all of them, as `chunks` counts
    deaths : how often workers died of them
    """

    decisions: tuple[str, ...]
    weight: int
    deaths: int = 0


def chunks(weighed: Iterable[tuple[str, int]], largest: Callable[[], int]) -> Iterator[Chunk]:
    """Put decisions together until they weigh enough.

    Parameters
    ----------
    weighed : decisions, each with what it may cost, in any unit
    largest : asked again for each chunk
    """
    ids: list[str] = []
    weight = 0
    for decision, cost in weighed:
        if ids and (len(ids) == MOST or weight + cost > largest()):
            yield Chunk(tuple(ids), weight)
            ids, weight = [], 0
        ids.append(decision)
        weight += cost
    if ids:
        yield Chunk(tuple(ids), weight)


class Spread:
    """Has decisions of one session carried out elsewhere."""

    def __init__(self, collection: Collection, workers: Workers) -> None:
        self._collection, self._workers = collection, workers
        self._site = Site.of_scope(collection.scope, collection.trail_named)
        self._opening = Opening.of(collection)
        self._size = GroupSize(SECONDS, _LARGEST, _FIRST)
        self._under_way: dict[Future[Done], Chunk] = {}
        self._again: list[Chunk] = []

    def apply(self, weighed: Iterable[tuple[str, int]], ended: Ended) -> None:
        """Carry out decisions, as there is room; a full disk ends it.

        Parameters
        ----------
        weighed : as of `chunks`
        ended : told of each, in whichever order they end

        Raises
        ------
        UnfitWorker
            A worker is not where the collection is: it touched nothing. Others may have worked.
        WorkersUnavailable
            Nobody is left; what they were at is settled, and waits.
        AuditError
            Work must stop; what was carried out before is recorded.
        """
        self._workers.ask_each(check_fits, self._site)
        new = chunks(weighed, lambda: self._size.size)
        try:
            while self._submit(new):
                if not self._take_what_ended(ended):
                    new = iter(())
        except WorkersUnavailable:
            self._stop(0)
            self._settle()
            raise
        finally:
            self._stop()

    def _submit(self, new: Iterator[Chunk]) -> bool:
        """Have as much under way as there is room for; return whether anything is."""
        while len(self._under_way) < self._workers.most:
            chunk = self._again.pop() if self._again else next(new, None)
            if chunk is None:
                break
            future = self._workers.submit(carried_out, self._site, self._opening, chunk.decisions)
            self._under_way[future] = chunk
        return bool(self._under_way)

    def _take_what_ended(self, ended: Ended) -> bool:
        """Wait for results, and tell them; return whether there is room on the disk for more."""
        done, _ = wait(self._under_way, _LOOK_SECONDS, FIRST_COMPLETED)
        if not done:
            self._workers.check_there()
        is_room = True
        for future in done:
            for result in self._results(self._under_way.pop(future), future):
                ended(result)
                is_room = is_room and result.code != NoSpace.__name__
        return is_room

    def _results(self, chunk: Chunk, future: "Future[Done]") -> Iterator[CropResult]:
        try:
            done = self._workers.result(future)
        except TaskDied:
            yield from self._after_death(chunk)
            return
        self._size.took(chunk.weight, done.seconds)
        for result in done.results:
            count_here(self._collection, result)
            yield result

    def _after_death(self, chunk: Chunk) -> Iterator[CropResult]:
        """Try what waits of a chunk again, each alone; whoever opens next settles what was left."""
        trail = self._collection.trail
        reason = "workers ended while they carried out a chunk, and it is tried again"
        self._collection.problems.report(Problem(ProblemKind.APPLIER_DIED, "", reason))
        deaths = chunk.deaths + 1 if len(chunk.decisions) == 1 else 0
        for decision in chunk.decisions:
            path = trail.decisions.by_id(decision)[1].path
            if deaths >= _TRIES:
                self._settle()
                died = ApplierDied(path, "unknown")
                yield self._collection.executor.give_up(decision, died)
            else:
                weight = chunk.weight // len(chunk.decisions)
                self._again.append(Chunk((decision,), weight, deaths))

    def _settle(self) -> None:
        """Settle what the dead were at; where others are at work here, theirs stays theirs.

        A process that dies lets go of its pipes first and of its locks last, perhaps much later on
        a busy machine: until then it is alive, by all that can be known.
        """
        until = time.monotonic() + _DYING_SECONDS
        self._collection.recover()
        while self._collection.trail.operations.unsettled() and time.monotonic() < until:
            time.sleep(_LOOK_AGAIN_SECONDS)
            self._collection.recover()

    def _stop(self, seconds: float = _END_SECONDS) -> None:
        """Begin nothing more, and let what is under way end, so that the trail can be asked."""
        self._workers.let_go(self._under_way)
        wait(self._under_way, seconds)
        for future in self._under_way:
            future.cancel()
        self._under_way.clear()
