"""Readers of what is exported, by the specifications of the formats and nothing of ours."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from cropkit.names import unescaped

Named = set[tuple[str, str, tuple[int, ...]]]


def voc_boxes(out: Path) -> Named:
    """Read the boxes as half-open ones, by the rule of the development kit."""
    named: Named = set()
    for file in sorted(out.rglob("*.xml")):
        root = ET.parse(file).getroot()  # noqa: S314  (we wrote it)
        path = file.relative_to(out).parent / unescaped(root.findtext("filename") or "")
        for each in root.iter("object"):
            corners = (int(each.findtext(f"bndbox/{n}") or "") for n in ("xmin", "ymin", "xmax"))
            left, top, right = corners
            bottom = int(each.findtext("bndbox/ymax") or "")
            named.add((str(path), each.findtext("name") or "", (left - 1, top - 1, right, bottom)))
    return named


def pixels(region: dict[str, Any]) -> tuple[str, tuple[int, ...]]:
    """Return a region's label, and its box in pixels, as the converter of Label Studio does."""
    value = region["value"]
    (label,) = value["rectanglelabels"]
    x, y = value["x"] / 100, value["y"] / 100
    right, bottom = x + value["width"] / 100, y + value["height"] / 100
    width, height = region["original_width"], region["original_height"]
    edges = (x * width, y * height, right * width, bottom * height)
    return label, tuple(map(round, edges))
