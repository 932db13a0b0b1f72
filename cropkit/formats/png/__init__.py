"""PNG: container surgery. Every chunk but the pixels is carried byte for byte."""

from dataclasses import dataclass

from cropkit.errors import CorruptImage, Refused, Truncated, VerificationFailed
from cropkit.formats import zlib_streams
from cropkit.formats.account import Account, Bare, Candidate, Header, Readable
from cropkit.formats.decoder_errors import reading
from cropkit.formats.limits import check_pixels
from cropkit.formats.metadata import exif
from cropkit.formats.metadata.crop_change import MAY_SHOW, Change, Resampling
from cropkit.formats.options import TRAILING, Options
from cropkit.formats.png import chunks, compress, metadata, samples, stealth, text
from cropkit.formats.png.chunks import PADDING, Chunk, Container, Ihdr
from cropkit.formats.png.filters import Frame
from cropkit.formats.turning import turned_rows
from cropkit.formats.zlib_streams import Inflate, Octets
from cropkit.geometry import PixelBox, Turn

_SIZE_GUARD = 1.02
_PALETTE = 3
_BARE = ("IHDR", "PLTE", "tRNS", "IEND")
_BYTE = 8
_EXIF_PREFIX = b"Exif\0\0"
_DAMAGE = (Truncated, CorruptImage, zlib_streams.engine.error)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the written file must hold: these chunks around these rows."""

    chunks: tuple[Chunk, ...]
    trailer: bytes
    header: Ihdr
    rows: Octets
    inflate: Inflate


@dataclass(frozen=True, slots=True)
class OpenedPng:
    """A PNG taken apart; ``salvage`` is whether it is cropped by what can be read of it."""

    name: str
    header: Header
    ihdr: Ihdr
    container: Container
    salvage: bool = False

    def crop(self, box: PixelBox, turn: Turn) -> Candidate:
        """Crop to an upright box; see `cropkit.formats.Opened.crop`."""
        stored = box.stored(self.header.size, self.header.orientation)
        change = self.header.change(stored, turn)
        try:
            return _cropped(self, box, change, _whole(self.ihdr, self.container, self.name))
        except _DAMAGE as error:
            if not self.salvage:
                raise
            readable, filtered = _readable(self.ihdr, self.container, error)
            readable.check(stored, self.header, self.name)
            return readable.told(_cropped(self, box, change, (filtered, None), salvaged=True))


def opened(data: bytes, name: str, options: Options) -> OpenedPng:
    """Take the file apart; see `cropkit.formats.opened`."""
    ihdr = chunks.read_ihdr(data, name)  # before the rest: a bomb is not even summed up
    stored = check_pixels(name, ihdr.size)
    container = chunks.parse(data, name, options.drop, salvage=options.salvage)
    metadata.refuse(container, name, options.drop, signs=options.signs)
    try:
        _check_whole(ihdr, container, name)
    except _DAMAGE as error:
        if not options.salvage:
            raise
        _readable(ihdr, container, error)
    orientation = _orientation(container)
    header = Header("png", stored.oriented(orientation), orientation)
    return OpenedPng(name, header, ihdr, container, options.salvage)


def _check_whole(ihdr: Ihdr, container: Container, name: str) -> None:
    """Refuse a stream that is too short, and one that has no end and does not hold all pixels."""
    samples.check_room(ihdr, container.idat_length, name)
    if container.broken is not None or not container.ended:
        _whole(ihdr, container, name)


def _whole(ihdr: Ihdr, container: Container, name: str) -> tuple[Octets, str | None]:
    """Return the filtered rows, and what is wrong with a stream that holds all of them.

    Raises
    ------
    Truncated, CorruptImage
    """
    if container.broken is None:
        return samples.inflated(ihdr, container.idat, name)
    return samples.vouched_for(ihdr, container.idat, name), None


def _readable(ihdr: Ihdr, container: Container, error: Exception) -> tuple[Readable, Octets]:
    """Return what there is before the damage: before the first piece whose checksum is wrong.

    Raises
    ------
    Truncated, CorruptImage
        There is nothing.
    """
    filtered, rows = samples.begun(ihdr, container.pixels[: container.broken])
    if not rows:
        raise error
    why = error.args[1] if isinstance(error, Refused) else f"pixels that are damaged: {error}"
    return Readable(rows, ihdr.height, why), filtered


def _cropped(
    image: OpenedPng,
    box: PixelBox,
    change: Change,
    read: tuple[Octets, str | None],
    *,
    salvaged: bool = False,
) -> Candidate:
    """Return the crop to an upright box.

    Parameters
    ----------
    change : what it changes of the stored image
    read : the filtered rows, and what is wrong with their stream
    """
    name, header, container, stored = image.name, image.ihdr, image.container, change.box
    _check_palette(container, header, name)
    filtered, note = read
    frame = _turned(samples.cut_out(header, filtered, stored, name), header, change)
    looked_for = (stored.size != header.size or change.is_turned) and not salvaged
    hidden = stealth.read(header, filtered, name) if looked_for else None
    account = Account("png")
    if not container.ended:
        account.patch("IEND: it was missing")
    if container.unread:
        account.drop(f"{container.unread} bytes behind the damage", MAY_SHOW)
    if container.broken is not None and not salvaged:
        account.patch("IDAT: its checksum, which was wrong; that of the pixel stream is right")
    if note:
        account.patch(f"pixel stream: {note}")
    elif not salvaged and zlib_streams.ends_early(container.idat_end, filtered):
        account.drop("IDAT padding", "no pixels are in it")
    if header.interlace:
        account.patch("IHDR interlace: written straight")
    after = header.sized(change.result)
    account.tell_of_turn(change)
    if hidden:
        stealth.carried(hidden, after, frame.rows, account)
    edit = metadata.Edit(change, account, name)
    chunks, idat_at = metadata.edited(container, edit)
    chunks[0] = after.chunk()
    trailer = _trailer(container, account)
    stream = _deflated(frame, after, container.idat_length / header.size.area)
    written = Container(tuple(chunks), idat_at, (memoryview(stream.data),), trailer)
    proof = Proof(written.chunks, written.trailer, after, frame.rows, stream.inflate)
    return account.candidate(written.encoded(), (box, box), proof)


def _turned(frame: Frame, header: Ihdr, change: Change) -> Frame:
    """Return the rows as they are to be stored."""
    if not isinstance(change, Resampling):
        return frame
    rows = turned_rows(frame.rows, change.box.size.width, header.bits, change.orientation)
    return Frame.around(rows, header.bpp)


def _trailer(container: Container, account: Account) -> bytes:
    """Return the padding after the end; anything else is left out where it may be."""
    if not container.trailer.strip(PADDING):
        return container.trailer
    account.drop(f"{len(container.trailer)} bytes after the end", MAY_SHOW)
    return b""


def bare(data: bytes, name: str) -> Bare:
    """Take the metadata off; animations show their first frame."""
    container = chunks.parse(data, name, frozenset({TRAILING}))
    header = Ihdr.parse(container.chunks[0], name)
    check_pixels(name, header.size)
    samples.check_room(header, container.idat_length, name)
    kept = tuple(c for c in container.chunks if _is_bare(c))
    before = sum(_is_bare(c) for c in container.chunks[: container.idat_at])
    stripped = Container(kept, before, container.pixels, b"").encoded()
    return Bare(stripped, _orientation(container), text.profile(container.chunks))


def _is_bare(chunk: Chunk) -> bool:
    return chunk.type in _BARE and chunk.crc is None


def verify(written: bytes, proof: Proof, name: str) -> None:
    """Hold what was read back against the proof: every chunk, then every sample, exactly.

    Pillow undoes the filters that NumPy made; zlib-ng inflates what libdeflate deflated, and the
    other way round.
    """
    with reading(name):
        container = chunks.parse(written, name)
        around = (container.chunks, container.trailer, container.ended)
        if around != (proof.chunks, proof.trailer, True):
            raise VerificationFailed(name, "the chunks around the pixels are not those meant")
        filtered = proof.inflate(container.idat, samples.length(proof.header), name)
        held = samples.holds(proof.header, filtered, proof.rows)
    if not held:
        raise VerificationFailed(name, "the pixels are not those inside the box")


def _deflated(frame: Frame, header: Ihdr, bytes_per_pixel: float) -> compress.Stream:
    ceiling = bytes_per_pixel * header.size.area * _SIZE_GUARD
    indexed = header.colour == _PALETTE or header.depth < _BYTE
    return compress.deflate(frame, ceiling, indexed=indexed)


def _orientation(container: Container) -> int:
    sound = (c.data for c in container.chunks if c.type == "eXIf" and c.crc is None)
    return exif.read_orientation(next(sound, b"").removeprefix(_EXIF_PREFIX))


def _check_palette(container: Container, header: Ihdr, name: str) -> None:
    palette = [c for c in container.chunks[: container.idat_at] if c.type == "PLTE"]
    if header.colour == _PALETTE and not palette:
        raise CorruptImage(name, "palette colours without a palette")
