"""LabelMe: a JSON file for each image, with shapes in pixels from 0.

Format: labelme's ``LabelFile``: ``imagePath`` is relative to the JSON file; a rectangle has two
opposite corners, a circle its middle and a point of its edge.
"""

import math
from functools import partial
from typing import Any

from cropkit.errors import BadSuggestion
from cropkit.geometry import Size
from cropkit.labels.documents import each_object, without_raising
from cropkit.labels.label import Edges, Label, Labels, around_points, stated_size, text
from cropkit.suggest.numbers import excerpt

_AROUND = ("rectangle", "polygon", "linestrip", "mask")


def is_meant(document: object) -> bool:
    """Whether a document is one image's shapes."""
    return isinstance(document, dict) and document.keys() >= {"shapes", "imagePath"}


def read(document: dict[str, Any], where: str) -> Labels:
    """Yield a box around each shape."""
    yield from without_raising(_image, document, where)


def _image(document: dict[str, Any], where: str) -> Labels:
    name = document["imagePath"]
    if not isinstance(name, str) or not name:
        raise BadSuggestion(where, f"names its image by {excerpt(name)}")
    size = stated_size(document.get("imageWidth"), document.get("imageHeight"), where)
    read_one = partial(_shape, image=name, size=size)
    yield from each_object(document["shapes"], f"{where}: shapes", read_one)


def _shape(shape: dict[str, Any], where: str, *, image: str, size: Size | None) -> Labels:
    yield Label(where, image, _edges(shape, where), size=size, category=text(shape.get("label")))


def _edges(shape: dict[str, Any], where: str) -> Edges:
    kind = shape.get("shape_type", "polygon")
    if kind in _AROUND:
        return around_points(shape.get("points"), where)
    if kind == "circle":
        return _around_circle(shape.get("points"), where)
    raise BadSuggestion(where, f"is a {excerpt(kind)}, which no box is around")


def _around_circle(points: object, where: str) -> Edges:
    around_points(points, where)
    (x, y), edge = points[0], points[1]  # type: ignore[index]  # they are pairs of numbers
    radius = math.dist((float(x), float(y)), (float(edge[0]), float(edge[1])))
    return float(x) - radius, float(y) - radius, float(x) + radius, float(y) + radius
