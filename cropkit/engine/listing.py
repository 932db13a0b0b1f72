"""A folder of images: which ones, in which order, and which files belong to each."""

import logging
import os
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from heapq import heappop, heappush
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar

from cropkit.engine.kept_listing import KeptListing, Names
from cropkit.engine.names_beside import NamesBeside, group_of, of_stem
from cropkit.engine.review_order import Natural, in_turn, natural, path_in_folder, runs
from cropkit.errors import PersonalStateUnusable
from cropkit.formats import EXTENSIONS
from cropkit.records import Problem, ProblemKind
from cropkit.system.home import HOME
from cropkit.system.scope import Scope

_SIDECAR = ".decision"

_log = logging.getLogger("cropkit")
_Content = TypeVar("_Content")


class Folder(NamedTuple):
    """A folder that can be read: its name, '' for the top, and what is in it."""

    name: str
    entries: list["os.DirEntry[str]"]
    is_collection: bool

    @property
    def files(self) -> list["os.DirEntry[str]"]:
        """Its images, but for hidden ones and links."""
        return [each for each in self.entries if _is_listed(each)]

    @property
    def images(self) -> list[str]:
        """Names of its images, but for hidden ones and links."""
        return [each.name for each in self.files]

    @property
    def paths(self) -> Iterator[str]:
        """Its images, relative to the collection."""
        return (f"{self.name}/{image}" if self.name else image for image in self.images)


class Listing(NamedTuple):
    """The images beneath a folder.

    ``unread`` are folders that could not be read, with the reason. ``problems`` tells of what was
    kept of an earlier listing, where that could not be used: the images are those of now.
    """

    images: list[str]
    unread: dict[str, str]
    problems: tuple[Problem, ...] = ()


class Stretch(NamedTuple):
    """Some images, as they follow one another; what was met on the way is told as in `Listing`."""

    images: list[str]
    unread: dict[str, str]
    problems: tuple[Problem, ...] = ()


def listed(scope: Scope, outputs: Iterable[str] = ()) -> Listing:
    """List the images of a collection, or a part, by the suffixes that `formats` knows.

    Hidden folders (`.cropkit` among them), hidden files, links and what is beneath an output are
    not listed. It is in review order: by folder, then by the time in the name, the stage and
    the name, with numbers in names compared as numbers. A folder that has not changed since it was
    listed is not listed again: see `kept_listing`.

    Parameters
    ----------
    outputs : folders that crops go to: relative to the collection where they are inside
    """
    images: list[str] = []
    unread: dict[str, str] = {}
    problems: tuple[Problem, ...] = ()
    for stretch in streamed(scope, outputs):
        images += stretch.images
        unread |= stretch.unread
        problems += stretch.problems
    return Listing(images, unread, problems)


def streamed(scope: Scope, outputs: Iterable[str] = ()) -> Generator[Stretch, None, None]:
    """Yield what `listed` lists, in its order, as soon as nothing can come before it.

    No folder is read before it is its turn, but those that it lies in: a stretch is what a folder
    has, or some of it where it has many, and may be empty. Whoever asks no further keeps nothing of
    the listing.

    Parameters
    ----------
    outputs : as `listed` takes them
    """
    left_out = {str(scope.root / output) for output in outputs}
    if any(scope.folder.is_relative_to(folder) for folder in left_out):
        return
    kept = KeptListing(scope.folder, _names_in)
    if kept.unusable is not None:
        yield Stretch([], {}, (_unusable(scope, kept.unusable),))
    unread: dict[str, str] = {}
    for alike in _walk(scope, left_out, unread, lambda *which: _with_folders(kept.names(*which))):
        for images in _in_order(kept, alike):
            yield Stretch(_chosen(scope, images), unread.copy())
            unread.clear()
    if (error := kept.keep()) is not None:
        _log.info("the listing of %s is not kept: %s", scope.folder, error)


def _chosen(scope: Scope, images: list[str]) -> list[str]:
    return images if scope.only is None else [each for each in images if scope.only.holds(each)]


def _unusable(scope: Scope, error: PersonalStateUnusable) -> Problem:
    return Problem(ProblemKind.LISTING, scope.part or ".", str(error))


def _in_order(kept: KeptListing, alike: list[tuple[str, Names]]) -> Iterator[list[str]]:
    """Yield the images of a folder in review order, or of several whose names are alike."""
    paths = (
        [_beneath(name, image) for image in run]
        for name, names in alike
        for run in _folder_in_order(kept, name, names)
    )
    alone = len(alike) == 1
    yield from paths if alone else [sorted(chain.from_iterable(paths), key=path_in_folder)]


def _folder_in_order(kept: KeptListing, name: str, names: Names) -> Iterator[list[str]]:
    if kept.is_ordered(name):
        yield from runs(names.images)
        return
    images: list[str] = []
    for run in in_turn(names.images):
        images += run
        yield run
    kept.put(name, Names(names.folders, images))


def _beneath(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def nested(root: Path) -> Iterator[str]:
    """Find collections inside a collection by their folders; no link is followed."""
    return (each.name for each in folders(root) if each.name and each.is_collection)


def folders(root: Path) -> Iterator[Folder]:
    """Walk through the folders of a collection; what cannot be read is left out."""
    return (folder for alike in _walk(Scope(root), (), {}, _entries_in) for _, folder in alike)


def companions(beside: NamesBeside, path: str) -> dict[str, bool]:
    """Find the files that follow an image: name -> whether its siblings still need it, too.

    They are all other files in its folder with the same stem, and the group sidecar of the previous
    tool (the stem up to `_stage`, with `.decision`), which stays as long as a sibling is there.

    Raises
    ------
    MissingFile, PathOutsideRoot, ReadOnly, WriteFailed
        The folder cannot be listed.
    """
    image = PurePosixPath(path)
    names = beside.like(path)
    same = of_stem(image, names)
    followers = {str(image.parent / name): False for name in same}
    group = group_of(image.stem)
    sidecar = f"{group}{_SIDECAR}"
    if group != image.stem and sidecar in names:
        rest = (n for n in names if n not in same and n != image.name)
        followers[str(image.parent / sidecar)] = any(_is_sibling(n, group) for n in rest)
    return followers


def tells_of_a_box(name: str) -> bool:
    """Whether a file that describes an image offers a box in its frame: a `.decision` sidecar.

    In a copy's frame that box is another one, and whoever opens the copies would be offered it. In
    place, and where a crop is moved, the sidecar is left as it is: what is its own outcome is not
    offered its old box again.
    """
    return name.lower().endswith(_SIDECAR)


def described_by(beside: NamesBeside, path: str) -> list[str]:
    """Name the files that describe an image and go with a copy of it: captions, labels, a sidecar.

    They are the other files with its stem, but for those that are images themselves.

    Raises
    ------
    MissingFile, PathOutsideRoot, ReadOnly, WriteFailed
        The folder cannot be listed.
    """
    image = PurePosixPath(path)
    same = of_stem(image, beside.like(path))
    return [str(image.parent / name) for name in same if not _is_image(name)]


def has_twin(beside: NamesBeside, path: str) -> bool:
    """Whether another image of the same stem is beside one: what describes it describes both.

    Raises
    ------
    MissingFile, PathOutsideRoot, ReadOnly, WriteFailed
        The folder cannot be listed.
    """
    image = PurePosixPath(path)
    return any(map(_is_image, of_stem(image, beside.like(path))))


def _is_sibling(name: str, group: str) -> bool:
    is_likely = name.startswith(group)
    return is_likely and group_of(PurePosixPath(name).stem) == group and _is_image(name)


def _is_image(name: str) -> bool:
    suffix = name[name.rfind(".", 1) :]  # of a name without one a letter; no path is made of it
    return suffix.lower() in EXTENSIONS


def _is_listed(entry: "os.DirEntry[str]") -> bool:
    is_image = entry.name[0] != "." and _is_image(entry.name)
    return is_image and entry.is_file(follow_symlinks=False)


def _entries_in(path: str, relative: str) -> tuple[Folder, list[str]]:
    """Return a folder and the folders in it that are not hidden."""
    with os.scandir(path) as entries:
        every = list(entries)
    beneath = [entry.name for entry in every if entry.is_dir(follow_symlinks=False)]
    visible = [name for name in beneath if name[0] != "."]
    return Folder(relative, every, HOME in beneath), visible


def _names_in(path: str) -> Names:
    folder, beneath = _entries_in(path, "")
    return Names(beneath, list(set(folder.images)))  # a name may come twice


def _with_folders(names: Names) -> tuple[Names, list[str]]:
    return names, names.folders


_Due = tuple[Natural, str, _Content | None]
"""A folder by its place in review order and its path, with what is in it where it was read."""


def _walk(
    scope: Scope,
    left_out: Collection[str],
    unread: dict[str, str],
    read: Callable[[str, str], tuple[_Content, list[str]]],
) -> Iterator[list[tuple[str, _Content]]]:
    """Yield folders in review order, by name: those whose names are alike together.

    What is beneath a folder comes later than the folder, so that the first of all that are still
    to be read is the next one. The top alone may come after folders in it: it is `.` in this order.

    Parameters
    ----------
    unread : takes the folders that cannot be read, with the reason
    read : returns what is in a folder, and which folders are to be walked to; given its path, and
        its name
    """
    cut = len(str(scope.root))
    due: list[_Due[_Content]] = []

    def entered(folder: str) -> _Content | None:
        relative = folder[cut:].lstrip("/")
        try:
            content, beneath = read(folder, relative)
        except OSError as error:
            unread[relative or "."] = error.strerror or str(error)
            return None
        for path in (f"{folder.rstrip('/')}/{name}" for name in beneath):
            if path not in left_out:
                heappush(due, (natural(path[cut:].lstrip("/")), path, None))
        return content

    top = str(scope.folder)
    heappush(due, (natural(top[cut:].lstrip("/") or "."), top, entered(top)))
    while due:
        alike = [heappop(due)]
        while due and due[0][0] == alike[0][0]:
            alike.append(heappop(due))
        contents = [(path, entered(path) if path != top else known) for _, path, known in alike]
        yield [(path[cut:].lstrip("/"), each) for path, each in contents if each is not None]
