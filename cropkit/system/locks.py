"""Advisory locks on files, which the kernel lets go of at any death of their holder."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cropkit.system.state_folder import open_file

_OPTIONS = os.O_CREAT | os.O_RDWR
_ASKED = 5.0  # seconds: whoever asks whether a lock is free has it for a moment


class LockHeld(Exception):
    """(path, seconds waited): somebody else holds it."""


@contextmanager
def exclusive(path: Path, deadline: float) -> Iterator[None]:
    """Hold a lock inside the block; a stopped holder cannot block for ever.

    Raises
    ------
    LockHeld
        When it was not to be had for `deadline` seconds.
    ForeignState
        The file is no file of one's own.
    OSError
        When the file cannot be opened.
    """
    fd = open_file(path, _OPTIONS)
    try:
        wait_for(fd, path, deadline)
        yield
    finally:
        os.close(fd)


@contextmanager
def held_still(path: Path, deadline: float) -> Iterator[None]:
    """Keep others from taking a lock inside the block, where nothing can be written or made.

    A file that is not there is held by nobody.

    Raises
    ------
    LockHeld, ForeignState, OSError
        As `exclusive`.
    """
    try:
        fd = open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        wait_for(fd, path, deadline)
        yield
    finally:
        os.close(fd)


def hold(path: Path, says: str, *, is_synced: bool = False) -> int:
    """Take a lock that nobody else wants, until the descriptor is closed or the process ends.

    The file says who holds it. Others may read it, and so ask for its lock, whoever made it.

    Parameters
    ----------
    is_synced : other machines are to read what it says at once

    Raises
    ------
    OSError
        The file cannot be made, or somebody else has its lock.
    """
    fd = open_file(path, _OPTIONS, 0o644)
    try:
        wait_for(fd, path, _ASKED)
        os.write(fd, says.encode())
        if is_synced:
            os.fsync(fd)
    except LockHeld:
        os.close(fd)
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None
    except OSError:
        os.close(fd)
        raise
    return fd


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock; a file that is not there is free.

    One that may not be read is held for all that anybody knows.
    """
    try:
        fd = open_file(path, os.O_RDONLY)  # also where nothing can be written
    except FileNotFoundError:
        return True
    except PermissionError:
        return False
    try:
        return _is_free(fd)
    finally:
        os.close(fd)


def said_by_holder(path: Path, most: int) -> bytes | None:
    """Return the first bytes of a file that somebody holds, None where nobody does.

    Raises
    ------
    ForeignState
        The file is no file of one's own.
    OSError
        It cannot be read.
    """
    try:
        fd = open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return None if _is_free(fd) else os.pread(fd, most, 0)
    finally:
        os.close(fd)


def _is_free(fd: int) -> bool:
    """Whether nobody holds the lock of an open file; who asks at the same time is no holder."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for(fd: int, path: Path, deadline: float) -> None:
    """Take the lock of an open file or folder.

    Raises
    ------
    LockHeld
        When it was not to be had for `deadline` seconds.
    """
    until = time.monotonic() + deadline
    pause = 0.001
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise LockHeld(path, deadline) from None
        else:
            return
        time.sleep(pause)
        pause = min(0.02, pause * 1.5)
