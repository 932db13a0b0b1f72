"""No audit, no work: what stops a collection, and how a lost trail is made anew."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pictures
import pytest
from deciding import BOX, decided
from faults import contents

import cropkit
from cropkit.collection import Collection, rebuild
from cropkit.errors import (
    AuditBehind,
    AuditCorrupt,
    AuditLocked,
    AuditMissing,
    AuditUnavailable,
    CropkitError,
)
from cropkit.records import Problem, ProblemKind, Suggestion, Verdict


@pytest.fixture
def kit(folder: Path) -> Iterator[Collection]:
    with cropkit.open(folder, reviewer="tester") as opened:
        yield opened


def test_a_locked_trail_stops_the_work(folder: Path) -> None:
    cropkit.open(folder).close()
    before = contents(folder)
    rival = sqlite3.connect(folder / ".cropkit" / "cropkit.db")
    rival.execute("BEGIN EXCLUSIVE")
    with pytest.raises(AuditLocked):
        Collection(folder, deadline=0.2)
    rival.rollback()
    with Collection(folder, deadline=0.2) as kit:
        rival.execute("BEGIN EXCLUSIVE")
        with pytest.raises(AuditLocked):
            kit.crop("a_stage2.png", BOX)
        rival.rollback()
    rival.close()
    assert contents(folder) == before


def test_a_trail_that_is_not_a_database_stops_the_work(folder: Path) -> None:
    cropkit.open(folder).close()
    (folder / ".cropkit" / "cropkit.db").write_bytes(b"not a database, but long enough" * 100)
    with pytest.raises(CropkitError, match="audit trail"):
        cropkit.open(folder)


def test_a_lost_database_is_not_started_afresh(folder: Path) -> None:
    with cropkit.open(folder) as kit:
        kit.crop("a_stage2.png", BOX)
    originals = sorted((folder / ".cropkit" / "originals").iterdir())
    for path in (folder / ".cropkit").glob("cropkit.db*"):
        path.unlink()
    with pytest.raises(AuditMissing, match="rebuild"):
        cropkit.open(folder)
    assert len(originals) == 1
    assert sorted((folder / ".cropkit" / "originals").iterdir()) == originals


def test_the_database_is_made_anew_from_the_export(folder: Path, tmp_path: Path) -> None:
    before = contents(folder)
    suggestion = Suggestion(cropkit.geometry.NormalizedBox(0, 0, 0.5, 0.5), "sidecar", "v3", 0, 0.5)
    with cropkit.open(folder, destination=tmp_path / "out", reviewer="tester") as kit:
        kit.apply(decided(kit, "a_stage2.png", suggestion=suggestion))
        kit.apply(decided(kit, "b_stage2.png", Verdict.REJECT, None))
        kit.crop("c.jpg", BOX)
        kit.undo("c.jpg")
        kit.redo("c.jpg")
        decided(kit, "d.jpg", Verdict.SKIP, None)
        stale = decided(kit, "e.jpeg")
        pictures.write_jpeg(folder / "e.jpeg", pictures.photo(160, 90, 8))
        kit.apply(stale)
        assert (kit.counts().stale, kit.counts().failed) == (1, 0), "nothing failed"
        kit.suggestions(kit.look("e.jpeg"))
        told = (
            kit.trail.decisions.standing_by_path(),
            _timeless(kit),
            kit.trail.operations.undoable(),
        )
        events = kit.trail.events()
    for path in (folder / ".cropkit").glob("cropkit.db*"):
        path.unlink()
    assert rebuild(folder) == len(events) + 1  # the session's end came after
    with cropkit.open(folder, destination=tmp_path / "out", reviewer="tester") as kit:
        assert (
            kit.trail.decisions.standing_by_path(),
            _timeless(kit),
            kit.trail.operations.undoable(),
        ) == told
        assert kit.trail.events()[: len(events)] == events
        assert kit.fsck() == []
        (folder / "e.jpeg").write_bytes(b"")
        kit.undo(everything=True)
        after = contents(folder)
        assert {n for n in before if before[n] != after[n]} == {"e.jpeg"}


def _timeless(kit: Collection) -> list[dict[str, object]]:
    """A row is written a moment before its event, and made anew with the event's time."""
    return [row | {"updated_at": ""} for row in kit.trail.decisions.table()]


def test_nothing_is_written_where_nobody_will_read(kit: Collection, folder: Path) -> None:
    """SQLite goes on with a database that was removed or replaced; we do not."""
    before = contents(folder)
    database = folder / ".cropkit" / "cropkit.db"
    aside = database.with_name("aside.db")
    database.rename(aside)
    with pytest.raises(AuditUnavailable, match="removed or replaced"):
        kit.crop("a_stage2.png", BOX)
    aside.with_name("copy.db").write_bytes(aside.read_bytes())
    aside.with_name("copy.db").rename(database)
    with pytest.raises(AuditUnavailable, match="removed or replaced"):
        kit.crop("a_stage2.png", BOX)
    aside.replace(database)
    assert contents(folder) == before
    kit.crop("a_stage2.png", BOX)


def test_a_database_that_is_not_the_latest_is_refused_and_the_trail_stays(folder: Path) -> None:
    home = folder / ".cropkit"
    with cropkit.open(folder) as kit:
        kit.crop("a_stage2.png", BOX)
    older = (home / "cropkit.db").read_bytes()
    with cropkit.open(folder) as kit:
        kit.crop("d.jpg", BOX)
    told = (home / "trail.jsonl").read_bytes()
    (home / "cropkit.db").write_bytes(older)
    with pytest.raises(AuditBehind, match="--rebuild"):
        cropkit.open(folder)
    assert (home / "trail.jsonl").read_bytes() == told
    rebuild(folder)
    with cropkit.open(folder) as kit:
        assert kit.fsck() == []
        assert len(kit.undo(everything=True)) == 2


def test_a_database_with_another_story_is_refused(folder: Path, tmp_path: Path) -> None:
    for place in (folder, other := pictures.write_folder(tmp_path / "other")):
        with cropkit.open(place) as kit:
            kit.crop("a_stage2.png", BOX)
    shutil.copy(other / ".cropkit" / "cropkit.db", folder / ".cropkit" / "cropkit.db")
    with pytest.raises(AuditBehind):
        cropkit.open(folder)


def test_nobody_rebuilds_under_a_living_session(folder: Path) -> None:
    with cropkit.open(folder) as kit:
        kit.crop("a_stage2.png", BOX)
        with pytest.raises(AuditUnavailable, match="at work"):
            rebuild(folder)
        assert kit.fsck() == []


def test_an_edited_export_is_not_played(folder: Path) -> None:
    with cropkit.open(folder) as kit:
        kit.crop("a_stage2.png", BOX)
    export = folder / ".cropkit" / "trail.jsonl"
    export.write_text(export.read_text().replace("a_stage2", "b_stage2"))
    with pytest.raises(AuditCorrupt, match="line 2"):
        rebuild(folder)
    assert (folder / ".cropkit" / "cropkit.db").exists()


def test_an_export_that_was_cut_off_catches_up(folder: Path) -> None:
    with cropkit.open(folder) as kit:
        kit.crop("a_stage2.png", BOX)
    export = folder / ".cropkit" / "trail.jsonl"
    whole = export.read_bytes()
    for end in (0, 1, len(whole) // 2, len(whole) - 1):
        export.write_bytes(whole[:end])
        with cropkit.open(folder) as kit:
            kit.problems.report(Problem(ProblemKind.PREVIEW, "a", "b"))
            told = len(kit.trail.events())
        assert export.read_bytes().startswith(whole)
        assert export.read_bytes().count(b"\n") == told + 1


def test_a_folder_that_cannot_be_written_is_said_so(folder: Path) -> None:
    (folder / ".cropkit").write_text("a file in the way")
    with pytest.raises(AuditUnavailable):
        cropkit.open(folder)
