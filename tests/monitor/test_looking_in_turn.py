"""A look costs what is new: what it reads does not grow, and what is old is found all the same."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import states
from grown import grow
from trails import change

from cropkit import clock
from cropkit.audit import proof, sessions
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import TrailForged
from cropkit.monitor import reporting
from cropkit.monitor.reporting import HealthReport
from cropkit.system.home import DATABASE, HOME

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
DAY = timedelta(hours=21)
OLDER = 40


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: Patch) -> Path:
    """A person's own state, for this test alone, and a turn of few older events."""
    monkeypatch.delenv("CROPKIT_KEY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(proof, "OLDER", OLDER)
    return tmp_path / "state" / "cropkit"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of a hundred crops that was looked at, and went on."""
    folder = tmp_path / "collection"
    folder.mkdir()
    with Collection(folder):
        pass
    grow(folder, 100)
    assert look(folder).ok
    grow(folder, 5, 100)
    return folder


def look(folder: Path, at: datetime | None = None, **extent: bool) -> HealthReport:
    deep, unreviewed = extent.get("deep", False), extent.get("unreviewed", False)
    return reporting.look(folder, at=at, deep=deep, unreviewed=unreviewed)


def codes(report: HealthReport) -> list[str]:
    return [alert.code for alert in report.alerts]


def looks(folder: Path, number: int, apart: timedelta = timedelta(0)) -> Iterator[HealthReport]:
    start = clock.now()
    return (look(folder, start + apart * n) for n in range(number))


# -- how much is read ------------------------------------------------------------------------------


class Read:
    """Rows that were fetched, and steps of SQLite's machine, in hundreds."""

    rows = 0
    steps = 0

    def step(self) -> int:
        self.steps += 1
        return 0


@contextmanager
def reading(monkeypatch: Patch) -> Iterator[Read]:
    """Count what is read from any database meanwhile."""
    read = Read()

    class Cursor(sqlite3.Cursor):
        def fetchone(self) -> Any:
            row = super().fetchone()
            read.rows += row is not None
            return row

        def fetchmany(self, *size: Any, **named: Any) -> list[Any]:
            rows = super().fetchmany(*size, **named)
            read.rows += len(rows)
            return rows

        def fetchall(self) -> list[Any]:
            rows = super().fetchall()
            read.rows += len(rows)
            return rows

    class Connected(sqlite3.Connection):
        def cursor(self, *_: Any) -> Any:
            return super().cursor(Cursor)

    real = sqlite3.connect

    def connect(*where: Any, **how: Any) -> sqlite3.Connection:
        connection = real(*where, factory=Connected, **how)
        connection.set_progress_handler(read.step, 100)
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect)
        yield read


def test_a_look_fetches_as_many_rows_of_2000_crops_as_of_200(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    fetched, steps = [], []
    for count in (200, 2000):
        folder = tmp_path / str(count)
        folder.mkdir()
        with Collection(folder):
            pass
        grow(folder, count)
        look(folder)
        grow(folder, 3, count)
        with reading(monkeypatch) as read:
            assert look(folder).ok
        fetched.append(read.rows)
        steps.append(read.steps)
    originals = 40  # that have their turn: some 32, by their hashes
    assert abs(fetched[1] - fetched[0]) <= originals
    # what is counted over an index alone: nothing of the kind reads a row
    assert (steps[1] - steps[0]) * 100 < 1800 * 20


def test_what_was_looked_at_is_told(folder: Path, capsys: Capture) -> None:
    main(["health", str(folder), "--json"])
    (told,) = json.loads(capsys.readouterr().out)["folders"]
    new = 2 * 5 + 2  # decided and cropped, in a session
    assert (told["events"], told["events_checked"]) == (214, new + OLDER)
    assert (told["database_checked"], told["not_remembered"]) == ([], None)
    main(["health", str(folder), "--deep"])
    assert "214 of 214 events and 105 of 105 originals read" in capsys.readouterr().out


# -- the chain -------------------------------------------------------------------------------------


def edit(folder: Path, number: int) -> None:
    change(folder, "UPDATE audit SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = ?", number)


@pytest.mark.parametrize("number", [1, 2, OLDER, OLDER + 1, 100, 201, 202])
def test_an_old_event_that_was_edited_is_found_in_its_turn_and_stays_found(
    folder: Path, number: int
) -> None:
    edit(folder, number)
    turns = 203 // OLDER + 2
    results = [codes(report) for report in looks(folder, turns)]
    found = results.index(["chain-broken"])
    assert found <= 203 // OLDER
    assert set(map(tuple, results[found:])) == {("chain-broken",)}


def test_an_old_event_that_was_removed_is_found_in_its_turn(folder: Path) -> None:
    change(folder, "DELETE FROM audit WHERE seq = ?", 77)
    *_, last = looks(folder, 4)
    assert codes(last) == ["chain-broken"]
    assert "event 77 is missing" in last.alerts[0].said


def test_a_new_event_that_was_edited_is_found_at_once_and_stays_found(folder: Path) -> None:
    edit(folder, 207)
    assert [codes(report) for report in looks(folder, 3)] == [["chain-broken"]] * 3
    grow(folder, 3, 200)
    assert codes(look(folder)) == ["chain-broken"]


def test_what_a_deep_look_finds_stays_found(folder: Path) -> None:
    edit(folder, 190)
    assert codes(look(folder)) == []
    assert "chain-broken" in codes(look(folder, deep=True))
    assert [codes(report) for report in looks(folder, 2)] == [["chain-broken"]] * 2


def test_a_deep_look_tells_of_each_damaged_original_once(folder: Path) -> None:
    changed, gone, *_ = sorted((folder / ".cropkit" / "originals").iterdir())
    changed.write_bytes(b"another")
    gone.unlink()
    report = look(folder, deep=True)
    names = [event.name for event in report.facts.bad_originals]
    assert names == [f".cropkit/originals/{each.name}" for each in (changed, gone)]
    assert "original-damaged" in codes(report)


def test_who_has_it_mended_is_told_no_more(folder: Path) -> None:
    whole = (folder / DATABASE).read_bytes()
    edit(folder, 2)
    assert codes(look(folder)) == ["chain-broken"]
    (folder / DATABASE).write_bytes(whole)
    assert [codes(report) for report in looks(folder, 8)] == [[]] * 8


def test_a_trail_that_lacks_what_was_checked_is_forged_until_it_is_adopted(
    folder: Path, state: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / HOME, tmp_path / "old")
    grow(folder, 5, 200)
    assert look(folder).ok
    (state / "heads.json").unlink()
    shutil.rmtree(folder / HOME)
    shutil.copytree(tmp_path / "old", folder / HOME)
    for report in looks(folder, 2):
        assert codes(report) == ["trail-forged"]
        assert "up to which you had checked it" in report.alerts[0].said
        assert report.facts.events_checked == report.facts.events
    with pytest.raises(TrailForged, match="had checked"):
        Collection(folder)
    assert main(["adopt", str(folder), "--yes"]) == 0
    assert look(folder).ok


def test_another_trail_in_the_same_folder_is_checked_from_its_beginning(folder: Path) -> None:
    shutil.rmtree(folder / HOME)
    with Collection(folder):
        pass
    grow(folder, 3, 500)
    facts = look(folder).facts
    assert facts.events_checked == facts.events


# -- the own state ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lack", ["others may write", "nonsense", "no such place"])
def test_where_nothing_can_be_kept_all_is_checked_each_time_and_said(
    folder: Path, state: Path, lack: str, monkeypatch: Patch, capsys: Capture
) -> None:
    look(folder)
    if lack == "others may write":
        (state / "checked.json").chmod(0o666)
    elif lack == "nonsense":
        (state / "checked.json").write_text(json.dumps({str(folder.resolve()): {"seq": "1"}}))
    else:
        monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    for report in looks(folder, 2):
        assert report.facts.events_checked == report.facts.events
        assert report.facts.parts_checked == tuple(proof.PARTS)
    assert main(["health", str(folder)]) == 0
    assert "how far it was checked is not kept" in capsys.readouterr().out
    edit(folder, 150)
    assert codes(look(folder)) == ["chain-broken"]


def test_what_is_kept_is_for_this_person_alone_and_nothing_is_kept_in_the_collection(
    folder: Path, state: Path
) -> None:
    before = {p: p.read_bytes() for p in (folder / HOME).iterdir() if p.is_file()}
    look(folder)
    assert (state / "checked.json").stat().st_mode & 0o777 == 0o600
    after = {p: p.read_bytes() for p in (folder / HOME).iterdir() if p.is_file()}
    assert {p.name for p in before.keys() ^ after.keys()} <= {"cropkit.db-shm", "cropkit.db-wal"}
    assert all(after[p] == data for p, data in before.items() if p.name != "cropkit.db-shm")


# -- the database ----------------------------------------------------------------------------------


def test_each_part_of_the_database_is_looked_through_once_in_some_days(folder: Path) -> None:
    parts = [report.facts.parts_checked for report in looks(folder, len(proof.PARTS) + 1, DAY)]
    assert parts[0] == ()
    assert sorted(part for some in parts for part in some) == sorted(proof.PARTS)
    assert all(len(some) <= 1 for some in parts)


def test_a_damaged_page_that_no_question_reads_is_found_in_its_turn(folder: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        query = "SELECT pageno FROM dbstat WHERE name = 'decision' AND pagetype = 'leaf'"
        page = [row[0] for row in db.execute(query)][3]
    with (folder / DATABASE).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 512)
    results = [codes(report) for report in looks(folder, 2 * len(proof.PARTS), DAY)]
    found = results.index(["database-corrupt"])
    assert 0 < found <= len(proof.PARTS)
    assert results[found:] == [["database-corrupt"]] * len(results[found:])


# -- what happened long ago ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        *("degraded", "vanished", "hangs", "conflict", "in-doubt", "unsettled", "recovered"),
        *("unvouched", "original-damaged", "idle", "nested"),
    ],
)
def test_an_alert_is_raised_however_much_came_after_its_cause(
    code: str, tmp_path: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(sessions, "LATEST", 2)
    place = states.make(tmp_path, monkeypatch)
    begun = states.ALERTS[code](place)
    next(begun)
    if code in ("degraded", "vanished"):  # else it would be the latest run
        with place.collection() as collection, collection.begin_run("apply"):
            pass
    for some in range(4):
        grow(place.folder, 12, 12 * some)
    if code == "idle":
        place.later(timedelta(days=8))
    found = [codes(report) for report in looks(place.folder, 3, timedelta(hours=1))]
    assert any(code in some for some in found)
    with pytest.raises(StopIteration):
        next(begun)


def test_what_was_acknowledged_long_ago_is_told_no_more(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(sessions, "LATEST", 2)
    place = states.make(tmp_path, monkeypatch)
    next(states.ALERTS["degraded"](place))
    reporting.acknowledge(place.folder, look(place.folder).alerts)
    for some in range(4):
        grow(place.folder, 12, 12 * some)
    assert codes(look(place.folder)) == []


def test_the_last_crop_is_known_however_much_came_after_it(folder: Path) -> None:
    last = look(folder).facts.last_crop_at
    with Collection(folder) as collection:
        for _ in range(30):
            collection.trail.acknowledge({"alerts": []})
    assert look(folder).facts.last_crop_at == last


def test_the_largest_batch_is_an_old_one_of_which_some_stand_for_all(folder: Path) -> None:
    with Collection(folder):
        pass
    sizes = {path.stat().st_size for path in (folder / HOME / "originals").iterdir()}
    assert sizes <= {len("original 1"), len("original 10"), len("original 100")}
    assert 100 * len("original 1") <= look(folder).facts.largest_batch <= 100 * len("original 100")


def test_images_are_counted_where_they_matter_or_somebody_asks(folder: Path) -> None:
    (folder / "new.png").write_bytes(b"not decoded")
    assert look(folder).facts.unreviewed is None
    assert look(folder, unreviewed=True).facts.unreviewed == 1
    assert look(folder, deep=True).facts.unreviewed == 1
    late = look(folder, clock.now() + timedelta(days=8))
    assert (late.facts.unreviewed, codes(late)) == (1, ["idle"])


def test_originals_that_were_purged_are_not_counted(folder: Path) -> None:
    assert look(folder).facts.originals == 105
    with Collection(folder) as collection:
        purged = collection.purge(keep_bytes=900)
    facts = look(folder).facts
    left = list((folder / HOME / "originals").iterdir())
    assert 0 < len(purged) < 105
    assert facts.originals == 105 - len(purged) == len(left)
