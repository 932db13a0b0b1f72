"""What becomes of each chunk of a WebP when it is cropped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cropkit.errors import AnimatedImage, CorruptImage, GainMap, MultiPage, Provenance
from cropkit.formats.account import Account
from cropkit.formats.metadata import colour_profile, exif, inspection, xmp
from cropkit.formats.metadata.crop_change import Change
from cropkit.formats.options import PROVENANCE
from cropkit.formats.webp import riff
from cropkit.formats.webp.riff import ALPH, PIXELS, VP8X, Chunk, Container
from cropkit.records import SIGNED

_EXIF_PREFIX = b"Exif\0\0"
_CANVAS_BYTES = 10
_KNOWN = (*PIXELS, ALPH, VP8X, "ICCP", "EXIF", "XMP ")


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit may look at; `pixels` are the chunks that code the crop."""

    change: Change
    pixels: Mapping[str, bytes]
    account: Account
    name: str


def refuse(container: Container, name: str, drop: frozenset[str] = frozenset()) -> None:
    """Refuse what a crop would falsify: animations, signed content, second pictures.

    Raises
    ------
    AnimatedImage, Provenance, MultiPage, GainMap, CorruptImage
    """
    types = [chunk.type for chunk in container.chunks]
    if "ANIM" in types or "ANMF" in types:
        raise AnimatedImage(name, types.count("ANMF"))
    if "C2PA" in types and PROVENANCE not in drop:
        raise Provenance(name)
    pictures = sum(kind in PIXELS for kind in types)
    if pictures > 1:
        raise MultiPage(name, pictures)
    if len(container.first(VP8X) or bytes(_CANVAS_BYTES)) < _CANVAS_BYTES:
        raise CorruptImage(name, "a canvas chunk that is too short")
    if any(c.type == "ICCP" and colour_profile.hides(c.data) for c in container.chunks):
        raise GainMap(name, "in the colour profile")


def orientation(container: Container) -> int:
    """Return the EXIF orientation; readers look for EXIF only where the canvas announces it."""
    canvas, block = container.first(VP8X), container.first("EXIF")
    if canvas is None or block is None or not canvas[0] & riff.EXIF_FLAG:
        return 1
    return exif.read_orientation(block.removeprefix(_EXIF_PREFIX))


def edited(container: Container, edit: Edit) -> tuple[Chunk, ...]:
    """Return the chunks of the cropped file, in the order of the original."""
    after = (_edited(chunk, edit) for chunk in container.chunks)
    return tuple(chunk for chunk in after if chunk is not None)


def _edited(chunk: Chunk, edit: Edit) -> Chunk | None:
    if chunk.type in edit.pixels:
        return Chunk(chunk.type, edit.pixels[chunk.type])
    if chunk.type == "C2PA":  # where it is not refused
        edit.account.drop("C2PA", SIGNED)
        return None
    rule = _EDITS.get(chunk.type)
    if rule:
        return Chunk(chunk.type, rule(chunk.data, edit))
    reason = None if chunk.type in _KNOWN else inspection.unfit(chunk.data)
    if reason:
        edit.account.drop(chunk.type.strip(), reason)
        return None
    edit.account.keep(chunk.type.strip())
    return chunk


def _edit_canvas(data: bytes, edit: Edit) -> bytes:
    edit.account.patch("VP8X")
    if len(data) > _CANVAS_BYTES:
        edit.account.drop(f"VP8X: {len(data) - _CANVAS_BYTES} bytes behind it", inspection.UNSEEN)
        data = data[:_CANVAS_BYTES]
    return riff.with_canvas(data, edit.change.result)


def _edit_exif(data: bytes, edit: Edit) -> bytes:
    """Patch a block that some writers begin as JPEG does."""
    prefix = _EXIF_PREFIX if data.startswith(_EXIF_PREFIX) else b""
    return prefix + exif.patched(data[len(prefix) :], edit.change, edit.account, "EXIF")


def _edit_xmp(data: bytes, edit: Edit) -> bytes:
    return xmp.patched(data, edit.change, edit.account, "XMP", edit.name)


_EDITS: Mapping[str, Callable[[bytes, Edit], bytes]] = {
    VP8X: _edit_canvas,
    "EXIF": _edit_exif,
    "XMP ": _edit_xmp,
}
