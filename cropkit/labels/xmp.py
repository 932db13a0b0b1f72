"""Crops and regions in XMP sidecars: Camera Raw's and Lightroom's crop, and IPTC's image regions.

Camera Raw: Adobe, "XMP Specification Part 2", 3.5 (``crs:CropLeft``, ``CropTop``, ``CropRight``,
``CropBottom``, ``CropAngle``, ``HasCrop``): fractions of the stored picture, before its
orientation. IPTC: "Photo Metadata Standard 2025.1", ImageRegion and its RegionBoundary:
``rbX``, ``rbY``, ``rbW``, ``rbH`` in fractions or pixels.
"""

from collections.abc import Iterator
from functools import partial
from xml.etree.ElementTree import Element

from cropkit.errors import BadSuggestion
from cropkit.labels.documents import without_raising
from cropkit.labels.label import Edges, Label, Labels, numeric
from cropkit.suggest.convention import Units, xyxy

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DESCRIPTION = f"{_RDF}Description"
_CRS = "{http://ns.adobe.com/camera-raw-settings/1.0/}"
_IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_ROOTS = ("{adobe:ns:meta/}xmpmeta", f"{_RDF}RDF")
_CROP = tuple(f"{_CRS}Crop{edge}" for edge in ("Left", "Top", "Right", "Bottom"))
_BOUNDARY = tuple(f"{_IPTC}rb{side}" for side in ("X", "Y", "W", "H"))


def is_meant(root: Element) -> bool:
    """Whether an XML document is a packet of XMP."""
    return root.tag in _ROOTS


def read(root: Element, where: str, image: str) -> Labels:
    """Yield the crop, and each region that is a rectangle."""
    yield from without_raising(partial(_crops, image=image), root, where)
    boundaries = root.iter(f"{_IPTC}RegionBoundary")
    for place, boundary in enumerate(boundaries, 1):
        here = f"{where}: region {place}"
        yield from without_raising(partial(_region, image=image), boundary, here)


def _crops(root: Element, where: str, *, image: str) -> Labels:
    properties = dict(_of_picture(root))
    if all(name in properties for name in _CROP) and _has_crop(properties):
        yield _label(where, image, _crop(properties, where), "normalized", "crop")


def _label(where: str, image: str, edges: Edges, units: Units, category: str) -> Label:
    return Label(where, image, edges, units, None, "stored", category=category, by_stem=True)


def _has_crop(properties: dict[str, str]) -> bool:
    return properties.get(f"{_CRS}HasCrop", "True").strip().casefold() == "true"


def _crop(properties: dict[str, str], where: str) -> Edges:
    angle = numeric(properties.get(f"{_CRS}CropAngle", "0"), where)
    if angle:
        raise BadSuggestion(where, f"is a crop that is rotated by {angle:g} degrees")
    left, top, right, bottom = (numeric(properties[name], where) for name in _CROP)
    return left, top, right, bottom


def _region(element: Element, where: str, *, image: str) -> Labels:
    boundary = dict(_properties(element))
    shape = boundary.get(f"{_IPTC}rbShape", "rectangle")
    if shape != "rectangle":
        raise BadSuggestion(where, f"is a {shape[:40]}, not a rectangle")
    x, y, width, height = (numeric(boundary.get(name, ""), where) for name in _BOUNDARY)
    in_pixels = boundary.get(f"{_IPTC}rbUnit") == "pixel"
    edges = xyxy("xywh", (x, y, width, height))
    yield _label(where, image, edges, "pixels" if in_pixels else "normalized", "region")


def _of_picture(root: Element) -> Iterator[tuple[str, str]]:
    """Yield the picture's own properties: those of a snapshot or a look are further down."""
    rdf = root.find(_ROOTS[1]) if root.tag == _ROOTS[0] else root
    for description in () if rdf is None else rdf.iterfind(_DESCRIPTION):
        yield from description.items()
        yield from ((each.tag, each.text or "") for each in description if not len(each))


def _properties(element: Element) -> Iterator[tuple[str, str]]:
    """Yield properties, written as attributes or as elements of text."""
    for each in element.iter():
        yield from each.items()
        if each.text and not len(each):
            yield each.tag, each.text
