"""A chunk of decisions as another process takes it up: in its own session, and again at will.

An executor may run a task twice, or hand it on while the first one to have it is still at it. Both
are harmless: claims let one of them crop, and the other tell how that ended. What keeps two apart
is held by the kernel (locks) and by SQLite in memory that processes share, so it holds on one host
alone: whoever is asked looks first whether it is there, and refuses before it opens anything. Other
hosts may take part where the trail is on a server, and its folders on a file system that they share
(`system/shared_file_system.py`): they look whether theirs are the same, by inode and trail.
"""

import os
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from cropkit._version import __version__
from cropkit.audit import places
from cropkit.errors import UnfitWorker
from cropkit.records import CropResult
from cropkit.system import shared_file_system
from cropkit.system.mounts import mount_of
from cropkit.system.scope import Scope
from cropkit.workers.opening import Opening

_Answer = TypeVar("_Answer")
_LOADED_IN = os.getpid()
_FORKED = (
    "it was forked with what another process had open: have an executor start its processes by "
    '`multiprocessing.get_context("spawn")`'
)
_BOOT = Path("/proc/sys/kernel/random/boot_id")  # random(4): of this kernel, as long as it runs


class Site(NamedTuple):
    """Where work belongs: a version, a running kernel, and folders by name, device and inode.

    Parameters
    ----------
    state : the folder of a collection's state, where other hosts may work on it, too; else ''
    schema : of its trail on a server; '' while there is none
    """

    version: str
    host: str
    boot: str
    folders: tuple[tuple[str, int, int], ...]
    state: str = ""
    schema: str = ""

    @classmethod
    def of(cls, *folders: Path) -> Self:
        """Return where this process is, and which folders are meant."""
        seen = [(str(each), each.stat()) for each in dict.fromkeys(folders)]
        found = tuple((name, each.st_dev, each.st_ino) for name, each in seen)
        return cls(__version__, socket.gethostname(), kernel_boot(), found)

    @classmethod
    def of_scope(cls, scope: Scope, trail: str | None = None) -> Self:
        """Return the place of a collection; a state that is not made yet is left out.

        Parameters
        ----------
        trail : where a person wants it, as `Collection` has it

        Raises
        ------
        AuditUnavailable, ForeignState, BadTrail, NotInstalled
            Where its trail is cannot be told.
        """
        site = cls.of(*(each for each in (scope.root, scope.state) if each.is_dir()))
        if any(map(_keeps_apart_no_hosts, (name for name, *_ in site.folders))):
            return site
        place = places.wanted(scope.state, trail)
        if place is None:
            return site
        schema = place.schema if places.is_elsewhere(scope.state) else ""
        return site._replace(state=str(scope.state), schema=schema)


class Done(NamedTuple):
    """What became of a chunk, and how long that took."""

    results: Sequence[CropResult]
    seconds: float


def check_fits(site: Site) -> None:
    """Refuse to work elsewhere than where it belongs.

    Raises
    ------
    UnfitWorker
        Another version, host or folder: nothing was opened.
    """
    reason = _misfit(Site(*site))
    if reason is not None:
        raise UnfitWorker(f"{socket.gethostname()} (process {os.getpid()})", reason)


def called_here(site: Site, function: Callable[..., _Answer], /, *arguments: object) -> _Answer:
    """Call a function, if this is where it belongs.

    Raises
    ------
    UnfitWorker
        It is not: it was not called.
    """
    check_fits(site)
    return function(*arguments)


def carried_out(site: Site, opening: Opening, decisions: Sequence[str]) -> Done:
    """Carry decisions out as any other session does; those that were carried out are told.

    Raises
    ------
    UnfitWorker
        It is not for this process: nothing was opened.
    AuditError
        Work must stop; what was carried out before is recorded.
    """
    check_fits(site)
    begun = time.monotonic()
    with opening.opened() as collection:
        results = collection.apply_waiting(decisions=decisions)
    return Done(results, time.monotonic() - begun)


def _misfit(site: Site) -> str | None:
    if os.getpid() != _LOADED_IN:
        return _FORKED  # SQLite's locks and ours are not a child's to have
    if site.version != __version__:
        return f"it has cropkit {__version__}, and {site.version} asks"
    is_elsewhere = site.boot != kernel_boot()
    if is_elsewhere and not site.state:
        return f"it is on another host than {site.host}, where the collection is at work"
    for name, device, inode in site.folders:
        if not _is_there(name, None if is_elsewhere else device, inode):
            return f"{name} is not there the folder that it is on {site.host}"
    return _unlike(site) if is_elsewhere else None


def _is_there(name: str, device: int | None, inode: int) -> bool:
    """Whether a folder is the one that is meant; each host numbers devices as it likes."""
    try:
        there = Path(name).stat()
    except OSError:
        return False
    return there.st_ino == inode and device in (None, there.st_dev)


def _unlike(site: Site) -> str | None:
    """Say why the folders of this host are not the ones that another host shares with it."""
    for name, *_ in site.folders:
        if lacking := _keeps_apart_no_hosts(name):
            return f"{name} is not shared there: {lacking}"
    record = places.recorded(Path(site.state)) if site.schema else None
    if site.schema and (record is None or record.schema != site.schema):
        return f"{site.state} has there another trail than on {site.host}"
    return None


def _keeps_apart_no_hosts(folder: str) -> str | None:
    return shared_file_system.lack(mount_of(Path(folder)))


def kernel_boot() -> str:
    """Return what tells the kernel that runs here from every other one."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:  # not Linux's /proc: a host's name is what is left
        return socket.gethostname()
