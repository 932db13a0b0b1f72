"""COCO's boxes, and results of detectors as COCO's evaluation reads them.

Sources: cocodataset.org, "Data format" (sections "Object Detection" and image, category; a bbox is
x, y, width, height in pixels from 0 at the left top corner) and "Results format"; pycocotools,
`COCO.createIndex` and `COCO.loadRes`. Ids begin with 1: `COCOeval` takes a match with annotation 0
for none.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import IO, Any, NamedTuple

from cropkit import __version__
from cropkit.errors import MissingFile
from cropkit.exports.files import as_json, write_list
from cropkit.exports.registry import Writer
from cropkit.exports.rows import (
    NO_BOX,
    OTHER_SIZE,
    STRAIGHTENED,
    Decisions,
    Image,
    boxes,
    by_image,
    categories,
    category,
)
from cropkit.geometry import PixelBox
from cropkit.names import escaped
from cropkit.system import parameters

_LARGEST = 1 << 28  # bytes of a COCO file that is read
_NO_IMAGE = "no such image in the COCO file"
_NO_CATEGORY = "no such category in the COCO file"


def _write(file: IO[str], rows: Decisions) -> None:
    numbers = {name: number for number, name in enumerate(categories(rows), 1)}
    info = {"description": "crops decided in cropkit", "version": __version__}
    file.write(f'{{"info": {as_json(info)},\n"licenses": [],\n"categories": ')
    write_list(file, ({"id": i, "name": n, "supercategory": ""} for n, i in numbers.items()))
    file.write(',\n"images": ')
    write_list(file, map(_image, count(1), by_image(rows)))
    file.write(',\n"annotations": ')
    write_list(file, _annotations(rows, numbers))
    file.write("}\n")


def _image(number: int, image: Image) -> dict[str, Any]:
    size = {"width": image.size.width, "height": image.size.height}
    return {"id": number, "file_name": image.path} | size


def _annotations(rows: Decisions, numbers: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    number = 0
    for image_id, image in enumerate(by_image(rows), 1):
        for decision, box in boxes(image):
            number += 1
            yield {
                "id": number,
                "image_id": image_id,
                "category_id": numbers[category(decision)],
                "bbox": _xywh(box),
                "area": box.size.area,
                "iscrowd": 0,
                "segmentation": [_outline(box)],
                "attributes": {
                    "verdict": decision.verdict.value,
                    "slot": decision.slot,
                    "target": decision.target,
                },
            }


def _xywh(box: PixelBox) -> list[int]:
    return [box.left, box.top, box.size.width, box.size.height]


def _outline(box: PixelBox) -> list[int]:
    left, top, right, bottom = box.xyxy
    return [left, top, left, bottom, right, bottom, right, top]


class _Known(NamedTuple):
    """The ids of a COCO file, by what they stand for."""

    images: Mapping[str, tuple[int, Any, Any]]
    categories: Mapping[str, int]


def _write_results(file: IO[str], rows: Decisions) -> None:
    images = rows.place.options.images
    each = _own_results(rows) if images is None else _results_for(rows, _known(images))
    write_list(file, each)
    file.write("\n")


def _own_results(rows: Decisions) -> Iterator[dict[str, Any]]:
    """Yield results with the ids that an export to `coco` of the same rows writes."""
    numbers = {name: number for number, name in enumerate(categories(rows), 1)}
    for image_id, image in enumerate(by_image(rows, boxed=True), 1):
        for decision, box in boxes(image):
            yield _result(image_id, numbers[category(decision)], box)


def _results_for(rows: Decisions, known: _Known) -> Iterator[dict[str, Any]]:
    for row in rows:
        decision = row.decision
        image = known.images.get(escaped(decision.path))
        category_id = known.categories.get(escaped(category(decision)))
        if decision.box is None:
            rows.leave_out(row, NO_BOX)
        elif decision.turn.resamples:
            rows.leave_out(row, STRAIGHTENED)
        elif image is None:
            rows.leave_out(row, _NO_IMAGE)
        elif image[1:] != (decision.size.width, decision.size.height):
            rows.leave_out(row, OTHER_SIZE)
        elif category_id is None:
            rows.leave_out(row, _NO_CATEGORY)
        else:
            yield _result(image[0], category_id, decision.box)


def _result(image_id: int, category_id: int, box: PixelBox) -> dict[str, Any]:
    """Return a result; a person's word has no doubt that could be told: its score is 1."""
    ids = {"image_id": image_id, "category_id": category_id}
    return ids | {"bbox": _xywh(box), "score": 1.0}


def _known(path: Path) -> _Known:
    """Read the ids of a COCO file.

    Raises
    ------
    MissingFile, BadParameterValue
        There is none that could be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise MissingFile(path) from None
    except OSError as error:
        raise parameters.wrong("images", str(path), f"COCO file ({error.strerror})") from error
    if len(data) > _LARGEST:
        raise parameters.wrong("images", str(path), f"COCO file of at most {_LARGEST} bytes")
    try:
        return _ids(json.loads(data))
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise parameters.wrong("images", str(path), f"COCO file ({error!r})") from error


def _ids(held: Any) -> _Known:  # noqa: ANN401  (whatever JSON holds)
    images = {
        str(each["file_name"]): (int(each["id"]), each["width"], each["height"])
        for each in held["images"]
    }
    return _Known(images, {str(each["name"]): int(each["id"]) for each in held["categories"]})


WRITER = Writer(_write, (".json",))
RESULTS = Writer(_write_results, (".json",), takes=frozenset(("verdicts", "slot", "images")))
