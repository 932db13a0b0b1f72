"""Rows that the processes of an executor prove: the same verdict, whatever becomes of those."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sets_of_crops import DataSet, photo, reasons

from cropkit.errors import BadParameterValue, UnfitWorker, WorkersUnavailable
from cropkit.system.elsewhere import TaskDied
from cropkit.verification import workers
from cropkit.workers import chunk, executors
from cropkit.workers.executors import Pool

NAMES = tuple(f"{number}.png" for number in range(5))


class Here(Executor):
    """Calls at once, in this process."""

    def __init__(self, before: Callable[[], object] = lambda: None) -> None:
        self.calls, self._before = 0, before

    def submit(self, function: Any, /, *arguments: Any, **_: Any) -> Future[Any]:
        self.calls += 1
        future: Future[Any] = Future()
        try:
            self._before()
            future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001  (as executors do)
            future.set_exception(error)
        return future


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    monkeypatch.setattr(workers, "_TOGETHER", 2)
    made = DataSet(tmp_path)
    for seed, name in enumerate(NAMES):
        photo(made.photos / name, seed)
    made.copy(*NAMES)
    made.export()
    return made


def test_the_verdict_is_the_same(made: DataSet, processes: Executor) -> None:
    assert made.verify(reach=executors.reach(processes)).ok
    other = photo(made.photos / "other.png", 9)
    made.crop(3).write_bytes(other.read_bytes())
    (made.photos / "1.png").unlink()
    elsewhere = made.verify(reach=executors.reach(processes))
    here = made.verify()
    assert reasons(elsewhere) == reasons(here) != []
    assert (elsewhere.proven, elsewhere.rows) == (here.proven, 5)


def test_rows_go_out_together_and_come_back_in_their_order(made: DataSet) -> None:
    here, told = Here(), []
    made.verify(reach=executors.reach(here), told=lambda row: told.append(row.line))
    assert here.calls == 1 + 3, "one look whether it can work, and three tasks of two rows at most"
    assert told == sorted(told)
    assert len(told) == 5


def test_rows_that_workers_die_of_are_proven_here_each_alone(
    made: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(_self: object, _future: object) -> None:
        raise TaskDied

    alone: list[str] = []
    real = workers.Workers._alone  # noqa: SLF001  (to count its calls)

    def seen(self: Any, task: Any) -> Any:
        alone.append(task.claim.crop)
        return real(self, task)

    monkeypatch.setattr(Pool, "ask_each", lambda *_: None)
    monkeypatch.setattr(Pool, "result", dies)
    monkeypatch.setattr(workers.Workers, "_alone", seen)
    assert made.verify(reach=executors.reach(Here())).ok
    assert len(alone) == 5


def test_a_worker_on_another_host_proves_nothing(
    made: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Here(lambda: monkeypatch.setattr(chunk, "kernel_boot", lambda: "another kernel"))
    with pytest.raises(UnfitWorker, match="another host"):
        made.verify(reach=executors.reach(here))


def test_one_that_comes_later_ends_it(made: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def comes_later() -> None:
        if here.calls == 3:
            monkeypatch.setattr(chunk, "kernel_boot", lambda: "another kernel")

    here = Here(comes_later)
    with pytest.raises(UnfitWorker, match="another host"):
        made.verify(reach=executors.reach(here))


def test_a_pool_that_is_no_more_is_told_and_nothing_is_called_proven(made: DataSet) -> None:
    with ProcessPoolExecutor(1) as pool:
        pass
    with pytest.raises(WorkersUnavailable, match="after shutdown"):
        made.verify(reach=executors.reach(pool))


@pytest.mark.parametrize("named", ["host:1", 3, None, ""])
def test_what_is_no_executor_is_refused(named: object) -> None:
    with pytest.raises(BadParameterValue, match="executor"):
        executors.reach(named)
