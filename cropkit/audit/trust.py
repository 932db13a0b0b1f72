"""Whether a trail is the one that it was: what its seals and one's own memory tell of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cropkit.audit import export, heads, seals
from cropkit.audit.keys import Key
from cropkit.audit.store_reader import version_of
from cropkit.errors import PersonalStateUnusable, TrailForged
from cropkit.system.home import EXPORT

_NOTICED = "event {}, which you saw on {}, is gone or another one"
_ANEW = "the trail begins anew: what you saw of it on {} is gone"


@dataclass(frozen=True, slots=True)
class Examined:
    """What is known of a trail that somebody may have written to.

    Parameters
    ----------
    forged : what does not fit, as sentences
    unverified : what cannot be told with the key and the memory at hand, as sentences
    """

    forged: Sequence[str] = ()
    unverified: Sequence[str] = ()


def examine(db: Connection, folder: Path, key: Key) -> Examined:
    """Hold a trail against its seals, and against what this person saw of it last."""
    forged, unverified = seals.wrong(db, key), seals.unverified(db, key)
    try:
        known = heads.seen(folder)
    except PersonalStateUnusable as error:
        return Examined(forged, [*unverified, f"what you saw of it last: {error}"])
    if known is not None:
        forged += _lost(db, known)
    return Examined(forged, unverified)


def accepted(db: Connection, folder: Path, key: Key) -> seals.Sealing:
    """Go on with a trail that is the latest, as far as one can tell, and that its seals vouch for.

    Raises
    ------
    AuditBehind, TrailForged
        Nothing was written.
    """
    if version_of(db) == 0:
        return seals.Sealing(folder, key, (None, None))
    export.check(db, folder / EXPORT)
    if forged := examine(db, folder, key).forged:
        raise TrailForged(folder, forged[0])
    return seals.Sealing(folder, key, (seals.head(db), seals.last(db)))


def worth_keeping(db: Connection) -> seals.Head | None:
    """Return what a sealed trail ends with, as far as a power cut cannot take it."""
    return heads.durable(db) if seals.last(db) is not None else None


def remembered(folder: Path, head: seals.Head | None) -> list[str]:
    """Keep what a trail ends with outside of it; return what has to be told of that.

    Parameters
    ----------
    head : as `worth_keeping` returns it
    """
    try:
        if head is not None:
            heads.remember(folder, head)
    except PersonalStateUnusable as error:
        return [f"what the trail ends with is not kept: {error}"]
    return []


def begun_anew(db: Connection, folder: Path) -> list[str]:
    """Forget what was seen of a trail that is empty now; return what has to be told of that."""
    try:
        known = heads.seen(folder) if seals.head(db) is None else None
        if known is None:
            return []
        heads.forget(folder)
        return [_ANEW.format(known.at)]
    except PersonalStateUnusable as error:
        return [f"what you saw of the trail is not forgotten: {error}"]


def check_events(folder: Path, events: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an export that lacks what this person saw of the trail last.

    Raises
    ------
    TrailForged, PersonalStateUnusable
        Nothing was changed.
    """
    known = heads.seen(folder)
    if known is None:
        return
    number = known.head.seq
    if not 0 < number <= len(events) or events[number - 1]["hash"] != known.head.hash:
        raise TrailForged(folder, _NOTICED.format(number, known.at))


def _lost(db: Connection, known: heads.Seen) -> Iterator[str]:
    """Tell what of a trail is gone; one that holds nothing at all can mislead nobody."""
    if seals.head(db) is None:
        return
    if known.lacks(db):
        yield _NOTICED.format(known.head.seq, known.at)
    elif not seals.all_of(db):
        yield "its seals are gone"
