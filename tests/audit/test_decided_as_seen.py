"""A decision is recorded only where what stands is what its person has seen."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from deciding import BOX, decided, decision

from cropkit import clock
from cropkit.audit import decisions
from cropkit.audit.connecting import driver
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.records import Status

_LATE = """
import sys
from cropkit.collection import Collection
sys.path.insert(0, sys.argv[2])
from deciding import BOX, decision
with Collection(sys.argv[1], reviewer="ben") as kit:
    new = decision(kit, kit.images()[0], BOX)
    print("seen", flush=True)
    sys.stdin.readline()
    print([each.reviewer for each in kit.decide_as_seen([new], [None])], flush=True)
"""


@pytest.fixture
def anna(folder: Path) -> Iterator[Collection]:
    with Collection(folder, reviewer="anna") as kit:
        yield kit


def late(kit: Collection, number: int = 0) -> list[str]:
    """Decide as somebody who knows of no decision; return whose stand in the way."""
    new = decision(kit, kit.images()[number], PixelBox(1, 1, 9, 9))
    return [each.reviewer for each in kit.decide_as_seen([new], [None])]


def test_what_nobody_has_seen_is_not_replaced(anna: Collection, folder: Path) -> None:
    first = decided(anna, anna.images()[0])
    with Collection(folder, reviewer="ben") as ben:
        assert late(ben) == ["anna"]
        known = decision(ben, ben.images()[0], BOX)
        assert ben.decide_as_seen([known], [first]) == ()
    assert [row["status"] for row in anna.trail.decisions.table()] == ["superseded", "waiting"]


def test_of_several_none_is_recorded_where_one_was_overtaken(anna: Collection) -> None:
    decided(anna, anna.images()[0])
    several = [decision(anna, path, BOX) for path in anna.images()]
    assert len(anna.decide_as_seen(several, [None] * len(several))) == 1
    assert len(anna.trail.decisions.table()) == 1


def test_more_images_are_asked_about_than_a_statement_takes_values(anna: Collection) -> None:
    decided(anna, anna.images()[0])
    paths = [*anna.images(), *(f"{number}.png" for number in range(3_000))]
    with anna.trail.store.reading() as db:
        driver(db).setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 1_100)
        standing, unreadable = decisions.standing_of(db, paths)
    assert ([each.path for each in standing], unreadable) == ([anna.images()[0]], [])


def test_what_was_taken_back_or_is_of_another_content_is_in_nobodys_way(anna: Collection) -> None:
    anna.undoer.retract(decided(anna, anna.images()[0]))
    assert late(anna) == []
    gone = decided(anna, anna.images()[1])
    image = Path(anna.root, anna.images()[1])
    image.write_bytes(Path(anna.root, anna.images()[0]).read_bytes())
    assert anna.apply(gone).status is Status.STALE
    assert late(anna, 1) == []


def test_a_second_opinion_is_in_nobodys_way(anna: Collection, folder: Path) -> None:
    anna.keep_double(1)
    shown = clock.now() - timedelta(seconds=1)
    anna.decide([decision(anna, anna.images()[0], BOX, shown_at=shown)])
    with Collection(folder, reviewer="ben") as ben:
        assert late(ben) == []


def test_who_was_stopped_meanwhile_replaces_nothing_when_they_go_on(anna: Collection) -> None:
    command = [sys.executable, "-c", _LATE, str(anna.root), str(Path(__file__).parents[1])]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "seen\n"
        os.kill(other.pid, signal.SIGSTOP)
        wanted = decided(anna, anna.images()[0])
        other.stdin.write("\n")
        other.stdin.flush()
        os.kill(other.pid, signal.SIGCONT)
        assert other.stdout.readline() == "['anna']\n"
    assert anna.apply(wanted).status is Status.CROPPED
    assert len(anna.trail.decisions.table()) == 1
