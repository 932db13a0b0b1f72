"""What is proven and what is looked at is on the disk, and not what some memory has of it."""

import os
from collections.abc import Sequence
from pathlib import Path

import pictures
import pytest

from cropkit.audit.operation import Operation
from cropkit.collection import Collection
from cropkit.errors import StaleDecision
from cropkit.geometry import PixelBox
from cropkit.system.files import Identity, Root
from cropkit.system.home import STAGE

BOX = PixelBox(5, 5, 20, 20)


def test_a_crop_is_read_from_the_disk_when_it_is_synced_and_before_it_has_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pictures.write_folder(tmp_path / "images")
    before = (folder / "a_stage2.png").read_bytes()
    done: list[tuple[str, bool]] = []
    real = os.fsync

    def heard(what: str, fd: int) -> None:
        if STAGE in str(Path(f"/proc/self/fd/{fd}").readlink()):
            done.append((what, (folder / "a_stage2.png").read_bytes() == before))

    def let_go(fd: int, *how: int) -> None:
        assert how == (0, 0, os.POSIX_FADV_DONTNEED)
        heard("let go", fd)

    def sync(fd: int) -> None:
        heard("synced", fd)
        real(fd)

    with Collection(folder) as kit:
        monkeypatch.setattr(os, "posix_fadvise", let_go)
        monkeypatch.setattr(os, "fsync", sync)
        assert kit.crop("a_stage2.png", BOX).ok
    assert done == [("synced", True), ("let go", True)]


def test_the_last_look_is_not_at_what_a_network_remembers_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine writes into the image; NFS tells that at once to whoever opens it."""
    folder = pictures.write_folder(tmp_path / "images")
    path = folder / "a_stage2.png"
    other = bytes(reversed(path.read_bytes()))
    identity = Root.identity
    remembered: dict[str, Identity | None] = {}

    def late(self: Root, name: str) -> Identity | None:
        return remembered.setdefault(name, identity(self, name))

    with Collection(folder) as kit:
        prepare = kit.trail.prepare

        def prepared(ready: Sequence[Operation]) -> None:
            prepare(ready)
            path.write_bytes(other)

        monkeypatch.setattr(kit.trail, "prepare", prepared)
        monkeypatch.setattr(Root, "identity", late)
        with pytest.raises(StaleDecision):
            kit.crop(path.name, BOX)
    assert path.read_bytes() == other
