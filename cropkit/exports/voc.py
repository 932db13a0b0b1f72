"""An XML file for each image, as Pascal VOC has them and labelImg writes them.

Sources: Everingham and Winn, "The PASCAL VOC Challenge 2012 Development Kit", 8.1 and 11.1: pixels
are counted from 1 and the last one belongs to the box, so that `xmin` is left + 1 and `xmax` is
right of a half-open box; labelImg, `libs/pascal_voc_io.py`, for the elements and their order. XML
1.0, 2.2 (characters that there are) and 2.11 (ends of lines).
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from xml.sax.saxutils import escape

from cropkit.exports.files import mirrored, written_new
from cropkit.exports.registry import Writer
from cropkit.exports.rows import (
    LEADS_OUT,
    TAKEN,
    Decisions,
    Image,
    boxes,
    by_image,
    category,
    leave_out_image,
)
from cropkit.geometry import PixelBox
from cropkit.names import escaped

NOT_XML = "a character that XML cannot hold"
# XML 1.0, 2.2, Char: all but these
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KEPT = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}  # which a parser would write otherwise


def _write(folder: Path, rows: Decisions) -> None:
    for image in by_image(rows):
        name = mirrored(image.path, ".xml")
        if name is None:
            leave_out_image(rows, image, LEADS_OUT)
        elif any(map(_NO_CHARACTER.search, _texts(image))):
            leave_out_image(rows, image, NOT_XML)
        elif not written_new(folder / name, "".join(_lines(image, rows.place.root))):
            leave_out_image(rows, image, TAKEN)


def _texts(image: Image) -> Iterator[str]:
    yield escaped(image.path)
    for decision, _ in boxes(image):
        yield escaped(category(decision))


def _lines(image: Image, root: Path) -> Iterator[str]:
    path = PurePosixPath(image.path)
    above = str(path.parent) if path.parent.parts else root.name
    yield "<annotation>\n"
    yield f"  <folder>{_text(above)}</folder>\n"
    yield f"  <filename>{_text(path.name)}</filename>\n"
    yield "  <source><database>cropkit</database></source>\n"
    width, height = image.size.width, image.size.height
    yield f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>\n"
    yield "  <segmented>0</segmented>\n"
    for decision, box in boxes(image):
        yield from _object(category(decision), box)
    yield "</annotation>\n"


def _object(name: str, box: PixelBox) -> Iterator[str]:
    yield f"  <object>\n    <name>{_text(name)}</name>\n    <pose>Unspecified</pose>\n"
    yield "    <truncated>0</truncated>\n    <difficult>0</difficult>\n    <bndbox>"
    yield f"<xmin>{box.left + 1}</xmin><ymin>{box.top + 1}</ymin>"
    yield f"<xmax>{box.right}</xmax><ymax>{box.bottom}</ymax></bndbox>\n  </object>\n"


def _text(text: str) -> str:
    return escape(escaped(text), _KEPT)


WRITER = Writer(_write)
