"""Which file system holds a folder, and what its times can be believed for."""

from pathlib import Path

# A change of the names in a folder changes its times, by one clock, for whoever looks. Network file
# systems answer from memory, and what a program mounts (FUSE) may have any times at all.
_TIMED = frozenset(
    (
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "bcachefs", "f2fs", "jfs", "zfs"),
        *("tmpfs", "overlay"),
    )
)


def file_system_type(folder: Path) -> str:
    """Name the type of the file system that holds `folder` ('' where the system does not say)."""
    mounts = Path("/proc/self/mountinfo")
    if not mounts.is_file():
        return ""
    best, kind = "", ""
    for line in mounts.read_text(errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        point = before.split()[4].encode().decode("unicode_escape", "replace")
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, after.split()[0]
    return kind


def times_tell(folder: Path) -> bool:
    """Whether a folder whose times are the same still holds the same names."""
    return file_system_type(folder) in _TIMED
