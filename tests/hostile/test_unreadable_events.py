"""An event that cannot be read is named; all the others are told, and so is all else."""

import json
from pathlib import Path

import pictures
import pytest
from shell import run
from trails import A, B, change, crop, rows

from cropkit.collection import rebuild
from cropkit.system.home import EXPORT

NO_TEXT = b"\xc3"  # as a text
COLUMNS = ("at", "session", "event", "path", "operation", "body", "previous", "hash")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = pictures.write_folder(tmp_path / "collection")
    for name in (A, B):
        crop(folder, name)
    return folder


def damage(folder: Path, column: str, value: object) -> None:
    new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
    statement = f"UPDATE audit SET {column} = {new} WHERE seq = 3"  # noqa: S608  (names of ours)
    assert change(folder, statement, value) == 1


@pytest.mark.parametrize("value", [NO_TEXT, b"\x00\xff"])
@pytest.mark.parametrize("column", COLUMNS)
def test_an_event_that_cannot_be_read_stops_no_other(
    folder: Path, column: str, value: object
) -> None:
    damage(folder, column, value)
    (folder / B).write_bytes(b"edited")
    ended = run("history", str(folder), "--json")
    told = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert [event["seq"] for event in told["events"]] == [1, 2, 4, 5, 6, 7, 8]
    assert told["lost"][0].startswith("event 3 cannot be read: ")
    ended = run("fsck", str(folder))
    assert ended.returncode == 1
    assert "audit: cropkit.db: event 3 cannot be read: " in ended.stderr
    assert f"changed: {B}: content" in ended.stderr
    told_by_hash = "`cropkit fsck FOLDER --rebuild` takes the export's" in ended.stderr
    assert told_by_hash == (column == "hash")
    assert "move trail.jsonl" not in ended.stderr
    assert run("health", str(folder)).returncode == 1
    assert run("stats", str(folder)).returncode == 0
    rebuild(folder)
    assert run("history", str(folder)).returncode == 0
    assert len(rows(folder, "SELECT seq FROM audit")) == 8


@pytest.mark.parametrize("body", ["{", "[]", "7", "null"])
def test_an_event_that_tells_nothing_is_left_out_of_the_history(folder: Path, body: str) -> None:
    damage(folder, "body", body)
    ended = run("history", str(folder))
    assert ended.returncode == 1
    assert "event 3 cannot be read: " in ended.stderr
    assert ended.stdout.count("\n") == 7


def test_what_was_changed_in_the_database_is_taken_from_the_export(folder: Path) -> None:
    damage(folder, "hash", "0" * 64)
    before = (folder / EXPORT).read_bytes()
    assert "takes the export's" in run("fsck", str(folder)).stderr
    rebuild(folder)
    assert run("fsck", str(folder)).returncode == 0
    assert (folder / EXPORT).read_bytes() == before
