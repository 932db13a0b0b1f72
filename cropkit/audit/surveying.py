"""What is asked of a collection's database from outside: each answer by an index, none by all rows.

Two figures are counted over an index alone, without a look at its rows: what waits, and the
originals that are needed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from cropkit.audit import operations, rows, schema, sessions, unsettled
from cropkit.audit.chain import body_of
from cropkit.audit.dialects import as_bytes
from cropkit.audit.operation import Operation, check_sha256
from cropkit.audit.schema import audit, decision, operation, queue, text_or_none
from cropkit.audit.tally import SessionRow
from cropkit.errors import AuditCorrupt
from cropkit.names import unescaped
from cropkit.records import Status

T = TypeVar("T")
MEASURED = 64  # images of a batch whose sizes stand for all of it

_FIRST = select(audit.c.at).order_by(audit.c.seq).limit(1)
_LAST_CROP = select(audit.c.at).where(schema.tells_of_a_crop).order_by(audit.c.seq.desc()).limit(1)
_RECOVERIES = select(audit, schema.carried_on.label("forward")).where(schema.is_recovery)
_ACKNOWLEDGED = select(audit).where(schema.is_acknowledgement)
_WAITING = schema.stands & schema.written_in(queue.c.status, Status.WAITING)
_DOUBTED = schema.stands & schema.written_in(queue.c.status, Status.IN_DOUBT)
_LARGEST = (
    select(schema.session.c.id, schema.work_done.label("size"))
    .order_by(schema.work_done.desc())
    .limit(1)
)

_WORK = select(operation.c.seq).where(
    schema.is_work,
    operation.c.session == bindparam("wanted"),
    operation.c.seq >= bindparam("since"),
)
_NEXT_WORK = _WORK.add_columns(operation.c.before).order_by(operation.c.seq).limit(1)


class Recovered(NamedTuple):
    """An operation that recovery settled: forward, or back."""

    operation: str
    path: str
    at: str
    forward: bool


class Batch(NamedTuple):
    """Images that were, or will be, worked on at once.

    Parameters
    ----------
    size : how many they are
    some : those whose sizes stand for all of them: hashes of originals, or names
    """

    size: int = 0
    some: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """What a database tells at one moment.

    Parameters
    ----------
    unread : rows that a look needs and nothing can be made of, as sentences: all else is told
    """

    sessions: Sequence[SessionRow]
    unread: Sequence[str]
    began_at: str | None
    last_crop_at: str | None
    waiting: Batch
    in_doubt: Sequence[tuple[str, str | None]]
    unsettled: Sequence[Operation]
    recovered: Sequence[Recovered]
    acknowledged: frozenset[str]
    originals: int
    largest: Batch


def survey(db: Connection) -> Survey:
    """Ask all that a look needs but names of images."""
    watched, unread = sessions.watched(db)
    acknowledged, of_acknowledgements = _acknowledged(db)
    recovered, of_recoveries = _recovered(db)
    largest, of_the_largest = _largest(db)
    return Survey(
        sessions=watched,
        unread=[*unread, *of_acknowledgements, *of_recoveries, *of_the_largest],
        began_at=db.execute(_FIRST).scalar_one_or_none(),
        last_crop_at=db.execute(_LAST_CROP).scalar_one_or_none(),
        waiting=_waiting(db),
        in_doubt=_in_doubt(db),
        unsettled=unsettled.all_of(db),
        recovered=recovered,
        acknowledged=acknowledged,
        originals=operations.count_originals(db),
        largest=largest,
    )


def known_names(db: Connection) -> Iterator[str]:
    """Yield the names that a decision stands for, and those that operations gave."""
    for query in (
        select(as_bytes(queue.c.path)).where(schema.stands),
        select(as_bytes(operation.c.target)).where(schema.is_done),
    ):
        yield from rows.names(db.execute(query).scalars())


def _waiting(db: Connection) -> Batch:
    number = db.execute(select(func.count()).select_from(queue).where(_WAITING)).scalar_one()
    # ids are random, so that the first ones are any
    path = as_bytes(queue.c.path)
    some = select(path).where(schema.waits).order_by(queue.c.decision).limit(MEASURED)
    return Batch(number, tuple(rows.names(db.execute(some).scalars())))


def _in_doubt(db: Connection) -> list[tuple[str, str | None]]:
    query = select(decision.c.path, queue.c.message).join(queue).where(_DOUBTED)
    query = query.order_by(decision.c.seq)
    return rows.each(db, query, decision.c.seq, lambda row: (row.path, row.message))[0]


def _recovered(db: Connection) -> tuple[list[Recovered], list[str]]:
    """Return what recovery settled, and say of each event of it that cannot be read why."""
    return _of_events(db, _RECOVERIES, _settled)


def _settled(row: Row[Any]) -> Recovered:
    operation_id, path, at = (text_or_none(cell) for cell in (row.operation, row.path, row.at))
    return Recovered(operation_id or "", unescaped(path or ""), at or "", bool(row.forward))


def _acknowledged(db: Connection) -> tuple[frozenset[str], list[str]]:
    """Return what was acknowledged; an event that cannot be read acknowledges nothing."""
    keys, unread = _of_events(db, _ACKNOWLEDGED, _keys)
    return frozenset(key for some in keys for key in some), unread


def _of_events(
    db: Connection, query: Select[Any], make: Callable[[Row[Any]], T]
) -> tuple[list[T], list[str]]:
    records, unread = rows.each(db, query.order_by(audit.c.seq), audit.c.seq, make)
    return records, [f"event {number} cannot be read: {reason}" for number, reason in unread]


def _keys(row: Row[Any]) -> list[str]:
    keys = body_of(row._asdict()).get("alerts", ())
    if not (isinstance(keys, list | tuple) and all(isinstance(key, str) for key in keys)):
        raise TypeError("no names of alerts")
    return list(keys)


def _largest(db: Connection) -> tuple[Batch, list[str]]:
    """Return the largest session by what it counted, with originals from all of its length.

    Of one that cannot be read it is said why.
    """
    try:
        with rows.read("the session that did most"):
            row = db.execute(_LARGEST).one_or_none()
            if row is None or not row.size:
                return Batch(), []
            return Batch(int(row.size), tuple(_of_session(db, row.id))), []
    except AuditCorrupt as error:
        return Batch(), [str(error)]


def _of_session(db: Connection, wanted: str) -> list[str]:
    """Return what some of a session's images were before, evenly from all of its operations."""
    first, last = (
        db.execute(_WORK.order_by(order).limit(1), {"wanted": wanted, "since": 0}).scalar()
        for order in (operation.c.seq, operation.c.seq.desc())
    )
    if first is None:
        return []
    since = dict.fromkeys(first + (last - first) * n // MEASURED for n in range(MEASURED + 1))
    some = {}
    for number in since:
        row = db.execute(_NEXT_WORK, {"wanted": wanted, "since": number}).one()
        some[row.seq] = row.before
        check_sha256(row.before)
    return list(some.values())
