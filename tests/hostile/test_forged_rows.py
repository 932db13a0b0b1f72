"""The tables are what the trail leads to: a row that was changed, removed or added is named."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pictures
import pytest
from deciding import decided
from trails import change

from cropkit.audit.schema import metadata
from cropkit.cli import main
from cropkit.collection import Collection, rebuild
from cropkit.engine import outputs, recut_sets
from cropkit.engine.fsck import Difference
from cropkit.geometry import PixelBox
from cropkit.records import Status
from cropkit.system.home import DATABASE, EXPORT

BOX = PixelBox(10, 20, 60, 90)
# what is in the tables and in no event: numbers of rows, and when something was planned
NOT_TOLD = {"seq", "planned_at", "state"}  # a state is mended by whoever opens
TABLES = ("decision", "queue", "operation", "setting")
OTHER = {
    "sha256": "f" * 64,
    "before": "f" * 64,
    "after": "f" * 64,
    "verdict": "accept",
    "kind": "reject",
    "decided_at": "2031-01-01T00:00:00.000000Z",
    "shown_at": "2001-01-01T00:00:00.000000Z",
    "settled_at": "2001-01-01T00:00:00.000000Z",
    "updated_at": "2001-01-01T00:00:00.000000Z",
    "iou": 0.5,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection with a crop, a crop undone, a setting and a decision that waits."""
    folder = pictures.write_folder(tmp_path_factory.mktemp("made") / "collection")
    with Collection(folder) as collection:
        collection.choose(collection.options.from_settings({"jpeg": "exact"}))
        collection.crop("a_stage2.png", BOX)
        collection.crop("b_stage2.png", BOX)
        collection.undo("b_stage2.png")
        decided(collection, "d.jpg")
        assert collection.fsck() == []
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it, which is a collection, too, for each test."""
    return pictures.copied(made, tmp_path / "collection")


def columns(table: str) -> list[str]:
    return [column.name for column in metadata.tables[table].columns]


def differences(folder: Path) -> list[Difference]:
    with Collection(folder) as collection:
        return collection.fsck()


FIELDS = [(t, name) for t in TABLES for name in columns(t) if name not in NOT_TOLD]


@pytest.mark.parametrize(("table", "name"), FIELDS)
def test_a_field_that_was_changed_is_named(folder: Path, table: str, name: str) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        first = f"rowid = (SELECT min(rowid) FROM {table})"  # noqa: S608  (names of ours)
        ((value,),) = db.execute(f"SELECT {name} FROM {table} WHERE {first}").fetchall()  # noqa: S608
    other = OTHER.get(name, value + 1 if isinstance(value, int | float) else "other")
    if name == "plan":
        other = json.dumps(json.loads(value) | {"report": {"kept": ["nothing"]}})
    if name == "status":
        other = "rejected"
    if table == "setting" and name == "value":
        other = "lossless"
    if name in ("id", "owner"):
        other = "e" * 32
    assert other != value
    assert change(folder, f"UPDATE {table} SET {name} = ? WHERE {first}", other) == 1  # noqa: S608
    found = [each for each in differences(folder) if each.kind == "audit"]
    assert found, (table, name, value)
    assert any(table in each.reason or "operation" in each.reason for each in found)


@pytest.mark.parametrize("table", TABLES)
def test_rows_that_were_removed_are_named(folder: Path, table: str) -> None:
    number = change(folder, f"DELETE FROM {table}")  # noqa: S608  (a name of ours)
    found = [each for each in differences(folder) if "is not in the database" in each.reason]
    assert len([each for each in found if each.reason.startswith(table)]) == number > 0


def test_a_row_that_was_added_is_named(folder: Path) -> None:
    names = ", ".join(name for name in columns("decision") if name not in ("seq", "id"))
    copy = f"INSERT INTO decision (id, {names}) SELECT 'e', {names} FROM decision LIMIT 1"  # noqa: S608
    change(folder, copy)
    (difference,) = differences(folder)
    assert "decision e is not in the trail" in difference.reason


def test_what_differs_from_the_trail_is_mended_from_it(folder: Path) -> None:
    change(folder, "DELETE FROM queue")
    change(folder, "UPDATE operation SET undone_by = ?", "f" * 32)
    assert differences(folder)
    rebuild(folder)
    assert differences(folder) == []
    with Collection(folder) as collection:
        assert collection.undo("a_stage2.png")[0].ok


@pytest.mark.parametrize("damage", [b"x", b'{"seq": 5}\n', b""])
def test_an_export_that_could_not_be_used_is_named_and_mended(folder: Path, damage: bytes) -> None:
    path = folder / EXPORT
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], damage, *lines[5:]]))
    (difference,) = differences(folder)
    assert difference.path == "trail.jsonl"
    assert "line 5" in difference.reason
    path.rename(folder.parent / "damaged.jsonl")
    assert differences(folder) == []
    rebuild(folder)
    assert differences(folder) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE operation SET before = (SELECT sha256 FROM decision WHERE path = 'b_stage2.png')",
        "UPDATE operation SET source = 'c.jpg', target = 'c.jpg'",
        "UPDATE operation SET plan = replace(plan, '\"mode\": ', '\"mode\": 1')",
        "UPDATE operation SET kind = 'reject'",
    ],
)
def test_undo_brings_back_only_what_the_trail_tells(folder: Path, statement: str) -> None:
    everything = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    change(folder, f"{statement} WHERE source = 'a_stage2.png'")
    with Collection(folder) as collection:
        (operation,) = collection.trail.operations.undoable()
        (result,) = collection.undo_operation(operation.id)
        assert (result.status, result.code) == (Status.REFUSED, "TrailDisagrees")
        assert "fsck --rebuild" in (result.message or "")
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == everything
    rebuild(folder)
    with Collection(folder) as collection:
        assert collection.undo("a_stage2.png")[0].ok


@pytest.mark.parametrize("table", ["decision", "operation"])
def test_rows_of_an_image_in_another_order_are_named(folder: Path, table: str) -> None:
    with Collection(folder) as collection:
        collection.crop("b_stage2.png", BOX)
    change(folder, f"UPDATE {table} SET seq = 99 WHERE seq = 2")  # noqa: S608  (a name of ours)
    (difference,) = differences(folder)
    assert difference.path == "b_stage2.png"
    assert "place in the order" in difference.reason


def test_of_operations_under_way_at_once_either_may_end_first(folder: Path) -> None:
    change(folder, "UPDATE operation SET seq = 99 WHERE source = 'a_stage2.png'")
    assert differences(folder) == []


def test_an_operation_that_never_was_is_named(folder: Path) -> None:
    names = ", ".join(name for name in columns("operation") if name not in ("seq", "id", "state"))
    row = f"SELECT '{'e' * 32}', 'aborted', {names} FROM operation LIMIT 1"  # noqa: S608
    change(folder, f"INSERT INTO operation (id, state, {names}) {row}")
    (difference,) = differences(folder)
    assert "is not in the trail" in difference.reason


@pytest.mark.parametrize("name", ["kind", "host", "reviewer", "started_at", "ended_how"])
def test_a_session_that_was_changed_is_named(folder: Path, name: str) -> None:
    change(folder, f"UPDATE session SET {name} = 'other'")  # noqa: S608  (a name of ours)
    assert any("session" in each.reason for each in differences(folder))


FORGED: list[dict[str, object]] = [
    {"seq": None},
    {"other": 1},
    {"seq": 10**30},
    {"seq": "1"},
    {"at": "\ud800"},
    {"at": 10**30},
    {"body": "[]"},
    {"body": "x"},
    {"path": 5},
    {"event": ["a"]},
    {"event": "session-started", "body": '{"other": 1}'},
    {"event": "cropped", "body": "{}"},
]


@pytest.mark.parametrize("facts", FORGED, ids=str)
@pytest.mark.parametrize("command", ["recover", "fsck", "fsck --rebuild", "history"])
def test_a_forged_export_ends_no_command_with_a_traceback(
    folder: Path, facts: dict[str, object], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / EXPORT
    *lines, last = path.read_text("utf-8").splitlines()
    row = json.loads(last) | facts
    if row["seq"] is None:
        del row["seq"]
    fields = {name: value for name, value in row.items() if name not in ("hash", "other")}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    row["hash"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text("\n".join([*lines, json.dumps(row)]) + "\n", "utf-8")
    name, *options = command.split()
    assert main([name, str(folder), *options]) in (0, 1)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("value", ["[" * 100_000, "{", '{"a": 1}', "7", "[7, null]", '["../out"]'])
@pytest.mark.parametrize("name", [outputs.SETTING, recut_sets.SETTING])
def test_a_setting_that_lists_nothing_of_ours_lists_nothing(
    folder: Path, name: str, value: str
) -> None:
    columns = "(name, value, updated_at)"
    now = "2026-01-01T00:00:00.000000Z"
    change(folder, f"INSERT OR REPLACE INTO setting {columns} VALUES (?, ?, ?)", name, value, now)  # noqa: S608  (names of ours)
    with Collection(folder) as collection:
        assert collection.images()
        assert outputs.known(collection.trail.settings()) == ()
        assert recut_sets.known(collection.trail.settings()) == ()
