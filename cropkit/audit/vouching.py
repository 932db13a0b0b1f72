"""Whose an open operation is: its row carries what the key of who planned it says of it.

A seal vouches for events, and an operation that is under way has none yet. Without more, whoever
may write to `.cropkit` could leave one there for recovery to carry out. So each transaction that
plans an operation or moves it to another open state writes with it a mac over all that recovery
acts on, and over the trail that it is in, so that a row of another collection is none of this one.
When an operation ends its event is sealed, and the mac goes.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from cropkit.audit.dialects import ask
from cropkit.audit.keys import Key

_LABEL = b"cropkit operation 1\0"  # no text that a head's mac is of begins so
_FIRST = "SELECT hash FROM audit ORDER BY seq LIMIT 1"  # as text: it is asked for each operation
_ACTED_ON = (
    *("id", "kind", "state", "owner", "session", "decision", "undoes"),
    *("source", "target", "before", "after", "plan"),
)


class Vouched(NamedTuple):
    """Two columns of an operation: who vouches for it, and by what; none where nobody does."""

    key: str | None = None
    mac: str | None = None


NOBODYS = Vouched()


@dataclass(frozen=True, slots=True)
class Voucher:
    """A key that vouches for operations, or knows its own, in one trail.

    Parameters
    ----------
    first : hash of the trail's first event: trails are told apart by it
    """

    key: Key
    first: str

    def of(self, row: Mapping[str, Any]) -> Vouched:
        """Vouch for an operation as it is in a row."""
        return Vouched(self.key.id, self._mac(row)) if self.key.secret else NOBODYS

    def lack(self, row: Mapping[str, Any]) -> str:
        """Tell why an operation is not known to be this person's; '' where it is.

        To a user who can keep no key there is nothing to tell.
        """
        if not self.key.tells_apart:
            return ""
        if row["key"] is None:
            return "no key vouches for it"
        if not self.key.secret or row["key"] != self.key.id:
            return f"the key {row['key']!s:.16} that is said to vouch for it is not yours"
        mine, its = self._mac(row), str(row["mac"])
        is_mine = hmac.compare_digest(mine.encode(), its.encode(errors="replace"))
        return "" if is_mine else "your key vouched for another one"

    def _mac(self, row: Mapping[str, Any]) -> str:
        acted_on = [row[name] for name in _ACTED_ON]
        # a cell of an enemy's may hold anything: `repr` of bytes is no text of ours
        text = json.dumps([self.first, *acted_on], separators=(",", ":"), default=repr)
        return self.key.mac_of(_LABEL + text.encode())


def voucher(db: Connection, key: Key) -> Voucher:
    """Return what vouches in a trail; a session's first event precedes its operations."""
    return Voucher(key, ask(db, _FIRST).scalar_one_or_none() or "")
