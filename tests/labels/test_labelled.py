"""Boxes of files for real images: which frame they are in, what is stale, what is clipped."""

import json
from pathlib import Path

import pictures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import sizes_with_boxes

import cropkit
from cropkit.errors import BadParameterValue
from cropkit.geometry import PixelBox, Size
from cropkit.labels.labelled import Labelled
from cropkit.system.files import Root

CROP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:CropLeft="{0}" crs:CropTop="{1}"
 crs:CropRight="{2}" crs:CropBottom="{3}"/></rdf:RDF></x:xmpmeta>"""


def coco(folder: Path, box: list[float], width: int, height: int, name: str = "a.jpg") -> Path:
    image = {"id": 1, "file_name": name, "width": width, "height": height}
    content = {"images": [image], "annotations": [{"image_id": 1, "bbox": box}]}
    path = folder / "coco.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def boxes(labels: Labelled, folder: Path, name: str, size: Size) -> list[PixelBox]:
    mine = labels.of(Root(folder), lambda: [name])
    return [each.box.pixels(size) for each in mine.suggest(name, size, "").suggestions]


def reasons(labels: Labelled, folder: Path, name: str, size: Size) -> list[str]:
    mine = labels.of(Root(folder), lambda: [name])
    return [each.reason for each in mine.suggest(name, size, "").problems]


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_size_before_orientation_tells_that_boxes_are_stored(
    tmp_path: Path, orientation: int
) -> None:
    """A tool that knows no EXIF saw 64 x 48 pixels; a person sees 48 x 64."""
    pictures.write_jpeg(tmp_path / "a.jpg", pictures.photo(64, 48), orientation=orientation)
    stored, upright = PixelBox(8, 4, 40, 20), Size(48, 64)
    labels = Labelled(coco(tmp_path, [8, 4, 32, 16], 64, 48))
    expected = stored.upright(Size(64, 48), orientation)
    assert boxes(labels, tmp_path, "a.jpg", upright) == [expected]
    as_upright = Labelled(coco(tmp_path, [8, 4, 32, 16], 48, 64))
    assert boxes(as_upright, tmp_path, "a.jpg", upright) == [PixelBox(8, 4, 40, 20)]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_camera_raws_crop_is_of_the_stored_picture(tmp_path: Path, orientation: int) -> None:
    pictures.write_jpeg(tmp_path / "a.jpg", pictures.photo(64, 48), orientation=orientation)
    (tmp_path / "a.xmp").write_text(CROP.format(0.125, 0.25, 0.5, 0.75))
    upright = Size(64, 48).oriented(orientation)
    expected = PixelBox(8, 12, 32, 36).upright(Size(64, 48), orientation)
    assert boxes(Labelled(tmp_path / "a.xmp"), tmp_path, "a.jpg", upright) == [expected]


def test_a_frame_can_be_declared(tmp_path: Path) -> None:
    pictures.write_jpeg(tmp_path / "a.jpg", pictures.photo(64, 48), orientation=3)
    path = coco(tmp_path, [0, 0, 32, 16], 64, 48)
    size = Size(64, 48)
    assert boxes(Labelled(path), tmp_path, "a.jpg", size) == [PixelBox(0, 0, 32, 16)]
    declared = Labelled(path, frame="stored")
    assert boxes(declared, tmp_path, "a.jpg", size) == [PixelBox(32, 32, 64, 48)]
    with pytest.raises(BadParameterValue, match="frame"):
        Labelled(path, frame="sideways")  # type: ignore[arg-type]  # on purpose


def test_boxes_of_another_size_are_stale(tmp_path: Path) -> None:
    pictures.write_jpeg(tmp_path / "a.jpg", pictures.photo(64, 48))
    for width, height in ((63, 48), (128, 96), (48, 64)):
        labels = Labelled(coco(tmp_path, [0, 0, 32, 16], width, height))
        (reason,) = reasons(labels, tmp_path, "a.jpg", Size(64, 48))
        assert reason == f"is for a.jpg of {width} x {height}; it has 64 x 48 now (stale)"


def test_boxes_are_clipped_at_the_border_and_counted(tmp_path: Path) -> None:
    labels = Labelled(coco(tmp_path, [-3, 0, 30, 20], 64, 48))
    assert boxes(labels, tmp_path, "a.jpg", Size(64, 48)) == [PixelBox(0, 0, 27, 20)]
    assert (labels.clipped.count, labels.clipped.most) == (1, 3)
    strict = Labelled(coco(tmp_path, [-3, 0, 30, 20], 64, 48), outside="refuse")
    assert boxes(strict, tmp_path, "a.jpg", Size(64, 48)) == []


def test_the_images_are_asked_for_once_and_not_for_whole_names(tmp_path: Path) -> None:
    calls: list[int] = []

    def images() -> list[str]:
        calls.append(1)
        return ["a.jpg", "x/b.jpg"]

    labels = Labelled(coco(tmp_path, [0, 0, 32, 16], 64, 48)).of(Root(tmp_path), images)
    assert len(labels.suggest("a.jpg", Size(64, 48), "").suggestions) == 1
    assert calls == []
    for _ in range(3):
        assert labels.suggest("x/b.jpg", Size(64, 48), "").suggestions == ()
    assert calls == [1]


@given(sizes_with_boxes(), st.sampled_from(("xyxy", "xywh", "cxcywh")), st.data())
def test_no_box_loses_a_pixel_on_its_way_through_rows(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[Size, PixelBox],
    order: str,
    data: st.DataObject,
) -> None:
    size, box = case
    units = data.draw(st.sampled_from(("pixels", "normalized", "percent")))
    left, top, right, bottom = box.xyxy
    four = {
        "xyxy": (left, top, right, bottom),
        "xywh": (left, top, right - left, bottom - top),
        "cxcywh": ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top),
    }[order]
    scale = {
        "pixels": (1.0, 1.0),
        "normalized": (size.width, size.height),
        "percent": (size.width / 100, size.height / 100),
    }[units]
    numbers = [value / scale[place % 2] for place, value in enumerate(four)]
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    path.write_text(json.dumps({"file": "a.jpg", "bbox": numbers}), encoding="utf-8")
    labels = Labelled(path, order=order, units=units)  # type: ignore[arg-type]  # they are its words
    assert boxes(labels, path.parent, "a.jpg", size) == [box]


def test_a_path_is_all_that_a_collection_needs(tmp_path: Path) -> None:
    pictures.write_jpeg(tmp_path / "a.jpg", pictures.photo(64, 48))
    path = coco(tmp_path, [8, 4, 32, 16], 64, 48)
    for suggest in (path, str(path), Labelled(path), cropkit.Labelled(path)):
        with cropkit.open(tmp_path, suggest=suggest) as collection:
            (suggestion,) = collection.suggestions(collection.look("a.jpg"))
        assert suggestion.box.pixels(Size(64, 48)) == PixelBox(8, 4, 40, 20)
        assert suggestion.source == "coco.json"


REPLY = {"BoundingBox": {"Left": 0.5, "Top": 0.5, "Width": 0.5, "Height": 0.5}, "Confidence": 50}


@pytest.mark.parametrize("others", [(), ("a.png",), ("b/a.jpg",)])
def test_a_review_and_an_import_take_the_same_boxes(
    tmp_path: Path, others: tuple[str, ...]
) -> None:
    """One name has the suffix, the other is that of a file for any image of the stem."""
    coco(tmp_path, [8, 4, 32, 16], 64, 48)
    (tmp_path / "a.json").write_text(json.dumps({"FaceDetails": [REPLY]}), encoding="utf-8")
    mine = Labelled(tmp_path).of(Root(tmp_path), lambda: ["a.jpg", *others])
    asked = mine.suggest("a.jpg", Size(64, 48), "").suggestions
    kept = {image: mine.placed(labels, image, Size(64, 48))[0] for image, labels in mine.named()}
    assert [each.box for each in asked] == [each.box for each in kept["a.jpg"]]
    again = mine.suggest("a.jpg", Size(64, 48), "").suggestions
    assert again == asked
    assert len(asked) == (1 if "a.png" in others else 2)


def test_a_name_that_is_an_images_whole_path_lists_nothing(tmp_path: Path) -> None:
    labels = Labelled(coco(tmp_path, [8, 4, 32, 16], 64, 48))

    def listed() -> list[str]:
        raise AssertionError("all images were listed")

    mine = labels.of(Root(tmp_path), listed)
    assert len(mine.suggest("a.jpg", Size(64, 48), "").suggestions) == 1
