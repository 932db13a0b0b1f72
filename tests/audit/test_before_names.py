"""What was written before names had an escape is read as it was, and its chain still holds.

`before_names/` was made by the code of then: two crops and an undo.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pictures
import pytest

from cropkit.collection import Collection, rebuild
from cropkit.geometry import PixelBox
from cropkit.system.home import DATABASE, EXPORT

KEPT = Path(__file__).parent / "before_names"
PLAIN, UNICODE = "plain.png", "grün ☃ 写真.png"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with the database and the export of then."""
    (tmp_path / DATABASE).parent.mkdir(mode=0o700)
    database = sqlite3.connect(tmp_path / DATABASE)
    database.executescript((KEPT / "cropkit.sql").read_text(encoding="utf-8"))
    database.execute("PRAGMA user_version=3")
    database.close()
    (tmp_path / EXPORT).write_bytes((KEPT / "trail.jsonl").read_bytes())
    return tmp_path


def outcomes(folder: Path) -> list[tuple[str, str]]:
    with Collection(folder) as collection:
        assert collection.trail.integrity.broken_links() == []
        states = [(row["path"], row["status"]) for row in collection.trail.decisions.table()]
        for name in (PLAIN, UNICODE):
            assert {event["path"] for event in collection.trail.events(name)} == {name}
    return sorted(states)


def test_an_old_database_reads_the_same(old: Path) -> None:
    assert outcomes(old) == [(UNICODE, "restored"), (PLAIN, "cropped")]


def test_an_old_export_makes_the_database_anew(old: Path) -> None:
    (old / DATABASE).unlink()
    rebuild(old)
    assert outcomes(old) == [(UNICODE, "restored"), (PLAIN, "cropped")]


def test_what_is_added_is_written_in_the_same_text(old: Path) -> None:
    for name in (PLAIN, UNICODE):
        pictures.write_png(old / name, pictures.photo(64, 96))
    with Collection(old) as collection:
        for name in (PLAIN, UNICODE):
            assert collection.crop(name, PixelBox(4, 8, 40, 60)).ok
    with closing(sqlite3.connect(old / DATABASE)) as database:
        sources = [one for (one,) in database.execute("SELECT source FROM operation ORDER BY seq")]
        cropped = database.execute(
            "SELECT path, body FROM audit WHERE event = 'cropped'"
        ).fetchall()
    assert sources == [PLAIN, UNICODE, UNICODE, PLAIN, UNICODE]
    assert [path for path, _ in cropped] == [PLAIN, UNICODE] * 2
    assert [json.loads(body)["target"] for _, body in cropped] == [PLAIN, UNICODE] * 2
    assert (old / EXPORT).read_bytes().startswith((KEPT / "trail.jsonl").read_bytes())
    assert outcomes(old)
