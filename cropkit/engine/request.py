"""A request, the job that carries it out, and how it ended."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from cropkit.audit.operation import Companion, Operation, OperationKind
from cropkit.engine.companions import Beside, Exchanged
from cropkit.errors import CropkitError, StaleDecision
from cropkit.formats import Candidate, Header
from cropkit.geometry import NO_TURN, PixelBox, Turn
from cropkit.records import CropResult, Status
from cropkit.system.files import Content, Identity

_SUCCESS = {
    OperationKind.CROP: Status.CROPPED,
    OperationKind.COPY: Status.CROPPED,
    OperationKind.REJECT: Status.REJECTED,
    OperationKind.RESTORE: Status.RESTORED,
    OperationKind.PURGE: Status.PURGED,
}


_DECIDED = (OperationKind.CROP, OperationKind.COPY, OperationKind.REJECT)


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants done to one image.

    An `Operation` is what the trail keeps of it: that has an owner, a state and what was found on
    disk; a request may be tried again, each time as another operation.

    Parameters
    ----------
    source, target : relative to the collection; a target elsewhere is absolute
    expect : SHA-256 of the content that was reviewed
    shown : the box that the crop has to hold, None where nobody was shown one
    undoes : the finished operation that a restore takes back
    turn : of what the box holds
    copying : how a copy is made, as its decision says
    slot, aim : which crop of its image it is, and the size or ratio that it is meant for
    recuts : whether a kept original is as good as the image itself
    followers : what goes with the image; with a place aside, what may have to be exchanged
    beside : where that was looked for
    left_out : files that describe the image and would be wrong beside its copy
    needed_since : when an original that is to be purged was last needed
    """

    kind: OperationKind
    source: str
    target: str
    expect: str
    box: PixelBox | None = None
    shown: PixelBox | None = None
    decision: str | None = None
    undoes: Operation | None = None
    turn: Turn = NO_TURN
    copying: str | None = None
    recuts: bool = False
    slot: str = ""
    aim: str | None = None
    followers: tuple[Companion, ...] = ()
    beside: Beside = Beside()  # noqa: RUF009  (frozen)
    left_out: tuple[str, ...] = ()
    needed_since: str | None = None


@dataclass(slots=True)
class Job:
    """A request under way.

    ``reads`` is the name that the content is read from: the image's, or that of its kept original.
    ``planned`` says that the trail knows of it, ``already`` that its decision was carried out
    before, ``settled`` that nothing is open, ``stood`` that a copy's name stood for that very copy.
    """

    request: Request
    operation: Operation
    started: float = field(default_factory=time.perf_counter)
    source: Identity | None = None
    reads: str = ""
    header: Header | None = None
    holds: PixelBox | None = None
    candidate: Candidate | None = None
    notes: list[tuple[str, str]] = field(default_factory=list)
    exchanged: Exchanged = field(default_factory=Exchanged)
    aliases: list[str] = field(default_factory=list)
    stood: bool = False
    planned: bool = False
    switched: bool = False
    settled: bool = False
    already: bool = False
    error: CropkitError | None = None

    def __post_init__(self) -> None:
        self.reads = self.operation.source

    @property
    def going(self) -> bool:
        """Whether there is more to do."""
        return self.error is None and not self.already

    @property
    def box_applied(self) -> PixelBox | None:
        """The box that the crop holds, upright: at least the one that was asked for."""
        return self.candidate.box_applied if self.candidate else self.holds or self.request.box

    def is_meant(self, written: Content) -> bool:
        """Whether what was read back is what was staged."""
        if self.candidate is not None:
            return written.data == self.candidate.data
        return written.sha256 == self.operation.sha256_after

    def report(self) -> dict[str, object]:
        """Account for every part of the file, as the trail keeps it."""
        candidate, box = self.candidate, self.box_applied
        dropped = (*(candidate.dropped if candidate else ()), *self.notes)
        report = {
            "kept": list(candidate.kept) if candidate else ["every byte"],
            "patched": [*(candidate.patched if candidate else ()), *self.exchanged.patched],
            "dropped": [list(pair) for pair in dropped],
            "psnr": candidate.psnr if candidate else None,
            "degraded": candidate.degraded if candidate else None,
            "box_applied": box.xyxy if box else None,
        }
        stale = self.exchanged.stale
        report |= {"stale": stale} if stale else {}
        report |= {} if self.request.turn.is_none else {"turn": self.request.turn.text}
        return report | ({"stood": True} if self.stood else {})

    def result(self) -> CropResult:
        """Tell how it ended."""
        operation = self.operation
        if self.error is not None:
            return self._failure(self.error)
        report = operation.report
        return CropResult(
            status=_SUCCESS[operation.kind],
            path=operation.source,
            destination=None if operation.in_place else operation.target,
            operation=operation.id,
            box_asked=self.request.box,
            box_applied=self.box_applied,
            sha256_before=operation.sha256_before,
            sha256_after=operation.sha256_after,
            kept=tuple(report.get("kept", ())),
            patched=tuple(report.get("patched", ())),
            dropped=tuple((item, reason) for item, reason in report.get("dropped", ())),
            psnr=report.get("psnr"),
            degraded=report.get("degraded"),
            stale=tuple(report.get("stale", ())),
            seconds=self._seconds(),
            mode=_mode(operation),
            slot=self.request.slot,
            target=self.request.aim,
            turn=self.request.turn.text,
            stood=self.stood,
        )

    def _status(self, error: CropkitError) -> Status:
        if isinstance(error, StaleDecision):
            return Status.STALE
        operation = self.operation
        decided = operation.decision is not None and operation.kind in _DECIDED
        return status_of(error, decided=decided)

    def _failure(self, error: CropkitError) -> CropResult:
        return CropResult(
            status=self._status(error),
            path=self.operation.source,
            code=error.code,
            message=str(error),
            operation=self.operation.id,
            box_asked=self.request.box,
            sha256_before=self.operation.sha256_before,
            seconds=self._seconds(),
        )

    def _seconds(self) -> float:
        return round(time.perf_counter() - self.started, 6)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result, the error behind it if any, and whether it had been carried out before.

    The result is what a person is told, in words; the error is what the caller decides by.
    """

    result: CropResult
    error: CropkitError | None = None
    already: bool = False


def _mode(operation: Operation) -> str:
    if operation.is_copy:
        return "copy"
    return "in-place" if operation.in_place else "move"


def going(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs that there is more to do on."""
    return [job for job in jobs if job.going]


def status_of(error: CropkitError, *, decided: bool) -> Status:
    """Return what an error makes of a request; a decision waits until an obstacle is over."""
    return Status.WAITING if decided and error.passes else Status(error.status)
