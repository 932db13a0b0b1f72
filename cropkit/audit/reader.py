"""What a collection's trail tells, by a type that cannot write."""

from typing import Any, Self

from sqlalchemy import func, select

from cropkit.audit import (
    chain,
    keys,
    notes,
    opening,
    rows,
    schema,
    sessions,
    settings,
    surveying,
)
from cropkit.audit.content_reader import ContentReader
from cropkit.audit.decision_reader import DecisionReader
from cropkit.audit.decisions import Slot, Standing
from cropkit.audit.integrity_reader import IntegrityReader
from cropkit.audit.operation_reader import OperationReader
from cropkit.audit.second_opinions import SecondOpinions
from cropkit.audit.store_reader import DEADLINE, StoreReader
from cropkit.audit.tally import SessionRow
from cropkit.names import escaped, unescaped
from cropkit.records import Note
from cropkit.system.files import Root
from cropkit.system.scope import Scope

__all__ = ["DEADLINE", "Standing", "TrailReader"]


class TrailReader:
    """Every question about one collection, each answered from one moment of its database.

    Decisions, operations, contents and the trail's own integrity have a reader each.

    It has no owner, makes no session, takes no lock and waits for nobody: whoever reviews or crops
    meanwhile does not notice.

    Parameters
    ----------
    root : the folder that holds the state
    deadline : seconds to wait where SQLite has to
    store : what is read instead of the collection's database opened for reading
    scope : of which images decisions, events and what can be undone are told; None: of all
    trail : the address of the server that it is on; None: as in the environment, or as it was

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
        trail: str | None = None,
    ) -> None:
        self.root = root
        self.scope = scope or Scope(root.path)
        self.store = store or opening.to_read(root, deadline, trail)
        self.decisions = DecisionReader(self.store, self.scope)
        self.operations = OperationReader(self.store, self.scope, self._whose)
        self.contents = ContentReader(self.store)
        self.opinions = SecondOpinions(self.store)
        self.integrity = IntegrityReader(self.store, self.scope, self._whose)

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

    def session_of(self, wanted: str) -> SessionRow | None:
        """Return one session, whatever the others hold; None: there is none."""
        with self.store.reading() as db:
            return sessions.one(db, wanted)

    def unreadable_sessions(self) -> list[str]:
        """Say of each session that cannot be read why."""
        with self.store.reading() as db:
            return sessions.unreadable(db)

    def is_dead(self, owner: str) -> bool:
        """Whether the process that owned an operation is gone."""
        return not self.store.lives(owner)

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

    def events(self, path: str | None = None, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the events of the trail, oldest first: of one image or all, of one kind or all.

        The body is the text that the chain's hash is of; `chain.body_of` reads it. One that cannot
        be read is left out.
        """
        return self.events_looked_through(path, kind)[0]

    def events_looked_through(
        self, path: str | None = None, kind: str | None = None
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the same, and say of each that cannot be read why, of whichever image it was."""
        query = select(schema.audit).order_by(schema.audit.c.seq)
        if path is not None:
            query = query.where(schema.audit.c.path == escaped(path))
        if kind is not None:
            query = query.where(schema.audit.c.event == kind)
        with self.store.reading() as db:
            every, unread = rows.parted(chain.each(db, query))
        events = [row._asdict() for row in every]
        named = [row | {"path": row["path"] and unescaped(row["path"])} for row in events]
        lost = [f"event {number} cannot be read: {reason}" for number, reason in unread]
        return [row for row in named if self.scope.holds(row["path"] or "")], lost

    def notes(self, path: str | None = None) -> dict[Slot, Note]:
        """Return what is noted about crops: of one image or all, where anything is."""
        return notes.latest(self.events(path, notes.NOTED))

    def _whose(self) -> keys.Key:
        """Return the key of whoever asks; none is made."""
        return keys.of_person()
