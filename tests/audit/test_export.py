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
        assert kit.trail.export_differences() == []
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


def test_an_export_without_a_hole_keeps_what_it_has(long: Path) -> None:
    path = long / EXPORT
    before = path.stat()
    with Collection(long):
        pass
    after = path.stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
