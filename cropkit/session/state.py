"""What a review is at one moment: frozen values, one class for each state of an image."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from cropkit.geometry import PixelBox, Size
from cropkit.records import Status, Suggestion, Verdict

FAILED = frozenset({Status.REFUSED, Status.FAILED, Status.IN_DOUBT})


class Mark(StrEnum):
    """What the reviewer has marked an image for."""

    KEEP = "keep"
    REJECT = "reject"
    SKIP = "skip"


class AspectLock(StrEnum):
    """Whose aspect ratio a resized box holds."""

    FREE = "free"
    BOX = "box"
    IMAGE = "image"


_MARKED_VERDICT = {Mark.REJECT: Verdict.REJECT, Mark.SKIP: Verdict.SKIP}


@dataclass(frozen=True, slots=True)
class Settled:
    """The decision that stands for an image; no verdict where it was cropped outside a review."""

    verdict: Verdict | None
    status: Status
    box: PixelBox | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Loading:
    """Not read yet."""

    path: str


@dataclass(frozen=True, slots=True)
class Restoring:
    """Its decision is being undone; it is shown again when its file is back."""

    path: str


@dataclass(frozen=True, slots=True)
class Broken:
    """It could not be shown: no decision about it is taken."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """Decided, now or earlier."""

    path: str
    settled: Settled
    size: Size | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """Shown and waiting for the reviewer."""

    path: str
    sha256: str
    size: Size
    suggestions: tuple[Suggestion, ...]
    box: PixelBox
    mark: Mark = Mark.KEEP
    ratio: float | None = None

    @property
    def suggestion(self) -> Suggestion | None:
        """The suggestion that is offered."""
        return self.suggestions[0] if self.suggestions else None

    @property
    def offered(self) -> PixelBox:
        """The suggested box, or the full image where there is none."""
        return self.suggestion.box.pixels(self.size) if self.suggestion else full(self.size)

    @property
    def verdict(self) -> Verdict:
        """What accepting it would say."""
        if self.mark is not Mark.KEEP:
            return _MARKED_VERDICT[self.mark]
        kept = self.suggestion is not None and self.box == self.offered
        return Verdict.ACCEPT if kept else Verdict.ADJUSTED


Entry = Loading | Restoring | Broken | Done | Open
full = PixelBox.full


@dataclass(frozen=True, slots=True)
class Draft:
    """What was changed about an image that is not decided yet."""

    sha256: str | None
    box: PixelBox | None
    mark: Mark = Mark.KEEP


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision without clock, names and id, which the shell adds."""

    path: str
    sha256: str
    size: Size
    verdict: Verdict
    box: PixelBox | None
    suggestion: Suggestion | None


@dataclass(frozen=True, slots=True)
class Session:
    """The whole review. Mappings are never changed in place."""

    paths: tuple[str, ...]
    per_page: int = 3
    page: int = 0
    chosen: int = 0
    lock: AspectLock = AspectLock.FREE
    ended: bool = False
    entries: tuple[Entry, ...] = ()
    settled: Mapping[str, Settled] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    drafts: Mapping[str, Draft] = field(default_factory=dict)
    restoring: Mapping[str, Settled] = field(default_factory=dict)
    undo: tuple[str, ...] = ()
    elsewhere: int = 0

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(1, -(-len(self.paths) // self.per_page))

    @property
    def ready(self) -> bool:
        """Whether every image of the page has arrived, one way or the other."""
        return not any(isinstance(e, Loading | Restoring) for e in self.entries)

    @property
    def decided(self) -> int:
        """How many images have a decision."""
        return len(self.settled)

    @property
    def total(self) -> int:
        """How many images there are, with those that a decision took out of the folder."""
        return len(self.paths) + self.elsewhere

    def on_page(self, page: int) -> tuple[str, ...]:
        """Return the paths of a page: a fixed slice of the listing."""
        return self.paths[page * self.per_page : (page + 1) * self.per_page]

    def undecided(self, path: str) -> bool:
        """Whether a person still has to look at it."""
        return not (path in self.settled or path in self.broken or path in self.restoring)

    def next_undecided_page(self) -> int | None:
        """Find the nearest page, forwards and then from the start, with something undecided."""
        order = chain(range(self.page + 1, self.pages), range(self.page + 1))
        return next((p for p in order if any(map(self.undecided, self.on_page(p)))), None)


@dataclass(frozen=True, slots=True)
class Step:
    """What a move led to: the session, the decisions to record, the path whose decision to undo."""

    session: Session
    rulings: tuple[Ruling, ...] = ()
    undone: str | None = None
