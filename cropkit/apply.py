"""The write protocol: plan, stage, verify what is on disk, prepare, switch, done.

Exactly two outcomes besides success: the operation was refused or failed and the file is as it was,
or it is in doubt, with whole files that recovery settles. Every fact that decides is on disk before
it is needed; `docs/safety.md` gives the reasons for the order.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from cropkit import formats
from cropkit.attributes import Attributes
from cropkit.audit import Trail
from cropkit.errors import (
    AuditError,
    Conflict,
    CropkitError,
    InDoubt,
    MissingFile,
    NameTaken,
    PathOutsideRoot,
    StaleDecision,
    VerificationFailed,
    WriteFailed,
)
from cropkit.files import Content, Identity, Root
from cropkit.geometry import PixelBox
from cropkit.operation import Companion, Kind, Operation, State
from cropkit.records import CropResult, Status
from cropkit.switch import HOME, Switch, staged

_SUCCESS = {
    Kind.CROP: Status.CROPPED,
    Kind.REJECT: Status.REJECTED,
    Kind.RESTORE: Status.RESTORED,
}


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants done to one image.

    Parameters
    ----------
    source, target : relative to the collection; a target elsewhere is absolute
    expect : SHA-256 of the content that was reviewed; None takes what is there
    after : SHA-256 to restore, for a restore
    followers : companions as (source, target, whether the source stays)
    """

    kind: Kind
    source: str
    target: str
    expect: str | None = None
    box: PixelBox | None = None
    decision: str | None = None
    undoes: Operation | None = None
    followers: tuple[tuple[str, str, bool], ...] = ()


@dataclass(slots=True)
class Work:
    """A request under way."""

    request: Request
    operation: Operation
    started: float
    source: Identity | None = None
    candidate: formats.Candidate | None = None
    notes: list[tuple[str, str]] = field(default_factory=list)
    switched: bool = False
    settled: bool = False
    already: bool = False
    error: CropkitError | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result, the error behind it if any, and whether it had been carried out before."""

    result: CropResult
    error: CropkitError | None = None
    already: bool = False


class Applier:
    """Carries out requests on one collection."""

    def __init__(self, root: Root, trail: Trail) -> None:
        self.root = root
        self.trail = trail
        self.switch = Switch(root)

    def run(self, requests: Sequence[Request]) -> list[Outcome]:
        """Carry out requests together, each whole or not at all; one outcome for each.

        Raises
        ------
        AuditError
            When the trail cannot be written: work must stop. Files stand, or recovery settles them.
        """
        works = [self._begin(request) for request in requests]
        try:
            self._run(works)
        except BaseException as error:
            for work in works:
                self._fail_quietly(work, error)
            raise
        return [Outcome(_result(w), w.error, w.already) for w in works]

    def _run(self, works: list[Work]) -> None:
        self._each(works, self._claim)
        self._each(works, self._stage)
        self._each(works, self._verify)
        self._prepare(works)
        self._each(works, self._switch)
        self._finish(works)

    def _each(self, works: list[Work], phase: Callable[[Work], None]) -> None:
        for work in works:
            if work.error is None and not work.already:
                try:
                    phase(work)
                except AuditError:
                    raise
                except CropkitError as error:
                    self._fail(work, error)

    def _begin(self, request: Request) -> Work:
        operation = Operation(
            kind=request.kind,
            source=request.source,
            target=request.target,
            session=self.trail.session,
            owner=self.trail.owner,
            box=request.box,
            decision=request.decision,
            undoes=request.undoes.id if request.undoes else None,
        )
        return Work(request, operation, time.perf_counter())

    # -- phases --------------------------------------------------------------------------------

    def _claim(self, work: Work) -> None:
        planned = work.operation
        followers = tuple(Companion(s, t, "", stays) for s, t, stays in work.request.followers)
        work.operation = replace(planned, companions=followers)
        root, path = self.switch.locate(planned.source)
        work.source = root.identity(path)
        if work.source is None:
            raise MissingFile(planned.source)
        alias = f"inode:{work.source.device}:{work.source.inode}"
        work.already = not self.trail.plan(work.operation, [alias])

    def _stage(self, work: Work) -> None:
        content = self._read(work)
        self._check_names(work)
        work.operation = replace(
            work.operation,
            before=content.sha256,
            after=content.sha256,
            attributes=content.attributes.to_json(),
            companions=self._hash_companions(work),
        )
        if work.request.kind is Kind.CROP:
            self._stage_crop(work, content)
        elif work.request.kind is Kind.RESTORE:
            self._stage_restore(work)
        if work.operation.same_content:
            self._sync_source(work)
        else:
            self.switch.keep(work.operation, content.sha256)

    def _read(self, work: Work) -> Content:
        root, path = self.switch.locate(work.operation.source)
        content = root.read(path)
        expect = work.request.expect
        if expect not in (None, content.sha256):
            raise StaleDecision(work.operation.source, expect, content.sha256)
        work.source = content.identity
        self.root.check_room(work.operation.source, 3 * len(content.data))
        return content

    def _check_names(self, work: Work) -> None:
        """Refuse a move before anything is written when a name is taken."""
        operation = work.operation
        names = [c.target for c in operation.companions]
        if work.request.undoes:
            # what stayed behind for its siblings is where it should be
            stayed = {c.source for c in work.request.undoes.companions if c.keeps_source}
            names = [name for name in names if name not in stayed]
        if not operation.in_place:
            names.append(operation.target)
        for name in names:
            root, path = self.switch.locate(name)
            if root.identity(path) is not None:
                raise NameTaken(operation.source, name)

    def _hash_companions(self, work: Work) -> tuple[Companion, ...]:
        found = []
        for one in work.operation.companions:
            sha256 = self.switch.digest(one.source)
            if sha256 is None:
                work.notes.append((f"companion {one.source}", "not there any more"))
            else:
                found.append(replace(one, sha256=sha256))
        return tuple(found)

    def _stage_crop(self, work: Work, content: Content) -> None:
        box = work.request.box
        if box is None:
            raise WriteFailed(work.operation.source, "a crop without a box")
        header = formats.read_header(content.data, work.operation.source)
        if box.within(header.size) == PixelBox.full(header.size):
            return  # keeping everything means keeping the very bytes
        work.candidate = formats.crop(content.data, work.operation.source, box)
        self._write(work, work.candidate.data, content.attributes)
        meant = hashlib.sha256(work.candidate.data).hexdigest()
        work.operation = replace(work.operation, after=meant)

    def _stage_restore(self, work: Work) -> None:
        undone = work.request.undoes
        if undone is None or undone.same_content:
            return
        attributes = Attributes.from_json(undone.attributes or {})
        self._write(work, self.switch.original(undone), attributes)
        self.root.set_mtime(staged(work.operation), attributes.mtime_ns)
        work.operation = replace(work.operation, after=undone.before)

    def _write(self, work: Work, data: bytes, attributes: Attributes) -> None:
        lost = self.root.write_new(staged(work.operation), data, attributes)
        work.notes += [(name, "needs the administrator") for name in lost]

    def _sync_source(self, work: Work) -> None:
        # whoever wrote it may never have synced it, and its old name is about to go
        if not work.operation.in_place:
            root, path = self.switch.locate(work.operation.source)
            root.sync(path)

    def _verify(self, work: Work) -> None:
        """Prove what is on disk, not what was in memory."""
        if work.operation.same_content:
            return
        self.root.sync(staged(work.operation))
        written = self.root.read(staged(work.operation))
        if written.sha256 != work.operation.after:
            raise VerificationFailed(work.operation.source, "read back other bytes")
        if work.candidate is not None:
            formats.verify(written.data, work.candidate, work.operation.source)

    def _prepare(self, works: list[Work]) -> None:
        going = _going(works)
        if not going:
            return
        for work in going:
            work.operation = replace(work.operation, report=_report(work))
        try:
            self.root.sync_folder(f"{HOME}/originals")
        except CropkitError as error:
            for work in going:
                self._fail(work, error)
            return
        self.trail.prepare([work.operation for work in going])

    def _switch(self, work: Work) -> None:
        root, path = self.switch.locate(work.operation.source)
        if work.source is None or not work.source.same_file(root.identity(path)):
            found = self.switch.digest(work.operation.source) or "nothing"
            raise StaleDecision(work.operation.source, work.operation.before, found)
        work.switched = True
        self.switch.publish(work.operation)
        self.switch.sync(work.operation, new_names=True)
        if not work.operation.in_place:
            self.switch.retire(work.operation)
            self.switch.sync(work.operation, new_names=False)

    def _finish(self, works: list[Work]) -> None:
        going = _going(works)
        if not going:
            return
        try:
            self.trail.finish([work.operation for work in going])
        except AuditError as error:
            for work in going:
                self._fail(work, error)
            return
        for work in going:
            work.settled = True
            # the crop is done; what is left over in the stage is the next recovery's business
            with suppress(CropkitError):
                self.switch.clean(work.operation)

    # -- failing -------------------------------------------------------------------------------

    def _fail(self, work: Work, error: CropkitError) -> None:
        """End a work without effect, or leave it to recovery."""
        work.error = error
        work.settled = True
        try:
            self._take_back(work)
            self.trail.abandon(work.operation, State.ABORTED, _result(work))
        except CropkitError as second:
            work.error = InDoubt(work.operation.source, work.operation.id, f"{error}; {second}")
            work.error.__cause__ = second
            if isinstance(second, Conflict):
                self.trail.abandon(work.operation, State.CONFLICT, _result(work))

    def _take_back(self, work: Work) -> None:
        if work.switched:
            self.trail.begin_abort(work.operation)
            self.switch.put_back(work.operation)
        elif work.operation.before is not None:
            self.switch.clean(work.operation)

    def _fail_quietly(self, work: Work, error: BaseException) -> None:
        """Put back what an unknown failure left, as far as that is possible now."""
        if work.settled or work.already:
            return
        known = error if isinstance(error, CropkitError) else None
        # the first error goes up; recovery settles the rest at the next open
        with suppress(CropkitError):
            self._fail(work, known or WriteFailed(work.operation.source, repr(error)))


def check_is_outside_home(path: str, root: Root) -> None:
    """Refuse cropkit's own folder as a source or destination."""
    if HOME in path.split("/"):
        raise PathOutsideRoot(path, root.path)


def _going(works: list[Work]) -> list[Work]:
    return [w for w in works if w.error is None and not w.already]


def _report(work: Work) -> dict[str, object]:
    candidate = work.candidate
    return {
        "kept": list(candidate.kept) if candidate else ["every byte"],
        "patched": list(candidate.patched) if candidate else [],
        "dropped": [
            list(pair) for pair in (*(candidate.dropped if candidate else ()), *work.notes)
        ],
        "box_applied": _applied(work).xyxy if work.request.box else None,
    }


def _applied(work: Work) -> PixelBox:
    box = work.candidate.box_applied if work.candidate else work.request.box
    if box is None:
        raise WriteFailed(work.operation.source, "a crop without a box")
    return box


def _result(work: Work) -> CropResult:
    operation, error = work.operation, work.error
    done = error is None
    return CropResult(
        status=_SUCCESS[operation.kind] if done else _status(error),
        path=operation.source,
        code=error.code if error else None,
        message=str(error) if error else None,
        destination=None if operation.in_place else operation.target,
        operation=operation.id,
        box_asked=work.request.box,
        box_applied=_applied(work) if done and work.request.box else None,
        sha256_before=operation.before,
        sha256_after=operation.after if done else None,
        kept=tuple(operation.report.get("kept", ())) if done else (),
        patched=tuple(operation.report.get("patched", ())) if done else (),
        dropped=tuple((a, b) for a, b in operation.report.get("dropped", ())) if done else (),
        seconds=round(time.perf_counter() - work.started, 6),
    )


def _status(error: CropkitError | None) -> Status:
    if isinstance(error, StaleDecision):
        return Status.STALE
    return Status(error.status) if error else Status.CROPPED
