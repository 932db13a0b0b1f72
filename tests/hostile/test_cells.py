"""SQLite keeps whatever is put into a column: what is no text where one belongs is told."""

import shutil
from pathlib import Path

import pictures
import pytest
from deciding import decided, decision
from shell import run
from sqlalchemy import String, TypeDecorator
from trails import BOX, A, B, change

from cropkit.audit import schema
from cropkit.collection import Collection
from cropkit.records import Verdict

WORDS: dict[str, tuple[str, ...]] = {
    "fsck": ("fsck", "FOLDER"),
    "history": ("history", "FOLDER"),
    "health": ("health", "FOLDER"),
    "crop": ("crop", f"FOLDER/{A}", "--box", "1,1,9,9"),
    "undo": ("undo", "FOLDER"),
    "adopt": ("adopt", "FOLDER"),
}
NOT_IN_THE_TRAIL = (("operation", "planned_at"), ("session", "beat_at"), ("session", "counts"))
TEXTS = [
    (table.name, column.name)
    for table in (schema.audit, schema.session, schema.decision, schema.queue, schema.operation)
    for column in table.c
    if isinstance(column.type, String | TypeDecorator)
]


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = pictures.write_folder(tmp_path_factory.mktemp("worked on") / "collection")
    with Collection(folder) as kit:
        kit.decide([decision(kit, each, BOX) for each in (A, B)])
        kit.apply_waiting()
        kit.undo(A)
        decided(kit, A, Verdict.SKIP, None)
    return folder


@pytest.mark.parametrize(("table", "column"), TEXTS)
def test_what_is_no_text_where_one_belongs_is_told_and_is_no_traceback(
    collection: Path, tmp_path: Path, table: str, column: str
) -> None:
    folder = shutil.copytree(collection, tmp_path / "copy")
    last = f"rowid = (SELECT max(rowid) FROM {table})"  # noqa: S608  (names of the schema's own)
    assert change(folder, f"UPDATE {table} SET {column} = x'00ff' WHERE {last}") == 1  # noqa: S608  (as above)
    for name, words in WORDS.items():
        ended = run(*(word.replace("FOLDER", str(folder)) for word in words))
        assert "Traceback" not in ended.stderr
        if name == "fsck" and (table, column) not in NOT_IN_THE_TRAIL:
            assert ended.returncode == 1, ended.stdout
