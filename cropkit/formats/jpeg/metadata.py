"""What becomes of each APPn and COM segment of a JPEG when it is cropped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cropkit.errors import GainMap, Provenance
from cropkit.formats.account import Account
from cropkit.formats.jpeg import second_pictures, split, unknown
from cropkit.formats.jpeg.segments import (
    APP0,
    APP1,
    APP2,
    APP3,
    APP11,
    APP13,
    APP14,
    COM,
    Jpeg,
    Segment,
)
from cropkit.formats.jpeg.split import EXIF, PHOTOSHOP, XMP_MORE, Whole
from cropkit.formats.metadata import colour_profile, exif, inspection, photoshop, xmp
from cropkit.formats.metadata.crop_change import SHOWS_MORE, Change
from cropkit.formats.metadata.embedded_pictures import holds_picture
from cropkit.formats.options import GAIN_MAP, MOTION, PROVENANCE
from cropkit.records import SIGNED

XMP = b"http://ns.adobe.com/xap/1.0/\0"
ICC = b"ICC_PROFILE\0"
_FLIR, _META = b"FLIR\0", b"Meta\0\0"
_OF_THE_SCENE = "it is a second picture of the whole scene"
_OF_A_PICTURE = "it describes a second picture, which is dropped"
ADOBE_TRANSFORM = 11
_ADOBE_BYTES, _JFIF_BYTES = 12, 14


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit may look at.

    Parameters
    ----------
    adobe_transform : the transform of colour that the pixels have now, None for the old one
    drop : items that the person gave up, of `options.DROPPABLE`
    paired : whether the gain map behind the image is cropped with it
    pointers : the digests of extended packets, and what they are now, None where one is left out
    """

    change: Change
    account: Account
    name: str
    adobe_transform: int | None = None
    drop: frozenset[str] = frozenset()
    paired: bool = False
    pointers: Mapping[bytes, bytes | None] = field(default_factory=dict)

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


def refuse(
    jpeg: Jpeg, drop: frozenset[str] = frozenset(), *, paired: bool = False, signs: bool = False
) -> None:
    """Refuse what a crop would falsify: second pictures of the whole scene, and signed content.

    Raises
    ------
    Provenance
    GainMap, MultiPage
        Unless they may be dropped.
    """
    signed = _signed(jpeg.metadata)
    if signed and not (signs and not paired) and PROVENANCE not in drop:
        raise Provenance(jpeg.name)
    if colour_profile.hides(profile(jpeg) or b""):
        raise GainMap(jpeg.name, "in the colour profile")
    if GAIN_MAP in drop:
        return
    for segment in jpeg.metadata:
        if _is_jumbf(segment) and _box(segment) not in signed:
            raise GainMap(jpeg.name, "JUMBF")
        if _begins(segment, APP1, _FLIR):
            raise GainMap(jpeg.name, "a thermal picture")
        if _begins(segment, APP1, XMP_MORE):
            xmp.refuse_pictures(segment.data, jpeg.name)
    for whole in split.extended_xmp(jpeg.metadata).values():
        xmp.refuse_pictures(whole.data or b"", jpeg.name)
    if not paired:
        second_pictures.refuse(jpeg)


def tell_of_container(jpeg: Jpeg, account: Account) -> None:
    """Tell of what is not as it should be around the segments, and is so in the cropped file."""
    if jpeg.stray:
        account.drop(f"{jpeg.stray} bytes between segments", "they belong to none")
    if not jpeg.ended:
        account.patch("end of image: it was missing")


def trailer(jpeg: Jpeg, edit: Edit) -> bytes:
    """Return what follows the end of the image in the cropped file, and account for it."""
    item = f"{len(jpeg.trailer)} bytes after the end"
    if edit.drops_pictures and holds_picture(jpeg.trailer):
        edit.account.drop(item, _OF_THE_SCENE)
        return b""
    reason = inspection.unfit(jpeg.trailer)
    if reason:
        edit.account.drop(item, reason)
        return b""
    if jpeg.trailer:
        edit.account.keep(item)
    return jpeg.trailer


@dataclass(frozen=True, slots=True)
class _Packet:
    """What becomes of an extended packet: nothing where it has no segments any more."""

    account: Account
    digest: bytes | None = None
    segments: tuple[Segment, ...] = ()


def edited(jpeg: Jpeg, edit: Edit) -> Iterator[Segment]:
    """Yield the segments of the cropped file, in the order of the original."""
    segments = jpeg.metadata
    packets = split.extended_xmp(segments)
    extended = {digest: _edited_packet(w, segments, edit) for digest, w in packets.items()}
    edit = replace(edit, pointers={digest: after.digest for digest, after in extended.items()})
    first = {whole.places[0]: extended[digest] for digest, whole in packets.items()}
    wholes = {w.places[0]: w for w in (*split.exif(segments), *split.photoshop(segments))}
    signed = _signed(segments)
    unfit = unknown.unfit({n: s for n, s in enumerate(segments) if not _is_named(s)})
    for place, segment in enumerate(segments):
        if place in first:
            edit.account.add(first[place].account)
            yield from first[place].segments
        elif place in wholes:
            yield from _edited_whole(segments, wholes[place], edit)
        elif _is_jumbf(segment) and _box(segment) in signed:
            edit.account.drop("APP11 content credentials", SIGNED)
        elif place in unfit:
            edit.account.drop(label(segment), unfit[place])
        elif not _stands_in_parts(segment):
            yield from _edited(segment, edit)


def _edited_packet(whole: Whole, segments: Sequence[Segment], edit: Edit) -> _Packet:
    """Edit an extended packet, whose digest changes with it."""
    account, item = Account("jpeg"), "APP1 extended XMP"
    if whole.data is None or (edit.drops_pictures and xmp.holds_picture(whole.data)):
        account.drop(item, _OF_THE_SCENE if edit.drops_pictures else inspection.UNSEEN)
        return _Packet(account)
    after = xmp.restated(whole.data, edit.change, account, item, edit.name, extended=True)
    (account.keep if after == whole.data else account.patch)(item)
    digest, written = split.extended_segments(after)
    if after == whole.data:
        written = tuple(segments[place] for place in whole.places)
        digest = split.digest_of(written[0])
    return _Packet(account, digest if written else None, written)


def _edited_whole(segments: Sequence[Segment], whole: Whole, edit: Edit) -> Iterator[Segment]:
    """Edit what stands in several segments; where nothing changes, they stay as they were cut."""
    before = tuple(segments[place] for place in whole.places)
    data, item = whole.data or b"", label(before[0])
    if _begins(before[0], APP1, EXIF):
        block = exif.patched(data, edit.change, edit.account, item)
        yield from split.exif_segments(block, [len(segment.data) for segment in before])
    else:
        after = photoshop.patched(data, edit.change, edit.account, item, edit.name)
        yield from before if after == data else split.photoshop_segments(after)


def _stands_in_parts(segment: Segment) -> bool:
    return segment.marker in (APP1, APP13) and segment.data.startswith((EXIF, XMP_MORE, PHOTOSHOP))


def _is_named(segment: Segment) -> bool:
    """Whether a rule is there for it."""
    return any(_begins(segment, marker, prefix) for marker, prefix, _, _ in _RULES)


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


def _box(segment: Segment) -> bytes:
    """Return the number of the box that a segment of JUMBF is a part of (ISO 19566-5, D.2)."""
    return segment.data[2:4]


def _signed(segments: Sequence[Segment]) -> frozenset[bytes]:
    """Return the numbers of the boxes that hold content credentials."""
    return frozenset(_box(s) for s in segments if _is_jumbf(s) and b"c2pa" in s.data)


def _edited(segment: Segment, edit: Edit) -> Iterator[Segment]:
    """Yield a segment as it is afterwards, or nothing."""
    if edit.drops_pictures and (_is_jumbf(segment) or _begins(segment, APP1, _FLIR)):
        edit.account.drop(label(segment), _OF_THE_SCENE)
    elif edit.drops_pictures and _begins(segment, APP2, second_pictures.GAIN_MAP_ISO):
        edit.account.drop("APP2 gain map", _OF_A_PICTURE)
    else:
        rules = (r for r in _RULES if _begins(segment, r[0], r[1]))
        *_, item, rule = next(rules, (0, b"", label(segment), _edit_text))
        after = rule(segment, edit, item)
        if after is not None:
            yield after


def _edit_text(segment: Segment, edit: Edit, item: str) -> Segment:
    """Carry a segment that no rule names, without what a text spells out."""
    is_text = inspection.is_text(segment.data)
    after, reason = inspection.without_hidden(segment.data) if is_text else (segment.data, None)
    if reason:
        edit.account.drop(f"{item}: bytes that it spells out", reason)
    (edit.account.patch if reason else edit.account.keep)(item)
    return Segment(segment.marker, after)


def _carry(segment: Segment, edit: Edit, item: str) -> Segment:
    edit.account.keep(item)
    return segment


def _edit_meta(segment: Segment, edit: Edit, item: str) -> Segment:
    """Edit Kodak's own tags, which stand in a block as EXIF's do."""
    block = exif.patched(segment.data[len(_META) :], edit.change, edit.account, item)
    return Segment(segment.marker, _META + block)


def _edit_xmp(segment: Segment, edit: Edit, item: str) -> Segment | None:
    packet = segment.data[len(XMP) :]
    for digest, now in edit.pointers.items():
        packet = xmp.pointing_to(packet, digest, now)
    if edit.drops_pictures:
        packet = xmp.without_pictures(packet, edit.account, item)
    elif MOTION in edit.drop:
        packet = xmp.without_motion(packet, edit.account, item)
    after = xmp.restated(packet, edit.change, edit.account, item, edit.name)
    unchanged = XMP + after == segment.data
    (edit.account.keep if unchanged else edit.account.patch)(item)
    return Segment(segment.marker, XMP + after) if after else None


def _edit_adobe(segment: Segment, edit: Edit, item: str) -> Segment:
    """Say which transform of colour the pixels have now, where it had to change."""
    data = _cut_at(segment.data, _ADOBE_BYTES, edit, item)
    transform = data[ADOBE_TRANSFORM : ADOBE_TRANSFORM + 1]
    if edit.adobe_transform is not None and transform:
        data = data[:ADOBE_TRANSFORM] + bytes([edit.adobe_transform])
    (edit.account.keep if data == segment.data else edit.account.patch)(item)
    return Segment(segment.marker, data)


def _cut_at(data: bytes, length: int, edit: Edit, item: str) -> bytes:
    """Return what a header holds by its standard; what stands behind that is told."""
    if len(data) > length:
        edit.account.drop(f"{item}: {len(data) - length} bytes behind it", inspection.UNSEEN)
    return data[:length]


def _edit_jfif(segment: Segment, edit: Edit, item: str) -> Segment:
    """Cut the thumbnail that a JFIF header may end with: its size stands at bytes 12 and 13."""
    if any(segment.data[12:14]):
        edit.account.drop("JFIF thumbnail", SHOWS_MORE)
        after = segment.data[:12] + b"\0\0"
    else:
        after = _cut_at(segment.data, _JFIF_BYTES, edit, item)
    if edit.change.is_on_side:  # dots to a unit, each way
        after = after[:8] + after[10:12] + after[8:10] + after[12:]
    (edit.account.keep if after == segment.data else edit.account.patch)(item)
    return Segment(segment.marker, after)


def _drop_jfxx(_segment: Segment, edit: Edit, _said: str) -> None:
    edit.account.drop("JFXX thumbnail", SHOWS_MORE)


def _drop_mpf(segment: Segment, edit: Edit, item: str) -> Segment | None:
    if edit.paired:
        edit.account.patch(item)  # it is restated when both are there
        return segment
    alone = second_pictures.lists_one(segment.data)
    lists = "lists no second image" if alone else "the images that it lists are dropped"
    edit.account.drop("MPF index", f"it holds byte lengths of the old file, and {lists}")
    return None


_Rule = Callable[[Segment, Edit, str], Segment | None]
# (marker, first bytes, what it is called, what is done); those in parts are edited as a whole
_RULES: tuple[tuple[int, bytes, str, _Rule], ...] = (
    (APP0, b"JFIF\0", "APP0 JFIF", _edit_jfif),
    (APP0, b"JFXX\0", "APP0 JFXX", _drop_jfxx),
    (APP1, EXIF, "APP1 Exif", _carry),
    (APP1, XMP, "APP1 XMP", _edit_xmp),
    (APP1, XMP_MORE, "APP1 extended XMP", _carry),
    (APP2, ICC, "APP2 ICC profile", _carry),
    (APP2, second_pictures.MPF, "APP2 MPF", _drop_mpf),
    (APP3, _META, "APP3 Meta", _edit_meta),
    (APP13, PHOTOSHOP, "APP13 Photoshop", _carry),
    (APP14, b"Adobe", "APP14 Adobe", _edit_adobe),
)
MARKERS: Mapping[str, int] = {item: marker for marker, _, item, _ in _RULES}
