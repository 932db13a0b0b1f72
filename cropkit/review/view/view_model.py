"""All that the words over the canvas are made from; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.geometry import Turn
from cropkit.review.keys.keymap import Keymap
from cropkit.review.keys.prompt import Prompt
from cropkit.review.model import ReviewState
from cropkit.review.model.messages import Messages
from cropkit.review.view.layout import PageLayout

if TYPE_CHECKING:
    from cropkit.collection import Counts


@dataclass(frozen=True, slots=True)
class View:
    """The state of everything that is shown.

    Parameters
    ----------
    thumbs : small JPEGs of images that were decided, by path
    within : how many images of the folder at hand are decided, and how many it has
    not_lossless : JPEGs that wait for libjpeg, or lost a little without it
    without_credentials : paths of crops that were made without the content credentials of their
        image
    proposing : what there is to tell of those who propose boxes
    fills : whether the review takes the whole window; None where that cannot be
    tone : how much brighter, or with how much more contrast, pictures are seen than they are
    sought : what is looked for in the sheet of keys
    report : whether the report is wanted before the end
    next_folder : what there is to review after this, known at the end
    outside : the collection, and of how many of its images nobody has decided that are not reviewed
        here, known at the end
    unturnable : of the page, why a file cannot be turned as its image is, and the cure, by path
    levels : by which turns images of the page may be levelled, by path
    hints : of `view.hints`, those that this person has not done yet
    spent : seconds of this sitting that went into deciding
    """

    folder: str
    layout: PageLayout
    session: ReviewState
    counts: "Counts"
    messages: Messages
    acknowledged: bool
    keymap: Keymap
    sheet: bool = False
    prompt: Prompt | None = None
    rate: float | None = None
    thumbs: Mapping[str, bytes] = field(default_factory=dict)
    within: tuple[int, int] = (0, 0)
    not_lossless: int = 0
    without_credentials: frozenset[str] = frozenset()
    proposing: tuple[str, ...] = ()
    fills: bool | None = None
    tone: str = ""
    sought: str = ""
    report: bool = False
    spent: float = 0.0
    hints: frozenset[str] = frozenset()
    next_folder: Path | None = None
    outside: tuple[Path, int] | None = None
    unturnable: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, Turn] = field(default_factory=dict)

    @property
    def kept_whole(self) -> int:
        """How many images are kept whole that had no suggestion: no crop of them was made."""
        return len(self.session.images.outcomes.whole)

    @property
    def written(self) -> int:
        """How many crops were made; a copy of a whole image is one."""
        return self.counts.written - (0 if self.session.copies else self.kept_whole)

    @property
    def troubles(self) -> tuple[tuple[str, int], ...]:
        """What went wrong, each kind by its own word: how many images."""
        return (
            ("failed", self.counts.failed),
            ("changed since shown", self.counts.stale),
            ("no crop", len(self.session.broken)),
            ("not lossless", self.not_lossless),
        )
