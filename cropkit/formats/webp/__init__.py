"""WebP: RIFF surgery around pixels that stay lossless, or are coded anew at the same quality."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from cropkit.errors import VerificationFailed
from cropkit.formats import psnr
from cropkit.formats.account import Account, Bare, Candidate, Header
from cropkit.formats.codecs import codec
from cropkit.formats.decoder_errors import reading
from cropkit.formats.limits import check_pixels
from cropkit.formats.metadata.crop_change import MAY_SHOW, Change, Resampling
from cropkit.formats.options import TRAILING, Options
from cropkit.formats.psnr import Pixels
from cropkit.formats.turning import turned
from cropkit.formats.webp import blocks, metadata, riff, vp8
from cropkit.formats.webp.riff import ALPH, PIXELS, VP8, VP8L, VP8X, Chunk, Container
from cropkit.geometry import PixelBox, Size, Turn

_BARE = (VP8X, ALPH, *PIXELS)
# libwebp's default: 2 takes less than half the time, and 3 to 5 % more bytes.
_METHOD = 4
_LOSSLESS_EFFORT = 75
_ALPHA_CHANNEL = 3
_VP8L_HEADER = 5
# ALPH's first byte (RFC 9649, 2.7.1.2): coded as VP8L does, no filter, no levels taken away.
_ALPHA_LOSSLESS = b"\x01"


@dataclass(frozen=True, slots=True)
class Proof:
    """What the written file must hold: these chunks, and pixels equal or close to these."""

    chunks: tuple[Chunk, ...]
    trailer: bytes
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class OpenedWebp:
    """A WebP taken apart; `size` is as it is stored.

    Parameters
    ----------
    animated : whether it is stored as an animation, of one frame
    """

    name: str
    header: Header
    container: Container
    size: Size
    animated: bool = False

    def crop(self, box: PixelBox, turn: Turn) -> Candidate:
        """Crop to an upright box; see `cropkit.formats.Opened.crop`."""
        stored = box.stored(self.header.size, self.header.orientation)
        return _cropped(self, box, self.header.change(stored, turn))


def opened(data: bytes, name: str, options: Options) -> OpenedWebp:
    """Take the file apart; see `cropkit.formats.opened`."""
    parsed = riff.parse(data, name, options.drop)
    still = riff.unwrapped(parsed, name)
    container, stored = _checked(still or parsed, name, options.drop)
    orientation = metadata.orientation(container)
    header = Header("webp", stored.oriented(orientation), orientation)
    return OpenedWebp(name, header, container, stored, still is not None)


def _cropped(image: OpenedWebp, box: PixelBox, change: Change) -> Candidate:
    """Return the crop to an upright box, by what it changes of the stored image."""
    name, container, stored = image.name, image.container, change.box
    whole = _decoded(container, image.size)
    pixels = np.ascontiguousarray(whole[stored.top : stored.bottom, stored.left : stored.right])
    if isinstance(change, Resampling):
        pixels = turned(pixels, change.orientation)
    account = Account("webp")
    if image.animated:
        account.drop("ANIM, ANMF", "an animation of one frame is a still image")
    account.tell_of_turn(change)
    edit = metadata.Edit(change, _encoded(pixels, container), account, name)
    trailer = container.trailer
    if trailer.strip(riff.PADDING):
        account.drop(f"{len(trailer)} bytes after the end", MAY_SHOW)
        trailer = b""
    written = Container(metadata.edited(container, edit), trailer)
    if container.lossless:
        account.keep("pixels: lossless")
    else:
        quality = vp8.quantisers(_first(container, VP8)).quality
        account.patch(f"pixels: coded anew at quality {quality:.0f}")
    proof = Proof(written.chunks, written.trailer, pixels)
    return account.candidate(written.encoded(), (box, box), proof)


def bare(data: bytes, name: str) -> Bare:
    """Take the metadata off; of animations, Pillow shows the first frame."""
    container = riff.parse(data, name, frozenset({TRAILING}))
    profile = container.first("ICCP")
    if container.first(*PIXELS) is None:
        return Bare(data, 1, profile)
    check_pixels(name, riff.size(container, name))
    return Bare(container.only(*_BARE).encoded(), metadata.orientation(container), profile)


def verify(written: bytes, proof: Proof, name: str) -> float | None:
    """Hold what was read back against the proof: chunks exactly, pixels exactly or by block.

    imagecodecs' libwebp decodes; Pillow's has encoded. Returns the PSNR of lossy pixels.
    """
    with reading(name):
        container, size = _checked(riff.parse(written, name), name)
        if container.chunks != proof.chunks or container.trailer != proof.trailer:
            raise VerificationFailed(name, "the chunks are not those meant")
        pixels = _decoded(container, size)
    if pixels.shape != proof.pixels.shape:
        raise VerificationFailed(name, "size or channels are not those meant")
    exact = slice(0 if container.lossless else _ALPHA_CHANNEL, None)
    if not np.array_equal(pixels[..., exact], proof.pixels[..., exact]):
        raise VerificationFailed(name, "the pixels are not those inside the box")
    return None if container.lossless else _loss(container, pixels, proof, name)


def _loss(container: Container, pixels: Pixels, proof: Proof, name: str) -> float | None:
    """Return the PSNR of pixels that are close to those meant, or raise `VerificationFailed`."""
    step = vp8.quantisers(_first(container, VP8)).coarsest_step
    decoded, meant = (_colours(p) for p in (pixels, proof.pixels))
    excess = blocks.excess(decoded, meant, step, _opacity(proof.pixels))
    if excess > 1:
        raise VerificationFailed(name, f"a block is off by {excess:.1f} times what coding allows")
    return psnr.psnr_of_pictures(decoded, meant)


def _opacity(pixels: Pixels) -> Image.Image | None:
    has_alpha = pixels.shape[2] > _ALPHA_CHANNEL
    return Image.fromarray(np.ascontiguousarray(pixels[..., _ALPHA_CHANNEL])) if has_alpha else None


def _colours(pixels: Pixels) -> Image.Image:
    picture = Image.fromarray(pixels)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _checked(
    container: Container, name: str, drop: frozenset[str] = frozenset()
) -> tuple[Container, Size]:
    metadata.refuse(container, name, drop)
    return container, check_pixels(name, riff.size(container, name))


def _decoded(container: Container, size: Size) -> Pixels:
    """Decode to (height, width, 3 or 4), with alpha where the file says that it has it."""
    pixels: Pixels = codec("webp_decode", container.only(*_BARE).encoded())
    if pixels.shape[:2] != (size.height, size.width):
        raise ValueError(f"decoded to {pixels.shape}, not {size}")
    return pixels


def _encoded(pixels: Pixels, source: Container) -> Mapping[str, bytes]:
    """Return the data of the chunks that code the pixels, for each of those in the source."""
    if source.lossless:
        coded = _saved(pixels, lossless=True, quality=_LOSSLESS_EFFORT)
        return {VP8L: riff.like(_first(coded, VP8L), _first(source, VP8L), lossless=True)}
    frame = _first(source, VP8)
    coded = _saved(pixels, lossless=False, quality=vp8.quantisers(frame).quality)
    after = {VP8: riff.like(_first(coded, VP8), frame, lossless=False)}
    if source.first(ALPH) is not None:
        after[ALPH] = coded.first(ALPH) or _opaque(pixels)
    return after


def _saved(pixels: Pixels, *, lossless: bool, quality: float) -> Container:
    out = BytesIO()
    picture = Image.fromarray(pixels)
    picture.save(out, "WEBP", lossless=lossless, quality=quality, method=_METHOD, exact=True)
    return riff.parse(out.getvalue(), "the coded pixels")


def _opaque(pixels: Pixels) -> bytes:
    """Code an alpha plane without a hole, which libwebp leaves out: its values are VP8L's green."""
    green = np.zeros((*pixels.shape[:2], 3), np.uint8)
    green[..., 1] = pixels[..., _ALPHA_CHANNEL]
    coded = _saved(green, lossless=True, quality=0)
    return _ALPHA_LOSSLESS + _first(coded, VP8L)[_VP8L_HEADER:]


def _first(container: Container, kind: str) -> bytes:
    """Return the data of a chunk that is there."""
    return container.first(kind) or b""
