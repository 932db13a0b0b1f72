"""A small file system as a value: inodes and the names that folders give them.

Taken from a real folder, changed step by step, and written out again, hard links included.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

TOP = 0
SHARED_MEMORY = "-shm"  # SQLite's; made anew by whoever opens first


@dataclass(frozen=True)
class Inode:
    """A folder or a file, as far as a crash can tell."""

    folder: bool
    mode: int
    data: bytes = b""
    mtime_ns: int | None = None
    xattrs: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Disk:
    """Inodes by number, names by (number of the folder, name)."""

    inodes: dict[int, Inode] = field(default_factory=dict)
    names: dict[tuple[int, str], int] = field(default_factory=dict)

    def copy(self) -> "Disk":
        return Disk(dict(self.inodes), dict(self.names))

    def walk(self, folder: int = TOP, above: str = "") -> Iterator[tuple[str, int]]:
        """Every name that can be reached, folders before what is in them."""
        here = sorted(
            (name, inode) for (inside, name), inode in self.names.items() if inside == folder
        )
        for name, inode in here:
            path = f"{above}{name}"
            yield path, inode
            if self.inodes[inode].folder:
                yield from self.walk(inode, f"{path}/")

    def write(self, place: Path) -> None:
        """Make `place` hold exactly this."""
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        first: dict[int, Path] = {}
        for path, number in self.walk():
            target, inode = place / path, self.inodes[number]
            if inode.folder:
                target.mkdir(mode=inode.mode)
            elif number in first:
                target.hardlink_to(first[number])
            else:
                first[number] = target
                _write(target, inode)

    def change(self, number: int, **changes: object) -> None:
        self.inodes[number] = replace(self.inodes[number], **changes)  # type: ignore[arg-type]  # plain fields


def read(place: Path) -> Disk:
    """Take a folder as it is."""
    disk, _ = read_with_numbers(place)
    return disk


def read_with_numbers(place: Path) -> tuple[Disk, dict[int, int]]:
    """Take a folder as it is; also which real inode has which number."""
    disk, known = Disk({TOP: Inode(folder=True, mode=0o755)}), {place.stat().st_ino: TOP}
    for above, folders, files in os.walk(place):
        inside = known[Path(above).stat().st_ino]
        for name in (*folders, *files):
            path = Path(above, name)
            found = path.lstat()
            if found.st_ino not in known:
                known[found.st_ino] = len(known)
                disk.inodes[known[found.st_ino]] = inode_of(path, found)
            disk.names[inside, name] = known[found.st_ino]
    return disk, known


def inode_of(path: Path, found: os.stat_result, *, data: bool = True) -> Inode:
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        return Inode(folder=True, mode=mode)
    xattrs = tuple((name, os.getxattr(path, name)) for name in os.listxattr(path))
    content = path.read_bytes() if data else b""
    return Inode(False, mode, content, found.st_mtime_ns, xattrs)  # noqa: FBT003  (a file)


def _write(target: Path, inode: Inode) -> None:
    target.touch()
    if inode.data.strip(b"\0"):
        target.write_bytes(inode.data)
    else:  # the reserve: as large, and no work for the disk
        os.truncate(target, len(inode.data))
    target.chmod(inode.mode)
    for name, value in inode.xattrs:
        os.setxattr(target, name, value)
    if inode.mtime_ns is not None:
        os.utime(target, ns=(inode.mtime_ns, inode.mtime_ns))
