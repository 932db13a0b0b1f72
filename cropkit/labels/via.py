"""VGG Image Annotator: one JSON file, with the regions of each image in pixels from 0.

Format: VIA 2's user guide, "Export annotations as JSON" and "Save project": entries have a
``filename`` and ``regions``, which VIA 1 wrote as an object instead of a list.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cropkit.errors import BadSuggestion
from cropkit.labels.documents import each_object
from cropkit.labels.label import Edges, Label, Labels, around_points, numeric, text
from cropkit.suggest.convention import xyxy
from cropkit.suggest.numbers import excerpt

_PROJECT = "_via_img_metadata"


def is_meant(document: object) -> bool:
    """Whether a document is a project of VIA, or its exported annotations."""
    if not isinstance(document, dict):
        return False
    if _PROJECT in document:
        return True
    first = next(iter(document.values()), None)
    return isinstance(first, dict) and first.keys() >= {"filename", "regions"}


def read(document: dict[str, Any], where: str) -> Labels:
    """Yield a box around each region."""
    images = document.get(_PROJECT, document)
    yield from each_object(_listed(images), where, _image)


def _image(entry: dict[str, Any], where: str) -> Labels:
    name = entry.get("filename")
    if not isinstance(name, str) or not name:
        raise BadSuggestion(where, f"names its image by {excerpt(name)}")
    read_one = partial(_region, image=name)
    yield from each_object(_listed(entry.get("regions") or []), f"{where}.regions", read_one)


def _region(region: dict[str, Any], where: str, *, image: str) -> Labels:
    category = _category(region.get("region_attributes"))
    yield Label(where, image, _edges(region.get("shape_attributes"), where), category=category)


def _listed(values: object) -> object:
    return list(values.values()) if isinstance(values, dict) else values


def _category(attributes: object) -> str:
    values = attributes.values() if isinstance(attributes, dict) else ()
    return next((text(value) for value in values if isinstance(value, str)), "")


def _edges(shape: object, where: str) -> Edges:
    if not isinstance(shape, dict) or shape.get("name") not in _SHAPES:
        raise BadSuggestion(where, f"has a shape that no box is around: {excerpt(shape)}")
    return _SHAPES[shape["name"]](shape, where)


def _numbers(shape: Mapping[str, Any], names: tuple[str, ...], where: str) -> list[float]:
    return [numeric(shape.get(name), where) for name in names]


def _rectangle(shape: Mapping[str, Any], where: str) -> Edges:
    x, y, width, height = _numbers(shape, ("x", "y", "width", "height"), where)
    return xyxy("xywh", (x, y, width, height))


def _ellipse(shape: Mapping[str, Any], where: str) -> Edges:
    names = ("cx", "cy", "rx", "ry") if "rx" in shape else ("cx", "cy", "r", "r")
    x, y, rx, ry = _numbers(shape, names, where)
    return x - rx, y - ry, x + rx, y + ry


def _polygon(shape: Mapping[str, Any], where: str) -> Edges:
    xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
    if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
        raise BadSuggestion(where, f"has no points: {excerpt(shape)}")
    return around_points([list(pair) for pair in zip(xs, ys, strict=True)], where)


_SHAPES: Mapping[str, Callable[[Mapping[str, Any], str], Edges]] = {
    "rect": _rectangle,
    "circle": _ellipse,
    "ellipse": _ellipse,
    "polygon": _polygon,
    "polyline": _polygon,
}
