"""JPEG: segments spliced around coefficients that are copied, or pixels that are encoded anew."""

from dataclasses import dataclass, replace

from cropkit.errors import CorruptImage, GainMap, LosslessUnavailable, UnsupportedDepth
from cropkit.formats.account import Account, Bare, Candidate, Header, Readable
from cropkit.formats.jpeg import (
    gain_map,
    lossless,
    metadata,
    pixels,
    reencode,
    second_pictures,
    segments,
)
from cropkit.formats.jpeg.gain_map import Family
from cropkit.formats.jpeg.segments import Jpeg
from cropkit.formats.limits import check_pixels
from cropkit.formats.metadata.crop_change import SHOWS_MORE
from cropkit.formats.options import GAIN_MAP, MOTION, Options
from cropkit.formats.options import Jpeg as Mode
from cropkit.formats.rotation import REACH
from cropkit.geometry import PixelBox, Turn
from cropkit.lossless.process import CannotCopy, Ended, TookTooLong
from cropkit.straightening import around

Proof = reencode.Proof | lossless.Proof


@dataclass(frozen=True, slots=True)
class OpenedJpeg:
    """A JPEG taken apart; ``video`` is how many bytes of a motion photo were left out.

    ``readable`` is what there is of a damaged one, None where all is there.
    """

    jpeg: Jpeg
    header: Header
    options: Options
    family: Family | None = None
    video: int = 0
    readable: Readable | None = None

    def crop(self, box: PixelBox, turn: Turn) -> Candidate:
        """Crop to an upright box; see `cropkit.formats.Opened.crop`.

        A file that libjpeg cannot copy has its pixels encoded anew, in the same box, and the
        candidate says so; so has every file while no libjpeg is to be had, where the options allow
        that.
        """
        jpeg, header, drop = self.jpeg, self.header, self.options.drop
        boxes = (box, box.stored(header.size, header.orientation))
        if self.readable:
            read = around(box, header.size, turn, beyond=REACH) if turn.resamples else box
            stored = read.stored(header.size, header.orientation)
            self.readable.check(stored, header, jpeg.name)
        if self.options.jpeg is Mode.EXACT:
            account, change = Account("jpeg"), header.change(boxes[1], turn)
            account.tell_of_angle(turn)
            return self._told(reencode.crop(jpeg, box, change, account, drop))
        try:
            if self.family:
                return self._told(gain_map.crop(self.family, header, boxes, drop, turn))
            account = Account("jpeg")
            return self._told(lossless.crop(jpeg, header, boxes, account, drop, turn=turn))
        except TookTooLong as error:
            raise CorruptImage(jpeg.name, f"decoding it: {error}") from error
        except CannotCopy as error:
            return self._anew(boxes, turn, error)
        except Ended as error:
            if self.options.jpeg is Mode.LOSSLESS:
                raise LosslessUnavailable(jpeg.name, error) from error
            return self._anew(boxes, turn, error)

    def _anew(self, boxes: tuple[PixelBox, PixelBox], turn: Turn, why: Ended) -> Candidate:
        """Encode the box anew that a lossless crop would hold: it is the one that was shown."""
        if self.family:
            raise GainMap(self.jpeg.name, f"gain map, beside what cannot be copied: {why}")
        stored = self.header.snapped(boxes[1], turn)
        change = self.header.change(stored, turn)
        applied = stored.upright(self.jpeg.size, self.header.orientation)
        account = Account("jpeg")
        account.patch(f"pixels: encoded anew, they cannot be copied: {why}")
        candidate = reencode.crop(self.jpeg, applied, change, account, self.options.drop)
        degraded = f"encoded anew, it could not be cropped without loss: {why}"
        return self._told(replace(candidate, box_asked=boxes[0], degraded=degraded))

    def _told(self, candidate: Candidate) -> Candidate:
        """Tell of a video that was left out when the file was opened, and of what is damaged."""
        if self.readable:  # the damage lies beyond the box
            patched = (i for i in candidate.patched if not i.startswith(lossless.DAMAGED))
            candidate = self.readable.told(replace(candidate, patched=tuple(patched)))
        if not self.video:
            return candidate
        gone = (f"video of the motion photo, {self.video} bytes", SHOWS_MORE)
        return replace(candidate, dropped=(*candidate.dropped, gone))


def opened(data: bytes, name: str, options: Options) -> OpenedJpeg:
    """Take the file apart; see `cropkit.formats.opened`."""
    parsed = segments.parse(data, name)
    jpeg = second_pictures.without_video(parsed) if MOTION in options.drop else parsed
    video = len(parsed.trailer) - len(jpeg.trailer)
    check_pixels(name, jpeg.size)
    segments.check_scans(jpeg)
    jpeg.check_coding()
    drops = options.jpeg is Mode.EXACT or GAIN_MAP in options.drop
    together = None if drops else gain_map.family(jpeg, options.drop, motion=video > 0)
    metadata.refuse(jpeg, options.drop, paired=together is not None, signs=options.signs)
    if len(jpeg.components) not in pixels.MODES:
        raise UnsupportedDepth(name, f"a JPEG of {len(jpeg.components)} components")
    readable = lossless.check_whole(jpeg, salvage=options.salvage)
    header = _header(jpeg)
    if together:
        header = replace(header, grid=together.grid, step=together.step)
    return OpenedJpeg(jpeg, header, options, together, video, readable)


def verify(written: bytes, proof: Proof, name: str) -> None:
    """Hold what was read back against the proof; see `cropkit.formats.verify`."""
    if isinstance(proof, lossless.Proof):
        lossless.verify(written, proof, name)
    else:
        reencode.verify(written, proof, name)


def bare(data: bytes, name: str) -> Bare:
    """Take the metadata off; animations and second pictures do not matter here."""
    jpeg = segments.parse(data, name)
    check_pixels(name, jpeg.size)
    segments.check_scans(jpeg)
    return Bare(pixels.bare(jpeg), metadata.orientation(jpeg), metadata.profile(jpeg))


def _header(jpeg: Jpeg) -> Header:
    orientation = metadata.orientation(jpeg)
    size = jpeg.size.oriented(orientation)
    return Header("jpeg", size, orientation, lossless.grid(jpeg))
