"""What a merge has left goes on purpose, and only where nothing in it is the only copy."""

import json
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pictures
import pytest
from deciding import decided
from faults import contents

from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import MissingFile, StillNeeded, WriteFailed
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, Status, Verdict
from cropkit.system.home import DATABASE, EXPORT, HOME, MERGED, ORIGINALS, REJECTED

BOX = PixelBox(10, 20, 60, 90)
A, B, C = "a_stage2.png", "b_stage2.png", "c.jpg"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A collection to which another one was joined: a crop, one that was rejected, one waiting.

    A part of its export was packed.
    """
    photos = pictures.write_folder(tmp_path / "photos")
    lone = pictures.write_folder(tmp_path / "lone")
    with Collection(lone) as collection:
        collection.crop(A, BOX)
        collection.apply(decided(collection, C, Verdict.REJECT, None))
        decided(collection, "e.jpeg")
        assert collection.trail.store.rotate(4, least=0).names
    with Collection(photos) as collection:
        lone.rename(photos / "2024")
        collection.merge(photos / "2024")
    return photos


@pytest.fixture
def home(photos: Path) -> Path:
    """Where the inner state is."""
    (home,) = (photos / MERGED).iterdir()
    return home


def removed(photos: Path) -> CropResult:
    with Collection(photos) as collection:
        (name,) = collection.undoer.merged.since()
        return collection.undoer.merged.remove(name)


def stays(photos: Path, words: str) -> None:
    """Nothing in it is touched, and the sentence says why."""
    before = everything(photos / MERGED)
    result = removed(photos)
    assert (result.status, result.code) == (Status.REFUSED, StillNeeded.__name__)
    assert words in str(result.message)
    assert everything(photos / MERGED) == before
    with Collection(photos) as collection:
        assert collection.trail.events(kind="merged-purged") == []


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_goes_and_every_image_inside_can_be_undone(photos: Path, home: Path) -> None:
    result = removed(photos)
    assert (result.status, result.path) == (Status.PURGED, f"{MERGED}/{home.name}")
    assert not home.exists()
    with Collection(photos) as collection:
        (event,) = collection.trail.events(kind="merged-purged")
        facts = json.loads(event["body"])
        assert (event["path"], facts["aside"]) == ("2024", f"{MERGED}/{home.name}")
        assert facts["bytes"] > 0
        assert collection.fsck() == []
        assert len(collection.trail.decisions.waiting()) == 1
        assert all(result.ok for result in collection.undo(everything=True))
        assert collection.fsck() == []
    assert main(["fsck", str(photos), "--rebuild"]) == 0
    lone = contents(photos / "2024")
    assert lone == {name: contents(photos)[name] for name in lone}


def test_a_purge_tells_and_counts_it_as_it_does_originals(photos: Path, capsys: Capture) -> None:
    assert main(["purge", str(photos), "--older-than", "1d"]) == 0
    assert capsys.readouterr().out == ""
    assert len(list((photos / MERGED).iterdir())) == 1
    assert main(["purge", str(photos), "--older-than", "0d", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    paths = [each["path"] for each in document["results"]]
    assert document["counts"] == {"purged": 2}
    assert paths[-1].startswith(f"{MERGED}/")  # the merge is younger than what was cropped before
    assert list((photos / MERGED).iterdir()) == []


def test_its_bytes_count_where_a_size_is_to_be_kept(photos: Path, home: Path) -> None:
    originals = sum(path.stat().st_size for path in (photos / ORIGINALS).iterdir())
    with Collection(photos) as collection:
        size = collection.undoer.merged.size(f"{MERGED}/{home.name}")
        assert size > (home / "cropkit.db").stat().st_size
        assert collection.purge(keep_bytes=originals + size) == []
        first, *_ = collection.purge(keep_bytes=originals + size - 1)
    assert home.exists()
    assert not first.path.startswith(MERGED)


def test_a_purge_of_a_part_leaves_it(photos: Path, home: Path) -> None:
    with Collection(photos / "2024") as part:
        part.purge(older_than=timedelta(0))
    assert home.exists()


def test_an_original_that_only_it_has_stays(photos: Path, home: Path) -> None:
    original = min((photos / ORIGINALS).iterdir())
    shutil.move(original, home / "originals" / original.name)
    stays(photos, "only copy")


def test_an_image_set_aside_that_only_it_has_stays(photos: Path, home: Path) -> None:
    (image,) = (photos / REJECTED).rglob("c.jpg")
    (home / "rejected").mkdir(exist_ok=True)
    image.rename(home / "rejected" / "c.jpg")
    stays(photos, "only copy")


def test_an_image_set_aside_that_was_taken_back_since_holds_nothing_up(
    photos: Path, home: Path
) -> None:
    (image,) = (photos / REJECTED).rglob("c.jpg")
    shutil.copy(image, home / "rejected" / "c.jpg")
    with Collection(photos) as collection:
        assert all(result.ok for result in collection.undo("2024/c.jpg"))
    assert removed(photos).status is Status.PURGED


def test_an_original_that_was_purged_is_missed_by_nobody(photos: Path, home: Path) -> None:
    with Collection(photos) as collection:
        for original in (photos / ORIGINALS).iterdir():
            shutil.copy(original, home / "originals" / original.name)
        originals = [path.name for path in (photos / ORIGINALS).iterdir()]
        assert not any(map(collection.trail.contents.was_purged, originals))
        assert len(collection.purge(keep_bytes=0)) == 2
        assert all(map(collection.trail.contents.was_purged, originals))
        assert not collection.trail.contents.was_purged("0" * 64)
    assert not home.exists()


def test_an_original_that_rotted_in_it_holds_nothing_up(photos: Path, home: Path) -> None:
    (home / "originals" / ("0" * 64)).write_bytes(b"rotten")
    assert removed(photos).status is Status.PURGED


def test_a_state_that_was_not_joined_stays(photos: Path, home: Path) -> None:
    home.rename(home.with_name("elsewhere"))
    stays(photos, "does not tell")


def test_a_trail_that_went_on_stays(photos: Path, home: Path, tmp_path: Path) -> None:
    """Somebody has put it back, worked on it, and put it into this place again."""
    shutil.copytree(photos / "2024", tmp_path / "lone")
    shutil.move(home, tmp_path / "lone" / HOME)
    with Collection(tmp_path / "lone") as lone:
        lone.crop(B, BOX)
    shutil.move(tmp_path / "lone" / HOME, home)
    stays(photos, "does not tell")


def test_a_trail_that_cannot_be_read_stays(photos: Path, home: Path) -> None:
    (home / Path(DATABASE).name).write_bytes(b"SQLite format 3\0" + bytes(5000))
    stays(photos, "cannot be read")


def test_where_there_is_no_room_to_look_it_stays(
    photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    stays(photos, "No such file")


def test_a_link_where_its_database_was_is_not_followed(photos: Path, home: Path) -> None:
    database = home / Path(DATABASE).name
    shutil.move(database, photos / "database")
    database.symlink_to(photos / "database")
    stays(photos, "cannot be read")


def test_what_links_in_it_lead_to_is_let_be(photos: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "neighbour").mkdir()
    (tmp_path / "neighbour" / "diary.txt").write_text("words")
    (home / "runs").symlink_to(tmp_path / "neighbour")
    (home / "rejected-too").symlink_to(tmp_path / "neighbour" / "diary.txt")
    assert removed(photos).status is Status.PURGED
    assert (tmp_path / "neighbour" / "diary.txt").read_text() == "words"


def test_a_removal_that_was_cut_off_is_carried_on(photos: Path, home: Path) -> None:
    (home / Path(DATABASE).name).unlink()
    assert (home / Path(EXPORT).name).exists()
    assert removed(photos).status is Status.PURGED
    assert not home.exists()


def test_two_purges_at_once_tell_of_it_once(photos: Path, home: Path) -> None:
    with Collection(photos) as collection, Collection(photos) as other:
        (name,) = collection.undoer.merged.since()
        assert other.undoer.merged.remove(name).status is Status.PURGED
        assert collection.undoer.merged.remove(name).code == MissingFile.__name__
        assert len(collection.trail.events(kind="merged-purged")) == 1
    assert not home.exists()


def test_folders_that_are_nested_too_deeply_stay_and_hold_no_original_up(
    photos: Path, home: Path
) -> None:
    deep = home / "runs" / "/".join(["x"] * 60)
    deep.mkdir(parents=True)
    with Collection(photos) as collection:
        original, left = collection.purge(keep_bytes=0)
    assert (original.status, left.code) == (Status.PURGED, WriteFailed.__name__)
    assert deep.is_dir()
    assert (home / Path(DATABASE).name).is_file()


def test_a_name_of_another_form_is_none_of_ours(photos: Path, home: Path) -> None:
    home.rename(home.with_name(f"{home.name}-\udcff"))
    stays(photos, "does not tell")


def test_one_that_was_joined_twice_goes_twice(photos: Path, home: Path) -> None:
    shutil.copytree(home, photos / "2024" / HOME)
    with Collection(photos) as collection:
        collection.merge(photos / "2024")
        results = collection.purge(older_than=timedelta(0))
    assert sum(result.path.startswith(MERGED) for result in results) == 2
    assert all(result.ok for result in results)
    assert list((photos / MERGED).iterdir()) == []
