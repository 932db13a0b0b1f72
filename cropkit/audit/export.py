"""The trail's own export: `.cropkit/trail.jsonl`, one event a line, with the same hash chain.

It follows the database and is enough to make it anew. It is written after each commit, under the
writer's lock, and synced when the session ends. After a power cut it may be behind the database,
have holes, or be ahead by a session's start, the one event that is not durable at once: opening the
collection mends it. Any other event that the database does not know means that the database is not
the latest: nothing is cut off then, and the collection is not opened.

Holes are where bytes were never synced. Each opening syncs the export, and so does whoever appends
past another MiB, or more than one, each time: what is at risk is at the end, however long it is.
"""

import json
import os
from collections import deque
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import Connection, bindparam, select

from cropkit.audit import segments
from cropkit.audit.chain import digest
from cropkit.audit.dialects import STREAMED
from cropkit.audit.export_reader import check_length, event_of
from cropkit.audit.schema import audit
from cropkit.audit.segments import LONGEST_LINE
from cropkit.errors import AuditBehind, AuditCorrupt
from cropkit.system.files import write_all
from cropkit.system.home import segment
from cropkit.system.state_folder import open_file

NOT_DURABLE = frozenset(("session-started",))
"""The events that a transaction without a sync may write; each other one is durable first."""

_HEAD = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_AFTER = select(audit).where(audit.c.seq > bindparam("last")).order_by(audit.c.seq)
HASH_OF = select(audit.c.hash).where(audit.c.seq == bindparam("number"))
_TAIL = 1 << 16
SYNCED_EACH = 1 << 20  # bytes
_AT_RISK = 2 * LONGEST_LINE  # bytes at the end; less than that between two syncs, whoever dies


def follow(db: Connection, path: Path, *, mend: bool) -> int:
    """Append the events that the export does not have yet; return the number of its last event.

    Parameters
    ----------
    mend : first cut off what a power cut may have left at the end

    Raises
    ------
    OSError
        The export is behind; the database is not affected.
    AuditBehind
        The database is behind; neither was changed.
    """
    fd = open_file(path, os.O_CREAT | os.O_RDWR)
    try:
        if mend:
            _mend(db, fd, path)
            os.fsync(fd)
        end, line = _last_line(fd, path)
        last = int(json.loads(line)["seq"]) if line else 0
        for number, lines in _pieces(db, last):
            end, last = _appended(fd, end, lines), number
        return last
    finally:
        os.close(fd)


def _pieces(db: Connection, last: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of the events after one, some at a time, with the number of their last."""
    lines, number = bytearray(), last
    with db.execute(_AFTER, {"last": last}, execution_options=STREAMED) as after:
        for row in after.mappings():
            lines += (json.dumps({str(name): row[name] for name in row}) + "\n").encode()
            number = int(row["seq"])
            if len(lines) >= SYNCED_EACH:
                yield number, bytes(lines)
                lines.clear()
    if lines:
        yield number, bytes(lines)


def _appended(fd: int, end: int, lines: bytes) -> int:
    """Write lines behind the last whole one; return where they end."""
    os.ftruncate(fd, end)
    os.lseek(fd, end, os.SEEK_SET)
    write_all(os, fd, lines)
    after = end + len(lines)
    if after // SYNCED_EACH > end // SYNCED_EACH:
        os.fsync(fd)
    return after


def check(db: Connection, path: Path) -> None:
    """Compare the end of an export with the database. Changes nothing.

    Raises
    ------
    AuditBehind
        When the database does not have an event that was durable before it was exported.
    """
    # before the database is asked, which knows all that is there
    for file, line in list(_ends(path)):
        _is_known(db, line, file)


def _ends(path: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the last line of the open part, and of the last segment where that goes further.

    Who packs leaves the last event of the last segment at the beginning of the open part. An open
    part that begins before that segment is an older one that was put back, or was written whole.
    """
    first = b""
    with suppress(FileNotFoundError):
        fd = open_file(path, os.O_RDONLY)
        try:
            first, (_, line) = _first_line(fd, path), _last_line(fd, path)
        finally:
            os.close(fd)
        if line:
            yield path, line
    for number in segments.numbers(path.parent)[-1:]:
        file = path.with_name(Path(segment(number)).name)
        # what cannot be read `fsck` names: the trail itself is in the database
        with suppress(AuditCorrupt), closing(segments.lines(file)) as lines:
            begins = next(lines)
            if _number_of(begins, file) >= _number_of(first, path):
                yield file, deque((begins, *lines), 1)[0]


def _number_of(line: bytes, path: Path) -> int:
    """Return the number of a line's event; 0 where there is no line, or it holds none."""
    try:
        return int(event_of(line, path, 1)["seq"])
    except AuditCorrupt:
        return 0


def sync(path: Path) -> None:
    """Make the export survive a power cut."""
    fd = open_file(path, os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _mend(db: Connection, fd: int, path: Path) -> None:
    """Cut off everything from the first hole on, and last lines that the database does not know."""
    hole = _first_hole(fd, max(0, os.fstat(fd).st_size - _AT_RISK))
    if hole is not None:
        os.ftruncate(fd, _end_of_line_before(fd, hole))
    end, line = _last_line(fd, path)
    while line and not _is_known(db, line, path):
        os.ftruncate(fd, end - len(line))
        end, line = _last_line(fd, path)


def _first_hole(fd: int, start: int) -> int | None:
    """Return where the first NUL from a place on is, which no line has; None: there is none."""
    room = bytearray(_TAIL)
    while length := os.preadv(fd, [room], start):
        at = room.find(b"\0", 0, length)
        if at >= 0:
            return start + at
        start += length
    return None


def _end_of_line_before(fd: int, place: int) -> int:
    while place > 0:
        start = max(0, place - _TAIL)
        at = os.pread(fd, place - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        place = start
    return 0


def _is_known(db: Connection, line: bytes, path: Path) -> bool:
    """Whether the database has this event; False when the line may be cut off.

    Raises
    ------
    AuditBehind
        When it is an event that was durable in the database that told it.
    """
    try:
        event = event_of(line, path, 0)
    except AuditCorrupt:
        return False
    number, its_hash, whole = event["seq"], event["hash"], event["hash"] == digest(event)
    known = db.execute(HASH_OF, {"number": number}).scalar_one_or_none()
    if whole and known != its_hash and event["event"] not in NOT_DURABLE:
        ends = db.execute(_HEAD).one_or_none() or (0, "")
        raise AuditBehind(path.parent.parent, path.name, number, its_hash, *ends)
    return bool(known == its_hash)


def _first_line(fd: int, path: Path) -> bytes:
    """Return the first whole line; nothing when there is none."""
    length = _TAIL
    while True:
        data = os.pread(fd, length, 0)
        end = data.find(b"\n") + 1
        if end or len(data) < length:
            return data[:end]
        check_length(length, path)
        length *= 4


def _last_line(fd: int, path: Path) -> tuple[int, bytes]:
    """Where the last whole line ends, and the line; nothing when there is none."""
    size = os.fstat(fd).st_size
    length = _TAIL
    while True:
        start = max(0, size - length)
        tail = os.pread(fd, size - start, start)
        whole = tail[: tail.rfind(b"\n") + 1]
        first = whole.rfind(b"\n", 0, len(whole) - 1) + 1
        if whole and (first or start == 0):
            return start + len(whole), whole[first:]
        if start == 0:
            return 0, b""
        check_length(length, path)
        length *= 4  # a line longer than the tail
