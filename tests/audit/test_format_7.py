"""A collection of format 7, in which an image had one crop, is brought up with everything in it.

`format_7/` was made by the code of then: a crop, one that was undone, a reject, and a decision that
waits.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pictures
import pytest

from cropkit.audit import schema
from cropkit.collection import Collection, rebuild
from cropkit.geometry import PixelBox
from cropkit.system.home import DATABASE, EXPORT

KEPT = Path(__file__).parent / "format_7"
OUTCOMES = [
    ("cropped.png", "", "cropped"),
    ("rejected.png", "", "rejected"),
    ("undone.png", "", "restored"),
    ("waits.png", "", "waiting"),
]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with the database and the export of then, and the image that waits."""
    (tmp_path / DATABASE).parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        database.executescript((KEPT / "cropkit.sql").read_text(encoding="utf-8"))
        database.execute("PRAGMA user_version=7")
    (tmp_path / EXPORT).write_bytes((KEPT / "trail.jsonl").read_bytes())
    pictures.write_png(tmp_path / "waits.png", pictures.photo(64, 96))
    return tmp_path


def outcomes(folder: Path) -> list[tuple[str, str, str]]:
    with Collection(folder) as collection:
        assert collection.trail.integrity.broken_links() == []
        assert collection.trail.integrity.disagreements() == []
        table = collection.trail.decisions.table()
        return sorted((row["path"], row["slot"], row["status"]) for row in table)


def test_it_is_brought_up_and_agrees_with_its_trail(old: Path) -> None:
    assert outcomes(old) == OUTCOMES
    with closing(sqlite3.connect(old / DATABASE)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


def test_its_export_makes_the_database_anew(old: Path) -> None:
    (old / DATABASE).unlink()
    rebuild(old)
    assert outcomes(old) == OUTCOMES


def test_a_decision_of_then_is_carried_out_in_place(old: Path) -> None:
    with Collection(old) as collection:
        (result,) = collection.apply_waiting()
        assert (result.status, result.mode, result.slot) == ("cropped", "in-place", "")


def test_the_slots_of_an_image_are_decided_one_by_one(old: Path, tmp_path: Path) -> None:
    pictures.write_png(old / "cropped.png", pictures.photo(64, 96))
    with Collection(old, copy_to=tmp_path / "out") as collection:
        assert collection.crop("cropped.png", PixelBox(0, 0, 20, 20), slot="face").ok
        assert collection.trail.integrity.disagreements() == []
    assert outcomes(old)[:2] == [OUTCOMES[0], ("cropped.png", "face", "cropped")]
