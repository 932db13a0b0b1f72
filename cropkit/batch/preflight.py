"""What would stop a whole batch, looked for before it begins; writes nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

from cropkit.batch.plan import Item, Plan
from cropkit.engine.locations import Locations
from cropkit.errors import CropkitError, NoSpace, ReadOnly
from cropkit.system.files import Root
from cropkit.system.home import HOME

_RESERVE = 16 << 20  # for the trail, and for others
_AT_WORK = 3  # a crop in the making may take as much again as its source, twice


def hindrances(plan: Plan, locations: Locations) -> tuple[CropkitError, ...]:
    """Name what is in the way of a batch as a whole: room on each disk, permission to write."""
    return (*_without_room(plan, locations.state), *_without_permission(plan, locations.state))


def needed_bytes(items: tuple[Item, ...]) -> int:
    """Return the room that items take at most: each original is kept beside its crop."""
    if not items:
        return 0
    kept = sum(item.size_bytes for item in items if not item.is_copy)
    return kept + _AT_WORK * max(item.size_bytes for item in items) + _RESERVE


def _needed_there(items: tuple[Item, ...]) -> int:
    """Return the room that items take where they go to: no original is kept there."""
    return sum(item.size_bytes for item in items) + _RESERVE


def _without_room(plan: Plan, state: Root) -> Iterator[CropkitError]:
    needed, free = needed_bytes(plan.ready), state.free_bytes()
    if free < needed:
        yield NoSpace(state.path, needed, free)
    for folder in plan.destinations:
        place = _nearest(plan.folder / folder)
        if place.stat().st_dev == state.path.stat().st_dev:
            continue
        moving = tuple(item for item in plan.ready if item.moves and item.folder == folder)
        needed, free = _needed_there(moving), Root(place).free_bytes()
        if free < needed:
            yield NoSpace(folder, needed, free)


def _without_permission(plan: Plan, state: Root) -> Iterator[CropkitError]:
    if not plan.ready:
        return
    folders = {state.path / HOME}
    folders |= {(plan.folder / item.path).parent for item in plan.ready if not item.is_copy}
    folders |= {plan.folder / folder for folder in plan.destinations}
    for place in sorted({_nearest(folder) for folder in folders}):
        if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            yield ReadOnly(place, "not writable by this user")


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())
