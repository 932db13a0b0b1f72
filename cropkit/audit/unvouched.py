"""Open operations that are not to be acted upon: nobody of ours planned them, or they have ended.

Each is left as it is, told, and in nobody else's way but for the names that it has claimed. What is
not vouched for is adopted by a person (`trust.adopt`). A row that was put back as it once was is
vouched for, and the trail tells how its operation ended: nobody can adopt that, nor what cannot be
read (`unsettled`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, select, union_all, update

from cropkit.audit import chain, rows, unsettled, vouching
from cropkit.audit.keys import Key
from cropkit.audit.operation import Operation, OperationState
from cropkit.audit.schema import audit, is_no_outcome, is_outcome, operation
from cropkit.audit.unsettled import Unreadable
from cropkit.system.home import OWNERS
from cropkit.system.locks import is_free

_OF_ONE = audit.c.operation == bindparam("wanted")
# in two halves: each is asked of the index that holds it
_TOLD = union_all(*(select(audit).where(_OF_ONE, half) for half in (is_outcome, is_no_outcome)))
_VOUCH = update(operation).where(operation.c.id == bindparam("wanted"))


@dataclass(frozen=True, slots=True)
class Unvouched:
    """An open operation that is left alone, and why.

    Parameters
    ----------
    is_adoptable : a person can make it theirs; not what has ended, by the trail, or is unreadable
    """

    operation: Operation | Unreadable
    reason: str
    is_adoptable: bool = True

    @property
    def said(self) -> str:
        """The sentence."""
        cure = "adopt FOLDER" if self.is_adoptable else "fsck FOLDER --rebuild"
        its = self.operation
        what = (
            f"{its.kind} {its.id:.8} of {its.source or 'a lost name'} is {its.state} and left alone"
        )
        return f"{what}, since {self.reason}: `cropkit {cure}`"

    def is_of_the_dead(self, folder: Path) -> bool:
        """Whether nobody is at work on it; whoever is writes all of its row anew at the end."""
        owner = self.operation.owner
        return not owner or is_free(folder / OWNERS / owner)


def all_of(db: Connection, key: Key) -> list[Unvouched]:
    """Return them, oldest first, whoever is at work on them."""
    mine = vouching.voucher(db, key)
    each = (_checked(db, opened, row, mine) for opened, row in unsettled.opened(db))
    return [*(unvouched for unvouched in each if unvouched is not None), *unreadable(db)]


def unreadable(db: Connection) -> list[Unvouched]:
    """Return those that cannot be read, whoever is at work on them."""
    return [
        Unvouched(each, f"it cannot be read ({each.reason})", is_adoptable=False)
        for each in unsettled.unreadable(db)
    ]


def vouched(db: Connection, key: Key) -> list[Operation]:
    """Return the open operations that may be acted upon, oldest first."""
    mine = vouching.voucher(db, key)
    every = unsettled.opened(db)
    return [opened for opened, row in every if _checked(db, opened, row, mine) is None]


def adoptable(db: Connection, folder: Path) -> list[Operation]:
    """Return the open ones of the dead of which the trail does not tell how they ended."""
    owners = folder / OWNERS
    dead = (each for each in unsettled.all_of(db) if is_free(owners / each.owner))
    return [each for each in dead if not _has_ended(db, each)]


def of_the_dead(db: Connection, key: Key, folder: Path) -> list[Unvouched]:
    """Return those that nobody is at work on."""
    return [each for each in all_of(db, key) if each.is_of_the_dead(folder)]


def _checked(
    db: Connection, opened: Operation, row: Mapping[str, Any], mine: vouching.Voucher
) -> Unvouched | None:
    if _has_ended(db, opened):
        return Unvouched(opened, "the trail tells how it ended", is_adoptable=False)
    lack = mine.lack(row)
    return Unvouched(opened, lack) if lack else None


def _has_ended(db: Connection, opened: Operation) -> bool:
    """Whether the trail has an event of an operation; of a conflict, another one than that."""
    told = [row._asdict() for row in db.execute(_TOLD, {"wanted": opened.id})]
    if not told:
        return False
    last = max(told, key=lambda event: event["seq"])
    return opened.state is not OperationState.CONFLICT or not _is_of_a_conflict(last)


def _is_of_a_conflict(event: Mapping[str, Any]) -> bool:
    with rows.read(f"event {event['seq']!r}"):
        return bool(chain.body_of(event).get("outcome") == OperationState.CONFLICT)


def adopt(db: Connection, key: Key, folder: Path) -> list[str]:
    """Vouch for what somebody planned who is gone, and return which operations that are."""
    mine = vouching.voucher(db, key)
    wanted = [e.operation.id for e in of_the_dead(db, key, folder) if e.is_adoptable]
    for opened, row in unsettled.opened(db):
        if opened.id in wanted:
            db.execute(_VOUCH, {"wanted": opened.id, **mine.of(row)._asdict()})
    return wanted
