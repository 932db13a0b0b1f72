"""A demo collection that people have reviewed: its crops wait for a batch, or are there."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cropkit import clock
from cropkit.collection import Collection, Look
from cropkit.demo import make_demo
from cropkit.geometry import PixelBox
from cropkit.records import Decision, Suggestion, Verdict

_IMAGES = 8
_REVIEWER = "demo"
# What somebody chose otherwise than suggested, by the image's place in the review.
_CHOSEN = {1: Verdict.ADJUSTED, 3: Verdict.REJECT, 7: Verdict.SKIP}
_NUDGE = 24  # pixels off each edge
# Two sessions: who, when, and the seconds that each image took; one was looked at for long.
_SESSIONS = (
    ("ann", datetime(2026, 1, 5, 9, 15, tzinfo=UTC), (9, 6, 5, 14, 4, 7)),
    ("ben", datetime(2026, 1, 6, 14, 40, tzinfo=UTC), (4, 3, 6, 250, 5)),
)


def reviewed_demo(folder: Path) -> Path:
    """Make the demo and decide about its images; an image without a suggestion stays undecided."""
    make_demo(folder, _IMAGES)
    with Collection(folder, reviewer=_REVIEWER, kind="demo") as collection:
        decisions = []
        for place, path in enumerate(collection.images()):
            look = collection.look(path)
            suggestions = collection.suggestions(look)
            if suggestions:
                verdict = _CHOSEN.get(place, Verdict.ACCEPT)
                moment = clock.now()
                decisions.append(
                    _decided(collection, look, suggestions[0], verdict, (moment, moment))
                )
        collection.decide(decisions)
    return folder


def finished_demo(folder: Path) -> Path:
    """Make the demo, as two people have reviewed it in two sessions, with its crops written."""
    make_demo(folder, sum(len(seconds) for _, _, seconds in _SESSIONS))
    for reviewer, began, seconds in _SESSIONS:
        with Collection(folder, reviewer=reviewer, kind="review") as collection:
            decided = collection.trail.decisions.standing_paths()
            left = [path for path in collection.images() if path not in decided]
            _review(collection, left[: len(seconds)], began, seconds)
    return folder


def _review(
    collection: Collection, paths: Sequence[str], began: datetime, seconds: Sequence[int]
) -> None:
    shown_at, decisions = began, []
    for place, (path, taken) in enumerate(zip(paths, seconds, strict=True)):
        look = collection.look(path)
        suggestions = collection.suggestions(look)
        verdict = _CHOSEN.get(place, Verdict.ACCEPT) if suggestions else Verdict.SKIP
        suggestion = suggestions[0] if suggestions else None
        at = shown_at + timedelta(seconds=taken)
        decisions.append(_decided(collection, look, suggestion, verdict, (shown_at, at)))
        shown_at = at
    collection.decide(decisions)
    collection.apply_waiting()


def _decided(
    collection: Collection,
    look: Look,
    suggestion: Suggestion | None,
    verdict: Verdict,
    moments: tuple[datetime, datetime],
) -> Decision:
    box = suggestion.box.pixels(look.size) if suggestion else None
    if box and verdict is Verdict.ADJUSTED:
        left, top, right, bottom = box.xyxy
        box = PixelBox(left + _NUDGE, top + _NUDGE, right - _NUDGE, bottom - _NUDGE)
    return Decision(
        path=look.path,
        sha256=look.sha256,
        size=look.size,
        verdict=verdict,
        box=box if verdict.keeps_a_box else None,
        reviewer=collection.reviewer,
        session=collection.session,
        shown_at=moments[0],
        decided_at=moments[1],
        suggestion=suggestion,
    )
