"""Heads that somebody keeps elsewhere, as lines of text: number, hash and time of an event."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from cropkit.audit.schema import audit
from cropkit.errors import BadHead
from cropkit.system.files import write_all

LARGEST = 10_000_000  # bytes of a file

_NEWEST = select(audit.c.seq, audit.c.hash, audit.c.at).order_by(audit.c.seq.desc()).limit(1)
_LINE = re.compile(r"([1-9][0-9]{0,17})[ :]([0-9a-f]{64})(?: [0-9A-Za-z:.+-]{1,40})?")


class KeptHead(NamedTuple):
    """An event that a trail held, and so has to hold."""

    seq: int
    hash: str
    at: str = ""


def newest(db: Connection) -> KeptHead | None:
    """Return what a trail ends with; None of an empty one."""
    row = db.execute(_NEWEST).one_or_none()
    return KeptHead(row.seq, row.hash, row.at) if row else None


def line(head: KeptHead) -> str:
    """Write a head as it is kept."""
    return f"{head.seq} {head.hash} {head.at}"


def append(path: Path, head: KeptHead) -> None:
    """Add a head to a file, durably; what the file holds is not touched."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        write_all(os, fd, f"{line(head)}\n".encode())
        os.fsync(fd)
    finally:
        os.close(fd)


def read(text: str) -> tuple[KeptHead, ...]:
    """Return the head that a text tells, SEQ:HASH, or those of the file that it names.

    Raises
    ------
    BadHead
        It is neither; or the file has a line that is none, or none at all.
    """
    if match := _LINE.fullmatch(text):
        return (_head(match),)
    try:
        with Path(text).open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadHead(text, f"neither SEQ:HASH nor a file: {reason}") from error
    if len(data) > LARGEST:
        raise BadHead(text, f"larger than {LARGEST} bytes")
    return _of_lines(text, data.decode(errors="replace").splitlines())


def missed(db: Connection, kept: Sequence[KeptHead]) -> Iterator[str]:
    """Name the heads that a trail does not hold, as sentences."""
    query = select(audit.c.hash)
    for head in kept:
        found = db.execute(query.where(audit.c.seq == head.seq)).scalar_one_or_none()
        if found != head.hash:
            what = "is gone" if found is None else "is another one now"
            yield f"event {head.seq}, whose hash is kept elsewhere, {what}"


def _of_lines(name: str, lines: Sequence[str]) -> tuple[KeptHead, ...]:
    kept = []
    for number, text in enumerate(lines, 1):
        match = _LINE.fullmatch(text.strip())
        if match is None:
            raise BadHead(name, f"line {number} is no head")
        kept.append(_head(match))
    if not kept:
        raise BadHead(name, "it holds no head")
    return tuple(kept)


def _head(match: re.Match[str]) -> KeptHead:
    seq, its_hash, *at = re.split("[ :]", match[0], maxsplit=2)
    return KeptHead(int(seq), its_hash, *at)
