"""What a file is besides its content: mode, owner, times and extended attributes."""

import errno
import os
import stat
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

_OF_USERS = "user."  # extended attributes that everybody may set, see xattr(7)
_PERMISSIONS = 0o777
_LATEST = (2**63 - 1) * 10**9  # nanoseconds: the seconds of a 64-bit time_t
_AS_MADE = -1  # leaves owner and group as they are, see chown(2)
_SET_ID = stat.S_ISUID | stat.S_ISGID
ACCESS_LIST, LIST_OF_NEW = "system.posix_acl_access", "system.posix_acl_default"
"""Who else may use a file, and what is made in a folder: acl(5)."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a file is besides its content; `xattrs` are (name, value) pairs."""

    mode: int
    uid: int
    gid: int
    mtime_ns: int
    xattrs: tuple[tuple[str, bytes], ...] = ()
    atime_ns: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        pairs = [[name, b64encode(value).decode("ascii")] for name, value in self.xattrs]
        return {
            "mode": self.mode,
            "uid": self.uid,
            "gid": self.gid,
            "mtime_ns": self.mtime_ns,
            "atime_ns": self.atime_ns,
            "xattrs": pairs,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Attributes":
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            No file can have them.
        """
        pairs = tuple((_name(name), b64decode(value)) for name, value in document["xattrs"])
        accessed = document.get("atime_ns")
        return cls(
            mode=int(document["mode"]),
            uid=int(document["uid"]),
            gid=int(document["gid"]),
            mtime_ns=_time(document["mtime_ns"]),
            xattrs=pairs,
            atime_ns=None if accessed is None else _time(accessed),
        )

    def owned_as(self, file: "Attributes") -> "Attributes":
        """Return these with the owner of a file, and what only the administrator may set.

        Those come from the disk alone: what was recorded may have been changed by an enemy, and an
        administrator who undoes would give them. For the same reason no set-id bit is recorded.
        """
        recorded = (pair for pair in self.xattrs if pair[0].startswith(_OF_USERS))
        on_disk = (pair for pair in file.xattrs if not pair[0].startswith(_OF_USERS))
        return replace(
            self,
            mode=self.mode & _PERMISSIONS,
            uid=file.uid,
            gid=file.gid,
            xattrs=tuple(sorted((*recorded, *on_disk))),
        )

    def for_a_copy(self) -> "Attributes":
        """Return these without an owner, as whoever makes a copy is its owner.

        Access stays as narrow as it was; no set-id bit is given to another one's file.
        """
        kept = (ACCESS_LIST, LIST_OF_NEW)
        pairs = (pair for pair in self.xattrs if pair[0].startswith(_OF_USERS) or pair[0] in kept)
        mode = self.mode & _PERMISSIONS
        return replace(self, mode=mode, uid=_AS_MADE, gid=_AS_MADE, xattrs=tuple(pairs))

    @property
    def times(self) -> tuple[int, int]:
        """Access and modification time, as `os.utime` takes them."""
        return (self.mtime_ns if self.atime_ns is None else self.atime_ns, self.mtime_ns)


def _time(value: Any) -> int:  # noqa: ANN401  (as JSON has it)
    time = int(value)
    if abs(time) > _LATEST:
        raise ValueError("no file can have this time")
    return time


def _name(value: Any) -> str:  # noqa: ANN401  (as above)
    name = str(value)
    if b"\0" in os.fsencode(name):
        raise ValueError("no extended attribute can have this name")
    return name


def attributes_of(fd: int, status: os.stat_result) -> Attributes:
    """Read what an open file is besides its content."""
    mode = stat.S_IMODE(status.st_mode)
    owner = (status.st_uid, status.st_gid)
    return Attributes(mode, *owner, status.st_mtime_ns, _xattrs(fd), status.st_atime_ns)


def _xattrs(fd: int) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, os.getxattr(fd, name)) for name in sorted(xattr_names(fd)))


def xattr_names(fd: int) -> list[str]:
    """Name the extended attributes of an open file or folder; none where there can be none."""
    try:
        return os.listxattr(fd)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOSYS):
            return []
        raise


def carry(system: Any, fd: int, like: Attributes) -> tuple[str, ...]:  # noqa: ANN401  (os, or a stand-in)
    """Set owner, extended attributes and mode; what only the administrator may set is named.

    Where the owner cannot be kept, the group is, if one may give it: else a file that a colleague
    has written anew would be out of reach for those who share its folder. An access list that the
    folder gave to the new file goes, where the other has none: it would let more people in.
    """
    mine, mode = os.fstat(fd), like.mode
    lost = []
    if like.uid != _AS_MADE and (mine.st_uid, mine.st_gid) != (like.uid, like.gid):
        try:
            system.fchown(fd, like.uid, like.gid)
        except PermissionError:
            lost.append("owner")
            with suppress(PermissionError):
                system.fchown(fd, -1, like.gid)
            if mode & _SET_ID:  # they would be those of whoever runs this
                lost.append("set-id bits")
                mode &= ~_SET_ID
    for name, value in like.xattrs:
        try:
            system.setxattr(fd, name, value)
        except PermissionError:
            if name.startswith("user."):
                raise
            lost.append(f"extended attribute {name}")
    if ACCESS_LIST in set(xattr_names(fd)) - dict(like.xattrs).keys():
        system.removexattr(fd, ACCESS_LIST)
    system.fchmod(fd, mode)  # last: a change of owner clears set-id bits
    return tuple(lost)
