"""The names in each folder of a collection, kept until that folder has changed.

They are kept in the person's own cache, not in `.cropkit`: whoever writes the folder cannot write
there, who may only read the folder has it too, and to look at a collection changes nothing in it.
A folder is looked up by device and inode, so that one that was moved is known again.

Kept are names alone: a file that is replaced, or written into, has no part in its folder's times.
Names are believed as long as the folder's device, inode and both its times are the same. No program
can set the time of change, and each name that comes or goes sets it; but a clock has ticks, and two
changes in one tick leave one time ("racy git"). So what had changed within `SETTLED` seconds before
it was listed is listed again. Where a file system's times do not tell
(`system.mounts.times_tell`), nothing is kept.
"""

import hashlib
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from time import time_ns
from typing import NamedTuple

from cropkit.errors import PersonalStateUnusable
from cropkit.formats.sniff import EXTENSIONS
from cropkit.system import mounts, personal_cache

SETTLED = 5.0  # seconds; FAT has ticks of two
LEAST = 5_000  # images: fewer are listed in the time that the file would take
_FORM = 1  # of the file, and of the order of the names
_BETWEEN = "\0"  # in no name
_CODING = ("utf-8", "surrogateescape")


class Stamp(NamedTuple):
    """Which folder it is, and when its names have changed; times in nanoseconds."""

    device: int
    inode: int
    modified: int
    changed: int

    def settled(self, now: int) -> bool:
        """Whether any change from `now` on will show in the times."""
        return max(self.modified, self.changed) + int(SETTLED * 1e9) <= now


class Names(NamedTuple):
    """What is in a folder: folders that are not hidden, and images; what is kept is in order."""

    folders: list[str]
    images: list[str]


Kept = Mapping[str, tuple[Stamp, Names]]
"""By folder, relative to the one that is listed."""


class KeptListing:
    """The names beneath one folder: those that were kept, and those that are listed anew.

    Parameters
    ----------
    scanned : lists a folder by its path
    """

    def __init__(self, top: Path, scanned: Callable[[str], Names]) -> None:
        self._scanned = scanned
        self._device, self._name = _identified(top)
        self.unusable: PersonalStateUnusable | None = None
        self._before = self._believed()
        self._now: dict[str, tuple[Stamp, Names]] = {}
        self._unordered: dict[str, Stamp] = {}

    def names(self, path: str, relative: str) -> Names:
        """Return what is in a folder, which is listed unless it is as it was.

        What has been listed is to be ordered, and to be told in order to `put`.

        Raises
        ------
        OSError
            It cannot be listed.
        """
        if self._name is None:
            return self._scanned(path)
        stamp = _stamp(path)
        known = self._before.get(relative)
        if known is not None and known[0] == stamp:
            self._now[relative] = known
            return known[1]
        now = time_ns()
        names = self._scanned(path)
        if stamp.device == self._device and stamp.settled(now) and _stamp(path) == stamp:
            self._unordered[relative] = stamp
        return names

    def is_ordered(self, relative: str) -> bool:
        """Whether a folder's images are in order: they were kept."""
        return relative in self._now

    def put(self, relative: str, names: Names) -> None:
        """Take what is in a folder, its images in order, where that can be kept."""
        stamp = self._unordered.pop(relative, None)
        if stamp is not None:
            self._now[relative] = stamp, names

    def keep(self) -> PersonalStateUnusable | None:
        """Keep what was listed anew, if anything was; return why it could not be kept."""
        enough = sum(len(names.images) for _, names in self._now.values()) >= LEAST
        if self._name is None or not enough or self._now.items() <= self._before.items():
            return None
        try:
            personal_cache.write(self._name, written(self._now))
        except PersonalStateUnusable as error:
            return error
        return None

    def _believed(self) -> Kept:
        try:
            data = None if self._name is None else personal_cache.read(self._name)
            return {} if data is None else read(data)
        except PersonalStateUnusable as error:
            self.unusable = error
            return {}
        except ValueError as error:
            self.unusable = PersonalStateUnusable(self._name, f"no listing: {error}")
            return {}


def written(kept: Kept) -> bytes:
    """Return the file: who can read it, the folders with their stamps, and all names."""
    table = [
        [folder, *stamp, len(names.folders), len(names.images)]
        for folder, (stamp, names) in kept.items()
    ]
    every = (_BETWEEN.join((*each.folders, *each.images)) for _, each in kept.values())
    head = json.dumps({"reader": _reader(), "folders": table})
    return "\n".join((head, _BETWEEN.join(filter(None, every)))).encode(*_CODING)


def read(data: bytes) -> Kept:
    """Read what `written` wrote; nothing where another version of us did.

    Raises
    ------
    ValueError
        It makes no sense.
    """
    head, _, rest = data.partition(b"\n")
    try:
        stated = json.loads(head)
        if stated["reader"] != _reader():
            return {}
        return _distributed(stated["folders"], rest.decode(*_CODING))
    except (TypeError, KeyError, IndexError, RecursionError) as error:
        raise ValueError(type(error).__name__) from error


def _distributed(table: list[list[object]], text: str) -> Kept:
    _check(text)
    names = iter(text.split(_BETWEEN) if text else ())
    kept = {str(row[0]): (Stamp(*map(_whole, row[1:5])), _taken(names, row)) for row in table}
    if next(names, None) is not None or len(kept) != len(table):
        msg = "more names than folders hold, or a folder twice"
        raise ValueError(msg)
    return kept


def _taken(names: Iterator[str], row: list[object]) -> Names:
    folders, images = _whole(row[5]), _whole(row[6])
    taken = Names(list(islice(names, folders)), list(islice(names, images)))
    if (len(taken.folders), len(taken.images)) != (folders, images):
        msg = "fewer names than folders hold"
        raise ValueError(msg)
    return taken


def _check(text: str) -> None:
    """Refuse what no listing has: a path, a hidden name, an empty one."""
    padded = f"{_BETWEEN}{text}{_BETWEEN}" if text else ""
    if any(wrong in padded for wrong in ("/", f"{_BETWEEN}.", _BETWEEN * 2)):
        msg = "a name that no image and no folder has"
        raise ValueError(msg)


def _whole(value: object) -> int:
    if type(value) is int and value >= 0:
        return value
    msg = "a number that is none"
    raise ValueError(msg)


def _reader() -> str:
    """Name what a listing depends on beside the folder: suffixes, order, how names are read."""
    parts = (_FORM, sorted(EXTENSIONS), sys.version_info[:2], sys.getfilesystemencoding())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _identified(top: Path) -> tuple[int, str | None]:
    """Return a folder's device, and the name to keep it under; None where times do not tell."""
    try:
        stamp = _stamp(str(top))
        known = mounts.times_tell(top)
    except OSError:
        return 0, None
    which = f"{os.uname().nodename} {stamp.device} {stamp.inode}"
    return stamp.device, personal_cache.name_for("listing", which) if known else None


def _stamp(folder: str) -> Stamp:
    status = os.stat(folder, follow_symlinks=False)  # noqa: PTH116  (a text: a path takes as long)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(folder)
    return Stamp(status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
