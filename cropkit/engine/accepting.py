"""What a person did to images on purpose is told once, and is no difference any more."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cropkit.audit.chain import body_of

ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class AcceptedChange:
    """An image that was deleted, renamed or edited on purpose.

    Parameters
    ----------
    was, now : SHA-256 of what cropkit had written and of what is there; None: nothing is
    """

    path: str
    was: str
    now: str | None


def accepted(events: Iterable[Mapping[str, Any]]) -> frozenset[AcceptedChange]:
    """Return what was accepted, as the trail's events of that kind tell it."""
    bodies = ((event["path"], body_of(event)) for event in events)
    return frozenset(AcceptedChange(path, body["was"], body["now"]) for path, body in bodies)
