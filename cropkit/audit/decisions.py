"""What reviewers decided and what became of it."""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Update,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    select,
    update,
)

from cropkit import clock
from cropkit.audit import rows, schema
from cropkit.audit.dialects import as_bytes
from cropkit.audit.operation import OperationKind
from cropkit.audit.schema import decision, operation, queue, text_or_none
from cropkit.geometry import NO_TURN, NormalizedBox, PixelBox, Size, Turn
from cropkit.names import unescaped
from cropkit.records import Decision, Note, Status, Suggestion, Verdict

# A decision that no longer stands: taken back, or replaced by a newer one.
_GONE = (Status.RESTORED, Status.SUPERSEDED)

_NAMED_AT_ONCE = 1_000

_EDGES = ("left", "top", "right", "bottom")

_SUPERSEDE = update(queue).where(
    queue.c.path == bindparam("superseded"),
    queue.c.slot == bindparam("of_slot"),
    queue.c.status == Status.WAITING,
)


def _letting_stand(path: ColumnElement[str], slot: ColumnElement[str]) -> Update:
    """Mark the latest decision of a slot that nobody took back, and no other one of it."""
    each = queue.alias()
    latest = (
        select(each.c.decision)
        .join(decision, decision.c.id == each.c.decision)
        .where(each.c.path == path, each.c.slot == slot, *(each.c.status != gone for gone in _GONE))
        .order_by(decision.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    marked = case((queue.c.decision == latest, 1))
    of_slot = (queue.c.path == path, queue.c.slot == slot)
    return update(queue).where(*of_slot).values(stands=marked)


def _of_its_row(column: str, wanted: BindParameter[str]) -> ColumnElement[str]:
    each = queue.alias()
    return select(each.c[column]).where(each.c.decision == wanted).scalar_subquery()


_LET_STAND = _letting_stand(
    bindparam("image", type_=queue.c.path.type), bindparam("of_slot", type_=queue.c.slot.type)
)
_LET_STAND_AGAIN = _letting_stand(
    _of_its_row("path", bindparam("settled")), _of_its_row("slot", bindparam("settled"))
)
# What a `Standing` holds: all of a decision are forty columns, for each of a hundred thousand.
_KEPT_WHOLE = and_(
    decision.c.verdict == literal(Verdict.ADJUSTED.value),
    decision.c.suggestion_source.is_(None),
    decision.c.box_left == literal(0),
    decision.c.box_top == literal(0),
    decision.c.box_right == decision.c.width,
    decision.c.box_bottom == decision.c.height,
    decision.c.turn.is_(None),
)
_VERDICT = case((_KEPT_WHOLE, literal(Verdict.KEPT_WHOLE.value)), else_=decision.c.verdict).label(
    "verdict"
)
_OF_STANDING = (
    *(decision.c[name] for name in ("id", "path", "slot")),
    _VERDICT,
    *(decision.c[name] for name in ("sha256", "reviewer")),
    *(decision.c[f"box_{edge}"] for edge in _EDGES),
    *(queue.c[name] for name in ("status", "operation", "code", "message")),
    *(decision.c[name] for name in ("target", "turn")),
)
_STANDING = select(*_OF_STANDING).join(queue).where(queue.c.status.not_in(_GONE))
_STANDS = (
    select(decision.c.seq)
    .join(queue)
    .where(
        decision.c.path == bindparam("image"),
        decision.c.slot == bindparam("of_slot"),
        queue.c.status.not_in(_GONE),
    )
    .limit(1)
)
_STANDING_PATHS = select(as_bytes(queue.c.path)).where(queue.c.status.not_in(_GONE))
_SLOT = (as_bytes(queue.c.path).label("path"), as_bytes(queue.c.slot).label("slot"))
_STANDING_SLOTS = select(*_SLOT).where(queue.c.status.not_in(_GONE))
_TO_UNDO = (
    select(*_SLOT, queue.c.status)
    .join(decision)
    .where(
        queue.c.status.not_in(_GONE),
        decision.c.reviewer == bindparam("whose"),
        decision.c.session != bindparam("session"),
    )
    .order_by(decision.c.seq)
)
_STANDING_IN_SLOTS = (
    select(*_SLOT).where(queue.c.status.not_in(_GONE), queue.c.slot != "").distinct()
)
# Each slot's decision in force, images by their names, so that those of one image come together.
_IN_FORCE = (
    select(decision.c.seq)
    .join(queue)
    .where(schema.stands)
    .order_by(decision.c.path, decision.c.slot, decision.c.seq)
)
_STATUS = select(queue.c.status).where(queue.c.decision == bindparam("wanted"))
_DECIDE, _QUEUE = insert(decision), insert(queue)
_NOTHING: dict[str, Any] = {
    **dict.fromkeys(column.name for column in decision.c if column.name != "seq"),
    "slot": "",
}
_OF_DECISION = [column.name for column in decision.c if column.name != "seq"]
_FOLLOWING = (
    select(
        *(decision.c[name] for name in _OF_DECISION),
        queue.c.path.label("queued path"),
        queue.c.slot.label("queued slot"),
        queue.c.stands,
    )
    .join(queue)
    .where(decision.c.id == bindparam("wanted"))
)
_SETTLE = update(queue).where(queue.c.decision == bindparam("settled"))


class Slot(NamedTuple):
    """One of the crops of an image; '' is the name of the only one."""

    path: str
    name: str


class InForce(NamedTuple):
    """The decision that stands for a slot, whole.

    Parameters
    ----------
    has_left : whether a crop that stands has replaced the content that it is about, so that the
        image has not the size any more that the box is in
    note : what a person has noted about the crop, where that was asked for, too
    """

    decision: Decision
    status: Status
    has_left: bool
    note: Note = Note()


@dataclass(frozen=True, slots=True)
class Standing:
    """The decision that stands for a slot of an image, and what became of it.

    The review has its own, `Decided`: its model may not import the database, and knows images that
    were cropped without any decision.
    """

    decision: str
    path: str
    verdict: Verdict
    status: Status
    box: PixelBox | None
    sha256: str
    reviewer: str
    operation: str | None = None
    code: str | None = None
    message: str | None = None
    slot: str = ""
    target: str | None = None
    turn: Turn = NO_TURN


def record(db: Connection, decided: Iterable[tuple[Decision, str]]) -> None:
    """Write decisions, each with its moment; older waiting ones for the same slot give way."""
    for some in _of_different_slots(decided):
        _record(db, some)


def _of_different_slots(
    decided: Iterable[tuple[Decision, str]],
) -> Iterator[dict[Slot, tuple[Decision, str]]]:
    """Cut decisions into stretches that name no slot twice: of one slot, each meets the last."""
    some: dict[Slot, tuple[Decision, str]] = {}
    for each in decided:
        slot = Slot(each[0].path, each[0].slot)
        if slot in some:
            yield some
            some = {}
        some[slot] = each
    if some:
        yield some


def _record(db: Connection, by_slot: Mapping[Slot, tuple[Decision, str]]) -> None:
    older = [
        _outcome(Status.SUPERSEDED, at) | {"superseded": path, "of_slot": name}
        for (path, name), (_, at) in by_slot.items()
    ]
    db.execute(_SUPERSEDE, older)
    rows = [_NOTHING | to_row(decided) for decided, _ in by_slot.values()]
    places = [row.pop("destination") for row in rows]
    db.execute(_DECIDE, rows)
    pairs = zip(by_slot.values(), places, strict=True)
    db.execute(_QUEUE, [_queued(*each, destination) for each, destination in pairs])
    db.execute(_LET_STAND, [{"image": path, "of_slot": name} for path, name in by_slot])


def _queued(decided: Decision, at: str, destination: str | None) -> dict[str, Any]:
    row = {"decision": decided.id, "path": decided.path, "slot": decided.slot}
    return row | {"destination": destination} | _outcome(decided.at_once, at)


def settle(
    db: Connection, decision_id: str, status: Status, at: str, **outcome: str | None
) -> None:
    """Write what became of a decision: status, operation, code and message."""
    settle_all(db, [settled(decision_id, status, at, **outcome)])


def settled(decision_id: str, status: Status, at: str, **outcome: str | None) -> dict[str, Any]:
    """Return the row that `settle_all` takes; what an earlier attempt met is over."""
    fields = {"code": None, "message": None} | outcome
    return _outcome(status, at) | fields | {"settled": decision_id}


def settle_all(db: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what became of decisions, in their order; each row has the same fields."""
    db.execute(_SETTLE, rows)
    db.execute(_LET_STAND_AGAIN, [{"settled": row["settled"]} for row in rows])


def let_stand(db: Connection) -> None:
    """Mark the decision that stands for each image, in a database that never marked any.

    That one knows no slots.
    """
    each = queue.alias()
    latest = (
        select(func.max(decision.c.seq))
        .join(each, each.c.decision == decision.c.id)
        .where(each.c.status.not_in(_GONE))
        .group_by(decision.c.path)
    )
    of_them = select(decision.c.id).where(decision.c.seq.in_(latest))
    db.execute(update(queue).where(queue.c.decision.in_(of_them)).values(stands=1))


def let_stand_again(db: Connection, decision_id: str) -> None:
    """Mark the decision that stands for the slot of one of its decisions."""
    db.execute(_LET_STAND_AGAIN, {"settled": decision_id})


class Unreadable(NamedTuple):
    """A decision that stands, of which no record can be made; '' for what cannot be read."""

    id: str
    path: str


def standing(db: Connection) -> tuple[list[Standing], list[Unreadable]]:
    """Return the decisions that stand, oldest first, and those that cannot be read."""
    query = _STANDING.order_by(decision.c.seq)
    records, unreadable = rows.each(db, query, decision.c.seq, _standing)
    return records, [_unreadable(db, seq) for seq, _ in unreadable]


def in_force(db: Connection) -> Sequence[int]:
    """Return the numbers of the decisions in force, in the order of images and slots."""
    return array("q", db.execute(_IN_FORCE).scalars())


def numbered(
    db: Connection, numbers: Sequence[int]
) -> tuple[dict[int, InForce], dict[int, Unreadable]]:
    """Return the decisions of these numbers, and those that cannot be read."""
    query = _of_numbers(numbers)
    records, unread = rows.each(db, query, decision.c.seq, _in_force)
    return dict(records), {seq: _unreadable(db, seq) for seq, _ in unread}


def _of_numbers(numbers: Sequence[int]) -> Any:  # noqa: ANN401  (Select of forty columns)
    has_left = (
        select(operation.c.id)
        .where(
            operation.c.source == decision.c.path,
            operation.c.before == decision.c.sha256,
            operation.c.after != decision.c.sha256,
            operation.c.kind == OperationKind.CROP,
            schema.in_effect,
        )
        .exists()
    )
    query = select(decision, queue.c.status, queue.c.destination, has_left.label("has_left"))
    return query.join(queue).where(decision.c.seq.in_(list(numbers)))


def _in_force(row: Row[Any]) -> tuple[int, InForce]:
    return row.seq, InForce(_decision(row), Status(row.status), bool(row.has_left))


def standing_of(db: Connection, paths: Collection[str]) -> tuple[list[Standing], list[Unreadable]]:
    """Return the same of some images: read over the index of their paths.

    They are oldest first within an image; SQLite takes no more than 32,766 values in a statement.
    """
    records: list[Standing] = []
    unreadable: list[Unreadable] = []
    wanted = sorted(paths)
    for start in range(0, len(wanted), _NAMED_AT_ONCE):
        named = queue.c.path.in_(wanted[start : start + _NAMED_AT_ONCE])
        some, unread = rows.each(
            db, _STANDING.where(named).order_by(decision.c.seq), decision.c.seq, _standing
        )
        records += some
        unreadable += [_unreadable(db, seq) for seq, _ in unread]
    return records, unreadable


def of_content(db: Connection, path: str, slot: str, sha256: str) -> list[Decision]:
    """Return what was decided about a crop of a content and not taken back, oldest first.

    What cannot be read is left out.
    """
    of_content = (
        decision.c.path == path,
        decision.c.slot == slot,
        decision.c.sha256 == sha256,
        queue.c.status != Status.RESTORED,
    )
    query = _joined().where(*of_content).order_by(decision.c.seq)
    return rows.each(db, query, decision.c.seq, _decision)[0]


def standing_slots(db: Connection) -> Iterator[Slot]:
    """Yield the slots that decisions stand for, some more than once; '' for what cannot be read."""
    for row in db.execute(_STANDING_SLOTS):
        yield Slot(unescaped(rows.text(row.path)), unescaped(rows.text(row.slot)))


def to_undo(db: Connection, reviewer: str, but: str) -> Iterator[Slot]:
    """Yield the slots of a person's decisions that can be taken back, oldest first.

    Parameters
    ----------
    but : session whose decisions are left out
    """
    for row in db.execute(_TO_UNDO, {"whose": reviewer, "session": but}):
        if not _status(row.status).is_failure and row.status != Status.STALE:
            yield Slot(unescaped(rows.text(row.path)), unescaped(rows.text(row.slot)))


def stands(db: Connection, path: str, slot: str) -> bool:
    """Whether a decision stands for a slot of an image, one that can be read or not."""
    return db.execute(_STANDS, {"image": path, "of_slot": slot}).first() is not None


def standing_paths(db: Connection) -> Iterator[str]:
    """Yield the images that decisions stand for, some more than once: all else is left unread."""
    yield from rows.names(db.execute(_STANDING_PATHS).scalars())


def standing_in_slots(db: Connection) -> set[Slot]:
    """Return the slots with a name that decisions stand for."""
    pairs = ((rows.text(row.path), rows.text(row.slot)) for row in db.execute(_STANDING_IN_SLOTS))
    return {Slot(unescaped(path), unescaped(slot)) for path, slot in pairs if path and slot}


def waiting(db: Connection) -> list[str]:
    """Return the ids of the decisions that nobody has carried out, oldest first."""
    query = select(decision.c.id).join(queue).where(schema.waits).order_by(decision.c.seq)
    # one whose id is no text is as good as removed: `fsck` names it
    return rows.each(db, query, decision.c.seq, lambda row: text_or_none(row.id) or "")[0]


def one(db: Connection, decision_id: str) -> tuple[Decision, Standing]:
    """Return a decision and what became of it.

    Raises
    ------
    KeyError
        When there is no such decision.
    """
    with rows.read(f"decision {decision_id!r}"):
        row = db.execute(_joined().where(decision.c.id == decision_id)).one_or_none()
    if row is None:
        raise KeyError(decision_id)
    with rows.read(f"decision {row.id!r}"):
        whole = _decision(row)
        standing = _standing([getattr(row, column.name) for column in _OF_STANDING])
        return whole, replace(standing, verdict=whole.verdict)


def follows(db: Connection, waiting: Decision) -> bool:
    """Whether each column of a decision that waits is what follows from the decision itself.

    Box in the normalized frame, figures, and what the queue has of it: they are not read to carry
    it out, but by whoever asks for them.
    """
    row = db.execute(_FOLLOWING, {"wanted": waiting.id}).one()._asdict()
    wanted = _NOTHING | to_row(waiting)
    of_queue = {"queued path": waiting.path, "queued slot": waiting.slot, "stands": 1}
    return row == {name: wanted[name] for name in _OF_DECISION} | of_queue


def path_of(db: Connection, decision_id: str) -> str:
    """Return the image of a decision that cannot be read; '' where its name cannot be, either."""
    seq = db.execute(select(decision.c.seq).where(decision.c.id == decision_id)).scalar_one()
    return _unreadable(db, seq).path


def _unreadable(db: Connection, seq: int) -> Unreadable:
    its_id, path = rows.texts(db, decision.name, ("id", "path"), seq)
    return Unreadable(its_id, unescaped(path))


def knows(db: Connection, path: str) -> bool:
    """Whether an image of this name was ever decided about."""
    query = select(decision.c.id).where(decision.c.path == path).limit(1)
    return db.execute(query).first() is not None


def names_of(db: Connection, sha256: str) -> list[str]:
    """Return the images that were decided about while they had some content."""
    path = as_bytes(decision.c.path)
    query = select(path).where(decision.c.sha256 == sha256).distinct()
    return list(rows.names(db.execute(query).scalars()))


def status(db: Connection, decision_id: str) -> Status:
    """Return what has become of a decision."""
    with rows.read(f"decision {decision_id!r}"):
        return Status(db.execute(_STATUS, {"wanted": decision_id}).scalar_one())


def counts(db: Connection) -> dict[Status, int]:
    """Return how many slots have each status, by the latest decision that stands for them."""
    query = select(queue.c.status, func.count()).where(schema.stands).group_by(queue.c.status)
    counted: Counter[Status] = Counter()
    for status, number in db.execute(query):
        counted[_status(status)] += number
    return dict(counted)


def _status(status: str) -> Status:
    """Return a status; one that there is not is of a decision that is in doubt."""
    return Status(status) if status in set(Status) else Status.IN_DOUBT


def table(db: Connection) -> tuple[list[dict[str, Any]], list[Unreadable]]:
    """Return decisions with their outcomes, oldest first, as plain rows, and the unreadable."""
    outcome = [queue.c[name] for name in ("status", "operation", "code", "message", "updated_at")]
    query = select(decision, *outcome).join(queue).order_by(decision.c.seq)
    every, unread = rows.each(db, query, decision.c.seq, lambda row: row._asdict())
    return every, [_unreadable(db, seq) for seq, _ in unread]


def _joined() -> Any:  # noqa: ANN401  (Select of forty columns)
    outcome = [queue.c[name] for name in ("status", "destination", "operation", "code", "message")]
    return select(decision, *outcome).join(queue)


def _outcome(status: Status, at: str) -> dict[str, Any]:
    return {"status": status.value, "updated_at": at}


def from_row(row: Mapping[str, Any]) -> Decision:
    """Read what `to_row` wrote.

    Raises
    ------
    AuditCorrupt
        Nobody of ours wrote it.
    """
    return _decision(_Bag(row))


class _Bag:
    """A mapping whose absent keys are None, read like a row."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (as many types as columns)
        return self._values.get(name)


def to_row(decided: Decision) -> dict[str, Any]:
    """Return the columns of a decision, and its destination."""
    row: dict[str, Any] = {
        "id": decided.id,
        "path": decided.path,
        "sha256": decided.sha256,
        "width": decided.size.width,
        "height": decided.size.height,
        "verdict": decided.verdict.stored.value,
        "iou": decided.iou,
        "edges_within_5_percent": decided.edges_within_5_percent,
        "reviewer": decided.reviewer,
        "session": decided.session,
        "destination": decided.destination,
        "shown_at": clock.written(decided.shown_at),
        "decided_at": clock.written(decided.decided_at),
    }
    if decided.box is not None:
        row |= _edges("box", decided.box.xyxy)
        row |= _edges("normalized", decided.box.normalized(decided.size).xyxy)
    if decided.shown is not None:
        row |= _edges("shown", decided.shown.xyxy)
    if decided.slot:  # most images have one crop, and their events need not say so
        row["slot"] = decided.slot
    some = {
        "target": decided.target,
        "copying": decided.copying,
        "turn": decided.turn.text or None,
    }
    row |= {name: value for name, value in some.items() if value is not None}
    return row | _suggestion_row(decided.suggestion)


def _suggestion_row(suggestion: Suggestion | None) -> dict[str, Any]:
    if suggestion is None:
        return {}
    return suggestion.words | _edges("suggestion", suggestion.box.xyxy)


def _edges(name: str, values: tuple[float, float, float, float]) -> dict[str, float]:
    return {f"{name}_{edge}": value for edge, value in zip(_EDGES, values, strict=True)}


def _box(row: Row[Any] | _Bag, name: str = "box") -> PixelBox | None:
    left, top, right, bottom = (getattr(row, f"{name}_{edge}") for edge in _EDGES)
    return None if left is None else PixelBox(left, top, right, bottom)


def _standing(row: Sequence[Any]) -> Standing:
    """Read the columns of `_OF_STANDING`; there may be a hundred thousand such rows."""
    of_decision, box, of_queue = row[:6], row[6:10], row[10:]
    status, operation, code, message, target, turn = of_queue
    decision_id, path, slot, verdict, sha256, reviewer = of_decision
    if not (isinstance(decision_id, str) and isinstance(sha256, str)):
        raise TypeError("an id or a hash is no text")
    return Standing(
        decision_id,
        path,
        Verdict(verdict),
        Status(status),
        None if box[0] is None else PixelBox(*box),
        sha256,
        reviewer,
        operation,
        code,
        message,
        slot,
        text_or_none(target),
        NO_TURN if turn is None else Turn.from_text(turn),
    )


def _decision(row: Row[Any] | _Bag) -> Decision:
    with rows.read(f"decision {row.id!r}"):
        return Decision(
            id=row.id,
            path=row.path,
            sha256=row.sha256,
            size=Size(row.width, row.height),
            verdict=Verdict(row.verdict),
            box=_box(row),
            shown=_box(row, "shown"),
            reviewer=row.reviewer,
            session=row.session,
            shown_at=clock.read(row.shown_at),
            decided_at=clock.read(row.decided_at),
            suggestion=_suggestion(row),
            destination=row.destination,
            slot=row.slot or "",
            target=row.target,
            copying=row.copying,
            turn=NO_TURN if row.turn is None else Turn.from_text(row.turn),
        )


def _suggestion(row: Row[Any] | _Bag) -> Suggestion | None:
    if row.suggestion_source is None:
        return None
    return Suggestion(
        box=NormalizedBox(*(getattr(row, f"suggestion_{edge}") for edge in _EDGES)),
        source=row.suggestion_source,
        version=row.suggestion_version,
        rank=row.suggestion_rank,
        confidence=row.suggestion_confidence,
    )
