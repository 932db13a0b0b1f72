"""Who has no key cannot rewrite, add to or cut off a trail unnoticed."""

import hashlib
import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pictures
import pytest
from faults import as_format_4
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from trails import BOX, A, B, Row, change, crop, rows

from cropkit.audit import connecting, store
from cropkit.audit.schema import VERSION
from cropkit.cli import main
from cropkit.collection import Collection, rebuild
from cropkit.errors import AuditUnavailable, KeyUnusable, TrailForged
from cropkit.monitor import reporting
from cropkit.system.home import DATABASE, EXPORT

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: Patch) -> Path:
    """A person's own state, for this test alone."""
    monkeypatch.delenv("CROPKIT_KEY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "cropkit"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = pictures.write_folder(tmp_path / "collection")
    crop(folder, A)
    return folder


def work(folder: Path) -> None:
    with Collection(folder) as collection:
        assert collection.undo()[0].ok


def be(person: str, monkeypatch: Patch, tmp_path: Path) -> None:
    """Be another person, with a state and a key of their own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / person))


def seals(folder: Path) -> list[Row]:
    return rows(folder, "SELECT * FROM seal ORDER BY number")


def digest(row: Row) -> str:
    fields = {name: value for name, value in row.items() if name != "hash"}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def compute_anew(folder: Path, forge: Callable[[Row], None]) -> str:
    """Change events and make hashes and export fit again, as anybody can; return the head."""
    previous, lines = "0" * 64, []
    for row in rows(folder, "SELECT * FROM audit ORDER BY seq"):
        forge(row)
        row["previous"] = previous
        previous = row["hash"] = digest(row)
        names = ", ".join(f"{name} = ?" for name in row)
        change(folder, f"UPDATE audit SET {names} WHERE seq = ?", *row.values(), row["seq"])  # noqa: S608  (names of ours)
        lines.append(json.dumps(row))
    (folder / EXPORT).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return previous


def blame_another(row: Row) -> None:
    """Say that somebody else did it."""
    row["body"] = row["body"].replace("root", "anna").replace("tester", "anna")
    row["at"] = row["at"].replace("2026", "2025")


def contents(folder: Path) -> dict[str, bytes]:
    """Images and export: nothing that a look may touch."""
    files = [*(path for path in folder.iterdir() if path.is_file()), folder / EXPORT]
    return {path.name: path.read_bytes() for path in files}


def is_refused(folder: Path, words: str, capsys: Capture) -> None:
    """Opened, proven and watched, the trail is called forged; reading goes on."""
    before = contents(folder)
    with pytest.raises(TrailForged, match=words):
        Collection(folder)
    assert main(["fsck", str(folder)]) == 1
    assert words in capsys.readouterr().err
    assert "trail-forged" in [alert.code for alert in reporting.look(folder).alerts]
    assert main(["history", str(folder)]) == 0
    assert contents(folder) == before


# -- without the key -----------------------------------------------------------------------------


def test_each_session_leaves_one_seal_at_the_head(folder: Path) -> None:
    crop(folder, B)
    (seal,) = seals(folder)
    (head,) = rows(folder, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    assert (seal["seq"], seal["hash"]) == (head["seq"], head["hash"])
    assert seal["mac"] not in ("", seal["hash"])


def test_a_trail_computed_anew_is_forged(folder: Path, capsys: Capture) -> None:
    compute_anew(folder, blame_another)
    is_refused(folder, "is not the one that was sealed", capsys)


def test_a_seal_cannot_be_computed_anew(folder: Path, capsys: Capture) -> None:
    head = compute_anew(folder, blame_another)
    change(folder, "UPDATE seal SET hash = ?", head)
    is_refused(folder, "is not by your key", capsys)


def test_an_event_that_was_added_is_forged(folder: Path, capsys: Capture) -> None:
    (last,) = rows(folder, "SELECT * FROM audit ORDER BY seq DESC LIMIT 1")
    row = last | {"seq": last["seq"] + 1, "previous": last["hash"], "event": "acknowledged"}
    row["hash"] = digest(row)
    marks = ", ".join("?" * len(row))
    change(folder, f"INSERT INTO audit ({', '.join(row)}) VALUES ({marks})", *row.values())  # noqa: S608  (names of ours)
    is_refused(folder, f"does not end with event {last['seq']}", capsys)


def test_an_end_that_was_cut_off_is_forged(folder: Path, capsys: Capture) -> None:
    change(folder, "DELETE FROM audit WHERE event = 'session-ended'")
    lines = (folder / EXPORT).read_bytes().splitlines(keepends=True)
    (folder / EXPORT).write_bytes(b"".join(lines[:-1]))
    is_refused(folder, "is not the one that was sealed", capsys)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM seal",
        "UPDATE seal SET hash = substr(hash, 2) || 'f'",
        "UPDATE seal SET mac = substr(mac, 2) || 'f'",
        "UPDATE audit SET hash = substr(hash, 2) || 'f' WHERE seq = (SELECT max(seq) FROM audit)",
    ],
)
def test_a_session_that_is_at_work_does_not_seal_what_was_forged(
    folder: Path, statement: str
) -> None:
    collection = Collection(folder)
    try:
        collection.crop(B, BOX)
        change(folder, statement)
        with pytest.raises(TrailForged):
            collection.undo(B)
    finally:
        with pytest.raises(TrailForged):
            collection.close()


NO_TEXT = b"\xc3"  # as a text
FORGED: dict[str, list[object]] = {
    "key": [5, b"x", "", "0123456789abcdeg", "unsigned", NO_TEXT],
    "seq": ["one", b"1", 1.5],
    "hash": [5, b"f" * 64, "f" * 63, "F" * 64, NO_TEXT],
    "mac": [5, "", "f" * 63, b"f" * 64, NO_TEXT],
}


def spoil(folder: Path, name: str, value: object) -> None:
    new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
    assert change(folder, f"UPDATE seal SET {name} = {new}", value) == 1  # noqa: S608  (names of ours)


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in FORGED.items() for v in vs])
def test_a_row_that_is_no_seal_lets_all_be_read_and_nothing_be_written(
    folder: Path, name: str, value: object, capsys: Capture
) -> None:
    spoil(folder, name, value)
    is_refused(folder, "seal 1 cannot be read", capsys)
    out = folder.parent / "manifest.jsonl"
    reading = (["stats"], ["export", "--to", "manifest", "--out", str(out)], ["originals"])
    for command, *words in reading:
        assert main([command, str(folder), *words]) == 0
        assert "seal 1 cannot be read" in capsys.readouterr().err
    assert out.read_text().count("\n") == 1
    assert main(["undo", str(folder)]) == 1
    assert "`cropkit fsck FOLDER --rebuild`" in capsys.readouterr().err


def test_it_is_cured_from_the_export_and_what_it_was_is_kept(folder: Path) -> None:
    spoil(folder, "mac", "spoilt")
    for _ in range(2):  # within one second
        assert main(["fsck", str(folder), "--rebuild"]) == 0
    lost = sorted((folder / ".cropkit").glob("cropkit.db.lost-*"))
    with closing(sqlite3.connect(lost[0])) as db:
        assert db.execute("SELECT mac FROM seal").fetchall() == [("spoilt",)]
    assert len([path for path in lost if not path.name.endswith(("-wal", "-shm"))]) == 2
    crop(folder, B)
    assert main(["fsck", str(folder)]) == 0


def test_or_adopted_and_the_event_keeps_the_seals(folder: Path, capsys: Capture) -> None:
    spoil(folder, "hash", "spoilt")
    assert main(["adopt", str(folder)]) == 0
    assert "seal 1 cannot be read" in capsys.readouterr().out
    (seal,) = seals(folder)
    assert main(["adopt", str(folder), "--yes"]) == 0
    (event,) = rows(folder, "SELECT body FROM audit WHERE event = 'adopted'")
    kept = dict(zip(seal, *json.loads(event["body"])["seals"], strict=True))
    assert kept == {name: str(cell) for name, cell in seal.items()}
    crop(folder, B)
    assert main(["fsck", str(folder)]) == 0


def test_a_session_that_is_at_work_does_not_seal_behind_one_that_cannot_be_read(
    folder: Path,
) -> None:
    collection = Collection(folder)
    collection.crop(B, BOX)
    spoil(folder, "key", NO_TEXT)
    with pytest.raises(TrailForged, match="seal 1 cannot be read"):
        collection.undo(B)
    with pytest.raises(TrailForged):
        collection.close()


def test_what_is_made_anew_from_the_export_is_sealed(folder: Path) -> None:
    change(folder, "DELETE FROM seal")
    rebuild(folder)
    (seal,) = seals(folder)
    assert seal["mac"]
    crop(folder, B)


def test_an_older_format_has_no_seals_and_goes_on(
    folder: Path, state: Path, capsys: Capture
) -> None:
    as_format_4(folder)
    (state / "heads.json").unlink()  # versions that made it kept none
    assert main(["fsck", str(folder)]) == 0
    assert "were never sealed" in capsys.readouterr().err
    crop(folder, B)
    ((version,),) = [row.values() for row in rows(folder, "PRAGMA user_version")]
    assert version == VERSION
    assert len(seals(folder)) == 1


# -- keys of several -----------------------------------------------------------------------------


def test_who_share_a_collection_seal_in_turn(
    folder: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    be("anna", monkeypatch, tmp_path)
    crop(folder, B)
    be("state", monkeypatch, tmp_path)
    with Collection(folder) as collection:
        collection.undo(B)
    keys = [seal["key"] for seal in seals(folder)]
    assert keys[0] == keys[2] != keys[1]
    capsys.readouterr()
    assert main(["fsck", str(folder)]) == 0
    told = capsys.readouterr().err
    assert f"are sealed by key {keys[1]}: which is not yours" in told
    assert keys[0] not in told


def test_a_key_that_one_does_not_have_is_named_and_no_failure(
    folder: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    be("anna", monkeypatch, tmp_path)
    capsys.readouterr()
    assert main(["fsck", str(folder), "--json"]) == 0
    (sentence,) = json.loads(capsys.readouterr().out)["unverified"]
    assert seals(folder)[0]["key"] in sentence
    assert "you have no key yet" in sentence
    assert not (tmp_path / "anna").exists()


def test_what_another_person_sealed_earlier_is_held_against_the_trail(
    folder: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    be("anna", monkeypatch, tmp_path)
    crop(folder, B)
    compute_anew(folder, lambda row: blame_another(row) if row["seq"] > 5 else None)
    head = rows(folder, "SELECT hash FROM audit ORDER BY seq DESC LIMIT 1")[0]["hash"]
    change(folder, "UPDATE seal SET hash = ? WHERE number = 2", head)
    is_refused(folder, "is not by your key", capsys)


# -- what was seen last --------------------------------------------------------------------------


def copied(folder: Path) -> dict[str, bytes]:
    """Take database and export as they are, with their seals."""
    return {name: (folder / name).read_bytes() for name in (DATABASE, EXPORT)}


def put_back(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)


def entries(state: Path) -> dict[str, Row]:
    found: dict[str, Row] = json.loads((state / "heads.json").read_text())
    return found


def test_an_older_state_with_a_seal_of_ones_own_is_cut_off(
    folder: Path, state: Path, capsys: Capture
) -> None:
    older = copied(folder)
    crop(folder, B)
    put_back(folder, older)
    is_refused(folder, "which you saw on", capsys)
    (state / "heads.json").unlink()
    work(folder)  # nothing else could tell


@pytest.mark.parametrize("forge", [blame_another, lambda _row: None])
def test_seals_that_were_taken_away_are_missed(
    folder: Path, forge: Callable[[Row], None], capsys: Capture
) -> None:
    compute_anew(folder, forge)
    change(folder, "DELETE FROM seal")
    words = "which you saw on" if forge is blame_another else "its seals are gone"
    is_refused(folder, words, capsys)


def test_a_trail_under_a_key_of_somebody_else_is_not_the_one_that_was_seen(
    folder: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    compute_anew(folder, blame_another)
    change(folder, "DELETE FROM seal")
    be("anna", monkeypatch, tmp_path)
    assert main(["adopt", str(folder), "--yes"]) == 0
    crop(folder, B)
    be("state", monkeypatch, tmp_path)
    is_refused(folder, "which you saw on", capsys)


def test_an_older_format_is_not_put_back_unnoticed(folder: Path, capsys: Capture) -> None:
    as_format_4(folder)
    is_refused(folder, "its seals are gone", capsys)


def test_nothing_is_made_anew_from_an_export_that_was_cut_off(folder: Path) -> None:
    older = copied(folder)
    crop(folder, B)
    put_back(folder, older)
    with pytest.raises(TrailForged, match="which you saw on"):
        rebuild(folder)


def test_heads_are_kept_at_open_and_close(folder: Path, state: Path) -> None:
    (closed,) = entries(state).values()
    with Collection(folder) as collection:
        collection.crop(B, BOX)
        assert list(entries(state).values()) == [closed]
        with Collection(folder):
            (opened,) = entries(state).values()
    (last,) = entries(state).values()
    head = rows(folder, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")[0]
    assert closed["seq"] < opened["seq"] < last["seq"]
    assert {name: last[name] for name in ("seq", "hash")} == head
    assert last["at"]


def test_what_a_power_cut_may_take_is_not_remembered(folder: Path, state: Path) -> None:
    first, other = Collection(folder), Collection(folder)
    try:
        first.trail.remember_place(A)  # begins the session, and is not synced
        Collection(folder).close()
        (event,) = rows(folder, "SELECT * FROM audit ORDER BY seq DESC LIMIT 1")
        assert event["event"] == "session-started"
        assert [entry["seq"] for entry in entries(state).values()] == [event["seq"] - 1]
    finally:
        first.close()
        other.close()


def test_a_folder_that_begins_anew_is_told_and_goes_on(folder: Path, capsys: Capture) -> None:
    shutil.rmtree(folder / ".cropkit")
    capsys.readouterr()
    assert main(["crop", str(folder / B), "--box", "10,20,40,60"]) == 0
    assert "the trail begins anew: what you saw of it on" in capsys.readouterr().err
    work(folder)


def test_no_more_heads_are_kept_than_are_useful(
    folder: Path, state: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr("cropkit.audit.heads.MOST", 3)
    path = state / "heads.json"
    known = json.loads(path.read_text())
    (entry,) = known.values()
    gone = {str(folder / f"gone {number}"): entry for number in range(2)}
    older = {"/": entry | {"at": "2001"}, "/tmp": entry | {"at": "2000"}}  # noqa: S108  (folders that are there)
    path.write_text(json.dumps(known | gone | older))
    crop(folder, B)
    assert set(entries(state)) == {str(folder), "/", "/tmp"}  # noqa: S108  (as above)
    path.write_text(json.dumps(entries(state) | {"/usr": entry | {"at": "2002"}}))
    work(folder)
    assert set(entries(state)) == {str(folder), "/", "/usr"}


@pytest.mark.parametrize(
    "entry", [5, [], {}, {"seq": "1", "hash": "f", "at": "x"}, {"seq": 1, "at": "x"}]
)
def test_a_head_that_is_none_is_told(
    folder: Path, state: Path, entry: object, capsys: Capture
) -> None:
    (state / "heads.json").write_text(json.dumps({str(folder): entry}))
    assert main(["fsck", str(folder)]) == 0
    assert "is no head" in capsys.readouterr().err
    assert main(["crop", str(folder / B), "--box", "10,20,40,60"]) == 0
    assert "is no head" in capsys.readouterr().err


# -- heads that are kept elsewhere ---------------------------------------------------------------


def test_heads_are_kept_in_a_file_and_held_against_the_trail(
    folder: Path, tmp_path: Path, state: Path, capsys: Capture
) -> None:
    file = tmp_path / "heads.txt"
    assert main(["heads", str(folder), "--to", str(file)]) == 0
    older = copied(folder)
    crop(folder, B)
    assert main(["heads", str(folder), "--to", str(file)]) == 0
    capsys.readouterr()
    assert main(["heads", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert file.read_text().splitlines(keepends=True)[1:] == [printed]
    assert main(["fsck", str(folder), "--against", str(file)]) == 0
    seq, its_hash, _ = printed.split()
    assert main(["fsck", str(folder), "--against", f"{seq}:{its_hash}"]) == 0
    put_back(folder, older)
    shutil.rmtree(state)  # on another machine nobody has seen it
    capsys.readouterr()
    main(["fsck", str(folder)])
    assert "audit:" not in capsys.readouterr().err
    assert main(["fsck", str(folder), "--against", str(file)]) == 1
    told = capsys.readouterr().err
    assert f"audit: cropkit.db: event {seq}, whose hash is kept elsewhere, is gone" in told
    assert main(["fsck", str(folder), "--against", f"1:{its_hash}", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["differences"]
    (difference,) = [each for each in found if each["kind"] == "audit"]
    assert "event 1, whose hash is kept elsewhere, is another one now" in difference["reason"]


def test_heads_as_json(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["heads", str(folder), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    head = rows(folder, "SELECT seq, hash, at FROM audit ORDER BY seq DESC LIMIT 1")[0]
    assert answer == {"head": head, "to": None}
    empty = pictures.write_folder(tmp_path / "empty")
    Collection(empty).close()
    assert main(["heads", str(empty), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["head"] is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5", "neither SEQ:HASH nor a file"),
        ("0:" + "f" * 64, "neither SEQ:HASH nor a file"),
        ("5:" + "F" * 64, "neither SEQ:HASH nor a file"),
        ("\0", "neither SEQ:HASH nor a file"),
        (b"", "it holds no head"),
        (b"5 " + b"f" * 64 + b"\n\xff\n", "line 2 is no head"),
        (b"5 " + b"f" * 64 + b" \x1b[2J\n", "line 1 is no head"),
        (b"x" * 10_000_001, "larger than 10000000 bytes"),
    ],
    ids=range(8),
)
def test_what_is_no_head_is_refused(
    folder: Path, tmp_path: Path, text: str | bytes, words: str, capsys: Capture
) -> None:
    if isinstance(text, bytes):
        (tmp_path / "file").write_bytes(text)
        text = str(tmp_path / "file")
    assert main(["fsck", str(folder), "--against", text]) == 1
    told = capsys.readouterr().err
    assert "BadHead" in told
    assert words in told


# -- where the key is ----------------------------------------------------------------------------


def test_a_persons_key_is_made_once_and_theirs_alone(folder: Path, state: Path) -> None:
    path = state / "key"
    secret = path.read_bytes()
    assert len(secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    crop(folder, B)
    assert path.read_bytes() == secret
    everything = [path for path in folder.rglob("*") if path.is_file()]
    assert not any(secret in path.read_bytes() for path in everything)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.chmod(0o640),
        lambda path: path.write_bytes(b"short"),
        lambda path: path.write_bytes(b"x" * 33),
        lambda path: path.parent.chmod(0o770),
    ],
)
def test_an_own_key_that_is_not_ones_own_seals_nothing(
    folder: Path, state: Path, damage: Callable[[Path], object]
) -> None:
    damage(state / "key")
    crop(folder, B)
    assert [seal["key"] for seal in seals(folder)][1:] == ["unsigned"]


def shared(tmp_path: Path, monkeypatch: Patch, data: bytes = b"k" * 32) -> Path:
    path = tmp_path / "shared.key"
    path.write_bytes(data)
    path.chmod(0o640)
    monkeypatch.setenv("CROPKIT_KEY", str(path))
    return path


def test_a_group_shares_the_key_of_a_file(
    folder: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    shared(tmp_path, monkeypatch)
    crop(folder, B)
    assert len(seals(folder)) == 2
    be("anna", monkeypatch, tmp_path)
    assert main(["undo", str(folder)]) == 0
    assert len(seals(folder)) == 2
    assert not (tmp_path / "anna" / "cropkit" / "key").exists()
    compute_anew(folder, blame_another)
    is_refused(folder, "is not the one that was sealed", capsys)


def linked_is_fine(path: Path) -> None:
    path.rename(path.with_name("there"))
    path.symlink_to("there")


def test_a_key_may_be_behind_a_link(folder: Path, tmp_path: Path, monkeypatch: Patch) -> None:
    linked_is_fine(shared(tmp_path, monkeypatch))
    crop(folder, B)


def replaced(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (lambda path: path.unlink(), "No such file"),
    "a folder": (lambda path: replaced(path, Path.mkdir), "a folder, pipe or device"),
    "a pipe": (lambda path: replaced(path, os.mkfifo), "a folder, pipe or device"),
    "short": (lambda path: path.write_bytes(b"k" * 31), "not 32 to 4096 bytes"),
    "long": (lambda path: path.write_bytes(b"k" * 4097), "not 32 to 4096 bytes"),
    "empty": (lambda path: path.write_bytes(b""), "not 32 to 4096 bytes"),
    "readable": (lambda path: path.chmod(0o644), "everybody may read it"),
    "the group's": (lambda path: path.chmod(0o660), "others may write to it"),
    "writable": (lambda path: path.chmod(0o602), "others may write to it"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_key_file_that_cannot_be_used_stops_everything(
    folder: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture, name: str
) -> None:
    damage, words = BAD[name]
    path = shared(tmp_path, monkeypatch)
    damage(path)
    with pytest.raises(KeyUnusable, match=words):
        Collection(folder)
    for command in ("fsck", "undo", "health"):
        assert main([command, str(folder)]) == 1
        told = "".join(capsys.readouterr())
        assert str(path) in told
        assert "Traceback" not in told


def test_a_key_of_somebody_else_is_not_used(
    folder: Path, tmp_path: Path, monkeypatch: Patch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only the administrator gives files away")
    path = shared(tmp_path, monkeypatch)
    os.chown(path, 54321, 0)
    with pytest.raises(KeyUnusable, match="belongs to user 54321"):
        Collection(folder)


def test_a_key_is_named_by_a_whole_path(folder: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("CROPKIT_KEY", "shared.key")
    with pytest.raises(KeyUnusable, match="no absolute path"):
        Collection(folder)


# -- no key at all -------------------------------------------------------------------------------


@pytest.fixture
def nowhere(folder: Path, monkeypatch: Patch) -> Iterator[Path]:
    """Be a user without a home."""
    monkeypatch.setattr("cropkit.system.personal_state.folder", lambda _environment=None: None)
    yield folder
    shutil.rmtree(folder)


def test_without_a_home_nothing_is_sealed_and_work_goes_on(nowhere: Path, capsys: Capture) -> None:
    crop(nowhere, B)
    last = seals(nowhere)[-1]
    assert (last["key"], last["mac"]) == ("unsigned", "")
    capsys.readouterr()
    assert main(["fsck", str(nowhere)]) == 0
    told = capsys.readouterr().err
    assert "were written without a key" in told
    assert "this user has no home" in told


def test_a_commit_that_failed_is_no_forgery(tmp_path: Path, monkeypatch: Patch) -> None:
    folder = pictures.write_folder(tmp_path / "collection")
    failing: list[str] = []

    def fail(db: Connection, text: str) -> Any:
        if text in failing:
            failing.remove(text)
            error = sqlite3.OperationalError("disk I/O error")
            raise DBAPIError.instance(text, None, error, sqlite3.Error)
        return connecting.run(db, text)

    with Collection(folder) as collection:
        with monkeypatch.context() as patched:
            patched.setattr(store, "run", fail)
            for name in (A, B):
                failing.append("COMMIT")
                with pytest.raises(AuditUnavailable):
                    collection.trail.acknowledge({"what": name})
                assert failing == []
                assert collection.crop(name, BOX).ok
        assert collection.fsck() == []
