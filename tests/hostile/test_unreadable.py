"""An open operation whose row cannot be read is set aside and told; all the rest goes on."""

import json
from datetime import timedelta
from pathlib import Path

import pictures
import pytest
from deciding import decided
from faults import contents
from shell import run
from trails import BOX, A, B, Row, change, crop, cut_off, rows

from cropkit.audit import operations
from cropkit.audit.operation import Companion, Operation, OperationKind
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import Busy, NotMergeable
from cropkit.geometry import PixelBox
from cropkit.system.home import kept, staged

C, D = "c.jpg", "d.jpg"
SMALL = PixelBox(1, 1, 20, 20)
ALONE = "left alone, since it cannot be read"
OPEN = "state NOT IN ('done', 'aborted')"
NO_TEXT = b"\xc3"  # as a text
COMPANIONS: tuple[object, ...] = (
    "x",
    [1],
    [{"source": 1}],
    [{"source": 1, "target": 2, "sha256": "0" * 64, "keeps_source": False}],
    [{"source": "x", "target": "y", "sha256": 3, "keeps_source": False}],
)
PLANS: tuple[object, ...] = (
    *("", "{", "null", "[]", "{}", "[" * 100_000, "1" * 5_000, b"{}"),
    *(
        json.dumps({"box": box, "companions": [], "attributes": None, "report": {}})
        for box in (
            [1],
            [5, 5, 1, 1],
            ["x", 0, 9, 9],
            {"left": 1},
            7,
        )
    ),
    *(
        json.dumps({"box": None, "companions": each, "attributes": None, "report": {}})
        for each in COMPANIONS
    ),
    json.dumps({"box": None, "companions": [], "attributes": {"mode": "x"}, "report": {}}),
    json.dumps({"box": None, "companions": [], "attributes": None, "report": 7}),
)
CELLS: tuple[tuple[str, object], ...] = (
    *(("plan", each) for each in PLANS),
    *(("id", each) for each in ("", "x", "A" * 32, "a" * 100_000, b"a" * 32, "\x1b[2J")),
    *(("kind", each) for each in ("", "other", b"crop")),
    *(("state", each) for each in ("", "else", b"prepared", "Prepared", 7)),
    *(("owner", each) for each in ("", "..", "../x", b"b" * 32)),
    *(("before", each) for each in ("x", "../x", b"a" * 64)),
    *(("after", each) for each in ("x", b"a" * 64)),
    *((name, b"x") for name in ("session", "decision", "undoes", "source", "target")),
    *((name, NO_TEXT) for name in ("id", "kind", "state", "owner", "session", "source", "plan")),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection with one crop that is done, and one that was cut off before its switch."""
    folder = pictures.write_folder(tmp_path_factory.mktemp("made") / "collection")
    crop(folder, A)
    cut_off(folder, B)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it, which is a collection, too, for each test."""
    return pictures.copied(made, tmp_path / "collection")


def damage(folder: Path, column: str, value: object) -> None:
    new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
    statement = f"UPDATE operation SET {column} = {new} WHERE {OPEN}"  # noqa: S608  (names of ours)
    assert change(folder, statement, value) == 1


def in_state(folder: Path) -> set[str]:
    """Return what is staged, what is kept, and who died."""
    home = folder / ".cropkit"
    places = (home / name for name in ("stage", "originals", "owners"))
    return {f"{place.name}/{path.name}" for place in places for path in place.iterdir()}


def opened(folder: Path) -> Row:
    (row,) = rows(folder, f"SELECT seq, hex(plan) FROM operation WHERE {OPEN}")  # noqa: S608
    return row


def is_set_aside(folder: Path) -> None:
    """No file and no row of it changes, the rest works, and everybody is told."""
    row, before, here = opened(folder), contents(folder), in_state(folder)
    with Collection(folder, deadline=0.1) as collection:
        (notice,) = [each for each in collection.trail.notices if ALONE in each]
        assert "`cropkit fsck FOLDER --rebuild`" in notice
        assert len(notice) < 1000
        assert collection.recovered == collection.recover(conflicts=True) == []
        with pytest.raises(Busy):
            collection.crop(B, SMALL)
        assert collection.crop(C, BOX).ok
        assert collection.undo(C)[0].ok
        decided(collection, D)
        outcomes = {each.path: each.code for each in collection.apply_waiting()}
        assert outcomes == {B: "Busy", D: None}
        assert collection.undo(D)[0].ok
        assert len(collection.history(A)) == 2
        differences = collection.fsck()
        assert [each.reason for each in differences if each.kind == "unvouched"] == [notice]
        assert "left over" not in {each.kind for each in differences}
    assert contents(folder) == before
    assert here <= in_state(folder)
    assert opened(folder) == row


def is_cured(folder: Path) -> None:
    """The tables are made anew from the trail, and it is as if it had never been planned."""
    assert "events played into a new database" in run("fsck", str(folder), "--rebuild").stderr
    with Collection(folder) as collection:
        assert collection.trail.notices == []
        assert collection.fsck() == []
        assert collection.crop(B, BOX).ok
        assert collection.fsck() == []
    assert {name.partition("/")[0] for name in in_state(folder)} == {"originals"}


@pytest.mark.parametrize(("column", "value"), CELLS, ids=lambda each: f"{each!r:.30}")
def test_a_row_that_cannot_be_read_stops_no_other(folder: Path, column: str, value: object) -> None:
    damage(folder, column, value)
    is_set_aside(folder)


@pytest.mark.parametrize(
    ("column", "value"), [("plan", "{"), ("state", "else"), ("source", NO_TEXT)]
)
def test_it_is_told_by_every_command_and_cured_by_a_rebuild(
    folder: Path, column: str, value: object
) -> None:
    damage(folder, column, value)
    ended = run("recover", str(folder), "--json")
    assert ended.returncode == 1
    assert [ALONE in each for each in json.loads(ended.stdout)["left_alone"]] == [True]
    assert ended.stderr.count(ALONE) == 1
    ended = run("fsck", str(folder))
    assert ended.returncode == 1
    assert f"unvouched: {B if column != 'source' else 'cropkit.db'}: " in ended.stderr
    ended = run("adopt", str(folder), "--yes")
    assert "it is yours already" in ended.stderr
    ended = run("crop", str(folder / C), "--box", "1,1,60,60")
    assert (ended.returncode, ended.stderr.count(ALONE)) == (0, 1)
    is_cured(folder)


def test_the_alert_names_it(folder: Path) -> None:
    damage(folder, "plan", "{")
    (looked,) = json.loads(run("health", str(folder), "--json").stdout)["folders"]
    (alert,) = [each for each in looked["alerts"] if each["code"] == "unvouched"]
    assert f"of {B} is prepared and {ALONE}" in json.dumps(alert)


def test_what_it_names_is_harmless_on_a_terminal(folder: Path) -> None:
    damage(folder, "id", "\x1b[2J\n" * 10)
    ended = run("recover", str(folder))
    assert "\x1b" not in ended.stdout + ended.stderr
    assert "\\x1b[2J\\n" in ended.stderr


def test_nobody_takes_a_lost_original_for_a_left_over(folder: Path) -> None:
    """The crop has its name, and what it was before is nowhere else than in the originals."""
    (row,) = rows(folder, f"SELECT id, before FROM operation WHERE {OPEN}")  # noqa: S608  (as above)
    (folder / staged(row["id"])).replace(folder / B)
    original = (folder / kept(row["before"])).read_bytes()
    damage(folder, "before", "x")
    is_set_aside(folder)
    assert run("fsck", str(folder), "--rebuild").returncode == 1
    with Collection(folder) as collection:
        named = [each.path for each in collection.fsck()]
    assert named == [kept(row["before"])]
    assert (folder / kept(row["before"])).read_bytes() == original


def test_what_died_is_swept_when_nothing_is_unreadable_any_more(folder: Path) -> None:
    (row,) = rows(folder, f"SELECT plan FROM operation WHERE {OPEN}")  # noqa: S608  (as above)
    damage(folder, "plan", "{")
    is_set_aside(folder)
    damage(folder, "plan", row["plan"])
    with Collection(folder) as collection:
        assert [each.path for each in collection.recovered] == [B]
        assert collection.fsck() == []
    assert {name.partition("/")[0] for name in in_state(folder)} == {"originals"}


def test_several_are_each_named(folder: Path) -> None:
    damage(folder, "plan", "{")
    cut_off(folder, D)
    damage_all = f"UPDATE operation SET plan = '{{' WHERE {OPEN}"  # noqa: S608  (as above)
    assert change(folder, damage_all) == 2
    with Collection(folder) as collection:
        notices = [each for each in collection.trail.notices if ALONE in each]
        assert [B in notices[0], D in notices[1]] == [True, True]
        assert collection.crop(C, BOX).ok


def test_who_is_at_work_on_it_ends_it(folder: Path) -> None:
    damage(folder, "plan", "{")
    with Collection(folder) as collection:
        damage(folder, "owner", collection.trail.owner)
        with Collection(folder) as other:
            assert other.trail.notices == []
            assert other.fsck() == []
            assert other.crop(C, BOX).ok


def test_its_decision_cannot_be_withdrawn(folder: Path) -> None:
    damage(folder, "plan", "{")
    with Collection(folder) as collection:
        (waiting,) = collection.trail.decisions.waiting()
        assert not collection.trail.withdraw(waiting)


def test_what_holds_one_is_not_merged(tmp_path: Path, folder: Path) -> None:
    damage(folder, "plan", "{")
    pictures.write_folder(tmp_path)
    crop(tmp_path, A)
    with Collection(tmp_path) as outer, pytest.raises(NotMergeable, match=ALONE):
        outer.merge(folder)


def test_nothing_is_merged_into_what_holds_one(tmp_path: Path, folder: Path) -> None:
    inner = folder / "inner"
    apart = pictures.write_folder(tmp_path / "apart")
    crop(apart, A)
    apart.rename(inner)
    damage(folder, "plan", "{")
    with Collection(folder) as outer, pytest.raises(NotMergeable, match=ALONE):
        outer.merge(inner)


def test_an_aborted_one_that_the_trail_calls_done_stops_nobody(folder: Path) -> None:
    columns = "state = 'aborted', plan = '{'"
    wanted = "state = 'done'"
    assert change(folder, f"UPDATE operation SET {columns} WHERE {wanted}") == 1  # noqa: S608
    Collection(folder).close()
    with Collection(folder) as collection:
        (notice,) = collection.trail.notices
        assert ALONE in notice
        assert collection.crop(C, BOX).ok
    assert main(["fsck", str(folder), "--rebuild"]) == 0
    with Collection(folder) as collection:
        assert collection.trail.notices == []
        assert collection.undo(A)[0].ok


def test_without_a_key_it_is_left_alone_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(folder, "plan", "{")
    monkeypatch.setattr("cropkit.system.personal_state.folder", lambda _environment=None: None)
    with Collection(folder) as collection:
        assert len([each for each in collection.trail.notices if ALONE in each]) == 1
        assert collection.recovered == []


def test_the_content_of_a_companion_is_not_known_at_first() -> None:
    unread = (Companion("a.txt", "b.txt", ""),)
    planned = Operation(OperationKind.CROP, A, B, "s", "b" * 32, companions=unread)
    assert operations.from_row(operations.to_row(planned)) == planned


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("plan", "{"), ("source", NO_TEXT), ("after", b"x")),
        *(
            ("before", each)
            for each in ("../x", NO_TEXT, b"a" * 64, "a" * 63 + "\0", "a" * 64 + "\0")
        ),
    ],
)
def test_fsck_names_one_that_is_done_and_goes_on(
    folder: Path, column: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "_MANY", 1)  # a page of nothing but that is not the end
    crop(folder, C)
    (row,) = rows(folder, f"SELECT id FROM operation WHERE source = '{A}'")  # noqa: S608  (a name of ours)
    new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
    statement = f"UPDATE operation SET {column} = {new} WHERE id = ?"  # noqa: S608  (as above)
    assert change(folder, statement, value, row["id"]) == 1
    (folder / C).write_bytes(b"something else")
    with Collection(folder) as collection:
        differences = collection.fsck()
        assert [row["id"] in each.reason for each in differences].count(True) == 1
        assert "changed" in {each.kind for each in differences if each.path == C}
        assert [each.image for each in collection.trail.operations.finished()] == [C]
        assert collection.crop(D, BOX).ok
        assert collection.undo(D)[0].ok


@pytest.mark.parametrize("value", ["../x", NO_TEXT, b"a" * 64, "a" * 64 + "\0x"])
def test_no_original_goes_while_one_that_is_needed_is_not_known(
    folder: Path, value: object
) -> None:
    (row,) = rows(folder, f"SELECT before FROM operation WHERE source = '{A}'")  # noqa: S608  (a name of ours)
    original = folder / kept(row["before"])
    (folder / "twin.png").write_bytes(original.read_bytes())
    crop(folder, "twin.png")
    with Collection(folder) as collection:
        assert collection.undo("twin.png")[0].ok  # so that its content stands elsewhere, too
    new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
    statement = f"UPDATE operation SET before = {new} WHERE before = ?"  # noqa: S608  (as above)
    assert change(folder, statement, value, row["before"]) > 1
    cut_off(folder, D)
    with Collection(folder) as collection:  # settles what was cut off
        assert original.exists()
        assert not [each for each in collection.fsck() if each.kind == "left over"]
        assert collection.crop(C, BOX).ok
        assert {each.ok for each in collection.purge(older_than=timedelta(0))} == {True}
    assert original.exists()
    assert run("fsck", folder, "--rebuild").returncode == 0
    with Collection(folder) as collection:
        assert collection.undo(A)[0].ok


@pytest.mark.parametrize(
    ("column", "value"),
    [("beat_at", "x"), ("counts", "9" * 5_000), ("host", NO_TEXT), ("counts", 7)],
)
def test_an_old_session_that_cannot_be_read_is_named_and_stops_no_other(
    folder: Path, column: str, value: object
) -> None:
    (row,) = rows(folder, "SELECT rowid AS number FROM session LIMIT 1")
    new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
    statement = f"UPDATE session SET {column} = {new} WHERE rowid = ?"  # noqa: S608  (as above)
    assert change(folder, statement, value, row["number"]) == 1
    with Collection(folder) as collection:
        named = [each for each in collection.fsck() if "session" in each.reason]
        assert "cannot be read" in named[-1].reason
    assert run("apply", folder).returncode == 0
    assert run("fsck", folder, "--rebuild").returncode == 0
    assert run("stats", folder).returncode == 0


def test_a_name_that_is_claimed_for_nothing_is_told_by_fsck(folder: Path) -> None:
    statement = "UPDATE claim SET operation = 'x' WHERE name = ?"
    assert change(folder, statement, B) == 1
    run("recover", folder)
    ended = run("fsck", folder)
    assert ended.returncode == 1
    assert f"{B}: is claimed for no open operation" in ended.stderr
    assert run("fsck", folder, "--rebuild").returncode == 0
    with Collection(folder) as collection:
        assert collection.crop(B, BOX).ok
