"""Replies of vision services, kept as they came, one JSON file an image.

Google Cloud Vision (``AnnotateImageResponse``: crop hints, objects, faces), Azure AI Vision 4.0
(``smartCropsResult``, ``objectsResult``, ``peopleResult``) and 3.2 (``objects``, ``brands``,
``faces``, ``areaOfInterest``), Amazon Rekognition (``DetectLabels``, ``DetectFaces``,
``DetectCustomLabels``; fractions of the image after its EXIF orientation, as its ``BoundingBox``
says).
A reply does not name its image: the file has the image's name, with or without its suffix.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cropkit.errors import BadSuggestion
from cropkit.geometry import Size
from cropkit.labels.documents import each_object, without_raising
from cropkit.labels.label import Edges, Label, Labels, numeric, stated_size, sure, text
from cropkit.suggest.convention import Units, xyxy
from cropkit.suggest.numbers import excerpt

Entry = dict[str, Any]
Box = tuple[Edges, Units]

_AZURE = ("smartCropsResult", "objectsResult", "peopleResult")
_GOOGLE = ("cropHintsAnnotation", "localizedObjectAnnotations", "faceAnnotations")
_AZURE_3 = {"objects": "rectangle", "brands": "rectangle", "faces": "faceRectangle"}
_AREA = "areaOfInterest"
_AMAZON = ("Labels", "FaceDetails", "CustomLabels")
_CERTAIN = 100  # what Rekognition calls certain


def is_google(document: object) -> bool:
    """Whether a document is a reply of Google Cloud Vision."""
    if not isinstance(document, dict):
        return False
    replies = document.get("responses")
    first = replies[0] if isinstance(replies, list) and replies else document
    return isinstance(first, dict) and any(name in first for name in _GOOGLE)


def is_azure(document: object) -> bool:
    """Whether a document is a reply of Azure AI Vision."""
    if not isinstance(document, dict):
        return False
    return any(name in document for name in _AZURE) or _is_azure_3(document)


def _is_azure_3(document: Entry) -> bool:
    """Whether one list of it has entries as version 3.2 has them: others have `objects`, too."""
    area = document.get(_AREA)
    firsts = {name: document.get(name) for name in _AZURE_3}
    return (isinstance(area, dict) and "w" in area) or any(
        isinstance(each, list) and each and isinstance(each[0], dict) and _AZURE_3[name] in each[0]
        for name, each in firsts.items()
    )


def is_rekognition(document: object) -> bool:
    """Whether a document is a reply of Amazon Rekognition."""
    return isinstance(document, dict) and any(
        isinstance(document.get(name), list) for name in _AMAZON
    )


def read_google(document: Entry, where: str, image: str) -> Labels:
    """Yield crop hints, objects and faces."""
    replies = document.get("responses", [document])
    if isinstance(replies, list) and len(replies) > 1:
        yield BadSuggestion(where, f"holds the replies for {len(replies)} images, and names none")
        return
    yield from each_object(replies, where, partial(_google, image=image))


def _google(reply: Entry, where: str, *, image: str) -> Labels:
    hints = reply.get("cropHintsAnnotation")
    meaning = _Meaning(image, _in_polygon)
    yield from _each(hints, "cropHints", where, meaning)
    objects = replace(meaning, score="score", category="name")
    yield from _each(reply, "localizedObjectAnnotations", where, objects)
    faces = replace(meaning, score="detectionConfidence")
    yield from _each(reply, "faceAnnotations", where, faces)


def read_azure(document: Entry, where: str, image: str) -> Labels:
    """Yield smart crops, objects and people."""
    yield from without_raising(partial(_azure, image=image), document, where)


def _azure(document: Entry, where: str, *, image: str) -> Labels:
    metadata = document.get("metadata")
    stated = metadata if isinstance(metadata, dict) else {}
    size = stated_size(stated.get("width"), stated.get("height"), where)
    meaning = _Meaning(image, _in_azure, size)
    meanings = (
        replace(meaning, category="aspectRatio"),
        replace(meaning, score="tags", category="tags"),
        meaning,
    )
    for name, each in zip(_AZURE, meanings, strict=True):
        yield from _each(document.get(name), "values", f"{where}.{name}", each)
    if not any(name in document for name in _AZURE):
        yield from _azure_3(document, where, meaning)


def _azure_3(document: Entry, where: str, meaning: "_Meaning") -> Labels:
    if _AREA in document:
        area = {"boundingBox": document[_AREA]}
        yield from _each({_AREA: [area]}, _AREA, where, meaning)
    for name, called in (("objects", "object"), ("brands", "name"), ("faces", "")):
        read = partial(_in_azure_3, called=_AZURE_3[name])
        yield from _each(document, name, where, replace(meaning, box=read, category=called))


def read_rekognition(document: Entry, where: str, image: str) -> Labels:
    """Yield the instances of labels, and faces."""
    meaning = _Meaning(image, _in_fractions, score="Confidence", certain=_CERTAIN)
    yield from _each(document, "FaceDetails", where, meaning)
    located = document.get("CustomLabels")
    custom = [each for each in located if _is_located(each)] if isinstance(located, list) else []
    geometry = replace(meaning, box=_in_geometry, category="Name")
    yield from _each({"CustomLabels": custom}, "CustomLabels", where, geometry)
    labels = document.get("Labels") or []
    yield from each_object(labels, f"{where}.Labels", partial(_instances, meaning=meaning))


def _is_located(label: object) -> bool:
    """Whether a custom label is somewhere; one without a geometry is of the whole image."""
    return not isinstance(label, dict) or label.get("Geometry") is not None


def _instances(label: Entry, where: str, *, meaning: "_Meaning") -> Labels:
    named = replace(meaning, called=text(label.get("Name")))
    yield from _each(label, "Instances", where, named)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What the entries of one list mean.

    Parameters
    ----------
    image : that they are of
    box : what reads an entry's box
    score, category : names under which an entry says them
    certain : the score of what is certain
    called : the category of all
    """

    image: str
    box: Callable[[Entry, str], Box]
    size: Size | None = None
    score: str = "confidence"
    category: str = ""
    certain: float = 1
    called: str = ""

    def label(self, entry: Entry, where: str) -> Labels:
        """Yield the label of one entry."""
        edges, units = self.box(entry, where)
        yield Label(
            where,
            self.image,
            edges,
            units,
            self.size,
            confidence=sure(_entry(entry, self.score, "confidence"), where, self.certain),
            category=text(_entry(entry, self.category, "name")) or self.called,
            by_stem=True,
        )


def _each(holder: object, name: str, where: str, meaning: _Meaning) -> Labels:
    values = holder.get(name) if isinstance(holder, dict) else None
    yield from each_object(values or [], f"{where}.{name}", meaning.label)


def _entry(entry: Entry, name: str, inside: str) -> object:
    """Return what an entry says under a name; of a list of tags, what its first one says."""
    value = entry.get(name)
    if isinstance(value, list):
        first = value[0] if value else None
        return first.get(inside) if isinstance(first, dict) else None
    return value


def _in_polygon(entry: Entry, where: str) -> Box:
    """Return the box around vertices; a coordinate that is not there is 0 (protocol buffers)."""
    polygon = entry.get("boundingPoly")
    vertices = polygon.get("vertices") if isinstance(polygon, dict) else None
    fractions = polygon.get("normalizedVertices") if isinstance(polygon, dict) else None
    corners = fractions or vertices
    xs, ys = zip(*_points(corners, where), strict=True)
    return (min(xs), min(ys), max(xs), max(ys)), "normalized" if fractions else "pixels"


def _points(corners: object, where: str) -> Iterator[tuple[float, float]]:
    if not isinstance(corners, list) or not corners:
        raise BadSuggestion(where, f"has no vertices: {excerpt(corners)}")
    for corner in corners:
        if not isinstance(corner, dict):
            raise BadSuggestion(where, f"{excerpt(corner)} is no vertex")
        yield numeric(corner.get("x", 0), where), numeric(corner.get("y", 0), where)


def _in_azure(entry: Entry, where: str) -> Box:
    return xyxy("xywh", _sides(entry.get("boundingBox"), ("x", "y", "w", "h"), where)), "pixels"


def _in_azure_3(entry: Entry, where: str, *, called: str) -> Box:
    box = entry.get(called)
    is_face = isinstance(box, dict) and "width" in box
    names = ("left", "top", "width", "height") if is_face else ("x", "y", "w", "h")
    return xyxy("xywh", _sides(box, names, where)), "pixels"


def _in_geometry(entry: Entry, where: str) -> Box:
    geometry = entry["Geometry"]
    if not isinstance(geometry, dict):
        raise BadSuggestion(where, f"has no box: {excerpt(geometry)}")
    return _in_fractions(geometry, where)


def _in_fractions(entry: Entry, where: str) -> Box:
    sides = _sides(entry.get("BoundingBox"), ("Left", "Top", "Width", "Height"), where)
    return xyxy("xywh", sides), "normalized"


def _sides(box: object, names: tuple[str, ...], where: str) -> Edges:
    if not isinstance(box, dict):
        raise BadSuggestion(where, f"has no box: {excerpt(box)}")
    x, y, width, height = (numeric(box.get(name), where) for name in names)
    return x, y, width, height
