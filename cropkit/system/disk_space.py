"""What is used up where nothing can be written any more, and a reserve for whoever makes room.

A file system is full in three ways: no bytes, no inodes, or the quota of this user. Only an attempt
tells of the last one.
"""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cropkit.errors import CropkitError, NoSpace, ReadOnly, WriteFailed
from cropkit.system.home import HOME, RESERVE, RESERVED_FILES
from cropkit.system.state_folder import open_file

RESERVED = 1 << 20  # bytes that a purge may need before it has removed anything
ENOUGH = 1 << 20  # bytes with which the trail goes on
_PLENTY = 8 * RESERVED  # where less is free, none of it is kept back
_PLENTY_OF_INODES = 8 * len(RESERVED_FILES)
_ATTEMPT = 64 * 1024  # bytes: the shared memory of the database, and a page or two of its log
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
_log = logging.getLogger("cropkit")


def shortage(folder: Path) -> str | None:
    """Say what is used up in a collection's state; None where something can still be written.

    Writes a small file for a moment, since free bytes tell neither of inodes nor of a quota.
    """
    path = folder / HOME / f"room-{os.getpid()}"
    try:
        fd = open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except (OSError, CropkitError) as error:
        return words(folder, getattr(error, "errno", None))
    try:
        os.posix_fallocate(fd, 0, _ATTEMPT)
    except OSError as error:
        return words(folder, error.errno)
    finally:
        os.close(fd)
        path.unlink()
    return None


def words(folder: Path, number: int | None) -> str | None:
    """Say what the number of a system error means where files are; None where it is no shortage."""
    if number not in _FULL:
        return None
    space = os.statvfs(folder)
    free = space.f_bavail * space.f_frsize
    if number == errno.EDQUOT:
        return f"the quota of user {os.geteuid()} is used up, though {free:,} bytes are free"
    if space.f_files and not space.f_favail:
        return f"no inodes are left: no file can be made, though {free:,} bytes are free"
    missing = max(ENOUGH - free, 0)
    return f"the disk is full: {free:,} bytes are free, at least {missing:,} more are needed"


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Translate what the system says no to in the block, where files are made beneath a folder."""
    try:
        yield
    except OSError as error:
        lacking = words(folder, error.errno)
        if lacking:
            raise NoSpace(folder, lacking) from error
        place, reason = error.filename or folder, error.strerror or error
        forbidden = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        raise (ReadOnly if forbidden else WriteFailed)(place, reason) from error


def keep_reserve(folder: Path) -> None:
    """Keep a few bytes and inodes back, for a purge on a full disk; where few are free, none."""
    space = os.statvfs(folder)
    has_inodes = not space.f_files or space.f_favail >= _PLENTY_OF_INODES
    try:
        if space.f_bavail * space.f_frsize >= _PLENTY:
            _keep(folder / RESERVE, RESERVED)
        for name in RESERVED_FILES if has_inodes else ():
            _keep(folder / name)
    except OSError as error:
        _log.warning("no reserve is kept for a full disk: %s", error)


def _keep(path: Path, size: int = 0) -> None:
    if os.path.lexists(path):
        return
    try:
        fd = open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:  # another session makes it
        return
    try:
        if size:
            os.posix_fallocate(fd, 0, size)
    finally:
        os.close(fd)


def taken(path: Path) -> int:
    """Return the bytes of a file; 0 where there is none."""
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def keep_within(limit: int, folder: int, ignored: type[OSError] = FileNotFoundError) -> None:
    """Remove the files of a folder that were not touched for longest, until the rest fits.

    Parameters
    ----------
    limit : bytes of all files together
    folder : the open folder
    ignored : what keeps a file from being removed, and is no reason to end
    """
    with os.scandir(folder) as entries:
        files = [(each.name, each.stat(follow_symlinks=False)) for each in entries]
    total = sum(status.st_size for _, status in files)
    for name, status in sorted(files, key=lambda file: file[1].st_mtime_ns):
        if total <= limit:
            return
        with suppress(ignored):
            os.unlink(name, dir_fd=folder)
        total -= status.st_size


def give_back(folder: Path) -> str | None:
    """Give the reserve back; return what it was, None where none was kept."""
    size, files = 0, 0
    for name in (RESERVE, *RESERVED_FILES):
        try:
            size += (folder / name).lstat().st_size
            (folder / name).unlink()
        except FileNotFoundError:
            continue
        files += 1
    return f"{size:,} bytes in {files} files" if files else None
