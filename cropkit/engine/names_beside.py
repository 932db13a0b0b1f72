"""The names beside an image, kept while its folder stays as it is.

Whatever follows an image has its stem, with any suffix: so it cannot be asked for by name, and its
folder has to be listed. To list it for each image of a folder of 100,000 would take hours where all
are copied, and nothing changes there. So the names are kept, by stem, as long as the folder's time
tells that they are the same ("racy git", as in `kept_listing`). Where each image is taken away, as
a move does, the folder is listed each time.
"""

import os
import time
from dataclasses import dataclass
from pathlib import PurePosixPath

from cropkit.engine.kept_listing import SETTLED
from cropkit.system import mounts
from cropkit.system.files import Root

STAGE = "_stage"  # the previous tool's: what is before it in a stem names a group of images


def group_of(stem: str) -> str:
    """Return the part of a stem that an image shares with the others of its group."""
    return stem.partition(STAGE)[0]


@dataclass(slots=True)
class _Kept:
    """A folder's names; by group once they have been asked for again."""

    folder: str
    changed: int
    names: list[str]
    by_group: dict[str, list[str]] | None = None

    def like(self, name: str) -> list[str]:
        if self.by_group is None:
            by_group: dict[str, list[str]] = {}
            for each in self.names:
                by_group.setdefault(_group_in(each), []).append(each)
            self.by_group = by_group
        return self.by_group.get(_group_in(name), [])


class NamesBeside:
    """The names in the folders of a collection's images; one folder's are kept."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self._kept: _Kept | None = None

    def like(self, path: str) -> list[str]:
        """Return all names beside an image that may be of its group, sorted; its own, too.

        Raises
        ------
        MissingFile, PathOutsideRoot, ReadOnly, WriteFailed
            The folder cannot be listed.
        """
        folder, _, name = path.rpartition("/")
        changed = self.root.changed_at(folder)
        kept = self._kept
        if kept is not None and (kept.folder, kept.changed) == (folder, changed):
            return kept.like(name)
        now, names = time.time_ns(), self.root.beside(path)
        self._kept = None
        if changed + int(SETTLED * 1e9) <= now and mounts.times_tell(self.root.path / folder):
            self._kept = _Kept(folder, changed, names)
        return names


def _group_in(name: str) -> str:
    return group_of(os.path.splitext(name)[0])  # noqa: PTH122  (a path for each name takes longer than all else)


def of_stem(image: PurePosixPath, names: list[str]) -> list[str]:
    """Return the other names of an image's stem: few among as many as a folder has."""
    likely = (n for n in names if n.startswith(image.stem) and n != image.name)
    return [n for n in likely if PurePosixPath(n).stem == image.stem]
