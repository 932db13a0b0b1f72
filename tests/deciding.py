"""A decision about an image of a collection, as a reviewer makes one."""

from cropkit import clock
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.records import Decision, Suggestion, Verdict

BOX = PixelBox(10, 20, 60, 90)


def decision(kit: Collection, path: str, box: PixelBox | None, **fields: object) -> Decision:
    """Return a decision about an image as it is now; it is not recorded."""
    look, moment = kit.look(path), clock.now()
    facts: dict[str, object] = {
        "path": path,
        "sha256": look.sha256,
        "size": look.size,
        "verdict": Verdict.ADJUSTED,
        "box": box,
        "reviewer": kit.reviewer,
        "session": kit.session,
        "shown_at": moment,
        "decided_at": moment,
    }
    return Decision(**(facts | fields))  # type: ignore[arg-type]  # (a bag of fields)


def decided(
    kit: Collection,
    path: str,
    verdict: Verdict = Verdict.ADJUSTED,
    box: PixelBox | None = BOX,
    suggestion: Suggestion | None = None,
) -> str:
    """Decide, and return the decision's id."""
    new = decision(kit, path, box, verdict=verdict, suggestion=suggestion)
    kit.decide([new])
    return new.id
