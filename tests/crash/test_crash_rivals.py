"""What others do in the middle of an operation: processes, programs, a disk that errs."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from faults import Faulty, contents
from patience import patient
from scenarios import decide

from cropkit.collection import Collection
from cropkit.engine.planning import chosen_to_purge
from cropkit.errors import AuditLocked, Busy, CropkitError, StaleDecision, VerificationFailed
from cropkit.geometry import PixelBox
from cropkit.records import Status

CLONE = Path(__file__).resolve().parents[2]
BOX = PixelBox(3, 5, 41, 37)
SYNC_OF_THE_ORIGINALS = 3  # after those of the original and of what was staged
IMAGE, TWIN = "a_stage2.png", "twin.png"


def test_an_operation_that_fails_leaves_the_original_that_its_twin_needs(folder: Path) -> None:
    """Both keep the same content; the one that kept it first fails after the other is done."""
    shutil.copy(folder / IMAGE, folder / TWIN)
    data = (folder / IMAGE).read_bytes()

    def twin_is_cropped_and_this_fails(name: str) -> None:
        if name == "replace":
            with Collection(folder, deadline=0.2) as other, suppress(Busy):
                other.crop(TWIN, BOX)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    system = Faulty(1, twin_is_cropped_and_this_fails, persistent=True)
    with Collection(folder, system=system) as kit:
        system.armed = True
        with pytest.raises(CropkitError):
            kit.crop(IMAGE, BOX)
    with Collection(folder) as kit:
        if (folder / TWIN).read_bytes() == data:
            kit.crop(TWIN, BOX)
        assert kit.fsck() == []
        kit.undo(TWIN)
    assert (folder / TWIN).read_bytes() == (folder / IMAGE).read_bytes() == data


def test_an_operation_that_fails_takes_no_original_from_a_twin_under_way(folder: Path) -> None:
    """This one fails when the twin has proven that their original is kept, and not switched yet."""
    shutil.copy(folder / IMAGE, folder / TWIN)
    data = (folder / IMAGE).read_bytes()
    twin_has_proven, this_has_failed = threading.Event(), threading.Event()
    syncs = iter(range(1, 100))

    def wait_before_the_intent(name: str) -> None:
        if name == "fsync" and next(syncs) == SYNC_OF_THE_ORIGINALS:
            twin_has_proven.set()
            assert this_has_failed.wait(patient(20))

    def crop_the_twin() -> None:
        system = Faulty(1, wait_before_the_intent, persistent=True)
        with Collection(folder, deadline=0.2, system=system) as other, suppress(Busy):
            system.armed = True
            other.crop(TWIN, BOX)
        twin_has_proven.set()

    twin = threading.Thread(target=crop_the_twin)

    def fail_meanwhile() -> None:
        twin.start()
        assert twin_has_proven.wait(patient(20))
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    system = interrupted("fsync", fail_meanwhile)
    with Collection(folder, system=system) as kit:
        kit.trail.plan([])  # what a session syncs once, it has synced
        system.armed = True
        with pytest.raises(CropkitError):
            kit.crop(IMAGE, BOX)
    this_has_failed.set()
    twin.join(patient(30))
    with Collection(folder) as kit:
        assert kit.fsck() == []
        if (folder / TWIN).read_bytes() != data:
            kit.undo(TWIN)
    assert (folder / TWIN).read_bytes() == (folder / IMAGE).read_bytes() == data


def test_a_purge_waits_for_who_needs_the_original(folder: Path) -> None:
    """The twin's crop counts on an original that is about to be purged."""
    shutil.copy(folder / IMAGE, folder / TWIN)
    data = (folder / IMAGE).read_bytes()

    def purge_meanwhile() -> None:
        with Collection(folder, deadline=0.2) as other:
            other.purge(keep_bytes=0)

    with Collection(folder) as kit:
        kit.crop(IMAGE, BOX)
    system = interrupted("replace", purge_meanwhile)
    with Collection(folder, system=system) as kit:
        system.armed = True
        kit.crop(TWIN, BOX)
        assert kit.fsck() == []
        kit.undo(TWIN)
    assert (folder / TWIN).read_bytes() == data


def test_an_original_that_is_needed_again_is_not_purged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the choice of the originals and the claim on the first, its twin is cropped."""
    shutil.copy(folder / IMAGE, folder / TWIN)
    data = (folder / IMAGE).read_bytes()
    with Collection(folder, deadline=0.2) as kit, Collection(folder) as other:
        kit.crop(IMAGE, BOX)

        def choose_and_be_late(*asked: Any) -> list[str]:
            found = chosen_to_purge(*asked)
            other.crop(TWIN, BOX)
            return found

        monkeypatch.setattr("cropkit.engine.undoing.chosen_to_purge", choose_and_be_late)
        (result,) = kit.purge(keep_bytes=0)
        assert result.code == "Busy"
        other.undo(TWIN)
        assert kit.fsck() == []
    assert (folder / TWIN).read_bytes() == data


def interrupted(effect: str, act: Callable[[], object]) -> Faulty:
    """A system in which something happens before the first effect of a kind."""

    def once(name: str) -> None:
        if name == effect and system.armed:
            system.armed = False
            act()

    system = Faulty(1, once, persistent=True)
    return system


def test_what_another_program_wrote_before_the_switch_stays(folder: Path) -> None:
    foreign = (folder / "b_stage2.png").read_bytes()

    def another_program_saves() -> None:
        (folder / "new").write_bytes(foreign)
        (folder / "new").replace(folder / IMAGE)

    data = (folder / IMAGE).read_bytes()
    system = interrupted("fsync", another_program_saves)
    with Collection(folder, system=system) as kit:
        kit.trail.plan([])  # what a session syncs once, it has synced
        system.armed = True
        with pytest.raises(StaleDecision):
            kit.crop(IMAGE, BOX)
        (left_over,) = kit.fsck()
    assert (folder / IMAGE).read_bytes() == foreign
    # by now the only copy of what was overwritten: kept, and told
    assert (folder / left_over.path).read_bytes() == data


def test_a_companion_stays_when_its_new_name_is_not_ours_any_more(folder: Path) -> None:
    moved = folder / "moved" / "a_stage2.decision"
    data = (folder / moved.name).read_bytes()

    def another_program_saves(name: str) -> None:
        if name == "fsync" and moved.exists():
            moved.unlink()
            moved.write_text("{}")

    system = Faulty(1, another_program_saves, persistent=True)
    with Collection(folder, destination=folder / "moved", system=system) as kit:
        system.armed = True
        kit.crop(IMAGE, BOX)
    assert (folder / moved.name).read_bytes() == data
    assert moved.read_text() == "{}"


def test_a_decision_on_other_content_is_stale(folder: Path) -> None:
    with Collection(folder) as kit:
        made = decide(kit)
        shutil.copy(folder / "b_stage2.png", folder / IMAGE)
        assert kit.apply(made).status is Status.STALE
    assert (folder / IMAGE).read_bytes() == (folder / "b_stage2.png").read_bytes()


def test_a_candidate_that_is_not_on_disk_as_it_was_made_is_discarded(folder: Path) -> None:
    before = contents(folder)

    def the_disk_errs() -> None:
        (staged,) = (folder / ".cropkit" / "stage").iterdir()
        with staged.open("ab") as file:
            file.write(b"\0")

    system = interrupted("fsync", the_disk_errs)
    with Collection(folder, system=system) as kit:
        kit.trail.plan([])  # what a session syncs once, it has synced
        system.armed = True
        with pytest.raises(VerificationFailed):
            kit.crop(IMAGE, BOX)
        assert kit.fsck() == []
    assert contents(folder) == before


def test_an_original_that_is_not_on_disk_as_it_was_is_not_put_back(folder: Path) -> None:
    def the_disk_errs() -> None:
        (staged,) = (folder / ".cropkit" / "stage").iterdir()
        with staged.open("ab") as file:
            file.write(b"\0")

    system = interrupted("fsync", the_disk_errs)
    with Collection(folder, system=system) as kit:
        kit.crop(IMAGE, BOX)
        before = contents(folder)
        system.armed = True
        (result,) = kit.undo()
        assert result.status is Status.FAILED
        assert kit.fsck() == []
    assert contents(folder) == before


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_sync_that_failed_is_no_success(folder: Path, number: int) -> None:
    before, syncs = contents(folder), iter(range(1, 100))

    def fail(name: str) -> None:
        if name == "fsync" and next(syncs) == number:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    system = Faulty(1, fail, persistent=True)
    with Collection(folder, system=system) as kit:
        system.armed = True
        with pytest.raises(CropkitError):
            kit.crop(IMAGE, BOX)
        system.armed = False
    with Collection(folder) as kit:
        assert kit.fsck() == []
    assert contents(folder) == before


def test_who_lives_is_not_recovered_from(folder: Path) -> None:
    found: list[object] = []
    system = interrupted("replace", lambda: found.extend(_opened(folder)))
    with Collection(folder, system=system) as kit:
        system.armed = True
        kit.crop(IMAGE, BOX)
        assert not system.armed
        assert found == []
        assert kit.fsck() == []


def _opened(folder: Path) -> list[object]:
    with Collection(folder) as other:
        return list(other.recovered)


def test_who_is_stopped_with_the_lock_in_hand_blocks_nobody_for_ever(folder: Path) -> None:
    before = contents(folder)
    with Collection(folder, deadline=0.3) as kit:
        with stopped_holder(folder / ".cropkit" / "writer.lock"), pytest.raises(AuditLocked):
            kit.crop(IMAGE, BOX)
        assert contents(folder) == before
        kit.crop(IMAGE, BOX)
        assert kit.fsck() == []


@contextmanager
def stopped_holder(lock: Path) -> Iterator[None]:
    """A process that holds a lock and was sent to sleep by its user."""
    holds = "import sys, time; from pathlib import Path; from cropkit.system.locks import hold\n"
    holds += "hold(Path(sys.argv[1]), 'a test'); print('held', end='', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", holds, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=CLONE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.read(4) == b"held"
        holder.send_signal(signal.SIGSTOP)
        yield
        holder.kill()
