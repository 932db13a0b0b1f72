"""How a review goes: pace, seconds an image, and what became of the suggested boxes; pure.

Only what people decided counts: a decision that was made in the moment in which its image was
shown was made by a program, and is told apart. Time is active time: between two decisions of a
session, a gap of more than five minutes is a break and is left out, with the decision at its end
(which counts, but is not timed). Decisions of one moment, those of a page, share its time equally.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cropkit import clock
from cropkit.errors import CropkitError
from cropkit.monitor import agreement
from cropkit.monitor.agreement import Agreement
from cropkit.monitor.saving import Saving, saving
from cropkit.names import all_printable
from cropkit.records import Decision, verdict_of
from cropkit.suggest.control import is_control, is_learned

if TYPE_CHECKING:
    import pandas as pd

BREAK = timedelta(minutes=5)
NO_SOURCE = "no suggestion"
_PROGRAMS = frozenset(("batch", "shell"))  # kinds of sessions in which no person decides
_TOUCHED = "adjusted"
_BOXED = ("accept", _TOUCHED, "kept-whole")
VERDICTS = ("accept", "adjusted", "kept-whole", "reject", "skip")
WAYS = ("session", "reviewer", "source", "slot", "target")
_TEXTS = (
    *("session", "reviewer", "suggestion_source", "suggestion_version", "slot", "target"),
    "sha256",
)
NO_SLOT, NO_TARGET = "the image", "no target"


def _field(verdict: str) -> str:
    return verdict.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Made:
    """One decision of a person, and the active seconds that it took; None after a break.

    Parameters
    ----------
    is_learned : whether its box was learned in a review
    is_control : whether its image is one of those that nothing learned is shown for
    """

    session: str
    reviewer: str
    source: str
    verdict: str
    decided_at: datetime
    seconds: float | None
    slot: str = NO_SLOT
    target: str = NO_TARGET
    is_learned: bool = False
    is_control: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Figures of some decisions; None where there is nothing to tell it from."""

    name: str
    decisions: int
    timed: int
    active_seconds: float
    decisions_an_hour: float | None
    median_seconds: float | None
    p90_seconds: float | None
    accept: int
    adjusted: int
    kept_whole: int
    reject: int
    skip: int

    def share(self, verdict: str) -> float | None:
        """Return which part of the decisions had this verdict."""
        number: int = getattr(self, _field(verdict))
        return number / self.decisions if self.decisions else None

    def to_json(self) -> dict[str, Any]:
        """Return figures and shares."""
        shares = {f"{_field(verdict)}_share": self.share(verdict) for verdict in VERDICTS}
        return asdict(self) | shares


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures of a collection: of all decisions, and by each of `WAYS`.

    ``unattended`` are the decisions of programs, which are in no figure. ``unreadable`` are the
    rows that nothing can be made of, as sentences: `fsck` names them, too. ``agreement`` is that of
    each two people who decided about the same crops, ``waiting`` how many crops wait for what.
    ``crowded`` are the crops that more people decided about than are compared, as sentences.
    """

    decisions: tuple[Made, ...]
    unattended: int
    unreadable: tuple[str, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    crowded: tuple[str, ...] = ()

    @property
    def total(self) -> Group:
        """All decisions of people."""
        return _group("all", self.decisions)

    def by(self, way: str) -> tuple[Group, ...]:
        """Return figures by one of `WAYS`, in the order of their first decision."""
        names = dict.fromkeys(getattr(decision, way) for decision in self.decisions)
        return tuple(
            _group(
                name, [decision for decision in self.decisions if getattr(decision, way) == name]
            )
            for name in names
        )

    @property
    def saving(self) -> Saving | None:
        """What learning has saved; None where nothing learned was shown, or no control."""
        begun: dict[str, datetime] = {}
        for each in self.decisions:
            if each.is_learned:
                begun.setdefault(each.reviewer, each.decided_at)
        shown = [
            each
            for each in self.decisions
            if each.verdict in _BOXED and each.slot == NO_SLOT
            # that one itself is no control, whatever chance says
            if each.reviewer in begun and each.decided_at > begun[each.reviewer]
        ]
        return saving(
            [each.verdict != _TOUCHED for each in shown if not each.is_control],
            [each.verdict != _TOUCHED for each in shown if each.is_control],
        )

    def frame(self, way: str) -> "pd.DataFrame":
        """Return a table, one row for each session, reviewer, source, slot or target."""
        import pandas as pd  # noqa: PLC0415  (half a second that a crop does not need)

        rows = [group.to_json() for group in self.by(way)]
        columns = list(self.total.to_json())
        return pd.DataFrame(all_printable(rows), columns=columns).rename(columns={"name": way})

    def agreement_frame(self) -> "pd.DataFrame":
        """Return a table of who agrees with whom how far, with intervals; a row for each two."""
        return agreement.frame(self.agreement)

    def to_json(self) -> dict[str, Any]:
        """Return everything as `cropkit stats --json` prints it."""
        groups = {f"by_{way}": [group.to_json() for group in self.by(way)] for way in WAYS}
        saving = self.saving
        return {
            **self.total.to_json(),
            "saving": None if saving is None else saving.to_json(),
            "agreement": [each.to_json() for each in self.agreement],
            "waiting": dict(self.waiting),
            "crowded": list(self.crowded),
            "unattended": self.unattended,
            "unreadable": list(self.unreadable),
            "break_seconds": BREAK.total_seconds(),
            **groups,
        }


def stats(
    rows: Iterable[Mapping[str, Any]],
    kinds: Mapping[str, str] | None = None,
    unreadable: Iterable[str] = (),
    waiting: Mapping[str, int] = MappingProxyType({}),
) -> Stats:
    """Return the figures of decision rows, as `cropkit.audit.trail` keeps them.

    Parameters
    ----------
    kinds : of the sessions, by their ids: what a batch or a command decided is in no figure; nor
        is a row that nobody of ours wrote
    unreadable : what could not be read before, as sentences
    waiting : how many crops wait for other people's opinions, by words
    """
    programs = {session for session, kind in (kinds or {}).items() if kind in _PROGRAMS}
    read = [_with_moments(row) for row in rows]
    every = [timed for timed in read if not isinstance(timed, str)]
    lost = tuple(sentence for sentence in read if isinstance(sentence, str))
    seen = [timed for timed in every if timed[2] > timed[1] and timed[0]["session"] not in programs]
    seen.sort(key=lambda timed: (timed[0]["session"], timed[2]))
    decisions = [
        each
        for _, group in groupby(seen, key=lambda timed: timed[0]["session"])
        for each in _timed(list(group))
    ]
    decisions.sort(key=lambda decision: decision.decided_at)
    in_order = (row for row, _, _ in sorted(seen, key=lambda timed: timed[2]))
    shared, crowded = agreement.parted(agreement.shared(in_order))
    agreed, unread = _agreement(shared)
    lost = (*unreadable, *lost, *unread)
    return Stats(tuple(decisions), len(every) - len(seen), lost, agreed, waiting, crowded)


Row = tuple[Mapping[str, Any], datetime, datetime]


def _with_moments(row: Mapping[str, Any]) -> Row | str:
    """Return a row with its moments, or say of one that nobody of ours wrote why."""
    from cropkit.audit.rows import NOT_OURS  # noqa: PLC0415  (a database, not for `--help`)

    try:
        for name in _TEXTS:
            if not isinstance(row.get(name) or "", str):
                raise TypeError(f"{name} is no text")
        verdict = verdict_of(row)
        if verdict not in VERDICTS:
            raise ValueError(f"there is no verdict {verdict!r}")
        sha256 = row.get("sha256") or ""
        row = {**row, "verdict": verdict, "is_control": bool(sha256) and is_control(sha256)}
        return row, clock.read(row["shown_at"]), clock.read(row["decided_at"])
    except NOT_OURS as error:
        return f"decision {row.get('id')} cannot be read: {error}"


def _agreement(
    shared: Iterable[Sequence[Mapping[str, Any]]],
) -> tuple[tuple[Agreement, ...], list[str]]:
    """Return who agrees with whom, and of rows that no decision can be made of why not."""
    from cropkit.audit.decisions import from_row  # noqa: PLC0415  (a database, not for `--help`)

    groups: list[list[Decision]] = []
    unread: list[str] = []
    for of_crop in shared:
        groups.append([])
        for row in of_crop:
            try:
                groups[-1].append(from_row(row))
            except CropkitError as error:
                unread.append(str(error))
    return agreement.agreements(groups), unread


def _timed(rows: Sequence[Row]) -> list[Made]:
    """Give each decision of one session its share of the time since the one before."""
    decisions: list[Made] = []
    before = min((shown for _, shown, at in rows if at == rows[0][2]), default=None)
    for at, group in groupby(rows, key=lambda timed: timed[2]):
        together = [row for row, _, _ in group]
        gap = at - before if before is not None else None
        active = gap is not None and gap <= BREAK
        seconds = gap.total_seconds() / len(together) if active and gap is not None else None
        decisions += [_made(row, at, seconds) for row in together]
        before = at
    return decisions


def _made(row: Mapping[str, Any], at: datetime, seconds: float | None) -> Made:
    source = row["suggestion_source"] or NO_SOURCE
    version = row["suggestion_version"] or ""
    named = f"{source} {version}".strip()
    slot, target = row.get("slot") or NO_SLOT, row.get("target") or NO_TARGET
    facts = (row["session"], row["reviewer"], named, row["verdict"], at, seconds, slot, target)
    return Made(*facts, is_learned=is_learned(version), is_control=row["is_control"])


def _group(name: str, decisions: Sequence[Made]) -> Group:
    seconds = sorted(decision.seconds for decision in decisions if decision.seconds is not None)
    active = sum(seconds)
    number: Callable[[str], int] = [decision.verdict for decision in decisions].count
    return Group(
        name=name,
        decisions=len(decisions),
        timed=len(seconds),
        active_seconds=active,
        decisions_an_hour=3600 * len(seconds) / active if active else None,
        median_seconds=median(seconds) if seconds else None,
        p90_seconds=_percentile(seconds, 0.9) if seconds else None,
        **{_field(verdict): number(verdict) for verdict in VERDICTS},
    )


def _percentile(ranked: Sequence[float], share: float) -> float:
    """Return a percentile by nearest rank: a value that did occur."""
    return ranked[math.ceil(share * len(ranked)) - 1]
