"""Read the trail's export as one chain: its closed segments in their order, then `trail.jsonl`.

An event may be in two files: one is moved by writing it to the new place first, and an export that
was moved away is written anew from the first event. What is read again must be the same, by its
number and its hash. Nothing may be missing between two files.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from cropkit.audit import chain, rows, segments
from cropkit.audit.chain import GENESIS, digest
from cropkit.audit.schema import audit
from cropkit.audit.segments import LONGEST_LINE
from cropkit.errors import AuditCorrupt
from cropkit.system.home import segment
from cropkit.system.state_folder import reader

Event = Mapping[str, Any]

AWAY = "give it such a name where events are missing without it, else move it away"
BY_THE_EXPORT = "that one does not fit: `cropkit fsck FOLDER --rebuild` takes the export's"
CURE = "move trail.jsonl and all of trail-*.jsonl.gz away, and the next opening writes it anew"
_MOST_EVENTS = 1 << 62
_HASH = 32  # bytes
_HALF = re.compile("[\ud800-\udfff]")
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "seq": int,
    **dict.fromkeys(("at", "session", "event", "body", "previous", "hash"), str),
    **dict.fromkeys(("path", "operation"), (str, type(None))),
}


class Place(NamedTuple):
    """A line of the open part, and where in the file that begins."""

    at: int
    line: bytes


class Export:
    """An export as it is at one moment; what is appended or moved meanwhile is not looked at.

    Parameters
    ----------
    path : of `trail.jsonl`; the segments are beside it
    file : the same, opened before the segments are looked for: what is moved into one more
        meanwhile is read here

    Attributes
    ----------
    size : of the open part, in bytes
    numbers : of the segments, in order
    at : the file and the line that were read last
    closed : the last line of the open part that a segment holds, too, once `left_open` is past it
    """

    def __init__(self, path: Path, file: BufferedReader) -> None:
        self._path, self._file, self._status = path, file, os.fstat(file.fileno())
        self.size = self._status.st_size
        self.numbers = segments.numbers(path.parent)
        self._closed = [path.with_name(Path(segment(n)).name) for n in self.numbers]
        self.at = (path, 0)
        self.closed = Place(0, b"")

    def events(self, *, twice: bool = True) -> Iterator[Event]:
        """Yield the events, oldest first; a last line that was cut off is left out.

        Parameters
        ----------
        twice : let segments hold what earlier ones hold, too

        Raises
        ------
        AuditCorrupt
            Where a line is no event, does not fit the chain, or events are missing before it.
        """
        chain = _Chain()
        for path in self._closed:
            yield from self._of(chain, path, segments.lines(path), twice=twice)
        yield from self._of(chain, self._path, self._open_lines(), twice=True)

    def left_open(self) -> Iterator[tuple[Event, Place]]:
        """Yield each event that no segment holds, with its line.

        Segments are read as far back as the open part goes: the last one, where nobody has moved
        the open part away.

        Raises
        ------
        AuditCorrupt
            As `events`.
        """
        chain, at = None, 0
        for number, line in enumerate(self._open_lines(), 1):
            event = event_of(line, self._path, number)
            chain = chain or self._closed_from(event["seq"])
            place, at = Place(at, line), at + len(line)
            if chain.goes_on_with(event, self._path, number):
                yield event, place
            else:
                self.closed = place

    def is_of(self, file: BufferedReader) -> bool:
        """Whether the open part is a file that was opened."""
        return os.path.samestat(self._status, os.fstat(file.fileno()))

    def _closed_from(self, seq: int) -> "_Chain":
        """Return what the last segments hold, from one on that begins with an event or before."""
        chosen = list[Path]()
        for path in reversed(self._closed):
            chosen.insert(0, path)
            # left to the collector, a generator would swallow a Ctrl-C that comes at its end
            with closing(segments.lines(path)) as lines:
                first = event_of(next(lines, b""), path, 1)
            if first["seq"] <= seq:
                break
        chain = _Chain(first["seq"] - 1, first["previous"]) if chosen else _Chain()
        for path in chosen:
            for number, line in enumerate(segments.lines(path), 1):
                chain.goes_on_with(event_of(line, path, number), path, number)
        return chain

    def _of(
        self, chain: "_Chain", path: Path, lines: Iterator[bytes], *, twice: bool
    ) -> Iterator[Event]:
        for number, line in enumerate(lines, 1):
            self.at = (path, number)
            event = event_of(line, path, number)
            if chain.goes_on_with(event, path, number):
                yield event
            elif not twice:
                raise AuditCorrupt(path, f"line {number} is in an earlier segment already")

    def _open_lines(self) -> Iterator[bytes]:
        file = self._file
        while file.tell() < self.size and (line := file.readline(LONGEST_LINE + 1)):
            check_length(len(line), self._path)
            if not line.endswith(b"\n"):
                return
            yield line


class _Chain:
    """The hashes of the events that were read so far.

    Parameters
    ----------
    before, its_hash : the event that nothing is read before, and its hash
    """

    def __init__(self, before: int = 0, its_hash: str = GENESIS) -> None:
        self._before, self._hash_before, self._hashes = before, its_hash, bytearray()

    def goes_on_with(self, event: Event, path: Path, line: int) -> bool:
        """Whether an event is the next one; False of one that was read already.

        Raises
        ------
        AuditCorrupt
            It is neither.
        """
        seq, last = event["seq"], self._before + len(self._hashes) // _HASH
        if event["hash"] != digest(event):
            raise AuditCorrupt(path, f"line {line} was changed after it was written")
        if seq > last + 1:
            lack = f"events {last + 1} to {seq - 1} are missing before it"
            raise AuditCorrupt(path, f"line {line} is event {seq}; {lack}")
        if seq <= last:
            if event["hash"] != self._hash(seq):
                raise AuditCorrupt(path, f"line {line} is another event {seq} than the one before")
            return False
        if event["previous"] != self._hash(last):
            raise AuditCorrupt(path, f"line {line} was changed after it was written")
        self._hashes += bytes.fromhex(event["hash"])
        return True

    def _hash(self, number: int) -> str:
        if number <= self._before:
            return self._hash_before if number == self._before else ""
        return self._hashes[(number - self._before - 1) * _HASH :][:_HASH].hex()


@contextmanager
def opened(path: Path) -> Iterator[Export]:
    """Open an export to read; nothing in it is read yet.

    Raises
    ------
    ForeignState, OSError
        It cannot be read.
    """
    with reader(path) as file:
        yield Export(path, file)


def events(path: Path) -> Iterator[Event]:
    """Read an export, oldest event first.

    Raises
    ------
    AuditCorrupt, ForeignState, OSError
        As `Export.events`, and `opened`.
    """
    with opened(path) as export:
        yield from export.events()


def differences(db: Connection, path: Path) -> Iterator[tuple[str, str]]:
    """Tell where an export that is there is not what the database holds; its end may be missing.

    Files beside it are named that it could be taken for, or a part of it. Whoever opens the
    collection to write appends what is missing at the end, and writes an export that is not there
    whole. What somebody appends meanwhile is not looked at.

    Yields
    ------
    The name of the file, and what is wrong in it.
    """
    for name in segments.taken_for(path.parent):
        yield name, f"nothing reads it: parts of the trail are called trail-000001.jsonl.gz; {AWAY}"
    query = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq)
    try:
        with opened(path) as export:  # before the database is asked, which knows all that is there
            known = chain.each(db, query)
            for event in export.events(twice=False):
                if event["hash"] != getattr(next(known, None), "hash", None):
                    file, line = export.at
                    reason = f"line {line} is not event {event['seq']} of the database"
                    yield file.name, f"{reason}; {_cure(db, event['seq'])}"
                    return
    except FileNotFoundError:
        return
    except AuditCorrupt as error:
        file, reason = error.args
        yield Path(file).name, f"{reason}; {CURE}"


def _cure(db: Connection, seq: int) -> str:
    """Return what to do where a line that fits its chain is not the database's event."""
    query = select(audit).where(audit.c.seq == seq)
    row = next(chain.each(db, query), None)
    if row is None or isinstance(row, rows.Unread) or digest(row._asdict()) != row.hash:
        return BY_THE_EXPORT
    return CURE


def event_of(line: bytes, path: Path, number: int) -> Event:
    """Return the event of a line.

    Raises
    ------
    AuditCorrupt
        It is none.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AuditCorrupt(path, f"line {number} is not an event") from error
    if not _is_event(row):
        raise AuditCorrupt(path, f"line {number} is not an event")
    event: Event = row
    return event


def check_length(length: int, path: Path) -> None:
    """Refuse a line that is longer than any of ours.

    Raises
    ------
    AuditCorrupt
    """
    if length > LONGEST_LINE:
        raise AuditCorrupt(path, f"a line of more than {LONGEST_LINE} bytes")


def _is_event(row: object) -> bool:
    """Whether something has just what the row of an event has."""
    if not isinstance(row, dict) or row.keys() != _TYPES.keys():
        return False
    if not all(isinstance(row[name], kind) for name, kind in _TYPES.items()):
        return False
    texts = (value for value in row.values() if isinstance(value, str))
    return type(row["seq"]) is int and 0 < row["seq"] < _MOST_EVENTS and all(map(_is_text, texts))


def _is_text(value: str) -> bool:
    """Whether it is one that a database can hold: no half of a character."""
    return value.isascii() or _HALF.search(value) is None
