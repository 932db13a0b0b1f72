"""`--salvage`: a damaged file is cropped by what can be read of it, told, and undone exactly."""

import json
from io import BytesIO
from pathlib import Path

import pictures
import pytest
from faults import contents
from PIL import Image
from queueing import decision

import cropkit
from cropkit.batch import Batch
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.formats.headers import Headers
from cropkit.formats.options import Options
from cropkit.geometry import PixelBox, Size
from cropkit.records import ProblemKind
from cropkit.system.files import Root
from cropkit.workers import previews

WHOLE = pictures.encoded(pictures.photo(160, 240), "JPEG", quality=90)
CUT = WHOLE[: len(WHOLE) * 5 // 8]
BOX = "0,0,96,64"


def size_of(path: Path) -> tuple[int, int]:
    return Image.open(BytesIO(path.read_bytes())).size


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "a.jpg").write_bytes(CUT)
    return tmp_path / "c"


def test_it_is_cropped_only_where_that_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["crop", str(folder / "a.jpg"), "--box", BOX]) == 1
    assert "--salvage" in capsys.readouterr().err
    assert (folder / "a.jpg").read_bytes() == CUT
    assert main(["crop", str(folder / "a.jpg"), "--box", BOX, "--salvage"]) == 0
    said = capsys.readouterr()
    assert "salvaged: " in said.err
    assert size_of(folder / "a.jpg") == (96, 64)
    with Collection(folder) as kit:
        assert not kit.options.salvage


def test_undo_brings_the_damaged_file_back_byte_for_byte(folder: Path) -> None:
    before = contents(folder)
    assert main(["crop", str(folder / "a.jpg"), "--box", BOX, "--salvage"]) == 0
    assert main(["undo", str(folder)]) == 0
    assert contents(folder) == before


def test_a_box_that_reaches_beyond_is_refused_by_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crop = ["crop", str(folder / "a.jpg"), "--box", "0,0,96,240", "--salvage", "--json"]
    assert main(crop) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["code"] == "Truncated"
    assert "what can be read is 0,0,160," in said["message"]
    assert (folder / "a.jpg").read_bytes() == CUT


def test_a_setting_has_every_session_do_so_and_is_taken_back(folder: Path) -> None:
    assert main(["settings", str(folder), "--salvage"]) == 0
    with cropkit.open(folder) as kit:
        result = kit.crop("a.jpg", PixelBox(0, 0, 96, 64))
        assert str(result.degraded).startswith("salvaged: ")
        assert kit.trail.presence.tally.degraded == {ProblemKind.SALVAGED: 1}
    assert main(["settings", str(folder), "--no-salvage"]) == 0
    with cropkit.open(folder) as kit:
        assert not kit.options.salvage


def test_a_batch_crops_what_is_there_and_its_record_tells(folder: Path) -> None:
    with Collection(folder, salvage=True) as kit:
        kit.decide([decision(kit, "a.jpg", PixelBox(0, 0, 96, 64))])
    with Batch(folder) as batch:
        assert [path for path, _ in batch.plan.refused] == ["a.jpg"]
    with Batch(folder, salvage=True) as batch:
        assert not batch.plan.refused
        batch.apply()
        assert batch.run.parameters["salvage"] is True
        assert batch.collection.trail.presence.tally.degraded == {ProblemKind.SALVAGED: 1}
    assert size_of(folder / "a.jpg") == (96, 64)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_review_shows_it_as_an_image_that_can_be_cropped(folder: Path, name: str) -> None:
    whole = WHOLE if name == "a.jpg" else pictures.encoded(pictures.photo(160, 240), "PNG")
    (folder / name).write_bytes(whole[: len(whole) * 5 // 8])
    root, cache = Root(folder), previews.Cache(folder / "cache")
    shown = previews.previewed(root, name, Size(80, 80), cache, Headers(Options(salvage=True)))
    assert shown.header is not None
    assert Image.open(BytesIO(shown.jpeg)).size == (53, 80)
    assert previews.previewed(root, name, Size(80, 80), cache).header is None
