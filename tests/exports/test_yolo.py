"""Exports to YOLO, read by globox and by the rules of Ultralytics' loader."""

import os
from pathlib import Path

import pytest
import yaml
from export_readers import Named
from exporting import DECIDED, expected, exported, made_up, recorded
from globox import AnnotationSet

from cropkit.geometry import PixelBox, Size

Capture = pytest.CaptureFixture[str]


def listed(out: Path) -> list[Path]:
    """Read the list of images as `get_img_files` of Ultralytics does."""
    lines = (out / "train.txt").read_text("utf-8").strip().splitlines()
    return [Path(line.replace("./", f"{out}/")) for line in lines]


def label_of(image: Path) -> Path:
    """Return where `img2label_paths` of Ultralytics looks for the labels of an image."""
    return Path("/labels/".join(str(image).rsplit("/images/", 1))).with_suffix(".txt")


def read(out: Path) -> Named:
    names = yaml.safe_load((out / "data.yaml").read_text("utf-8"))["names"]
    named: Named = set()
    for image in listed(out):
        path = str(image.relative_to(out / "images"))
        width, height = DECIDED[path][0]
        for line in label_of(image).read_text("ascii").splitlines():
            number, *shares = line.split()
            x, y, w, h = map(float, shares)
            left, right = (x - w / 2) * width, (x + w / 2) * width
            top, bottom = (y - h / 2) * height, (y + h / 2) * height
            named.add((path, names[int(number)], tuple(map(round, (left, top, right, bottom)))))
    return named


def test_the_loader_comes_from_each_image_to_its_labels(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "y"
    told = exported(capsys, album, "yolo", out)
    assert read(out) == expected()
    assert [str(image.relative_to(out / "images")) for image in listed(out)] == [*DECIDED]
    assert all(
        image.resolve() == album / path for image, path in zip(listed(out), DECIDED, strict=True)
    )
    assert (told["written"], told["left_out"]) == (5, {"reject": 1, "skip": 1})
    described = yaml.safe_load((out / "data.yaml").read_text("utf-8"))
    assert described["path"] == str(out)
    assert described["names"] == {0: "1:1", 1: "bust", 2: "crop", 3: "face", 4: "full"}
    assert (out / described["train"]).is_file()
    assert (out / described["val"]).is_file()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_globox_reads_the_labels_with_the_sizes_of_the_linked_images(
    album: Path, tmp_path: Path, capsys: Capture, suffix: str
) -> None:
    out = tmp_path / "y"
    exported(capsys, album, "yolo", out)
    mine = {path for path in DECIDED if path.endswith(suffix)} - {"sub/c.jpg"}  # stored turned
    (folder,) = {Path(path).parent for path in mine}
    read = AnnotationSet.from_yolo_v5(
        out / "labels" / folder, image_folder=out / "images" / folder, image_extension=suffix
    )
    boxes = {
        (str(folder / each.image_id), tuple(round(v) for v in box.ltrb))
        for each in read
        for box in each.boxes
        if str(folder / each.image_id) in mine
    }
    assert boxes == {(path, box) for path, _, box in expected() if path in mine}


def test_an_image_that_was_skipped_has_an_empty_file_where_it_is_asked_for(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "y"
    told = exported(capsys, album, "yolo", out, "--verdicts", "accept,adjusted,kept-whole,skip")
    assert (out / "labels" / "b_stage2.txt").read_bytes() == b""
    assert out / "images" / "b_stage2.png" in listed(out)
    assert told["written"] == 6


def test_a_folder_called_images_does_not_lead_the_loader_astray(
    tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "set"
    (folder / "images" / "train").mkdir(parents=True)
    box, size = PixelBox(1, 2, 3, 4), Size(10, 10)
    recorded(folder, [made_up("images/train/a.png", size, box)])
    out = tmp_path / "y"
    exported(capsys, folder, "yolo", out)
    (image,) = listed(out)
    assert label_of(image) == out / "labels" / "images_" / "train" / "a.txt"
    assert label_of(image).is_file()
    assert image.readlink() == folder / "images/train/a.png"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("x\ny.png", "its name cannot stand in a list of lines"),
        ("x\u2028y.png", "its name cannot stand in a list of lines"),
        (os.fsdecode(b"\xff.png"), "its name cannot stand in a list of lines"),
        ("dots./a.png", "its name cannot stand in a list of lines"),
        ("../a.png", "no name beneath a folder"),
        ("/a.png", "no name beneath a folder"),
        ("a.gif", "a format that Ultralytics does not read"),
    ],
)
def test_a_name_that_no_list_can_hold_is_left_out_and_counted(
    tmp_path: Path, capsys: Capture, path: str, why: str
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    box, size = PixelBox(1, 2, 3, 4), Size(10, 10)
    recorded(folder, [made_up(path, size, box), made_up("good.png", size, box)])
    told = exported(capsys, folder, "yolo", tmp_path / "y")
    assert (told["written"], told["left_out"]) == (1, {why: 1})
    assert listed(tmp_path / "y") == [tmp_path / "y" / "images" / "good.png"]
    assert not (tmp_path / "a.txt").exists()


def test_two_images_of_one_stem_have_one_label_file_and_the_second_is_left_out(
    tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    size = Size(10, 10)
    twins = [made_up(name, size, PixelBox(1, 2, 3, 4)) for name in ("a.jpg", "a.png")]
    recorded(folder, twins)
    told = exported(capsys, folder, "yolo", tmp_path / "y")
    assert told["left_out"] == {"another image has the name of its file": 1}
    assert listed(tmp_path / "y") == [tmp_path / "y" / "images" / "a.jpg"]
