"""A decision about an image of a collection, as a reviewer makes one."""

from cropkit import clock
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.records import Decision, Suggestion, Verdict

BOX = PixelBox(10, 20, 60, 90)


def decided(
    kit: Collection,
    path: str,
    verdict: Verdict = Verdict.ADJUSTED,
    box: PixelBox | None = BOX,
    suggestion: Suggestion | None = None,
) -> str:
    """Decide, and return the decision's id."""
    look = kit.look(path)
    moment = clock.now()
    decision = Decision(
        path=path,
        sha256=look.sha256,
        size=look.size,
        verdict=verdict,
        box=box,
        reviewer=kit.reviewer,
        session=kit.session,
        shown_at=moment,
        decided_at=moment,
        suggestion=suggestion,
    )
    kit.decide([decision])
    return decision.id
