"""A stretch of a chain, checked by itself: each event that is not what it was has a name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection
from trails import change

from cropkit.audit.links import BrokenLink, broken_between
from cropkit.audit.reader import TrailReader
from cropkit.collection import Collection
from cropkit.system.files import Root

EVENTS = 9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Collection(tmp_path) as collection:
        for number in range(EVENTS - 2):  # a session begins and ends, too
            collection.trail.acknowledge({"alerts": [str(number)]})
    return tmp_path


@contextmanager
def opened(folder: Path) -> Iterator[Connection]:
    with TrailReader(Root(folder)) as trail, trail.store.reading() as db:
        yield db


def broken(folder: Path, first: int, last: int) -> list[BrokenLink]:
    with opened(folder) as db:
        return list(broken_between(db, first, last))


def test_every_stretch_of_a_sound_chain_is_sound(folder: Path) -> None:
    for first in range(1, EVENTS + 1):
        for last in range(first, EVENTS + 1):
            assert broken(folder, first, last) == []


@pytest.mark.parametrize("number", range(1, EVENTS + 1))
def test_a_removed_event_is_missed_in_each_stretch_with_it(folder: Path, number: int) -> None:
    change(folder, "DELETE FROM audit WHERE seq = ?", number)
    for first, last in ((1, EVENTS), (number, EVENTS), (1, number), (number, number)):
        seqs = [link.seq for link in broken(folder, first, last)]
        assert seqs[0] == number
        assert broken(folder, first, last)[0].said == f"event {number} is missing"


@pytest.mark.parametrize("column", ["at", "session", "event", "body", "path", "hash", "previous"])
def test_an_edit_of_any_column_shows(folder: Path, column: str) -> None:
    change(folder, f"UPDATE audit SET {column} = ? WHERE seq = 4", json.dumps({"a": 1}))  # noqa: S608  (names of ours)
    assert broken(folder, 1, EVENTS)[0].seq == 4
    assert broken(folder, 4, 4) != []
    assert broken(folder, 1, 3) == []
    assert broken(folder, 6, EVENTS) == []


def test_an_event_before_the_first_one_shows(folder: Path) -> None:
    row = "SELECT 0, at, session, event, path, NULL, body, previous, 'f' || hash FROM audit"
    change(folder, f"INSERT INTO audit {row} WHERE seq = 1")
    assert broken(folder, 1, EVENTS)[0] == BrokenLink(1, "event 1 is missing")
    assert broken(folder, 2, EVENTS) == []
