"""The only file-system effects of the write protocol, beneath a root that they cannot leave.

Every path is opened one component at a time without following links, and every effect is made
relative to the folder that was opened: what was checked is what is used. Everything goes through
`Root.system`, which is the seam for fault injection.

Durability: after `sync` the file's data survive a power cut, after `sync_folder` the names in that
folder do; neither implies the other. A failed sync is final and never tried again on the same
data, because the kernel marks the pages clean after telling us once (the "fsyncgate" of 2018).
"""

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from cropkit.bounds import Bounds
from cropkit.errors import (
    CropkitError,
    MissingFile,
    NameTaken,
    NoSpace,
    NotRegularFile,
    PathOutsideRoot,
    ReadOnly,
    WriteFailed,
)
from cropkit.system import disk_space
from cropkit.system.attributes import Attributes, attributes_of, carry
from cropkit.system.descent import walked
from cropkit.system.home import HOME
from cropkit.system.state_folder import let_group_use_folder

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a pipe that nobody writes to would wait for ever
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DEEPEST = 50  # a folder in a folder: to open each takes as many steps, and to remove it, a call
_NO_ATIME = getattr(os, "O_NOATIME", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.ENOSYS))


@dataclass(frozen=True, slots=True)
class Identity:
    """Which file it was, so that a later look can tell whether it still is."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    links: int

    def same_inode(self, other: "Identity | None") -> bool:
        """Whether both names are of one file."""
        mine = (self.device, self.inode)
        return other is not None and mine == (other.device, other.inode)

    def same_file(self, other: "Identity | None") -> bool:
        """Whether nothing was swapped or written in between (the link count may differ)."""
        mine = (self.device, self.inode, self.size, self.mtime_ns)
        return other is not None and mine == (
            other.device,
            other.inode,
            other.size,
            other.mtime_ns,
        )


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it was read, through one descriptor."""

    data: bytes
    sha256: str
    identity: Identity
    attributes: Attributes


class Root:
    """A folder beneath which every path stays."""

    def __init__(self, path: Path, system: ModuleType = os) -> None:
        self.path = path.resolve()
        self.system: Any = system
        self._durable: set[tuple[str, ...]] = set()

    def __repr__(self) -> str:
        return f"Root({str(self.path)!r})"

    # -- looking -------------------------------------------------------------------------------

    def read(self, path: str, bounds: Bounds | None = None, *, from_disk: bool = False) -> Content:
        """Read a regular file whole.

        Parameters
        ----------
        bounds : of what is a stranger's: one that is larger than memory may be is not begun with
        from_disk : not what the kernel still has in memory of a file that was synced, which would
            be right whatever is on the disk; it is asked to let go of that (posix_fadvise(2)), and
            a file system that is memory cannot

        Raises
        ------
        MissingFile, NotRegularFile, PathOutsideRoot, ReadOnly, TooCostly
            Nothing was written.
        """
        with self._translated(path), self._opened(path) as fd:
            status = os.fstat(fd)
            if bounds is not None and status.st_size > bounds.memory:
                raise bounds.too_much_memory(path)
            if from_disk:
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            with _reader(fd) as file:
                data = file.read()
            digest = hashlib.sha256(data).hexdigest()
            return Content(data, digest, _identity(status), attributes_of(fd, status))

    def digest(self, path: str) -> str | None:
        """SHA-256 of a regular file, None when there is no such name."""
        try:
            with self._translated(path), self._opened(path) as fd, _reader(fd) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except MissingFile:
            return None

    def identity(self, path: str) -> Identity | None:
        """Which file has this name, None when there is none; links are not followed.

        On a network its size and time may be as they were a minute ago (nfs(5), acregmax): see
        `identity_now`.
        """
        try:
            with self._translated(path), self._parent(path) as (folder, name):
                return _identity(os.stat(name, dir_fd=folder, follow_symlinks=False))
        except MissingFile:
            return None

    def identity_now(self, path: str) -> Identity | None:
        """Which regular file has this name, as whoever opens it is told by its server.

        Raises
        ------
        NotRegularFile, PathOutsideRoot, ReadOnly
            Nothing was written.
        """
        try:
            with self._translated(path), self._opened(path) as fd:
                return _identity(os.fstat(fd))
        except MissingFile:
            return None

    def check_room(self, path: str, needed: int) -> None:
        """Raise `NoSpace` unless `needed` bytes and a reserve of 1 MiB are free."""
        free = self.free_bytes()
        wanted = needed + disk_space.ENOUGH
        if free < wanted:
            raise NoSpace(path, wanted, free)

    def free_bytes(self) -> int:
        """Return how many bytes an unprivileged user may still write here."""
        free = os.statvfs(self.path)
        return free.f_bavail * free.f_frsize

    def beside(self, path: str) -> list[str]:
        """List what is no folder in the folder of `path`, hidden names and links too, sorted.

        Raises
        ------
        MissingFile, PathOutsideRoot, ReadOnly, WriteFailed
            The folder cannot be listed.
        """
        *above, _ = _parts(path, self.path)
        return self._listed(tuple(above), path, lambda entry: not entry.is_dir())

    def those_there(self, folder: str, names: Iterable[str]) -> list[str]:
        """Return which names of files are in a folder, links too, in their order; '' is the root.

        Raises
        ------
        MissingFile, PathOutsideRoot, ReadOnly, WriteFailed
            There is no such folder, or one may not look.
        """
        with self._translated(folder), self._folder(PurePosixPath(folder).parts, folder) as fd:
            return [name for name in names if _is_file(name, fd)]

    def changed_at(self, folder: str) -> int:
        """Return when a name in a folder was changed last, in nanoseconds; '' is the root.

        It is the later one of its two times, of which no program can set that of its last change.

        Raises
        ------
        MissingFile, PathOutsideRoot, ReadOnly, WriteFailed
            As `those_there`.
        """
        with self._translated(folder), self._folder(PurePosixPath(folder).parts, folder) as fd:
            status = os.fstat(fd)
            return max(status.st_mtime_ns, status.st_ctime_ns)

    def folders(self, path: str) -> list[str]:
        """List the folders in a folder, links left out, sorted; none where there is no folder."""
        parts = _parts(path, self.path)
        try:
            return self._listed(parts, path, lambda entry: entry.is_dir(follow_symlinks=False))
        except MissingFile:
            return []

    def files(self, path: str) -> Iterator[str]:
        """Yield what is no folder in a folder and those in it; nothing where there is none.

        Raises
        ------
        WriteFailed
            They are nested deeper than ours can be.
        """
        if path.count("/") > _DEEPEST:
            raise WriteFailed(path, "its folders are nested too deeply")
        folders = self.folders(path)
        with suppress(MissingFile):
            parts = _parts(path, self.path)
            names = self._listed(parts, path, lambda entry: not entry.is_dir())
            yield from (f"{path}/{name}" for name in names)
        for name in folders:
            yield from self.files(f"{path}/{name}")

    def _listed(
        self, parts: tuple[str, ...], path: str, wanted: Callable[["os.DirEntry[str]"], bool]
    ) -> list[str]:
        """List the names in a folder that are wanted, sorted; an error is told of `path`."""
        with (
            self._translated(path),
            self._folder(parts, path) as fd,
            os.scandir(fd) as entries,
        ):
            return sorted(entry.name for entry in entries if wanted(entry))

    # -- writing -------------------------------------------------------------------------------

    def write_new(self, path: str, data: bytes, like: Attributes) -> tuple[str, ...]:
        """Write a new file with the attributes of another; name what could not be carried.

        Not durable before `sync`. An existing name is refused, never overwritten.
        """
        with self._translated(path), self._parent(path) as (folder, name):
            fd = self.system.open(name, _NEW, 0o600, dir_fd=folder)
            try:
                write_all(self.system, fd, data)
                return carry(self.system, fd, like)
            finally:
                os.close(fd)

    def set_times(self, path: str, times: tuple[int, int]) -> None:
        """Give a file its old access and modification times back, in nanoseconds."""
        with self._translated(path), self._parent(path) as (folder, name):
            self.system.utime(name, ns=times, dir_fd=folder, follow_symlinks=False)

    def sync(self, path: str) -> None:
        """Make a file's data and attributes survive a power cut."""
        with self._translated(path), self._opened(path) as fd:
            self.system.fsync(fd)

    def sync_folder(self, path: str) -> None:
        """Make the names in a folder survive a power cut; '' is the root itself."""
        with self._translated(path), self._folder(PurePosixPath(path).parts, path) as fd:
            self.system.fsync(fd)

    def make_folder(self, path: str, mode: int = 0o777, *, alone: bool = False) -> None:
        """Make a folder and, unless it is `alone`, those above it; durable on return."""
        parts = _parts(path, self.path)
        for depth in range(len(parts) if alone else 1, len(parts) + 1):
            if parts[:depth] not in self._durable:
                self._make_one(parts[:depth], path, mode)
                self._durable.add(parts[:depth])

    def _make_one(self, parts: tuple[str, ...], path: str, mode: int) -> None:
        with self._translated(path), self._folder(parts[:-1], path) as above:
            with suppress(FileExistsError):
                self.system.mkdir(parts[-1], mode, dir_fd=above)
            if parts[0] == HOME and len(parts) > 1:
                let_group_use_folder(parts[-1], above)
            # also for one that stood: whoever made it may have died before this line
            self.system.fsync(above)

    def link(self, path: str, to: "Root", target: str) -> bool:
        """Give a file a second name. Return False where the file systems cannot.

        Raises
        ------
        NameTaken
            When the target exists: a link never overwrites.
        """
        with (
            self._translated(path),
            self._parent(path) as (folder, name),
            to._parent(target) as (there, new),  # noqa: SLF001  (the same class)
        ):
            try:
                self.system.link(
                    name, new, src_dir_fd=folder, dst_dir_fd=there, follow_symlinks=False
                )
            except FileExistsError:
                raise NameTaken(path, target) from None
            except OSError as error:
                if error.errno in _NO_LINKS:
                    return False
                raise
            return True

    def replace(self, path: str, target: str, to: "Root | None" = None) -> bool:
        """Rename over `target`: a reader sees the old file whole or the new one whole.

        The rename survives a power cut only after `sync_folder`.

        Parameters
        ----------
        to : where the target lies; False where that is another file system: nothing was changed
        """
        with (
            self._translated(path),
            self._parent(path) as (folder, name),
            (to or self)._parent(target) as (there, new),  # noqa: SLF001  (the same class)
        ):
            try:
                self.system.replace(name, new, src_dir_fd=folder, dst_dir_fd=there)
            except OSError as error:
                if error.errno == errno.EXDEV and to is not None:
                    return False
                raise
            return True

    def unlink(self, path: str, *, missing_ok: bool = False) -> None:
        """Remove a name."""
        with self._translated(path), self._parent(path) as (folder, name):
            try:
                self.system.unlink(name, dir_fd=folder)
            except FileNotFoundError:
                if not missing_ok:
                    raise

    def remove_folder(self, path: str) -> None:
        """Remove a folder with all that is in it; no link is followed. Cut off, a part is left."""
        with self._translated(path), self._parent(path) as (folder, name):
            shutil.rmtree(name, dir_fd=folder)

    # -- opening, one component at a time ------------------------------------------------------

    def _folder(self, parts: tuple[str, ...], path: str) -> AbstractContextManager[int]:
        top = self.system.open(self.path, _FOLDER)
        return walked(top, parts, partial(self._step, path))

    def _step(self, path: str, part: str, fd: int) -> int:
        try:
            return int(self.system.open(part, _FOLDER, dir_fd=fd))
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise PathOutsideRoot(path, self.path) from None
            raise

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        *above, name = _parts(path, self.path)
        with self._folder(tuple(above), path) as fd:
            yield fd, name

    @contextmanager
    def _opened(self, path: str) -> Iterator[int]:
        with self._parent(path) as (folder, name):
            fd = self._open_regular(name, folder, path)
            try:
                yield fd
            finally:
                os.close(fd)

    def _open_regular(self, name: str, folder: int, path: str) -> int:
        try:
            fd = self._open_unseen(name, folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise NotRegularFile(path) from None
            raise
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise NotRegularFile(path)
        return fd

    def _open_unseen(self, name: str, folder: int) -> int:
        """Open for reading without changing the access time, where the file is ours."""
        try:
            return int(self.system.open(name, _FILE | _NO_ATIME, dir_fd=folder))
        except PermissionError as error:
            if error.errno != errno.EPERM:
                raise
            return int(self.system.open(name, _FILE, dir_fd=folder))

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        try:
            yield
        except CropkitError:
            raise
        except OSError as error:
            raise _translation(path, error, self) from error


def not_writable(folder: Path) -> str | None:
    """Say why no name in a folder can be changed, as far as can be told without trying."""
    if os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        return None
    is_mounted_so = os.statvfs(folder).f_flag & os.ST_RDONLY if folder.is_dir() else 0
    return os.strerror(errno.EROFS if is_mounted_so else errno.EACCES)


def is_beneath(path: str, folder: str) -> bool:
    """Whether a name is in a folder of the collection; in '', the whole of it, every name is."""
    return not folder or path.startswith(f"{folder}/")


def split_beneath(root: Path, name: str | os.PathLike[str]) -> str:
    """Return `name` relative to `root` with forward slashes.

    Raises
    ------
    PathOutsideRoot
        When it is not beneath the root, by name or through a link.
    """
    whole = root / name
    with suppress(ValueError):
        # the folder is resolved, the last name is not: a link there is refused when opened
        return (whole.parent.resolve() / whole.name).relative_to(root).as_posix()
    raise PathOutsideRoot(str(name), root)


def _parts(path: str, root: Path) -> tuple[str, ...]:
    parts = tuple(path.split("/"))
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise PathOutsideRoot(path, root)
    return parts


def _is_file(name: str, folder: int) -> bool:
    """Whether a folder has this name, for anything but a folder; a name too long is of nothing."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            return False
        raise
    return not stat.S_ISDIR(status.st_mode)


def _identity(status: os.stat_result) -> Identity:
    return Identity(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_nlink
    )


def _reader(fd: int) -> BufferedReader:
    return open(fd, "rb", closefd=False)


def write_all(system: Any, fd: int, data: bytes) -> None:  # noqa: ANN401  (os, or a stand-in)
    """Write all of it; a call may write less than it is given."""
    view = memoryview(data)
    while view:
        view = view[system.write(fd, view) :]


def _translation(path: str, error: OSError, root: Root) -> CropkitError:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ReadOnly(path, error.strerror)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(path, disk_space.words(root.path, error.errno))
    if error.errno == errno.ENOENT:
        return MissingFile(path)
    return WriteFailed(path, error.strerror or str(error))
