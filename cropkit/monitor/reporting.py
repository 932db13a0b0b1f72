"""Look at collections, and bring what is wrong with them to people."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cropkit import clock
from cropkit.audit.reader import TrailReader
from cropkit.audit.tally import SessionRow
from cropkit.audit.trail import AuditTrail
from cropkit.errors import AuditCorrupt, CropkitError
from cropkit.monitor import delivery
from cropkit.monitor.delivery import Configuration
from cropkit.monitor.health import Alert, Facts, Limits, alerts, degraded_alert, hangs, vanished
from cropkit.monitor.inspection import PATIENCE, Extent, examine
from cropkit.monitor.stats import Stats, stats
from cropkit.names import all_printable
from cropkit.system import parameters, state_folder
from cropkit.system.files import Root
from cropkit.system.scope import scope_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What was found in one collection, and what a person has to be told of it."""

    facts: Facts
    alerts: tuple[Alert, ...]
    limits: Limits
    at: datetime

    @property
    def ok(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.alerts

    def to_json(self) -> dict[str, Any]:
        """Return it as `cropkit health --json` prints it."""
        facts = self.facts
        return {
            "folder": facts.folder,
            "ok": self.ok,
            "at": clock.written(self.at),
            "alerts": [alert.to_json() for alert in self.alerts],
            "last_crop_at": clock.written(facts.last_crop_at) if facts.last_crop_at else None,
            "waiting": facts.waiting,
            "unreviewed": facts.unreviewed,
            "events": facts.events,
            "events_checked": facts.events_checked,
            "database_checked": list(facts.parts_checked),
            "not_remembered": facts.forgetful or None,
            "originals": facts.originals,
            "originals_read": facts.originals_read,
            "free_bytes": facts.free_bytes,
            "largest_batch_bytes": facts.largest_batch,
            "sqlite": facts.sqlite,
            "database": facts.database,
            "sessions": [self._session(session.id) for session in facts.sessions],
        }

    def alert_table(self) -> "pd.DataFrame":
        """Return the alerts as a table: what was found, what to do, where to read on."""
        import pandas as pd  # noqa: PLC0415  (half a second that the shell does not need)

        rows = [(a.code, a.said, a.kind.cure, a.link) for a in self.alerts]
        return pd.DataFrame(
            all_printable(rows), columns=["alert", "found", "what to do", "runbook"]
        )

    def session_table(self) -> "pd.DataFrame":
        """Return who worked here, oldest first: how each session ended, and what it did."""
        import pandas as pd  # noqa: PLC0415  (as above)

        rows = [
            {
                "kind": session.kind,
                "reviewer": session.reviewer,
                "ended": self._ended(session),
                "decided": session.tally.decided,
                "carried out": session.tally.carried_out,
                "failed": session.tally.failed,
                "stale": session.tally.stale,
                "degraded": session.tally.degraded_total,
                "operations": session.tally.operations,
            }
            for session in self.facts.sessions
        ]
        return pd.DataFrame(all_printable(rows))

    def summary(self) -> dict[str, Any]:
        """Return what a notebook's last cell shows."""
        return {
            "ok": self.ok,
            "alerts": [alert.code for alert in self.alerts],
            "waiting": self.facts.waiting,
            "unreviewed": self.facts.unreviewed,
            "originals": self.facts.originals,
            "originals_read": self.facts.originals_read,
        }

    def _ended(self, session: SessionRow) -> str | None:
        if vanished(session, self.at, self.limits):
            return "vanished"
        return "hangs" if hangs(session, self.at, self.limits) else session.ended_how

    def _session(self, wanted: str) -> dict[str, Any]:
        session = next(each for each in self.facts.sessions if each.id == wanted)
        return {
            "id": session.id,
            "kind": session.kind,
            "host": session.host,
            "reviewer": session.reviewer,
            "version": session.version,
            "started_at": clock.written(session.started_at),
            "beat_at": clock.written(session.beat_at) if session.beat_at else None,
            "moved_at": clock.written(session.moved_at) if session.moved_at else None,
            "ended_at": clock.written(session.ended_at) if session.ended_at else None,
            "ended_how": session.ended_how,
            "vanished": vanished(session, self.at, self.limits),
            "hangs": hangs(session, self.at, self.limits),
            "counts": session.tally.to_json(),
        }


def look(
    folder: Path,
    *,
    state: str | os.PathLike[str] | None = None,
    deep: bool = False,
    unreviewed: bool = False,
    idle: timedelta | float | None = None,
    at: datetime | None = None,
    patience: float = PATIENCE,
    tell: bool = False,
) -> HealthReport:
    """Find out how a collection is, disturbing nobody.

    Parameters
    ----------
    state : the folder that holds its `.cropkit`; None: where it is found
    deep : check all of the trail, compare every original and every image; else what is new of the
        trail, some of what is older, and a sample of the originals
    unreviewed : count the images that nobody decided about; else only where they may be an alert
    idle : how long there may be no crop while work waits, a span or a number of days; None as it is
        configured
    at : the time that it is; None for the clock's
    patience : seconds that a lock is waited for
    tell : bring the alerts to the sinks that are configured
    """
    folder = parameters.path_named("folder", folder)
    span = None if idle is None else parameters.days("idle_days", idle)
    now, named = at or clock.now(), parameters.state_named(state)
    configuration = _configuration(folder, now, named)
    limits = configuration.limits if span is None else replace(configuration.limits, idle=span)
    extent = Extent(
        deep=parameters.flag("deep", deep),
        unreviewed=parameters.flag("unreviewed", unreviewed),
        limits=limits,
        patience=patience,
    )
    facts = examine(folder, now, extent, named)
    raised = (*alerts(facts, now, limits), *configuration.problems)
    if tell:
        raised += tuple(delivery.deliver(raised, configuration.sinks))
    return HealthReport(facts, raised, limits, now)


def tell(folder: Path, raised: Iterable[Alert], state: Path | None = None) -> list[Alert]:
    """Bring alerts to the sinks of a collection; return one for each that did not take them."""
    configuration = _configuration(folder, clock.now(), state)
    every = [*raised, *configuration.problems]
    return [*configuration.problems, *delivery.deliver(every, configuration.sinks)]


def session_alert(folder: Path, session: str, state: Path | None = None) -> Alert | None:
    """Return the alert of a session of this collection that was too degraded, or is unreadable.

    Raises
    ------
    AuditError
        The trail cannot be read.
    """
    with TrailReader(Root(scope_of(folder, state).state)) as trail:
        try:
            row = trail.session_of(session)
        except AuditCorrupt as error:
            return Alert("difference", str(folder), str(error))
    return degraded_alert(str(folder), row.id, row.kind, row.tally) if row else None


def acknowledge(folder: Path, seen: Sequence[Alert], state: Path | None = None) -> list[str]:
    """Keep in the trail that a person has seen alerts about what happened; return their keys.

    An alert about how things are goes when they are otherwise, and not before.

    Raises
    ------
    AuditError
        It is not kept: the alerts stay.
    """
    keys = [alert.key for alert in seen if alert.key]
    if keys:
        scope = scope_of(folder, state)
        trail = AuditTrail(Root(scope.state), kind="shell", scope=scope)
        try:
            trail.acknowledge({"alerts": keys})
        finally:
            trail.close()
    return keys


def figures(folder: Path, state: str | os.PathLike[str] | None = None) -> Stats:
    """Return the figures of the reviews of a collection, or of a part of it, disturbing nobody.

    Raises
    ------
    NoCollection
        Nothing was ever reviewed there.
    AuditError
        The trail cannot be read.
    """
    folder = parameters.path_named("folder", folder)
    scope = scope_of(folder, parameters.state_named(state))
    state_folder.check(scope.state)
    with TrailReader(Root(scope.state), scope=scope) as trail:
        return figures_of(trail)


def figures_of(trail: TrailReader) -> Stats:
    """Return the same of a trail that is open; a row that cannot be read is in none, and named."""
    decisions, unreadable = trail.decisions.table_looked_through()
    kinds = {session.id: session.kind for session in trail.sessions()}
    lost = (*trail.unreadable_sessions(), *map(str, unreadable))
    waiting = trail.opinions.waiting(trail.scope.holds)
    return stats(decisions, kinds, lost, waiting)


def trial(
    folder: Path, state: Path | None = None
) -> tuple[list[tuple[str, str]], tuple[Alert, ...]]:
    """Send a test alert to each sink: (sink, reason why it did not arrive), and problems."""
    configuration = _configuration(folder, clock.now(), state)
    return delivery.trial(str(folder), configuration.sinks), configuration.problems


def _configuration(folder: Path, now: datetime, state: Path | None) -> Configuration:
    return delivery.configured(_home(folder, state), clock.session_name(now))


def _home(folder: Path, state: Path | None) -> Path:
    """Return the folder that holds a collection's `.cropkit`; what is wrong there is told later."""
    try:
        scope = scope_of(folder, state)
    except CropkitError:
        return folder
    return scope.state if scope.elsewhere and scope.is_whole else folder
