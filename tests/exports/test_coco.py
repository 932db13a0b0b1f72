"""Exports to COCO, read by pycocotools and globox."""

import json
from pathlib import Path
from typing import Any

import pytest
from export_readers import Named
from exporting import DECIDED, expected, exported
from globox import AnnotationSet
from pycocotools.coco import COCO

Capture = pytest.CaptureFixture[str]


def named(coco: Any) -> Named:
    """Return the boxes that pycocotools has read, with the names of images and categories."""
    return {
        (
            coco.imgs[each["image_id"]]["file_name"],
            coco.cats[each["category_id"]]["name"],
            (x, y, x + width, y + height),
        )
        for each in coco.anns.values()
        for x, y, width, height in [each["bbox"]]
    }


def test_pycocotools_reads_the_boxes_in_force(album: Path, tmp_path: Path, capsys: Capture) -> None:
    told = exported(capsys, album, "coco", tmp_path / "c.json")
    coco = COCO(str(tmp_path / "c.json"))
    sizes = {each["file_name"]: (each["width"], each["height"]) for each in coco.imgs.values()}
    assert sizes == {path: size for path, (size, _) in DECIDED.items()}
    assert named(coco) == expected()
    assert (told["written"], told["left_out"]) == (5, {"reject": 1, "skip": 1})
    assert sorted(coco.anns) == [1, 2, 3, 4, 5]
    assert all(each["area"] == each["bbox"][2] * each["bbox"][3] for each in coco.anns.values())


def test_globox_reads_the_same(album: Path, tmp_path: Path, capsys: Capture) -> None:
    exported(capsys, album, "coco", tmp_path / "c.json")
    read = AnnotationSet.from_coco(tmp_path / "c.json")
    assert {
        (each.image_id, box.label, (box.xmin, box.ymin, box.xmax, box.ymax))
        for each in read
        for box in each.boxes
    } == expected()


def test_an_image_without_a_box_stands_there_without_annotations_where_it_is_asked_for(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ["--verdicts", "accept,adjusted,kept-whole,skip"]
    told = exported(capsys, album, "coco", tmp_path / "c.json", *words)
    coco = COCO(str(tmp_path / "c.json"))
    (skipped,) = (each for each in coco.imgs.values() if each["file_name"] == "b_stage2.png")
    assert coco.getAnnIds(imgIds=[skipped["id"]]) == []
    assert (told["written"], told["left_out"]) == (6, {"reject": 1})


def test_only_one_slot(album: Path, tmp_path: Path, capsys: Capture) -> None:
    told = exported(capsys, album, "coco", tmp_path / "c.json", "--slot", "bust")
    assert {name for _, name, _ in named(COCO(str(tmp_path / "c.json")))} == {"bust"}
    assert told["left_out"]["of another slot"] == 4


def test_results_have_the_ids_of_an_export_to_coco(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    exported(capsys, album, "coco", tmp_path / "c.json")
    told = exported(capsys, album, "coco-results", tmp_path / "r.json")
    results = COCO(str(tmp_path / "c.json")).loadRes(str(tmp_path / "r.json"))
    assert named(results) == expected()
    assert told["written"] == 5
    assert {each["score"] for each in json.loads((tmp_path / "r.json").read_text("utf-8"))} == {1.0}
    truth = AnnotationSet.from_coco(tmp_path / "c.json")
    assert truth.from_results(tmp_path / "r.json").nb_boxes() == 5


def test_results_for_a_coco_file_have_its_ids_and_leave_out_what_it_does_not_know(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    images = [
        {"id": 900, "file_name": "a_stage2.png", "width": 104, "height": 152},
        {"id": 7, "file_name": "sub/d.jpg", "width": 120, "height": 121},
    ]
    categories = [{"id": 33, "name": "face"}, {"id": 2, "name": "bust"}, {"id": 5, "name": "1:1"}]
    known = {"images": images, "categories": categories, "annotations": []}
    (tmp_path / "gt.json").write_text(json.dumps(known))
    words = ["--images", str(tmp_path / "gt.json")]
    told = exported(capsys, album, "coco-results", tmp_path / "r.json", *words)
    results = COCO(str(tmp_path / "gt.json")).loadRes(str(tmp_path / "r.json"))
    face, bust = DECIDED["a_stage2.png"][1]["face"], DECIDED["a_stage2.png"][1]["bust"]
    assert named(results) == {
        ("a_stage2.png", "face", face.xyxy),
        ("a_stage2.png", "bust", bust.xyxy),
    }
    assert told["left_out"] == {
        "decided when its image had another size": 1,
        "no such category in the COCO file": 1,
        "no such image in the COCO file": 1,
        "reject": 1,
        "skip": 1,
    }
