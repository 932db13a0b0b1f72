"""Sidecars with the crop that Lightroom and Camera Raw read, in folders as the collection's.

Sources: Adobe, "XMP Specification Part 2: Additional Properties", 3.4 "Camera Raw namespace"
(`crs:HasCrop`, `crs:CropTop`, `crs:CropLeft`, `crs:CropBottom`, `crs:CropRight`, `crs:CropAngle`);
"Part 1", 7.3.2 for the packet. It does not say in which frame: the fractions are of the image as it
is stored, before its orientation. So does darktable read what Lightroom writes: `develop/
lightroom.c` turns them by `tiff:Orientation`, with `tiff:ImageWidth` and `tiff:ImageLength` before.
"""

import hashlib
from pathlib import Path

from cropkit.errors import CropkitError
from cropkit.exports.files import mirrored, written_new
from cropkit.exports.iiif import decimal
from cropkit.exports.registry import Writer
from cropkit.exports.rows import (
    LEADS_OUT,
    TAKEN,
    Decisions,
    Image,
    boxes,
    by_image,
    leave_out_image,
)
from cropkit.formats.account import Header
from cropkit.formats.copy_options import CopyOptions, Format
from cropkit.formats.headers import Headers
from cropkit.geometry import NO_TURN, PixelBox, Turn
from cropkit.records import Decision
from cropkit.system.files import Root

CHANGED = "its image is not there, or not as it was decided"
SEVERAL = "its image has several crops, of which --slot names one"
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    tiff:ImageWidth="{width}"
    tiff:ImageLength="{height}"
    tiff:Orientation="{orientation}"
    crs:HasCrop="True"
    crs:CropTop="{top}"
    crs:CropLeft="{left}"
    crs:CropBottom="{bottom}"
    crs:CropRight="{right}"
    crs:CropAngle="0"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def _write(folder: Path, rows: Decisions) -> None:
    root, headers = Root(rows.place.root), Headers(how=CopyOptions(format=Format.PNG))
    for image in by_image(rows, boxed=True):
        written = _why_not(image) or _sidecar(folder, image, root, headers)
        if written:
            leave_out_image(rows, image, written)


def _why_not(image: Image) -> str:
    if mirrored(image.path, ".xmp") is None:
        return LEADS_OUT
    return SEVERAL if len(image.rows) > 1 else ""


def _sidecar(folder: Path, image: Image, root: Root, headers: Headers) -> str:
    """Write the sidecar of an image, or say why there can be none."""
    for decision, box in boxes(image):
        header = _header(decision, root, headers)
        name = mirrored(image.path, ".xmp")
        if header is None or name is None:
            return CHANGED
        if not written_new(folder / name, packet(header, box, decision.turn)):
            return TAKEN
    return ""


def _header(decision: Decision, root: Root, headers: Headers) -> Header | None:
    """Read the header of an image that is as it was decided, which tells how it is stored."""
    try:
        data = root.read(decision.path).data
        if hashlib.sha256(data).hexdigest() != decision.sha256:
            return None
        header = headers.read(data, decision.path)
    except CropkitError:
        return None
    return header if header.size == decision.size else None


def packet(header: Header, box: PixelBox, turn: Turn = NO_TURN) -> str:
    """Return what a sidecar holds; a turn is one of the whole image, in its orientation."""
    stored = header.size.oriented(header.orientation)
    shares = box.stored(header.size, header.orientation).normalized(stored).xyxy
    left, top, right, bottom = map(decimal, shares)
    return _PACKET.format(
        width=stored.width,
        height=stored.height,
        orientation=header.through(turn).orientation,
        left=left,
        top=top,
        right=right,
        bottom=bottom,
    )


WRITER = Writer(_write)
