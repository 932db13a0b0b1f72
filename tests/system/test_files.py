import errno
import os
from pathlib import Path

import pytest
from faults import Faulty

from cropkit.errors import (
    CropkitError,
    MissingFile,
    NameTaken,
    NoSpace,
    NotRegularFile,
    PathOutsideRoot,
    ReadOnly,
    WriteFailed,
)
from cropkit.system.attributes import Attributes
from cropkit.system.files import Root, split_beneath

PLAIN = Attributes(0o640, os.getuid(), os.getgid(), 0)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"content")
    (tmp_path / "secret.png").write_bytes(b"not yours")
    return Root(tmp_path / "in")


def test_what_is_read_comes_with_hash_identity_and_attributes(root: Root) -> None:
    (root.path / "a.png").chmod(0o604)
    found = root.read("a.png")
    assert found.data == b"content"
    assert found.sha256 == root.digest("a.png")
    assert found.attributes.mode == 0o604
    assert found.identity.same_file(root.identity("a.png"))


@pytest.mark.parametrize(
    "path",
    ["../secret.png", "", ".", "x/../../secret.png", "/etc/passwd", "a//b", "a\0b", "./a.png"],
)
def test_no_path_leaves_the_root(root: Root, path: str) -> None:
    with pytest.raises(PathOutsideRoot):
        root.read(path)


def test_a_linked_folder_is_not_entered(root: Root, tmp_path: Path) -> None:
    (root.path / "out").symlink_to(tmp_path)
    with pytest.raises(PathOutsideRoot):
        root.read("out/secret.png")


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_only_regular_files_are_read(root: Root, tmp_path: Path, kind: str) -> None:
    path = root.path / "odd.png"
    match kind:
        case "link":
            path.symlink_to(tmp_path / "secret.png")
        case "folder":
            path.mkdir()
        case _:
            os.mkfifo(path)
    with pytest.raises(NotRegularFile):
        root.read("odd.png")


def test_a_new_file_carries_mode_and_extended_attributes(root: Root) -> None:
    try:
        os.setxattr(root.path / "a.png", "user.note", b"kept")
    except OSError:
        pytest.fail("the temporary folder's file system has no extended attributes")
    like = root.read("a.png").attributes
    assert root.write_new("b.png", b"new", like) == ()
    assert root.read("b.png").attributes.xattrs == (("user.note", b"kept"),)
    assert root.read("b.png").attributes.mode == like.mode


def test_attributes_survive_json() -> None:
    like = Attributes(0o640, 1, 2, 3, (("user.note", b"\x00\xff"),))
    assert Attributes.from_json(like.to_json()) == like


@pytest.mark.parametrize(
    "field",
    [
        {"mtime_ns": 10**30},
        {"atime_ns": -(10**30)},
        {"xattrs": [["user.\0", ""]]},
        {"xattrs": [["user.\ud800", ""]]},
    ],
)
def test_attributes_that_no_file_can_have_are_refused(field: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no file|no extended|surrogates"):
        Attributes.from_json(PLAIN.to_json() | field)


def test_the_latest_time_of_all_can_be_set(tmp_path: Path) -> None:
    """The file system keeps the nearest that it can."""
    (tmp_path / "a").touch()
    latest = (2**63 - 1) * 10**9
    times = Attributes.from_json(PLAIN.to_json() | {"mtime_ns": latest}).times
    Root(tmp_path).set_times("a", times)
    assert (tmp_path / "a").stat().st_mtime_ns > 0


def test_an_existing_name_is_never_written_over(root: Root) -> None:
    with pytest.raises(WriteFailed):
        root.write_new("a.png", b"other", PLAIN)
    root.write_new("b.png", b"new", PLAIN)
    with pytest.raises(NameTaken):
        root.link("b.png", root, "a.png")
    assert (root.path / "a.png").read_bytes() == b"content"


def test_a_name_that_is_not_there_has_no_digest_and_no_identity(root: Root) -> None:
    assert root.digest("none.png") is None
    assert root.identity("none/none.png") is None
    with pytest.raises(MissingFile):
        root.unlink("none.png")
    root.unlink("none.png", missing_ok=True)


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.EACCES, ReadOnly),
        (errno.EROFS, ReadOnly),
        (errno.ENOSPC, NoSpace),
        (errno.EDQUOT, NoSpace),
        (errno.EIO, WriteFailed),
        (errno.EMFILE, WriteFailed),
    ],
)
@pytest.mark.parametrize("effect", ["write", "fsync", "link", "replace"])
def test_what_the_system_says_becomes_an_error_of_the_tree(
    tmp_path: Path, number: int, error: type[CropkitError], effect: str
) -> None:
    def fail(name: str) -> None:
        if name == effect:
            raise OSError(number, os.strerror(number))

    system = Faulty(1, fail, persistent=True)
    root = Root(tmp_path, system)
    (tmp_path / "a.png").write_bytes(b"content")
    system.armed = True
    system.number = 0
    with pytest.raises(error):
        _do(root, effect)


def _do(root: Root, effect: str) -> None:
    match effect:
        case "write":
            root.write_new("b.png", b"new", PLAIN)
        case "fsync":
            root.sync("a.png")
        case "link":
            root.link("a.png", root, "b.png")
        case _:
            root.replace("a.png", "b.png")


def test_a_short_write_is_continued(tmp_path: Path) -> None:
    class Slow(Faulty):
        @staticmethod
        def write(fd: int, data: memoryview) -> int:
            return os.write(fd, data[:3])

    root = Root(tmp_path, Slow(-1, lambda _name: None))
    root.write_new("a.png", b"0123456789", PLAIN)
    assert (tmp_path / "a.png").read_bytes() == b"0123456789"


def test_paths_are_named_relative_to_the_collection(root: Root, tmp_path: Path) -> None:
    assert split_beneath(root.path, root.path / "x" / "a.png") == "x/a.png"
    assert split_beneath(root.path, "a.png") == "a.png"
    (root.path / "out").symlink_to(tmp_path)
    for outside in ("../secret.png", tmp_path / "secret.png", "out/secret.png"):
        with pytest.raises(PathOutsideRoot):
            split_beneath(root.path, outside)


def test_room_is_checked_with_a_reserve(root: Root) -> None:
    root.check_room("a.png", 1)
    with pytest.raises(NoSpace):
        root.check_room("a.png", root.free_bytes())


def test_a_file_is_for_this_user_alone_while_it_is_written(tmp_path: Path) -> None:
    modes = []

    class Watched(Faulty):
        @staticmethod
        def write(fd: int, data: memoryview) -> int:
            modes.append(os.fstat(fd).st_mode & 0o777)
            return os.write(fd, data)

    before = os.umask(0)
    try:
        Root(tmp_path, Watched(-1, lambda _name: None)).write_new("a.png", b"content", PLAIN)
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == PLAIN.mode


@pytest.mark.parametrize("change", ["written", "swapped"])
def test_a_file_that_was_changed_is_not_the_same(root: Root, change: str) -> None:
    path = root.path / "a.png"
    before = root.identity("a.png")
    assert before is not None
    assert before.same_file(root.identity("a.png"))
    if change == "written":
        os.utime(path, ns=(0, 0))
    else:
        (root.path / "b.png").write_bytes(b"content")
        (root.path / "b.png").replace(path)
    assert not before.same_file(root.identity("a.png"))


def test_the_times_of_a_file_are_those_of_access_and_of_change() -> None:
    known = Attributes(0o640, 0, 0, 20, atime_ns=10)
    assert known.times == (10, 20)
    assert Attributes(0o640, 0, 0, 20).times == (20, 20)


def test_an_attribute_of_the_persons_own_is_never_left_out_in_silence(tmp_path: Path) -> None:
    class Forbidding(Faulty):
        @staticmethod
        def setxattr(_fd: int, name: str, _value: bytes) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted", name)

    root = Root(tmp_path, Forbidding(-1, lambda _name: None))
    own = Attributes(0o640, os.getuid(), os.getgid(), 0, (("user.note", b"kept"),))
    with pytest.raises(ReadOnly):
        root.write_new("a.png", b"content", own)
    systems = Attributes(0o640, os.getuid(), os.getgid(), 0, (("security.label", b"x"),))
    assert root.write_new("b.png", b"content", systems) == ("extended attribute security.label",)
