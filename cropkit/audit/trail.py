"""What a session writes into the trail of a collection, and how; the package tells why.

Each verb is one transaction; what it decides or settles has its event there: no audit, no work.
"""

import logging
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError, NoResultFound

from cropkit import clock
from cropkit._version import __version__
from cropkit.audit import (
    chain,
    compacting,
    decision_reader,
    decisions,
    heads,
    keys,
    notes,
    opening,
    operations,
    replay,
    rotating,
    schema,
    second_opinions,
    sessions,
    settings,
    trust,
    unsettled,
    vouching,
)
from cropkit.audit.adopting import Adopted
from cropkit.audit.compacting import COMPACTED, Compacted
from cropkit.audit.decisions import Standing
from cropkit.audit.dialects import upsert
from cropkit.audit.operation import (
    MERGED,
    MERGED_PURGED,
    TAKEN_BACK,
    Operation,
    OperationKind,
    OperationState,
)
from cropkit.audit.operations import ClaimOutcome
from cropkit.audit.presence import Presence, living, recovering, sessions_there
from cropkit.audit.reader import DEADLINE, TrailReader
from cropkit.audit.rows import NOT_OURS
from cropkit.audit.store import Store
from cropkit.audit.store_reader import unavailable
from cropkit.audit.tally import SessionRow, Tally
from cropkit.errors import (
    AuditCorrupt,
    AuditError,
    BadDecision,
    CropkitError,
    ForeignState,
    TakenOver,
    TrailDisagrees,
)
from cropkit.records import CropResult, Decision, Note, Problem, Status
from cropkit.system.files import Root
from cropkit.system.home import OWNERS
from cropkit.system.scope import Scope
from cropkit.system.signals import held_off

__all__ = ["DEADLINE", "AuditTrail", "ClaimOutcome", "Standing"]

_PAST = {
    OperationKind.CROP: "cropped",
    OperationKind.COPY: "cropped",
    OperationKind.REJECT: "rejected",
    OperationKind.RESTORE: "restored",
    OperationKind.PURGE: "purged",
}
# Statuses of a decision that nobody may replace who has not seen it.
_TAKES_PLACE = (Status.WAITING, Status.CROPPED, Status.REJECTED, Status.SKIPPED)
_log = logging.getLogger("cropkit.audit.trail")
_SUCCESS = {kind: Status(event) for kind, event in _PAST.items()}


class AuditTrail(TrailReader):
    """The record of one collection as a session writes it; a session's row is its first write.

    Parameters
    ----------
    root : the folder that holds the state
    reviewer : who decides; whoever is logged in when not given
    kind : what the session is, until it begins a run
    scope : the images that may be decided about; None: all
    trail : the address of the server that it is on, or sqlite; None: as in the environment, or as
        it was

    Raises
    ------
    AuditError
        When it cannot be opened. No image was touched.
    """

    store: Store

    def __init__(
        self,
        root: Root,
        reviewer: str | None = None,
        *,
        kind: str,
        deadline: float = DEADLINE,
        scope: Scope | None = None,
        trail: str | None = None,
    ) -> None:
        self._key = key = keys.of_person(make=True)
        trust.check_is_not_hidden(root.path, scope.root if scope else root.path)
        acceptance = trust.Acceptance(root.path, key, collection=scope.root if scope else None)
        store = opening.to_write(root, deadline, accept=acceptance, trail=trail)
        super().__init__(root, store=store, scope=scope)
        self.notices = [f"the trail is not sealed: {key.lack}"] if key.lack else []
        try:
            self.notices += opening.remembered(store)
            self.notices += acceptance.settle(store)
            self.notices += [each.said for each in self.operations.left_alone()]
            self.presence = Presence(root.path, reviewer)
            self._announce()
        except AuditError:
            store.close()
            raise
        self.kind = kind
        self.owner = self.presence.owner
        self.session = self.presence.session
        self.reviewer = self.presence.reviewer
        self._begun = self._leaves_a_trace = False
        self._is_whole = True  # whether all could be told that was to be
        with held_off(), self.store.reading() as db:  # who is interrupted here could not close it
            self.notices += trust.begun_anew(db, root.path)
            self.notices += trust.remembered(root.path, heads.looked_at(db))

    def close(self, how: str = "closed") -> None:
        """End the session, if it wrote anything, and let go of everything.

        In a forked child it does nothing: the session is its parent's. Nor does it a second time.
        Where it cannot be told that the session has ended, it is as one that died: whoever held on
        to its owner's lock would keep everybody from settling what it has left. So is one in which
        anything could not be told: what it was to let go of then is looked for (`recover`).
        """
        if not self.presence.is_here:
            return
        try:
            last = self._ended(how)
        except BaseException:
            with suppress(CropkitError):  # the first one is told
                self.store.close()
            self.presence.die()
            raise
        if self._is_whole:
            self.presence.leave()
        else:
            self.presence.die()
        for sentence in trust.remembered(self.root.path, last):
            _log.warning(sentence)

    def _ended(self, how: str) -> heads.Seen | None:
        """Tell that the session has ended, close the store, and return what the trail holds."""
        with self.store.reading() as db:
            started = sessions.exists(db, self.session)
        if started:
            self._end_session(how)
        with self.store.reading() as db:
            last = heads.looked_at(db)
        self.store.close()
        return last

    def _announce(self) -> None:
        try:
            self.store.announce(self.presence.owner)
        except AuditError:
            self.presence.leave()
            raise

    def _end_session(self, how: str) -> None:
        try:
            with self._writing() as db:
                self._end(db, "session-ended", how, _plain(decisions.counts(db)))
                number = chain.length(db)
        except TakenOver as error:  # whoever did that has told of what this session began
            _log.error(error)
            return
        self._pack_what_is_long(number)

    def _pack_what_is_long(self, last: int) -> None:
        """Move the export up to an event into segments, where it is long and nobody else does."""
        try:
            if self.store.is_long():
                self.store.check_room()
                self.store.rotate(last, deadline=0)
        except CropkitError as error:  # all is there, and the next one who closes it tries again
            _log.warning("the export was not packed: %s", error)

    # -- room ----------------------------------------------------------------------------------

    def compact(
        self, progress: rotating.Progress | None = None, *, least: int = rotating.LEAST
    ) -> Compacted:
        """Pack what is old in the export, and write the database anew where nobody is in the way.

        An event says who did it, and what there was before. It is durable, and so is all before it.

        Parameters
        ----------
        least : bytes of the export that are worth it

        Raises
        ------
        CropkitError
            Nothing is lost; what was done so far stands.
        """
        self.store.check_room(least=least)
        before = self.store.sizes()
        with self._writing() as db:
            self._append(db, COMPACTED, body=asdict(before))
            last = chain.length(db)
        moved = self.store.rotate(last, progress, least=least)
        left = self._write_anew()
        return Compacted(before, self.store.sizes(), moved, left)

    def _write_anew(self) -> str | None:
        """Write the database anew while nobody can open it; return why not."""
        folder = self.root.path
        with recovering(folder, self.store.deadline):
            if set(living(folder)) - {self.owner}:
                others = ", ".join(sorted(sessions_there(folder) - {self.session}))
                return f"somebody else is at work on it: {others or 'another user'}"
            lacking = compacting.lacking(self.root)
            if lacking is None:
                self.store.vacuum()
        return lacking

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
        tally, moved_at = self.presence.tally, clock.written(self.presence.moved_at)
        with self.store.transaction(durable=False, deadline=deadline) as db:
            sessions.beat(db, self.session, self._now(), tally, moved_at)

    def end_run(self, how: str) -> None:
        """Write the last heartbeat: how the run ended, and its counts."""
        with self._writing() as db:
            self._end(db, "run-ended", how, {"kind": self.kind})

    def others(self, kind: str, foreign: list[ForeignState] | None = None) -> list[SessionRow]:
        """Return the runs of a kind that live beside this session, in whichever process.

        Parameters
        ----------
        foreign : as `sessions_there` has it
        """
        there = sessions_there(self.root.path, foreign) - {self.session}
        rows = self.sessions() if there else []
        return [
            session
            for session in rows
            if session.id in there and session.kind == kind and not session.ended_at
        ]

    def is_dead(self, owner: str) -> bool:
        """Whether the process that owned an operation is gone; this one is not."""
        return owner != self.owner and super().is_dead(owner)

    def acknowledge(self, what: Mapping[str, Any]) -> None:
        """Keep in the trail that a person has seen something."""
        with self._writing() as db:
            self._append(db, "acknowledged", body={"reviewer": self.reviewer, **what})

    def accept(self, path: str, was: str, now: str | None) -> None:
        """Keep in the trail that an image was changed on purpose.

        Parameters
        ----------
        was, now : SHA-256 of what was written and of what is there; None: nothing is
        """
        with self._writing() as db:
            body = {"reviewer": self.reviewer, "was": was, "now": now}
            self._append(db, "accepted", path=path, body=body)

    # -- decisions -----------------------------------------------------------------------------

    def decide(self, decided: Sequence[Decision]) -> None:
        """Make decisions durable: rows, queue and audit in one transaction, or none of it.

        Raises
        ------
        BadDecision
            When the database's own checks refuse one; none is recorded.
        """
        with self._recording(decided) as db:
            self._record(db, decided)
        self._count_verdicts(decided)

    def decide_undecided(self, decided: Sequence[Decision]) -> list[Decision]:
        """Record as `decide` does, in the same transaction leaving out what is decided by now.

        Return what was recorded.
        """
        with self._recording(decided) as db:
            left = [each for each in decided if not decisions.stands(db, each.path, each.slot)]
            self._record(db, left)
        self._count_verdicts(left)
        return left

    def decide_as_seen(
        self, decided: Sequence[Decision], seen: Sequence[str | None]
    ) -> tuple[Standing, ...]:
        """Record as `decide` does, unless somebody has decided about one of them meanwhile.

        Return what stands in their place, of which the person knew nothing: then none is recorded.
        That is compared in the transaction that records, so that no decision of another is lost.

        Parameters
        ----------
        seen : for each, the decision that stood for its crop as far as the person knew; None: none
        """
        with self._recording(decided) as db:
            overtaken = self._overtaken(db, decided, seen)
            if not overtaken:
                self._record(db, decided)
        self._count_verdicts(() if overtaken else decided)
        return overtaken

    def _overtaken(
        self, db: Connection, decided: Sequence[Decision], seen: Sequence[str | None]
    ) -> tuple[Standing, ...]:
        standing, _ = decisions.standing_of(db, {each.path for each in decided})
        latest = {decisions.Slot(each.path, each.slot): each for each in standing}
        unseen = [
            stands
            for each, known in zip(decided, seen, strict=True)
            if (stands := latest.get(decisions.Slot(each.path, each.slot))) is not None
            if stands.decision != known and stands.status in _TAKES_PLACE
        ]
        return tuple(second_opinions.shown(db, self.reviewer, unseen))

    @contextmanager
    def _recording(self, decided: Sequence[Decision]) -> Iterator[Connection]:
        try:
            with self._writing() as db:
                yield db
        except AuditCorrupt as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
            raise BadDecision(decided[0].path, str(error.__cause__.orig)) from error

    def _count_verdicts(self, decided: Sequence[Decision]) -> None:
        for decision in decided:
            self.presence.count(partial(Tally.with_verdict, verdict=decision.verdict))

    def _record(self, db: Connection, decided: Sequence[Decision]) -> None:
        for decision in decided:
            self.scope.check(decision.path)
        now = self._now()
        decisions.record(db, [(each, now) for each in decided])
        for decision in decided:
            self._append(db, "decided", path=decision.path, body=decisions.to_row(decision))

    def settle(self, decision_id: str | None, result: CropResult) -> None:
        """Record that a decision, or a request that never became one, came to nothing, and why."""
        with self._writing() as db:
            outcome = {"code": result.code, "message": result.message}
            if decision_id is not None:
                decisions.settle(db, decision_id, result.status, self._now(), **outcome)
            body = outcome | {"decision": decision_id}
            self._append(db, result.status.value, path=result.path, body=body)
        self._count_outcome(result.status)

    # -- operations ----------------------------------------------------------------------------

    def plan(self, planned: Sequence[tuple[Operation, Sequence[str]]]) -> list[ClaimOutcome]:
        """Claim the names and aliases of operations, each for itself; tell what came of it.

        Not synced: a claim has to beat live rivals only. But a power cut has to leave a trace that
        somebody was at work, so that the next one looks for the originals that it left.
        """
        if not self._leaves_a_trace:
            self._leave_a_trace()
        with self._writing(durable=False) as db:
            voucher = vouching.voucher(db, self._key)
            return [self._plan(db, each, aliases, voucher) for each, aliases in planned]

    def _leave_a_trace(self) -> None:
        try:
            self.root.sync_folder(OWNERS)
        except CropkitError as error:
            raise unavailable(self.root.path, error) from error
        self._leaves_a_trace = True

    def _plan(
        self,
        db: Connection,
        planned: Operation,
        aliases: Sequence[str],
        voucher: vouching.Voucher,
    ) -> ClaimOutcome:
        decided = None if planned.kind is OperationKind.RESTORE else planned.decision
        if decided and decisions.status(db, decided) is not Status.WAITING:
            return ClaimOutcome.ALREADY
        if not operations.is_free(db, planned, aliases) or self._is_needed_anew(db, planned):
            return ClaimOutcome.RIVAL
        operations.plan(db, planned, aliases, self._now(), voucher)
        return ClaimOutcome.MINE

    def _is_needed_anew(self, db: Connection, planned: Operation) -> bool:
        """Whether an original has been needed again since somebody chose to purge it."""
        if planned.kind is not OperationKind.PURGE or planned.sha256_before is None:
            return False
        chosen: str | None = planned.report.get("needed_since")
        return operations.needed_since(db, planned.sha256_before) != chosen

    def prepare(self, ready: Sequence[Operation]) -> None:
        """Make the intent durable: from here recovery knows everything."""
        with self._writing() as db:
            voucher = vouching.voucher(db, self._key)
            for operation in ready:
                operations.move(db, operation, OperationState.PREPARED, voucher)

    def begin_abort(self, operation: Operation) -> None:
        """Say durably that files will be put back, before the first of them is.

        The frames of a failed commit may be whole in the write-ahead log and come back after a
        crash; this row is later in the log and wins.
        """
        with self._writing() as db:
            voucher = vouching.voucher(db, self._key)
            operations.move(db, operation, OperationState.ABORTING, voucher)

    def finish(self, done: Sequence[Operation], *, recovered: bool = False) -> None:
        """State, audit event and outcome of the decision, in one transaction."""
        with self._writing() as db:
            for operation in done:
                self._finish(db, operation, recovered=recovered)
        for operation in () if recovered else done:
            self._count_outcome(_SUCCESS[operation.kind])

    def abandon(self, operation: Operation, state: OperationState, result: CropResult) -> None:
        """Record that an operation ended without effect (or in conflict), and why."""
        with self._writing() as db:
            voucher = vouching.voucher(db, self._key)
            operations.settle(db, operation, state, self._now(), voucher)
            outcome = {"code": result.code, "message": result.message}
            decision_id = None if operation.kind is OperationKind.RESTORE else operation.decision
            if decision_id:
                decisions.settle(db, decision_id, result.status, self._now(), **outcome)
            body = {
                "kind": operation.kind.value,
                "outcome": state.value,
                "decision": decision_id,
            } | outcome
            image = operations.image_of(db, operation)
            self._append(db, result.status.value, path=image, operation=operation.id, body=body)
        self._count_outcome(result.status)

    def reinstate(self, done: Operation) -> None:
        """Call an operation done again that the trail calls done, and whose content stands."""
        with self._writing() as db:
            operations.reinstate(db, done)

    def record_taken_back(self, done: Operation) -> None:
        """Record that an operation which was done had been taken back without an event."""
        with self._writing() as db:
            operations.record_taken_back(db, done, self._now())
            body = {"operation": done.id}
            self._append(db, TAKEN_BACK, path=done.source, operation=done.id, body=body)

    def withdraw(self, decision_id: str) -> bool:
        """Take a decision back that has no operation; False when it has one by now.

        Raises
        ------
        TrailDisagrees
            The trail tells of no such decision: an event about it would lead nowhere.
        """
        with self._writing() as db:
            decision, standing = decision_reader.one(db, decision_id)
            self.scope.check(decision.path)
            if standing.operation is not None or standing.status is Status.RESTORED:
                return False
            if unsettled.has_one(db, decision_id):
                return False
            if not decision_reader.is_recorded(db, decision):
                raise TrailDisagrees(decision.path, "decision", decision_id)
            decisions.settle(db, decision_id, Status.RESTORED, self._now())
            self._append(db, "withdrawn", path=decision.path, body={"decision": decision_id})
            return True

    # -- problems, place, history --------------------------------------------------------------

    def report(self, problem: Problem) -> None:
        """Count a degraded operation and keep it in the trail."""
        with self._writing() as db:
            row = asdict(problem) | {"at": self._now(), "session": self.session}
            db.execute(insert(schema.problem).values(row))
            body = {"kind": problem.kind, "reason": problem.reason}
            self._append(db, "degraded", path=problem.path, body=body)
        self.presence.count(partial(Tally.with_degraded, kind=problem.kind))

    def note(self, path: str, slot: str, note: Note) -> None:
        """Keep what was noted about a crop of an image, in place of what was before."""
        with self._writing() as db:
            self._append(db, notes.NOTED, path=path, body=notes.body(slot, note))

    def choose(self, chosen: Mapping[str, str]) -> None:
        """Change settings, with an event that says so."""
        with self._writing() as db:
            settings.change(db, chosen, self._now())
            self._append(db, "settings", body=chosen)

    def adopt(self, part: str, adopted: Adopted, record: Mapping[str, Any]) -> None:
        """Append the events of a collection that lay inside this one, in one transaction.

        Raises
        ------
        AuditCorrupt
            One of them leads nowhere: nothing was appended.
        """
        try:
            with self._writing() as db:
                for event in adopted.events:
                    fields = {name: event[name] for name in ("path", "operation", "body")}
                    replay.append(db, event["at"], event["session"], event["event"], **fields)
                settled = {"order": adopted.order, "settled": adopted.settled}
                body = {**record, **settled}
                replay.append(db, self._now(), self.session, MERGED, path=part, body=body)
        except (NoResultFound, *NOT_OURS) as error:
            raise AuditCorrupt(part, f"an event leads nowhere: {error}") from error

    def tell_removed(self, part: str, facts: Mapping[str, Any]) -> None:
        """Tell that what is left of a collection that was joined goes, before it does."""
        with self._writing() as db:
            self._append(db, MERGED_PURGED, path=part, body=facts)

    def remember_place(self, path: str) -> None:
        """Remember where this reviewer is; convenience, so not synced."""
        row = {"reviewer": self.reviewer, "path": path, "updated_at": self._now()}
        with self._writing(durable=False) as db:
            db.execute(
                upsert(db, schema.place)
                .values(row)
                .on_conflict_do_update(index_elements=["reviewer"], set_=row)
            )

    # -- inside --------------------------------------------------------------------------------

    def _whose(self) -> keys.Key:
        return self._key

    def _count_outcome(self, status: Status) -> None:
        self.presence.count(partial(Tally.with_outcome, status=status))

    @contextmanager
    def _writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """Write in one transaction; the first one of all also writes the session."""
        try:
            with self.store.transaction(durable=durable) as db:
                if not self._begun:
                    self._begin(db)
                yield db
        except AuditError:
            self._is_whole = False
            raise
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
        if sessions.begin(db, row):
            self._append(db, "session-started", body=row)

    def _end(self, db: Connection, event: str, how: str, facts: Mapping[str, Any]) -> None:
        tally = self.presence.tally
        sessions.end(db, self.session, self._now(), how, tally)
        self._append(db, event, body={"how": how, "counts": tally.to_json(), **facts})

    def _finish(self, db: Connection, operation: Operation, *, recovered: bool) -> None:
        operations.settle(db, operation, OperationState.DONE, self._now())
        event = _PAST[operation.kind]
        body = _story(operation) | ({"recovered": True} if recovered else {})
        image = operations.image_of(db, operation)
        self._append(db, event, path=image, operation=operation.id, body=body)
        operations.settle_decision(db, operation, self._now())

    def _append(self, db: Connection, event: str, **fields: Any) -> None:  # noqa: ANN401  (as `chain.append` takes it)
        chain.append(db, self._now(), self.session, event, **fields)

    def _now(self) -> str:
        return clock.written(clock.now())


def _story(operation: Operation) -> dict[str, Any]:
    """Tell all of an operation: what a person asks, and the row for making the database anew."""
    return {
        "target": operation.target,
        "sha256_before": operation.sha256_before,
        "sha256_after": operation.sha256_after,
        "box": operation.box.xyxy if operation.box else None,
        "decision": operation.decision,
        "undoes": operation.undoes,
        "operation": operations.to_row(operation),
    }


def _plain(numbers: Mapping[Status, int]) -> dict[str, int]:
    return {status.value: number for status, number in numbers.items()}
