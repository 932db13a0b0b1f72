"""The trail's chain walked through, whole or a stretch of it: what is new, or has its turn."""

from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from cropkit.audit import chain
from cropkit.audit.chain import GENESIS, digest
from cropkit.audit.rows import Unread
from cropkit.audit.schema import audit

_NOW_AND_THEN = 1000  # events
_COLUMNS = tuple(audit.c)
_NAMES = tuple(column.name for column in _COLUMNS)
_ALL = select(*_COLUMNS).order_by(audit.c.seq)

Between = Callable[[int], object]


class BrokenLink(NamedTuple):
    """An event that does not fit, and how that is told."""

    seq: int
    said: str


def broken(db: Connection, between: Between | None = None) -> Generator[BrokenLink, None, None]:
    """Walk the whole chain and name every event that does not fit.

    Parameters
    ----------
    between : told how many have been looked at, now and then; what it raises ends it
    """
    yield from _walked(db, _ALL, 0, GENESIS, between)


def broken_between(db: Connection, first: int, last: int) -> Iterator[BrokenLink]:
    """Walk some events of the chain and name every one that does not fit.

    What the first one names as its forerunner is held against nothing, but for event 1: before that
    one there is no event.
    """
    query, previous = _ALL.where(audit.c.seq <= last), None
    if first == 1:
        previous = GENESIS
    else:
        query = query.where(audit.c.seq >= first)
    number = yield from _walked(db, query, first - 1, previous)
    if number < last:
        yield BrokenLink(number + 1, f"event {number + 1} is missing")


def _walked(
    db: Connection,
    query: Select[Any],
    number: int,
    previous: str | None,
    between: Between | None = None,
) -> Generator[BrokenLink, None, int]:
    """Go on from an event; return the number of the last one."""
    for values in chain.each(db, query):
        number += 1
        if isinstance(values, Unread):
            number, previous = values.number, None
            yield BrokenLink(number, f"event {number} cannot be read: {values.reason}")
            continue
        row: dict[str, Any] = dict(zip(_NAMES, values, strict=True))
        if row["seq"] != number:
            yield BrokenLink(number, f"event {number} is missing")
            number = row["seq"]
        if previous not in (None, row["previous"]) or row["hash"] != digest(row):
            yield BrokenLink(number, f"event {number} was changed after it was written")
        previous = row["hash"]
        if between is not None and number % _NOW_AND_THEN == 0:
            between(number)
    return number
