"""GIF: a still's blocks carried around indices that are cut out and coded again."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from cropkit.errors import (
    AnimatedImage,
    BadBox,
    CorruptImage,
    Provenance,
    TrailingData,
    UnsupportedFormat,
    VerificationFailed,
)
from cropkit.formats.account import Account, Candidate, Header
from cropkit.formats.bit_rows import Rows
from cropkit.formats.codecs import codec
from cropkit.formats.decoder_errors import reading
from cropkit.formats.gif import blocks
from cropkit.formats.gif.blocks import Container, Picture
from cropkit.formats.limits import check_pixels
from cropkit.formats.metadata import colour_profile, inspection, xmp
from cropkit.formats.metadata.crop_change import MAY_SHOW, SHOWS_MORE, Change, Resampling
from cropkit.formats.options import PROVENANCE, TRAILING, Options
from cropkit.formats.turning import turned
from cropkit.geometry import PixelBox, Turn
from cropkit.records import SIGNED

_PLAIN_TEXT = 0x01
_COMMENT, _APPLICATION = 0xFE, 0xFF
_LABELS = {_COMMENT: "comment", 0xF9: "graphic control"}
_APPLICATION_NAME = 11  # bytes of an application's name and code
_ICC = b"ICCRGBG1"
_C2PA = b"C2PA_GIF"  # C2PA specification, annex A, GIF
_XMP = b"XMP DataXMP"
# A packet stands there as it is; wherever its bytes lead as lengths, this leads to the end (XMP
# specification, part 3, 1.1.2).
_XMP_END = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
_MOST_BITS = 8
_PADDING = b"\0\r\n \x1a"


@dataclass(frozen=True, slots=True)
class Proof:
    """What the written file must hold: these blocks, and a picture of these indices."""

    container: Container
    indices: Rows


@dataclass(frozen=True, slots=True)
class OpenedGif:
    """A GIF taken apart."""

    name: str
    container: Container

    @property
    def header(self) -> Header:
        """The size of the screen; a GIF has no orientation."""
        return Header("gif", self.container.size, 1)

    def crop(self, box: PixelBox, turn: Turn) -> Candidate:
        """Crop to a box of the screen; see `cropkit.formats.Opened.crop`."""
        return _cropped(self.container, self.header.change(box, turn), self.name)


def opened(data: bytes, name: str, options: Options) -> OpenedGif:
    """Take the file apart; see `cropkit.formats.opened`."""
    return OpenedGif(name, _parsed(data, name, options.drop))


def _cropped(container: Container, change: Change, name: str) -> Candidate:
    (picture,), box = container.pictures, change.box
    shown = _common(picture.box, box)
    left, top = picture.place
    indices = _indices(picture)[shown.top - top : shown.bottom - top]
    indices = np.ascontiguousarray(indices[:, shown.left - left : shown.right - left])
    indices, place = _turned(indices, _within(shown, box), change)
    after = replace(
        picture,
        place=(place.left, place.top),
        size=place.size,
        coded=_coded(indices, picture),
    )
    account = Account("gif")
    account.patch("screen: width, height")
    account.keep("colours and indices")
    account.tell_of_turn(change)
    edited = (
        after if isinstance(block, Picture) else _edited(block, change, account, name)
        for block in container.blocks
    )
    screen = blocks.with_size(container.screen, change.result)
    if change.is_on_side:
        screen = blocks.with_pixels_on_side(screen)
    stay = tuple(block for block in edited if block is not None)
    trailer = container.trailer
    if trailer.strip(_PADDING):
        account.drop(f"{len(trailer)} bytes after the end", MAY_SHOW)
        trailer = b""
    written = Container(screen, stay, trailer)
    return account.candidate(written.encoded(), (box, box), Proof(written, indices))


def verify(written: bytes, proof: Proof, name: str) -> None:
    """Hold what was read back against the proof: every block, then every index.

    imagecodecs' giflib decodes; Pillow has encoded.
    """
    with reading(name):
        container = _parsed(written, name)
        if container != proof.container:
            raise VerificationFailed(name, "the blocks are not those meant")
        (picture,) = container.pictures
        decoded = codec("gif_decode", _alone(picture), asrgb=False)
    if not np.array_equal(np.squeeze(decoded, -1) if decoded.ndim > 2 else decoded, proof.indices):  # noqa: PLR2004  (an axis of one sample)
        raise VerificationFailed(name, "the pixels are not those inside the box")


def _parsed(data: bytes, name: str, drop: frozenset[str] = frozenset()) -> Container:
    container = blocks.parse(data, name)
    if container.trailer.strip(_PADDING) and TRAILING not in drop:
        raise TrailingData(name, len(container.trailer))
    pictures = container.pictures
    if len(pictures) > 1:
        raise AnimatedImage(name, len(pictures))
    if not pictures:
        raise CorruptImage(name, "it has no image")
    if not 1 <= pictures[0].bits <= _MOST_BITS:
        raise CorruptImage(name, f"indices of {pictures[0].bits} bits")
    if any(isinstance(b, bytes) and b[1] == _PLAIN_TEXT for b in container.blocks):
        raise UnsupportedFormat(name, "a GIF with text to be drawn")
    signed = any(isinstance(b, bytes) and b[3:11] == _C2PA for b in container.blocks)
    if signed and PROVENANCE not in drop:
        raise Provenance(name)
    check_pixels(name, container.size)
    return container


def _common(picture: PixelBox, box: PixelBox) -> PixelBox:
    left, top = max(picture.left, box.left), max(picture.top, box.top)
    right, bottom = min(picture.right, box.right), min(picture.bottom, box.bottom)
    if left >= right or top >= bottom:
        raise BadBox(box.xyxy, "holds nothing but the empty screen")
    return PixelBox(left, top, right, bottom)


def _within(inner: PixelBox, outer: PixelBox) -> PixelBox:
    return PixelBox.from_xywh(
        inner.left - outer.left, inner.top - outer.top, inner.size.width, inner.size.height
    )


def _turned(indices: Rows, place: PixelBox, change: Change) -> tuple[Rows, PixelBox]:
    """Return indices as they are to be stored, and the place of them on the screen."""
    if not isinstance(change, Resampling):
        return indices, place
    moved = place.upright(change.box.size, change.orientation)
    return turned(indices, change.orientation), moved


def _indices(picture: Picture) -> Rows:
    size = (picture.size.width, picture.size.height)
    decoded = Image.frombytes("L", size, picture.coded, "gif", picture.bits, picture.interlaced)
    return np.asarray(decoded)


def _coded(indices: Rows, picture: Picture) -> bytes:
    coded: bytes = Image.fromarray(indices).tobytes(
        "gif", ("L", picture.bits, int(picture.interlaced))
    )
    return coded


def _alone(picture: Picture) -> bytes:
    """Return a file of the picture alone, on a screen of its own size."""
    screen = blocks.with_size(b"GIF89a" + bytes(7), picture.size)
    return Container(screen, (replace(picture, place=(0, 0)),), b"").encoded()


def _edited(block: bytes, change: Change, account: Account, name: str) -> bytes | None:
    """Carry an extension; XMP is patched where it is followed by what makes any length right."""
    is_application = block[1] == _APPLICATION
    if is_application and block[3:11] == _C2PA:  # where it is not refused
        account.drop("application C2PA_GIF", SIGNED)
        return None
    if is_application and block[3:14] == _XMP and block.endswith(_XMP_END):
        packet = xmp.patched(block[14 : -len(_XMP_END)], change, account, "XMP", name)
        return block[:14] + packet + _XMP_END if packet else None
    known = _LABELS.get(block[1], f"extension {block[1]:#04x}")
    label = _application(block) if is_application else known
    data = blocks.joined(block)
    if is_application and block[3:11] == _ICC:
        reason = SHOWS_MORE if colour_profile.hides(data[_APPLICATION_NAME:]) else None
        return _kept(block, reason, account, label)
    if block[1] == _COMMENT and inspection.is_text(data):
        after, reason = inspection.without_hidden(data)
        if reason:
            account.drop(f"{label}: bytes that it spells out", reason)
            account.patch(label)
            return block[:2] + blocks.in_sub_blocks(after)
    return _kept(block, inspection.unfit(data), account, label)


def _kept(block: bytes, reason: str | None, account: Account, label: str) -> bytes | None:
    if reason:
        account.drop(label, reason)
        return None
    account.keep(label)
    return block


def _application(block: bytes) -> str:
    return f"application {block[3:11].decode('ascii', 'replace').strip()}"
