"""Files beside an image that speak of its pixels: what they have to say when it is cropped; pure.

World files, GDAL's auxiliary files, YOLO's boxes and sidecars of XMP are of a form that is plain,
and are written anew. Overviews show the old frame. Other labels, and masks, are recognised and left
to the caller: a crop would make them wrong.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from cropkit.errors import Refused
from cropkit.formats.account import Account
from cropkit.formats.metadata import xmp
from cropkit.formats.metadata.crop_change import SHOWS_MORE, Change, Resampling
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn

LARGEST = 1 << 24  # bytes of a companion that is looked into
_WORLD = re.compile(
    r"\.(?:tfw|tifw|tiffw|jgw|jpgw|jpegw|pgw|pngw|bpw|bmpw|gfw|gifw|wpw|webpw|wld)\Z", re.IGNORECASE
)
# In one way only: digits that may be split in two would be split in all ways, in every number.
_NUMBER = r"[+-]?+(?:\d{1,40}+(?:\.\d{0,40}+)?+|\.\d{1,40}+)(?:[eE][+-]?+\d{1,3}+)?+"
_WORLD_LINES = re.compile(rf"\s*+{_NUMBER}(?:\s++{_NUMBER}){{5}}\s*+\Z")
_GEO_TRANSFORM = re.compile(rb"(<GeoTransform>)([^<]{1,400})(</GeoTransform>)")
_CONTROL_POINT = re.compile(
    rb'(<GCP\b[^<>]{0,400}\bPixel=")([^"<>]{1,60})("[^<>]{0,400}\bLine=")([^"<>]{1,60})(")'
)
# What GDAL has counted over the whole image.
_STATISTIC = re.compile(rb'<MDI key="STATISTICS_[^<>]*>[^<]*</MDI>\s*')
_HISTOGRAMS = (b"<Histograms>", b"</Histograms>")
_YOLO = re.compile(rf"\d{{1,6}}(?:\s++{_NUMBER}){{4,5}}\s*+\Z")
_LONGER_YOLO = re.compile(rf"\d{{1,6}}(?:\s++{_NUMBER}){{6,4000}}\s*+\Z")
_LABELS = (b'"shapes"', b'"annotations"', b"<bndbox>", b"<polygon>", b'"regions"', b'"keypoints"')


class Outcome(StrEnum):
    """What becomes of a companion."""

    KEPT = "kept"
    PATCHED = "patched"
    DROPPED = "dropped"  # it shows what was cropped out
    WRONG = "wrong"  # it speaks of the old frame, in a form that is not written here


@dataclass(frozen=True, slots=True)
class Frame:
    """A crop as its companions have to know it.

    Parameters
    ----------
    stored : size of the image as it was stored
    box : the upright box that the crop holds
    size : of a new file, upright, whose pixels are turned upright; None where they stay as stored
    turn : of what the box holds, before it is brought to that size
    """

    stored: Size
    orientation: int
    box: PixelBox
    size: Size | None = None
    turn: Turn = NO_TURN

    @property
    def change(self) -> Change:
        """The crop, in stored pixels."""
        upright = self.stored.oriented(self.orientation)
        box = self.box.stored(upright, self.orientation)
        if self.size is None:
            return Change(self.stored, box)
        way = self._way
        return Resampling(self.stored, box, way.orientation, self.size, way.hundredths)

    @property
    def _way(self) -> Turn:
        """How stored pixels are turned for the new file."""
        return Turn(self.orientation).then(self.turn)

    @property
    def is_turned(self) -> bool:
        """Whether rows and columns are others than they were stored as."""
        return self.size is not None and not self._way.is_none

    @property
    def steps(self) -> tuple[float, float]:
        """How many old pixels a new one is wide and high."""
        crop = self.box.size.turned(self.turn)
        size = self.size or crop
        return crop.width / size.width, crop.height / size.height


@dataclass(frozen=True, slots=True)
class Followed:
    """What a companion is after a crop; `data` is None where it is to be left out.

    ``notes`` say what was left out of it.
    """

    outcome: Outcome
    data: bytes | None
    notes: tuple[str, ...] = ()


def followed(name: str, data: bytes, frame: Frame) -> Followed:
    """Return what a companion of a cropped image has to say.

    A file of which nothing here knows that it speaks of pixels is kept as it is.
    """
    if len(data) > LARGEST:
        return unread(name, frame)
    rule = _rule(name)
    if rule is None or frame.change.is_none:
        return Followed(Outcome.KEPT, data)
    return rule(name, data, frame)


def unread(name: str, frame: Frame) -> Followed:
    """Return what becomes of a companion that is too large to be looked into."""
    rule = _rule(name)
    if rule is _overview and not frame.change.is_none:
        return rule(name, b"", frame)
    is_kept = rule is None or frame.change.is_none
    return Followed(Outcome.KEPT if is_kept else Outcome.WRONG, None)


def _rule(name: str) -> "_Rule | None":
    return next((rule for ends, rule in _RULES.items() if re.search(ends, name.lower())), None)


def _written(before: bytes, after: bytes, *notes: str) -> Followed:
    return Followed(Outcome.KEPT if before == after else Outcome.PATCHED, after, notes)


def _world_file(_name: str, data: bytes, frame: Frame) -> Followed:
    """Move the place of the first pixel (ESRI's world file): scales and turns stay."""
    text = data.decode("latin-1")
    if not _WORLD_LINES.match(text) or frame.is_turned:
        return Followed(Outcome.WRONG, data)
    words = text.split()
    a, d, b, e, c, f = map(float, words)
    across, down = frame.steps
    # it is the middle of the first pixel that is placed
    x = frame.change.box.left + (across - 1) / 2
    y = frame.change.box.top + (down - 1) / 2
    words[4:] = [repr(c + a * x + b * y), repr(f + d * x + e * y)]
    if across != 1 or down != 1:
        words[:4] = [repr(a * across), repr(d * across), repr(b * down), repr(e * down)]
    lines = [line for line in text.splitlines(keepends=True) if line.strip()]
    if len(lines) != len(words):
        return _written(data, ("\n".join(words) + "\n").encode())
    after = "".join(
        line.replace(line.strip(), word) for line, word in zip(lines, words, strict=True)
    )
    return _written(data, after.encode("latin-1"))


def _auxiliary(_name: str, data: bytes, frame: Frame) -> Followed:
    """Move what ties pixels to the ground, and cut out what was counted (GDAL's PAM)."""
    left, top = frame.change.box.left, frame.change.box.top
    across, down = frame.steps

    def tied(match: re.Match[bytes]) -> bytes:
        words = match[2].decode("latin-1").split(",")
        if len(words) != 6 or not all(re.fullmatch(rf"\s*{_NUMBER}\s*", w) for w in words):  # noqa: PLR2004  (of an affine transform)
            raise ValueError
        x, xx, xy, y, yx, yy = map(float, words)
        words[0], words[3] = repr(x + xx * left + xy * top), repr(y + yx * left + yy * top)
        if across != 1 or down != 1:
            words[1:3], words[4:] = _scaled(xx, xy, frame), _scaled(yx, yy, frame)
        return match[1] + ",".join(words).encode() + match[3]

    def point(match: re.Match[bytes]) -> bytes:
        pixel, line = (float(match[2]) - left) / across, (float(match[4]) - top) / down
        return b"%b%b%b%b%b" % (match[1], _said(pixel), match[3], _said(line), match[5])

    without = _STATISTIC.sub(b"", _without(data, *_HISTOGRAMS))
    try:
        after = _CONTROL_POINT.sub(point, _GEO_TRANSFORM.sub(tied, without))
    except ValueError:
        return Followed(Outcome.WRONG, data)
    if frame.is_turned and after != without:
        return Followed(Outcome.WRONG, data)
    notes = ("statistics of the whole image",) if without != data else ()
    return _written(data, after, *notes)


def _scaled(across: float, down: float, frame: Frame) -> list[str]:
    """Return two steps on the ground, of a column and a row, for the new pixels."""
    return [repr(across * frame.steps[0]), repr(down * frame.steps[1])]


def _without(data: bytes, begin: bytes, end: bytes) -> bytes:
    """Cut out what stands between a beginning and the next end, with both."""
    kept, at = list[bytes](), 0
    while (start := data.find(begin, at)) >= 0 and (stop := data.find(end, start)) >= 0:
        kept.append(data[at:start])
        at = stop + len(end)
    return b"".join([*kept, data[at:]])


def _said(number: float) -> bytes:
    return repr(number).encode()


def _overview(_name: str, _data: bytes, _frame: Frame) -> Followed:
    return Followed(Outcome.DROPPED, None, (SHOWS_MORE,))


def _sidecar(name: str, data: bytes, frame: Frame) -> Followed:
    account = Account("xmp")
    try:
        after = xmp.restated(data, frame.change, account, "XMP", name)
    except Refused:
        return Followed(Outcome.WRONG, data)
    notes = tuple(f"{item}: {reason}" for item, reason in account.dropped)
    return _written(data, after, *notes) if after else Followed(Outcome.DROPPED, None, notes)


def _labels(_name: str, data: bytes, frame: Frame) -> Followed:
    """Move YOLO's boxes; other labels are recognised, and are not written here."""
    text = data.decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and all(_YOLO.match(line.strip()) for line in lines):
        return _boxes(data, lines, frame)
    longer = bool(lines) and all(_LONGER_YOLO.match(line.strip()) for line in lines)
    is_wrong = longer or any(word in data for word in _LABELS)
    return Followed(Outcome.WRONG if is_wrong else Outcome.KEPT, data)


def _boxes(data: bytes, lines: list[str], frame: Frame) -> Followed:
    """Write YOLO's boxes anew: class, centre and size in shares of the upright image."""
    moved = [_box(line.split(), frame) for line in lines]
    after = "".join(f"{line}\n" for line in moved if line is not None)
    outside = moved.count(None)
    notes = (f"{outside} boxes that were cropped out",) if outside else ()
    return _written(data, after.encode(), *notes)


def _box(words: list[str], frame: Frame) -> str | None:
    upright = frame.stored.oriented(frame.orientation)
    x, y, width, height = map(float, words[1:5])
    wide, high = width * upright.width, height * upright.height
    area = (x * upright.width - wide / 2, y * upright.height - high / 2, wide, high)
    sides = frame.box.size.turned(frame.turn)
    turn = frame.turn
    change = Resampling(upright, frame.box, turn.orientation, sides, turn.hundredths)
    shown = change.placed(area)
    if shown is None:
        return None
    left, top, wide, high = shown
    centre = ((left + wide / 2) / sides.width, (top + high / 2) / sides.height)
    numbers = (*centre, wide / sides.width, high / sides.height)
    return " ".join([words[0], *(f"{number:.6f}" for number in numbers), *words[5:]])


def names(image: str) -> Iterator[str]:
    """Yield the names of files that follow an image by their names, for one as it is called.

    World files are called by the first and last letter of the suffix, a `w`, or by all of it.
    """
    path = PurePosixPath(image)
    stem, suffix = path.stem, path.suffix.removeprefix(".")
    for end in dict.fromkeys((_short(suffix), f"{suffix}w", "wld", "xmp", "txt", "json", "xml")):
        yield f"{stem}.{end}"
    for end in ("aux.xml", "ovr", "msk", "xmp"):
        yield f"{path.name}.{end}"


def is_of_name(companion: str, image: str) -> bool:
    """Whether a companion is called by an image's whole name, and so belongs to no other one."""
    return companion.lower().startswith(f"{image.lower()}.")


def renamed(companion: str, image: str, to: str) -> str:
    """Return what a companion of an image is called beside an image of another name.

    World files are called by the suffix of their image, which may be another one now.
    """
    if is_of_name(companion, image):
        return to + companion[len(image) :]
    end = PurePosixPath(companion).suffix
    old, new = (PurePosixPath(each).suffix.removeprefix(".") for each in (image, to))
    if old.lower() != new.lower() and _WORLD.search(companion) and end.lower() != ".wld":
        is_short = end.lower() == f".{_short(old)}".lower()
        end = f".{_short(new) if is_short else f'{new}w'}"
    return PurePosixPath(to).stem + end


def _short(suffix: str) -> str:
    """Return the short suffix of a world file: first and last letter of the image's, and a `w`."""
    return f"{suffix[:1]}{suffix[-1:]}w"


_Rule = Callable[[str, bytes, Frame], Followed]


def _wrong(_name: str, data: bytes, _frame: Frame) -> Followed:
    return Followed(Outcome.WRONG, data)


_RULES: Mapping[str, _Rule] = {
    _WORLD.pattern: _world_file,
    r"\.aux\.xml\Z": _auxiliary,
    r"\.ovr\Z": _overview,
    r"\.msk\Z": _wrong,
    r"\.xmp\Z": _sidecar,
    r"\.(?:json|xml|txt)\Z": _labels,
}
