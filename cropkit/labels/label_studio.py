"""Label Studio: tasks with predictions and annotations, in percent of the image.

Format: Label Studio's documentation, "Label Studio JSON format of annotated tasks" and "Import
pre-annotated data": ``x``, ``y``, ``width``, ``height`` of 0 to 100, ``original_width`` and
``original_height`` in pixels; a prediction has a ``score`` and a ``model_version``. Where a task
has annotations, which people made, they come before its predictions.

In the export that is called JSON-MIN a task is flat: the values of its data beside lists of regions
under the names of the controls, each region with its shape and the image's original size in one.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cropkit.errors import BadSuggestion
from cropkit.labels.documents import each_object
from cropkit.labels.label import (
    Edges,
    Label,
    Labels,
    around_points,
    numeric,
    stated_size,
    sure,
    text,
)
from cropkit.suggest.convention import xyxy
from cropkit.suggest.numbers import excerpt

_UPLOADED = re.compile(r"(?<=/)[0-9a-f]{8}-(?=[^/]+\Z)")  # what an upload puts before a name
_SUFFIXED = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}\Z")  # a sentence ends with no such thing
_SIDES = ("x", "y", "width", "height")
_RESULTS = ("annotations", "predictions")
_LABELS = ("rectanglelabels", "polygonlabels")
_LOOKED_AT = 100  # tasks, to know a list of flat ones: in the first nothing may be labelled


def is_meant(document: object) -> bool:
    """Whether a document is a task, or a list of them."""
    tasks = document[:_LOOKED_AT] if isinstance(document, list) else [document]
    return any(map(_is_task, tasks[:1])) or any(map(_is_flat, tasks))


def _is_task(task: object) -> bool:
    has_results = isinstance(task, dict) and any(name in task for name in _RESULTS)
    return has_results and isinstance(task, dict) and isinstance(task.get("data"), dict)


def _is_flat(task: object) -> bool:
    """Whether a region of it has what no row of another tool has: its labels and the image's size.

    Fractions and pixels of others have the same names for the sides.
    """
    return isinstance(task, dict) and any(
        "original_width" in region and any(name in region for name in _LABELS)
        for _, region in _flat_regions(task)
    )


def _flat_regions(task: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in task.items():
        regions = value if isinstance(value, list) else ()
        yield from ((name, region) for region in regions if isinstance(region, dict))


def read(document: Any, where: str) -> Labels:  # noqa: ANN401  (JSON's)
    """Yield the rectangles of tasks."""
    tasks = document if isinstance(document, list) else [document]
    yield from each_object(tasks, where, _task)


def image_of(address: str) -> str:
    """Return the path that an image's address means: local files, uploads, storages.

    ``/data/local-files/?d=a/b.jpg`` is a/b.jpg; what was uploaded has eight hexadecimal digits
    before its name.
    """
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d")
    if local:
        return local[0]
    if not parts.scheme and "/upload/" not in parts.path:
        return address
    return "?" + _UPLOADED.sub("", f"/{unquote(parts.path).lstrip('/')}")


def _task(task: dict[str, Any], where: str) -> Labels:
    if not _is_task(task):
        yield from _flat_task(task, where)
        return
    data = task["data"]
    image = _image(data, where)
    for rank, kind in enumerate(_RESULTS):
        read_one = partial(_result, image=image_of(image), rank=rank)
        yield from each_object(task.get(kind) or [], f"{where}.{kind}", read_one)


def _flat_task(task: dict[str, Any], where: str) -> Labels:
    shapes = [(name, region) for name, region in _flat_regions(task) if _is_shape(region)]
    image = image_of(_image(task, where)) if shapes else ""
    for number, (name, value) in enumerate(shapes):
        sizes = {side: value.get(side) for side in ("original_width", "original_height")}
        read_one = partial(_region, image=image, result={}, rank=0)
        yield from each_object([sizes | {"value": value}], f"{where}.{name}[{number}]", read_one)


def _image(data: dict[str, Any], where: str) -> str:
    image = next((value for value in data.values() if _is_image(value)), None)
    if image is None:
        raise BadSuggestion(where, f"names no image: {excerpt(data)}")
    return str(image)


def _result(result: dict[str, Any], where: str, *, image: str, rank: int) -> Labels:
    if not result.get("was_cancelled"):
        read_one = partial(_region, image=image, result=result, rank=rank)
        yield from each_object(result.get("result", []), f"{where}.result", read_one)


def _region(
    region: dict[str, Any], where: str, *, image: str, result: dict[str, Any], rank: int
) -> Labels:
    value = region.get("value")
    if not isinstance(value, dict) or not _is_shape(value):
        return  # a choice, a text, a point: no rectangle
    if numeric(value.get("rotation", 0), where) % 360:
        raise BadSuggestion(where, f"is rotated by {value['rotation']} degrees")
    yield Label(
        where,
        image,
        _edges(value, where),
        "percent",
        stated_size(region.get("original_width"), region.get("original_height"), where),
        confidence=sure(region.get("score", result.get("score")), where),
        category=_category(value),
        version=text(result.get("model_version")),
        rank=rank,
    )


def _is_shape(value: dict[str, Any]) -> bool:
    return "points" in value or "rle" in value or all(side in value for side in _SIDES)


def _edges(value: dict[str, Any], where: str) -> Edges:
    if "points" in value:
        return around_points(value["points"], where)
    if "rle" in value:
        raise BadSuggestion(where, "is what a brush painted, which no box is around")
    x, y, width, height = (numeric(value[side], where) for side in _SIDES)
    return xyxy("xywh", (x, y, width, height))


def _category(value: dict[str, Any]) -> str:
    labels = next((value[name] for name in _LABELS if name in value), None)
    return text(labels[0]) if isinstance(labels, list) and labels else ""


def _is_image(value: object) -> bool:
    return isinstance(value, str) and _SUFFIXED.search(image_of(value)) is not None
