"""Seals: rows in which a key vouches for the trail up to an event.

The chain alone is no proof against whoever may write to `.cropkit`: all of its hashes can be
computed anew. A seal cannot, without the key, which lies in a person's own state. Each transaction
that appends an event seals the head. One row stands for a stretch of events by one key: it is
replaced as long as the same key goes on, so that those who share a collection have a row in turn.
What a key vouches for is all that is before, too: the head's hash names all of it.
"""

import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, Row, bindparam, delete, insert, select, update

from cropkit.audit import rows
from cropkit.audit.connecting import version_of
from cropkit.audit.dialects import ask
from cropkit.audit.keys import NOBODY, Key, is_id
from cropkit.audit.schema import audit, seal
from cropkit.errors import TrailForged

_FIRST = 5  # format of the database, from which on there are seals
_SHA256 = re.compile(r"[0-9a-f]{64}")
# As text: they are asked in every transaction.
_NEWEST = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"
_STRANGERS = """SELECT DISTINCT key FROM seal WHERE number > coalesce(
    (SELECT number FROM seal WHERE key = ? ORDER BY number DESC LIMIT 1), -1)"""
_LAST = "SELECT number FROM seal ORDER BY number DESC LIMIT 1"
_BY_NUMBER = "SELECT number, key, seq, hash, mac FROM seal WHERE number = ?"
_SEALS = select(seal).order_by(seal.c.number)
_SEALED = select(audit.c.seq, audit.c.hash).join(seal, seal.c.seq == audit.c.seq)
_GO_ON = update(seal).where(seal.c.number == bindparam("latest"))
_ONE_MORE = insert(seal)
_EVIDENCE = 100  # seals that an event keeps, when they are given up
_CELL = 100  # characters of each cell of theirs


class Head(NamedTuple):
    """The last event of a trail, or of a part of it."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A stretch of events by one key, as it ends."""

    number: int
    key: str
    head: Head
    mac: str

    def __post_init__(self) -> None:
        if not (isinstance(self.number, int) and isinstance(self.head.seq, int)):
            raise TypeError("no number")
        wanted = self.key != NOBODY
        if not is_id(self.key) or bool(_SHA256.fullmatch(self.mac)) != wanted:
            raise ValueError("no key or seal of ours")
        if not _SHA256.fullmatch(self.head.hash):
            raise ValueError("no hash")


Ends = tuple[Head | None, Seal | rows.Unread | None]


def head(db: Connection) -> Head | None:
    """Return the last event; None of an empty trail, and of a database without tables."""
    return _newest(db) if version_of(db) else None


def ends(db: Connection) -> Ends:
    """Return the last event and the last seal; no seal of a database in an older format."""
    version = version_of(db)
    return _newest(db) if version else None, _latest(db) if version >= _FIRST else None


def all_of(db: Connection) -> list[Seal]:
    """Return every seal that can be read, oldest first; none of a database in an older format."""
    return _looked_through(db)[0]


def unreadable(db: Connection) -> list[str]:
    """Say of each row that is no seal why: what it vouched for, nobody can tell."""
    return [_said(each) for each in _looked_through(db)[1]]


def as_they_are(db: Connection, key: Key) -> list[list[str]]:
    """Return seals as texts, whatever is in their cells: to be kept as evidence.

    Those of a key come first, and of them the latest; anybody can make many.
    """
    latest = (seal.c.key == key.id).desc(), seal.c.number.desc()
    numbers = db.execute(select(seal.c.number).order_by(*latest).limit(_EVIDENCE)).scalars()
    texts = (rows.texts(db, seal.name, list(seal.c.keys()), number) for number in numbers)
    return [[cell[:_CELL] for cell in cells] for cells in texts]


def wrong(db: Connection, key: Key, known: Sequence[Seal]) -> list[str]:
    """Hold all seals against the trail, as far as it can be done with one key."""
    return [*_misplaced(db, known), *_not_by(key, known), *_behind(known, head(db))]


def strangers(known: Sequence[Seal], key: Key) -> set[str]:
    """Return the keys that went on after this one had sealed last."""
    mine = max((each.number for each in known if each.key == key.id), default=-1)
    return {each.key for each in known if each.number > mine}


def is_last_by(known: Sequence[Seal], key: Key) -> bool:
    """Whether a key vouches for all of the trail, as far as `wrong` finds nothing."""
    return bool(key.secret and known) and known[-1].key == key.id


def remove_all(db: Connection) -> None:
    """Let nobody vouch for the trail any more."""
    db.execute(delete(seal))


Look = Callable[[Connection, set[str]], None]


class Sealing:
    """Seals what a session appends, in the very transaction, and lets nobody come between.

    What a rival has committed since this session's last transaction must be sealed, too, or it is
    no rival's.

    Parameters
    ----------
    accepted : head and last seal as they were when the trail was examined
    look : raises where what others have sealed, by their keys, must not be sealed over
    """

    def __init__(self, folder: Path, key: Key, accepted: Ends, look: Look | None = None) -> None:
        self._folder, self._key, self._look = folder, key, look
        self._own: tuple[Ends, ...] = (accepted,)

    @contextmanager
    def __call__(self, db: Connection) -> Iterator[None]:
        """Hold the trail against its last seal, let it be written to, and seal it."""
        began = ends(db)
        if began not in self._own:
            self._check(*began)
            others = ask(db, _STRANGERS, (self._key.id,)).scalars()
            if self._look is not None:
                self._look(db, set(others))
        self._own = (began,)
        yield
        newest = _newest(db)
        if newest is not None and newest != began[0]:
            # this, or what it began with: the commit may fail yet
            self._own = (began, (newest, _sealed_by(db, self._key, newest)))

    @property
    def newest(self) -> Head | None:
        """What the trail ends with, by the last transaction."""
        return self._own[-1][0]

    def _check(self, newest: Head | None, latest: Seal | rows.Unread | None) -> None:
        if latest is None:
            raise TrailForged(self._folder, "its seals are gone")
        if isinstance(latest, rows.Unread):
            raise TrailForged(self._folder, _said(latest))
        if wrong := [*_behind([latest], newest), *_not_by(self._key, [latest])]:
            raise TrailForged(self._folder, wrong[0])


def _newest(db: Connection) -> Head | None:
    row = ask(db, _NEWEST).one_or_none()
    return Head(row.seq, row.hash) if row else None


def _latest(db: Connection) -> Seal | rows.Unread | None:
    number = ask(db, _LAST).scalar_one_or_none()
    numbers = () if number is None else (number,)
    return next(rows.one_by_one(numbers, partial(_numbered, db)), None)


def _sealed_by(db: Connection, key: Key, newest: Head) -> Seal:
    """Seal the head in the row of the stretch that goes on, or in one more."""
    latest, mac = _latest(db), key.mac(*newest)
    values = {"key": key.id, "seq": newest.seq, "hash": newest.hash, "mac": mac}
    if isinstance(latest, Seal) and latest.key == key.id:
        db.execute(_GO_ON, values | {"latest": latest.number})
        return replace(latest, head=newest, mac=mac)
    written = db.execute(_ONE_MORE, values)
    return Seal(_number_of(written), key.id, newest, mac)


def _number_of(written: CursorResult[Any]) -> int:
    key = written.inserted_primary_key
    return int(key[0]) if key else 0


def _looked_through(db: Connection) -> tuple[list[Seal], list[rows.Unread]]:
    if version_of(db) < _FIRST:
        return [], []
    return rows.each(db, _SEALS, seal.c.number, _read)


def _numbered(db: Connection, number: int) -> Seal:
    return _read(ask(db, _BY_NUMBER, (number,)).one())


def _read(row: Row[Any]) -> Seal:
    return Seal(row.number, row.key, Head(row.seq, row.hash), row.mac)


def _said(unread: rows.Unread) -> str:
    return f"seal {unread.number} cannot be read: {unread.reason}"


def _misplaced(db: Connection, known: Sequence[Seal]) -> Iterator[str]:
    """Find seals of another trail than this one: that needs no key."""
    before, there = 0, _sealed(db) if known else {}
    for each in known:
        if there.get(each.head.seq) != each.head.hash:
            yield f"event {each.head.seq} is not the one that was sealed by key {each.key}"
        if each.head.seq <= before:
            yield f"the seal of event {each.head.seq} is out of order"
        before = each.head.seq


def _sealed(db: Connection) -> dict[int, str]:
    """Return the hashes of the events that were sealed, by their number."""
    return {row.seq: row.hash for row in db.execute(_SEALED)}


def _not_by(key: Key, known: Sequence[Seal]) -> Iterator[str]:
    """Find seals that claim to be of a key, and are not."""
    for each in known:
        if each.key == key.id and not hmac.compare_digest(each.mac, key.mac(*each.head)):
            yield f"the seal of event {each.head.seq} is not by your key {key.id}"


def _behind(known: Sequence[Seal], newest: Head | None) -> Iterator[str]:
    """Tell when the trail goes on after its last seal."""
    if known and known[-1].head != newest:
        yield f"it does not end with event {known[-1].head.seq}, as its last seal says"


def unverified(key: Key, known: Sequence[Seal], newest: Head | None) -> Iterator[str]:
    """Tell for which events no key vouches, or one that is not this one."""
    if newest is not None and not known:
        yield f"events 1 to {newest.seq} were never sealed"
    before = 0
    for each in known:
        if not each.mac:
            yield f"events {before + 1} to {each.head.seq} were written without a key"
        elif each.key != key.id:
            lack = key.lack or "which is not yours"
            yield f"events {before + 1} to {each.head.seq} are sealed by key {each.key}: {lack}"
        before = each.head.seq
