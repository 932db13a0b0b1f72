"""A batch by workers of a real scheduler of Dask, in processes that may be killed at any moment."""

import asyncio
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import killing_workers
import pytest
import shell
from clusters import cluster
from distributed import Client
from faults import contents
from patience import patient
from queueing import collection, decide_all
from sets_of_crops import DataSet, photo

from cropkit.batch import Batch
from cropkit.collection import Collection
from cropkit.engine.apply import Applier
from cropkit.errors import BadParameterValue, UnfitWorker, WorkersUnavailable
from cropkit.workers import chunk, dask_workers, executors, spreading
from cropkit.workers.chunk import Done, Site, carried_out
from cropkit.workers.opening import Opening
from cropkit.workers.spreading import Spread

DIED = "CROPKIT_TEST_DIED"
FULL = os.environ.get("CROPKIT_FULL_KILLS") == "1"
CHANCE = random.Random(21)  # noqa: S311  (no secret)


@pytest.fixture(scope="module")
def died(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("died")


@pytest.fixture(scope="module")
def two(died: Path) -> Iterator[str]:
    with cluster(2, **{DIED: str(died)}) as (address, _):
        yield address


@pytest.fixture
def client(two: str) -> Iterator[Client]:
    with Client(two.removeprefix("dask://"), set_as_default=False) as client:
        client.wait_for_workers(2, timeout=patient(120))
        yield client


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    folder = collection(tmp_path / "c", 24)
    decide_all(folder)
    return folder


def crops_of(folder: Path) -> Counter[str]:
    with Collection(folder) as kit:
        assert kit.fsck() == []
        return Counter(str(e["path"]) for e in kit.trail.events() if e["event"] == "cropped")


def dies_once_at_each(site: Site, opening: Opening, decisions: tuple[str, ...]) -> Done:
    """Be killed between a crop and its proof, the first time that it is asked for a chunk."""
    mark = Path(os.environ[DIED]) / decisions[0]
    if not mark.exists():
        mark.touch()
        Applier._verify = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]  # noqa: SLF001
    return carried_out(site, opening, decisions)


def dies(site: Site, opening: Opening, decisions: tuple[str, ...]) -> Done:
    """Be killed whenever it is asked for what begins with a certain decision."""
    if (Path(os.environ[DIED]) / "always").read_text() in decisions:
        os.kill(os.getpid(), signal.SIGKILL)
    return carried_out(site, opening, decisions)


def test_a_scheduler_that_is_named_has_the_crops_made(two: str, tmp_path: Path) -> None:
    in_threads, elsewhere = (collection(tmp_path / name, 24) for name in ("one", "other"))
    for folder, executor in ((in_threads, ""), (elsewhere, two)):
        decide_all(folder)
        with Batch(folder, executor=executor) as batch:
            assert set(batch.apply()["status"]) == {"cropped"}
            assert batch.result()["ok"]
    assert batch.parameters["executor"] == two
    assert contents(in_threads) == contents(elsewhere)
    assert crops_of(elsewhere) == dict.fromkeys(contents(elsewhere), 1)
    with Collection(elsewhere) as kit:
        kinds = Counter(session.kind for session in kit.trail.sessions())
    assert kinds["applier"] >= 1, "it was not this process that cropped"


def test_workers_that_are_killed_crop_each_image_once(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask runs each chunk again; what its first worker left is settled by whoever opens next."""
    clean, killed = (collection(tmp_path / name, 24) for name in ("clean", "killed"))
    decide_all(clean)
    decide_all(killed)
    with Batch(clean) as batch:
        batch.apply()
    monkeypatch.setattr(spreading, "carried_out", dies_once_at_each)
    monkeypatch.setattr(spreading, "MOST", 8)
    with Batch(killed, executor=client) as batch:
        assert set(batch.apply()["status"]) == {"cropped"}
        assert batch.result()["ok"]
    assert contents(killed) == contents(clean)
    assert crops_of(killed) == dict.fromkeys(contents(clean), 1)
    with Collection(killed) as kit:
        bodies = [str(event["body"]) for event in kit.trail.events()]
    assert any("aborted" in body for body in bodies), "no worker was killed while it was at a crop"


@pytest.mark.timeout(3600 if FULL else 300)
def test_workers_that_are_killed_every_few_seconds_leave_what_a_clean_run_leaves(
    tmp_path: Path,
) -> None:
    outcome = killing_workers.run(tmp_path, 5000 if FULL else 60, 2, 8 if FULL else 4, CHANCE)
    assert outcome.wrong == []
    assert outcome.kills or not FULL


def test_an_image_that_kills_each_worker_has_failed_and_the_others_are_cropped(
    client: Client, died: Path, reviewed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "carried_out", dies)
    with Collection(reviewed) as kit:
        waiting = list(kit.trail.decisions.waiting())[:6]
        (died / "always").write_text(waiting[2])
        results: list[Any] = []
        workers = dask_workers.DaskWorkers(client, "dask")
        Spread(kit, workers).apply([(each, 1) for each in waiting], results.append)
        path = kit.trail.decisions.by_id(waiting[2])[1].path
    codes = {result.path: result.code for result in results}
    assert codes.pop(path) == "ApplierDied"
    assert set(codes.values()) == {None}
    assert len(codes) == 5


# -- who is there --------------------------------------------------------------------------------


@contextmanager
def listening(says: bytes) -> Iterator[str]:
    """Be a program that is no scheduler."""
    kept = []
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen()

        def answer() -> None:
            while True:
                try:
                    kept.append(line.accept()[0])
                    kept[-1].sendall(says)
                except OSError:
                    return

        threading.Thread(target=answer, daemon=True).start()
        yield f"dask://127.0.0.1:{line.getsockname()[1]}"
        line.shutdown(socket.SHUT_RDWR)
    for each in kept:
        each.close()


AWAY = {"silent": b"", "another program": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"}


@pytest.mark.parametrize("says", AWAY)
def test_what_is_no_scheduler_is_told_and_nothing_is_written(
    tmp_path: Path, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_workers, "_CONNECT_SECONDS", 1.0)
    folder = collection(tmp_path / "c", 2, sidecars=True)
    with listening(AWAY[says]) as address:
        ended = shell.run("batch", folder, "--executor", address)
    assert ended.returncode == 1
    assert f"{address}: no workers take up work: no scheduler of Dask answers" in ended.stderr
    assert not (folder / ".cropkit").exists()


def test_a_scheduler_without_workers_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2, sidecars=True)
    with (
        cluster(0) as (nobody, _),
        pytest.raises(WorkersUnavailable, match="its scheduler has no workers"),
    ):
        Batch(folder, executor=nobody)
    assert not (folder / ".cropkit").exists()


def test_a_worker_on_another_host_is_named_before_anything_is_written(
    two: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk, "kernel_boot", lambda: "another kernel")
    folder = collection(tmp_path / "c", 2, sidecars=True)
    with pytest.raises(UnfitWorker, match=r"process \d+\) cannot take part: it is on another host"):
        Batch(folder, executor=two)
    assert not (folder / ".cropkit").exists()


def test_a_worker_without_cropkit_is_named(client: Client, reviewed: Path) -> None:
    def lacks(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'cropkit'")

    workers = dask_workers.DaskWorkers(client, "dask")
    with pytest.raises(UnfitWorker, match=r"tcp://127\.0\.0\.1:\d+ .*No module named 'cropkit'"):
        workers.ask_each(lacks, Site.of(reviewed))


def test_a_worker_that_dies_while_it_is_asked_is_no_worker_of_elsewhere(reviewed: Path) -> None:
    client = create_autospec(Client, instance=True)
    workers = dask_workers.DaskWorkers(client, "dask")
    client.run.return_value = {"tcp://a": OSError("Stream is closed"), "tcp://b": None}
    workers.ask_each(chunk.check_fits, Site.of(reviewed))
    client.run.return_value.pop("tcp://b")
    with pytest.raises(WorkersUnavailable, match="no workers"):
        workers.ask_each(chunk.check_fits, Site.of(reviewed))


def test_a_scheduler_that_ends_on_the_way_stops_the_batch_and_the_rest_waits(
    reviewed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "MOST", 2)
    with cluster(1) as (address, process), Batch(reviewed, executor=address) as batch:
        begun = time.monotonic()
        monkeypatch.setattr(
            "cropkit.batch.progress.Progress.ended", lambda *_: process.send_signal(signal.SIGKILL)
        )
        with pytest.raises(WorkersUnavailable):
            batch.apply()
        assert time.monotonic() - begun < patient(60)
        assert batch.run.state == "stopped"
    with Batch(reviewed) as batch:
        batch.apply()
        assert batch.result()["ok"]
    assert set(crops_of(reviewed).values()) == {1}


def test_workers_that_come_back_in_time_again_and_again_are_waited_for_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr("cropkit.workers.dask_workers.time.monotonic", lambda: 100.0 + next(clock))
    client = create_autospec(Client, instance=True)
    workers = dask_workers.DaskWorkers(client, "dask")
    for _ in range(20):
        client.scheduler_info.return_value = {"workers": {"a": {"nthreads": 2}}}
        assert workers.most == 4, "while there is something to give out"
        client.scheduler_info.return_value = {"workers": {}}
        workers.check_there()
    with pytest.raises(WorkersUnavailable, match="no workers for 60 s"):
        look_often(workers)


def look_often(workers: dask_workers.DaskWorkers) -> None:
    for _ in range(20):
        workers.check_there()


# -- addresses -----------------------------------------------------------------------------------

BAD = (
    "dask://",
    "dask://host",
    "dask://host:0",
    "dask://host:65536",
    "dask://host:1/path",
    "dask://host:\uff11",
    "tcp://host:8786",
    "host:8786",
    "dask://host:8786\n",
    "dask://ho st:8786",
    "dask:// host:8786",
)


@pytest.mark.parametrize("text", BAD)
def test_another_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadParameterValue, match="executor"):
        executors.checked(text)


@pytest.mark.parametrize("text", ["dask://node-7.example:8786", "dask://[::1]:8786"])
def test_an_address_is_handed_on_as_it_is(text: str) -> None:
    assert executors.checked(text) == text
    assert f"dask://{executors.address(text)}" == text


def test_a_password_in_an_address_is_not_shown() -> None:
    with pytest.raises(BadParameterValue) as refused:
        executors.checked("dask://ann:secret@host:8786")
    assert "secret" not in str(refused.value)
    assert "ann:" not in str(refused.value)


def test_the_command_has_it_done_by_the_notebook(two: str, reviewed: Path) -> None:
    ended = shell.run("batch", reviewed, "--executor", two, "--json")
    assert ended.returncode == 0, ended.stderr
    (written,) = (reviewed / ".cropkit" / "runs").glob("*/run.json")
    assert json.loads(written.read_text("utf-8"))["parameters"]["executor"] == two
    assert crops_of(reviewed) == dict.fromkeys(contents(reviewed), 1)


def test_verify_and_its_command_have_rows_proven_by_workers(two: str, tmp_path: Path) -> None:
    made = DataSet(tmp_path)
    for seed in range(3):
        photo(made.photos / f"{seed}.png", seed)
    made.copy("0.png", "1.png", "2.png")
    made.export()
    words: list[str | Path] = ["verify", made.folder, "--sources", made.photos, "--executor", two]
    ended = shell.run(*words, "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["proven"] == 3
    made.crop(1).write_bytes(made.crop(0).read_bytes())
    assert shell.run(*words).returncode == 1
    assert shell.run(*words[:-1], "two:1").returncode == 2


def test_suggest_has_a_model_asked_by_workers(two: str, tmp_path: Path) -> None:
    folder = collection(tmp_path / "photos", 5)
    (tmp_path / "finder_of_dask.py").write_text("def find(image):\n    return [[8, 4, 40, 20]]\n")
    words: list[str | Path] = ["suggest", folder, "--with", "finder_of_dask:find", "--json"]
    ended = shell.run(*words, "--executor", two, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["boxes"] == 5
    assert "finder_of_dask" not in sys.modules, "it was asked elsewhere"


class Ended:
    """A task whose answer cannot be fetched, as where its last worker dies meanwhile."""

    def __init__(self, error: BaseException, *, is_cancelled: bool = False) -> None:
        self._error, self._is_cancelled = error, is_cancelled

    def __await__(self) -> Iterator[None]:
        yield from ()
        raise self._error

    def cancelled(self) -> bool:
        return self._is_cancelled


def test_whoever_waits_for_a_task_is_told_however_it_ends() -> None:
    lost = RuntimeError("its workers died while its answer was fetched")
    ended: list[Any] = [Ended(lost), Ended(lost, is_cancelled=True)]
    told = [Future[Any](), Future[Any]()]
    for task, future in zip(ended, told, strict=True):
        asyncio.run(dask_workers._tell(task, future))  # noqa: SLF001  (as its loop does)
    assert told[0].exception(0) is lost
    assert told[1].cancelled()
