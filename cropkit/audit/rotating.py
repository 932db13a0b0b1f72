"""Move what is old in the trail's export into closed segments, while others may be at work.

A segment is written under a name that nobody reads, synced, and read back; then it gets its own
name, which is synced. Only when all of them stand is `trail.jsonl` begun anew, with the last event
that was moved and what came after it: a copy beside it, synced and read back, takes its name while
nobody writes. So segments and `trail.jsonl` hold everything at every moment; what is in both is one
event, by its number and its hash. The one that stays is what an opening, and an older version,
goes on from.

What a power cut may take from the database is not moved: an opening could not cut it off again.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from cropkit.audit import segments
from cropkit.audit.export_reader import Export, Place, opened
from cropkit.errors import AuditCorrupt, AuditLocked, NoSpace
from cropkit.system import disk_space
from cropkit.system.files import Root
from cropkit.system.home import (
    COMPACT_LOCK,
    EXPORT,
    EXPORT_SHORTENED,
    HOME,
    segment,
    segment_being_made,
)
from cropkit.system.locks import LockHeld, exclusive
from cropkit.system.state_folder import open_file, reader

LEAST = 1 << 16  # bytes that are worth a segment
LONG = 1 << 22  # bytes from which on whoever closes a collection moves them: packed, they fit into
# the reserve that is kept for a full disk (`system.disk_space`)
_PACKED = 5  # a segment takes less than this part of its lines, and
_BESIDES = 1 << 16  # bytes for what is not moved
_PIECE = 1 << 20  # bytes that are copied at a time

# Keeps whoever writes to the export away inside the block.
Still = Callable[[], AbstractContextManager[object]]
Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Moved:
    """What is to be moved, or was.

    Parameters
    ----------
    names : of the segments that were made
    packed : bytes that they take
    """

    events: int = 0
    lines: int = 0
    packed: int = 0
    names: tuple[str, ...] = ()


class _Piece(NamedTuple):
    """Lines for one segment, and the last of them."""

    lines: bytes
    events: int
    last: Place


def open_bytes(root: Root) -> int:
    """Return the bytes of the open part; 0 where it is not there."""
    return disk_space.taken(root.path / EXPORT)


def check_room(root: Root, *, least: int = LEAST) -> None:
    """Refuse to begin what would use up the room that it is to make.

    Raises
    ------
    NoSpace
        The segments would not fit.
    """
    size, free = open_bytes(root), root.free_bytes()
    wanted = size // _PACKED + _BESIDES
    if size >= least and free < wanted:
        raise NoSpace(EXPORT, wanted, free)


def foreseen(path: Path, *, least: int = LEAST) -> Moved:
    """Return what would be moved; nothing is written.

    Raises
    ------
    AuditCorrupt, OSError
        The export cannot be read.
    """
    moved = Moved()
    with suppress(FileNotFoundError), opened(path) as export:
        for piece in _pieces(export, None, least):
            moved = _with(moved, piece, len(segments.packed(piece.lines)))
    return moved


def rotate(
    root: Root,
    last: int,
    still: Still,
    *,
    least: int = LEAST,
    deadline: float,
    progress: Progress | None = None,
) -> Moved:
    """Move the events up to one into segments.

    Parameters
    ----------
    last : number of an event that no power cut takes from the database
    least : bytes that are worth it
    deadline : seconds to wait for somebody else who moves them

    Raises
    ------
    AuditCorrupt
        The export does not hold together: nothing was moved.
    AuditLocked
        As above.
    CropkitError, OSError
        Nothing is lost, and what was written so far is of no harm.
    """
    moved = Moved()
    try:
        with exclusive(root.path / COMPACT_LOCK, deadline):
            _remove_partial(root)
            # one that was moved away is written anew by whoever writes next
            with suppress(FileNotFoundError), opened(root.path / EXPORT) as export:
                moved = _closed(root, export, _pieces(export, last, least), progress)
                if moved.names or export.closed.at > least:  # or who made them was cut off
                    _shorten(root, export, still)
    except LockHeld:
        raise AuditLocked(root.path, deadline) from None
    return moved


def _closed(
    root: Root, export: Export, pieces: Iterable[_Piece], progress: Progress | None
) -> Moved:
    """Make a segment of each piece."""
    moved = Moved()
    for number, piece in enumerate(pieces, max(export.numbers, default=0) + 1):
        size = _close(root, number, piece.lines)
        moved = _with(moved, piece, size, Path(segment(number)).name)
        export.closed = piece.last
        if progress is not None:
            progress(piece.last.at + len(piece.last.line), export.size)
    return moved


def sweep(root: Root) -> None:
    """Remove what was left by somebody who was cut off."""
    if any(_partial(root)):
        with suppress(LockHeld), exclusive(root.path / COMPACT_LOCK, 0):
            _remove_partial(root)


def _partial(root: Root) -> Iterator[Path]:
    return (root.path / HOME).glob("trail*.new")


def _remove_partial(root: Root) -> None:
    for path in _partial(root):
        root.unlink(f"{HOME}/{path.name}", missing_ok=True)


def _with(moved: Moved, piece: _Piece, packed: int, *names: str) -> Moved:
    return Moved(
        moved.events + piece.events,
        moved.lines + len(piece.lines),
        moved.packed + packed,
        moved.names + names,
    )


def _pieces(export: Export, last: int | None, least: int) -> Iterator[_Piece]:
    """Yield what no segment holds yet, up to an event, in pieces of a segment's size."""
    lines, events, last_of_it = bytearray(), 0, Place(0, b"")
    for event, place in export.left_open():
        if not last_of_it.line and export.size - place.at < least:
            return
        if last is not None and event["seq"] > last:
            break
        if len(lines) + len(place.line) > segments.LARGEST:
            yield _Piece(bytes(lines), events, last_of_it)
            lines, events = bytearray(), 0
        lines += place.line
        events, last_of_it = events + 1, place
    if lines:
        yield _Piece(bytes(lines), events, last_of_it)


def _close(root: Root, number: int, lines: bytes) -> int:
    """Make a segment that is durable and proven; return its bytes."""
    if number > segments.MOST:
        raise AuditCorrupt(root.path / segment(segments.MOST), "no number is left behind it")
    partial = root.path / segment_being_made(number)
    try:
        segments.write_new(partial, lines)
        _prove(partial, lines)
        size = partial.stat().st_size
    except BaseException:
        root.unlink(segment_being_made(number), missing_ok=True)
        raise
    root.replace(segment_being_made(number), segment(number))
    root.sync_folder(HOME)
    return size


def _prove(path: Path, lines: bytes) -> None:
    if b"".join(segments.lines(path)) != lines:
        raise AuditCorrupt(path, "what was read back is not what was written")


def _shorten(root: Root, export: Export, still: Still) -> None:
    """Begin the open part anew with the last event that was moved, unless it is not the same now.

    The rename is durable before anybody may append.
    """
    with still(), suppress(FileNotFoundError), reader(root.path / EXPORT) as file:
        if not export.is_of(file) or not _is_at(file, export.closed):
            return
        _copy(file, export.closed.at, root.path / EXPORT_SHORTENED)
        root.replace(EXPORT_SHORTENED, EXPORT)
        root.sync_folder(HOME)


def _is_at(file: BufferedReader, place: Place) -> bool:
    file.seek(place.at)
    return file.read(len(place.line)) == place.line


def _copy(file: BufferedReader, start: int, to: Path) -> None:
    """Copy the end of a file, durably and proven."""
    file.seek(start)
    with os.fdopen(open_file(to, os.O_RDWR | os.O_CREAT | os.O_EXCL), "r+b") as copy:
        wanted = hashlib.sha256()
        while data := file.read(_PIECE):
            copy.write(data)
            wanted.update(data)
        copy.flush()
        os.fsync(copy.fileno())
        copy.seek(0)
        if hashlib.file_digest(copy, "sha256").digest() != wanted.digest():
            raise AuditCorrupt(to, "what was read back is not what was written")
