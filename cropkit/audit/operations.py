"""The states of operations, and who has claimed which file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    union,
    update,
)

from cropkit.audit import decisions, rows
from cropkit.audit.dialects import HasOtherThanHex, KindOf, as_bytes
from cropkit.audit.operation import (
    REACHED_FROM,
    Companion,
    Operation,
    OperationKind,
    OperationState,
)
from cropkit.audit.schema import (
    can_be_redone,
    can_be_undone,
    claim,
    is_not_done,
    needs_original,
    operation,
    text_or_none,
    written_in,
)
from cropkit.audit.vouching import NOBODYS, Voucher
from cropkit.errors import AuditCorrupt
from cropkit.geometry import PixelBox
from cropkit.names import read_json, unescaped, write_json
from cropkit.records import Status
from cropkit.system.attributes import Attributes
from cropkit.system.home import ORIGINALS

# built once: SQLAlchemy's statements cost more to build than SQLite takes to run them
_CHANGE = {
    state: update(operation).where(
        (operation.c.id == bindparam("wanted")) & operation.c.state.in_(before)
    )
    for state, before in REACHED_FROM.items()
}
_LET_GO = delete(claim).where(claim.c.operation == bindparam("wanted"))
_PLAN, _CLAIM = insert(operation), insert(claim)
_ONE = select(operation).where(operation.c.id == bindparam("wanted"))
_CLAIMED = select(claim.c.name).where(claim.c.name.in_(bindparam("names", expanding=True))).limit(1)
_sorted = json.JSONEncoder(sort_keys=True).encode
_OUTCOMES = {
    OperationKind.CROP: Status.CROPPED,
    OperationKind.COPY: Status.CROPPED,
    OperationKind.REJECT: Status.REJECTED,
}
_CELLS = ("id", "kind", "source", "target")
_other = operation.alias("other")
_NEWEST = operation.c.seq.desc()
_SHA256 = 64  # hexadecimal digits
_MANY = 1000  # of all that are read, one after the other
_SOME = 50  # operations that are read at a time: most ask for one


class Unreadable(NamedTuple):
    """A finished operation of which no record can be made; '' for what cannot be read.

    Parameters
    ----------
    image : the name that a person knows it by
    """

    id: str
    image: str


Done = Operation | Unreadable


class ClaimOutcome(StrEnum):
    """What came of claiming the names of an operation."""

    MINE = "mine"
    ALREADY = "already"  # its decision is not waiting any more
    RIVAL = "rival"  # somebody else works on one of the names


def is_free(db: Connection, planned: Operation, aliases: Sequence[str]) -> bool:
    """Whether nobody has claimed any of the names that an operation needs.

    Ask in the transaction that claims; the table's primary key holds, whoever forgets to.
    """
    names = [*planned.names, *aliases]
    return db.execute(_CLAIMED, {"names": names}).first() is None


def plan(
    db: Connection, planned: Operation, aliases: Sequence[str], at: str, voucher: Voucher
) -> None:
    """Write an operation, vouch for it, and claim its names and aliases."""
    row = to_row(planned)
    db.execute(_PLAN, row | voucher.of(row)._asdict() | {"planned_at": at})
    names = dict.fromkeys((*planned.names, *aliases))
    db.execute(_CLAIM, [{"name": n, "operation": planned.id} for n in names])


def move(db: Connection, changed: Operation, state: OperationState, voucher: Voucher) -> None:
    """Write what has become known of an operation, and its new state, and vouch for it.

    Raises
    ------
    AuditCorrupt
        It has ended, or is where that state cannot be reached from; nothing was written.
    """
    row = to_row(replace(changed, state=state))
    _change(db, changed, state, row | voucher.of(row)._asdict())


def settle(
    db: Connection,
    changed: Operation,
    state: OperationState,
    at: str,
    voucher: Voucher | None = None,
) -> None:
    """End an operation and give its claims back; a conflict keeps them.

    One that was never planned has no row, and none is made.

    Parameters
    ----------
    voucher : who vouches for a conflict; of what has ended the trail tells

    Raises
    ------
    AuditCorrupt
        As in `move`.
    """
    row = to_row(replace(changed, state=state))
    is_open = state is OperationState.CONFLICT
    vouched = voucher.of(row) if voucher and is_open else NOBODYS
    _change(db, changed, state, row | vouched._asdict() | {"settled_at": at})
    if state is not OperationState.CONFLICT:
        db.execute(_LET_GO, {"wanted": changed.id})
    if state is OperationState.DONE and changed.undoes:
        _mark_undone(db, changed.undoes, changed.id)


def record_done(db: Connection, done: Sequence[tuple[Operation, str]]) -> None:
    """Write operations as they ended: what the trail tells, played again, claims nothing."""
    rows = [
        to_row(replace(each, state=OperationState.DONE)) | {"planned_at": at, "settled_at": at}
        for each, at in done
    ]
    db.execute(_PLAN, rows)
    for each, _ in done:
        if each.undoes:
            _mark_undone(db, each.undoes, each.id)


def _change(db: Connection, changed: Operation, state: OperationState, row: dict[str, Any]) -> None:
    if db.execute(_CHANGE[state], row | {"wanted": changed.id}).rowcount:
        return
    now = state_of(db, changed.id)
    if now is not None:
        reason = f"operation {changed.id} is {now} and cannot become {state}"
        raise AuditCorrupt(changed.source, reason)


def settle_decision(db: Connection, done: Operation, at: str) -> None:
    """Tell a decision what became of it."""
    settle_decisions(db, [(done, at)])


def settle_decisions(db: Connection, done: Sequence[tuple[Operation, str]]) -> None:
    """Tell decisions what became of them.

    Taking back a restore makes the operation stand again that it had undone.
    """
    settled = [_settled(db, each, each.decision, at) for each, at in done if each.decision]
    if settled:
        decisions.settle_all(db, settled)


def _settled(db: Connection, done: Operation, decision: str, at: str) -> dict[str, Any]:
    standing = redone(db, done) or done
    status = _OUTCOMES.get(standing.kind, Status.RESTORED)
    return decisions.settled(decision, status, at, operation=standing.id)


def image_of(db: Connection, wanted: Operation) -> str:
    """Return the name that a person knows an image by: what is undone may have had another one.

    Rows may be anybody's: the way back ends where there is none, where one cannot be read, and
    where it has been before.
    """
    undone, seen = wanted, {wanted.id}
    while undone.undoes and undone.undoes not in seen:
        seen.add(undone.undoes)
        earlier = _readable(db, undone.undoes)
        if earlier is None:
            break
        undone = earlier
    return undone.image


def _readable(db: Connection, wanted: str) -> Operation | None:
    try:
        row = db.execute(_ONE, {"wanted": wanted}).one_or_none()
        return None if row is None else _operation(row)
    except AuditCorrupt:
        return None


def by_id(db: Connection, wanted: str) -> Done | None:
    """Return an operation; None: there is none."""
    query = select(operation).where(operation.c.id == wanted)
    return next(iter(_done(db, query)), None)


def one(db: Connection, wanted: str) -> Operation:
    """Return an operation by id.

    Raises
    ------
    AuditCorrupt
        Its row cannot be read.
    """
    return _operation(db.execute(_ONE, {"wanted": wanted}).one())


def state_of(db: Connection, wanted: str) -> OperationState | None:
    """Return how far an operation has come; None for one that is not known."""
    query = select(operation.c.state).where(operation.c.id == wanted)
    state = db.execute(query).scalar_one_or_none()
    return None if state is None else OperationState(state)


def reinstate(db: Connection, wanted: Operation) -> None:
    """Call an operation done again that the trail calls done."""
    row = {"state": OperationState.DONE}
    db.execute(update(operation).where(operation.c.id == wanted.id).values(row))


def record_taken_back(db: Connection, wanted: Operation, at: str) -> None:
    """Call an operation aborted, and let stand again what it had undone."""
    db.execute(
        update(operation)
        .where(operation.c.id == wanted.id)
        .values({"state": OperationState.ABORTED})
    )
    if wanted.undoes:
        db.execute(
            update(operation)
            .where((operation.c.id == wanted.undoes) & (operation.c.undone_by == wanted.id))
            .values(undone_by=None)
        )
        undone = _readable(db, wanted.undoes)
        if wanted.decision and undone is not None and undone.kind in _OUTCOMES:
            stands = _OUTCOMES[undone.kind]
            decisions.settle(db, wanted.decision, stands, at, operation=undone.id)


def finished(db: Connection) -> list[Operation]:
    """Return every finished operation that can be read, oldest first; `fsck` names the others."""
    query = select(operation).where(operation.c.state == OperationState.DONE)
    return rows.each(db, query.order_by(operation.c.seq), operation.c.seq, _operation)[0]


def needing(db: Connection, sha256: str) -> list[Operation]:
    """Return the finished operations that began with some content, and can be read."""
    query = select(operation).where(needs_original, operation.c.before == sha256)
    return rows.each(db, query.order_by(operation.c.seq), operation.c.seq, _operation)[0]


def some_finished(db: Connection, after: int | None) -> list[tuple[int, Operation]]:
    """Return some of those, with their places in the order; none at the end alone."""
    done = select(operation).where(operation.c.state == OperationState.DONE)
    done = done.order_by(operation.c.seq).limit(_MANY)
    while True:
        query = done.where(operation.c.seq > (after or 0))
        numbered, unreadable = rows.each(db, query, operation.c.seq, _numbered)
        if numbered or not unreadable:
            return numbered
        after = unreadable[-1][0]


def _numbered(row: Row[Any]) -> tuple[int, Operation]:
    return row.seq, _operation(row)


def undoable(db: Connection) -> list[Done]:
    """Return the finished crops and rejects that can be taken back, oldest first."""
    return _done(db, select(operation).where(can_be_undone).order_by(operation.c.seq))


def undoable_of(db: Connection, image: str) -> list[Done]:
    """Return those of one image, known by its name before or after, newest first."""
    return _of_image(db, can_be_undone, image)


def undoable_by_id(db: Connection, beginning: str) -> list[Done]:
    """Return those whose id begins with some text, oldest first."""
    end = beginning + "g"  # what comes after all digits of an id
    query = select(operation).where(can_be_undone & operation.c.id.between(beginning, end))
    return _done(db, query.order_by(operation.c.seq))


def newest_undoable(db: Connection, before: int | None) -> list[tuple[int, Done]]:
    """Return some of those that can be taken back, newest first, with their places in the order."""
    return _some_before(db, can_be_undone, before)


def redoable_of(db: Connection, image: str) -> list[Done]:
    """Return the restores of an image that can be taken back in their turn, newest first.

    A copy that was undone has another name, before and after, than its image.
    """
    undone_by = select(_other.c.undone_by).where(_other.c.source == image)
    return _of_image(db, _restores_of_crops(), image, operation.c.id.in_(undone_by))


def newest_redoable(db: Connection, before: int | None) -> list[tuple[int, Done]]:
    """Return some of all such restores, newest first, with their places in the order."""
    return _some_before(db, _restores_of_crops(), before)


@cache
def _restores_of_crops() -> ColumnElement[bool]:
    undone = select(_other.c.kind).where(_other.c.id == operation.c.undoes).scalar_subquery()
    # what brought a kept original back had no crop to keep
    is_copy = operation.c.source.like(f"{ORIGINALS}/%")
    return can_be_redone & (undone != OperationKind.RESTORE) & ~is_copy


def _of_image(
    db: Connection, condition: ColumnElement[bool], image: str, *others: ColumnElement[bool]
) -> list[Done]:
    has_name = or_(operation.c.source == image, operation.c.target == image, *others)
    return _done(db, select(operation).where(condition & has_name).order_by(_NEWEST))


def _some_before(
    db: Connection, condition: ColumnElement[bool], before: int | None
) -> list[tuple[int, Done]]:
    query = select(operation).where(condition).order_by(_NEWEST).limit(_SOME)
    if before is not None:
        query = query.where(operation.c.seq < before)
    return _numbered_done(db, query)


def _done(db: Connection, query: Select[Any]) -> list[Done]:
    return [each for _, each in _numbered_done(db, query)]


def _numbered_done(db: Connection, query: Select[Any]) -> list[tuple[int, Done]]:
    """Make records of rows in their order, each with its number; one that is none says so."""
    every = rows.in_order(db, query, operation.c.seq, _numbered)
    return [_lost(db, each.number) if isinstance(each, rows.Unread) else each for each in every]


def _lost(db: Connection, seq: int) -> tuple[int, Unreadable]:
    its_id, kind, source, target = rows.texts(db, operation.name, _CELLS, seq)
    is_back = kind == OperationKind.RESTORE and source.startswith(f"{ORIGINALS}/")
    return seq, Unreadable(its_id, unescaped(target if is_back else source))


def redone(db: Connection, restore: Operation) -> Operation | None:
    """Return the operation that taking back a restore brings to stand again, if it is one."""
    undone = one(db, restore.undoes) if restore.undoes else None
    if undone is None or undone.kind is not OperationKind.RESTORE or undone.undoes is None:
        return None
    return one(db, undone.undoes)


def later_on(db: Connection, earlier: Operation) -> Done | None:
    """Return the first standing operation that began where `earlier` ended.

    A copy that was made of what was before stands on nothing of it.
    """
    seq = select(operation.c.seq).where(operation.c.id == earlier.id).scalar_subquery()
    query = (
        select(operation)
        .where(operation.c.seq > seq, operation.c.source == earlier.target)
        .where(
            (operation.c.kind != OperationKind.COPY) | (operation.c.before == earlier.sha256_after)
        )
        .where(can_be_undone)
        .order_by(operation.c.seq)
    )
    return next(iter(_done(db, query.limit(1))), None)


def claimed_for_nothing(db: Connection) -> list[str]:
    """Return the names that are claimed for no open operation: nobody will give them back."""
    return list(rows.names(db.execute(_claimed_for_nothing()).scalars()))


@cache
def _claimed_for_nothing() -> Select[Any]:
    mine = select(operation.c.seq).where(operation.c.id == claim.c.operation)
    is_open = mine.where(is_not_done, operation.c.state != OperationState.ABORTED).exists()
    return select(as_bytes(claim.c.name)).where(~is_open)


def originals(db: Connection) -> dict[str, str]:
    """Return the kept originals that finished operations need: SHA-256 -> when last needed.

    What is no SHA-256 is left out: see `needs_unknown`.
    """
    return {str(sha256): str(moment) for sha256, moment in db.execute(_originals())}


@cache
def _originals() -> Select[Any]:
    query = select(operation.c.before, func.max(operation.c.settled_at))
    query = query.where(_needs_original(), _is_sha256(operation.c.before))
    return query.group_by(operation.c.before)


def needs_unknown(db: Connection) -> bool:
    """Whether a finished operation needs an original of which nobody can tell which it is."""
    return db.execute(_needs_unknown()).first() is not None


@cache
def _needs_unknown() -> Select[Any]:
    unknown = select(operation.c.seq).where(needs_original, ~_is_sha256(operation.c.before))
    return unknown.limit(1)


def _is_sha256(cell: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a cell holds a SHA-256 as we write it; it may hold what cannot even be fetched."""
    size = func.length(as_bytes(cell))  # a text is only measured up to a NUL
    sizes = (func.length(cell) == _SHA256, size == _SHA256)
    return and_(KindOf(cell) == "text", *sizes, HasOtherThanHex(cell) == 0)


def count_originals(db: Connection) -> int:
    """Return how many kept originals finished operations need."""
    ever = db.execute(select(func.count(operation.c.before.distinct())).where(needs_original))
    return int(ever.scalar_one()) - _count_purged(db)


def _count_purged(db: Connection) -> int:
    """Return how many originals were purged and not needed again since."""
    last = func.max(_other.c.seq).label("last")
    purges = select(_other.c.before, last).where(_is_done_purge()).group_by(_other.c.before)
    purged = purges.subquery()
    needed = select(operation.c.seq).where(needs_original, operation.c.before == purged.c.before)
    again = needed.where(operation.c.seq > purged.c.last)
    query = select(func.count()).select_from(purged).where(needed.exists(), ~again.exists())
    return int(db.execute(query).scalar_one())


def originals_between(db: Connection, low: str, high: str) -> list[str]:
    """Return the kept originals that are needed whose hashes lie from one text to another."""
    between = (operation.c.before >= low) & (operation.c.before < high)
    query = select(operation.c.before).where(between, _needs_original())
    query = query.where(_is_sha256(operation.c.before))
    return list(db.execute(query.distinct().order_by(operation.c.before)).scalars())


def needed_since(db: Connection, sha256: str) -> str | None:
    """Return when an original was last needed; None when no operation needs it."""
    query = select(func.max(operation.c.settled_at)).where(_needs_original())
    moment = db.execute(query.where(operation.c.before == sha256)).scalar_one()
    return None if moment is None else str(moment)


def _needs_original() -> ColumnElement[bool]:
    """Whether an operation changed content, and nobody has purged what was before it since."""
    purged = _last_purge(operation.c.before)
    return needs_original & (operation.c.seq > func.coalesce(purged, 0))


def _last_purge(before: ColumnElement[str]) -> ColumnElement[int | None]:
    return (
        select(func.max(_other.c.seq))
        .where(_is_done_purge(), _other.c.before == before)
        .scalar_subquery()
    )


def was_purged(db: Connection, sha256: str) -> bool:
    """Whether an original was ever removed on purpose."""
    purges = select(_other.c.seq).where(_is_done_purge(), _other.c.before == sha256)
    return db.execute(purges.limit(1)).first() is not None


def _is_done_purge() -> ColumnElement[bool]:
    is_purge = written_in(_other.c.kind, OperationKind.PURGE)
    return is_purge & (_other.c.state == OperationState.DONE)


def knows(db: Connection, name: str) -> bool:
    """Whether an operation was about a name."""
    begun = select(operation.c.id).where(operation.c.source == name).limit(1)
    ended = select(operation.c.id).where(operation.c.target == name).limit(1)
    return any(db.execute(query).first() is not None for query in (begun, ended))


def names_of(db: Connection, sha256: str) -> list[str]:
    """Return the names that operations gave to, or found with, some content."""
    source, target = as_bytes(operation.c.source), as_bytes(operation.c.target)
    written = select(target).where(operation.c.after == sha256)
    replaced = select(source).where(operation.c.before == sha256)
    return list(rows.names(db.execute(union(written, replaced)).scalars()))


def is_crop(db: Connection, sha256: str, path: str) -> bool:
    """Whether what an image holds is the outcome of a crop that stands, its own or another's.

    A crop to the whole image may leave the bytes as they were: no other image is a crop by that.
    """
    query = select(operation.c.id).where(
        operation.c.after == sha256,
        (operation.c.before != sha256) | (operation.c.target == path),
        operation.c.kind == OperationKind.CROP,
        operation.c.state == OperationState.DONE,
        operation.c.undone_by.is_(None),
    )
    return db.execute(query.limit(1)).first() is not None


def _mark_undone(db: Connection, undone: str, by: str) -> None:
    """Mark an operation; when it is a restore, what that had undone stands again."""
    first = one(db, undone)
    db.execute(update(operation).where(operation.c.id == undone).values(undone_by=by))
    if first.kind is OperationKind.RESTORE and first.undoes:
        again = update(operation).where(operation.c.id == first.undoes)
        db.execute(again.values(undone_by=None))


_EXCHANGED = ("aside", "replaces")


def to_row(of: Operation) -> dict[str, Any]:
    """Return the columns of an operation."""
    planned = {
        "box": of.box.xyxy if of.box else None,
        "companions": [_of_companion(c) for c in of.companions],
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
        "before": of.sha256_before,
        "after": of.sha256_after,
        "plan": write_json(planned, _sorted),
    }


def _operation(row: Row[Any]) -> Operation:
    return from_row(row._asdict())


def from_row(row: Mapping[str, Any]) -> Operation:
    """Read what `to_row` wrote.

    Raises
    ------
    AuditCorrupt
        Nobody of ours wrote it.
    """
    with rows.read(f"operation {row.get('id')!r}"):
        return _read(row)


def _checked(attributes: dict[str, Any] | None) -> dict[str, Any] | None:
    return attributes and Attributes.from_json(attributes).to_json()


def _of_companion(companion: Companion) -> dict[str, Any]:
    """Return what is written of a companion; a plain one as it always was, so that rows agree."""
    written = asdict(companion)
    return {name: value for name, value in written.items() if value or name not in _EXCHANGED}


def _companion(planned: Mapping[str, Any]) -> Companion:
    companion = Companion(**planned)
    texts = (companion.source, companion.target, companion.sha256)
    for text in (*texts, companion.aside, companion.replaces):
        if not isinstance(text, str):
            raise TypeError(f"{text!r:.40} is no text")
    return companion


def _read(row: Mapping[str, Any]) -> Operation:
    planned = read_json(row["plan"])
    plain = ("id", "owner", "session", "decision", "undoes", "source", "target")
    texts: dict[str, Any] = {name: text_or_none(row[name]) for name in plain}
    return Operation(
        **texts,
        kind=OperationKind(row["kind"]),
        state=OperationState(row["state"]),
        sha256_before=text_or_none(row["before"]),
        sha256_after=text_or_none(row["after"]),
        box=PixelBox(*planned["box"]) if planned["box"] else None,
        companions=tuple(_companion(c) for c in planned["companions"]),
        attributes=_checked(planned["attributes"]),
        report=dict(planned["report"]),
    )
