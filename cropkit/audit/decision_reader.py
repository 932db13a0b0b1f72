"""What a trail tells of decisions, and of what became of them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, select

from cropkit.audit import chain, decisions, rows
from cropkit.audit.decisions import InForce, Standing
from cropkit.audit.dialects import as_bytes
from cropkit.audit.operation import MERGED
from cropkit.audit.schema import audit
from cropkit.audit.store_reader import StoreReader
from cropkit.errors import AuditCorrupt, TrailDisagrees
from cropkit.names import escaped
from cropkit.records import Decision, Status
from cropkit.system.scope import Scope

_DECIDED = "decided"
_SOME = 500  # decisions that are read at a time, where there may be a million
_TOLD: Select[Any] = select(audit.c.seq, audit.c.event, audit.c.body)
# the newest first: of an image whose decision waits that is the one event to read, nearly always
_NEWEST = audit.c.seq.desc()
_OF_IMAGE = _TOLD.where(audit.c.path == bindparam("image")).order_by(_NEWEST)
_LAST = select(audit.c.seq).order_by(_NEWEST).limit(1)
_CHANGED = (
    select(audit.c.seq, as_bytes(audit.c.path).label("path"))
    .where(
        audit.c.seq > bindparam("after"),
        audit.c.session != bindparam("own"),
        audit.c.path.is_not(None),
    )
    .order_by(audit.c.seq)
    .limit(_SOME)
)
_IS_IN = audit.c.path.in_(bindparam("folders", expanding=True))
_MERGES = _TOLD.where(_IS_IN, audit.c.event == MERGED).order_by(_NEWEST)


class Compared(NamedTuple):
    """A decision, what became of it, and what keeps one that waits from being carried out.

    Parameters
    ----------
    disagreement : the trail's events do not tell just what its row says, or not that it waits
    """

    decision: Decision
    standing: Standing
    disagreement: TrailDisagrees | None


class Changed(NamedTuple):
    """Images that there are new events about, and the number of the last event."""

    last: int
    images: frozenset[str] = frozenset()


class DecisionReader:
    """Every question about decisions, each answered from one moment of the database."""

    def __init__(self, store: StoreReader, scope: Scope) -> None:
        self._store, self._scope = store, scope

    def standing(self) -> list[Standing]:
        """Return the decisions that stand and can be read, oldest first."""
        return self.looked_through()[0]

    def looked_through(self) -> tuple[list[Standing], list[TrailDisagrees]]:
        """Return the same, and why each of the others cannot be carried out."""
        with self._store.reading() as db:
            every, unreadable = decisions.standing(db)
        mine = [each for each in every if self._scope.holds(each.path)]
        return mine, self._unread(unreadable)

    def looked_through_of(
        self, paths: Collection[str]
    ) -> tuple[list[Standing], list[TrailDisagrees]]:
        """Return the same of some images."""
        with self._store.reading() as db:
            every, unreadable = decisions.standing_of(db, paths)
        return every, self._unread(unreadable)

    def changed_after(self, number: int, but: str) -> Changed:
        """Return the images that there are events about after one; of many, the first of them.

        Parameters
        ----------
        but : session whose events are left out
        """
        with self._store.reading() as db:
            last = db.execute(_LAST).scalar() or 0
            if last <= number:
                return Changed(number)
            changed = db.execute(_CHANGED, {"after": number, "own": but}).all()
        images = frozenset(filter(self._scope.holds, rows.names(row.path for row in changed)))
        return Changed(changed[-1].seq if len(changed) == _SOME else last, images)

    def last_event(self) -> int:
        """Return the number of the latest event, 0 where there is none."""
        with self._store.reading() as db:
            return db.execute(_LAST).scalar() or 0

    def standing_slots(self, wanted: Callable[[decisions.Slot], bool]) -> set[decisions.Slot]:
        """Return the slots that a decision stands for, as far as they are wanted."""
        with self._store.reading() as db:
            every = filter(wanted, decisions.standing_slots(db))
            return {slot for slot in every if not slot.path or self._scope.holds(slot.path)}

    def to_undo(self, reviewer: str, but: str) -> list[decisions.Slot]:
        """Return the slots of a person's decisions that can be taken back, oldest first.

        Parameters
        ----------
        but : session whose decisions are left out
        """
        with self._store.reading() as db:
            return list(decisions.to_undo(db, reviewer, but))

    def standing_by_slot(self) -> dict[decisions.Slot, Standing]:
        """Return the decision that stands for each slot: the latest."""
        return {decisions.Slot(each.path, each.slot): each for each in self.standing()}

    def standing_by_path(self) -> dict[str, Standing]:
        """Return the same for each image that has one crop: the slot without a name."""
        return {path: each for (path, slot), each in self.standing_by_slot().items() if not slot}

    def standing_paths(self) -> set[str]:
        """Return the images that a decision stands for; costs a tenth of the decisions."""
        with self._store.reading() as db:
            return {path for path in decisions.standing_paths(db) if self._scope.holds(path)}

    def standing_elsewhere(self) -> set[str]:
        """Return the images that a decision stands for and that are not meant here."""
        with self._store.reading() as db:
            return {path for path in decisions.standing_paths(db) if not self._scope.holds(path)}

    def standing_in_slots(self) -> set[decisions.Slot]:
        """Return the slots with a name that a decision stands for."""
        with self._store.reading() as db:
            every = decisions.standing_in_slots(db)
        return {slot for slot in every if self._scope.holds(slot.path)}

    def any_stands(self) -> bool:
        """Whether a decision stands for any image."""
        with self._store.reading() as db:
            return any(self._scope.holds(path) for path in decisions.standing_paths(db))

    def waiting(self) -> list[str]:
        """Return the decisions that nobody has carried out, oldest first."""
        with self._store.reading() as db:
            ids = decisions.waiting(db)
            if self._scope.is_whole:
                return ids
        mine = {each.decision for each in self.standing()}
        return [each for each in ids if each in mine]

    def by_id(self, decision_id: str) -> tuple[Decision, Standing]:
        """Return a decision and what became of it.

        Raises
        ------
        PathOutsideRoot
            It is about an image that is not in the part of the collection that is meant.
        TrailDisagrees
            Its row cannot be read.
        """
        with self._store.reading() as db:
            decision, standing = one(db, decision_id)
        self._scope.check(decision.path)
        return decision, standing

    def compared(self, decision_id: str) -> Compared:
        """Return the same, held against the trail: rows are anybody's who may write to the state.

        Raises
        ------
        PathOutsideRoot, TrailDisagrees
            As in `by_id`.
        """
        with self._store.reading() as db:
            decision, standing = one(db, decision_id)
            is_told = standing.status is Status.WAITING and _is_told(db, decision)
        self._scope.check(decision.path)
        agrees = is_told or standing.status is not Status.WAITING
        disagreement = None if agrees else TrailDisagrees(decision.path, "decision", decision_id)
        return Compared(decision, standing, disagreement)

    def in_force(self) -> Sequence[int]:
        """Return the numbers of all decisions in force, in the order of images and slots.

        They are a moment's: `numbered` tells of each what was decided, whatever comes meanwhile.
        """
        with self._store.reading() as db:
            return decisions.in_force(db)

    def numbered(self, numbers: Sequence[int]) -> Iterator[InForce | TrailDisagrees]:
        """Yield the decisions of numbers, in their order, read as they are asked for.

        Of one that cannot be read comes why; what is not in the part that is meant is left out.
        """
        for start in range(0, len(numbers), _SOME):
            some = numbers[start : start + _SOME]
            with self._store.reading() as db:
                records, unreadable = decisions.numbered(db, some)
            unread = {number: _unread(*each) for number, each in unreadable.items()}
            each = (records.get(number) or unread.get(number) for number in some)
            yield from (row for row in each if row is not None and self._is_mine(row))

    def _is_mine(self, row: InForce | TrailDisagrees) -> bool:
        path = row.decision.path if isinstance(row, InForce) else row.args[0]
        return self._scope.holds(path)

    def counts(self) -> dict[Status, int]:
        """Return how many slots have each status."""
        if not self._scope.is_whole:
            return Counter(each.status for each in self.standing_by_slot().values())
        with self._store.reading() as db:
            return decisions.counts(db)

    def table(self) -> list[dict[str, Any]]:
        """Return every decision that can be read, with its outcome, as plain rows."""
        return self.table_looked_through()[0]

    def table_looked_through(self) -> tuple[list[dict[str, Any]], list[TrailDisagrees]]:
        """Return the same, and name each of the others."""
        with self._store.reading() as db:
            every, unreadable = decisions.table(db)
        mine = [row for row in every if self._scope.holds(row["path"])]
        return mine, self._unread(unreadable)

    def _unread(self, those: Iterable[decisions.Unreadable]) -> list[TrailDisagrees]:
        mine = (each for each in those if not each.path or self._scope.holds(each.path))
        return [_unread(*each) for each in mine]


def one(db: Connection, decision_id: str) -> tuple[Decision, Standing]:
    """Return a decision and what became of it.

    Raises
    ------
    KeyError
        When there is no such decision.
    TrailDisagrees
        Its row cannot be read, so that it is none of the trail's.
    """
    try:
        return decisions.one(db, decision_id)
    except AuditCorrupt as error:
        raise _unread(decision_id, decisions.path_of(db, decision_id)) from error


def _unread(decision_id: str, path: str) -> TrailDisagrees:
    return TrailDisagrees(path or "an image whose name is lost", "decision", decision_id)


def is_recorded(db: Connection, decided: Decision) -> bool:
    """Whether a decision's own event tells just what its row says."""
    return _told(db, decided)[0]


def _is_told(db: Connection, waiting: Decision) -> bool:
    """Whether its own event tells all of the row, and the newest that settles it lets it wait."""
    is_same, settled = _told(db, waiting)
    return is_same and _waits(waiting, settled) and _follows(db, waiting)


def _follows(db: Connection, waiting: Decision) -> bool:
    try:
        with rows.read(f"decision {waiting.id}"):
            return decisions.follows(db, waiting)
    except AuditCorrupt:
        return False


def _told(db: Connection, decided: Decision) -> tuple[bool, str | None]:
    """Return whether the own event tells the row, and what the newest one since makes of it.

    An event on the way to it that nobody can read tells nothing, and nothing behind it is believed.
    """
    try:
        with rows.read(f"an event about {decided.path}"):
            return _looked_up(db, decided)
    except AuditCorrupt:
        return False, None


def _looked_up(db: Connection, decided: Decision) -> tuple[bool, str | None]:
    settled: str | None = None
    with db.execute(_OF_IMAGE, {"image": escaped(decided.path)}) as of_image:
        for event in merge(of_image, _merges(db, decided.path), key=_place, reverse=True):
            body = chain.body_of(event._asdict())
            if event.event == _DECIDED and body.get("id") == decided.id:
                return decisions.from_row(body) == decided, settled
            settled = settled or _settled(event.event, body, decided)
    return False, None


def _merges(db: Connection, path: str) -> list[Row[Any]]:
    """Return the merges that an image may have come by: of a folder that it lies in."""
    folders = [escaped(str(folder)) for folder in PurePosixPath(path).parents][:-1]
    return list(db.execute(_MERGES, {"folders": folders})) if folders else []


def _place(event: Row[Any]) -> int:
    return int(event.seq)


def _settled(event: str, body: Mapping[str, Any], decided: Decision) -> str | None:
    """Return what an event about its image, or a merge, makes of a decision; None: nothing."""
    if event == _DECIDED:
        return Status.SUPERSEDED if (body.get("slot") or "") == decided.slot else None
    if event == MERGED:
        status: str | None = body["settled"].get(decided.id)
        return status
    return event if body.get("decision") == decided.id else None


def _waits(decided: Decision, settled: str | None) -> bool:
    return decided.at_once is Status.WAITING and settled in (None, Status.WAITING)
