"""`compact`: the trail takes less room, tells what it told, and says what is in its way."""

import json
from pathlib import Path
from typing import Any

import pytest
from trails import A, B, crop, rows

from cropkit.audit import rotating
from cropkit.audit.reader import TrailReader
from cropkit.audit.store import Store
from cropkit.audit.trail import AuditTrail
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import AuditLocked, InsideCollection
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, HOME, segment

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collection whose export is worth packing, and whose database has room that was freed."""
    for function in (AuditTrail.compact, rotating.foreseen):
        defaults = function.__kwdefaults__
        monkeypatch.setitem(defaults, "least", 0)  # type: ignore[arg-type]  # (they have one)
    for name in (A, B):
        crop(folder, name)
    with Collection(folder) as kit:
        with kit.trail.store.transaction() as db:
            db.exec_driver_sql(
                "INSERT INTO setting VALUES ('large', hex(zeroblob(300000)), '2026')"
            )
        with kit.trail.store.transaction() as db:
            db.exec_driver_sql("DELETE FROM setting WHERE name = 'large'")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Return what is in the state, but for what SQLite makes for whoever reads."""
    every = (path for path in (folder / HOME).rglob("*") if path.is_file())
    beside = ("-shm", "-wal")
    return {path.name: path.read_bytes() for path in every if not path.name.endswith(beside)}


def answer(capsys: Capture) -> Any:
    return json.loads(capsys.readouterr().out)


def test_database_and_export_take_less_and_tell_the_same(used: Path, capsys: Capture) -> None:
    before = rows(used, "SELECT * FROM audit ORDER BY seq")
    assert main(["compact", str(used), "--json"]) == 0
    told = answer(capsys)
    assert told["ok"]
    assert told["left"] is None
    assert told["segments"] == ["trail-000001.jsonl.gz"]
    for what in ("database", "export"):
        assert told["after"][what] < told["before"][what]
    assert told["after"]["database"] < told["before"]["database"] - 500_000
    assert told["after"]["export"] == sum(
        (used / name).stat().st_size for name in (segment(1), EXPORT)
    ) - _ended(used)
    after = rows(used, "SELECT * FROM audit ORDER BY seq")
    assert after[: len(before)] == before
    assert [row["event"] for row in after[len(before) :]] == [
        "session-started",
        "compacted",
        "session-ended",
    ]
    assert json.loads(after[-2]["body"]) == told["before"]
    with Collection(used) as kit:
        assert kit.fsck() == []
        assert all(each.ok for each in kit.undo(everything=True))


def _ended(folder: Path) -> int:
    """Bytes of the line that the end of the session has added."""
    return len((folder / EXPORT).read_bytes().splitlines(keepends=True)[-1])


def test_it_says_before_and_after(used: Path, capsys: Capture) -> None:
    assert main(["compact", str(used)]) == 0
    export, database = capsys.readouterr().out.splitlines()
    assert export.startswith("export: ")
    assert export.endswith(" events packed, new segments: 1")
    assert database.startswith("database: ")
    assert " -> " in database


def test_a_dry_run_writes_nothing_and_foresees_the_export(used: Path, capsys: Capture) -> None:
    before = files(used)
    assert main(["compact", str(used), "--dry-run", "--json"]) == 0
    foreseen = answer(capsys)
    assert files(used) == before
    assert foreseen["dry_run"]
    assert foreseen["after"]["database"] is None
    assert main(["compact", str(used), "--dry-run"]) == 0
    assert files(used) == before
    shown = "".join(capsys.readouterr())
    assert f"export: {foreseen['before']['export']:,} bytes" in shown
    assert "nothing was written" in shown
    assert main(["compact", str(used), "--json"]) == 0
    # the last event stays, and this session has three
    assert 0 < answer(capsys)["after"]["export"] - foreseen["after"]["export"] < 2000


def test_while_somebody_is_at_work_the_export_alone_is_packed(used: Path, capsys: Capture) -> None:
    before = (used / DATABASE).stat().st_size
    with Collection(used) as other:
        assert main(["compact", str(used), "--json"]) == 1
        told = answer(capsys)
        assert not told["ok"]
        assert other.session in told["left"]
        assert (used / segment(1)).exists()
        assert (used / DATABASE).stat().st_size == before
        assert main(["compact", str(used)]) == 1
        assert f"the database is as it was: somebody else is at work on it: {other.session}" in (
            capsys.readouterr().err
        )
        other.undo()
        assert other.fsck() == []


def test_who_opens_it_meanwhile_waits(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever came before the lock has been seen, and whoever comes after it waits for it."""
    real = Store.vacuum
    refused = []

    def vacuum(store: Store) -> None:
        with pytest.raises(AuditLocked):
            Collection(used, deadline=0.1).close()
        refused.append(True)
        real(store)

    monkeypatch.setattr(Store, "vacuum", vacuum)
    with Collection(used) as kit:
        assert kit.compact().left is None
    assert refused


def test_without_room_beside_it_the_database_is_left(
    used: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    size = (used / DATABASE).stat().st_size
    monkeypatch.setattr(Root, "free_bytes", lambda _root: size)
    assert main(["compact", str(used)]) == 1
    assert f"{size:,} are free" in capsys.readouterr().err
    assert (used / segment(1)).exists()
    assert (used / DATABASE).stat().st_size >= size


def test_a_reader_of_an_older_moment_keeps_what_it_reads(used: Path) -> None:
    with Collection(used) as kit:
        with TrailReader(Root(used)) as reader, reader.store.reading() as db:
            count = "SELECT count(*) FROM audit"
            before = db.exec_driver_sql(count).scalar_one()
            assert kit.compact().left is None
            assert db.exec_driver_sql(count).scalar_one() == before
        assert kit.fsck() == []


def test_a_part_of_a_collection_is_refused(used: Path, capsys: Capture) -> None:
    (used / "part").mkdir()
    with Collection(used / "part") as kit, pytest.raises(InsideCollection):
        kit.compact()
    for words in ([], ["--dry-run"]):
        assert main(["compact", str(used / "part"), *words]) == 1
        assert "InsideCollection" in capsys.readouterr().err


def test_where_there_is_no_collection_none_is_made(tmp_path: Path, capsys: Capture) -> None:
    assert main(["compact", str(tmp_path)]) == 1
    assert "NoCollection" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []
