"""POSIX access lists: an image keeps the one that it has, and gets none that it had not."""

import grp
import os
from pathlib import Path

import pictures
import pytest
from access_lists import access_list, read
from trails import BOX, A, crop

from cropkit.collection import Collection
from cropkit.engine import sharing
from cropkit.geometry import PixelBox
from cropkit.system.attributes import ACCESS_LIST, LIST_OF_NEW
from cropkit.system.home import HOME

JPEG = "d.jpg"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = pictures.write_folder(tmp_path / "collection")
    try:
        os.setxattr(folder / A, ACCESS_LIST, access_list(6, 6))
    except OSError:
        pytest.skip("this file system has no access lists")
    os.removexattr(folder / A, ACCESS_LIST)
    (folder / A).chmod(0o640)
    (folder / JPEG).chmod(0o660)
    return folder


def give(folder: Path, *names: str) -> None:
    for name in names:
        os.setxattr(folder / name, ACCESS_LIST, access_list(6, 6))


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize("folder_lists", [True, False])
@pytest.mark.parametrize("name", [A, JPEG])
def test_an_image_keeps_its_own_at_each_step(
    folder: Path, name: str, *, is_listed: bool, folder_lists: bool
) -> None:
    if folder_lists:
        os.setxattr(folder, LIST_OF_NEW, access_list(7, 7))
    if is_listed:
        give(folder, name)
    path, before = folder / name, read(folder / name)
    with Collection(folder) as collection:
        result = collection.crop(name, PixelBox(0, 0, 32, 32))
        assert (result.ok, result.dropped, read(path)) == (True, (), before)
        for step in (collection.undo, collection.redo, collection.undo):
            assert step(name)[0].ok
            assert read(path) == before
        assert collection.crop(name, PixelBox(0, 0, 32, 32)).ok
        path.unlink()
        assert collection.undo(name)[0].ok  # brought back, where nothing stands for it
        assert read(path) == before
        assert collection.fsck() == []


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_crop_that_moves_has_what_the_image_had(folder: Path, *, is_listed: bool) -> None:
    moved = folder.parent / "moved"
    moved.mkdir()
    os.setxattr(moved, LIST_OF_NEW, access_list(7, 7))
    if is_listed:
        give(folder, A)
    before = read(folder / A)
    with Collection(folder, destination=moved) as collection:
        assert collection.crop(A, BOX).ok
        (crop_of_it,) = moved.glob("*.png")
        assert read(crop_of_it) == before
        assert collection.undo(A)[0].ok
    assert read(folder / A) == before


def test_a_state_that_is_shared_is_the_groups_alone(folder: Path) -> None:
    """A mode that opens it to the group would open it to whom the folder's list names, too."""
    os.setxattr(folder, LIST_OF_NEW, access_list(7, 7))
    crop(folder, A)
    home = folder / HOME
    assert read(home)[1] is not None
    group = grp.getgrgid(os.getegid()).gr_name
    sharing.share(folder, group)
    crop(folder, JPEG)
    for path in (home, *home.rglob("*")):
        assert not {ACCESS_LIST, LIST_OF_NEW} & set(os.listxattr(path)), path
