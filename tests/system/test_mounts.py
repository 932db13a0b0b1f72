"""Which file system holds a folder is known whatever the names of mount points are."""

import os
from pathlib import Path

import pytest

from cropkit.system import mounts
from cropkit.system.mounts import file_system_type, times_tell

# as the kernel writes it: space, tabulator, newline and backslash in octal, all else as it is
_TABLE = b"""\
22 1 253:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 22 0:40 / /mnt/a\\040b rw - nfs4 server:/a rw
32 22 0:41 / /mnt/m\xc3\xbcller rw master:2 - nfs4 server:/b rw
33 22 0:42 / /mnt/\xff rw - fuse.sshfs host: rw
34 22 0:43 / /mnt/back\\134slash rw - cifs //server/c rw
35 22 0:44 / /mnt/\xe2\x80\xa8line\rends\x0c rw - 9p d rw
36 22 0:45 / /srv/covered rw - nfs4 server:/e rw
37 22 0:46 / /srv/covered rw - xfs /dev/vdb rw
"""


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mountinfo"
    path.write_bytes(_TABLE)
    monkeypatch.setattr(mounts, "MOUNTS", path)
    return path


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        (b"/home", "ext4"),
        (b"/mnt/a b/pictures", "nfs4"),
        ("/mnt/müller/pictures".encode(), "nfs4"),
        (b"/mnt/\xff", "fuse.sshfs"),
        (b"/mnt/back\\slash", "cifs"),
        ("/mnt/\u2028line\rends\x0c".encode(), "9p"),
        (b"/srv/covered", "xfs"),
        (b"/srv/covered2", "ext4"),
    ],
)
def test_a_mount_point_may_have_any_name(folder: bytes, kind: str) -> None:
    assert file_system_type(Path(os.fsdecode(folder))) == kind


def test_where_the_system_does_not_say_nothing_is_believed(table: Path) -> None:
    table.unlink()
    assert file_system_type(Path("/home")) == ""
    assert not times_tell(Path("/home"))
