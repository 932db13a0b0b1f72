"""What becomes of crops is kept with the collection, and counts where nothing is asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pictures
import pytest
from PIL import Image

from cropkit.batch import Batch
from cropkit.batch.dry_run import foreseen
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.engine.ways import Ways, kept, ways
from cropkit.errors import (
    AuditCorrupt,
    BadDestination,
    BadTarget,
    CopiesOnly,
    PathOutsideRoot,
)
from cropkit.formats.copy_options import CopyOptions, Format
from cropkit.geometry import PixelBox
from cropkit.system import destinations
from cropkit.wanted import Wanted

IMAGE, BOX = "a_stage2.png", PixelBox(0, 0, 48, 48)
TALL, WIDE = PixelBox(0, 0, 20, 40), PixelBox(0, 0, 40, 20)
Settings = Callable[..., dict[str, str]]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the copies go."""
    return tmp_path / "out"


@pytest.fixture
def settings(folder: Path, capsys: pytest.CaptureFixture[str]) -> Settings:
    """Run the command, and return what it prints."""

    def run(*arguments: str) -> dict[str, str]:
        assert main(["settings", str(folder), *arguments, "--json"]) == 0
        answer: dict[str, str] = json.loads(capsys.readouterr().out)["settings"]
        return answer

    return run


def test_what_was_said_once_is_what_each_session_does(
    folder: Path, out: Path, settings: Settings
) -> None:
    asked = ("--copy-to", str(out), "--slots", "face=32x32,bust", "--resize", "--format", "webp")
    assert settings(*asked) == settings()
    before = (folder / IMAGE).stat()
    with Collection(folder) as collection:
        assert [crop.slot for crop in collection.wanted] == ["face", "bust"]
        result = collection.crop(IMAGE, BOX, slot="face")
        assert (result.mode, result.target) == ("copy", "32x32")
        assert result.destination == str(out / "a_stage2_face.webp")
    assert (folder / IMAGE).stat().st_mtime_ns == before.st_mtime_ns


def test_a_batch_and_what_it_foresees_do_the_same(
    folder: Path, out: Path, settings: Settings
) -> None:
    settings("--copy-to", str(out), "--targets", "1:1")
    plan, _ = foreseen(folder, {"source": "suggestions"})
    assert {item.kind.value for item in plan.ready} == {"copy"}
    assert plan.destinations == (str(out),)
    with Batch(folder, source="suggestions") as batch:
        assert batch.parameters["targets"] == "1:1"
        batch.apply()
    assert len([path for path in out.iterdir() if path.suffix != ".decision"]) == 5


def test_who_says_something_is_not_asked_what_is_kept(
    folder: Path, out: Path, settings: Settings
) -> None:
    settings("--copy-to", str(out), "--format", "webp")
    with Collection(folder, copy_to=out / "other") as collection:
        assert collection.crop(IMAGE, BOX).destination == str(out / "other" / IMAGE)


def test_in_place_is_said_again(folder: Path, out: Path, settings: Settings) -> None:
    usual = settings()
    settings("--copy-to", str(out))
    assert settings("--in-place") == usual
    with Collection(folder) as collection:
        assert collection.crop(IMAGE, BOX).mode == "in-place"


def test_a_folder_that_this_person_never_named_is_not_written_to(
    folder: Path, out: Path, settings: Settings
) -> None:
    """The setting may be an enemy's; nothing is cropped in place instead, and undo works."""
    with Collection(folder) as collection:
        collection.crop("b_stage2.png", BOX)
    settings("--copy-to", str(out))
    destinations.forget(folder, out)
    before = (folder / IMAGE).read_bytes()
    with Collection(folder) as collection:
        with pytest.raises(PathOutsideRoot, match="cropkit destinations"):
            collection.crop(IMAGE, BOX)
        assert collection.undo("b_stage2.png")[0].ok
    assert (folder / IMAGE).read_bytes() == before
    assert list(out.iterdir()) == []
    assert destinations.named(folder) == ()


@pytest.mark.parametrize(
    "row",
    [
        {"copies": "format=exe"},
        {"slots": "a/b", "copy-to": "out"},
        {"targets": "0x0"},
        {"copy-to": "../out"},
        {"copy-to": "a\0b"},
        {"copy-to": "."},
        {"copy-to": "out//deep"},
        {"copy-to": "out/.CROPKIT/originals"},
        {"resize": "yes"},
        {"move-to": "a", "copy-to": "b"},
    ],
)
def test_a_setting_that_nobody_of_ours_wrote_is_refused(row: dict[str, str]) -> None:
    with pytest.raises(AuditCorrupt, match="none of ours"):
        kept(row)


def test_what_is_kept_is_what_was_said() -> None:
    asked = ways(copy_to="out", slots="a=1:1|4:5,b", resize=False, copies="format=jpeg quality=80")
    assert kept(asked.to_settings("out")) == asked
    assert kept({}) == kept(Ways().to_settings(None)) == Ways()


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"move_to": "a", "copy_to": "b"}, BadDestination),
        ({"slots": "a,b"}, CopiesOnly),
        ({"slots": "a,b", "move_to": "c"}, CopiesOnly),
        ({"resize": True, "targets": "5x5"}, CopiesOnly),
        ({"copies": CopyOptions(format=Format.PNG)}, CopiesOnly),
        ({"copy_to": "a", "resize": True, "targets": "4:5"}, BadTarget),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        ways(**asked)


def test_in_place_one_crop_of_a_ratio_is_wanted_like_any_other() -> None:
    assert ways(targets="4:5", slots="face").crops[0].slot == "face"
    assert ways(move_to="a").crops == (Wanted(),)


def test_a_crop_that_no_slot_is_named_for_takes_the_nearest_target_of_any(tmp_path: Path) -> None:
    """Else it would be of any size where each copy is to be of its target's."""
    source, out = tmp_path / "source", tmp_path / "out"
    pictures.write_folder(source)
    slots = {"face": "16x32", "wide": "32x16"}
    with Collection(source, copy_to=out, slots=slots, resize=True) as collection:
        for slot, box, size in (("2", TALL, (16, 32)), ("more", WIDE, (32, 16))):
            assert collection.crop(IMAGE, box, slot=slot).target == f"{size[0]}x{size[1]}"
            with Image.open(out / f"a_stage2_{slot}.png") as copy:
                assert copy.size == size


def test_a_dry_run_refuses_the_output_that_a_run_refuses(tmp_path: Path) -> None:
    pictures.write_folder(tmp_path / "set")
    with pytest.raises(BadDestination, match="would not be listed"):
        foreseen(tmp_path, {"copy_to": str(tmp_path / "set")})
    with pytest.raises(BadDestination, match="would not be listed"):
        Collection(tmp_path, copy_to=tmp_path / "set")
    Collection(tmp_path, copy_to=tmp_path / "crops").close()
    plan, in_the_way = foreseen(tmp_path, {"copy_to": str(tmp_path / "crops")})
    assert (plan.placement.folder, in_the_way) == ("crops", ())
