"""Open operations, each row of them read by itself: one that is none of ours stops no other.

A row may be an enemy's, or a disk's. What no `Operation` can be made of is `Unreadable`: nobody
acts upon it, and what it may need is kept, until the tables are made anew from the trail.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Executable,
    bindparam,
    exists,
    select,
    union_all,
)

from cropkit.audit import operations, rows
from cropkit.audit.operation import (
    ID,
    OPEN_STATES,
    TAKEN_BACK,
    Operation,
    OperationKind,
    OperationState,
)
from cropkit.audit.schema import audit, is_no_outcome, is_not_done, is_outcome, operation
from cropkit.names import unescaped

_state = operation.c.state
_has_event = exists().where(audit.c.operation == operation.c.id)


def _open(*which: ColumnElement[bool]) -> CompoundSelect[Any]:
    """Ask for the numbers of the open ones; a state that there is not counts as open."""
    # in two halves: each is asked of the index over what is not done
    sides = (_state < OperationState.ABORTED, _state > OperationState.ABORTED)
    halves = (select(operation.c.seq).where(is_not_done, side, *which) for side in sides)
    return union_all(*halves)


_OPEN = _open()
_OF_DECISION = _open(operation.c.decision == bindparam("wanted"))
# None of this version's making: an interrupt after the commit could lead to them.
_TAKEN_BACK = (
    select(operation.c.seq)
    .where(is_not_done, _state == OperationState.ABORTED)
    .where(_has_event.where(is_outcome))
    .where(~_has_event.where(is_no_outcome, audit.c.event == TAKEN_BACK))
)
_ONE = select(operation).where(operation.c.seq == bindparam("wanted"))
_CELLS = ("id", "kind", "state", "owner", "source")

Numbered = tuple[Operation, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An operation that no record can be made of, with what can be read of its row.

    Parameters
    ----------
    source : the image, relative to the collection; '' where its name is none
    owner : '' where it can be nobody
    reason : why it cannot be read
    """

    id: str
    kind: str
    state: str
    owner: str
    source: str
    reason: str


def opened(db: Connection) -> list[Numbered]:
    """Return the operations that recovery has to look at, oldest first, each with its row."""
    return [each for each in _read(db, _OPEN) if not isinstance(each, Unreadable)]


def all_of(db: Connection) -> list[Operation]:
    """Return the same without their rows."""
    return [each for each, _ in opened(db)]


def taken_back(db: Connection) -> list[Operation]:
    """Return the operations with an outcome in the trail that are not done, oldest first."""
    every = _read(db, _TAKEN_BACK)
    return [each[0] for each in every if not isinstance(each, Unreadable)]


def unreadable(db: Connection) -> list[Unreadable]:
    """Return those of both that cannot be read."""
    every = (each for query in (_OPEN, _TAKEN_BACK) for each in _read(db, query))
    return [each for each in every if isinstance(each, Unreadable)]


def has_one(db: Connection, decision: str) -> bool:
    """Whether a decision is being carried out, by an operation that can be read or not."""
    return db.execute(_OF_DECISION, {"wanted": decision}).first() is not None


def _read(db: Connection, numbers: Executable) -> Iterator[Numbered | Unreadable]:
    def numbered(seq: int) -> Numbered:
        row = db.execute(_ONE, {"wanted": seq}).one()._asdict()
        return operations.from_row(row), row

    for each in rows.one_by_one(sorted(db.execute(numbers).scalars()), numbered):
        yield _unreadable(db, *each) if isinstance(each, rows.Unread) else each


def _unreadable(db: Connection, seq: int, reason: str) -> Unreadable:
    name, kind, state, owner, source = rows.texts(db, operation.name, _CELLS, seq)
    return Unreadable(
        id=name or "without an id",
        kind=kind if kind in set(OperationKind) else "operation",
        state=state if state in OPEN_STATES else "open",
        owner=owner if ID.fullmatch(owner) else "",
        source=unescaped(source),
        reason=reason,
    )
