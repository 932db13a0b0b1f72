"""Regions of the IIIF Image API, as rows or as Web Annotations.

Formats: "IIIF Image API 3.0", 4.1 (``full``, ``square``, ``x,y,w,h``, ``pct:x,y,w,h``); W3C "Web
Annotation Data Model", 4.2.1, with "Media Fragments URI 1.0", 4.2.2 (``xywh=``, ``pixel:``,
``percent:``), which IIIF's Presentation API uses; its ``ImageApiSelector``. What is annotated is
named by the end of its address, but for the parts that the Image API adds.
"""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from cropkit.errors import BadSuggestion
from cropkit.labels.documents import each_object
from cropkit.labels.label import Edges, Label, Labels, numeric
from cropkit.suggest.convention import Units, xyxy
from cropkit.suggest.numbers import excerpt

_REGION = r"full|square|(?:pct:)?[\d.eE+-]+(?:,[\d.eE+-]+){3}"
_SERVED = re.compile(rf"/(?:{_REGION})/[^/]+/[^/]+/[^/]+\Z")  # region, size, rotation, quality
_FRAGMENT = re.compile(r"(?:\A|[#&?])xywh=(pixel:|percent:|pct:)?([^&]*)")


def is_meant(document: object) -> bool:
    """Whether a document is a Web Annotation, a page or a list of them."""
    first = document[0] if isinstance(document, list) and document else document
    kinds = ("Annotation", "AnnotationPage", "AnnotationCollection")
    return isinstance(first, dict) and first.get("type") in kinds


def read(document: Any, where: str) -> Labels:  # noqa: ANN401  (JSON's)
    """Yield a box for each annotation of a part of an image."""
    entries = document if isinstance(document, list) else document.get("items", [document])
    yield from each_object(entries, where, _annotation)


def region_edges(region: str, where: str) -> tuple[Edges, Units]:
    """Return left, top, right, bottom of a region, and what they are in.

    Raises
    ------
    BadSuggestion
        As `region_label`.
    """
    text = region.strip()
    if text == "full":
        return (0.0, 0.0, 1.0, 1.0), "normalized"
    in_percent = text.startswith(("pct:", "percent:"))
    numbers = text.partition(":")[2] if ":" in text else text
    parts = numbers.split(",")
    if len(parts) != 4:  # noqa: PLR2004  (two for each side)
        raise BadSuggestion(where, f"{excerpt(region)} is no region: x,y,w,h or pct:x,y,w,h")
    x, y, width, height = (numeric(part.strip(), where) for part in parts)
    edges = xyxy("xywh", (x, y, width, height))
    return edges, "percent" if in_percent else "pixels"


def image_of(address: str) -> str:
    """Return the path of what an address names: the identifier of the Image API, decoded."""
    parts = urlsplit(_SERVED.sub("", address.partition("#")[0]))
    path = unquote(parts.path).removesuffix("/info.json")
    return f"?/{path.lstrip('/')}" if parts.scheme else path


def _annotation(entry: dict[str, Any], where: str) -> Labels:
    address, region = _target(entry.get("target"), where)
    edges, units = region_edges(region, where)
    yield Label(where, image_of(address), edges, units)


def _target(target: object, where: str) -> tuple[str, str]:
    """Return an address and a region of an annotation's target."""
    first = target[0] if isinstance(target, list) and len(target) == 1 else target
    if isinstance(first, str):
        return first, _fragment(first, where)
    if isinstance(first, dict):
        source, selector = first.get("source", first.get("id")), first.get("selector")
        source = source.get("id") if isinstance(source, dict) else source
        selector = selector[0] if isinstance(selector, list) and selector else selector
        if isinstance(source, str):
            return source, _selected(source, selector, where)
    raise BadSuggestion(where, f"has a target that names no part of an image: {excerpt(target)}")


def _selected(source: str, selector: object, where: str) -> str:
    if not isinstance(selector, dict):
        return _fragment(source, where)
    region = selector.get("region")
    return region if isinstance(region, str) else _fragment(str(selector.get("value")), where)


def _fragment(text: str, where: str) -> str:
    match = _FRAGMENT.search(text)
    if match:
        return ("pct:" if match[1] in ("percent:", "pct:") else "") + match[2]
    served = _SERVED.search(text)
    if served:
        return served[0].split("/")[1]
    raise BadSuggestion(where, f"names no part of an image: {excerpt(text)}")
