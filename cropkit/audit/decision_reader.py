"""What a trail tells of decisions, and of what became of them."""

from collections import Counter
from typing import Any

from cropkit.audit import decisions
from cropkit.audit.decisions import Standing
from cropkit.audit.store_reader import StoreReader
from cropkit.records import Decision, Status
from cropkit.system.scope import Scope


class DecisionReader:
    """Every question about decisions, each answered from one moment of the database."""

    def __init__(self, store: StoreReader, scope: Scope) -> None:
        self._store, self._scope = store, scope

    def standing(self, path: str | None = None) -> list[Standing]:
        """Return the decisions that stand, oldest first."""
        with self._store.reading() as db:
            return [each for each in decisions.standing(db, path) if self._scope.holds(each.path)]

    def standing_by_path(self) -> dict[str, Standing]:
        """Return the decision that stands for each image: the latest."""
        return {standing.path: standing for standing in self.standing()}

    def standing_paths(self) -> set[str]:
        """Return the images that a decision stands for; costs a tenth of the decisions."""
        with self._store.reading() as db:
            return {path for path in decisions.standing_paths(db) if self._scope.holds(path)}

    def any_stands(self) -> bool:
        """Whether a decision stands for any image."""
        with self._store.reading() as db:
            return any(self._scope.holds(path) for path in decisions.standing_paths(db))

    def waiting(self) -> list[str]:
        """Return the decisions that nobody has carried out, oldest first."""
        with self._store.reading() as db:
            ids = decisions.waiting(db)
            if self._scope.is_whole:
                return ids
            mine = {e.decision for e in decisions.standing(db) if self._scope.holds(e.path)}
            return [each for each in ids if each in mine]

    def by_id(self, decision_id: str) -> tuple[Decision, Standing]:
        """Return a decision and what became of it.

        Raises
        ------
        PathOutsideRoot
            It is about an image that is not in the part of the collection that is meant.
        """
        with self._store.reading() as db:
            decision, standing = decisions.one(db, decision_id)
        self._scope.check(decision.path)
        return decision, standing

    def counts(self) -> dict[Status, int]:
        """Return how many images have each status."""
        if not self._scope.is_whole:
            return Counter(each.status for each in self.standing_by_path().values())
        with self._store.reading() as db:
            return decisions.counts(db)

    def table(self) -> list[dict[str, Any]]:
        """Return every decision with its outcome as plain rows."""
        with self._store.reading() as db:
            return [row for row in decisions.table(db) if self._scope.holds(row["path"])]
