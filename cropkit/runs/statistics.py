"""Numbers of a run: boxes and throughput; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from cropkit import clock
from cropkit.runs.record import Entry, RunRecord

_LEAST_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution: the middle, and where nine tenths lie."""

    count: int
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """How fast a run went, from its first outcome to its last."""

    seconds: float
    images: int
    read_bytes: int
    freed_bytes: int

    @property
    def images_per_second(self) -> float:
        """Rate."""
        return self.images / max(self.seconds, _LEAST_SECONDS)


def spread(values: Sequence[float]) -> Spread | None:
    """Return the 5th, 50th and 95th percentile by nearest rank; None of nothing."""
    if not values:
        return None
    ranked = sorted(values)
    last = len(ranked) - 1
    return Spread(
        len(ranked), ranked[round(0.05 * last)], median(ranked), ranked[round(0.95 * last)]
    )


def cropped(run: RunRecord) -> list[Entry]:
    """Return what was cropped."""
    return [entry for entry in run.entries if entry.status == "cropped" and entry.box]


def ious(entries: Sequence[Entry]) -> list[float]:
    """Return the overlap of each final box with the suggested one (Jaccard), where there is one."""
    return [entry.iou for entry in entries if entry.iou is not None]


def aspects(entries: Sequence[Entry]) -> list[float]:
    """Return width / height of each crop."""
    return [(e.box[2] - e.box[0]) / (e.box[3] - e.box[1]) for e in entries if e.box]


def areas(entries: Sequence[Entry]) -> list[float]:
    """Return the share of each image's area that was kept."""
    return [
        (e.box[2] - e.box[0]) * (e.box[3] - e.box[1]) / (e.size[0] * e.size[1])
        for e in entries
        if e.box and e.size
    ]


def throughput(run: RunRecord) -> Throughput:
    """Return how fast this run went; what others ended meanwhile is not counted."""
    mine = [e for e in run.entries if e.session == run.session and e.ended_at]
    return Throughput(
        seconds=_since(run, run.ended_at),
        images=len(mine),
        read_bytes=sum(e.bytes_before for e in mine),
        freed_bytes=sum(
            e.bytes_before - (e.bytes_after or e.bytes_before) for e in mine if not e.copied
        ),
    )


def timeline(run: RunRecord) -> tuple[list[float], list[int]]:
    """Return when each image of this run was done, in seconds, and how many were by then."""
    mine = (e.ended_at for e in run.entries if e.session == run.session)
    moments = sorted(_since(run, moment) for moment in mine if moment)
    return [0.0, *moments], list(range(len(moments) + 1))


def _since(run: RunRecord, moment: str | None) -> float:
    if moment is None:
        return 0.0
    return (clock.read(moment) - clock.read(run.started_at)).total_seconds()
