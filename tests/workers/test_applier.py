"""Decisions carried out in another process, which may die at any moment."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from patience import patient
from PIL import Image

from cropkit import clock
from cropkit.collection import Collection
from cropkit.errors import AuditError
from cropkit.formats.options import Jpeg
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, Decision, ProblemKind, Status, Verdict
from cropkit.workers.applier import ApplierProcess, Errand
from cropkit.workers.child import ChildDied

BOX = PixelBox(3, 4, 40, 50)


@pytest.fixture
def kit(folder: Path) -> Iterator[Collection]:
    with Collection(folder) as kit:
        yield kit


@pytest.fixture
def workshop(kit: Collection) -> Iterator[ApplierProcess]:
    workshop = ApplierProcess(kit)
    yield workshop
    workshop.close()


def decided(kit: Collection, chosen: int | str = 0) -> Decision:
    pngs = [path for path in kit.images() if path.endswith(".png")]
    look = kit.look(chosen if isinstance(chosen, str) else pngs[chosen])
    now = clock.now()
    made = Decision(
        *(look.path, look.sha256, look.size, Verdict.ADJUSTED, BOX, kit.reviewer, kit.session),
        shown_at=now,
        decided_at=now,
    )
    kit.decide([made])
    return made


def kill(workshop: ApplierProcess, sent: signal.Signals = signal.SIGKILL) -> None:
    if workshop.pid:
        os.kill(workshop.pid, sent)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_decision_is_carried_out_in_another_process_and_taken_back_there(
    kit: Collection, workshop: ApplierProcess
) -> None:
    made = decided(kit)
    before = (kit.root / made.path).read_bytes()
    result = workshop.apply(made.id)
    assert (result.status, result.box_applied) == (Status.CROPPED, BOX)
    with Image.open(kit.root / made.path) as crop:
        assert crop.size == (37, 46)
    assert workshop.pid not in (None, os.getpid())
    assert {row["session"] for row in kit.trail.events(made.path)} >= {kit.session}
    assert kit.trail.presence.tally.cropped == 1, "what the other process did is of this session"
    assert workshop.retract(made.id).status is Status.RESTORED
    assert (kit.root / made.path).read_bytes() == before
    assert kit.fsck() == []


def test_an_interrupt_of_the_kernel_does_not_reach_its_process(
    kit: Collection, workshop: ApplierProcess
) -> None:
    workshop.apply(decided(kit).id)
    serving = workshop.pid
    kill(workshop, signal.SIGINT)
    assert workshop.apply(decided(kit, 1).id).status is Status.CROPPED
    assert workshop.pid == serving
    assert kit.counts().degraded == 0


def test_a_process_that_died_is_started_again_and_that_is_reported(
    kit: Collection, workshop: ApplierProcess
) -> None:
    told: list[str] = []
    kit.problems.listen(lambda problem: told.append(problem.kind))
    workshop.start()
    kill(workshop)
    made = decided(kit)
    assert workshop.apply(made.id).status is Status.CROPPED
    assert told == [ProblemKind.APPLIER_DIED]
    assert kit.counts().degraded == 1
    assert workshop.apply(decided(kit, 1).id).status is Status.CROPPED
    assert kit.fsck() == []


class Murdered(ApplierProcess):
    """Its process is killed so many seconds after it got its errand, as often as it is told."""

    after, times = 0.0, 0

    def _told(self, errand: Errand) -> CropResult:
        self.start()
        if not self.times:
            return super()._told(errand)
        self.times -= 1
        timer = threading.Timer(self.after, kill, [self])
        timer.start()
        try:
            if not self.after:
                timer.join()
            return super()._told(errand)
        finally:
            timer.join()


@pytest.fixture
def murdered(kit: Collection) -> Iterator[Murdered]:
    workshop = Murdered(kit)
    yield workshop
    workshop.close()


def test_a_decision_on_which_the_process_dies_twice_fails_and_the_original_stands(
    kit: Collection, murdered: Murdered
) -> None:
    made = decided(kit)
    before = (kit.root / made.path).read_bytes()
    murdered.times = 2
    result = murdered.apply(made.id)
    assert (result.status, result.code) == (Status.FAILED, "ApplierDied")
    assert "exit code -9" in (result.message or "")
    assert (kit.root / made.path).read_bytes() == before
    assert kit.trail.decisions.standing_by_path()[made.path].status is Status.FAILED
    assert murdered.apply(decided(kit, 1).id).status is Status.CROPPED
    assert kit.fsck() == []


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_decision_waits_where_the_process_was_stopped_and_not_the_image_at_fault(
    kit: Collection, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
) -> None:
    made = decided(kit)
    before = (kit.root / made.path).read_bytes()

    def stopped(_self: ApplierProcess, _errand: Errand) -> CropResult:
        raise ChildDied(-sent)

    stopping = ApplierProcess(kit)
    with monkeypatch.context() as ending:
        ending.setattr(ApplierProcess, "_told", stopped)
        result = stopping.apply(made.id)
    assert (result.status, result.code) == (Status.WAITING, "ApplierStopped")
    assert sent.name in (result.message or "")
    assert (kit.root / made.path).read_bytes() == before
    assert kit.trail.decisions.waiting() == [made.id]
    assert stopping.apply(made.id).status is Status.CROPPED
    stopping.close()
    assert kit.fsck() == []


def test_a_termination_in_the_middle_of_a_crop_leaves_the_decision_waiting(
    kit: Collection,
) -> None:
    made = decided(kit)
    hunted = Hunted(kit)
    hunted.times, hunted.sent = 1, signal.SIGTERM
    result = hunted.apply(made.id)
    hunted.close()
    assert result.status in (Status.WAITING, Status.CROPPED), result
    assert kit.trail.operations.unsettled() == []
    assert (
        kit.apply_waiting() == []
        or kit.trail.decisions.standing_by_path()[made.path].status is Status.CROPPED
    )
    assert kit.fsck() == []


@pytest.mark.parametrize("thousandths", [2, 5, 9, 14])
def test_what_was_given_up_leaves_no_operation_open(
    kit: Collection, murdered: Murdered, thousandths: int
) -> None:
    murdered.start()
    murdered.after, murdered.times = thousandths / 1000, 2
    murdered.apply(decided(kit).id)
    assert kit.trail.operations.unsettled() == []
    assert kit.fsck() == []


class Hunted(Murdered):
    """Its process is killed as soon as a crop lies on the stage, as often as it is told."""

    sent = signal.SIGKILL

    def _told(self, errand: Errand) -> CropResult:
        if not self.times:
            return super()._told(errand)
        self.times -= 1
        answered = threading.Event()
        hunter = threading.Thread(target=self._hunt, args=[answered])
        hunter.start()
        try:
            return super(Murdered, self)._told(errand)
        finally:
            answered.set()
            hunter.join()

    def _hunt(self, answered: threading.Event) -> None:
        """Kill it at the first sight of a crop; it may be done before the hunter looks."""
        stage = self._collection.root / ".cropkit" / "stage"
        while not answered.is_set():
            if any(stage.iterdir()):
                kill(self, self.sent)
                return


def test_whatever_was_under_way_when_it_died_for_good_is_settled_when_that_is_told(
    kit: Collection,
) -> None:
    """No process comes after the last one that would settle it at its start."""
    hunted = Hunted(kit)
    for _ in range(40):
        made = decided(kit)
        before = (kit.root / made.path).read_bytes()
        hunted.times = 2
        if hunted.apply(made.id).code == "ApplierDied":
            break
        kit.undo(made.path)
    else:
        pytest.fail("the hunter never came in time")
    hunted.close()
    assert kit.trail.operations.unsettled() == []
    assert list((kit.root / ".cropkit" / "stage").iterdir()) == []
    assert (kit.root / made.path).read_bytes() == before
    assert kit.fsck() == []


def test_a_decision_that_cannot_be_taken_back_stands_and_that_is_said(
    kit: Collection, murdered: Murdered
) -> None:
    made = decided(kit)
    murdered.apply(made.id)
    cropped = (kit.root / made.path).read_bytes()
    murdered.times = 2
    result = murdered.retract(made.id)
    assert (result.ok, result.code) == (False, "ApplierDied")
    assert (kit.root / made.path).read_bytes() == cropped
    assert kit.trail.decisions.standing_by_path()[made.path].status is Status.CROPPED


def test_killed_in_the_middle_of_its_work_it_ends_with_what_was_asked(
    kit: Collection, murdered: Murdered
) -> None:
    """Wherever it is hit: the next one finds the files settled, and does what is left to do."""
    before = {path: (kit.root / path).read_bytes() for path in kit.images()}
    for thousandths in (1, 4, 8, 12, 20, 30):
        murdered.start()
        made = decided(kit)
        murdered.after, murdered.times = thousandths / 1000, 1
        assert murdered.apply(made.id).status is Status.CROPPED
        assert murdered.retract(made.id).status is Status.RESTORED
    assert {path: (kit.root / path).read_bytes() for path in kit.images()} == before
    assert kit.fsck() == []


def test_it_ends_with_whoever_asks_and_leaves_nothing_open(kit: Collection) -> None:
    workshop = ApplierProcess(kit)
    workshop.start()
    pid = workshop.pid
    assert pid is not None
    workshop.close()
    end = time.monotonic() + patient(10)
    while alive(pid):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert workshop.pid is None


def test_a_collection_that_cannot_be_opened_there_stops_the_work(
    kit: Collection, workshop: ApplierProcess
) -> None:
    made = decided(kit)
    with kit.trail.store.transaction() as db:
        db.exec_driver_sql("PRAGMA user_version = 999")
    with pytest.raises(AuditError, match="newer cropkit"):
        workshop.apply(made.id)


def test_options_chosen_meanwhile_are_those_it_works_with(
    kit: Collection, workshop: ApplierProcess
) -> None:
    workshop.start()
    first = workshop.pid
    kit.choose(kit.options)
    workshop.start()
    assert workshop.pid == first
    kit.choose(replace(kit.options, jpeg=Jpeg.EXACT))
    photo = next(path for path in kit.images() if path.endswith(".jpg"))
    assert workshop.apply(decided(kit, photo).id).box_applied == BOX
    assert workshop.pid != first
