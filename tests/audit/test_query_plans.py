"""What people do all day costs as much after a hundred thousand crops as after ten.

Held by what SQLite says of each statement: none reads a table that grows with the collection. What
may be read as a whole is an index over what is open, waits or stands, from its end.
"""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pictures
import pytest
from deciding import decided
from shell import run
from sqlalchemy import Engine, event
from trails import cut_off

from cropkit.audit import decisions
from cropkit.audit.decision_reader import Changed
from cropkit.audit.reader import TrailReader
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.system.files import Root

GROWS = ("operation", "other", "decision", "queue", "audit", "claim", "problem", "session")
# The end of a list that is kept in order.
FROM_THE_END = (
    *("operations_to_undo", "operations_to_redo", "crops", "waiting"),
    *("sessions_by_work", "sessions_in_order", "runs_in_order"),
)
# What is counted over an index alone, at the end of a session or in a look.
COUNTED = tuple(
    f"COVERING INDEX {each}" for each in ("standing_by_status", "originals_needed", "purges")
)
# What is rare: a look tells of each.
RARE = ("recoveries", "acknowledgements", "runs_not_ended", "sessions_degraded")
OTHER, IMAGE, BOX = "a_stage2.png", "b_stage2.png", PixelBox(2, 2, 40, 40)

Statement = tuple[str, Any]


def shell(*words: str) -> Callable[[Path], object]:
    def run_it(folder: Path) -> None:
        done = run(*(word.replace("FOLDER", str(folder)) for word in words))
        assert done.returncode == 0, done.stderr

    return run_it


def by_id(folder: Path) -> None:
    with Collection(folder) as collection:
        operation = collection.crop(IMAGE, PixelBox(1, 1, 9, 9)).operation
        collection.undo_operation(str(operation))


DAILY: dict[str, Callable[[Path], object]] = {
    "crop": shell("crop", "FOLDER/b_stage2.png", "--box", "3,3,30,30"),
    "undo of an image": shell("undo", "FOLDER", IMAGE),
    "undo of the last": shell("undo", "FOLDER"),
    "redo": shell("undo", "FOLDER", "--redo"),
    "redo of an image": shell("undo", "FOLDER", IMAGE, "--redo"),
    "undo by its id": by_id,
    "history of an image": shell("history", "FOLDER", IMAGE),
    "a look": shell("health", "FOLDER"),
    "an original": shell("undo", "FOLDER", IMAGE, "--to", "FOLDER/../original.png"),
}


@contextmanager
def statements() -> Iterator[list[Statement]]:
    """Collect what is asked of any database meanwhile."""
    asked: list[Statement] = []

    def note(_connection: Any, _cursor: Any, text: str, values: Any, *_: Any) -> None:
        asked.append((text, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def plan(db: sqlite3.Connection, statement: Statement) -> list[str]:
    text, values = statement
    one = values[0] if isinstance(values, list) else values
    return [str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {text}", one)]


def grows(text: str, step: str) -> bool:
    """Whether a step of a plan takes as long as a table is."""
    scanned = re.match(r"SCAN (\w+)", step)
    if scanned is None or scanned[1] not in (*GROWS, *(f"{each}_1" for each in GROWS)):
        return False
    # the first event, or from the newest on, over a few kinds at most
    an_end = re.search(r"ORDER BY (audit\.)?seq( DESC)?\s+LIMIT", text)
    limited = an_end and ("WHERE" not in text or " NOT IN " in text)
    from_the_end = "LIMIT" in text and step.endswith(FROM_THE_END)
    return not (limited or from_the_end or step.endswith(COUNTED + RARE))


@pytest.fixture
def worked(tmp_path: Path) -> Path:
    """Make a collection with crops and an undo."""
    folder = pictures.write_folder(tmp_path / "collection")
    with Collection(folder) as collection:
        for name in (OTHER, IMAGE):
            collection.crop(name, PixelBox(0, 0, 60, 60))
        collection.crop(IMAGE, BOX)
        collection.undo(IMAGE)
        collection.crop(OTHER, BOX)
        collection.undo(OTHER)
    return folder


@pytest.mark.parametrize("name", DAILY)
def test_nothing_that_grows_is_read_as_a_whole(name: str, worked: Path) -> None:
    with statements() as asked:
        DAILY[name](worked)
    assert read_as_a_whole(worked, asked) == set()


def read_as_a_whole(folder: Path, asked: list[Statement]) -> set[str]:
    questions = [each for each in asked if re.match(r"\s*(SELECT|UPDATE|DELETE)", each[0])]
    assert len(questions) > 3
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db")) as db:
        return {
            f"{step}: {text}"
            for text, values in questions
            if "sqlite_master" not in text and "pragma_" not in text
            for step in plan(db, (text, values))
            if grows(text, step)
        }


def test_what_the_trail_tells_of_an_open_operation_is_asked_of_indices(worked: Path) -> None:
    cut_off(worked, "c.jpg")
    with statements() as asked, TrailReader(Root(worked)) as trail:
        assert len(trail.operations.vouched()) == 1
        assert trail.operations.left_alone() == []
    assert any("UNION ALL" in text for text, _ in asked)
    assert read_as_a_whole(worked, asked) == set()


def _is_of_image(statement: Statement) -> bool:
    return " IN " not in statement[0]


def test_what_the_trail_tells_of_a_decision_is_asked_of_an_index(worked: Path) -> None:
    deeper = worked / "part" / "deeper"
    deeper.mkdir(parents=True)
    shutil.copy(worked / OTHER, deeper / OTHER)
    with Collection(worked) as collection:
        wanted = decided(collection, f"part/deeper/{OTHER}", box=BOX)
        with statements() as asked:
            assert collection.trail.decisions.compared(wanted).disagreement is None
    of_audit = [each for each in asked if "FROM audit" in each[0]]
    assert len(of_audit) == 2  # of the image, and of the folders that a merge may have brought
    with closing(sqlite3.connect(worked / ".cropkit" / "cropkit.db")) as db:
        of_merges, of_image = (plan(db, each) for each in sorted(of_audit, key=_is_of_image))
    assert len(of_image) == 1  # in the index's own order, so that it is read to its first alone
    assert all("ix_audit_path" in step for step in (of_image[0], of_merges[0]))


def test_a_chunk_of_images_is_asked_about_over_an_index(worked: Path) -> None:
    with statements() as asked, TrailReader(Root(worked)) as trail:
        standing, unreadable = trail.decisions.looked_through_of((OTHER, IMAGE, "unknown.png"))
    assert {each.path for each in standing} == {OTHER, IMAGE}
    assert unreadable == []
    [question] = (each for each in asked if "decision.path" in each[0])
    with closing(sqlite3.connect(worked / ".cropkit" / "cropkit.db")) as db:
        steps = plan(db, question)
    assert any("ix_queue_path (path=?)" in step for step in steps)
    assert not any(grows(question[0], step) for step in steps)


def test_the_opinions_of_a_content_are_asked_of_an_index(worked: Path) -> None:
    with statements() as asked, TrailReader(Root(worked)) as trail:
        [row, *_] = (row for row in trail.decisions.table() if row["path"] == OTHER)
        asked.clear()
        with trail.store.reading() as db:
            assert decisions.of_content(db, OTHER, "", row["sha256"])
    [question] = asked
    with closing(sqlite3.connect(worked / ".cropkit" / "cropkit.db")) as db:
        steps = plan(db, question)
    assert any("ix_decision_path (path=?)" in step for step in steps)
    assert not any(grows(question[0], step) for step in steps)


def test_what_others_have_done_is_read_from_the_end_of_the_trail(worked: Path) -> None:
    with statements() as asked, TrailReader(Root(worked)) as trail:
        last = trail.decisions.last_event()
        assert trail.decisions.changed_after(last, "nobody") == Changed(last)
        last_two = trail.decisions.changed_after(last - 2, "nobody")
        assert (last_two.last, bool(last_two.images)) == (last, True)
    of_audit = [each for each in asked if "FROM audit" in each[0]]
    with closing(sqlite3.connect(worked / ".cropkit" / "cropkit.db")) as db:
        steps = [step for each in of_audit if "path" in each[0] for step in plan(db, each)]
    assert steps == ["SEARCH audit USING INTEGER PRIMARY KEY (rowid>?)"]


def test_a_plan_that_reads_all_is_noticed(worked: Path) -> None:
    with closing(sqlite3.connect(worked / ".cropkit" / "cropkit.db")) as db:
        for text in (
            "SELECT * FROM operation WHERE state = 'done'",
            "SELECT * FROM queue WHERE status = 'waiting' ORDER BY status",
            "SELECT * FROM audit WHERE event = 'cropped' ORDER BY seq DESC LIMIT 1",
        ):
            assert any(grows(text, step) for step in plan(db, (text, ())))


def test_what_is_noted_about_an_image_is_asked_of_an_index(worked: Path) -> None:
    with statements() as asked, TrailReader(Root(worked)) as trail:
        assert trail.notes(OTHER) == {}
    of_audit = [each for each in asked if "FROM audit" in each[0]]
    with closing(sqlite3.connect(worked / ".cropkit" / "cropkit.db")) as db:
        steps = [step for each in of_audit for step in plan(db, each)]
    assert steps
    assert all("ix_audit_path" in step for step in steps)
