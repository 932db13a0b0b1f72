"""What people have noted about images, as events tell it: of each crop the last one counts.

There is no table of them: an event may be anybody's, and what it says is held to what a note is.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from cropkit.audit import chain
from cropkit.audit.decisions import Slot
from cropkit.audit.rows import NOT_OURS
from cropkit.errors import AuditCorrupt
from cropkit.records import Note

NOTED = "noted"


def body(slot: str, note: Note) -> dict[str, Any]:
    """Return what an event tells of a note."""
    return {"slot": slot, "star": note.star, "note": note.text}


def latest(events: Iterable[Mapping[str, Any]]) -> dict[Slot, Note]:
    """Return the note of each crop that has one.

    Parameters
    ----------
    events : of kind `NOTED`, oldest first; one that cannot be read notes nothing
    """
    notes: dict[Slot, Note] = {}
    for event in events:
        with suppress(AuditCorrupt, *NOT_OURS):
            noted = chain.body_of(dict(event))
            slot = Slot(str(event["path"]), str(noted["slot"]))
            notes[slot] = Note.of(noted["star"], noted["note"])
    return {slot: note for slot, note in notes.items() if note != Note()}
