"""What is decided about an image, and what is changed about it before that: frozen values.

Boxes and sizes here are those of the image before it is turned, as the trail has them; what is on
the page (`state.Open`) has them as they are seen.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.records import Status, Suggestion, Verdict


class Mark(StrEnum):
    """What the reviewer has marked an image for."""

    KEEP = "keep"
    REJECT = "reject"
    SKIP = "skip"
    LATER = "later"  # in the grid: not decided with the others, but looked at closely


class Cut(NamedTuple):
    """What is kept of an image, and how that is turned.

    Parameters
    ----------
    size : of the image
    """

    box: PixelBox
    size: Size
    turn: Turn = NO_TURN

    @property
    def seen(self) -> PixelBox:
        """The box in the image as it is seen with the turn."""
        return self.box if self.turn.is_none else self.box.turned(self.size, self.turn)

    def of(self, size: Size) -> "Cut":
        """Return the same of an image of that size: the same part, where it is another one."""
        if size == self.size:
            return self
        return Cut(self.box.normalized(self.size).pixels(size), size, self.turn)


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision that stands for an image; no verdict where it was cropped outside a review.

    It is `Standing` without the database, which this pure model may not import: no row's ids, but
    also what no row tells.
    """

    verdict: Verdict | None
    status: Status
    box: PixelBox | None = None
    reason: str = ""
    target: str = ""
    turn: Turn = NO_TURN

    @property
    def draft(self) -> "Draft":
        """What an image begins with whose decision is taken back."""
        return Draft(None, self.box, turn=self.turn)

    @property
    def is_whole(self) -> bool:
        """Whether the whole image is kept, where nothing was suggested: no crop was made."""
        return self.verdict is Verdict.KEPT_WHOLE and self.status is Status.CROPPED


@dataclass(frozen=True, slots=True)
class Draft:
    """What was changed about an image that is not decided yet; no candidate: the first."""

    sha256: str | None
    box: PixelBox | None
    mark: Mark = Mark.KEEP
    candidate: int | None = None
    turn: Turn = NO_TURN


@dataclass(frozen=True, slots=True)
class DraftDecision:
    """A decision without clock, names and id, which the controller adds."""

    path: str
    sha256: str
    size: Size
    verdict: Verdict
    box: PixelBox | None
    suggestion: Suggestion | None
    target: str | None = None
    turn: Turn = NO_TURN
