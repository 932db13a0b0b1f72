"""Whatever the boxes and sizes, what an independent reader finds in an export is the same boxes.

Each reader does what its format's specification says, in the arithmetic of the program that is
known for reading it: Ultralytics' fractions have 32 bits.
"""

import csv
import json
import os
import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import strategies
from export_readers import pixels, voc_boxes
from exporting import made_up
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cropkit.audit.decisions import InForce
from cropkit.exports import registry
from cropkit.exports.registry import Options
from cropkit.exports.rows import Decisions, Place
from cropkit.geometry import PixelBox, Size
from cropkit.labels.labelled import Labelled
from cropkit.records import Status
from cropkit.system.files import Root

Case = tuple[Size, PixelBox]
LARGEST = 100_000
# `CROPKIT_ROUND_TRIP_BOXES=1000000` sends so many boxes through each format, some at a time.
MANY = int(os.environ.get("CROPKIT_ROUND_TRIP_BOXES", "400"))
AT_ONCE, OF_AN_IMAGE = 20_000, 4
pytestmark = [pytest.mark.timeout(0)] if "CROPKIT_ROUND_TRIP_BOXES" in os.environ else []


class Given(Decisions):
    """Decisions that no trail holds."""

    def __init__(self, cases: list[Case], out: Path) -> None:
        super(Decisions, self).__init__(Place(out.parent, out, Options()))
        self._rows = [
            InForce(made_up(name_of(n), size, box), Status.WAITING, has_left=False)
            for n, (size, box) in enumerate(cases)
        ]

    def _each(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  (as its parent's)
        return iter(self._rows)


def name_of(number: int) -> str:
    return f"{number:03}.png"


def coco(out: Path, _: list[Case]) -> list[tuple[int, ...]]:
    held = json.loads(out.read_text("utf-8"))
    boxes = sorted(held["annotations"], key=lambda each: each["image_id"])
    return [(x, y, x + w, y + h) for x, y, w, h in (each["bbox"] for each in boxes)]


def voc(out: Path, _: list[Case]) -> list[tuple[int, ...]]:
    return [box for _, _, box in sorted(voc_boxes(out))]


def yolo(out: Path, cases: list[Case]) -> list[tuple[int, ...]]:
    return [
        edges(np.array(text.split()[1:], dtype=np.float32).astype(np.float64), size)
        for text, (size, _) in zip(labels(out), cases, strict=True)
    ]


def labels(out: Path) -> list[str]:
    return [file.read_text("ascii") for file in sorted((out / "labels").iterdir())]


def edges(shares: "np.typing.NDArray[np.float64]", size: Size) -> tuple[int, ...]:
    x, y, width, height = shares
    left, right = (x - width / 2) * size.width, (x + width / 2) * size.width
    top, bottom = (y - height / 2) * size.height, (y + height / 2) * size.height
    return tuple(round(float(edge)) for edge in (left, top, right, bottom))


def label_studio(out: Path, _: list[Case]) -> list[tuple[int, ...]]:
    tasks = json.loads(out.read_text("utf-8"))
    return [pixels(task["annotations"][0]["result"][0])[1] for task in tasks]


def table(out: Path, cases: list[Case]) -> list[tuple[int, ...]]:
    """Read a CSV file by its fractions; the pixels stand there as they are."""
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = ("left", "top", "right", "bottom")
    for row, (size, _) in zip(rows, cases, strict=True):
        sides = (size.width, size.height) * 2
        shares = [float(row[f"normalized_{name}"]) for name in names]
        by_share = [round(share * side) for share, side in zip(shares, sides, strict=True)]
        assert by_share == [int(row[name]) for name in names]
    return [tuple(int(row[name]) for name in names) for row in rows]


READERS: Mapping[str, tuple[str, Callable[[Path, list[Case]], list[tuple[int, ...]]]]] = {
    "coco": ("o.json", coco),
    "voc": ("o", voc),
    "yolo": ("o", yolo),
    "label-studio": ("o.json", label_studio),
    "csv": ("o.csv", table),
}


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=st.lists(strategies.sizes_with_boxes(LARGEST), min_size=1, max_size=8))
def test_the_boxes_come_back(
    kind: str, cases: list[Case], tmp_path_factory: pytest.TempPathFactory
) -> None:
    name, read = READERS[kind]
    out = tmp_path_factory.mktemp("round") / name
    by = registry.writer(kind)
    if by.suffixes:
        with out.open("w", encoding="utf-8", newline="") as file:
            by.write(file, Given(cases, out))
    else:
        out.mkdir()
        by.write(out, Given(cases, out))
    assert read(out, cases) == [box.xyxy for _, box in cases]


def drawn(seed: int, count: int) -> list[InForce]:
    """Draw decisions about images of any size, some boxes each: whole images are among them."""
    dice = random.Random(seed)  # noqa: S311  (no secret)
    rows = []
    for number in range(0, count, OF_AN_IMAGE):
        size = Size(dice.randint(1, dice.choice((9, LARGEST))), dice.randint(1, LARGEST))
        for slot in range(min(OF_AN_IMAGE, count - number)):
            x = sorted(dice.sample(range(size.width + 1), 2))
            y = sorted(dice.sample(range(size.height + 1), 2))
            box = PixelBox(x[0], y[0], x[1], y[1]) if slot else PixelBox.full(size)
            decision = made_up(f"set/{number:07}.png", size, box, slot=f"s{slot}")
            rows.append(InForce(decision, Status.WAITING, has_left=False))
    return rows


class Drawn(Given):
    """Decisions that were drawn."""

    def __init__(self, rows: list[InForce], out: Path) -> None:
        super().__init__([], out)
        self._rows = rows


def read_back(out: Path, rows: list[InForce]) -> dict[str, list[tuple[int, ...]]]:
    """Return what `cropkit import` makes of an export, image by image."""
    sizes = {row.decision.path: row.decision.size for row in rows}
    labels = Labelled(out).of(Root(out.parent), lambda: sizes)
    assert (labels.problems, labels.strange()) == ((), ())
    boxes: dict[str, list[tuple[int, ...]]] = {}
    for path, of_image in labels.named():
        placed, problems = labels.placed(of_image, path, sizes[path])
        assert problems == []
        boxes[path] = sorted(each.box.pixels(sizes[path]).xyxy for each in placed)
    return boxes


@pytest.mark.parametrize("kind", ["coco", "csv", "jsonl", "label-studio", "voc", "yolo"])
def test_what_is_exported_is_imported_again(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    by = registry.writer(kind)
    for number, start in enumerate(range(0, MANY, AT_ONCE)):
        out = tmp_path_factory.mktemp("round") / f"o{by.suffixes[0] if by.suffixes else ''}"
        rows = drawn(number, min(AT_ONCE, MANY - start))
        if by.suffixes:
            with out.open("w", encoding="utf-8", newline="") as file:
                by.write(file, Drawn(rows, out))
        else:
            out.mkdir()
            by.write(out, Drawn(rows, out))
        expected: dict[str, list[tuple[int, ...]]] = {}
        for row in rows:
            expected.setdefault(row.decision.path, []).append(row.decision.box.xyxy)  # type: ignore[union-attr]  # each has one
        assert read_back(out, rows) == {path: sorted(each) for path, each in expected.items()}
        shutil.rmtree(out.parent)
