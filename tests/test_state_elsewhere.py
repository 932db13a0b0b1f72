"""A collection whose state is not in its folder keeps every promise, and the folder clean."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pictures
import pytest
from desktop import ManualLoop
from faults import TwoDisks
from faults import contents as every_content

from cropkit.batch import Batch
from cropkit.cli import main
from cropkit.collection import Collection, rebuild
from cropkit.engine import listing
from cropkit.errors import (
    BadStatePlace,
    CropkitError,
    ForeignState,
    NameTaken,
    NoCollection,
    NotMergeable,
    OnlyLooking,
    SecondState,
    SourceReadOnly,
)
from cropkit.geometry import PixelBox
from cropkit.records import Status
from cropkit.review import Review
from cropkit.system import personal_state, state_place
from cropkit.system.home import COLLECTION, DATABASE, HOME
from cropkit.system.scope import Scope, scope_of
from cropkit.system.state_place import IDENTITY, STATE_HOME, Why
from cropkit.workers.applier import ApplierProcess

BOX = PixelBox(0, 0, 48, 48)
PNG, JPEG = "a_stage2.png", "d.jpg"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which states a test has used elsewhere is no other test's business."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own"))
    monkeypatch.delenv(STATE_HOME, raising=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = pictures.write_folder(tmp_path / "photos")
    pictures.write_folder(folder / "2024")
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the images."""
    for place in map(Path, ("/dev/shm", "/var/tmp", "/tmp")):  # noqa: S108  (whichever is another disk)
        if place.is_dir() and place.stat().st_dev != tmp_path.stat().st_dev:
            with TemporaryDirectory(dir=place) as folder:
                yield Path(folder).resolve() / "state"
            return
    pytest.skip("there is no second file system here")


def contents(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 of the files in a folder, but for ours and the name by which it is known."""
    every = every_content(folder)
    every.pop(IDENTITY, None)
    return every


def is_untouched(folder: Path) -> bool:
    """Whether nothing of ours is in a folder but the name by which it is known."""
    ours = {path.name for path in folder.rglob(".cropkit*")}
    return ours <= {IDENTITY}


# -- the whole way --------------------------------------------------------------------------------


def test_all_that_is_done_with_a_collection_leaves_only_images_in_its_folder(
    photos: Path, other_disk: Path
) -> None:
    before = contents(photos)
    with Collection(photos, state=other_disk) as collection:
        for name in (PNG, JPEG, "2024/a_stage2.png"):
            assert collection.crop(name, BOX).ok
        assert collection.fsck() == []
        assert [each.status for each in collection.undo(last=1)] == [Status.RESTORED]
    with Collection(photos, state=other_disk) as collection:
        collection.redo()
        assert collection.copy_original(PNG, photos.parent / "was.png").exists()
        for result in collection.undo(everything=True):
            assert result.ok
        assert collection.fsck() == []
        assert [result.ok for result in collection.purge(keep_bytes=0)].count(True) > 0
    assert contents(photos) == before
    assert is_untouched(photos)
    assert (other_disk / DATABASE).is_file()


def test_a_crop_has_the_mode_and_the_owner_of_its_image_and_undo_its_times(
    photos: Path, other_disk: Path
) -> None:
    (photos / PNG).chmod(0o640)
    before = (photos / PNG).stat()
    with Collection(photos, state=other_disk) as collection:
        collection.crop(PNG, BOX)
        now = (photos / PNG).stat()
        assert (now.st_mode, now.st_uid, now.st_gid) == (
            before.st_mode,
            before.st_uid,
            before.st_gid,
        )
        collection.undo()
    assert (photos / PNG).stat().st_mtime_ns == before.st_mtime_ns
    assert (photos / PNG).stat().st_mode == before.st_mode


def test_an_image_that_is_kept_elsewhere_has_no_second_name(photos: Path, state: Path) -> None:
    with Collection(photos, state=state, system=TwoDisks(state)) as collection:
        result = collection.crop(PNG, BOX)
        (original,) = collection.originals()
        assert (state / HOME / "originals" / original.sha256).stat().st_nlink == 1
        assert result.ok
        assert list((state / HOME / "stage").iterdir()) == []


def test_rejects_and_moves_work_across_disks(photos: Path, state: Path, tmp_path: Path) -> None:
    before = contents(photos)
    moved = tmp_path / "moved"
    system = TwoDisks(state)
    with Collection(photos, state=state, destination=moved, system=system) as collection:
        assert collection.crop(PNG, BOX).ok
        assert (moved / PNG).exists()
        assert not (photos / PNG).exists()
        for result in collection.undo():
            assert result.ok
    assert contents(photos) == before


def test_a_foreign_file_with_a_reserved_name_is_never_touched(photos: Path, state: Path) -> None:
    foreign = photos / ".cropkit-0123456789ab-a_stage2.png.part"
    foreign.write_bytes(b"mine")
    with Collection(photos, state=state, system=TwoDisks(state)) as collection:
        collection.crop(PNG, BOX)
        collection.recover()
        assert foreign.name not in collection.images()
    assert foreign.read_bytes() == b"mine"


def test_a_batch_and_a_review_need_no_state_in_the_folder(photos: Path, other_disk: Path) -> None:
    with Batch(photos, state=other_disk, source="suggestions") as batch:
        batch.apply()
        assert batch.folder.is_relative_to(other_disk)
    with Collection(photos, state=other_disk) as collection:
        assert collection.counts().written == 10
    review = Review(photos, state=other_disk, loop=ManualLoop(), apart=False)
    assert review.collection.scope.state == other_disk
    review.close()
    assert is_untouched(photos)


def test_a_lost_database_is_made_anew_where_it_was(photos: Path, state: Path) -> None:
    with Collection(photos, state=state) as collection:
        collection.crop(PNG, BOX)
    for path in (state / HOME).glob("cropkit.db*"):
        path.unlink()
    assert rebuild(photos, state) > 0
    with Collection(photos, state=state) as collection:
        assert collection.fsck() == []
        assert [result.status for result in collection.undo()] == [Status.RESTORED]


COMMANDS = (
    *("history", "stats", "health", "fsck", "recover", "apply", "originals", "settings", "heads"),
    *("destinations", "share", "compact", "adopt", "where", "accept-changes"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_the_state_and_finds_it_again(
    command: str, photos: Path, state: Path, capsys: Capture
) -> None:
    with Collection(photos, state=state) as collection:
        collection.crop(PNG, BOX)
    assert main([command, str(photos), "--state", str(state)]) == 0
    named = capsys.readouterr().out
    assert main([command, str(photos)]) == 0
    if command not in ("health", "stats", "compact", "settings"):
        assert capsys.readouterr().out == named
    assert is_untouched(photos)


def test_crop_and_undo_take_it_too(photos: Path, state: Path) -> None:
    before = contents(photos)
    assert main(["crop", str(photos / PNG), "--box", "0,0,48,48", "--state", str(state)]) == 0
    assert main(["crop", str(photos / JPEG), "--box", "0,0,48,48"]) == 0
    assert main(["undo", str(photos), "--all"]) == 0
    assert main(["purge", str(photos), "--older-than", "0d", "--state", str(state)]) == 0
    assert contents(photos) == before
    assert is_untouched(photos)


# -- which state it is ----------------------------------------------------------------------------


def test_one_that_lies_in_the_folder_is_used_as_ever(photos: Path) -> None:
    assert state_place.located(photos).why is Why.NEW_INSIDE
    Collection(photos).close()
    assert state_place.located(photos) == state_place.StatePlace(photos, photos, Why.INSIDE)
    assert scope_of(photos / "2024") == Scope(photos, "2024")


def test_a_state_that_was_used_is_found_again_for_the_folder_and_its_parts(
    photos: Path, state: Path
) -> None:
    Collection(photos, state=state).close()
    assert state_place.located(photos) == state_place.StatePlace(photos, state, Why.REMEMBERED)
    assert scope_of(photos / "2024") == Scope(photos, "2024", state)
    assert scope_of(photos / "2024", state) == Scope(photos, "2024", state)
    with Collection(photos / "2024", state=state) as part:
        assert {name.partition("/")[0] for name in part.images()} == {"2024"}


def test_a_state_home_has_a_folder_for_each_collection(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STATE_HOME, str(tmp_path / "states"))
    with Collection(photos) as collection:
        collection.crop(PNG, BOX)
    (entry,) = (tmp_path / "states").iterdir()
    assert entry.name.startswith("photos-")
    assert state_place.located(photos).why is Why.IN_STATE_HOME
    personal_state.read("states")
    shutil.rmtree(tmp_path / "own")
    assert state_place.located(photos).state == entry
    assert is_untouched(photos)


def test_a_folder_with_a_state_inside_stays_with_it_whatever_the_state_home(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Collection(photos).close()
    monkeypatch.setenv(STATE_HOME, str(tmp_path / "states"))
    assert state_place.located(photos).why is Why.INSIDE


@pytest.mark.parametrize(
    "name", ["x" * 255, "a\nb", os.fsdecode(b"\xff\xfe"), "ü" * 127, ".", "-rf", " ", "a'\"$"]
)
def test_the_name_of_a_state_is_safe_and_short_for_any_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STATE_HOME, str(tmp_path / "states"))
    folder = pictures.write_folder(tmp_path / name / "in")
    outer = folder.parent if name != "." else folder
    named = state_place.name_in_home(outer.resolve())
    assert len(os.fsencode(named)) <= 100
    assert named.replace("-", "").replace("_", "").isalnum()
    assert named.isascii()
    with Collection(outer) as collection:
        collection.crop(f"in/{PNG}" if name != "." else PNG, BOX)
    assert scope_of(outer).state == tmp_path / "states" / named


def test_two_folders_never_share_a_state(photos: Path, state: Path, tmp_path: Path) -> None:
    other = pictures.write_folder(tmp_path / "other")
    Collection(photos, state=state).close()
    with pytest.raises(BadStatePlace, match=f"it is the state of {photos}, not of {other}"):
        Collection(other, state=state)
    assert state_place.name_in_home(photos) != state_place.name_in_home(other)
    assert not (other / HOME).exists()


def test_a_folder_that_holds_anothers_state_is_no_collection(photos: Path, state: Path) -> None:
    Collection(photos, state=state).close()
    with pytest.raises(BadStatePlace, match=f"it holds the state of {photos}: name that"):
        Collection(state)
    inner = pictures.write_folder(state / "in it")
    assert scope_of(inner) == Scope(inner)


@pytest.mark.parametrize("place", ["photos/state", "photos/.state", "."])
def test_a_state_in_its_own_folder_or_above_it_is_refused(
    place: str, photos: Path, tmp_path: Path
) -> None:
    before = contents(photos)
    with pytest.raises(BadStatePlace, match="lies in"):
        Collection(photos, state=tmp_path / place)
    assert contents(photos) == before
    assert not (tmp_path / place / HOME).exists()


def test_a_state_in_another_collection_or_of_one_is_refused(photos: Path, tmp_path: Path) -> None:
    other = pictures.write_folder(tmp_path / "other")
    Collection(other).close()
    with pytest.raises(BadStatePlace, match="it lies in the collection"):
        Collection(photos, state=other / "state")
    with pytest.raises(BadStatePlace, match="is its own"):
        Collection(photos, state=other)


def test_the_folder_itself_is_the_state_as_ever(photos: Path) -> None:
    with Collection(photos, state=photos) as collection:
        assert collection.scope == Scope(photos)


def test_a_file_is_no_place_for_a_state(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadStatePlace, match="it is a file"):
        Collection(photos, state=tmp_path / "file")


def test_a_state_home_is_absolute(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATE_HOME, "somewhere")
    with pytest.raises(BadStatePlace, match="no absolute path"):
        Collection(photos)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[]",
        b'{"folder": 1}',
        b'{"folder": "relative"}',
        b"[" * 100_000,
        b'{"folder": "/a", "identity": 1}',
        b'{"folder": "/' + b"a" * 30_000 + b'"}',
        b"\xff",
    ],
)
def test_a_state_that_does_not_tell_whose_it_is_is_refused(
    document: bytes, photos: Path, state: Path
) -> None:
    Collection(photos, state=state).close()
    (state / COLLECTION).write_bytes(document)
    with pytest.raises(BadStatePlace, match="does not tell whose it is"):
        Collection(photos, state=state)


def test_half_a_rename_of_its_document_is_no_state_of_somebody_elses(
    photos: Path, state: Path
) -> None:
    Collection(photos, state=state).close()
    (state / f"{COLLECTION}.0123").hardlink_to(state / COLLECTION)
    Collection(photos, state=state).close()
    assert [path.name for path in (state / HOME).glob("collection*")] == ["collection.json"]
    (state / HOME / "another").hardlink_to(state / COLLECTION)
    with pytest.raises(ForeignState, match="another name"):
        Collection(photos, state=state)


def test_a_state_that_everybody_may_write_to_is_refused(photos: Path, state: Path) -> None:
    Collection(photos, state=state).close()
    (state / COLLECTION).chmod(0o666)
    with pytest.raises(ForeignState):
        Collection(photos, state=state)


def test_without_memory_of_it_the_folder_has_no_state(
    photos: Path, state: Path, tmp_path: Path
) -> None:
    Collection(photos, state=state).close()
    shutil.rmtree(tmp_path / "own")
    assert main(["history", str(photos)]) == 1
    with pytest.raises(NoCollection):
        raise_no_collection(photos)


def raise_no_collection(folder: Path) -> None:
    from cropkit.cli.shell import existing  # noqa: PLC0415  (only here)

    existing(folder)


def test_without_a_memory_it_says_so_and_works_when_it_is_named(
    photos: Path, state: Path, tmp_path: Path
) -> None:
    (tmp_path / "own" / "cropkit").mkdir(parents=True)
    (tmp_path / "own" / "cropkit").chmod(0o777)
    for _ in range(2):
        with Collection(photos, state=state) as collection:
            assert [each for each in collection.trail.notices if "is not remembered" in each]
            assert collection.fsck() == []
    assert scope_of(photos) == Scope(photos)


def test_a_batch_of_the_shell_gives_its_kernel_the_state(photos: Path, state: Path) -> None:
    words = ["batch", str(photos), "-p", "source", "suggestions", "--state", str(state)]
    assert main(words) == 0
    (run,) = (path for path in (state / HOME / "runs").iterdir() if path.is_dir())
    assert (run / "report.html").is_file()
    assert is_untouched(photos)
    assert main([*words[:-2], "-p", "state", str(state)]) == 1


def test_the_process_that_applies_has_the_state_too(photos: Path, state: Path) -> None:
    with Collection(photos, state=state) as collection:
        process = ApplierProcess(collection)
        try:
            assert process.apply(decide(collection, PNG)).status is Status.CROPPED
        finally:
            process.close()
        assert collection.fsck() == []
    assert is_untouched(photos)


def test_nothing_is_merged_into_a_state_elsewhere(photos: Path, state: Path) -> None:
    Collection(photos / "2024").close()
    with (
        Collection(photos, state=state) as collection,
        pytest.raises(NotMergeable, match="lies elsewhere"),
    ):
        collection.merge(photos / "2024")


# -- a folder that was moved ----------------------------------------------------------------------


def test_a_folder_that_was_moved_is_known_again(photos: Path, state: Path) -> None:
    with Collection(photos, state=state) as collection:
        collection.crop(PNG, BOX)
    assert (photos / IDENTITY).is_file()
    moved = photos.rename(photos.with_name("moved"))
    assert scope_of(moved) == Scope(moved, elsewhere=state)
    with Collection(moved) as collection:
        assert [result.status for result in collection.undo()] == [Status.RESTORED]
    assert state_place.owner_of(state) == state_place.Owner(moved, state_place.identity_of(moved))


def test_a_copy_of_a_folder_is_not_taken_for_it(photos: Path, state: Path) -> None:
    with Collection(photos, state=state) as collection:
        collection.crop(PNG, BOX)
    copy = shutil.copytree(photos, photos.with_name("copy"))
    with pytest.raises(BadStatePlace, match="is a copy"):
        Collection(copy, state=state)
    assert state_place.located(copy).why is Why.NEW_INSIDE


def test_another_folder_with_the_name_of_one_is_not_taken_for_it(photos: Path, state: Path) -> None:
    with Collection(photos, state=state) as collection:
        collection.crop(PNG, BOX)
    photos.rename(photos.with_name("moved"))
    pictures.write_folder(photos)
    with pytest.raises(BadStatePlace, match="is not any more"):
        Collection(photos)


def test_a_folder_that_was_only_looked_at_gets_no_name(photos: Path, state: Path) -> None:
    with Collection(photos, state=state) as collection:
        collection.images()
        collection.look(PNG)
    assert not (photos / IDENTITY).exists()
    moved = photos.rename(photos.with_name("moved"))
    with pytest.raises(BadStatePlace, match="it is the state of"):
        Collection(moved, state=state)


# -- two states of one folder ---------------------------------------------------------------------


def test_a_second_state_is_noticed_and_crops_nothing_in_place(
    photos: Path, state: Path, tmp_path: Path
) -> None:
    before = contents(photos)
    Collection(photos, state=state).close()
    with Collection(photos, state=tmp_path / "second") as collection:
        assert any(f"another state, too, {state}" in each for each in collection.trail.notices)
        with pytest.raises(SecondState, match=str(state)):
            collection.crop(PNG, BOX)
    assert contents(photos) == before


def test_one_beside_the_state_inside_is_the_second(photos: Path, state: Path) -> None:
    Collection(photos).close()
    with Collection(photos, state=state) as collection, pytest.raises(SecondState):
        collection.crop(PNG, BOX)
    with Collection(photos) as collection:
        assert any("another state" in each for each in collection.trail.notices)
        assert collection.crop(PNG, BOX).ok


def test_who_wants_both_says_so(photos: Path, state: Path, capsys: Capture) -> None:
    Collection(photos).close()
    Collection(photos, state=state).close()
    assert main(["where", str(photos), "--state", str(state)]) == 1
    assert "nothing is cropped in place" in capsys.readouterr().err
    assert main(["where", str(photos), "--state", str(state), "--second"]) == 0
    with Collection(photos, state=state) as collection:
        assert collection.crop(PNG, BOX).ok


def test_of_two_states_one_has_to_be_named(photos: Path, state: Path, tmp_path: Path) -> None:
    Collection(photos, state=state).close()
    Collection(photos, state=tmp_path / "second").close()
    with pytest.raises(BadStatePlace, match=r"2 states.*name one"):
        Collection(photos)
    shutil.rmtree(tmp_path / "second")
    assert scope_of(photos).state == state


def test_where_tells_all_in_json(photos: Path, state: Path, capsys: Capture) -> None:
    assert main(["where", str(photos), "--json"]) == 0
    new = json.loads(capsys.readouterr().out)
    assert (new["why"], new["exists"], new["state"]) == ("new-inside", False, str(photos))
    assert not (photos / HOME).exists()
    Collection(photos, state=state).close()
    assert main(["where", str(photos / "2024"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file_system"]
    del told["file_system"]
    assert told == {
        "ok": True,
        "folder": str(photos),
        "part": "2024",
        "state": str(state),
        "exists": True,
        "why": "remembered",
        "others": [],
        "second_to": None,
    }


# -- a source that cannot be written --------------------------------------------------------------


@pytest.fixture
def read_only(photos: Path) -> Iterator[Path]:
    """The images again, by a mount that lets nobody write."""
    place = photos.parent / "read only"
    place.mkdir()
    bind = ("mount", "--bind", str(photos), str(place))
    try:
        for command in (bind, ("mount", "-o", "remount,ro,bind", str(place))):
            if subprocess.run(command, check=False, capture_output=True).returncode:
                pytest.skip("a read-only bind mount takes root")
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)


def test_a_source_that_cannot_be_written_is_reviewed_all_the_same(
    read_only: Path, other_disk: Path
) -> None:
    before = contents(read_only)
    with Collection(read_only, state=other_disk) as collection:
        assert len(collection.images()) == 10
        with pytest.raises(SourceReadOnly, match="--copy-to"):
            collection.crop(PNG, BOX)
        decision = decide(collection, PNG)
        result = collection.apply(decision)
        assert (result.status, result.code) == (Status.WAITING, "SourceReadOnly")
        assert collection.counts().waiting == 1
        assert collection.fsck() == []
    assert contents(read_only) == before
    assert list((other_disk / HOME / "originals").iterdir()) == []


def test_a_batch_from_it_is_refused_by_name_before_it_begins(
    read_only: Path, other_disk: Path, capsys: Capture
) -> None:
    with Collection(read_only, state=other_disk) as collection:
        decide(collection, PNG)
    assert main(["batch", str(read_only), "--dry-run", "--state", str(other_disk)]) == 1
    assert "--copy-to" in capsys.readouterr().out


def test_without_any_state_it_is_opened_for_looking(
    read_only: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with Collection(read_only) as collection:
        place = collection.scope.state
        assert len(collection.images()) == 10
        assert collection.look(PNG).path == PNG
        assert [each for each in collection.trail.notices if "is only looked at" in each]
        with pytest.raises(OnlyLooking, match=r"cropkit review .* --state "):
            decide(collection, PNG)
        assert collection.trail.decisions.standing() == []
    assert not place.exists()
    assert state_place.located(read_only).why is Why.NEW_INSIDE
    assert main(["crop", str(read_only / PNG), "--box", "0,0,48,48"]) == 1
    told = capsys.readouterr().err
    assert "OnlyLooking" in told
    assert "from now on" not in told
    assert not list(temporary.iterdir())


def test_a_review_of_it_shows_its_images(read_only: Path) -> None:
    review = Review(read_only, loop=ManualLoop(), apart=False)
    assert review.collection.looking is not None
    assert "10 images" in repr(review)
    review.close()
    review.collection.close()


def test_copies_of_it_are_made_with_a_state_elsewhere(
    read_only: Path, other_disk: Path, tmp_path: Path
) -> None:
    before = contents(read_only)
    with Collection(read_only, state=other_disk, copy_to=tmp_path / "copies") as collection:
        result = collection.crop(PNG, BOX)
        assert (result.ok, (tmp_path / "copies" / PNG).is_file()) == (True, True)
        assert collection.fsck() == []
        assert [each.ok for each in collection.undo()] == [True]
    assert not (tmp_path / "copies" / PNG).exists()
    assert contents(read_only) == before
    assert not (read_only / IDENTITY).exists()


def test_a_copy_that_is_refused_leaves_nothing_in_doubt(
    read_only: Path, other_disk: Path, tmp_path: Path
) -> None:
    out = tmp_path / "copies"
    out.mkdir()
    (out / PNG).write_bytes(b"in the way")
    with Collection(read_only, state=other_disk, copy_to=out) as collection:
        with pytest.raises(NameTaken):
            collection.crop(PNG, BOX)
        assert collection.trail.operations.unsettled() == []
        assert collection.fsck() == []


def test_crops_from_it_go_nowhere_but_what_is_kept_is_copied_out(
    read_only: Path, photos: Path, other_disk: Path
) -> None:
    with Collection(photos, state=other_disk) as collection:
        collection.crop(PNG, BOX)
    with pytest.raises(CropkitError):
        Collection(read_only, state=other_disk)  # it is another path: the same images, twice
    with suppress(CropkitError):
        Collection(read_only).close()
    assert not any(name.startswith(HOME) for name in listing.listed(scope_of(photos)).images)


def decide(collection: Collection, name: str) -> str:
    from deciding import decision  # noqa: PLC0415  (only here)

    wanted = decision(collection, name, BOX)
    collection.decide([wanted])
    return wanted.id
