"""Which images are meant: those of a whole collection, of one folder in it, or a choice of them.

The state is the collection's own either way, and names are relative to the collection. `Scope` is
the one place that tells whether an image belongs to what a person has named.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from cropkit.errors import InsideCollection, NotMergeable, PathOutsideRoot
from cropkit.system import state_folder, state_place
from cropkit.system.files import is_beneath
from cropkit.system.only import Only
from cropkit.system.state_place import StatePlace


@dataclass(frozen=True, slots=True)
class Scope:
    """A collection, or a part of it.

    Parameters
    ----------
    root : of the collection
    part : the folder in it that is meant, relative to it; '' for all of it
    elsewhere : the folder that holds its `.cropkit`, where that is not its own
    only : which of these are meant; None: all
    """

    root: Path
    part: str = ""
    elsewhere: Path | None = None
    only: Only | None = None

    @property
    def state(self) -> Path:
        """The folder that holds `.cropkit`."""
        return self.elsewhere or self.root

    @property
    def folder(self) -> Path:
        """The folder that is meant."""
        return self.root / self.part

    @property
    def is_whole(self) -> bool:
        """Whether the whole collection is meant."""
        return not self.part and self.only is None

    @property
    def title(self) -> str:
        """How it is called where there is little room."""
        folder = f"{self.root.name}/{self.part}" if self.part else self.root.name
        return folder if self.only is None else f"{folder} · {self.only}"

    @property
    def whole(self) -> "Scope":
        """The whole collection."""
        return replace(self, part="", only=None)

    @property
    def unchosen(self) -> "Scope":
        """The same folder with all that is in it."""
        return replace(self, only=None)

    def __str__(self) -> str:
        """Say in one line what is meant."""
        chosen = "" if self.only is None else f"; of that only {self.only}"
        if not self.part:
            return f"{self.root} is a collection{chosen}"
        part = f"{self.folder} is a part of the collection {self.root}: only that part is meant"
        return part + chosen

    def holds(self, name: str) -> bool:
        """Whether an image, named relative to the collection, is meant."""
        return is_beneath(name, self.part) and (self.only is None or self.only.holds(name))

    def check(self, name: str) -> None:
        """Refuse an image that is not meant.

        Raises
        ------
        PathOutsideRoot
            It is elsewhere in the collection.
        """
        if not self.holds(name):
            chosen = "" if self.only is None else f" ({self.only})"
            raise PathOutsideRoot(name, f"{self.folder}{chosen}")

    def check_is_inside(self, inner: object) -> None:
        """Refuse a state that lies elsewhere for what joins another one to it.

        Raises
        ------
        NotMergeable
            Nothing was changed.
        """
        if self.elsewhere is not None:
            raise NotMergeable(inner, f"the state around it lies elsewhere, in {self.elsewhere}")

    def check_is_whole(self) -> None:
        """Refuse a part for what concerns the whole collection.

        Raises
        ------
        InsideCollection
            Nothing was changed.
        """
        if not self.is_whole:
            raise InsideCollection(self.folder, self.root, "this holds for all of it")


def scope_of(folder: Path, state: Path | None = None) -> Scope:
    """Return what a folder stands for: a collection, there or to be made, or a part of one.

    Parameters
    ----------
    state : the folder that holds the `.cropkit` of the collection, where a person has named one

    Raises
    ------
    MissingFile, NotAFolder, AuditUnavailable
        It is no folder, or one may not look.
    InsideCollection
        It is hidden in a collection, where no image is looked for.
    BadStatePlace, ForeignState
        The state cannot be what was named, or what is there.
    """
    state_folder.check_is_folder(folder)
    return scope_at(folder, state_place.located(folder.resolve(), state))


def scope_at(folder: Path, place: StatePlace) -> Scope:
    """Return what a folder stands for whose state is known.

    Raises
    ------
    InsideCollection
        As `scope_of`.
    """
    names = folder.resolve().relative_to(place.folder).parts
    if any(name.startswith(".") for name in names):
        raise InsideCollection(folder, place.folder, "no image is looked for in a hidden folder")
    elsewhere = None if place.state == place.folder else place.state
    return Scope(place.folder, "/".join(names), elsewhere)
