"""A decision is carried out only as the trail tells it: a row that somebody wrote makes none."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pictures
import pytest
from deciding import BOX, decided
from faults import as_format_1, as_format_5, as_format_6
from shell import run
from trails import change, cut_off, rows

from cropkit.audit.schema import metadata
from cropkit.batch.dry_run import foreseen
from cropkit.cli import main
from cropkit.collection import Collection, rebuild
from cropkit.errors import ApplierDied, LosslessUnavailable, TrailDisagrees
from cropkit.geometry import NormalizedBox, PixelBox
from cropkit.records import CropResult, Status, Suggestion, Verdict
from cropkit.workers.applier import ApplierProcess

A, B, C = "a_stage2.png", "b_stage2.png", "c.jpg"
SUGGESTION = Suggestion(NormalizedBox(0.1, 0.1, 0.9, 0.9), "ours", "1", 0, 0.5)
OTHER_BOX = PixelBox(1, 2, 30, 40)
Forgery = Callable[[Path, str], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of mine in which nothing waits."""
    return pictures.write_folder(tmp_path / "collection")


def images(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def waits(folder: Path, image: str = A, **fields: object) -> str:
    with Collection(folder) as collection:
        return decided(collection, image, **fields)  # type: ignore[arg-type]  # (a bag of fields)


def let_wait(folder: Path, wanted: str) -> None:
    assert change(folder, "UPDATE queue SET status = 'waiting' WHERE decision = ?", wanted) == 1


def applied(folder: Path) -> dict[str, CropResult]:
    with Collection(folder) as collection:
        return {result.path: result for result in collection.apply_waiting()}


def check_is_left_alone(folder: Path, wanted: str, about: str = A) -> None:
    """Carry out what waits: that one does not change anything, and does not hinder another one."""
    waits(folder, B)
    before = images(folder)
    results = applied(folder)
    after = images(folder)
    assert results[B].status is Status.CROPPED
    assert (results[about].status, results[about].code) == (Status.REFUSED, "TrailDisagrees")
    assert {name for name in before if after.get(name) != before[name]} == {B}
    assert before.keys() == after.keys()
    (row,) = rows(folder, f"SELECT status FROM queue WHERE decision = '{wanted}'")  # noqa: S608  (an id of ours)
    assert row == {"status": "waiting"}


# -- a row that was changed ------------------------------------------------------------------------

CHANGED: dict[str, object] = {
    "path": C,
    "sha256": "f" * 64,
    "width": 4000,
    "height": 4000,
    "verdict": "accept",
    "box_left": 11,
    "box_top": 21,
    "box_right": 59,
    "box_bottom": 89,
    "suggestion_source": "somebody",
    "suggestion_version": "9",
    "suggestion_rank": 3,
    "suggestion_confidence": 0.9,
    "suggestion_left": 0.2,
    "suggestion_top": 0.2,
    "suggestion_right": 0.8,
    "suggestion_bottom": 0.8,
    "reviewer": "somebody",
    "session": "another",
    "shown_at": "2001-01-01T00:00:00.000000Z",
    "decided_at": "2031-01-01T00:00:00.000000Z",
    "destination": "elsewhere",
    "slot": "another",
    "target": "1x1",
    "copying": "format=png",
    "turn": "90",
    "normalized_left": 0.01,
    "normalized_top": -1,
    "normalized_right": None,
    "normalized_bottom": "x",
    "iou": 0.5,
    "edges_within_5_percent": 3,
}
QUEUED: dict[str, object] = {"path": C, "slot": "another", "stands": None, "destination": "x"}
# numbers, and what tells how it stands
NOT_TOLD = {"seq", "id", "decision", "status", "operation", "code", "message", "updated_at"}


def test_each_field_that_is_told_is_tried() -> None:
    names = {column.name for table in ("decision", "queue") for column in metadata.tables[table].c}
    left = names - NOT_TOLD - set(CHANGED) - set(QUEUED)
    assert all(name.startswith("shown_") for name in left), left


@pytest.mark.parametrize("name", CHANGED)
def test_a_field_that_was_changed(folder: Path, name: str) -> None:
    wanted = waits(folder, suggestion=SUGGESTION)
    table, key = ("queue", "decision") if name == "destination" else ("decision", "id")
    statement = f"UPDATE {table} SET {name} = ? WHERE {key} = ?"  # noqa: S608  (names of ours)
    assert change(folder, statement, CHANGED[name], wanted) == 1
    check_is_left_alone(folder, wanted, C if name == "path" else A)


@pytest.mark.parametrize("name", QUEUED)
def test_a_field_of_the_queue_that_was_changed(folder: Path, name: str) -> None:
    wanted = waits(folder)
    statement = f"UPDATE queue SET {name} = ? WHERE decision = ?"  # noqa: S608  (names of ours)
    assert change(folder, statement, QUEUED[name], wanted) == 1
    check_is_left_alone(folder, wanted)


def test_a_box_that_was_shown_is_another_one(folder: Path) -> None:
    wanted = waits(folder)
    edges = "shown_left = 1, shown_top = 2, shown_right = 30, shown_bottom = 40"
    assert change(folder, f"UPDATE decision SET {edges} WHERE id = ?", wanted) == 1  # noqa: S608  (names of ours)
    check_is_left_alone(folder, wanted)


def reject(folder: Path, wanted: str) -> None:
    edges = "box_left = NULL, box_top = NULL, box_right = NULL, box_bottom = NULL"
    change(folder, f"UPDATE decision SET verdict = 'reject', {edges} WHERE id = ?", wanted)  # noqa: S608  (names of ours)


def copy_under_another_id(folder: Path, wanted: str) -> None:
    for table, key in (("decision", "id"), ("queue", "decision")):
        names = ", ".join(c.name for c in metadata.tables[table].c if c.name not in ("seq", key))
        row = f"SELECT '{'e' * 32}', {names} FROM {table} WHERE {key} = ?"  # noqa: S608  (names of ours)
        assert change(folder, f"INSERT INTO {table} ({key}, {names}) {row}", wanted) == 1
    change(folder, "DELETE FROM queue WHERE decision = ?", wanted)


def test_a_crop_that_was_made_a_reject(folder: Path) -> None:
    wanted = waits(folder)
    reject(folder, wanted)
    check_is_left_alone(folder, wanted)


def test_a_row_that_was_added(folder: Path) -> None:
    copy_under_another_id(folder, waits(folder))
    check_is_left_alone(folder, "e" * 32)


@pytest.mark.parametrize("status", ["skipped", "failed", "refused", "stale", "superseded"])
def test_one_that_was_added_and_does_not_wait_is_not_taken_back(folder: Path, status: str) -> None:
    """An event about what no event tells of leads nowhere: no table could be made of it."""
    copy_under_another_id(folder, waits(folder))
    change(folder, "UPDATE queue SET status = ?", status)
    events = rows(folder, "SELECT * FROM audit WHERE event = 'withdrawn'")
    with Collection(folder) as collection:
        result = collection.undoer.retract("e" * 32)
        assert (result.path, result.status, result.code) == (A, Status.REFUSED, "TrailDisagrees")
        with pytest.raises(TrailDisagrees):
            collection.trail.withdraw("e" * 32)
    assert rows(folder, "SELECT * FROM audit WHERE event = 'withdrawn'") == events
    rebuild(folder)
    with Collection(folder) as collection:
        assert collection.fsck() == []


# -- a row that was put back to waiting ------------------------------------------------------------


def test_a_skip(folder: Path) -> None:
    wanted = waits(folder, verdict=Verdict.SKIP, box=None)
    let_wait(folder, wanted)
    check_is_left_alone(folder, wanted)


def test_a_skip_that_was_given_a_box(folder: Path) -> None:
    wanted = waits(folder, verdict=Verdict.SKIP, box=None)
    edges = "box_left = 1, box_top = 1, box_right = 9, box_bottom = 9"
    change(folder, f"UPDATE decision SET verdict = 'adjusted', {edges} WHERE id = ?", wanted)  # noqa: S608  (names of ours)
    let_wait(folder, wanted)
    check_is_left_alone(folder, wanted)


def test_one_that_was_taken_back(folder: Path) -> None:
    with Collection(folder) as collection:
        wanted = decided(collection, A)
        assert collection.undoer.retract(wanted).ok
    let_wait(folder, wanted)
    check_is_left_alone(folder, wanted)


def test_one_that_was_superseded(folder: Path) -> None:
    wanted = waits(folder)
    later = waits(folder, box=None, verdict=Verdict.SKIP)
    change(folder, "DELETE FROM queue WHERE decision = ?", later)
    let_wait(folder, wanted)
    check_is_left_alone(folder, wanted)


def test_one_that_was_carried_out_and_undone(folder: Path) -> None:
    wanted = waits(folder)
    assert applied(folder)[A].ok
    with Collection(folder) as collection:
        assert collection.undo(A)[0].ok
    let_wait(folder, wanted)
    change(folder, "UPDATE queue SET operation = NULL")
    check_is_left_alone(folder, wanted)


def test_one_that_was_refused(folder: Path) -> None:
    wanted = waits(folder)
    original = (folder / A).read_bytes()
    (folder / A).write_bytes(b"something else")
    assert not applied(folder)[A].ok
    (folder / A).write_bytes(original)
    let_wait(folder, wanted)
    check_is_left_alone(folder, wanted)


# -- whoever would carry it out --------------------------------------------------------------------


@pytest.fixture
def forged(folder: Path) -> tuple[Path, str]:
    """A collection with a decision whose box is another one than was decided."""
    wanted = waits(folder)
    change(folder, "UPDATE decision SET box_left = 0")
    return folder, wanted


def test_the_shell_says_so_and_fails(
    forged: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = forged
    before = images(folder)
    assert main(["apply", str(folder), "--json"]) == 1
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert (result["status"], result["code"]) == ("refused", "TrailDisagrees")
    assert images(folder) == before
    with Collection(folder) as collection:
        (event,) = (e for e in collection.trail.events(A) if e["event"] == "refused")
        assert json.loads(event["body"])["decision"] is None


def test_a_batch_says_so_and_fails(forged: tuple[Path, str]) -> None:
    folder, _ = forged
    waits(folder, B)
    before = images(folder)
    plan, _ = foreseen(folder, {})
    assert [(path, error.code) for path, error in plan.refused] == [(A, "TrailDisagrees")]
    done = run("batch", str(folder))
    assert done.returncode == 1
    (record,) = (folder / ".cropkit" / "runs").glob("*/run.json")
    entries = {each["path"]: each for each in json.loads(record.read_text())["entries"]}
    assert (entries[A]["status"], entries[A]["code"]) == ("refused", "TrailDisagrees")
    assert entries[B]["status"] == "cropped"
    assert images(folder)[A] == before[A]


def test_the_process_of_a_review_says_so(forged: tuple[Path, str]) -> None:
    folder, wanted = forged
    before = images(folder)
    with Collection(folder) as collection:
        process = ApplierProcess(collection)
        try:
            assert process.apply(wanted).code == "TrailDisagrees"
            assert process.retract(wanted).code == "TrailDisagrees"
        finally:
            process.close()
        assert collection.executor.give_up(wanted, ApplierDied(A, 1)).code == "TrailDisagrees"
    assert images(folder) == before


def test_taking_one_back_brings_no_other_image_back(folder: Path) -> None:
    wanted, other = waits(folder), waits(folder, B)
    assert all(result.ok for result in applied(folder).values())
    (row,) = rows(folder, f"SELECT operation FROM queue WHERE decision = '{other}'")  # noqa: S608  (an id of ours)
    change(folder, "UPDATE queue SET operation = ? WHERE decision = ?", row["operation"], wanted)
    before = images(folder)
    with Collection(folder) as collection:
        assert collection.undoer.retract(wanted).code == "TrailDisagrees"
        assert images(folder) == before
        assert collection.undoer.retract(other).ok


def test_it_is_mended_from_the_trail_or_decided_anew(forged: tuple[Path, str]) -> None:
    folder, _ = forged
    applied(folder)
    rebuild(folder)
    assert applied(folder)[A].box_asked == BOX
    change(folder, "UPDATE decision SET box_left = 0 WHERE id = ?", waits(folder, B))
    waits(folder, B, box=OTHER_BOX)
    assert applied(folder)[B].box_asked == OTHER_BOX


# -- what goes on ----------------------------------------------------------------------------------


@pytest.mark.parametrize("as_before", [as_format_1, as_format_5, as_format_6])
def test_what_an_older_format_decided_is_carried_out(
    folder: Path, as_before: Callable[[Path], None]
) -> None:
    waits(folder)
    as_before(folder)
    assert applied(folder)[A].ok


def test_what_the_first_versions_told_is_not_enough_and_is_decided_anew(folder: Path) -> None:
    """They had no export, and in the trail only the verdict, the box and the content."""
    wanted = waits(folder)
    body = json.dumps({"decision": wanted, "verdict": "adjusted", "box": BOX.xyxy})
    assert change(folder, "UPDATE audit SET body = ? WHERE event = 'decided'", body) == 1
    waits(folder, B)
    results = applied(folder)
    assert (results[A].code, results[B].status) == ("TrailDisagrees", Status.CROPPED)
    waits(folder)
    assert applied(folder)[A].ok


def test_what_waited_for_an_obstacle_is_carried_out(folder: Path) -> None:
    with Collection(folder) as collection:
        wanted = decided(collection, A)
        decision, _ = collection.trail.decisions.by_id(wanted)
        lacking = LosslessUnavailable(A, "gone")
        result = CropResult(Status.WAITING, A, lacking.code, str(lacking), box_asked=decision.box)
        collection.trail.settle(wanted, result)
        assert collection.apply(wanted).ok


def test_what_recovery_let_wait_is_carried_out(folder: Path) -> None:
    cut_off(folder, A)
    assert applied(folder)[A].ok


def test_a_name_that_is_no_text_is_carried_out(folder: Path) -> None:
    name = b"\xff\xf4\x8f\x9e\x80.png".decode("utf-8", "surrogateescape")
    shutil.copy(folder / A, folder / name)
    waits(folder, name)
    assert applied(folder)[name].ok
