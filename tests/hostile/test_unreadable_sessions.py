"""A session whose row cannot be read is named and counted; all that is told of the others stays."""

import json
from pathlib import Path

import pictures
import pytest
from deciding import decided
from shell import run
from trails import A, B, change, crop, rows

from cropkit.audit import sessions
from cropkit.collection import Collection, rebuild
from cropkit.monitor import reporting

NO_TEXT = b"\xc3"  # as a text
CELLS: tuple[tuple[str, object], ...] = (
    *((name, b"x") for name in ("kind", "host", "reviewer", "version", "started_at", "ended_how")),
    *((name, NO_TEXT) for name in ("id", "kind", "host", "reviewer", "version", "counts")),
    *((name, "yesterday") for name in ("started_at", "ended_at", "beat_at")),
    *(("counts", each) for each in ("{", "[]", "7", '{"cropped": "x"}', "[" * 100_000)),
    *(("counts", each) for each in ('{"degraded": [1]}', '{"degraded": {"box": "x"}}')),
)
COMMANDS = ("stats", "health", "fsck")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection with two sessions: the second one is whole, and had a crop to do."""
    folder = pictures.write_folder(tmp_path / "collection")
    crop(folder, A)
    with Collection(folder) as collection:
        decided(collection, B)
    return folder


def damage(folder: Path, column: str, value: object) -> str:
    """Spoil a cell of the first session; return how it is named."""
    (row, *_) = rows(folder, "SELECT rowid, id, kind FROM session ORDER BY started_at")
    new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
    statement = f"UPDATE session SET {column} = {new} WHERE rowid = ?"  # noqa: S608  (names of ours)
    assert change(folder, statement, value, row["rowid"]) == 1
    return "session without an id" if column == "id" else f"session {row['id']}"


@pytest.mark.parametrize("cell", CELLS, ids=lambda each: f"{each!r:.60}")
def test_a_session_that_cannot_be_read_stops_nothing(
    folder: Path, cell: tuple[str, object]
) -> None:
    named = damage(folder, *cell)
    for command in COMMANDS:
        ended = run(command, str(folder))
        assert ended.returncode == 1
        assert f"{named} (" in ended.stdout + ended.stderr
        assert "cannot be read: " in ended.stdout + ended.stderr
    assert run("apply", str(folder)).returncode == 0
    assert run("history", str(folder)).returncode == 0
    assert run("undo", str(folder), A).returncode == 0
    rebuild(folder)
    assert [run(command, str(folder)).returncode for command in COMMANDS] == [0, 0, 0]


def test_figures_go_on_without_it_and_count_it(folder: Path) -> None:
    whole = json.loads(run("stats", str(folder), "--json").stdout)
    named = damage(folder, "started_at", "yesterday")
    told = json.loads(run("stats", str(folder), "--json").stdout)
    (sentence,) = told.pop("unreadable")
    assert sentence.startswith(named)
    assert told == {name: value for name, value in whole.items() if name != "unreadable"}
    assert "in no figure: 1; `cropkit fsck` names each" in run("stats", str(folder)).stdout


def test_a_decision_that_cannot_be_read_is_counted_too(folder: Path) -> None:
    assert change(folder, "UPDATE decision SET decided_at = 'then' WHERE path = ?", B) == 1
    assert change(folder, "UPDATE decision SET width = 'x' WHERE path = ?", A) == 1
    told = json.loads(run("stats", str(folder), "--json").stdout)
    assert len(told["unreadable"]) == 1 + (told["unattended"] == 0)


def test_a_look_goes_on_with_all_else(folder: Path) -> None:
    damage(folder, "kind", b"x")
    (folder / ".cropkit" / "alerts.toml").write_text("[limits]\nidle = 1\nnothing = 7\n")
    (looked,) = json.loads(run("health", str(folder), "--json").stdout)["folders"]
    assert {"difference", "configuration"} <= {each["code"] for each in looked["alerts"]}
    assert looked["waiting"] == 1
    assert len(looked["sessions"]) == 1


def test_the_session_that_did_most_is_told_where_it_cannot_be_read(folder: Path) -> None:
    assert change(folder, "UPDATE operation SET before = 'x'") == 1
    (looked,) = json.loads(run("health", str(folder), "--json").stdout)["folders"]
    said = {each["code"]: each["said"] for each in looked["alerts"]}
    assert "the session that did most" in said["difference"]


@pytest.mark.parametrize("body", ["{", "[]", '{"alerts": 7}', '{"alerts": [7]}'])
def test_what_acknowledges_nothing_is_told(folder: Path, body: str) -> None:
    with Collection(folder) as collection:
        collection.trail.acknowledge({"alerts": ["vanished:x"]})
    assert change(folder, "UPDATE audit SET body = ? WHERE event = 'acknowledged'", body) == 1
    (looked,) = json.loads(run("health", str(folder), "--json").stdout)["folders"]
    codes = {each["code"] for each in looked["alerts"]}
    assert {"chain-broken", "difference"} <= codes


def test_who_ends_a_session_that_was_spoilt_is_told(folder: Path) -> None:
    with Collection(folder) as collection:
        collection.trail.choose({"drop": "motion"})
        change(folder, "UPDATE session SET host = x'00' WHERE id = ?", collection.session)
        alert = reporting.session_alert(folder, collection.session)
    assert alert is not None
    assert collection.session in alert.said


def test_a_deep_look_tells_of_an_old_one_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = damage(folder, "counts", '{"cropped": "x", "degraded": {}}')
    monkeypatch.setattr(sessions, "LATEST", 1)
    assert reporting.look(folder).ok
    (alert,) = reporting.look(folder, deep=True).alerts
    assert alert.code == "difference"
    assert named in alert.said


@pytest.mark.parametrize("name", ["trail.jsonl", "trail-000001.jsonl.gz"])
def test_a_deep_look_tells_of_a_damaged_export(folder: Path, name: str) -> None:
    with Collection(folder) as collection:
        collection.trail.store.rotate(3, least=0)
    path = folder / ".cropkit" / name
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    (alert,) = reporting.look(folder, deep=True).alerts
    assert alert.said.startswith(f"{name}: ")
    assert "move trail.jsonl and all of trail-*.jsonl.gz away" in alert.said
    for part in (folder / ".cropkit").glob("trail*"):
        part.rename(folder.parent / part.name)
    Collection(folder).close()
    assert reporting.look(folder, deep=True).ok
