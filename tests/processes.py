"""The processes that one process has started, and those that they have."""

import os
from contextlib import suppress
from pathlib import Path


def descendants(of: int | None = None) -> list[int]:
    """Return children and theirs, of this process by default; sessions of their own count, too."""
    return [pid for pid in _processes() if _is_below(pid, of or os.getpid())]


def running(program: bytes) -> list[int]:
    """Return those of this process whose command line holds a text, in one look at all."""
    return [pid for pid in _processes() if program in _command(pid) and _is_below(pid, os.getpid())]


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _is_below(pid: int, top: int) -> bool:
    while (pid := _parent(pid)) > 1:
        if pid == top:
            return True
    return False


def _parent(pid: int) -> int:
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
