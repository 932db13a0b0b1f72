"""A database that others hold, and a disk that is full: whole files, and the right error."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from campaigns import FULL, TOLD
from faults import Faulty, contents

from cropkit.collection import Collection
from cropkit.errors import AuditError, AuditLocked, CropkitError, InDoubt
from cropkit.geometry import PixelBox
from cropkit.system.files import Root

BOX = PixelBox(3, 5, 41, 37)
IMAGE = "a_stage2.png"
ROOM = 6 << 20


def holder(folder: Path) -> sqlite3.Connection:
    """Another program in the middle of a write, which knows nothing of our lock."""
    db = sqlite3.connect(folder / ".cropkit" / "cropkit.db", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    return db


def test_a_locked_database_at_the_claim_is_an_error_and_nothing_was_touched(folder: Path) -> None:
    before = contents(folder)
    with Collection(folder, deadline=0.2) as kit:
        with closing(holder(folder)), pytest.raises(AuditLocked):
            kit.crop(IMAGE, BOX)
        assert contents(folder) == before
        assert kit.fsck() == []
        kit.crop(IMAGE, BOX)
    TOLD.append("locked database: at the claim, at done")


@pytest.mark.parametrize("effect", ["replace", "fsync"])
def test_a_locked_database_at_prepared_or_done_is_settled_by_recovery(
    folder: Path, effect: str
) -> None:
    before = contents(folder)
    held: list[sqlite3.Connection] = []

    def hold(name: str) -> None:
        if name == effect and not held:
            held.append(holder(folder))

    system = Faulty(1, hold, persistent=True)
    kit = Collection(folder, deadline=0.2, system=system)
    system.armed = True
    with pytest.raises(CropkitError):
        kit.crop(IMAGE, BOX)
    system.armed = False
    held[0].close()
    kit.close()
    with Collection(folder) as later:
        assert later.fsck() == []
        assert later.trail.operations.unsettled() == []
        cropped = {one.path for one in later.trail.decisions.standing() if one.status == "cropped"}
        assert (contents(folder) == before) == (cropped == set())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    options = f"size={ROOM}"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        TOLD.append("NOT TRIED: a full disk (mounting a small tmpfs takes root)")
        pytest.skip("mounting a small tmpfs takes root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_disk_that_fills_up_at_any_level_loses_nothing(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rival eats the room right after we looked whether there is enough."""
    import pictures  # noqa: PLC0415  (a module of the tests)

    monkeypatch.setattr(Root, "check_room", lambda *_: None)
    folder = pictures.write_folder(small_disk / "collection")
    outcomes = {"cropped": 0, "failed": 0, "in doubt": 0}
    levels = range(0, 260, 4 if FULL else 20)
    for free in levels:
        before = contents(folder)
        outcome = crop_with_room(folder, free << 10)
        outcomes[outcome] += 1
        with Collection(folder) as kit:
            assert kit.fsck() == []
            assert kit.trail.operations.unsettled() == []
            if kit.trail.operations.undoable():
                assert outcome != "failed"
                kit.undo()
        assert contents(folder) == before
    assert outcomes["cropped"]
    assert outcomes["failed"] + outcomes["in doubt"]
    TOLD.append(f"full disk: {len(levels)} levels, {outcomes}")


def crop_with_room(folder: Path, free: int) -> str:
    ballast = folder.parent / "ballast"
    kit = Collection(folder)
    room = os.statvfs(folder)
    size = room.f_bavail * room.f_frsize - free
    ballast.write_bytes(bytes(size))
    try:
        kit.crop(IMAGE, BOX)
    except (InDoubt, AuditError):
        outcome = "in doubt"
    except CropkitError:
        outcome = "failed"
    else:
        outcome = "cropped"
    ballast.unlink()
    kit.close()
    return outcome
