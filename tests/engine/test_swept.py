"""What a session could not let go of is let go of by whoever opens the collection alone next."""

import os
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

import pictures
import pytest

from cropkit.collection import Collection
from cropkit.errors import AuditUnavailable
from cropkit.geometry import PixelBox
from cropkit.records import Note
from cropkit.system.home import OWNERS, kept

BOX = PixelBox(5, 5, 20, 20)
NAME = "a_stage2.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = pictures.write_folder(tmp_path / "images")
    with Collection(folder) as kit:
        assert kit.crop("b_stage2.png", BOX).ok
    return folder


@pytest.fixture
def left(folder: Path) -> Path:
    """Leave an original that nothing needs, as its name and its image stand."""
    path = folder / kept(sha256((folder / NAME).read_bytes()).hexdigest())
    os.link(folder / NAME, path)
    return path


def test_who_left_in_the_usual_way_costs_the_next_one_no_look(folder: Path, left: Path) -> None:
    for _ in range(2):
        with Collection(folder) as kit:
            kit.trail.note(NAME, "", Note(text="seen"))
    assert left.exists()


def test_what_could_not_be_told_is_looked_for_though_the_session_ended_in_the_usual_way(
    folder: Path, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> NoReturn:
        raise AuditUnavailable(folder, "it is away for a moment")

    with Collection(folder) as kit:
        with monkeypatch.context() as moment:
            moment.setattr(kit.trail.store, "transaction", away)
            with pytest.raises(AuditUnavailable):
                kit.trail.note(NAME, "", Note(text="seen"))
        kit.trail.note(NAME, "", Note(text="seen"))
    with Collection(folder) as kit:
        assert not left.exists()
        assert kit.fsck() == []
    assert list((folder / OWNERS).iterdir()) == []


def test_that_somebody_died_is_known_until_one_has_looked_who_is_alone(
    folder: Path, left: Path
) -> None:
    for name in ("dead", "gone"):
        (folder / OWNERS / name).write_text("a session")
    with Collection(folder) as living:
        assert not left.exists(), "it was alone"
        os.link(folder / NAME, left)
        for name in ("dead", "gone"):
            (folder / OWNERS / name).write_text("a session")
        with Collection(folder):
            assert left.exists(), "who lives may be about to need it"
        there = {path.name for path in (folder / OWNERS).iterdir()} - {living.trail.owner}
        assert len(there) == 1
    with Collection(folder):
        assert not left.exists()
    assert list((folder / OWNERS).iterdir()) == []
