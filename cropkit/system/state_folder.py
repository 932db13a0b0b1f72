"""Whether a `.cropkit` may be opened, and the only way to open a file in it.

A collection may have been downloaded, unpacked or shared, and its `.cropkit` been made by an enemy.
Whoever opens it asks `check` first; `open_file` walks to the file one component at a time, so that
a link which is put there after the check is not followed either.

What is made in a folder that is shared with a group (it may write, and what is made there is its)
can be used by the group, whatever the umask says.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path, PurePosixPath
from struct import Struct

from cropkit.errors import AuditUnavailable, ForeignState, MissingFile, NotAFolder
from cropkit.system.descent import walked
from cropkit.system.home import (
    ALERTS,
    COLLECTION,
    COMPACT_LOCK,
    DATABASE,
    EXPORT,
    HOME,
    LOG,
    MERGE_LOCK,
    MERGED,
    ORIGINALS,
    OWNERS,
    PREVIEWS,
    RECOVER_LOCK,
    REJECTED,
    RESERVE,
    RESERVED_FILES,
    RUNS,
    STAGE,
    SUGGESTIONS,
    TRAIL_PLACE,
    WRITER_LOCK,
)

_FOLDERS = frozenset(
    PurePosixPath(name).name
    for name in (OWNERS, STAGE, ORIGINALS, PREVIEWS, RUNS, REJECTED, MERGED)
)
_FILES = frozenset(
    PurePosixPath(name).name
    for name in (
        *(
            EXPORT,
            ALERTS,
            COLLECTION,
            WRITER_LOCK,
            RECOVER_LOCK,
            COMPACT_LOCK,
            MERGE_LOCK,
            DATABASE,
            LOG,
            RESERVE,
            SUGGESTIONS,
            TRAIL_PLACE,
        ),
        *(COLLECTION, *RESERVED_FILES),
    )
)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a pipe that nobody writes to would wait for ever
_UNFOLLOWED = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SUPER_JOURNAL = Struct(">II8s")  # length of the name before it, its checksum, the magic number
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
_SHARED = stat.S_ISGID | stat.S_IWGRP
GROUP_FOLDER, GROUP_FILE = 0o2770, 0o660
"""The modes of what a group shares."""
_NO_FILE = frozenset((errno.ELOOP, errno.ENXIO, errno.EISDIR, errno.ENODEV, errno.EOPNOTSUPP))


def check_is_folder(path: Path) -> None:
    """Refuse to look for a collection where there is no folder.

    Raises
    ------
    MissingFile, NotAFolder
        Nothing was read.
    AuditUnavailable
        One may not look.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFile(str(path)) from None
    except (OSError, ValueError) as error:
        raise AuditUnavailable(path, getattr(error, "strerror", None) or error) from error
    if not stat.S_ISDIR(mode):
        raise NotAFolder(str(path))


def check(folder: Path) -> None:
    """Refuse a collection's state that somebody else made, or that leads out of it.

    `.cropkit` and what is directly in it: folders where folders belong, regular files of one name
    elsewhere, no link; owned by this user, the administrator or a member of the group that this
    person shares the collection with, and not to be written by others. A collection without a state
    has nothing to refuse.

    Raises
    ------
    ForeignState
        Nothing was read or written.
    AuditUnavailable
        One may not look.
    """
    try:
        _check_home(folder / HOME)
    except FileNotFoundError:
        return
    except OSError as error:
        raise AuditUnavailable(folder, _words(folder / HOME, error)) from error


def exists(folder: Path) -> bool:
    """Whether there is a `.cropkit`, whatever it is."""
    return os.path.lexists(folder / HOME)


def above(folder: Path) -> Path | None:
    """Return the nearest collection that a folder is in, by its name: no link is followed.

    What somebody else may have put above it is none, nor what is the state of another folder.
    """
    parents = folder.absolute().parents
    return next((each for each in parents if is_inside(each)), None)


def is_inside(folder: Path) -> bool:
    """Whether a folder holds its own state, which `check` does not refuse."""
    has_one = exists(folder) and not os.path.lexists(folder / COLLECTION)
    return has_one and is_acceptable(folder)


def is_acceptable(folder: Path) -> bool:
    """Whether there is a state, and `check` does not refuse it."""
    try:
        check(folder)
    except (ForeignState, AuditUnavailable):
        return False
    return os.path.isdir(folder / HOME)  # noqa: PTH112  (`Path.is_dir` raises where one may not look)


def open_file(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open a file of the state; no link is followed from `.cropkit` on.

    Beneath no `.cropkit` it is `os.open`, for what a person has named. One that is made in a shared
    folder is its group's, too.

    Raises
    ------
    ForeignState
        It is no regular file of one's own; nothing was read or written.
    OSError
        As `os.open`.
    """
    if HOME not in path.parts:
        return os.open(path, flags | os.O_CLOEXEC, mode)
    with _parent(path) as folder:
        if flags & os.O_CREAT and _is_shared(folder):
            mode = GROUP_FILE  # what the umask takes of it is given back below
        try:
            fd = os.open(path.name, flags | _UNFOLLOWED, mode, dir_fd=folder)
        except OSError as error:
            if error.errno in _NO_FILE:
                raise ForeignState(path, "a link, folder, pipe or device") from None
            raise
        try:
            _check_file(path, os.fstat(fd))
            if flags & os.O_CREAT:
                let_group_use(fd, folder)
        except (ForeignState, OSError):
            os.close(fd)
            raise
    return fd


def let_group_use(fd: int, above: int) -> None:
    """Let the group of a shared folder use a file or folder of one's own in it.

    Parameters
    ----------
    above : descriptor of the folder; where that is not shared, nothing is done

    Raises
    ------
    OSError
        The group may not use it.
    """
    status = os.fstat(fd)
    if not _is_shared(above) or status.st_uid != os.geteuid():
        return
    wanted = GROUP_FOLDER if stat.S_ISDIR(status.st_mode) else GROUP_FILE
    group = os.fstat(above).st_gid
    if status.st_gid != group:
        os.fchown(fd, -1, group)
    if stat.S_IMODE(status.st_mode) != wanted:
        os.fchmod(fd, wanted)


def make_file(path: Path, mode: int = 0o600) -> Path:
    """Make an empty file for others to write, or none where it is there already.

    Raises
    ------
    ForeignState, OSError
        As `open_file`.
    """
    with suppress(FileExistsError):
        os.close(open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    return path


def make_folder(path: Path) -> None:
    """Make a folder of the state, for this user or whom they share it with; one may be there.

    Raises
    ------
    ForeignState
        A link is in the way.
    OSError
        It cannot be made.
    """
    with _parent(path) as above:
        with suppress(FileExistsError):
            os.mkdir(path.name, 0o700, dir_fd=above)
        let_group_use_folder(path.name, above)


def let_group_use_folder(name: str, above: int) -> None:
    """Do as `let_group_use`, by the name of a folder; one that is a link is left to who opens it.

    Raises
    ------
    OSError
        The group may not use it.
    """
    if not _is_shared(above):
        return
    try:
        fd = os.open(name, _FOLDER, dir_fd=above)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return
        raise
    try:
        let_group_use(fd, above)
    finally:
        os.close(fd)


def reader(path: Path) -> BufferedReader:
    """Open a file of the state for reading, as `open_file` does."""
    return open(open_file(path, os.O_RDONLY), "rb")


@contextmanager
def opened_folder(path: Path) -> Iterator[int]:
    """Open a folder of the state, or any other; no link is followed from `.cropkit` on.

    Raises
    ------
    ForeignState
        It is no folder; nothing was read or written.
    OSError
        As `os.open`.
    """
    with _parent(path / "-") as folder:
        yield folder


def holds(path: Path) -> bool:
    """Whether something has a name in a folder of the state, as the folder itself tells now.

    By its whole path another machine may be told what was so a minute ago (nfs(5), acdirmax). What
    is no folder of one's own holds nothing; that it is not is told by whoever opens it.
    """
    try:
        with opened_folder(path.parent) as folder:
            os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    except (OSError, ForeignState):
        return False
    return True


def _is_shared(folder: int) -> bool:
    return os.fstat(folder).st_mode & _SHARED == _SHARED


def _words(home: Path, error: OSError) -> str:
    """Say why one may not look; where somebody else's state is in the way, what they can do."""
    words = error.strerror or str(error)
    with suppress(OSError):
        owner = home.lstat().st_uid
        if isinstance(error, PermissionError) and owner != os.geteuid():
            words += f": {HOME} belongs to user {owner}, who can share it (`cropkit share`) or give"
            words += " it to you (`chown -R`)"
    return words


def _check_home(home: Path) -> None:
    status = home.lstat()
    if stat.S_ISREG(status.st_mode):  # a mishap, which leads nowhere
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    _check_folder(home, status)
    with opened_folder(home) as folder, os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # it has gone since it was listed, and not the home
                _check_entry(home / entry.name, entry.stat(follow_symlinks=False))


def _check_entry(path: Path, status: os.stat_result) -> None:
    is_file = path.name in _FILES or path.name.startswith(("cropkit.", "trail"))
    if path.name in _FOLDERS or (stat.S_ISDIR(status.st_mode) and not is_file):
        _check_folder(path, status)
    else:
        _check_file(path, status)
    if path.name.endswith("-journal"):
        _check_journal(path)


def _check_journal(path: Path) -> None:
    """Refuse a rollback journal that names another file: SQLite would delete that one.

    SQLite's file format, section "The Rollback Journal", and its source `pager.c`, where the name
    of a super-journal, its length, a checksum and the magic number end the file. Databases of ours
    are never changed together with others, so that none of our journals has one.
    """
    with suppress(FileNotFoundError), reader(path) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - _SUPER_JOURNAL.size))
        end = file.read(_SUPER_JOURNAL.size)
        if len(end) == _SUPER_JOURNAL.size and _SUPER_JOURNAL.unpack(end)[-1] == _JOURNAL_MAGIC:
            raise ForeignState(path, "a journal that may name another file")


def _check_folder(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISDIR(status.st_mode):
        raise ForeignState(path, "a link or a file, where a folder belongs")
    _check_owner(path, status)


def _check_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ForeignState(path, "a link, folder, pipe or device")
    if status.st_nlink > 1:
        raise ForeignState(path, "a file that has another name, too")
    _check_owner(path, status)


def _check_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in (os.geteuid(), 0):
        from cropkit.system import sharing  # noqa: PLC0415  (it is locked by a file of ours)

        reason = sharing.objection(_split(path.parent)[0], status)
        if reason is not None:
            raise ForeignState(path, reason)
    if status.st_mode & stat.S_IWOTH:
        raise ForeignState(path, "everybody may write to it")


@contextmanager
def _parent(path: Path) -> Iterator[int]:
    """Open the folder of a file, from `.cropkit` on without following links."""
    above, within = _split(path.parent)
    top = os.open(above, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    folders = [above.joinpath(*within[:depth]) for depth in range(1, len(within) + 1)]
    with walked(top, folders, _step) as fd:
        yield fd


def _split(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Where a folder is beneath a `.cropkit`: what is above that, and the names from there on."""
    parts = folder.parts
    if HOME not in parts:
        return folder, ()
    at = len(parts) - 1 - parts[::-1].index(HOME)
    return Path(*parts[:at]), parts[at:]


def _step(path: Path, above: int) -> int:
    try:
        return os.open(path.name, _FOLDER, dir_fd=above)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise ForeignState(path, "a link or a file, where a folder belongs") from None
        raise
