"""The audit trail: events that name the hash of the one before, so that an edit shows.

The chain proves that nothing in the middle was changed or removed, as long as its head is the one
that it was: `seals` vouch for that, and `heads` tell whether the end was cut off.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select

from cropkit.audit import rows
from cropkit.audit.dialects import STREAMED
from cropkit.audit.schema import audit
from cropkit.errors import AuditCorrupt
from cropkit.names import escaped, read_json, write_json

GENESIS = "0" * 64
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_LAST = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_FIELDS = ("seq", "at", "session", "event", "path", "operation", "body", "previous")


def append(
    db: Connection,
    at: str,
    session: str,
    event: str,
    *,
    path: str | None = None,
    operation: str | None = None,
    body: Mapping[str, Any] | None = None,
) -> str:
    """Add an event in the caller's transaction and return its hash.

    Names are written by their escape, so that row, export and hash are of the same text.
    """
    last = db.execute(_LAST).one_or_none()
    row: dict[str, Any] = {
        "seq": last.seq + 1 if last else 1,
        "at": at,
        "session": session,
        "event": event,
        "path": None if path is None else escaped(path),
        "operation": operation,
        "body": write_json(body or {}, _canonical),
        "previous": last.hash if last else GENESIS,
    }
    row["hash"] = digest(row)
    db.execute(insert(audit), row)
    return str(row["hash"])


def digest(row: Mapping[str, Any]) -> str:
    """Hash of one event: SHA-256 over the canonical JSON of all its other fields."""
    text = _canonical({name: row[name] for name in _FIELDS})
    return hashlib.sha256(text.encode()).hexdigest()


def body_of(event: Mapping[str, Any]) -> Any:  # noqa: ANN401  (whatever JSON holds)
    """Return what an event says, with true names.

    Raises
    ------
    AuditCorrupt
        Nobody of ours wrote it.
    """
    with rows.read(f"event {event['seq']!r}"):
        return read_json(event["body"])


def each(db: Connection, query: Select[Any]) -> Iterator[Row[Any] | rows.Unread]:
    """Yield the rows of a query that has `seq` and is in its order; one that is none says so."""
    last: int | None = None  # an enemy may have given an event any number
    while True:
        left = query if last is None else query.where(audit.c.seq > last)
        try:
            with rows.read("an event"), db.execute(left, execution_options=STREAMED) as found:
                for row in found:
                    last = row.seq
                    yield row
                return
        except AuditCorrupt:
            left = query if last is None else query.where(audit.c.seq > last)
            last = db.execute(left.with_only_columns(audit.c.seq).limit(1)).scalar_one()
            of_it = query.where(audit.c.seq == last)
            yield from rows.one_by_one((last,), lambda _: db.execute(of_it).one())  # noqa: B023  (called at once)


def length(db: Connection) -> int:
    """Return the number of the last event."""
    last = db.execute(_LAST).one_or_none()
    return int(last.seq) if last else 0


def head(db: Connection) -> str:
    """Hash of the last event."""
    last = db.execute(select(audit.c.hash).order_by(audit.c.seq.desc()).limit(1))
    return last.scalar_one_or_none() or GENESIS
