"""Pascal VOC: an XML file for each image, with boxes in pixels that are counted from 1.

Format: Everingham and Winn, "The PASCAL VOC2012 Development Kit", on annotations: the top left
pixel is (1, 1), ``xmin`` and ``ymin`` are the first column and row inside, ``xmax`` and ``ymax``
the last ones.
"""

from functools import partial
from xml.etree.ElementTree import Element

from cropkit.errors import BadSuggestion
from cropkit.geometry import Size
from cropkit.labels.documents import without_raising
from cropkit.labels.label import Label, Labels, numeric, stated_size, sure, text

_EDGES = ("xmin", "ymin", "xmax", "ymax")


def is_meant(root: Element) -> bool:
    """Whether an XML document is an image's annotation."""
    return root.tag == "annotation"


def read(root: Element, where: str) -> Labels:
    """Yield the boxes of its objects."""
    yield from without_raising(_image, root, where)


def _image(root: Element, where: str) -> Labels:
    name = _text(root, "filename")
    if not name:
        raise BadSuggestion(where, "names no image (filename)")
    size = stated_size(_text(root, "size/width"), _text(root, "size/height"), where)
    read_one = partial(_object, image=_path(_text(root, "folder"), name), size=size)
    for place, each in enumerate(root.iterfind("object"), 1):
        yield from without_raising(read_one, each, f"{where}: object {place}")


def _object(each: Element, where: str, *, image: str, size: Size | None) -> Labels:
    left, top, right, bottom = (numeric(_text(each, f"bndbox/{edge}"), where) for edge in _EDGES)
    confidence, category = each.findtext("confidence"), text(each.findtext("name"))
    edges = (left - 1, top - 1, right, bottom)
    yield Label(
        where, image, edges, size=size, confidence=sure(confidence, where), category=category
    )


def _path(folder: str, name: str) -> str:
    """Return an image's path; its folder is one of another machine, mostly."""
    is_path = not folder or "/" in name or "\\" in name
    return name if is_path else f"?/{folder}/{name}"


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
