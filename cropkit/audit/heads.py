"""The trail of each collection as this person last saw it, kept in their own state.

A seal shows that a trail was theirs. It does not show that it is the latest: a copy of an earlier
`.cropkit` has a seal, too. What was seen last, kept elsewhere, tells the two apart. It is written
when a collection is opened and closed, not with each commit: homes may be network disks.

A folder may hold one collection today and another tomorrow, as a memory card's does. What was seen
is kept of each of them, told apart by the first event of its trail.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from cropkit import clock
from cropkit.audit import seals
from cropkit.audit.export import HASH_OF, NOT_DURABLE
from cropkit.audit.keys import NOBODY
from cropkit.audit.schema import audit
from cropkit.audit.seals import Head
from cropkit.errors import PersonalStateUnusable
from cropkit.system import personal_state

MOST = 1000  # folders that are remembered
MOST_BYTES = 800_000  # of them all: a document has a bound, too
_MOST_KEYS = 200  # of one trail; whoever has a key beyond is looked at anew each time
_MOST_OTHERS = 20  # collections that were in the same folder before

_DOCUMENT = "heads"
_FIRST = select(audit.c.hash).order_by(audit.c.seq).limit(1)
_LAST_DURABLE = (
    select(audit.c.seq, audit.c.hash)
    .where(audit.c.event.not_in(NOT_DURABLE))
    .order_by(audit.c.seq.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A head, when this person saw it, and the keys that had sealed the trail by then.

    Parameters
    ----------
    first : hash of the trail's first event; '' where it is not known
    """

    head: Head
    at: str
    keys: frozenset[str] = frozenset()
    first: str = ""

    def lacks(self, db: Connection) -> bool:
        """Whether a trail does not hold what was seen."""
        return lacks(db, self.head)


def lacks(db: Connection, head: Head) -> bool:
    """Whether a trail does not hold an event, or another one in its place."""
    return db.execute(HASH_OF, {"number": head.seq}).scalar_one_or_none() != head.hash


def last_durable(db: Connection) -> Head | None:
    """Return the last event that no power cut can take; None: there is none."""
    row = db.execute(_LAST_DURABLE).one_or_none()
    return Head(row.seq, row.hash) if row else None


def looked_at(db: Connection) -> Seen | None:
    """Return what a sealed trail holds now that no power cut can take; None: nothing."""
    known, last = seals.all_of(db), last_durable(db)
    if last is None or not known:
        return None
    keys = frozenset(each.key for each in known if each.key != NOBODY)
    return Seen(last, clock.written(clock.now()), keys, first(db))


def first(db: Connection) -> str:
    """Return the hash of a trail's first event; '' of an empty one."""
    return db.execute(_FIRST).scalar_one_or_none() or ""


def seen(folder: Path, its_first: str = "") -> Seen | None:
    """Return what this person saw last of a folder's trail; None: they never did.

    Parameters
    ----------
    its_first : hash of the first event of the trail that is meant; '': of the one seen last

    Raises
    ------
    PersonalStateUnusable
        It cannot be believed.
    """
    return of_trail(all_seen(folder), its_first)


def all_seen(folder: Path) -> list[Seen]:
    """Return what this person saw of each trail that was in a folder, the one seen last first.

    Raises
    ------
    PersonalStateUnusable
        It cannot be believed.
    """
    return _kept(folder, personal_state.read(_DOCUMENT))


def of_trail(known: Sequence[Seen], its_first: str) -> Seen | None:
    """Choose by the hash of a trail's first event; '': the one seen last."""
    return next((each for each in known if not its_first or _is_of(its_first, each)), None)


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
    known = seen(folder)
    if known and not instead and known.first == now.first and _with(now, known) == known:
        return
    if personal_state.folder() is None:
        return
    with personal_state.changing(_DOCUMENT) as document:
        kept = _kept(folder, document)
        same = None if instead else next((e for e in kept if _is_of(now.first, e)), None)
        others = [each for each in kept if not _is_of(now.first, each)][:_MOST_OTHERS]
        entry = _entry(_with(now, same) if same else now)
        document[name_of(folder)] = entry | {"others": [_entry(each) for each in others]}
        for name in too_many(document):
            del document[name]


def forget(folder: Path) -> None:
    """Know nothing any more of the trails that were in a folder.

    Raises
    ------
    PersonalStateUnusable
        It is still known.
    """
    if seen(folder) is not None:
        with personal_state.changing(_DOCUMENT) as document:
            document.pop(name_of(folder), None)


def name_of(folder: Path) -> str:
    """Return the name under which something is kept of a folder."""
    return str(folder.resolve())


def _is_of(its_first: str, known: Seen) -> bool:
    return known.first in ("", its_first)


def _with(now: Seen, known: Seen) -> Seen:
    """Join what two processes saw of one trail: the later head, and all keys."""
    if known.head.seq >= now.head.seq:
        return replace(known, keys=known.keys | now.keys)
    return replace(now, keys=known.keys | now.keys)


def _entry(known: Seen) -> dict[str, Any]:
    keys = sorted(known.keys)[:_MOST_KEYS]
    return {**known.head._asdict(), "at": known.at, "keys": keys, "first": known.first}


def _kept(folder: Path, document: Mapping[str, Any]) -> list[Seen]:
    """Return what is known of a folder's trails, the one seen last first."""
    entry = document.get(name_of(folder))
    if entry is None:
        return []
    others = entry.get("others", []) if isinstance(entry, dict) else []
    entries = [entry, *(others if isinstance(others, list) else [None])]
    return [_read(folder, each) for each in entries]


def _read(folder: Path, entry: object) -> Seen:
    if isinstance(entry, dict):
        seq, its_hash, at = (entry.get(name) for name in ("seq", "hash", "at"))
        if isinstance(seq, int) and isinstance(its_hash, str) and isinstance(at, str):
            keys = entry.get("keys")
            its_first = str(entry.get("first", ""))
            return Seen(Head(seq, its_hash), at, frozenset(map(str, keys or ())), its_first)
    raise PersonalStateUnusable(f"{_DOCUMENT}.json", f"what it says of {folder} is no head")


def too_many(document: Mapping[str, Any]) -> list[str]:
    """Choose whom to forget: folders that are gone, then those not seen for longest."""
    if len(document) <= MOST and len(json.dumps(document)) <= MOST_BYTES:
        return []
    sizes = {name: len(json.dumps({name: document[name]})) for name in document}
    oldest = sorted(document, key=lambda name: (_is_there(name), _at(document[name])))
    return oldest[: _surplus([sizes[name] for name in oldest])]


def _is_there(name: str) -> bool:
    return os.path.isdir(name)  # noqa: PTH112  (a Path raises where one may not look)


def _surplus(sizes: Sequence[int]) -> int:
    """Return how many have to go, of the first ones, for the rest to be few and small enough."""
    number, total = max(0, len(sizes) - MOST), sum(sizes)
    total -= sum(sizes[:number])
    while total > MOST_BYTES:
        total -= sizes[number]
        number += 1
    return number


def _at(entry: object) -> str:
    return str(entry.get("at")) if isinstance(entry, dict) else ""
