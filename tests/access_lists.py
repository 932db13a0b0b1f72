"""POSIX access lists, written and read without a tool for them."""

import os
import struct
from pathlib import Path

from cropkit.system.attributes import ACCESS_LIST

SOMEBODY = 54321
_NOBODYS = 0xFFFFFFFF
_OWNER, _USER, _GROUP, _MASK, _OTHERS = 1, 2, 4, 16, 32  # include/uapi/linux/posix_acl.h


def access_list(somebody: int, mask: int) -> bytes:
    """Return one that names somebody, as `setfacl` writes it."""
    entries = (
        (_OWNER, 7, _NOBODYS),
        (_USER, somebody, SOMEBODY),
        (_GROUP, 4, _NOBODYS),
        (_MASK, mask, _NOBODYS),
        (_OTHERS, 0, _NOBODYS),
    )
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def read(path: Path) -> tuple[int, bytes | None]:
    """Return a file's mode, and its list where it has one."""
    listed = ACCESS_LIST in os.listxattr(path)
    return path.stat().st_mode, os.getxattr(path, ACCESS_LIST) if listed else None
