"""The engine on real files and a real database: crop, move, reject, undo."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pictures
import pytest
from deciding import BOX, decided
from faults import as_format_1, contents
from PIL import Image

import cropkit
from cropkit import clock
from cropkit.audit.operation import Operation, OperationKind, OperationState
from cropkit.audit.trail import ClaimOutcome
from cropkit.collection import Collection
from cropkit.engine.planning import chosen_to_purge
from cropkit.errors import (
    BadBox,
    BadDecision,
    Busy,
    CropkitError,
    EmptyFile,
    MissingFile,
    NameTaken,
    NoImages,
    NothingToUndo,
    OriginalPurged,
    PathOutsideRoot,
    UnknownFormat,
)
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, Decision, Problem, ProblemKind, Status, Suggestion, Verdict
from cropkit.review.runtime.review_store import ReviewStore
from cropkit.suggest import Table
from cropkit.system.files import Root
from cropkit.system.home import ORIGINALS, OWNERS


@pytest.fixture
def kit(folder: Path) -> Iterator[Collection]:
    with cropkit.open(folder, reviewer="tester") as opened:
        yield opened


def events(kit: Collection, path: str | None = None) -> list[str]:
    return [e["event"] for e in kit.trail.events(path) if not e["event"].startswith("session")]


# -- cropping ------------------------------------------------------------------------------------


def test_a_crop_holds_exactly_the_pixels_of_the_box(kit: Collection, folder: Path) -> None:
    with Image.open(folder / "a_stage2.png") as image:
        meant = image.crop(BOX.xyxy).tobytes()
    result = kit.crop("a_stage2.png", BOX)
    with Image.open(folder / "a_stage2.png") as image:
        assert image.tobytes() == meant
        assert image.text["parameters"] == pictures.PARAMETERS  # type: ignore[attr-defined]  # PNG
    assert result.status is Status.CROPPED
    assert result.box_applied == BOX
    assert result.sha256_after == contents(folder)["a_stage2.png"]
    assert kit.fsck() == []


def test_what_is_closed_can_be_closed_again(folder: Path, tmp_path: Path) -> None:
    with Collection(folder) as kit:
        assert kit.crop("a_stage2.png", BOX).ok
        kit.close()
        with (tmp_path / "another's file").open("wb") as file:  # the next free descriptor
            kit.close()
            assert file.write(b"is still open") == 13
    with Collection(folder) as again:
        told = [each["event"] for each in again.trail.events()]
    assert told.count("session-ended") == 1


def test_a_power_cut_leaves_a_trace_of_whoever_keeps_originals(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one looks for what no operation needs, and only where somebody died."""
    synced: list[str] = []
    real = Root.sync_folder

    def noted(root: Root, name: str) -> None:
        synced.append(name)
        real(root, name)

    monkeypatch.setattr(Root, "sync_folder", noted)
    with Collection(folder) as kit:
        synced.clear()
        for name in ("a_stage2.png", "b_stage2.png"):
            assert kit.crop(name, BOX).ok
    assert synced.count(OWNERS) == 1
    assert synced.index(OWNERS) < synced.index(ORIGINALS)


def test_the_box_is_upright_whatever_the_orientation(kit: Collection) -> None:
    """c.jpg is 160 x 120 stored and 120 x 160 upright."""
    assert kit.look("c.jpg").size == cropkit.geometry.Size(120, 160)
    kit.crop("c.jpg", PixelBox(24, 32, 104, 160))
    assert kit.look("c.jpg").size == cropkit.geometry.Size(80, 128)


def test_a_jpegs_corner_moves_out_and_the_result_tells_both_boxes(kit: Collection) -> None:
    """Orientation 6: the corner on the grid of 16 pixels is the upper right one."""
    asked = PixelBox(20, 40, 100, 150)
    result = kit.crop("c.jpg", asked)
    assert result.box_asked == asked
    assert result.box_applied == PixelBox(20, 32, 104, 150)
    assert result.psnr is None
    assert kit.look("c.jpg").size == cropkit.geometry.Size(84, 118)


def test_a_box_that_grows_to_the_whole_jpeg_keeps_every_byte(kit: Collection, folder: Path) -> None:
    before = contents(folder)["c.jpg"]
    result = kit.crop("c.jpg", PixelBox(0, 3, 110, 160))
    assert result.box_applied == PixelBox(0, 0, 120, 160)
    assert result.kept == ("every byte",)
    assert contents(folder)["c.jpg"] == before


def test_what_is_not_the_image_stays_as_it_was(kit: Collection, folder: Path) -> None:
    before = contents(folder)
    kit.crop("a_stage2.png", BOX)
    after = contents(folder)
    assert {n for n in before if before[n] != after[n]} == {"a_stage2.png"}
    assert before.keys() == after.keys()


def test_keeping_everything_keeps_the_very_bytes(kit: Collection, folder: Path) -> None:
    before = contents(folder)
    size = kit.look("d.jpg").size
    result = kit.crop("d.jpg", PixelBox.full(size))
    assert contents(folder) == before
    assert result.sha256_before == result.sha256_after
    assert kit.look("d.jpg").cropped
    assert kit.undo()[0].status is Status.RESTORED
    assert not kit.look("d.jpg").cropped


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("empty.png", b"", EmptyFile),
        ("text.png", b"just words, quite a few of them, no image", UnknownFormat),
        ("none.png", None, MissingFile),
    ],
)
def test_a_bad_file_is_refused_by_name_and_told_in_the_trail(
    kit: Collection, folder: Path, name: str, data: bytes | None, error: type[CropkitError]
) -> None:
    if data is not None:
        (folder / name).write_bytes(data)
    before = contents(folder)
    with pytest.raises(error, match=name):
        kit.crop(name, BOX)
    assert contents(folder) == before
    assert events(kit, name) == ["refused"]


def test_a_truncated_image_is_refused_and_stands(kit: Collection, folder: Path) -> None:
    for name in ("a_stage2.png", "d.jpg"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(CropkitError, match=name):
            kit.crop(name, BOX)
        assert (folder / name).read_bytes() == whole[: len(whole) // 2]


def test_a_box_outside_the_image_is_refused(kit: Collection, folder: Path) -> None:
    before = contents(folder)
    with pytest.raises(BadBox):
        kit.crop("a_stage2.png", PixelBox(0, 0, 105, 10))
    assert contents(folder) == before


def test_paths_stay_beneath_the_root(kit: Collection, folder: Path, tmp_path: Path) -> None:
    pictures.write_png(tmp_path / "outside.png")
    (folder / "link").symlink_to(tmp_path)
    for path in ("../outside.png", "link/outside.png", tmp_path / "outside.png"):
        with pytest.raises(PathOutsideRoot):
            kit.crop(path, BOX)
    kit.crop("a_stage2.png", BOX)
    kept = next((folder / ".cropkit" / "originals").iterdir())
    with pytest.raises(PathOutsideRoot):
        kit.crop(kept, BOX)


# -- deciding and applying -----------------------------------------------------------------------


def test_a_file_changed_since_review_is_refused_and_left_alone(
    kit: Collection, folder: Path
) -> None:
    made = decided(kit, "a_stage2.png")
    pictures.write_png(folder / "a_stage2.png", pictures.photo(104, 152, 77))
    before = contents(folder)
    result = kit.apply(made)
    assert (result.status, result.code) == (Status.STALE, "StaleDecision")
    assert contents(folder) == before
    assert kit.trail.decisions.standing_by_path()["a_stage2.png"].status is Status.STALE


def test_the_same_decision_again_changes_nothing(kit: Collection, folder: Path) -> None:
    made = decided(kit, "a_stage2.png")
    first = kit.apply(made)
    before = contents(folder)
    again = kit.apply(made)
    assert (again.status, again.operation) == (first.status, first.operation)
    assert contents(folder) == before
    assert events(kit).count("cropped") == 1


def test_a_newer_decision_takes_the_place_of_one_that_waits(kit: Collection) -> None:
    older = decided(kit, "a_stage2.png")
    newer = decided(kit, "a_stage2.png", box=PixelBox(0, 0, 50, 50))
    assert kit.trail.decisions.waiting() == [newer]
    result = kit.apply(older)
    assert (result.status, result.code, result.ok) == (Status.SUPERSEDED, "Overtaken", False)
    assert kit.apply(newer).status is Status.CROPPED


def test_a_superseded_decision_does_not_stand_again_when_the_newer_one_is_undone(
    kit: Collection,
) -> None:
    decided(kit, "a_stage2.png")
    kit.apply(decided(kit, "a_stage2.png", box=PixelBox(1, 2, 30, 40)))
    kit.undo("a_stage2.png")
    assert kit.trail.decisions.standing_by_path() == {}
    assert kit.counts().decided == 0


def test_what_waits_is_in_the_order_in_which_it_was_decided(kit: Collection) -> None:
    names = ("b_stage2.png", "a_stage2.png", "d.jpg")
    assert [decided(kit, name) for name in names] == kit.trail.decisions.waiting()


def test_an_image_counts_as_its_latest_decision_says(kit: Collection) -> None:
    kit.apply(decided(kit, "a_stage2.png"))
    decided(kit, "a_stage2.png", box=PixelBox(1, 2, 30, 40))
    counts = kit.counts()
    assert (counts.decided, counts.waiting, counts.written) == (1, 1, 0)


def test_in_an_older_format_an_image_counts_as_its_latest_decision_says(folder: Path) -> None:
    with Collection(folder) as kit:
        kit.apply(decided(kit, "a_stage2.png"))
        decided(kit, "a_stage2.png", box=PixelBox(1, 2, 30, 40))
    as_format_1(folder)
    with Collection(folder) as kit:
        counts = kit.counts()
        assert (counts.decided, counts.waiting, counts.written) == (1, 1, 0)


def test_an_image_that_was_cropped_is_known_by_its_content(kit: Collection, folder: Path) -> None:
    assert not kit.look("a_stage2.png").cropped
    kit.crop("a_stage2.png", BOX)
    (folder / "copy.png").write_bytes((folder / "a_stage2.png").read_bytes())
    assert kit.look("a_stage2.png").cropped
    assert kit.look("copy.png").cropped


def test_a_copy_of_an_image_that_a_crop_left_whole_is_no_crop(kit: Collection) -> None:
    shutil.copyfile(kit.root / "a_stage2.png", kit.root / "copy.png")
    whole = kit.look("a_stage2.png").size
    assert kit.crop("a_stage2.png", PixelBox(0, 0, whole.width, whole.height)).ok
    assert (kit.root / "a_stage2.png").read_bytes() == (kit.root / "copy.png").read_bytes()
    assert not kit.look("copy.png").cropped


def test_a_decision_that_makes_no_sense_is_refused_by_the_database_too(kit: Collection) -> None:
    look = kit.look("a_stage2.png")
    moment = clock.now()
    made = Decision(
        path=look.path,
        sha256=look.sha256,
        size=look.size,
        verdict=Verdict.ADJUSTED,
        box=BOX,
        reviewer="tester",
        session=kit.session,
        shown_at=moment,
        decided_at=moment,
    )
    object.__setattr__(made, "size", type("Zero", (), {"width": 0, "height": 0})())
    with pytest.raises((BadDecision, ZeroDivisionError, CropkitError)):
        kit.trail.decide([made])
    assert kit.trail.decisions.standing_by_path() == {}


def test_a_decision_row_holds_what_training_needs(kit: Collection) -> None:
    box = cropkit.geometry.NormalizedBox(0.125, 0.25, 0.875, 0.75)
    suggestion = Suggestion(box, "sidecar", "v3", 1, 0.5)
    decided(kit, "a_stage2.png", suggestion=suggestion)
    row = kit.decisions().iloc[0]
    assert (row.path, row.width, row.height) == ("a_stage2.png", 104, 152)
    assert (row.box_left, row.box_bottom) == (BOX.left, BOX.bottom)
    assert row.normalized_right == pytest.approx(60 / 104)
    assert (row.suggestion_source, row.suggestion_version) == ("sidecar", "v3")
    assert (row.suggestion_rank, row.suggestion_confidence) == (1, 0.5)
    assert 0 < row.iou < 1
    assert row.edges_within_5_percent == 0
    assert (row.reviewer, row.session) == ("tester", kit.session)
    assert row.shown_at.endswith("Z")
    assert len(row.sha256) == 64


def test_the_order_of_events_is_the_order_of_things(kit: Collection) -> None:
    made = decided(kit, "a_stage2.png")
    kit.apply(made)
    kit.undoer.retract(made)
    assert events(kit) == ["decided", "cropped", "restored"]


def test_a_bad_suggestion_is_counted_once_and_the_review_goes_on(
    kit: Collection, folder: Path
) -> None:
    (folder / "d.decision").write_text("{broken")
    for _ in range(2):
        assert kit.suggestions(kit.look("d.jpg")) == ()
    assert kit.counts().degraded == 1
    (event,) = (e for e in kit.trail.events() if e["event"] == "degraded")
    assert event["path"] == "d.decision"


def test_what_went_wrong_is_in_the_log_of_the_collection(kit: Collection, folder: Path) -> None:
    kit.problems.report(Problem(ProblemKind.PREVIEW, "d.jpg", "a reason"))
    try:
        int("seen nowhere else")
    except ValueError:
        logging.getLogger("cropkit.review").exception("a callback failed")
    lines = (folder / ".cropkit" / "cropkit.log").read_text().splitlines()
    first, second = (json.loads(line) for line in lines)
    assert (first["level"], first["session"]) == ("warning", kit.session)
    assert "d.jpg: a reason" in first["message"]
    assert first["at"].endswith("Z")
    assert "'seen nowhere else'" in second["traceback"]


def test_the_bad_rows_of_a_table_are_counted_at_the_start(folder: Path) -> None:
    frame = pd.DataFrame({"path": ["d.jpg", ""], "left": [0, 9], "top": [0, 9]})
    frame["right"], frame["bottom"] = [50, 5], [60, 5]
    with cropkit.open(folder, suggesters=[Table.from_frame(frame)]) as kit:
        assert kit.counts().degraded == 1
        (found,) = kit.suggestions(kit.look("d.jpg"))
        assert found.box.pixels(kit.look("d.jpg").size) == PixelBox(0, 0, 50, 60)


def test_reviewers_undo_their_own_decisions_only(folder: Path) -> None:
    with cropkit.open(folder, reviewer="one") as kit:
        decided(kit, "d.jpg")
    with cropkit.open(folder, reviewer="two") as kit:
        assert ReviewStore(kit).undo_stack() == ()
        assert list(kit.trail.decisions.standing_by_path()) == ["d.jpg"]


# -- moving and rejecting ------------------------------------------------------------------------


@pytest.mark.parametrize("inside", [True, False])
def test_a_crop_moves_with_its_companions_and_comes_back(
    folder: Path,
    tmp_path: Path,
    inside: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    (folder / "a_stage2.txt").write_text("caption")
    before = contents(folder)
    there = folder / "done" if inside else tmp_path / "elsewhere"
    with cropkit.open(folder, destination=there) as kit:
        result = kit.crop("a_stage2.png", BOX)
        assert sorted(contents(there)) == ["a_stage2.decision", "a_stage2.png", "a_stage2.txt"]
        assert not (folder / "a_stage2.png").exists()
        assert not (folder / "a_stage2.txt").exists()
        assert result.destination is not None
        assert kit.fsck() == []
        kit.undo("a_stage2.png")
        assert contents(folder) == before
        assert contents(there) == {}
        assert kit.fsck() == []


def test_crops_inside_the_collection_are_no_images_of_it(folder: Path) -> None:
    there = folder / "done" / "crops"
    with cropkit.open(folder, destination=there) as kit:
        before = kit.images()
        kit.crop("a_stage2.png", BOX)
        pictures.write_png(there / "not_ours.png")
    with cropkit.open(folder, destination=there) as kit:
        assert kit.images() == tuple(name for name in before if name != "a_stage2.png")


def test_a_crop_moves_to_another_file_system_and_comes_back(folder: Path) -> None:
    places = [Path("/dev/shm"), Path(tempfile.gettempdir())]  # noqa: S108  (for a folder of our own)
    others = [at for at in places if at.is_dir() and at.stat().st_dev != folder.stat().st_dev]
    if not others:
        pytest.skip("there is no second file system here; tests/crash simulates one")
    before = contents(folder)
    out = Path(tempfile.mkdtemp(dir=others[0]), "out")
    with Collection(folder, destination=out) as kit:
        result = kit.crop("a_stage2.png", BOX)
        moved = contents(out)
        assert moved["a_stage2.png"] == result.sha256_after
        assert moved["a_stage2.decision"] == before["a_stage2.decision"]
        assert moved.keys() == before.keys() - contents(folder).keys()
        assert kit.fsck() == []
        kit.undo()
        assert contents(out) == {}
    shutil.rmtree(out.parent)
    assert contents(folder) == before


def test_a_name_that_exists_is_never_overwritten(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "a_stage2.decision").write_text("somebody's")
    before = contents(folder)
    with cropkit.open(folder, destination=there) as kit:
        with pytest.raises(NameTaken, match=r"a_stage2\.decision"):
            kit.crop("a_stage2.png", BOX)
        assert contents(folder) == before
        assert (there / "a_stage2.decision").read_text() == "somebody's"
        assert kit.fsck() == []


def test_a_rejected_image_is_moved_where_it_can_be_brought_back(
    kit: Collection, folder: Path
) -> None:
    before = contents(folder)
    stamp = (folder / "b_stage2.png").stat()
    made = decided(kit, "b_stage2.png", Verdict.REJECT, None)
    assert kit.apply(made).status is Status.REJECTED
    assert sorted(before.keys() - contents(folder).keys()) == ["b_stage2.decision", "b_stage2.png"]
    assert kit.fsck() == []
    assert kit.undoer.retract(made).status is Status.RESTORED
    assert contents(folder) == before
    assert (folder / "b_stage2.png").stat().st_mtime_ns == stamp.st_mtime_ns
    assert kit.fsck() == []


def test_the_group_sidecar_goes_with_the_image_and_stays_for_its_sibling(
    folder: Path, tmp_path: Path
) -> None:
    group = folder / "g"
    group.mkdir()
    pictures.write_png(group / "g_stage1_x.png", pictures.photo(80, 80, 1))
    pictures.write_png(group / "g_stage2_x.png", pictures.photo(80, 80, 2))
    (group / "g.decision").write_text("{}")
    before = contents(folder)
    with cropkit.open(folder, destination=tmp_path / "out") as kit:
        kit.crop("g/g_stage1_x.png", PixelBox(0, 0, 40, 40))
        assert (group / "g.decision").exists()
        assert (tmp_path / "out" / "g" / "g.decision").exists()
        kit.undo()
        assert contents(folder) == before
        assert contents(tmp_path / "out") == {}


# -- undoing -------------------------------------------------------------------------------------


def test_undo_brings_bytes_mode_times_and_extended_attributes_back(
    kit: Collection, folder: Path
) -> None:
    path = folder / "d.jpg"
    path.chmod(0o640)
    os.setxattr(path, "user.note", b"kept")
    before = path.read_bytes()
    os.utime(path, ns=(1_500_000_000_000_000_001, 1_600_000_000_123_456_789))
    stamp = path.stat()
    kit.crop("d.jpg", BOX)
    assert path.stat().st_mode == stamp.st_mode
    assert os.getxattr(path, "user.note") == b"kept"
    kit.undo("d.jpg")
    assert path.stat().st_atime_ns == stamp.st_atime_ns
    assert path.read_bytes() == before
    assert path.stat().st_mode == stamp.st_mode
    assert path.stat().st_mtime_ns == stamp.st_mtime_ns
    assert os.getxattr(path, "user.note") == b"kept"


def test_a_decision_that_waits_is_withdrawn_without_a_trace_on_disk(
    kit: Collection, folder: Path
) -> None:
    before = contents(folder)
    made = decided(kit, "a_stage2.png")
    assert kit.undoer.retract(made).status is Status.RESTORED
    assert kit.apply(made).status is Status.RESTORED
    assert contents(folder) == before
    assert kit.trail.decisions.standing_by_path() == {}
    assert kit.undoer.retract(made).code == "NothingToUndo"


def test_the_trail_tells_that_a_decision_was_withdrawn(kit: Collection) -> None:
    made = decided(kit, "a_stage2.png")
    kit.undoer.retract(made)
    (event,) = [e for e in kit.trail.events("a_stage2.png") if e["event"] == "withdrawn"]
    assert json.loads(event["body"]) == {"decision": made}
    assert event["operation"] is None


def test_all_goes_down_to_the_original_through_every_crop(kit: Collection, folder: Path) -> None:
    before = contents(folder)
    kit.crop("a_stage2.png", PixelBox(10, 10, 90, 90))
    kit.crop("a_stage2.png", PixelBox(10, 10, 50, 50))
    kit.crop("d.jpg", BOX)
    first = kit.trail.operations.undoable()[0]
    assert [one.code for one in kit.undo_operation(first.id)] == ["LaterOperation"]
    assert len(kit.undo(everything=True)) == 3
    assert contents(folder) == before
    with pytest.raises(NothingToUndo):
        kit.undo()


def test_one_operation_is_undone_out_of_order(kit: Collection, folder: Path) -> None:
    before = contents(folder)
    first = kit.crop("a_stage2.png", BOX)
    kit.crop("d.jpg", BOX)
    (result,) = kit.undo_operation(str(first.operation)[:8])
    assert (result.status, result.path) == (Status.RESTORED, "a_stage2.png")
    after = contents(folder)
    assert {n for n in before if before[n] != after[n]} == {"d.jpg"}
    with pytest.raises(NothingToUndo):
        kit.undo_operation(str(first.operation))


def test_what_stands_on_an_operation_is_said_and_undone_first_when_asked(
    kit: Collection, folder: Path
) -> None:
    before = contents(folder)
    first = kit.crop("a_stage2.png", BOX)
    second = kit.crop("a_stage2.png", PixelBox(0, 0, 20, 20))
    cropped = contents(folder)
    (result,) = kit.undo_operation(str(first.operation))
    assert result.code == "LaterOperation"
    assert f"--operation {first.operation:.8} --with-later" in str(result.message)
    assert contents(folder) == cropped
    results = kit.undo_operation(str(first.operation), with_later=True)
    assert [one.status for one in results] == [Status.RESTORED] * 2
    assert contents(folder) == before
    assert kit.trail.operations.by_id(str(second.operation)).state is OperationState.DONE
    assert kit.fsck() == []


def test_two_names_of_one_file_are_not_worked_on_at_once(kit: Collection, folder: Path) -> None:
    (folder / "alias.png").hardlink_to(folder / "a_stage2.png")
    held = folder / "a_stage2.png"
    found = held.stat()
    alias = [f"inode::{found.st_ino}"]
    other = Operation(
        OperationKind.CROP, "a_stage2.png", "a_stage2.png", kit.session, kit.trail.owner
    )
    assert kit.trail.plan([(other, alias)]) == [ClaimOutcome.MINE]
    with Collection(folder, deadline=0.1) as rival, pytest.raises(Busy):
        rival.crop("alias.png", BOX)


def test_a_decision_that_was_carried_out_meanwhile_is_not_claimed_again(kit: Collection) -> None:
    made = decided(kit, "d.jpg")
    kit.apply(made)
    late = Operation(
        OperationKind.CROP, "d.jpg", "d.jpg", kit.session, kit.trail.owner, decision=made
    )
    assert kit.trail.plan([(late, [])]) == [ClaimOutcome.ALREADY]


def test_an_original_that_was_purged_is_said_to_be(kit: Collection, folder: Path) -> None:
    kit.crop("a_stage2.png", BOX)
    for path in (folder / ".cropkit" / "originals").iterdir():
        path.unlink()
    before = contents(folder)
    (result,) = kit.undo()
    assert result.code == OriginalPurged.__name__
    assert contents(folder) == before
    assert [d.kind for d in kit.fsck()] == ["original"]


@pytest.mark.parametrize("kind", ["in place", "moved", "rejected"])
def test_undo_and_redo_go_back_and_forth(folder: Path, kind: str) -> None:
    with cropkit.open(folder, destination=folder / "done" if kind == "moved" else None) as kit:
        before = contents(folder)
        if kind == "rejected":
            made = decided(kit, "a_stage2.png", Verdict.REJECT, None)
        else:
            made = decided(kit, "a_stage2.png")
        kit.apply(made)
        after, status = (
            contents(folder),
            kit.trail.decisions.standing_by_path()["a_stage2.png"].status,
        )
        for _ in range(2):
            kit.undo()
            assert contents(folder) == before
            assert kit.trail.decisions.standing_by_path() == {}
            assert kit.redo()[0].ok
            assert contents(folder) == after
            assert kit.trail.decisions.standing_by_path()["a_stage2.png"].status is status
        with pytest.raises(NothingToUndo):
            kit.redo()
        assert kit.fsck() == []


def test_purging_follows_age_and_size() -> None:
    kept_since = {"a": "2020-01-01T00:00:00.000000Z", "b": "2999-01-01T00:00:00.000000Z", "c": "3"}
    sizes = {"a": 5, "b": 7, "c": 9}
    assert chosen_to_purge(kept_since, sizes, timedelta(days=30), None) == ["a"]
    assert chosen_to_purge(kept_since, sizes, None, 9) == ["a", "b"]
    assert chosen_to_purge(kept_since, sizes, timedelta(days=30), 16) == ["a"]
    assert chosen_to_purge(kept_since, sizes, None, None) == []


def test_a_batch_of_decisions_is_applied_in_groups(kit: Collection, folder: Path) -> None:
    made = {name: decided(kit, name) for name in ("a_stage2.png", "b_stage2.png", "d.jpg")}
    (folder / "b_stage2.png").unlink()
    seen: list[str] = []
    results = kit.apply_waiting(lambda result: seen.append(result.path))
    assert {r.path: r.ok for r in results} == {
        "a_stage2.png": True,
        "b_stage2.png": False,
        "d.jpg": True,
    }
    assert len(seen) == len(made) == 3
    assert kit.trail.decisions.waiting() == []
    (folder / "b_stage2.decision").unlink()
    assert kit.fsck() == []


def test_a_batch_holds_two_files_of_one_content(kit: Collection, folder: Path) -> None:
    (folder / "twin.jpg").write_bytes((folder / "d.jpg").read_bytes())
    before = contents(folder)
    for name in ("d.jpg", "twin.jpg"):
        decided(kit, name)
    assert all(result.ok for result in kit.apply_waiting())
    assert kit.fsck() == []
    kit.undo(everything=True)
    assert contents(folder) == before


def test_a_busy_file_is_waited_for(folder: Path) -> None:
    with Collection(folder, deadline=0.3) as kit, Collection(folder) as rival:
        made = decided(kit, "d.jpg")
        held = Operation(OperationKind.CROP, "d.jpg", "d.jpg", rival.session, rival.trail.owner)
        assert rival.trail.plan([(held, [])]) == [ClaimOutcome.MINE]
        assert kit.apply(made).code == "Busy"
        assert kit.trail.decisions.waiting() == [made]
        rival.trail.abandon(held, OperationState.ABORTED, CropResult(Status.FAILED, "d.jpg"))
        assert kit.apply(made).status is Status.CROPPED


def test_an_original_keeps_its_content_when_another_name_is_written_through(
    kit: Collection, folder: Path
) -> None:
    os.link(folder / "d.jpg", folder / "alias.jpg")
    before = (folder / "d.jpg").read_bytes()
    kit.crop("d.jpg", BOX)
    (folder / "alias.jpg").write_bytes(b"written through the other name")
    kit.undo("d.jpg")
    assert (folder / "d.jpg").read_bytes() == before


def test_the_undo_stack_outlives_the_session(folder: Path) -> None:
    before = contents(folder)
    with cropkit.open(folder) as kit:
        made = decided(kit, "a_stage2.png")
        kit.apply(made)
        ReviewStore(kit).remember_place("c.jpg")
    with cropkit.open(folder) as kit:
        assert [one.decision for one in ReviewStore(kit).undo_stack()] == [made]
        assert ReviewStore(kit).place() == "c.jpg"
        kit.undoer.retract(made)
        assert contents(folder) == before
        assert ReviewStore(kit).undo_stack() == ()


# -- what else it tells --------------------------------------------------------------------------


def test_a_folder_without_images_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with cropkit.open(tmp_path) as kit, pytest.raises(NoImages):
        kit.images()
    with pytest.raises(MissingFile):
        cropkit.open(tmp_path / "none")


def test_counts_tell_how_far_it_is(kit: Collection) -> None:
    kit.apply(decided(kit, "a_stage2.png"))
    kit.apply(decided(kit, "b_stage2.png", Verdict.REJECT, None))
    decided(kit, "c.jpg", Verdict.SKIP, None)
    decided(kit, "d.jpg")
    counts = kit.counts()
    assert (counts.total, counts.decided, counts.waiting) == (5, 4, 1)
    assert (counts.written, counts.rejected, counts.skipped) == (1, 1, 1)
