"""Examples of a collection: what its reviewers decided, with each image as it was shown."""

from collections.abc import Iterator
from functools import partial

from cropkit.audit.reader import TrailReader
from cropkit.bounds import Bounds
from cropkit.engine.locations import Locations, locations_of
from cropkit.errors import MissingFile, OriginalPurged, TrailDisagrees
from cropkit.geometry import PixelBox
from cropkit.records import Decision, Problem, ProblemKind, Verdict
from cropkit.system import state_folder
from cropkit.system.files import Root
from cropkit.system.home import kept
from cropkit.system.scope import Scope
from cropkit.taste.example import Example, Source


def examples(scope: Scope) -> Iterator[Example | Problem]:
    """Yield the decisions in force that keep a box, oldest first, and those that are unreadable.

    Skipped and rejected images say nothing of where a crop belongs.

    Raises
    ------
    AuditError
        The trail cannot be read.
    """
    state_folder.check(scope.state)
    with TrailReader(Root(scope.state), scope=scope) as trail:
        locations = locations_of(trail)
        decided: list[Decision] = []
        for each in trail.decisions.numbered(trail.decisions.in_force()):
            if isinstance(each, TrailDisagrees):
                yield Problem(ProblemKind.DECISION, str(each.args[0]), str(each))
            else:
                decided.append(each.decision)
        for decision in sorted(decided, key=lambda each: each.decided_at):
            if decision.box is not None:
                yield _example(decision, decision.box, locations)


def _example(decision: Decision, box: PixelBox, locations: Locations) -> Example:
    suggestion = decision.suggestion
    return Example(
        decision.path,
        box.normalized(decision.size),
        partial(_data, locations, decision.path, decision.sha256),
        Source(
            suggestion.source if suggestion else "",
            suggestion.version if suggestion else "",
            decision.slot,
            decision.reviewer,
        ),
        suggestion.box if suggestion else None,
        (decision.decided_at - decision.shown_at).total_seconds(),
        accepted=decision.verdict is Verdict.ACCEPT,
    )


def _data(locations: Locations, image: str, sha256: str) -> bytes:
    """Return an image's bytes as they were shown: kept before its crop, or as they stand.

    Raises
    ------
    OriginalPurged
        They are gone.
    """
    bounds = Bounds.from_environment()
    root, path = locations.locate(image)
    for place, name in ((locations.state, kept(sha256)), (root, path)):
        try:
            content = place.read(name, bounds)
        except MissingFile:
            continue
        if content.sha256 == sha256:
            return content.data
    raise OriginalPurged(image)
