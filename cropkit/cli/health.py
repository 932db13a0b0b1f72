"""Commands that tell how a collection is: health and stats."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.cli import values
from cropkit.cli.shell import (
    DONE,
    FAILED,
    USAGE,
    Commands,
    add_state,
    command,
    document,
    folder_command,
    reading,
    say,
    tell,
    write,
)
from cropkit.monitor.stats import VERDICTS, WAYS

if TYPE_CHECKING:
    from cropkit.monitor.health import Alert, Facts
    from cropkit.monitor.reporting import HealthReport


def add(commands: Commands) -> None:
    """Describe the commands."""
    parser = command(
        commands, "health", "alerts, heartbeat and degraded rates of collections", _health
    )
    parser.add_argument(
        "folder", nargs="+", type=Path, help="collections; all of them are looked at"
    )
    add_state(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    text = "say nothing of collections that are well, so that cron sends no mail"
    form.add_argument("--quiet", action="store_true", help=text)
    form.add_argument("--prometheus", action="store_true", help="print metrics on stdout")
    text = "compare every original and every image, not a sample of the originals"
    parser.add_argument("--deep", action="store_true", help=text)
    text = "count the images that are not reviewed, also where they are no alert"
    parser.add_argument("--unreviewed", action="store_true", help=text)
    text = "how long there may be no crop while work waits (7)"
    parser.add_argument("--idle-days", type=values.days, metavar="N", help=text)
    text = "send a test alert to every sink, and tell which arrived"
    parser.add_argument("--test-alert", action="store_true", help=text)
    text = "say in the trail that alerts about what happened were seen"
    parser.add_argument("--acknowledge", action="store_true", help=text)
    parser = folder_command(
        commands, "stats", "pace, verdicts and agreement of the reviewers of a collection", _stats
    )
    text = "what there is one line for each of (reviewer)"
    parser.add_argument("--by", choices=WAYS, default="reviewer", help=text)


def _stats(arguments: argparse.Namespace) -> int:
    from cropkit.monitor.reporting import figures  # noqa: PLC0415  (codecs and database: not for `--help`)

    folder, state = arguments.folder, arguments.state
    with reading(folder, state):  # says which part is meant, and whether the state is foreign
        stats = figures(folder, state)
    for sentence in stats.unreadable:
        say(sentence)
    if arguments.json:
        document(stats.to_json())
        return FAILED if stats.unreadable else DONE
    for group in (*stats.by(arguments.by), stats.total):
        hour, median, p90 = group.decisions_an_hour, group.median_seconds, group.p90_seconds
        shares = ", ".join(f"{name} {100 * (group.share(name) or 0):.0f} %" for name in VERDICTS)
        tell(
            f"{group.name}: {group.decisions} decisions, {_number(hour)} an hour,"
            f" {_number(median)} s an image (nine in ten under {_number(p90)} s), {shares}"
        )
    if stats.saving is not None:
        tell(str(stats.saving))
    tell(*map(str, stats.agreement), *stats.crowded)
    tell(*(f"{number} of the share: {why}" for why, number in sorted(stats.waiting.items())))
    if stats.unattended:
        tell(f"decided by programs, and in no figure: {stats.unattended}")
    if stats.unreadable:
        tell(
            f"cannot be read, and in no figure: {len(stats.unreadable)}; `cropkit fsck` names each"
        )
    return FAILED if stats.unreadable else DONE


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _health(arguments: argparse.Namespace) -> int:
    from cropkit.monitor import reporting  # noqa: PLC0415  (codecs and database: not for `--help`)
    from cropkit.monitor.prometheus import exposition  # noqa: PLC0415  (as above)

    if arguments.state and len(arguments.folder) > 1:
        say("--state is the state of one folder: name one")
        return USAGE
    if arguments.test_alert:
        return _test_alert(arguments)
    tell = not arguments.acknowledge  # who acknowledges an alert has it
    wanted = {name: getattr(arguments, name) for name in ("deep", "unreviewed")}
    reports = [
        reporting.look(f, state=arguments.state, idle=arguments.idle_days, tell=tell, **wanted)
        for f in arguments.folder
    ]
    if arguments.json:
        document(
            {"ok": all(report.ok for report in reports), "folders": [f.to_json() for f in reports]}
        )
    elif arguments.prometheus:
        samples = [(report.facts, report.alerts) for report in reports]
        write(exposition(samples, reports[0].at, reports[0].limits))
    else:
        for report in reports:
            if not (arguments.quiet and report.ok):
                _tell(report)
    state = arguments.state
    left = [
        _left(report, state) if arguments.acknowledge else list(report.alerts) for report in reports
    ]
    return FAILED if any(left) else DONE


def _left(report: "HealthReport", state: Path | None) -> "list[Alert]":
    """Acknowledge what can be; return the alerts that stay."""
    from cropkit.monitor import reporting  # noqa: PLC0415  (as above)

    keys = reporting.acknowledge(Path(report.facts.folder), report.alerts, state)
    say(f"{report.facts.folder}: {len(keys)} acknowledged")
    return [alert for alert in report.alerts if alert.key not in keys]


def _test_alert(arguments: argparse.Namespace) -> int:
    from cropkit.monitor import reporting  # noqa: PLC0415  (as above)

    trials = []
    for folder in arguments.folder:
        sinks, problems = reporting.trial(folder, arguments.state)
        trials += [{"folder": str(folder), "sink": sink, "error": error} for sink, error in sinks]
        trials += [
            {"folder": str(folder), "sink": "", "error": str(problem)} for problem in problems
        ]
    if arguments.json:
        document({"ok": not any(trial["error"] for trial in trials), "sinks": trials})
    for trial in () if arguments.json else trials:
        tell(": ".join(filter(None, (trial["folder"], trial["sink"], trial["error"] or "arrived"))))
    if not trials:
        say("no sink is configured: see docs/alerts.md")
    return DONE if trials and not any(trial["error"] for trial in trials) else FAILED


def _tell(report: "HealthReport") -> None:
    facts = report.facts
    number = len(report.alerts)
    tell(f"{facts.folder}: {'well' if report.ok else f'{number} alert' + 's' * (number > 1)}")
    for alert in report.alerts:
        tell(f"  {alert.code}: {alert.said}", f"      {alert.kind.cure}", f"      {alert.link}")
    if facts.failure is None:
        tell(f"  {_work_of(facts)}", f"  {_checks_of(facts)}")


def _work_of(facts: "Facts") -> str:
    last = f"{facts.last_crop_at:%Y-%m-%d %H:%M} UTC" if facts.last_crop_at else "never"
    room = "" if facts.free_bytes is None else f", {facts.free_bytes / 1e9:,.1f} GB free"
    images = "" if facts.unreviewed is None else f", {facts.unreviewed} images are not reviewed"
    return f"last crop {last}, {facts.waiting} decisions wait{images}{room}"


def _checks_of(facts: "Facts") -> str:
    """Tell what was looked at now."""
    events = f"{facts.events_checked} of {facts.events} events"
    originals = f"{facts.originals_read} of {facts.originals} originals read"
    database = ", ".join(facts.parts_checked)
    parts = f", of the database: {database}" if database else ""
    lack = f"; {facts.forgetful}" if facts.forgetful else ""
    return f"{events} and {originals}{parts}{lack}"
