"""The write protocol: plan, stage, verify what is on disk, prepare, switch, done.

Exactly two outcomes besides success: the operation was refused or failed and the file is as it was,
or it is in doubt, with whole files that recovery settles. Every fact that decides is on disk before
it is needed; `docs/safety.md` gives the reasons for the order.

Theory of operation. A name is the only thing that others see, and one rename or link is the only
change of it that cannot be seen half done: everything else is made ready beside it. Claims come
first, since a rival who stages the same image would remove what we count on. The original gets its
second name before it can lose the first. The crop is synced, read back and decoded before it may
take a name, because a codec, the memory or the disk may have spoilt it, and nobody compares later.
Then one durable row holds all that recovery needs. Only now does the name change, and the change is
synced before an old name goes: at no power cut is there neither. A success is told when it is in
the trail. What fails before the switch leaves nothing; what fails after it is put back, and what
cannot be put back is in doubt, and whole.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace

from cropkit import bounded, formats
from cropkit.audit.operation import Companion, Operation, OperationKind, OperationState
from cropkit.audit.trail import AuditTrail, ClaimOutcome
from cropkit.bounds import Bounds
from cropkit.engine.companions import Exchanging
from cropkit.engine.locations import Locations
from cropkit.engine.originals import original_of
from cropkit.engine.ownership import Ownership
from cropkit.engine.planning import check_shown
from cropkit.engine.publish import Publisher
from cropkit.engine.request import Job, Outcome, Request, going
from cropkit.errors import (
    AuditError,
    Busy,
    Conflict,
    CropkitError,
    InDoubt,
    MissingFile,
    NameTaken,
    OriginalDamaged,
    StaleDecision,
    VerificationFailed,
    WriteFailed,
)
from cropkit.formats.companions import Frame
from cropkit.formats.copy_options import CopyOptions
from cropkit.geometry import PixelBox, Turn
from cropkit.records import NEEDS_ADMINISTRATOR
from cropkit.system.attributes import Attributes
from cropkit.system.files import Content, Identity, is_beneath
from cropkit.system.home import ASIDE, ORIGINALS, kept, staged, staged_companion
from cropkit.system.signals import HeldOff, held_off

_SYNC_THREADS = 16
_CROPS = (OperationKind.CROP, OperationKind.COPY)
_OLD_FRAME = "left out: its box is one of the whole image"


class Applier:
    """Carries out requests on one collection.

    Parameters
    ----------
    threads : of these, each stages or verifies one image of a group; None: one after the other
    """

    def __init__(
        self,
        locations: Locations,
        trail: AuditTrail,
        options: formats.Options,
        threads: Executor | None = None,
    ) -> None:
        self.state = locations.state
        self.options = options
        self.trail = trail
        self.threads = threads
        self.locations = locations
        self._device = locations.root.path.stat().st_dev
        self.publisher = Publisher(self.locations, Ownership.of(trail.store))
        self.originals = self.publisher.originals

    def run(self, requests: Sequence[Request]) -> list[Outcome]:
        """Carry out requests together, each whole or not at all; one outcome for each.

        A group shares its transactions, the sync of each folder and a pool of threads for the
        syncs of its files. An interrupt ends it before the next step, as long as nothing is
        prepared; from there on it is held off until everything is done.

        Raises
        ------
        AuditError
            When the trail cannot be written: work must stop. Files stand, or recovery settles them.
        """
        jobs = [self._begin(request) for request in requests]
        with held_off() as interrupts:
            try:
                self._run(jobs, interrupts)
            except BaseException as error:
                for job in jobs:
                    self._fail_quietly(job, error)
                raise
            return [Outcome(job.result(), job.error, job.already) for job in jobs]

    def _run(self, jobs: list[Job], interrupts: HeldOff) -> None:
        self._each(jobs, self._look)
        self._claim(jobs)
        interrupts.deliver()
        self._each_in_threads(jobs, self._stage)
        interrupts.deliver()
        self._sync_files(jobs)
        self._each_in_threads(jobs, self._verify)
        interrupts.deliver()
        self._prepare(jobs)
        moving = [job for job in jobs if job.operation.lets_names_go]
        self._each(jobs, self._set_aside)
        self._sync_folders(jobs, self.publisher.folders_before)
        self._each(jobs, self._publish)
        self._sync_folders(jobs, self.publisher.folders_of_new)
        self._each(moving, self._retire)
        self._sync_folders(moving, self.publisher.folders_of_old)
        self._finish(jobs)

    def _each(self, jobs: list[Job], phase: Callable[[Job], None]) -> None:
        for job in going(jobs):
            try:
                phase(job)
            except AuditError:
                raise
            except CropkitError as error:
                self._fail(job, error)

    def _each_in_threads(self, jobs: list[Job], phase: Callable[[Job], None]) -> None:
        """Do a phase that spends its time in codecs; nothing of it is under way on return."""
        if self.threads is None or len(going(jobs)) == 1:
            self._each(jobs, phase)
            return
        begun = {self.threads.submit(phase, job): job for job in going(jobs)}
        try:
            wait(begun)
        finally:  # who is interrupted takes back, and nothing may go on meanwhile
            for future in begun:
                future.cancel()
            wait(begun)
        for future, job in begun.items():
            error = future.exception()
            if isinstance(error, CropkitError) and not isinstance(error, AuditError):
                self._fail(job, error)
            elif error is not None:
                raise error

    def _begin(self, request: Request) -> Job:
        operation = Operation(
            kind=request.kind,
            source=request.source,
            target=request.target,
            session=self.trail.session,
            owner=self.trail.owner,
            sha256_before=request.expect,
            box=request.box,
            decision=request.decision,
            undoes=request.undoes.id if request.undoes else None,
            report={"needed_since": request.needed_since} if request.needed_since else {},
        )
        return Job(request, operation)

    # -- phases --------------------------------------------------------------------------------

    def _look(self, job: Job) -> None:
        """See which file it is about, and by which other names somebody may mean the same."""
        planned = job.operation
        job.operation = replace(planned, companions=tuple(_with_places(job)))
        self.locations.check(job.operation)
        root, path = self.locations.locate(planned.source)
        job.source = root.identity(path)
        if job.source is not None:
            job.aliases.append(self._alias(job.source))
        elif not job.request.recuts:
            raise MissingFile(planned.source)
        if planned.keeps_an_original or job.request.recuts:
            # a rival that fails would remove the original that we count on, and so would a purge
            job.aliases.append(kept(job.request.expect))

    def _alias(self, source: Identity) -> str:
        """Name a file as each machine would: they number a device that they share as they like."""
        own = source.device == self._device
        return f"inode:{'' if own else source.device}:{source.inode}"

    def _claim(self, jobs: list[Job]) -> None:
        """Claim all names in one transaction; who comes too late leaves the group."""
        looked = going(jobs)
        claims = self.trail.plan([(job.operation, job.aliases) for job in looked])
        for job, claim in zip(looked, claims, strict=True):
            job.planned = claim is ClaimOutcome.MINE
            job.already = claim is ClaimOutcome.ALREADY
            if claim is ClaimOutcome.RIVAL:
                self._fail(job, Busy(job.operation.source))

    def _stage(self, job: Job) -> None:
        if job.request.kind is OperationKind.PURGE:
            expect, companions = job.request.expect, self._hash_companions(job)
            job.operation = replace(
                job.operation, sha256_before=expect, sha256_after="", companions=companions
            )
            return
        content = self._read(job)
        self._check_names(job)
        job.operation = replace(
            job.operation,
            sha256_before=content.sha256,
            sha256_after=content.sha256,
            attributes=content.attributes.to_json(),
            companions=self._hash_companions(job),
        )
        if job.request.kind in _CROPS:
            self._stage_crop(job, content)
            self._exchange_companions(job, content)
        elif job.request.kind is OperationKind.RESTORE:
            self._stage_restore(job)
        self._make_room_aside(job.operation)
        if job.operation.is_copy:
            job.notes += [(f"copy of {name}", _OLD_FRAME) for name in job.request.left_out]
            self._check_copied_names(job)
        elif not job.operation.same_content:
            self.originals.keep(job.operation, content.sha256)

    def _make_room_aside(self, operation: Operation) -> None:
        for companion in operation.companions:
            for name in (companion.aside, companion.target):
                if is_beneath(name, ASIDE):
                    self.locations.make_folder_of(name)

    def _read(self, job: Job) -> Content:
        expect, content = job.request.expect, self._content(job)
        if expect != content.sha256:
            raise StaleDecision(job.operation.source, expect, content.sha256)
        job.source = content.identity
        self.locations.check_room(job.operation, len(content.data))
        return content

    def _content(self, job: Job) -> Content:
        """Read the image; for a crop made anew the kept original, where that is what it was."""
        is_decoded = job.request.kind in _CROPS
        bounds = Bounds.from_environment() if is_decoded else None
        content: Content | None = None
        for name in _readable_from(job.request):
            root, path = self.locations.locate(name)
            if root.identity(path) is not None:
                job.reads, content = name, root.read(path, bounds)
            if content is not None and content.sha256 == job.request.expect:
                break
        if content is None:
            raise MissingFile(job.operation.source)
        return content

    def _check_names(self, job: Job) -> None:
        """Refuse a move before anything is written when a name is taken."""
        operation = job.operation
        if operation.is_copy:  # what stands there may be the very crop
            return
        names = [c.target for c in operation.companions if not c.takes_a_name_over]
        if job.request.undoes:
            # what stayed behind for its siblings is where it should be
            stayed = {c.source for c in job.request.undoes.companions if c.keeps_source}
            names = [name for name in names if name not in stayed]
        if not operation.in_place:
            names.append(operation.target)
        for name in names:
            root, path = self.locations.locate(name)
            if root.identity(path) is not None:
                raise NameTaken(operation.source, name)

    def _check_copied_names(self, job: Job) -> None:
        """Refuse a copy whose name stands for something else; what is there already is left."""
        operation = job.operation
        there = self.locations.digest(operation.target)
        if there is not None:
            if there != self.state.digest(staged(operation.id)):
                raise NameTaken(operation.source, operation.target)
            job.stood = True
        missing = []
        for companion in operation.companions:
            there = self.locations.digest(companion.target)
            if there is None:
                missing.append(companion)
            elif there == companion.sha256:
                job.notes.append((f"copy at {companion.target}", "the very same is there already"))
                if companion.is_staged:
                    self.state.unlink(companion.source)
            else:
                raise NameTaken(operation.source, companion.target)
        job.operation = replace(operation, companions=tuple(missing))

    def _hash_companions(self, job: Job) -> tuple[Companion, ...]:
        """Say what companions hold, but for those of which the crop decides."""
        hashed = []
        for companion in job.operation.companions:
            if companion.aside and job.request.kind in _CROPS:
                hashed.append(companion)
                continue
            sha256 = self.locations.digest(companion.source)
            if companion.sha256 and sha256 != companion.sha256:
                raise OriginalDamaged(companion.target, companion.source)
            if sha256 is None:
                job.notes.append((f"companion {companion.source}", "not there any more"))
            else:
                hashed.append(self._over_what_is_there(replace(companion, sha256=sha256), job))
        return tuple(hashed)

    def _over_what_is_there(self, companion: Companion, job: Job) -> Companion:
        """Say what a companion that comes back takes the name of: it may have been edited since."""
        if not companion.aside:
            return companion
        now = self.locations.digest(companion.target)
        if now is None:
            return replace(companion, aside="", replaces="")
        if now != companion.replaces:
            reason = f"it was changed since, and is kept as {companion.aside}"
            job.notes.append((f"companion {companion.target}", reason))
        return replace(companion, replaces=now)

    def _exchange_companions(self, job: Job, content: Content) -> None:
        """Decide about the files beside an image that is cropped, and stage those that change."""
        operation, request = job.operation, job.request
        if not any(each.aside for each in operation.companions) and not request.beside.beyond:
            return
        frame = self._frame(job, content)
        setting = self.options.companions
        exchanging = Exchanging(self.locations, operation, frame, request.beside, setting)
        exchanging.is_of_another = job.reads != operation.source
        job.exchanged = exchanging.run()
        staged = [companion for companion, _, _ in job.exchanged.staged]
        companions = (*job.exchanged.companions, *staged)
        job.operation = replace(operation, companions=companions)
        job.notes += job.exchanged.notes
        for companion, data, like in job.exchanged.staged:
            attributes = like.for_a_copy() if operation.is_copy else like
            self._note(job, self.state.write_new(companion.source, data, attributes))

    def _frame(self, job: Job, content: Content) -> Frame:
        """Return the crop as what is beside the image has to know it."""
        candidate, holds = job.candidate, job.box_applied
        if candidate is not None and candidate.resampling is not None:
            how = candidate.resampling
            turn, upright = job.request.turn, Turn(how.orientation)
            before_turn = upright.then(turn.inverse).orientation
            return Frame(how.before, before_turn, candidate.box_applied, how.size, turn)
        header = job.header or formats.read_header(content.data, job.request.source, self.options)
        stored = header.size.oriented(header.orientation)
        return Frame(stored, header.orientation, holds or PixelBox.full(header.size))

    def _stage_crop(self, job: Job, content: Content) -> None:
        job.holds, job.candidate = self._cropped(content.data, job.operation.source, job)
        if job.operation.is_copy:
            data = job.candidate.data if job.candidate else content.data
            self._write(job, data, content.attributes.for_a_copy())
        elif job.candidate is not None:
            self._write(job, job.candidate.data, content.attributes)
        if job.candidate is not None:
            job.operation = replace(job.operation, sha256_after=None)  # known when it was read back

    def _cropped(
        self, data: bytes, name: str, job: Job
    ) -> tuple[PixelBox, formats.Candidate | None]:
        """Return the box that is held and the crop; None: keeping everything keeps the very bytes.

        The image is taken apart once, and of that only its header outlives this call.
        """
        request = job.request
        box = request.box
        if box is None:
            raise WriteFailed(name, "a crop without a box")
        is_anew = request.turn.resamples and request.copying is not None
        if request.copying or is_anew:
            how = CopyOptions.from_text(request.copying or "")
            candidate = bounded.copied(data, name, (box, request.turn), how, self.options)
            check_shown(name, request.shown, candidate.box_applied)
            return candidate.box_applied, candidate
        image = formats.opened(data, name, self.options)
        job.header = image.header
        holds = image.applied(box, request.turn)
        check_shown(name, request.shown, holds)
        is_as_it_was = request.turn.is_none and holds == PixelBox.full(image.header.size)
        return holds, None if is_as_it_was else bounded.crop(image, data, box, request.turn)

    def _stage_restore(self, job: Job) -> None:
        undone = job.request.undoes
        if undone is None or undone.same_content or undone.is_copy:
            return
        original = original_of(self.locations, undone)
        self._write(job, original.data, original.attributes)
        self.state.set_times(staged(job.operation.id), original.attributes.times)
        job.operation = replace(job.operation, sha256_after=undone.sha256_before)

    def _write(self, job: Job, data: bytes, attributes: Attributes) -> None:
        self._note(job, self.state.write_new(staged(job.operation.id), data, attributes))

    def _note(self, job: Job, lost: tuple[str, ...]) -> None:
        """Account for what a file was and its copy could not be made."""
        job.notes += [(item, NEEDS_ADMINISTRATOR) for item in lost]
        if lost and job.switched:  # else the account is taken when all is prepared
            job.operation = replace(job.operation, report=job.report())

    def _sync_files(self, jobs: list[Job]) -> None:
        """Sync what was staged and kept, and what is about to lose its old name.

        Whoever wrote the original may never have synced it. A sync that failed is final.
        """
        todo = [(job, name) for job in going(jobs) for name in _unsynced(job.operation)]
        for job, error in _in_parallel(self._sync_one, todo):
            if job.going:
                self._fail(job, error)

    def _sync_one(self, unsynced: tuple[Job, str]) -> tuple[Job, CropkitError] | None:
        job, name = unsynced
        root, path = self.locations.locate(name)
        try:
            root.sync(path)
        except CropkitError as error:
            return job, error
        return None

    def _verify(self, job: Job) -> None:
        """Prove what is on disk, not what was in memory."""
        for companion in job.operation.companions:
            if companion.is_staged and not self.locations.holds(companion.source, companion.sha256):
                raise VerificationFailed(companion.target, "read back other bytes")
        if not job.operation.stages:
            return
        if job.operation.keeps_an_original:
            self.originals.check(job.operation)
        written = self.state.read(staged(job.operation.id), from_disk=True)
        if not job.is_meant(written):
            raise VerificationFailed(job.operation.source, "read back other bytes")
        job.operation = replace(job.operation, sha256_after=written.sha256)
        if job.candidate is not None:
            job.candidate = bounded.verify(written.data, job.candidate, job.operation.source)

    def _prepare(self, jobs: list[Job]) -> None:
        ready = going(jobs)
        if not ready:
            return
        for job in ready:
            job.operation = replace(job.operation, report=job.report())
        try:
            self.state.sync_folder(ORIGINALS)
        except CropkitError as error:
            for job in ready:
                self._fail(job, error)
            return
        self.trail.prepare([job.operation for job in ready])

    def _set_aside(self, job: Job) -> None:
        """Give what loses its name to another companion a second one, before any name changes."""
        self._note(job, self.publisher.set_aside(job.operation))

    def _publish(self, job: Job) -> None:
        root, path = self.locations.locate(job.reads)
        if job.source is None or not job.source.same_file(root.identity_now(path)):
            content = self.locations.digest(job.reads) or "nothing"
            raise StaleDecision(job.operation.source, job.operation.sha256_before, content)
        job.switched = True
        again = job.operation.is_copy  # the very crop may stand there already
        self._note(job, self.publisher.publish(job.operation, again=again))

    def _retire(self, job: Job) -> None:
        self.publisher.retire(job.operation)

    def _sync_folders(self, jobs: list[Job], folders_of: Callable[[Operation], list[str]]) -> None:
        """Sync each folder once, for all the jobs that changed a name in it."""
        folders: dict[str, list[Job]] = {}
        for job in going(jobs):
            for folder in folders_of(job.operation):
                folders.setdefault(folder, []).append(job)
        for folder, changed in sorted(folders.items()):
            try:
                self.locations.sync_folder(folder)
            except CropkitError as error:
                for job in going(changed):
                    self._fail(job, error)

    def _finish(self, jobs: list[Job]) -> None:
        ready = going(jobs)
        if not ready:
            return
        try:
            self.trail.finish([job.operation for job in ready])
        except AuditError as error:
            for job in ready:
                self._fail(job, error)
            return
        for job in ready:
            job.settled = True
            # the crop is done; what is left over in the stage is the next recovery's business
            with suppress(CropkitError):
                self.publisher.clean(job.operation)

    # -- failing -------------------------------------------------------------------------------

    def _fail(self, job: Job, error: CropkitError) -> None:
        """End a job without effect, or leave it to recovery; the trail says if it is done.

        A commit whose success was not told may have come through all the same.
        """
        job.error = error
        job.settled = True
        if isinstance(error, Busy) and not job.planned:
            return  # nothing was claimed; the decision goes on waiting
        try:
            if job.planned and self.trail.operations.is_done(job.operation.id):
                job.error = None
                return
            self._take_back(job)
            self.trail.abandon(job.operation, OperationState.ABORTED, job.result())
        except CropkitError as second:
            job.error = InDoubt(job.operation.source, job.operation.id, f"{error}; {second}")
            job.error.__cause__ = second
            if isinstance(second, Conflict):
                self.trail.abandon(job.operation, OperationState.CONFLICT, job.result())

    def _take_back(self, job: Job) -> None:
        self.trail.store.check_owner()  # else it is another's to settle, and so are its files
        if job.switched:
            self.trail.begin_abort(job.operation)
            self.publisher.put_back(job.operation)
        else:
            self.publisher.forget_aside(job.operation)
            self.publisher.clean(job.operation)
        if job.planned:
            self.originals.let_go(job.operation, is_needed=self.trail.contents.is_needed)

    def _fail_quietly(self, job: Job, error: BaseException) -> None:
        """Put back what an unknown failure left, as far as that is possible now."""
        if job.settled or job.already:
            return
        known = error if isinstance(error, CropkitError) else None
        # the first error goes up; recovery settles the rest at the next open
        with suppress(CropkitError):
            self._fail(job, known or WriteFailed(job.operation.source, repr(error)))


def _readable_from(request: Request) -> tuple[str, ...]:
    return (request.source, kept(request.expect)) if request.recuts else (request.source,)


def _unsynced(operation: Operation) -> list[str]:
    """Name what is new, and what is about to lose its name and is to be kept."""
    if operation.kind is OperationKind.PURGE:
        return []
    exchanged = [c for c in operation.companions if c.is_staged or c.replaces]
    beside = [c.source for c in exchanged] + [c.target for c in exchanged if c.replaces]
    beside += [c.source for c in operation.companions if is_beneath(c.target, ASIDE)]
    if not operation.stages:
        return beside if operation.in_place else [operation.source, *beside]
    new = staged(operation.id)
    own = [kept(operation.sha256_before or ""), new] if operation.keeps_an_original else [new]
    return [*own, *beside]


def _with_places(job: Job) -> Iterator[Companion]:
    """Yield the companions of a request; what is purged leaves by way of the stage."""
    for number, each in enumerate(job.request.followers):
        purges = job.request.kind is OperationKind.PURGE
        yield replace(each, target=staged_companion(job.operation.id, number)) if purges else each


def _in_parallel(
    sync: Callable[[tuple[Job, str]], tuple[Job, CropkitError] | None],
    todo: list[tuple[Job, str]],
) -> list[tuple[Job, CropkitError]]:
    if len(todo) <= 2:  # noqa: PLR2004  (one image: a pool would cost more than it saves)
        return [failed for failed in map(sync, todo) if failed]
    with ThreadPoolExecutor(_SYNC_THREADS) as pool:
        return [failed for failed in pool.map(sync, todo) if failed]
