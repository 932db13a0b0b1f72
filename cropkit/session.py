"""The review as a state machine; pure.

Two rules. Everything that decides what the review does next lives here: `advance` takes a frozen
`Session` and a move and returns a `Step`. And this file may not know a clock, a file or a widget:
what has to be done is returned as values (`Ruling`, the path to undo), which the shell stamps with
times and names and carries out.

An illegal move raises `IllegalMove` and changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import Any

from cropkit.editing import Grip, dragged, moved, resized
from cropkit.errors import IllegalMove
from cropkit.geometry import PixelBox, Size
from cropkit.records import Status, Suggestion, Verdict


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


_NEXT_LOCK = {
    AspectLock.FREE: AspectLock.BOX,
    AspectLock.BOX: AspectLock.IMAGE,
    AspectLock.IMAGE: AspectLock.FREE,
}
_MARKED_VERDICT = {Mark.REJECT: Verdict.REJECT, Mark.SKIP: Verdict.SKIP}
_TAKEN_BACK = frozenset({Status.STALE, Status.RESTORED})
FAILED = frozenset({Status.REFUSED, Status.FAILED, Status.IN_DOUBT})


# --- the state of one image


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


# --- the state of the review


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


# --- moves: each carries what it needs; a position counts from 0, None is the chosen image


@dataclass(frozen=True, slots=True)
class Choose:
    """Choose an image of the page."""

    position: int


@dataclass(frozen=True, slots=True)
class ChooseNext:
    """Choose the image `step` further on, round the page."""

    step: int = 1


@dataclass(frozen=True, slots=True)
class Nudge:
    """Move the chosen box."""

    dx: int
    dy: int


@dataclass(frozen=True, slots=True)
class Resize:
    """Move the right and bottom edges of the chosen box."""

    dx: int
    dy: int


@dataclass(frozen=True, slots=True)
class Drag:
    """Pull a grip of the box as it was when the hand took hold of it."""

    position: int
    grip: Grip
    origin: PixelBox
    dx: float
    dy: float


@dataclass(frozen=True, slots=True)
class ToggleMark:
    """Mark an image for reject or skip, or take the mark away."""

    mark: Mark
    position: int | None = None


@dataclass(frozen=True, slots=True)
class ResetBox:
    """Go back to the suggested box."""


@dataclass(frozen=True, slots=True)
class FullImage:
    """Keep the whole image."""


@dataclass(frozen=True, slots=True)
class ToggleLock:
    """Hold the aspect ratio: free, as the box is, as the image is, free again."""


@dataclass(frozen=True, slots=True)
class Decide:
    """Accept one image as it is marked."""

    position: int | None = None


@dataclass(frozen=True, slots=True)
class DecidePage:
    """Accept every open image of the page as it is marked, and go on."""


@dataclass(frozen=True, slots=True)
class TurnPage:
    """Look at another page without deciding."""

    step: int


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last decision back."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The shell has read an image of the page."""

    path: str
    sha256: str
    size: Size
    suggestions: tuple[Suggestion, ...] = ()
    cropped: bool = False


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """The shell could not read an image of the page."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The worker has carried a decision out, or not."""

    path: str
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """The worker has undone a decision."""

    path: str


@dataclass(frozen=True, slots=True)
class RestoreFailed:
    """The worker could not undo a decision: it stands."""

    path: str


Move = (
    Choose | ChooseNext | Nudge | Resize | Drag | ToggleMark | ResetBox | FullImage | ToggleLock
    | Decide | DecidePage | TurnPage | Undo | Looked | LoadFailed | Applied | Restored
    | RestoreFailed
)  # fmt: skip


def begin(
    paths: Iterable[str],
    per_page: int = 3,
    settled: Mapping[str, Settled] | None = None,
    undo: tuple[str, ...] = (),
    place: str | None = None,
) -> Session:
    """Start or resume a review, at the page of `place` or at the first with something to do."""
    if per_page < 1:
        raise IllegalMove("per_page", f"{per_page} images a page make no page")
    listed, stands = tuple(paths), dict(settled or {})
    elsewhere = len(stands.keys() - set(listed))
    session = Session(listed, per_page, settled=stands, undo=undo, elsewhere=elsewhere)
    first = replace(session, page=session.pages - 1).next_undecided_page()
    if first is None:
        return replace(_turned(session, 0), ended=True)
    known = place is not None and place in session.paths
    return _turned(session, session.paths.index(place) // per_page if known else first)


def advance(session: Session, move: Move) -> Step:
    """Return what follows from a move; raise `IllegalMove`, and change nothing, when it may not."""
    if session.ended and type(move) not in _AFTER_THE_END:
        raise IllegalMove(_name(move), "everything has been decided")
    return _RULES[type(move)](session, move)


# --- rules


def _choose(session: Session, move: Choose) -> Step:
    _entry(session, move.position, move)
    return Step(replace(session, chosen=move.position))


def _choose_next(session: Session, move: ChooseNext) -> Step:
    if not session.entries:
        raise IllegalMove(_name(move), "there is no image")
    return Step(replace(session, chosen=(session.chosen + move.step) % len(session.entries)))


def _nudge(session: Session, move: Nudge) -> Step:
    entry = _open(session, None, move)
    return _edited(session, None, box=moved(entry.box, move.dx, move.dy, entry.size))


def _resize(session: Session, move: Resize) -> Step:
    entry = _open(session, None, move)
    by = (move.dx, move.dy)
    return _edited(session, None, box=resized(entry.box, by, entry.size, entry.ratio))


def _drag(session: Session, move: Drag) -> Step:
    entry = _open(session, move.position, move)
    origin, by = move.origin.within(entry.size), (move.dx, move.dy)
    box = dragged(origin, move.grip, by, entry.size, entry.ratio)
    return _edited(replace(session, chosen=move.position), move.position, box=box)


def _toggle_mark(session: Session, move: ToggleMark) -> Step:
    entry = _open(session, move.position, move)
    mark = Mark.KEEP if entry.mark is move.mark else move.mark
    return _edited(session, move.position, mark=mark)


def _reset_box(session: Session, move: ResetBox) -> Step:
    return _edited(session, None, anew=_open(session, None, move).offered)


def _full_image(session: Session, move: FullImage) -> Step:
    return _edited(session, None, anew=full(_open(session, None, move).size))


def _toggle_lock(session: Session, _: ToggleLock) -> Step:
    lock = _NEXT_LOCK[session.lock]
    entries = tuple(_locked(e, lock) if isinstance(e, Open) else e for e in session.entries)
    return Step(replace(session, lock=lock, entries=entries))


def _decide(session: Session, move: Decide) -> Step:
    entry = _open(session, move.position, move)
    decided = _settle(session, (entry,))
    position = next((i for i, e in enumerate(decided.entries) if isinstance(e, Open)), None)
    chosen = session.chosen if position is None else position
    return Step(replace(decided, chosen=chosen), (_ruling(entry),))


def _decide_page(session: Session, move: DecidePage) -> Step:
    if not session.ready:
        raise IllegalMove(_name(move), "the page is still loading")
    waiting = tuple(e for e in session.entries if isinstance(e, Open))
    if session.ended and session.next_undecided_page() is None:
        raise IllegalMove(_name(move), "everything has been decided")
    decided = _settle(session, () if session.ended else waiting)
    page = decided.next_undecided_page()
    after = replace(decided, ended=True) if page is None else _turned(decided, page)
    return Step(after, tuple(map(_ruling, waiting)))


def _turn_page(session: Session, move: TurnPage) -> Step:
    if session.ended and move.step < 0:
        return Step(_turned(session, session.page))
    page = session.page + move.step
    if not 0 <= page < session.pages:
        raise IllegalMove(_name(move), "this is the first page" if page < 0 else "no page follows")
    return Step(_turned(session, page))


def _undo(session: Session, move: Undo) -> Step:
    if not session.undo:
        raise IllegalMove(_name(move), "nothing is left to undo")
    path = session.undo[-1]
    stood = session.settled[path]
    taken = replace(
        _listed(session, path),
        undo=session.undo[:-1],
        settled=_without(session.settled, path),
        restoring={**session.restoring, path: stood},
        drafts={**session.drafts, path: Draft(None, stood.box)},
    )
    index = taken.paths.index(path)
    shown = _turned(taken, index // session.per_page)
    return Step(replace(shown, chosen=index % session.per_page), undone=path)


def _looked(session: Session, move: Looked) -> Step:
    position = _loading(session, move.path, move)
    known = replace(
        session,
        broken=_without(session.broken, move.path),
        settled=_without(session.settled, move.path),
    )
    if move.cropped:
        earlier = Settled(None, Status.CROPPED, full(move.size), "cropped already")
        settled = {**known.settled, move.path: earlier}
        shown = _put(known, position, Done(move.path, earlier, move.size))
        return Step(replace(shown, settled=settled))
    entry = _opened(move, known.drafts.get(move.path))
    drafts = _without(known.drafts, move.path)
    return Step(replace(_put(known, position, _locked(entry, known.lock)), drafts=drafts))


def _load_failed(session: Session, move: LoadFailed) -> Step:
    position = _loading(session, move.path, move)
    shown = _put(session, position, Broken(move.path, move.reason))
    following = min(position + 1, len(session.entries) - 1)
    chosen = following if session.chosen == position else session.chosen
    broken = {**session.broken, move.path: move.reason}
    return Step(replace(shown, broken=broken, chosen=chosen))


def _applied(session: Session, move: Applied) -> Step:
    stood = session.settled.get(move.path)
    if stood is None:  # undone meanwhile: the undo follows in the worker's queue
        return Step(session)
    if move.status not in _TAKEN_BACK:
        settled = replace(stood, status=move.status, reason=move.reason)
        known = replace(session, settled={**session.settled, move.path: settled})
        if move.status in FAILED:  # nothing to undo; whoever comes back to it can decide again
            drafts = {**session.drafts, move.path: Draft(None, stood.box)}
            known = replace(_not_undoable(known, move.path), drafts=drafts)
        return Step(_replaced(known, move.path, lambda e: _with_outcome(e, settled)))
    undecided = _not_undoable(_listed(session, move.path), move.path)
    undecided = replace(undecided, settled=_without(session.settled, move.path))
    return Step(_replaced(undecided, move.path, lambda e: Loading(e.path)))


def _restored(session: Session, move: Restored) -> Step:
    _check_restoring(session, move)
    back = replace(session, restoring=_without(session.restoring, move.path))
    return Step(_replaced(back, move.path, lambda e: Loading(e.path)))


def _restore_failed(session: Session, move: RestoreFailed) -> Step:
    stood = _check_restoring(session, move)
    stands = replace(
        session,
        restoring=_without(session.restoring, move.path),
        settled={**session.settled, move.path: stood},
        drafts=_without(session.drafts, move.path),
    )
    return Step(_replaced(stands, move.path, lambda e: Done(e.path, stood)))


_RULES: Mapping[type, Callable[[Session, Any], Step]] = {
    Choose: _choose,
    ChooseNext: _choose_next,
    Nudge: _nudge,
    Resize: _resize,
    Drag: _drag,
    ToggleMark: _toggle_mark,
    ResetBox: _reset_box,
    FullImage: _full_image,
    ToggleLock: _toggle_lock,
    Decide: _decide,
    DecidePage: _decide_page,
    TurnPage: _turn_page,
    Undo: _undo,
    Looked: _looked,
    LoadFailed: _load_failed,
    Applied: _applied,
    Restored: _restored,
    RestoreFailed: _restore_failed,
}
_AFTER_THE_END = frozenset(
    {DecidePage, TurnPage, Undo, Looked, LoadFailed, Applied, Restored, RestoreFailed}
)


# --- parts of rules


def _name(move: object) -> str:
    return type(move).__name__


def _entry(session: Session, position: int | None, move: Move) -> Entry:
    at = session.chosen if position is None else position
    if not 0 <= at < len(session.entries):
        raise IllegalMove(_name(move), f"the page has no image {at + 1}")
    return session.entries[at]


def _open(session: Session, position: int | None, move: Move) -> Open:
    entry = _entry(session, position, move)
    if not isinstance(entry, Open):
        raise IllegalMove(_name(move), f"{entry.path} {_STANDS[type(entry)]}")
    return entry


_STANDS = {
    Loading: "is still loading",
    Restoring: "is still being restored",
    Broken: "could not be shown",
    Done: "is decided already; Z takes decisions back",
}


def _loading(session: Session, path: str, move: Move) -> int:
    for position, entry in enumerate(session.entries):
        if entry.path == path and isinstance(entry, Loading):
            return position
    raise IllegalMove(_name(move), f"{path} is not being loaded on this page")


def _check_restoring(session: Session, move: Restored | RestoreFailed) -> Settled:
    if move.path not in session.restoring:
        raise IllegalMove(_name(move), f"{move.path} is not being restored")
    return session.restoring[move.path]


def _edited(
    session: Session,
    position: int | None,
    *,
    box: PixelBox | None = None,
    anew: PixelBox | None = None,
    mark: Mark | None = None,
) -> Step:
    """Change the box, set it anew (its ratio is then what is locked), or the mark."""
    at = session.chosen if position is None else position
    entry = session.entries[at]
    if not isinstance(entry, Open):
        raise IllegalMove("edit", f"{entry.path} {_STANDS[type(entry)]}")
    # Whoever works on the box wants to keep the image: a mark does not survive that.
    changed = replace(entry, box=box or anew or entry.box, mark=mark or Mark.KEEP)
    return Step(_put(session, at, _locked(changed, session.lock) if anew else changed))


def _locked(entry: Open, lock: AspectLock) -> Open:
    ratios = {
        AspectLock.FREE: None,
        AspectLock.BOX: entry.box.size.aspect_ratio,
        AspectLock.IMAGE: entry.size.aspect_ratio,
    }
    return replace(entry, ratio=ratios[lock])


def _opened(move: Looked, draft: Draft | None) -> Open:
    fresh = Open(move.path, move.sha256, move.size, move.suggestions, full(move.size))
    fresh = replace(fresh, box=fresh.offered)
    if draft is None or draft.sha256 not in (None, move.sha256):
        return fresh
    fits = draft.box is not None and _fits(draft.box, move.size)
    return replace(fresh, box=draft.box if fits and draft.box else fresh.box, mark=draft.mark)


def _fits(box: PixelBox, size: Size) -> bool:
    return box.right <= size.width and box.bottom <= size.height


def _ruling(entry: Open) -> Ruling:
    verdict = entry.verdict
    box = entry.box if verdict.keeps_a_box else None
    return Ruling(entry.path, entry.sha256, entry.size, verdict, box, entry.suggestion)


def _settle(session: Session, entries: tuple[Open, ...]) -> Session:
    rulings = {e.path: _ruling(e) for e in entries}
    new = {p: Settled(r.verdict, Status.WAITING, r.box) for p, r in rulings.items()}
    done = tuple(
        Done(e.path, new[e.path], e.size) if isinstance(e, Open) and e.path in new else e
        for e in session.entries
    )
    settled = {**session.settled, **new} if new else session.settled
    return replace(session, entries=done, settled=settled, undo=(*session.undo, *new))


def _turned(session: Session, page: int) -> Session:
    """Show a page; what was changed on the one that is left is kept."""
    changed = {
        e.path: Draft(e.sha256, e.box, e.mark)
        for e in session.entries
        if isinstance(e, Open) and (e.box != e.offered or e.mark is not Mark.KEEP)
    }
    kept = replace(session, drafts={**session.drafts, **changed}, page=page, ended=False)
    entries = tuple(_arriving(kept, path) for path in kept.on_page(page))
    chosen = next((i for i, e in enumerate(entries) if not isinstance(e, Done)), 0)
    return replace(kept, entries=entries, chosen=chosen)


def _arriving(session: Session, path: str) -> Entry:
    if path in session.restoring:
        return Restoring(path)
    settled = session.settled.get(path)
    if settled is None or settled.status in FAILED:
        return Loading(path)
    return Done(path, settled)


def _listed(session: Session, path: str) -> Session:
    """List an image that a decision had taken out of the folder: last, so that no page moves."""
    if path in session.paths:
        return session
    last = session.page == len(session.paths) // session.per_page
    return replace(
        session,
        paths=(*session.paths, path),
        elsewhere=session.elsewhere - 1,
        entries=(*session.entries, Loading(path)) if last else session.entries,
    )


def _not_undoable(session: Session, path: str) -> Session:
    return replace(session, undo=tuple(other for other in session.undo if other != path))


def _with_outcome(entry: Entry, settled: Settled) -> Entry:
    return replace(entry, settled=settled) if isinstance(entry, Done) else entry


def _put(session: Session, position: int, entry: Entry) -> Session:
    entries = session.entries
    return replace(session, entries=(*entries[:position], entry, *entries[position + 1 :]))


def _replaced(session: Session, path: str, change: Callable[[Entry], Entry]) -> Session:
    entries = tuple(change(e) if e.path == path else e for e in session.entries)
    return replace(session, entries=entries)


def _without(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return {k: v for k, v in mapping.items() if k != key} if key in mapping else mapping
