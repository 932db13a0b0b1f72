"""CVAT for images: one XML file, with the shapes of each image in pixels from 0.

Format: CVAT's documentation, "XML annotation format": ``xtl``, ``ytl``, ``xbr``, ``ybr`` of a box,
``points`` of a polygon, polyline or points as ``x,y;x,y``; ``cx``, ``cy``, ``rx``, ``ry`` of an
ellipse; ``left``, ``top``, ``width``, ``height`` of a mask.
"""

from collections.abc import Callable, Mapping
from functools import partial
from xml.etree.ElementTree import Element

from cropkit.errors import BadSuggestion
from cropkit.geometry import Size
from cropkit.labels.documents import without_raising
from cropkit.labels.label import Edges, Label, Labels, around_points, numeric, stated_size, text
from cropkit.suggest.numbers import excerpt

_POINTS = ("polygon", "polyline", "points")


def is_meant(root: Element) -> bool:
    """Whether an XML document holds CVAT's images."""
    return root.tag == "annotations"


def read(root: Element, where: str) -> Labels:
    """Yield a box around each shape."""
    for number, image in enumerate(root.iterfind("image"), 1):
        yield from without_raising(_image, image, f"{where}: image {number}")
    tracks = len(root.findall("track"))
    if tracks:
        reason = f"holds {tracks} tracks of a video, whose frames name no image"
        yield BadSuggestion(where, f"{reason}: export them as CVAT for images")


def _image(image: Element, where: str) -> Labels:
    name = image.get("name", "")
    if not name:
        raise BadSuggestion(where, "has no name")
    size = stated_size(image.get("width"), image.get("height"), where)
    read_one = partial(_shape, image=name, size=size)
    shapes = (each for each in image if each.tag != "tag")  # which is of the whole image
    for place, shape in enumerate(shapes, 1):
        yield from without_raising(read_one, shape, f"{where}, {shape.tag} {place}")


def _shape(shape: Element, where: str, *, image: str, size: Size | None) -> Labels:
    if numeric(shape.get("rotation", "0"), where) % 360:
        raise BadSuggestion(where, f"is rotated by {shape.get('rotation')} degrees")
    yield Label(where, image, _edges(shape, where), size=size, category=text(shape.get("label")))


def _edges(shape: Element, where: str) -> Edges:
    if shape.tag in _POINTS:
        points = [point.split(",") for point in shape.get("points", "").split(";")]
        return around_points(points, where)
    if shape.tag not in _READ:
        raise BadSuggestion(where, f"is a {excerpt(shape.tag)}, which no box is around")
    names, edges = _READ[shape.tag]
    return edges(*(numeric(shape.get(name, ""), where) for name in names))


_READ: Mapping[str, tuple[tuple[str, ...], Callable[[float, float, float, float], Edges]]] = {
    "box": (("xtl", "ytl", "xbr", "ybr"), lambda *edges: edges),
    "mask": (("left", "top", "width", "height"), lambda x, y, w, h: (x, y, x + w, y + h)),
    "ellipse": (("cx", "cy", "rx", "ry"), lambda x, y, a, b: (x - a, y - b, x + a, y + b)),
}
