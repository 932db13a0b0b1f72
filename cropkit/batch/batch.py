"""One batch from its plan to its record: what the notebook calls, one call a cell."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from cropkit import bounded, clock
from cropkit.batch import outcome, tables
from cropkit.batch.plan import Item, Plan, Source
from cropkit.batch.planning import planner_of
from cropkit.batch.preflight import hindrances, needed_bytes
from cropkit.batch.progress import LookBar, Progress, tell_part
from cropkit.batch.values import checked
from cropkit.bounds import Bounds
from cropkit.collection import Collection, StrPath
from cropkit.errors import CropkitError, NoSpace, NotReady, RunIncomplete
from cropkit.formats.copy_options import CopyOptions
from cropkit.formats.digest import digests
from cropkit.labels import asked
from cropkit.records import CropResult
from cropkit.runs import record, report, run_folder
from cropkit.runs.record import RunRecord
from cropkit.runs.thumbnails import Thumbnails
from cropkit.system import parameters
from cropkit.system.elsewhere import Workers
from cropkit.system.scope import Scope, scope_of
from cropkit.wanted import Slots, Targets, written
from cropkit.workers import executors
from cropkit.workers.chunk import Site, check_fits
from cropkit.workers.spreading import Spread

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from cropkit.audit.run import Run

_log = logging.getLogger("cropkit.batch")
_TOGETHER = 64  # suggestions that are decided in one transaction
_SAMPLES = 3  # of a pixel


class Batch:
    """Crops a folder unattended; each step is one method, and `result` tells how it ended.

    Parameters
    ----------
    folder : a collection, or a folder in one: then only that part is taken up
    state : folder that holds `.cropkit`; None or empty: in the folder, or where it was before
    source : queue, what reviewers decided; suggestions, each undecided image by its own;
        plan, the same of those that `cropkit plan-review` lets through
    min_confidence : least confidence of a suggestion that states one
    suggest : where boxes come from, as a `Collection` takes it
    suggestions, model, order, units : the same by texts: a file or folder of boxes, or a model as
        ``module:function``, and what four numbers mean; empty: what was imported, and the sidecars
    destination : folder that crops move to, with their companions; None or empty: in place
    copy_to : folder that crops are written to as new files; None or empty: no copies
    slots, targets, resize, copies : the crops that suggestions are taken up for, and how copies
        are made, as a `Collection` takes them; None or empty: one of each image, of any shape
    salvage : also crop what can be read of damaged JPEGs and PNGs
    workers : threads that crop and verify; 0: one for each processor
    executor : whose processes, on this host, crop and verify instead, some images at a time each:
        those of a scheduler of Dask, by its address (``"dask://HOST:PORT"``) or a client of it; or
        of any executor of `concurrent.futures`, of which ``workers`` is how many tasks it works at
        once. What is passed in stays open. None or empty: threads of this process
    run : folder for the record; None or empty: a new one in the collection's `.cropkit/runs`

    Raises
    ------
    BadParameterValue
        A value that a parameter cannot have: nothing was begun.
    AuditError
        When there can be no trail: nothing was touched.
    UnfitWorker, WorkersUnavailable
        The executor's processes are not where the folder is, or not there: nothing was touched.
    """

    _run: RunRecord | None = None
    _live: "Run | None" = None
    _closed = False

    def __init__(
        self,
        folder: StrPath,
        *,
        state: StrPath | None = None,
        source: str = Source.QUEUE,
        min_confidence: float = 0.0,
        suggest: Any = None,  # noqa: ANN401  (what a person has)
        suggestions: StrPath | None = None,
        model: str = "",
        order: str = "",
        units: str = "",
        destination: StrPath | None = None,
        copy_to: StrPath | None = None,
        slots: Slots | None = None,
        targets: Targets | None = None,
        resize: bool = False,
        copies: CopyOptions | str | None = None,
        salvage: bool = False,
        workers: int = 0,
        executor: Any = None,  # noqa: ANN401  (an executor, a client of Dask or its address)
        run: StrPath | None = None,
    ) -> None:
        self._source: Source = checked("source", source)
        destination = checked("destination", destination)
        beside = checked("copy_to", copy_to)
        self.parameters: dict[str, Any] = {
            "source": str(self._source),
            "min_confidence": checked("min_confidence", min_confidence),
            "suggestions": str(suggestions or ""),
            "model": str(model or ""),
            "destination": str(destination or ""),
            "copy_to": str(beside or ""),
            "workers": checked("workers", workers) or _processors(),
        }
        place: Path | None = checked("run", run)
        boxes = asked.named(suggestions, model, order, units)
        self._threads = ThreadPoolExecutor(self.parameters["workers"], "cropkit-batch")
        with ExitStack() as otherwise:
            reached = self._reached(executors.checked(executor), _scope(folder, state))
            self._workers = otherwise.enter_context(reached)
            self.collection = Collection(
                folder,
                state=state,
                destination=destination,
                copy_to=beside,
                slots=slots or None,
                targets=targets or None,
                resize=resize,
                copies=copies,
                salvage=salvage,
                suggest=suggest,
                suggesters=boxes or None,
                kind="batch",
                threads=self._threads,
            )
            self._away = otherwise.pop_all()
        self.parameters |= self._ways()
        tell_part(self.collection.scope)
        self.folder = self._new_folder(place)

    def _new_folder(self, wanted: "Path | None") -> "Path":
        if wanted is not None:
            return run_folder.given_folder(wanted)
        return run_folder.new_folder(self.collection.scope.state)

    def _ways(self) -> dict[str, Any]:
        """Return how copies are made, whether that was said or is kept."""
        chosen = self.collection.ways
        slots, targets = written(chosen.crops)
        how = {"slots": slots, "targets": targets, "copies": chosen.how.text}
        return how | {"resize": chosen.resize, "salvage": self.collection.options.salvage}

    @contextmanager
    def _reached(self, named: Any, scope: Scope) -> Iterator[Workers | None]:  # noqa: ANN401  (as above)
        """Reach who works instead of this process, and have them look whether they can."""
        if named is None:
            yield None
            return
        with executors.reached(named, self.parameters["workers"]) as workers:
            self.parameters["executor"] = workers.name
            workers.ask_each(check_fits, Site.of_scope(scope))
            yield workers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self.close("failed" if failed else "closed")

    def __repr__(self) -> str:
        return f"Batch({self._source.value}, {len(self.plan.ready)} images)"

    def close(self, how: str = "closed") -> None:
        """End the session; once."""
        if self._closed:
            return
        self._closed = True
        self._threads.shutdown(cancel_futures=True)
        with self._away:
            self.collection.close(how)

    @cached_property
    def plan(self) -> Plan:
        """What this batch will do; made once, and it writes nothing."""
        planner = planner_of(self.collection)
        return planner.plan(self._source, self.parameters["min_confidence"], LookBar())

    def planned(self) -> "pd.DataFrame":
        """Return the plan as a table: one row for each thing to do, refuse or leave alone."""
        return tables.planned(self.plan)

    def apply(self) -> "pd.DataFrame":
        """Carry the plan out, and return what the trail says became of each item.

        Raises
        ------
        NotReady
            Something is in the way of the whole batch: nothing was cropped.
        AuditError, NoSpace
            Work stopped on the way; what was done before is recorded, the rest waits.
        """
        self._run = outcome.begun(self.plan, self.collection.session, self.parameters)
        self._write(self._run)
        self._live = self.collection.begin_run("batch")
        try:
            self._check_ready()
            self._carry_out()
        except CropkitError as error:
            self._end(record.STOPPED, str(error))
            raise
        except KeyboardInterrupt:
            self._end(record.STOPPED, "interrupted")
            raise
        except BaseException as error:
            self._end(record.STOPPED, f"{type(error).__name__}: {error}")
            raise
        self._end(record.FINISHED)
        return self.table()

    def table(self) -> "pd.DataFrame":
        """Return how each item ended, with digests of pixels and texts as they are on disk now."""
        return tables.ended(self.run, self._digest)

    @property
    def run(self) -> RunRecord:
        """The record of this run."""
        return self._run or outcome.begun(self.plan, self.collection.session, self.parameters)

    def result(self) -> dict[str, Any]:
        """Return the counts; the session ends.

        Raises
        ------
        RunIncomplete
            When an item did not end well: whoever runs the notebook has to notice.
        """
        self.close()
        if not self.run.ok:
            raise RunIncomplete(self.collection.scope.folder, self.run.verdict())
        return self.run.summary()

    # -- inside --------------------------------------------------------------------------------

    def _check_ready(self) -> None:
        reasons = hindrances(self.plan, self.collection.locations)
        if reasons:
            raise NotReady(
                self.collection.scope.folder, "; ".join(str(reason) for reason in reasons)
            )

    def _carry_out(self) -> None:
        for path, error in self.plan.refused:
            _log.warning("%s: %s", path, error)
        if not self.plan.to_settle:
            return
        for problem in self.plan.problems:
            self.collection.problems.report(problem)
        progress = Progress(self.folder, len(self.plan.to_settle))
        try:
            self._apply(progress.ended)
        finally:
            progress.close()

    def _apply(self, ended: Callable[[CropResult], object]) -> None:
        if self._workers is None:
            self.collection.apply_waiting(ended, decisions=self._decided())
            return
        weights = {item.decision.id: weight(item) for item in self.plan.to_settle}
        weighed = ((decision, weights[decision]) for decision in self._decided())
        Spread(self.collection, self._workers).apply(weighed, ended)

    def _decided(self) -> Iterator[str]:
        """Give out decisions, some at a time: each in the trail, and with room for its crop."""
        items = self.plan.to_settle
        for start in range(0, len(items), _TOGETHER):
            some = items[start : start + _TOGETHER]
            self._check_room(some)
            yield from self._recorded(some)

    def _recorded(self, items: Sequence[Item]) -> Iterator[str]:
        moment = clock.now()
        new = [replace(i.decision, decided_at=moment) for i in items if not i.recorded]
        if new:
            new = self.collection.recorder.record_undecided(new)
        yield from (item.decision.id for item in items if item.recorded)
        yield from (decision.id for decision in new)

    def _check_room(self, items: Sequence[Item]) -> None:
        state = self.collection.locations.state
        needed, free = needed_bytes(tuple(items)), state.free_bytes()
        if free < needed:
            raise NoSpace(state.path, needed, free)

    def _end(self, state: str, reason: str | None = None) -> None:
        self._run = self._judged(record.ended(self.run, state, reason))
        self._write(self._run)
        pictures = Thumbnails(self.collection.locations)
        report.write(self._run, self.folder, pictures, pictures.files)

    def _judged(self, run: RunRecord) -> RunRecord:
        return outcome.judged(
            run, self.collection.trail, lambda name: size_of(self.collection, name)
        )

    def _write(self, run: RunRecord) -> None:
        record.write(run, self.folder)

    def _digest(self, name: str) -> tuple[str, str]:
        if self._live is not None:
            self._live.move()
        root, path = self.collection.locations.locate(name)
        data = root.read(path, Bounds.from_environment()).data
        return bounded.done(digests, data, name)


def size_of(collection: Collection, name: str) -> int | None:
    """Return the size of a planned name's file, None when it is not there."""
    root, path = collection.locations.locate(name)
    identity = root.identity(path)
    return identity.size if identity else None


def _scope(folder: StrPath, state: StrPath | None) -> Scope:
    return scope_of(parameters.path_named("folder", folder), parameters.state_named(state))


def weight(item: Item) -> int:
    """Return what carrying out an item may cost: bytes, and samples of what is decoded."""
    size = item.decision.size
    return item.size_bytes + (_SAMPLES * size.width * size.height if item.decision.box else 0)


def _processors() -> int:
    return len(os.sched_getaffinity(0))
