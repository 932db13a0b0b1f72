"""What was chosen for a collection, as names and words."""

from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from cropkit.audit.schema import setting

_EVERY = select(setting)


def change(db: Connection, chosen: Mapping[str, str], at: str) -> None:
    """Write settings over those of the same name."""
    for name, value in chosen.items():
        row = {"name": name, "value": value, "updated_at": at}
        written = upsert(setting).values(row)
        db.execute(written.on_conflict_do_update(index_elements=["name"], set_=row))


def all_of(db: Connection) -> dict[str, str]:
    """Return every setting."""
    return {row.name: row.value for row in db.execute(_EVERY)}
