"""What becomes of each chunk of a PNG when it is cropped: a table, and the few edits it needs."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from cropkit.errors import AnimatedImage, GainMap, Provenance, TooManyParts
from cropkit.formats.account import Account
from cropkit.formats.limits import MOST_PARTS
from cropkit.formats.metadata import colour_profile, exif, inspection, iptc, photoshop, xmp
from cropkit.formats.metadata.crop_change import OLD_FRAME, SHOWS_MORE, Change
from cropkit.formats.options import PROVENANCE
from cropkit.formats.png import text
from cropkit.formats.png.chunks import Chunk, Container
from cropkit.records import SIGNED

_EXIF_PREFIX = b"Exif\0\0"
DROPPED: Mapping[str, str] = {
    "iDOT": "it holds byte offsets into the old pixel data",
    "hIST": "it counts the colours of the whole image",
    "sTER": "half of a stereo pair is not one",
    "prVW, mkBF, mkBS, mkBT, mkTS": "Fireworks keeps the whole picture and its layers there",
    "acTL, fcTL": "an animation of one frame is a still image",
    "fdAT": "frames that no sound acTL announces",
}
_REASONS = {kind: reason for kinds, reason in DROPPED.items() for kind in kinds.split(", ")}
_REASONS |= dict.fromkeys(("caBX", "dSIG"), SIGNED)  # where they are not refused
_UNSOUND = "its checksum is wrong: readers leave it out"
_TEXTS = ("tEXt", "zTXt", "iTXt")
_MOST_COLOURS = 256
_MOST_FRAMES = 1 << 31
_MOST_TEXT = 1 << 25  # bytes of text that is inflated, of all chunks together
_SUGGESTED = {8: 6, 16: 10}  # bytes of an entry of sPLT, by its depth (11.3.4.4)


@dataclass(slots=True)
class TextBudget:
    """How many bytes the texts that were taken apart held together, and those of metadata."""

    metadata: int = 0
    inflated: int = 0


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit may look at."""

    change: Change
    account: Account
    name: str
    texts: TextBudget = field(default_factory=TextBudget)


def refuse(
    container: Container, name: str, drop: frozenset[str] = frozenset(), *, signs: bool = False
) -> None:
    """Refuse what a crop would falsify: animations, second pictures and signed content.

    Raises
    ------
    AnimatedImage, GainMap, Provenance
    """
    kinds = [chunk.type for chunk in container.chunks]
    frames = _frames(container)
    if frames > 1 or (frames and "fdAT" in kinds):
        raise AnimatedImage(name, max(frames, kinds.count("fcTL")))
    if "gdAT" in kinds:
        raise GainMap(name, "a gain map in gdAT")
    held = ("dSIG",) if signs else ("dSIG", "caBX")
    if PROVENANCE not in drop and any(kind in kinds for kind in held):
        raise Provenance(name)
    if colour_profile.hides(text.profile(container.chunks) or b""):
        raise GainMap(name, "in the colour profile")


def _frames(container: Container) -> int:
    """Return how many frames an animation has, 0 where none is announced as the standard says.

    One chunk has to announce them before the pixels (11.3.6.1): else readers show a still image.
    """
    before = [c.data for c in container.chunks[: container.idat_at] if c.type == "acTL"]
    frames = int.from_bytes(before[0][:4]) if len(before) == 1 else 0
    return frames if frames < _MOST_FRAMES else 0


def edited(container: Container, edit: Edit) -> tuple[list[Chunk], int]:
    """Return the chunks of the cropped file, and where the pixels stand among them."""
    before = [_edited(c, edit) for c in container.chunks[: container.idat_at]]
    after = [_edited(c, edit) for c in container.chunks[container.idat_at :]]
    placed = [c for c in before if c is not None]
    return placed + [c for c in after if c is not None], len(placed)


def _edited(chunk: Chunk, edit: Edit) -> Chunk | None:
    if chunk.crc is not None:
        return _edited_unsound(chunk, edit)
    if chunk.type in _REASONS:
        edit.account.drop(chunk.type, _REASONS[chunk.type])
        return None
    rule = _EDITS.get(chunk.type)
    if rule:
        return rule(chunk, edit)
    reason = inspection.unfit(chunk.data)
    if reason:
        edit.account.drop(chunk.type, reason)
        return None
    edit.account.keep(chunk.type)
    return chunk


def _edited_unsound(chunk: Chunk, edit: Edit) -> Chunk | None:
    """Carry a chunk whose checksum is wrong: readers leave it out, and so it has to stay.

    The checksum of a text is mended: nothing that is seen depends on it.
    """
    if chunk.type == "eXIf":
        edit.account.drop("eXIf", _UNSOUND)
        return None
    sound = replace(chunk, crc=None)
    after = _edited(sound, edit)
    if after is not None and chunk.type in _TEXTS:
        edit.account.patch(f"{chunk.type}: its checksum, which was wrong")
        return after
    if after is not None and after != sound:
        edit.account.drop(chunk.type, _UNSOUND)
        return None
    if after is None:
        return None
    edit.account.keep(f"{chunk.type}: its checksum, which is wrong")
    return chunk


def _edit_exif(chunk: Chunk, edit: Edit) -> Chunk:
    return Chunk(chunk.type, _patched_exif(chunk.data, edit, "eXIf"))


def _patched_exif(data: bytes, edit: Edit, label: str) -> bytes:
    """Patch a block that some writers begin as JPEG does."""
    prefix = _EXIF_PREFIX if data.startswith(_EXIF_PREFIX) else b""
    block = data[len(prefix) :]
    return prefix + exif.patched(block, edit.change, edit.account, label)


def edited_text(chunk: Chunk, edit: Edit) -> Chunk | None:
    """Return a text chunk for the cropped file, None where it is left out."""
    keyword, _, _ = chunk.data.partition(b"\0")
    label = f"{chunk.type} {keyword.decode('latin-1')}"
    try:
        parsed = _parsed_text(chunk, keyword, edit)
    except text.TooLong:
        edit.account.drop(label, inspection.UNSEEN)
        return None
    if parsed is None or inspection.unfit(parsed.head):
        return _carried(chunk, label, edit)
    after = _edited_text(parsed, edit, label)
    reason = inspection.unfit(parsed.behind)
    if reason:
        edit.account.drop(f"{label}: {len(parsed.behind)} bytes behind its stream", reason)
    elif after == parsed.text:
        return chunk
    return None if after is None else parsed.chunk(after)


def _carried(chunk: Chunk, label: str, edit: Edit) -> Chunk | None:
    """Carry a chunk that cannot be taken apart, unless it may hide something."""
    reason = inspection.unfit(chunk.data)
    if reason:
        edit.account.drop(label, reason)
        return None
    edit.account.keep(label)
    return chunk


def _parsed_text(chunk: Chunk, keyword: bytes, edit: Edit) -> text.Text | None:
    """Take a text apart; all of a file's together hold no more than one may.

    Raises
    ------
    TooLong
        Where it is no metadata, and may be left out.
    TooManyParts
        Where it is.
    """
    texts = edit.texts
    if not text.is_metadata(keyword):
        parsed = text.parse_text(chunk, max(len(chunk.data), _MOST_TEXT - texts.inflated))
        texts.inflated += len(parsed.text) if parsed and parsed.compressed else 0
        return parsed
    what = "bytes of metadata in texts"
    try:
        parsed = text.parse_text(chunk, MOST_PARTS[what] - texts.metadata)
    except text.TooLong:
        raise TooManyParts(edit.name, what, MOST_PARTS[what]) from None
    texts.metadata += len(parsed.text) if parsed else 0
    return parsed


def _edited_text(parsed: text.Text, edit: Edit, label: str) -> bytes | None:
    """Return the text after its edit, which does its own accounting; None when it has to go."""
    if parsed.keyword == text.XMP_KEYWORD:
        return xmp.patched(parsed.text, edit.change, edit.account, label, edit.name)
    profile = _PROFILES.get(text.raw_profile_kind(parsed.keyword) or "")
    data = text.raw_profile(parsed.text) if profile else None
    if profile and data is not None:
        return text.with_raw_profile(parsed.text, profile(data, edit, label))
    after: bytes | None = parsed.text
    if inspection.is_text(parsed.text):
        after, reason = inspection.without_hidden(parsed.text)
        item = f"{label}: bytes that it spells out"
    else:
        after, reason, item = parsed.text, inspection.unfit(parsed.text), label
        after = None if reason else after
    if reason:
        edit.account.drop(item, reason)
    if after is not None:
        (edit.account.patch if reason else edit.account.keep)(label)
    return after


def _xmp_profile(data: bytes, edit: Edit, label: str) -> bytes:
    return xmp.patched(data, edit.change, edit.account, label, edit.name)


def _app1_profile(data: bytes, edit: Edit, label: str) -> bytes:
    is_exif = data.startswith(_EXIF_PREFIX)
    return _patched_exif(data, edit, label) if is_exif else _xmp_profile(data, edit, label)


def _photoshop_profile(data: bytes, edit: Edit, label: str) -> bytes:
    if not iptc.begins(data):
        return photoshop.patched(data, edit.change, edit.account, label, edit.name)
    after = iptc.without_pictures(data, edit.account, label)
    (edit.account.keep if after == data else edit.account.patch)(label)
    return after


def _colour_profile(data: bytes, edit: Edit, label: str) -> bytes:
    if colour_profile.hides(data):
        edit.account.drop(label, inspection.UNSEEN)
        return b""
    edit.account.keep(label)
    return data


def _edit_colour_profile(chunk: Chunk, edit: Edit) -> Chunk | None:
    """Carry a profile; one that no reader can inflate is none."""
    parts = text.profile_parts(chunk.data)
    if parts is None:
        return _carried(chunk, "iCCP", edit)
    if colour_profile.hides(parts[0]):  # not the first one, for which the file is refused
        edit.account.drop("iCCP", SHOWS_MORE)
        return None
    return _without_tail(chunk, parts[1], edit)


def _without_tail(chunk: Chunk, tail: bytes, edit: Edit) -> Chunk:
    reason = inspection.unfit(tail)
    (edit.account.patch if reason else edit.account.keep)(chunk.type)
    if reason is None:
        return chunk
    edit.account.drop(f"{chunk.type}: {len(tail)} bytes behind its stream", reason)
    return Chunk(chunk.type, chunk.data[: -len(tail)])


def _edit_colours(chunk: Chunk, edit: Edit) -> Chunk | None:
    """Carry a table of colours, of a length that such tables have."""
    if len(chunk.data) > 3 * _MOST_COLOURS:
        return _carried(chunk, chunk.type, edit)
    edit.account.keep(chunk.type)
    return chunk


def _edit_suggested(chunk: Chunk, edit: Edit) -> Chunk | None:
    """Carry a suggested palette, which counts its colours: the most frequent one stands first."""
    _, _, table = chunk.data.partition(b"\0")
    step = _SUGGESTED.get(table[0] if table else 0, 0)
    counts = [table[at - 2 : at] for at in range(1 + step, len(table) + 1, step)] if step else []
    if not step or (len(table) - 1) % step or counts != sorted(counts, reverse=True):
        return _carried(chunk, "sPLT", edit)
    edit.account.keep("sPLT")
    return chunk


def _edit_end(chunk: Chunk, edit: Edit) -> Chunk:
    """Cut what an end chunk holds, which is nothing by the standard (11.2.4)."""
    if chunk.data:
        edit.account.drop(f"IEND: {len(chunk.data)} bytes", inspection.UNSEEN)
    return Chunk("IEND", b"")


def _edit_density(chunk: Chunk, edit: Edit) -> Chunk | None:
    """Let pixels of two sides change these where rows become columns (11.3.4.3)."""
    x, y, unit = chunk.data[:4], chunk.data[4:8], chunk.data[8:]
    if not edit.change.is_on_side or x == y or len(unit) != 1:
        return _carried(chunk, "pHYs", edit)
    edit.account.patch("pHYs")
    return Chunk("pHYs", y + x + unit)


def _edit_offset(chunk: Chunk, edit: Edit) -> Chunk | None:
    """Move the image's place on its page along with the corner (11.3.5.1 of the extensions)."""
    if edit.change.is_turned:
        edit.account.drop("oFFs", OLD_FRAME)
        return None
    if len(chunk.data) != struct.calcsize(">iiB") or chunk.data[8] != 0:
        edit.account.drop("oFFs", "its unit is not the pixel")
        return None
    x, y, unit = struct.unpack(">iiB", chunk.data)
    edit.account.patch("oFFs")
    return Chunk(
        "oFFs", struct.pack(">iiB", x + edit.change.box.left, y + edit.change.box.top, unit)
    )


def _edit_canvas(chunk: Chunk, edit: Edit) -> Chunk | None:
    """Move the image's place on ImageMagick's canvas: width, height, x, y."""
    if edit.change.is_turned:
        edit.account.drop("caNv", OLD_FRAME)
        return None
    if len(chunk.data) != struct.calcsize(">IIii"):
        edit.account.keep("caNv")
        return chunk
    width, height, x, y = struct.unpack(">IIii", chunk.data)
    box = edit.change.box
    edit.account.patch("caNv")
    return Chunk("caNv", struct.pack(">IIii", width, height, x + box.left, y + box.top))


def _edit_header(chunk: Chunk, _edit: Edit) -> Chunk:
    return chunk


_EDITS: Mapping[str, Callable[[Chunk, Edit], Chunk | None]] = {
    "IHDR": _edit_header,
    "IEND": _edit_end,
    "PLTE": _edit_colours,
    "tRNS": _edit_colours,
    "sPLT": _edit_suggested,
    "iCCP": _edit_colour_profile,
    "eXIf": _edit_exif,
    "tEXt": edited_text,
    "zTXt": edited_text,
    "iTXt": edited_text,
    "pHYs": _edit_density,
    "oFFs": _edit_offset,
    "caNv": _edit_canvas,
}
_PROFILES: Mapping[str, Callable[[bytes, Edit, str], bytes]] = {
    "exif": _patched_exif,
    "APP1": _app1_profile,
    "app1": _app1_profile,
    "xmp": _xmp_profile,
    "icc": _colour_profile,
    "icm": _colour_profile,
    "8bim": _photoshop_profile,
    "iptc": _photoshop_profile,
}
