"""A folder in a collection is a part of it: one state, names of the whole, nothing beside it."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pictures
import pytest
from deciding import decided
from desktop import ManualLoop
from faults import contents

from cropkit.audit import decisions
from cropkit.batch import Batch
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import InsideCollection, LaterOperation, NothingToUndo, PathOutsideRoot
from cropkit.geometry import PixelBox
from cropkit.records import Status
from cropkit.review import Review
from cropkit.system.home import HOME, ORIGINALS
from cropkit.system.scope import Scope, scope_of

BOX = PixelBox(10, 20, 60, 90)
A, B, OTHER = "2024/a_stage2.png", "2024/b_stage2.png", "a_stage2.png"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A collection with five images, five more in 2024, and five in 2024b."""
    folder = pictures.write_folder(tmp_path / "photos")
    pictures.write_folder(folder / "2024")
    pictures.write_folder(folder / "2024b")
    Collection(folder).close()
    with Collection(folder, kind="shell") as collection:
        collection.crop("2024b/d.jpg", BOX)
    return folder


@pytest.fixture
def part(photos: Path) -> Path:
    return photos / "2024"


# -- what is meant -------------------------------------------------------------------------------


def test_a_folder_in_a_collection_is_a_part_of_it(photos: Path) -> None:
    (photos / "2024" / "may").mkdir()
    assert scope_of(photos) == Scope(photos)
    assert scope_of(photos / "2024" / "may") == Scope(photos, "2024/may")


def test_only_the_images_of_a_part_are_listed_by_their_names_in_the_collection(part: Path) -> None:
    with Collection(part) as collection:
        assert collection.root == part.parent
        assert len(collection.images()) == 5
        assert {name.partition("/")[0] for name in collection.images()} == {"2024"}
    assert not (part / HOME).exists()


def test_the_images_that_a_decision_stands_for_are_those_of_the_part(part: Path) -> None:
    with Collection(part) as collection:
        assert not collection.trail.decisions.any_stands()  # 2024b/d.jpg is beside it
        for name in (A, B):
            collection.crop(name, BOX)
        collection.undo(B)
        assert (
            collection.trail.decisions.standing_paths()
            == {A}
            == set(collection.trail.decisions.standing_by_path())
        )
        assert collection.trail.decisions.any_stands()
    with Collection(part.parent) as whole:
        assert whole.trail.decisions.standing_paths() == {A, "2024b/d.jpg"}


def test_a_review_reads_each_decision_once(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    real = decisions._standing  # noqa: SLF001  (each row becomes an object there)

    def noted(row: Any) -> Any:
        read.append(row)
        return real(row)

    monkeypatch.setattr(decisions, "_standing", noted)
    with Collection(photos) as collection, closing(Review(collection, loop=ManualLoop())):
        assert len(read) == 1


def test_only_the_images_of_a_part_are_counted(part: Path) -> None:
    with Collection(part.parent) as whole:
        decided(whole, OTHER)
    with Collection(part) as collection:
        decided(collection, A)
        collection.crop(B, BOX)
        counts = collection.counts()
        assert (counts.total, counts.decided, counts.waiting, counts.written) == (5, 2, 1, 1)
        assert collection.stats().unattended + collection.stats().total.decisions == 2
        assert set(collection.decisions()["path"]) == {A, B}
        assert set(collection.history()["path"]) == {A, B}
    with Collection(part.parent) as whole:
        assert (whole.counts().total, whole.counts().waiting) == (15, 2)


def test_an_image_beside_the_part_is_refused(part: Path) -> None:
    before = contents(part.parent)
    with Collection(part.parent) as whole:
        waiting = decided(whole, OTHER)
    with Collection(part) as collection:
        for attempt in (
            lambda: collection.crop(OTHER, BOX),
            lambda: collection.crop(part.parent / "2024b" / "c.jpg", BOX),
            lambda: collection.look(OTHER),
            lambda: collection.apply(waiting),
            lambda: collection.undoer.retract(waiting),
        ):
            with pytest.raises(PathOutsideRoot, match="2024"):
                attempt()
        foreign = Collection(part.parent)
        decision, _ = foreign.trail.decisions.by_id(waiting)
        foreign.close()
        with pytest.raises(PathOutsideRoot, match="2024"):
            collection.decide([decision])
    assert contents(part.parent) == before
    with Collection(part.parent) as whole:
        assert whole.trail.decisions.waiting() == [waiting]


def test_decisions_beside_the_part_are_left_waiting(part: Path) -> None:
    with Collection(part.parent) as whole:
        other, mine = decided(whole, OTHER), decided(whole, A)
    with Collection(part) as collection:
        assert [result.path for result in collection.apply_waiting()] == [A]
    with Collection(part.parent) as whole:
        assert whole.trail.decisions.waiting() == [other]
        assert whole.trail.decisions.by_id(mine)[1].status is Status.CROPPED


def test_undo_redo_and_originals_are_those_of_the_part(part: Path) -> None:
    with Collection(part) as collection:
        with pytest.raises(NothingToUndo):
            collection.undo(everything=True)
        before = (part / "a_stage2.png").read_bytes()
        collection.crop(A, BOX)
        assert [kept.path for kept in collection.originals()] == [A]
        with pytest.raises(NothingToUndo):
            collection.undo("2024b/d.jpg")
        assert [result.path for result in collection.undo(everything=True)] == [A]
        assert (part / "a_stage2.png").read_bytes() == before
        assert [result.path for result in collection.redo()] == [A]
    with Collection(part.parent) as whole:
        assert whole.fsck() == []
        assert {kept.path for kept in whole.originals()} == {A, "2024b/d.jpg"}


def test_what_stands_on_a_crop_beside_the_part_is_not_undone_with_it(part: Path) -> None:
    photos = part.parent
    with Collection(photos, destination=photos / "done") as whole:
        first = whole.crop(A, BOX).operation
    with Collection(photos) as whole:
        whole.crop(f"done/{A}", PixelBox(0, 0, 20, 20))
    before = contents(photos)
    with Collection(part) as collection:
        with pytest.raises(PathOutsideRoot):
            collection.undo_operation(str(first), with_later=True)
        (result,) = collection.undo_operation(str(first))
    assert result.code == LaterOperation.__name__
    assert contents(photos) == before


def test_a_purge_leaves_what_images_beside_the_part_had(part: Path) -> None:
    photos = part.parent
    twin = (photos / "b_stage2.png").read_bytes()
    with Collection(photos) as whole:
        for name in (A, B, "b_stage2.png"):
            whole.crop(name, BOX)
    with Collection(part) as collection:
        (result,) = collection.purge(keep_bytes=0)
    assert result.status is Status.PURGED
    with Collection(photos) as whole:
        assert whole.fsck() == []
        assert len(list((photos / ORIGINALS).iterdir())) == 2
        whole.undo("b_stage2.png")
    assert (photos / "b_stage2.png").read_bytes() == twin


def test_settings_are_those_of_the_whole_collection(part: Path) -> None:
    with Collection(part) as collection, pytest.raises(InsideCollection, match="all of it"):
        collection.choose(collection.options)


def test_what_was_changed_beside_the_part_is_no_difference_of_it(part: Path) -> None:
    with Collection(part) as collection:
        collection.crop(A, BOX)
    (part.parent / "2024b" / "d.jpg").write_bytes(b"edited")
    with Collection(part) as collection:
        assert collection.fsck() == []
        assert collection.accept_changes() == []
        (part / "a_stage2.png").unlink()
        assert [each.path for each in collection.fsck()] == [A]
        assert [each.path for each in collection.accept_changes()] == [A]
        assert collection.fsck() == []
    with Collection(part.parent) as whole:
        assert [each.path for each in whole.fsck()] == ["2024b/d.jpg"]


def test_crops_of_a_part_move_beneath_the_collections_names(part: Path) -> None:
    with Collection(part, destination=part.parent / "done") as collection:
        result = collection.crop(A, BOX)
    assert result.destination == f"done/{A}"
    with Collection(part, destination=part) as collection:
        assert len(collection.images()) == 4
        assert collection.crop(B, BOX).destination is None
    assert scope_of(part.parent / "done").part == "done"


def test_who_opens_a_part_is_told_so(part: Path) -> None:
    with Collection(part) as collection:
        assert repr(collection).startswith(f"cropkit.open({str(part)!r})")
        assert str(part.parent) in repr(collection)
        assert str(collection.scope).startswith(f"{part} is a part of the collection {part.parent}")


# -- a batch -------------------------------------------------------------------------------------


def test_a_batch_takes_up_what_waits_in_its_part(
    part: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Collection(part.parent) as whole:
        other, _ = decided(whole, OTHER), decided(whole, A)
    with Batch(part) as batch:
        assert f"{part} is a part of the collection {part.parent}" in capsys.readouterr().err
        assert [item.path for item in batch.plan.ready] == [A]
        batch.apply()
        assert batch.result()["cropped"] == 1
    assert batch.folder.parent == part.parent / HOME / "runs"
    assert json.loads((batch.folder / "run.json").read_text())["part"] == "2024"
    page = (batch.folder / "report.html").read_text()
    assert "a part of the collection" in page
    with Collection(part.parent) as whole:
        assert whole.trail.decisions.waiting() == [other]


def test_a_batch_by_suggestions_crops_its_part_and_nothing_beside_it(part: Path) -> None:
    before = contents(part.parent)
    with Batch(part, source="suggestions") as batch:
        batch.apply()
        assert batch.result()["cropped"] == 5
    changed = {name for name, data in contents(part.parent).items() if data != before.get(name)}
    assert changed == {f"2024/{name}" for name in ("a_stage2.png", "b_stage2.png", "c.jpg")} | {
        "2024/d.jpg",
        "2024/e.jpeg",
    }


def test_the_shell_plans_a_batch_of_a_part(part: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["batch", str(part), "--dry-run", "-p", "source", "suggestions", "--json"]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert f"{part} is a part of the collection {part.parent}" in captured.err
    assert {each["path"].partition("/")[0] for each in json.loads(captured.out)["ready"]} == {
        "2024"
    }


def test_the_shell_runs_the_notebook_on_a_part(
    part: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    with Collection(part.parent) as whole:
        other, _ = decided(whole, OTHER), decided(whole, A)
    before = (part.parent / OTHER).read_bytes()
    assert main(["batch", str(part), "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert (document["ok"], document["planned"], document["cropped"]) == (True, 1, 1)
    assert Path(document["folder"]).parent == part.parent / HOME / "runs"
    assert (part.parent / OTHER).read_bytes() == before
    with Collection(part.parent) as whole:
        assert whole.trail.decisions.waiting() == [other]
        assert whole.fsck() == []
    assert not (part / HOME).exists()


# -- the shell -----------------------------------------------------------------------------------


def test_a_destination_of_a_part_is_one_of_the_collection(
    part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["destinations", str(part), "--allow", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    assert main(["destinations", str(part.parent)]) == 0
    assert str(tmp_path / "out") in capsys.readouterr().out


def test_the_shell_crops_an_image_of_a_part_and_says_whose_it_is(
    part: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(part)
    assert main(["crop", "a_stage2.png", "--box", "10,20,60,90"]) == 0
    captured = capsys.readouterr()
    assert f"{part} is a part of the collection {part.parent}" in captured.err
    assert A in captured.out
    assert not (part / HOME).exists()
