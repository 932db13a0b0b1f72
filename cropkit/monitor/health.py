"""What is wrong with a collection, as functions of its rows and a clock; pure.

`Facts` is what was found, `alerts` what a person has to be told of it. An alert about something
that happened lasts until it is acknowledged; one about a state, as long as the state does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from cropkit.audit.tally import SessionRow, Tally
from cropkit.system.home import SUGGESTIONS

RUNBOOK = "docs/runbook.md"
_WITH_THE_PACKAGE = Path(__file__).resolve().parents[1] / RUNBOOK
MOST_DEGRADED_PERCENT = 10
FEWEST_OPERATIONS = 10
MOST_MISSED_BEATS = 3
SAMPLE = 32  # originals, more or less, whose content is compared when not all are
_HASHES = 1 << 64  # beginnings of a hash, of sixteen digits


@cache
def runbook() -> str:
    """Return where the runbook is: with an installed package, else among its documents."""
    return str(_WITH_THE_PACKAGE) if _WITH_THE_PACKAGE.is_file() else RUNBOOK


@dataclass(frozen=True, slots=True)
class AlertKind:
    """A kind of alert: what it means, what to do, and whether it can be acknowledged."""

    title: str
    cure: str
    happened: bool = False


KINDS: Mapping[str, AlertKind] = {
    "unreadable": AlertKind(
        "the folder cannot be looked into", "Mount it, or give yourself permission to read it"
    ),
    "no-collection": AlertKind(
        "nothing was ever reviewed here", "Name the folder that holds .cropkit, or begin a review"
    ),
    "database-missing": AlertKind(
        "the database is gone", "Put it back from a copy, or `cropkit fsck FOLDER --rebuild`"
    ),
    "database-behind": AlertKind(
        "the database is not the latest",
        "Put the latest copy back, or `cropkit fsck FOLDER --rebuild`",
    ),
    "database-unavailable": AlertKind(
        "the database cannot be opened or written",
        "Give back the permission to write; no work goes on",
    ),
    "database-newer": AlertKind(
        "a newer cropkit made the database",
        "Use that version, or a newer one: this one neither reads nor writes it",
    ),
    "database-locked": AlertKind(
        "another program holds the database", "End that program; no work goes on meanwhile"
    ),
    "database-corrupt": AlertKind(
        "the database is damaged", "Keep a copy, then `cropkit fsck FOLDER --rebuild`"
    ),
    "foreign-state": AlertKind(
        "somebody else made .cropkit, or it leads out of the collection",
        "Look at what is named, then remove it or make it your own; nothing was opened",
    ),
    "chain-broken": AlertKind(
        "the audit trail was changed after it was written",
        "Keep a copy of .cropkit, find out who did it, compare with the export",
    ),
    "trail-forged": AlertKind(
        "the audit trail is not the one that its seals vouch for",
        "Keep a copy of .cropkit, and find out who forged it, cut it off or put it back",
    ),
    "degraded": AlertKind(
        "more than 10 % of a session's operations were degraded",
        "`cropkit history FOLDER` names each one; mend their source",
        happened=True,
    ),
    "idle": AlertKind(
        "work waits, and nobody crops", "`cropkit apply FOLDER`, or review what is left"
    ),
    "vanished": AlertKind(
        "a run ended without saying so",
        "Look for a killed kernel or a lost power; open it again to settle what was open",
        happened=True,
    ),
    "hangs": AlertKind(
        "a run is there and does not move",
        "Look at its process; `kill` it where it does not come back: what was decided is kept",
    ),
    "conflict": AlertKind(
        "somebody else's content is in the way",
        "`cropkit fsck FOLDER` names the files; move it away",
    ),
    "in-doubt": AlertKind(
        "a decision is in doubt", "`cropkit recover FOLDER`, then `cropkit fsck FOLDER`"
    ),
    "unsettled": AlertKind("an operation was cut off", "`cropkit recover FOLDER` settles it"),
    "unvouched": AlertKind(
        "an operation is left alone: nobody of yours planned it, it has ended, or cannot be read",
        "`cropkit adopt FOLDER` shows it; `cropkit fsck FOLDER --rebuild`, where it has ended or "
        "cannot be read",
    ),
    "recovered": AlertKind(
        "recovery had work to do",
        "Every file is whole; find out what was cut off, and why",
        happened=True,
    ),
    "original-damaged": AlertKind(
        "a kept original is not what it was", "Get the image from its source: it cannot be restored"
    ),
    "difference": AlertKind(
        "database and disk do not agree", "`cropkit fsck FOLDER` names each file"
    ),
    "suggestions-damaged": AlertKind(
        "imported boxes cannot be used",
        "Delete .cropkit/suggestions.db, and import the boxes again",
    ),
    "nested": AlertKind(
        "a collection lies inside this one, and neither knows of the other",
        "`cropkit merge FOLDER INNER` joins them; every image can be undone afterwards",
    ),
    "disk-space": AlertKind(
        "there is little room left", "Make room, or `cropkit purge FOLDER --older-than 30d`"
    ),
    "sqlite": AlertKind(
        "this SQLite can damage the database here",
        "Move the collection to a local file system, or use SQLite 3.51.3 or later",
    ),
    "configuration": AlertKind(
        "the alerts are not configured as it was meant", "Correct alerts.toml: docs/alerts.md"
    ),
    "unapproved": AlertKind(
        "the collection says where its alerts go, and you have not approved it",
        "`cropkit alerts approve FOLDER` shows it first; until then its limits alone are used",
    ),
    "sink-failed": AlertKind(
        "an alert did not arrive", "`cropkit health FOLDER --test-alert` tries every sink"
    ),
    "test": AlertKind("a test of the alerts", "Nothing: it has arrived"),
}


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a person has to be told.

    Parameters
    ----------
    code : one of `KINDS`
    said : what was found, with figures and names
    key : what an acknowledgement names
    """

    code: str
    folder: str
    said: str
    key: str = ""

    @property
    def kind(self) -> AlertKind:
        """What it means and what to do."""
        return KINDS[self.code]

    @property
    def link(self) -> str:
        """Where the runbook tells the cause, the check and the cure."""
        return f"{runbook()}#{self.code}"

    def __str__(self) -> str:
        return f"{self.code}: {self.said}. {self.kind.cure} ({self.link})"

    def to_json(self) -> dict[str, object]:
        """Return it as programs read it."""
        return {
            "code": self.code,
            "folder": self.folder,
            "title": self.kind.title,
            "said": self.said,
            "cure": self.kind.cure,
            "link": self.link,
            "acknowledge": self.key or None,
        }


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a person is told."""

    idle: timedelta = timedelta(days=7)
    hang: timedelta = timedelta(minutes=10)
    beat: timedelta = timedelta(seconds=10)
    rooms: float = 2.0
    least_room: int = 10_000_000  # bytes that the trail itself may need


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was found or happened: what it is called, and in which words."""

    name: str
    said: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found in a collection.

    Parameters
    ----------
    failure : (code, words) when the collection could not be looked into
    began_at, last_crop_at : None when there was nothing yet
    unreviewed : images that nobody decided about; None: they were not counted
    events, events_checked : up to which event the chain is checked, and how many of them now
    parts_checked : parts of the database that SQLite looked through now
    forgetful : why all has to be checked each time, as a sentence
    imported : why imported boxes cannot be used; None: they can
    largest_batch : bytes of the images of the largest batch, done or waiting: a sample of some
        images stands for all of a larger one
    database : which one the trail is in, as it names itself
    lock_excludes : whether a lock held here keeps another one away
    unwritable : (code, words) when the collection can only be read
    """

    folder: str
    failure: Event | None = None
    sessions: Sequence[SessionRow] = ()
    began_at: datetime | None = None
    last_crop_at: datetime | None = None
    waiting: int = 0
    unreviewed: int | None = None
    conflicts: Sequence[Event] = ()
    in_doubt: Sequence[Event] = ()
    unsettled: Sequence[Event] = ()
    left_alone: Sequence[str] = ()
    recovered: Sequence[Event] = ()
    broken_links: Sequence[str] = ()
    forged: Sequence[str] = ()
    damage: Sequence[str] = ()
    events: int = 0
    events_checked: int = 0
    parts_checked: Sequence[str] = ()
    forgetful: str = ""
    originals: int = 0
    originals_read: int = 0
    bad_originals: Sequence[Event] = ()
    differences: Sequence[Event] = ()
    imported: str | None = None
    nested: Sequence[str] = ()
    free_bytes: int | None = None
    largest_batch: int = 0
    sqlite: str = ""
    database: str = ""
    sqlite_is_dangerous: bool = False
    lock_excludes: bool = True
    unwritable: Event | None = None
    acknowledged: frozenset[str] = field(default_factory=frozenset)


def too_degraded(tally: Tally) -> bool:
    """Whether more than 10 % of a session's operations were degraded, of at least ten."""
    enough = tally.operations >= FEWEST_OPERATIONS
    return enough and tally.degraded_total * 100 > MOST_DEGRADED_PERCENT * tally.operations


def degraded_alert(folder: str, session: str, kind: str, tally: Tally) -> Alert | None:
    """Return the alert of a session that is too degraded, None for any other."""
    if not too_degraded(tally):
        return None
    kinds = ", ".join(f"{number} {name}" for name, number in sorted(tally.degraded.items()))
    share = 100 * tally.degraded_total / tally.operations
    counted = f"{tally.degraded_total} of {tally.operations} operations ({share:.1f} %)"
    text = f"{counted} were degraded: {kinds}; {kind} {session}"
    return Alert("degraded", folder, text, f"degraded:{session}")


def vanished(session: SessionRow, now: datetime, limits: Limits) -> bool:
    """Whether a run has neither ended nor beaten for longer than three periods, and is not there.

    One that was stopped or put to sleep is there.
    """
    if session.beat_at is None or session.ended_at is not None or session.alive:
        return False
    return now - session.beat_at > MOST_MISSED_BEATS * limits.beat


def hangs(session: SessionRow, now: datetime, limits: Limits) -> bool:
    """Whether a run that is there, or beats, has not moved for longer than may be."""
    if session.beat_at is None or session.ended_at is not None or vanished(session, now, limits):
        return False
    return now - (session.moved_at or session.beat_at) > limits.hang


def alerts(facts: Facts, now: datetime, limits: Limits | None = None) -> tuple[Alert, ...]:
    """Return what a person has to be told of a collection, the gravest first."""
    if facts.failure is not None:
        return (Alert(facts.failure.name, facts.folder, facts.failure.said),)
    chosen = limits or Limits()
    raised = (alert for check in _CHECKS for alert in check(facts, now, chosen))
    return tuple(alert for alert in raised if alert.key not in facts.acknowledged)


def turn_of_hashes(number: int, now: datetime, size: int = SAMPLE) -> tuple[str, str]:
    """Return from which hash to which the originals lie whose turn it is in this hour.

    In time everyone has one. Hashes are even, so that some `size` of them have it at once.
    """
    parts = max(1, -(-number // size))
    part = int(now.timestamp() // 3600) % parts
    low, high = (f"{_HASHES * each // parts:016x}" for each in (part, part + 1))
    return low, high if part + 1 < parts else "g"  # what comes after all digits


def _unwritable(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    if facts.unwritable is not None:
        text = f"{facts.unwritable.said}. It was read all the same"
        yield Alert(facts.unwritable.name, facts.folder, text)


def _damage(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    for reason in facts.damage:
        yield Alert("database-corrupt", facts.folder, reason)


def _chain(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    if facts.broken_links:
        more = len(facts.broken_links) - 1
        text = facts.broken_links[0] + (f", and {more} more" if more else "")
        yield Alert("chain-broken", facts.folder, text)


def _forged(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    for reason in facts.forged[:1]:
        yield Alert("trail-forged", facts.folder, reason)


def _conflicts(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    for conflict in facts.conflicts:
        yield Alert("conflict", facts.folder, f"{conflict.name}: {conflict.said}")


def _in_doubt(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    known = {conflict.name for conflict in facts.conflicts}
    for doubt in facts.in_doubt:
        if doubt.name not in known:
            yield Alert("in-doubt", facts.folder, f"{doubt.name}: {doubt.said}")


def _unsettled(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    for event in facts.unsettled:
        yield Alert("unsettled", facts.folder, f"{event.name}: {event.said}")


def _unvouched(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    for sentence in facts.left_alone:
        yield Alert("unvouched", facts.folder, sentence)


def _originals(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    for original in facts.bad_originals:
        yield Alert("original-damaged", facts.folder, f"{original.name}: {original.said}")


def _differences(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    for difference in facts.differences:
        yield Alert("difference", facts.folder, f"{difference.name}: {difference.said}")


def _imported(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    if facts.imported is not None:
        yield Alert("suggestions-damaged", facts.folder, f"{SUGGESTIONS} {facts.imported}")


def _nested(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    for name in facts.nested:
        yield Alert("nested", facts.folder, f"{name} is a collection of its own")


def _sqlite(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    if facts.sqlite_is_dangerous and not facts.lock_excludes:
        text = f"SQLite {facts.sqlite} has the WAL-reset bug, and file locks do not exclude here"
        yield Alert("sqlite", facts.folder, text)


def _room(facts: Facts, _now: datetime, limits: Limits) -> Iterator[Alert]:
    needed = max(limits.rooms * facts.largest_batch, limits.least_room)
    if facts.free_bytes is not None and facts.free_bytes < needed:
        text = f"{_megabytes(facts.free_bytes)} free, the largest batch wants {_megabytes(needed)}"
        yield Alert("disk-space", facts.folder, text)


def _vanished(facts: Facts, now: datetime, limits: Limits) -> Iterator[Alert]:
    for session in facts.sessions:
        if vanished(session, now, limits) and session.beat_at is not None:
            text = f"{_who(session)} was last seen {_ago(now - session.beat_at)} ago"
            yield Alert("vanished", facts.folder, text, f"vanished:{session.id}")


def _hangs(facts: Facts, now: datetime, limits: Limits) -> Iterator[Alert]:
    for session in facts.sessions:
        moved_at = session.moved_at or session.beat_at
        if hangs(session, now, limits) and moved_at is not None:
            done = f"{session.tally.decided} decided, {session.tally.carried_out} carried out"
            text = f"{_who(session)} has not moved for {_ago(now - moved_at)}: {done}"
            yield Alert("hangs", facts.folder, text)


def _who(session: SessionRow) -> str:
    return f"{session.kind} {session.id} of {session.reviewer} on {session.host}"


def _degraded(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    for session in facts.sessions:
        alert = degraded_alert(facts.folder, session.id, session.kind, session.tally)
        if alert is not None:
            yield alert


def _recovered(facts: Facts, _now: datetime, _limits: Limits) -> Iterator[Alert]:
    for event in facts.recovered:
        yield Alert("recovered", facts.folder, event.said, f"recovered:{event.name}")


def is_idle(since: datetime | None, now: datetime, limits: Limits) -> bool:
    """Whether there was no crop for longer than may be while work waits."""
    return since is not None and now - since > limits.idle


def _idle(facts: Facts, now: datetime, limits: Limits) -> Iterator[Alert]:
    since = facts.last_crop_at or facts.began_at
    if since is None or not is_idle(since, now, limits):
        return
    if not (facts.waiting or facts.unreviewed):
        return
    left = f"{facts.waiting} decisions wait"
    if facts.unreviewed is not None:
        left += f", {facts.unreviewed} images are not reviewed"
    last = (
        f"the last crop is {_ago(now - since)} old" if facts.last_crop_at else "nothing was cropped"
    )
    yield Alert("idle", facts.folder, f"{last}; {left}")


Check = Callable[[Facts, datetime, Limits], Iterator[Alert]]
_CHECKS: tuple[Check, ...] = (
    *(
        _unwritable,
        _damage,
        _chain,
        _forged,
        _conflicts,
        _in_doubt,
        _unsettled,
        _unvouched,
        _originals,
        _differences,
        _imported,
        _nested,
        _sqlite,
    ),
    *(_room, _vanished, _hangs, _degraded, _recovered, _idle),
)


def _megabytes(number: float) -> str:
    return f"{number / 1e6:,.1f} MB"


def _ago(span: timedelta) -> str:
    """Write a span as people say it."""
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if span.total_seconds() >= 2 * seconds:
            return f"{span.total_seconds() / seconds:.0f} {unit}"
    return f"{span.total_seconds():.0f} s"
