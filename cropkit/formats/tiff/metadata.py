"""What becomes of each tag of a TIFF when it is cropped."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from PIL import ExifTags, TiffTags

from cropkit.errors import GainMap, MultiPage, Provenance, UnsupportedFormat
from cropkit.formats.account import Account
from cropkit.formats.metadata import (
    colour_profile,
    embedded_pictures,
    inspection,
    iptc,
    photoshop,
    xmp,
)
from cropkit.formats.metadata.crop_change import OLD_FRAME, SHOWS_MORE, Change
from cropkit.formats.options import PROVENANCE
from cropkit.formats.tiff.directory import (
    ASCII,
    BYTE,
    DOUBLE,
    EXIF,
    GPS,
    INTEROPERABILITY,
    LONG,
    SUB_DIRECTORIES,
    SUB_IFDS,
    UNDEFINED,
    Directory,
    Entry,
    Form,
    Tiff,
    refuse_pointers,
)
from cropkit.records import SIGNED

ORIENTATION, DESCRIPTION, XMP, PHOTOSHOP, ICC, MAKER_NOTE = 274, 270, 700, 34377, 34675, 37500
_IPTC, _PRINT_IM, _GDAL, _IMAGEJ = 33723, 50341, 42112, (50838, 50839)
_SUBFILE_TYPE, _REDUCED = 254, 1
_PHOTOSHOP_LAYERS, _C2PA, DNG = 37724, 52545, 50706
_STACK = re.compile(rb"\AImageJ=.*?^images=(\d+)", re.DOTALL | re.MULTILINE)
# Sizes that microscopes' and tifffile's descriptions state, in text.
_SHAPE = re.compile(rb'("shape":\s*\[)([\d,\s]+)(\])')
# Statistics are of the whole image (GDAL's metadata, an item each).
_STATISTICS = re.compile(rb'<Item\b[^<>]*\bname="STATISTICS_[^<>]*>[^<]*</Item>\s*')
# ImageJ's metadata: shapes that were drawn onto the old frame.
_DRAWN = (b"roi ", b" ior", b"over", b"revo")
_OME_SIDE = re.compile(rb'(\bSize([XY])=")(\d{1,9})(")')
_EXIF_SIDES = (0xA002, 0xA003)
_SUBJECTS = (0x9214, 0xA214)
_POSITIONS = {286: (282, 0), 287: (283, 1)}  # with the resolution, and the axis, of each
_RESOLUTIONS, _PIXEL_SCALE = (282, 283), 33550
_RATIONAL, _LARGEST = 5, (1 << 32) - 1
_TIE_POINTS, _TRANSFORMATION, _RATIONAL_POLYNOMIALS = 33922, 34264, 50844
_IMAGEJ_HEADER = 256  # bytes that the kinds of its parts stand in
_BYTES = (BYTE, ASCII, 6, UNDEFINED)


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit may look at; `pixels` are the values of the tags that lay the pixels out.

    Parameters
    ----------
    inside : the tag that points to the directory which is edited, 0 for the first one
    """

    change: Change
    pixels: Mapping[int, tuple[int, ...]]
    form: Form
    root: Directory
    account: Account
    name: str
    inside: int = 0


def refuse(tiff: Tiff, name: str, drop: frozenset[str] = frozenset()) -> None:
    """Refuse what a crop would falsify: pages, stacks, layers, raw files, signed content.

    Raises
    ------
    MultiPage, GainMap, Provenance, UnsupportedFormat
    """
    others = (*tiff.pages, *tiff.children)
    if not all(_is_reduced(page, tiff.form) for page in others):
        raise MultiPage(name, 1 + len(others))
    tags = {e.tag for e in tiff.first.entries}
    if _C2PA in tags and PROVENANCE not in drop:
        raise Provenance(name)
    if _PHOTOSHOP_LAYERS in tags:
        raise GainMap(name, "Photoshop layers")
    if colour_profile.hides(_text(tiff.first, ICC)):
        raise GainMap(name, "in the colour profile")
    if DNG in tags:
        raise UnsupportedFormat(name, "DNG")
    stack = _STACK.search(_text(tiff.first, DESCRIPTION))
    if stack and int(stack[1]) > 1:
        raise MultiPage(name, int(stack[1]))
    for directory in tiff.first.walk():
        refuse_pointers(directory, name)


def orientation(tiff: Tiff) -> int:
    """Return the orientation, 1 when there is none that makes sense."""
    entry = tiff.first.first(ORIENTATION)
    values = entry.numbers(tiff.form).tolist() if entry else []
    return int(values[0]) if values and values[0] in range(1, 9) else 1


def edited(tiff: Tiff, edit: Edit) -> Directory:
    """Return the directory of the cropped file; offsets are still to be filled in."""
    for count, what in ((len(tiff.pages), "page"), (len(tiff.children), "SubIFD")):
        if count:
            edit.account.drop(f"{count} reduced {what}s", SHOWS_MORE)
    after = _edited(tiff.first, edit, _EDITS)
    missing = edit.pixels.keys() - {e.tag for e in after.entries}
    for tag in missing:
        edit.account.patch(f"{label(tag)}: added")
    added = (Entry(tag, LONG, b"").of_numbers(edit.form, edit.pixels[tag]) for tag in missing)
    entries = (*after.entries, *added)
    return replace(after, entries=tuple(sorted(entries, key=_tag)) if missing else entries)


def _tag(entry: Entry) -> int:
    return entry.tag


def _is_reduced(page: Directory, form: Form) -> bool:
    kind = page.first(_SUBFILE_TYPE)
    values = kind.numbers(form).tolist() if kind else []
    return values == [_REDUCED]


def _text(directory: Directory, tag: int) -> bytes:
    entry = directory.first(tag)
    return entry.data if entry else b""


def _edited(directory: Directory, edit: Edit, rules: "_Rules") -> Directory:
    entries = tuple(_one(e, directory, edit, rules) for e in directory.entries)
    below = {EXIF: _EXIF_EDITS}
    subs = {
        tag: _edited(sub, replace(edit, inside=tag), below.get(tag, {}))
        for tag, sub in directory.subs.items()
    }
    return Directory(directory.at, tuple(e for e in entries if e is not None), subs)


def _one(entry: Entry, directory: Directory, edit: Edit, rules: "_Rules") -> Entry | None:
    if entry.tag in edit.pixels and rules is _EDITS:
        return _restated(entry, edit, edit.pixels[entry.tag])
    if entry.tag in SUB_DIRECTORIES:
        return _pointer(entry, directory, edit)
    rule = rules.get(entry.tag, _looked_into)
    return rule(entry, edit)


def _pointer(entry: Entry, directory: Directory, edit: Edit) -> Entry | None:
    """Carry the pointer to a directory that was read; another one would point to nothing."""
    if entry.tag in directory.subs:
        return entry
    edit.account.drop(_label(entry, edit), "it points to a directory that was not read")
    return None


def _restated(entry: Entry, edit: Edit, values: tuple[int, ...]) -> Entry:
    return _told(entry, entry.of_numbers(edit.form, values), edit)


def label(tag: int, inside: int = 0) -> str:
    """Return what a tag is called in the directory that another tag points to."""
    if inside in _NAMES:
        return _NAMES[inside].get(tag, f"tag {tag}")
    known = str(TiffTags.lookup(tag).name)
    return known if known != "unknown" else ExifTags.TAGS.get(tag, f"tag {tag}")


_NAMES: Mapping[int, Mapping[int, str]] = {
    GPS: ExifTags.GPSTAGS,
    INTEROPERABILITY: {each.value: each.name for each in ExifTags.Interop},
}


def _label(entry: Entry, edit: Edit) -> str:
    return label(entry.tag, edit.inside)


def _looked_into(entry: Entry, edit: Edit, data: bytes | None = None) -> Entry | None:
    """Carry a tag that no rule names, or its `data` after an edit, but for what it may hide."""
    before, entry = entry, entry if data is None else entry.of_data(data)
    is_known = entry.tag in TiffTags.TAGS_V2 or entry.tag in ExifTags.TAGS
    if entry.tag == MAKER_NOTE and embedded_pictures.holds_tiff(entry.data):
        edit.account.drop(_label(entry, edit), SHOWS_MORE)
        return None
    is_text = inspection.is_text(entry.data)  # also in numbers, as IPTC's datasets are written
    has_form = is_known and entry.kind not in _BYTES and not is_text
    if entry.tag in (MAKER_NOTE, _PRINT_IM, ICC) or has_form:
        return _without_pictures(entry, edit)
    if is_text:
        text, reason = inspection.without_hidden(entry.data)
        if reason:
            edit.account.drop(f"{_label(entry, edit)}: bytes that it spells out", reason)
        if reason and not (text and entry.kind in _BYTES):
            return None
        return _told(before, entry.of_data(text) if reason else entry, edit)
    blanked = _blanked(entry, edit)
    reason = inspection.unfit(blanked)
    if reason:
        edit.account.drop(_label(entry, edit), reason)
        return None
    return _told(before, entry.of_data(blanked), edit)


def _without_pictures(entry: Entry, edit: Edit) -> Entry:
    """Carry a tag whose structure is known; pictures inside are blanked, so that nothing moves."""
    return _told(entry, entry.of_data(_blanked(entry, edit)), edit)


def _blanked(entry: Entry, edit: Edit) -> bytes:
    after = bytearray(entry.data)
    for span in embedded_pictures.pictures(entry.data):
        after[span.start : span.stop] = bytes(len(span))
        edit.account.drop(f"{_label(entry, edit)} preview", SHOWS_MORE)
    return bytes(after)


def _told(entry: Entry, after: Entry, edit: Edit) -> Entry:
    (edit.account.keep if after.data == entry.data else edit.account.patch)(_label(entry, edit))
    return after


def _edit_xmp(entry: Entry, edit: Edit) -> Entry | None:
    packet = xmp.patched(entry.data, edit.change, edit.account, "XMP", edit.name)
    return entry.of_data(packet) if packet else None


def _edit_iptc(entry: Entry, edit: Edit) -> Entry | None:
    if not iptc.begins(entry.data):
        return _looked_into(entry, edit)
    after = iptc.without_pictures(entry.data, edit.account, _label(entry, edit))
    return _told(entry, entry if after == entry.data else entry.of_data(after), edit)


def _edit_statistics(entry: Entry, edit: Edit) -> Entry | None:
    text = _STATISTICS.sub(b"", entry.data)
    if text != entry.data:
        edit.account.drop(f"{_label(entry, edit)} statistics", "they are of the whole image")
    return _looked_into(entry, edit, text)


def _edit_imagej(entry: Entry, edit: Edit) -> Entry | None:
    """Leave out what was drawn onto the old frame, with the table of how long its parts are."""
    parts = edit.root.first(_IMAGEJ[1])
    if parts is None or any(kind in parts.data[:_IMAGEJ_HEADER] for kind in _DRAWN):
        edit.account.drop(_label(entry, edit), OLD_FRAME)
        return None
    return _without_pictures(entry, edit)


def _edit_photoshop(entry: Entry, edit: Edit) -> Entry:
    return entry.of_data(
        photoshop.patched(entry.data, edit.change, edit.account, _label(entry, edit), edit.name)
    )


def _edit_description(entry: Entry, edit: Edit) -> Entry | None:
    """Restate sizes in the text of tifffile and of OME-XML."""
    before, after = edit.change.before, edit.change.result

    def reshaped(match: re.Match[bytes]) -> bytes:
        sides = [int(side) for side in match[2].split(b",") if side.strip()]
        for at in range(len(sides) - 1):
            if sides[at : at + 2] == [before.height, before.width]:
                sides[at : at + 2] = [after.height, after.width]
                break
        return match[1] + ", ".join(map(str, sides)).encode() + match[3]

    def resized(match: re.Match[bytes]) -> bytes:
        old, new = (
            (before.width, after.width) if match[2] == b"X" else (before.height, after.height)
        )
        return match[0] if int(match[3]) != old else b"%b%d%b" % (match[1], new, match[4])

    text = _OME_SIDE.sub(resized, _SHAPE.sub(reshaped, entry.data))
    return _looked_into(entry, edit, text)


def _edit_side(entry: Entry, edit: Edit) -> Entry:
    directory = edit.root.subs[EXIF]
    stated = [directory.first(tag) for tag in _EXIF_SIDES]
    numbers = [e.numbers(edit.form).tolist() if e else [] for e in stated]
    sides = (edit.change.before.width, edit.change.before.height)
    old = [f[0] if f else side for f, side in zip(numbers, sides, strict=True)]
    new = edit.change.stated(old[0], old[1])[_EXIF_SIDES.index(entry.tag)]
    return _restated(entry, edit, (new,)) if entry.count == 1 else _without_pictures(entry, edit)


def _edit_subject(entry: Entry, edit: Edit) -> Entry | None:
    x, y, *rest = (*entry.numbers(edit.form).tolist(), 0, 0)[: max(2, entry.count)]
    moved = edit.change.moved(x, y)
    if moved is None:
        edit.account.drop(_label(entry, edit), "the subject was cropped out")
        return None
    return _restated(entry, edit, (*moved, *edit.change.extents(*rest))[: entry.count])


def _edit_position(entry: Entry, edit: Edit) -> Entry | None:
    """Move the image's place on its page along with the corner (TIFF 6.0, section 12)."""
    if edit.change.is_turned:
        edit.account.drop(_label(entry, edit), OLD_FRAME)
        return None
    resolution_tag, axis = _POSITIONS[entry.tag]
    resolution = _fraction(edit.root.first(resolution_tag), edit.form)
    place = _fraction(entry, edit.form)
    corner = (edit.change.box.left, edit.change.box.top)[axis]
    if place is None or not resolution:
        edit.account.drop(_label(entry, edit), "its unit is not known")
        return None
    moved = (place + corner / resolution).limit_denominator(_LARGEST // 10**5)
    data = np.array(moved.as_integer_ratio(), f"{edit.form.order}u4").tobytes()
    return _told(entry, entry.of_data(data), edit)


def _fraction(entry: Entry | None, form: Form) -> Fraction | None:
    if entry is None or entry.kind != _RATIONAL or entry.count != 1:
        return None
    above, below = np.frombuffer(entry.data, f"{form.order}u4").tolist()
    return Fraction(above, below) if below else None


def _edit_doubles(entry: Entry, edit: Edit) -> Entry | None:
    """Move what ties pixels to the ground (OGC GeoTIFF 1.1, annex B.6; RPCs in GeoTIFF)."""
    if edit.change.is_turned:
        edit.account.drop(_label(entry, edit), OLD_FRAME)
        return None
    if entry.kind != DOUBLE:
        edit.account.drop(_label(entry, edit), f"{OLD_FRAME}, and of another type than it has")
        return None
    kind = f"{edit.form.order}f8"
    values = np.frombuffer(entry.data, kind).astype(float)
    left, top = edit.change.box.left, edit.change.box.top
    if entry.tag == _TIE_POINTS and not len(values) % 6:
        values.reshape(-1, 6)[:, :2] -= (left, top)
    elif entry.tag == _TRANSFORMATION and len(values) == 16:  # noqa: PLR2004  (a 4 x 4 matrix)
        matrix = values.reshape(4, 4)
        matrix[:3, 3] += matrix[:3, :2] @ (left, top)
    elif entry.tag == _RATIONAL_POLYNOMIALS and len(values) > 3:  # noqa: PLR2004  (line and sample offsets stand third and fourth)
        values[2:4] -= (top, left)
    return _told(entry, entry.of_data(values.astype(kind).tobytes()), edit)


def _edit_scale(entry: Entry, edit: Edit) -> Entry | None:
    """Carry how large a pixel is on the ground, which says that rows go from west to east."""
    if edit.change.is_turned:
        edit.account.drop(_label(entry, edit), OLD_FRAME)
        return None
    return _looked_into(entry, edit)


def _edit_orientation(entry: Entry, edit: Edit) -> Entry | None:
    """Say that pixels are stored as they are seen, where they are."""
    if not edit.change.is_upright or not entry.numbers(edit.form).size:
        return _looked_into(entry, edit)
    return _restated(entry, edit, (1,) * entry.count)


def _edit_resolution(entry: Entry, edit: Edit) -> Entry | None:
    """Let pixels of two sides change these where rows become columns."""
    other = edit.root.first(sum(_RESOLUTIONS) - entry.tag)
    fits = other is not None and (other.kind, other.count) == (entry.kind, entry.count)
    if not edit.change.is_on_side or other is None or not fits:
        return _looked_into(entry, edit)
    return _looked_into(entry, edit, other.data)


def _drop(entry: Entry, edit: Edit) -> None:
    edit.account.drop(_label(entry, edit), DROPPED[entry.tag])


def _leave_out(_entry: Entry, _edit: Edit) -> None:
    """Leave out what was accounted for together."""


_Rules = Mapping[int, Callable[[Entry, Edit], Entry | None]]
DROPPED: Mapping[int, str] = {
    **dict.fromkeys((288, 289), "they are free bytes of the old file"),
    **dict.fromkeys((343, 344, 345), OLD_FRAME),
    **dict.fromkeys((513, 514), SHOWS_MORE),
    _C2PA: SIGNED,  # where it is not refused
}
_EDITS: _Rules = {
    DESCRIPTION: _edit_description,
    XMP: _edit_xmp,
    _IPTC: _edit_iptc,
    _GDAL: _edit_statistics,
    **dict.fromkeys(_IMAGEJ, _edit_imagej),
    PHOTOSHOP: _edit_photoshop,
    SUB_IFDS: _leave_out,
    ORIENTATION: _edit_orientation,
    **dict.fromkeys(_RESOLUTIONS, _edit_resolution),
    **dict.fromkeys(_POSITIONS, _edit_position),
    _PIXEL_SCALE: _edit_scale,
    **dict.fromkeys((_TIE_POINTS, _TRANSFORMATION, _RATIONAL_POLYNOMIALS), _edit_doubles),
    **dict.fromkeys(DROPPED, _drop),
}
_EXIF_EDITS: _Rules = {
    **dict.fromkeys(_EXIF_SIDES, _edit_side),
    **dict.fromkeys(_SUBJECTS, _edit_subject),
}
