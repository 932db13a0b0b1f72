"""The write protocol: plan, stage, verify what is on disk, prepare, switch, done.

Exactly two outcomes besides success: the operation was refused or failed and the file is as it was,
or it is in doubt, with whole files that recovery settles. Every fact that decides is on disk before
it is needed; `docs/safety.md` gives the reasons for the order.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace

from cropkit import formats
from cropkit.audit.operation import Companion, Operation, OperationKind, OperationState
from cropkit.audit.trail import AuditTrail, ClaimOutcome
from cropkit.engine.publish import Switch
from cropkit.engine.request import Job, Outcome, Request, going
from cropkit.errors import (
    AuditError,
    Busy,
    Conflict,
    CropkitError,
    InDoubt,
    MissingFile,
    NameTaken,
    StaleDecision,
    VerificationFailed,
    WriteFailed,
)
from cropkit.geometry import PixelBox
from cropkit.system.attributes import Attributes
from cropkit.system.files import Content, Root
from cropkit.system.home import ORIGINALS, kept, staged

_SYNC_THREADS = 16


class Applier:
    """Carries out requests on one collection.

    Parameters
    ----------
    threads : of these, each stages or verifies one image of a group; None: one after the other
    """

    def __init__(
        self,
        root: Root,
        trail: AuditTrail,
        options: formats.Options,
        threads: Executor | None = None,
    ) -> None:
        self.root = root
        self.options = options
        self.trail = trail
        self.threads = threads
        self.switch = Switch(root)

    def run(self, requests: Sequence[Request]) -> list[Outcome]:
        """Carry out requests together, each whole or not at all; one outcome for each.

        A group shares its transactions, the sync of each folder and a pool of threads for the
        syncs of its files.

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
        return [Outcome(w.result(), w.error, w.already) for w in works]

    def _run(self, works: list[Job]) -> None:
        self._each(works, self._look)
        self._claim(works)
        self._each_in_threads(works, self._stage)
        self._sync_files(works)
        self._each_in_threads(works, self._verify)
        self._prepare(works)
        self._each(works, self._publish)
        self._sync_folders(works, new_names=True)
        self._each(works, self._retire)
        self._sync_folders([w for w in works if not w.operation.in_place], new_names=False)
        self._finish(works)

    def _each(self, works: list[Job], phase: Callable[[Job], None]) -> None:
        for work in going(works):
            try:
                phase(work)
            except AuditError:
                raise
            except CropkitError as error:
                self._fail(work, error)

    def _each_in_threads(self, works: list[Job], phase: Callable[[Job], None]) -> None:
        """Do a phase that spends its time in codecs; nothing of it is under way on return."""
        if self.threads is None or len(going(works)) == 1:
            self._each(works, phase)
            return
        begun = {self.threads.submit(phase, work): work for work in going(works)}
        try:
            wait(begun)
        finally:  # who is interrupted takes back, and nothing may go on meanwhile
            for future in begun:
                future.cancel()
            wait(begun)
        for future, work in begun.items():
            error = future.exception()
            if isinstance(error, CropkitError) and not isinstance(error, AuditError):
                self._fail(work, error)
            elif error is not None:
                raise error

    def _begin(self, request: Request) -> Job:
        operation = Operation(
            kind=request.kind,
            source=request.source,
            target=request.target,
            session=self.trail.session,
            owner=self.trail.owner,
            before=request.expect,
            box=request.box,
            decision=request.decision,
            undoes=request.undoes.id if request.undoes else None,
            report={"needed_since": request.needed_since} if request.needed_since else {},
        )
        return Job(request, operation)

    # -- phases --------------------------------------------------------------------------------

    def _look(self, work: Job) -> None:
        """See which file it is about, and by which other names somebody may mean the same."""
        planned = work.operation
        followers = tuple(Companion(s, t, "", stays) for s, t, stays in work.request.followers)
        work.operation = replace(planned, companions=followers)
        root, path = self.switch.locate(planned.source)
        work.source = root.identity(path)
        if work.source is None:
            raise MissingFile(planned.source)
        work.aliases.append(f"inode:{work.source.device}:{work.source.inode}")
        if planned.keeps_an_original:
            # a rival that fails would remove the original that we count on, and so would a purge
            work.aliases.append(kept(work.request.expect))

    def _claim(self, works: list[Job]) -> None:
        """Claim all names in one transaction; who comes too late leaves the group."""
        looked = going(works)
        claims = self.trail.plan([(work.operation, work.aliases) for work in looked])
        for work, claim in zip(looked, claims, strict=True):
            work.planned = claim is ClaimOutcome.MINE
            work.already = claim is ClaimOutcome.ALREADY
            if claim is ClaimOutcome.RIVAL:
                self._fail(work, Busy(work.operation.source))

    def _stage(self, work: Job) -> None:
        if work.request.kind is OperationKind.PURGE:
            work.operation = replace(work.operation, before=work.request.expect, after="")
            return
        content = self._read(work)
        self._check_names(work)
        work.operation = replace(
            work.operation,
            before=content.sha256,
            after=content.sha256,
            attributes=content.attributes.to_json(),
            companions=self._hash_companions(work),
        )
        if work.request.kind is OperationKind.CROP:
            self._stage_crop(work, content)
        elif work.request.kind is OperationKind.RESTORE:
            self._stage_restore(work)
        if not work.operation.same_content:
            self.switch.keep(work.operation, content.sha256)

    def _read(self, work: Job) -> Content:
        root, path = self.switch.locate(work.operation.source)
        content = root.read(path)
        expect = work.request.expect
        if expect != content.sha256:
            raise StaleDecision(work.operation.source, expect, content.sha256)
        work.source = content.identity
        self.root.check_room(work.operation.source, 3 * len(content.data))
        return content

    def _check_names(self, work: Job) -> None:
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

    def _hash_companions(self, work: Job) -> tuple[Companion, ...]:
        found = []
        for one in work.operation.companions:
            sha256 = self.switch.digest(one.source)
            if sha256 is None:
                work.notes.append((f"companion {one.source}", "not there any more"))
            else:
                found.append(replace(one, sha256=sha256))
        return tuple(found)

    def _stage_crop(self, work: Job, content: Content) -> None:
        box = work.request.box
        if box is None:
            raise WriteFailed(work.operation.source, "a crop without a box")
        header = formats.read_header(content.data, work.operation.source, self.options)
        work.holds = formats.applied(header, box.within(header.size), self.options)
        if work.holds == PixelBox.full(header.size):
            return  # keeping everything means keeping the very bytes
        work.candidate = formats.crop(content.data, work.operation.source, box, self.options)
        self._write(work, work.candidate.data, content.attributes)
        work.operation = replace(work.operation, after=None)  # known when it was read back

    def _stage_restore(self, work: Job) -> None:
        undone = work.request.undoes
        if undone is None or undone.same_content:
            return
        attributes = Attributes.from_json(undone.attributes or {})
        self._write(work, self.switch.original(undone), attributes)
        self.root.set_times(staged(work.operation.id), attributes.times)
        work.operation = replace(work.operation, after=undone.before)

    def _write(self, work: Job, data: bytes, attributes: Attributes) -> None:
        lost = self.root.write_new(staged(work.operation.id), data, attributes)
        work.notes += [(name, "needs the administrator") for name in lost]

    def _sync_files(self, works: list[Job]) -> None:
        """Sync what was staged and kept, and what is about to lose its old name.

        Whoever wrote the original may never have synced it. A sync that failed is final.
        """
        todo = [(work, name) for work in going(works) for name in _unsynced(work.operation)]
        for work, error in _in_parallel(self._sync_one, todo):
            if work.going:
                self._fail(work, error)

    def _sync_one(self, job: tuple[Job, str]) -> tuple[Job, CropkitError] | None:
        work, name = job
        root, path = self.switch.locate(name)
        try:
            root.sync(path)
        except CropkitError as error:
            return work, error
        return None

    def _verify(self, work: Job) -> None:
        """Prove what is on disk, not what was in memory."""
        if work.operation.same_content or work.request.kind is OperationKind.PURGE:
            return
        self.switch.check_kept(work.operation)
        written = self.root.read(staged(work.operation.id))
        if not work.is_meant(written):
            raise VerificationFailed(work.operation.source, "read back other bytes")
        work.operation = replace(work.operation, after=written.sha256)
        if work.candidate is not None:
            work.candidate = formats.verify(written.data, work.candidate, work.operation.source)

    def _prepare(self, works: list[Job]) -> None:
        ready = going(works)
        if not ready:
            return
        for work in ready:
            work.operation = replace(work.operation, report=work.report())
        try:
            self.root.sync_folder(ORIGINALS)
        except CropkitError as error:
            for work in ready:
                self._fail(work, error)
            return
        self.trail.prepare([work.operation for work in ready])

    def _publish(self, work: Job) -> None:
        root, path = self.switch.locate(work.operation.source)
        if work.source is None or not work.source.same_file(root.identity(path)):
            found = self.switch.digest(work.operation.source) or "nothing"
            raise StaleDecision(work.operation.source, work.operation.before, found)
        work.switched = True
        self.switch.publish(work.operation, again=False)

    def _retire(self, work: Job) -> None:
        if not work.operation.in_place:
            self.switch.retire(work.operation)

    def _sync_folders(self, works: list[Job], *, new_names: bool) -> None:
        """Sync each folder once, for all the works that changed a name in it."""
        folders: dict[str, list[Job]] = {}
        for work in going(works):
            for folder in self.switch.folders(work.operation, new_names=new_names):
                folders.setdefault(folder, []).append(work)
        for folder, changed in sorted(folders.items()):
            try:
                self.switch.sync_folder(folder)
            except CropkitError as error:
                for work in going(changed):
                    self._fail(work, error)

    def _finish(self, works: list[Job]) -> None:
        ready = going(works)
        if not ready:
            return
        try:
            self.trail.finish([work.operation for work in ready])
        except AuditError as error:
            for work in ready:
                self._fail(work, error)
            return
        for work in ready:
            work.settled = True
            # the crop is done; what is left over in the stage is the next recovery's business
            with suppress(CropkitError):
                self.switch.clean(work.operation)

    # -- failing -------------------------------------------------------------------------------

    def _fail(self, work: Job, error: CropkitError) -> None:
        """End a work without effect, or leave it to recovery."""
        work.error = error
        work.settled = True
        if isinstance(error, Busy) and not work.planned:
            return  # nothing was claimed; the decision goes on waiting
        try:
            self._take_back(work)
            self.trail.abandon(work.operation, OperationState.ABORTED, work.result())
        except CropkitError as second:
            work.error = InDoubt(work.operation.source, work.operation.id, f"{error}; {second}")
            work.error.__cause__ = second
            if isinstance(second, Conflict):
                self.trail.abandon(work.operation, OperationState.CONFLICT, work.result())

    def _take_back(self, work: Job) -> None:
        if work.switched:
            self.trail.begin_abort(work.operation)
            self.switch.put_back(work.operation)
        else:
            self.switch.clean(work.operation)
        if work.planned:
            self.switch.let_go(work.operation, is_needed=self.trail.is_needed)

    def _fail_quietly(self, work: Job, error: BaseException) -> None:
        """Put back what an unknown failure left, as far as that is possible now."""
        if work.settled or work.already:
            return
        known = error if isinstance(error, CropkitError) else None
        # the first error goes up; recovery settles the rest at the next open
        with suppress(CropkitError):
            self._fail(work, known or WriteFailed(work.operation.source, repr(error)))


def _unsynced(operation: Operation) -> list[str]:
    if operation.kind is OperationKind.PURGE:
        return []
    if operation.same_content:
        return [] if operation.in_place else [operation.source]
    return [kept(operation.before or ""), staged(operation.id)]


def _in_parallel(
    sync: Callable[[tuple[Job, str]], tuple[Job, CropkitError] | None],
    todo: list[tuple[Job, str]],
) -> list[tuple[Job, CropkitError]]:
    if len(todo) <= 2:  # noqa: PLR2004  (one image: a pool would cost more than it saves)
        return [failed for failed in map(sync, todo) if failed]
    with ThreadPoolExecutor(_SYNC_THREADS) as pool:
        return [failed for failed in pool.map(sync, todo) if failed]
