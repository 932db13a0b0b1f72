"""A demo collection that somebody has reviewed, and whose crops wait for a batch."""

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
                decisions.append(_decided(collection, look, suggestions[0], verdict))
        collection.decide(decisions)
    return folder


def _decided(
    collection: Collection, look: Look, suggestion: Suggestion, verdict: Verdict
) -> Decision:
    moment = clock.now()
    box = suggestion.box.pixels(look.size)
    if verdict is Verdict.ADJUSTED:
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
        shown_at=moment,
        decided_at=moment,
        suggestion=suggestion,
    )
