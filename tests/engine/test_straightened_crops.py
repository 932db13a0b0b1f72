"""A crop that a fine angle turns is decided, written, proven, undone and told as any other one."""

import cmath
import json
import math
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
from deciding import decision
from PIL import Image

import cropkit
from cropkit import straightening
from cropkit.cli import main
from cropkit.engine.deciding import bound
from cropkit.errors import BadBox, UnsuitableTurn
from cropkit.formats import rotation
from cropkit.formats.options import Companions, Jpeg, Options
from cropkit.formats.rotation import rotated
from cropkit.geometry import PixelBox, Size, Turn
from cropkit.records import Status

NAME = "a.png"
BOX = PixelBox(20, 15, 80, 55)
LEVEL = Turn.of(angle="1.3")
BOTH = Turn.of(90, "horizontal", "-2.25")
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    pictures.write_png(folder / NAME, pictures.photo(100, 70))
    pictures.photo(100, 70, 1).save(folder / "b.jpg", quality=92)
    return folder


def samples(data: bytes) -> Any:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


def test_a_copy_is_straightened_and_its_image_is_as_it_was(album: Path, tmp_path: Path) -> None:
    before, out = (album / NAME).read_bytes(), tmp_path / "out"
    with cropkit.open(album, copy_to=out) as collection:
        result = collection.crop(NAME, BOX, turn=LEVEL)
        assert (result.mode, result.turn, result.box_applied) == ("copy", "angle 1.3", BOX)
        assert "angle: 1.3 degrees, resampled by cubic convolution" in result.patched
        made = (out / NAME).read_bytes()
        assert np.array_equal(samples(made), rotated(samples(before), BOX, 130))
        collection.undo(NAME)
        assert not (out / NAME).exists()
        collection.redo(NAME)
        assert (out / NAME).read_bytes() == made
        assert collection.fsck() == []
    assert (album / NAME).read_bytes() == before


def test_a_copy_that_is_to_be_like_its_image_is_coded_anew(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album, copy_to=tmp_path / "out") as collection:
        result = collection.crop("b.jpg", BOX, turn=LEVEL)
    assert result.psnr is not None
    assert samples((tmp_path / "out" / "b.jpg").read_bytes()).shape == (40, 60, 3)


@pytest.mark.parametrize("name", [NAME, "b.jpg"])
def test_in_place_it_is_refused_and_left_alone(album: Path, name: str) -> None:
    before = (album / name).read_bytes()
    with cropkit.open(album) as collection:
        with pytest.raises(UnsuitableTurn, match="--copy-to"):
            collection.crop(name, BOX, turn=LEVEL)
        assert collection.fsck() == []
    assert (album / name).read_bytes() == before
    assert sorted(path.name for path in album.iterdir()) == [".cropkit", NAME, "b.jpg"]


def test_a_jpeg_is_straightened_in_its_own_file_where_it_is_encoded_anew(album: Path) -> None:
    before = (album / "b.jpg").read_bytes()
    with cropkit.open(album, options=Options(jpeg=Jpeg.EXACT)) as collection:
        result = collection.crop("b.jpg", BOX, turn=BOTH)
        assert (result.mode, result.turn) == ("in-place", "angle -2.25 90 horizontal")
        meant = np.rot90(rotated(samples(before), BOX, -225), -1)[:, ::-1]
        after = samples((album / "b.jpg").read_bytes())
        assert np.abs(after.astype(int) - meant).mean() < 4
        collection.undo("b.jpg")
        assert (album / "b.jpg").read_bytes() == before


def test_a_box_whose_corners_leave_the_image_is_refused_with_the_nearest(album: Path) -> None:
    with cropkit.open(album, copy_to=album / "out") as collection:
        whole = PixelBox(0, 0, 100, 70)
        with pytest.raises(BadBox, match="when it is turned by") as refused:
            collection.crop(NAME, whole, turn=LEVEL)
        inside = straightening.nearest(whole, Size(100, 70), LEVEL)
        assert ",".join(map(str, inside.xyxy)) in str(refused.value)
        assert collection.crop(NAME, inside, turn=LEVEL).status == Status.CROPPED


def test_a_box_that_fits_a_target_is_moved_to_where_it_is_inside(
    album: Path, tmp_path: Path
) -> None:
    turn = Turn.of(90, angle=-4)
    with cropkit.open(album, copy_to=tmp_path / "out", targets="1:1") as collection:
        result = collection.crop(NAME, PixelBox(4, 10, 44, 60), turn=turn)
        assert result.box_applied is not None
        assert result.box_applied.size == Size(45, 45)
        assert straightening.is_inside(result.box_applied, Size(100, 70), turn)
        with pytest.raises(BadBox, match="when it is turned by"):
            collection.crop(NAME, PixelBox(0, 0, 100, 70), turn=turn)


def test_a_decision_waits_with_its_angle(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album, copy_to=tmp_path / "out") as collection:
        made = bound(decision(collection, NAME, BOX, turn=BOTH), collection.placement)
        collection.decide([made])
        assert collection.trail.decisions.by_id(made.id)[0] == made
    with cropkit.open(album, copy_to=tmp_path / "out") as collection:
        (result,) = collection.apply_waiting()
        assert (result.turn, result.status) == (BOTH.text, "cropped")
        assert list(collection.decisions()["turn"]) == [BOTH.text]


def test_the_boxes_beside_it_follow_and_a_world_file_is_left_out(
    album: Path, tmp_path: Path
) -> None:
    (album / "a.txt").write_text("0 0.500000 0.500000 0.200000 0.200000\n")
    (album / "b.jgw").write_text("1\n0\n0\n-1\n100\n200\n")
    with cropkit.open(
        album, copy_to=tmp_path / "out", options=Options(companions=Companions.TELL)
    ) as collection:
        collection.crop(NAME, BOX, turn=LEVEL)
        left = collection.crop("b.jpg", BOX, turn=LEVEL)
    assert (tmp_path / "out" / "a.txt").read_text() == "0 0.500000 0.500000 0.338541 0.361254\n"
    assert "copy of b.jgw" in {item for item, _ in left.dropped}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "a.txt", "b.jpg"]


def test_the_manifest_and_its_proof_know_of_it(album: Path, tmp_path: Path) -> None:
    out, clear = tmp_path / "set", pictures.photo(100, 70)
    clear.putalpha(pictures.noise_alpha(100, 70))
    clear.save(album / "c.png")
    with cropkit.open(album, copy_to=out) as collection:
        collection.crop(NAME, BOX, turn=BOTH)
        collection.crop("b.jpg", BOX, turn=LEVEL)
        collection.crop("c.png", BOX, turn=LEVEL)
        collection.export("manifest", out / "manifest.jsonl")
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert {row["turn"] for row in rows} == {BOTH.text, LEVEL.text}
    report = cropkit.verify(out, sources=[album], jobs=1)
    assert (report.proven, report.differences) == (3, [])
    assert report.by_proof == {"resampled": 2, "psnr": 1}
    for claimed in (None, "angle 2.3", "angle -1.3", "90 horizontal", "angle 1.3 90", "angle 99"):
        falsified = [json.dumps(row | {"turn": claimed}) for row in rows]
        (out / "manifest.jsonl").write_text("\n".join(falsified) + "\n")
        assert cropkit.verify(out, sources=[album], jobs=1).proven == 0, claimed


def test_a_crop_by_another_filter_is_not_proven(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "set"
    monkeypatch.setattr(rotation, "_weights", lambda s: [0 * s, 1 - s, s, 0 * s])
    with cropkit.open(album, copy_to=out) as collection:
        collection.crop(NAME, BOX, turn=LEVEL)
        collection.export("manifest", out / "manifest.jsonl")
    assert cropkit.verify(out, sources=[album], jobs=1).proven == 0


@pytest.mark.parametrize("kind", ["iiif", "coco", "coco-results", "voc", "yolo", "xmp"])
def test_forms_without_a_place_for_it_leave_it_out_by_name(
    album: Path, tmp_path: Path, kind: str
) -> None:
    suffix = {"iiif": ".csv", "coco": ".json", "coco-results": ".json", "label-studio": ".json"}
    with cropkit.open(album) as collection:
        collection.decide([decision(collection, NAME, BOX, turn=LEVEL)])
        collection.decide([decision(collection, "b.jpg", BOX, turn=Turn.of(90))])
        exported = collection.export(kind, tmp_path / f"out{suffix.get(kind, '')}")
    assert exported.left_out == {"turned by a fine angle, which is no upright box": 1}
    assert exported.written == 1


def test_results_by_the_ids_of_a_file_leave_it_out_as_well(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album) as collection:
        collection.decide([decision(collection, "b.jpg", BOX)])
        collection.export("coco", tmp_path / "known.json")
        collection.decide([decision(collection, "b.jpg", BOX, turn=LEVEL)])
        known = tmp_path / "known.json"
        exported = collection.export("coco-results", tmp_path / "out.json", images=known)
    assert exported.written == 0
    assert exported.left_out == {"turned by a fine angle, which is no upright box": 1}


def test_label_studio_has_the_rotation_about_the_upper_left_corner(
    album: Path, tmp_path: Path
) -> None:
    turn, box = Turn.of(180, angle=30), PixelBox(40, 25, 60, 45)
    with cropkit.open(album) as collection:
        collection.decide([decision(collection, NAME, box, turn=turn)])
        exported = collection.export("label-studio", tmp_path / "out.json")
    (task,) = json.loads((tmp_path / "out.json").read_text())
    value = task["annotations"][0]["result"][0]["value"]
    assert (exported.written, value["rotation"]) == (1, 330)
    # from the corner a side of 20 goes up by 30 degrees, the other to the right of straight down
    x, y = value["x"], value["y"] * 0.7
    across, down = cmath.rect(20, -math.pi / 6), cmath.rect(20, math.pi / 3)
    assert abs(complex(x, y) + (across + down) / 2 - (50 + 35j)) < 1e-9
    assert (value["width"], value["height"]) == (20, pytest.approx(20 / 0.7))


def test_a_table_tells_it_and_no_corner_that_is_none(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album) as collection:
        collection.decide([decision(collection, NAME, BOX, turn=LEVEL)])
        collection.export("jsonl", tmp_path / "rows.jsonl")
    row = json.loads((tmp_path / "rows.jsonl").read_text())
    assert (row["turn"], row["left"], row["crop_top_left"]) == ("angle 1.3", 20, None)


def test_no_other_box_is_made_of_it(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album, copy_to=tmp_path / "out") as collection:
        collection.crop(NAME, BOX, turn=LEVEL)
    with cropkit.open(album, copy_to=tmp_path / "out", targets="1:2") as collection:
        recut = collection.recut(name="small")
    assert (recut.made, recut.failed) == (0, 1)


def test_the_shell_straightens(album: Path, tmp_path: Path, capsys: Capture) -> None:
    words = ["crop", str(album / NAME), "--box", "20,15,80,55", "--angle", "-1.3"]
    assert main(words) == 1
    assert "--copy-to" in capsys.readouterr().err
    copies = [*words, "--copy-to", str(tmp_path / "out")]
    assert main([*copies, "--turn", "90"]) == 0
    assert "40 x 60 pixels, turned by -1.3 degrees, turned 90" in capsys.readouterr().out
    assert main([*copies[:-3], "1.234", *copies[-2:]]) == 1
    assert "by up to 45 degrees" in capsys.readouterr().err
