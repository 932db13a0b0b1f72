"""Exports of crops for trainers: kohya's and OneTrainer's folders, Hugging Face, Croissant."""

import hashlib
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pictures
import pytest
from exporting import exported
from PIL import Image

import cropkit
from cropkit.errors import BadParameterValue
from cropkit.exports import croissant, hugging_face
from cropkit.geometry import PixelBox, Turn

Capture = pytest.CaptureFixture[str]
PHOTO = "a_stage2.png"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A collection with four copies in `set/`: two faces of 32x32, and two others of their size."""
    folder = pictures.write_folder(tmp_path / "photos")
    pictures.write_folder(folder / "sub")
    (folder / "a_stage2.txt").write_text(" a cat, sitting\n")
    (folder / "sub" / "a_stage2.caption").write_text("a dog")
    ways: dict[str, Any] = {"copy_to": tmp_path / "set"}
    with cropkit.open(folder, slots={"face": "32x32"}, resize=True, **ways) as kit:
        kit.crop(PHOTO, PixelBox(20, 10, 84, 74), slot="face")
        kit.crop(f"sub/{PHOTO}", PixelBox(0, 0, 32, 32), slot="face")
    with cropkit.open(folder, **ways) as kit:
        kit.crop("c.jpg", PixelBox(16, 16, 80, 144))
        kit.crop("b_stage2.png", PixelBox(1, 2, 31, 22))
        assert kit.crop("d.jpg", PixelBox(16, 16, 80, 80)).ok
        kit.undo("d.jpg")
    return folder


def images_in(folder: Path) -> dict[str, str | None]:
    """Return the images directly in a folder, each with its caption, as the trainers find them."""
    suffixes = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
    return {
        path.name: caption.read_text() if (caption := path.with_suffix(".txt")).exists() else None
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in suffixes
    }


def test_kohyas_folders_are_one_for_each_slot_and_target(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "kohya"
    told = exported(capsys, photos, "kohya", out)
    config = tomllib.loads((out / "dataset.toml").read_text("utf-8"))
    general = config["general"]
    assert (general["caption_extension"], general["enable_bucket"]) == (".txt", True)
    subsets = {
        Path(subset["image_dir"]): dataset["resolution"]
        for dataset in config["datasets"]
        for subset in dataset["subsets"]
    }
    # the corner of a JPEG moves out to whole blocks
    assert subsets == {out / "crop": [72, 128], out / "face-32x32": [32, 32]}
    assert sorted(images_in(out / "face-32x32").values(), key=str) == [" a cat, sitting\n", "a dog"]
    others = images_in(out / "crop")
    assert sorted(name.partition(".")[0] for name in others) == ["b_stage2", "c"]
    assert list(others.values()) == [None, None]
    assert "2 of them without a caption" in (out / "dataset.toml").read_text("utf-8")
    for path in (out / "face-32x32").glob("*.png"):
        assert path.resolve().is_relative_to(tmp_path / "set")
        with Image.open(path) as image:
            assert image.size == (32, 32)
    assert (told["written"], told["left_out"]) == (4, {})


def test_onetrainers_concepts_lead_to_the_same_folders(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "onetrainer"
    told = exported(capsys, photos, "onetrainer", out)
    concepts = json.loads((out / "concepts.json").read_text("utf-8"))
    assert {each["name"]: Path(each["path"]) for each in concepts} == {
        "crop": out / "crop",
        "face-32x32": out / "face-32x32",
    }
    assert all(each["text"]["prompt_source"] == "sample" for each in concepts)
    assert [len(images_in(Path(each["path"]))) for each in concepts] == [2, 2]
    assert told["written"] == 4


def imagefolder(metadata: Path) -> list[dict[str, Any]]:
    """Read a folder of images as `datasets` does: each row finds its image, and all are alike."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in metadata.read_text().splitlines()]
    for row in rows:
        with Image.open(metadata.parent / row["file_name"]) as image:
            row["image"] = image.size
    kinds = {name: {type(row[name]) for row in rows} - {type(None)} for name in rows[0]}
    assert all(row.keys() == kinds.keys() for row in rows)
    assert all(len(kind) <= 1 for kind in kinds.values())
    return rows


def test_hugging_face_finds_each_crop_with_its_text_and_what_sdxl_is_told(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "set" / "metadata.jsonl"
    told = exported(capsys, photos, "hf", out)
    rows = {row["file_name"]: row for row in imagefolder(out)}
    assert told["written"] == len(rows) == 4
    face = rows["a_stage2_face.png"]
    assert list(face) == [*hugging_face.FIELDS, "image"]
    assert (face["text"], face["slot"], face["target"]) == ("a cat, sitting", "face", "32x32")
    assert face["original_size"] == [152, 104]
    assert face["crop_top_left"] == [5, 10]  # of the image at half its size
    assert face["target_size"] == [32, 32] == list(face["image"])
    assert rows["sub/a_stage2_face.png"]["text"] == "a dog"
    assert rows["b_stage2.png"]["crop_top_left"] == [2, 1]
    assert rows["c.jpg"]["text"] == ""


def test_a_box_comes_with_the_turn_without_which_it_is_not_where_the_crop_is_from(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    with cropkit.open(photos, copy_to=tmp_path / "set") as kit:
        kit.crop("d.jpg", PixelBox(16, 16, 80, 80), turn=Turn.of(90, angle="1.5"))
    out = tmp_path / "set" / "metadata.jsonl"
    exported(capsys, photos, "hf", out)
    turns = {row["file_name"]: row["turn"] for row in imagefolder(out)}
    assert turns.pop("d.jpg") == "angle 1.5 90"
    assert set(turns.values()) == {None}
    exported(capsys, photos, "croissant", tmp_path / "set" / "croissant.json")
    held = json.loads((tmp_path / "set" / "croissant.json").read_text("utf-8"))
    (records,) = held["recordSet"]
    turns = {each["crops/file"]: each["crops/turn"] for each in records["data"]}
    assert turns.pop("d.jpg") == "angle 1.5 90"
    assert set(turns.values()) == {""}


def test_hugging_face_reads_no_other_name_and_nothing_that_lies_elsewhere(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    with cropkit.open(photos) as kit, pytest.raises(BadParameterValue, match="metadata"):
        kit.export("hf", tmp_path / "set" / "other.jsonl")
    (tmp_path / "set" / "new").mkdir()
    told = exported(capsys, photos, "hf", tmp_path / "set" / "new" / "metadata.jsonl")
    assert told["left_out"] == {"its file is not beneath the folder": 4}


@pytest.mark.parametrize(("kind", "name"), [("hf", "set/metadata.jsonl"), ("kohya", "kohya")])
def test_a_crop_that_is_gone_and_a_caption_that_is_a_link_are_left_out(
    photos: Path, tmp_path: Path, capsys: Capture, kind: str, name: str
) -> None:
    (tmp_path / "set" / "c.jpg").unlink()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "set" / "b_stage2.txt").symlink_to(tmp_path / "secret")
    out = tmp_path / name
    told = exported(capsys, photos, kind, out)
    assert (told["written"], told["left_out"]) == (3, {"its file is not there": 1})
    if kind == "hf":
        assert "secret" not in out.read_text()
    else:
        assert list(images_in(out / "crop").values()) == [None]


@pytest.mark.parametrize("kind", ["kohya", "onetrainer"])
def test_a_hostile_name_is_linked_to(tmp_path: Path, capsys: Capture, kind: str) -> None:
    folder = tmp_path / "photos"
    name = os.fsdecode(b"-x \xff\n" + b"y" * 240 + b".png")
    pictures.write_png(tmp_path / "plain.png")
    folder.mkdir()
    (tmp_path / "plain.png").rename(folder / name)
    with cropkit.open(folder, copy_to=tmp_path / "set") as kit:
        assert kit.crop(name, PixelBox(8, 8, 40, 40)).ok
    out = tmp_path / 'a "quoted" \x7f\u2028 out'
    exported(capsys, folder, kind, out)
    (link,) = (out / "crop").iterdir()
    assert link.resolve() == tmp_path / "set" / name
    if kind == "kohya":
        config = tomllib.loads((out / "dataset.toml").read_text("utf-8"))
        assert config["datasets"][0]["subsets"][0]["image_dir"] == str(out / "crop")


def described(photos: Path, tmp_path: Path, capsys: Capture) -> tuple[Path, dict[str, Any]]:
    out = tmp_path / "set" / "croissant.json"
    assert exported(capsys, photos, "croissant", out)["written"] == 4
    return out, json.loads(out.read_text("utf-8"))


def test_croissant_names_each_crop_with_its_hash(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    """What the specification asks of each node is there, but for what only a person knows."""
    out, held = described(photos, tmp_path, capsys)
    assert held["@type"] == "sc:Dataset"
    assert held["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert held["name"]
    files = {each["@id"]: each for each in held["distribution"]}
    assert len(files) == 4
    for each in files.values():
        assert each["@type"] == "cr:FileObject"
        assert each["encodingFormat"] in ("image/png", "image/jpeg")
        data = (out.parent / each["contentUrl"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == each["sha256"]
    (records,) = held["recordSet"]
    assert {each["@id"] for each in records["field"]} == {
        f"crops/{name}" for name in croissant.FIELDS
    }
    assert all(each["@type"] == "cr:Field" and each["dataType"] for each in records["field"])
    ids = {each["@id"] for each in records["field"]}
    assert all(set(each) == ids for each in records["data"])
    (face,) = (each for each in records["data"] if each["crops/file"] == "a_stage2_face.png")
    assert face["crops/box"] == [20, 10, 84, 74]
    assert face["crops/text"] == "a cat, sitting"


def test_mlcroissant_reads_it(photos: Path, tmp_path: Path, capsys: Capture) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="it needs 170 MB of other packages")
    out, held = described(photos, tmp_path, capsys)
    dataset = mlcroissant.Dataset(jsonld=str(out))
    assert not dataset.metadata.ctx.issues.errors
    read = list(dataset.records("crops"))
    assert len(read) == len(held["recordSet"][0]["data"]) == 4
    (face,) = (each for each in read if each["crops/file"] == "a_stage2_face.png")
    assert face["crops/box"] == [20, 10, 84, 74]


@pytest.mark.parametrize(("kind", "read"), [("kohya", {".bmp"}), ("onetrainer", {".bmp", ".tiff"})])
def test_what_a_trainer_does_not_read_is_left_out(
    tmp_path: Path, capsys: Capture, kind: str, read: set[str]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.BMP", "b.TIFF", "c.gif"):
        pictures.photo(64, 64).quantize(16).convert("RGB").save(folder / name)
    with cropkit.open(folder, copy_to=tmp_path / "set") as kit:
        for name in ("a.BMP", "b.TIFF", "c.gif"):
            assert kit.crop(name, PixelBox(8, 8, 40, 40)).ok
    told = exported(capsys, folder, kind, tmp_path / "out")
    assert {path.suffix for path in (tmp_path / "out" / "crop").iterdir()} == read
    assert told["left_out"] == {"a format that the trainer does not read": 3 - len(read)}
