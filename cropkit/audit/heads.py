"""The trail of each collection as this person last saw it, kept in their own state.

A seal shows that a trail was theirs. It does not show that it is the latest: a copy of an earlier
`.cropkit` has a seal, too. What was seen last, kept elsewhere, tells the two apart. It is written
when a collection is opened and closed, not with each commit: homes may be network disks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from cropkit import clock
from cropkit.audit import seals
from cropkit.audit.export import NOT_DURABLE
from cropkit.audit.keys import NOBODY
from cropkit.audit.schema import audit
from cropkit.audit.seals import Head
from cropkit.errors import PersonalStateUnusable
from cropkit.system import personal_state

MOST = 1000  # collections that are remembered

_DOCUMENT = "heads"


@dataclass(frozen=True, slots=True)
class Seen:
    """A head, when this person saw it, and the keys that had sealed the trail by then."""

    head: Head
    at: str
    keys: frozenset[str] = frozenset()

    def lacks(self, db: Connection) -> bool:
        """Whether a trail does not hold what was seen."""
        query = select(audit.c.hash).where(audit.c.seq == self.head.seq)
        return db.execute(query).scalar_one_or_none() != self.head.hash


def looked_at(db: Connection) -> Seen | None:
    """Return what a sealed trail holds now that no power cut can take; None: nothing."""
    known = seals.all_of(db)
    query = select(audit.c.seq, audit.c.hash).where(audit.c.event.not_in(NOT_DURABLE))
    row = db.execute(query.order_by(audit.c.seq.desc()).limit(1)).one_or_none()
    if row is None or not known:
        return None
    keys = frozenset(each.key for each in known if each.key != NOBODY)
    return Seen(Head(row.seq, row.hash), clock.written(clock.now()), keys)


def seen(folder: Path) -> Seen | None:
    """Return what this person saw of a collection's trail last; None: they never did.

    Raises
    ------
    PersonalStateUnusable
        It cannot be believed.
    """
    entry = personal_state.read(_DOCUMENT).get(_name(folder))
    return None if entry is None else _read(folder, entry)


def remember(folder: Path, now: Seen, *, instead: bool = False) -> None:
    """Keep what was seen of a collection's trail, unless later things are kept.

    Parameters
    ----------
    instead : whatever is kept

    Raises
    ------
    PersonalStateUnusable
        It is not kept.
    """
    known = None if instead else seen(folder)
    if known and known.head.seq >= now.head.seq and known.keys >= now.keys:
        return
    if personal_state.folder() is None:
        return
    entry = {**now.head._asdict(), "at": now.at, "keys": sorted(now.keys)}
    with personal_state.changing(_DOCUMENT) as document:
        document[_name(folder)] = entry
        for name in _too_many(document):
            del document[name]


def forget(folder: Path) -> None:
    """Know nothing of a collection's trail any more.

    Raises
    ------
    PersonalStateUnusable
        It is still known.
    """
    if seen(folder) is not None:
        with personal_state.changing(_DOCUMENT) as document:
            document.pop(_name(folder), None)


def _name(folder: Path) -> str:
    return str(folder.resolve())


def _read(folder: Path, entry: object) -> Seen:
    if isinstance(entry, dict):
        seq, its_hash, at = (entry.get(name) for name in ("seq", "hash", "at"))
        if isinstance(seq, int) and isinstance(its_hash, str) and isinstance(at, str):
            keys = entry.get("keys")
            return Seen(Head(seq, its_hash), at, frozenset(map(str, keys or ())))
    raise PersonalStateUnusable(f"{_DOCUMENT}.json", f"what it says of {folder} is no head")


def _too_many(document: Mapping[str, Any]) -> list[str]:
    """Choose whom to forget: folders that are gone, then those not seen for longest."""
    more = len(document) - MOST
    if more <= 0:
        return []
    return sorted(document, key=lambda name: (Path(name).is_dir(), _at(document[name])))[:more]


def _at(entry: object) -> str:
    return str(entry.get("at")) if isinstance(entry, dict) else ""
