"""The states of operations, and who has claimed which file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from cropkit.audit.schema import claim, operation
from cropkit.geometry import PixelBox
from cropkit.operation import OPEN_STATES, Companion, Kind, Operation, State


def plan(db: Connection, planned: Operation, aliases: Sequence[str], at: str) -> None:
    """Write an operation and claim its names and aliases.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        When a rival has claimed one of them.
    """
    db.execute(insert(operation).values(_row(planned) | {"planned_at": at}))
    names = dict.fromkeys((*planned.names, *aliases))
    db.execute(insert(claim), [{"name": n, "operation": planned.id} for n in names])


def move(db: Connection, changed: Operation, state: State) -> None:
    """Write what has become known of an operation, and its new state."""
    row = _row(replace(changed, state=state))
    db.execute(update(operation).where(operation.c.id == changed.id).values(row))


def settle(db: Connection, changed: Operation, state: State, at: str) -> None:
    """End an operation and give its claims back; a conflict keeps them."""
    move(db, changed, state)
    settled = update(operation).where(operation.c.id == changed.id)
    db.execute(settled.values(settled_at=at))
    if state is not State.CONFLICT:
        db.execute(delete(claim).where(claim.c.operation == changed.id))
    if state is State.DONE and changed.undoes:
        undone = update(operation).where(operation.c.id == changed.undoes)
        db.execute(undone.values(undone_by=changed.id))


def one(db: Connection, wanted: str) -> Operation:
    """Return an operation by id."""
    return _operation(db.execute(select(operation).where(operation.c.id == wanted)).one())


def unsettled(db: Connection) -> list[Operation]:
    """Return the operations that recovery has to look at, oldest first."""
    return _operations(db, operation.c.state.in_(OPEN_STATES))


def finished(db: Connection) -> list[Operation]:
    """Return every finished operation, oldest first."""
    return _operations(db, operation.c.state == State.DONE)


def undoable(db: Connection) -> list[Operation]:
    """Return the finished operations that can be taken back, oldest first."""
    return _operations(
        db,
        (operation.c.state == State.DONE)
        & operation.c.undone_by.is_(None)
        & (operation.c.kind != Kind.RESTORE),
    )


def later_on(db: Connection, earlier: Operation) -> Operation | None:
    """Return the first standing operation that began where `earlier` ended."""
    seq = select(operation.c.seq).where(operation.c.id == earlier.id).scalar_subquery()
    query = (
        select(operation)
        .where(operation.c.seq > seq, operation.c.source == earlier.target)
        .where(operation.c.state == State.DONE, operation.c.undone_by.is_(None))
        .where(operation.c.kind != Kind.RESTORE)
        .order_by(operation.c.seq)
    )
    row = db.execute(query.limit(1)).one_or_none()
    return _operation(row) if row else None


def is_crop(db: Connection, sha256: str) -> bool:
    """Whether some content is the outcome of a crop that stands."""
    query = select(operation.c.id).where(
        operation.c.after == sha256,
        operation.c.kind == Kind.CROP,
        operation.c.state == State.DONE,
        operation.c.undone_by.is_(None),
    )
    return db.execute(query.limit(1)).first() is not None


def _operations(db: Connection, condition: Any) -> list[Operation]:  # noqa: ANN401  (a clause)
    query = select(operation).where(condition).order_by(operation.c.seq)
    return [_operation(row) for row in db.execute(query)]


def _row(of: Operation) -> dict[str, Any]:
    planned = {
        "box": of.box.xyxy if of.box else None,
        "companions": [asdict(c) for c in of.companions],
        "attributes": of.attributes,
        "report": of.report,
    }
    return {
        "id": of.id,
        "kind": of.kind.value,
        "state": of.state.value,
        "owner": of.owner,
        "session": of.session,
        "decision": of.decision,
        "undoes": of.undoes,
        "source": of.source,
        "target": of.target,
        "before": of.before,
        "after": of.after,
        "plan": json.dumps(planned, sort_keys=True),
    }


def _operation(row: Row[Any]) -> Operation:
    planned = json.loads(row.plan)
    return Operation(
        id=row.id,
        kind=Kind(row.kind),
        state=State(row.state),
        owner=row.owner,
        session=row.session,
        decision=row.decision,
        undoes=row.undoes,
        source=row.source,
        target=row.target,
        before=row.before,
        after=row.after,
        box=PixelBox(*planned["box"]) if planned["box"] else None,
        companions=tuple(Companion(**c) for c in planned["companions"]),
        attributes=planned["attributes"],
        report=planned["report"],
    )
