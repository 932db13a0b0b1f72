"""An ordinary day raises no false alarm about whose a trail is; what is new is looked at."""

import json
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pictures
import pytest
from deciding import decided
from trails import BOX, A, B, crop

from cropkit.audit import chain, heads, keys, seals
from cropkit.audit.store import Store
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import StateNotAdopted, TrailForged
from cropkit.system import personal_state
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, HOME

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: Patch) -> Path:
    """A person's own state, for this test alone."""
    monkeypatch.delenv("CROPKIT_KEY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "cropkit"


def collection(folder: Path, *names: str) -> Path:
    pictures.write_folder(folder)
    for name in names:
        crop(folder, name)
    return folder


# -- one place, several collections ----------------------------------------------------------------


def test_two_cards_take_turns_at_one_place(tmp_path: Path, capsys: Capture) -> None:
    cards = collection(tmp_path / "x", A), collection(tmp_path / "y", A, B)
    place = tmp_path / "card"
    for _ in range(3):
        for card in cards:
            card.rename(place)
            capsys.readouterr()
            with Collection(place) as opened:
                decided(opened, "c.jpg")
            told = main(["fsck", str(place)]), capsys.readouterr().err
            assert told[0] == 0, told
            assert "another trail" not in told[1]
            place.rename(card)


def test_another_collection_is_told_once(tmp_path: Path, capsys: Capture) -> None:
    first, second = collection(tmp_path / "x", A), collection(tmp_path / "y", A)
    crop(first, B)
    first.rename(tmp_path / "away")
    second.rename(first)
    for number in (1, 0):
        capsys.readouterr()
        assert main(["undo", str(first)]) == (0 if number else 1)  # there is one crop to undo
        assert capsys.readouterr().err.count("another trail of yours") == number


def test_of_each_the_older_state_is_not_put_back_unnoticed(tmp_path: Path) -> None:
    place, other = collection(tmp_path / "place", A), collection(tmp_path / "y", A)
    shutil.copytree(place / HOME, tmp_path / "older")
    crop(place, B)
    place.rename(tmp_path / "away")
    other.rename(place)
    crop(place, B)
    place.rename(other)
    (tmp_path / "away").rename(place)
    shutil.rmtree(place / HOME)
    (tmp_path / "older").rename(place / HOME)
    with pytest.raises(TrailForged, match="which you saw on"):
        Collection(place)


def test_begun_anew_while_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    folder = collection(tmp_path / "x", A)
    shutil.rmtree(folder / HOME)

    def refuse(*_arguments: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(personal_state, "put", refuse)
    crop(folder, B)
    assert main(["undo", str(folder)]) == 0
    assert "is not kept" in capsys.readouterr().err


# -- who goes on beside a session ------------------------------------------------------------------


def go_on(folder: Path, key: keys.Key, harm: str = "") -> None:
    """Add an event and a seal, and change a row, as who has another key or none can."""
    store = Store(Root(folder))
    with store.transaction() as db:
        chain.append(db, "2026-01-01T00:00:00.000000Z", "x", "acknowledged", body={})
        if harm:
            db.exec_driver_sql(harm)
        newest = seals.head(db)
        assert newest
        values = (key.id, newest.seq, newest.hash, key.mac(*newest))
        db.exec_driver_sql("INSERT INTO seal (key, seq, hash, mac) VALUES (?, ?, ?, ?)", values)
    store.close()


ANNA, NOBODY = keys.Key(b"a" * 32), keys.Key()
HARM = "UPDATE decision SET path = 'b_stage2.png'"


@pytest.mark.parametrize("key", [ANNA, NOBODY])
def test_a_session_does_not_seal_what_would_not_be_adopted(tmp_path: Path, key: keys.Key) -> None:
    folder = collection(tmp_path / "x", A)
    before = (folder / B).read_bytes()
    one = Collection(folder)
    decided(one, B)
    go_on(folder, key, HARM)
    for work in (partial(one.crop, B, BOX), one.close):
        with pytest.raises(StateNotAdopted, match="differs from the trail"):
            work()
    assert (folder / B).read_bytes() == before
    with pytest.raises(StateNotAdopted):
        Collection(folder)


@pytest.mark.parametrize("key", [ANNA, NOBODY])
def test_a_colleague_who_joins_hinders_nobody(tmp_path: Path, key: keys.Key) -> None:
    folder = collection(tmp_path / "x", A)
    with Collection(folder) as one:
        decided(one, "c.jpg")
        go_on(folder, key)
        assert one.crop(B, BOX).ok
        go_on(folder, key)
        assert one.undo(B)[0].ok


def test_a_key_is_looked_at_once_in_a_session(tmp_path: Path, monkeypatch: Patch) -> None:
    looked: list[Path] = []

    def look(_db: object, folder: Path) -> list[str]:
        looked.append(folder)
        return []

    monkeypatch.setattr("cropkit.audit.trust.harms", look)
    folder = collection(tmp_path / "x", A)
    with Collection(folder) as one:
        for _ in range(3):
            go_on(folder, ANNA)
            decided(one, B)
    assert len(looked) == 1


# -- what is kept has a bound ----------------------------------------------------------------------


def test_many_keys_of_one_trail_leave_room_for_the_others(tmp_path: Path, state: Path) -> None:
    mine, theirs = collection(tmp_path / "mine", A), collection(tmp_path / "theirs", A)
    many = frozenset(f"{number:016x}" for number in range(60_000))
    now = heads.seen(theirs)
    assert now
    heads.remember(theirs, heads.Seen(now.head, now.at, many, now.first))
    crop(mine, B)
    document = json.loads((state / "heads.json").read_text())
    assert {str(mine), str(theirs)} == document.keys()
    assert (state / "heads.json").stat().st_size < 20_000


def test_long_names_of_folders_leave_room_for_the_newest(tmp_path: Path, state: Path) -> None:
    folder = collection(tmp_path / "mine", A)
    document = json.loads((state / "heads.json").read_text())
    entry = document[str(folder)]
    document |= {f"/{number:04}{'x' * 3900}": entry for number in range(200)}
    left = personal_state.LARGEST - len(json.dumps(document, indent=1))
    document |= {f"/{'y' * (left - 300)}": entry}
    (state / "heads.json").write_text(json.dumps(document, indent=1))
    other = collection(tmp_path / ("o" * 120) / ("p" * 120), A)
    kept = json.loads((state / "heads.json").read_text())
    assert str(other) in kept
    assert len(kept) > 150
    assert (state / "heads.json").stat().st_size <= personal_state.LARGEST


def test_two_who_close_at_once_keep_the_later_head(tmp_path: Path, monkeypatch: Patch) -> None:
    folder = collection(tmp_path / "mine", A)
    early = heads.seen(folder)
    assert early
    changing = personal_state.changing

    def overtaken(name: str) -> Any:
        monkeypatch.setattr(personal_state, "changing", changing)
        crop(folder, B)
        return changing(name)

    now = heads.Seen(early.head, early.at, early.keys | {ANNA.id}, early.first)
    monkeypatch.setattr(personal_state, "changing", overtaken)
    heads.remember(folder, now)
    late = heads.seen(folder)
    assert late
    assert late.head.seq > early.head.seq
    assert late.keys > early.keys


def test_what_does_not_fit_is_told_in_an_event_of_some_length(tmp_path: Path) -> None:
    """The line of its export would be longer than any that is read."""
    folder = collection(tmp_path / "mine", A)
    with closing(sqlite3.connect(folder / DATABASE)) as db, db:
        row = db.execute("SELECT key, seq, hash, mac FROM seal").fetchone()
        db.executemany("INSERT INTO seal (key, seq, hash, mac) VALUES (?, ?, ?, ?)", [row] * 60_000)
    assert main(["adopt", str(folder), "--yes"]) == 0
    assert max(map(len, (folder / EXPORT).read_bytes().splitlines())) < 100_000
    crop(folder, B)


def test_what_is_kept_has_a_line_for_each_folder(tmp_path: Path, state: Path) -> None:
    """It is written at each closing: indented throughout, a thousand folders took a tenth of a
    second."""
    folders = [collection(tmp_path / name, A) for name in ("one", "two", "three")]
    first, *lines, last, end = (state / "heads.json").read_text().split("\n")
    assert (first, last, end) == ("{", "}", "")
    assert [json.loads(f"{{{line.rstrip(',')}}}").keys() for line in lines] == [
        {str(folder)} for folder in folders
    ]
