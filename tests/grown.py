"""Collections with many finished crops, made without cropping, with rows and names as ours are.

The trail is written by the trail itself. Images are no images, which nobody notices who does not
decode them.
"""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from cropkit import clock
from cropkit.audit.operation import Operation, OperationKind
from cropkit.audit.trail import AuditTrail
from cropkit.geometry import PixelBox, Size
from cropkit.records import Decision, Verdict
from cropkit.system.files import Root

BOX, SIZE = PixelBox(2, 2, 12, 12), Size(16, 16)
AT_ONCE = 500
IN_A_FOLDER = 1000


def grow(folder: Path, count: int, first: int = 0) -> list[str]:
    """Add images that one session decided about and cropped; return their names."""
    names = []
    trail = AuditTrail(Root(folder), "grower", kind="batch")
    try:
        for start in range(first, first + count, AT_ONCE):
            some = [_written(folder, n) for n in range(start, min(start + AT_ONCE, first + count))]
            _cropped(trail, folder, some)
            names += [name for name, _, _ in some]
    finally:
        trail.close()
    return names


def _written(folder: Path, number: int) -> tuple[str, str, str]:
    name = f"set{number // IN_A_FOLDER:04}/image{number:07}.png"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before, after = (f"{word} {number}".encode() for word in ("original", "crop"))
    path.write_bytes(after)
    originals = folder / ".cropkit" / "originals"
    (originals / sha256(before).hexdigest()).write_bytes(before)
    return name, sha256(before).hexdigest(), sha256(after).hexdigest()


def _cropped(trail: AuditTrail, folder: Path, images: list[tuple[str, str, str]]) -> None:
    decided = [_decision(trail, name, before) for name, before, _ in images]
    trail.decide(decided)
    planned = [_planned(trail, decision) for decision in decided]
    trail.plan([(each, ()) for each in planned])
    attributes = Root(folder).read(images[0][0]).attributes.to_json()
    ready = [
        replace(each, sha256_before=before, sha256_after=after, attributes=attributes)
        for each, (_, before, after) in zip(planned, images, strict=True)
    ]
    trail.prepare(ready)
    trail.finish(ready)


def _decision(trail: AuditTrail, name: str, before: str) -> Decision:
    now = clock.now()
    return Decision(
        path=name,
        sha256=before,
        size=SIZE,
        verdict=Verdict.ADJUSTED,
        box=BOX,
        reviewer=trail.reviewer,
        session=trail.session,
        shown_at=now,
        decided_at=now,
    )


def _planned(trail: AuditTrail, decision: Decision) -> Operation:
    name = decision.path
    return Operation(
        OperationKind.CROP,
        name,
        name,
        trail.session,
        trail.owner,
        box=BOX,
        decision=decision.id,
        report={"box_applied": BOX.xyxy, "degraded": None, "dropped": [], "kept": []},
    )
