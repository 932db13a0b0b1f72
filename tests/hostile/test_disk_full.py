"""A disk without bytes, inodes or the right to write: what it is called, and what still works."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pictures
import pytest
from grown import grow
from states import NOBODY, fill, killed

from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.system import disk_space, locks

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
    assert (full / ".cropkit" / "reserve").stat().st_size == disk_space.RESERVED
    assert main(["purge", str(full), "--older-than", "0d"]) == 0
    told = "".join(capsys.readouterr())
    assert "the reserve, 1,048,576 bytes in 7 files, is given back" in told
    assert told.startswith("purged ")
    (full.parent / "fill").unlink()
    with Collection(full) as collection:
        assert collection.fsck() == []
    assert (full / ".cropkit" / "reserve").stat().st_size == disk_space.RESERVED


def used_much(place: Path) -> Path:
    folder = album(place)
    grow(folder, 500)
    return folder


def compacted(folder: Path, capsys: Capture) -> dict[str, Any]:
    main(["compact", str(folder), "--json"])
    told = capsys.readouterr()
    assert "is given back" in told.err
    answer: dict[str, Any] = json.loads(told.out)
    return answer


def test_compact_packs_the_export_with_no_byte_free(tmp_path: Path, capsys: Capture) -> None:
    with mounted(tmp_path / "disk", "size=24m") as place:
        folder = used_much(place)
        fill(place / "fill")
        assert os.statvfs(place).f_bavail == 0
        told = compacted(folder, capsys)
        assert told["segments"] == ["trail-000001.jsonl.gz"]
        assert told["after"]["export"] < told["before"]["export"] / 5
        assert "are free" in told["left"], "the database needs as much as it has"
        assert os.statvfs(place).f_bavail > 0
        (place / "fill").unlink()
        assert main(["compact", str(folder)]) == 0
        assert main(["fsck", str(folder)]) == 0


def test_compact_packs_the_export_with_no_inode_left(tmp_path: Path, capsys: Capture) -> None:
    with mounted(tmp_path / "disk", "size=24m,nr_inodes=1200") as place:
        folder = used_much(place)
        use_up_inodes(place)
        assert os.statvfs(place).f_favail == 0
        told = compacted(folder, capsys)
        assert told["segments"] == ["trail-000001.jsonl.gz"]
        assert told["left"] is None


def test_what_would_not_fit_is_not_begun(tmp_path: Path, capsys: Capture) -> None:
    """The segments of a long export would use up the reserve, and give nothing back."""
    with mounted(tmp_path / "disk", "size=24m") as place:
        folder = used_much(place)
        with (folder / ".cropkit" / "trail.jsonl").open("ab") as file:
            file.write(b"x" * (8 << 20))
        fill(place / "fill")
        assert main(["compact", str(folder)]) == 1
        assert "NoSpace: .cropkit/trail.jsonl: the disk is full" in capsys.readouterr().err
        assert [*(folder / ".cropkit").glob("trail-*")] == []


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


def use_up_inodes(place: Path) -> None:
    (place / "used").mkdir()
    for number in range(1_000):
        try:
            (place / "used" / str(number)).touch()
        except OSError:
            return


def test_a_purge_makes_room_with_no_inode_left(tmp_path: Path, capsys: Capture) -> None:
    with mounted(tmp_path / "disk", "size=24m,nr_inodes=200") as place:
        folder = album(place)
        use_up_inodes(place)
        assert os.statvfs(place).f_favail == 0
        assert main(["purge", str(folder), "--older-than", "0d"]) == 0
        told = "".join(capsys.readouterr())
        assert "no inodes are left" in told
        assert "in 7 files, is given back" in told
        assert "purged " in told
        shutil.rmtree(place / "used")
        with Collection(folder) as collection:
            assert collection.fsck() == []
        assert len(list((folder / ".cropkit").glob("reserve-*"))) == 6


def test_no_inode_is_kept_back_where_few_are_left(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=24m,nr_inodes=50") as place:
        assert not list((album(place) / ".cropkit").glob("reserve-*"))


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


def test_a_dry_run_foresees_on_read_only_media_what_would_be_done(
    read_only: Path, capsys: Capture
) -> None:
    assert main(["batch", str(read_only), "--dry-run", "-p", "source", "suggestions"]) == 1
    told = "".join(capsys.readouterr())
    assert "would do: 4 crop" in told
    assert "in the way: " in told
    assert "Traceback" not in told


def looked_at(folder: Path, capsys: Capture) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["health", str(folder), "--json", "--deep"]) == 1
    (report,) = json.loads(capsys.readouterr().out)["folders"]
    return dict(report)


def test_health_looks_into_read_only_media_and_says_that_it_can_only_read(
    read_only: Path, capsys: Capture
) -> None:
    report = looked_at(read_only, capsys)
    codes = [alert["code"] for alert in report["alerts"]]
    assert "database-unavailable" in codes
    assert "It was read all the same" in report["alerts"][0]["said"]
    assert (report["originals_read"], report["unreviewed"]) == (1, 4)
    assert report["last_crop_at"] is not None


def crop_and_die(folder: Path) -> None:
    """Leave a log that no checkpoint has written back."""

    def work() -> None:
        collection = Collection(folder)
        collection.crop("b_stage2.png", BOX)
        os._exit(9)

    killed(work)
    assert (folder / ".cropkit" / "cropkit.db-wal").stat().st_size > 0
    (folder / ".cropkit" / "cropkit.db-shm").unlink()


@pytest.mark.parametrize("command", ["history", "fsck", "stats", "health"])
def test_a_log_on_read_only_media_is_read(tmp_path: Path, command: str, capsys: Capture) -> None:
    with mounted(tmp_path / "media", "size=24m") as place:
        folder = album(place)
        crop_and_die(folder)
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        assert main([command, str(folder)]) == (command == "health")
        told = "".join(capsys.readouterr())
        words = {"history": "b_stage2.png", "fsck": "agree", "stats": "all:"}
        assert words.get(command, "2 of 2 originals read") in told


def test_nobody_may_write_while_what_can_only_be_read_is_copied(
    tmp_path: Path, capsys: Capture
) -> None:
    """A bind mount that is read-only here has a writer on its other side."""
    folder = album(tmp_path)
    with mounted(tmp_path / "seen", "size=1m") as place:
        subprocess.run(["mount", "--bind", str(folder), str(place)], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        with Collection(folder) as collection:
            collection.crop("b_stage2.png", BOX)
            assert main(["history", str(place)]) == 0
            assert "b_stage2.png" in capsys.readouterr().out
            with locks.exclusive(folder / ".cropkit" / "writer.lock", 5):
                report = looked_at(place, capsys)
            assert report["alerts"][0]["code"] == "database-locked"
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="to be another user takes root")
@pytest.mark.parametrize("command", ["history", "fsck", "stats", "health"])
def test_a_folder_of_the_administrators_that_may_be_read_is(
    command: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TemporaryDirectory(prefix="cropkit-root-") as name:
        folder = album(Path(name))
        for path in (Path(name), *Path(name).rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        (Path(name) / "of nobody").mkdir()
        os.chown(Path(name) / "of nobody", NOBODY, NOBODY)
        monkeypatch.setenv("XDG_STATE_HOME", str(Path(name) / "of nobody"))
        os.seteuid(NOBODY)
        try:
            assert main([command, str(folder)]) == (command == "health")
        finally:
            os.seteuid(0)
        told = "".join(capsys.readouterr())
        words = {"history": "cropped", "fsck": "agree", "stats": "all:"}
        assert words.get(command, "1 of 1 originals read") in told
        assert "Traceback" not in told


@pytest.mark.parametrize("command", ["crop", "undo", "apply", "batch"])
def test_what_writes_says_that_it_may_not(read_only: Path, command: str, capsys: Capture) -> None:
    assert main(WRITING[command](read_only)) == 1
    told = "".join(capsys.readouterr())
    assert "Read-only file system" in told or "readonly database" in told
    assert "Traceback" not in told
