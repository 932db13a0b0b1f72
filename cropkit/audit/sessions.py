"""The rows of sessions: who worked, when it was last seen alive, what it did, how it ended."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    literal_column,
    select,
    update,
)

from cropkit import clock
from cropkit.audit import rows
from cropkit.audit.dialects import upsert
from cropkit.audit.schema import has_degraded, has_not_ended, is_run, session, text_or_none
from cropkit.audit.tally import SessionRow, Tally

LATEST = 100  # sessions that are told of in any case
_ONE = select(session).where(session.c.id == bindparam("wanted"))
_NUMBER: ColumnElement[int] = literal_column("session.rowid", Integer)
_BY_NUMBER = select(session).where(bindparam("wanted") == _NUMBER)
_CELLS = ("id", "kind")
_MOVED = "moved_at"  # beside the counts of a run that lasts


def begin(db: Connection, row: Mapping[str, Any]) -> bool:
    """Write a session's row; False when another of its threads was first."""
    statement = upsert(db, session).values(row).on_conflict_do_nothing()
    # else a server's driver is not asked for it, and it is -1, which is no number of rows
    return db.execute(statement, execution_options={"preserve_rowcount": True}).rowcount > 0


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
    """Return every session that can be read, oldest first; `unreadable` names the others."""
    return _looked_through(db, select(session).order_by(session.c.started_at))[0]


def unreadable(db: Connection) -> list[str]:
    """Say of each session of which no record can be made why."""
    return _looked_through(db, select(session))[1]


def one(db: Connection, wanted: str) -> SessionRow | None:
    """Return a session; None: there is none.

    Raises
    ------
    AuditCorrupt
        It cannot be read.
    """
    with rows.read(f"session {wanted}"):
        row = db.execute(_ONE, {"wanted": wanted}).one_or_none()
        return _read(row._asdict()) if row else None


def watched(db: Connection) -> tuple[list[SessionRow], list[str]]:
    """Return the sessions that somebody may have to be told of, oldest first.

    They are the latest ones, the latest run, and however old those that have not ended or had
    something degraded. Of each that cannot be read it is said why.
    """
    newest = select(_NUMBER).select_from(session).order_by(session.c.started_at.desc())
    asked = (
        newest.limit(LATEST),
        newest.where(is_run).limit(1),
        newest.where(has_not_ended),
        newest.where(has_degraded),
    )
    numbers = {each for query in asked for each in db.execute(query).scalars()}
    known, unread = rows.parted(rows.one_by_one(sorted(numbers), partial(_numbered, db)))
    sentences = [_sentence(db, each) for each in unread]
    return sorted(known, key=lambda each: each.started_at), sentences


def _numbered(db: Connection, number: int) -> SessionRow:
    return _read(db.execute(_BY_NUMBER, {"wanted": number}).one()._asdict())


def written(tally: Tally) -> str:
    """Return the counts as the column holds them."""
    return json.dumps(tally.to_json(), sort_keys=True)


def _change(db: Connection, wanted: str, values: Mapping[str, Any]) -> None:
    db.execute(update(session).where(session.c.id == wanted).values(values))


def _looked_through(db: Connection, query: Select[Any]) -> tuple[list[SessionRow], list[str]]:
    known, unread = rows.each(db, query, _NUMBER, lambda row: _read(row._asdict()))
    return known, [_sentence(db, each) for each in unread]


def _sentence(db: Connection, unread: rows.Unread) -> str:
    its_id, kind = rows.texts(db, session.name, _CELLS, unread.number)
    what = f"session {its_id or 'without an id'} ({kind or 'of no kind'})"
    return f"{what} cannot be read: {unread.reason}"


def _read(row: Mapping[str, Any]) -> SessionRow:
    return SessionRow(
        id=_text(row["id"]),
        kind=_text(row["kind"]),
        host=_text(row["host"]),
        reviewer=_text(row["reviewer"]),
        version=_text(row["version"]),
        started_at=clock.read(row["started_at"]),
        beat_at=_moment(row.get("beat_at")),
        ended_at=_moment(row["ended_at"]),
        ended_how=text_or_none(row["ended_how"]),
        tally=Tally.from_text(row.get("counts")),
        moved_at=_moment(json.loads(row.get("counts") or "{}").get(_MOVED)),
    )


def _text(cell: object) -> str:
    return text_or_none(cell) or ""


def _moment(written_at: str | None) -> datetime | None:
    return clock.read(written_at) if written_at else None
