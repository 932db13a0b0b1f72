"""A batch whose crops are made by an executor's processes: each once, whatever becomes of those."""

import multiprocessing
import os
import pickle
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from faults import contents
from queueing import collection, decide_all, troubled

from cropkit.batch import Batch
from cropkit.collection import Collection
from cropkit.engine.apply import Applier
from cropkit.errors import (
    AuditUnavailable,
    BadParameterValue,
    RunIncomplete,
    UnfitWorker,
    WorkersUnavailable,
)
from cropkit.records import ProblemKind, Status
from cropkit.system.elsewhere import TaskDied
from cropkit.workers import chunk, spreading
from cropkit.workers.chunk import Done, Site, carried_out
from cropkit.workers.executors import Pool
from cropkit.workers.opening import Opening
from cropkit.workers.spreading import MOST, Spread, chunks

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    folder = collection(tmp_path / "c", 12, sidecars=True)
    decide_all(folder)
    return folder


class Here(Executor):
    """Calls at once, in this process; what is to be done before each call may be anything."""

    def __init__(self, before: Callable[[int], object] = lambda _: None) -> None:
        self.calls, self._before = 0, before

    def submit(self, function: Any, /, *arguments: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            if function is carried_out:
                self.calls += 1
                self._before(self.calls)
            future.set_result(function(*arguments))
        except BaseException as error:  # noqa: BLE001  (as executors do)
            future.set_exception(error)
        return future


def crops_of(folder: Path) -> Counter[str]:
    with Collection(folder) as kit:
        assert kit.fsck() == []
        return Counter(str(e["path"]) for e in kit.trail.events() if e["event"] == "cropped")


def test_processes_write_the_same_bytes_as_threads(processes: Executor, tmp_path: Path) -> None:
    in_threads, elsewhere = (collection(tmp_path / name, 12) for name in ("one", "other"))
    for folder, executor in ((in_threads, None), (elsewhere, processes)):
        decide_all(folder)
        with Batch(folder, executor=executor) as batch:
            assert set(batch.apply()["status"]) == {"cropped"}
            assert batch.result()["ok"]
    assert contents(in_threads) == contents(elsewhere)
    assert crops_of(elsewhere) == dict.fromkeys(contents(elsewhere), 1)


def test_suggestions_are_taken_up_as_well(processes: Executor, tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 9, sidecars=True)
    with Batch(folder, source="suggestions", executor=processes) as batch:
        batch.apply()
        assert batch.result()["cropped"] == 9
    assert batch.parameters["executor"] == "ProcessPoolExecutor"


def test_what_goes_wrong_is_told_as_ever(processes: Executor, tmp_path: Path) -> None:
    in_threads, elsewhere = (troubled(tmp_path / name) for name in ("one", "other"))
    ended = []
    for folder, executor in ((in_threads, None), (elsewhere, processes)):
        with Batch(folder, executor=executor) as batch:
            ended.append(batch.apply()[["path", "status", "code"]].to_dict("list"))
            with pytest.raises(RunIncomplete):
                batch.result()
    assert ended[0] == ended[1]
    assert contents(in_threads) == contents(elsewhere)


def test_a_task_that_is_run_again_changes_nothing_and_tells_how_it_ended(reviewed: Path) -> None:
    with Collection(reviewed) as kit:
        site, opening = Site.of_scope(kit.scope), Opening.of(kit)
        waiting = tuple(kit.trail.decisions.waiting())
        first = carried_out(site, opening, waiting)
        files = contents(reviewed)
        again = carried_out(site, opening, waiting)
    assert [r.status for r in first.results] == [r.status for r in again.results]
    assert {r.status for r in again.results} == {Status.CROPPED}
    assert contents(reviewed) == files
    assert set(crops_of(reviewed).values()) == {1}


def test_two_that_have_the_same_chunk_at_once_crop_each_image_once(
    processes: Executor, reviewed: Path
) -> None:
    with Collection(reviewed) as kit:
        site, opening = Site.of_scope(kit.scope), Opening.of(kit)
        waiting = tuple(kit.trail.decisions.waiting())
        both = [processes.submit(carried_out, site, opening, waiting) for _ in range(2)]
        for each in both:
            assert {r.status for r in each.result().results} == {Status.CROPPED}
    assert set(crops_of(reviewed).values()) == {1}


def test_a_pool_whose_process_is_killed_ends_the_batch_in_a_sentence(reviewed: Path) -> None:
    with ProcessPoolExecutor(1, SPAWN) as pool, Batch(reviewed, executor=pool) as batch:
        assert len(batch.plan.ready) == 12
        os.kill(pool.submit(os.getpid).result(), signal.SIGKILL)
        with pytest.raises(WorkersUnavailable, match="ProcessPoolExecutor: no workers take up"):
            batch.apply()
        assert batch.run.state == "stopped"
    with Collection(reviewed) as kit:
        assert kit.counts().waiting + kit.counts().written == 12
    with Batch(reviewed) as batch:
        batch.apply()
        assert batch.result()["ok"], "what waited is carried out"
    assert set(crops_of(reviewed).values()) == {1}


def cut_off(site: Site, opening: Opening, decisions: tuple[str, ...]) -> Done:
    """Be killed between the crop and its proof; in a process that is there for that."""
    Applier._verify = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]  # noqa: SLF001
    return carried_out(site, opening, decisions)


def test_what_a_killed_process_was_at_is_settled_before_that_is_told(
    reviewed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "carried_out", cut_off)
    with ProcessPoolExecutor(1, SPAWN) as pool, Collection(reviewed) as kit:
        waiting = [(each, 1) for each in kit.trail.decisions.waiting()]
        with pytest.raises(WorkersUnavailable):
            Spread(kit, Pool(pool, 1)).apply(waiting, print)
        assert not kit.trail.operations.unsettled()
        assert not list((reviewed / ".cropkit" / "stage").iterdir())
        assert {each.status for each in kit.apply_waiting()} == {Status.CROPPED}
    assert len(crops_of(reviewed)) == 12


def test_an_executor_that_was_shut_down_is_told_of(reviewed: Path) -> None:
    with ProcessPoolExecutor(1, SPAWN) as pool:
        pass
    with pytest.raises(WorkersUnavailable, match="after shutdown"):
        Batch(reviewed, executor=pool)


# -- who may work ------------------------------------------------------------------------------


OTHERS = (
    ("version", "9.9", "it has cropkit .*, and 9.9 asks"),
    ("boot", "another-kernel", "it is on another host than"),
    ("folders", (("/nowhere-at-all", 1, 2),), "/nowhere-at-all is not there the folder"),
)


@pytest.mark.parametrize(("fact", "value", "reason"), OTHERS)
def test_a_worker_of_elsewhere_refuses_before_it_opens_anything(
    reviewed: Path, fact: str, value: Any, reason: str
) -> None:
    with Collection(reviewed) as kit:
        site, opening = Site.of_scope(kit.scope), Opening.of(kit)
        waiting = kit.trail.decisions.waiting()
        sessions = len(kit.trail.sessions())
        other = site._replace(**{fact: value})
        with pytest.raises(UnfitWorker, match=rf"process {os.getpid()}\).*{reason}") as refused:
            carried_out(other, opening, tuple(waiting))
        assert len(kit.trail.sessions()) == sessions
        assert kit.trail.decisions.waiting() == waiting
    assert "on other hosts, where the trail is on a server" in str(refused.value)
    again = pickle.loads(pickle.dumps(refused.value))  # noqa: S301  (its own)
    assert str(again) == str(refused.value)


def test_a_batch_with_such_a_worker_begins_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collection(tmp_path / "c", 2, sidecars=True)
    real = chunk.kernel_boot
    seen = iter(["this kernel"])
    monkeypatch.setattr(chunk, "kernel_boot", lambda: next(seen, real()))
    with pytest.raises(UnfitWorker, match="another host"):
        Batch(folder, source="suggestions", executor=Here())
    assert not (folder / ".cropkit").exists()


def test_one_that_comes_later_stops_the_batch_and_the_rest_waits(
    reviewed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_elsewhere(calls: int) -> None:
        if calls == 2:
            monkeypatch.setattr(chunk, "kernel_boot", lambda: "another kernel")

    monkeypatch.setattr(spreading, "MOST", 4)
    with Batch(reviewed, executor=Here(is_elsewhere), workers=1) as batch:
        with pytest.raises(UnfitWorker, match="another host"):
            batch.apply()
        assert [e.status for e in batch.run.entries] == ["cropped"] * 4 + ["unfinished"] * 8


def test_processes_that_are_forked_are_refused(reviewed: Path) -> None:
    with (
        ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool,
        pytest.raises(UnfitWorker, match=r"was forked .*get_context\(.spawn.\)"),
    ):
        Batch(reviewed, executor=pool)


@pytest.mark.parametrize("value", [3, "four", object(), ThreadPoolExecutor])
def test_what_is_no_executor_is_refused_by_name(reviewed: Path, value: Any) -> None:
    with pytest.raises(BadParameterValue, match="executor"):
        Batch(reviewed, executor=value)


# -- deaths --------------------------------------------------------------------------------------


class Dying(Pool):
    """Workers that die of tasks, as Dask tells it: the executor itself lives on."""

    def result(self, future: Future[Any]) -> Any:
        try:
            return super().result(future)
        except ChildProcessError as error:
            raise TaskDied from error


def test_what_was_in_a_chunk_that_workers_died_of_is_tried_again_each_alone(
    reviewed: Path,
) -> None:
    def dies(calls: int) -> None:
        if calls == 1:
            raise ChildProcessError

    here = Here(dies)
    with Collection(reviewed) as kit:
        told: list[str] = []
        waiting = [(each, 1) for each in kit.trail.decisions.waiting()]
        Spread(kit, Dying(here, 1)).apply(waiting, lambda result: told.append(result.path))
        assert kit.trail.presence.tally.cropped == 12
        assert kit.trail.presence.tally.degraded == {ProblemKind.APPLIER_DIED: 1}
    assert here.calls == 13
    assert sorted(told) == sorted(crops_of(reviewed).elements())


def test_an_image_that_workers_die_of_alone_twice_has_failed_and_the_others_are_cropped(
    reviewed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Collection(reviewed) as kit:
        waiting = kit.trail.decisions.waiting()

        def deadly(site: Site, opening: Opening, decisions: tuple[str, ...]) -> Done:
            if waiting[0] in decisions:
                worker = SPAWN.Process(target=cut_off, args=(site, opening, waiting[:1]))
                worker.start()
                worker.join()
                raise ChildProcessError
            return carried_out(site, opening, decisions)

        monkeypatch.setattr(spreading, "carried_out", deadly)
        told: list[Any] = []
        Spread(kit, Dying(Here(), 1)).apply([(each, 1) for each in waiting], told.append)
        path = kit.trail.decisions.by_id(waiting[0])[0].path
        assert not kit.trail.operations.unsettled()
    codes = {result.path: result.code for result in told}
    assert codes.pop(path) == "ApplierDied"
    assert set(codes.values()) == {None}
    assert len(crops_of(reviewed)) == 11


def test_a_trail_that_fails_there_stops_the_batch(reviewed: Path) -> None:
    def fails(_: int) -> None:
        raise AuditUnavailable(reviewed, "the disk is gone")

    with Batch(reviewed, executor=Here(fails)) as batch:
        with pytest.raises(AuditUnavailable, match="the disk is gone"):
            batch.apply()
        assert {entry.status for entry in batch.run.entries} == {"unfinished"}


def test_an_interrupt_begins_nothing_more_and_waits_for_what_is_under_way(
    processes: Executor, reviewed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "MOST", 2)
    begun: list[Future[Any]] = []
    submit = processes.submit

    def kept(*arguments: Any) -> Future[Any]:
        begun.append(submit(*arguments))
        return begun[-1]

    def interrupt(_result: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(processes, "submit", kept)
    with Collection(reviewed) as kit:
        waiting = [(each, 1) for each in kit.trail.decisions.waiting()]
        with pytest.raises(KeyboardInterrupt):
            Spread(kit, Pool(processes, 1)).apply(waiting, interrupt)
        assert all(future.done() for future in begun)
        assert not kit.trail.operations.unsettled()


# -- chunks --------------------------------------------------------------------------------------


def test_a_chunk_is_as_heavy_as_it_may_be_and_what_is_heavier_goes_alone() -> None:
    weighed = [("a", 3), ("b", 4), ("c", 4), ("d", 30), ("e", 1)]
    made = list(chunks(weighed, lambda: 8))
    assert [c.decisions for c in made] == [("a", "b"), ("c",), ("d",), ("e",)]
    assert [c.weight for c in made] == [7, 4, 30, 1]


def test_a_chunk_has_no_more_decisions_than_share_their_syncs() -> None:
    made = list(chunks([(str(n), 0) for n in range(2 * MOST + 1)], lambda: 1))
    assert [len(c.decisions) for c in made] == [MOST, MOST, 1]


def test_chunks_are_made_when_they_are_asked_for() -> None:
    taken: list[int] = []

    def weighed() -> Iterator[tuple[str, int]]:
        for number in range(9):
            taken.append(number)
            yield str(number), 1

    first = next(chunks(weighed(), lambda: 2))
    assert first.decisions == ("0", "1")
    assert taken == [0, 1, 2]
