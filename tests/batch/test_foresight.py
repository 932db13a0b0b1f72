"""What a batch foresees: right, complete, and without writing a byte."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pictures
import pytest
from faults import contents, deny
from queueing import BOX, collection, decide_all, decision, troubled

from cropkit.batch import Batch, Plan
from cropkit.batch.dry_run import foreseen
from cropkit.batch.preflight import needed_bytes
from cropkit.collection import Collection
from cropkit.errors import (
    AuditLocked,
    AuditMissing,
    BadParameterValue,
    CropkitError,
    MissingFile,
    NoImages,
    NoSpace,
    NotReady,
    ReadOnly,
)
from cropkit.geometry import PixelBox
from cropkit.system.locks import exclusive
from cropkit.system.scope import Scope

ROOT = Path(__file__).parent.parent.parent


def everything(folder: Path) -> dict[str, tuple[int, ...]]:
    """Every name below a folder, with what a write would change."""
    stamps = {str(path): path.lstat() for path in [folder, *folder.rglob("*")]}
    return {name: (s.st_size, s.st_mtime_ns, s.st_ino, s.st_mode) for name, s in stamps.items()}


def plan(folder: Path, **parameters: Any) -> Plan:
    before = everything(folder)
    made, _ = foreseen(folder, parameters)
    assert everything(folder) == before, "a dry run writes nothing at all"
    return made


def in_the_way(folder: Path, **parameters: Any) -> tuple[CropkitError, ...]:
    return foreseen(folder, parameters)[1]


def test_what_waits_is_foreseen_with_its_bytes_and_place(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 4)
    decide_all(folder)
    made = plan(folder)
    assert [item.path for item in made.ready] == ["0000.png", "0001.png", "0002.jpg", "0003.png"]
    assert made.size_bytes == sum((folder / i.path).stat().st_size for i in made.items)
    assert made.destinations == ()
    assert not made.refused
    assert not made.passed


def test_what_will_be_refused_is_foreseen_as_it_will_happen(tmp_path: Path) -> None:
    folder = troubled(tmp_path / "c")
    foretold = {path: error.code for path, error in plan(folder).refused}
    with Batch(folder) as batch:
        batch.apply()
        happened = {e.path: e.code for e in batch.run.unwell}
    assert foretold == happened
    assert sorted(foretold.values()) == ["MissingFile", "StaleDecision", "StaleDecision"]


def test_a_folder_that_cannot_be_read_is_foreseen_and_ends_the_batch_unwell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collection(tmp_path / "c", 2)
    (folder / "closed").mkdir()
    deny(monkeypatch, "closed")
    found = [(one.path, one.error.code) for one in plan(folder, source="suggestions").unread]
    assert found == [("closed", "ReadOnly")]


def test_a_name_that_is_taken_at_the_destination_is_foreseen(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 3)
    decide_all(folder)
    out = tmp_path / "out"
    out.mkdir()
    (out / "0001.png").write_bytes(b"mine")
    made = plan(folder, destination=str(out))
    assert [(path, error.code) for path, error in made.refused] == [("0001.png", "NameTaken")]
    assert made.destinations == (str(out),)
    assert plan(folder, destination=str(folder / "out")).destinations == ("out",)
    elsewhere = plan(folder, destination=str(tmp_path / "not there yet" / "x"))
    assert elsewhere.refused == ()
    assert elsewhere.destinations == (str(tmp_path / "not there yet" / "x"),)
    assert not (tmp_path / "not there yet").exists()


def test_suggestions_are_taken_of_what_nobody_has_decided(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 5, sidecars=True)
    (folder / "0002.decision").write_text("{", encoding="utf-8")
    (folder / "0003.decision").unlink()
    (folder / "0004.png").write_bytes(b"not an image")
    with Collection(folder, reviewer="ann") as kit:
        kit.decide([decision(kit, "0001.png")])
    made = plan(folder, source="suggestions")
    assert [item.path for item in made.ready] == ["0000.png"]
    assert made.ready[0].decision.box == PixelBox(12, 32, 84, 96)
    assert made.ready[0].decision.reviewer.startswith("batch of ")
    reasons = {one.path: one.reason for one in made.passed}
    assert reasons["0001.png"] == "decided already: adjusted, waiting"
    assert reasons["0002.jpg"].startswith("suggestion not used: is not JSON")
    assert reasons["0003.png"] == "no suggestion"
    assert [path for path, _ in made.refused] == ["0004.png"]
    assert len(made.problems) == 1


def test_a_suggestion_that_states_too_little_confidence_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    for name, confidence in (("sure", 0.9), ("unsure", 0.3), ("silent", None)):
        image = pictures.write_png(folder / f"{name}_stage1.png")
        chosen = {"selected_image": image.name, "crop_coords": [0.1, 0.1, 0.9, 0.9]}
        record = {"images": [image.name], "ai_recommendation": chosen | {"confidence": confidence}}
        (folder / f"{name}.decision").write_text(json.dumps(record), encoding="utf-8")
    made = plan(folder, source="suggestions", min_confidence=0.5)
    assert {item.path for item in made.ready} == {"sure_stage1.png", "silent_stage1.png"}
    assert [(p.path, p.reason) for p in made.passed] == [
        ("unsure_stage1.png", "confidence 0.3 is under 0.5")
    ]


def test_a_confidence_that_is_just_enough_is_enough(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    image = pictures.write_png(folder / "just_stage1.png")
    chosen = {"selected_image": image.name, "crop_coords": [0.1, 0.1, 0.9, 0.9], "confidence": 0.5}
    record = {"images": [image.name], "ai_recommendation": chosen}
    (folder / "just.decision").write_text(json.dumps(record), encoding="utf-8")
    enough = plan(folder, source="suggestions", min_confidence=0.5)
    assert [item.path for item in enough.ready] == [image.name]
    assert plan(folder, source="suggestions", min_confidence=0.51).ready == ()


def test_the_outcome_of_a_crop_is_not_cropped_again(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2, sidecars=True)
    with Collection(folder) as kit:
        kit.crop("0000.png", BOX)
    (folder / "copy.png").write_bytes((folder / "0000.png").read_bytes())
    pictures.write_sidecar(folder / "copy.png", [0.1, 0.1, 0.9, 0.9])
    made = plan(folder, source="suggestions")
    assert [item.path for item in made.ready] == ["0001.png"]
    assert ("copy.png", "is the outcome of a crop") in {(p.path, p.reason) for p in made.passed}


def test_a_folder_without_cropkits_own_stays_without_it(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2, sidecars=True)
    assert len(plan(folder, source="suggestions").ready) == 2
    assert plan(folder).items == ()
    assert not (folder / ".cropkit").exists()


def test_a_dry_run_reads_what_a_living_review_has_just_written(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2)
    with Collection(folder, reviewer="ann") as kit:
        kit.decide([decision(kit, "0001.png")])
        assert (folder / ".cropkit" / "cropkit.db-wal").stat().st_size
        assert [item.path for item in plan(folder).ready] == ["0001.png"]


def test_what_cannot_be_opened_cannot_be_foreseen(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1)
    with pytest.raises(MissingFile):
        foreseen(tmp_path / "nowhere", {})
    with pytest.raises(BadParameterValue, match="queue or suggestions"):
        foreseen(folder, {"source": "oracle"})
    (tmp_path / "empty").mkdir()
    for source in ("queue", "suggestions"):
        with pytest.raises(NoImages):
            foreseen(tmp_path / "empty", {"source": source})
    decide_all(folder)
    (folder / ".cropkit" / "cropkit.db").unlink()
    with pytest.raises(AuditMissing, match=str(folder)):
        foreseen(folder, {})


def test_a_trail_that_is_locked_for_long_is_told(tmp_path: Path, monkeypatch: Any) -> None:
    folder = collection(tmp_path / "c", 1)
    decide_all(folder)
    monkeypatch.setattr("cropkit.audit.trail_copy.DEADLINE", 0.1)
    from cropkit.audit.trail_copy import copied_trail  # noqa: PLC0415  (with its own deadline)

    with (
        exclusive(folder / ".cropkit" / "writer.lock", 1),
        pytest.raises(AuditLocked),
        copied_trail(Scope(folder), 0.1),
    ):
        pass


# -- what is in the way --------------------------------------------------------------------------


def test_a_disk_that_is_too_small_stops_a_batch_before_it_begins(
    tmp_path: Path, monkeypatch: Any
) -> None:
    folder = collection(tmp_path / "c", 3)
    decide_all(folder)
    before = contents(folder)
    sizes = [(folder / item.path).stat().st_size for item in plan(folder).ready]
    needed = sum(sizes) + 3 * max(sizes) + 16 * 1024 * 1024
    assert needed_bytes(plan(folder).ready) == needed
    monkeypatch.setattr("cropkit.system.files.Root.free_bytes", lambda _root: needed - 1)
    (error,) = in_the_way(folder)
    assert isinstance(error, NoSpace)
    with Batch(folder) as batch:
        with pytest.raises(NotReady, match=rf"needs {needed} bytes"):
            batch.apply()
        assert contents(folder) == before
        assert len(batch.collection.trail.decisions.waiting()) == 3, "they go on waiting"
        assert batch.run.counts["unfinished"] == 3
    monkeypatch.setattr("cropkit.system.files.Root.free_bytes", lambda _root: needed)
    assert in_the_way(folder) == ()


def test_a_disk_that_fills_up_on_the_way_stops_the_batch_and_refuses_nothing(
    tmp_path: Path, monkeypatch: Any
) -> None:
    folder = collection(tmp_path / "c", 6)
    decide_all(folder)
    monkeypatch.setattr("cropkit.batch.batch._TOGETHER", 2)
    with Batch(folder, workers=1) as batch:
        room = iter([10**12] * 2)
        check = Batch._check_room  # noqa: SLF001  (what a full disk would make fail)

        def full_at_last(self: Batch, items: Any) -> None:
            if next(room, None) is None:
                raise NoSpace(self.collection.root, 1, 0)
            check(self, items)

        monkeypatch.setattr(Batch, "_check_room", full_at_last)
        with pytest.raises(NoSpace):
            batch.apply()
        counts = batch.run.counts
        assert counts["refused"] == counts["failed"] == 0
        assert counts["cropped"] + counts["unfinished"] == 6
        assert counts["unfinished"] >= 2
    monkeypatch.undo()
    with Batch(folder) as batch:
        batch.apply()
        assert batch.result()["ok"]
    with Collection(folder) as kit:
        assert sum(e["event"] == "cropped" for e in kit.trail.events()) == 6


NOBODY = 65534


def test_a_folder_that_may_not_be_written_is_in_the_way() -> None:
    """Root may write everywhere, so it is asked by somebody who may not."""
    with tempfile.TemporaryDirectory() as place:  # pytest's own is closed to others
        Path(place).chmod(0o755)
        _ask_somebody_who_may_not_write(collection(Path(place) / "c", 2, sidecars=True))


def _ask_somebody_who_may_not_write(folder: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from cropkit.batch.dry_run import foreseen\n"
        "from cropkit.batch.preflight import hindrances\n"
        "from cropkit.engine.locations import Locations\n"
        "from cropkit.system.files import Root\n"
        "folder = Path(sys.argv[1]); plan, _ = foreseen(folder, {'source': 'suggestions'})\n"
        f"os.getuid() or (os.setgid({NOBODY}), os.setuid({NOBODY}))\n"
        "sys.stdout.write(' '.join(e.code for e in hindrances(plan, Locations(Root(folder)))))"
    )
    folder.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ReadOnly.__name__
    assert in_the_way(folder.parent / "c", source="queue") == ()
