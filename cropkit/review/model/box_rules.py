"""What follows from moves that change a box."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cropkit.errors import BadBox, BadFraming, BadTarget, IllegalMove
from cropkit.geometry import PixelBox, Size
from cropkit.review.model.aiming import along_short_side
from cropkit.review.model.box_editing import (
    Grip,
    dragged,
    fitted,
    moved,
    resized,
    sized,
    snapped_to_border,
)
from cropkit.review.model.decided import Mark
from cropkit.review.model.moves import (
    CarryBox,
    Drag,
    FitSubjects,
    FullImage,
    NextCandidate,
    Nudge,
    ResetBox,
    Resize,
    SetBox,
    SetLongerSide,
    SetPart,
    SetRatio,
    SetSize,
    TakeCandidate,
    ToggleLock,
    ToggleTargets,
    TurnLock,
)
from cropkit.review.model.slots import named, slot_of
from cropkit.review.model.state import (
    FREE,
    LOCKS,
    AspectLock,
    Held,
    Open,
    ReviewState,
    Step,
    full,
    source_size,
)
from cropkit.review.model.transforms import (
    edited,
    locked,
    name_of,
    offering,
    open_at,
    put,
    turned_at,
)

if TYPE_CHECKING:
    from cropkit.framing import Framed


def _nudge(session: ReviewState, move: Nudge) -> Step:
    entry = open_at(session, None, move)
    return edited(session, None, box=moved(entry.box, move.dx, move.dy, entry.size))


def _resize(session: ReviewState, move: Resize) -> Step:
    entry = open_at(session, None, move)
    by, ratio = (float(move.dx), float(move.dy)), entry.ratio
    if entry.fit is not None:
        by, ratio = along_short_side(entry.fit, by), entry.fit.target.aspect_ratio
    box = resized(entry.box, by, entry.size, ratio)
    return edited(session, None, box=box, grip=Grip.BOTTOM_RIGHT)


def _drag(session: ReviewState, move: Drag) -> Step:
    entry = open_at(session, move.position, move)
    origin = move.origin.within(entry.size)
    by = snapped_to_border(origin, move.grip, (move.dx, move.dy), entry.size, move.snap)
    held = entry.ratio or (origin.size.aspect_ratio if move.in_shape else None)
    box = dragged(origin, move.grip, by, entry.size, held, from_centre=move.from_centre)
    chosen = replace(session, chosen=move.position)
    return edited(chosen, move.position, box=box, grip=move.grip)


def _reset_box(session: ReviewState, move: ResetBox) -> Step:
    return edited(session, None, anew=open_at(session, None, move).suggested)


def _full_image(session: ReviewState, move: FullImage) -> Step:
    entry = open_at(session, move.position, move)
    whole = full(entry.size)
    held = session.lock.held in (Held.RATIO, Held.IMAGE)
    ratio = session.lock.ratio(whole.size, entry.size) if held else None
    return edited(session, move.position, anew=fitted(whole, ratio) if ratio else whole)


def _toggle_lock(session: ReviewState, _: ToggleLock) -> Step:
    upright = replace(session.lock_at_hand, turned=False)
    after = LOCKS.index(upright) + 1 if upright in LOCKS else 0
    return Step(_holding(session, LOCKS[after % len(LOCKS)]))


def _toggle_targets(session: ReviewState, move: ToggleTargets) -> Step:
    if not session.has_targets:
        raise IllegalMove(name_of(move), "no crop is wanted for a target")
    after = replace(session, holding=not session.holding)
    return Step(_all_held(after))


def _picked_held(session: ReviewState, lock: AspectLock) -> ReviewState:
    """Give a ratio to the images that are selected; what comes later has that of all."""
    after, holding = replace(session, picked_lock=lock), replace(session, lock=lock)
    for position in session.at_hand:
        entry = session.entries[position]
        if isinstance(entry, Open):
            after = put(after, position, _held(holding, entry))
    return after


def _all_held(session: ReviewState) -> ReviewState:
    entries = tuple(_held(session, e) if isinstance(e, Open) else e for e in session.entries)
    return replace(session, entries=entries)


def _held(session: ReviewState, entry: Open) -> Open:
    """Return an image held to what holds its box now, or as it was asked for before."""
    other = replace(entry, aims=session.aims(entry.path, entry.size))
    return locked(other.boxed(entry.wanted), session.lock)


def _turn_lock(session: ReviewState, move: TurnLock) -> Step:
    lock = session.lock_at_hand
    if lock == FREE:
        raise IllegalMove(name_of(move), "no aspect ratio is held")
    turned = _holding(session, replace(lock, turned=not lock.turned))
    for position in turned.at_hand if turned.entries else ():
        turned = _stood_on_end(turned, position)
    return Step(turned)


def _stood_on_end(session: ReviewState, position: int) -> ReviewState:
    """Return a session with a box on end that holds a ratio of its own."""
    entry = session.entries[position]
    if not isinstance(entry, Open) or entry.ratio is None or entry.aims:
        return session
    across = sized(entry.box, entry.box.size.swapped, entry.size)
    return edited(session, position, box=fitted(across, entry.ratio)).session


def _set_ratio(session: ReviewState, move: SetRatio) -> Step:
    if min(move.width, move.height) < 1:
        raise IllegalMove(name_of(move), "a ratio is made of two numbers above 0")
    open_at(session, None, move)
    holding = _holding(session, AspectLock(Held.RATIO, move.width, move.height))
    if not (session.holding and session.has_targets):
        return Step(holding)
    for position in session.at_hand:
        box = open_at(session, position, move).box
        shaped = fitted(box, move.width / move.height)
        holding = edited(holding, position, box=shaped).session
    return Step(holding)


def _holding(session: ReviewState, lock: AspectLock) -> ReviewState:
    """Hold a ratio: each undecided box of the page is given it, around the middle it has.

    Where several images are selected, only theirs are.
    """
    if len(session.at_hand) > 1:
        return _picked_held(session, lock)
    return _all_held(replace(session, lock=lock))


def _set_box(session: ReviewState, move: SetBox) -> Step:
    entry = open_at(session, None, move)
    return edited(session, None, anew=_inside(entry, move.box, move))


def _set_size(session: ReviewState, move: SetSize) -> Step:
    entry = open_at(session, None, move)
    if move.size.width > entry.size.width or move.size.height > entry.size.height:
        raise IllegalMove(name_of(move), _larger(entry))
    return edited(session, None, anew=sized(entry.box, move.size, entry.size))


def _set_longer_side(session: ReviewState, move: SetLongerSide) -> Step:
    was = open_at(session, None, move).box.size
    by = move.pixels / max(was.width, was.height)
    return _set_size(session, SetSize(_at_least_a_pixel(was.width * by, was.height * by)))


def _set_part(session: ReviewState, move: SetPart) -> Step:
    of = open_at(session, None, move).size
    by = move.percent / 100
    return _set_size(session, SetSize(_at_least_a_pixel(of.width * by, of.height * by)))


def _at_least_a_pixel(width: float, height: float) -> Size:
    return Size(max(1, round(width)), max(1, round(height)))


def _next_candidate(session: ReviewState, move: NextCandidate) -> Step:
    entry = open_at(session, None, move)
    if len(entry.suggestions) < 2:  # noqa: PLR2004  (one is the one that is offered)
        raise IllegalMove(name_of(move), f"{named(entry.path)} has no other suggestion")
    return _candidate(session, entry, (entry.candidate + 1) % len(entry.suggestions))


def _take_candidate(session: ReviewState, move: TakeCandidate) -> Step:
    entry = open_at(session, None, move)
    if not 0 <= move.number < len(entry.suggestions):
        which = f"no suggestion {move.number + 1}: there are {len(entry.suggestions)}"
        raise IllegalMove(name_of(move), f"{named(entry.path)} has {which}")
    return _candidate(session, entry, move.number)


def _candidate(session: ReviewState, entry: Open, number: int) -> Step:
    offered = replace(offering(entry, number), mark=Mark.KEEP)
    return Step(put(session, session.chosen, locked(offered, session.lock_at_hand)))


def _fit_subjects(session: ReviewState, move: FitSubjects) -> Step:
    """Go from the box at hand to the next: around all subjects, then around each of them.

    By each rule in turn, the usual one first. What holds the box holds here, too: its targets, or
    the ratio of the lock. Two that come to the same box by that are one.
    """
    entry = open_at(session, None, move)
    subjects = dict.fromkeys(entry.proposed(each).xyxy for each in entry.suggestions)
    if not subjects:
        raise IllegalMove(name_of(move), f"{named(entry.path)} has no suggestion to be around")
    by_box: dict[PixelBox, tuple[Framed, str]] = {}
    for name, crop in _around(session, entry, list(subjects), move):
        label = " \N{MIDDLE DOT} ".join(filter(None, (name, crop.label)))
        by_box.setdefault(entry.boxed(PixelBox(*crop.xyxy)).box, (crop, label))
    boxes = list(by_box)
    at = boxes.index(entry.box) + 1 if entry.framed and entry.box in by_box else 0
    crop, label = by_box[boxes[at % len(boxes)]]
    step = edited(session, None, anew=PixelBox(*crop.xyxy))
    changed = step.session.entries[session.chosen]
    framed = replace(changed, framed=label) if isinstance(changed, Open) else changed
    return Step(put(step.session, session.chosen, framed))


def _around(
    session: ReviewState, entry: Open, subjects: list[tuple[int, int, int, int]], move: FitSubjects
) -> list[tuple[str, "Framed"]]:
    """Return the crop of each rule, with its name, then those around each subject.

    A rule that takes subjects by class or confidence, which none has here, makes none, unless there
    is no other: then that is told.
    """
    ratio = session.lock.ratio(entry.box.size, entry.size)
    rules = {name: _held_to(rule, ratio) for name, rule in session.around.items()}
    usable = {name: rule for name, rule in rules.items() if _is_usable(rule)} or rules
    try:
        return [
            (name, crop)
            for keep in ({}, {"keep": "each"})
            for name, rule in usable.items()
            for crop in _crops(subjects, entry, rule | keep)
        ]
    except (BadFraming, BadTarget) as error:
        raise IllegalMove(name_of(move), str(error)) from None


def _crops(
    subjects: list[tuple[int, int, int, int]], entry: Open, rule: Mapping[str, Any]
) -> tuple["Framed", ...]:
    from cropkit.framing import around  # noqa: PLC0415  (NumPy: for this move only)

    return around(subjects, entry.size, **rule)


def _held_to(rule: Mapping[str, Any], ratio: float | None) -> dict[str, Any]:
    """Return a rule whose ratio is the one that is held, if one is."""
    if ratio is None:
        return dict(rule)
    return {name: value for name, value in rule.items() if name != "targets"} | {"aspect": ratio}


def _is_usable(rule: Mapping[str, Any]) -> bool:
    return rule.get("keep", "all") in ("all", "largest", "each")


def _carry_box(session: ReviewState, move: CarryBox) -> Step:
    entry = open_at(session, None, move)
    slot = slot_of(entry.path)
    if slot not in session.carried:
        of_slot = f" for {slot}" if slot else ""
        raise IllegalMove(name_of(move), f"no box has been decided yet{of_slot}")
    cut = session.carried[slot].of(source_size(entry))
    turned = turned_at(session, session.chosen, cut.turn, move)
    return edited(turned, None, anew=cut.seen)


def _inside(entry: Open, box: PixelBox, move: SetBox) -> PixelBox:
    try:
        return box.within(entry.size)
    except BadBox:
        raise IllegalMove(name_of(move), _larger(entry)) from None


def _larger(entry: Open) -> str:
    return f"that reaches outside of the image, which has {_extent(entry)}"


def _extent(entry: Open) -> str:
    return f"{entry.size.width} x {entry.size.height}"


BOX_RULES: Mapping[type, Callable[[ReviewState, Any], Step]] = {
    Nudge: _nudge,
    Resize: _resize,
    Drag: _drag,
    ResetBox: _reset_box,
    FullImage: _full_image,
    ToggleLock: _toggle_lock,
    ToggleTargets: _toggle_targets,
    TurnLock: _turn_lock,
    SetRatio: _set_ratio,
    SetBox: _set_box,
    SetSize: _set_size,
    SetLongerSide: _set_longer_side,
    SetPart: _set_part,
    NextCandidate: _next_candidate,
    TakeCandidate: _take_candidate,
    FitSubjects: _fit_subjects,
    CarryBox: _carry_box,
}
