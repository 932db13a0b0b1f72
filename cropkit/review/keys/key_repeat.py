"""Guess whether a key is held or pressed again, where the browser's own part is not there; pure.

A browser's key-down says nothing about repeats through ipycanvas, and there is no key-up. What is
left is the rhythm: a keyboard waits 250 to 700 ms and then repeats every 15 to 100 ms.
"""

from dataclasses import dataclass
from enum import Enum

from cropkit.review.keys.actions import Repeats

# A second press that comes this soon may be the first repeat of a held key ...
HELD_DELAY = 1.0
# ... which the next repeat then shows.
WATCH = 0.15


class Response(Enum):
    """What to do with a key."""

    TAKE = "take"
    WATCH = "watch"  # take it if no further one comes within `WATCH` seconds
    DROP = "drop"  # and what is being watched with it


@dataclass(frozen=True, slots=True)
class KeyRepeat:
    """When a key came last, taken or not."""

    key: str = ""
    at: float = float("-inf")

    def is_held(self, key: str, now: float) -> bool:
        """Whether this press comes so soon that no hand made it."""
        return key == self.key and now - self.at < Repeats.STEADY.value

    def heard(self, key: str, pace: Repeats, now: float) -> tuple["KeyRepeat", Response]:
        """Return the rhythm with this press, and what to do with it."""
        since = now - self.at if key == self.key else float("inf")
        after = KeyRepeat(key, now)
        if since < pace.value:
            return after, Response.DROP
        if pace is Repeats.ONCE and since < HELD_DELAY:
            return after, Response.WATCH
        return after, Response.TAKE
