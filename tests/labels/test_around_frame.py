"""A DataFrame of subjects becomes one of crops, each as `around` makes it."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from strategies import sizes_with_boxes

import cropkit
from cropkit.errors import BadFraming
from cropkit.geometry import PixelBox, Size

ROWS = pd.DataFrame(
    {
        "filename": ["b.jpg", "a.jpg", "b.jpg"],
        "x1": [10, 5, 60],
        "y1": [20, 5, 20],
        "x2": [30, 25, 90],
        "y2": [50, 45, 60],
        "score": [0.5, 0.75, 0.9],
        "class": ["face", "face", "dog"],
        "image_width": [100, 50, 100],
        "image_height": [80, 50, 80],
    }
)
SIZES = {"a.jpg": Size(50, 50), "b.jpg": Size(100, 80)}


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"margin": 0.5, "aspect": "4:5"},
        {"keep": "each"},
        {"keep": "most-confident"},
        {"keep": "face"},
    ],
)
def test_each_image_has_the_crops_that_around_makes(rule: dict[str, Any]) -> None:
    crops = cropkit.around_frame(ROWS, **rule)
    expected: list[tuple[object, ...]] = []
    for path in ("b.jpg", "a.jpg"):
        rows = ROWS[ROWS.filename == path]
        boxes = rows[["x1", "y1", "x2", "y2", "score"]].to_numpy().tolist()
        crops_of = cropkit.around(boxes, SIZES[path], classes=list(rows["class"]), **rule)
        expected += [(path, *c.xyxy, len(c.subjects), len(c.cut), c.label) for c in crops_of]
    assert list(crops.itertuples(index=False, name=None)) == expected
    assert cropkit.around_frame(ROWS, SIZES, **rule).equals(crops)


@given(sizes_with_boxes(200))
def test_widths_and_heights_are_read_as_they_are_declared(case: tuple[Size, PixelBox]) -> None:
    size, box = case
    left, top, right, bottom = box.xyxy
    row = {"path": ["i"], "x": [left], "y": [top], "w": [right - left], "h": [bottom - top]}
    (crop,) = cropkit.around_frame(
        pd.DataFrame(row), {"i": size}, order="xywh", margin=0
    ).itertuples()
    assert (crop.left, crop.top, crop.right, crop.bottom) == box.xyxy


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (ROWS.drop(columns="filename"), "has no column for the image's path"),
        (ROWS.drop(columns="x2"), "has no columns of xyxy boxes"),
        (ROWS.drop(columns="image_width"), "give them, or columns called image_width"),
        (ROWS.assign(x2=[0, 25, 90]), "b.jpg: "),
    ],
)
def test_what_cannot_be_framed_is_named(rows: pd.DataFrame, expected: str) -> None:
    with pytest.raises(BadFraming, match=expected):
        cropkit.around_frame(rows)


def test_an_image_without_a_size_is_named() -> None:
    with pytest.raises(BadFraming, match=r"b\.jpg: sizes"):
        cropkit.around_frame(ROWS, {"a.jpg": Size(50, 50)})


def test_nothing_becomes_nothing() -> None:
    assert cropkit.around_frame(ROWS.iloc[:0]).empty
