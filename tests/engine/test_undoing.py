"""Undo brings the original back, whatever has become of the crop since."""

import hashlib
import os
import shutil
from pathlib import Path

import pictures
import pytest

from cropkit.collection import Collection
from cropkit.errors import NameTaken, NothingToUndo
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, Status
from cropkit.system.home import ORIGINALS, kept

BOX = PixelBox(10, 20, 60, 90)
IMAGE = "a_stage2.png"


@pytest.fixture
def cropped(tmp_path: Path) -> tuple[Path, bytes]:
    """A collection with one crop; what was there before it."""
    folder = pictures.write_folder(tmp_path / "collection")
    original = (folder / IMAGE).read_bytes()
    (folder / IMAGE).chmod(0o640)
    os.utime(folder / IMAGE, ns=(1_600_000_000_000_000_001, 1_600_000_000_000_000_002))
    with Collection(folder) as collection:
        collection.crop(IMAGE, BOX)
    return folder, original


def undone(folder: Path, *paths: str, keep_current: bool = False) -> list[CropResult]:
    with Collection(folder) as collection:
        return collection.undo(*paths, keep_current=keep_current)


def agrees(folder: Path) -> bool:
    with Collection(folder) as collection:
        return collection.fsck() == []


def test_a_crop_that_was_deleted_comes_back_as_its_original(cropped: tuple[Path, bytes]) -> None:
    folder, original = cropped
    (folder / IMAGE).unlink()
    (result,) = undone(folder, IMAGE)
    assert (result.status, result.path) == (Status.RESTORED, IMAGE)
    entry = (folder / IMAGE).stat()
    assert (folder / IMAGE).read_bytes() == original
    assert entry.st_mode & 0o777 == 0o640
    assert entry.st_mtime_ns == 1_600_000_000_000_000_002
    assert entry.st_nlink == 1, "who writes into it must not write into the kept original"
    assert agrees(folder)


def test_it_is_told_under_its_own_name_and_there_is_nothing_to_redo(
    cropped: tuple[Path, bytes],
) -> None:
    folder, _ = cropped
    (folder / IMAGE).unlink()
    undone(folder)
    with Collection(folder) as collection:
        assert [e["event"] for e in collection.trail.events(IMAGE)] == [
            *("decided", "cropped", "restored"),
        ]
        assert not any(ORIGINALS in (e["path"] or "") for e in collection.trail.events())
        with pytest.raises(NothingToUndo):
            collection.redo()
        with pytest.raises(NothingToUndo):
            collection.undo()


def test_what_came_back_is_cropped_and_undone_like_any_other(cropped: tuple[Path, bytes]) -> None:
    folder, original = cropped
    (folder / IMAGE).unlink()
    undone(folder)
    with Collection(folder) as collection:
        collection.crop(IMAGE, BOX)
        assert collection.undo()[0].ok
        assert collection.redo()[0].ok
        assert collection.undo()[0].ok
    assert (folder / IMAGE).read_bytes() == original
    assert agrees(folder)


def test_an_original_of_two_images_is_kept_for_the_other(tmp_path: Path) -> None:
    folder = pictures.write_folder(tmp_path / "collection")
    data = (folder / IMAGE).read_bytes()
    (folder / "twin.png").write_bytes(data)
    with Collection(folder) as collection:
        collection.crop(IMAGE, BOX)
        collection.crop("twin.png", BOX)
        (folder / IMAGE).unlink()
        collection.undo(IMAGE)
        (folder / "twin.png").unlink()
        collection.undo("twin.png")
    assert (folder / IMAGE).read_bytes() == (folder / "twin.png").read_bytes() == data
    assert agrees(folder)


def test_a_moved_crop_that_was_deleted_comes_back_with_its_companions(tmp_path: Path) -> None:
    folder, beside = pictures.write_folder(tmp_path / "collection"), tmp_path / "crops"
    original = (folder / IMAGE).read_bytes()
    names = sorted(path.name for path in folder.iterdir())
    with Collection(folder, destination=beside) as collection:
        collection.crop(IMAGE, BOX)
    (beside / IMAGE).unlink()
    assert undone(folder)[0].ok
    assert (folder / IMAGE).read_bytes() == original
    assert sorted(p.name for p in folder.iterdir() if p.name != ".cropkit") == names
    assert agrees(folder)


def test_a_file_that_was_edited_is_not_lost_to_undo(cropped: tuple[Path, bytes]) -> None:
    folder, _ = cropped
    (folder / IMAGE).write_bytes(b"hours of work")
    (result,) = undone(folder)
    assert (result.status, result.code) == (Status.REFUSED, "ChangedSinceCrop")
    assert "--keep-current" in (result.message or "")
    assert "--to FILE" in (result.message or "")
    assert (folder / IMAGE).read_bytes() == b"hours of work"


def test_an_edited_file_is_set_aside_when_asked_and_can_come_back(
    cropped: tuple[Path, bytes],
) -> None:
    folder, original = cropped
    (folder / IMAGE).write_bytes(b"hours of work")
    aside, result = undone(folder, keep_current=True)
    assert (aside.status, result.status) == (Status.REJECTED, Status.RESTORED)
    assert (folder / IMAGE).read_bytes() == original
    assert (folder / str(aside.destination)).read_bytes() == b"hours of work"
    assert agrees(folder)
    (folder / IMAGE).rename(folder / "the original.png")
    assert undone(folder)[0].ok
    assert (folder / IMAGE).read_bytes() == b"hours of work"


def test_a_file_that_took_the_name_is_never_written_over(cropped: tuple[Path, bytes]) -> None:
    folder, _ = cropped
    (folder / IMAGE).unlink()
    (folder / IMAGE).symlink_to(folder / "d.jpg")
    (result,) = undone(folder)
    assert result.code == "NotRegularFile"
    assert (folder / IMAGE).is_symlink()


def test_an_original_that_is_damaged_is_told_as_what_it_is(cropped: tuple[Path, bytes]) -> None:
    folder, original = cropped
    copy = folder / kept(hashlib.sha256(original).hexdigest())
    copy.chmod(0o600)
    copy.write_bytes(b"bit rot")
    before = (folder / IMAGE).read_bytes()
    (result,) = undone(folder)
    assert result.code == "OriginalDamaged"
    assert "the original stands" not in (result.message or "").lower()
    assert (folder / IMAGE).read_bytes() == before
    (folder / IMAGE).unlink()
    assert not undone(folder)[0].ok
    assert not (folder / IMAGE).exists()


# -- originals copied out ----------------------------------------------------------------------


def test_an_original_is_copied_out_and_nothing_else_changes(
    cropped: tuple[Path, bytes], tmp_path: Path
) -> None:
    folder, original = cropped
    crop = (folder / IMAGE).read_bytes()
    with Collection(folder) as collection:
        (listed,) = collection.originals()
        assert (listed.path, listed.size) == (IMAGE, len(original))
        collection.copy_original(IMAGE, tmp_path / "new" / "a.png")
        with pytest.raises(NameTaken):
            collection.copy_original(IMAGE, tmp_path / "new" / "a.png")
        assert collection.fsck() == []
    assert (tmp_path / "new" / "a.png").read_bytes() == original
    assert (folder / IMAGE).read_bytes() == crop


def test_the_original_of_an_image_cropped_twice_is_the_first(
    cropped: tuple[Path, bytes], tmp_path: Path
) -> None:
    folder, original = cropped
    with Collection(folder) as collection:
        collection.crop(IMAGE, PixelBox(1, 1, 20, 20))
        assert [each.path for each in collection.originals(IMAGE)] == [IMAGE, IMAGE]
        collection.copy_original(IMAGE, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == original


# -- what was changed on purpose -----------------------------------------------------------------


def test_a_change_on_purpose_is_told_once_and_no_difference_any_more(
    cropped: tuple[Path, bytes],
) -> None:
    folder, original = cropped
    (folder / IMAGE).write_bytes(b"hours of work")
    assert not agrees(folder)
    with Collection(folder) as collection:
        (change,) = collection.accept_changes()
        assert change.now == hashlib.sha256(b"hours of work").hexdigest()
        assert collection.accept_changes() == []
        assert collection.fsck() == []
    (folder / IMAGE).write_bytes(b"an accident")
    assert not agrees(folder), "only what was there then is accepted"
    (folder / IMAGE).unlink()
    assert undone(folder)[0].ok
    assert (folder / IMAGE).read_bytes() == original
    assert agrees(folder)


def test_only_the_images_named_are_accepted(cropped: tuple[Path, bytes]) -> None:
    folder, _ = cropped
    with Collection(folder) as collection:
        collection.crop("b_stage2.png", BOX)
        (folder / IMAGE).unlink()
        (folder / "b_stage2.png").unlink()
        assert [each.path for each in collection.accept_changes(IMAGE)] == [IMAGE]
        assert [each.path for each in collection.fsck()] == ["b_stage2.png"]


@pytest.mark.parametrize("destination", [None, "crops"])
def test_an_original_comes_back_into_a_folder_that_was_removed(
    tmp_path: Path, destination: str | None
) -> None:
    folder = tmp_path / "collection"
    pictures.write_folder(folder / "sub" / "deeper")
    name = f"sub/deeper/{IMAGE}"
    original = (folder / name).read_bytes()
    where = tmp_path / destination if destination else None
    with Collection(folder, destination=where) as collection:
        collection.crop(name, BOX)
    shutil.rmtree(folder / "sub")
    assert undone(folder)[0].ok
    assert (folder / name).read_bytes() == original
    assert agrees(folder)
