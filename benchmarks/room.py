"""What the state of a collection takes on the disk, in bytes a crop, before and after `compact`.

    python benchmarks/room.py [--size 10000] [--kept FOLDER]

Only rows and names are made, as `benchmarks/scale.py --grown` makes them: two events a crop. By
table, with its indices, where SQLite was built with `dbstat`.
"""

import argparse
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from grown import grow

from cropkit.audit import compacting, rotating
from cropkit.collection import Collection
from cropkit.system.home import DATABASE

_PAGES = """SELECT tbl_name, type = 'index', sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name)
    GROUP BY 1, 2 ORDER BY 3 DESC"""


def made(folder: Path, count: int) -> Path:
    """Make a collection whose export is not packed; one that was made before is taken."""
    if not (folder / DATABASE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with mock.patch.object(rotating, "LONG", 1 << 40):
            Collection(folder, reviewer="benchmark").close()
            grow(folder, count)
    return folder


def measured(folder: Path) -> dict[str, int]:
    """Return the bytes of database and export, and of each table and its indices."""
    sizes = compacting.sizes(folder)
    return {"export": sizes.export, "database": sizes.database} | _by_table(folder / DATABASE)


def _by_table(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        try:
            rows = db.execute(_PAGES).fetchall()
        except sqlite3.OperationalError:  # built without dbstat
            return {}
    return {f"{table}{', its indices' if is_index else ''}": size for table, is_index, size in rows}


def in_words(count: int, before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """Return the figures as a table of Markdown."""
    large = [name for name in before if before[name] >= count]
    cells = [(name, before[name] / count, after[name] / count) for name in large]
    lines = [f"| {name} | {was:,.0f} | {now:,.0f} |" for name, was, now in cells]
    return "\n".join(["| bytes a crop | before | after `compact` |", "| --- | --- | --- |", *lines])


def main() -> None:
    """Make, compact, tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--kept", type=Path, help="a folder for the collection")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cropkit-room-") as place:
        folder = made(asked.kept or Path(place) / "collection", asked.size)
        before = measured(folder)
        with Collection(folder, reviewer="benchmark") as collection:
            collection.compact()
        sys.stdout.write(in_words(asked.size, before, measured(folder)) + "\n")


if __name__ == "__main__":
    main()
