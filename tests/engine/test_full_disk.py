"""A disk that is full ends the work; what would not fit either waits."""

from pathlib import Path

import pytest
from queueing import collection, decide_all

from cropkit.collection import Collection
from cropkit.engine.groups import GroupSize
from cropkit.errors import NoSpace
from cropkit.records import Status
from cropkit.system.files import Root


def test_after_a_full_disk_no_other_group_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collection(tmp_path / "c", 3)
    decide_all(folder)
    asked: list[str] = []

    def full(_root: Root, path: str, needed: int) -> None:
        asked.append(path)
        raise NoSpace(path, needed, 0)

    monkeypatch.setattr(Root, "check_room", full)
    with Collection(folder, group_size=GroupSize(1, 1, first=1)) as opened:
        results = opened.apply_waiting()
        assert [one.status for one in results] == [Status.WAITING]
        assert len(asked) == 1
        assert len(opened.trail.decisions.waiting()) == 3
