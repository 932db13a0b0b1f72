"""The rows of sessions: who worked, when it was last seen alive, what it did, how it ended."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, text, update
from sqlalchemy.dialects.sqlite import insert as upsert

from cropkit import clock
from cropkit.audit import rows
from cropkit.audit.schema import has_degraded, has_not_ended, is_run, session
from cropkit.audit.tally import SessionRow, Tally

LATEST = 100  # sessions that are told of in any case
_ONE = select(session).where(session.c.id == bindparam("wanted"))
_BY_NUMBER = text("SELECT * FROM session WHERE rowid = :wanted")
_MOVED = "moved_at"  # beside the counts of a run that lasts


def begin(db: Connection, row: Mapping[str, Any]) -> bool:
    """Write a session's row; False when another of its threads was first."""
    return bool(db.execute(upsert(session).values(row).on_conflict_do_nothing()).rowcount)


def begin_run(db: Connection, wanted: str, kind: str, at: str) -> None:
    """From here on the session is expected to beat."""
    _change(db, wanted, {"kind": kind, "beat_at": at, "ended_at": None, "ended_how": None})


def beat(db: Connection, wanted: str, at: str, tally: Tally, moved_at: str) -> None:
    """Write that the session is alive, what it has done so far, and when it last moved."""
    counts = json.dumps(tally.to_json() | {_MOVED: moved_at}, sort_keys=True)
    _change(db, wanted, {"beat_at": at, "counts": counts})


def end(db: Connection, wanted: str, at: str, how: str, tally: Tally) -> None:
    """Write how a run or a session ended, and what it did."""
    _change(db, wanted, {"ended_at": at, "ended_how": how, "counts": written(tally)})


def exists(db: Connection, wanted: str) -> bool:
    """Whether the session has a row: one that only looked has none."""
    return db.execute(select(session.c.id).where(session.c.id == wanted)).first() is not None


def all_of(db: Connection) -> list[SessionRow]:
    """Return every session, oldest first; also of a database in an older format."""
    found = db.execute(text("SELECT * FROM session ORDER BY started_at")).mappings()
    return [_row(row) for row in found]


def one(db: Connection, wanted: str) -> SessionRow | None:
    """Return a session; None: there is none."""
    row = db.execute(_ONE, {"wanted": wanted}).mappings().one_or_none()
    return _row(row) if row else None


def unreadable(db: Connection) -> list[str]:
    """Say of each session of which no record can be made why; also in an older format."""

    def one_of(number: int) -> SessionRow:
        return _read(db.execute(_BY_NUMBER, {"wanted": number}).mappings().one())

    numbers = db.execute(text("SELECT rowid FROM session")).scalars().all()
    unread = (each for each in rows.one_by_one(numbers, one_of) if isinstance(each, rows.Unread))
    return [f"session {each.number} cannot be read: {each.reason}" for each in unread]


def watched(db: Connection) -> list[SessionRow]:
    """Return the sessions that somebody may have to be told of, oldest first.

    They are the latest ones, the latest run, and however old those that have not ended or had
    something degraded.
    """
    newest = select(session.c.id).order_by(session.c.started_at.desc())
    asked = (
        newest.limit(LATEST),
        newest.where(is_run).limit(1),
        newest.where(has_not_ended),
        newest.where(has_degraded),
    )
    ids = sorted({each for query in asked for each in db.execute(query).scalars()})
    found = [db.execute(_ONE, {"wanted": each}).mappings().one() for each in ids]
    known = [_row(row) for row in found]
    return sorted(known, key=lambda each: each.started_at)


def written(tally: Tally) -> str:
    """Return the counts as the column holds them."""
    return json.dumps(tally.to_json(), sort_keys=True)


def _change(db: Connection, wanted: str, values: Mapping[str, Any]) -> None:
    db.execute(update(session).where(session.c.id == wanted).values(values))


def _row(row: RowMapping) -> SessionRow:
    with rows.read(f"session {row.get('id')!r}"):
        return _read(row)


def _read(row: RowMapping) -> SessionRow:
    return SessionRow(
        id=row["id"],
        kind=row["kind"],
        host=row["host"],
        reviewer=row["reviewer"],
        version=row["version"],
        started_at=clock.read(row["started_at"]),
        beat_at=_moment(row.get("beat_at")),
        ended_at=_moment(row["ended_at"]),
        ended_how=row["ended_how"],
        tally=Tally.from_text(row.get("counts")),
        moved_at=_moment(json.loads(row.get("counts") or "{}").get(_MOVED)),
    )


def _moment(written_at: str | None) -> datetime | None:
    return clock.read(written_at) if written_at else None
