"""A copy is a new file beside its image: the image is read, and nothing of it is ever written."""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pictures
import pytest
import trails
from deciding import decision
from faults import TwoDisks
from PIL import Image
from shell import run

from cropkit.audit.operation import Operation
from cropkit.cli import main
from cropkit.collection import Collection, rebuild
from cropkit.engine import listing, names_beside
from cropkit.engine.names_beside import NamesBeside
from cropkit.errors import (
    BadDestination,
    BadParameterValue,
    BadSetting,
    BadSlot,
    BadTarget,
    CopiesOnly,
    CropkitError,
    DestinationGone,
    MissingFile,
    NameTaken,
    NothingToUndo,
    TooSmall,
    UnsupportedFormat,
)
from cropkit.formats import applied
from cropkit.formats.copy_options import CopyOptions, Format
from cropkit.geometry import PixelBox, Size
from cropkit.records import Status, Verdict
from cropkit.suggest.sidecar import Sidecars
from cropkit.system import destinations
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, HOME

BOX, OTHER_BOX = PixelBox(8, 16, 56, 88), PixelBox(0, 0, 40, 40)
OFF_GRID = PixelBox(9, 9, 41, 41)
IMAGE, SAME_STEM = "set/photo.png", "set/photo.jpg"
CAPTION = "set/photo.txt"


class Seen(NamedTuple):
    """All that a program can tell of a file without reading who has read it."""

    data: bytes
    inode: int
    links: int
    mode: int
    mtime_ns: int
    ctime_ns: int


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with an image, its caption, and another image of the same stem."""
    folder = tmp_path / "source"
    (folder / "set").mkdir(parents=True)
    pictures.write_png(folder / IMAGE, pictures.photo(64, 96))
    pictures.write_jpeg(folder / SAME_STEM, pictures.photo(64, 96, seed=1))
    (folder / CAPTION).write_text("a caption", encoding="utf-8")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the copies go."""
    return tmp_path / "out"


def seen(folder: Path) -> dict[str, Seen]:
    files = (path for path in sorted(folder.rglob("*")) if HOME not in path.parts)
    return {
        path.relative_to(folder).as_posix(): Seen(path.read_bytes(), *_stated(path))
        for path in files
        if path.is_file()
    }


def _stated(path: Path) -> tuple[int, int, int, int, int]:
    entry = path.stat()
    return entry.st_ino, entry.st_nlink, entry.st_mode, entry.st_mtime_ns, entry.st_ctime_ns


def names(folder: Path) -> list[str]:
    return list(seen(folder))


def test_the_image_is_as_it_was_and_the_crop_is_a_file_of_its_own(source: Path, out: Path) -> None:
    before = seen(source)
    with Collection(source, copy_to=out) as collection:
        result = collection.crop(IMAGE, BOX)
        assert (result.status, result.mode) == (Status.CROPPED, "copy")
        assert result.destination == str(out / IMAGE)
        assert collection.fsck() == []
    assert seen(source) == before
    assert names(out) == [IMAGE, CAPTION]
    assert (out / CAPTION).read_text(encoding="utf-8") == "a caption"
    with Image.open(out / IMAGE) as crop, Image.open(source / IMAGE) as image:
        assert crop.tobytes() == image.crop(BOX.xyxy).tobytes()


def test_what_goes_with_it_shares_nothing_with_what_stays(source: Path, out: Path) -> None:
    """Who edits a copied caption does not edit the caption of the image."""
    before = seen(source)
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
        collection.crop(SAME_STEM, PixelBox.full(Size(64, 96)))  # the very bytes
    for name in names(out):
        (out / name).write_bytes(b"edited")
    assert seen(source) == before


def test_a_copy_is_the_persons_own_and_no_more_open_than_its_image(source: Path, out: Path) -> None:
    (source / IMAGE).chmod(0o4640)
    os.setxattr(source / IMAGE, "user.label", b"kept")
    with Collection(source, copy_to=out) as collection:
        assert collection.crop(IMAGE, BOX).dropped == ()
    assert (out / IMAGE).stat().st_mode & 0o7777 == 0o640
    assert os.getxattr(out / IMAGE, "user.label") == b"kept"


def test_undo_removes_what_was_made_and_redo_brings_it_back(source: Path, out: Path) -> None:
    before = seen(source)
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
        made = {name: each.data for name, each in seen(out).items()}
        (undone,) = collection.undo(IMAGE)
        assert (undone.status, undone.path) == (Status.RESTORED, IMAGE)
        assert names(out) == []
        assert collection.counts().decided == 0
        assert collection.fsck() == []
        (redone,) = collection.redo(IMAGE)
        assert (redone.ok, redone.path) == (True, IMAGE)
        assert {name: each.data for name, each in seen(out).items()} == made
        assert collection.fsck() == []
        told = [event["event"] for event in collection.trail.events(IMAGE)]
        assert told == ["decided", "cropped", "restored", "restored"]
    assert seen(source) == before


def test_a_copy_that_was_edited_is_not_taken_away_unless_it_is_kept(
    source: Path, out: Path
) -> None:
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
        (out / IMAGE).write_bytes(b"edited")
        (refused,) = collection.undo(IMAGE)
        assert refused.code == "ChangedSinceCrop"
        assert (out / IMAGE).read_bytes() == b"edited"
        (undone,) = collection.undo(IMAGE, keep_current=True)
        assert undone.ok
        assert names(out) == []
        collection.redo(IMAGE)
    assert (out / IMAGE).read_bytes() == b"edited"


def test_what_a_refused_undo_of_an_edited_copy_advises_works(source: Path, out: Path) -> None:
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
    (out / IMAGE).write_bytes(b"edited")
    refused = run("undo", str(source), IMAGE)
    assert refused.returncode == 1
    assert "--to" not in refused.stderr
    (advice,) = re.findall("`cropkit ([^`]*)`", refused.stderr)
    for name in (IMAGE, str(out / IMAGE)):
        words = {"FOLDER": str(source), "IMAGE": name}
        ended = run(*(words.get(word, word) for word in advice.split()))
        assert ended.returncode == 0, ended.stderr
        assert names(out) == []
        assert run("undo", str(source), IMAGE, "--redo").returncode == 0
        assert (out / IMAGE).read_bytes() == b"edited"


def test_no_box_of_the_whole_image_is_offered_for_its_copy(source: Path, out: Path) -> None:
    sidecar = pictures.write_sidecar(source / IMAGE, [0.1, 0.1, 0.5, 0.5])
    (source / IMAGE).with_suffix(".Decision").write_text("{}")
    before = sidecar.read_bytes()
    with Collection(source, copy_to=out) as collection:
        result = collection.crop(IMAGE, BOX)
        kept_out = f"copy of {Path(IMAGE).with_suffix('.decision')}"
        assert (kept_out, "left out: its box is one of the whole image") in result.dropped
        assert names(out) == [IMAGE, CAPTION]
        assert collection.undo(IMAGE)[0].ok
        assert collection.redo(IMAGE)[0].ok
        assert names(out) == [IMAGE, CAPTION]
    assert sidecar.read_bytes() == before
    suggested = Sidecars(out).suggest(IMAGE, Size(60, 60), "")
    assert suggested.suggestions == ()


def test_a_copy_that_is_gone_cannot_be_removed_and_may_be_made_again(
    source: Path, out: Path
) -> None:
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
        (out / IMAGE).unlink()
        assert [each.kind for each in collection.fsck()] == ["missing"]
        assert collection.undo(IMAGE)[0].code == "MissingFile"
        assert collection.crop(IMAGE, BOX).ok
        assert collection.fsck() == []


@pytest.mark.parametrize("name", [IMAGE, CAPTION])
def test_a_name_that_stands_for_something_else_is_refused(
    source: Path, out: Path, name: str
) -> None:
    (out / "set").mkdir(parents=True)
    (out / name).write_bytes(b"somebody's")
    with Collection(source, copy_to=out) as collection:
        with pytest.raises(NameTaken, match=name):
            collection.crop(IMAGE, BOX)
        assert collection.fsck() == []
    assert {path: each.data for path, each in seen(out).items()} == {name: b"somebody's"}


def test_the_very_crop_that_stands_there_is_left_and_told(source: Path, out: Path) -> None:
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
        made = seen(out)
        again = collection.crop(IMAGE, BOX)
        assert (again.status, again.stood) == (Status.CROPPED, True)
        assert seen(out) == made
        assert collection.undo(IMAGE)[0].ok
        assert seen(out) == made, "what it did not make it does not take away"
        assert collection.undo(IMAGE)[0].ok
        assert names(out) == []
        assert collection.fsck() == []


def test_each_slot_of_an_image_is_a_crop_of_its_own(source: Path, out: Path) -> None:
    with Collection(source, copy_to=out) as collection:
        for slot, box in (("", BOX), ("face", OTHER_BOX), ("half body", BOX)):
            assert collection.crop(IMAGE, box, slot=slot).slot == slot
        assert names(out) == [
            *("set/photo.png", "set/photo.txt", "set/photo_face.png", "set/photo_face.txt"),
            *("set/photo_half body.png", "set/photo_half body.txt"),
        ]
        assert collection.counts().decided == 3
        assert collection.trail.integrity.disagreements() == []
        collection.undo(IMAGE)
        standing = {each.slot: each.status for each in collection.trail.decisions.standing()}
        assert standing == {"": Status.CROPPED, "face": Status.CROPPED}


@pytest.mark.parametrize("slot", ["a/b", "..", ".hidden", "a\nb", "x" * 41, " ", "a\x1b[0m", "-"])
def test_a_slot_that_could_be_another_name_is_refused(source: Path, out: Path, slot: str) -> None:
    with Collection(source, copy_to=out) as collection:
        with pytest.raises(BadSlot, match="a part of a file"):
            collection.crop(IMAGE, BOX, slot=slot)
        assert collection.trail.decisions.table() == []
    assert names(out) == []


def test_copies_inside_the_collection_are_never_new_images(source: Path) -> None:
    with Collection(source, copy_to=source / "crops") as collection:
        assert collection.crop(IMAGE, BOX).destination == f"crops/{IMAGE}"
        assert collection.images() == (SAME_STEM, IMAGE)
    with Collection(source) as collection:
        assert collection.images() == (SAME_STEM, IMAGE)


def test_a_folder_that_was_listed_may_not_be_hidden_by_a_row_that_makes_no_sense(
    source: Path,
) -> None:
    with Collection(source) as collection:
        for nonsense in ("{", "[1]", '["/etc"]', '["../set"]', '["."]', '"set"'):
            collection.trail.choose({"outputs": nonsense})
            with Collection(source) as another:
                assert another.images() == (SAME_STEM, IMAGE)


def test_copies_do_not_go_where_their_images_are(source: Path, out: Path) -> None:
    with pytest.raises(BadDestination, match="cropped in place"):
        Collection(source, copy_to=source)
    with pytest.raises(BadDestination, match="as well"):
        Collection(source, copy_to=out, destination=out / "moved")
    assert not (source / HOME).exists()


def test_what_waits_is_carried_out_as_it_was_decided(source: Path, out: Path) -> None:
    """Whoever applies later need not say again that crops are copies."""
    with Collection(source, copy_to=out) as collection:
        collection.decide([decision(collection, IMAGE, BOX, slot="face")])
    with Collection(source) as collection:
        (result,) = collection.apply_waiting()
        assert (result.mode, result.slot) == ("copy", "face")
    assert "set/photo_face.png" in names(out)


def _but_for_moments(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "updated_at"}


def test_of_a_copy_there_is_no_original_to_give_out(source: Path, out: Path) -> None:
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
        assert collection.originals() == []
        with pytest.raises(NothingToUndo):
            collection.copy_original(IMAGE, out / "original.png")
        assert collection.purge(keep_bytes=0) == []
    assert main(["originals", str(source), IMAGE, "--to", str(out)]) == 0
    assert names(out) == [IMAGE, CAPTION]


@pytest.mark.parametrize("undoes", ["itself", "f" * 32, "each other"])
def test_the_name_of_what_was_undone_is_found_in_whatever_rows(
    source: Path, out: Path, undoes: str
) -> None:
    """A row that somebody changed neither holds the way back up for ever nor ends it."""
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
        collection.undo(IMAGE)
        ids = [each.id for each in collection.trail.operations.finished()]
    ways = {"itself": [(ids[1], ids[1])], "each other": [(ids[0], ids[1]), (ids[1], ids[0])]}
    for pair in ways.get(undoes, [(undoes, ids[1])]):
        trails.change(source, "UPDATE operation SET undoes = ? WHERE id = ?", *pair)
    with Collection(source) as collection:
        restored = collection.trail.operations.by_id(ids[1])
        assert collection.trail.operations.image_of(restored) in {IMAGE, str(out / IMAGE)}


def test_a_newer_decision_replaces_that_of_its_own_slot_alone(source: Path, out: Path) -> None:
    with Collection(source, copy_to=out) as collection:
        for slot, box in (("face", BOX), ("bust", BOX), ("face", OTHER_BOX)):
            collection.decide([decision(collection, IMAGE, box, slot=slot)])
        standing = {each.slot: each.box for each in collection.trail.decisions.standing()}
        assert standing == {"face": OTHER_BOX, "bust": BOX}
        assert collection.counts().waiting == 2
        assert [result.slot for result in collection.apply_waiting()] == ["bust", "face"]
        assert collection.counts().written == 2
        assert collection.trail.integrity.disagreements() == []


def test_a_lost_database_knows_copies_and_slots_again(source: Path, out: Path) -> None:
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX, slot="face")
        collection.crop(IMAGE, OTHER_BOX, slot="bust")
        collection.undo(IMAGE)
        rows = collection.trail.decisions.table()
    for path in (source / HOME).glob(f"{Path(DATABASE).name}*"):
        path.unlink()
    rebuild(source)
    with Collection(source) as collection:
        again = collection.trail.decisions.table()
        assert [_but_for_moments(row) for row in again] == [_but_for_moments(row) for row in rows]
        assert collection.fsck() == []
        assert collection.undo(IMAGE)[0].ok
    assert names(out) == []


def test_one_crop_of_a_session_may_be_a_copy(source: Path, out: Path) -> None:
    before = seen(source)
    with Collection(source) as collection:
        result = collection.crop(IMAGE, BOX, copy_to=out)
        assert (result.mode, result.destination) == ("copy", str(out / IMAGE))
        inside = collection.crop(IMAGE, BOX, copy_to=source / "crops", slot="face")
        assert inside.destination == "crops/set/photo_face.png"
        assert collection.images() == (SAME_STEM, IMAGE)
        with pytest.raises(BadDestination):
            collection.crop(IMAGE, BOX, copy_to=source)
        assert collection.fsck() == []
        assert [each.ok for each in collection.undo(everything=True)] == [True, True]
        assert seen(source) == before
        assert collection.crop(IMAGE, BOX).mode == "in-place"
    with Collection(source) as collection:
        assert collection.fsck() == []


@pytest.mark.parametrize(("error", "code"), [(28, "NoSpace"), (30, "ReadOnly"), (5, "WriteFailed")])
def test_an_error_names_the_file_that_was_to_be(
    source: Path, out: Path, error: int, code: str
) -> None:
    class Failing(TwoDisks):
        def open(self, *arguments: Any, **options: Any) -> int:
            if str(arguments[0]).endswith(".part"):
                raise OSError(error, os.strerror(error))
            return os.open(*arguments, **options)

    before = seen(source)
    with Collection(source, copy_to=out, system=Failing(out)) as collection:
        with pytest.raises(CropkitError) as refused:
            collection.crop(IMAGE, BOX)
        assert refused.value.code == code
        assert str(out / IMAGE) in str(refused.value)
        assert collection.fsck() == []
    assert names(out) == []
    assert seen(source) == before


def test_the_copy_of_a_slot_is_called_as_one_likes(source: Path, out: Path) -> None:
    with Collection(source, copy_to=out, copies="name={slot}-of-{stem}") as collection:
        collection.crop(IMAGE, BOX, slot="face")
        collection.crop(IMAGE, BOX)
    assert names(out) == [
        *("set/face-of-photo.png", "set/face-of-photo.txt"),
        *("set/photo.png", "set/photo.txt"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("{stem}", "{slot}", "../{stem}{slot}", "{stem}/{slot}", "{stem}{slot}{slot}"),
        *(".{stem}{slot}", "{stem!r}{slot}", "{stem}_{slot}{x}", "{stem}{slot}" + "x" * 41),
    ],
)
def test_a_name_that_leads_elsewhere_or_tells_no_slots_apart_is_refused(
    source: Path, out: Path, name: str
) -> None:
    with pytest.raises(BadSetting, match="name"):
        Collection(source, copy_to=out, copies=f"name={name}")
    assert not (source / HOME).exists()


def test_history_tells_which_crop_of_its_image_an_event_is_about(
    source: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX, slot="face")
        collection.undo(IMAGE)
    assert main(["history", str(source), str(source / IMAGE)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1)[1].split() for line in lines] == [
        [word, IMAGE, "(face)"] for word in ("decided", "cropped", "restored")
    ]


# -- of another format, or another size --------------------------------------------------------


def test_a_copy_has_the_format_and_exactly_the_size_of_its_target(source: Path, out: Path) -> None:
    before = seen(source)
    ways = CopyOptions(format=Format.JPEG, quality=90)
    with Collection(
        source, copy_to=out, copies=ways, targets="20x30,30x20", resize=True
    ) as collection:
        result = collection.crop(IMAGE, BOX)
        assert (result.target, result.mode) == ("20x30", "copy")
        assert result.box_applied is not None
        assert collection.fsck() == []
        (row,) = collection.trail.decisions.table()
        assert (row["target"], row["copying"]) == ("20x30", "format=jpeg quality=90 size=20x30")
    assert names(out) == ["set/photo.jpg", CAPTION]
    with Image.open(out / "set/photo.jpg") as crop:
        assert (crop.format, crop.size) == ("JPEG", (20, 30))
    assert seen(source) == before


def test_what_is_too_small_for_its_target_is_refused_with_the_factor(
    source: Path, out: Path
) -> None:
    with (
        Collection(source, copy_to=out, targets="200x300", resize=True) as collection,
        pytest.raises(TooSmall, match=r"photo\.png: .*4\.17 times to be 200x300"),
    ):
        collection.crop(IMAGE, BOX)
    assert names(out) == []
    larger = CopyOptions(allow_upscale=True)
    with Collection(
        source, copy_to=out, copies=larger, targets="200x300", resize=True
    ) as collection:
        assert collection.crop(IMAGE, BOX).ok
    with Image.open(out / IMAGE) as crop:
        assert crop.size == (200, 300)


def test_without_resize_a_copy_has_the_ratio_and_its_own_pixels(source: Path, out: Path) -> None:
    with Collection(source, copy_to=out, targets="1:1,2:3") as collection:
        result = collection.crop(IMAGE, PixelBox(8, 16, 49, 76))
        assert (result.target, result.box_applied) == ("2:3", PixelBox(8, 15, 49, 76))
    with Image.open(out / IMAGE) as crop, Image.open(source / IMAGE) as image:
        assert crop.tobytes() == image.crop((8, 15, 49, 76)).tobytes()


@pytest.mark.parametrize(
    "ways",
    [{"resize": True, "targets": "20x20"}, {"copies": CopyOptions(format=Format.PNG)}],
)
def test_what_only_a_copy_can_be_is_refused_in_place(source: Path, ways: dict[str, Any]) -> None:
    with pytest.raises(CopiesOnly, match=r"resize|format=png"):
        Collection(source, **ways)
    assert not (source / HOME).exists()


@pytest.mark.parametrize("targets", [None, "1:1,4:5"])
def test_resizing_needs_a_size(source: Path, out: Path, targets: str | None) -> None:
    with pytest.raises(BadTarget, match="no size"):
        Collection(source, copy_to=out, targets=targets, resize=True)
    assert not out.exists()


def test_what_a_row_says_of_a_copy_and_nobody_can_read_refuses_that_decision_alone(
    source: Path, out: Path
) -> None:
    with Collection(source, copy_to=out) as collection:
        nonsense = decision(collection, IMAGE, BOX, copying="format=exe", destination=str(out))
        collection.decide([nonsense, decision(collection, SAME_STEM, BOX)])
        results = {result.path: result.code for result in collection.apply_waiting()}
        assert results == {IMAGE: "BadSetting", SAME_STEM: None}


@pytest.mark.parametrize(
    ("ways", "holds"),
    [
        ({"copies": "format=png"}, OFF_GRID),
        ({"targets": "24x24", "resize": True}, OFF_GRID),
        ({"copies": "allow-upscale=yes"}, PixelBox(0, 0, 41, 41)),
        ({}, PixelBox(0, 0, 41, 41)),
    ],
)
def test_a_copy_that_is_coded_anew_holds_the_very_box(
    source: Path, out: Path, ways: dict[str, Any], holds: PixelBox
) -> None:
    """Without loss a JPEG's corner moves to a whole block; what is shown is what is written."""
    with Collection(source, copy_to=out, **ways) as collection:
        header = collection.headers.read((source / SAME_STEM).read_bytes(), SAME_STEM)
        assert applied(header, OFF_GRID) == holds
        assert collection.crop(SAME_STEM, OFF_GRID).box_applied == holds


def test_a_box_that_was_shown_otherwise_is_not_written(source: Path, out: Path) -> None:
    with Collection(source, copy_to=out, copies="format=png") as collection:
        shown = decision(collection, SAME_STEM, OFF_GRID, shown=PixelBox(0, 0, 41, 41))
        collection.decide([shown])
        (result,) = collection.apply_waiting()
        assert (result.status, result.code) == (Status.STALE, "StaleBox")
    assert names(out) == []


def test_what_cannot_be_cropped_in_its_own_file_is_cropped_into_a_copy(
    source: Path, out: Path
) -> None:
    pictures.photo(64, 96).save(source / "set/phone.avif")
    before = seen(source)
    with Collection(source) as collection, pytest.raises(UnsupportedFormat):
        collection.look("set/phone.avif")
    with Collection(source, copy_to=out, copies="format=png") as collection:
        assert collection.look("set/phone.avif").size == Size(64, 96)
        result = collection.crop("set/phone.avif", BOX)
        assert result.destination == str(out / "set/phone.png")
        assert collection.fsck() == []
    with Image.open(out / "set/phone.png") as crop:
        assert crop.size == (48, 72)
    assert seen(source) == before


def test_a_reject_leaves_the_image_where_copies_are_made(source: Path, out: Path) -> None:
    before = seen(source)
    with Collection(source, copy_to=out, slots=["face", "bust"]) as collection:
        crops = [
            decision(collection, IMAGE, None, verdict=Verdict.REJECT, slot="face"),
            decision(collection, IMAGE, BOX, slot="bust"),
        ]
        collection.decide(crops)
        assert len(collection.trail.decisions.waiting()) == 1
        assert [collection.apply(each.id).status for each in crops] == [
            Status.REJECTED,
            Status.CROPPED,
        ]
        assert seen(source) == before
        counts = collection.counts()
        assert (counts.total, counts.decided, counts.rejected) == (4, 2, 1)
        assert collection.fsck() == []
        assert collection.undoer.retract(crops[0].id).status is Status.RESTORED
        assert collection.counts().decided == 1
        assert collection.fsck() == []
    for lost in source.glob(f"{DATABASE}*"):
        lost.unlink()
    rebuild(source)
    with Collection(source, copy_to=out, slots=["face", "bust"]) as collection:
        assert collection.counts().decided == 1
        assert collection.fsck() == []


def test_a_caption_stays_as_long_as_a_copy_of_another_image_needs_it(
    source: Path, out: Path
) -> None:
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
        collection.crop(SAME_STEM, OFF_GRID)
        assert all(each.ok for each in collection.undo(IMAGE))
        assert names(out) == [SAME_STEM, CAPTION]
        assert all(each.ok for each in collection.redo())
        assert names(out) == [SAME_STEM, IMAGE, CAPTION]
        assert all(each.ok for each in collection.undo(SAME_STEM))
        assert all(each.ok for each in collection.undo(IMAGE))
        assert names(out) == []
        assert collection.fsck() == []


@pytest.mark.parametrize("way", ["copy_to", "destination"])
def test_a_destination_that_was_removed_meanwhile_is_told_and_nothing_is_in_doubt(
    source: Path, out: Path, way: str
) -> None:
    with Collection(source, **{way: out}) as collection:  # type: ignore[arg-type]
        made = [decision(collection, IMAGE, BOX)]
        collection.decide(made)
        out.rename(out.with_name("elsewhere"))
        with pytest.raises(DestinationGone, match=str(out)):
            collection.crop(SAME_STEM, OFF_GRID)
        assert [each.status for each in collection.apply_waiting()] == [Status.WAITING]
        out.with_name("elsewhere").rename(out)
        assert [each.status for each in collection.apply_waiting()] == [Status.CROPPED]
        assert collection.fsck() == []


@pytest.mark.parametrize("way", ["copy_to", "destination"])
def test_a_destination_that_goes_at_the_last_moment_leaves_no_operation_open(
    source: Path, out: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = "photo.png"
    (source / IMAGE).rename(source / image)
    with Collection(source, **{way: out}) as collection:  # type: ignore[arg-type]
        publish = collection.executor.applier.publisher.publish

        def too_late(operation: Operation, *, again: bool) -> tuple[str, ...]:
            out.rmdir()
            return publish(operation, again=again)

        monkeypatch.setattr(collection.executor.applier.publisher, "publish", too_late)
        with pytest.raises(MissingFile):
            collection.crop(image, BOX)
        assert collection.trail.operations.unsettled() == []
        assert seen(source)[image].data


def test_a_folder_of_images_does_not_become_an_output_that_hides_them(source: Path) -> None:
    for way in ("copy_to", "destination"):
        with pytest.raises(BadDestination, match=r"set/photo\.\w+ is there"):
            Collection(source, **{way: source / "set"})  # type: ignore[arg-type]
    with Collection(source) as collection:
        assert collection.images() == (SAME_STEM, IMAGE)


def test_crops_of_ours_in_an_output_that_is_not_remembered_are_no_hindrance(source: Path) -> None:
    """As a collection has them whose crops moved there before outputs were known."""
    with Collection(source, destination=source / "done") as collection:
        collection.crop(IMAGE, BOX)
        collection.trail.choose({"outputs": "[]"})
    with Collection(source, destination=source / "done") as collection:
        assert collection.images() == ()  # the other one of its stem went with it


@pytest.mark.parametrize("way", ["copy_to", "destination"])
def test_a_folder_around_the_collection_takes_no_crop_back_into_it(source: Path, way: str) -> None:
    inner = f"{source.name}/set/photo.png"
    (source / inner).parent.mkdir(parents=True)
    (source / IMAGE).rename(source / inner)
    with Collection(source, **{way: source.parent}) as collection:  # type: ignore[arg-type]
        with pytest.raises(BadDestination, match="would be a new image here"):
            collection.crop(inner, BOX)
        assert collection.images() == (SAME_STEM, inner)


def test_the_root_of_the_system_is_a_folder_like_any_other(
    source: Path,
) -> None:
    """It is not written to: nothing is cropped here."""
    with Collection(source, copy_to="/") as collection:
        assert collection.destination == "/"


@pytest.mark.parametrize("slot", [None, ["face"], b"face"])
def test_a_slot_of_another_type_is_no_fault_of_the_image(
    source: Path, out: Path, slot: object
) -> None:
    with Collection(source, copy_to=out) as collection:
        with pytest.raises(BadParameterValue, match="slot"):
            collection.crop(IMAGE, BOX, slot=slot)  # type: ignore[arg-type]
        assert collection.trail.decisions.table() == []
    with pytest.raises(BadParameterValue, match="slots"):
        Collection(source, copy_to=out, slots=[slot])  # type: ignore[list-item]


def test_a_copy_that_was_changed_on_purpose_is_accepted_by_its_own_name(
    source: Path, out: Path
) -> None:
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
        collection.crop(SAME_STEM, OFF_GRID)
        (out / IMAGE).write_bytes(b"edited")
        (out / SAME_STEM).write_bytes(b"edited")
        assert [each.path for each in collection.accept_changes(out / IMAGE)] == [str(out / IMAGE)]
        assert [each.path for each in collection.fsck()] == [str(out / SAME_STEM)]


def test_what_cannot_be_read_is_told_as_that_and_not_accepted(source: Path, out: Path) -> None:
    """As the copies of a collection that was moved to where nobody has named their folder."""
    with Collection(source, copy_to=out) as collection:
        collection.crop(IMAGE, BOX)
    destinations.forget(source, out)
    with Collection(source) as collection:
        (difference,) = collection.fsck()
        assert difference.reason == "its content cannot be read (PathOutsideRoot)"
        assert collection.accept_changes() == []
    destinations.remember(source, out)
    with Collection(source) as collection:
        assert collection.fsck() == []


def test_what_goes_with_a_copy_is_found_without_taking_every_name_of_the_folder_apart(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for with every image: in a folder of 100,000 names that would be hours."""
    for number in range(200):
        (source / f"set/other_stage{number}.txt").touch()
    (source / "set/photo_stage1.png").touch()
    taken_apart: list[str] = []

    def path(name: str) -> PurePosixPath:
        taken_apart.append(name)
        return PurePosixPath(name)

    for module in (listing, names_beside):
        monkeypatch.setattr(module, "PurePosixPath", path)
    assert listing.described_by(NamesBeside(Root(source)), IMAGE) == [CAPTION]
    assert listing.has_twin(NamesBeside(Root(source)), IMAGE)
    assert listing.companions(NamesBeside(Root(source)), "set/photo_stage1.png") == {}
    assert len(taken_apart) < 20
