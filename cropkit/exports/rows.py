"""What is exported: decisions in force, or crops that stand, one row after the other.

Rows are read as they are asked for, and may be gone through again: what comes meanwhile is not
among them. What a format leaves out is counted by reason, anew each time they are gone through.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from cropkit.audit.decisions import InForce, Slot
from cropkit.audit.reader import TrailReader
from cropkit.errors import TrailDisagrees
from cropkit.exports.registry import Options
from cropkit.geometry import PixelBox, Size
from cropkit.records import Decision

T = TypeVar("T")
NOT_READABLE = "its row cannot be read"
OTHER_SIZE = "decided when its image had another size"
NO_BOX = "no box"
STRAIGHTENED = "turned by a fine angle, which is no upright box"
LEADS_OUT = "no name beneath a folder"
TAKEN = "another image has the name of its file"
OTHER_SLOT = "of another slot"
ELSEWHERE = "its file is not beneath the folder"


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows come from, and go to.

    Parameters
    ----------
    root : of the collection, to which paths of images are relative
    out : file or folder that is written
    """

    root: Path
    out: Path
    options: Options


class Rows(ABC, Generic[T]):
    """Rows to be written, and the count of what is left out."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.written, self.before_crop = 0, 0
        self.left_out: Counter[str] = Counter()
        self.lost: list[str] = []

    def __iter__(self) -> Iterator[T]:
        self.written, self.before_crop = 0, 0
        self.left_out.clear()
        self.lost.clear()
        for row in self._each():
            self.written += 1
            self.before_crop += has_left(row)
            yield row

    @abstractmethod
    def _each(self) -> Iterator[T]:
        """Yield rows, and count what is left out."""

    def lose(self, error: TrailDisagrees) -> None:
        """Keep why a row cannot be read, and count it."""
        self.lost.append(str(error))
        self.left_out[NOT_READABLE] += 1

    def leave_out(self, row: T, why: str) -> None:
        """Count a row that was given out, and cannot be written."""
        self.written -= 1
        self.before_crop -= has_left(row)
        self.left_out[why] += 1


def has_left(row: object) -> bool:
    """Whether the image of a row has not the size any more that its box is in."""
    return isinstance(row, InForce) and row.has_left


class Decisions(Rows[InForce]):
    """The decisions in force, of each image and slot the latest that nobody took back, by name."""

    def __init__(self, place: Place, trail: TrailReader) -> None:
        super().__init__(place)
        self._trail, self._numbers = trail.decisions, trail.decisions.in_force()
        self._notes = trail.notes()

    def _each(self) -> Iterator[InForce]:
        for row in self._trail.numbered(self._numbers):
            if isinstance(row, TrailDisagrees):
                self.lose(row)
            elif why := self._why_not(row.decision):
                self.left_out[why] += 1
            else:
                about = Slot(row.decision.path, row.decision.slot)
                yield row._replace(note=self._notes.get(about, row.note))

    def _why_not(self, decision: Decision) -> str:
        options = self.place.options
        if decision.verdict not in options.verdicts:
            return decision.verdict.value
        return "" if options.slot in (None, decision.slot) else OTHER_SLOT


class Crops(Rows[Mapping[str, Any]]):
    """The crops that stand, newest first, each a row of the manifest."""

    def __init__(self, place: Place, trail: TrailReader) -> None:
        super().__init__(place)
        self._trail = trail

    def _each(self) -> Iterator[Mapping[str, Any]]:
        from cropkit.engine import manifest  # noqa: PLC0415  (decisions need none of it)

        folder = self.place.out.parent.resolve()
        for row in manifest.rows(self._trail, self.place.root, folder, self.lose):
            if why := self._why_not(row):
                self.left_out[why] += 1
            else:
                yield row

    def _why_not(self, row: Mapping[str, Any]) -> str:
        options = self.place.options
        if options.slot not in (None, row["slot"] or ""):
            return OTHER_SLOT
        return ELSEWHERE if options.beneath and str(row["crop"]).startswith("/") else ""


class Image(NamedTuple):
    """An image, and the decisions about it, in the order of slots.

    Parameters
    ----------
    size : upright, as it was when it was decided about last
    """

    path: str
    size: Size
    rows: list[InForce]


class Boxed(NamedTuple):
    """A decision's box."""

    decision: Decision
    box: PixelBox


def by_image(rows: Decisions, *, boxed: bool = False, rotated: bool = False) -> Iterator[Image]:
    """Yield images with the decisions about them, by name.

    What was decided when the image had another size is left out: an image has one.

    Parameters
    ----------
    boxed : leave out what has no box, too; the image comes all the same
    rotated : keep boxes that a fine angle turns, for which most forms have no place
    """
    for path, of_image in groupby(rows, key=lambda row: row.decision.path):
        each = list(of_image)
        size = max(each, key=lambda row: row.decision.decided_at).decision.size
        kept = []
        for row in each:
            if row.decision.size != size:
                rows.leave_out(row, OTHER_SIZE)
            elif row.decision.turn.resamples and not rotated:
                rows.leave_out(row, STRAIGHTENED)
            elif boxed and row.decision.box is None:
                rows.leave_out(row, NO_BOX)
            else:
                kept.append(row)
        yield Image(path, size, kept)


def leave_out_image(rows: Decisions, image: Image, why: str) -> None:
    """Count all decisions about an image as left out."""
    for row in image.rows:
        rows.leave_out(row, why)


def boxes(image: Image) -> Iterator[Boxed]:
    """Yield the boxes of an image."""
    for row in image.rows:
        if row.decision.box is not None:
            yield Boxed(row.decision, row.decision.box)


def category(decision: Decision) -> str:
    """Return what a crop is called where boxes have classes: its slot, its target, or "crop"."""
    return decision.slot or decision.target or "crop"


def categories(rows: Decisions) -> list[str]:
    """Return what the crops are called, each once and in order; goes through all rows."""
    return sorted({category(row.decision) for row in rows if row.decision.box is not None})
