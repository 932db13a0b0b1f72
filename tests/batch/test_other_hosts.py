"""Workers of another host take part where they share folders and trail, and nowhere else.

Here another host is this one, which calls its kernel another: what NFS does is not tried.
"""

from collections.abc import Callable
from pathlib import Path

import pictures
import pytest

from cropkit.collection import Collection
from cropkit.errors import UnfitWorker
from cropkit.geometry import PixelBox
from cropkit.system import mounts
from cropkit.system.home import TRAIL_PLACE
from cropkit.system.scope import Scope
from cropkit.workers import chunk
from cropkit.workers.chunk import Site, check_fits

FIT = "nfs4 box:/x rw,vers=4.2,hard,local_lock=none"
Mounts = Callable[[str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pictures.write_folder(tmp_path / "images")


@pytest.fixture(autouse=True)
def mounted(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mounts:
    """Have the kernel's table tell what file system the folder is on."""
    path, table = tmp_path / "mountinfo", mounts.MOUNTS.read_text()

    def mount(words: str) -> None:
        path.write_text(f"{table}9 1 0:99 / {folder} rw - {words}\n")

    mount(FIT)
    monkeypatch.setattr(mounts, "MOUNTS", path)
    return mount


@pytest.fixture
def site(folder: Path, postgres_url: str) -> Site:
    with Collection(folder, trail=postgres_url) as kit:
        assert kit.crop("a_stage2.png", PixelBox(5, 5, 20, 20)).ok
        return Site.of_scope(kit.scope, kit.trail_named)


def as_another_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk, "kernel_boot", lambda: "another kernel")


def test_who_shares_folder_and_trail_takes_part_whatever_number_its_device_has(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_another_host(monkeypatch)
    check_fits(site._replace(folders=tuple((n, device + 1, i) for n, device, i in site.folders)))


def test_a_collection_that_is_still_to_be_made_is_looked_at_as_far_as_it_is_there(
    folder: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site.of_scope(Scope(folder), postgres_url)
    in_a_file = Site.of_scope(Scope(folder))
    as_another_host(monkeypatch)
    check_fits(site)
    with pytest.raises(UnfitWorker, match="another host"):
        check_fits(in_a_file)


@pytest.mark.parametrize("words", ["ext4 /dev/vda rw", FIT.replace("hard", "soft")])
def test_a_folder_that_keeps_no_hosts_apart_there_is_refused(
    site: Site, mounted: Mounts, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_another_host(monkeypatch)
    mounted(words)
    with pytest.raises(UnfitWorker, match="images is not shared there"):
        check_fits(site)


def test_so_it_is_where_the_work_is_given_out(
    folder: Path, mounted: Mounts, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted("ext4 /dev/vda rw")
    with Collection(folder, trail=postgres_url) as kit:
        site = Site.of_scope(kit.scope, kit.trail_named)
    mounted(FIT)
    as_another_host(monkeypatch)
    with pytest.raises(UnfitWorker, match="it is on another host"):
        check_fits(site)


def test_a_copy_of_the_folder_is_not_taken_for_it(
    site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_another_host(monkeypatch)
    with pytest.raises(UnfitWorker, match="images is not there the folder that it is on"):
        check_fits(site._replace(folders=tuple((n, d, inode + 1) for n, d, inode in site.folders)))
    record = (folder / TRAIL_PLACE).read_text()
    text = record.replace(site.schema, f"cropkit_{'0' * 32}")
    (folder / TRAIL_PLACE).write_text(text)
    with pytest.raises(UnfitWorker, match="another trail"):
        check_fits(site)
    (folder / TRAIL_PLACE).unlink()
    with pytest.raises(UnfitWorker, match="another trail"):
        check_fits(site)


def test_a_trail_in_a_file_has_workers_of_its_own_host_alone(
    folder: Path, mounted: Mounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted("ext4 /dev/vda rw")
    with Collection(folder) as kit:
        mounted(FIT)
        site = Site.of_scope(kit.scope, kit.trail_named)
    as_another_host(monkeypatch)
    with pytest.raises(UnfitWorker, match="it is on another host"):
        check_fits(site)
