"""Whether a database has the tables of cropkit and nothing else.

It may come from an enemy. A trigger or a view is a program that runs when we write or read; a
generated column says what nobody wrote. SQLite's documentation, "Defense against the dark arts",
tells what a hostile database can do; `PRAGMA trusted_schema=OFF` and `cell_size_check=ON` are set
beside this.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from cropkit.audit import pristine
from cropkit.audit.dialects import is_postgres
from cropkit.audit.schema import FORMER
from cropkit.errors import ForeignState

Objects = dict[tuple[str, str], object]

_OBJECTS = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite@_%' ESCAPE '@'"


def check(db: Connection, path: Path, *, whole: bool) -> None:
    """Refuse tables that are not ours.

    Parameters
    ----------
    whole : nothing may be missing, as it may be in an older format

    Raises
    ------
    ForeignState
        It names the table, trigger, view or column; nothing was changed.
    """
    if is_postgres(db):
        from cropkit.audit.postgres import tables  # noqa: PLC0415  (an extra)

        tables.check(db, path, whole=whole)
        return
    expected = _expected()
    objects = _objects(db)
    if not whole:
        objects = {name: here for name, here in objects.items() if not _is_former(name, here)}
    for name in objects:
        if name not in expected:
            raise ForeignState(path, f"its {' '.join(name)} is none of cropkit's")
    for name, wanted in expected.items():
        if not _fits(objects.get(name), wanted, whole=whole):
            raise ForeignState(path, f"its {' '.join(name)} is not the one of cropkit")


def drop_former(db: Connection) -> None:
    """Remove the indices that an older format had, and this one has not, or has otherwise."""
    for name, here in _objects(db).items():
        if _is_former(name, here):
            db.exec_driver_sql(f"DROP INDEX {name[1]}")


def _is_former(name: tuple[str, str], here: object) -> bool:
    kind, its_name = name
    return kind == "index" and here == FORMER.get(its_name)


def _fits(here: object, wanted: object, *, whole: bool) -> bool:
    if whole or here == wanted:
        return here == wanted
    if isinstance(here, frozenset) and isinstance(wanted, frozenset):
        return here <= wanted
    return here is None


def _objects(db: Connection) -> Objects:
    """Return tables with their columns, indices with their statement, by type and name."""
    rows = db.exec_driver_sql(_OBJECTS).all()
    return {
        (kind, name): _columns(db, name) if kind == "table" else sql for kind, name, sql in rows
    }


def _columns(db: Connection, table: str) -> frozenset[tuple[object, ...]]:
    """Return each column's name, type, whether it may be NULL, key and whether it is generated."""
    query = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)'
    return frozenset(tuple(row) for row in db.exec_driver_sql(query, (table,)))


@cache
def _expected() -> Mapping[tuple[str, str], object]:
    with pristine.database() as db:
        return _objects(db)
