"""What another process opens a collection with, and what it did there counted here."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

from cropkit.audit.tally import Tally
from cropkit.collection import Collection
from cropkit.engine.executor import problems
from cropkit.formats import Options
from cropkit.records import CropResult, Placement


@dataclass(frozen=True, slots=True)
class Opening:
    """What a process opens its own session of a collection with."""

    folder: str
    state: str | None
    reviewer: str
    placement: Placement
    options: Options
    trail: str | None = field(repr=False)  # it may hold a password

    @classmethod
    def of(cls, collection: Collection) -> Self:
        """Return how another process works as this session does."""
        placement = replace(collection.placement, folder=_absolute(collection))
        elsewhere = None if collection.looking else collection.scope.elsewhere
        return cls(
            str(collection.root),
            None if elsewhere is None else str(elsewhere),
            collection.reviewer,
            placement,
            collection.options,
            collection.trail_named,
        )

    @contextmanager
    def opened(self) -> Iterator[Collection]:
        """Open the collection: a session of its own, which settles what the dead left.

        Raises
        ------
        CropkitError
            As `Collection`: nothing was touched.
        """
        with Collection(
            self.folder,
            state=self.state,
            reviewer=self.reviewer,
            **_ways(self.placement),
            suggesters=(),
            kind="applier",
            options=self.options,
            trail=self.trail,
        ) as collection:
            yield collection


def count_here(collection: Collection, result: CropResult) -> None:
    """Count what a process did for this session: it is this one that had it done."""
    collection.trail.presence.count(partial(Tally.with_outcome, status=result.status))
    for problem in problems(result):
        collection.problems.hear(problem)


def _absolute(collection: Collection) -> str | None:
    """Return the folder that the person has named for this session.

    What the collection keeps is not named by anybody yet: its decisions say where they go.
    """
    if collection.asked.folder is None or collection.destination is None:
        return None
    return str(collection.root / collection.destination)


def _ways(placement: Placement) -> dict[str, Any]:
    """Return a placement as a collection is opened with it."""
    is_copy = placement.copying is not None
    return {"copy_to" if is_copy else "destination": placement.folder}
