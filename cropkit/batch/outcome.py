"""What became of a run: judged by the trail alone.

Neither the notebook's own word nor papermill's counts: a kernel that was killed leaves cells behind
that say "completed".
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cropkit import clock, errors
from cropkit.audit.operation import Operation, OperationState
from cropkit.audit.reader import TrailReader
from cropkit.batch.plan import Item, Plan
from cropkit.errors import CropkitError
from cropkit.records import Status, are_credentials_lost
from cropkit.runs.record import OVERTAKEN, UNFINISHED, WELL, Entry, RunRecord

_WITHDRAWN = (Status.SUPERSEDED.value, Status.RESTORED.value)


def begun(plan: Plan, session: str, parameters: Mapping[str, Any]) -> RunRecord:
    """Begin the record of a run: everything that is planned, and nothing done."""
    refused = [
        Entry(unread.path, "", status=Status.REFUSED.value, **_error(unread.error))
        for unread in plan.unread
    ]
    return RunRecord(
        folder=str(plan.folder),
        source=plan.source.value,
        parameters=dict(parameters),
        session=session,
        started_at=clock.written(clock.now()),
        destination=plan.placement.folder,
        entries=(*(_planned(item) for item in plan.items), *refused),
        passed=tuple((passed.path, passed.reason) for passed in plan.passed),
        problems=tuple((problem.path, problem.reason) for problem in plan.problems),
        part=plan.part,
        promised=plan.promised,
    )


def judged(run: RunRecord, trail: TrailReader, size_of: Callable[[str], int | None]) -> RunRecord:
    """Return the record with what the trail says of each item.

    Parameters
    ----------
    size_of : bytes of the file that has a name now
    """
    trail_rows = _TrailRows(
        {row["id"]: row for row in trail.decisions.table()},
        {operation.id: operation for operation in trail.operations.finished()},
        trail.decisions.standing_paths(),
    )
    entries = [_ended(entry, trail_rows, size_of) for entry in run.entries]
    return replace(run, entries=tuple(entries))


@dataclass(frozen=True, slots=True)
class _TrailRows:
    """What the trail holds: rows of decisions, finished operations, images decided about."""

    rows: Mapping[str, Mapping[str, Any]]
    done: Mapping[str, Operation]
    standing: Collection[str]


def _planned(item: Item) -> Entry:
    decision = item.decision
    suggestion, suggested = decision.suggestion, decision.suggested
    entry = Entry(
        path=decision.path,
        verdict=decision.verdict.value,
        decision=decision.id,
        target=item.target,
        size=(decision.size.width, decision.size.height),
        box=decision.box.xyxy if decision.box else None,
        suggested=suggested.xyxy if suggested else None,
        suggestion_source=suggestion.source if suggestion else None,
        confidence=suggestion.confidence if suggestion else None,
        iou=decision.iou,
        sha256_before=decision.sha256,
        bytes_before=item.size_bytes,
        slot=decision.slot,
        aim=decision.target,
        copied=item.is_copy,
    )
    if item.error is not None and not item.recorded:
        return replace(entry, decision=None, status=item.error.status, **_error(item.error))
    return entry


def _error(error: CropkitError) -> dict[str, Any]:
    return {"code": error.code, "message": _message(error), "cure": error.cure or None}


def _message(error: CropkitError) -> str:
    return str(error).removesuffix(f". {error.cure}") if error.cure else str(error)


def _ended(entry: Entry, trail_rows: _TrailRows, size_of: Callable[[str], int | None]) -> Entry:
    if entry.decision is None:
        return entry
    row = trail_rows.rows.get(entry.decision)
    if row is None:  # never recorded: somebody else decided, or the run did not come so far
        return replace(entry, status=OVERTAKEN if entry.path in trail_rows.standing else UNFINISHED)
    operation = trail_rows.done.get(row["operation"] or "")
    status = _status(row, operation)
    ended = replace(
        entry,
        status=status,
        code=row["code"],
        **_split_cure(row["code"], row["message"]),
        ended_at=None if status == UNFINISHED else row["updated_at"],
    )
    if operation is None:
        return ended
    return replace(
        ended,
        operation=operation.id,
        session=operation.session,
        target=operation.target,
        box=tuple(operation.report.get("box_applied") or ()) or entry.box,
        sha256_after=operation.sha256_after,
        degraded=operation.report.get("degraded"),
        kept=tuple(operation.report.get("kept") or ()),
        patched=tuple(operation.report.get("patched") or ()),
        dropped=tuple((part, why) for part, why in operation.report.get("dropped") or ()),
        without_credentials=are_credentials_lost(operation.report.get("dropped", ())),
        bytes_after=size_of(operation.target),
    )


def _status(row: Mapping[str, Any], operation: Operation | None) -> str:
    status = str(row["status"])
    if status in _WITHDRAWN:
        return OVERTAKEN
    if status == Status.WAITING.value:
        return UNFINISHED
    if status in WELL and (operation is None or operation.state is not OperationState.DONE):
        return UNFINISHED  # said to be done, and no operation proves it
    return status


def _split_cure(code: str | None, message: str | None) -> dict[str, Any]:
    kind = getattr(errors, code or "", None)
    cure = getattr(kind, "cure", "") or None
    text = message.removesuffix(f". {cure}") if message and cure else message
    return {"message": text, "cure": cure}
