"""What becomes of each chunk of a PNG when it is cropped: a table, and the few edits it needs."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cropkit.errors import AnimatedImage, GainMap, Provenance, TooManyParts
from cropkit.formats.account import Account
from cropkit.formats.limits import MOST_PARTS
from cropkit.formats.metadata import embedded_pictures, exif, photoshop, xmp
from cropkit.formats.metadata.crop_change import SHOWS_MORE, Change
from cropkit.formats.png import text
from cropkit.formats.png.chunks import Chunk, Container

_EXIF_PREFIX = b"Exif\0\0"
DROPPED: Mapping[str, str] = {
    "iDOT": "it holds byte offsets into the old pixel data",
    "hIST": "it counts the colours of the whole image",
    "sTER": "half of a stereo pair is not one",
    "prVW, mkBF, mkBS, mkBT, mkTS": "Fireworks keeps the whole picture and its layers there",
    "acTL, fcTL": "an animation of one frame is a still image",
}
_REASONS = {kind: reason for kinds, reason in DROPPED.items() for kind in kinds.split(", ")}
# Chunks whose data is no picture, whatever it looks like.
_NO_PICTURES = frozenset(("PLTE", "tRNS", "bKGD", "cHRM", "gAMA", "iCCP", "sBIT", "sPLT", "tIME"))


@dataclass(slots=True)
class TextBudget:
    """How many bytes the texts that were taken apart held, together."""

    total: int = 0


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit may look at."""

    change: Change
    account: Account
    name: str
    texts: TextBudget = field(default_factory=TextBudget)


def refuse(container: Container, name: str) -> None:
    """Refuse what a crop would falsify: animations, second pictures and signed content.

    Raises
    ------
    AnimatedImage, GainMap, Provenance
    """
    kinds = [chunk.type for chunk in container.chunks]
    announced = [int.from_bytes(c.data[:4]) for c in container.chunks if c.type == "acTL"]
    if "fdAT" in kinds or max(announced, default=1) > 1:
        raise AnimatedImage(name, max([*announced, kinds.count("fcTL")]))
    if "gdAT" in kinds:
        raise GainMap(name, "a gain map in gdAT")
    if "caBX" in kinds or "dSIG" in kinds:
        raise Provenance(name)


def edited(container: Container, edit: Edit) -> tuple[list[Chunk], int]:
    """Return the chunks of the cropped file, and where the pixels stand among them."""
    before = [_edited(c, edit) for c in container.chunks[: container.idat_at]]
    after = [_edited(c, edit) for c in container.chunks[container.idat_at :]]
    placed = [c for c in before if c is not None]
    return placed + [c for c in after if c is not None], len(placed)


def _edited(chunk: Chunk, edit: Edit) -> Chunk | None:
    if chunk.type in _REASONS:
        edit.account.drop(chunk.type, _REASONS[chunk.type])
        return None
    rule = _EDITS.get(chunk.type)
    if rule:
        return rule(chunk, edit)
    if chunk.type not in _NO_PICTURES and embedded_pictures.holds_picture(chunk.data):
        edit.account.drop(chunk.type, SHOWS_MORE)
        return None
    if chunk.type != "IEND":
        edit.account.keep(chunk.type)
    return chunk


def _edit_exif(chunk: Chunk, edit: Edit) -> Chunk:
    return Chunk(chunk.type, _patched_exif(chunk.data, edit, "eXIf"))


def _patched_exif(data: bytes, edit: Edit, label: str) -> bytes:
    """Patch a block that some writers begin as JPEG does."""
    prefix = _EXIF_PREFIX if data.startswith(_EXIF_PREFIX) else b""
    block = data[len(prefix) :]
    return prefix + exif.patched(block, edit.change, edit.account, label)


def _edit_text(chunk: Chunk, edit: Edit) -> Chunk:
    keyword, _, _ = chunk.data.partition(b"\0")
    parsed = _parsed_text(chunk, edit) if text.is_metadata(keyword) else None
    label = f"{chunk.type} {keyword.decode('latin-1')}"
    after = _edited_text(parsed, edit, label) if parsed else None
    if parsed is None or after is None:
        edit.account.keep(label)
        return chunk
    return chunk if after == parsed.text else parsed.chunk(after)


def _parsed_text(chunk: Chunk, edit: Edit) -> text.Text | None:
    """Take a text apart that holds metadata; all of a file's together hold no more than one may."""
    what = "bytes of metadata in texts"
    try:
        parsed = text.parse_text(chunk, MOST_PARTS[what] - edit.texts.total)
    except text.TooLong:
        raise TooManyParts(edit.name, what, MOST_PARTS[what]) from None
    edit.texts.total += len(parsed.text) if parsed else 0
    return parsed


def _edited_text(parsed: text.Text, edit: Edit, label: str) -> bytes | None:
    """Return the text after its edit, which does its own accounting; None when it needs none."""
    if parsed.keyword == text.XMP_KEYWORD:
        return xmp.patched(parsed.text, edit.change, edit.account, label, edit.name)
    kind = text.raw_profile_kind(parsed.keyword)
    profile = _PROFILES.get(kind or "")
    if profile is None:
        return None
    return text.edit_raw_profile(parsed.text, lambda data: profile(data, edit, label))


def _xmp_profile(data: bytes, edit: Edit, label: str) -> bytes:
    return xmp.patched(data, edit.change, edit.account, label, edit.name)


def _app1_profile(data: bytes, edit: Edit, label: str) -> bytes:
    is_exif = data.startswith(_EXIF_PREFIX)
    return _patched_exif(data, edit, label) if is_exif else _xmp_profile(data, edit, label)


def _photoshop_profile(data: bytes, edit: Edit, label: str) -> bytes:
    return photoshop.patched(data, edit.account, label)


def _edit_offset(chunk: Chunk, edit: Edit) -> Chunk | None:
    """Move the image's place on its page along with the corner (11.3.5.1 of the extensions)."""
    if len(chunk.data) != struct.calcsize(">iiB") or chunk.data[8] != 0:
        edit.account.drop("oFFs", "its unit is not the pixel")
        return None
    x, y, unit = struct.unpack(">iiB", chunk.data)
    edit.account.patch("oFFs")
    return Chunk(
        "oFFs", struct.pack(">iiB", x + edit.change.box.left, y + edit.change.box.top, unit)
    )


def _edit_canvas(chunk: Chunk, edit: Edit) -> Chunk:
    """Move the image's place on ImageMagick's canvas: width, height, x, y."""
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
    "eXIf": _edit_exif,
    "tEXt": _edit_text,
    "zTXt": _edit_text,
    "iTXt": _edit_text,
    "oFFs": _edit_offset,
    "caNv": _edit_canvas,
}
_PROFILES: Mapping[str, Callable[[bytes, Edit, str], bytes]] = {
    "exif": _patched_exif,
    "APP1": _app1_profile,
    "app1": _app1_profile,
    "xmp": _xmp_profile,
    "8bim": _photoshop_profile,
    "iptc": _photoshop_profile,
}
