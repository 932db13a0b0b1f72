"""Two users of one group, each in programs of their own: JPEG and batches start more of them."""

import grp
import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pictures
import pytest
import users
from access_lists import access_list, read
from users import People, User

from cropkit.system.attributes import ACCESS_LIST, LIST_OF_NEW

PNG, OTHER, JPEG = "a_stage2.png", "b_stage2.png", "d.jpg"
BOX = ("--box", "0,0,48,48")


@pytest.fixture
def people() -> Iterator[People]:
    with users.people() as there:
        yield there


@pytest.fixture
def shared(people: People) -> Path:
    """Anna's images, of which she has cropped one; both have said that they share them."""
    folder = users.give(pictures.write_folder(people.place / "album"), people.anna)
    done(people.anna, "crop", folder / PNG, *BOX)
    for user in (people.anna, people.ben):
        done(user, "share", folder, "--group", grp.getgrgid(user.gid).gr_name)
    return folder


def done(user: User, *words: str | Path) -> Any:
    """Run a command that ends well, and return its document."""
    ended = user.runs(*words, "--json")
    assert ended.returncode == 0, (words, ended.stdout, ended.stderr)
    return json.loads(ended.stdout)


def contents(folder: Path) -> dict[str, str]:
    return {
        path.name: sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file()
    }


def owner(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_uid, status.st_gid


def test_a_jpeg_that_one_has_cropped_the_other_brings_back(people: People, shared: Path) -> None:
    before = contents(shared)
    for first, second in ((people.ben, people.anna), (people.anna, people.ben)):
        result = done(first, "crop", shared / JPEG, *BOX)
        assert (result["status"], result["degraded"], result["psnr"]) == ("cropped", None, None)
        assert contents(shared)[JPEG] == result["sha256_after"] != before[JPEG]
        assert owner(shared / JPEG) == (first.uid, people.anna.gid)
        (back,) = done(second, "undo", shared, JPEG)["results"]
        assert back["status"] == "restored"
        assert contents(shared) == before
        assert owner(shared / JPEG) == (second.uid, people.anna.gid)
        assert done(second, "fsck", shared)["ok"]


def test_a_batch_on_a_colleagues_images_is_taken_back_by_each(people: People, shared: Path) -> None:
    before = contents(shared)
    run = done(people.ben, "batch", shared, "-p", "source", "suggestions")
    assert run["state"] == "finished"
    changed = {name for name, now in contents(shared).items() if now != before[name]}
    assert JPEG in changed
    assert OTHER in changed
    (back,) = done(people.anna, "undo", shared, JPEG)["results"]
    assert back["status"] == "restored"
    left = len(changed) - 1
    results = done(people.ben, "undo", shared, "--last", str(left))["results"]
    assert {each["status"] for each in results} == {"restored"}
    assert contents(shared) == before
    for user in (people.anna, people.ben):
        assert done(user, "fsck", shared)["ok"]
        assert done(user, "history", shared)


def test_an_access_list_is_kept_by_whoever_crops_and_undoes(people: People, shared: Path) -> None:
    try:
        os.setxattr(shared / OTHER, ACCESS_LIST, access_list(6, 6))
        os.setxattr(shared, LIST_OF_NEW, access_list(7, 7))
    except OSError:
        pytest.skip("this file system has no access lists")
    before = {name: read(shared / name) for name in (OTHER, JPEG)}
    for name in (OTHER, JPEG):
        for first, second in ((people.ben, people.anna), (people.anna, people.ben)):
            done(first, "crop", shared / name, *BOX)
            assert read(shared / name) == before[name]
            done(second, "undo", shared, name)
            assert read(shared / name) == before[name]
