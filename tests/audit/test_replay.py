"""The trail played again: together as one by one, and beside a database without growing with it."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pictures
import pytest
from deciding import BOX, decided, decision
from sqlalchemy import Connection, Engine, event, select
from trails import A, B, change

from cropkit.audit import pristine, replay, schema
from cropkit.audit.chain import body_of
from cropkit.collection import Collection
from cropkit.errors import AuditUnavailable
from cropkit.geometry import PixelBox
from cropkit.records import Verdict

SMALLER = PixelBox(1, 1, 30, 30)
Tables = dict[str, list[dict[str, Any]]]


def worked_on(folder: Path) -> None:
    """Let everything happen that leads to events, several of a kind after each other."""
    with Collection(folder) as kit:
        kit.decide([decision(kit, each, BOX) for each in (A, B, A, B)])  # two give way
        kit.apply_waiting()
        decided(kit, A, Verdict.SKIP, None)
        decided(kit, B, Verdict.REJECT, None)
        kit.undo(A)
        kit.crop(A, SMALLER)
        kit.crop(A, PixelBox(0, 0, 9, 9))
        kit.undo(A)
        kit.undo(A)
        kit.redo(A)
        kit.apply_waiting()
        kit.undo(everything=True)


def events_of(folder: Path) -> list[dict[str, Any]]:
    with Collection(folder) as kit:
        return kit.trail.events()


def tables_of(db: Connection) -> Tables:
    tables = (schema.decision, schema.queue, schema.operation, schema.session, schema.problem)
    queries = {table.name: select(table).order_by(*table.primary_key) for table in tables}
    return {name: [row._asdict() for row in db.execute(query)] for name, query in queries.items()}


@contextmanager
def played(how: Callable[[Connection], object]) -> Iterator[Tables]:
    with pristine.database() as db:
        db.exec_driver_sql("BEGIN")
        how(db)
        yield tables_of(db)
        db.exec_driver_sql("ROLLBACK")


@contextmanager
def calls() -> Iterator[list[str]]:
    """Collect each call of the database, be it for one row or for many."""
    made: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        made.append(text)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_events_that_are_played_together_lead_where_they_lead_one_by_one(folder: Path) -> None:
    worked_on(folder)
    events = events_of(folder)

    def one_by_one(db: Connection) -> None:
        for each in events:
            replay.play(db, each)

    def together(db: Connection) -> None:
        assert list(replay.faults(db, events)) == []

    with played(one_by_one) as singly, played(together) as at_once:
        assert at_once == singly
        assert {name: bool(rows) for name, rows in singly.items()} == {
            **dict.fromkeys(("decision", "queue", "operation", "session"), True),
            "problem": False,
        }


def test_of_events_that_are_played_together_the_bad_one_is_named(folder: Path) -> None:
    with Collection(folder) as kit:
        names = sorted(kit.images())[:3]
        kit.decide([decision(kit, each, BOX) for each in names])
    first, second, _ = (each for each in events_of(folder) if each["event"] == "decided")
    taken = body_of(second) | {"id": body_of(first)["id"]}
    statement = "UPDATE audit SET body = ? WHERE seq = ?"
    change(folder, statement, json.dumps(taken), second["seq"])
    with Collection(folder) as kit:
        wrong = [(each.table, each.path) for each in kit.trail.integrity.disagreements()]
    assert wrong == [("audit", names[1]), ("decision", names[1]), ("queue", names[1])]


def test_a_restore_is_not_played_before_what_it_undoes(folder: Path) -> None:
    with Collection(folder) as kit:
        kit.decide([decision(kit, A, BOX)])
        kit.apply_waiting()
        kit.undo(A)
    outcomes = [each for each in events_of(folder) if each["event"] in ("cropped", "restored")]
    before = [each for each in events_of(folder) if each["seq"] < outcomes[0]["seq"]]
    swapped = [each | {"event": "cropped"} for each in reversed(outcomes)]
    with pristine.database() as db:
        db.exec_driver_sql("BEGIN")
        faults = [event for event, _ in replay.faults(db, [*before, *swapped])]
        db.exec_driver_sql("ROLLBACK")
    assert faults == [swapped[0]]


def many(folder: Path, count: int) -> Path:
    """Make a trail of so many decisions in one transaction; their images need not be there."""
    pictures.write_folder(folder)
    with Collection(folder) as kit:
        one = decision(kit, A, BOX)
        kit.decide([replace(one, id=uuid4().hex, path=f"{n}.png") for n in range(count)])
    return folder


def test_what_is_played_costs_calls_by_stretches_and_not_by_events(tmp_path: Path) -> None:
    numbers = []
    for count in (30, 300):
        with Collection(many(tmp_path / str(count), count)) as kit, calls() as made:
            assert kit.trail.integrity.disagreements() == []
        numbers.append(len(made))
    assert numbers[0] == numbers[1]


def test_what_is_compared_is_read_side_by_side_and_not_kept(tmp_path: Path) -> None:
    peaks = []
    for count in (1000, 3000):
        with Collection(many(tmp_path / str(count), count)) as kit:
            tracemalloc.start()
            assert kit.trail.integrity.disagreements() == []
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] - peaks[0] < 2000 * 200, "bytes; a row that is kept has some 3,000"


def test_a_temporary_file_that_cannot_be_written_is_no_fault_of_the_trail(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(folder, 1000)

    @contextmanager
    def full() -> Iterator[Connection]:
        with real() as db:
            db.exec_driver_sql("PRAGMA max_page_count = 50")
            yield db

    real = pristine.temporary
    monkeypatch.setattr(pristine, "temporary", full)
    with (
        Collection(folder) as kit,
        pytest.raises(AuditUnavailable, match=r"temporary file: database or disk is full"),
    ):
        kit.trail.integrity.disagreements()
