"""A crop that is turned is decided, written, undone and told as any other one."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
import trails
from deciding import decision
from PIL import Image, ImageOps

import cropkit
from cropkit.cli import main
from cropkit.errors import BadDecision, TrailDisagrees, UnsuitableTurn
from cropkit.geometry import PixelBox, Size, Turn, iou
from cropkit.records import Verdict, verdict_of

NAME = "a.png"
BOX = PixelBox(10, 20, 70, 50)
LEFT = Turn.of(270)
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    pictures.write_png(folder / NAME, pictures.photo(96, 64))
    pictures.photo(96, 64, 1).save(folder / "b.jpg", exif=pictures.exif_bytes(orientation=6))
    return folder


def samples(data: bytes) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB"))


def inside(data: bytes, box: PixelBox = BOX) -> np.ndarray:
    return samples(data)[box.top : box.bottom, box.left : box.right]


def test_in_place_it_is_turned_told_undone_and_done_again(album: Path) -> None:
    before = (album / NAME).read_bytes()
    with cropkit.open(album) as collection:
        result = collection.crop(NAME, BOX, turn=LEFT)
        after = (album / NAME).read_bytes()
        assert (result.mode, result.turn, result.box_applied) == ("in-place", "270", BOX)
        assert np.array_equal(samples(after), np.rot90(inside(before)))
        collection.undo(NAME)
        assert (album / NAME).read_bytes() == before
        collection.redo(NAME)
        assert (album / NAME).read_bytes() == after
        assert collection.fsck() == []


def test_the_whole_image_may_be_turned_and_is_not_kept_whole_then(album: Path) -> None:
    before, whole = (album / NAME).read_bytes(), PixelBox(0, 0, 96, 64)
    with cropkit.open(album) as collection:
        collection.crop(NAME, whole, turn=Turn.of(180))
        (row,) = collection.trail.decisions.table()
        (standing,) = collection.trail.decisions.standing()
    assert np.array_equal(samples((album / NAME).read_bytes()), samples(before)[::-1, ::-1])
    assert verdict_of(row) == standing.verdict == Verdict.ADJUSTED


def test_a_jpeg_is_turned_by_its_blocks_and_says_so(album: Path) -> None:
    before = (album / "b.jpg").read_bytes()
    with cropkit.open(album) as collection:
        result = collection.crop("b.jpg", PixelBox(0, 0, 64, 80), turn=Turn.of(0, "horizontal"))
        assert result.psnr is None
        assert result.box_applied is not None
    after = (album / "b.jpg").read_bytes()
    meant = inside(before, result.box_applied)[:, ::-1].astype(int)
    assert np.abs(samples(after) - meant)[:, 8:-8].max() < 20
    assert Image.open(BytesIO(after)).getexif()[0x0112] == 1


def test_a_jpeg_that_cannot_be_is_refused_and_left_alone(album: Path) -> None:
    pictures.photo(50, 46).save(album / "odd.jpg")
    before = (album / "odd.jpg").read_bytes()
    with cropkit.open(album) as collection, pytest.raises(UnsuitableTurn, match="46 instead of 32"):
        collection.crop("odd.jpg", PixelBox(0, 0, 50, 46), turn=Turn.of(90))
    assert (album / "odd.jpg").read_bytes() == before


def test_a_copy_is_turned_and_its_image_is_as_it_was(album: Path, tmp_path: Path) -> None:
    before = (album / "b.jpg").read_bytes()
    with cropkit.open(album, copy_to=tmp_path / "out", copies="format=png") as collection:
        result = collection.crop("b.jpg", PixelBox(3, 5, 43, 31), turn=LEFT)
    made = (tmp_path / "out" / "b.png").read_bytes()
    assert np.array_equal(samples(made), np.rot90(inside(before, PixelBox(3, 5, 43, 31))))
    assert (album / "b.jpg").read_bytes() == before
    assert (result.mode, result.turn) == ("copy", "270")


def test_a_target_is_the_size_of_what_is_turned(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album, copy_to=tmp_path / "out", targets="20x40", resize=True) as collection:
        result = collection.crop(NAME, PixelBox(10, 10, 60, 36), turn=LEFT)
        assert result.box_applied is not None
        assert result.box_applied.size.aspect_ratio == 2
        assert iou(result.box_applied, PixelBox(10, 10, 60, 36)) > 0.9
    assert samples((tmp_path / "out" / NAME).read_bytes()).shape[:2] == (40, 20)


def test_the_boxes_and_the_sidecar_beside_it_are_turned(album: Path) -> None:
    (album / "a.txt").write_text("0 0.500000 0.500000 0.500000 0.250000\n")
    with cropkit.open(album) as collection:
        collection.crop(NAME, PixelBox(0, 0, 96, 32), turn=Turn.of(90))
    # what is left of it: x 24 to 72, y 24 to 32 of 96 x 32
    assert (album / "a.txt").read_text() == "0 0.125000 0.500000 0.250000 0.500000\n"


def test_a_world_file_beside_it_cannot_be_turned_and_is_named(album: Path) -> None:
    (album / "a.pgw").write_text("1\n0\n0\n-1\n100\n200\n")
    with cropkit.open(album) as collection, pytest.raises(cropkit.errors.CompanionStale):
        collection.crop(NAME, BOX, turn=LEFT)


def test_a_decision_without_a_box_has_none(album: Path) -> None:
    with cropkit.open(album) as collection, pytest.raises(BadDecision, match="do not go together"):
        decision(collection, NAME, None, verdict=Verdict.SKIP, turn=LEFT)


def test_a_decision_waits_with_its_turn(album: Path) -> None:
    with cropkit.open(album) as collection:
        made = decision(collection, NAME, BOX, turn=LEFT)
        collection.decide([made])
        assert collection.trail.decisions.by_id(made.id)[0] == made
    with cropkit.open(album) as collection:
        (result,) = collection.apply_waiting()
        assert (result.turn, result.status) == ("270", "cropped")
        assert collection.fsck() == []


@pytest.mark.parametrize("value", ["90", "", "45", "90 vertical", 5, b"\xff", None, "x" * 10**6])
def test_a_turn_that_somebody_wrote_into_a_row_is_not_believed(album: Path, value: object) -> None:
    """The trail's own event tells of another one: nothing is cropped by the row."""
    before = (album / NAME).read_bytes()
    with cropkit.open(album) as collection:
        collection.decide([decision(collection, NAME, BOX, turn=LEFT)])
    trails.change(album, "UPDATE decision SET turn = ?", value)
    with cropkit.open(album) as collection:
        results = collection.apply_waiting()
        assert [result.code for result in results] == [TrailDisagrees.__name__]
    assert (album / NAME).read_bytes() == before


def test_the_manifest_and_its_proof_know_of_it(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    with cropkit.open(album, copy_to=out) as collection:
        collection.crop(NAME, BOX, turn=Turn.of(90, "vertical"))
        collection.crop("b.jpg", PixelBox(0, 0, 64, 80), turn=Turn.of(0, "vertical"))
        collection.export("manifest", out / "manifest.jsonl")
        rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
        table = list(collection.decisions()["turn"])
    assert {row["turn"] for row in rows} == set(table) == {"270 horizontal", "vertical"}
    turned = next(row for row in rows if row["source"] == NAME)
    assert (turned["crop_width"], turned["crop_height"]) == (30, 60)
    assert cropkit.verify(out, sources=[album], jobs=1).proven == 2
    falsified = [json.dumps(row | {"turn": None}) for row in rows]
    (out / "manifest.jsonl").write_text("\n".join(falsified) + "\n")
    assert cropkit.verify(out, sources=[album], jobs=1).proven == 0


def test_exports_of_boxes_tell_of_it_where_they_have_a_place_for_it(
    album: Path, tmp_path: Path
) -> None:
    with cropkit.open(album) as collection:
        collection.decide([decision(collection, NAME, BOX, turn=Turn.of(90, "horizontal"))])
        for kind in ("iiif", "jsonl"):
            collection.export(kind, tmp_path / f"{kind}.jsonl")
    region, row = (
        json.loads((tmp_path / f"{kind}.jsonl").read_text()) for kind in ("iiif", "jsonl")
    )
    # mirrored before it is turned there, and after it is turned here
    assert region["url"].endswith("a.png/10,20,60,30/max/!270/default.jpg")
    assert (row["turn"], row["left"], row["right"]) == ("90 horizontal", 10, 70)
    assert (row["original_size"], row["target_size"]) == ([96, 64], [60, 30])
    assert row["crop_top_left"] == [10, 20]


def test_a_crop_made_anew_is_turned_as_it_was_decided(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album) as collection:
        collection.crop(NAME, BOX, turn=LEFT)
        after = (album / NAME).read_bytes()
    with cropkit.open(album, copy_to=tmp_path / "out", targets="1:2") as collection:
        recut = collection.recut(name="small")
        assert recut.made == 1
    (copy,) = (tmp_path / "out").glob("*.png")
    assert np.array_equal(samples(copy.read_bytes()), samples(after))


def test_the_shell_turns_and_mirrors(album: Path, capsys: Capture) -> None:
    before = (album / NAME).read_bytes()
    words = ["crop", str(album / NAME), "--box", "10,20,70,50", "--turn", "90"]
    assert main([*words, "--flip", "horizontal"]) == 0
    assert "30 x 60 pixels, turned 90 horizontal" in capsys.readouterr().out
    assert main(["undo", str(album), str(album / NAME)]) == 0
    capsys.readouterr()
    assert main([*words, "--flip", "horizontal", "--json"]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert result["turn"] == "90 horizontal"
    assert np.array_equal(samples((album / NAME).read_bytes()), inside(before).swapaxes(0, 1))
    assert main([*words[:-1], "45"]) == 1
    assert "crops are turned by quarters" in capsys.readouterr().err


def test_a_size_that_is_wanted_is_that_of_what_is_seen(album: Path) -> None:
    assert Size(60, 30).turned(LEFT) == Size(30, 60)
    with cropkit.open(album) as collection:
        collection.crop(NAME, BOX, turn=LEFT)
        assert collection.look(NAME).size == Size(30, 60)
