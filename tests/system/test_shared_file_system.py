"""Which file systems keep several machines apart, by what they say of themselves."""

import pytest

from cropkit.system.mounts import Mount
from cropkit.system.shared_file_system import lack

# as mountinfo has them: NFS of Linux 6
_REST = "rw,vers={},rsize=262144,namlen=255,{},proto=tcp,timeo=600,sec=sys,local_lock={},addr=::1"


def nfs(version: str = "4.2", way: str = "hard", local: str = "none", kind: str = "nfs4") -> Mount:
    return Mount(kind, tuple(_REST.format(version, way, local).split(",")))


@pytest.mark.parametrize("version", ["4.1", "4.2"])
def test_nfs_with_sessions_keeps_them_apart(version: str) -> None:
    assert lack(nfs(version)) is None


@pytest.mark.parametrize(
    ("mount", "why"),
    [
        (nfs("4.0"), "NFS 4.0 has no sessions"),
        (Mount("nfs4", ("rw", "hard")), "NFS of a version that it does not tell has no sessions"),
        (nfs("3", kind="nfs"), "nfs is not known to keep machines apart"),
        (nfs(way="soft"), "mounted with soft, a call that was given up may be done later"),
        (nfs(way="softerr"), "mounted with softerr, a call that was given up may be done later"),
        (nfs(way="hard,nocto"), "mounted with nocto, a file that another machine has changed is"),
        (nfs(local="flock"), "mounted with local_lock=flock, a lock excludes no other machine"),
        (nfs(local="all"), "mounted with local_lock=all, a lock excludes no other machine"),
        (Mount("cifs", ("rw", "vers=3.1.1")), "cifs is not known to keep machines apart"),
        (Mount("fuse.sshfs"), "fuse.sshfs is not known to keep machines apart"),
        (Mount("lustre", ("rw", "flock")), "lustre is not known to keep machines apart"),
    ],
)
def test_what_does_not_is_named(mount: Mount, why: str) -> None:
    assert str(lack(mount)).startswith(why)
