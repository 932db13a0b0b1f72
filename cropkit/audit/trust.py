"""Whether a trail is the one that it was, and whose: its seals and one's own memory tell.

A state is *foreign* that this person has neither sealed nor opened here before, or that went on
under a key that was not known. It is adopted by itself where it can do no harm; else a person is
shown what it would do, and decides (`cropkit adopt`).
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import Connection

from cropkit import clock
from cropkit.audit import (
    chain,
    checked,
    comparing,
    export,
    heads,
    keys,
    links,
    migrations,
    opening,
    operations,
    places,
    seals,
    unsettled,
    unvouched,
)
from cropkit.audit.connecting import version_of
from cropkit.audit.keys import Key
from cropkit.audit.operation import Operation
from cropkit.audit.schema import VERSION
from cropkit.audit.store import DEADLINE, Store
from cropkit.errors import AuditUnavailable, PersonalStateUnusable, StateNotAdopted, TrailForged
from cropkit.system import destinations
from cropkit.system.files import Root
from cropkit.system.home import EXPORT, HOME, ORIGINALS

FOREIGN = "somebody else may have made this .cropkit: you have neither sealed nor opened it before"
_MOST_TOLD = 20  # sentences of what does not fit, in the event: an enemy can make many
_SESSION = "adoption"  # it comes before any session
_NOTICED = "event {}, which you saw on {}, is gone or another one"
_CHECKED = "event {}, up to which you had checked it on {}, is gone or another one"
_ANOTHER = "this is another trail of yours than the one which you saw here on {}"
_ANEW = "the trail begins anew: what you saw of it on {} is gone"
_HIDDEN = (
    "nothing of yours is in it, and you saw a trail there on {}: mount what belongs there, or"
    " unmount what is over it; to begin anew, remove such a .cropkit, or bring images"
)
_ADOPTED = "the trail was not known to be yours; it can do no harm, and is adopted: {} events"


@dataclass(frozen=True, slots=True)
class Examined:
    """What is known of a trail that somebody may have written to.

    Parameters
    ----------
    forged : what does not fit, as sentences
    unverified : what cannot be told with the key and the memory at hand, as sentences
    foreign : whether it is not known to be this person's
    another : that another collection of theirs was in this folder before, as a sentence
    """

    forged: Sequence[str] = ()
    unverified: Sequence[str] = ()
    foreign: bool = False
    another: str = ""


def examine(db: Connection, folder: Path, key: Key) -> Examined:
    """Hold a trail against its seals, and against what this person saw of it last."""
    sealed, newest = seals.all_of(db), seals.head(db)
    unreadable = seals.unreadable(db)
    forged = [*unreadable, *seals.wrong(db, key, sealed)]
    unverified = [] if unreadable else list(seals.unverified(key, sealed, newest))
    seen: list[heads.Seen] = []
    try:
        seen = heads.all_seen(folder)
    except PersonalStateUnusable as error:
        unverified.append(f"what you saw of it last: {error}")
    known, before, another = heads.of_trail(seen, heads.first(db)), heads.of_trail(seen, ""), ""
    if known is not None and newest is not None:
        forged += _lost(db, known, sealed=bool(sealed or unreadable))
    elif known is None and before is not None and seals.is_last_by(sealed, key):
        another = _ANOTHER.format(before.at)
    elif known is None and before is not None:
        forged.append(_NOTICED.format(before.head.seq, before.at))
    try:
        forged += _unchecked(db, folder)
    except PersonalStateUnusable as error:
        unverified.append(f"how far you have checked it: {error}")
    return Examined(forged, unverified, _is_foreign(sealed, key, known), another)


def _is_foreign(sealed: Sequence[seals.Seal], key: Key, known: heads.Seen | None) -> bool:
    """Tell whose a trail is; to a user who can keep nothing, nothing is foreign."""
    if not key.tells_apart:
        return False
    if not sealed:
        return known is None
    return bool(seals.strangers(sealed, key) - (known.keys if known else frozenset()))


def _lost(db: Connection, known: heads.Seen, *, sealed: bool) -> Iterator[str]:
    """Tell what of a trail is gone."""
    if known.lacks(db):
        yield _NOTICED.format(known.head.seq, known.at)
    elif not sealed:
        yield "its seals are gone"


def _unchecked(db: Connection, folder: Path) -> Iterator[str]:
    """Tell that a trail is not the one that was checked."""
    mark = checked.known(folder, heads.first(db))
    if mark is not None and mark.lacks(db):
        yield _CHECKED.format(mark.head.seq, mark.at)


# -- what a foreign state could do -----------------------------------------------------------------


def harms(db: Connection, collection: Path) -> list[str]:
    """Tell what a state could do that its trail does not account for, as sentences.

    An open operation that nobody of ours vouches for does nothing (`unvouched`).

    Parameters
    ----------
    collection : whose destinations it may lead to
    """
    with _as_now(db) as now:
        return [
            *(link.said for link in links.broken(now)),
            *(disagreement.reason for disagreement in comparing.disagreements(now)),
            *_leading_out(now, destinations.named(collection.resolve())),
        ]


def would_be_settled(db: Connection, folder: Path) -> list[Operation]:
    """Return the operations of the dead that are settled once all that can be is adopted."""
    return unvouched.adoptable(db, folder)


def _leading_out(db: Connection, allowed: Sequence[Path]) -> Iterator[str]:
    for operation in (*operations.finished(db), *unsettled.all_of(db)):
        for name in operation.names:
            path = PurePosixPath(name)
            inside = not path.is_absolute() or any(path.is_relative_to(each) for each in allowed)
            if not inside or ".." in path.parts:
                yield f"operation {operation.id:.8} leads out of the collection, to {name}"


@contextmanager
def _as_now(db: Connection) -> Iterator[Connection]:
    """Give out a trail in the format of today; one in an older format as a copy in memory."""
    version = version_of(db)
    if version == VERSION:
        yield db
        return
    with migrations.brought_up(db, version) as now:
        yield now


# -- going on with it ------------------------------------------------------------------------------


class Acceptance:
    """Looks at a trail before anything is written, and then goes on with it, or does not.

    Parameters
    ----------
    folder : that holds the state
    anyhow : a person was shown what it is, and wants it all the same
    collection : that the state is of; None: the folder
    """

    def __init__(
        self, folder: Path, key: Key, *, anyhow: bool = False, collection: Path | None = None
    ) -> None:
        self._folder, self._key, self._anyhow = folder, key, anyhow
        self._collection = collection or folder
        self._examined = Examined()
        self._head: seals.Head | None = None

    def __call__(self, db: Connection) -> seals.Sealing:
        """Return how the trail is sealed from now on.

        Raises
        ------
        AuditBehind, TrailForged, StateNotAdopted
            Nothing was written.
        """
        if version_of(db) == 0:
            return seals.Sealing(self._folder, self._key, (None, None), self._look_for(db))
        export.check(db, self._folder / EXPORT)
        self._examined = examine(db, self._folder, self._key)
        if not self._anyhow:
            self._refuse(db)
        accepted = seals.ends(db)
        self._head, _ = accepted
        return seals.Sealing(self._folder, self._key, accepted, self._look_for(db))

    def _look_for(self, db: Connection) -> seals.Look | None:
        """Return what looks at those who go on while a session is at work; as at an opening."""
        known = {each.key for each in seals.all_of(db)} | {self._key.id}
        return _Newcomers(self._folder, known, self._collection) if self._key.secret else None

    def _refuse(self, db: Connection) -> None:
        for reason in self._examined.forged:
            raise TrailForged(self._folder, reason)
        if self._examined.foreign:
            for reason in harms(db, self._collection):
                raise StateNotAdopted(self._folder, reason)

    def settle(self, store: Store) -> list[str]:
        """Write down what was adopted; return what has to be told of it."""
        told = [self._examined.another] if self._examined.another else []
        strange = self._anyhow or self._examined.foreign or self._examined.forged
        if self._head is None or not strange:
            return told
        known = heads.seen(self._folder) if self._examined.forged else None
        body: dict[str, Any] = {
            "head": self._head._asdict(),
            "seen": known and known.head._asdict(),
            "forged": list(self._examined.forged[:_MOST_TOLD]),
            "asked": self._anyhow,
        }
        with store.transaction() as db:
            if self._examined.forged:
                body["seals"] = seals.as_they_are(db, self._key)
                seals.remove_all(db)
            if self._anyhow:
                body["operations"] = unvouched.adopt(db, self._key, self._folder)
            chain.append(db, clock.written(clock.now()), _SESSION, "adopted", body=body)
        return told if self._anyhow else [*told, _ADOPTED.format(self._head.seq)]


class _Newcomers:
    """Looks at a trail when a key has gone on with it that was not known when it was opened.

    Else the next seal would vouch for what nobody has looked at. Events without a key are looked at
    each time.
    """

    def __init__(self, folder: Path, known: set[str], collection: Path) -> None:
        self._folder, self._known = folder, known - {keys.NOBODY}
        self._collection = collection

    def __call__(self, db: Connection, others: set[str]) -> None:
        """Refuse to go on with what would not have been adopted."""
        if others <= self._known:
            return
        for reason in harms(db, self._collection):
            raise StateNotAdopted(self._folder, reason)
        self._known |= others - {keys.NOBODY}


def adopt(root: Root, deadline: float = DEADLINE) -> None:
    """Make a trail this person's own, whatever it tells; its event says so.

    Raises
    ------
    AuditError, PersonalStateUnusable
        It is what it was.
    """
    acceptance = Acceptance(root.path, keys.of_person(make=True), anyhow=True)
    store = opening.to_write(root, deadline, accept=acceptance)
    try:
        acceptance.settle(store)
        with store.reading() as db:
            now = heads.looked_at(db)
    finally:
        store.close()
    checked.forget(root.path)
    if now is not None:
        heads.remember(root.path, now, instead=True)


# -- remembering it --------------------------------------------------------------------------------


def remembered(folder: Path, now: heads.Seen | None) -> list[str]:
    """Keep what a trail ends with outside of it; return what has to be told of that."""
    try:
        if now is not None:
            heads.remember(folder, now)
    except PersonalStateUnusable as error:
        return [f"what the trail ends with is not kept: {error}"]
    return []


def forget(folder: Path) -> None:
    """Know nothing any more of the trails that were in a folder.

    Raises
    ------
    PersonalStateUnusable
        Something is still known.
    """
    heads.forget(folder)
    checked.forget(folder)


def check_is_not_hidden(folder: Path, collection: Path) -> None:
    """Refuse to begin anew where a disk is not mounted, perhaps, or something else is in its place.

    Parameters
    ----------
    folder : that holds the state
    collection : that the state is of

    Raises
    ------
    AuditUnavailable
        There is nothing where this person saw a trail: nothing was made.
    """
    if places.has_one(folder):
        return
    if os.path.lexists(folder / HOME):  # with originals in it, the database is missing
        place, is_empty = folder / HOME, not os.path.lexists(folder / ORIGINALS)
    else:
        place, is_empty = collection, _is_empty(collection)
    with suppress(PersonalStateUnusable):
        known = heads.seen(folder) if is_empty else None
        if known is not None:
            raise AuditUnavailable(place, _HIDDEN.format(known.at))


def _is_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except OSError:
        return False


def begun_anew(db: Connection, folder: Path) -> list[str]:
    """Tell that a trail is empty now of which something was seen before."""
    try:
        known = heads.seen(folder) if seals.head(db) is None else None
    except PersonalStateUnusable as error:
        return [f"what you saw of the trail is not known: {error}"]
    return [_ANEW.format(known.at)] if known else []


def check_events(folder: Path, events: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an export that lacks what this person saw of the trail last.

    Raises
    ------
    TrailForged, PersonalStateUnusable
        Nothing was changed.
    """
    its_first = events[0]["hash"] if events else ""
    known = heads.seen(folder, its_first) or heads.seen(folder)
    if known is None:
        return
    number = known.head.seq
    if not 0 < number <= len(events) or events[number - 1]["hash"] != known.head.hash:
        raise TrailForged(folder, _NOTICED.format(number, known.at))
