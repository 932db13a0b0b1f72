"""An fsck that was cut off goes on where it was, and takes nothing for read that was not."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from shell import run

from cropkit import clock
from cropkit.collection import Collection
from cropkit.engine.locations import Locations
from cropkit.engine.proven import AGE, Proven
from cropkit.geometry import PixelBox
from cropkit.system.files import Identity
from cropkit.system.home import ORIGINALS

IMAGES = ("a_stage2.png", "b_stage2.png", "c.jpg", "d.jpg", "e.jpeg")
BOX = PixelBox(3, 5, 41, 37)
OTHER = PixelBox(2, 3, 30, 29)
FILE = Identity(device=1, inode=2, size=3, mtime_ns=4, links=1)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cropkit"


@pytest.fixture
def kit(folder: Path) -> Iterator[Collection]:
    with Collection(folder) as kit:
        for name in IMAGES:
            assert kit.crop(name, BOX).ok
        yield kit


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read, as they are."""
    names: list[str] = []
    digest = Locations.digest

    def read(self: Locations, name: str) -> str | None:
        names.append(name)
        return digest(self, name)

    monkeypatch.setattr(Locations, "digest", read)
    return names


def cut_off(kit: Collection, *, after: int) -> None:
    """Interrupt an fsck when it has read so many files."""

    def interrupt(what: str, done: int, _total: int) -> None:
        if (what == "images" and done == after) or (what, done + 5) == ("originals", after):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kit.fsck(interrupt)


def read_and_cut_off(read: Proven, name: str, sha256: str) -> None:
    with read:
        read.add(name, sha256, FILE)
        raise KeyboardInterrupt


@pytest.mark.parametrize("after", [1, 3, 5, 7])
def test_it_goes_on_where_it_was_cut_off(kit: Collection, files: list[str], after: int) -> None:
    cut_off(kit, after=after)
    assert len(files) == after
    read = set(files)
    files.clear()
    assert kit.fsck(resume=True) == []
    assert len(files) == 10 - after
    assert not read & set(files)


def test_what_was_changed_or_removed_since_is_read_again(kit: Collection) -> None:
    cut_off(kit, after=10)
    images = [kit.root / name for name in IMAGES]
    images[0].unlink()
    images[1].write_bytes(b"something else")
    images[2].write_bytes(images[2].read_bytes()[::-1])  # of the same size
    images[4].unlink()
    images[4].symlink_to(images[3])
    original = next(iter(sorted((kit.root / ORIGINALS).iterdir())))
    original.unlink()
    told = {each.path for each in kit.fsck(resume=True)}
    assert told == {*(IMAGES[each] for each in (0, 1, 2, 4)), f"{ORIGINALS}/{original.name}"}


def test_a_look_that_begins_before_the_last_one_believes_nothing_of_it(
    kit: Collection, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(kit, after=3)
    earlier = clock.now() - timedelta(hours=1)
    monkeypatch.setattr("cropkit.engine.proven.clock.now", lambda: earlier)
    files.clear()
    assert kit.fsck(resume=True) == []
    assert len(files) == 10


def test_without_being_asked_to_it_reads_all(kit: Collection, files: list[str]) -> None:
    cut_off(kit, after=3)
    files.clear()
    assert kit.fsck() == []
    assert len(files) == 10


def test_one_that_is_cut_off_twice_has_read_what_both_have(
    kit: Collection, files: list[str]
) -> None:
    cut_off(kit, after=2)

    def interrupt(what: str, done: int, _total: int) -> None:
        if (what, done) == ("images", 4):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kit.fsck(interrupt, resume=True)
    files.clear()
    assert kit.fsck(resume=True) == []
    assert len(files) == 6


def test_what_has_changed_in_the_trail_is_read_again(kit: Collection, files: list[str]) -> None:
    cut_off(kit, after=5)
    kit.undo("a_stage2.png")
    assert kit.crop("b_stage2.png", OTHER).ok
    files.clear()
    assert kit.fsck(resume=True) == []
    assert {"a_stage2.png", "b_stage2.png"} <= set(files)
    assert not {"c.jpg", "d.jpg", "e.jpeg"} & set(files)


def test_what_was_not_right_is_read_again_and_told_again(kit: Collection, files: list[str]) -> None:
    kept = (kit.root / "a_stage2.png").read_bytes()
    (kit.root / "a_stage2.png").write_bytes(b"not that")
    cut_off(kit, after=3)
    files.clear()
    assert [each.path for each in kit.fsck(resume=True)] == ["a_stage2.png"]
    cut_off(kit, after=3)
    (kit.root / "a_stage2.png").write_bytes(kept)
    files.clear()
    assert kit.fsck(resume=True) == []
    assert "a_stage2.png" in files


def test_one_that_ends_leaves_nothing(kit: Collection, cache: Path, files: list[str]) -> None:
    assert kit.fsck() == []
    assert not list(cache.glob("fsck-*"))
    cut_off(kit, after=3)
    assert len(list(cache.glob("fsck-*"))) == 1
    assert kit.fsck(resume=True) == []
    assert not list(cache.glob("fsck-*"))
    files.clear()
    assert kit.fsck(resume=True) == []
    assert len(files) == 10


def test_another_trail_in_the_same_folder_has_read_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        read_and_cut_off(Proven(tmp_path, "first"), "a.png", "0" * 64)
    assert Proven(tmp_path, "first", resume=True).holds("a.png", "0" * 64, FILE)
    assert not Proven(tmp_path, "first", resume=True).holds("a.png", "1" * 64, FILE)
    assert not Proven(tmp_path, "another", resume=True).holds("a.png", "0" * 64, FILE)
    assert not Proven(tmp_path / "b", "first", resume=True).holds("a.png", "0" * 64, FILE)


def test_what_was_read_long_ago_is_read_again(
    kit: Collection, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(kit, after=3)
    later = clock.now() + AGE + timedelta(seconds=1)
    monkeypatch.setattr("cropkit.engine.proven.clock.now", lambda: later)
    files.clear()
    assert kit.fsck(resume=True) == []
    assert len(files) == 10


def test_a_kill_costs_what_was_read_since_it_was_kept(
    kit: Collection, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cropkit.engine.proven.KEPT_EACH", 0.0)
    sizes: list[int] = []

    def look(what: str, _done: int, _total: int) -> None:
        if what == "images":
            sizes.extend(path.stat().st_size for path in cache.glob("fsck-*"))

    assert kit.fsck(look) == []
    assert len(sizes) == len(IMAGES)
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("harm", [b"", b"{}\n", b'{"form": 1}\n', b"\xff" * 40])
def test_what_cannot_be_believed_is_told_and_all_is_read(
    kit: Collection, cache: Path, files: list[str], harm: bytes
) -> None:
    cut_off(kit, after=3)
    (path,) = cache.glob("fsck-*")
    path.write_bytes(harm)
    files.clear()
    ended = run("fsck", kit.root, "--resume", "--json")
    assert "what an earlier fsck has read is not known" in ended.stderr
    assert json.loads(ended.stdout)["resumed"] == 0
    assert len(files) == 10


def test_a_look_that_cannot_be_kept_says_so(kit: Collection, cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("no folder")
    read = Proven(kit.root, "")
    with pytest.raises(KeyboardInterrupt):
        read_and_cut_off(read, "a.png", "0" * 64)
    assert any("it cannot be resumed" in notice for notice in read.notices)
    assert not any("goes on" in notice for notice in read.notices)


def test_the_shell_says_what_was_cut_off_and_what_is_not_read_again(
    kit: Collection, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("cropkit.engine.fsck._tables", _interrupted)
        ended = run("fsck", kit.root)
        assert ended.returncode == 130
        assert "with --resume it goes on where it was" in ended.stderr
    assert "was cut off when it had read 10 files" in run("fsck", kit.root, folder=kit.root).stderr
    cut_off(kit, after=4)
    files.clear()
    ended = run("fsck", kit.root, "--resume", "--json")
    assert "4 files that an fsck begun at" in ended.stderr
    assert (ended.returncode, json.loads(ended.stdout)["resumed"]) == (0, 4)
    assert len(files) == 6


def _interrupted(*_: object) -> list[object]:
    raise KeyboardInterrupt


def test_a_deep_look_at_the_health_reads_each_file_once(kit: Collection, files: list[str]) -> None:
    kit.close()
    assert run("health", kit.root, "--deep", "--json").returncode in (0, 1)
    assert len(files) == 10
    assert len(set(files)) == 10


def test_a_look_at_a_part_takes_nothing_from_one_at_the_whole(
    kit: Collection, files: list[str]
) -> None:
    (kit.root / "part").mkdir()
    cut_off(kit, after=3)
    kit.close()
    assert run("fsck", kit.root / "part").returncode == 0
    files.clear()
    ended = run("fsck", kit.root, "--resume", "--json")
    assert json.loads(ended.stdout)["resumed"] == 3
