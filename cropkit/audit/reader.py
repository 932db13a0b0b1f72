"""What a collection's trail tells, by a type that cannot write."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, func, select

from cropkit.audit import (
    chain,
    comparing,
    decisions,
    export,
    kept_heads,
    keys,
    links,
    operations,
    schema,
    sessions,
    settings,
    surveying,
    trust,
    unvouched,
)
from cropkit.audit.comparing import Disagreement
from cropkit.audit.decisions import Standing
from cropkit.audit.kept_heads import KeptHead
from cropkit.audit.operation import Operation, OperationState
from cropkit.audit.store_reader import DEADLINE, StoreReader
from cropkit.audit.tally import SessionRow
from cropkit.names import escaped, unescaped
from cropkit.records import Decision, Status
from cropkit.system.files import Root
from cropkit.system.home import EXPORT, OWNERS
from cropkit.system.locks import is_free
from cropkit.system.scope import Scope

__all__ = ["DEADLINE", "Progress", "Standing", "TrailReader"]

# Told of long work: what is gone through, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], object]
# Reads operations by pages: the first one, or what follows a place in the order.
Some = Callable[[Connection, int | None], list[tuple[int, Operation]]]


class TrailReader:
    """Every question about one collection, each answered from one moment of its database.

    It has no owner, makes no session, takes no lock and waits for nobody: whoever reviews or crops
    meanwhile does not notice.

    Parameters
    ----------
    deadline : seconds to wait where SQLite has to
    store : what is read instead of the collection's database opened for reading
    scope : of which images decisions, events and what can be undone are told; None: of all

    Raises
    ------
    AuditError
        It cannot be read, or a newer cropkit made it.
    """

    def __init__(
        self,
        root: Root,
        deadline: float = DEADLINE,
        store: StoreReader | None = None,
        *,
        scope: Scope | None = None,
    ) -> None:
        self.root = root
        self.scope = scope or Scope(root.path)
        self.store = store or StoreReader(root, deadline)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def sessions(self) -> list[SessionRow]:
        """Return every session, oldest first."""
        with self.store.reading() as db:
            return sessions.all_of(db)

    # -- decisions -------------------------------------------------------------------------------

    def standing(self, path: str | None = None) -> list[Standing]:
        """Return the decisions that stand, oldest first."""
        with self.store.reading() as db:
            return [each for each in decisions.standing(db, path) if self.scope.holds(each.path)]

    def standing_by_path(self) -> dict[str, Standing]:
        """Return the decision that stands for each image: the latest."""
        return {standing.path: standing for standing in self.standing()}

    def standing_paths(self) -> set[str]:
        """Return the images that a decision stands for; costs a tenth of the decisions."""
        with self.store.reading() as db:
            return {path for path in decisions.standing_paths(db) if self.scope.holds(path)}

    def has_decided(self) -> bool:
        """Whether a decision stands for any image."""
        with self.store.reading() as db:
            return any(self.scope.holds(path) for path in decisions.standing_paths(db))

    def waiting(self) -> list[str]:
        """Return the decisions that nobody has carried out, oldest first."""
        with self.store.reading() as db:
            ids = decisions.waiting(db)
            if self.scope.is_whole:
                return ids
            mine = {e.decision for e in decisions.standing(db) if self.scope.holds(e.path)}
            return [each for each in ids if each in mine]

    def decision(self, decision_id: str) -> tuple[Decision, Standing]:
        """Return a decision and what became of it.

        Raises
        ------
        PathOutsideRoot
            It is about an image that is not in the part of the collection that is meant.
        """
        with self.store.reading() as db:
            decision, standing = decisions.one(db, decision_id)
        self.scope.check(decision.path)
        return decision, standing

    def counts(self) -> dict[Status, int]:
        """Return how many images have each status."""
        if not self.scope.is_whole:
            return Counter(each.status for each in self.standing_by_path().values())
        with self.store.reading() as db:
            return decisions.counts(db)

    def decision_table(self) -> list[dict[str, Any]]:
        """Return every decision with its outcome as plain rows."""
        with self.store.reading() as db:
            return [row for row in decisions.table(db) if self.scope.holds(row["path"])]

    # -- operations ------------------------------------------------------------------------------

    def operation(self, wanted: str) -> Operation:
        """Return an operation by id."""
        with self.store.reading() as db:
            return operations.one(db, wanted)

    def is_done(self, operation: str) -> bool:
        """Whether an operation was committed as done: what it did to the files stands."""
        with self.store.reading() as db:
            return operations.state_of(db, operation) is OperationState.DONE

    def taken_back(self) -> list[Operation]:
        """Return the operations that the trail calls done and that were taken back all the same."""
        with self.store.reading() as db:
            return operations.taken_back(db)

    def unsettled(self) -> list[Operation]:
        """Return the operations that have not ended, oldest first."""
        with self.store.reading() as db:
            return operations.unsettled(db)

    def vouched(self) -> list[Operation]:
        """Return those of them that may be acted upon, oldest first."""
        with self.store.reading() as db:
            others = {each.operation.id for each in unvouched.all_of(db, self._whose())}
            return [each for each in operations.unsettled(db) if each.id not in others]

    def left_alone(self) -> list[unvouched.Unvouched]:
        """Return those of the dead that nobody acts upon, oldest first, each with why.

        Raises
        ------
        KeyUnusable
            `CROPKIT_KEY` names none.
        """
        with self.store.reading() as db:
            return unvouched.of_the_dead(db, self._whose(), self.scope.root)

    def finished(self) -> list[Operation]:
        """Return every finished operation, oldest first."""
        with self.store.reading() as db:
            return operations.finished(db)

    def each_finished(self) -> Iterator[Operation]:
        """Yield the same, read as they are asked for; what ends meanwhile may be among them."""
        return self._page_by_page(operations.some_finished)

    def undoable(self) -> list[Operation]:
        """Return the finished operations that can be taken back, oldest first."""
        with self.store.reading() as db:
            return self._in_scope(operations.undoable(db))

    def undoable_of(self, image: str) -> list[Operation]:
        """Return those of one image, newest first."""
        with self.store.reading() as db:
            return self._in_scope(operations.undoable_of(db, image))

    def undoable_by_id(self, beginning: str) -> list[Operation]:
        """Return those whose id begins with some text, oldest first."""
        with self.store.reading() as db:
            return self._in_scope(operations.undoable_by_id(db, beginning))

    def newest_undoable(self) -> Iterator[Operation]:
        """Yield what can be taken back, newest first; read as it is asked for."""
        return self._newest(operations.newest_undoable)

    def redoable_of(self, image: str) -> list[Operation]:
        """Return the restores of one image that can be taken back in their turn, newest first."""
        with self.store.reading() as db:
            return self._in_scope(operations.redoable_of(db, image))

    def newest_redoable(self) -> Iterator[Operation]:
        """Yield all such restores, newest first; read as they are asked for."""
        return self._newest(operations.newest_redoable)

    def _newest(self, some: Some) -> Iterator[Operation]:
        every = self._page_by_page(some)
        return (operation for operation in every if self.scope.holds(operation.image))

    def _page_by_page(self, some: Some) -> Iterator[Operation]:
        last: int | None = None
        while True:
            with self.store.reading() as db:
                numbered = some(db, last)
            if not numbered:
                return
            yield from (operation for _, operation in numbered)
            last = numbered[-1][0]

    def _in_scope(self, those: Iterable[Operation]) -> list[Operation]:
        return [operation for operation in those if self.scope.holds(operation.image)]

    def later_on(self, earlier: Operation) -> Operation | None:
        """Return the first standing operation on what `earlier` left."""
        with self.store.reading() as db:
            return operations.later_on(db, earlier)

    def is_crop(self, sha256: str) -> bool:
        """Whether some content is the outcome of a crop that stands."""
        with self.store.reading() as db:
            return operations.is_crop(db, sha256)

    def is_needed(self, sha256: str) -> bool:
        """Whether a kept original is needed for undoing."""
        with self.store.reading() as db:
            return operations.needed_since(db, sha256) is not None

    def is_told(self, done: Operation) -> bool:
        """Whether the trail's own event tells of a finished operation just what its row says."""
        query = select(schema.audit.c.seq, schema.audit.c.body).where(
            schema.audit.c.operation == done.id, schema.is_outcome
        )
        with self.store.reading() as db:
            event = db.execute(query).one_or_none()
        if event is None:
            return False
        told = operations.from_row(chain.body_of(event._asdict())["operation"])
        return replace(told, state=done.state) == done

    def knows(self, name: str) -> bool:
        """Whether an image of this name was ever decided about or worked on."""
        with self.store.reading() as db:
            return decisions.knows(db, name) or operations.knows(db, name)

    def originals(self) -> dict[str, str]:
        """Return the kept originals that are needed for undoing: SHA-256 -> when last needed."""
        with self.store.reading() as db:
            return operations.originals(db)

    def originals_between(self, low: str, high: str) -> list[str]:
        """Return those whose SHA-256 lies from one text to another."""
        with self.store.reading() as db:
            return operations.originals_between(db, low, high)

    def names_of(self, sha256: str) -> list[str]:
        """Return the names under which some content was seen or written."""
        with self.store.reading() as db:
            return [*decisions.names_of(db, sha256), *operations.names_of(db, sha256)]

    def is_dead(self, owner: str) -> bool:
        """Whether the process that owned an operation is gone."""
        return is_free(self._owner_file(owner))

    # -- problems, settings, place ---------------------------------------------------------------

    def degraded(self, session: str) -> int:
        """Return how many operations of a session were degraded."""
        mine = schema.problem.c.session == session
        with self.store.reading() as db:
            query = select(func.count()).select_from(schema.problem).where(mine)
            return int(db.execute(query).scalar_one())

    def settings(self) -> dict[str, str]:
        """Return what was chosen for this collection."""
        with self.store.reading() as db:
            return settings.all_of(db)

    def place(self, reviewer: str) -> str | None:
        """Return where a reviewer was."""
        mine = schema.place.c.reviewer == reviewer
        with self.store.reading() as db:
            return db.execute(select(schema.place.c.path).where(mine)).scalar_one_or_none()

    def survey(self) -> surveying.Survey:
        """Return what has to be known of a collection to tell how it is, from one moment."""
        with self.store.reading() as db:
            return surveying.survey(db)

    def known_names(self) -> set[str]:
        """Return the names of images that a decision stands for or that operations gave."""
        with self.store.reading() as db:
            return set(surveying.known_names(db))

    # -- the chain of events ---------------------------------------------------------------------

    def events(self, path: str | None = None, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the events of the trail, oldest first: of one image or all, of one kind or all.

        The body is the text that the chain's hash is of; `chain.body_of` reads it.
        """
        query = select(schema.audit).order_by(schema.audit.c.seq)
        if path is not None:
            query = query.where(schema.audit.c.path == escaped(path))
        if kind is not None:
            query = query.where(schema.audit.c.event == kind)
        with self.store.reading() as db:
            rows = [row._asdict() for row in db.execute(query)]
        named = [row | {"path": row["path"] and unescaped(row["path"])} for row in rows]
        return [row for row in named if self.scope.holds(row["path"] or "")]

    def broken_links(self, progress: Progress | None = None) -> list[str]:
        """Name every event of the chain that does not fit."""
        with self.store.reading() as db:
            between = self._between("links", chain.length(db), progress)
            return [link.said for link in links.broken(db, between)]

    def disagreements(self, progress: Progress | None = None) -> list[Disagreement]:
        """Play the trail again, and name every row of the tables that it does not lead to."""
        with self.store.reading() as db:
            between = self._between("events", chain.length(db), progress)
            return comparing.disagreements(db, between)

    def _between(self, what: str, total: int, progress: Progress | None) -> Callable[[int], None]:
        """Return what is done now and then in a long read: it can be ended, and tells of itself."""

        def between(done: int) -> None:
            self.store.let_through()
            if progress is not None:
                progress(what, done, total)

        return between

    def export_differences(self) -> list[str]:
        """Tell where the export is not what the database holds."""
        with self.store.reading() as db:
            return list(export.differences(db, self.root.path / EXPORT))

    def check_export(self) -> None:
        """Raise `AuditBehind` when the export tells of more than the database."""
        with self.store.reading() as db:
            export.check(db, self.root.path / EXPORT)

    def head(self) -> str:
        """Hash of the last event."""
        with self.store.reading() as db:
            return chain.head(db)

    def last(self) -> KeptHead | None:
        """Return what the trail ends with, as it can be kept elsewhere; None of an empty one."""
        with self.store.reading() as db:
            return kept_heads.newest(db)

    def missed(self, kept: Sequence[KeptHead]) -> list[str]:
        """Name the heads kept elsewhere that the trail does not hold."""
        with self.store.reading() as db:
            return list(kept_heads.missed(db, kept))

    def examined(self) -> trust.Examined:
        """Hold the trail against seals, key and memory of whoever asks; no key is made.

        Raises
        ------
        KeyUnusable
            `CROPKIT_KEY` names none.
        AuditCorrupt
            A row is no seal.
        """
        with self.store.reading() as db:
            return trust.examine(db, self.scope.root, self._whose())

    def harms(self) -> list[str]:
        """Tell what the trail's state could do that its events do not account for."""
        with self.store.reading() as db:
            return list(trust.harms(db, self.scope.root))

    def would_be_settled(self) -> list[Operation]:
        """Return the open operations that whoever opens the collection settles."""
        with self.store.reading() as db:
            return trust.would_be_settled(db, self.scope.root)

    def _whose(self) -> keys.Key:
        """Return the key of whoever asks; none is made."""
        return keys.of_person()

    def _owner_file(self, owner: str) -> Path:
        return self.root.path / OWNERS / owner
