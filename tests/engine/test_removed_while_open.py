"""NFS keeps what is removed while it is open, by a name of its own that nobody may remove yet."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pictures
import pytest
from faults import contents

from cropkit.audit import presence
from cropkit.collection import Collection
from cropkit.errors import ForeignState, WriteFailed
from cropkit.geometry import PixelBox
from cropkit.system import state_folder
from cropkit.system.home import HOME, ORIGINALS, OWNERS, STAGE

BOX = PixelBox(5, 5, 20, 20)
OPEN = ".nfs000000000001a2b300000001"
PLACES = (STAGE, OWNERS, ORIGINALS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = pictures.write_folder(tmp_path / "images")
    with Collection(folder) as kit:
        assert kit.crop("a_stage2.png", BOX).ok
    return folder


@pytest.fixture
def nfs(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.unlink

    def unlink(path: Any, **how: Any) -> None:
        if Path(os.fsdecode(path)).name.startswith((".nfs", "busy")):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        real(path, **how)

    monkeypatch.setattr(os, "unlink", unlink)


@pytest.mark.usefixtures("nfs")
@pytest.mark.parametrize("place", PLACES)
def test_what_somebody_has_open_still_is_in_nobodys_way(folder: Path, place: str) -> None:
    (folder / place / OPEN).write_bytes(b"open")
    with Collection(folder) as kit:
        assert kit.crop("b_stage2.png", BOX).ok
        assert kit.fsck() == []
    assert presence.living(folder) == []
    assert (folder / place / OPEN).exists()


@pytest.mark.parametrize("place", [STAGE, OWNERS])
def test_what_a_power_cut_has_left_of_it_goes(folder: Path, place: str) -> None:
    (folder / place / OPEN).write_bytes(b"left")
    with Collection(folder):
        pass
    assert OPEN not in str(contents(folder))


@pytest.mark.usefixtures("nfs")
def test_anything_else_that_cannot_be_removed_is_said(folder: Path) -> None:
    (folder / STAGE / "busy").write_bytes(b"open")
    with pytest.raises(WriteFailed, match="busy"):
        Collection(folder)


def test_an_entry_that_goes_while_the_state_is_looked_at_hides_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / HOME / "trail.jsonl").unlink()
    (folder / HOME / "trail.jsonl").symlink_to(folder)
    real, scan = state_folder._check_entry, os.scandir  # noqa: SLF001  (what is looked at)

    def gone(path: Path, status: os.stat_result) -> None:
        if path.name != "trail.jsonl":
            raise FileNotFoundError
        real(path, status)

    @contextmanager
    def with_it_last(place: int) -> Iterator[list[os.DirEntry[str]]]:
        with scan(place) as entries:
            yield sorted(entries, key=lambda entry: entry.name == "trail.jsonl")

    monkeypatch.setattr(state_folder, "_check_entry", gone)
    monkeypatch.setattr(os, "scandir", with_it_last)
    with pytest.raises(ForeignState, match=r"trail\.jsonl"):
        state_folder.check(folder)
