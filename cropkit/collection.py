"""A collection with everything one can do to it: what the review, the shell and notebooks use."""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from cropkit import clock, formats
from cropkit.audit.rebuild import rebuild as rebuilt
from cropkit.audit.run import Run
from cropkit.audit.tally import Degraded, SessionRow, Tally
from cropkit.audit.trail import DEADLINE, AuditTrail, Standing
from cropkit.engine import listing
from cropkit.engine.apply import Applier
from cropkit.engine.executor import DecisionExecutor, refusal
from cropkit.engine.fsck import Difference, fsck
from cropkit.engine.groups import GroupSize
from cropkit.engine.planning import (
    Planner,
    check_is_outside_home,
    chosen_to_undo,
    named_beneath,
)
from cropkit.engine.recovery import Recovered, recover
from cropkit.engine.request import Outcome
from cropkit.errors import (
    AuditError,
    BadDecision,
    CropkitError,
    MissingFile,
    NoImages,
    NothingToUndo,
    ReadOnly,
)
from cropkit.geometry import PixelBox, Size
from cropkit.monitor import stats
from cropkit.records import CropResult, Decision, Problem, Status, Suggestion, Verdict
from cropkit.suggest import Sidecars, Suggester, confidence_of, gather
from cropkit.system import log
from cropkit.system.files import Root, split_beneath
from cropkit.system.home import LOG

if TYPE_CHECKING:
    import pandas as pd

StrPath = str | os.PathLike[str]

_log = logging.getLogger("cropkit")


@dataclass(frozen=True, slots=True)
class Look:
    """An image as it was read for the reviewer.

    Parameters
    ----------
    size : upright
    cropped : whether this very content is the outcome of a crop of ours
    """

    path: str
    sha256: str
    size: Size
    cropped: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a collection has come, in images.

    ``failed`` could not be carried out; ``stale`` changed after they were decided and want another
    look. Neither is ``decided``.
    """

    total: int
    decided: int
    written: int
    waiting: int
    failed: int
    stale: int
    rejected: int
    skipped: int
    degraded: int


class Collection:
    """A folder of images, its trail, and the work on both. Every method is thread-safe.

    Opening it settles what a crash left open. Use it in a ``with``, or `close` it.

    Parameters
    ----------
    folder : of images; `.cropkit` is made in it
    reviewer : who decides; whoever is logged in when not given
    kind : of the session, as the trail tells it
    destination : folder that cropped images move to with their companions; None: in place
    suggesters : where boxes come from; the `.decision` sidecars when not given
    deadline : seconds to wait for a lock or a rival
    options : how crops are made in this session; None: as was chosen for the collection
    threads : that crop and verify the images of a batch; None: one image after the other
    group_size : how many crops of a batch share their transactions and syncs
    system : the file-system calls; tests give one that fails

    Raises
    ------
    MissingFile
        When there is no such folder.
    AuditError
        When there can be no trail: nothing was touched.
    """

    def __init__(
        self,
        folder: StrPath,
        *,
        reviewer: str | None = None,
        destination: StrPath | None = None,
        suggesters: Sequence[Suggester] | None = None,
        kind: str = "python",
        deadline: float = DEADLINE,
        options: formats.Options | None = None,
        threads: Executor | None = None,
        group_size: GroupSize | None = None,
        system: ModuleType = os,
    ) -> None:
        path = Path(folder)
        if not path.is_dir():
            raise MissingFile(str(path))
        self._files = Root(path, system)
        self.root = self._files.path
        self.destination = self._resolved(destination)
        self._suggesters = (Sidecars(self.root),) if suggesters is None else tuple(suggesters)
        self.trail = AuditTrail(self._files, reviewer, kind=kind, deadline=deadline)
        self._log = log.attach(self.root / LOG, self.trail.session)
        self._carrier = DecisionExecutor(
            self._files,
            Applier(self._files, self.trail, options or self._chosen(), threads),
            Planner(self._files, self.destination),
            self.report,
            deadline=deadline,
            group_size=group_size,
        )
        self._reported: set[Problem] = set()
        self._reporting = threading.Lock()
        self._listeners: list[Callable[[Problem], object]] = []
        self._run_of_it: Run | None = None
        self.recovered = self.recover(opening=True)
        for suggester in self._suggesters:
            self.report_once(getattr(suggester, "problems", ()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self.close("failed" if failed else "closed")

    def __repr__(self) -> str:
        return f"cropkit.open({str(self.root)!r})"

    def close(self, how: str = "closed") -> None:
        """End the session, and the run that it is, if it is one."""
        try:
            if self._run_of_it is not None:
                self._run_of_it.end(how)
            self.trail.close(how)
        finally:
            log.detach(self._log)

    @property
    def files(self) -> Root:
        """The folder, beneath which every path stays."""
        return self._files

    @property
    def suggesters(self) -> tuple[Suggester, ...]:
        """Where boxes come from."""
        return self._suggesters

    @property
    def reviewer(self) -> str:
        """Who decides."""
        return self.trail.reviewer

    @property
    def session(self) -> str:
        """Id of this session, in UTC."""
        return self.trail.session

    @property
    def options(self) -> formats.Options:
        """How crops are made."""
        return self._carrier.applier.options

    @property
    def tally(self) -> Tally:
        """What this session did, in numbers."""
        return self.trail.presence.tally

    def begin_run(self, kind: str) -> Run:
        """Say that a review, a batch or an apply begins; it beats until it ends.

        Raises
        ------
        AuditError
            No audit, no work: it does not begin.
        """
        if self._run_of_it is not None:
            self._run_of_it.end()
        self._run_of_it = Run(self.trail, kind)
        return self._run_of_it

    def choose(self, options: formats.Options) -> None:
        """Make crops so from now on, in every session of this collection."""
        self.trail.choose(options.to_settings())
        self._carrier.applier.options = options

    def _chosen(self) -> formats.Options:
        return formats.Options.from_settings(self.trail.settings())

    # -- looking -------------------------------------------------------------------------------

    def images(self) -> tuple[str, ...]:
        """List the images, in review order; once, so that a review's pages do not move.

        Raises
        ------
        NoImages
            When there are none, and none have been decided about.
        """
        if not self._listed and not self.trail.standing():
            raise NoImages(self.root)
        return self._listed

    @cached_property
    def unread(self) -> tuple[Problem, ...]:
        """The folders whose images are not listed, because they cannot be read."""
        found = self._listing.unread.items()
        return tuple(Problem(Degraded.FOLDER, name, reason) for name, reason in found)

    @cached_property
    def _listed(self) -> tuple[str, ...]:
        self.report_once(self.unread)
        return tuple(self._listing.images)

    @cached_property
    def _listing(self) -> listing.Listing:
        return listing.listed(self.root, formats.EXTENSIONS, self.destination)

    def look(self, path: str) -> Look:
        """Read an image for a reviewer.

        Raises
        ------
        Refused
            Missing, empty, truncated, of a format that cannot be cropped faithfully, …
        """
        content = self._files.read(path)
        header = formats.read_header(content.data, path, self.options)
        return self.looked(path, content.sha256, header.size)

    def looked(self, path: str, sha256: str, size: Size) -> Look:
        """Say what the trail knows about a content that somebody else has read."""
        return Look(path, sha256, size, self.trail.is_crop(sha256))

    def suggestions(self, look: Look) -> tuple[Suggestion, ...]:
        """Return the boxes proposed for an image; what cannot be used is reported and counted."""
        found = gather(self._suggesters, look.path, look.size, look.sha256)
        self.report_once(found.problems)
        return found.suggestions

    def confidence(self, path: str) -> float | None:
        """Return how sure the suggestion for an image is, where it says so, without reading it.

        What cannot be used is not reported here, but when the image is shown.
        """
        return confidence_of(self._suggesters, path)

    def report_once(self, problems: Sequence[Problem]) -> None:
        """Report what this session has not reported yet."""
        # a page that is shown again is not degraded again, nor one that two threads read ahead
        with self._reporting:
            new = [problem for problem in problems if problem not in self._reported]
            self._reported.update(new)
        for problem in new:
            self.report(problem)

    def report(self, problem: Problem) -> None:
        """Log, count and keep a degraded operation."""
        said = (problem.kind, problem.path, problem.reason)
        _log.warning("%s: %s: %s", *said, extra={"session": self.session})
        self.trail.report(problem)
        for told in tuple(self._listeners):
            told(problem)

    def listen(self, told: Callable[[Problem], object]) -> Callable[[], None]:
        """Call back, in whichever thread, with each problem reported; return how to end that."""
        self._listeners.append(told)
        return lambda: self._listeners.remove(told)

    # -- deciding ------------------------------------------------------------------------------

    def decide(self, decisions: Sequence[Decision]) -> None:
        """Make decisions durable in one transaction.

        Raises
        ------
        AuditError
            They are not recorded: the review must stop.
        """
        with self._deciding(decisions):
            self.trail.decide([self._bound(one) for one in decisions])

    def decide_undecided(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Make decisions durable as `decide` does, but leave each image alone that has one by now.

        Return those that were recorded: a person's choice is never replaced.
        """
        with self._deciding(decisions):
            return self.trail.decide_undecided([self._bound(one) for one in decisions])

    @contextmanager
    def _deciding(self, decisions: Sequence[Decision]) -> Iterator[None]:
        """Count decisions whose rows could not be written."""
        try:
            yield
        except BadDecision as error:
            self.report(Problem(Degraded.DECISION, decisions[0].path, str(error)))
            raise
        except AuditError:  # it cannot be told in the trail, since that is what failed
            self.trail.presence.count(partial(Tally.with_degraded, kind=Degraded.DECISION))
            raise

    def _bound(self, made: Decision) -> Decision:
        return replace(made, destination=made.destination or self.destination)

    def others(self, kind: str) -> list[SessionRow]:
        """Return the runs of a kind (review, batch or apply) that go on beside this session."""
        return self.trail.others(kind)

    def shown(self, number: int) -> None:
        """Count images that came before the reviewer's eyes."""
        self.trail.presence.count(partial(Tally.with_shown, number=number))

    def acknowledge(self, **what: str | int | list[str]) -> None:
        """Keep in the trail that this reviewer has seen a problem or an alert."""
        self.trail.acknowledge(what)

    def standing(self) -> dict[str, Standing]:
        """Return the decision that stands for each image."""
        return {one.path: one for one in self.trail.standing()}

    def place(self) -> str | None:
        """Return the first image of the page that the reviewer was at."""
        return self.trail.place(self.reviewer)

    def remember_place(self, path: str) -> None:
        """Remember the page that the reviewer is at."""
        self.trail.remember_place(path)

    def counts(self) -> Counts:
        """Return how far the collection has come."""
        by = self.trail.counts()
        failed = sum(number for status, number in by.items() if status.is_failure)
        stale = by.get(Status.STALE, 0)
        return Counts(
            total=self._total,
            decided=sum(by.values()) - failed - stale,
            written=by.get(Status.CROPPED, 0),
            waiting=by.get(Status.WAITING, 0),
            failed=failed,
            stale=stale,
            rejected=by.get(Status.REJECTED, 0),
            skipped=by.get(Status.SKIPPED, 0),
            degraded=self.trail.degraded(self.session),
        )

    @cached_property
    def _total(self) -> int:
        """What is listed, and what earlier sessions moved out of the listing."""
        return len({*self._listed, *self.standing()})

    # -- applying ------------------------------------------------------------------------------

    def crop(self, path: StrPath, box: PixelBox) -> CropResult:
        """Crop one image now: decided, written, verified and recorded when this returns.

        Parameters
        ----------
        path : in the collection; absolute, or relative to its folder
        box : upright pixels

        Raises
        ------
        CropkitError
            The tree in `cropkit.errors` says what happened to the file.
        """
        name = split_beneath(self.root, path)
        made = self._decision(name, box)
        self.decide([made])
        outcome = self._carrier.decision(made.id)
        if outcome.error is not None:
            if outcome.error.passes:  # whoever asked is told now, and may ask again
                self.trail.withdraw(made.id)
            raise outcome.error
        return outcome.result

    def _decision(self, name: str, box: PixelBox) -> Decision:
        try:
            check_is_outside_home(name, self._files)
            look = self.look(name)
            box.within(look.size)
        except CropkitError as error:
            if not isinstance(error, AuditError):
                self._carrier.report_box(name, error)
                self.trail.settle(None, refusal(name, box, error))
            raise
        moment = clock.now()
        return Decision(
            path=name,
            sha256=look.sha256,
            size=look.size,
            verdict=Verdict.ADJUSTED,
            box=box,
            reviewer=self.reviewer,
            session=self.session,
            shown_at=moment,
            decided_at=moment,
        )

    def apply(self, decision: str) -> CropResult:
        """Carry out a decision; what went wrong is in the result.

        Carrying out the same decision again changes nothing and returns how it ended.

        Raises
        ------
        AuditError
            Work must stop.
        """
        return _result(self._carrier.decision(decision))

    def apply_waiting(
        self,
        progress: Callable[[CropResult], object] | None = None,
        *,
        decisions: Iterable[str] | None = None,
    ) -> list[CropResult]:
        """Carry out everything that waits, oldest first, in groups that share their syncs.

        Parameters
        ----------
        decisions : ids of those to carry out, asked for group by group; None: all that wait

        Raises
        ------
        AuditError
            Work must stop; what was carried out before is recorded.
        """
        wanted = self.trail.waiting() if decisions is None else decisions
        return self._carrier.decisions(wanted, progress)

    def give_up(self, decision: str, error: CropkitError) -> CropResult:
        """Record that a decision which still waits is not tried any more, and why."""
        return self._carrier.give_up(decision, error)

    # -- undoing -------------------------------------------------------------------------------

    def undo_stack(self) -> tuple[Standing, ...]:
        """Return this reviewer's standing decisions that can be taken back, oldest first."""
        mine = (one for one in self.trail.standing() if one.reviewer == self.reviewer)
        done = (one for one in mine if one.status is not Status.STALE)
        return tuple(one for one in done if not one.status.is_failure)

    def retract(self, decision: str) -> CropResult:
        """Take a decision back: before it is applied by withdrawing it, else by restoring the file.

        What went wrong is in the result; the file is then as it was.
        """
        return _result(self._carrier.retract(decision))

    def undo_operation(self, operation: str, *, with_later: bool = False) -> list[CropResult]:
        """Take one operation back, out of order where nothing stands on it.

        Parameters
        ----------
        operation : its id, or the first characters of it
        with_later : first take back, newest first, what stands on it

        Raises
        ------
        NothingToUndo
            When there is no such operation, or it was taken back.
        """
        chosen = [one for one in self.trail.undoable() if one.id.startswith(operation)]
        if len(chosen) != 1:
            raise NothingToUndo(operation)
        while with_later and (later := self.trail.later_on(chosen[-1])):
            chosen.append(later)
        return [self._carrier.restore(one).result for one in reversed(chosen)]

    def undo(self, *paths: StrPath, last: int = 1, everything: bool = False) -> list[CropResult]:
        """Bring files back byte for byte, newest operation first.

        Parameters
        ----------
        paths : only these images; none means the whole collection
        last : how many operations to take back (of each image, when images are named)
        everything : take back all of them

        Raises
        ------
        NothingToUndo
            When nothing is left to take back.
        """
        newest = self.trail.undoable()[::-1]
        chosen = chosen_to_undo(self.root, newest, paths, None if everything else last)
        return [self._carrier.restore(one).result for one in chosen]

    def redo(self, *paths: StrPath, last: int = 1) -> list[CropResult]:
        """Take undos back, newest first: the crop stands again, byte for byte.

        Raises
        ------
        NothingToUndo
            When nothing was undone.
        """
        newest = self.trail.redoable()[::-1]
        chosen = chosen_to_undo(self.root, newest, paths, last)
        return [self._carrier.restore(one).result for one in chosen]

    def purge(
        self, *, older_than: timedelta | None = None, keep_bytes: int | None = None
    ) -> list[CropResult]:
        """Remove kept originals on purpose, oldest first: audited, and not to be undone.

        Parameters
        ----------
        older_than : remove what has not been needed for longer
        keep_bytes : then remove the oldest until the rest fits; None sets no limit
        """
        return self._carrier.purge(older_than, keep_bytes)

    # -- settling, proving, telling ------------------------------------------------------------

    def recover(self, *, opening: bool = False, conflicts: bool = False) -> list[Recovered]:
        """Settle what a crash left open; runs at every open, but for conflicts."""
        done = recover(self._files, self.trail, opening=opening, conflicts=conflicts)
        for one in done:
            known = {"session": self.session, "operation": one.operation}
            _log.warning("recovered %s %s: %s", one.kind, one.path, one.outcome, extra=known)
        return done

    def fsck(self) -> list[Difference]:
        """Name each difference between database and disk; [] proves that they agree."""
        return fsck(self._files, self.trail)

    def history(self, path: StrPath | None = None) -> "pd.DataFrame":
        """Return the audit trail as a table: one row for each event."""
        import pandas as pd  # noqa: PLC0415  (half a second that a crop does not need)

        name = None if path is None else split_beneath(self.root, path)
        return pd.DataFrame(self.trail.events(name))

    def decisions(self) -> "pd.DataFrame":
        """Return every decision with its outcome as a table."""
        import pandas as pd  # noqa: PLC0415  (as above)

        return pd.DataFrame(self.trail.decision_table())

    def stats(self) -> stats.Stats:
        """Return pace, seconds an image and shares, of what people decided here."""
        return stats.stats(self.trail.decision_table())

    def summary(self) -> dict[str, Any]:
        """Return the counts, as a notebook's last cell shows them."""
        return asdict(self.counts())

    def _resolved(self, destination: StrPath | None) -> str | None:
        """Make the destination, and name it relative to the collection where it is inside."""
        if destination is None or str(destination) == "":
            return None
        folder = (Path.cwd() / destination).resolve()
        _make_durable(folder, self._files.system)
        return named_beneath(self.root, folder)


def _make_durable(folder: Path, system: ModuleType) -> None:
    """Make a folder whose name survives a power cut, as that of every image in it will have to."""
    above = next(each for each in folder.parents if each.is_dir())
    stood = folder.is_dir()
    try:
        Root(above, system).make_folder(folder.relative_to(above).as_posix())
    except ReadOnly:
        if not stood:  # one may be used whose parent may not be read
            raise


def rebuild(folder: StrPath) -> int:
    """Make a lost database anew from the trail's export; return how many events were played."""
    return rebuilt(Root(Path(folder)))


def _result(outcome: Outcome) -> CropResult:
    """Return the result of what was carried out; only a trail that failed stops the work."""
    if isinstance(outcome.error, AuditError):
        raise outcome.error
    return outcome.result
