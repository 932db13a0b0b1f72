"""Regions of images as IIIF's Image API asks for them: a row for each decision, CSV or JSON Lines.

Source: IIIF Image API 3.0, 4.1 "Region" (`x,y,w,h` in pixels of the whole image, `pct:x,y,w,h` in
percent of it), 4 "Image Requests" (the order of a request's parts) and 9 "URI Encoding and
Decoding" (a slash in an identifier is quoted, too). The image that a server shows is the upright
one, as it has to be for the boxes to be right.
"""

import csv
import os
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import quote

from cropkit.exports.files import as_json
from cropkit.exports.registry import Writer
from cropkit.exports.rows import Boxed, Decisions, Image, boxes, by_image, category
from cropkit.geometry import PixelBox, Size
from cropkit.names import all_escaped

FIELDS = ("path", "label", "width", "height", "identifier", "region", "region_pct", "url")
_REST = "max/{}/default.jpg"  # largest size, rotation
# Of a turn: 4.3 "Rotation" mirrors, and turns clockwise then; our words turn, and mirror then.
_ROTATIONS = {
    "": "0",
    "90": "90",
    "180": "180",
    "270": "270",
    "horizontal": "!0",
    "vertical": "!180",
    "90 horizontal": "!270",
    "270 horizontal": "!90",
}


def _write(file: IO[str], rows: Decisions) -> None:
    if rows.place.out.suffix.lower() == ".csv":
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(all_escaped, _each(rows)))
    else:
        file.writelines(as_json(row) + "\n" for row in _each(rows))


def _each(rows: Decisions) -> Iterator[dict[str, Any]]:
    prefix = rows.place.options.image_prefix or ""
    for image in by_image(rows, boxed=True):
        for boxed in boxes(image):
            yield _row(image, boxed, prefix)


def _row(image: Image, boxed: Boxed, prefix: str) -> dict[str, Any]:
    identifier = quote(os.fsencode(image.path), safe="")
    region = ",".join(map(str, _xywh(boxed.box)))
    values = (image.path, category(boxed.decision), image.size.width, image.size.height)
    rest = _REST.format(_ROTATIONS[boxed.decision.turn.text])
    url = f"{prefix}{identifier}/{region}/{rest}"
    regions = (identifier, region, in_percent(boxed.box, image.size), url)
    return dict(zip(FIELDS, (*values, *regions), strict=True))


def _xywh(box: PixelBox) -> tuple[int, int, int, int]:
    return box.left, box.top, box.size.width, box.size.height


def in_percent(box: PixelBox, size: Size) -> str:
    """Return a box in percent, without an exponent, as its region is written."""
    sides = (size.width, size.height) * 2
    shares = (100 * edge / side for edge, side in zip(_xywh(box), sides, strict=True))
    return "pct:" + ",".join(map(decimal, shares))


def decimal(number: float) -> str:
    """Return a number with at most ten digits after its point, and none that say nothing."""
    return f"{number:.10f}".rstrip("0").rstrip(".")


WRITER = Writer(_write, (".csv", ".jsonl"), takes=frozenset(("verdicts", "slot", "image_prefix")))
