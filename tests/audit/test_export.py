"""What a power cut leaves of the export is mended at the next opening, wherever the hole is."""

import os
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from deciding import BOX, decision
from trails import A

from cropkit.audit import export
from cropkit.collection import Collection

EXPORT = ".cropkit/trail.jsonl"


@pytest.fixture
def long(folder: Path) -> Path:
    """A collection whose export is longer than what is read of it at a time."""
    with Collection(folder) as kit:
        one = decision(kit, A, BOX)
        kit.decide([replace(one, id=uuid4().hex, path=f"{n}.png") for n in range(400)])
    assert (folder / EXPORT).stat().st_size > 3 * (1 << 16)
    return folder


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (0, 10),
        (0, None),
        (-1, 1),
        (-4000, 4000),
        ((1 << 16) - 5, 10),
        (3 << 15, 1 << 16),
        (1 << 16, 1),
    ],
)
def test_an_export_with_a_hole_is_written_anew_from_there_on(
    long: Path, start: int, length: int | None
) -> None:
    path = long / EXPORT
    whole = path.read_bytes()
    begin = start % len(whole)
    end = len(whole) if length is None else begin + length
    path.write_bytes(whole[:begin] + bytes(end - begin) + whole[end:])
    with Collection(long) as kit:
        assert kit.trail.integrity.export_differences() == []
    mended = path.read_bytes()
    assert mended.startswith(whole)
    assert b"\0" not in mended


def test_what_is_before_the_hole_is_not_written_again(
    long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = long / EXPORT
    whole = path.read_bytes()
    hole = 1 << 16
    monkeypatch.setattr(export, "_TAIL", 100)  # a long way back to where its line begins
    line = whole.rfind(b"\n", 0, hole) + 1
    path.write_bytes(whole[:hole] + bytes(len(whole) - hole))
    cut: list[int] = []
    real = os.ftruncate

    def noted(fd: int, length: int) -> None:
        cut.append(length)
        real(fd, length)

    monkeypatch.setattr(os, "ftruncate", noted)
    with Collection(long):
        pass
    assert cut[0] == line


def test_an_opening_looks_for_holes_at_the_end_alone(
    long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []
    real = os.preadv

    def noted(fd: int, buffers: list[bytearray], start: int) -> int:
        looked_at.append(start)
        return real(fd, buffers, start)

    monkeypatch.setattr(export, "_AT_RISK", 5000)
    monkeypatch.setattr(os, "preadv", noted)
    size = (long / EXPORT).stat().st_size
    with Collection(long):
        pass
    assert min(looked_at) == size - 5000


class Disk:
    """Sees what is written to an export, and when it is synced.

    Parameters
    ----------
    at_risk : bytes since the last sync, after each write and sync
    """

    def __init__(self, path: Path, patch: pytest.MonkeyPatch) -> None:
        self.path, self.at_risk = path, [0]
        self._write, self._sync = os.write, os.fsync
        patch.setattr(os, "write", self.write)
        patch.setattr(os, "fsync", self.sync)

    def write(self, fd: int, data: bytes) -> int:
        count = self._write(fd, data)
        if self._is_export(fd):
            self.at_risk.append(self.at_risk[-1] + count)
        return count

    def sync(self, fd: int) -> None:
        self._sync(fd)
        if self._is_export(fd):
            self.at_risk.append(0)

    def _is_export(self, fd: int) -> bool:
        return self.path.exists() and os.path.samestat(os.fstat(fd), self.path.stat())


def test_what_is_appended_is_synced_each_time_that_it_has_become_long(
    long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a whole export, written anew, and of one that grows: never much of it is at risk."""
    path = long / EXPORT
    longest = max(map(len, path.read_bytes().splitlines(keepends=True)))
    path.unlink()
    monkeypatch.setattr(export, "SYNCED_EACH", 10_000)
    disk = Disk(path, monkeypatch)
    with Collection(long) as kit:
        for n in range(40):
            kit.decide([replace(decision(kit, A, BOX), id=uuid4().hex, path=f"more {n}.png")])
    assert sum(disk.at_risk) > path.stat().st_size
    assert max(disk.at_risk) < 10_000 + 2 * longest
    assert disk.at_risk[-1] == 0


def test_what_a_dead_session_did_not_sync_the_next_one_does(
    long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(long / EXPORT, monkeypatch)
    kit = Collection(long)
    try:
        assert disk.at_risk == [0, 0]
    finally:
        kit.close()


def test_an_export_without_a_hole_keeps_what_it_has(long: Path) -> None:
    path = long / EXPORT
    before = path.stat()
    with Collection(long):
        pass
    after = path.stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
