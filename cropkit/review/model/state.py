"""What a review is at one moment: frozen values, one class for each state of an image."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from cropkit.geometry import PixelBox, Size
from cropkit.records import Status, Suggestion, Verdict


class Mark(StrEnum):
    """What the reviewer has marked an image for."""

    KEEP = "keep"
    REJECT = "reject"
    SKIP = "skip"
    LATER = "later"  # in the grid: not decided with the others, but looked at closely


class Arrangement(StrEnum):
    """How many images are looked at together."""

    PAGE = "page"
    SINGLE = "single"
    GRID = "grid"


GRID = 9  # images in the grid, at least


class Held(StrEnum):
    """Whose aspect ratio a resized box holds."""

    FREE = "free"
    BOX = "box"
    IMAGE = "image"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class AspectLock:
    """What shape a resized box keeps; `turned` stands it on end."""

    held: Held = Held.FREE
    width: int = 1
    height: int = 1
    turned: bool = False

    def ratio(self, box: Size, image: Size) -> float | None:
        """Width over height that is kept, None where it is free."""
        upright = {
            Held.FREE: None,
            Held.BOX: box.aspect_ratio,
            Held.IMAGE: image.aspect_ratio,
            Held.RATIO: self.width / self.height,
        }[self.held]
        return 1 / upright if upright and self.turned else upright

    def __str__(self) -> str:
        if self.held is Held.RATIO:
            sides = (self.height, self.width) if self.turned else (self.width, self.height)
            return ":".join(map(str, sides))
        return f"{self.held}, turned" if self.turned else self.held.value


FREE, OF_BOX, OF_IMAGE = (AspectLock(held) for held in (Held.FREE, Held.BOX, Held.IMAGE))
LOCKS = (
    *(FREE, OF_BOX, OF_IMAGE),
    *(AspectLock(Held.RATIO, *sides) for sides in ((1, 1), (4, 5), (3, 2), (16, 9))),
)


class Filter(StrEnum):
    """Which images the pages show."""

    ALL = "all"
    UNREVIEWED = "unreviewed"
    UNSURE = "unsure"
    ASIDE = "set aside"
    REJECTED = "rejected"
    FAILED = "failed"
    BROKEN = "not shown"
    STALE = "changed since shown"


_MARKED_VERDICT = {Mark.REJECT: Verdict.REJECT, Mark.SKIP: Verdict.SKIP}


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
    settled: Decided
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
    candidate: int = 0

    @property
    def suggestion(self) -> Suggestion | None:
        """The suggestion that is offered."""
        return self.suggestions[self.candidate] if self.suggestions else None

    @property
    def offered(self) -> PixelBox:
        """The suggested box, or the full image where there is none."""
        return self.suggestion.box.pixels(self.size) if self.suggestion else full(self.size)

    @property
    def verdict(self) -> Verdict:
        """What accepting it would say."""
        if self.mark in _MARKED_VERDICT:
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
    candidate: int = 0


@dataclass(frozen=True, slots=True)
class DraftDecision:
    """A decision without clock, names and id, which the shell adds."""

    path: str
    sha256: str
    size: Size
    verdict: Verdict
    box: PixelBox | None
    suggestion: Suggestion | None


@dataclass(frozen=True, slots=True)
class ReviewState:
    """The whole review. Mappings are never changed in place.

    Parameters
    ----------
    paths : what the pages show, a part of `listing` under a filter
    per_page : images on a page of the arrangement at hand; `usual`, on one of `Arrangement.PAGE`
    minimum : pixels that the shorter side of a crop should have, 0 where anything goes
    rulings : what was decided in this session, so that it can be done again
    carried : the box that was decided last, with the size of its image
    aside : what was marked in the grid, to be looked at closely next
    unsure : what is known to have a suggestion of low confidence
    """

    paths: tuple[str, ...]
    per_page: int = 3
    page: int = 0
    chosen: int = 0
    lock: AspectLock = FREE
    ended: bool = False
    entries: tuple[Entry, ...] = ()
    settled: Mapping[str, Decided] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    drafts: Mapping[str, Draft] = field(default_factory=dict)
    restoring: Mapping[str, Decided] = field(default_factory=dict)
    undo: tuple[str, ...] = ()
    elsewhere: int = 0
    everything: tuple[str, ...] = ()
    filter: Filter = Filter.ALL
    stale: frozenset[str] = frozenset()
    rulings: Mapping[str, DraftDecision] = field(default_factory=dict)
    redo: tuple[DraftDecision, ...] = ()
    carried: tuple[PixelBox, Size] | None = None
    minimum: int = 0
    arrangement: Arrangement = Arrangement.PAGE
    usual: int = 3
    aside: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()

    @property
    def listing(self) -> tuple[str, ...]:
        """Every image of the collection, whatever the filter."""
        return self.everything or self.paths

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
        return len(self.listing) + self.elsewhere

    def too_small(self, entry: Entry) -> bool:
        """Whether accepting it would make a crop that is smaller than it should be."""
        if not isinstance(entry, Open) or not entry.verdict.keeps_a_box:
            return False
        return min(entry.box.size.width, entry.box.size.height) < self.minimum

    def shows(self, path: str, chosen: Filter) -> bool:
        """Whether a filter lets an image through."""
        settled = self.settled.get(path)
        status = settled.status if settled else None
        return {
            Filter.ALL: True,
            Filter.UNREVIEWED: self.undecided(path),
            Filter.UNSURE: path in self.unsure and self.undecided(path),
            Filter.ASIDE: path in self.aside and self.undecided(path),
            Filter.REJECTED: status is Status.REJECTED,
            Filter.FAILED: status is not None and status.is_failure,
            Filter.BROKEN: path in self.broken,
            Filter.STALE: path in self.stale,
        }[chosen]

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

    session: ReviewState
    rulings: tuple[DraftDecision, ...] = ()
    undone: str | None = None
