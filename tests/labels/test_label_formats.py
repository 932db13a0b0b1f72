"""What each format of boxes says, and what of it is refused by file and place."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cropkit.errors import BadParameterValue, BadSuggestion, MissingFile
from cropkit.geometry import Size
from cropkit.labels.labelled import Labelled

SIZE = Size(640, 480)
BOX = (10, 20, 40, 60)
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
 xmlns:iptc="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" {0}>{1}</rdf:Description></rdf:RDF>
</x:xmpmeta>"""
CROP = 'crs:CropLeft="0.25" crs:CropTop="0.5" crs:CropRight="0.75" crs:CropBottom="1"'
REGION = """<iptc:ImageRegion><rdf:Bag><rdf:li rdf:parseType="Resource"><iptc:RegionBoundary
 rdf:parseType="Resource"><iptc:rbShape>{shape}</iptc:rbShape><iptc:rbUnit>relative</iptc:rbUnit>
<iptc:rbX>0.5</iptc:rbX><iptc:rbY>0.25</iptc:rbY><iptc:rbW>0.25</iptc:rbW><iptc:rbH>0.5</iptc:rbH>
</iptc:RegionBoundary></rdf:li></rdf:Bag></iptc:ImageRegion>"""
IMAGES = [{"id": 7, "file_name": "x/a.jpg", "width": 640, "height": 480}]
SHAPE = {"label": "dog", "points": [[40, 60], [10, 20]], "shape_type": "rectangle"}
LABELME = {"imagePath": "../x/a.jpg", "imageWidth": 640, "imageHeight": 480}
VALUE = {"x": 10, "y": 25, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["dog"]}
REGION_OF_TASK = {"original_width": 640, "original_height": 480, "value": VALUE}
TASK = {"data": {"image": "/data/local-files/?d=set/x/a.jpg"}}
CVAT = '<annotations><image id="0" name="a.jpg" width="640" height="480">{0}</image></annotations>'
VOC = """<annotation><folder>set</folder><filename>a.jpg</filename><size><width>640</width>
<height>480</height><depth>3</depth></size><object><name>dog</name><bndbox><xmin>{0}</xmin>
<ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax></bndbox></object></annotation>"""


def coco(*boxes: Any, **more: Any) -> dict[str, Any]:
    annotations = [{"image_id": 7, "bbox": box, "category_id": 3} | more for box in boxes]
    categories = [{"id": 3, "name": "dog"}]
    return {"images": IMAGES, "annotations": annotations, "categories": categories}


def task(**parts: Any) -> list[dict[str, Any]]:
    return [TASK | parts]


def via(shape: dict[str, Any]) -> dict[str, Any]:
    region = {"shape_attributes": shape, "region_attributes": {"kind": "dog"}}
    return {"a.jpg9": {"filename": "a.jpg", "size": 9, "regions": [region]}}


def google(**parts: Any) -> dict[str, Any]:
    return {"responses": [parts]}


# name of the file; what is in it; format; the boxes of x/a.jpg in pixels, with confidences
Case = tuple[str, Any, str, list[tuple[tuple[int, int, int, int], float | None]]]
CASES: list[Case] = [
    ("a.json", coco([10, 20, 30, 40]), "coco", [(BOX, None)]),
    ("a.json", coco([10, 20, 30, 40], score=0.5), "coco", [(BOX, 0.5)]),
    (
        "a.json",
        [{"image_id": "a.jpg", "bbox": [10, 20, 30, 40], "score": 0.5, "category_id": 1}],
        "coco-results",
        [(BOX, 0.5)],
    ),
    ("a.xml", VOC.format(11, 21, 40, 60), "voc", [(BOX, None)]),
    ("a.xml", VOC.format(1, 1, 640, 480), "voc", [((0, 0, 640, 480), None)]),
    (
        "a.xml",
        CVAT.format('<box label="d" xtl="10" ytl="20" xbr="40" ybr="60"/>'),
        "cvat",
        [(BOX, None)],
    ),
    (
        "a.xml",
        CVAT.format('<polygon label="d" points="10,20;40,30;15,60"/>'),
        "cvat",
        [(BOX, None)],
    ),
    (
        "a.json",
        task(predictions=[{"score": 0.5, "model_version": "m", "result": [REGION_OF_TASK]}]),
        "label-studio",
        [((64, 120, 384, 360), 0.5)],
    ),
    (
        "a.json",
        task(annotations=[{"result": [REGION_OF_TASK]}]),
        "label-studio",
        [((64, 120, 384, 360), None)],
    ),
    ("a.json", LABELME | {"shapes": [SHAPE]}, "labelme", [(BOX, None)]),
    (
        "a.json",
        LABELME
        | {"shapes": [SHAPE | {"shape_type": "circle", "points": [[100, 100], [103, 104]]}]},
        "labelme",
        [((95, 95, 105, 105), None)],
    ),
    (
        "a.json",
        via({"name": "rect", "x": 10, "y": 20, "width": 30, "height": 40}),
        "via",
        [(BOX, None)],
    ),
    (
        "a.json",
        {"_via_img_metadata": via({"name": "circle", "cx": 100, "cy": 100, "r": 5})},
        "via",
        [((95, 95, 105, 105), None)],
    ),
    (
        "a.json",
        via({"name": "polygon", "all_points_x": [10, 40, 20], "all_points_y": [20, 30, 60]}),
        "via",
        [(BOX, None)],
    ),
    (
        "a.json",
        google(
            cropHintsAnnotation={
                "cropHints": [
                    {
                        "boundingPoly": {
                            "vertices": [{}, {"x": 64}, {"x": 64, "y": 48}, {"y": 48}]
                        },
                        "confidence": 0.75,
                    }
                ]
            }
        ),
        "google",
        [((0, 0, 64, 48), 0.75)],
    ),
    (
        "a.json",
        google(
            localizedObjectAnnotations=[
                {
                    "name": "Dog",
                    "score": 0.5,
                    "boundingPoly": {
                        "normalizedVertices": [{"x": 0.25, "y": 0.5}, {"x": 0.75, "y": 1}]
                    },
                }
            ]
        ),
        "google",
        [((160, 240, 480, 480), 0.5)],
    ),
    (
        "a.jpg.json",
        {
            "metadata": {"width": 640, "height": 480},
            "smartCropsResult": {
                "values": [
                    {"aspectRatio": 0.75, "boundingBox": {"x": 10, "y": 20, "w": 30, "h": 40}}
                ]
            },
            "peopleResult": {
                "values": [{"boundingBox": {"x": 0, "y": 0, "w": 64, "h": 48}, "confidence": 0.5}]
            },
        },
        "azure",
        [((0, 0, 64, 48), 0.5), (BOX, None)],
    ),
    (
        "a.json",
        {
            "Labels": [
                {
                    "Name": "Dog",
                    "Confidence": 99,
                    "Instances": [
                        {
                            "BoundingBox": {"Left": 0.25, "Top": 0.5, "Width": 0.5, "Height": 0.5},
                            "Confidence": 75,
                        }
                    ],
                }
            ]
        },
        "rekognition",
        [((160, 240, 480, 480), 0.75)],
    ),
    (
        "a.json",
        {
            "CustomLabels": [
                {"Name": "sunny", "Confidence": 90},
                {
                    "Name": "Dog",
                    "Confidence": 75,
                    "Geometry": {
                        "BoundingBox": {"Left": 0.25, "Top": 0.5, "Width": 0.5, "Height": 0.5},
                        "Polygon": [{"X": 0.25, "Y": 0.5}],
                    },
                },
            ]
        },
        "rekognition",
        [((160, 240, 480, 480), 0.75)],
    ),
    (
        "a.json",
        {
            "objects": [
                {
                    "rectangle": {"x": 10, "y": 20, "w": 30, "h": 40},
                    "object": "dog",
                    "confidence": 0.5,
                    "parent": {"object": "mammal", "confidence": 0.6},
                }
            ],
            "faces": [{"faceRectangle": {"left": 0, "top": 0, "width": 64, "height": 48}}],
            "requestId": "1",
            "metadata": {"width": 640, "height": 480, "format": "Jpeg"},
        },
        "azure",
        [(BOX, 0.5), ((0, 0, 64, 48), None)],
    ),
    (
        "a.json",
        {
            "areaOfInterest": {"x": 10, "y": 20, "w": 30, "h": 40},
            "metadata": {"width": 640, "height": 480},
        },
        "azure",
        [(BOX, None)],
    ),
    (
        "a.json",
        [
            {"id": 1, "image": "/data/upload/1/0a1b2c3d-b.jpg", "annotator": 1},
            {
                "id": 2,
                "image": "/data/upload/1/0a1b2c3d-a.jpg",
                "note": "A dog. It sits.",
                "label": [
                    {
                        "x": 25,
                        "y": 50,
                        "width": 50,
                        "height": 50,
                        "rotation": 0,
                        "rectanglelabels": ["dog"],
                        "original_width": 640,
                        "original_height": 480,
                    }
                ],
                "annotation_id": 7,
                "lead_time": 3.5,
            },
        ],
        "label-studio",
        [((160, 240, 480, 480), None)],
    ),
    (
        "a.json",
        {
            "FaceDetails": [
                {
                    "BoundingBox": {"Left": 0, "Top": 0, "Width": 0.5, "Height": 0.5},
                    "Confidence": 50,
                }
            ]
        },
        "rekognition",
        [((0, 0, 320, 240), 0.5)],
    ),
    (
        "a.csv",
        'path,region\nx/a.jpg,"10,20,30,40"\nx/a.jpg,"pct:25,50,50,50"\n',
        "csv",
        [(BOX, None), ((160, 240, 480, 480), None)],
    ),
    (
        "a.json",
        {
            "type": "AnnotationPage",
            "items": [
                {
                    "type": "Annotation",
                    "target": "https://example.org/iiif/x%2Fa.jpg#xywh=10,20,30,40",
                },
                {
                    "type": "Annotation",
                    "target": "https://example.org/iiif/x%2Fa.jpg/pct:25,50,50,50/max/0/default.jpg",
                },
            ],
        },
        "iiif",
        [(BOX, None), ((160, 240, 480, 480), None)],
    ),
    (
        "metadata.jsonl",
        '{"file_name": "a.jpg", "objects": {"bbox": [[10, 20, 30, 40]], "categories": [1]}}\n',
        "jsonl",
        [(BOX, None)],
    ),
    (
        "a.jsonl",
        '{"image": "x/a.jpg", "x1": 10, "y1": 20, "x2": 40, "y2": 60, "score": 0.5}\n',
        "jsonl",
        [(BOX, 0.5)],
    ),
    ("a.json", [{"file": "x/a.jpg", "xywh": [10, 20, 30, 40]}], "json", [(BOX, None)]),
    (
        "a.json",
        [{"file": "x/a.jpg", "box": {"x": 10, "y": 20, "w": 30, "h": 40}}],
        "json",
        [(BOX, None)],
    ),
    ("a.csv", "file;x;y;w;h;conf\nC:\\set\\x\\a.jpg;10;20;30;40;0.5\n", "csv", [(BOX, 0.5)]),
    (
        "a.csv",
        'file,xyxy\n/mnt/x/a.jpg,"[[10,20,40,60],[0,0,64,48]]"\n',
        "csv",
        [(BOX, None), ((0, 0, 64, 48), None)],
    ),
]


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def labelled(
    path: Path, paths: Iterable[str] = ("x/a.jpg", "x/b.jpg"), **declared: Any
) -> Labelled:
    return Labelled(path, **declared).of(None, lambda: paths)  # type: ignore[arg-type]  # no orientation is asked for


def boxes(
    labels: Labelled, image: str = "x/a.jpg"
) -> list[tuple[tuple[int, int, int, int], float | None]]:
    suggested = labels.suggest(image, SIZE, "")
    return [(each.box.pixels(SIZE).xyxy, each.confidence) for each in suggested.suggestions]


def reasons(labels: Labelled, image: str = "x/a.jpg") -> list[str]:
    problems = (*labels.problems, *labels.suggest(image, SIZE, "").problems)
    return [f"{each.path}: {each.reason}" for each in problems if not each.kind.is_harmless]


@pytest.mark.parametrize(("name", "content", "kind", "expected"), CASES)
def test_each_format_is_known_by_its_content_and_read_exactly(
    tmp_path: Path, name: str, content: Any, kind: str, expected: Any
) -> None:
    labels = labelled(written(tmp_path, name, content))
    assert (boxes(labels), reasons(labels), labels.formats) == (expected, [], {kind: 1})
    assert labels.strange() == ()
    assert labels.suggest("x/b.jpg", SIZE, "").suggestions == ()


@pytest.mark.parametrize(("name", "content", "kind", "expected"), CASES)
def test_the_same_files_are_read_where_the_format_is_said(
    tmp_path: Path, name: str, content: Any, kind: str, expected: Any
) -> None:
    labels = labelled(written(tmp_path, name, content), format=kind)
    assert (boxes(labels), labels.formats) == (expected, {kind: 1})


def test_yolo_reads_a_folder_with_classes_scores_and_polygons(tmp_path: Path) -> None:
    written(tmp_path, "data.yaml", "names: [cat, dog]\ntrain: images\n")
    lines = "1 0.5 0.5 0.25 0.5 0.75\n0 0.1 0.1 0.2 0.1 0.2 0.3\n"
    written(tmp_path, "labels/train/a.txt", lines)
    written(tmp_path, "labels/train/empty.txt", "")
    written(tmp_path, "train.txt", "images/train/a.jpg\n")
    image = "images/train/a.jpg"
    for start in (tmp_path, tmp_path / "data.yaml", tmp_path / "labels"):
        labels = labelled(start, [image])
        assert boxes(labels, image) == [((240, 120, 400, 360), 0.75), ((64, 48, 128, 144), None)]
        assert (labels.problems, labels.strange(), labels.formats) == ((), (), {"yolo": 2})
    names = [label.category for _, found in labelled(tmp_path, [image]).named() for label in found]
    assert names == ["dog", "cat"]


def test_joints_behind_a_box_of_yolo_are_no_polygon(tmp_path: Path) -> None:
    """`kpt_shape` tells: five numbers for a class and a box, then two or three for each joint."""
    joints = " 0.1 0.1 0.9 0.9 0.5 0.2 0.3 0.3 0.4 0.4"
    written(tmp_path, "train/labels/a.txt", f"0 0.5 0.5 0.25 0.5{joints}\n")
    written(tmp_path, "train/labels/b.txt", "0 0.5 0.5 0.25 0.5 0.1 0.1 2 0.9 0.9 2\n")
    written(tmp_path, "data.yaml", "names: [dog]\nkpt_shape: [5, 2]\n")
    images = ["train/images/a.jpg", "train/images/b.jpg"]
    for start in (tmp_path, tmp_path / "train/labels"):
        labels = labelled(start, images)
        assert [boxes(labels, image) for image in images] == [[((240, 120, 400, 360), None)]] * 2
        names = {label.category for _, of_image in labels.named() for label in of_image}
        assert names == {"dog"}


def test_a_width_and_a_height_beside_edges_are_the_images(tmp_path: Path) -> None:
    """As TensorFlow's CSV has them; with x and y they are the box's."""
    header = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    path = written(
        tmp_path, "a.csv", f"{header}a.jpg,640,480,dog,10,20,40,60\nb.jpg,320,240,dog,1,2,30,40\n"
    )
    labels = labelled(path)
    assert boxes(labels) == [(BOX, None)]
    assert "(stale)" in reasons(labels, "x/b.jpg")[0]
    plain = written(tmp_path, "b.csv", "filename,x,y,width,height\na.jpg,10,20,30,40\n")
    assert boxes(labelled(plain)) == [(BOX, None)]


def test_a_single_file_of_yolo_is_of_the_image_that_has_its_stem(tmp_path: Path) -> None:
    labels = labelled(written(tmp_path, "a.txt", "0 .5 .5 1 1\n"))
    assert boxes(labels) == [((0, 0, 640, 480), None)]


def test_what_people_drew_comes_before_what_a_model_proposed(tmp_path: Path) -> None:
    drawn = {"result": [REGION_OF_TASK | {"value": VALUE | {"x": 0}}]}
    proposed = {"score": 0.99, "result": [REGION_OF_TASK]}
    content = task(predictions=[proposed], annotations=[drawn])
    labels = labelled(written(tmp_path, "a.json", content))
    assert boxes(labels) == [((0, 120, 320, 360), None), ((64, 120, 384, 360), 0.99)]


def test_captions_beside_labels_are_passed_over(tmp_path: Path) -> None:
    written(tmp_path, "a.txt", "0 .5 .5 1 1\n")
    written(tmp_path, "b.txt", "1girl, 2 dogs, outdoors\n")
    labels = labelled(tmp_path)
    assert (labels.problems, labels.formats) == ((), {"yolo": 1})


def test_a_folder_may_hold_a_file_for_each_image(tmp_path: Path) -> None:
    written(tmp_path, "a.xml", VOC.format(11, 21, 40, 60))
    written(tmp_path, "b.json", LABELME | {"imagePath": "b.jpg", "shapes": [SHAPE]})
    written(tmp_path, "bad.json", '{"neither": 1}')
    labels = labelled(tmp_path)
    assert (boxes(labels), boxes(labels, "x/b.jpg")) == ([(BOX, None)], [(BOX, None)])
    assert [each.path for each in labels.problems] == ["bad.json"]
    assert labels.formats == {"voc": 1, "labelme": 1}


def test_results_take_the_names_of_their_images_from_another_file(tmp_path: Path) -> None:
    images = written(tmp_path, "images.json", {"images": IMAGES})
    results = written(tmp_path, "r.json", [{"image_id": 7, "bbox": [10, 20, 30, 40], "score": 1}])
    assert boxes(labelled(results, images=images)) == [(BOX, 1.0)]
    assert "`--images`" in reasons(labelled(results))[0]


def test_camera_raws_crop_and_iptcs_regions_are_read_from_sidecars(tmp_path: Path) -> None:
    path = written(tmp_path, "a.xmp", XMP.format(CROP, REGION.format(shape="rectangle")))
    crop, region = (label for _, found in labelled(path).named() for label in found)
    assert (crop.edges, crop.frame, region.edges) == (
        (0.25, 0.5, 0.75, 1),
        "stored",
        (0.5, 0.25, 0.75, 0.75),
    )
    as_elements = "".join(
        f"<crs:{name}>{value}</crs:{name}>"
        for name, value in (
            part.removeprefix("crs:").replace('"', "").split("=") for part in CROP.split()
        )
    )
    (crop,) = (
        label
        for _, found in labelled(written(tmp_path, "a.xmp", XMP.format("", as_elements))).named()
        for label in found
    )
    assert crop.edges == (0.25, 0.5, 0.75, 1)


BAD: list[tuple[str, Any, str]] = [
    ("a.json", coco([10, 20, 30]), "annotations[0]: needs four numbers"),
    ("a.json", coco([10, 20, float("nan"), 4]), "annotations[0]: a number that is not finite"),
    ("a.json", coco([10, 20, 30, 40], image_id=8), "is of image_id 8"),
    ("a.json", coco([10, 20, 30, 40], image_id=[]), "has an id that is no number"),
    ("a.json", coco([10, 20, 30, 40], score=7), "confidence 7 is not in 0..1"),
    ("a.json", coco([10, 20, -30, 40]), "is empty or inverted"),
    ("a.json", coco([0.25, 0.5, 0.5, 0.5]), "looks normalized where pixels are meant"),
    ("a.json", coco([600, 20, 300, 40]), "px outside"),
    ("a.json", {"images": [*IMAGES, *IMAGES], "annotations": []}, "id 7 is there twice"),
    ("a.json", {"images": 3, "annotations": []}, "images: needs a list"),
    ("a.json", {"images": IMAGES, "annotations": [3]}, "annotations[0]: needs an object"),
    (
        "a.json",
        {"images": [IMAGES[0] | {"width": 320}], "annotations": coco([1, 2, 3, 4])["annotations"]},
        "is for x/a.jpg of 320 x 480; it has 640 x 480 now (stale)",
    ),
    ("a.xml", VOC.format("x", 1, 2, 3), "object 1: 'x' is not a number"),
    ("a.xml", VOC.replace("a.jpg", "").format(1, 1, 2, 3), "names no image"),
    (
        "a.xml",
        CVAT.format('<box label="d" xtl="1" ytl="2" xbr="3" ybr="4" rotation="30"/>'),
        "is rotated by 30",
    ),
    ("a.xml", CVAT.format('<polygon points="1,2"/>'), "needs at least two points"),
    (
        "a.json",
        task(predictions=[{"result": [REGION_OF_TASK | {"value": VALUE | {"rotation": 5}}]}]),
        "is rotated by 5",
    ),
    ("a.json", [{"data": {}, "predictions": []}], "names no image"),
    ("a.json", LABELME | {"shapes": [SHAPE | {"shape_type": "point"}]}, "is a 'point'"),
    ("a.json", via({"name": "point", "cx": 1, "cy": 2}), "no box is around"),
    ("a.json", {"responses": [{"faceAnnotations": []}, {}]}, "holds the replies for 2 images"),
    (
        "a.json",
        google(cropHintsAnnotation={"cropHints": [{"boundingPoly": {}}]}),
        "has no vertices",
    ),
    (
        "a.csv",
        'file,bbox\nx/a.jpg,"[1,2,3,4]"\n',
        "the order of bbox [1, 2, 3, 4] is to be declared",
    ),
    ("a.csv", "file,x,y,w,h\nx/a.jpg,1,2,3,\n,1,2,3,4\n", "a.csv:3: names no image"),
    ("a.csv", "file,x,y,w,h\nx/a.jpg,0.1,0.2,0.3,0.4\n", "looks normalized; its unit"),
    (
        "a.jsonl",
        '{"file": "x/a.jpg", "xyxy": [1, 2, 30, 40]}\n{"file": \n',
        "a.jsonl:2: is not JSON",
    ),
    ("a.xmp", XMP.format(CROP + ' crs:CropAngle="1.5"', ""), "rotated by 1.5 degrees"),
    ("a.xmp", XMP.format("", REGION.format(shape="circle")), "is a circle, not a rectangle"),
    ("a.txt", "0 .5 .5 1 1\n0 .5 .5\n", "a.txt:2: has 2 numbers after its class"),
]


@pytest.mark.parametrize(("name", "content", "expected"), BAD)
def test_what_cannot_be_used_is_named_by_file_and_place(
    tmp_path: Path, name: str, content: Any, expected: str
) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    labels = labelled(written(tmp_path, name, text))
    (reason,) = [each for each in reasons(labels) if expected in each] or reasons(labels)
    assert expected in reason
    assert name in reason


def test_an_xmp_that_says_that_it_has_no_crop_has_none(tmp_path: Path) -> None:
    text = XMP.format(CROP + ' crs:HasCrop="False"', "")
    assert list(labelled(written(tmp_path, "a.xmp", text)).named()) == []


REFUSED: list[tuple[str, bytes, str]] = [
    ("a.json", b'{"a": 1}', "is none of coco"),
    ("a.json", b"[", "is not JSON"),
    ("a.json", b"[" * 100_000, "too deeply nested"),
    ("a.json", b"[1." + b"0" * 5000 + b"]", "a number too long"),
    ("a.json", b"\xff\xfe{}", "is not UTF-8"),
    ("a.xml", b"<annotation>", "is not XML"),
    ("a.xml", b"<other/>", "is none of voc"),
    ("a.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><annotation/>', "declares a document type"),
    ("a.xml", b"<annotation>" + b"<a>" * 200, "nested more than 100 deep"),
    ("a.csv", b"a,b,c\n1,2,3\n", "has no column for the image"),
    ("a.csv", b"file,a,b\nx,1,2\n", "has no columns for boxes"),
    ("a.bin", b"PAR1" + b"\0" * 20, "Parquet"),
]


@pytest.mark.parametrize(("name", "data", "expected"), REFUSED)
def test_a_file_of_no_known_format_is_refused_whole(
    tmp_path: Path, name: str, data: bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(BadSuggestion, match=expected) as refused:
        list(labelled(path).problems)
    assert str(refused.value).startswith(name)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        Labelled(tmp_path / "none.json")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(BadSuggestion, match="not a file"):
        Labelled(tmp_path / "pipe.json")
    with pytest.raises(BadParameterValue, match="format"):
        Labelled(written(tmp_path, "a.json", coco()), format="excel")
    with pytest.raises(BadSuggestion, match="is not voc"):
        Labelled(written(tmp_path, "a.json", coco()), format="voc")


def test_nothing_behind_a_link_or_hidden_is_read_in_a_folder(tmp_path: Path) -> None:
    secret = written(tmp_path, "secret.json", coco([10, 20, 30, 40]))
    folder = tmp_path / "labels"
    written(folder, ".hidden/a.json", coco([10, 20, 30, 40]))
    (folder / "link.json").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    labels = labelled(folder)
    assert (boxes(labels), labels.formats) == ([], {})


def test_yaml_with_names_is_bounded(tmp_path: Path) -> None:
    written(tmp_path, "labels/a.txt", "0 .5 .5 1 1\n")
    for text, expected in (
        ("names: &a [*a]\n", "aliases"),
        ("names: " + "[" * 2000, "nested too deeply"),
        ("names: [", "is not YAML"),
    ):
        written(tmp_path, "data.yaml", text)
        labels = Labelled(tmp_path)
        assert expected in labels.problems[0].reason
        assert labels.problems[0].path == "data.yaml"


def test_a_snapshots_crop_is_not_the_pictures(tmp_path: Path) -> None:
    edges = 'crs:CropLeft="0.4" crs:CropTop="0.4" crs:CropRight="0.5" crs:CropBottom="0.5"'
    snapshot = f"<crs:Parameters><rdf:Description {edges}/></crs:Parameters>"
    for attributes, count in ((CROP, 1), ("", 0)):
        path = written(tmp_path, "a.xmp", XMP.format(attributes, snapshot))
        shown = [label.edges for _, found in labelled(path).named() for label in found]
        assert shown == [(0.25, 0.5, 0.75, 1)] * count


def test_every_shape_of_cvat_has_a_box_or_is_told(tmp_path: Path) -> None:
    shapes = """<tag label="t"/><ellipse cx="25" cy="40" rx="15" ry="20"/><skeleton/>
<mask left="10" top="20" width="30" height="40"/>"""
    path = written(tmp_path, "a.xml", CVAT.format(shapes))
    assert boxes(labelled(path)) == [(BOX, None), (BOX, None)]
    assert "is a 'skeleton'" in labelled(path).problems[0].reason
    video = '<annotations><track id="0" label="d"><box frame="0"/></track></annotations>'
    (problem,) = labelled(written(tmp_path, "b.xml", video)).problems
    assert "1 tracks of a video" in problem.reason


def test_label_studios_polygons_have_a_box_and_its_sentences_are_no_images(
    tmp_path: Path,
) -> None:
    points = {"points": [[10, 25], [60, 25], [20, 75]], "polygonlabels": ["dog"]}
    regions = [REGION_OF_TASK | {"value": value} for value in (points, {"rle": [1]})]
    data = {"caption": "A dog. It sits. v1.5"} | TASK["data"]
    document = task(annotations=[{"result": regions}], data=data)
    read = labelled(written(tmp_path, "a.json", document))
    assert boxes(read) == [((64, 120, 384, 360), None)]
    assert "brush" in read.problems[0].reason


def test_each_split_of_a_data_set_has_its_own_boxes(tmp_path: Path) -> None:
    images = [{"id": 7, "file_name": "a.jpg", "width": 640, "height": 480}]
    for split, left in (("train", 10), ("valid", 50)):
        (tmp_path / split).mkdir()
        document = coco([left, 20, 30, 40]) | {"images": images}
        written(tmp_path / split, "_annotations.coco.json", document)

    read = labelled(tmp_path, ("train/a.jpg", "valid/a.jpg"))
    assert [(image, found[0].edges[0]) for image, found in read.named()] == [
        ("train/a.jpg", 10),
        ("valid/a.jpg", 50),
    ]
    alone = labelled(tmp_path, ("a.jpg",))
    assert (list(alone.named()), len(alone.strange())) == ([], 2)
