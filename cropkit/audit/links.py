"""A stretch of the trail's chain, checked without the rest: what is new, or has its turn."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, select

from cropkit.audit.chain import GENESIS, digest
from cropkit.audit.schema import audit

_COLUMNS = tuple(audit.c)
_NAMES = tuple(column.name for column in _COLUMNS)


class BrokenLink(NamedTuple):
    """An event that does not fit, and how that is told."""

    seq: int
    said: str


def broken_between(db: Connection, first: int, last: int) -> Iterator[BrokenLink]:
    """Walk some events of the chain and name every one that does not fit.

    What the first one names as its forerunner is held against nothing, but for event 1.
    """
    number, previous = first - 1, GENESIS if first == 1 else None
    query = select(*_COLUMNS).where(audit.c.seq.between(first, last)).order_by(audit.c.seq)
    for values in db.execute(query):
        row = dict(zip(_NAMES, values, strict=True))
        number += 1
        if row["seq"] != number:
            yield BrokenLink(number, f"event {number} is missing")
            number = row["seq"]
        if previous not in (None, row["previous"]) or row["hash"] != digest(row):
            yield BrokenLink(number, f"event {number} was changed after it was written")
        previous = row["hash"]
    if number < last:
        yield BrokenLink(number + 1, f"event {number + 1} is missing")
