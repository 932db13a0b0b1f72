"""Give a collection's state to a group, or take it back: by the descriptor, and no link followed.

From the top down: what is made meanwhile is made as its folder is, or is among what is looked at
next. So it may be done while somebody is at work, and again after it was cut off.

Images are left alone. What is kept for undo gives its owner and group back, what was set aside
comes back as the very file, and either may have a second name in the collection. Only where the
group cannot read an original, so that no colleague could undo, is that given to it.
"""

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path, PurePosixPath

from cropkit.system.attributes import ACCESS_LIST, LIST_OF_NEW, xattr_names
from cropkit.system.home import HOME, ORIGINALS, PREVIEWS, REJECTED, RUNS, STAGE
from cropkit.system.state_folder import GROUP_FILE, GROUP_FOLDER, make_folder, opened_folder

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_OF_IMAGES = frozenset(PurePosixPath(name).name for name in (ORIGINALS, REJECTED, STAGE))
_SET_ASIDE = PurePosixPath(REJECTED).name
READ, CHANGE = 0o4, 0o3
"""Of a mode's three bits: to read a file, to change names in a folder."""

_ALIAS = "it has another name, which may be an image's"
_NO_FILE = "a link, pipe or device"


@dataclass(slots=True)
class Changed:
    """What was given to a group, or taken back.

    Parameters
    ----------
    changed : folders and files that have another mode, group or owner now
    left : what could not be changed, by its name beneath the collection, and why
    """

    changed: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An open file or folder of a state.

    Parameters
    ----------
    inside : its name beneath `.cropkit`
    above : descriptor of its folder; its own, for a folder
    """

    inside: PurePosixPath
    fd: int
    above: int
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_image(self) -> bool:
        """Whether it is or becomes an image; in a state that was merged, too."""
        return not self.is_folder and not _OF_IMAGES.isdisjoint(self.inside.parts[:-1])

    @property
    def is_own(self) -> bool:
        """Whether this user may change it."""
        return os.geteuid() in (0, self.status.st_uid)


_Change = Callable[[_Entry], bool | str]


def give(collection: Path, gid: int) -> Changed:
    """Let a group use all that is in a state, as far as it is this user's.

    Raises
    ------
    ForeignState
        `.cropkit` is a link.
    OSError
        The rest is as it was.
    """
    home = collection / HOME
    done = Changed()
    with opened_folder(home) as fd:
        _count(done, _entry(home, home, fd, fd), lambda entry: _give(entry, gid))
    if home.stat().st_uid == os.geteuid():
        # whoever owns a folder can take it back; a colleague would make these when they need them
        for name in (PREVIEWS, RUNS, REJECTED):
            make_folder(collection / name)
    _walk(home, done, lambda entry: _give(entry, gid))
    return done


def take_back(collection: Path) -> Changed:
    """Make all that is in a state this user's alone; what colleagues wrote becomes a copy of it.

    Nobody may be at work on it. The copies hold the same bytes, so that any mixture is right.

    Raises
    ------
    ForeignState
        `.cropkit` is a link.
    OSError
        The rest is as it was.
    """
    done = Changed()
    _walk(collection / HOME, done, _take_back)
    return done


def may(status: os.stat_result, gid: int, wanted: int) -> bool:
    """Whether a group may do all of what three bits of a mode say, as group or as others."""
    bits = status.st_mode >> 3 if status.st_gid == gid else status.st_mode
    return bits & wanted == wanted


def _walk(home: Path, done: Changed, change: _Change) -> None:
    waiting = [home]
    while waiting:
        folder = waiting.pop()
        try:
            with opened_folder(folder) as fd:
                _count(done, _entry(home, folder, fd, fd), change)
                waiting += _files(home, folder, fd, done, change)
        except FileNotFoundError:  # somebody at work is done with it
            continue
        except PermissionError as error:
            done.left.append((_name(home, folder), error.strerror or str(error)))


def _files(home: Path, folder: Path, fd: int, done: Changed, change: _Change) -> list[Path]:
    """Change the files of a folder; return the folders in it."""
    below = []
    for name in sorted(os.listdir(fd)):
        mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            below.append(folder / name)
        elif stat.S_ISREG(mode):
            _file(home, folder / name, fd, done, change)
        else:
            done.left.append((_name(home, folder / name), _NO_FILE))
    return below


def _file(home: Path, path: Path, above: int, done: Changed, change: _Change) -> None:
    try:
        fd = os.open(path.name, _FILE, dir_fd=above)
    except FileNotFoundError:
        return
    except PermissionError:
        status = os.stat(path.name, dir_fd=above, follow_symlinks=False)
        done.left.append((_name(home, path), _owned(status)))
        return
    try:
        _count(done, _entry(home, path, fd, above), change)
    finally:
        os.close(fd)


def _count(done: Changed, entry: _Entry, change: _Change) -> None:
    outcome = change(entry)
    if isinstance(outcome, str):
        done.left.append((str(PurePosixPath(HOME) / entry.inside), outcome))
    else:
        done.changed += outcome


def _entry(home: Path, path: Path, fd: int, above: int) -> _Entry:
    return _Entry(PurePosixPath(path.relative_to(home)), fd, above, os.fstat(fd))


def _name(home: Path, path: Path) -> str:
    return str(path.relative_to(home.parent))


def _give(entry: _Entry, gid: int) -> bool | str:
    if entry.is_image and (_SET_ASIDE in entry.inside.parts or may(entry.status, gid, READ)):
        return False
    return _change(entry, gid, GROUP_FOLDER if entry.is_folder else GROUP_FILE)


def _take_back(entry: _Entry) -> bool | str:
    if entry.is_image:
        return False
    if entry.is_own or entry.is_folder:
        group = os.getegid() if entry.status.st_uid == os.geteuid() else entry.status.st_gid
        return _change(entry, group, _PRIVATE_FOLDER if entry.is_folder else _PRIVATE_FILE)
    return _copied(entry)


def _change(entry: _Entry, gid: int, mode: int) -> bool | str:
    status = entry.status
    lists = {ACCESS_LIST, LIST_OF_NEW}.intersection(xattr_names(entry.fd))
    if status.st_gid == gid and stat.S_IMODE(status.st_mode) == mode and not lists:
        return False
    if not entry.is_folder and status.st_nlink > 1:
        return _ALIAS
    if not entry.is_own:
        return _owned(status)
    for name in lists:  # first: the mode would open to whom they name what was closed to them
        os.removexattr(entry.fd, name)
    os.fchown(entry.fd, -1, gid)
    os.fchmod(entry.fd, mode)
    return True


def _copied(entry: _Entry) -> bool:
    """Put a copy of one's own in the place of somebody else's file."""
    name = entry.inside.name
    new = f".cropkit-{name}.own"
    with suppress(FileNotFoundError):  # from a try that was cut off
        os.unlink(new, dir_fd=entry.above)
    fd = os.open(new, _NEW, _PRIVATE_FILE, dir_fd=entry.above)
    with FileIO(fd, "w") as to, FileIO(entry.fd, closefd=False) as file:
        shutil.copyfileobj(file, to)
        os.fsync(fd)
    os.replace(new, name, src_dir_fd=entry.above, dst_dir_fd=entry.above)
    os.fsync(entry.above)
    return True


def _owned(status: os.stat_result) -> str:
    return f"it belongs to user {status.st_uid}, who has to run this, too"
