"""Where a planned name lies: beneath the collection, its state, or a destination of this person's.

A name comes from a row of the database, and a collection may have been made by an enemy. So a name
is looked for in three kinds of places only: the collection, its `.cropkit` wherever that lies, and
the folders that the person at work has named as destinations. In each of them it is walked to one
component at a time, and no link is followed.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from cropkit.audit.operation import Operation, OperationKind
from cropkit.audit.reader import TrailReader
from cropkit.errors import DestinationGone, PathOutsideRoot, SecondState, SourceReadOnly
from cropkit.system import destinations, state_place
from cropkit.system.files import Identity, Root, is_beneath, not_writable
from cropkit.system.home import ASIDE, HOME, ORIGINALS, REJECTED, REMOVED, STAGE

# The names among cropkit's own files that operations are about.
_OURS = re.compile(
    rf"{ORIGINALS}/[0-9a-f]{{64}}$|{STAGE}/[0-9a-f]{{32}}\.\w+$|(?:{REJECTED}|{REMOVED})/"
)


def locations_of(trail: TrailReader) -> "Locations":
    """Return where the names of a trail lie, for this person.

    Raises
    ------
    PersonalStateUnusable
        Which destinations they have named is not known.
    """
    named = destinations.named(trail.scope.root)
    if trail.scope.elsewhere is None:
        return Locations(trail.root, named)
    return Locations(Root(trail.scope.root, trail.root.system), named, trail.root)


class Locations:
    """Finds planned names on disk.

    Parameters
    ----------
    root : the collection
    elsewhere : absolute folders, resolved, that this person has named as destinations; other
        absolute names are refused, whoever wrote them
    state : the folder that holds `.cropkit`, where that is not the collection
    second_to : the first state of the collection, where this one must not crop in place beside it
    """

    def __init__(
        self,
        root: Root,
        elsewhere: Iterable[Path] = (),
        state: Root | None = None,
        second_to: Path | None = None,
    ) -> None:
        self.root = root
        self.state = state or root
        self._second_to = second_to
        self._identified = self.state is root
        self._elsewhere = {folder: Root(folder, root.system) for folder in elsewhere}

    def allow(self, folder: Path) -> None:
        """Let names lead to one more folder that this person has named."""
        self._elsewhere.setdefault(folder, Root(folder, self.root.system))

    def locate(self, name: str) -> tuple[Root, str]:
        """Return the root and the path beneath it of a planned name.

        Raises
        ------
        PathOutsideRoot
            It lies elsewhere, or among cropkit's own files. Nothing was looked at.
        """
        root, path = self._beneath(name)
        ours = _OURS.match(path) if root is self.state else None
        inner = path[ours.end() :] if ours else path
        if HOME in inner.casefold().split("/"):  # some file systems know no case
            raise PathOutsideRoot(name, root.path)
        return root, path

    def _beneath(self, name: str) -> tuple[Root, str]:
        if not name.startswith("/"):
            return self.state if name.startswith(f"{HOME}/") else self.root, name
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
        for companion in operation.companions:
            if companion.aside and not is_beneath(companion.aside, ASIDE):
                raise PathOutsideRoot(companion.aside, self.root.path)

    def check_may_change(self, name: str) -> None:
        """Refuse to change an image's folder from a state elsewhere that must not, or cannot.

        Raises
        ------
        SecondState, SourceReadOnly
            Nothing was written.
        """
        if self._second_to is not None:
            raise SecondState(name, self._second_to)
        if self.root is not self.state:
            folder = self.root.path / name.rpartition("/")[0]
            lacking = not_writable(folder)
            if lacking is not None:
                raise SourceReadOnly(name, lacking)

    def identify(self) -> None:
        """Let a collection that is changed be known again where it was moved to, once."""
        if not self._identified:
            state_place.identify(self.root.path, self.state.path, self.root.system)
            self._identified = True

    def check_room(self, operation: Operation, size: int) -> None:
        """Refuse an operation on a file of so many bytes that there is no room for.

        Raises
        ------
        NoSpace
            Nothing was written.
        """
        self.state.check_room(operation.source, 3 * size)
        there, _ = self.locate(operation.target)
        if there is self.root and there is not self.state:
            there.check_room(operation.source, size)

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
        """Make the folder that a planned name will be in, durably.

        Raises
        ------
        DestinationGone
            The destination that it would be in was removed or renamed; nothing was made in its
            place, which may be where a disk is mounted.
        """
        root, path = self.locate(name)
        if root not in (self.root, self.state) and not root.path.is_dir():
            raise DestinationGone(name, root.path)
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
        yield from filter(None, (companion.source, companion.target, companion.aside))
