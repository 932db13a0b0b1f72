"""From one format of the database to the next: each step a function, all in one transaction.

A migration is an operation like the others in what a crash can do to it: SQLite's DDL takes part in
transactions, so that the database has the old format or the new one, never a mixture, and the event
in the trail is there exactly when the format is.
"""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.schema import CreateIndex

from cropkit import clock
from cropkit.audit import chain, decisions, pristine, schema, shape
from cropkit.audit.connecting import connected, driver, in_memory, set_version

_SESSION = "migration"  # a migration comes before any session


def migrate(db: Connection, version: int) -> None:
    """Bring the database from format `version` to the one of `schema.VERSION`; 0 is a new one."""
    if version == 0:
        pristine.make_tables(db)
    else:
        _bring_up(db, version)
        body = {"from": version, "to": schema.VERSION}
        chain.append(db, clock.written(clock.now()), _SESSION, "migrated", body=body)
    set_version(db, schema.VERSION)


def brought_up(db: Connection, version: int) -> Connection:
    """Return a copy in memory of a database in format `version`, in the one of today.

    Its file may not be ours to change; its trail is not told of it.
    """
    with ExitStack() as otherwise:
        copy = otherwise.enter_context(connected(partial(_copied, db)))
        _bring_up(copy, version)
        copy.exec_driver_sql(f"PRAGMA user_version={schema.VERSION}")
        otherwise.pop_all()
    return copy


def _copied(db: Connection) -> sqlite3.Connection:
    copy = in_memory()
    driver(db).backup(copy)
    return copy


def _bring_up(db: Connection, version: int) -> None:
    for number in range(version + 1, schema.VERSION + 1):
        STEPS[number](db)


def _to_2(db: Connection) -> None:
    schema.setting.create(db)


def _to_3(db: Connection) -> None:
    for column in ("beat_at VARCHAR", "counts TEXT"):
        db.exec_driver_sql(f"ALTER TABLE session ADD COLUMN {column}")


def _to_4(db: Connection) -> None:
    for edge in ("left", "top", "right", "bottom"):
        db.exec_driver_sql(f"ALTER TABLE decision ADD COLUMN shown_{edge} INTEGER")


def _to_5(db: Connection) -> None:
    schema.seal.create(db)


def _to_6(db: Connection) -> None:
    shape.drop_former(db)
    db.exec_driver_sql("ALTER TABLE queue ADD COLUMN stands INTEGER")
    decisions.let_stand(db)
    for index in schema.NEW_IN_6:
        index.create(db)


def _to_7(db: Connection) -> None:
    """Let operations be vouched for; in format 6 indices came and changed without a new number."""
    for column in ("key VARCHAR", "mac VARCHAR"):
        db.exec_driver_sql(f"ALTER TABLE operation ADD COLUMN {column}")
    shape.drop_former(db)
    for index in (*schema.NEW_IN_6, *schema.NEW_IN_7):
        db.execute(CreateIndex(index, if_not_exists=True))


def _to_8(db: Connection) -> None:
    """Let an image have several crops, and a crop stand beside its image."""
    for table in ("decision", "queue"):
        db.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN slot VARCHAR NOT NULL DEFAULT ''")
    for column in ("target", "copying"):
        db.exec_driver_sql(f"ALTER TABLE decision ADD COLUMN {column} VARCHAR")
    shape.drop_former(db)
    for index in schema.CHANGED_IN_8:
        db.execute(CreateIndex(index, if_not_exists=True))


def _to_9(db: Connection) -> None:
    """Let what a box holds be turned."""
    db.exec_driver_sql("ALTER TABLE decision ADD COLUMN turn VARCHAR")


STEPS: Mapping[int, Callable[[Connection], None]] = {
    2: _to_2,
    3: _to_3,
    4: _to_4,
    5: _to_5,
    6: _to_6,
    7: _to_7,
    8: _to_8,
    9: _to_9,
}
