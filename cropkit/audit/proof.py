"""Whether database and chain are sound, in a look that takes no longer than what is new.

Everything that has come since the last look is checked, and of the rest what has its turn: so many
older events each time, and a part of the database when it was not checked for a day. The person's
own state keeps where that was; without it, all is checked each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from cropkit import clock
from cropkit.audit import chain, checked, heads, links
from cropkit.audit.checked import Mark
from cropkit.audit.links import BrokenLink
from cropkit.audit.schema import metadata
from cropkit.audit.store_reader import StoreReader
from cropkit.errors import PersonalStateUnusable
from cropkit.system import personal_state

OLDER = 2000  # events that are read again in one look
EVERY = timedelta(hours=20)  # a look each day finds a part that is due
_LARGE = ("audit", "decision", "operation", "queue")  # each a part of its own
_REST = "rest"
PARTS: Mapping[str, tuple[str, ...]] = {
    **{table: (table,) for table in _LARGE},
    _REST: tuple(sorted(metadata.tables.keys() - set(_LARGE))),
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What was checked of a database and its chain, and what does not hold.

    Parameters
    ----------
    damage : what SQLite finds wrong with its file; nothing else was looked at then
    parts : of the database, that were checked now
    events, events_now : up to which event all is checked, and how many of them now
    lack : why the next look cannot begin here, as a sentence
    """

    damage: Sequence[str] = ()
    parts: Sequence[str] = ()
    broken: Sequence[BrokenLink] = ()
    events: int = 0
    events_now: int = 0
    lack: str = ""
    mark: Mark | None = None


def look(store: StoreReader, folder: Path, now: datetime, *, whole: bool) -> Proof:
    """Check what is new of a trail and what has its turn; keep in the own state where that was.

    Parameters
    ----------
    whole : check all, whatever was checked before
    """
    try:
        begun = _begun(store, folder)
        proof = _checked(store, begun, now, whole=whole)
        if proof.mark is not None:
            checked.keep(folder, proof.mark)
    except PersonalStateUnusable as error:
        proof = _checked(store, None, now, whole=whole)
        return replace(proof, lack=f"how far it was checked is not kept: {error}")
    return proof


def _begun(store: StoreReader, folder: Path) -> Mark | None:
    """Return where the last look ended."""
    if personal_state.folder() is None:
        raise PersonalStateUnusable("~/.local/state/cropkit", "this user has no home")
    with store.reading() as db:
        return checked.known(folder, heads.first(db))


def _checked(store: StoreReader, begun: Mark | None, now: datetime, *, whole: bool) -> Proof:
    parts = tuple(PARTS) if whole or begun is None else _due(begun.tables, now)
    damage = store.integrity() if whole else _damage(store, parts)
    if damage:
        return Proof(damage, parts)
    with store.reading() as db:
        begins_here = None if whole or begun is None or begun.lacks(db) else begun
        proof, turn = _linked(db, begins_here)
        mark = _next(db, begun, proof.broken, clock.written(now))
    if mark is not None and not proof.broken:
        mark = replace(mark, turn=turn)
    return replace(proof, parts=parts, mark=mark and _with_parts(mark, begun, parts, now))


# -- the database ----------------------------------------------------------------------------------


def _due(known: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    """Choose the parts that were never checked, and of the others the one that waits longest."""
    never = tuple(part for part in PARTS if part not in known)
    late = [part for part in PARTS if part in known and _is_late(known[part], now)]
    return (*never, *sorted(late, key=lambda part: known[part])[:1])


def _is_late(written: str, now: datetime) -> bool:
    try:
        ago = now - clock.read(written)
    except ValueError:
        return True
    return not timedelta(0) <= ago < EVERY


def _damage(store: StoreReader, parts: Sequence[str]) -> list[str]:
    tables = [table for part in parts for table in PARTS[part]]
    return [complaint for table in tables for complaint in store.complaints(table)]


def _with_parts(mark: Mark, begun: Mark | None, parts: Sequence[str], now: datetime) -> Mark:
    known = begun.tables if begun else {}
    return replace(mark, tables={**known, **dict.fromkeys(parts, clock.written(now))})


# -- the chain -------------------------------------------------------------------------------------


def _linked(db: Connection, begun: Mark | None) -> tuple[Proof, int]:
    """Check the chain from where the last look ended; return how far the second reading came."""
    last = chain.length(db)
    if begun is None:
        return Proof(
            broken=tuple(links.broken_between(db, 1, last)), events=last, events_now=last
        ), 0
    first, end = max(1, begun.turn), min(begun.turn + OLDER, begun.head.seq)
    broken = (
        *links.broken_between(db, first, end),
        *links.broken_between(db, begun.head.seq, last),
    )
    now = last - begun.head.seq + end - begun.turn
    return Proof(broken=broken, events=last, events_now=now), 0 if end == begun.head.seq else end


def _next(db: Connection, begun: Mark | None, broken: Sequence[BrokenLink], at: str) -> Mark | None:
    """Return where the next look begins; what is broken has its turn again until it is mended."""
    if begun is not None and begun.lacks(db):
        return None
    if broken:
        old = min(link.seq for link in broken) - 1
        return begun and (replace(begun, turn=old) if old < begun.head.seq else begun)
    head = heads.last_durable(db)
    return Mark(heads.first(db), head, at) if head else None
