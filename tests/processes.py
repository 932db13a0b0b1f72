"""The processes that one process has started, and those that they have."""

import os
from pathlib import Path


def descendants(pid: int | None = None) -> list[int]:
    """Return children and theirs, of this process by default; sessions of their own count, too."""
    wanted = os.getpid() if pid is None else pid
    below = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        if parent == wanted:
            child = int(status.parent.name)
            below += [child, *descendants(child)]
    return below
