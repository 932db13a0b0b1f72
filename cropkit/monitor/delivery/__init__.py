"""Bring alerts to people: every sink gets them, and one that fails is told in the others."""

from collections.abc import Sequence

from cropkit.errors import DeliveryFailed
from cropkit.monitor.delivery.configuration import Configuration, configured
from cropkit.monitor.delivery.sinks import Sink
from cropkit.monitor.health import Alert

__all__ = ["Configuration", "Sink", "configured", "deliver", "trial"]


def deliver(alerts: Sequence[Alert], sinks: Sequence[Sink]) -> list[Alert]:
    """Send alerts to every sink; return an alert for each sink that did not take them.

    Those go to the sinks that work: that an alert did not arrive must be noticed, too.
    """
    if not alerts:
        return []
    refused, working = _sent(alerts, sinks)
    if refused:
        again, _ = _sent(refused, working)
        refused += again
    return refused


def trial(folder: str, sinks: Sequence[Sink]) -> list[tuple[str, str]]:
    """Send a test alert to each sink; return its name and, where it did not arrive, the reason."""
    alert = Alert("test", folder, "this is how an alert arrives")
    trials = []
    for sink in sinks:
        failed, _ = _sent([alert], [sink])
        trials.append((sink.name, failed[0].said if failed else ""))
    return trials


def _sent(alerts: Sequence[Alert], sinks: Sequence[Sink]) -> tuple[list[Alert], list[Sink]]:
    refused, working = [], []
    for sink in sinks:
        try:
            sink.send(alerts)
        except DeliveryFailed as error:
            refused.append(Alert("sink-failed", alerts[0].folder, str(error)))
        else:
            working.append(sink)
    return refused, working
