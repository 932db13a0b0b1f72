"""A collection that cannot be opened leaves nothing of the attempt behind."""

import logging
from pathlib import Path

import pytest

from cropkit.collection import Collection
from cropkit.geometry import Size
from cropkit.suggest.suggested import Suggested


class Unwilling:
    """A suggester whose problems cannot be asked for."""

    @property
    def problems(self) -> tuple[()]:
        raise RuntimeError("no answer")

    def suggest(self, _path: str, _size: Size, _sha256: str) -> Suggested:
        return Suggested()


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_an_opening_that_fails_keeps_no_session_no_log_and_no_file_open(folder: Path) -> None:
    Collection(folder).close()
    handlers = list(logging.getLogger("cropkit").handlers)
    for _ in range(3):
        before = open_files()
        with pytest.raises(RuntimeError, match="no answer"):
            Collection(folder, suggesters=[Unwilling()])
        assert logging.getLogger("cropkit").handlers == handlers
        assert list((folder / ".cropkit" / "owners").iterdir()) == []
        assert open_files() == before
    with Collection(folder) as collection:
        assert collection.fsck() == []
