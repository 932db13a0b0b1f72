"""A batch of copies: the sources stay as they are, and every wanted crop of each is made."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cropkit.batch import Batch
from cropkit.batch.dry_run import foreseen
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import CopiesOnly
from cropkit.runs.thumbnails import Thumbnails
from cropkit.system.home import HOME

IMAGES = ("a_stage2", "b_stage2", "c", "d", "e")
SLOTS = "square=32x32,tall=24x32"


def untouched(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    files = (path for path in folder.rglob("*") if path.is_file() and HOME not in path.parts)
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ctime_ns)
        for path in files
    }


def test_each_wanted_crop_of_each_image_is_made(folder: Path, tmp_path: Path) -> None:
    before, out = untouched(folder), tmp_path / "out"
    with Batch(
        folder, source="suggestions", copy_to=out, slots=SLOTS, resize=True, copies="format=png"
    ) as batch:
        assert [item.is_copy for item in batch.plan.ready] == [True] * 10
        batch.apply()
        assert batch.collection.fsck() == []
        assert (batch.collection.counts().decided, batch.collection.counts().total) == (10, 10)
        assert batch.parameters["slots"] == SLOTS
    assert untouched(folder) == before
    for stem in IMAGES:
        for slot, size in (("square", (32, 32)), ("tall", (24, 32))):
            with Image.open(out / f"{stem}_{slot}.png") as crop:
                assert crop.size == size
            assert not (out / f"{stem}_{slot}.decision").exists()


def test_what_is_done_is_left_alone_the_next_time(folder: Path, tmp_path: Path) -> None:
    ways: dict[str, Any] = {"source": "suggestions", "copy_to": tmp_path / "out"}
    with Batch(folder, slots="square=1:1", **ways) as batch:
        batch.apply()
    with Batch(folder, slots="square=1:1,tall=4:5", **ways) as batch:
        assert {item.decision.slot for item in batch.plan.ready} == {"tall"}
        assert len(batch.plan.passed) == 5


def test_the_queue_is_copied_where_its_decisions_say_and_undone(
    folder: Path, tmp_path: Path
) -> None:
    with Batch(folder, source="suggestions", copy_to=tmp_path / "out") as batch:
        batch.apply()
    assert main(["undo", str(folder), "--all"]) == 0
    assert not any(path.is_file() for path in (tmp_path / "out").rglob("*"))
    with Collection(folder) as collection:
        assert collection.fsck() == []
        assert collection.counts().decided == 0


def test_what_would_be_too_small_is_foreseen(folder: Path, tmp_path: Path) -> None:
    parameters: dict[str, Any] = {
        "source": "suggestions",
        "copy_to": str(tmp_path / "out"),
        "targets": "4000x4000",
        "resize": True,
    }
    plan, _ = foreseen(folder, parameters)
    assert [error.code for _, error in plan.refused] == ["TooSmall"] * 5
    assert not (folder / HOME).exists()


def test_a_dry_run_tells_where_copies_go(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters = ["-p", "source", "suggestions", "-p", "copy_to", str(tmp_path / "out")]
    assert main(["batch", str(folder), "--dry-run", *parameters]) == 0
    told = capsys.readouterr().out
    assert "would do: 5 copy" in told
    assert f"crops go: {tmp_path / 'out'}" in told


def test_the_shell_says_it_as_for_a_review(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ways = ["--copy-to", str(tmp_path / "out"), "--slots", SLOTS, "--resize", "--format", "webp"]
    parameters = ["-p", "source", "suggestions", *ways]
    assert main(["batch", str(folder), "--dry-run", "--json", *parameters]) == 0
    ready = json.loads(capsys.readouterr().out)["ready"]
    assert {item["kind"] for item in ready} == {"copy"}
    assert str(tmp_path / "out" / "c_square.webp") in {item["target"] for item in ready}


def test_what_only_copies_can_be_ends_a_batch_before_it_begins(folder: Path) -> None:
    with pytest.raises(CopiesOnly):
        Batch(folder, source="suggestions", slots="face,bust")
    assert not (folder / HOME).exists()


def test_the_report_counts_the_crops_for_each_target_and_shows_both(
    folder: Path, tmp_path: Path
) -> None:
    with Batch(
        folder, source="suggestions", copy_to=tmp_path / "out", slots=SLOTS, resize=True
    ) as batch:
        batch.apply()
        page = (batch.folder / "report.html").read_text(encoding="utf-8")
        run = json.loads((batch.folder / "run.json").read_text(encoding="utf-8"))
    assert page.count("<b>5</b><span>for ") == 2
    assert page.count(' before" src=') == page.count(' after" src=') == 10
    assert "square, for 32x32, " in page
    assert "Smaller by" not in page, "no original is kept beside: none was written over"
    assert {(e["slot"], e["aim"], e["copied"]) for e in run["entries"]} == {
        ("square", "32x32", True),
        ("tall", "24x32", True),
    }


def test_an_image_that_has_changed_since_is_not_shown_as_what_it_was(
    folder: Path, tmp_path: Path
) -> None:
    with Batch(folder, source="suggestions", copy_to=tmp_path / "out") as batch:
        batch.apply()
        (entry, *_) = batch.run.entries
        (folder / entry.path).write_bytes((folder / "d.jpg").read_bytes())
        pictures = Thumbnails(batch.collection.locations)(entry)
    assert pictures.before is None
    assert pictures.after is not None
