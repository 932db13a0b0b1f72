"""What a review is at one moment: frozen values, one class for each state of an image."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import gcd
from typing import Any

from cropkit.errors import Provenance
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.records import Note, Status, Suggestion, Verdict
from cropkit.review.model.aiming import aimed, targets_of
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.decided import Cut, Decided, DraftDecision, Mark
from cropkit.review.model.images import Images, Stacked
from cropkit.review.model.leased import Leased, words
from cropkit.review.model.listing import ByPath, Paths, folder_of
from cropkit.review.model.slots import slot_of
from cropkit.review.model.straightened import brought_inside, pulled
from cropkit.review.model.tree import NumberSet
from cropkit.straightening import is_inside
from cropkit.targets import LARGEST, Fit, Target, fits
from cropkit.wanted import Wanted


class Arrangement(StrEnum):
    """How many images are looked at together."""

    PAGE = "page"
    SINGLE = "single"
    GRID = "grid"


class Ordering(StrEnum):
    """In which order images come."""

    LISTED = "as listed"
    LEAST_CERTAIN = "least certain first"


GRID, MOST_IN_GRID = 9, 40  # images in the grid: so many, or as many as have room


class Rest(StrEnum):
    """What has become of the images that are not listed yet."""

    NONE = "none"
    COMING = "coming"
    LOST = "lost"  # the listing broke off


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

    def aims(self, image: Size) -> tuple[Target, ...]:
        """Return the ratio that every box is given, where it is not that of each box itself."""
        sides = {Held.RATIO: (self.width, self.height), Held.IMAGE: (image.width, image.height)}
        width, height = sides.get(self.held, (0, 0))
        if self.turned:
            width, height = height, width
        if not 0 < max(width, height) <= LARGEST:
            return ()
        by = gcd(width, height)  # the same ratio has the same name, whatever it is held for
        return (Target(width // by, height // by, bare=True),)

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
    CERTAIN = "certain"
    ASIDE = "set aside"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    DONE = "done"
    FAILED = "failed"
    BROKEN = "no crop"
    STALE = "changed since shown"


_MARKED_VERDICT = {Mark.REJECT: Verdict.REJECT, Mark.SKIP: Verdict.SKIP}


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
    """It cannot be cropped: it is rejected, skipped, or passed over.

    Parameters
    ----------
    sha256, size : of what is shown of it; none: it is not known, and nothing is decided about it
    code : name of the error that is the reason
    """

    path: str
    reason: str
    sha256: str = ""
    size: Size | None = None
    mark: Mark = Mark.KEEP
    code: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether nothing but content credentials keeps it from being cropped."""
        return self.code == Provenance.__name__

    @property
    def verdict(self) -> Verdict | None:
        """What is going to be decided about it, None: nothing."""
        return _MARKED_VERDICT.get(self.mark)


@dataclass(frozen=True, slots=True)
class Done:
    """Decided, now or earlier.

    Parameters
    ----------
    size : of the image as it is seen, turned as that was decided; None: its crop may be the file
    """

    path: str
    settled: Decided
    size: Size | None = None

    @classmethod
    def of(cls, path: str, settled: Decided, size: Size | None) -> "Done":
        """Return it as it is seen; of another content, without a size.

        Parameters
        ----------
        size : of the image before any turn
        """
        box = settled.box
        is_other = size and box and (box.right > size.width or box.bottom > size.height)
        return cls(path, settled, None if is_other or size is None else size.turned(settled.turn))

    @property
    def turn(self) -> Turn:
        """How its picture is turned."""
        return NO_TURN if self.size is None else self.settled.turn

    @property
    def box(self) -> PixelBox | None:
        """The box that was decided, as it is seen."""
        box = self.settled.box
        return box if box is None else as_seen(self, box)


@dataclass(frozen=True, slots=True)
class Open:
    """Shown and waiting for the reviewer.

    Parameters
    ----------
    size, box : as they are seen, turned; so are `fit` and `suggested`, but not `planned`
    aims : targets that its box is held to; none: it is free
    fit : how the box fits its target, None where it is free
    framed : what the box was put around, until it is another one
    planned : the box that a plan lets through for this content
    asked : what the box was before it was brought inside of a straightened image
    """

    path: str
    sha256: str
    size: Size
    suggestions: tuple[Suggestion, ...]
    box: PixelBox
    mark: Mark = Mark.KEEP
    ratio: float | None = None
    candidate: int = 0
    aims: tuple[Target, ...] = ()
    fit: Fit | None = None
    framed: str = ""
    planned: PixelBox | None = None
    turn: Turn = NO_TURN
    asked: PixelBox | None = None

    @property
    def suggestion(self) -> Suggestion | None:
        """The suggestion that is offered."""
        return self.suggestions[self.candidate] if self.suggestions else None

    @property
    def suggested(self) -> PixelBox:
        """The suggested box, or the full image where there is none."""
        return self.proposed(self.suggestion) if self.suggestion else full(self.size)

    def proposed(self, suggestion: Suggestion) -> PixelBox:
        """Return the box of a suggestion, as it is seen."""
        return as_seen(self, suggestion.box.pixels(source_size(self)))

    @property
    def cut(self) -> Cut:
        """What is kept of the image, by its pixels before the turn."""
        if self.turn.is_none:
            return Cut(self.box, self.size)
        return Cut(self.box.turned(self.size, self.turn.inverse), source_size(self), self.turn)

    @property
    def offered(self) -> PixelBox:
        """The same, as it is shown: made to fit the target that it is held to."""
        is_held = self.aims or self.turn.resamples
        return self.boxed(self.suggested).box if is_held else self.suggested

    def boxed(self, box: PixelBox, grip: Grip = Grip.WHOLE) -> "Open":
        """Return it with another box: of the nearest target, if of any; straightened, inside.

        Parameters
        ----------
        grip : what was pulled of the box

        Raises
        ------
        BadBox
            The image is too small for any box with the angle.
        """
        fit = aimed(box, self.size, self.aims, grip) if self.aims else None
        held = replace(self, box=fit.box if fit else box, fit=fit, framed="", asked=None)
        if not self.turn.resamples or is_inside(held.box, self.size, self.turn):
            return held
        if grip is not Grip.WHOLE:
            end = pulled((self.box, box), grip, self.size, self.turn, self.aims)
            return replace(self, box=end[0], fit=end[1], framed="", asked=None) if end else self
        inside, fit = brought_inside(held.box, fit, self.size, self.turn)
        return replace(held, box=inside, fit=fit, asked=None if fit else box)

    @property
    def wanted(self) -> PixelBox:
        """What was asked for, before a ratio or an angle has made another box of it."""
        return self.asked or (self.fit.asked if self.fit else self.box)

    @property
    def verdict(self) -> Verdict:
        """What accepting it would say."""
        if self.mark in _MARKED_VERDICT:
            return _MARKED_VERDICT[self.mark]
        if self.suggestion is None and self.box == full(self.size) and self.turn.is_none:
            return Verdict.KEPT_WHOLE
        kept = self.suggestion is not None and self.box == self.offered
        return Verdict.ACCEPT if kept else Verdict.ADJUSTED


Entry = Loading | Restoring | Broken | Done | Open
full = PixelBox.full


def turn_of(entry: Entry) -> Turn:
    """Return how the picture of an image is seen turned."""
    return entry.turn if isinstance(entry, Open | Done) else NO_TURN


def source_size(entry: Open) -> Size:
    """Return the size of an image before it is turned."""
    return entry.size.turned(entry.turn.inverse)


def as_seen(entry: Entry, box: PixelBox) -> PixelBox:
    """Return a box of an image, by its pixels before the turn, as it is seen on the page."""
    turn = turn_of(entry)
    if turn.is_none or not isinstance(entry, Open | Done) or entry.size is None:
        return box
    return box.turned(entry.size.turned(turn.inverse), turn)


CARRIED = "carried over"  # what a box of `Carried` is said to be around


@dataclass(frozen=True, slots=True)
class Carried:
    """What is offered for each image of a folder, slot and size that nobody has changed."""

    folder: str
    slot: str
    cut: Cut

    def is_for(self, entry: Open) -> bool:
        """Whether it is offered for this image."""
        here = (folder_of(entry.path), slot_of(entry.path), source_size(entry))
        return here == (self.folder, self.slot, self.cut.size)


@dataclass(frozen=True, slots=True)
class Edit:
    """What one press or drag has changed about images that are not decided: how they were.

    Parameters
    ----------
    were : the images that it changed
    lock, holding, picked_lock, carrying : what held boxes, or was offered, before
    presses : how many presses had decided something by then
    hold : what the hand, or a held key, had hold of; () where it was neither
    redo : where it is taken back, how many decisions could be done again then
    """

    were: tuple[Open | Broken, ...]
    lock: AspectLock
    holding: bool
    presses: int
    hold: tuple[object, ...] = ()
    redo: int = 0
    picked_lock: AspectLock | None = None
    carrying: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewState:
    """The whole review; it shares with the state before all but what a move changes.

    Parameters
    ----------
    shown : which images the pages show: under a filter those that it let through then
    per_page : images on a page of the arrangement at hand; `usual`, on one of `Arrangement.PAGE`
    minimum : pixels that the shorter side of a crop should have, 0 where anything goes
    carried : what was decided last to be kept for each slot
    aside : what was marked in the grid, to be looked at closely next
    wanted : the crops of each image, in the order of the listing
    holding : whether boxes are held to the targets that are wanted
    copies : whether crops are copies, so that an image may have several
    around : how a box is put around subjects: parameters of `cropkit.around`, by name, the usual
        rule first
    rest : of the listing
    resuming : where the review was left, to be gone to as soon as it is listed
    onward : whether to go on as soon as something undecided is listed
    returned : whether it shows where it was left, which ends when all is listed and decided; these
        three only while nobody has moved since
    grid : how many images the grid has room for
    edits : what was changed about images that are not decided, the latest last
    undone_edits : of these what was taken back and can be done again, the latest last
    picked : images of the page that are selected: what is done with one is done with all
    picked_lock : what ratio these were given together; None: that of all
    carrying : boxes that are offered for the rest of a folder, the latest last
    notes : what is noted about images of the page, as far as it is known
    promise : of the images that a plan lets through; '' where there are none
    ordering : in which order the pages show them; sorted when it is asked for, and between pages
        where far more has become known
    asked : whether each image's suggestion has been asked how sure it is
    arranged_before : the arrangement before these were shown, while they are, or what was set aside
        of them
    leases : what other reviews have before them; `taken`: all of that
    """

    images: Images
    shown: NumberSet
    per_page: int = 3
    page: int = 0
    chosen: int = 0
    lock: AspectLock = FREE
    ended: bool = False
    entries: tuple[Entry, ...] = ()
    filter: Filter = Filter.ALL
    carried: Mapping[str, Cut] = field(default_factory=dict)
    minimum: int = 0
    arrangement: Arrangement = Arrangement.PAGE
    usual: int = 3
    aside: NumberSet = field(default_factory=NumberSet)
    wanted: tuple[Wanted, ...] = (Wanted(),)
    holding: bool = True
    copies: bool = False
    around: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"": {}})
    rest: Rest = Rest.NONE
    resuming: str = ""
    onward: bool = False
    returned: bool = False
    grid: int = GRID
    edits: tuple[Edit, ...] = ()
    undone_edits: tuple[Edit, ...] = ()
    picked: frozenset[str] = frozenset()
    picked_lock: AspectLock | None = None
    carrying: tuple[Carried, ...] = ()
    notes: Mapping[str, Note] = field(default_factory=dict)
    promise: str = ""
    ordering: Ordering = Ordering.LISTED
    asked: bool = False
    arranged_before: Arrangement | None = None
    leases: tuple[Leased, ...] = ()
    taken: frozenset[str] = frozenset()

    @property
    def at_hand(self) -> tuple[int, ...]:
        """Positions of what is done to the chosen image: those of all selected, if it is one."""
        at = range(len(self.entries))
        if not self.entries or self.entries[self.chosen].path not in self.picked:
            return (self.chosen,)
        return tuple(n for n in at if self.entries[n].path in self.picked and self.is_open(n))

    def is_open(self, position: int) -> bool:
        """Whether an image of the page still waits for the reviewer."""
        return isinstance(self.entries[position], Open | Broken)

    @property
    def lock_at_hand(self) -> AspectLock:
        """The lock of the images that are selected, where there are several, or else of all."""
        return self.picked_lock or self.lock if len(self.at_hand) > 1 else self.lock

    @property
    def whole(self) -> bool:
        """Whether every image is listed."""
        return self.rest is Rest.NONE

    @property
    def goes_by_itself(self) -> bool:
        """Whether what is listed next may show another page, since nobody works on this one."""
        return bool(self.resuming) or self.onward or self.returned

    @property
    def listing(self) -> Paths:
        """Every image of the collection that is listed, whatever the filter."""
        return Paths(self.images.index, self.images.listed)

    @property
    def paths(self) -> Paths:
        """What the pages show, a part of `listing` under a filter."""
        return Paths(self.images.index, self.shown, self.images.order)

    @property
    def settled(self) -> Mapping[str, Decided]:
        """The decisions that stand."""
        return ByPath(self.images.index, self.images.outcomes)

    @property
    def failed(self) -> Mapping[str, Decided]:
        """The decisions that could not be carried out, in the order of the listing."""
        outcomes = self.images.outcomes
        return ByPath(self.images.index, replace(outcomes, numbers=outcomes.failed))

    @property
    def broken(self) -> Mapping[str, str]:
        """What could not be shown, and why."""
        return ByPath(self.images.index, self.images.broken)

    @property
    def restoring(self) -> Mapping[str, Decided]:
        """The decisions that are being undone."""
        return ByPath(self.images.index, self.images.restoring)

    @property
    def stale(self) -> Paths:
        """What has changed since it was decided about."""
        return Paths(self.images.index, self.images.stale)

    @property
    def undo(self) -> Stacked:
        """What can be taken back, the latest decision last."""
        return Stacked(self.images.index, self.images.undo)

    @property
    def redo(self) -> Stacked:
        """What was taken back and can be done again, the latest last."""
        return Stacked(self.images.index, self.images.redo)

    def decision(self, path: str) -> DraftDecision:
        """Return what was decided about an image in this session, last."""
        return ByPath(self.images.index, self.images.decisions)[path]

    def crops_beside(self, path: str) -> tuple[str, ...]:
        """Return the other crops of the same image."""
        if not self.images.required:
            return ()
        return tuple(crop for crop in self.listing.of_image(path) if crop != path)

    def box_of(self, path: str) -> PixelBox | None:
        """Return the box of a crop as it is known: on the page, decided, or as it was left.

        It is one of its image before any turn. None: it has none, or is not known.
        """
        entry = next((e for e in self.entries if e.path == path), None)
        if isinstance(entry, Open):
            return entry.cut.box if entry.verdict.keeps_a_box else None
        known = self.settled.get(path) or self.images.draft(path)
        return known.box if known else None

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(1, -(-len(self.shown) // self.per_page))

    @property
    def ready(self) -> bool:
        """Whether every image of the page has arrived, one way or the other."""
        return not any(isinstance(e, Loading | Restoring) for e in self.entries)

    @property
    def decided(self) -> int:
        """How many images have a decision."""
        return len(self.images.outcomes)

    @property
    def total(self) -> int:
        """How many images there are, with those that a decision took out of the folder."""
        return len(self.images.listed) + self.images.elsewhere

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots of each image that are to be decided."""
        return tuple(each.slot for each in self.wanted)

    @property
    def has_targets(self) -> bool:
        """Whether any crop is wanted for a target."""
        return any(each.targets for each in self.wanted)

    def aims(self, path: str, image: Size) -> tuple[Target, ...]:
        """Return what the box of a crop is held to, now: its targets, or the ratio of the lock.

        Parameters
        ----------
        image : size of its image, as it is seen
        """
        if self.holding and self.has_targets:
            return targets_of(path, self.wanted)
        return self.lock.aims(image)

    def too_small(self, entry: Entry) -> bool:
        """Whether accepting it would make a crop that is smaller than it should be, or misses it.

        No box of a tiny image may have the ratio that is held.
        """
        if not isinstance(entry, Open) or not entry.verdict.keeps_a_box:
            return False
        fit = entry.fit
        misses = fit is not None and (fit.is_upscale or not fits(entry.box.size, fit.target))
        return misses or self.is_below_minimum(entry)

    def is_below_minimum(self, entry: Open) -> bool:
        """Whether its crop would have a side of less pixels than any should have."""
        return min(entry.box.size.width, entry.box.size.height) < self.minimum

    def passing(self, chosen: Filter) -> NumberSet:
        """Return the images that a filter lets through: rejected ones also from where they are."""
        passing = _PASSING[chosen](self)
        return passing if chosen is Filter.REJECTED else passing & self.images.listed

    def shows(self, path: str, chosen: Filter) -> bool:
        """Whether a filter lets an image through."""
        number = self.images.index.number(path)
        return number is not None and number in _PASSING[chosen](self)

    def on_page(self, page: int) -> tuple[str, ...]:
        """Return the paths of a page: a fixed slice of the listing."""
        return self.paths[page * self.per_page : (page + 1) * self.per_page]

    def undecided(self, path: str) -> bool:
        """Whether a person still has to look at it."""
        return self.images.undecided(path)

    def next_undecided_page(self) -> int | None:
        """Find the nearest page, forwards and then from the start, with something undecided.

        A page of which others have all that is undecided is passed over, unless no other is left.
        """
        place = self._next_from_here(self.taken)
        if place is None and self.taken:
            place = self._next_from_here(frozenset())
        return None if place is None else place // self.per_page

    def _next_from_here(self, taken: frozenset[str]) -> int | None:
        place = self._next_undecided((self.page + 1) * self.per_page, taken)
        return self._next_undecided(0, taken) if place is None else place

    def _next_undecided(self, place: int, taken: frozenset[str]) -> int | None:
        """Find the first image, from a place on, that is undecided and not taken."""
        found = self._undecided_from(place)
        while found is not None and self.paths[found] in taken:
            found = self._undecided_from(found + 1)
        return found

    def _undecided_from(self, place: int) -> int | None:
        if self.images.order:
            return self.images.order.next_left(place)
        if place >= len(self.shown):
            return None
        number = self.shown.next_common(self.images.left, self.shown.nth(place))
        return None if number is None else self.shown.rank(number)

    def open_on(self, page: int) -> tuple[str, ...]:
        """Return what is undecided on a page."""
        return tuple(filter(self.undecided, self.on_page(page)))

    def is_with_others(self, page: int) -> bool:
        """Whether others have all that is undecided on a page, of which there is some."""
        undecided = self.open_on(page) if self.taken else ()
        return bool(undecided) and self.taken.issuperset(undecided)

    @property
    def taken_words(self) -> str:
        """Who else has how many of what is undecided on this page; '' where nobody has any."""
        return "" if self.ended else words(self.leases, self.open_on(self.page))

    @property
    def to_lease(self) -> tuple[str, ...]:
        """What this review has before it, and what comes next of what nobody else has."""
        here = () if self.ended else self.open_on(self.page)
        page = self.next_undecided_page()
        ahead = () if page is None else self.open_on(page)
        return tuple(dict.fromkeys((*here, *(crop for crop in ahead if crop not in self.taken))))

    @property
    def sorts(self) -> bool:
        """Whether far more is known than when the images were sorted: twice as much, or all."""
        known, then = self.images.sure_count, self.images.order.known
        is_more = known >= 2 * then or self.asked
        return self.ordering is Ordering.LEAST_CERTAIN and known > then and is_more


_PASSING: Mapping[Filter, Callable[[ReviewState], NumberSet]] = {
    Filter.ALL: lambda session: session.images.listed,
    Filter.UNREVIEWED: lambda session: session.images.left,
    Filter.UNSURE: lambda session: session.images.unsure & session.images.left,
    Filter.CERTAIN: lambda session: session.images.certain & session.images.left,
    Filter.ASIDE: lambda session: session.aside & session.images.left,
    Filter.REJECTED: lambda session: session.images.outcomes.having(Status.REJECTED),
    Filter.SKIPPED: lambda session: session.images.outcomes.having(Status.SKIPPED),
    Filter.DONE: lambda session: session.images.outcomes.numbers - session.images.outcomes.failed,
    Filter.FAILED: lambda session: session.images.outcomes.failed,
    Filter.BROKEN: lambda session: NumberSet.of(session.images.broken),
    Filter.STALE: lambda session: session.images.stale,
}


@dataclass(frozen=True, slots=True)
class Step:
    """What a move led to.

    Parameters
    ----------
    decisions : to be recorded
    undone : paths whose decisions are to be taken back
    dropping : what crops are to leave out from now on, an item of `Options.drop`
    note : what the reviewer is told in passing
    noted : notes to be recorded, by path
    """

    session: ReviewState
    decisions: tuple[DraftDecision, ...] = ()
    undone: tuple[str, ...] = ()
    dropping: str | None = None
    note: str = ""
    noted: tuple[tuple[str, Note], ...] = ()
