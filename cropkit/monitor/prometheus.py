"""Facts and alerts in the Prometheus text format (exposition format 0.0.4); pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from cropkit.monitor.health import KINDS, Alert, Facts, Limits, vanished

_GAUGES: tuple[tuple[str, str], ...] = (
    ("cropkit_up", "1 when the collection could be looked into"),
    ("cropkit_alerts", "Alerts of each kind"),
    ("cropkit_decisions_waiting", "Decisions that nobody has carried out"),
    ("cropkit_images_unreviewed", "Images without a decision, where they were counted"),
    ("cropkit_events", "Events of the trail"),
    ("cropkit_events_checked", "Events of the trail that were read in this look"),
    ("cropkit_last_crop_timestamp_seconds", "When the last crop was finished"),
    ("cropkit_runs_alive", "Runs that beat"),
    ("cropkit_runs_vanished", "Runs that neither ended nor beat"),
    ("cropkit_last_run_degraded_ratio", "Degraded operations of the latest run, as a share"),
    ("cropkit_last_run_operations", "Operations of the latest run"),
    ("cropkit_originals", "Kept originals"),
    ("cropkit_originals_damaged", "Kept originals that were read and are not what they were"),
    ("cropkit_free_bytes", "Room on the file system"),
    ("cropkit_largest_batch_bytes", "Bytes of the images of the largest batch"),
)
Sample = tuple[str, str, float]


def exposition(
    collections: Sequence[tuple[Facts, Sequence[Alert]]], now: datetime, limits: Limits
) -> str:
    """Return the metrics of collections, each labelled with its folder."""
    samples = [
        sample for facts, alerts in collections for sample in _samples(facts, alerts, now, limits)
    ]
    lines: list[str] = []
    for name, text in _GAUGES:
        mine = [f"{name}{{{labels}}} {value:.17g}" for n, labels, value in samples if n == name]
        if mine:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", *mine]
    return "\n".join(lines) + "\n"


def _samples(
    facts: Facts, alerts: Sequence[Alert], now: datetime, limits: Limits
) -> Iterator[Sample]:
    folder = f'folder="{_escaped(facts.folder)}"'
    yield "cropkit_up", folder, float(facts.failure is None)
    for code in KINDS:
        number = sum(alert.code == code for alert in alerts)
        yield "cropkit_alerts", f'{folder},code="{code}"', number
    if facts.failure is None:
        for name, value in _values(facts, now, limits).items():
            if value is not None:
                yield f"cropkit_{name}", folder, value


def _values(facts: Facts, now: datetime, limits: Limits) -> dict[str, float | None]:
    runs = [session for session in facts.sessions if session.beat_at is not None]
    gone = sum(vanished(run, now, limits) for run in runs)
    last = runs[-1].tally if runs else None
    ratio = last.degraded_total / max(1, last.operations) if last else None
    return {
        "decisions_waiting": facts.waiting,
        "images_unreviewed": facts.unreviewed,
        "events": facts.events,
        "events_checked": facts.events_checked,
        "last_crop_timestamp_seconds": facts.last_crop_at.timestamp()
        if facts.last_crop_at
        else None,
        "runs_alive": sum(run.ended_at is None for run in runs) - gone,
        "runs_vanished": gone,
        "last_run_degraded_ratio": ratio,
        "last_run_operations": last.operations if last else None,
        "originals": facts.originals,
        "originals_damaged": len(facts.bad_originals),
        "free_bytes": facts.free_bytes,
        "largest_batch_bytes": facts.largest_batch,
    }


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
