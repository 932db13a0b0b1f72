"""CVAT for images: one XML file, with the shapes of each image in pixels from 0.

Format: CVAT's documentation, "XML annotation format": ``xtl``, ``ytl``, ``xbr``, ``ybr`` of a box,
``points`` of a polygon, polyline or points as ``x,y;x,y``.
"""

from functools import partial
from xml.etree.ElementTree import Element

from cropkit.errors import BadSuggestion
from cropkit.geometry import Size
from cropkit.labels.documents import without_raising
from cropkit.labels.label import Edges, Label, Labels, around_points, numeric, stated_size, text

_EDGES = ("xtl", "ytl", "xbr", "ybr")
_SHAPES = ("box", "polygon", "polyline", "points")


def is_meant(root: Element) -> bool:
    """Whether an XML document holds CVAT's images."""
    return root.tag == "annotations"


def read(root: Element, where: str) -> Labels:
    """Yield a box around each shape."""
    for number, image in enumerate(root.iterfind("image"), 1):
        yield from without_raising(_image, image, f"{where}: image {number}")


def _image(image: Element, where: str) -> Labels:
    name = image.get("name", "")
    if not name:
        raise BadSuggestion(where, "has no name")
    size = stated_size(image.get("width"), image.get("height"), where)
    read_one = partial(_shape, image=name, size=size)
    shapes = (each for each in image if each.tag in _SHAPES)
    for place, shape in enumerate(shapes, 1):
        yield from without_raising(read_one, shape, f"{where}, {shape.tag} {place}")


def _shape(shape: Element, where: str, *, image: str, size: Size | None) -> Labels:
    if numeric(shape.get("rotation", "0"), where) % 360:
        raise BadSuggestion(where, f"is rotated by {shape.get('rotation')} degrees")
    yield Label(where, image, _edges(shape, where), size=size, category=text(shape.get("label")))


def _edges(shape: Element, where: str) -> Edges:
    if shape.tag != "box":
        points = [point.split(",") for point in shape.get("points", "").split(";")]
        return around_points(points, where)
    left, top, right, bottom = (numeric(shape.get(edge, ""), where) for edge in _EDGES)
    return left, top, right, bottom
