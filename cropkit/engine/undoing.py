"""What was done is taken back, whatever has become of the file since; originals are purged.

Theory of operation. Undo is an operation like the others: names and content the other way round.
That needs the crop to be where it was written. Where it is not, the way back is another one:

=====================  =========================================================================
the crop stands        the original is staged and takes its name; the crop becomes an original
                       in its turn, for redo
the crop is a copy     it is moved to `.cropkit/removed`, with what went with it; redo moves it back
nothing has the name   the kept original is copied to its name; there is nothing to redo
something else has it  refused, since that would be lost; when asked to keep it, it is moved to
                       where rejected images are (and can be undone), then as above
=====================  =========================================================================

What is undone is what the trail's own event tells: a row that says otherwise was changed by
somebody, and could bring another image's content back.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from cropkit.audit.operation import Operation
from cropkit.audit.operation_reader import Undoable
from cropkit.engine import listing
from cropkit.engine.executor import DecisionExecutor, refusal, result_of
from cropkit.engine.locations import Locations
from cropkit.engine.merged_homes import MergedHomes
from cropkit.engine.names_beside import NamesBeside
from cropkit.engine.planning import (
    chosen_to_purge,
    make_folders,
    to_bring_back,
    to_purge,
    to_remove,
    to_set_aside,
    to_undo,
)
from cropkit.engine.request import Outcome, Request
from cropkit.errors import (
    AuditError,
    Busy,
    ChangedSinceCrop,
    CropkitError,
    LaterOperation,
    MissingFile,
    NothingToUndo,
    TrailDisagrees,
)
from cropkit.records import CropResult, Status
from cropkit.system.home import kept


class Undoer:
    """Takes back what was done to one collection; thread-safe."""

    def __init__(self, locations: Locations, executor: DecisionExecutor) -> None:
        self._locations = locations
        self._executor = executor
        self._trail = executor.applier.trail
        self.merged = MergedHomes(locations, self._trail)

    def retract(self, decision: str) -> CropResult:
        """Take a decision back: by withdrawing one that waits, else by restoring the file.

        What went wrong is in the result; the file is then as it was.

        Raises
        ------
        AuditError
            Work must stop.
        """
        try:
            return result_of(self._retracted(decision))
        except TrailDisagrees as error:  # its row cannot be read, or was added
            return refusal(error.args[0], None, error)

    def _retracted(self, wanted: str) -> Outcome:
        decision, _, disagreement = self._trail.decisions.compared(wanted)
        if disagreement is not None:
            return Outcome(refusal(decision.path, decision.box, disagreement), disagreement)
        if self._trail.withdraw(wanted):
            result = CropResult(Status.RESTORED, decision.path, box_asked=decision.box)
            return Outcome(result)
        decision, standing = self._trail.decisions.by_id(wanted)
        if standing.status is Status.RESTORED:
            return Outcome(refusal(decision.path, decision.box, NothingToUndo(decision.path)))
        if standing.operation is None:
            return Outcome(refusal(decision.path, decision.box, Busy(decision.path)))
        operation = self._trail.operations.by_id(standing.operation)
        if operation.decision != wanted:  # the row was changed: that is another image's, perhaps
            error = TrailDisagrees(decision.path, "decision", wanted)
            return Outcome(refusal(decision.path, decision.box, error), error)
        return self.restore(operation)[-1]

    def restore(self, operation: Undoable, *, keep_current: bool = False) -> list[Outcome]:
        """Bring back what was before an operation, unless a later one stands on it.

        One whose row cannot be read is refused: what it has done nobody can tell.

        Parameters
        ----------
        keep_current : a file that was changed since is set aside, and told first
        """
        if isinstance(operation, TrailDisagrees):
            return [Outcome(refusal(operation.args[0], None, operation), operation)]
        hindrance = self._hindrance(operation)
        if hindrance is not None:
            return [_refused(operation, hindrance)]
        try:
            now = self._locations.digest(operation.target)
            if operation.is_copy:
                return [self._removed(operation, now, keep_current=keep_current)]
            return self._brought_back(operation, now, keep_current=keep_current)
        except AuditError:
            raise
        except CropkitError as error:
            return [_refused(operation, error)]

    def _brought_back(
        self, operation: Operation, now: str | None, *, keep_current: bool
    ) -> list[Outcome]:
        if now == operation.sha256_after or operation.same_content:
            return [self._run(operation, to_undo(operation))]
        if now is None or not operation.in_place:
            return [self._run(operation, to_bring_back(operation))]
        if not keep_current:
            return [_refused(operation, ChangedSinceCrop(operation.target))]
        return self._over(operation, now)

    def _removed(self, copy: Operation, now: str | None, *, keep_current: bool) -> Outcome:
        """Take a copy out of the way; one that was changed since only when that is to be kept."""
        if now is None:
            return _refused(copy, MissingFile(copy.target))
        if now != copy.sha256_after and not keep_current:
            return _refused(copy, ChangedSinceCrop(copy.target, "copy"))
        root, path = self._locations.locate(copy.target)
        has_twin = listing.has_twin(NamesBeside(root), path)
        return self._run(copy, to_remove(copy, now, has_twin=has_twin))

    def _hindrance(self, operation: Operation) -> CropkitError | None:
        if not self._trail.operations.is_told(operation):
            return TrailDisagrees(operation.source, "operation", operation.id)
        later = self._trail.operations.later_on(operation)
        if isinstance(later, TrailDisagrees):
            return later
        if later is not None:
            return LaterOperation(operation.source, operation.id, later.id)
        return self._loss_behind(operation)

    def _loss_behind(self, operation: Operation) -> TrailDisagrees | None:
        """Tell what cannot be read of that which stands again once a restore is taken back."""
        try:
            if operation.undoes:
                self._trail.operations.by_id(operation.undoes)
        except TrailDisagrees as error:
            return error
        return None

    def _over(self, operation: Operation, now: str) -> list[Outcome]:
        """Set a changed file aside, then bring the original back to its name."""
        request = to_set_aside(operation.target, now, uuid4().hex)
        self._locations.make_folder_of(request.target)
        aside = self._executor.run(request)
        if aside.error is not None:
            return [aside]
        return [aside, self._run(operation, to_bring_back(operation))]

    def _run(self, operation: Operation, request: Request) -> Outcome:
        make_folders(self._locations, request)
        outcome = self._executor.run(request)
        image = self._trail.operations.image_of(operation)
        return replace(outcome, result=replace(outcome.result, path=image))

    def purge(self, older_than: timedelta | None, keep_bytes: int | None) -> list[CropResult]:
        """Remove the originals, and what merges have left, chosen by age and size, oldest first.

        Of a part of the collection, those that no image outside of it had.
        """
        originals = self._trail.contents.originals().items()
        kept_since = {sha256: since for sha256, since in originals if self._is_meant(sha256)}
        homes = self.merged.since()
        sizes = {sha256: self._size_kept(sha256) for sha256 in kept_since}
        sizes |= {home: self.merged.size(home) for home in homes}
        chosen = chosen_to_purge(kept_since | homes, sizes, older_than, keep_bytes)
        return [
            self.merged.remove(each) if each in homes else self._purged(each, kept_since[each])
            for each in chosen
        ]

    def _purged(self, sha256: str, needed_since: str) -> CropResult:
        request = to_purge(sha256, needed_since, self._kept_beside(sha256))
        result = self._executor.run(request).result
        return replace(result, path=result.path.rpartition("/")[2])

    def _kept_beside(self, sha256: str) -> list[str]:
        """Name what was set aside of the files beside an original: nothing brings it back alone."""
        needing = self._trail.operations.needing(sha256)
        names = {each.put_aside for done in needing for each in done.companions} - {""}
        return sorted(name for name in names if self._locations.identity(name) is not None)

    def _is_meant(self, sha256: str) -> bool:
        scope = self._trail.scope
        if scope.is_whole:
            return True
        names = self._trail.contents.names_of(sha256)
        return bool(names) and all(map(scope.holds, names))

    def _size_kept(self, sha256: str) -> int:
        identity = self._locations.state.identity(kept(sha256))
        return identity.size if identity else 0


def _refused(operation: Operation, error: CropkitError) -> Outcome:
    return Outcome(refusal(operation.source, operation.box, error), error)
