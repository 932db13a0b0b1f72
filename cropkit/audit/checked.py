"""Up to where this person has checked each trail, kept in their own state.

To check the chain of a hundred thousand events takes seconds, and `health` looks every few minutes.
So it begins where all fitted the last time, and reads the older events again in turn. What is kept
here spares work and proves nothing: who may write to a person's own state can say that all was
checked, and `fsck` and `health --deep` do not ask it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cropkit.audit import heads
from cropkit.audit.seals import Head
from cropkit.errors import PersonalStateUnusable
from cropkit.system import personal_state

_DOCUMENT = "checked"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a trail and its database were checked.

    Parameters
    ----------
    first : hash of the trail's first event
    head : the last event up to which all fitted
    at : when that was
    turn : the last one of the older events that was read again; 0 before the first
    tables : when each part of the database was checked, by its name
    """

    first: str
    head: Head
    at: str
    turn: int = 0
    tables: Mapping[str, str] = field(default_factory=dict)

    def lacks(self, db: Connection) -> bool:
        """Whether a trail does not hold what was checked."""
        return heads.lacks(db, self.head)


def known(folder: Path, its_first: str) -> Mark | None:
    """Return how far a trail was checked; None: never, or it is another one than the one that was.

    Raises
    ------
    PersonalStateUnusable
        It cannot be believed.
    """
    entry = personal_state.read(_DOCUMENT).get(heads.name_of(folder))
    mark = None if entry is None else _read(folder, entry)
    return mark if mark and mark.first == its_first else None


def keep(folder: Path, mark: Mark) -> None:
    """Keep how far a trail is checked.

    Raises
    ------
    PersonalStateUnusable
        It is not kept.
    """
    before = known(folder, mark.first)
    if before is not None and replace(before, at=mark.at) == mark:
        return
    with personal_state.changing(_DOCUMENT) as document:
        document[heads.name_of(folder)] = {
            **mark.head._asdict(),
            "at": mark.at,
            "first": mark.first,
            "turn": mark.turn,
            "tables": dict(mark.tables),
        }
        for name in heads.too_many(document):
            del document[name]


def forget(folder: Path) -> None:
    """Know nothing any more of what was checked in a folder.

    Raises
    ------
    PersonalStateUnusable
        It is still known.
    """
    if heads.name_of(folder) in personal_state.read(_DOCUMENT):
        with personal_state.changing(_DOCUMENT) as document:
            document.pop(heads.name_of(folder), None)


def _read(folder: Path, entry: object) -> Mark:
    if isinstance(entry, dict) and _is_mark(entry):
        head = Head(entry["seq"], entry["hash"])
        return Mark(entry["first"], head, entry["at"], entry["turn"], entry["tables"])
    raise PersonalStateUnusable(f"{_DOCUMENT}.json", f"what it says of {folder} is no mark")


def _is_mark(entry: Mapping[str, Any]) -> bool:
    numbers = all(type(entry.get(name)) is int for name in ("seq", "turn"))
    texts = all(isinstance(entry.get(name), str) for name in ("hash", "at", "first"))
    tables = entry.get("tables")
    if not (numbers and texts and isinstance(tables, dict)):
        return False
    times = all(isinstance(moment, str) for moment in tables.values())
    return times and 0 <= entry["turn"] <= entry["seq"] and entry["seq"] > 0
