"""Closed parts of the trail's export: `.cropkit/trail-000001.jsonl.gz` and so on, oldest first.

Each holds lines that were at the beginning of `trail.jsonl` once, packed by gzip (RFC 1952), so
that `zcat .cropkit/trail-*.jsonl.gz` shows them. A segment is never changed. The events of all of
them, and of what is left in `trail.jsonl`, are one chain.

Who planted one cannot make a reader unpack more than some times what they have put on the disk, nor
hold more than a line of it.
"""

import gzip
import os
import re
import zlib
from collections.abc import Generator
from contextlib import closing
from io import BufferedReader
from pathlib import Path

from cropkit.errors import AuditCorrupt
from cropkit.system.files import write_all
from cropkit.system.home import EXPORT
from cropkit.system.state_folder import open_file, opened_folder, reader

LONGEST_LINE = 1 << 23  # bytes; extended attributes may make one long
LARGEST = 1 << 24  # bytes of the lines in one segment
MOST_UNPACKED = 64  # times its size: what one unpacks to at most; events, to seven times

MOST = 999_999  # of them: the names have six digits
_NAME = re.compile(r"trail-(?!000000)(\d{6})\.jsonl\.gz", re.ASCII)
_LOOKS_SO = re.compile(r"trail(-\d*)?\.jsonl(\.gz)?", re.ASCII | re.IGNORECASE)
_LEVEL = 6  # 9 saves one byte in two hundred, and takes three times as long
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


def numbers(home: Path) -> list[int]:
    """Return the numbers of the segments that are there, in order.

    Raises
    ------
    ForeignState, OSError
        The folder cannot be looked at.
    """
    return sorted(int(name[1]) for name in map(_NAME.fullmatch, _names(home)) if name)


def taken_for(home: Path) -> list[str]:
    """Return names that somebody could take for a part of the export, and nothing reads.

    In capitals, not packed, or with another number of digits.

    Raises
    ------
    ForeignState, OSError
        As `numbers`.
    """
    ours = Path(EXPORT).name
    names = (name for name in _names(home) if name != ours and not _NAME.fullmatch(name))
    return sorted(filter(_LOOKS_SO.fullmatch, names))


def _names(home: Path) -> list[str]:
    try:
        with opened_folder(home) as folder, os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except FileNotFoundError:
        return []


def packed(lines: bytes) -> bytes:
    """Return a segment's bytes, the same each time; lines that pack too well are only wrapped."""
    data = gzip.compress(lines, _LEVEL, mtime=0)
    return data if len(lines) <= MOST_UNPACKED * len(data) else gzip.compress(lines, 0, mtime=0)


def write_new(path: Path, lines: bytes) -> None:
    """Write a segment to a new file, durably; its name is not yet.

    Raises
    ------
    ForeignState, OSError
        It is not written, or in part.
    """
    fd = open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        write_all(os, fd, packed(lines))
        os.fsync(fd)
    finally:
        os.close(fd)


def lines(path: Path) -> Generator[bytes, None, None]:
    """Unpack a segment, a line at a time.

    Raises
    ------
    AuditCorrupt
        It is none of ours.
    ForeignState, OSError
        It cannot be read.
    """
    with reader(path) as file:
        most = left = min(LARGEST, MOST_UNPACKED * os.fstat(file.fileno()).st_size)
        with closing(_unpacked(file, path)) as unpacked:
            for line in unpacked:
                left -= len(line)
                if left < 0 or len(line) > LONGEST_LINE:
                    raise AuditCorrupt(path, "it unpacks to more than a segment of ours")
                if not line.endswith(b"\n"):
                    raise AuditCorrupt(path, "it ends within a line")
                yield line
        if left == most:
            raise AuditCorrupt(path, "no event is in it")


def _unpacked(file: BufferedReader, path: Path) -> Generator[bytes, None, None]:
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacking:
            while line := unpacking.readline(LONGEST_LINE + 1):
                yield line
    except _DAMAGED as error:
        raise AuditCorrupt(path, f"it cannot be unpacked: {error}") from error
