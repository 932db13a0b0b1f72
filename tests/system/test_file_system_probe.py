"""Which file systems a state may lie on: by their type, and by trying where nobody knows."""

import errno
import fcntl
import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
from faults import Faulty, nowhere

from cropkit.audit.store import Store
from cropkit.errors import NetworkFileSystem
from cropkit.system import file_system_probe, mounts
from cropkit.system.files import Root
from cropkit.system.mounts import Mount

LOCAL = ("ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "f2fs", "vfat", "exfat", "ntfs3")
NETWORK = (
    *("nfs", "nfs4", "cifs", "smb3", "afs", "9p", "ceph", "glusterfs", "lustre", "gpfs", "beegfs"),
    *("fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.ceph-fuse", "virtiofs"),
    *("fuse.glusterfs", "fuse.gvfsd-fuse", "fuse.mount-s3", "fuse.juicefs", "fuse.RClone"),
    *("fuse.vmhgfs-fuse", "vboxsf", "orangefs", "ocfs2", "gfs2"),
)
UNKNOWN = ("fuseblk", "fuse.encfs", "fuse.mergerfs", "fuse.bindfs", "fuse", "newfs", "")


def as_on(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    for module in ("store", "store_reader"):
        monkeypatch.setattr(f"cropkit.audit.{module}.mount_of", lambda _folder: Mount(kind))


@pytest.mark.parametrize("kind", LOCAL)
def test_a_disk_of_this_machine_is_not_tried(kind: str, tmp_path: Path) -> None:
    calls = nowhere()
    calls.armed = True
    file_system_probe.check(tmp_path, Mount(kind), calls)
    assert calls.calls == []


@pytest.mark.parametrize("kind", NETWORK)
def test_what_other_machines_write_to_is_refused_whatever_a_try_would_say(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mounts.is_network(kind)
    as_on(monkeypatch, kind)
    with pytest.raises(NetworkFileSystem, match=r"cropkit review .* --state "):
        Store(Root(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", UNKNOWN)
def test_what_nobody_knows_is_tried_and_used_where_it_does_all(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not mounts.is_network(kind)
    as_on(monkeypatch, kind)
    Store(Root(tmp_path)).close()
    assert [path.name for path in tmp_path.iterdir()] == [".cropkit"]


EFFECTS = 27  # calls of a whole trial


@pytest.mark.parametrize("number", range(1, EFFECTS + 1))
def test_whatever_call_fails_nothing_is_made_and_nothing_left(number: int, tmp_path: Path) -> None:
    def fail(name: str) -> None:
        raise OSError(errno.EOPNOTSUPP, f"no {name}")

    system = Faulty(number, fail)
    system.armed = True
    if number == 1:  # the folder of the trial itself
        with pytest.raises(OSError, match="no mkdir"):
            file_system_probe.check(tmp_path, Mount("newfs"), system)
    else:
        with pytest.raises(NetworkFileSystem, match=r"newfs .*no "):
            file_system_probe.check(tmp_path, Mount("newfs"), system)
    assert list(tmp_path.iterdir()) == []


def test_each_call_of_the_trial_was_let_fail(tmp_path: Path) -> None:
    calls = nowhere()
    calls.armed = True
    file_system_probe.check(tmp_path, Mount("newfs"), calls)
    assert len(calls.calls) == EFFECTS
    assert {"open", "write", "fsync", "replace", "link", "mkdir"} == set(calls.calls)


def nobody_locks(_fd: int, *_: Any) -> None:
    """Grant a lock to whoever asks, as file systems without locks do."""


class Apart(mmap.mmap):
    """Memory that is this process's own."""

    def __new__(cls, fd: int, size: int) -> Self:
        return super().__new__(cls, fd, size, flags=mmap.MAP_PRIVATE)


def copied(path: Path, target: Path) -> None:
    target.write_bytes(path.read_bytes())


@pytest.mark.parametrize(
    ("call", "instead", "lack"),
    [
        ((fcntl, "flock"), nobody_locks, "a lock excludes nobody"),
        ((fcntl, "fcntl"), nobody_locks, "a lock of bytes excludes nobody"),
        ((mmap, "mmap"), Apart, "memory is not shared"),
        ((os, "replace"), copied, "a rename does not replace"),
    ],
)
def test_a_call_that_says_yes_and_does_nothing_is_noticed(
    call: tuple[Any, str],
    instead: Callable[..., Any],
    lack: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(*call, instead)
    with pytest.raises(NetworkFileSystem, match=f"newfs .{lack}"):
        file_system_probe.check(tmp_path, Mount("newfs"))
    assert list(tmp_path.iterdir()) == []


def test_the_command_can_be_pasted_whatever_the_folder_is_called(tmp_path: Path) -> None:
    error = file_system_probe.refusal(tmp_path / "it's a folder", "nfs4")
    assert "'\"'\"'" in error.args[2]
    assert "--state" in str(error)
