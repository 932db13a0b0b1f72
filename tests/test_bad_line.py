"""The bad line of the tests does what it is told, and nothing else."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import bad_line
import postgres
import psycopg
import pytest
from bad_line import BadLine, Cut

Lost = psycopg.OperationalError


@pytest.fixture
def line() -> Iterator[BadLine]:
    with bad_line.bad_line(postgres.own().port) as made:
        yield made


@pytest.fixture
def url(line: BadLine) -> str:
    """The URL of an empty database, by the line; a table `kept` is there."""
    server = postgres.own()
    name = server.another_database().rpartition("/")[2]
    server.run("CREATE TABLE kept (n int)", database=name)
    return server.url(name, port=line.port)


def kept(url: str) -> list[int]:
    """Ask the server itself."""
    server = postgres.own()
    database = url.rpartition("/")[2]
    return [row[0] for row in server.run("SELECT n FROM kept ORDER BY n", database=database)]


def inserted(url: str, number: int = 1) -> None:
    with psycopg.connect(url) as db:
        db.execute("INSERT INTO kept VALUES (%s)", (number,))


def test_a_good_line_changes_nothing(line: BadLine, url: str) -> None:
    with psycopg.connect(url) as db:
        many = db.execute("SELECT repeat('x', 1000000), %s::text", ("y" * 300_000,)).fetchone()
    assert many == ("x" * 1_000_000, "y" * 300_000)
    assert (line.connections, line.cuts) == (1, 0)


@pytest.mark.parametrize(("where", "there"), [(Cut.BEFORE, []), (Cut.AFTER, [1])])
def test_a_commit_is_lost_before_or_after_it(
    line: BadLine, url: str, where: Cut, there: list[int]
) -> None:
    line.cut_at(b"COMMIT", where)
    with pytest.raises(Lost):
        inserted(url)
    assert line.cuts == 1
    assert kept(url) == there
    inserted(url, 2)
    assert kept(url) == [*there, 2], "the next one is whole"


def test_the_third_commit_may_be_the_one(line: BadLine, url: str) -> None:
    line.cut_at(b"COMMIT", Cut.BEFORE, skip=2)
    inserted(url, 1)
    inserted(url, 2)
    with pytest.raises(Lost):
        inserted(url, 3)
    assert kept(url) == [1, 2]


def test_a_slow_line_is_slow(line: BadLine, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        line.delay = 0.1
        began = time.monotonic()
        db.execute("SELECT 1")
        assert time.monotonic() - began >= 0.2


def test_a_stalled_line_breaks_nothing(line: BadLine, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as db, ThreadPoolExecutor(1) as another:
        line.stall()
        answer = another.submit(lambda: db.execute("SELECT 7").fetchone())
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.3)
        line.go_on()
        assert answer.result(timeout=postgres.SECONDS) == (7,)


def test_a_line_that_is_cut_is_lost_to_both(line: BadLine, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        pid = db.info.backend_pid
        line.cut()
        with pytest.raises(Lost):
            db.execute("SELECT 1")
    deadline = time.monotonic() + postgres.SECONDS
    while (pid,) in postgres.own().run("SELECT pid FROM pg_stat_activity"):
        assert time.monotonic() < deadline, "the server holds on to it"
        time.sleep(0.02)


def test_a_refused_line_lets_nobody_in_until_it_is_mended(line: BadLine, url: str) -> None:
    line.refuse()
    with pytest.raises(Lost):
        inserted(url)
    line.mend()
    inserted(url)
    assert kept(url) == [1]
