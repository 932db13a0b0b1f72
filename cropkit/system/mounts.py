"""Which file system holds a folder, and what its times can be believed for."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")  # see proc_pid_mountinfo(5)
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
# A change of the names in a folder changes its times, by one clock, for whoever looks. Network file
# systems answer from memory, and what a program mounts (FUSE) may have any times at all. A folder
# of an overlay has the times of its upper layer, whatever is done in a lower one between mounts.
_TIMED = frozenset(
    ("ext2", "ext3", "ext4", "xfs", "btrfs", "bcachefs", "f2fs", "jfs", "zfs", "tmpfs")
)


def file_system_type(folder: Path) -> str:
    """Name the type of the file system that holds `folder` ('' where the system does not say)."""
    if not MOUNTS.is_file():
        return ""
    best, kind = "", ""
    for point, its_kind in _mounted(MOUNTS.read_bytes()):
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, its_kind
    return kind


def _mounted(table: bytes) -> Iterator[tuple[str, str]]:
    """Yield each mount point and the type of its file system, in the order of mounting."""
    # in bytes: a name may hold any but the four that are octal, and texts have more line ends
    for line in filter(None, table.split(b"\n")):
        before, _, after = line.partition(b" - ")
        point = _OCTAL.sub(lambda octal: bytes((int(octal[1], 8),)), before.split(b" ")[4])
        yield os.fsdecode(point), os.fsdecode(after.split(b" ")[0])


def times_tell(folder: Path) -> bool:
    """Whether a folder whose times are the same still holds the same names."""
    return file_system_type(folder) in _TIMED
