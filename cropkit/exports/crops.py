"""What the formats of training sets have in common: crops that stand, their files and captions."""

import errno
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cropkit.exports.files import mirrored
from cropkit.exports.rows import ELSEWHERE, LEADS_OUT, NOT_READABLE, Crops
from cropkit.geometry import PixelBox, Size, Turn
from cropkit.names import escaped
from cropkit.targets import Conditioning, conditioning
from cropkit.verification.claims import CAPTIONS

GONE = "its file is not there"
NOT_UTF8 = "its name is not UTF-8"
NOT_READ = "a format that the trainer does not read"
_LARGEST_CAPTION = 1 << 20  # bytes
_ODD = re.compile(r"[^\w.+-]+")
_LONGEST = 80  # characters of a group's name


@dataclass(frozen=True, slots=True)
class Crop:
    """A crop that stands.

    Parameters
    ----------
    file, caption : in full; the caption is the `.txt` or `.caption` that is there now
    size : of the crop as a person sees it
    told : what SDXL is told of it; None where its image's size is not known
    row : of the manifest
    """

    file: Path
    caption: Path | None
    size: Size
    told: Conditioning | None
    row: Mapping[str, Any]

    @property
    def group(self) -> str:
        """Its slot, or "crop", and its target: crops of one group are trained on together."""
        names = (self.row["slot"] or "crop", self.row["target"])
        return _ODD.sub("_", "-".join(filter(None, names)))[:_LONGEST]

    @property
    def text(self) -> str:
        """What its caption says, in one line's beginning and end without blanks; '' for none."""
        if self.caption is None:
            return ""
        with self.caption.open("rb") as file:
            return file.read(_LARGEST_CAPTION).decode("utf-8", "replace").strip()


def each_crop(rows: Crops, suffixes: Container[str] | None = None) -> Iterator[Crop]:
    """Yield the crops whose files are there, newest first; the others are left out.

    Parameters
    ----------
    suffixes : of files that are read by whom they are for; None: all
    """
    folder = rows.place.out.parent.resolve()
    for row in rows:
        file = folder / row["crop"]
        why = "" if suffixes is None or file.suffix.lower() in suffixes else NOT_READ
        why = why if _is_plain(file) else GONE
        if why:
            rows.leave_out(row, why)
            continue
        try:
            crop = Crop(file, _caption(file), _size(row), _told(row), row)
        except (TypeError, ValueError):  # a row may be anybody's
            rows.leave_out(row, NOT_READABLE)
        else:
            yield crop


def _caption(crop: Path) -> Path | None:
    """Return the caption beside a crop; where a row says it is, is nobody's to say."""
    beside = (crop.with_suffix(suffix) for suffix in CAPTIONS)
    return next(filter(_is_plain, beside), None)


def _is_plain(file: Path) -> bool:
    try:
        return file.is_file() and not file.is_symlink()
    except OSError as error:  # a name that no file can have is the name of none
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


def each_beneath(rows: Crops) -> Iterator[tuple[str, Crop]]:
    """Yield crops that lie beneath the folder of the file that is written, with their names there.

    The others are left out, and so are those whose names are not UTF-8.
    """
    folder = rows.place.out.parent.resolve()
    for crop in each_crop(rows):
        if not crop.file.is_relative_to(folder):
            rows.leave_out(crop.row, ELSEWHERE)
            continue
        name = str(crop.file.relative_to(folder))
        if mirrored(name, "") is None:
            rows.leave_out(crop.row, LEADS_OUT)
        elif escaped(name) != name:
            rows.leave_out(crop.row, NOT_UTF8)
        else:
            yield name, crop


def _size(row: Mapping[str, Any]) -> Size:
    if row["crop_width"] is None:
        return PixelBox(*row["box_applied"]).size.turned(_turn(row))
    return Size(row["crop_width"], row["crop_height"])


def _told(row: Mapping[str, Any]) -> Conditioning | None:
    turn = _turn(row)
    if row["upright_width"] is None or turn.resamples:  # whose corner is no pair of pixels
        return None
    image, box = Size(row["upright_width"], row["upright_height"]), PixelBox(*row["box_applied"])
    return conditioning(image.turned(turn), box.turned(image, turn), _size(row))


def _turn(row: Mapping[str, Any]) -> Turn:
    return Turn.from_text(row["turn"] or "")
