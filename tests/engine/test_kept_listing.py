"""What is kept of a listing is believed where it is as the folder is now, and nowhere else."""

import hashlib
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cropkit
from cropkit.engine import kept_listing
from cropkit.engine.kept_listing import Names, Stamp, read, written
from cropkit.engine.listing import listed, streamed
from cropkit.records import Problem, ProblemKind
from cropkit.system import personal_cache
from cropkit.system.scope import Scope

TICK = 0.02  # seconds; no file system that we keep names of has a slower clock
WANTED = ["a.png", "b/1.jpg", "b/2.jpg", "b/10.jpg", "c/x.png", "c/d/y.png"]


class Scans:
    """The folders that were listed from the disk, one for each time."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._real = os.scandir

    def __call__(self, path: Any) -> Any:
        if not isinstance(path, int):
            self.paths.append(str(path))
        return self._real(path)

    def taken(self) -> list[str]:
        """Return the names of the folders that were listed since somebody asked."""
        taken, self.paths = self.paths, []
        return sorted(Path(path).name for path in taken)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the names of small folders, too, as if all had stood for an hour."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(kept_listing, "LEAST", 0)
    monkeypatch.setattr("cropkit.system.mounts.file_system_type", lambda _folder: "tmpfs")
    later = time.time_ns() + 3_600 * 10**9
    monkeypatch.setattr(kept_listing, "time_ns", lambda: later)
    return tmp_path / "cache" / "cropkit"


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> Scans:
    counted = Scans()
    monkeypatch.setattr(os, "scandir", counted)
    return counted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in WANTED:
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "images"


@pytest.fixture
def kept(folder: Path, cache: Path, scans: Scans) -> Path:
    """Return the file in which the names of `folder` are kept."""
    assert listed(Scope(folder)).images == WANTED
    scans.taken()
    (path,) = cache.iterdir()
    return path


def test_what_has_not_changed_is_not_listed_again(kept: Path, folder: Path, scans: Scans) -> None:
    before = kept.stat()
    assert listed(Scope(folder)) == (WANTED, {}, ())
    assert scans.taken() == []
    assert kept.stat() == before


@pytest.mark.usefixtures("kept")
def test_a_folder_that_changed_is_listed_again_and_no_other(folder: Path, scans: Scans) -> None:
    time.sleep(TICK)
    (folder / "b/3.jpg").touch()
    assert listed(Scope(folder)).images == [*WANTED[:3], "b/3.jpg", *WANTED[3:]]
    assert scans.taken() == ["b"]
    assert len(listed(Scope(folder)).images) == len(WANTED) + 1
    assert scans.taken() == []


@pytest.mark.usefixtures("kept")
def test_what_was_kept_of_a_large_folder_comes_in_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cropkit.engine.review_order.RUN", 2)
    come = [stretch.images for stretch in streamed(Scope(folder))]
    assert come == [WANTED[:1], WANTED[1:3], WANTED[3:4], WANTED[4:5], WANTED[5:]]


@pytest.mark.parametrize("kind", [Path.symlink_to, lambda path, _: os.mkfifo(path)])
@pytest.mark.usefixtures("kept")
def test_what_became_no_regular_file_is_no_image(
    folder: Path, kind: Callable[[Path, Path], None]
) -> None:
    time.sleep(TICK)
    (folder / "c/x.png").unlink()
    kind(folder / "c/x.png", folder / "a.png")
    assert "c/x.png" not in listed(Scope(folder)).images


@pytest.mark.usefixtures("kept")
def test_a_folder_that_became_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "c").rename(tmp_path / "elsewhere")
    (folder / "c").symlink_to(tmp_path / "elsewhere")
    assert listed(Scope(folder)).images == WANTED[:4]


@pytest.mark.usefixtures("kept")
def test_an_image_that_is_replaced_is_the_one_that_stands(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"another")
    assert listed(Scope(folder)).images == WANTED


@pytest.mark.usefixtures("kept")
def test_a_collection_that_was_moved_keeps_its_names(
    folder: Path, tmp_path: Path, scans: Scans
) -> None:
    moved = folder.rename(tmp_path / "moved")
    assert listed(Scope(moved)).images == WANTED
    assert scans.taken() in ([], ["moved"])  # some file systems change the time of what is moved


@pytest.mark.usefixtures("kept")
def test_a_part_has_names_of_its_own_and_a_destination_is_left_out(
    folder: Path, scans: Scans
) -> None:
    for _ in range(2):
        assert listed(Scope(folder, "c")).images == WANTED[4:]
    assert scans.taken() == ["c", "d"]
    assert listed(Scope(folder), "b").images == [WANTED[0], *WANTED[4:]]
    assert listed(Scope(folder)).images == WANTED


@pytest.mark.usefixtures("cache")
def test_a_folder_that_cannot_be_listed_is_named_each_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    for _ in range(2):
        assert listed(Scope(folder)).unread == {"b": "Permission denied"}


def test_a_list_without_the_destination_leaves_what_is_kept_of_it(
    kept: Path, folder: Path, scans: Scans
) -> None:
    before = kept.stat()
    assert listed(Scope(folder), "b").images == [WANTED[0], *WANTED[4:]]
    assert listed(Scope(folder)).images == WANTED
    assert (scans.taken(), kept.stat()) == ([], before)


# -- the clock ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cache")
def test_what_had_just_changed_is_listed_again(
    folder: Path, scans: Scans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two changes in one tick of the clock leave one time."""
    newest = max(path.stat().st_ctime_ns for path in (folder, *folder.rglob("*")))
    almost = newest + int(kept_listing.SETTLED * 1e9) - 1
    monkeypatch.setattr(kept_listing, "time_ns", lambda: almost - 10**9)
    listed(Scope(folder))
    scans.taken()
    monkeypatch.setattr(kept_listing, "_stamp", lambda path: Stamp(1, len(path), newest, newest))
    (folder / "b/3.jpg").touch()
    assert "b/3.jpg" in listed(Scope(folder)).images
    assert scans.taken() == ["b", "c", "d", "images"]


@pytest.mark.parametrize("which", ["modified", "changed"])
def test_both_times_must_have_settled(which: str) -> None:
    now = 10**18
    margin = int(kept_listing.SETTLED * 1e9)
    old = Stamp(1, 1, now - margin, now - margin)
    assert old.settled(now)
    assert not old._replace(**{which: now - margin + 1}).settled(now)
    assert not old._replace(**{which: now + 10**12}).settled(now)


@pytest.mark.usefixtures("scans")
def test_a_folder_that_changes_while_it_is_listed_is_listed_again(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = kept_listing._stamp  # noqa: SLF001  (the clock cannot be told to tick here)
    ticks = iter(range(1_000))
    monkeypatch.setattr(
        kept_listing, "_stamp", lambda path: real(path)._replace(changed=next(ticks))
    )
    listed(Scope(folder))
    assert not cache.exists()


def content(path: Path) -> bytes:
    return path.read_bytes()[hashlib.sha256().digest_size :]


@pytest.mark.parametrize("kind", ["nfs4", "fuse.rclone", "9p", "vfat", "overlay", ""])
def test_nothing_is_kept_where_times_do_not_tell(
    folder: Path, cache: Path, scans: Scans, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("cropkit.system.mounts.file_system_type", lambda _folder: kind)
    for _ in range(2):
        assert listed(Scope(folder)) == (WANTED, {}, ())
        assert scans.taken() == ["b", "c", "d", "images"]
    assert not cache.exists()


def test_few_images_are_not_worth_a_file(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_listing, "LEAST", len(WANTED) + 1)
    listed(Scope(folder))
    assert not cache.exists()


changes = st.lists(
    st.tuples(st.sampled_from(("new", "remove", "rename", "folder")), st.integers(0, 9)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes)
@pytest.mark.usefixtures("cache")
def test_whatever_changes_the_list_is_what_it_would_be_without(
    folder: Path, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int]]
) -> None:
    listed(Scope(folder))
    time.sleep(TICK)
    for step, number in steps:
        changed(folder, step, number)
    kept = listed(Scope(folder))
    with monkeypatch.context() as without:
        without.setattr("cropkit.system.mounts.file_system_type", lambda _folder: "nfs4")
        assert kept == listed(Scope(folder))


def changed(folder: Path, step: str, number: int) -> None:
    images = sorted(path for path in folder.rglob("*.*") if path.is_file())
    folders = sorted({folder, *(path for path in folder.rglob("*") if path.is_dir())})
    place = folders[number % len(folders)]
    if step == "new":
        (place / f"{number}.png").touch()
    elif step == "folder":
        (place / f"f{number}").mkdir(exist_ok=True)
    elif images and step == "remove":
        images[number % len(images)].unlink()
    elif images:
        images[number % len(images)].rename(place / f"r{number}.png")


# -- the file -------------------------------------------------------------------------------------


def sealed(data: bytes) -> bytes:
    return hashlib.sha256(data).digest() + data


def altered(path: Path, old: bytes, new: bytes) -> None:
    data = content(path)
    assert old in data
    path.write_bytes(sealed(data.replace(old, new)))


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


BAD: dict[str, Callable[[Path], object]] = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "one bit": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"f"),
    "no JSON": lambda path: path.write_bytes(sealed(b"{\n")),
    "no table": lambda path: path.write_bytes(sealed(b"[]\n")),
    "deep": lambda path: path.write_bytes(sealed(b"[" * 100_000 + b"\n")),
    "a path": lambda path: altered(path, b"y.png", b"y/png"),
    "a hidden name": lambda path: altered(path, b"y.png", b".png"),
    "no name": lambda path: altered(path, b"y.png", b""),
    "a name more": lambda path: altered(path, b"y.png", b"y.png\0z.png"),
    "a name less": lambda path: altered(path, b"1.jpg\0", b""),
    "a stamp that is none": lambda path: altered(path, b'[["", ', b'[["", "x", '),
    "written by others": lambda path: path.chmod(0o666),
    "a link": linked,
    "a pipe": piped,
}


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_believed_is_told_once_and_made_anew(
    kept: Path, folder: Path, scans: Scans, bad: str
) -> None:
    BAD[bad](kept)
    images, unread, problems = listed(Scope(folder))
    assert (images, unread) == (WANTED, {})
    (problem,) = problems
    assert problem.kind is ProblemKind.LISTING
    assert scans.taken()[:4] == ["b", "c", "d", "images"]
    assert listed(Scope(folder)).problems == ()


@pytest.mark.usefixtures("kept")
def test_what_another_version_kept_is_no_problem_and_made_anew(
    folder: Path, scans: Scans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_listing, "EXTENSIONS", {".png": "png"})
    assert listed(Scope(folder)).problems == ()
    assert scans.taken()[:4] == ["b", "c", "d", "images"]


@pytest.mark.usefixtures("kept")
def test_a_file_that_is_too_large_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_cache, "LARGEST", 40)
    (problem,) = listed(Scope(folder)).problems
    assert "larger than 40 bytes" in problem.reason


def test_what_cannot_be_kept_is_in_the_log(
    folder: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.parent.mkdir()
    cache.write_text("a file, where a folder belongs")
    with caplog.at_level(logging.INFO, logger="cropkit"):
        assert listed(Scope(folder)).images == WANTED
    assert "is not kept" in caplog.text


@pytest.mark.usefixtures("cache")
def test_nobody_without_a_home_keeps_anything(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "cropkit.system.personal_state.cache_folder", lambda _environment=None: None
    )
    with caplog.at_level(logging.INFO, logger="cropkit"):
        assert listed(Scope(folder)) == (WANTED, {}, ())
    assert "this user has no home" in caplog.text


@pytest.mark.usefixtures("kept")
def test_a_list_changes_nothing_in_its_folder(folder: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in (folder, *folder.rglob("*"))}
    time.sleep(TICK)
    listed(Scope(folder))
    after = {path: path.lstat().st_mtime_ns for path in (folder, *folder.rglob("*"))}
    assert after == before


def test_the_oldest_goes_where_all_are_too_large_together(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    personal_cache.write("listing-a", bytes(100))
    time.sleep(TICK)
    monkeypatch.setattr(personal_cache, "LIMIT", 200)
    personal_cache.write("listing-b", bytes(100))
    assert [path.name for path in cache.iterdir()] == ["listing-b"]
    assert personal_cache.read("listing-b") == bytes(100)


def test_a_file_is_replaced_whole_and_is_this_persons_alone(cache: Path) -> None:
    personal_cache.write("listing-a", b"one")
    personal_cache.write("listing-a", b"two")
    assert personal_cache.read("listing-a") == b"two"
    assert [path.name for path in cache.iterdir()] == ["listing-a"]
    assert ((cache / "listing-a").stat().st_mode & 0o777, cache.stat().st_mode & 0o777) == (
        0o600,
        0o700,
    )


file_names = (
    st.binary(min_size=1, max_size=20)
    .filter(lambda name: not {b"/"[0], 0} & {*name} and name[:1] != b".")
    .map(os.fsdecode)
)
stamps = st.builds(Stamp, *(st.integers(0, 2**63) for _ in range(4)))
kept_names = st.builds(Names, st.lists(file_names), st.lists(file_names))


@given(st.dictionaries(st.one_of(st.just(""), file_names), st.tuples(stamps, kept_names)))
def test_what_is_written_is_read(table: dict[str, tuple[Stamp, Names]]) -> None:
    assert read(written(table)) == table


def test_a_review_counts_a_kept_listing_that_cannot_be_used(kept: Path, folder: Path) -> None:
    kept.write_bytes(b"")
    with cropkit.open(folder) as collection:
        heard: list[Problem] = []
        collection.problems.listen(heard.append)
        collection.images()
        collection.images()
        assert [problem.kind for problem in heard] == [ProblemKind.LISTING]
        assert collection.counts().degraded == 1


def test_a_batch_tells_of_a_kept_listing_that_cannot_be_used(kept: Path, folder: Path) -> None:
    kept.write_bytes(b"")
    with cropkit.Batch(folder, source="suggestions") as batch:
        assert [problem.kind for problem in batch.plan.problems] == [ProblemKind.LISTING]
