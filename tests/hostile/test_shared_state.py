"""Who may own a `.cropkit` besides oneself is said by oneself: a folder's modes decide nothing."""

import json
import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pictures
import pytest
import users
from test_sharing import A, B, check_adopted, cropped, dies, group_of, run, share, undone
from users import People

from cropkit.errors import AuditUnavailable, ForeignState
from cropkit.system.home import EXPORT, HOME, OWNERS


@pytest.fixture
def people() -> Iterator[People]:
    with users.people() as there:
        yield there


def images_of(people: People, name: str) -> Path:
    """Images of Anna's, PNGs alone."""
    folder = pictures.write_folder(people.place / name)
    for path in folder.glob("*.jp*g"):
        path.unlink()
    return users.give(folder, people.anna)


def folder_of(people: People, name: str) -> Path:
    """The same, of which she has cropped one."""
    folder = images_of(people, name)
    people.anna.does(cropped, folder, A)
    return folder


@pytest.fixture
def shared(people: People) -> Path:
    folder = folder_of(people, "album")
    for user in (people.anna, people.ben):
        assert share(user, folder)[0] == 0
    return folder


def everything(folder: Path) -> dict[Path, tuple[int, ...]]:
    """What a folder holds, but for when it was read last."""
    looks = {path: path.lstat() for path in folder.rglob("*")}
    return {p: (s.st_mode, s.st_uid, s.st_gid, s.st_size, s.st_ctime_ns) for p, s in looks.items()}


def refuses(people: People, folder: Path, reason: str) -> str:
    """Hold Ben not to open a folder, to read or to write, and not to have changed it."""
    before = everything(folder)
    for words in (("crop", folder / B, "--box", "0,0,48,48"), ("history", folder)):
        code, _, told = people.ben.does(run, *words)
        assert code == 1
        assert "ForeignState: " in told
        assert reason in told
    assert everything(folder) == before
    return str(told)


def test_modes_and_a_group_make_nobody_a_colleague(people: People) -> None:
    folder = folder_of(people, "album")
    assert share(people.anna, folder)[0] == 0
    assert "`cropkit share`" in refuses(people, folder, "with whom you do not share it")


def test_what_one_shares_in_one_folder_says_nothing_of_another(
    people: People, shared: Path
) -> None:
    other = folder_of(people, "other")
    assert share(people.anna, other)[0] == 0
    refuses(people, other, "with whom you do not share it")
    shared.rename(people.place / "was shared")
    other.rename(shared)  # the very place, and of the very group: this is what was declared
    assert people.ben.does(run, "history", shared)[0] == 0


def owned_by_another(people: People, path: Path) -> str:
    os.chown(path, people.carl.uid, people.ben.gid)
    return "who is not in the group"


def of_another_group(people: People, path: Path) -> str:
    os.chown(path, people.anna.uid, people.carl.gid)
    return "which you do not share it with, may write"


def writable_by_all(_people: People, path: Path) -> str:
    path.chmod(stat.S_IMODE(path.lstat().st_mode) | stat.S_IWOTH)
    return "everybody may write to it"


@pytest.mark.parametrize("name", [HOME, OWNERS, EXPORT])
@pytest.mark.parametrize("change", [owned_by_another, of_another_group, writable_by_all])
def test_what_no_colleague_can_have_made_is_refused(
    people: People, shared: Path, name: str, change: Callable[[People, Path], str]
) -> None:
    refuses(people, shared, change(people, shared / name))


def test_a_link_in_a_shared_state_is_refused(people: People, shared: Path) -> None:
    (shared / HOME / "alerts.toml").symlink_to("/etc/passwd")
    refuses(people, shared, "a link")


def test_to_share_follows_no_link_and_gives_nothing(people: People) -> None:
    folder = folder_of(people, "album")
    diary = people.place / "diary"
    diary.write_text("dear diary")
    os.chown(diary, people.anna.uid, people.anna.gid)
    diary.chmod(0o600)
    (folder / HOME / "originals" / "deep").symlink_to(diary)
    code, _, told = share(people.anna, folder)
    assert (code, stat.S_IMODE(diary.stat().st_mode)) == (1, 0o600)
    assert ".cropkit/originals/deep is left as it is: a link, pipe or device" in told
    assert share(people.anna, folder, "--stop")[0] == 1
    (folder / HOME / "deep").symlink_to(diary)
    code, _, told = share(people.anna, folder)
    assert code == 1
    assert "ForeignState: " in told
    assert stat.S_IMODE((folder / HOME).stat().st_mode) == 0o700
    assert json.loads(share(people.anna, folder, "--json")[1])["trusted"] is None


def test_names_are_told_harmlessly(people: People) -> None:
    folder = folder_of(people, "album\x1b[2J")
    (folder / HOME / "owners" / "a\x1b[2J").symlink_to("/")
    for words in ((), ("--group", "no\x1b[2J")):
        _, said, told = share(people.anna, folder, *words)
        assert "\x1b" not in said + told
        _, said, told = people.ben.does(run, "share", folder, *words)
        assert "\x1b" not in said + told


def test_a_person_whose_own_state_is_not_theirs_trusts_nobody(people: People, shared: Path) -> None:
    (people.ben.state / "cropkit").chmod(0o777)
    refuses(people, shared, "with whom you share is not known")


def test_a_member_who_left_the_group_is_none(people: People, shared: Path) -> None:
    for path in (shared / HOME, *(shared / HOME).rglob("*")):
        os.chown(path, people.carl.uid, people.anna.gid)
    refuses(people, shared, "who is not in the group")


# -- what the administrator leaves -----------------------------------------------------------------


def test_the_administrator_makes_nothing_in_a_users_collection(people: People) -> None:
    folder = folder_of(people, "album")
    before = everything(folder)
    with pytest.raises(ForeignState):
        people.root.does(cropped, folder, B)
    assert everything(folder) == before
    assert people.anna.does(cropped, folder, B).ok


def test_what_the_administrator_was_killed_at_in_a_shared_one_is_settled(
    people: People, shared: Path
) -> None:
    assert share(people.root, shared, "--group", group_of(people.anna))[0] == 0
    people.root.does(cropped, shared, B)
    people.anna.does(undone, shared)  # the key of the administrator is known now
    for at in ("before replace", "after replace"):
        assert people.root.dies(dies, shared, B, at)[0] == -signal.SIGKILL
        assert 0 in {path.stat().st_uid for path in (shared / HOME).rglob("*")}
        check_adopted(people, shared)
        people.anna.does(undone, shared)


def test_a_state_that_the_administrator_made_is_told_with_its_cure(people: People) -> None:
    folder = images_of(people, "album")
    _, _, told = people.root.does(run, "crop", folder / A, "--box", "0,0,40,40")
    cure = told.rpartition(" needs `")[2].partition("`")[0]
    assert people.root.dies(dies, folder, B, "before replace")[0] == -signal.SIGKILL
    with pytest.raises(AuditUnavailable, match="belongs to user 0, who can share it"):
        people.anna.does(cropped, folder, A)
    assert os.system(cure) == 0  # noqa: S605  (what a person is told to run)
    assert people.anna.does(undone, folder)[0].ok
    assert people.anna.does(run, "adopt", folder, "--yes")[0] == 0
    assert people.anna.does(cropped, folder, B).ok
