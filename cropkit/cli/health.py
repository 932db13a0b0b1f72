"""Commands that tell how a collection is: health and stats."""

import argparse
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.cli.shell import (
    DONE,
    FAILED,
    Commands,
    command,
    document,
    folder_command,
    say,
    tell,
    write,
)
from cropkit.monitor.stats import VERDICTS

if TYPE_CHECKING:
    from cropkit.monitor.health import Alert
    from cropkit.monitor.reporting import HealthReport


def add(commands: Commands) -> None:
    """Describe the commands."""
    one = command(
        commands, "health", "alerts, heartbeat and degraded rates of collections", _health
    )
    one.add_argument("folder", nargs="+", type=Path, help="collections; all of them are looked at")
    form = one.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    form.add_argument("--prometheus", action="store_true", help="print metrics on stdout")
    text = "compare every original and every image, not a sample of the originals"
    one.add_argument("--deep", action="store_true", help=text)
    text = "how long there may be no crop while work waits (7)"
    one.add_argument("--idle-days", type=float, metavar="N", help=text)
    text = "send a test alert to every sink, and tell which arrived"
    one.add_argument("--test-alert", action="store_true", help=text)
    text = "say in the trail that alerts about what happened were seen"
    one.add_argument("--acknowledge", action="store_true", help=text)
    one = folder_command(
        commands, "stats", "pace and verdicts of the reviews of a collection", _stats
    )
    text = "one line for each session, reviewer or source"
    one.add_argument(
        "--by", choices=("session", "reviewer", "source"), default="reviewer", help=text
    )


def _stats(given: argparse.Namespace) -> int:
    from cropkit.monitor.reporting import figures  # noqa: PLC0415  (codecs and database: not for `--help`)

    found = figures(given.folder)
    if given.json:
        document(found.to_json())
        return DONE
    for group in (*found.by(given.by), found.total):
        hour, median, p90 = group.decisions_an_hour, group.median_seconds, group.p90_seconds
        shares = ", ".join(f"{name} {100 * (group.share(name) or 0):.0f} %" for name in VERDICTS)
        tell(
            f"{group.name}: {group.decisions} decisions, {_number(hour)} an hour,"
            f" {_number(median)} s an image (nine in ten under {_number(p90)} s), {shares}"
        )
    if found.unattended:
        tell(f"decided by programs, and in no figure: {found.unattended}")
    return DONE


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _health(given: argparse.Namespace) -> int:
    from cropkit.monitor import reporting  # noqa: PLC0415  (codecs and database: not for `--help`)
    from cropkit.monitor.prometheus import exposition  # noqa: PLC0415  (as above)

    if given.test_alert:
        return _test_alert(given)
    idle = timedelta(days=given.idle_days) if given.idle_days else None
    tell = not given.acknowledge  # who acknowledges an alert has it
    found = [reporting.look(f, deep=given.deep, idle=idle, tell=tell) for f in given.folder]
    if given.json:
        document({"ok": all(one.ok for one in found), "folders": [f.to_json() for f in found]})
    elif given.prometheus:
        told = [(one.facts, one.alerts) for one in found]
        write(exposition(told, found[0].at, found[0].limits))
    else:
        for one in found:
            _tell(one)
    left = [_left(one) if given.acknowledge else list(one.alerts) for one in found]
    return FAILED if any(left) else DONE


def _left(found: "HealthReport") -> "list[Alert]":
    """Acknowledge what can be; return the alerts that stay."""
    from cropkit.monitor import reporting  # noqa: PLC0415  (as above)

    keys = reporting.acknowledge(Path(found.facts.folder), found.alerts)
    say(f"{found.facts.folder}: {len(keys)} acknowledged")
    return [alert for alert in found.alerts if alert.key not in keys]


def _test_alert(given: argparse.Namespace) -> int:
    from cropkit.monitor import reporting  # noqa: PLC0415  (as above)

    told = []
    for folder in given.folder:
        sinks, complaints = reporting.trial(folder)
        told += [{"folder": str(folder), "sink": sink, "error": error} for sink, error in sinks]
        told += [{"folder": str(folder), "sink": "", "error": str(one)} for one in complaints]
    if given.json:
        document({"ok": not any(one["error"] for one in told), "sinks": told})
    for one in () if given.json else told:
        tell(f"{one['folder']}: {one['sink']}: {one['error'] or 'arrived'}")
    if not told:
        say("no sink is configured: see docs/alerts.md")
    return DONE if told and not any(one["error"] for one in told) else FAILED


def _tell(found: "HealthReport") -> None:
    facts = found.facts
    number = len(found.alerts)
    tell(f"{facts.folder}: {'well' if found.ok else f'{number} alert' + 's' * (number > 1)}")
    for alert in found.alerts:
        tell(f"  {alert.code}: {alert.said}", f"      {alert.kind.cure}", f"      {alert.link}")
    if facts.failure is None:
        last = f"{facts.last_crop_at:%Y-%m-%d %H:%M} UTC" if facts.last_crop_at else "never"
        room = "" if facts.free_bytes is None else f", {facts.free_bytes / 1e9:,.1f} GB free"
        tell(
            f"  last crop {last}, {facts.waiting} decisions wait, {facts.unreviewed} images are not"
            f" reviewed, {facts.originals_read} of {facts.originals} originals read{room}"
        )
