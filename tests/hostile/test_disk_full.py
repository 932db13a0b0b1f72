"""A disk without bytes, inodes or the right to write: what it is called, and what still works."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pictures
import pytest
from states import fill

from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.system import room

BOX = PixelBox(0, 0, 48, 48)
Capture = pytest.CaptureFixture[str]


@contextmanager
def mounted(place: Path, options: str) -> Iterator[Path]:
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs takes root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def album(place: Path) -> Path:
    folder = pictures.write_folder(place / "collection")
    with Collection(folder) as collection:
        collection.crop("a_stage2.png", BOX)
    return folder


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A collection on a disk with 0 bytes free."""
    with mounted(tmp_path / "disk", "size=24m") as place:
        folder = album(place)
        fill(place / "fill")
        assert os.statvfs(place).f_bavail == 0
        yield folder


WRITING: dict[str, Callable[[Path], list[str]]] = {
    "crop": lambda f: ["crop", str(f / "b_stage2.png"), "--box", "0,0,48,48"],
    "undo": lambda f: ["undo", str(f)],
    "apply": lambda f: ["apply", str(f)],
    "settings": lambda f: ["settings", str(f), "--jpeg", "exact"],
    "batch": lambda f: ["batch", str(f), "-p", "source", "suggestions"],
}


@pytest.mark.parametrize("command", WRITING)
def test_a_full_disk_is_called_full_and_what_is_missing_is_told(
    full: Path, command: str, capsys: Capture
) -> None:
    assert main(WRITING[command](full)) == 1
    told = "".join(capsys.readouterr())
    assert "the disk is full: 0 bytes are free" in told
    assert "1,048,576" in told
    assert "I/O error" not in told
    assert "Traceback" not in told


def test_health_has_the_alert_of_a_full_disk(full: Path, capsys: Capture) -> None:
    assert main(["health", str(full), "--json"]) == 1
    (report,) = json.loads(capsys.readouterr().out)["folders"]
    codes = [alert["code"] for alert in report["alerts"]]
    assert "disk-space" in codes
    assert "database-unavailable" not in codes


@pytest.mark.parametrize("command", ["history", "fsck", "stats"])
def test_what_only_reads_works_with_no_byte_free(full: Path, command: str, capsys: Capture) -> None:
    assert main([command, str(full)]) == 0
    told = "".join(capsys.readouterr())
    assert {"history": "cropped", "fsck": "agree", "stats": "all:"}[command] in told


def test_a_purge_makes_room_with_no_byte_free(full: Path, capsys: Capture) -> None:
    assert (full / ".cropkit" / "reserve").stat().st_size == room.RESERVED
    assert main(["purge", str(full), "--older-than", "0d"]) == 0
    told = "".join(capsys.readouterr())
    assert "the reserve of 1,048,576 bytes is given back" in told
    assert told.startswith("purged ")
    (full.parent / "fill").unlink()
    with Collection(full) as collection:
        assert collection.fsck() == []
    assert (full / ".cropkit" / "reserve").stat().st_size == room.RESERVED


def test_no_reserve_is_kept_where_little_is_free(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=6m") as place:
        assert not (album(place) / ".cropkit" / "reserve").exists()


def test_no_inodes_are_called_so(tmp_path: Path, capsys: Capture) -> None:
    with mounted(tmp_path / "disk", "size=24m,nr_inodes=60") as place:
        folder = album(place)
        for number in range(60):
            try:
                (place / str(number)).touch()
            except OSError:
                break
        assert main(WRITING["crop"](folder)) == 1
        assert "no inodes are left" in capsys.readouterr().err


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A collection on media that cannot be written, as copied there."""
    with mounted(tmp_path / "media", "size=24m") as place:
        folder = album(place)
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        yield folder


@pytest.mark.parametrize("command", ["history", "fsck", "stats"])
def test_what_only_reads_works_on_read_only_media(
    read_only: Path, command: str, capsys: Capture
) -> None:
    assert main([command, str(read_only)]) == 0
    told = "".join(capsys.readouterr())
    assert {"history": "cropped", "fsck": "agree", "stats": "all:"}[command] in told
    assert "Traceback" not in told


def test_health_looks_into_read_only_media(read_only: Path, capsys: Capture) -> None:
    assert main(["health", str(read_only)]) == 1
    assert "database-unavailable: " in capsys.readouterr().out


@pytest.mark.parametrize("command", ["crop", "undo", "apply", "batch"])
def test_what_writes_says_that_it_may_not(read_only: Path, command: str, capsys: Capture) -> None:
    assert main(WRITING[command](read_only)) == 1
    told = "".join(capsys.readouterr())
    assert "Read-only file system" in told or "readonly database" in told
    assert "Traceback" not in told
