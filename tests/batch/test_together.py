"""Many decisions at once: in threads, beside others, and never a person's choice undone."""

import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faults import contents
from patience import patient
from queueing import BOX, collection, decide_all, decision

from cropkit import clock, formats
from cropkit.batch import Batch
from cropkit.collection import Collection
from cropkit.errors import AuditUnavailable, VerificationFailed
from cropkit.geometry import PixelBox, Turn
from cropkit.records import CropResult, Status
from cropkit.runs import run_folder


def test_threads_write_the_same_bytes_as_one_thread(tmp_path: Path) -> None:
    one, other = (collection(tmp_path / name, 12) for name in ("one", "other"))
    for folder in (one, other):
        decide_all(folder)
    with Collection(one) as kit:
        assert all(r.ok for r in kit.apply_waiting())
    with ThreadPoolExecutor(4) as threads, Collection(other, threads=threads) as kit:
        assert all(r.ok for r in kit.apply_waiting())
        assert kit.fsck() == []
    assert contents(one) == contents(other)


def test_images_are_staged_at_the_same_time(tmp_path: Path, monkeypatch: Any) -> None:
    """Both wait for each other inside the codec: one after the other they would wait for ever."""
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    both = threading.Barrier(2, timeout=patient(20))
    opened = formats.opened

    def opened_when_both_are_here(*args: Any) -> Any:
        both.wait()
        return opened(*args)

    monkeypatch.setattr("cropkit.engine.apply.formats.opened", opened_when_both_are_here)
    with ThreadPoolExecutor(2) as threads, Collection(folder, threads=threads) as kit:
        assert all(r.ok for r in kit.apply_waiting())


def test_one_image_that_fails_in_a_thread_fails_alone(tmp_path: Path, monkeypatch: Any) -> None:
    folder = collection(tmp_path / "c", 4)
    before = contents(folder)
    decide_all(folder)

    def verify(_written: bytes, candidate: object, name: str) -> object:
        if name == "0001.png":
            raise VerificationFailed(name, "a pixel differs")
        return candidate

    monkeypatch.setattr("cropkit.engine.apply.formats.verify", verify)
    with ThreadPoolExecutor(4) as threads, Collection(folder, threads=threads) as kit:
        results = {r.path: r for r in kit.apply_waiting()}
        assert kit.fsck() == []
    assert results.pop("0001.png").code == "VerificationFailed"
    assert all(r.ok for r in results.values())
    assert contents(folder)["0001.png"] == before["0001.png"]


class Interrupted(Executor):
    """Threads whose second job is interrupted; it counts who is at work when that is told."""

    def __init__(self) -> None:
        self.inner = ThreadPoolExecutor(4)
        self.jobs = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.jobs += 1
        if self.jobs == 2:
            return self.inner.submit(_interrupt)
        return self.inner.submit(fn, *args, **kwargs)


def _interrupt() -> None:
    raise AuditUnavailable("here", "pulled out")


def test_work_that_must_stop_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 4)
    before = contents(folder)
    decide_all(folder)
    with Collection(folder, threads=Interrupted()) as kit:
        with pytest.raises(AuditUnavailable):
            kit.apply_waiting()
        assert contents(folder) == before
        assert list((folder / ".cropkit" / "stage").iterdir()) == []
    with Collection(folder) as kit:
        assert kit.fsck() == []


class CtrlC(ThreadPoolExecutor):
    """Threads that are slow, and a person who does not wait for them."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        def slow() -> Any:
            time.sleep(0.2)
            return fn(*args, **kwargs)

        return super().submit(slow)


def test_nothing_is_under_way_any_more_when_an_interruption_takes_back(
    tmp_path: Path, monkeypatch: Any
) -> None:
    folder = collection(tmp_path / "c", 4)
    before = contents(folder)
    decide_all(folder)
    interrupted = iter([True])

    def wait_once(futures: Any) -> Any:
        if next(interrupted, False):
            raise KeyboardInterrupt
        return wait(futures)

    monkeypatch.setattr("cropkit.engine.apply.wait", wait_once)
    with CtrlC(2) as threads, Collection(folder, threads=threads) as kit:
        with pytest.raises(KeyboardInterrupt):
            kit.apply_waiting()
        staged = list((folder / ".cropkit" / "stage").iterdir())
        time.sleep(0.5)
        assert staged == list((folder / ".cropkit" / "stage").iterdir()) == []
        assert contents(folder) == before
    with Collection(folder) as kit:
        assert kit.fsck() == []


def test_a_decision_that_was_carried_out_meanwhile_is_told_as_it_ended(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2)
    made = decide_all(folder)
    with Collection(folder) as kit:
        (folder / "0001.png").unlink()
        first = kit.apply_waiting()
        again = kit.apply_waiting(decisions=made)
        assert [(r.status, r.operation) for r in again] == [
            (Status.CROPPED, first[0].operation),
            (Status.REFUSED, None),
        ]
        crops = [e for e in kit.trail.events() if e["event"] == "cropped"]
    assert len(crops) == 1


def test_an_undecided_image_is_decided_and_a_decided_one_left_alone(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 3)
    with (
        Collection(folder, reviewer="ann") as ann,
        Collection(folder, reviewer="batch of ann") as batch,
    ):
        mine = decision(ann, "0001.png", PixelBox(0, 0, 20, 20))
        proposed = [decision(batch, path) for path in batch.images()]
        ann.decide([mine])
        recorded = batch.recorder.record_undecided(proposed)
        assert [one.path for one in recorded] == ["0000.png", "0002.jpg"]
        standing = batch.trail.decisions.standing_by_path()
        assert standing["0001.png"].decision == mine.id
        assert standing["0001.png"].status is Status.WAITING
        assert standing["0000.png"].box == BOX
        assert batch.recorder.record_undecided(proposed) == []


def test_a_crop_that_shows_other_pixels_than_those_of_its_box_is_not_switched_in(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """The codec is off by one pixel, and what it has written is a whole and sound file."""
    folder = collection(tmp_path / "c", 1)
    before = contents(folder)
    decide_all(folder)
    crop = formats.Opened.crop

    def crop_beside(image: formats.Opened, box: PixelBox, turn: Turn) -> formats.Candidate:
        beside = PixelBox(box.left + 1, box.top, box.right + 1, box.bottom)
        return replace(crop(image, box, turn), data=crop(image, beside, turn).data)

    monkeypatch.setattr(formats.Opened, "crop", crop_beside)
    with Collection(folder) as kit:
        (result,) = kit.apply_waiting()
        assert kit.fsck() == []
    assert result.code == "VerificationFailed"
    assert contents(folder) == before


def test_a_crop_that_the_trail_does_not_take_ends_the_batch(
    tmp_path: Path, monkeypatch: Any
) -> None:
    folder = collection(tmp_path / "c", 9)
    before = contents(folder)
    decide_all(folder)
    told: list[CropResult] = []
    with Collection(folder) as kit:
        finish = kit.trail.finish
        failing = [AuditUnavailable(folder, "disk I/O error")]

        def finish_not_at_first(*done: Any, **more: Any) -> None:
            if failing:
                raise failing.pop()
            finish(*done, **more)

        monkeypatch.setattr(kit.trail, "finish", finish_not_at_first)
        with pytest.raises(AuditUnavailable):
            kit.apply_waiting(told.append)
    assert told == []
    assert contents(folder) == before


def test_a_decision_of_a_batch_is_dated_when_it_is_made(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1, sidecars=True)
    with Batch(folder, source="suggestions") as batch:
        (item,) = batch.plan.items
        planned = clock.now()
        batch.apply()
        (row,) = batch.collection.trail.decisions.table()
    assert item.decision.shown_at < planned
    assert clock.read(row["decided_at"]) > planned


def test_a_plan_says_what_is_done_refused_and_left_alone(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 3, sidecars=True)
    (folder / "0000.decision").unlink()
    (folder / "0001.png").write_bytes(b"no image")
    with Batch(folder, source="suggestions") as batch:
        planned = batch.planned()
    told = dict(zip(planned["path"], planned["to do"], strict=True))
    assert told == {"0000.png": "leave", "0001.png": "refuse", "0002.jpg": "crop"}


def test_a_table_tells_how_wide_and_how_high_a_crop_is(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1)
    decide_all(folder, PixelBox(0, 0, 30, 20))
    with Batch(folder) as batch:
        assert list(batch.apply()["size"]) == ["30 x 20"]


def test_a_folder_that_holds_a_record_is_not_used_again(tmp_path: Path) -> None:
    wanted = tmp_path / "run"
    wanted.mkdir()
    assert run_folder.given_folder(wanted) == wanted
    (wanted / run_folder.RECORD).touch()
    beside = run_folder.given_folder(wanted)
    assert beside == tmp_path / "run-2"
    assert beside.stat().st_mode & 0o777 == 0o700
