"""An open operation is carried out only for whoever planned it; every other one is left alone."""

import json
from collections.abc import Callable
from hashlib import sha256
from itertools import product
from pathlib import Path

import pictures
import pytest
from faults import as_first_format_6, as_format_1, as_format_5, as_format_6, contents
from shell import run
from trails import BOX, A, B, Row, change, crop, cut_off, rows, vouch

from cropkit.audit import keys
from cropkit.audit.keys import Key
from cropkit.audit.operation import OPEN_STATES, OperationKind
from cropkit.audit.schema import VERSION
from cropkit.audit.vouching import Voucher
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import Busy, CropkitError
from cropkit.system.home import kept, staged

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]
ALONE = "left alone, since"
C = "c.jpg"
STATES = [str(state) for state in OPEN_STATES]
COLUMNS = ("state", "owner", "session", "decision", "undoes", "source", "target", "before")


@pytest.fixture(autouse=True)
def _mine(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.delenv("CROPKIT_KEY", raising=False)
    be(tmp_path / "mine", monkeypatch)


def be(state: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(state))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection that is mine."""
    folder = pictures.write_folder(tmp_path / "collection")
    crop(folder, A)
    return folder


def plant(folder: Path, **columns: object) -> Row:
    """Write an operation of a dead owner's, as an enemy would, with claims on its names."""
    content = sha256((folder / B).read_bytes()).hexdigest()
    plan: Row = {"box": None, "companions": [], "attributes": None, "report": {}}
    row: Row = {
        "id": "a" * 32,
        "kind": "crop",
        "state": "prepared",
        "owner": "b" * 32,
        "session": "s",
        "source": B,
        "target": B,
        "before": content,
        "after": content,
        "plan": json.dumps(plan),
        "planned_at": "2026-01-01T00:00:00.000000Z",
        **columns,
    }
    put_back(folder, row)
    return row


def put_back(folder: Path, row: Row) -> None:
    marks = ", ".join("?" for _ in row)
    statement = f"INSERT OR REPLACE INTO operation ({', '.join(row)}) VALUES ({marks})"  # noqa: S608  (columns of ours)
    assert change(folder, statement, *row.values()) == 1


def a_move_whose_target_is_there(folder: Path, **columns: object) -> None:
    """Write one that recovery would carry on: the target holds its content, so the source goes."""
    (folder / "moved.png").write_bytes((folder / B).read_bytes())
    plant(folder, target="moved.png", **columns)


def opened(folder: Path) -> Row:
    (row,) = rows(folder, "SELECT * FROM operation WHERE state NOT IN ('done', 'aborted')")
    return row


def is_left_alone(folder: Path, why: str) -> None:
    """No file and no row changes, the rest works, and everybody is told."""
    row, before = opened(folder), contents(folder)
    for options in ({}, {"conflicts": True}):
        with Collection(folder) as collection:
            (notice,) = [each for each in collection.trail.notices if ALONE in each]
            assert f"{ALONE} {why}" in notice
            assert row["source"] in notice
            assert collection.recovered == []
            assert collection.recover(**options) == []
            if options:
                assert collection.crop(C, BOX).ok
                assert collection.undo(C)[0].ok
                found = [each for each in collection.fsck() if each.kind == "unvouched"]
                assert [each.path for each in found] == [row["source"]]
    assert contents(folder) == before
    assert opened(folder) == row
    health = run("health", str(folder), "--json")
    (looked,) = json.loads(health.stdout)["folders"]
    codes = [alert["code"] for alert in looked["alerts"]]
    assert codes.count("unvouched") == 1
    assert not {"unsettled", "conflict"} & set(codes)


# -- what an enemy wrote ---------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "state"), list(product(OperationKind, STATES)))
def test_a_planted_operation_is_left_alone(folder: Path, kind: OperationKind, state: str) -> None:
    a_move_whose_target_is_there(folder, kind=str(kind), state=state)
    is_left_alone(folder, "no key vouches for it")


def test_a_planted_operation_in_place_is_left_alone(folder: Path) -> None:
    original = next((folder / ".cropkit" / "originals").iterdir()).name
    now = sha256((folder / A).read_bytes()).hexdigest()
    plant(folder, state="aborting", source=A, target=A, before=original, after=now)
    is_left_alone(folder, "no key vouches for it")


def test_who_has_the_key_could_have_planned_it(folder: Path) -> None:
    """The measure of the tests here: the same row, vouched for, is carried on."""
    a_move_whose_target_is_there(folder)
    vouch(folder)
    with Collection(folder) as collection:
        assert [each.path for each in collection.recovered] == [B]
    assert not (folder / B).exists()


@pytest.mark.parametrize("mac", ["", "f" * 64, "é", "x" * 1000])
def test_a_mac_that_nobody_made_vouches_for_nothing(folder: Path, mac: str) -> None:
    a_move_whose_target_is_there(folder, key=keys.of_person().id, mac=mac)
    is_left_alone(folder, "your key vouched for another one")


@pytest.mark.parametrize("key", ["unsigned", "0123456789abcdef", "é" * 100])
def test_a_key_that_is_not_mine_vouches_for_nothing(folder: Path, key: str) -> None:
    a_move_whose_target_is_there(folder, key=key, mac="")
    is_left_alone(folder, f"the key {key:.16} that is said to vouch for it is not yours")


def test_a_mac_of_the_trail_is_none_of_an_operation(folder: Path) -> None:
    (seal,) = rows(folder, "SELECT key, mac FROM seal ORDER BY number DESC LIMIT 1")
    a_move_whose_target_is_there(folder, **seal)
    is_left_alone(folder, "your key vouched for another one")


@pytest.mark.parametrize("column", [*COLUMNS, "plan", "kind", "after"])
def test_an_operation_that_was_changed_is_left_alone(folder: Path, column: str) -> None:
    cut_off(folder, B)
    others = {
        "state": "aborting",
        "owner": "c" * 32,
        "kind": "reject",
        "target": "elsewhere.png",
        "before": "d" * 64,
        "after": "d" * 64,
        "plan": opened(folder)["plan"] + " ",
    }
    change(
        folder,
        f"UPDATE operation SET {column} = ? WHERE state = 'prepared'",  # noqa: S608  (a column of ours)
        others.get(column, "x"),
    )
    is_left_alone(folder, "your key vouched for another one")


def test_an_operation_of_another_collection_of_mine_is_left_alone(
    folder: Path, tmp_path: Path
) -> None:
    other = pictures.write_folder(tmp_path / "other")
    crop(other, A)
    cut_off(other, B)
    row = opened(other)
    del row["seq"]
    put_back(folder, row)
    (folder / kept(row["before"])).write_bytes((folder / B).read_bytes())
    is_left_alone(folder, "your key vouched for another one")
    with Collection(other) as collection:
        assert [each.path for each in collection.recovered] == [B]


# -- a row that was put back -----------------------------------------------------------------------


def test_a_row_of_what_was_taken_back_is_left_alone_when_it_is_put_back(folder: Path) -> None:
    cut_off(folder, B)
    row = opened(folder)
    with Collection(folder) as collection:
        assert [each.outcome for each in collection.recovered] == ["aborted"]
    put_back(folder, row)
    is_left_alone(folder, "the trail tells how it ended")
    is_cured_by_a_rebuild(folder)


def test_a_row_of_what_was_done_is_left_alone_when_it_is_put_back(folder: Path) -> None:
    cut_off_after_its_switch(folder)
    row = opened(folder)
    with Collection(folder) as collection:
        assert [each.outcome for each in collection.recovered] == ["done"]
        assert collection.undo(B)[0].ok
    put_back(folder, row)
    is_left_alone(folder, "the trail tells how it ended")
    is_cured_by_a_rebuild(folder)


def cut_off_after_its_switch(folder: Path) -> None:
    """Let a crop die when its name stands for it: recovery carries it on."""
    cut_off(folder, B)
    row = opened(folder)
    (folder / staged(row["id"])).replace(folder / B)


def is_cured_by_a_rebuild(folder: Path) -> None:
    """Nobody can adopt it: what the trail tells is the cure."""
    ended = run("adopt", str(folder), "--yes")
    assert "it is yours already" in ended.stderr
    assert ALONE in ended.stdout
    assert run("fsck", str(folder)).returncode == 1
    assert run("fsck", str(folder), "--rebuild").returncode == 0
    with Collection(folder) as collection:
        assert collection.trail.notices == []
        assert collection.fsck() == []


def test_what_has_ended_is_not_adopted_with_the_rest(folder: Path) -> None:
    cut_off(folder, B)
    row = opened(folder)
    Collection(folder).close()
    put_back(folder, row)
    plant(folder)
    assert main(["adopt", str(folder), "--yes"]) == 0
    (event,) = rows(folder, "SELECT body FROM audit WHERE event = 'adopted'")
    assert json.loads(event["body"])["operations"] == ["a" * 32]
    with Collection(folder) as collection:
        assert [each.operation for each in collection.recovered] == ["a" * 32]
    assert opened(folder) == row


def test_a_row_of_an_ended_conflict_is_left_alone_when_it_is_put_back(folder: Path) -> None:
    row = in_conflict(folder)
    (folder / B).write_bytes((folder / kept(row["before"])).read_bytes())
    with Collection(folder) as collection:
        (settled,) = collection.recover(conflicts=True)
        assert settled.outcome == "aborted"
    put_back(folder, row)
    is_left_alone(folder, "the trail tells how it ended")


def in_conflict(folder: Path) -> Row:
    cut_off(folder, B)
    new = pictures.write_png(folder.parent / "new.png", pictures.photo(64, 64, 9))
    new.replace(folder / B)
    Collection(folder).close()
    row = opened(folder)
    assert row["state"] == "conflict"
    return row


def test_a_conflict_of_mine_goes_on_being_one(folder: Path) -> None:
    in_conflict(folder)
    with Collection(folder) as collection:
        assert collection.trail.notices == []
        assert [each.outcome for each in collection.recover(conflicts=True)] == ["conflict"]
        assert [each.kind for each in collection.fsck()] == ["conflict"]


# -- what is mine ----------------------------------------------------------------------------------


def test_a_crash_of_ones_own_is_settled_without_a_word(folder: Path) -> None:
    cut_off(folder, B)
    ended = run("crop", str(folder / B), "--box", "10,20,40,60")
    assert ended.returncode == 0
    assert ALONE not in ended.stderr
    assert run("fsck", str(folder)).returncode == 0


def test_nobody_vouches_for_what_has_ended(folder: Path) -> None:
    with Collection(folder) as collection:
        collection.undo(A)
        with pytest.raises(CropkitError):
            collection.crop("nothing.png", BOX)
    cut_off(folder, B)
    Collection(folder).close()
    states = {
        (row["state"], row["key"], row["mac"]) for row in rows(folder, "SELECT * FROM operation")
    }
    assert states == {("done", None, None), ("aborted", None, None)}


def test_what_is_under_way_is_nobodys_to_settle(folder: Path) -> None:
    with Collection(folder) as mine:
        plant(folder, owner=mine.trail.owner)
        with Collection(folder) as other:
            assert other.trail.notices == []
            assert other.recovered == []


# -- it is made one's own --------------------------------------------------------------------------


def is_adopted(folder: Path, capsys: Capture) -> None:
    """It is shown, then made one's own, then settled; nothing is left."""
    row = opened(folder)
    capsys.readouterr()
    assert main(["adopt", str(folder)]) == 0
    told = capsys.readouterr()
    assert ALONE in told.out
    assert f"would settle: crop of {row['source']} ({row['state']})" in told.out
    assert "nothing was done" in told.err
    assert opened(folder) == row
    assert main(["adopt", str(folder), "--yes"]) == 0
    (*_, body) = rows(folder, "SELECT body FROM audit WHERE event = 'adopted' ORDER BY seq")
    assert json.loads(body["body"])["operations"] == [row["id"]]
    with Collection(folder) as collection:
        assert collection.trail.notices == []
        assert [each.operation for each in collection.recovered] == [row["id"]]
        assert collection.fsck() == []
    assert main(["adopt", str(folder), "--yes"]) == 0
    assert "it is yours already" in capsys.readouterr().err


@pytest.mark.parametrize("older", [as_format_1, as_format_5, as_format_6, as_first_format_6])
def test_what_an_older_format_left_open_is_told_and_adopted(
    folder: Path, older: Callable[[Path], None], capsys: Capture
) -> None:
    cut_off(folder, B)
    older(folder)
    ended = run("crop", str(folder / "d.jpg"), "--box", "1,1,90,90")
    assert ended.returncode == 0, ended.stderr
    (line,) = [line for line in ended.stderr.splitlines() if ALONE in line]
    assert "`cropkit adopt FOLDER`" in line
    assert rows(folder, "PRAGMA user_version")[0]["user_version"] == VERSION
    is_left_alone(folder, "no key vouches for it")
    is_adopted(folder, capsys)


def test_the_command_that_recovers_tells_what_it_leaves(folder: Path) -> None:
    plant(folder)
    ended = run("recover", str(folder), "--json")
    assert ended.returncode == 1
    answer = json.loads(ended.stdout)
    assert (answer["recovered"], answer["conflicts"]) == ([], [])
    assert [ALONE in said for said in answer["left_alone"]] == [True]
    assert ended.stderr.count(ALONE) == 1


# -- others ----------------------------------------------------------------------------------------


def test_what_a_colleague_left_is_theirs_until_it_is_adopted(
    folder: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    be(tmp_path / "anna", monkeypatch)
    crop(folder, C)
    anna = keys.of_person().id
    be(tmp_path / "mine", monkeypatch)
    with Collection(folder) as collection:
        assert collection.undo(C)[0].ok
    for _ in range(2):
        be(tmp_path / "anna", monkeypatch)
        cut_off(folder, B)
        be(tmp_path / "mine", monkeypatch)
        is_left_alone(folder, f"the key {anna} that is said to vouch for it is not yours")
        with Collection(folder, deadline=0.1) as collection, pytest.raises(Busy):
            collection.crop(B, BOX)
        be(tmp_path / "anna", monkeypatch)
        with Collection(folder) as collection:
            assert [each.path for each in collection.recovered] == [B]
    be(tmp_path / "anna", monkeypatch)
    cut_off(folder, B)
    be(tmp_path / "mine", monkeypatch)
    is_adopted(folder, capsys)


def test_a_session_at_work_goes_on_where_a_colleague_was_killed(
    folder: Path, tmp_path: Path, monkeypatch: Patch
) -> None:
    with Collection(folder) as mine:
        mine.choose(mine.options)
        with monkeypatch.context() as as_anna:
            as_anna.setenv("XDG_STATE_HOME", str(tmp_path / "anna"))
            cut_off(folder, B)
        assert mine.crop(C, BOX).ok
        assert mine.recover() == []
    assert opened(folder)["state"] == "prepared"


def test_what_somebody_without_a_key_left_is_adopted(
    folder: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    with monkeypatch.context() as nowhere:
        nowhere.setattr("cropkit.system.personal_state.folder", lambda _environment=None: None)
        cut_off(folder, B)
        assert (opened(folder)["key"], opened(folder)["mac"]) == (None, None)
    is_left_alone(folder, "no key vouches for it")
    is_adopted(folder, capsys)


def test_who_can_keep_no_key_settles_what_is_open(folder: Path, monkeypatch: Patch) -> None:
    cut_off(folder, B)
    monkeypatch.setattr("cropkit.system.personal_state.folder", lambda _environment=None: None)
    with Collection(folder) as collection:
        assert [each.path for each in collection.recovered] == [B]
        assert collection.fsck() == []


def test_who_has_no_key_yet_is_vouched_for_by_nobody() -> None:
    row: Row = {"key": keys.NOBODY, "mac": ""}
    assert "is not yours" in Voucher(Key(comes=True), "").lack(row)
    assert Voucher(Key(), "").lack(row) == ""
