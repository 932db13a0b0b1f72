"""Where a planned name lies: beneath the collection, or beneath a destination of this person's.

A name comes from a row of the database, and a collection may have been made by an enemy. So a name
is looked for in two kinds of places only: the collection, and the folders that the person at work
has named as destinations. In each of them it is walked to one component at a time, and no link is
followed.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from cropkit.audit.operation import Operation, OperationKind
from cropkit.errors import PathOutsideRoot
from cropkit.system.files import Identity, Root, is_beneath
from cropkit.system.home import HOME, ORIGINALS, REJECTED, REMOVED, STAGE

# The names among cropkit's own files that operations are about.
_OURS = re.compile(
    rf"{ORIGINALS}/[0-9a-f]{{64}}$|{STAGE}/[0-9a-f]{{32}}\.\w+$|(?:{REJECTED}|{REMOVED})/"
)


class Locations:
    """Finds planned names on disk.

    Parameters
    ----------
    root : the collection
    destinations : absolute folders, resolved, that this person has named; other absolute names are
        refused, whoever wrote them
    """

    def __init__(self, root: Root, destinations: Iterable[Path] = ()) -> None:
        self.root = root
        self._elsewhere = {folder: Root(folder, root.system) for folder in destinations}

    def locate(self, name: str) -> tuple[Root, str]:
        """Return the root and the path beneath it of a planned name.

        Raises
        ------
        PathOutsideRoot
            It lies elsewhere, or among cropkit's own files. Nothing was looked at.
        """
        root, path = self._beneath(name)
        ours = _OURS.match(path) if root is self.root else None
        inner = path[ours.end() :] if ours else path
        if HOME in inner.casefold().split("/"):  # some file systems know no case
            raise PathOutsideRoot(name, root.path)
        return root, path

    def _beneath(self, name: str) -> tuple[Root, str]:
        if not name.startswith("/"):
            return self.root, name
        for folder, root in self._elsewhere.items():
            if PurePosixPath(name).is_relative_to(folder):
                return root, name.removeprefix(str(folder)).lstrip("/")
        raise PathOutsideRoot(name, self.root.path)

    def check(self, operation: Operation) -> None:
        """Refuse an operation of which any name leads elsewhere, before its first effect.

        A kept original is a name of it only where that is brought back, or purged.

        Raises
        ------
        PathOutsideRoot
            As `locate`.
        """
        own = _kept_original(operation)
        for name in _names(operation):
            self.locate(name)
            if is_beneath(name, ORIGINALS) and name != own:
                raise PathOutsideRoot(name, self.root.path)

    def digest(self, name: str) -> str | None:
        """SHA-256 of a planned name's content, None when it is not there."""
        root, path = self.locate(name)
        return root.digest(path)

    def identity(self, name: str) -> Identity | None:
        """Which file a planned name stands for, None when it is not there."""
        root, path = self.locate(name)
        return root.identity(path)

    def holds(self, name: str, sha256: str | None) -> bool:
        """Whether a planned name stands for this content; None: for nothing."""
        return self.digest(name) == sha256

    def sync_folder(self, folder: str) -> None:
        """Make the names in a planned folder durable."""
        root, path = self._beneath(f"{folder}/-".removeprefix("./"))
        root.sync_folder(path.rpartition("/")[0])

    def make_folder_of(self, name: str) -> None:
        """Make the folder that a planned name will be in, durably."""
        root, path = self.locate(name)
        above = path.rpartition("/")[0]
        if above:
            root.make_folder(above)


def _kept_original(operation: Operation) -> str | None:
    """Return the name of the kept original that an operation is about, if it may be about one."""
    is_purge = operation.kind is OperationKind.PURGE
    return operation.source if is_purge or operation.brings_back else None


def _names(operation: Operation) -> Iterator[str]:
    yield operation.source
    yield operation.target
    for companion in operation.companions:
        yield companion.source
        yield companion.target
