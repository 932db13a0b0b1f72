"""A row that none of ours wrote is named, however many are read at once."""

from pathlib import Path

import pictures
import pytest
from deciding import decided
from sqlalchemy import select
from trails import A, B, change

from cropkit.audit import schema
from cropkit.audit.reader import TrailReader
from cropkit.audit.rows import each
from cropkit.collection import Collection
from cropkit.system.files import Root


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("queue", "status", "else"),
        ("decision", "verdict", "perhaps"),
        ("decision", "box_left", 9_999),
        ("decision", "box_top", "x"),
    ],
)
def test_a_standing_decision_that_is_none_of_ours_is_named(
    tmp_path: Path, table: str, column: str, value: object
) -> None:
    folder = pictures.write_folder(tmp_path)
    with Collection(folder) as collection:
        _, forged = (decided(collection, name) for name in (A, B))
    key = "id" if table == "decision" else "decision"
    statement = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"  # noqa: S608  (names of ours)
    assert change(folder, statement, value, forged) == 1
    with TrailReader(Root(folder)) as trail:
        standing, unreadable = trail.decisions.looked_through()
        assert [each.path for each in standing] == [A]
        assert [error.args for error in unreadable] == [(B, "decision", forged)]


def test_an_error_of_another_kind_is_passed_on(tmp_path: Path) -> None:
    def made(_row: object) -> None:
        raise MemoryError

    folder = pictures.write_folder(tmp_path)
    with Collection(folder) as collection:
        decided(collection, A)
    seq = schema.decision.c.seq
    with (
        TrailReader(Root(folder)) as trail,
        trail.store.reading() as db,
        pytest.raises(MemoryError),
    ):
        each(db, select(seq), seq, made)
