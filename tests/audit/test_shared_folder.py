"""With the trail on a server a state may lie on NFS, if that keeps machines apart.

Here, the kernel's table says that a folder of this machine is one; what NFS does is not tried.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pictures
import pytest

from cropkit.audit import moving
from cropkit.audit.presence import Presence, sessions_there
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import NetworkFileSystem, UnfitToShare
from cropkit.geometry import PixelBox
from cropkit.system import mounts
from cropkit.system.files import Root
from cropkit.system.home import OWNERS, TRAIL_PLACE

BOX = PixelBox(5, 5, 20, 20)
FIT = "rw,vers=4.2,hard,local_lock=none"
Mounted = Callable[..., Path]


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mounted:
    """Return a folder of images on NFS, as far as the kernel's table tells."""

    def made(options: str, kind: str = "nfs4") -> Path:
        folder = pictures.write_folder(tmp_path / "images")
        table = mounts.MOUNTS.read_text() + f"9 1 0:99 / {folder} rw - {kind} box:/x {options}\n"
        (tmp_path / "mountinfo").write_text(table)
        monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "mountinfo")
        return folder

    return made


def test_a_state_may_lie_on_nfs_where_its_trail_is_on_a_server(
    mounted: Mounted, postgres_url: str
) -> None:
    folder = mounted(FIT)
    with pytest.raises(NetworkFileSystem, match="`--trail`"):
        Collection(folder)
    assert not (folder / ".cropkit").exists()
    for name in ("a_stage2.png", "b_stage2.png"):
        with Collection(folder, trail=postgres_url) as kit:
            assert kit.crop(name, BOX).ok
    assert (folder / TRAIL_PLACE).is_file()
    assert not list(folder.glob(".cropkit-probe*"))


@pytest.mark.parametrize(
    ("options", "kind", "why"),
    [
        ("rw,vers=4.2,soft,local_lock=none", "nfs4", "mounted with soft"),
        ("rw,vers=4.0,hard,local_lock=none", "nfs4", "NFS 4.0"),
        ("rw,vers=3.1.1", "cifs", "cifs is not known"),
    ],
)
def test_what_keeps_no_machines_apart_is_refused_with_what_keeps_the_state_elsewhere(
    mounted: Mounted, postgres_url: str, options: str, kind: str, why: str
) -> None:
    folder = mounted(options, kind)
    before = sorted(folder.iterdir())
    with pytest.raises(UnfitToShare, match=rf"{why}.*--state"):
        Collection(folder, trail=postgres_url)
    assert sorted(folder.iterdir()) == before


def test_a_trail_is_not_brought_back_into_a_file_there(mounted: Mounted, postgres_url: str) -> None:
    folder = mounted(FIT)
    with Collection(folder, trail=postgres_url) as kit:
        assert kit.crop("a_stage2.png", BOX).ok
    before = sorted((folder / ".cropkit").iterdir())
    with pytest.raises(NetworkFileSystem):
        moving.to_file(Root(folder))
    assert sorted((folder / ".cropkit").iterdir()) == before
    with Collection(folder, trail=postgres_url) as kit:
        assert kit.crop("b_stage2.png", BOX).ok


def test_who_looks_first_is_told_the_same(
    mounted: Mounted,
    postgres_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = mounted(FIT)
    main(["doctor", str(folder)])
    assert "SQLite is not safe" in capsys.readouterr().out
    monkeypatch.setenv("CROPKIT_TRAIL", postgres_url)
    main(["doctor", str(folder)])
    assert "SQLite is not safe" not in capsys.readouterr().out


def test_what_an_owner_says_is_seen_by_other_machines(
    mounted: Mounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine would keep it for half a minute: NFS writes when a file is closed or synced."""
    folder = mounted(FIT)
    (folder / OWNERS).mkdir(parents=True)
    synced: list[bytes] = []
    real = os.fsync

    def sync(fd: int) -> None:
        real(fd)
        synced.append(os.pread(fd, 1_000, 0))

    monkeypatch.setattr(os, "fsync", sync)
    presence = Presence(folder, "ben")
    presence.say(b"has three")
    presence.leave()
    session = presence.session.encode()
    assert synced == [session, session + b"\nhas three"]
    assert sessions_there(folder) == set()
