"""Which file system holds a folder, and what it can be believed for: its times, a database."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MOUNTS = Path("/proc/self/mountinfo")  # see proc_pid_mountinfo(5)
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
# A change of the names in a folder changes its times, by one clock, for whoever looks. Network file
# systems answer from memory, and what a program mounts (FUSE) may have any times at all. A folder
# of an overlay has the times of its upper layer, whatever is done in a lower one between mounts.
_TIMED = frozenset(
    ("ext2", "ext3", "ext4", "xfs", "btrfs", "bcachefs", "f2fs", "jfs", "zfs", "tmpfs")
)

# Those of a disk of this machine, its memory, or layers of both: locks, shared memory and syncs are
# the kernel's own. exFAT, FAT and NTFS lack hard links, for which there is a copy.
_LOCAL = frozenset(
    (
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "bcachefs", "f2fs", "jfs", "zfs", "nilfs2"),
        *("reiserfs", "tmpfs", "ramfs", "overlay", "aufs", "vfat", "msdos", "exfat", "ntfs3"),
        *("hfsplus", "ufs", "udf", "iso9660", "squashfs", "erofs"),
    )
)
# Other machines write there, too, and one machine's locks and shared memory tell the others
# nothing: what a look at it from here finds is no proof.
_NETWORK = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda", "9p", "ceph"),
        *("glusterfs", "lustre", "gpfs", "mmfs", "beegfs", "fhgfs", "pvfs2", "orangefs", "ocfs2"),
        *("gfs2", "panfs", "davfs", "moosefs", "lizardfs", "virtiofs", "vboxsf", "vmhgfs"),
        *("prl_fs", "acfs", "cvfs", "afpfs"),
    )
)
# What is behind `fuse.` is what the program calls itself, in any spelling.
_NETWORK_PROGRAMS = (
    *("sshfs", "s3", "gcsfuse", "rclone", "ceph", "gluster", "gvfsd", "goofys", "mount-s3"),
    *("mountpoint-s3", "juicefs", "seaweedfs", "weed", "blobfuse", "geesefs", "riofs", "yas3fs"),
    *("davfs", "curlftpfs", "smbnetfs", "nfs", "moosefs", "mfs", "lizardfs", "hdfs", "alluxio"),
    *("vmhgfs", "ossfs", "cosfs", "obsfs", "onedriver", "google-drive", "lustre", "beegfs"),
    *("gpfs", "virtiofs", "9p", "cvmfs", "kio-fuse", "dropbox", "afs"),
)


class Mount(NamedTuple):
    """A file system, as it is mounted.

    Parameters
    ----------
    kind : its type; '' where the system does not say
    options : of the file system itself, each as it says it (`hard`, `vers=4.2`)
    """

    kind: str
    options: tuple[str, ...] = ()

    def option(self, name: str) -> str:
        """Return what an option is set to, '' where it is not there."""
        start = f"{name}="
        said = (each.removeprefix(start) for each in self.options if each.startswith(start))
        return next(said, "")


def is_local(kind: str) -> bool:
    """Whether a type of file system is one on which SQLite is known to be safe."""
    return kind in _LOCAL


def is_network(kind: str) -> bool:
    """Whether other machines may write to it, so that nothing can be proven from here."""
    base, _, program = kind.partition(".")
    named = program.casefold() if base in ("fuse", "fuseblk") else ""
    return kind in _NETWORK or (bool(named) and named.startswith(_NETWORK_PROGRAMS))


def file_system_type(folder: Path) -> str:
    """Name the type of the file system that holds `folder` ('' where the system does not say)."""
    return mount_of(folder).kind


def mount_of(folder: Path) -> Mount:
    """Return the file system that holds `folder`."""
    best, found = "", Mount("")
    for point, mount in _mounted():
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, found = point, mount
    return found


def mount_points() -> frozenset[str]:
    """Return where file systems are mounted; none where the system does not say."""
    return frozenset(point for point, _ in _mounted())


def _mounted() -> Iterator[tuple[str, Mount]]:
    """Yield each mount point and its file system, in the order of mounting."""
    table = MOUNTS.read_bytes() if MOUNTS.is_file() else b""
    # in bytes: a name may hold any but the four that are octal, and texts have more line ends
    for line in filter(None, table.split(b"\n")):
        before, _, after = line.partition(b" - ")
        point = _OCTAL.sub(lambda octal: bytes((int(octal[1], 8),)), before.split(b" ")[4])
        kind, *_, options = map(os.fsdecode, after.split(b" "))
        yield os.fsdecode(point), Mount(kind, tuple(options.split(",")))


def times_tell(folder: Path) -> bool:
    """Whether a folder whose times are the same still holds the same names."""
    return file_system_type(folder) in _TIMED
