"""A server that is away, slow, full, read-only, another's; lines that are lost: nothing else is."""

import json
import logging
import os
import pickle
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from typing import Any

import bad_line
import pictures
import postgres
import pytest
import stores
from bad_line import BadLine, Cut
from deciding import decided
from patience import patient
from postgres import Server
from shell import run
from sqlalchemy.exc import DBAPIError

from cropkit import clock, extras
from cropkit.audit import moving, opening, places, settings
from cropkit.audit.dialects import ask
from cropkit.audit.postgres import server as lines
from cropkit.audit.reader import TrailReader
from cropkit.audit.store import Store
from cropkit.collection import Collection
from cropkit.errors import (
    AnotherFolder,
    AuditBehind,
    AuditCorrupt,
    AuditError,
    AuditLocked,
    AuditMissing,
    AuditUnavailable,
    BadTrail,
    ForeignState,
    NotInstalled,
)
from cropkit.geometry import PixelBox
from cropkit.monitor import inspection
from cropkit.monitor.inspection import Extent
from cropkit.records import Note, Status
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, TRAIL_PLACE
from cropkit.workers.applier import ApplierProcess
from cropkit.workers.opening import Opening

BOX = PixelBox(10, 20, 40, 60)
SECRET = "of-mine-alone"  # noqa: S105  (in every address that is no good)
A, B = "a_stage2.png", "b_stage2.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pictures.write_folder(tmp_path / "collection")


@pytest.fixture
def made(folder: Path, postgres_url: str) -> Path:
    """A collection with a crop, whose trail is on the shared server."""
    with Collection(folder, trail=postgres_url) as kit:
        assert kit.crop(A, BOX).ok
    return folder


@pytest.fixture
def line(postgres_server: Server) -> Iterator[BadLine]:
    with bad_line.bad_line(postgres_server.port) as opened:
        yield opened


def on_server(folder: Path, statement: str) -> None:
    with closing(stores.connected(folder)) as db:
        db.execute(statement.encode())


def schema_of(folder: Path) -> str:
    return str(json.loads((folder / TRAIL_PLACE).read_bytes())["schema"])


def told(folder: Path, url: str) -> list[str]:
    with TrailReader(Root(folder), trail=url) as trail:
        assert trail.integrity.broken_links() == []
        assert trail.integrity.disagreements() == []
        return [event["event"] for event in trail.events()]


# -- where it is -----------------------------------------------------------------------------------


def test_the_folder_says_where_without_who_and_by_which_password(made: Path) -> None:
    said = (made / TRAIL_PLACE).read_text()
    assert set(json.loads(said)) == {"format", "host", "port", "database", "schema"}
    assert postgres.own().password not in said
    assert not (made / DATABASE).exists()


def test_nobody_is_asked_because_a_folder_says_so(made: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(places, "_named_here", {})
    monkeypatch.setenv("XDG_STATE_HOME", str(made.parent / "another's"))
    monkeypatch.setattr(lines.Line, "connect", lambda *_: pytest.fail("somebody was asked"))
    with pytest.raises(AuditUnavailable, match="which you have not named") as refused:
        Collection(made)
    assert "127.0.0.1" in str(refused.value)
    assert "--trail" in str(refused.value)


def test_who_has_named_it_once_need_not_do_so_again(made: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(places, "_named_here", {})
    monkeypatch.setenv("PGPASSWORD", postgres.own().password)
    with Collection(made) as kit:
        assert kit.crop(B, BOX).ok
    kept = Path(os.environ["XDG_STATE_HOME"], "cropkit", "trails.json").read_text()
    assert schema_of(made) in kept
    assert postgres.own().password not in kept


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 2}',
        '{"format": 1, "host": 7, "port": "", "database": "x", "schema": "public"}',
        '{"format": 1, "host": "h", "port": "", "database": "x", "schema": "public"}',
        '{"format": 1, "host": "h", "port": "", "database": "x", "schema": "cropkit_\\"; DROP"}',
        "x" * 20_000,
        "[" * 9_000,
    ],
)
def test_a_record_that_is_none_of_ours_is_refused(folder: Path, said: str) -> None:
    (folder / TRAIL_PLACE).parent.mkdir(0o700)
    (folder / TRAIL_PLACE).write_text(said)
    for open_it in (Collection, lambda where: TrailReader(Root(where))):
        with pytest.raises(ForeignState, match=r"trail\.json"):
            open_it(folder)


def test_a_record_that_is_a_link_is_not_followed(made: Path) -> None:
    (made / TRAIL_PLACE).rename(made / "elsewhere.json")
    (made / TRAIL_PLACE).symlink_to(made / "elsewhere.json")
    with pytest.raises(ForeignState):
        Collection(made)


def test_a_database_beside_the_record_is_refused(made: Path) -> None:
    (made / DATABASE).touch(0o600)
    with pytest.raises(ForeignState, match="lies beside it"):
        Collection(made)


def test_a_copy_of_the_folder_is_refused_and_one_that_was_renamed_goes_on(
    made: Path, postgres_url: str
) -> None:
    copy, renamed = made.with_name("copy"), made.with_name("renamed")
    shutil.copytree(made, copy)
    with pytest.raises(AnotherFolder, match="If this is a copy, work in the other"):
        Collection(copy, trail=postgres_url)
    said = run("where", copy, "--moved", "--trail", postgres_url)
    assert said.returncode == 1
    assert f"{made}, whose trail it is on the server, is there" in said.stderr
    made.rename(renamed)
    with Collection(renamed, trail=postgres_url) as kit:
        assert kit.crop(B, BOX).ok
        assert kit.fsck() == []


@pytest.mark.parametrize("is_called_alike", [True, False])
def test_a_copy_on_another_machine_is_refused_and_one_that_was_brought_there_goes_on(
    made: Path, postgres_url: str, *, is_called_alike: bool
) -> None:
    """Here its original is not seen, as on another machine, whatever that has there."""
    hidden, copy = made.with_name("hidden"), made if is_called_alike else made.with_name("copy")
    made.rename(hidden)
    shutil.copytree(hidden, copy)
    for it in (Collection, lambda folder, trail: TrailReader(Root(folder), trail=trail)):
        with pytest.raises(AnotherFolder, match="`cropkit where FOLDER --moved` says so"):
            it(copy, trail=postgres_url)
    before = told(hidden, postgres_url)
    facts = inspection.examine(copy, clock.now(), Extent())
    assert facts.failure is not None
    assert facts.failure.name == "foreign-state"
    said = run("where", copy, "--moved", "--trail", postgres_url)
    assert said.returncode == 0, said.stderr
    assert "is that of this folder from now on" in said.stderr
    with Collection(copy, trail=postgres_url) as kit:
        assert kit.crop(B, BOX).ok
        assert kit.fsck() == []
    with pytest.raises(AnotherFolder, match=copy.name):
        Collection(hidden, trail=postgres_url)
    assert told(copy, postgres_url) != before


def test_nobody_says_that_a_folder_was_moved_while_somebody_is_at_work_on_it(
    made: Path, postgres_url: str
) -> None:
    hidden = made.with_name("hidden")
    with Collection(made, trail=postgres_url) as kit:
        made.rename(hidden)
        shutil.copytree(hidden, made)
        said = run("where", made, "--moved", "--trail", postgres_url)
        assert said.returncode == 1
        assert "somebody is at work" in said.stderr
        shutil.rmtree(made)
        hidden.rename(made)
        assert kit.crop(B, BOX).ok


def test_of_a_trail_in_a_file_nothing_has_to_be_said(folder: Path) -> None:
    with Collection(folder, trail="sqlite") as kit:
        assert kit.crop(A, BOX).ok
    said = run("where", folder, "--moved")
    assert said.returncode == 0
    assert "has moved with it" in said.stderr
    assert run("where", folder.parent, "--moved").returncode == 1


def test_a_trail_in_a_file_is_not_left_behind_unasked(folder: Path, postgres_url: str) -> None:
    with Collection(folder) as kit:
        kit.crop(A, BOX)
    with pytest.raises(AuditUnavailable, match="migrate-trail"):
        Collection(folder, trail=postgres_url)
    told = run("crop", str(folder / B), "--box", "1,1,9,9", "--trail", postgres_url)
    assert told.returncode == 1
    assert "migrate-trail" in told.stderr
    assert not (folder / TRAIL_PLACE).exists()


def test_a_trail_on_a_server_is_not_left_behind_unasked(made: Path) -> None:
    with pytest.raises(AuditUnavailable, match="migrate-trail"):
        Collection(made, trail="sqlite")
    assert run("crop", str(made / B), "--box", "1,1,9,9", "--trail", "sqlite").returncode == 1


def test_the_shell_says_it_once_for_all_that_it_starts(folder: Path, postgres_url: str) -> None:
    words = ("--box", "1,1,30,30", "--trail", postgres_url)
    assert run("crop", str(folder / A), *words).returncode == 0
    assert (folder / TRAIL_PLACE).exists()
    assert "CROPKIT_TRAIL" not in os.environ
    looked = run("fsck", str(folder), "--trail", postgres_url)
    assert looked.returncode == 0
    assert "PostgreSQL" in looked.stderr
    health = json.loads(run("health", str(folder), "--json", "--trail", postgres_url).stdout)
    assert health["folders"][0]["database"].startswith("PostgreSQL")


def test_the_shell_reaches_a_server_by_another_address_than_before(
    folder: Path, postgres_server: Server, monkeypatch: Any
) -> None:
    with bad_line.bad_line(postgres_server.port) as line:
        before = postgres_server.url(port=line.port)
        with Collection(folder, trail=before) as kit:
            assert kit.crop(A, BOX).ok
    monkeypatch.setattr(places, "_named_here", {})  # another process, when that line is no more
    now = postgres_server.url()
    assert "refused" in run("history", folder).stderr
    for command in ("history", "health", "fsck"):
        said = run(command, folder, "--trail", now)
        assert "refused" not in said.stdout + said.stderr
    assert run("crop", folder / B, "--box", "1,1,30,30", "--trail", now).returncode == 0
    monkeypatch.setattr(places, "_named_here", {})
    monkeypatch.setenv("PGPASSWORD", postgres_server.password)
    assert run("history", folder).returncode == 0  # it is the one that they named last


def test_an_address_that_is_said_is_asked_and_no_other(made: Path) -> None:
    said = run("history", made, "--trail", "postgresql://cropkit@127.0.0.1:1/cropkit")
    assert (said.returncode, "127.0.0.1:1/" in said.stderr) == (1, True)


def test_a_folder_that_is_only_looked_at_makes_nothing_on_a_server(
    folder: Path, postgres_url: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv("CROPKIT_TRAIL", postgres_url)
    assert run("batch", str(folder), "--dry-run").returncode == 0
    assert not (folder / ".cropkit").exists()


# -- no password in any word -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:{}@127.0.0.1:1/x",
        "postgresql://me@127.0.0.1:1/x?password={}",
        "postgresql://me:{}@127.0.0.1:one/x",
        "postgresql://me:{}@[::1/x",
        "postgresql://me:{}@127.0.0.1:1/x?no_such=1",
        "postgresql://me:{}%zz@127.0.0.1:1/x",
        "mysql://me:{}@127.0.0.1/x",
        "me:{}@127.0.0.1",
    ],
)
def test_a_password_is_in_no_message_log_or_record(
    folder: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises((AuditUnavailable, BadTrail)) as refused,
    ):
        Collection(folder, trail=url.format(SECRET), deadline=1)
    words = [str(refused.value), repr(refused.value), caplog.text]
    words += [run("heads", str(folder), "--trail", url.format(SECRET)).stderr]
    words += [path.read_text(errors="replace") for path in folder.rglob("*.json*")]
    assert not [each for each in words if SECRET in each]


@pytest.mark.parametrize(
    "url",
    ["postgresql://me:{}@h/x", "postgres://me:a@b&{}@h/x", "postgresql://me@h/x?password={}&a=1"],
)
def test_a_password_in_an_option_that_there_is_not_is_not_shown(folder: Path, url: str) -> None:
    said = run("history", folder, "--trial", url.format(SECRET))
    assert (said.returncode, "--trial" in said.stderr) == (2, True)
    assert SECRET not in said.stderr


def test_an_address_shows_no_password_and_is_not_pickled(postgres_url: str) -> None:
    address = places.Address(postgres_url)
    assert postgres.own().password not in f"{address} {address!r} {address.kept}"
    with pytest.raises(TypeError):
        pickle.dumps(address)


# -- servers that cannot be used -------------------------------------------------------------------


def crop(folder: Path, url: str, **how: Any) -> None:
    with Collection(folder, trail=url, **how) as kit:
        kit.crop(B, BOX)


def refused(folder: Path, url: str, words: str, **how: Any) -> None:
    """A sentence, and nothing lost: no image was touched, and what was recorded is there."""
    before = (folder / B).read_bytes()
    with (
        pytest.raises(AuditError, match=words) as error,
        Collection(folder, trail=url, **how) as kit,
    ):
        kit.crop(B, BOX)
    assert "\n" not in str(error.value)
    assert (folder / B).read_bytes() == before


def test_a_server_that_is_away(made: Path) -> None:
    refused(made, "postgresql://cropkit@127.0.0.1:1/cropkit", "Connection refused")


def test_a_wrong_password(made: Path) -> None:
    wrong = postgres.own().url().replace(postgres.own().password, "wrong")
    refused(made, wrong, "refuses the password")


def test_an_address_with_a_setting_that_is_none(made: Path, postgres_url: str) -> None:
    url = f"{postgres_url}?connect_timeout=long"
    with pytest.raises(AuditUnavailable, match="connect_timeout"):
        Collection(made, trail=url)


def test_a_database_that_there_is_not(made: Path) -> None:
    refused(made, postgres.own().url("nowhere"), "no such database|does not exist")


def test_another_server_or_database_that_does_not_hold_it(made: Path) -> None:
    refused(made, postgres.own().another_database(), "is gone")


def test_a_database_of_another_encoding(folder: Path) -> None:
    own = postgres.own()
    own.run(
        "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
        database="postgres",
    )
    refused(folder, own.url("latin"), "LATIN1.*ENCODING 'UTF8'")


def test_a_server_that_is_too_old(made: Path, postgres_url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(lines, "OLDEST", 99)
    refused(made, postgres_url, "and 99 or newer is needed")


def test_a_trail_of_a_newer_cropkit_and_of_a_format_that_never_was(
    made: Path, postgres_url: str
) -> None:
    on_server(made, "UPDATE format SET version = 99")
    refused(made, postgres_url, "made by a newer cropkit")
    on_server(made, "UPDATE format SET version = 3")
    refused(made, postgres_url, "no format 3 on a server")


def test_a_trail_that_says_neither_which_folder_nor_by_whom_an_owner_was_taken_is_brought_up(
    made: Path, postgres_url: str
) -> None:
    on_server(
        made,
        "ALTER TABLE owner DROP taken_by; ALTER TABLE owner ADD is_taken boolean NOT NULL;"
        " ALTER TABLE format DROP inode;"
        " INSERT INTO owner VALUES ('abc', 'a host', clock_timestamp(), true)",
    )
    copy = Path(shutil.copytree(made, made.with_name("copy")))
    with pytest.raises(AnotherFolder):
        Collection(copy, trail=postgres_url)
    with Collection(made, trail=postgres_url) as kit:
        assert kit.crop(B, BOX).ok
        assert kit.fsck() == []
    hidden = made.rename(made.with_name("hidden"))
    shutil.copytree(hidden, made)
    with pytest.raises(AnotherFolder, match="that of another folder"):
        Collection(made, trail=postgres_url)


@pytest.mark.parametrize("wrong", ["DELETE FROM format", "INSERT INTO format SELECT * FROM format"])
def test_a_format_that_is_not_said_just_once(made: Path, postgres_url: str, wrong: str) -> None:
    on_server(made, wrong)
    refused(made, postgres_url, "does not agree with itself: what it holds one row of has")


def test_a_server_that_has_no_room_for_one_more(made: Path, postgres_server: Server) -> None:
    url = postgres_server.url()
    folder = pictures.write_folder(made.with_name("another"))
    with Collection(folder, trail=url) as kit:
        kit.crop(A, BOX)
    postgres_server.stop()
    postgres_server.restart(max_connections="5", superuser_reserved_connections="2")
    postgres_server.run("CREATE ROLE one LOGIN PASSWORD 'one'")
    held = [postgres_server.connect() for _ in range(3)]
    try:
        theirs = f"postgresql://one:one@127.0.0.1:{postgres_server.port}/cropkit"
        refused(folder, theirs, "too many are connected")
    finally:
        for each in held:
            each.close()


def test_a_server_that_lets_nobody_write(folder: Path, postgres_server: Server) -> None:
    url = postgres_server.url()
    with Collection(folder, trail=url) as kit:
        kit.crop(A, BOX)
    postgres_server.stop()
    postgres_server.restart(default_transaction_read_only="on")
    refused(folder, url, "nobody may write there now")
    with TrailReader(Root(folder), trail=url) as trail:  # and what can be read is read
        assert trail.decisions.standing_paths() == {A}


@pytest.mark.parametrize("setting", ["extra_float_digits = 0", "quote_all_identifiers = on"])
def test_what_a_server_usually_shortens_or_quotes_is_read_as_it_was_written(
    folder: Path, postgres_server: Server, setting: str
) -> None:
    with Collection(folder, trail=postgres_server.url()) as kit:
        decided(kit, A)  # its box is no round part of the image
    postgres_server.run(f"ALTER DATABASE cropkit SET {setting}")
    with Collection(folder, trail=postgres_server.url()) as kit:
        assert kit.fsck() == []


def test_a_user_who_may_not_see_it_is_not_told_that_it_is_gone(made: Path) -> None:
    own, name = postgres.own(), "stranger_to_it"
    own.run(f"DROP ROLE IF EXISTS {name}", f"CREATE ROLE {name} LOGIN PASSWORD 'p'")
    url = own.url().replace(f"cropkit:{own.password}", f"{name}:p")
    refused(made, url, "this user may not do that there")
    with pytest.raises(AuditUnavailable, match="this user may not do that there"):
        TrailReader(Root(made), trail=url)
    with pytest.raises(AuditUnavailable, match="this user may not do that there"):
        moving.to_file(Root(made), said=url)


def test_a_user_who_may_not_write(made: Path) -> None:
    own = postgres.own()
    schema = schema_of(made)
    own.run(
        "DROP ROLE IF EXISTS looker",
        "CREATE ROLE looker LOGIN PASSWORD 'looker'",
        f'GRANT USAGE ON SCHEMA "{schema}" TO looker',
        f'GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO looker',
    )
    theirs = f"postgresql://looker:looker@127.0.0.1:{own.port}/cropkit"
    refused(made, theirs, "this user may not do that")
    with TrailReader(Root(made), trail=theirs) as trail:
        assert trail.decisions.standing_paths() == {A}


def test_a_server_whose_disk_is_full(folder: Path, postgres_url: str, monkeypatch: Any) -> None:
    with Collection(folder, trail=postgres_url) as kit:
        kit.crop(A, BOX)
        genuine = lines.Line.execute

        def full(line: Any, query: Any, *args: Any, **named: Any) -> Any:
            if query == "COMMIT":
                from psycopg import errors  # noqa: PLC0415  (only where there is a server)

                raise errors.DiskFull("could not extend file: No space left on device")
            return genuine(line, query, *args, **named)

        with monkeypatch.context() as patched:
            patched.setattr(lines.Line, "execute", full)
            with pytest.raises(AuditUnavailable, match="disk is full: make room there"):
                kit.trail.note(B, "", Note(text="lost"))
        kit.trail.note(B, "", Note(text="kept"))
    assert told(folder, postgres_url).count("noted") == 1


def test_a_server_that_does_not_answer(folder: Path, postgres_server: Server) -> None:
    url = postgres_server.url()
    with Collection(folder, trail=url, deadline=1) as kit:
        kit.crop(A, BOX)
        with kit.trail.store.reading() as db:
            own: Any = db.connection.driver_connection
            own.patience = 1.0
        postgres_server.hold()
        begun = time.monotonic()
        with pytest.raises(AuditUnavailable, match="no answer for"):
            kit.trail.note(B, "", Note(text="lost"))
        assert time.monotonic() - begun < patient(10)
        with pytest.raises(AuditUnavailable):
            Collection(folder, trail=url, deadline=1)
        postgres_server.let_go()
        kit.trail.note(B, "", Note(text="kept"))  # by another line
    assert told(folder, url).count("noted") == 1


def test_a_server_that_is_slow_is_waited_for(
    folder: Path, postgres_server: Server, line: BadLine
) -> None:
    line.delay = 0.02
    url = postgres_server.url(port=line.port)
    with Collection(folder, trail=url) as kit:
        assert kit.crop(A, BOX).ok
        assert kit.fsck() == []


def test_who_holds_the_trail_for_longer_than_the_deadline(made: Path, postgres_url: str) -> None:
    with Collection(made, trail=postgres_url, deadline=0.3) as kit:
        with closing(stores.connected(made)) as db, db.transaction():
            db.execute("LOCK TABLE format IN EXCLUSIVE MODE")
            with pytest.raises(AuditLocked):
                kit.crop(B, BOX)
            with pytest.raises(AuditLocked):
                Collection(made, trail=postgres_url, deadline=0.3)
        assert kit.crop(B, BOX).ok


def test_what_speaks_to_it_is_not_installed(
    folder: Path, postgres_url: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _name: None)
    with pytest.raises(NotInstalled, match="psycopg"):
        Collection(folder, trail=postgres_url)
    assert not (folder / TRAIL_PLACE).exists()


def test_a_person_is_told_once_and_no_more_where_it_dies_at_work(
    folder: Path, postgres_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    kit = Collection(folder, trail=postgres_server.url(), deadline=1)
    kit.crop(A, BOX)
    postgres_server.kill()
    with pytest.raises(AuditUnavailable) as told:
        kit.close()
    assert "Traceback" not in caplog.text
    assert "\n" not in str(told.value)


# -- what somebody has put there -------------------------------------------------------------------


FOREIGN = {
    "a table": "CREATE TABLE another (a int)",
    "a view": "CREATE VIEW another AS SELECT 1 AS a",
    "a trigger": "CREATE TRIGGER another BEFORE INSERT ON audit FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "a rule": "CREATE RULE another AS ON DELETE TO claim DO INSTEAD NOTHING",
    "a function": "CREATE FUNCTION another() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "another function of our name": "CREATE OR REPLACE FUNCTION next_decision() RETURNS bigint"
    " LANGUAGE sql AS 'SELECT 7::bigint'",
    "a function that is somebody else's": "ALTER FUNCTION next_decision() SECURITY DEFINER",
    "a column": "ALTER TABLE setting ADD another int",
    "a column that computes": "ALTER TABLE queue ADD another int GENERATED ALWAYS AS (1) STORED",
    "a usual value": "ALTER TABLE setting ALTER value SET DEFAULT 'x'",
    "another type": "ALTER TABLE audit ALTER at TYPE varchar(99)",
    "another order": 'ALTER TABLE audit ALTER at TYPE text COLLATE "POSIX"',
    "no key": "ALTER TABLE claim DROP CONSTRAINT claim_pkey",
    "no index": "DROP INDEX one_outcome",
    "an index that forbids nothing": "DROP INDEX one_outcome;"
    " CREATE INDEX one_outcome ON audit (operation)",
    "rows that are hidden": "ALTER TABLE audit ENABLE ROW LEVEL SECURITY",
    "a table that is another's child": "CREATE TABLE mine (LIKE claim INCLUDING ALL);"
    " ALTER TABLE claim INHERIT mine",
    "a table without a log": "ALTER TABLE place SET UNLOGGED",
    "a type": "CREATE DOMAIN another AS int",
    "an operator": "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_schema_that_is_not_ours_is_refused(made: Path, postgres_url: str, name: str) -> None:
    on_server(made, FOREIGN[name])
    before = (made / B).read_bytes()
    for open_it in (opening.to_read, opening.to_write):
        with pytest.raises(ForeignState, match="on the server"):
            open_it(Root(made), trail=postgres_url)
    assert (made / B).read_bytes() == before


def test_an_index_that_runs_anothers_program_is_refused(made: Path, postgres_url: str) -> None:
    own = postgres.own()
    own.run(
        "CREATE OR REPLACE FUNCTION public.evil(text) RETURNS text IMMUTABLE LANGUAGE sql"
        " AS 'SELECT $1'"
    )
    on_server(
        made, "DROP INDEX ix_audit_path; CREATE INDEX ix_audit_path ON audit (public.evil(path))"
    )
    with pytest.raises(ForeignState, match="it calls function"):
        Collection(made, trail=postgres_url)


def test_a_trail_that_is_gone_is_missed(made: Path, postgres_url: str) -> None:
    postgres.own().run(f'DROP SCHEMA "{schema_of(made)}" CASCADE')
    for _ in range(2):
        with pytest.raises(AuditMissing, match="is gone"):
            Collection(made, trail=postgres_url)


def test_an_event_that_somebody_changed_is_noticed(made: Path, postgres_url: str) -> None:
    on_server(made, "UPDATE audit SET at = '2020' WHERE seq = 2")
    with Collection(made, trail=postgres_url) as kit:
        found = [each for each in kit.fsck() if "event 2" in each.reason]
    assert {each.path for each in found} == {str(places.Address(postgres_url))}
    facts = inspection.examine(made, clock.now(), Extent(deep=True))
    assert facts.broken_links
    assert not [each for each in facts.differences if "event 2" in str(each)]


def test_a_trail_that_was_put_back_is_refused(made: Path, postgres_url: str) -> None:
    schema = schema_of(made)
    on_server(made, "DELETE FROM seal; DELETE FROM audit WHERE seq > 2")
    with pytest.raises(AuditError, match="trail"):
        Collection(made, trail=postgres_url)
    assert schema == schema_of(made)


# -- a line that is lost ---------------------------------------------------------------------------


def test_a_line_that_is_lost_between_two_transactions_is_another_one_then(
    folder: Path, postgres_server: Server, line: BadLine
) -> None:
    with Collection(folder, trail=postgres_server.url(port=line.port)) as kit:
        assert kit.crop(A, BOX).ok
        line.cut()
        assert kit.crop(B, BOX).ok
        line.cut()
        assert kit.fsck() == []
    assert told(folder, postgres_server.url()).count("cropped") == 2


def copied(server: Server, of: str, to: str) -> None:
    """Make a database as another one is now; whoever is connected to either of them loses it."""
    server.run(
        f"DROP DATABASE IF EXISTS {to} WITH (FORCE)",
        f"ALTER DATABASE {of} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{of}'",  # noqa: S608  (a name of ours)
        f"CREATE DATABASE {to} TEMPLATE {of}",
        f"ALTER DATABASE {of} ALLOW_CONNECTIONS true",
        f"ALTER DATABASE {to} ALLOW_CONNECTIONS true",
        database="postgres",
    )


@pytest.mark.parametrize("lost", [1, 2], ids=["the last crop", "two crops"])
def test_a_session_beneath_which_the_trail_was_put_back_goes_on_no_more(
    folder: Path, postgres_server: Server, lost: int
) -> None:
    names, before = ("c.jpg", "d.jpg"), (folder / B).read_bytes()
    kit = Collection(folder, trail=postgres_server.url())
    assert kit.crop(A, BOX).ok
    copied(postgres_server, "cropkit", "backup")
    assert all(kit.crop(name, BOX).ok for name in names[:lost])
    copied(postgres_server, "backup", "cropkit")
    for go_on in (lambda: kit.crop(B, BOX), lambda: kit.crop(B, BOX), kit.close):  # it stays so
        with pytest.raises(AuditBehind, match="this session tells of event"):
            go_on()
    assert (folder / B).read_bytes() == before
    refused(folder, postgres_server.url(), "is not the latest")


def test_a_commit_whose_answer_is_lost_was_done(
    folder: Path, postgres_server: Server, line: BadLine
) -> None:
    with Collection(folder, trail=postgres_server.url(port=line.port)) as kit:
        kit.crop(A, BOX)
        line.cut_at(b"COMMIT", Cut.AFTER)
        kit.trail.note(B, "", Note(text="once"))
        assert line.cuts == 1
        kit.trail.note(B, "", Note(text="twice"))
    assert told(folder, postgres_server.url()).count("noted") == 2


def test_a_commit_that_does_not_arrive_was_not(
    folder: Path, postgres_server: Server, line: BadLine
) -> None:
    with Collection(folder, trail=postgres_server.url(port=line.port)) as kit:
        kit.crop(A, BOX)
        line.cut_at(b"COMMIT", Cut.BEFORE)
        with pytest.raises(AuditUnavailable, match="nothing of it was"):
            kit.trail.note(B, "", Note(text="once"))
        assert line.cuts == 1
        kit.trail.note(B, "", Note(text="twice"))
    assert told(folder, postgres_server.url()).count("noted") == 1


@pytest.mark.parametrize("where", [Cut.BEFORE, Cut.AFTER])
@pytest.mark.parametrize("number", range(4))
def test_a_crop_is_whole_or_not_at_all_at_whichever_commit_the_line_is_lost(
    folder: Path, postgres_server: Server, line: BadLine, where: Cut, number: int
) -> None:
    before = (folder / A).read_bytes()
    with Collection(folder, trail=postgres_server.url(port=line.port)) as kit:
        kit.crop(B, BOX)
        line.cut_at(b"COMMIT", where, skip=number)
        with suppress(AuditUnavailable) if where is Cut.BEFORE else nullcontext():
            kit.crop(A, BOX)
    with Collection(folder, trail=postgres_server.url()) as kit:
        assert kit.fsck() == []
        assert kit.trail.operations.unsettled() == []
        status = {each.path: each.status for each in kit.trail.decisions.standing()}
        is_whole = (folder / A).read_bytes() == before
        assert is_whole is (status.get(A) is not Status.CROPPED)
    told(folder, postgres_server.url())


def test_a_line_that_is_lost_in_the_middle_leaves_nothing_of_it(
    folder: Path, postgres_server: Server, line: BadLine
) -> None:
    with Collection(folder, trail=postgres_server.url(port=line.port)) as kit:
        kit.crop(A, BOX)
        line.cut_at(b"INSERT INTO audit", Cut.AFTER)
        with pytest.raises(AuditUnavailable):
            kit.trail.note(B, "", Note(text="once"))
        kit.trail.note(B, "", Note(text="twice"))
    assert told(folder, postgres_server.url()).count("noted") == 1


def test_where_it_cannot_be_asked_it_is_said_and_the_next_opening_tells(
    folder: Path, postgres_server: Server, line: BadLine, monkeypatch: Any
) -> None:
    url = postgres_server.url(port=line.port)
    with Collection(folder, trail=url, deadline=1) as kit:
        kit.crop(A, BOX)
        genuine = lines.connected

        def nowhere(*args: Any) -> Any:
            line.refuse()
            return genuine(*args)

        monkeypatch.setattr(lines, "connected", nowhere)
        line.cut_at(b"COMMIT", Cut.AFTER)
        with pytest.raises(AuditUnavailable, match="whether it was is not known"):
            kit.trail.note(B, "", Note(text="once"))
        monkeypatch.undo()
        line.mend()
    assert told(folder, postgres_server.url()).count("noted") == 1


@pytest.mark.parametrize("when", ["a plan", "a commit"])
def test_a_server_that_is_killed_and_comes_back_has_lost_nothing(
    folder: Path, postgres_server: Server, when: str
) -> None:
    url = postgres_server.url()
    with Collection(folder, trail=url, deadline=2) as kit:
        kit.crop(A, BOX)
        postgres_server.kill()
        with pytest.raises(AuditUnavailable):
            kit.crop(B, BOX) if when == "a plan" else kit.trail.note(B, "", Note(text="lost"))
        postgres_server.restart()
        assert kit.crop(B, BOX).ok
        assert kit.fsck() == []
    assert told(folder, url).count("cropped") == 2


def test_a_statement_that_failed_lets_nothing_of_its_transaction_be_recorded(
    made: Path, postgres_url: str
) -> None:
    """PostgreSQL ends such a transaction by taking it back, and calls that a success."""

    def go_on(store: Store) -> None:
        with store.transaction() as db:
            ask(db, "INSERT INTO setting VALUES ('a', 'b', 'c')")
            with suppress(DBAPIError):
                ask(db, "SELECT 1/0")

    with closing(opening.to_write(Root(made), trail=postgres_url)) as store:
        with pytest.raises(AuditCorrupt, match="nothing of it was recorded"):
            go_on(store)
        with store.reading() as db:
            assert "a" not in settings.all_of(db)


def test_the_export_follows_and_is_what_the_server_holds(made: Path, postgres_url: str) -> None:
    with TrailReader(Root(made), trail=postgres_url) as trail:
        assert trail.integrity.export_differences() == []
        assert trail.store.integrity() == []


def test_a_process_that_works_for_a_session_asks_the_same_server(
    made: Path, postgres_url: str, monkeypatch: Any
) -> None:
    """It has the password by its pipe, whatever the environment says."""
    monkeypatch.delenv("CROPKIT_TRAIL", raising=False)
    with Collection(made, trail=postgres_url) as kit:
        chosen = decided(kit, B)
        assert postgres.own().password not in repr(Opening.of(kit))
        with closing(ApplierProcess(kit)) as workshop:
            assert workshop.apply(chosen).status is Status.CROPPED
        assert kit.fsck() == []


def test_processes_that_write_at_once_are_in_line(folder: Path, postgres_url: str) -> None:
    Collection(folder, trail=postgres_url).close()

    def note(number: int) -> None:
        with Collection(folder, trail=postgres_url) as kit:
            for each in range(10):
                kit.trail.note(B, "", Note(text=f"{number} {each}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(note, range(4)))
    assert told(folder, postgres_url).count("noted") == 40
