"""The trail, the queue, the decisions: one database, and the only place with SQLAlchemy.

`AuditTrail` is what the rest of cropkit sees. Each method is one transaction; a method that changes
something also appends to the hash chain, in the same transaction: no audit, no work.
"""

import getpass
import os
import platform
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import IntegrityError

from cropkit import clock
from cropkit._version import __version__
from cropkit.audit import chain, decisions, export, operations, schema, sessions, settings
from cropkit.audit.decisions import Standing
from cropkit.audit.operation import Operation, OperationKind, OperationState
from cropkit.audit.operations import ClaimOutcome
from cropkit.audit.presence import sessions_there
from cropkit.audit.store import DEADLINE, Store
from cropkit.audit.tally import SessionRow, Tally
from cropkit.errors import AuditCorrupt, AuditUnavailable, BadDecision
from cropkit.records import CropResult, Decision, Problem, Status
from cropkit.system.files import Root
from cropkit.system.home import EXPORT, OWNERS
from cropkit.system.locks import hold, is_free

__all__ = ["DEADLINE", "AuditTrail", "ClaimOutcome", "Standing"]

_PAST = {
    OperationKind.CROP: "cropped",
    OperationKind.REJECT: "rejected",
    OperationKind.RESTORE: "restored",
    OperationKind.PURGE: "purged",
}
_SUCCESS = {kind: Status(event) for kind, event in _PAST.items()}


class AuditTrail:
    """The record of one collection, and this process's presence in it.

    The owner file is locked as long as the process lives; the kernel lets go of it at any death,
    which is how recovery tells an operation that is under way from one that was cut off. One that
    is only `looking` has no owner, writes nothing and disturbs nobody.
    """

    def __init__(
        self,
        root: Root,
        reviewer: str | None = None,
        *,
        kind: str,
        deadline: float = DEADLINE,
        looking: bool = False,
    ) -> None:
        self.root = root
        self.kind = kind
        self.owner = uuid4().hex
        self.session = clock.session_name(clock.now())
        self.reviewer = reviewer or _whoami()
        self._begun = False
        self._counting = threading.Lock()
        self.tally = Tally()
        self.store = Store(root, deadline, looking=looking)
        self._alive = None if looking else self._appear()

    def close(self, how: str = "closed") -> None:
        """End the session, if it wrote anything, and let go of everything."""
        if self._alive is None:
            self.store.close()
            return
        with self.store.reading() as db:
            started = sessions.exists(db, self.session)
        if started:
            with self._writing() as db:
                sessions.end(db, self.session, self._now(), how, self.tally)
                said = {"how": how, "counts": self.tally.to_json()}
                self._append(db, "session-ended", body=said | _plain(decisions.counts(db)))
        self.store.close()
        with suppress(OSError):  # the next recovery finds that nobody holds it
            self._owner_file(self.owner).unlink()
        os.close(self._alive)

    # -- runs ----------------------------------------------------------------------------------

    def begin_run(self, kind: str) -> None:
        """Tell that a review, a batch or an apply begins: from here on a beat is expected."""
        with self._writing() as db:
            self.kind = kind
            sessions.begin_run(db, self.session, kind, self._now())
            self._append(db, "run-started", body={"kind": kind})

    def beat(self, deadline: float) -> None:
        """Write that this session is alive, and its counts.

        Raises
        ------
        AuditLocked
            When that would have to wait longer than `deadline` seconds: work goes first.
        """
        with self.store.transaction(durable=False, deadline=deadline) as db:
            sessions.beat(db, self.session, self._now(), self.tally)

    def end_run(self, how: str) -> None:
        """Write the last heartbeat: how the run ended, and its counts."""
        with self._writing() as db:
            sessions.end(db, self.session, self._now(), how, self.tally)
            said = {"kind": self.kind, "how": how, "counts": self.tally.to_json()}
            self._append(db, "run-ended", body=said)

    def sessions(self) -> list[SessionRow]:
        """Return every session, oldest first."""
        with self.store.reading() as db:
            return sessions.all_of(db)

    def others(self, kind: str) -> list[SessionRow]:
        """Return the runs of a kind that live beside this session, in whichever process."""
        there = sessions_there(self.root.path) - {self.session}
        rows = self.sessions() if there else []
        return [one for one in rows if one.id in there and one.kind == kind and not one.ended_at]

    def count(self, change: Callable[[Tally], Tally]) -> None:
        """Count something that this session did."""
        with self._counting:
            self.tally = change(self.tally)

    def acknowledge(self, what: Mapping[str, Any]) -> None:
        """Keep in the trail that a person has seen something."""
        with self._writing() as db:
            self._append(db, "acknowledged", body={"reviewer": self.reviewer, **what})

    # -- decisions -----------------------------------------------------------------------------

    def decide(self, made: Sequence[Decision]) -> None:
        """Make decisions durable: rows, queue and audit in one transaction, or none of it.

        Raises
        ------
        BadDecision
            When the database's own checks refuse one; none is recorded.
        """
        with self._recording(made) as db:
            self._record(db, made)
        self._count_verdicts(made)

    def decide_undecided(self, made: Sequence[Decision]) -> list[Decision]:
        """Record as `decide` does, in the same transaction leaving out what is decided by now.

        Return what was recorded.
        """
        with self._recording(made) as db:
            left = [one for one in made if not decisions.standing(db, one.path)]
            self._record(db, left)
        self._count_verdicts(left)
        return left

    @contextmanager
    def _recording(self, made: Sequence[Decision]) -> Iterator[Connection]:
        try:
            with self._writing() as db:
                yield db
        except AuditCorrupt as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
            raise BadDecision(made[0].path, str(error.__cause__.orig)) from error

    def _count_verdicts(self, made: Sequence[Decision]) -> None:
        for one in made:
            self.count(partial(Tally.with_verdict, verdict=one.verdict))

    def _record(self, db: Connection, made: Sequence[Decision]) -> None:
        decisions.record(db, made, self._now())
        for one in made:
            self._append(db, "decided", path=one.path, body=decisions.to_row(one))

    def settle(self, made: str | None, result: CropResult) -> None:
        """Record that a decision, or a request that never became one, came to nothing, and why."""
        with self._writing() as db:
            outcome = {"code": result.code, "message": result.message}
            if made is not None:
                decisions.settle(db, made, result.status, self._now(), **outcome)
            said = outcome | {"decision": made}
            self._append(db, result.status.value, path=result.path, body=said)
        self._count_outcome(result.status)

    def standing(self, path: str | None = None) -> list[Standing]:
        """Return the decisions that stand, oldest first."""
        with self.store.reading() as db:
            return decisions.standing(db, path)

    def waiting(self) -> list[str]:
        """Return the decisions that nobody has carried out, oldest first."""
        with self.store.reading() as db:
            return decisions.waiting(db)

    def decision(self, made: str) -> tuple[Decision, Standing]:
        """Return a decision and what became of it."""
        with self.store.reading() as db:
            return decisions.one(db, made)

    def counts(self) -> dict[Status, int]:
        """Return how many decisions have each status."""
        with self.store.reading() as db:
            return decisions.counts(db)

    def decision_table(self) -> list[dict[str, Any]]:
        """Return every decision with its outcome as plain rows."""
        with self.store.reading() as db:
            return decisions.table(db)

    # -- operations ----------------------------------------------------------------------------

    def plan(self, planned: Sequence[tuple[Operation, Sequence[str]]]) -> list[ClaimOutcome]:
        """Claim the names and aliases of operations, each for itself; tell what came of it.

        Not synced: a claim has to beat live rivals only.
        """
        with self._writing(durable=False) as db:
            return [self._plan(db, one, aliases) for one, aliases in planned]

    def _plan(self, db: Connection, planned: Operation, aliases: Sequence[str]) -> ClaimOutcome:
        decided = None if planned.kind is OperationKind.RESTORE else planned.decision
        if decided and decisions.status(db, decided) is not Status.WAITING:
            return ClaimOutcome.ALREADY
        if not operations.is_free(db, planned, aliases) or self._is_needed_anew(db, planned):
            return ClaimOutcome.RIVAL
        operations.plan(db, planned, aliases, self._now())
        return ClaimOutcome.MINE

    def _is_needed_anew(self, db: Connection, planned: Operation) -> bool:
        """Whether an original has been needed again since somebody chose to purge it."""
        if planned.kind is not OperationKind.PURGE or planned.before is None:
            return False
        chosen: str | None = planned.report.get("needed_since")
        return operations.needed_since(db, planned.before) != chosen

    def prepare(self, ready: Sequence[Operation]) -> None:
        """Make the intent durable: from here recovery knows everything."""
        with self._writing() as db:
            for one in ready:
                operations.move(db, one, OperationState.PREPARED)

    def begin_abort(self, one: Operation) -> None:
        """Say durably that files will be put back, before the first of them is.

        The frames of a failed commit may be whole in the write-ahead log and come back after a
        crash; this row is later in the log and wins.
        """
        with self._writing() as db:
            operations.move(db, one, OperationState.ABORTING)

    def finish(self, done: Sequence[Operation], *, recovered: bool = False) -> None:
        """State, audit event and outcome of the decision, in one transaction."""
        with self._writing() as db:
            for one in done:
                self._finish(db, one, recovered=recovered)
        for one in () if recovered else done:
            self._count_outcome(_SUCCESS[one.kind])

    def abandon(self, one: Operation, state: OperationState, result: CropResult) -> None:
        """Record that an operation ended without effect (or in conflict), and why."""
        with self._writing() as db:
            operations.settle(db, one, state, self._now())
            outcome = {"code": result.code, "message": result.message}
            made = None if one.kind is OperationKind.RESTORE else one.decision
            if made:
                decisions.settle(db, made, result.status, self._now(), **outcome)
            said = {"kind": one.kind.value, "outcome": state.value, "decision": made} | outcome
            self._append(db, result.status.value, path=one.source, operation=one.id, body=said)
        self._count_outcome(result.status)

    def withdraw(self, made: str) -> bool:
        """Take a decision back that has no operation; False when it has one by now."""
        with self._writing() as db:
            decision, found = decisions.one(db, made)
            if found.operation is not None or found.status is Status.RESTORED:
                return False
            if any(one.decision == made for one in operations.unsettled(db)):
                return False
            decisions.settle(db, made, Status.RESTORED, self._now())
            self._append(db, "withdrawn", path=decision.path, body={"decision": made})
            return True

    def operation(self, wanted: str) -> Operation:
        """Return an operation by id."""
        with self.store.reading() as db:
            return operations.one(db, wanted)

    def unsettled(self) -> list[Operation]:
        """Return the operations that have not ended, oldest first."""
        with self.store.reading() as db:
            return operations.unsettled(db)

    def finished(self) -> list[Operation]:
        """Return every finished operation, oldest first."""
        with self.store.reading() as db:
            return operations.finished(db)

    def undoable(self) -> list[Operation]:
        """Return the finished operations that can be taken back, oldest first."""
        with self.store.reading() as db:
            return operations.undoable(db)

    def redoable(self) -> list[Operation]:
        """Return the restores that can be taken back in their turn, oldest first."""
        with self.store.reading() as db:
            return operations.redoable(db)

    def is_needed(self, sha256: str) -> bool:
        """Whether a kept original is needed for undoing."""
        with self.store.reading() as db:
            return operations.needed_since(db, sha256) is not None

    def originals(self) -> dict[str, str]:
        """Return the kept originals that are needed for undoing: SHA-256 -> when last needed."""
        with self.store.reading() as db:
            return operations.originals(db)

    def names_of(self, sha256: str) -> list[str]:
        """Return the names under which some content was seen or written."""
        with self.store.reading() as db:
            return [*decisions.names_of(db, sha256), *operations.names_of(db, sha256)]

    def later_on(self, earlier: Operation) -> Operation | None:
        """Return the first standing operation on what `earlier` left."""
        with self.store.reading() as db:
            return operations.later_on(db, earlier)

    def is_crop(self, sha256: str) -> bool:
        """Whether some content is the outcome of a crop that stands."""
        with self.store.reading() as db:
            return operations.is_crop(db, sha256)

    def is_dead(self, owner: str) -> bool:
        """Whether the process that owned an operation is gone."""
        return owner != self.owner and is_free(self._owner_file(owner))

    # -- problems, place, history --------------------------------------------------------------

    def report(self, found: Problem) -> None:
        """Count a degraded operation and keep it in the trail."""
        with self._writing() as db:
            row = asdict(found) | {"at": self._now(), "session": self.session}
            db.execute(insert(schema.problem).values(row))
            said = {"kind": found.kind, "reason": found.reason}
            self._append(db, "degraded", path=found.path, body=said)
        self.count(partial(Tally.with_degraded, kind=found.kind))

    def degraded(self) -> int:
        """Return how many operations of this session were degraded."""
        mine = schema.problem.c.session == self.session
        with self.store.reading() as db:
            query = select(func.count()).select_from(schema.problem).where(mine)
            return int(db.execute(query).scalar_one())

    def settings(self) -> dict[str, str]:
        """Return what was chosen for this collection."""
        with self.store.reading() as db:
            return settings.all_of(db)

    def choose(self, chosen: Mapping[str, str]) -> None:
        """Change settings, with an event that says so."""
        with self._writing() as db:
            settings.change(db, chosen, self._now())
            self._append(db, "settings", body=chosen)

    def place(self) -> str | None:
        """Return where this reviewer was."""
        mine = schema.place.c.reviewer == self.reviewer
        with self.store.reading() as db:
            return db.execute(select(schema.place.c.path).where(mine)).scalar_one_or_none()

    def remember_place(self, path: str) -> None:
        """Remember where this reviewer is; convenience, so not synced."""
        row = {"reviewer": self.reviewer, "path": path, "updated_at": self._now()}
        with self._writing(durable=False) as db:
            db.execute(
                upsert(schema.place)
                .values(row)
                .on_conflict_do_update(index_elements=["reviewer"], set_=row)
            )

    def events(self, path: str | None = None) -> list[dict[str, Any]]:
        """Return the events of the trail, oldest first, of one image or all."""
        query = select(schema.audit).order_by(schema.audit.c.seq)
        if path is not None:
            query = query.where(schema.audit.c.path == path)
        with self.store.reading() as db:
            return [{str(k): v for k, v in row.items()} for row in db.execute(query).mappings()]

    def broken_links(self) -> list[str]:
        """Name every event of the chain that does not fit."""
        with self.store.reading() as db:
            return chain.broken_links(db)

    def check_export(self) -> None:
        """Raise `AuditBehind` when the export tells of more than the database."""
        with self.store.reading() as db:
            export.check(db, self.root.path / EXPORT)

    def head(self) -> str:
        """Hash of the last event."""
        with self.store.reading() as db:
            return chain.head(db)

    # -- inside --------------------------------------------------------------------------------

    def _appear(self) -> int:
        try:
            return hold(self._owner_file(self.owner), self.session)
        except OSError as error:
            self.store.close()
            raise AuditUnavailable(self.root.path, error.strerror or error) from error

    def _count_outcome(self, status: Status) -> None:
        self.count(partial(Tally.with_outcome, status=status))

    @contextmanager
    def _writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """Write in one transaction; the first one of all also writes the session."""
        with self.store.transaction(durable=durable) as db:
            if not self._begun:
                self._begin(db)
            yield db
        self._begun = True

    def _begin(self, db: Connection) -> None:
        row = {
            "id": self.session,
            "kind": self.kind,
            "host": platform.node(),
            "reviewer": self.reviewer,
            "version": __version__,
            "started_at": self._now(),
        }
        # another thread of this session may have been first
        first = upsert(schema.session).values(row).on_conflict_do_nothing()
        if db.execute(first).rowcount:
            self._append(db, "session-started", body=row)

    def _finish(self, db: Connection, one: Operation, *, recovered: bool) -> None:
        operations.settle(db, one, OperationState.DONE, self._now())
        event = _PAST[one.kind]
        body = _story(one) | ({"recovered": True} if recovered else {})
        self._append(db, event, path=one.source, operation=one.id, body=body)
        operations.settle_decision(db, one, self._now())

    def _append(self, db: Connection, event: str, **said: Any) -> None:  # noqa: ANN401  (as `chain.append` takes it)
        chain.append(db, self._now(), self.session, event, **said)

    def _now(self) -> str:
        return clock.written(clock.now())

    def _owner_file(self, owner: str) -> Path:
        return self.root.path / OWNERS / owner


def _whoami() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return f"uid {os.getuid()}"


def _story(one: Operation) -> dict[str, Any]:
    """Tell all of an operation: what a person asks, and the row for making the database anew."""
    return {
        "target": one.target,
        "sha256_before": one.before,
        "sha256_after": one.after,
        "box": one.box.xyxy if one.box else None,
        "decision": one.decision,
        "undoes": one.undoes,
        "operation": operations.to_row(one),
    }


def _plain(numbers: Mapping[Status, int]) -> dict[str, int]:
    return {status.value: number for status, number in numbers.items()}
