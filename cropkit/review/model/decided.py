"""What is decided about an image, and what is changed about it before that: frozen values."""

from dataclasses import dataclass
from enum import StrEnum

from cropkit.geometry import PixelBox, Size
from cropkit.records import Status, Suggestion, Verdict


class Mark(StrEnum):
    """What the reviewer has marked an image for."""

    KEEP = "keep"
    REJECT = "reject"
    SKIP = "skip"
    LATER = "later"  # in the grid: not decided with the others, but looked at closely


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
