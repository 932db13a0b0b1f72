"""Which operations of an image stand, as its events tell it: a row may hide one that was done.

A row whose `undone_by` or `kind` was changed is no longer among what can be taken back, and an
older operation would be taken in its place. The events of one image are few, and sealed.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from sqlalchemy import Connection, select

from cropkit.audit import chain, rows
from cropkit.audit.operation import OUTCOMES, TAKEN_BACK
from cropkit.audit.schema import audit
from cropkit.errors import AuditCorrupt
from cropkit.names import escaped

_WORK = ("cropped", "rejected")


def standing(db: Connection, image: str) -> list[str]:
    """Return the ids of the crops, copies and rejects of an image that stand, newest first.

    What an event took back that cannot be read is taken to stand.
    """
    return list(_standing(_ended(db, image)))[::-1]


def _ended(db: Connection, image: str) -> Iterator[tuple[str, str, str | None]]:
    """Yield event, operation and what that took back, oldest first."""
    of_image = (audit.c.path == escaped(image)) & audit.c.event.in_((*OUTCOMES, TAKEN_BACK))
    query = select(audit).where(of_image).order_by(audit.c.seq)
    for row in rows.parted(chain.each(db, query))[0]:
        undoes: str | None = None
        with suppress(AuditCorrupt), rows.read(f"event {row.seq}"):
            undoes = str(chain.body_of(row._asdict())["undoes"])  # an enemy's may be a list
        yield row.event, row.operation, undoes


def _standing(ended: Iterable[tuple[str, str, str | None]]) -> dict[str, None]:
    stands: dict[str, None] = {}
    took_back: dict[str, str] = {}  # restore -> what it took back
    for event, operation, undoes in ended:
        gone = operation if event == TAKEN_BACK else undoes
        if event in _WORK:
            stands[operation] = None
        elif gone in took_back:
            stands[took_back.pop(gone)] = None
        elif gone in stands:
            del stands[gone]
            took_back[operation] = gone
    return stands
