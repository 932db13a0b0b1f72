"""A dry run: the plan and what is in its way, of a collection in which nothing is written."""

from collections.abc import Mapping
from pathlib import Path

from cropkit.batch.plan import Plan, reviewer_of
from cropkit.batch.trail_copy import copied_trail
from cropkit.batch.preflight import hindrances
from cropkit.batch.progress import Shown
from cropkit.batch.batch import source_named
from cropkit.batch.planning import Scene
from cropkit.errors import CropkitError, MissingFile
from cropkit.system.files import Root
from cropkit.engine.planning import named_beneath
from cropkit.suggest import Sidecars
from cropkit.jupyter.notebooks import Literal


def foreseen(
    collection: Path, parameters: Mapping[str, Literal]
) -> tuple[Plan, tuple[CropkitError, ...]]:
    """Return what `Batch` would plan with these parameters, and what is in its way.

    Not even `.cropkit` is made or touched; the trail is read from a copy elsewhere.
    """
    if not collection.is_dir():
        raise MissingFile(str(collection))
    files = Root(collection)
    wanted = str(parameters.get("destination", "") or "")
    destination = named_beneath(files.path, (Path.cwd() / wanted).resolve()) if wanted else None
    source = source_named(str(parameters.get("source", "queue")))
    with copied_trail(files.path) as trail:
        scene = Scene(
            files, trail, (Sidecars(files.path),), destination, reviewer_of(trail.reviewer)
        )
        least = float(parameters.get("min_confidence") or 0.0)
        plan = scene.plan(source, least, Shown())
    return plan, hindrances(plan, files)
