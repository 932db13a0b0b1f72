"""A new file beside a source that is only read: cropped, in another format or at another size.

What is cropped in its own format and size is cropped as in place, by the room of that format. All
else is decoded, turned upright, resampled and coded anew, and so is what a fine angle turns; the
account names what could not come along. The proof is that of the written format's own room, so
`cropkit.formats.verify` serves both.
"""

from dataclasses import replace

from cropkit import formats
from cropkit.errors import UnsuitableFormat, UnsuitableTurn, UnsupportedImage
from cropkit.formats.account import Account, Candidate
from cropkit.formats.copies import colour, decoding, hidden, sources, writers
from cropkit.formats.copies.pixels import Pixels
from cropkit.formats.copies.resampling import resampled
from cropkit.formats.copies.sources import Source
from cropkit.formats.copies.writers import Work
from cropkit.formats.copy_options import Colour, CopyOptions, Format
from cropkit.formats.decoder_errors import reading
from cropkit.formats.limits import check_pixels
from cropkit.formats.metadata import exif, xmp
from cropkit.formats.metadata.crop_change import Resampling
from cropkit.formats.options import Options
from cropkit.formats.png import metadata
from cropkit.formats.sniff import shown, sniff
from cropkit.geometry import NO_TURN, PixelBox, Turn
from cropkit.straightening import check_inside


def copied(
    data: bytes,
    name: str,
    box: PixelBox | None,
    how: CopyOptions,
    options: Options = Options(),  # noqa: B008  (frozen)
    *,
    turn: Turn = NO_TURN,
) -> Candidate:
    """Make the bytes of a copy, and account for every part of the source.

    The candidate is not proven: write it under a new name, read it back and `verify_copied` that.

    Parameters
    ----------
    box : upright pixels; None for the whole image
    options : how a source is cropped in its own format
    turn : of what the box holds, before it is brought to a size

    Raises
    ------
    Refused
        A leaf that names the file and says why there can be no such copy; nothing was written.
    """
    form = sniff(data, name, options.drop)
    if how.is_faithful(form):
        try:
            return _as_in_place(data, name, box, options, turn)
        except UnsupportedImage:
            if how.format is Format.SAME and not turn.resamples:
                raise
        except UnsuitableTurn:
            if not turn.resamples:
                raise
    wanted = how.coded(form, name)
    with reading(name):
        return _coded_anew(data, name, (box, turn), how, (form, wanted))


def verify_copied(written: bytes, candidate: Candidate, name: str) -> Candidate:
    """Decode what was read back, and hold it against what was meant.

    PNG and lossless WebP have exactly the pixels that were resampled, by other code than wrote
    them; JPEG and lossy WebP lie block by block within what their quantisers allow. Returns the
    candidate, with the loss where decoding has shown it.

    Raises
    ------
    VerificationFailed, LosslessUnavailable, PartMissing
        The candidate is to be discarded; the source was never touched.
    """
    return formats.verify(written, candidate, name)


def _as_in_place(
    data: bytes, name: str, box: PixelBox | None, options: Options, turn: Turn
) -> Candidate:
    image = formats.opened(data, name, options)
    return image.crop(PixelBox.full(image.header.size) if box is None else box, turn)


def _coded_anew(
    data: bytes,
    name: str,
    cut: tuple[PixelBox | None, Turn],
    how: CopyOptions,
    forms: tuple[str, str],
) -> Candidate:
    box, turn = cut
    account = Account(forms[1])
    source = sources.read(data, name, forms[0], account)
    stored, orientation = decoding.decoded(data, name, forms[0], account)
    upright = stored.size.oriented(orientation)
    box = check_inside(PixelBox.full(upright) if box is None else box, upright, turn)
    size = check_pixels(name, how.output(box.size.turned(turn), name))
    way, held = Turn(orientation).then(turn), box.stored(upright, orientation)
    change = Resampling(stored.size, held, way.orientation, size, way.hundredths)
    pixels = stored.cut(held, way.hundredths).upright(way.orientation)
    _tell(forms, change, how, account, turn)
    pixels, source = _coloured(pixels, source, how, name, account)
    _check_light(pixels, how, name)
    pixels = resampled(pixels, size, how.filter, linear_light=how.linear_light)
    pixels, profile = colour.suited(pixels, source.profile, forms[1], name, account)
    source = _renewed(replace(source, profile=profile), change, account, name)
    written, proof = writers.written(Work(pixels, source, how, name, account), forms[1])
    return replace(account.candidate(written, (box, box), proof), resampling=change)


def _tell(
    forms: tuple[str, str], change: Resampling, how: CopyOptions, account: Account, turn: Turn
) -> None:
    if forms[0] != forms[1]:
        account.patch(f"format: {shown(forms[0])}, written as {shown(forms[1])}")
    if not turn.quarters.is_none:
        account.tell_of_turn(change)
    elif change.orientation != 1:
        account.patch("orientation: applied to the pixels")
    account.tell_of_angle(turn)
    crop, size = change.box.size.oriented(change.orientation), change.size
    if crop != size:
        light = ", in linear light" if how.linear_light else ""
        sizes = f"{crop.width}x{crop.height} to {size.width}x{size.height}"
        account.patch(f"size: resampled from {sizes} by {how.filter}{light}")


def _coloured(
    pixels: Pixels, source: Source, how: CopyOptions, name: str, account: Account
) -> tuple[Pixels, Source]:
    """Return pixels and source in the colours that are wanted."""
    profile = colour.carried(pixels, source.profile, account)
    if how.colour is Colour.CARRY:
        return pixels, replace(source, profile=profile)
    after = colour.in_srgb(pixels, profile, name, account)
    said = source.colours if profile is None else ()  # the profile went before these
    for chunk in source.colours[len(said) :]:
        account.drop(chunk.type, "the numbers are those of sRGB now")
    return after, replace(source, profile=None, colours=said)


def _check_light(pixels: Pixels, how: CopyOptions, name: str) -> None:
    if how.linear_light and pixels.mode == "CMYK":
        cure = "have it converted to sRGB, or resampled as it is"
        raise UnsuitableFormat(name, "CMYK", "light", cure)


def _renewed(source: Source, change: Resampling, account: Account, name: str) -> Source:
    """Return the metadata of the new pixels."""
    edit = metadata.Edit(change, Account(account.format), name)  # texts that stay are told later
    source = hidden.without_hidden(source, edit)
    for item, reason in edit.account.dropped:
        account.drop(item, reason)
    block, packet = source.exif, source.xmp
    return replace(
        source,
        exif=None if block is None else exif.renewed(block, change, account, "EXIF"),
        xmp=None if packet is None else xmp.renewed(packet, change, account, "XMP", name),
    )
