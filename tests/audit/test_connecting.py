"""Databases of one process share what was compiled for the first of them."""

import logging
from pathlib import Path

import pytest

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
