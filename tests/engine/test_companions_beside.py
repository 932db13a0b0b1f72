"""What is beside an image speaks of its pixels: a crop exchanges it, and undo brings it back."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pictures
import pytest
from deciding import decided
from shell import run

from cropkit.collection import Collection
from cropkit.engine.companions import CompanionFinder, labels_of
from cropkit.errors import (
    AuditUnavailable,
    CompanionStale,
    NameTaken,
    OriginalDamaged,
    StaleDecision,
)
from cropkit.formats.options import Companions, Options
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, ProblemKind, Status
from cropkit.system.files import Root
from cropkit.system.home import ASIDE, HOME, STAGE

IMAGE, SIZE = "a.png", (64, 48)
BOX = PixelBox(8, 12, 40, 44)
WORLD = b"0.5\n0.0\n0.0\n-0.5\n1000.25\n2000.75\n"
OF_THE_CROP = b"0.5\n0.0\n0.0\n-0.5\n1004.25\n1994.75\n"
BOXES = b"0 0.5 0.5 0.25 0.25\n"
BOXES_OF_THE_CROP = b"0 0.750000 0.375000 0.500000 0.375000\n"
POLYGON = b"0 0.1 0.1 0.2 0.1 0.2 0.2\n"
TELL = Options(companions=Companions.TELL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "pictures"
    place.mkdir()
    pictures.write_png(place / IMAGE, pictures.photo(*SIZE))
    return place


def everything(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    files = (path for path in sorted(folder.rglob("*")) if HOME not in path.parts)
    return {
        str(path.relative_to(folder)): (
            path.read_bytes(),
            path.stat().st_mode,
            path.stat().st_mtime_ns,
        )
        for path in files
        if path.is_file()
    }


def as_it_is(path: Path) -> bytes | Path:
    return path.readlink() if path.is_symlink() else path.read_bytes()


def cropped(folder: Path, image: str = IMAGE, options: Options | None = None) -> CropResult:
    with Collection(folder, options=options) as kit:
        return kit.crop(image, BOX)


def undone(folder: Path) -> list[CropResult]:
    with Collection(folder) as kit:
        return kit.undo()


def differences(folder: Path) -> list[str]:
    with Collection(folder) as kit:
        return [f"{each.kind} {each.path}: {each.reason}" for each in kit.fsck()]


def test_a_world_file_is_exchanged_with_its_image_and_comes_back_with_it(folder: Path) -> None:
    world = folder / "a.pgw"
    world.write_bytes(WORLD)
    world.chmod(0o640)
    os.utime(world, ns=(1_600_000_000_000_000_001,) * 2)
    before = everything(folder)
    result = cropped(folder)
    assert "a.pgw: of the crop" in result.patched
    assert world.read_bytes() == OF_THE_CROP
    assert world.stat().st_mode & 0o777 == 0o640
    assert differences(folder) == []
    assert [each.status for each in undone(folder)] == [Status.RESTORED]
    assert everything(folder) == before
    assert differences(folder) == []
    with Collection(folder) as kit:
        kit.redo()
    assert world.read_bytes() == OF_THE_CROP
    undone(folder)
    assert everything(folder) == before
    assert list((folder / STAGE).iterdir()) == []


def test_all_that_is_plain_is_exchanged_at_once(folder: Path) -> None:
    (folder / "a.pgw").write_bytes(WORLD)
    (folder / "a.txt").write_bytes(BOXES)
    (folder / "a.png.ovr").write_bytes(b"II*\0 the whole scene")
    (folder / "a.png.aux.xml").write_bytes(
        b"<PAMDataset><GeoTransform>1000, .5, 0, 2000, 0, -.5</GeoTransform></PAMDataset>"
    )
    (folder / "a.json").write_bytes(b'{"prompt": "a lighthouse"}')
    before = everything(folder)
    result = cropped(folder)
    assert (folder / "a.pgw").read_bytes() == OF_THE_CROP
    assert (folder / "a.txt").read_bytes() == BOXES_OF_THE_CROP
    assert not (folder / "a.png.ovr").exists()
    assert b"1004.0, .5, 0,1994.0, 0, -.5<" in (folder / "a.png.aux.xml").read_bytes()
    assert (folder / "a.json").read_bytes() == before["a.json"][0]
    assert ("a.png.ovr", "it shows what was cropped out") in result.dropped
    assert differences(folder) == []
    undone(folder)
    assert everything(folder) == before


def test_the_trail_names_each_with_its_hashes(folder: Path) -> None:
    (folder / "a.pgw").write_bytes(WORLD)
    cropped(folder)
    with Collection(folder) as kit:
        (event,) = kit.trail.events(kind="cropped")
    told = json.loads(event["body"])["operation"]["plan"]
    (companion,) = json.loads(told)["companions"]
    assert companion["target"] == "a.pgw"
    assert companion["replaces"] == hashlib.sha256(WORLD).hexdigest()
    assert companion["sha256"] == hashlib.sha256(OF_THE_CROP).hexdigest()


@pytest.mark.parametrize("name", ["a.PGW", "A.pgw", "a.Pgw", "a.PNG.AUX.XML", "a.wld", "a.pngw"])
def test_names_are_found_however_they_are_written(folder: Path, name: str) -> None:
    text = b"<PAMDataset><GeoTransform>1000, .5, 0, 2000, 0, -.5</GeoTransform></PAMDataset>"
    data = text if "XML" in name else WORLD
    (folder / name).write_bytes(data)
    cropped(folder)
    assert (folder / name).read_bytes() != data


def test_boxes_in_the_folder_beside_the_images_are_found(tmp_path: Path) -> None:
    image, labels = tmp_path / "images/train/a.png", tmp_path / "labels/train/a.txt"
    for each in (image, labels):
        each.parent.mkdir(parents=True)
    pictures.write_png(image, pictures.photo(*SIZE))
    labels.write_bytes(BOXES)
    cropped(tmp_path, "images/train/a.png")
    assert labels.read_bytes() == BOXES_OF_THE_CROP
    undone(tmp_path)
    assert labels.read_bytes() == BOXES


def test_boxes_outside_of_the_collection_are_not_left_wrong(tmp_path: Path) -> None:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    pictures.write_png(tmp_path / "images/a.png", pictures.photo(*SIZE))
    (tmp_path / "labels/a.txt").write_bytes(BOXES)
    with pytest.raises(CompanionStale, match="outside of the collection"):
        cropped(tmp_path / "images")
    result = cropped(tmp_path / "images", options=TELL)
    assert result.stale == (str(tmp_path / "labels/a.txt"),)


def test_yolo_takes_the_last_folder_of_that_name() -> None:
    assert labels_of("images/a/images/b.jpg") == "images/a/labels/b.txt"
    assert labels_of("a/images.jpg") is None


WRONG: list[tuple[str, Callable[[Path], object]]] = [
    ("a.txt", lambda path: path.write_bytes(POLYGON)),
    ("a.json", lambda path: path.write_bytes(b'{"shapes": []}')),
    ("a.png.msk", lambda path: path.write_bytes(b"II*")),
    ("a.pgw", lambda path: path.write_bytes(b"no world file")),
    ("a.pgw", lambda path: path.write_bytes(WORLD + b" " * (1 << 24))),
    ("a.pgw", lambda path: path.symlink_to("a.png")),
]


@pytest.mark.parametrize(("name", "make"), WRONG)
def test_what_is_not_rewritten_refuses_the_crop_by_name(
    folder: Path, name: str, make: Callable[[Path], object]
) -> None:
    make(folder / name)
    before = everything(folder)
    with pytest.raises(CompanionStale, match=name):
        cropped(folder)
    with Collection(folder) as kit:
        result = kit.apply(decided(kit, IMAGE, box=BOX))
        assert result.code == CompanionStale.__name__
        assert len(kit.trail.decisions.waiting()) == 1
        assert everything(folder) == before
        assert not list((kit.root / STAGE).iterdir())


@pytest.mark.parametrize(("name", "make"), WRONG)
def test_or_is_told_and_counted_where_the_settings_say_so(
    folder: Path, name: str, make: Callable[[Path], object]
) -> None:
    make(folder / name)
    (folder / "a.wld").write_bytes(WORLD)
    was = as_it_is(folder / name)
    with Collection(folder, options=TELL) as kit:
        result = kit.crop(IMAGE, BOX)
        assert result.stale == (name,)
        assert kit.trail.degraded(kit.session) == 1
        assert kit.trail.events(kind="degraded")
    assert as_it_is(folder / name) == was
    assert (folder / "a.wld").read_bytes() == OF_THE_CROP
    assert ProblemKind.COMPANION.value == "companion"


def test_nothing_is_rewritten_where_the_settings_say_so(folder: Path) -> None:
    (folder / "a.pgw").write_bytes(WORLD)
    with pytest.raises(CompanionStale, match=r"a\.pgw"):
        cropped(folder, options=Options(companions=Companions.REFUSE))
    assert (folder / "a.pgw").read_bytes() == WORLD


def test_what_may_be_of_another_image_is_not_rewritten(folder: Path) -> None:
    (folder / "a.txt").write_bytes(BOXES)
    (folder / "a.png.aux.xml").write_bytes(b"<GeoTransform>1, 2, 3, 4, 5, 6</GeoTransform>")
    (folder / "A.CR2").write_bytes(b"a camera's own")
    with pytest.raises(CompanionStale, match="other image"):
        cropped(folder)
    (folder / "a.txt").write_text("a caption")
    assert cropped(folder).patched[-1] == "a.png.aux.xml: of the crop"


def test_a_whole_image_leaves_all_as_it_is(folder: Path) -> None:
    (folder / "a.txt").write_bytes(POLYGON)
    with Collection(folder) as kit:
        kit.crop(IMAGE, PixelBox(0, 0, *SIZE))
    assert (folder / "a.txt").read_bytes() == POLYGON


def test_a_crop_that_moves_takes_what_is_right_there_with_it(folder: Path, tmp_path: Path) -> None:
    (folder / "a.pgw").write_bytes(WORLD)
    (folder / "a.png.ovr").write_bytes(b"II*\0 the whole scene")
    (folder / "a.decision").write_bytes(b"{}")
    before = everything(folder)
    with Collection(folder, destination=tmp_path / "out") as kit:
        kit.crop(IMAGE, BOX)
        assert everything(folder) == {}
        assert (tmp_path / "out/a.pgw").read_bytes() == OF_THE_CROP
        assert (tmp_path / "out/a.decision").read_bytes() == b"{}"
        assert not (tmp_path / "out/a.png.ovr").exists()
        assert kit.fsck() == []
        kit.undo()
        assert everything(folder) == before
        assert everything(tmp_path / "out") == {}
        kit.redo()
        assert (tmp_path / "out/a.pgw").read_bytes() == OF_THE_CROP
        assert everything(folder) == {}
        kit.undo()
        assert everything(folder) == before
        assert kit.fsck() == []


def test_a_copy_has_what_is_right_beside_it(folder: Path, tmp_path: Path) -> None:
    (folder / "a.pgw").write_bytes(WORLD)
    (folder / "a.txt").write_bytes(BOXES)
    (folder / "a.png.ovr").write_bytes(b"II*\0 the whole scene")
    before = everything(folder)
    out = tmp_path / "out"
    with Collection(folder, copy_to=out) as kit:
        kit.crop(IMAGE, BOX)
        assert everything(folder) == before
        copies = {name: data for name, (data, _, _) in everything(out).items()}
        assert copies.keys() == {"a.png", "a.pgw", "a.txt"}
        assert copies["a.pgw"] == OF_THE_CROP
        assert copies["a.txt"] == BOXES_OF_THE_CROP
        assert kit.fsck() == []
        kit.undo()
        assert everything(out) == {}
        kit.redo()
        assert {name: data for name, (data, _, _) in everything(out).items()} == copies
        assert kit.fsck() == []


def test_a_copy_of_another_size_and_format_has_a_world_file_of_its_own(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "a.pgw").write_bytes(WORLD)
    (folder / "a.txt").write_bytes(BOXES)
    with Collection(folder, copy_to=tmp_path / "out", copies="format=jpeg size=16x16") as kit:
        kit.crop(IMAGE, BOX)
    assert (tmp_path / "out/a.jgw").read_bytes() == b"1.0\n0.0\n0.0\n-1.0\n1004.5\n1994.5\n"
    assert (tmp_path / "out/a.txt").read_bytes() == BOXES_OF_THE_CROP


def test_what_is_wrong_beside_a_copy_is_left_out_of_it_and_told(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "a.json").write_bytes(b'{"shapes": []}')
    with Collection(folder, copy_to=tmp_path / "out") as kit, pytest.raises(CompanionStale):
        kit.crop(IMAGE, BOX)
    with Collection(folder, copy_to=tmp_path / "out", options=TELL) as kit:
        result = kit.crop(IMAGE, BOX)
    assert everything(tmp_path / "out").keys() == {"a.png"}
    assert result.stale == ()
    reason = "left out: it is of a form that is not rewritten here"
    assert ("copy of a.json", reason) in result.dropped


def test_what_was_edited_since_is_kept_when_the_crop_is_undone(folder: Path) -> None:
    (folder / "a.txt").write_bytes(BOXES)
    cropped(folder)
    (folder / "a.txt").write_bytes(b"1 0.5 0.5 1 1\n")
    (result,) = undone(folder)
    assert (folder / "a.txt").read_bytes() == BOXES
    (told,) = [reason for item, reason in result.dropped if item == "companion a.txt"]
    kept = folder / told.rpartition(" ")[2]
    assert kept.read_bytes() == b"1 0.5 0.5 1 1\n"


def test_what_was_deleted_since_comes_back(folder: Path) -> None:
    (folder / "a.txt").write_bytes(BOXES)
    cropped(folder)
    (folder / "a.txt").unlink()
    undone(folder)
    assert (folder / "a.txt").read_bytes() == BOXES


def test_nothing_is_written_over_a_file_that_came_meanwhile(folder: Path) -> None:
    (folder / "a.png.ovr").write_bytes(b"II*\0 the whole scene")
    cropped(folder)
    (folder / "a.png.ovr").write_bytes(b"somebody's")
    with Collection(folder) as kit:
        (result,) = kit.undo()
        assert result.code == NameTaken.__name__
        assert kit.trail.operations.unsettled() == []
    assert (folder / "a.png.ovr").read_bytes() == b"somebody's"


def test_what_was_set_aside_and_damaged_is_not_brought_back(folder: Path) -> None:
    (folder / "a.pgw").write_bytes(WORLD)
    cropped(folder)
    (aside,) = (folder / ASIDE).iterdir()
    aside.write_bytes(b"rotten")
    assert any("companions/" in each for each in differences(folder))
    (result,) = undone(folder)
    assert result.code == OriginalDamaged.__name__
    assert (folder / "a.pgw").read_bytes() == OF_THE_CROP


def test_a_purge_takes_what_was_set_aside_with_its_original(folder: Path) -> None:
    (folder / "a.pgw").write_bytes(WORLD)
    (folder / "a.png.ovr").write_bytes(b"II*\0 the whole scene")
    cropped(folder)
    assert len(list((folder / ASIDE).iterdir())) == 2
    with Collection(folder) as kit:
        (result,) = kit.purge(keep_bytes=0)
        assert result.status is Status.PURGED
        assert kit.fsck() == []
    assert list((folder / ASIDE).iterdir()) == []
    assert list((folder / STAGE).iterdir()) == []


def test_a_purge_that_fails_puts_it_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.pgw").write_bytes(WORLD)
    cropped(folder)
    with Collection(folder) as kit:
        monkeypatch.setattr(kit.trail, "finish", failing)
        (result,) = kit.purge(keep_bytes=0)
        assert result.code == AuditUnavailable.__name__
        monkeypatch.undo()
        assert kit.fsck() == []
    undone(folder)
    assert (folder / "a.pgw").read_bytes() == WORLD


def failing(*_arguments: object) -> None:
    raise AuditUnavailable("trail", "on purpose")


def test_one_with_another_name_is_set_aside_as_a_copy(folder: Path, tmp_path: Path) -> None:
    (folder / "a.pgw").write_bytes(WORLD)
    (tmp_path / "second").hardlink_to(folder / "a.pgw")
    cropped(folder)
    assert (tmp_path / "second").stat().st_nlink == 1
    (tmp_path / "second").write_bytes(b"edited")
    undone(folder)
    assert (folder / "a.pgw").read_bytes() == WORLD


def test_one_that_is_edited_while_its_image_is_cropped_stops_the_crop(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = folder / "a.pgw"
    world.write_bytes(WORLD)
    before = everything(folder)[IMAGE]
    with Collection(folder) as kit:
        applier = kit.executor.applier
        prepare = applier._prepare  # noqa: SLF001  (between two steps of the protocol)

        def edited(jobs: object) -> None:
            prepare(jobs)  # type: ignore[arg-type]  # (whatever it is given)
            world.write_bytes(b"edited")

        monkeypatch.setattr(applier, "_prepare", edited)
        with pytest.raises(StaleDecision, match=r"a\.pgw"):
            kit.crop(IMAGE, BOX)
        assert kit.trail.operations.unsettled() == []
        assert list((folder / ASIDE).iterdir()) == []
    assert world.read_bytes() == b"edited"
    assert everything(folder)[IMAGE] == before


def test_hostile_names_are_exchanged_like_all_others(folder: Path) -> None:
    stem = "-\n\x1b[31m\u202e" + "x" * 200
    (folder / IMAGE).rename(folder / f"{stem}.png")
    (folder / f"{stem}.pgw").write_bytes(WORLD)
    (folder / f"{stem}.png.aux.xml").write_bytes(b"<GeoTransform>1,2,3,4,5,6</GeoTransform>")
    before = everything(folder)
    cropped(folder, f"{stem}.png")
    assert (folder / f"{stem}.pgw").read_bytes() == OF_THE_CROP
    undone(folder)
    assert everything(folder) == before


def test_a_longest_name_has_no_companions_and_is_cropped(folder: Path) -> None:
    name = "x" * 251 + ".png"
    (folder / IMAGE).rename(folder / name)
    assert cropped(folder, name).status is Status.CROPPED


def test_a_folder_of_labels_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.txt").write_bytes(BOXES)
    (folder / "labels").symlink_to(tmp_path / "elsewhere")
    pictures.write_png(folder / "images/a.png", pictures.photo(*SIZE))
    with pytest.raises(CompanionStale):
        cropped(folder, "images/a.png")
    assert (tmp_path / "elsewhere/a.txt").read_bytes() == BOXES


@pytest.mark.parametrize("number", [500, 2_000])
def test_to_look_beside_all_images_lists_as_many_names_as_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    for index in range(number):
        (tmp_path / f"{index}.png").touch()
    listed = 0
    beside = Root.beside

    def counted(root: Root, path: str) -> list[str]:
        nonlocal listed
        names = beside(root, path)
        listed += len(names)
        return names

    monkeypatch.setattr(Root, "beside", counted)
    finder = CompanionFinder(Root(tmp_path))
    for index in range(number):
        finder.of(f"{index}.png")
        (tmp_path / "changed").touch()  # as a crop changes the folder
        (tmp_path / "changed").unlink()
    assert listed <= 25 * number


def test_the_setting_is_kept_and_shown(folder: Path) -> None:
    assert run("settings", folder, "--companions", "tell").returncode == 0
    with Collection(folder) as kit:
        assert kit.options.companions is Companions.TELL


def test_boxes_of_a_crop_do_not_go_with_a_copy_of_its_original(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "a.txt").write_bytes(BOXES)
    cropped(folder)
    for options, made in ((None, 0), (TELL, 1)):
        with Collection(folder, copy_to=tmp_path / "out", targets="1:1", options=options) as kit:
            assert kit.recut().made == made
    assert everything(tmp_path / "out").keys() == {"a.png"}
