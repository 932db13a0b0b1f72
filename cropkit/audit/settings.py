"""What was chosen for a collection, as names and words."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, select

from cropkit.audit.dialects import upsert
from cropkit.audit.schema import setting

_EVERY = select(setting)


def change(db: Connection, chosen: Mapping[str, str], at: str) -> None:
    """Write settings over those of the same name."""
    for name, value in chosen.items():
        row = {"name": name, "value": value, "updated_at": at}
        written = upsert(db, setting).values(row)
        db.execute(written.on_conflict_do_update(index_elements=["name"], set_=row))


def all_of(db: Connection) -> dict[str, str]:
    """Return every setting."""
    return {row.name: row.value for row in db.execute(_EVERY)}


def texts(chosen: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the texts that a setting lists; its row may be anybody's: what is none is left out."""
    try:
        listed = json.loads(chosen.get(name, "[]"))
    except (ValueError, RecursionError):
        return ()
    return (
        tuple(each for each in listed if isinstance(each, str)) if isinstance(listed, list) else ()
    )
