"""A trail as whoever may write to `.cropkit` reads and changes it: by SQLite itself."""

import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import stores
from faults import Faulty

from cropkit.audit import keys
from cropkit.audit.vouching import Voucher
from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.system.home import DATABASE

BOX = PixelBox(10, 20, 40, 60)
A, B = "a_stage2.png", "b_stage2.png"  # of `pictures.write_folder`
Row = dict[str, Any]


def crop(folder: Path, name: str) -> None:
    """Crop an image, in a session of its own."""
    with Collection(folder) as collection:
        assert collection.crop(name, BOX).ok


def cut_off(folder: Path, name: str, effect: str = "replace", **options: Any) -> None:
    """Let a crop die at an effect on the file system: at its first rename nothing is switched."""

    class Deadly(Faulty):
        def __getattr__(self, called: str) -> Any:
            if called == effect:
                return lambda *_args, **_kwargs: os._exit(9)
            return getattr(os, called)

    def work() -> None:
        Collection(folder, system=Deadly(-1, lambda _name: None), **options).crop(name, BOX)

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == 9


def vouch(folder: Path, *, first: str | None = None) -> None:
    """Vouch for each open operation by the key of whoever runs this, as a session of theirs does.

    Parameters
    ----------
    first : hash of the first event of the trail that is meant; None: of this one
    """
    (event,) = rows(folder, "SELECT hash FROM audit ORDER BY seq LIMIT 1")
    voucher = Voucher(keys.of_person(), first or event["hash"])
    opened = "state NOT IN ('done', 'aborted')"
    for row in rows(folder, f"SELECT * FROM operation WHERE {opened}"):  # noqa: S608  (names of ours)
        statement = "UPDATE operation SET key = ?, mac = ? WHERE seq = ?"
        change(folder, statement, *voucher.of(row), row["seq"])


def change(folder: Path, statement: str, *values: object) -> int:
    """Run a statement that no check of ours keeps from being nonsense; return how many rows."""
    if stores.is_there(folder):
        return _change_on_server(folder, statement, values)
    with closing(sqlite3.connect(folder / DATABASE)) as db, db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        return db.execute(statement, values).rowcount


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the database as another program does that writes to it."""
    if stores.is_there(folder):
        with closing(stores.connected(folder)) as db, db.transaction():
            db.execute("LOCK TABLE format IN EXCLUSIVE MODE")
            yield
        return
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.rollback()


def _change_on_server(folder: Path, statement: str, values: tuple[object, ...]) -> int:
    """Run a statement where no check can be ignored: what one holds up is not to be found there."""
    import psycopg  # noqa: PLC0415  (only where there is a server)

    with closing(stores.connected(folder)) as db:
        try:
            return int(db.execute(statement.replace("?", "%s").encode(), values).rowcount)
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            pytest.skip(f"the server lets nobody write that: {error}".partition("\n")[0])


def rows(folder: Path, query: str) -> list[Row]:
    """Return what a query finds."""
    if stores.is_there(folder):
        with closing(stores.connected(folder)) as db:
            return list(db.execute(query.encode()))
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(query)]
