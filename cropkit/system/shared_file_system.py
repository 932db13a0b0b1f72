"""Whether several machines may work in one folder: on which file system, and mounted how.

Asked of a state whose trail is on a server. What else it rests on has to hold on all of them: a
lock that excludes, a rename and a link that are whole, a call that is done when it was answered and
not done later, and a file that is asked for when it is opened. NFS promises them since 4.1 (RFC
8881: sessions, 2.10; locks, 9) where it is not mounted in a way that gives one of them up (nfs(5)).
"""

from cropkit.system.mounts import Mount

_KIND = "nfs4"
_VERSIONS = ("4.1", "4.2")
_GIVEN_UP = {
    **dict.fromkeys(("soft", "softerr"), "a call that was given up may be done later"),
    "nocto": "a file that another machine has changed is not asked for",
    **dict.fromkeys(
        ("nolock", "local_lock=all", "local_lock=flock", "local_lock=posix"),
        "a lock excludes no other machine",
    ),
}


def lack(mount: Mount) -> str | None:
    """Say why machines would not be kept apart on a file system, None where they are."""
    if mount.kind != _KIND:
        return f"{mount.kind} is not known to keep machines apart"
    version = mount.option("vers")
    if version not in _VERSIONS:
        return f"NFS {version or 'of a version that it does not tell'} has no sessions"
    given_up = next((each for each in mount.options if each in _GIVEN_UP), None)
    return None if given_up is None else f"mounted with {given_up}, {_GIVEN_UP[given_up]}"
