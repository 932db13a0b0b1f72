"""A trail goes to a server and back: killed anywhere, one is whole and the folder names it."""

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import bad_line
import hostile_names
import pictures
import postgres
import pytest
import trails
from bad_line import Cut
from faults import contents
from postgres import Server
from shell import run

from cropkit.audit import copying, links, moving, opening
from cropkit.audit.moving import Moved
from cropkit.audit.places import Address
from cropkit.collection import Collection
from cropkit.errors import (
    AuditCorrupt,
    AuditMissing,
    AuditUnavailable,
    ForeignState,
)
from cropkit.geometry import PixelBox
from cropkit.records import Note
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, TRAIL_PLACE, log_of

BOX = PixelBox(10, 20, 40, 60)
Move = Callable[[Path, str], Moved]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection with some of everything in its trail, and a name that is no text."""
    folder = pictures.write_folder(tmp_path_factory.mktemp("made") / "collection")
    names = sorted(path.name for path in folder.glob("*.png"))
    hostile = os.fsencode(folder) + b"/" + hostile_names.NAMES["latin-1"]
    Path(os.fsdecode(hostile)).write_bytes((folder / names[0]).read_bytes())
    with Collection(folder, reviewer="anna \udcff \0 \U0010f7000") as kit:
        for name in kit.images():
            assert kit.crop(name, BOX).ok
        kit.undo(names[0])
        kit.trail.note(names[1], "", Note(text="a note: ü"))
        kit.trail.choose({"grid": "thirds"})
    return folder


@pytest.fixture
def moved(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be moved."""
    return pictures.copied(made, tmp_path / "collection")


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of its own on the server of this process."""
    url = postgres.own().another_database()
    monkeypatch.setenv("PGPASSWORD", postgres.own().password)
    return url


def there(folder: Path, url: str) -> Moved:
    return moving.to_server(Root(folder), Address(url))


def back(folder: Path, _url: str = "") -> Moved:
    return moving.to_file(Root(folder))


def told(folder: Path) -> tuple[copying.Contents, list[str]]:
    """Return all that the trail holds, wherever it is, and how its chain does not fit."""
    with closing(opening.to_read(Root(folder))) as store, store.reading() as db:
        return copying.contents(db), [link.said for link in links.broken(db)]


def exported(folder: Path) -> str:
    return hashlib.sha256((folder / EXPORT).read_bytes()).hexdigest()


def schemas(url: str) -> list[str]:
    found = postgres.own().run(
        "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'cropkit%' ORDER BY 1",
        database=url.rpartition("/")[2],
    )
    return [row[0] for row in found]


def kept(folder: Path) -> list[str]:
    names = [path.name for path in (folder / ".cropkit").iterdir()]
    return sorted(name for name in names if ".moved-" in name and name[-4:] not in ("-wal", "-shm"))


# -- there and back --------------------------------------------------------------------------------


def test_there_and_back_everything_is_as_it_was(moved: Path, url: str) -> None:
    before, export, files = told(moved), exported(moved), contents(moved)
    went = there(moved, url)
    assert told(moved) == before
    assert before[1] == []
    assert not (moved / DATABASE).exists()
    assert (moved / went.kept).is_file(), "the old one is kept"
    came = back(moved)
    assert told(moved) == before
    assert not (moved / TRAIL_PLACE).exists()
    assert schemas(url) == [came.kept]
    assert (went.head, went.events, went.rows) == (came.head, came.events, came.rows)
    assert (exported(moved), contents(moved)) == (export, files)
    assert went.events == before[0]["audit"].rows


def test_work_goes_on_there_and_goes_on_here_afterwards(moved: Path, url: str) -> None:
    there(moved, url)
    with Collection(moved) as kit:
        (name, *_) = kit.images()
        assert kit.undo(name)
        assert kit.crop(name, BOX).ok
        assert kit.fsck() == []
    head = told(moved)[0]["audit"]
    back(moved)
    assert told(moved)[0]["audit"] == head
    with Collection(moved) as kit:
        assert kit.undo(name)
        assert kit.fsck() == []


def test_nothing_is_written_that_the_record_should_not_hold(moved: Path, url: str) -> None:
    there(moved, url)
    record = json.loads((moved / TRAIL_PLACE).read_text())
    assert set(record) == {"format", "host", "port", "database", "schema"}
    password = postgres.own().password.encode()
    for path in (moved / ".cropkit").rglob("*"):
        assert not (path.is_file() and password in path.read_bytes())


def test_how_far_it_is_is_told(moved: Path, url: str) -> None:
    seen: list[tuple[int, int]] = []
    went = moving.to_server(Root(moved), Address(url), progress=lambda *n: seen.append(n))
    assert seen[-1] == (went.rows, went.rows)
    assert seen == sorted(seen)


# -- what is refused -------------------------------------------------------------------------------


def stays(folder: Path, url: str, work: Callable[[], object], error: type[Exception]) -> str:
    """Have a move refused, and see that it changed nothing."""
    before = told(folder)
    with pytest.raises(error) as refused:
        work()
    assert told(folder) == before
    assert schemas(url) == []
    assert kept(folder) == []
    assert not (folder / f"{TRAIL_PLACE}.new").exists()
    return str(refused.value)


def test_while_somebody_is_at_work_it_is_refused(moved: Path, url: str) -> None:
    with Collection(moved):
        said = stays(moved, url, lambda: there(moved, url), AuditUnavailable)
    assert "somebody is at work on it" in said


def test_while_somebody_is_at_work_on_another_machine_it_stays_on_the_server(
    moved: Path, url: str
) -> None:
    there(moved, url)
    (schema,) = schemas(url)
    there_is, of = f"SET search_path TO {schema}", url.rpartition("/")[2]
    lease = "SELECT 'abc', 'another boot', clock_timestamp() + interval '1 minute', NULL"
    postgres.own().run(there_is, "INSERT INTO owner " + lease, database=of)
    with pytest.raises(AuditUnavailable, match="on another machine"):
        back(moved)
    assert (moved / TRAIL_PLACE).exists()
    postgres.own().run(there_is, "UPDATE owner SET until = clock_timestamp()", database=of)
    back(moved)


def test_with_an_operation_under_way_it_is_refused(moved: Path, url: str) -> None:
    name = min(path.name for path in moved.glob("*.jpg"))
    with Collection(moved) as kit:
        kit.undo(name)
    trails.cut_off(moved, name)
    said = stays(moved, url, lambda: there(moved, url), AuditUnavailable)
    assert "is prepared" in said or "is planned" in said
    done = run("migrate-trail", moved, "--to", url)
    assert done.returncode == 0, "the command settles first what a crash left"


def test_what_is_there_or_here_already_is_not_moved_again(moved: Path, url: str) -> None:
    with pytest.raises(AuditUnavailable, match="already"):
        back(moved)
    there(moved, url)
    with pytest.raises(AuditUnavailable, match="already"):
        there(moved, url)
    assert len(schemas(url)) == 1


@pytest.mark.parametrize(
    "change",
    [
        "setting SET value = x'ff'",
        "setting SET value = 'nul' || char(0)",
        "decision SET suggestion_rank = 'first'",
        "decision SET iou = 'none'",
    ],
)
def test_a_cell_that_is_none_of_ours_is_refused(moved: Path, url: str, change: str) -> None:
    assert trails.change(moved, f"UPDATE {change}")
    with pytest.raises(AuditCorrupt, match=f"of {change.partition(' ')[0]}, is none of ours"):
        there(moved, url)
    assert schemas(url) == []
    assert (moved / DATABASE).exists()


def test_an_event_that_was_changed_is_not_moved(moved: Path, url: str) -> None:
    trails.change(moved, "UPDATE audit SET at = '2020-01-01' WHERE seq = 3")
    said = stays(moved, url, lambda: there(moved, url), AuditCorrupt)
    assert "event 3 was changed" in said


def test_what_is_refused_is_told_in_one_sentence(
    moved: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    there(moved, url)
    trails.change(moved, "DELETE FROM audit WHERE seq = 2")
    said = run("migrate-trail", moved, "--to", "sqlite")
    assert (said.returncode, said.stderr.count("\n")) == (1, 1)
    assert "event 2 is missing" in said.stderr
    assert [each for each in caplog.messages if "cursor" in each] == []


def test_a_copy_that_is_not_the_same_does_not_count(
    moved: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = copying._write  # noqa: SLF001  (it is made wrong)

    def careless(db: Any, table: Any, some: Any) -> None:
        real(db, table, some[:-1] if table.name == "audit" else some)

    monkeypatch.setattr(copying, "_write", careless)
    said = stays(moved, url, lambda: there(moved, url), AuditCorrupt)
    assert "table audit has" in said
    assert "the trail stays where it is" in said


def test_a_record_beside_another_trail_is_nobodys_move(moved: Path, url: str) -> None:
    there(moved, url)
    (old,) = kept(moved)
    shutil.copy(moved / ".cropkit" / old, moved / DATABASE)
    trails.change(moved, "UPDATE setting SET value = 'other'")
    done = run("migrate-trail", moved, "--to", url)
    assert done.returncode == 1
    assert "which is true?" in done.stderr
    assert (moved / DATABASE).exists()


# -- what dies in the middle -----------------------------------------------------------------------

POINTS = {
    moving: ("_write_record", "_copied", "_refuse", "_check_is_there", "_remembered", "_set_aside"),
    Root: ("replace", "sync", "sync_folder"),
    copying: ("_write",),
}
AFTER = {moving: ("run",)}


def dying(work: Callable[[], object], point: int) -> bool:
    """Do something in a process that is killed at one point; return whether it got there."""

    def child() -> None:
        passed = 0

        def at(real: Callable[..., Any]) -> Callable[..., Any]:
            def called(*arguments: Any, **named: Any) -> Any:
                nonlocal passed
                passed += 1
                if passed == point:
                    os._exit(9)
                answer = real(*arguments, **named)
                passed += 1
                if passed == point:
                    os._exit(9)
                return answer

            return called

        for owner, names in (*POINTS.items(), *AFTER.items()):
            for name in names:
                setattr(owner, name, at(getattr(owner, name)))
        work()
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode in (0, 9)
    return process.exitcode == 9


@pytest.mark.parametrize("way", ["there", "back"])
def test_killed_anywhere_one_is_whole_and_the_folder_names_it(
    made: Path, tmp_path: Path, url: str, way: str
) -> None:
    moves: dict[str, Move] = {"there": there, "back": back}
    before, point, died = told(made), 0, True
    while died:
        point += 1
        folder = pictures.copied(made, tmp_path / f"killed at {point}")
        if way == "back":
            there(folder, url)
        died = dying(partial(moves[way], folder, url), point)
        _is_whole(folder, url, way, before)
    assert point > 20


def _is_whole(folder: Path, url: str, way: str, before: object) -> None:
    """See that the trail can be used as it is, or says what finishes the move; then finish it."""
    if (folder / TRAIL_PLACE).exists() and (folder / DATABASE).exists():
        with pytest.raises(ForeignState, match="migrate-trail"):
            Collection(folder)
    else:
        assert told(folder) == before
        with Collection(folder) as kit:
            assert kit.fsck() == []
    target, other = (url, "sqlite") if way == "there" else ("sqlite", url)
    for to in (target, other):
        done = run("migrate-trail", folder, "--to", to)
        assert done.returncode == 0 or "already" in done.stderr, done.stderr
    back_here = run("migrate-trail", folder, "--to", "sqlite")
    assert back_here.returncode == 0 or "already" in back_here.stderr
    assert told(folder) == before


def test_an_old_log_is_not_played_into_a_new_file(moved: Path, url: str) -> None:
    with closing(opening.to_read(Root(moved))) as store, store.reading():
        trails.change(moved, "UPDATE setting SET updated_at = '2020'")  # is in the log for now
        log = (moved / log_of(DATABASE)).read_bytes()
    assert log
    there(moved, url)
    with Collection(moved) as kit:
        kit.trail.choose({"grid": "golden"})
    before = told(moved)
    (moved / log_of(DATABASE)).write_bytes(log)
    back(moved)
    assert told(moved) == before


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_server_that_dies_meanwhile_leaves_it_here(
    moved: Path, postgres_server: Server, share: float
) -> None:
    before = told(moved)

    def die(done: int, total: int) -> None:
        if done >= share * total and postgres_server.folder.exists():
            postgres_server.kill()

    with pytest.raises(AuditUnavailable):
        moving.to_server(Root(moved), Address(postgres_server.url()), 5, die)
    assert told(moved) == before
    postgres_server.restart()
    went = there(moved, postgres_server.url())
    assert went.left == (), "nothing was left there"
    os.environ["PGPASSWORD"] = postgres_server.password
    try:
        assert told(moved) == before
    finally:
        del os.environ["PGPASSWORD"]


@pytest.mark.parametrize("where", list(Cut))
def test_a_line_that_is_lost_at_the_commit_leaves_it_here_and_says_what_may_be_there(
    moved: Path, url: str, where: Cut
) -> None:
    before = told(moved)
    name = url.rpartition("/")[2]
    with bad_line.bad_line(postgres.own().port) as line:
        line.cut_at(b"COMMIT", where)
        with pytest.raises(AuditUnavailable):
            there(moved, postgres.own().url(name, port=line.port))
    assert told(moved) == before
    there_now = schemas(url)
    assert len(there_now) == (where is Cut.AFTER)
    went = there(moved, url)
    assert len(went.left) == 1
    assert all(schema in went.left[0] for schema in there_now)


def test_a_server_that_lost_it_does_not_let_it_be_found_here(moved: Path, url: str) -> None:
    there(moved, url)
    (schema,) = schemas(url)
    postgres.own().run(f"DROP SCHEMA {schema} CASCADE", database=url.rpartition("/")[2])
    with pytest.raises(AuditMissing, match=schema):
        back(moved)
    assert len(kept(moved)) == 1, "the old one is kept"


# -- the command -----------------------------------------------------------------------------------


def test_the_command_tells_it_in_json_and_no_password(moved: Path, url: str) -> None:
    done = run("migrate-trail", moved, "--to", url, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["ok"]
    assert said["events"] == told(moved)[0]["audit"].rows
    assert said["kept"].startswith(f"{DATABASE}.moved-")
    done = run("migrate-trail", moved, "--to", "sqlite")
    assert done.returncode == 0, done.stderr
    assert f"-> {DATABASE}" in done.stdout
    assert postgres.own().password not in json.dumps(said) + done.stdout + done.stderr


@pytest.mark.parametrize("to", ["mysql://x/y", "postgresql://me:hidden@[bad", "trail.db"])
def test_what_is_no_address_is_refused(moved: Path, to: str) -> None:
    done = run("migrate-trail", moved, "--to", to)
    assert done.returncode == 1
    assert "hidden" not in done.stderr
    assert (moved / DATABASE).exists()


def test_a_part_of_a_collection_has_no_trail_to_move(moved: Path) -> None:
    (moved / "part").mkdir()
    done = run("migrate-trail", moved / "part", "--to", "sqlite")
    assert done.returncode == 1
    assert "InsideCollection" in done.stderr


def test_a_server_that_is_lost_for_good_is_made_up_for_by_the_export(moved: Path, url: str) -> None:
    before = told(moved)[0]["audit"]
    there(moved, url)
    (moved / TRAIL_PLACE).rename(moved / "away.json")
    done = run("fsck", moved, "--rebuild")
    assert done.returncode == 0, done.stderr
    assert told(moved)[0]["audit"] == before
    assert run("migrate-trail", moved, "--to", url).returncode == 0
    assert told(moved)[0]["audit"] == before
