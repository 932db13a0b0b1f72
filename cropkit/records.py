"""Frozen values that pass between the stages; pure.

Times are aware UTC datetimes everywhere; a naive one is refused where it enters.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from cropkit.errors import BadDecision, BadSlot
from cropkit.geometry import NO_TURN, NormalizedBox, PixelBox, Size, Turn, iou, largest_edge_shift
from cropkit.straightening import check_inside

EDGE_TOLERANCE = 0.05
SIGNED = "a crop breaks what it signs"  # why content credentials were dropped
NEEDS_ADMINISTRATOR = "needs the administrator"  # why an owner, say, was dropped
_SHA256_DIGITS = 64
_BATCH = "batch of "
_SLOT = re.compile(r"(?:\w(?:[\w .+-]{0,38}\w)?)?")  # '' too: the one crop of an image


class Verdict(StrEnum):
    """A person's choice for one image."""

    ACCEPT = "accept"  # the suggested box as it stood, made to fit its target if it has one
    ADJUSTED = "adjusted"  # a box of the reviewer's own
    KEPT_WHOLE = "kept-whole"  # nothing was suggested, and the whole image is kept
    REJECT = "reject"  # moved out of the way, recoverable
    SKIP = "skip"  # left as it is

    @property
    def keeps_a_box(self) -> bool:
        """Whether the verdict comes with a crop box."""
        return self not in (Verdict.REJECT, Verdict.SKIP)

    @property
    def stored(self) -> "Verdict":
        """As a row of the trail holds it: what is kept whole is told by its box, as ever."""
        return Verdict.ADJUSTED if self is Verdict.KEPT_WHOLE else self


def verdict_of(row: Mapping[str, Any]) -> object:
    """Return the verdict of a decision's row as people read it, whoever wrote the row."""
    edges = tuple(row.get(f"box_{edge}") for edge in ("left", "top", "right", "bottom"))
    is_whole = edges == (0, 0, row.get("width"), row.get("height"))
    untouched = is_whole and row.get("suggestion_source") is None and row.get("turn") is None
    stored = row.get("verdict")
    return Verdict.KEPT_WHOLE.value if stored == Verdict.ADJUSTED and untouched else stored


def check_slot(name: str) -> None:
    """Refuse what cannot be a slot's name: it becomes a part of file names.

    Raises
    ------
    BadSlot
        It is too long, or holds what a file's name may not, or what hides in it.
    """
    if not (isinstance(name, str) and _SLOT.fullmatch(name)):
        raise BadSlot(name, "a part of a file's name is made of it")


KEPT = (Verdict.ACCEPT, Verdict.ADJUSTED, Verdict.KEPT_WHOLE)  # those with a box


class Status(StrEnum):
    """What became of a decision, or of a single crop."""

    WAITING = "waiting"
    CROPPED = "cropped"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    RESTORED = "restored"  # taken back: the file is as it was before
    PURGED = "purged"  # a kept original was removed on purpose
    SUPERSEDED = "superseded"  # a newer decision came before it was carried out
    REFUSED = "refused"
    FAILED = "failed"
    STALE = "stale"  # the file has changed since: nothing failed, it wants another look
    IN_DOUBT = "in-doubt"

    @property
    def is_failure(self) -> bool:
        """Whether it could not be carried out: refused, failed or in doubt; stale is none."""
        return self in (Status.REFUSED, Status.FAILED, Status.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A crop box that somebody proposed for one image, in its normalized upright frame.

    Parameters
    ----------
    source, version : who or what proposes, such as a model and its release
    rank : 0 is the best of an image's suggestions
    confidence : how sure it is, 0 to 1; None where it does not say
    """

    box: NormalizedBox
    source: str
    version: str = ""
    rank: int = 0
    confidence: float | None = None

    @property
    def words(self) -> dict[str, str | int | float | None]:
        """All but the box, as the trail, its tables and the manifest name it."""
        return {
            "suggestion_source": self.source,
            "suggestion_version": self.version,
            "suggestion_rank": self.rank,
            "suggestion_confidence": self.confidence,
        }


class ProblemKind(StrEnum):
    """In which way something was worse than it should be, although the work went on."""

    SUGGESTION = "suggestion"  # one that is there could not be used
    NO_SUGGESTION = "no-suggestion"  # nobody proposed a box
    BOX = "box"  # a crop box was refused
    PREVIEW = "preview"  # an image could not be shown
    FOLDER = "folder"  # one that could not be read: its images are missing
    LISTING = "listing"  # one that was kept could not be used: all folders were listed anew
    DECISION = "decision"  # the row of a decision could not be written, or not be read
    BEAT = "beat"  # a heartbeat was missed
    INTERFACE = "user-interface"  # a callback of the review raised
    DESTINATION = "destination"  # one that is not remembered: moves cannot be undone later
    APPLIER_DIED = "applier-died"  # the process that writes crops ended, and was started again
    NO_LOSSLESS = "no-lossless"  # a JPEG waits, because no libjpeg is there that copies
    ENCODED_ANEW = "encoded-anew"  # a JPEG lost a little, where a crop without loss was asked for
    SALVAGED = "salvaged"  # a damaged file was cropped by what can be read of it
    LEASE = "lease"  # which images somebody else has before them could not be read, or not told
    COMPANION = "companion"  # a file beside a crop says what was true of the whole image

    @property
    def is_harmless(self) -> bool:
        """Whether it is a fact to tell and no degraded operation: nothing is broken."""
        return self is ProblemKind.NO_SUGGESTION


@dataclass(frozen=True, slots=True)
class Problem:
    """Something degraded that a person should see; it is counted, and the work goes on.

    Parameters
    ----------
    kind : or its word; another word is a ValueError, and no-suggestion is not counted
    path : of the file it is about, an image or another one
    reason : in plain words
    """

    kind: ProblemKind
    path: str
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", ProblemKind(self.kind))  # a suggester may write the word


LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True)
class Note:
    """What a person has noted about a crop: a star, one line of text, both or nothing."""

    star: bool = False
    text: str = ""

    @classmethod
    def of(cls, star: object, text: object) -> "Note":
        """Return a note of what somebody says: a line of at most `LONGEST_NOTE` characters."""
        line = text if isinstance(text, str) else ""
        shown = "".join(each if each.isprintable() else " " for each in line[: 2 * LONGEST_NOTE])
        return cls(star is True, " ".join(shown.split())[:LONGEST_NOTE])


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer decided about one image, with all that training and statistics need.

    Parameters
    ----------
    path : relative to the collection, with forward slashes
    sha256 : of the file's bytes as they were shown: other content is never cropped by this decision
    size : upright
    box : upright pixels of `size`; None for reject and skip
    shown : the box that the crop holds by what was shown, larger where a corner has to move out;
        another one is never written by this decision. None where that is not known
    shown_at, decided_at : aware, in UTC
    suggestion : what was proposed; needed to accept it
    destination : folder the crop moves or is copied to, None to stay in place
    slot : which of an image's crops it is about; '' where there is only one
    target : name of the size or ratio that the box was meant for, such as "1024x1024"
    copying : how a copy is made beside the image, as `formats.CopyOptions.text` writes it; None
        where the image itself is cropped
    turn : of what the box holds, when it was cut out; no other box or size here is turned

    Raises
    ------
    BadDecision
        When it does not make sense; nothing is recorded.
    """

    path: str
    sha256: str
    size: Size
    verdict: Verdict
    box: PixelBox | None
    reviewer: str
    session: str
    shown_at: datetime
    decided_at: datetime
    suggestion: Suggestion | None = None
    destination: str | None = None
    shown: PixelBox | None = None
    slot: str = ""
    target: str | None = None
    copying: str | None = None
    turn: Turn = NO_TURN
    id: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        if self.verdict is Verdict.ADJUSTED and self._keeps_whole:
            object.__setattr__(self, "verdict", Verdict.KEPT_WHOLE)
        reason = self._nonsense()
        if reason:
            raise BadDecision(self.path, reason)

    @property
    def _keeps_whole(self) -> bool:
        is_whole = self.suggestion is None and self.box == PixelBox.full(self.size)
        return is_whole and self.turn.is_none

    def _nonsense(self) -> str | None:
        if len(self.sha256) != _SHA256_DIGITS:
            return "no content hash"
        if self.verdict.keeps_a_box is not (self.box is not None):
            return f"{self.verdict} and box {self.box} do not go together"
        if self.box is None and not self.turn.is_none:
            return f"{self.verdict} and the turn {self.turn.text} do not go together"
        if self.box is not None:
            check_inside(self.box, self.size, self.turn)
        if self.verdict is Verdict.ACCEPT and self.suggestion is None:
            return "accepted without a suggestion"
        if self.verdict is Verdict.KEPT_WHOLE and not self._keeps_whole:
            return "kept whole with a box of its own"
        check_slot(self.slot)
        return self._nonsense_of_times()

    def _nonsense_of_times(self) -> str | None:
        if any(t.utcoffset() != UTC.utcoffset(None) for t in (self.shown_at, self.decided_at)):
            return "a time that is not UTC"
        if self.decided_at < self.shown_at:
            return "decided before it was shown"
        return None if self.reviewer and self.session else "no reviewer or session"

    @property
    def at_once(self) -> Status:
        """What becomes of it as soon as it is recorded: what touches no file waits for nobody.

        An image of which copies are made is only read, so that nothing is to be moved away.
        """
        if self.verdict is Verdict.SKIP:
            return Status.SKIPPED
        only_read = self.verdict is Verdict.REJECT and self.copying is not None
        return Status.REJECTED if only_read else Status.WAITING

    @property
    def suggested(self) -> PixelBox | None:
        """The suggestion in pixels of this image."""
        return self.suggestion.box.pixels(self.size) if self.suggestion else None

    @property
    def iou(self) -> float | None:
        """Overlap of the final box with the suggested one, None where either is missing."""
        return iou(self.box, self.suggested) if self.box and self.suggested else None

    @property
    def edges_within_5_percent(self) -> bool | None:
        """Whether all four edges stayed within 5 % of width or height."""
        if not (self.box and self.suggested):
            return None
        return largest_edge_shift(self.box, self.suggested, self.size) <= EDGE_TOLERANCE


@dataclass(frozen=True, slots=True)
class Placement:
    """Where crops go of which no decision says where; as it stands here, they stay in place.

    Parameters
    ----------
    folder : that they go to: relative to the collection where it is inside, else absolute
    copying : as in `Decision`: they are made there as copies; None: images move there
    resize : whether each copy is brought to the size of its target
    """

    folder: str | None = None
    copying: str | None = None
    resize: bool = False

    def of(self, decision: Decision) -> "Placement":
        """Return where the crop of a decision goes: what it says itself counts."""
        if decision.destination is None:
            return self
        return Placement(decision.destination, decision.copying)


@dataclass(frozen=True, slots=True)
class CropResult:
    """The outcome of one operation, as `crop --json` prints it.

    Parameters
    ----------
    path : of the image, as it was asked for
    code, message : of the error, None when it did what was asked
    destination : where the image is now, None when it stayed in place
    operation : its id in the trail
    box_asked, box_applied : upright pixels; a lossless JPEG crop may hold more than was asked for
    sha256_before, sha256_after : of the file's bytes
    kept, patched : what the file holds besides its pixels, unchanged or made to fit the crop
    dropped : pairs of what was left out and the reason
    psnr : in dB, None where the pixels are exactly those of the source
    degraded : in which way the crop is worse than the settings ask for, None where it is not
    stale : files beside the image that are wrong now, as the settings permit
    seconds : that it took
    mode : "in-place", "move" or "copy"; None where nothing was done
    slot : which crop of its image it is; '' where there is only one
    target : name of the size or ratio that the box was meant for
    turn : of what the box holds, in words; '' where there is none
    stood : a copy's name stood for that very copy before
    """

    status: Status
    path: str
    code: str | None = None
    message: str | None = None
    destination: str | None = None
    operation: str | None = None
    box_asked: PixelBox | None = None
    box_applied: PixelBox | None = None
    sha256_before: str | None = None
    sha256_after: str | None = None
    kept: tuple[str, ...] = ()
    patched: tuple[str, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    psnr: float | None = None
    degraded: str | None = None
    stale: tuple[str, ...] = ()
    seconds: float = 0.0
    mode: str | None = None
    slot: str = ""
    target: str | None = None
    turn: str = ""
    stood: bool = False

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return self.code is None

    @property
    def left_beside(self) -> str:
        """What is to be told of each file that is wrong beside the crop."""
        return f"it still speaks of the whole image, beside the crop of {self.path}"

    @property
    def lost_credentials(self) -> bool:
        """Whether content credentials were left out."""
        return are_credentials_lost(self.dropped)


def batch_of(person: str) -> str:
    """Name who decides when a batch crops by suggestions: never mistaken for a person."""
    return f"{_BATCH}{person}"


def is_batch(reviewer: str) -> bool:
    """Whether a decision was made by a batch."""
    return reviewer.startswith(_BATCH)


def are_credentials_lost(dropped: Iterable[Sequence[str]]) -> bool:
    """Whether content credentials are among what was left out, in pairs of item and reason."""
    return any(SIGNED in pair for pair in dropped)
