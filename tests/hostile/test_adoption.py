"""A `.cropkit` that is not known to be one's own is looked at before anything in it is done."""

import json
import shutil
from pathlib import Path

import pictures
import pytest
from deciding import decided
from faults import as_format_4
from trails import BOX, A, B, Row, change, crop, cut_off, rows

from cropkit.audit.schema import VERSION
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import StateNotAdopted, TrailForged
from cropkit.system import destinations
from cropkit.system.home import DATABASE, EXPORT

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
ADOPTED = "the trail was not known to be yours; it can do no harm, and is adopted"
FOREIGN = "somebody else may have made this .cropkit"


@pytest.fixture(autouse=True)
def _mine(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.delenv("CROPKIT_KEY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "mine"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection that is mine."""
    folder = pictures.write_folder(tmp_path / "collection")
    crop(folder, A)
    return folder


@pytest.fixture
def anna(tmp_path: Path) -> Path:
    """The state of another person, who has never been here."""
    return tmp_path / "anna"


def be(state: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(state))


def adoptions(folder: Path) -> list[Row]:
    query = "SELECT body FROM audit WHERE event = 'adopted' ORDER BY seq"
    return [json.loads(row["body"]) for row in rows(folder, query)]


def everything(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    own = ("cropkit.log", "writer.lock", "recover.lock")
    return {str(p): p.read_bytes() for p in files if not p.name.endswith(("-wal", "-shm", *own))}


def is_not_adopted(folder: Path, words: str, capsys: Capture) -> None:
    """Nothing is carried out, and looking goes on, with a line that says so."""
    rows(folder, "SELECT seq FROM audit")  # who closes it last writes the log into the database
    before = everything(folder)
    with pytest.raises(StateNotAdopted, match=words):
        Collection(folder)
    for command in ("crop", "undo", "recover"):
        target = [str(folder / A), "--box", "1,1,9,9"] if command == "crop" else [str(folder)]
        assert main([command, *target]) == 1
        assert "StateNotAdopted" in capsys.readouterr().err
    for command in ("history", "stats"):
        assert main([command, str(folder)]) == 0
        assert FOREIGN in capsys.readouterr().err
    assert main(["health", str(folder), "--json"]) in (0, 1)
    assert everything(folder) == before


# -- what can do no harm -------------------------------------------------------------------------


def test_a_state_that_can_do_no_harm_is_adopted_once(
    folder: Path, anna: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    be(anna, monkeypatch)
    capsys.readouterr()
    assert main(["crop", str(folder / B), "--box", "10,20,40,60"]) == 0
    assert capsys.readouterr().err.count(ADOPTED) == 1
    (adoption,) = adoptions(folder)
    assert adoption["head"]["seq"] == 4
    assert not adoption["asked"]
    log = (folder / ".cropkit" / "cropkit.log").read_text()
    assert ADOPTED in log
    assert main(["undo", str(folder)]) == 0
    assert ADOPTED not in capsys.readouterr().err
    assert len(adoptions(folder)) == 1
    assert main(["fsck", str(folder)]) == 0
    assert FOREIGN not in capsys.readouterr().err


def test_what_is_ones_own_is_never_adopted(folder: Path, capsys: Capture) -> None:
    crop(folder, B)
    cut_off(folder, "d.jpg")
    with Collection(folder) as collection:
        assert len(collection.recovered) == 1
    assert adoptions(folder) == []
    capsys.readouterr()
    assert main(["adopt", str(folder), "--yes"]) == 0
    assert "it is yours already" in capsys.readouterr().err
    assert adoptions(folder) == []


def test_a_folder_that_moved_is_ones_own(folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "moved")
    crop(tmp_path / "moved", B)
    assert adoptions(tmp_path / "moved") == []


def test_a_stretch_under_a_key_that_was_not_known_is_looked_at(
    folder: Path, anna: Path, tmp_path: Path, monkeypatch: Patch
) -> None:
    be(anna, monkeypatch)
    crop(folder, B)
    be(tmp_path / "mine", monkeypatch)
    with Collection(folder) as collection:
        collection.undo(B)
    assert len(adoptions(folder)) == 2
    be(anna, monkeypatch)
    crop(folder, B)
    be(tmp_path / "mine", monkeypatch)
    with Collection(folder) as collection:
        collection.undo(B)
    assert len(adoptions(folder)) == 2  # they know each other


def test_a_stretch_without_a_key_is_looked_at_each_time(folder: Path, monkeypatch: Patch) -> None:
    for number in (1, 2):
        with monkeypatch.context() as nowhere:
            nowhere.setattr("cropkit.system.personal_state.folder", lambda _environment=None: None)
            decided_once(folder)
        with Collection(folder) as collection:
            collection.choose(collection.options)
        assert len(adoptions(folder)) == number


def decided_once(folder: Path) -> None:
    with Collection(folder) as collection:
        decided(collection, B)


def test_a_user_who_can_keep_nothing_adopts_nothing(
    folder: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    cut_off(folder, B)
    monkeypatch.setattr("cropkit.system.personal_state.folder", lambda _environment=None: None)
    with Collection(folder) as collection:
        assert len(collection.recovered) == 1
    assert adoptions(folder) == []
    assert main(["history", str(folder)]) == 0
    assert FOREIGN not in capsys.readouterr().err


def test_with_a_key_of_a_file_a_new_home_adopts_nothing(
    folder: Path, tmp_path: Path, monkeypatch: Patch
) -> None:
    path = tmp_path / "shared.key"
    path.write_bytes(b"k" * 32)
    path.chmod(0o640)
    monkeypatch.setenv("CROPKIT_KEY", str(path))
    crop(folder, B)
    before = len(adoptions(folder))
    cut_off(folder, "d.jpg")
    be(tmp_path / "new home", monkeypatch)
    with Collection(folder) as collection:
        assert len(collection.recovered) == 1
    assert len(adoptions(folder)) == before


def test_work_of_a_colleague_who_is_at_it_is_no_harm(
    folder: Path, anna: Path, monkeypatch: Patch
) -> None:
    with Collection(folder) as mine:
        decision = decided(mine, B)
        change(
            folder,
            "INSERT INTO operation (id, kind, state, owner, session, source, target, plan,"
            " planned_at) SELECT ?, kind, 'planned', ?, session, ?, ?, plan, planned_at"
            " FROM operation LIMIT 1",
            *("e" * 32, mine.trail.owner, B, B),
        )
        be(anna, monkeypatch)
        with Collection(folder) as collection:
            assert collection.recovered == []
        change(folder, "DELETE FROM operation WHERE id = ?", "e" * 32)
        assert decision


def test_an_empty_state_with_rows_is_not_adopted(
    folder: Path, anna: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    be(anna, monkeypatch)
    for table in ("seal", "audit"):
        change(folder, f"DELETE FROM {table}")  # noqa: S608  (names of ours)
    (folder / EXPORT).unlink()
    is_not_adopted(folder, "is not in the trail", capsys)


# -- what could do harm --------------------------------------------------------------------------


def test_an_open_operation_of_somebody_else_is_not_carried_out(
    folder: Path, anna: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    cut_off(folder, B)
    be(anna, monkeypatch)
    assert main(["adopt", str(folder)]) == 0
    told = capsys.readouterr()
    assert f"of {B} is prepared and left alone" in told.out
    assert f"would settle: crop of {B} (prepared)" in told.out
    assert "nothing was done" in told.err
    assert adoptions(folder) == []
    assert main(["adopt", str(folder), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [each["names"] for each in answer["settles"]] == [[B]]
    assert (answer["foreign"], answer["forged"], answer["adopted"]) == (True, [], False)
    (operation,) = (each["operation"] for each in answer["settles"])
    assert main(["adopt", str(folder), "--yes"]) == 0
    (adoption,) = adoptions(folder)
    assert (adoption["asked"], adoption["operations"]) == (True, [operation])
    with Collection(folder) as collection:
        assert [each.path for each in collection.recovered] == [B]
        assert collection.fsck() == []


def test_names_are_shown_harmlessly(
    folder: Path, anna: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    cut_off(folder, B)
    be(anna, monkeypatch)
    names = ("\x1b[2J\u202e.png",) * 2
    change(folder, "UPDATE operation SET source = ?, target = ? WHERE state = 'prepared'", *names)
    assert main(["adopt", str(folder)]) == 0
    told = "".join(capsys.readouterr())
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "[2J" in told


@pytest.mark.parametrize(
    "forged",
    [
        ("UPDATE decision SET reviewer = 'x'", "differs from the trail in reviewer"),
        ("UPDATE queue SET status = 'waiting'", "differs from the trail"),
        ("UPDATE audit SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 2", "was changed after"),
    ],
)
def test_rows_that_the_trail_does_not_lead_to_are_not_adopted(
    folder: Path, anna: Path, monkeypatch: Patch, capsys: Capture, forged: tuple[str, str]
) -> None:
    statement, words = forged
    change(folder, statement)
    be(anna, monkeypatch)
    is_not_adopted(folder, words, capsys)


def test_what_leads_out_of_the_collection_is_not_adopted(
    folder: Path, anna: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    with Collection(folder, destination=tmp_path / "outside") as collection:
        assert collection.crop(B, BOX).ok
    be(anna, monkeypatch)
    is_not_adopted(folder, "leads out of the collection", capsys)
    destinations.remember(folder, tmp_path / "outside")
    assert main(["history", str(folder)]) == 0
    with Collection(folder) as collection:
        assert collection.undo(B)[0].ok
    assert len(adoptions(folder)) == 1


def test_an_older_format_is_looked_at_before_it_is_brought_up(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    as_format_4(folder)
    shutil.rmtree(tmp_path / "mine")
    before = change(folder, "UPDATE decision SET reviewer = 'x'")
    assert before == 1
    is_not_adopted(folder, "differs from the trail in reviewer", capsys)
    assert rows(folder, "PRAGMA user_version")[0]["user_version"] == 4
    assert main(["adopt", str(folder), "--yes"]) == 0
    crop(folder, B)
    assert rows(folder, "PRAGMA user_version")[0]["user_version"] == VERSION


def test_an_older_format_that_can_do_no_harm_is_adopted(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    as_format_4(folder)
    shutil.rmtree(tmp_path / "mine")
    assert main(["crop", str(folder / B), "--box", "10,20,40,60"]) == 0
    assert ADOPTED in capsys.readouterr().err
    assert main(["fsck", str(folder)]) == 0


# -- a trail that was put back -------------------------------------------------------------------


def test_a_backup_that_was_put_back_is_accepted_by_a_person(folder: Path, capsys: Capture) -> None:
    backup = {name: (folder / name).read_bytes() for name in (DATABASE, EXPORT)}
    crop(folder, B)
    newest = rows(folder, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")[0]
    for name, data in backup.items():
        (folder / name).write_bytes(data)
    with pytest.raises(TrailForged, match="cropkit adopt"):
        Collection(folder)
    assert main(["adopt", str(folder)]) == 0
    assert f"event {newest['seq']}, which you saw on" in capsys.readouterr().out
    with pytest.raises(TrailForged):
        Collection(folder)
    assert main(["adopt", str(folder), "--yes"]) == 0
    (adoption,) = adoptions(folder)
    assert (adoption["seen"], adoption["head"]["seq"]) == (newest, 4)
    assert "which you saw on" in adoption["forged"][0]
    with Collection(folder) as collection:
        collection.undo(A)
    assert main(["health", str(folder), "--json"]) in (0, 1)
    assert "trail-forged" not in capsys.readouterr().out


def test_a_trail_computed_anew_can_be_accepted_too(
    folder: Path, anna: Path, tmp_path: Path, monkeypatch: Patch
) -> None:
    be(anna, monkeypatch)
    decided_once(folder)
    be(tmp_path / "mine", monkeypatch)
    assert change(folder, "UPDATE seal SET mac = ?", "f" * 64) == 2
    with pytest.raises(TrailForged):
        Collection(folder)
    assert main(["adopt", str(folder), "--yes"]) == 0
    crop(folder, B)
    assert len(rows(folder, "SELECT * FROM seal")) == 1


def test_a_lost_database_is_made_anew_from_an_older_export(folder: Path, capsys: Capture) -> None:
    export = (folder / EXPORT).read_bytes()
    crop(folder, B)
    for path in folder.glob(".cropkit/cropkit.db*"):
        path.unlink()
    (folder / EXPORT).write_bytes(export)
    assert main(["fsck", str(folder), "--rebuild"]) == 1
    assert "TrailForged" in capsys.readouterr().err
    assert main(["adopt", str(folder)]) == 1
    assert main(["adopt", str(folder), "--yes"]) == 1
    assert "is forgotten" in capsys.readouterr().err
    main(["fsck", str(folder), "--rebuild"])
    with Collection(folder) as collection:
        collection.undo(A)
