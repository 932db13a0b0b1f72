"""A request, the work on it, and how it ended."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cropkit.audit.operation import Operation, OperationKind
from cropkit.errors import CropkitError, StaleDecision
from cropkit.formats import Candidate
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, Status
from cropkit.system.files import Content, Identity

_SUCCESS = {
    OperationKind.CROP: Status.CROPPED,
    OperationKind.REJECT: Status.REJECTED,
    OperationKind.RESTORE: Status.RESTORED,
    OperationKind.PURGE: Status.PURGED,
}


_DECIDED = (OperationKind.CROP, OperationKind.REJECT)


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants done to one image.

    Parameters
    ----------
    source, target : relative to the collection; a target elsewhere is absolute
    expect : SHA-256 of the content that was reviewed
    undoes : the finished operation that a restore takes back
    followers : companions as (source, target, whether the source stays)
    needed_since : when an original that is to be purged was last needed
    """

    kind: OperationKind
    source: str
    target: str
    expect: str
    box: PixelBox | None = None
    decision: str | None = None
    undoes: Operation | None = None
    followers: tuple[tuple[str, str, bool], ...] = ()
    needed_since: str | None = None


@dataclass(slots=True)
class Job:
    """A request under way.

    ``planned`` says that the trail knows of it, ``already`` that its decision was carried out
    before, ``settled`` that nothing is open.
    """

    request: Request
    operation: Operation
    started: float = field(default_factory=time.perf_counter)
    source: Identity | None = None
    holds: PixelBox | None = None
    candidate: Candidate | None = None
    notes: list[tuple[str, str]] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    planned: bool = False
    switched: bool = False
    settled: bool = False
    already: bool = False
    error: CropkitError | None = None

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
        return written.sha256 == self.operation.after

    def report(self) -> dict[str, object]:
        """Account for every part of the file, as the trail keeps it."""
        candidate, box = self.candidate, self.box_applied
        dropped = (*(candidate.dropped if candidate else ()), *self.notes)
        return {
            "kept": list(candidate.kept) if candidate else ["every byte"],
            "patched": list(candidate.patched) if candidate else [],
            "dropped": [list(pair) for pair in dropped],
            "psnr": candidate.psnr if candidate else None,
            "box_applied": box.xyxy if box else None,
        }

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
            sha256_before=operation.before,
            sha256_after=operation.after,
            kept=tuple(report.get("kept", ())),
            patched=tuple(report.get("patched", ())),
            dropped=tuple((item, reason) for item, reason in report.get("dropped", ())),
            psnr=report.get("psnr"),
            seconds=self._seconds(),
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
            sha256_before=self.operation.before,
            seconds=self._seconds(),
        )

    def _seconds(self) -> float:
        return round(time.perf_counter() - self.started, 6)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result, the error behind it if any, and whether it had been carried out before."""

    result: CropResult
    error: CropkitError | None = None
    already: bool = False


def going(works: Sequence[Job]) -> list[Job]:
    """Return the works that there is more to do on."""
    return [work for work in works if work.going]


def status_of(error: CropkitError, *, decided: bool) -> Status:
    """Return what an error makes of a request; a decision waits until an obstacle is over."""
    return Status.WAITING if decided and error.passes else Status(error.status)


class GroupSize:
    """How many requests go into a group, so that it lets go of its files again within a time.

    A group claims its images until it ends; a person who decides about one of them waits so long.
    The first group is small, since nothing is known yet.

    Parameters
    ----------
    seconds : that a group should take
    most : requests, however fast they are
    """

    def __init__(self, seconds: float, most: int, first: int = 4) -> None:
        self._seconds, self._most = seconds, most
        self.size = min(first, most)

    def took(self, count: int, seconds: float) -> None:
        """Learn from a group; it may at most double, so that one lucky group misleads nobody."""
        fits = int(self._seconds * count / max(seconds, 1e-9))
        self.size = max(1, min(fits, 2 * self.size, self._most))


def groups(requests: Iterable[Request], largest: Callable[[], int]) -> Iterator[list[Request]]:
    """Split requests into groups in which no image and no content stands twice.

    Rivals for a name or an original cannot share a group.

    Parameters
    ----------
    largest : asked again for each group
    """
    group: list[Request] = []
    for request in requests:
        if len(group) >= largest() or any(_rivals(request, r) for r in group):
            yield group
            group = []
        group.append(request)
    if group:
        yield group


def _rivals(one: Request, other: Request) -> bool:
    return one.expect == other.expect or one.source == other.source
