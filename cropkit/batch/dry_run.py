"""A dry run: the plan and what is in its way, of a collection in which nothing is written."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cropkit import clock
from cropkit.audit.presence import whoami
from cropkit.audit.reader import TrailReader
from cropkit.audit.trail_copy import copied_trail
from cropkit.batch.plan import Plan
from cropkit.batch.planning import BatchPlanner
from cropkit.batch.preflight import hindrances
from cropkit.batch.progress import LookBar
from cropkit.batch.values import checked
from cropkit.engine import listing, outputs
from cropkit.engine.locations import Locations
from cropkit.engine.planning import named_beneath
from cropkit.engine.ways import Ways, kept, ways
from cropkit.errors import CropkitError
from cropkit.jupyter.notebooks import Literal
from cropkit.labels import asked
from cropkit.labels.store import usual_suggesters
from cropkit.records import Placement, batch_of
from cropkit.suggest.suggested import Suggester
from cropkit.system import destinations
from cropkit.system.files import Root
from cropkit.system.scope import Scope, scope_of


class Scene(NamedTuple):
    """A collection to look at: where its names lie, and what becomes of crops."""

    scope: Scope
    locations: Locations
    trail: TrailReader
    ways: Ways
    placement: Placement


def foreseen(
    path: Path, parameters: Mapping[str, Literal], state: Path | None = None
) -> tuple[Plan, tuple[CropkitError, ...]]:
    """Return what `Batch` would plan with these parameters, and what is in its way.

    Nothing is written; the trail is read from a copy elsewhere.
    """
    source = checked("source", parameters.get("source", "queue"))
    with looked_at(path, asked_by(parameters), state) as scene:
        planner = BatchPlanner(
            scene.locations,
            scene.trail,
            _suggesters(scene, parameters),
            scene.placement,
            batch_of(whoami()),
            clock.session_name(clock.now()),
            scene.ways.crops,
            salvage=bool(parameters.get("salvage")),
        )
        least = float(parameters.get("min_confidence") or 0.0)
        plan = planner.plan(source, least, LookBar())
    return plan, hindrances(plan, scene.locations)


def _suggesters(scene: Scene, parameters: Mapping[str, Literal]) -> tuple[Suggester, ...]:
    words = {name: parameters.get(name) for name in ("suggestions", "model", "order", "units")}
    boxes = asked.named(**{name: word or "" for name, word in words.items()})
    if not boxes:
        return usual_suggesters(scene.scope.root, scene.scope.state)
    its_outputs = outputs.known(scene.trail.settings())
    return asked.suggesters(
        boxes, scene.locations.root, lambda: listing.listed(scene.scope, its_outputs).images
    )


def asked_by(parameters: Mapping[str, Literal]) -> Ways:
    """Return what parameters say of where crops go and how copies are made.

    Raises
    ------
    BadDestination, BadSetting, BadSlot, BadTarget, CopiesOnly
        There can be no such crops.
    """
    return ways(
        move_to=_text(parameters, "destination"),
        copy_to=_text(parameters, "copy_to"),
        slots=_text(parameters, "slots"),
        targets=_text(parameters, "targets"),
        resize=bool(parameters.get("resize")),
        copies=_text(parameters, "copies") or "",
    )


@contextmanager
def looked_at(path: Path, asked: Ways, state: Path | None = None) -> Iterator[Scene]:
    """Give out a collection as it would be opened; not even `.cropkit` is made or touched.

    Raises
    ------
    BadDestination, AuditError
        It would not be opened so.
    """
    scope = scope_of(path, state)
    files = Root(scope.root)
    folder = None if asked.folder is None else destinations.resolved(asked.folder)
    home = files if scope.elsewhere is None else _there(scope.elsewhere)
    mine = destinations.named(scope.root)
    locations = Locations(files, (folder, *mine) if folder else mine, home)
    with copied_trail(scope) as trail:
        chosen = kept(trail.settings()) if asked == Ways() else asked
        name = named_beneath(scope, folder) if folder else chosen.folder
        called = None if name is None else str(name)
        _check_output(scope.root, called, trail)
        yield Scene(scope, locations, trail, chosen, chosen.placement(called))


def _check_output(root: Path, folder: str | None, trail: TrailReader) -> None:
    """Refuse a folder that an opening would refuse to write crops to."""
    is_beneath = folder is not None and not folder.startswith("/")
    if folder is not None and is_beneath and outputs.with_another(trail.settings(), folder):
        outputs.check_hides_nothing(root, folder, trail.operations)


def _there(state: Path) -> Root:
    """Return the folder of a state, or the nearest one above it that is there."""
    return Root(next(each for each in (state, *state.parents) if each.is_dir()))


def _text(parameters: Mapping[str, Literal], name: str) -> str | None:
    return str(parameters.get(name) or "") or None
