import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pictures
import pytest
import trails
from deciding import decision
from faults import as_format_1
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from cropkit.audit import migrations, schema, sessions
from cropkit.audit.dialects import with_nul_read, with_nul_written
from cropkit.audit.presence import living
from cropkit.audit.reader import TrailReader
from cropkit.audit.store import Store
from cropkit.audit.store_reader import has_wal_reset_bug
from cropkit.audit.trail import AuditTrail
from cropkit.collection import Collection
from cropkit.errors import AuditCorrupt, AuditError, AuditLocked, AuditUnavailable
from cropkit.geometry import NormalizedBox, PixelBox
from cropkit.records import Note, Problem, ProblemKind, Suggestion
from cropkit.system.files import Root
from cropkit.system.home import OWNERS
from cropkit.system.mounts import Mount, file_system_type


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[AuditTrail]:
    opened = AuditTrail(Root(tmp_path), "tester", kind="test")
    yield opened
    opened.close()


def _edit(folder: Path, statement: str) -> None:
    trails.change(folder, statement)


def test_a_look_leaves_no_trace_in_the_trail(trail: AuditTrail) -> None:
    trail.decisions.standing()
    assert trail.events() == []


def test_a_session_is_told_once_whoever_of_its_threads_is_first(trail: AuditTrail) -> None:
    row = {"id": "a", "kind": "b", "host": "c", "reviewer": "d", "version": "e", "started_at": "f"}
    with trail.store.transaction() as db:
        assert [sessions.begin(db, row) for _ in range(3)] == [True, False, False]


def test_the_first_write_tells_the_session(trail: AuditTrail) -> None:
    trail.report(Problem(ProblemKind.PREVIEW, "a.png", "a reason"))
    assert [e["event"] for e in trail.events()] == ["session-started", "degraded"]
    assert trail.degraded(trail.session) == 1
    assert all(e["at"].endswith("Z") for e in trail.events())


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET path = 'b.png' WHERE seq = 2", "event 2 was changed"),
        ("UPDATE audit SET at = '2020' WHERE seq = 1", "event 1 was changed"),
        ("UPDATE audit SET body = '{}' WHERE seq = 2", "event 2 was changed"),
        ("DELETE FROM audit WHERE seq = 2", "event 2 is missing"),
        ("UPDATE audit SET hash = session WHERE seq = 3", "event 3 was changed"),
    ],
)
def test_an_edited_trail_shows(
    trail: AuditTrail, tmp_path: Path, statement: str, said: str
) -> None:
    for number in range(3):
        trail.report(Problem(ProblemKind.PREVIEW, f"{number}.png", "a reason"))
    assert trail.integrity.broken_links() == []
    _edit(tmp_path, statement)
    assert any(said in found for found in trail.integrity.broken_links())


def test_a_transaction_is_whole_or_not_at_all(trail: AuditTrail) -> None:
    def interrupted() -> None:
        with trail.store.transaction() as db:
            db.exec_driver_sql("INSERT INTO place VALUES ('a', 'b', 'c')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with trail.store.reading() as db:
        assert db.exec_driver_sql("SELECT * FROM place").all() == []
    trail.remember_place("a.png")
    assert trail.place(trail.reviewer) == "a.png"


def test_an_older_format_is_brought_up_with_everything_in_it(tmp_path: Path) -> None:
    with closing(AuditTrail(Root(tmp_path), "tester", kind="test")) as first:
        first.report(Problem(ProblemKind.PREVIEW, "a.png", "a reason"))
    as_format_1(tmp_path)
    with closing(AuditTrail(Root(tmp_path), "tester", kind="test")) as later:
        assert [e["event"] for e in later.events()][-2:] == ["migrated", "adopted"]
        assert later.integrity.broken_links() == []
        assert later.settings() == {}
        later.choose({"jpeg": "exact"})
        assert later.settings() == {"jpeg": "exact"}


def test_a_migration_that_fails_leaves_the_old_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(Root(tmp_path)).close()
    as_format_1(tmp_path)

    def broken(db: Connection) -> None:
        schema.setting.create(db)
        db.exec_driver_sql("CREATE TABLE nonsense")

    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", {2: broken})
        with pytest.raises(AuditUnavailable):
            Store(Root(tmp_path))
    found = sqlite3.connect(tmp_path / ".cropkit" / "cropkit.db")
    assert found.execute("PRAGMA user_version").fetchone() == (1,)
    assert found.execute("SELECT * FROM sqlite_schema WHERE name = 'setting'").fetchone() is None
    found.close()
    Store(Root(tmp_path)).close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    Store(Root(tmp_path)).close()
    _edit(tmp_path, "PRAGMA user_version = 99")
    with pytest.raises(AuditUnavailable, match="newer"):
        Store(Root(tmp_path))


def test_garbage_in_place_of_the_database_is_said_so(tmp_path: Path) -> None:
    Store(Root(tmp_path)).close()
    (tmp_path / ".cropkit" / "cropkit.db").write_bytes(b"no database " * 1000)
    with pytest.raises(AuditCorrupt):
        Store(Root(tmp_path))


def test_a_held_writer_lock_is_waited_for_and_then_an_error(tmp_path: Path) -> None:
    store = Store(Root(tmp_path), deadline=0.1)
    other = Store(Root(tmp_path), deadline=5)
    with other.transaction(), pytest.raises(AuditLocked), store.transaction():
        pass
    with store.transaction():
        pass
    store.close()
    other.close()


def test_reading_does_not_wait_for_another_writer(tmp_path: Path) -> None:
    store, other = Store(Root(tmp_path), deadline=0.1), Store(Root(tmp_path))
    with other.transaction(), store.reading() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM audit").scalar_one() == 0
    store.close()
    other.close()


def test_threads_of_one_session_share_the_trail(trail: AuditTrail) -> None:
    def report(name: int) -> None:
        for number in range(10):
            trail.report(Problem(ProblemKind.PREVIEW, f"{name}-{number}", "a reason"))

    threads = [threading.Thread(target=report, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trail.degraded(trail.session) == 40
    assert trail.integrity.broken_links() == []


def _report_often(folder: Path, number: int) -> None:
    trail = AuditTrail(Root(folder), f"reviewer {number}", kind="test")
    for count in range(15):
        trail.report(Problem(ProblemKind.PREVIEW, f"{number}-{count}", "a reason"))
    trail.close()


def test_whoever_opens_or_looks_while_others_write_sees_one_moment(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    rivals = [context.Process(target=_report_often, args=(tmp_path, n)) for n in range(2)]
    AuditTrail(Root(tmp_path), "first", kind="test").close()
    for rival in rivals:
        rival.start()
    while any(rival.is_alive() for rival in rivals):
        AuditTrail(Root(tmp_path), "third", kind="test").close()
        with TrailReader(Root(tmp_path)) as trail:
            assert trail.integrity.export_differences() == []
            assert trail.integrity.examined().forged == []
            assert trail.integrity.disagreements() == []
    assert [rival.exitcode for rival in rivals] == [0, 0]


def test_processes_share_one_unbroken_chain(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    rivals = [context.Process(target=_report_often, args=(tmp_path, n)) for n in range(3)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    assert [rival.exitcode for rival in rivals] == [0, 0, 0]
    trail = AuditTrail(Root(tmp_path), kind="test")
    assert sum(e["event"] == "degraded" for e in trail.events()) == 45
    assert trail.integrity.broken_links() == []
    trail.close()


def test_an_owner_is_dead_when_its_lock_is_gone(trail: AuditTrail, tmp_path: Path) -> None:
    other = AuditTrail(Root(tmp_path), kind="test")
    assert not trail.is_dead(other.owner)
    assert not trail.is_dead(trail.owner)
    assert set(living(tmp_path)) == {trail.owner, other.owner}
    other.close()
    assert trail.is_dead(other.owner)
    (tmp_path / OWNERS / "killed").write_text("its session", encoding="utf-8")
    assert living(tmp_path) == [trail.owner]


def test_the_file_system_is_named(tmp_path: Path) -> None:
    assert file_system_type(tmp_path) != ""
    assert file_system_type(Path("/proc")) == "proc"


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cropkit.audit.store_reader.mount_of", lambda _folder: Mount("nfs4"))
    with pytest.raises(AuditError, match="nfs4"):
        Store(Root(tmp_path))
    assert not (tmp_path / ".cropkit").exists()


@pytest.mark.parametrize(
    ("version", "affected"),
    [("3.6.23", False), ("3.7.0", True), ("3.40.1", True), ("3.51.2", True), ("3.51.3", False)],
)
def test_which_sqlite_has_the_wal_reset_bug(version: str, *, affected: bool) -> None:
    assert has_wal_reset_bug(version) is affected


def test_the_database_in_use_is_told(trail: AuditTrail) -> None:
    assert sqlite3.sqlite_version in trail.store.version
    assert ("bug" in trail.store.version) is has_wal_reset_bug(sqlite3.sqlite_version)


def test_what_somebody_says_may_hold_a_nul(tmp_path: Path) -> None:
    """A stranger's sidecar may: no store keeps one from being worked with."""
    folder = pictures.write_folder(tmp_path / "collection")
    odd = "so\0urce \U0010f700 \U0010f7000 \udcff"
    with Collection(folder, reviewer=odd) as kit:
        box = Suggestion(NormalizedBox(0, 0, 1, 1), odd, odd, 0, 0.5)
        kit.decide([decision(kit, "a_stage2.png", PixelBox(1, 1, 9, 9), suggestion=box)])
        kit.trail.report(Problem(ProblemKind.PREVIEW, odd, odd))
        kit.trail.note("a_stage2.png", "", Note(text=odd))
        assert kit.fsck() == []
        (row,) = kit.trail.decisions.table()
        assert (row["suggestion_source"], row["reviewer"]) == (odd, odd)
        assert kit.trail.integrity.export_differences() == []


@given(st.text(st.sampled_from("a01\0\U0010f700\U0010f701")), st.text())
def test_each_text_is_read_as_it_was_written(odd: str, other: str) -> None:
    for text in (odd, other):
        written = with_nul_written(text)
        assert "\0" not in written
        assert with_nul_read(written) == text
