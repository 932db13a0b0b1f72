"""A disk that is not mounted, or is over a collection: nothing begins anew, nothing is lost."""

import ctypes
import json
import multiprocessing
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pictures
import pytest
from shell import run
from trails import BOX, A, B, crop

from cropkit.collection import Collection
from cropkit.engine import accepting
from cropkit.errors import AuditUnavailable, BadStatePlace, CropkitError
from cropkit.system.home import DATABASE, HOME

NEW_MOUNTS = 0x00020000  # CLONE_NEWNS, unshare(2)
Work = Callable[[Path, Path], None]


def _alone(work: Work, folder: Path, state: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_MOUNTS) != 0:
        os._exit(77)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    work(folder, state)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], None]:
    """Run in a process with mounts of its own: a folder of images, and a place for a state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own"))
    folder = pictures.write_folder(tmp_path / "photos")
    pictures.write_folder(folder / "sub")
    (tmp_path / "disk").mkdir()

    def run_it(work: Work) -> None:
        context = multiprocessing.get_context("fork")
        child = context.Process(target=_alone, args=(work, folder, tmp_path / "disk"))
        child.start()
        child.join()
        if child.exitcode == 77:
            pytest.skip("mounts of one's own are for the administrator")
        assert child.exitcode == 0

    return run_it


def mount(place: Path) -> None:
    """Mount an empty disk."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", str(place)], check=True)


def unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def seen(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if HOME not in path.parts)
    return {str(path): path.read_bytes() for path in files if path.is_file()}


def _over_the_state(folder: Path, _: Path) -> None:
    crop(folder, A)
    before = seen(folder)
    mount(folder / HOME)
    with pytest.raises(AuditUnavailable, match="unmount what is over it"):
        Collection(folder)
    for command in ("fsck", "health", "recover", "undo", "apply"):
        ended = run(command, str(folder))
        assert ended.returncode == 1
        assert "Traceback" not in ended.stderr
    assert not (folder / DATABASE).exists()
    unmount(folder / HOME)
    assert seen(folder) == before
    with Collection(folder) as kit:
        assert kit.fsck() == []
        assert kit.undo(A)[0].ok


def test_a_disk_over_the_state_is_no_new_state(alone: Callable[[Work], None]) -> None:
    alone(_over_the_state)


def _over_the_folder(folder: Path, _: Path) -> None:
    crop(folder, A)
    before = seen(folder)
    mount(folder)
    with pytest.raises(AuditUnavailable, match="mount what belongs there"):
        Collection(folder)
    assert list(folder.iterdir()) == []
    unmount(folder)
    assert seen(folder) == before
    crop(folder, B)


def test_an_empty_disk_over_the_folder_gets_no_state(alone: Callable[[Work], None]) -> None:
    alone(_over_the_folder)


def _without_the_disk_of_the_state(folder: Path, disk: Path) -> None:
    mount(disk)
    keep = disk.with_name("keep")
    keep.mkdir()
    with Collection(folder, state=disk / "state") as kit:
        assert kit.crop(A, BOX).ok
    subprocess.run(["mount", "--bind", str(disk), str(keep)], check=True)
    unmount(disk)
    for part in (folder, folder / "sub"):
        with pytest.raises(BadStatePlace, match="mount it, or name one"):
            Collection(part)
    assert run("health", str(folder)).returncode == 1
    assert not (folder / HOME).exists()
    assert list(disk.iterdir()) == []
    subprocess.run(["mount", "--bind", str(keep), str(disk)], check=True)
    with Collection(folder) as kit:
        assert kit.fsck() == []
        assert kit.undo(A)[0].ok


def test_without_the_disk_of_its_state_no_second_one_begins(alone: Callable[[Work], None]) -> None:
    alone(_without_the_disk_of_the_state)


def _over_a_part(folder: Path, _: Path) -> None:
    with Collection(folder) as kit:
        assert kit.crop(f"sub/{A}", BOX).ok
        assert kit.crop(B, BOX).ok
    mount(folder / "sub")
    (folder / "sub" / "another.png").write_bytes(b"of another disk")
    (difference,) = json.loads(run("fsck", str(folder), "--json").stdout)["differences"]
    assert (difference["kind"], difference["path"]) == ("missing", f"sub/{A}")
    ended = run("accept-changes", str(folder), "--json")
    assert ended.returncode == 1
    assert json.loads(ended.stdout) == {"accepted": [], "hidden": [f"sub/{A}"]}
    assert f"sub/{A}: not accepted" in ended.stderr
    unmount(folder / "sub")
    (folder / B).unlink()
    ended = run("accept-changes", str(folder), "--json")
    assert [each["path"] for each in json.loads(ended.stdout)["accepted"]] == [B]
    assert run("fsck", str(folder)).returncode == 0


def test_what_a_disk_hides_is_missing_and_no_deletion(alone: Callable[[Work], None]) -> None:
    alone(_over_a_part)


def _during_a_session(folder: Path, _: Path) -> None:
    crop(folder, A)
    before = seen(folder)
    for place in (folder / HOME, folder):
        kit = Collection(folder)
        mount(place)
        with pytest.raises(CropkitError):
            kit.crop(B, BOX)
        with pytest.raises(CropkitError):
            kit.undo(A)
        assert not (folder / DATABASE).exists()
        unmount(place)
        kit.close()
        assert seen(folder) == before
        with Collection(folder) as kit:
            assert kit.fsck() == []


def test_a_disk_that_comes_over_it_during_a_session_stops_that(
    alone: Callable[[Work], None],
) -> None:
    alone(_during_a_session)


# -- without mounting anything -----------------------------------------------------------------


def test_a_state_that_was_removed_can_be_begun_anew(tmp_path: Path) -> None:
    folder = pictures.write_folder(tmp_path / "photos")
    crop(folder, A)
    for path in sorted((folder / HOME).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(AuditUnavailable, match=r"remove such a \.cropkit"):
        Collection(folder)
    (folder / HOME).rmdir()
    crop(folder, B)


def test_a_state_elsewhere_that_was_removed_can_be_begun_anew(tmp_path: Path) -> None:
    folder, state = pictures.write_folder(tmp_path / "photos"), tmp_path / "state"
    Collection(folder, state=state).close()
    state.rename(tmp_path / "gone")
    with pytest.raises(BadStatePlace) as raised:
        Collection(folder)
    assert f"`--state {folder}`" in str(raised.value)
    with Collection(folder, state=folder) as kit:
        assert kit.crop(A, BOX).ok
    with Collection(folder) as kit:
        assert kit.scope.state == folder


@pytest.mark.parametrize(
    ("gone", "there", "hidden"),
    [
        (["a/1.png"], [], ["a/1.png"]),  # its folder is empty
        (["b/1.png"], [], []),  # something else is in it
        (["c/1.png"], [], ["c/1.png"]),  # it is not there
        (["d/e/1.png"], [], ["d/e/1.png"]),  # a disk is mounted above it
        (["d/e/1.png"], ["d/e/2.png"], []),  # and is the one that is meant
        (["1.png"], [], []),
    ],
)
def test_what_may_be_hidden(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gone: list[str],
    there: list[str],
    hidden: list[str],
) -> None:
    for name in ("a", "b", "d/e"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("b/x", "d/e/x"):
        (tmp_path / name).touch()
    points = frozenset((str(tmp_path / "d"), str(tmp_path), "/"))
    monkeypatch.setattr(accepting, "mount_points", lambda: points)
    assert accepting.hidden(tmp_path, gone, there) == frozenset(hidden)
