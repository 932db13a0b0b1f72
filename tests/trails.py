"""A trail as whoever may write to `.cropkit` reads and changes it: by SQLite itself."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

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


def change(folder: Path, statement: str, *values: object) -> int:
    """Run a statement that no check of ours keeps from being nonsense; return how many rows."""
    with closing(sqlite3.connect(folder / DATABASE)) as db, db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        return db.execute(statement, values).rowcount


def rows(folder: Path, query: str) -> list[Row]:
    """Return what a query finds."""
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(query)]
