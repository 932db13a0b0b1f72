"""A database with programs or tables of somebody else's in it is refused before it is used."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pictures
import pytest
from faults import as_first_format_6, as_format_1, as_format_6

from cropkit.audit import schema
from cropkit.audit.reader import TrailReader
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import AuditCorrupt, ForeignState
from cropkit.geometry import PixelBox
from cropkit.system.files import Root
from cropkit.system.home import DATABASE

STATEMENTS = {
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM decision; END",
    "a view": "CREATE VIEW v AS SELECT * FROM decision",
    "a table": "CREATE TABLE other (a)",
    "a virtual table": "CREATE VIRTUAL TABLE other USING fts5(a)",
    "an index": "CREATE INDEX i ON decision (reviewer)",
    "an index over an expression": "CREATE INDEX i ON decision (abs(width))",
    "a column": "ALTER TABLE decision ADD COLUMN other TEXT",
    "a generated column": "ALTER TABLE decision ADD COLUMN g AS (hex(path)) VIRTUAL",
    "a table less": "DROP TABLE setting",
    "an index less": "DROP INDEX ix_decision_path",
    "a column less": "ALTER TABLE problem DROP COLUMN reason",
    "an index as it was": f"DROP INDEX purges; {schema.FORMER['purges']}",
    "an index of another kind": "DROP INDEX one_outcome; CREATE INDEX one_outcome ON audit (at)",
    "a view for a table": "ALTER TABLE place RENAME TO p; CREATE VIEW place AS SELECT * FROM p",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = pictures.write_folder(tmp_path / "collection")
    with Collection(folder) as collection:
        collection.crop("a_stage2.png", PixelBox(10, 20, 60, 90))
    return folder


def change(folder: Path, script: str) -> None:
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as db:
        db.executescript(script)


@pytest.mark.parametrize("name", STATEMENTS)
def test_what_is_not_exactly_ours_is_refused(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, STATEMENTS[name])
    before = (folder / "a_stage2.png").read_bytes()
    with pytest.raises(ForeignState, match="cropkit"):
        Collection(folder)
    with pytest.raises(ForeignState, match="cropkit"):
        TrailReader(Root(folder))
    for command in ("history", "fsck", "undo", "stats"):
        assert main([command, str(folder)]) == 1
    assert main(["health", str(folder)]) == 1
    captured = capsys.readouterr()
    assert "foreign-state" in captured.out + captured.err
    assert "Traceback" not in captured.err
    assert (folder / "a_stage2.png").read_bytes() == before


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_a_trigger_does_not_come_in_by_an_older_format(folder: Path, version: int) -> None:
    change(folder, f"{STATEMENTS['a trigger']}; PRAGMA user_version = {version}")
    with pytest.raises(ForeignState, match="trigger t"):
        Collection(folder)


@pytest.mark.parametrize("older", [as_format_1, as_format_6, as_first_format_6])
def test_what_an_older_version_made_is_ours(folder: Path, older: Callable[[Path], None]) -> None:
    older(folder)
    with TrailReader(Root(folder)) as trail:
        assert trail.operations.finished()
    with Collection(folder) as collection:
        assert collection.undo()[0].ok
    with TrailReader(Root(folder)) as trail:
        assert trail.operations.finished()


@pytest.mark.parametrize("opens", [Collection, lambda folder: TrailReader(Root(folder))])
def test_a_schema_that_is_no_text_ends_in_a_sentence(
    folder: Path, opens: Callable[[Path], object]
) -> None:
    """SQLite quotes the name that it cannot read, and its words are no UTF-8 then."""
    change(folder, "PRAGMA journal_mode = DELETE")
    path = folder / DATABASE
    written = path.read_bytes().replace(b"CREATE TABLE place (", b"CREATE TABLX place (")
    path.write_bytes(written.replace(b"tableplaceplace", b"tablepl\xe7cepl\xe7ce"))
    with pytest.raises(AuditCorrupt, match="no text"):
        opens(folder)
    assert main(["stats", str(folder)]) == 1
