"""What becomes of each APPn and COM segment of a JPEG when it is cropped."""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cropkit.errors import GainMap, MultiPage, Provenance
from cropkit.formats.account import Account
from cropkit.formats.jpeg.segments import (
    APP0,
    APP1,
    APP2,
    APP11,
    APP13,
    APP14,
    COM,
    Jpeg,
    Segment,
)
from cropkit.formats.metadata import exif, photoshop, xmp
from cropkit.formats.metadata.crop_change import SHOWS_MORE, Change
from cropkit.formats.metadata.embedded_pictures import holds_picture

EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
ICC = b"ICC_PROFILE\0"
_MPF = b"MPF\0"
_GAIN_MAP_ISO = b"urn:iso:std:iso:ts:21496:-1"
_GAIN_MAPS = (b"hdrgm:Version", b"hdrgainmap", _GAIN_MAP_ISO)
_FLIR = b"FLIR\0"
GAIN_MAP = "gain-map"  # of `Options.drop`: every second picture in the file
_OF_THE_SCENE = "it is a second picture of the whole scene"
_OF_A_PICTURE = "it describes a second picture, which is dropped"
ADOBE_TRANSFORM = 11


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit may look at.

    Parameters
    ----------
    adobe_transform : the transform of colour that the pixels have now, None for the old one
    drop : items that the person gave up, of `options.DROPPABLE`
    """

    change: Change
    account: Account
    name: str
    adobe_transform: int | None = None
    drop: frozenset[str] = frozenset()

    @property
    def drops_pictures(self) -> bool:
        """Whether second pictures are to go."""
        return GAIN_MAP in self.drop


def orientation(jpeg: Jpeg) -> int:
    """Return the EXIF orientation, 1 when there is none."""
    blocks = (s.data[len(EXIF) :] for s in jpeg.metadata if _begins(s, APP1, EXIF))
    return exif.read_orientation(next(blocks, b""))


def profile(jpeg: Jpeg) -> bytes | None:
    """Return the colour profile, put together from its numbered parts (ICC.1, B.4)."""
    parts = sorted(s.data[12:] for s in jpeg.metadata if _begins(s, APP2, ICC))
    return b"".join(part[2:] for part in parts) or None


def refuse(jpeg: Jpeg, drop: frozenset[str] = frozenset()) -> None:
    """Refuse what a crop would falsify: second pictures of the whole scene, and signed content.

    Raises
    ------
    Provenance
    GainMap, MultiPage
        Unless they may be dropped.
    """
    signed = [s for s in jpeg.metadata if _is_jumbf(s) and b"c2pa" in s.data]
    if signed:
        raise Provenance(jpeg.name)
    if GAIN_MAP in drop:
        return
    for segment in jpeg.metadata:
        if _is_jumbf(segment):
            raise GainMap(jpeg.name, "JUMBF")
        if _begins(segment, APP1, _FLIR):
            raise GainMap(jpeg.name, "a thermal picture")
        if _begins(segment, APP1, _XMP_MORE):
            xmp.refuse_pictures(segment.data, jpeg.name)
    pages = max((_mpf_images(s.data) for s in jpeg.metadata if _begins(s, APP2, _MPF)), default=1)
    if pages > 1 or holds_picture(jpeg.trailer):
        raise _second_picture(jpeg, max(pages, 2))


def trailer(jpeg: Jpeg, edit: Edit) -> bytes:
    """Return what follows the end of the image in the cropped file, and account for it."""
    item = f"{len(jpeg.trailer)} bytes after the end"
    if edit.drops_pictures and holds_picture(jpeg.trailer):
        edit.account.drop(item, _OF_THE_SCENE)
        return b""
    if jpeg.trailer:
        edit.account.keep(item)
    return jpeg.trailer


def edited(jpeg: Jpeg, edit: Edit) -> Iterator[Segment]:
    """Yield the segments of the cropped file, in the order of the original."""
    pictured = edit.drops_pictures and any(
        _begins(s, APP1, _XMP_MORE) and xmp.holds_picture(s.data) for s in jpeg.metadata
    )
    for segment in jpeg.metadata:
        if pictured and _begins(segment, APP1, _XMP_MORE):  # it is one packet in several parts
            edit.account.drop(label(segment), _OF_THE_SCENE)
            continue
        after = _edited(segment, edit)
        if after is not None:
            yield after


def label(segment: Segment) -> str:
    """Return what a segment is called in an account."""
    if segment.marker == COM:
        return "COM"
    for marker, prefix, item, _ in _RULES:
        if _begins(segment, marker, prefix):
            return item
    word = segment.data.split(b"\0", 1)[0][:32]
    text = word.decode("ascii", "replace") if word.isascii() and word.decode().isprintable() else ""
    return f"APP{segment.marker - APP0} {text}".rstrip()


def _begins(segment: Segment, marker: int, prefix: bytes) -> bool:
    return segment.marker == marker and segment.data.startswith(prefix)


def _is_jumbf(segment: Segment) -> bool:
    return _begins(segment, APP11, b"JP")


def _edited(segment: Segment, edit: Edit) -> Segment | None:
    if edit.drops_pictures and (_is_jumbf(segment) or _begins(segment, APP1, _FLIR)):
        edit.account.drop(label(segment), _OF_THE_SCENE)
        return None
    if edit.drops_pictures and _begins(segment, APP2, _GAIN_MAP_ISO):
        edit.account.drop("APP2 gain map", _OF_A_PICTURE)
        return None
    for marker, prefix, item, rule in _RULES:
        if rule and _begins(segment, marker, prefix):
            return rule(segment, edit, item)
    edit.account.keep(label(segment))
    return segment


def _second_picture(jpeg: Jpeg, pages: int) -> GainMap | MultiPage:
    metadata = jpeg.trailer + b"".join(s.data for s in jpeg.metadata if s.marker in (APP1, APP2))
    is_gain_map = any(word in metadata for word in _GAIN_MAPS)
    return GainMap(jpeg.name, "gain map") if is_gain_map else MultiPage(jpeg.name, pages)


def _mpf_images(data: bytes) -> int:
    """Return how many images a multi-picture index lists (CIPA DC-007, tag B001)."""
    order = "<" if data[4:6] == b"II" else ">"
    entry = data.find(struct.pack(f"{order}HHI", 0xB001, 4, 1))
    count = data[entry + 8 : entry + 12] if entry >= 0 else b""
    return int(struct.unpack(f"{order}I", count)[0]) if len(count) == 4 else 2  # noqa: PLR2004  (bytes of a long)


def _edit_exif(segment: Segment, edit: Edit, item: str) -> Segment:
    block = exif.patched(segment.data[len(EXIF) :], edit.change, edit.account, item)
    return Segment(segment.marker, EXIF + block)


def _edit_xmp(segment: Segment, edit: Edit, item: str) -> Segment:
    packet = segment.data[len(XMP) :]
    if edit.drops_pictures:
        packet = xmp.without_pictures(packet, edit.account, item)
    after = xmp.restated(packet, edit.change, edit.account, item, edit.name)
    unchanged = XMP + after == segment.data
    (edit.account.keep if unchanged else edit.account.patch)(item)
    return Segment(segment.marker, XMP + after)


def _edit_photoshop(segment: Segment, edit: Edit, item: str) -> Segment:
    resources = photoshop.patched(segment.data[len(_PHOTOSHOP) :], edit.account, item)
    return Segment(segment.marker, _PHOTOSHOP + resources)


def _edit_adobe(segment: Segment, edit: Edit, item: str) -> Segment:
    """Say which transform of colour the pixels have now, where it had to change."""
    transform, data = edit.adobe_transform, segment.data
    if transform is None or data[ADOBE_TRANSFORM : ADOBE_TRANSFORM + 1] in (
        b"",
        bytes([transform]),
    ):
        edit.account.keep(item)
        return segment
    edit.account.patch(item)
    after = data[:ADOBE_TRANSFORM] + bytes([transform]) + data[ADOBE_TRANSFORM + 1 :]
    return Segment(segment.marker, after)


def _edit_jfif(segment: Segment, edit: Edit, item: str) -> Segment:
    """Cut the thumbnail that a JFIF header may end with: its size stands at bytes 12 and 13."""
    if not any(segment.data[12:14]):
        edit.account.keep(item)
        return segment
    edit.account.drop("JFIF thumbnail", SHOWS_MORE)
    edit.account.patch(item)
    return Segment(segment.marker, segment.data[:12] + b"\0\0")


def _drop_jfxx(_segment: Segment, edit: Edit, _said: str) -> None:
    edit.account.drop("JFXX thumbnail", SHOWS_MORE)


def _drop_mpf(segment: Segment, edit: Edit, _said: str) -> None:
    alone = _mpf_images(segment.data) < 2  # noqa: PLR2004  (the image itself, and a second one)
    lists = "lists no second image" if alone else "the images that it lists are dropped"
    edit.account.drop("MPF index", f"it holds byte lengths of the old file, and {lists}")


_Rule = Callable[[Segment, Edit, str], Segment | None]
# (marker, first bytes, what it is called, what is done; None: carried byte for byte)
_RULES: tuple[tuple[int, bytes, str, _Rule | None], ...] = (
    (APP0, b"JFIF\0", "APP0 JFIF", _edit_jfif),
    (APP0, b"JFXX\0", "APP0 JFXX", _drop_jfxx),
    (APP1, EXIF, "APP1 Exif", _edit_exif),
    (APP1, XMP, "APP1 XMP", _edit_xmp),
    (APP1, _XMP_MORE, "APP1 extended XMP", None),
    (APP2, ICC, "APP2 ICC profile", None),
    (APP2, _MPF, "APP2 MPF", _drop_mpf),
    (APP13, _PHOTOSHOP, "APP13 Photoshop", _edit_photoshop),
    (APP14, b"Adobe", "APP14 Adobe", _edit_adobe),
)
MARKERS: Mapping[str, int] = {item: marker for marker, _, item, _ in _RULES}
