"""What one session did, in numbers, and the row that tells of it; pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Self

from cropkit.records import ProblemKind, Status, Verdict

_VERDICTS: Mapping[Verdict, str] = {
    Verdict.ACCEPT: "accepted",
    Verdict.ADJUSTED: "adjusted",
    Verdict.KEPT_WHOLE: "kept_whole",
    Verdict.REJECT: "rejected",
    Verdict.SKIP: "skipped",
}
_OUTCOMES: Mapping[Status, str] = {
    Status.CROPPED: "cropped",
    Status.REJECTED: "set_aside",
    Status.RESTORED: "restored",
    Status.PURGED: "purged",
    Status.REFUSED: "failed",
    Status.FAILED: "failed",
    Status.IN_DOUBT: "failed",
    Status.STALE: "stale",
}


_CARRIED_OUT = (
    ProblemKind.BOX,
    ProblemKind.ENCODED_ANEW,
    ProblemKind.SALVAGED,
    ProblemKind.COMPANION,
)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one session.

    ``accepted`` to ``skipped`` are what was decided, ``cropped`` to ``stale`` what was carried out;
    ``set_aside`` are the rejected images that were moved away. ``degraded`` is by kind.
    """

    shown: int = 0
    accepted: int = 0
    adjusted: int = 0
    kept_whole: int = 0
    rejected: int = 0
    skipped: int = 0
    cropped: int = 0
    set_aside: int = 0
    restored: int = 0
    purged: int = 0
    failed: int = 0
    stale: int = 0
    degraded: Mapping[str, int] = field(default_factory=dict)

    @property
    def decided(self) -> int:
        """How many decisions were made."""
        kept = self.accepted + self.adjusted + self.kept_whole
        return kept + self.rejected + self.skipped

    @property
    def carried_out(self) -> int:
        """How many operations ended, well or not."""
        well = self.cropped + self.set_aside + self.restored + self.purged
        return well + self.failed + self.stale

    @property
    def degraded_total(self) -> int:
        """How many operations were degraded."""
        return sum(self.degraded.values())

    @property
    def operations(self) -> int:
        """How many operations there were.

        An image that is shown, decided and cropped is one, so that a session's share of degraded
        operations is the share of its images. Where nothing is shown, an image whose suggestion is
        of no use is not carried out, and counts beside those that are. A box that is refused and a
        JPEG that is encoded anew are carried out already; one that waits was to be.
        """
        if self.shown:
            return max(self.shown, self.decided, self.carried_out, self.degraded_total)
        among = sum(self.degraded.get(kind, 0) for kind in _CARRIED_OUT)
        waiting = self.degraded.get(ProblemKind.NO_LOSSLESS, 0)
        beside = self.degraded_total - among - waiting
        return max(self.decided, self.carried_out + waiting, among) + beside

    def with_shown(self, number: int) -> "Tally":
        """Count images that came on the screen."""
        return replace(self, shown=self.shown + number)

    def with_verdict(self, verdict: Verdict) -> "Tally":
        """Count a decision."""
        return self._with(_VERDICTS[verdict])

    def with_outcome(self, status: Status) -> "Tally":
        """Count how an operation ended; one that waits or was superseded has not."""
        return self._with(_OUTCOMES[status]) if status in _OUTCOMES else self

    def with_degraded(self, kind: ProblemKind) -> "Tally":
        """Count a degraded operation."""
        if kind.is_harmless:
            return self
        return replace(self, degraded={**self.degraded, kind: self.degraded.get(kind, 0) + 1})

    def _with(self, name: str) -> "Tally":
        return replace(self, **{name: getattr(self, name) + 1})

    def to_json(self) -> dict[str, object]:
        """Return the counts as the trail keeps them."""
        return asdict(self)

    @classmethod
    def from_text(cls, text: str | None) -> Self:
        """Read what was kept; counts that are unknown here are left out.

        Raises
        ------
        ValueError, TypeError, AttributeError
            Nobody of ours wrote it.
        """
        kept = json.loads(text or "{}")
        known = {each.name for each in fields(cls)}
        counts = {name: value for name, value in kept.items() if name in known}
        degraded: dict[str, int] = counts.pop("degraded", {})
        if not all(type(number) is int for number in (*counts.values(), *degraded.values())):
            raise ValueError("what was counted is no number")
        return cls(**counts, degraded=degraded)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as its row tells of it.

    ``beat_at`` is None where nobody was to beat: a short command, or a look. ``moved_at`` is when
    its work last went on, None where no beat told. ``alive`` is not in the row: its process holds a
    lock.
    """

    id: str
    kind: str
    host: str
    reviewer: str
    version: str
    started_at: datetime
    beat_at: datetime | None = None
    ended_at: datetime | None = None
    ended_how: str | None = None
    tally: Tally = field(default_factory=Tally)
    moved_at: datetime | None = None
    alive: bool = False
