"""Rows proven in processes of their own, a bounded number of them at a time, in their order.

A file that brings a decoder down takes its process with it: rows that were under way are tried
again, each alone, and the one that does it again is told of and not proven.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from types import TracebackType
from typing import Self

from cropkit.system.elsewhere import TaskDied, awaited, in_order
from cropkit.system.elsewhere import Workers as Elsewhere
from cropkit.verification.differences import Difference, Kind
from cropkit.verification.judging import Judged, Task, all_judged, judged
from cropkit.verification.places import Folders

_ENDED = (
    "the process that decoded it ended (in a script, `verify` is called beneath "
    "`if __name__ == '__main__'`, or with jobs=1)"
)
_TOGETHER = 16  # rows of one task elsewhere
_WINDOW = 4  # rows under way for each process: none waits for the next


def usual_jobs() -> int:
    """Return how many processes there are unless somebody says otherwise: one for each core.

    Two at least: in one of its own a decoder that crashes would end whoever asked.
    """
    return max(2, len(os.sched_getaffinity(0)))


class Workers:
    """Processes that prove rows.

    Parameters
    ----------
    jobs : how many; 1 is none: rows are proven in a thread of this one
    elsewhere : who proves them instead, some rows at a time
    """

    def __init__(self, folders: Folders, jobs: int, elsewhere: Elsewhere | None = None) -> None:
        self._folders, self._jobs, self._elsewhere = folders, jobs, elsewhere
        self._pool = self._opened(jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        """Yield what became of each task, in their order; tasks are taken as there is room.

        Raises
        ------
        WorkersUnavailable, UnfitWorker
            Nobody proves them elsewhere any more, or somebody who may not.
        """
        if self._elsewhere is not None:
            yield from self._judged_by(self._elsewhere, tasks)
            return
        for task, future in in_order(tasks, self._submitted, lambda: _WINDOW * self._jobs):
            yield self._result(task, future)

    def _judged_by(self, elsewhere: Elsewhere, tasks: Iterable[Task]) -> Iterator[Judged]:
        rows = iter(tasks)
        groups = iter(lambda: list(islice(rows, _TOGETHER)), [])

        def submit(some: list[Task]) -> Future[list[Judged]]:
            return elsewhere.submit(all_judged, some, self._folders)

        for some, future in in_order(groups, submit, lambda: elsewhere.most):
            yield from self._together(elsewhere, some, future)

    def _together(
        self, elsewhere: Elsewhere, some: list[Task], future: "Future[list[Judged]]"
    ) -> Iterator[Judged]:
        """Yield what became of rows; those that others died of are proven here, each alone."""
        try:
            yield from awaited(elsewhere, future)
        except TaskDied:
            yield from map(self._alone, some)

    def _alone(self, task: Task) -> Judged:
        with ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), _ignore_interrupts
        ) as alone:
            return _answer(task, alone.submit(judged, task, self._folders))

    def _opened(self, jobs: int) -> Executor:
        if jobs == 1:
            return ThreadPoolExecutor(1)
        context = multiprocessing.get_context("spawn")  # a kernel has threads: no fork
        return ProcessPoolExecutor(jobs, context, _ignore_interrupts)

    def _submitted(self, task: Task) -> Future[Judged]:
        try:
            return self._pool.submit(judged, task, self._folders)
        except BrokenProcessPool:
            self._pool.shutdown()
            self._pool = self._opened(self._jobs)
            return self._pool.submit(judged, task, self._folders)

    def _result(self, task: Task, future: Future[Judged]) -> Judged:
        if isinstance(future.exception(), BrokenProcessPool):
            return self._alone(task)
        return _answer(task, future)


def _answer(task: Task, future: Future[Judged]) -> Judged:
    """Return the answer; whatever else came of it is no proof, and is told."""
    error = future.exception()
    if error is None:
        return future.result()
    died = isinstance(error, BrokenProcessPool)
    words = _ENDED if died else f"{type(error).__name__}: {error}"
    reason = f"nobody here can decode it: {words}"
    difference = Difference(Kind.NOT_PROVEN, task.claim.crop, reason, task.line)
    return Judged(task.claim, task.line, None, (difference,))


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked is interrupted, too, and ends us
