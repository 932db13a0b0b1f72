"""What a trail tells of operations: those under way, those that are done, those to take back."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Connection, select

from cropkit.audit import chain, operations, rows, schema, standing_events, unsettled, unvouched
from cropkit.audit.keys import Key
from cropkit.audit.operation import Operation, OperationState
from cropkit.audit.store_reader import StoreReader
from cropkit.errors import AuditCorrupt, TrailDisagrees
from cropkit.system.scope import Scope

# Reads operations by pages: the first one, or what follows a place in the order.
D = TypeVar("D")
Some = Callable[[Connection, int | None], list[tuple[int, D]]]

# What can be taken back, or why that is left alone whose row cannot be read.
Undoable = Operation | TrailDisagrees


class OperationReader:
    """Every question about operations, each answered from one moment of the database.

    Parameters
    ----------
    whose : returns the key of whoever asks
    """

    def __init__(self, store: StoreReader, scope: Scope, whose: Callable[[], Key]) -> None:
        self._store, self._scope, self._whose = store, scope, whose

    def by_id(self, wanted: str) -> Operation:
        """Return an operation by id.

        Raises
        ------
        TrailDisagrees
            Its row cannot be read, or is not there.
        """
        with self._store.reading() as db:
            done = operations.by_id(db, wanted) or operations.Unreadable(wanted, "")
        if isinstance(done, operations.Unreadable):
            raise _told(done)
        return done

    def image_of(self, operation: Operation) -> str:
        """Return the name that a person knows an image by, whatever it is called meanwhile."""
        with self._store.reading() as db:
            return operations.image_of(db, operation)

    def is_done(self, operation: str) -> bool:
        """Whether an operation was committed as done: what it did to the files stands."""
        with self._store.reading() as db:
            return operations.state_of(db, operation) is OperationState.DONE

    def taken_back(self) -> list[Operation]:
        """Return the operations that the trail calls done and that were taken back all the same."""
        with self._store.reading() as db:
            return unsettled.taken_back(db)

    def unsettled(self) -> list[Operation]:
        """Return the operations that have not ended, oldest first."""
        with self._store.reading() as db:
            return unsettled.all_of(db)

    def unreadable(self) -> list[unvouched.Unvouched]:
        """Return those of which no record can be made, whoever is at work on them."""
        with self._store.reading() as db:
            return unvouched.unreadable(db)

    def claimed_for_nothing(self) -> list[str]:
        """Return the names that are claimed for no open operation."""
        with self._store.reading() as db:
            return operations.claimed_for_nothing(db)

    def vouched(self) -> list[Operation]:
        """Return those of them that may be acted upon, oldest first."""
        with self._store.reading() as db:
            return unvouched.vouched(db, self._whose())

    def left_alone(self) -> list[unvouched.Unvouched]:
        """Return those of the dead that nobody acts upon, oldest first, each with why.

        Raises
        ------
        KeyUnusable
            `CROPKIT_KEY` names none.
        """
        with self._store.reading() as db:
            return unvouched.of_the_dead(db, self._whose(), self._scope.state)

    def finished(self) -> list[Operation]:
        """Return every finished operation, oldest first."""
        with self._store.reading() as db:
            return operations.finished(db)

    def needing(self, sha256: str) -> list[Operation]:
        """Return the finished operations that began with some content, oldest first."""
        with self._store.reading() as db:
            return operations.needing(db, sha256)

    def each_finished(self) -> Iterator[Operation]:
        """Yield the same, read as they are asked for; what ends meanwhile may be among them."""
        return self._page_by_page(operations.some_finished)

    def undoable(self) -> list[Operation]:
        """Return the finished operations that can be taken back, oldest first, and can be read."""
        return self.looked_through()[0]

    def looked_through(self) -> tuple[list[Operation], list[TrailDisagrees]]:
        """Return the same, and why each of the others cannot be taken back."""
        with self._store.reading() as db:
            every = self._in_scope(operations.undoable(db))
        lost = [each for each in every if isinstance(each, TrailDisagrees)]
        return [each for each in every if not isinstance(each, TrailDisagrees)], lost

    def undoable_of(self, image: str) -> list[Undoable]:
        """Return those of one image, newest first; one that its row hides is there as lost."""
        with self._store.reading() as db:
            listed = operations.undoable_of(db, image)
            stands = standing_events.standing(db, image)
        known = {each.id for each in listed}
        hidden = [operations.Unreadable(each, image) for each in stands if each not in known]
        place = {each: number for number, each in enumerate(stands)}
        every = sorted([*hidden, *listed], key=lambda each: place.get(each.id, -1))
        return self._in_scope(every if hidden else listed)

    def undoable_by_id(self, beginning: str) -> list[Undoable]:
        """Return those whose id begins with some text, oldest first."""
        with self._store.reading() as db:
            return self._in_scope(operations.undoable_by_id(db, beginning))

    def newest_undoable(self) -> Iterator[Undoable]:
        """Yield what can be taken back, newest first; read as it is asked for."""
        return self._newest(operations.newest_undoable)

    def redoable_of(self, image: str) -> list[Undoable]:
        """Return the restores of one image that can be taken back in their turn, newest first."""
        with self._store.reading() as db:
            return self._in_scope(operations.redoable_of(db, image))

    def newest_redoable(self) -> Iterator[Undoable]:
        """Yield all such restores, newest first; read as they are asked for."""
        return self._newest(operations.newest_redoable)

    def later_on(self, earlier: Operation) -> Undoable | None:
        """Return the first standing operation on what `earlier` left."""
        with self._store.reading() as db:
            later = operations.later_on(db, earlier)
        return _told(later) if isinstance(later, operations.Unreadable) else later

    def is_told(self, done: Operation) -> bool:
        """Whether the trail's own event tells of a finished operation just what its row says."""
        query = select(schema.audit.c.seq, schema.audit.c.body).where(
            schema.audit.c.operation == done.id, schema.is_outcome
        )
        try:
            with self._store.reading() as db, rows.read(f"the event of operation {done.id}"):
                event = db.execute(query).one_or_none()
                if event is None:
                    return False
                told = operations.from_row(chain.body_of(event._asdict())["operation"])
        except AuditCorrupt:
            return False
        return replace(told, state=done.state) == done

    def _newest(self, some: Some[operations.Done]) -> Iterator[Undoable]:
        for done in self._page_by_page(some):
            yield from self._in_scope((done,))

    def _page_by_page(self, some: Some[D]) -> Iterator[D]:
        last: int | None = None
        while True:
            with self._store.reading() as db:
                numbered = some(db, last)
            if not numbered:
                return
            yield from (operation for _, operation in numbered)
            last = numbered[-1][0]

    def _in_scope(self, those: Iterable[operations.Done]) -> list[Undoable]:
        """Leave out what is not meant; of a name that is lost nobody knows."""
        meant = (each for each in those if not each.image or self._scope.holds(each.image))
        return [_told(e) if isinstance(e, operations.Unreadable) else e for e in meant]


def _told(lost: operations.Unreadable) -> TrailDisagrees:
    name = lost.image or "an image whose name is lost"
    return TrailDisagrees(name, "operation", lost.id or "without an id")


def readable(undoable: Undoable) -> Operation:
    """Return an operation as it is.

    Raises
    ------
    TrailDisagrees
        Its row cannot be read.
    """
    if isinstance(undoable, TrailDisagrees):
        raise undoable
    return undoable
