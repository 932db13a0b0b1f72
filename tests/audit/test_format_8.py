"""A collection of format 8, in which nothing was turned, is brought up with everything in it.

`format_8/` was made by the code of then: a crop, one that was undone, a reject, and a decision that
waits.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pictures
import pytest

from cropkit.audit import schema
from cropkit.collection import Collection, rebuild
from cropkit.geometry import PixelBox, Turn
from cropkit.system.home import DATABASE, EXPORT

KEPT = Path(__file__).parent / "format_8"
OUTCOMES = [
    ("cropped.png", None, "cropped"),
    ("rejected.png", None, "rejected"),
    ("undone.png", None, "restored"),
    ("waits.png", None, "waiting"),
]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with the database and the export of then, and the image that waits."""
    (tmp_path / DATABASE).parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        database.executescript((KEPT / "cropkit.sql").read_text(encoding="utf-8"))
        database.execute("PRAGMA user_version=8")
    (tmp_path / EXPORT).write_bytes((KEPT / "trail.jsonl").read_bytes())
    pictures.write_png(tmp_path / "waits.png", pictures.photo(64, 96))
    return tmp_path


def outcomes(folder: Path) -> list[tuple[str, str | None, str]]:
    with Collection(folder) as collection:
        assert collection.trail.integrity.broken_links() == []
        assert collection.trail.integrity.disagreements() == []
        table = collection.trail.decisions.table()
        return sorted((row["path"], row["turn"], row["status"]) for row in table)


def test_it_is_brought_up_and_agrees_with_its_trail(old: Path) -> None:
    assert outcomes(old) == OUTCOMES
    with closing(sqlite3.connect(old / DATABASE)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


def test_its_export_makes_the_database_anew(old: Path) -> None:
    (old / DATABASE).unlink()
    rebuild(old)
    assert outcomes(old) == OUTCOMES


def test_no_line_of_its_export_changes(old: Path) -> None:
    outcomes(old)
    assert (old / EXPORT).read_bytes().startswith((KEPT / "trail.jsonl").read_bytes())


def test_a_decision_of_then_is_carried_out_as_it_is(old: Path) -> None:
    with Collection(old) as collection:
        (result,) = collection.apply_waiting()
        assert (result.status, result.turn) == ("cropped", "")


def test_only_an_event_of_a_turn_tells_of_one(old: Path) -> None:
    pictures.write_png(old / "cropped.png", pictures.photo(64, 96))
    with Collection(old) as collection:
        collection.crop("cropped.png", PixelBox(0, 0, 20, 20))
        collection.crop("waits.png", PixelBox(0, 0, 20, 20), turn=Turn.of(90))
        assert collection.trail.integrity.disagreements() == []
    lines = map(json.loads, (old / EXPORT).read_text("utf-8").splitlines())
    told = [json.loads(line["body"]).get("turn") for line in lines if line["event"] == "decided"]
    assert [turn for turn in told if turn is not None] == ["90"]
