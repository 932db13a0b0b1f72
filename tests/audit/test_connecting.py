"""Databases of one process share what was compiled for the first of them."""

import logging
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from cropkit.audit import connecting, pristine, schema
from cropkit.audit.connecting import run
from cropkit.collection import Collection


def open_and_look(folder: Path) -> None:
    folder.mkdir()
    with Collection(folder) as collection:
        assert collection.fsck() == []


def test_a_second_database_has_no_statement_compiled_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_and_look(tmp_path / "first")
    with caplog.at_level(logging.INFO, "sqlalchemy.engine"):
        open_and_look(tmp_path / "second")
    statements = [record.getMessage() for record in caplog.records]
    assert [each for each in statements if each.startswith("[cached since")]
    assert [each for each in statements if each.startswith("[generated")] == []


def test_what_begins_and_ends_fails_as_every_statement_does() -> None:
    with pristine.database() as db:
        with pytest.raises(OperationalError) as by_hand:
            run(db, "COMMIT")
        with pytest.raises(OperationalError) as by_sqlalchemy:
            db.exec_driver_sql("COMMIT")
    assert str(by_hand.value.orig) == str(by_sqlalchemy.value.orig)


def test_an_empty_database_in_a_file_is_the_one_in_memory() -> None:
    every = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
    with pristine.database() as here, pristine.temporary() as there:
        tables = here.exec_driver_sql(every).all()
        assert there.exec_driver_sql(every).all() == tables
        assert {row.tbl_name for row in tables} == set(schema.metadata.tables)
        made = connecting.driver(there)
        assert made.execute("PRAGMA trusted_schema").fetchone() == (0,)
        assert made.execute("PRAGMA cache_size").fetchone() == (-32_000,)
