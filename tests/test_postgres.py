"""The PostgreSQL that tests start: theirs alone, hurt as they like, gone whatever ends them."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import postgres
import psycopg
import pytest
from postgres import Server

ROOT = Path(__file__).parents[1]
TESTS = """\
import sys
sys.path[:0] = [{root!r}, {tests!r}]
import postgres
server = postgres.Server()
print(server.folder, server.port, flush=True)
input()
"""


def answers(url: str) -> int:
    with psycopg.connect(url, connect_timeout=30) as db:
        row = db.execute("SELECT 1").fetchone()
        assert row is not None
        return int(row[0])


def processes(folder: Path) -> list[str]:
    found = []
    for each in Path("/proc").glob("[0-9]*/cwd"):
        try:
            where = os.readlink(each)  # noqa: PTH115  (it may be gone)
        except OSError:
            continue
        if where.startswith(str(folder)):
            found.append(each.parent.name)
    return found


def test_it_is_reached_by_its_socket_and_with_its_password(postgres_server: Server) -> None:
    assert answers(postgres_server.url()) == 1
    assert answers(postgres_server.socket_url()) == 1
    wrong = postgres_server.url().replace(postgres_server.password, "guessed")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        answers(wrong)


def test_its_folder_is_its_own_and_it_is_not_root(postgres_server: Server) -> None:
    assert postgres_server.folder.stat().st_mode & 0o077 == 0
    (pid, *_) = processes(postgres_server.folder)
    assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_what_was_committed_outlives_a_kill(postgres_server: Server) -> None:
    postgres_server.run("CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
    postgres_server.kill()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        answers(postgres_server.url())
    postgres_server.restart()
    assert postgres_server.run("SELECT n FROM kept") == [(7,)]


def test_a_held_server_answers_when_it_is_let_go(postgres_server: Server) -> None:
    with ThreadPoolExecutor(1) as another:
        postgres_server.hold()
        answer = another.submit(answers, postgres_server.url())
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.3)
        postgres_server.let_go()
        assert answer.result(timeout=postgres.SECONDS) == 1


def test_it_may_start_again_with_other_settings(postgres_server: Server) -> None:
    postgres_server.stop()
    postgres_server.restart(default_transaction_read_only="on")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        postgres_server.run("CREATE TABLE none (n int)")


def test_another_database_is_empty(postgres_server: Server) -> None:
    postgres_server.run("CREATE TABLE here (n int)")
    other = postgres_server.another_database()
    with psycopg.connect(other) as db, pytest.raises(psycopg.errors.UndefinedTable):
        db.execute("SELECT * FROM here")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_goes_with_a_run_that_is_killed(number: signal.Signals) -> None:
    postgres.own()  # or skip
    script = TESTS.format(root=str(ROOT), tests=str(ROOT / "tests"))
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as run:
        assert run.stdout is not None
        folder = Path(run.stdout.readline().split()[0])
        assert processes(folder)
        run.send_signal(number)
        run.wait()
        deadline = time.monotonic() + postgres.SECONDS
        while (processes(folder) or folder.exists()) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert not folder.exists()
    assert not processes(folder)


def test_without_programs_a_test_is_skipped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(postgres, "MISSED", told)
    monkeypatch.setattr("cropkit.bootstrap.postgres.programs", lambda: None)
    with pytest.raises(pytest.skip.Exception, match="NOT TRIED"), postgres.served():
        pass
    assert told == ["its programs are not installed (Debian: apt install postgresql)"]


def test_another_server_is_used_where_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROPKIT_TEST_POSTGRES", "postgresql://elsewhere/x")
    assert postgres.url() == "postgresql://elsewhere/x"
