"""Whether a file system does what a database and the write protocol need, found out by trying.

Asked of the types that are not known to be safe (`mounts.is_local`). One that several machines
write to (`mounts.is_network`) is no place for a database, whatever a try would say; where the trail
is on a server it may be, if it keeps them apart (`shared_file_system`). What is tried is what the
state rests on: locks that exclude, memory that is shared through a file, a rename over a name,
syncs of a file and of a folder, a second name.
"""

import fcntl
import mmap
import os
import secrets
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cropkit.errors import NetworkFileSystem, UnfitToShare
from cropkit.system import mounts, shared_file_system, state_place
from cropkit.system.files import write_all
from cropkit.system.mounts import Mount

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_AGAIN = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
_SIZE = mmap.PAGESIZE
_Check = Callable[[Path, Any], bool]


def check_kind(folder: Path, mount: Mount, *, is_shared: bool = False) -> None:
    """Refuse a file system that other machines may write to.

    Parameters
    ----------
    is_shared : they may, since the trail is on a server: refused is what keeps them not apart

    Raises
    ------
    NetworkFileSystem, UnfitToShare
        Nothing was written.
    """
    if not mounts.is_network(mount.kind):
        return
    if not is_shared:
        raise refusal(folder, mount.kind)
    lacking = shared_file_system.lack(mount)
    if lacking is not None:
        raise UnfitToShare(folder, lacking, state_place.command_for(folder))


def check(
    folder: Path,
    mount: Mount,
    system: Any = os,  # noqa: ANN401  (os, or a stand-in)
    *,
    is_shared: bool = False,
) -> None:
    """Refuse a file system on which a state is not safe; one that nobody knows is tried.

    Parameters
    ----------
    is_shared : as in `check_kind`

    Raises
    ------
    NetworkFileSystem, UnfitToShare
        Nothing is left of what was tried.
    OSError
        No file can be made here.
    """
    check_kind(folder, mount, is_shared=is_shared)
    lacking = None if mounts.is_local(mount.kind) else lack(folder, system)
    if lacking is not None:
        raise refusal(folder, f"{mount.kind or 'a file system of no known type'} ({lacking})")


def refusal(folder: Path, kind: str) -> NetworkFileSystem:
    """Return the error, with a command to copy that keeps the state elsewhere."""
    return NetworkFileSystem(folder, kind, state_place.command_for(folder))


def lack(folder: Path, system: Any = os) -> str | None:  # noqa: ANN401  (as above)
    """Say what a file system does not do in a folder, in a hidden one made for it; None: nothing.

    Raises
    ------
    OSError
        No folder can be made here.
    """
    with _place(folder, system) as place:
        for what, works in _CHECKS:
            try:
                if not works(place, system):
                    return what
            except (OSError, ValueError) as error:
                return f"{what}: {getattr(error, 'strerror', None) or error}"
    return None


@contextmanager
def _place(folder: Path, system: Any) -> Iterator[Path]:  # noqa: ANN401  (as above)
    place = folder / f".cropkit-probe-{secrets.token_hex(8)}"
    system.mkdir(place, 0o700)
    try:
        yield place
    finally:
        with suppress(OSError):
            for path in place.iterdir():
                path.unlink()
            place.rmdir()


@contextmanager
def _two(path: Path, system: Any) -> Iterator[tuple[int, int]]:  # noqa: ANN401  (as above)
    """Open a new file twice."""
    first = system.open(path, _NEW, 0o600)
    try:
        write_all(system, first, bytes(_SIZE))
        second = system.open(path, _AGAIN)
        try:
            yield first, second
        finally:
            os.close(second)
    finally:
        os.close(first)


def _locks_exclude(place: Path, system: Any) -> bool:  # noqa: ANN401  (as above)
    with _two(place / "lock", system) as (first, second):
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
    return True


def _ranges_exclude(place: Path, system: Any) -> bool:  # noqa: ANN401  (as above)
    """SQLite locks ranges; those of an open file (fcntl(2), "OFD") exclude in one process, too."""
    whole = struct.pack("hhlli", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    with _two(place / "ranges", system) as (first, second):
        fcntl.fcntl(first, fcntl.F_OFD_SETLK, whole)
        with suppress(BlockingIOError):
            fcntl.fcntl(second, fcntl.F_OFD_SETLK, whole)
            return False
    return True


def _memory_is_shared(place: Path, system: Any) -> bool:  # noqa: ANN401  (as above)
    with (
        _two(place / "memory", system) as (first, second),
        mmap.mmap(first, _SIZE) as mine,
        mmap.mmap(second, _SIZE) as other,
    ):
        mine[:4] = b"seen"
        return other[:4] == b"seen"


def _syncs_file(place: Path, system: Any) -> bool:  # noqa: ANN401  (as above)
    with _two(place / "synced", system) as (first, _):
        system.fsync(first)
    return True


def _syncs_folder(place: Path, system: Any) -> bool:  # noqa: ANN401  (as above)
    fd = system.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        system.fsync(fd)
    finally:
        os.close(fd)
    return True


def _renames_over(place: Path, system: Any) -> bool:  # noqa: ANN401  (as above)
    new, old = place / "new", place / "old"
    for path in (new, old):
        with _two(path, system):
            pass
    inode = new.stat().st_ino
    system.replace(new, old)
    return old.stat().st_ino == inode and not new.exists()


def _links(place: Path, system: Any) -> bool:  # noqa: ANN401  (as above)
    with _two(place / "named", system):
        pass
    system.link(place / "named", place / "again", follow_symlinks=False)
    return (place / "again").samefile(place / "named")


_CHECKS: tuple[tuple[str, _Check], ...] = (
    ("a lock excludes nobody", _locks_exclude),
    ("a lock of bytes excludes nobody", _ranges_exclude),
    ("memory is not shared through a file", _memory_is_shared),
    ("a file cannot be synced", _syncs_file),
    ("a folder cannot be synced", _syncs_folder),
    ("a rename does not replace", _renames_over),
    ("a file can have no second name", _links),
)
