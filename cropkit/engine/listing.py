"""A folder of images: which ones, in which order, and which files belong to each."""

import logging
import os
import re
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from heapq import heappop, heappush, merge
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar

from cropkit.engine.kept_listing import KeptListing, Names
from cropkit.errors import PersonalStateUnusable
from cropkit.formats import EXTENSIONS
from cropkit.records import Problem, ProblemKind
from cropkit.system.files import Root
from cropkit.system.home import HOME
from cropkit.system.scope import Scope

_STAMP = re.compile(r"(?<!\d)(\d{8}_\d{6})(?!\d)")
_STAGE = re.compile(r"_stage(\d+(?:\.\d+)?)")
_SIDECAR = ".decision"
_DIGITS = re.compile(r"(\d+)")
_RUN = 2_048  # names that are sorted at once: some five milliseconds
_NO_STAMP = "99999999_999999"  # images without a time in their name come last

_log = logging.getLogger("cropkit")
Natural = list[int | str]  # texts, and the numbers between them
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
    has, and may be empty. Whoever asks no further keeps nothing of the listing.

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
        images = _in_order([(name, names.images) for name, names in alike])
        yield Stretch(images, unread.copy())
        unread.clear()
    if (error := kept.keep()) is not None:
        _log.info("the listing of %s is not kept: %s", scope.folder, error)


def _unusable(scope: Scope, error: PersonalStateUnusable) -> Problem:
    return Problem(ProblemKind.LISTING, scope.part or ".", str(error))


def _in_order(alike: list[tuple[str, list[str]]]) -> list[str]:
    """Return the images of folders whose names are alike, those of each being in order already."""
    runs = [[_beneath(name, image) for image in images] for name, images in alike]
    return runs[0] if len(runs) == 1 else sorted(chain(*runs), key=_key_by_path)


def _beneath(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _key_by_path(path: str) -> tuple[object, ...]:
    return (*_key_in_folder(path.rpartition("/")[2]), path)


def _key_by_name(name: str) -> tuple[str, float, Natural, str]:
    return (*_key_in_folder(name), name)


def nested(root: Path) -> Iterator[str]:
    """Find collections inside a collection by their folders; no link is followed."""
    return (each.name for each in folders(root) if each.name and each.is_collection)


def folders(root: Path) -> Iterator[Folder]:
    """Walk through the folders of a collection; what cannot be read is left out."""
    return (folder for alike in _walk(Scope(root), (), {}, _entries_in) for _, folder in alike)


def review_order(path: str) -> tuple[object, ...]:
    """Return the key by which images are shown."""
    folder, _, name = path.rpartition("/")
    return (_natural(folder or "."), *_key_in_folder(name))


def _key_in_folder(name: str) -> tuple[str, float, Natural]:
    stamp = _STAMP.search(name)
    stage = _STAGE.search(name) if "_stage" in name else None
    return stamp[1] if stamp else _NO_STAMP, float(stage[1]) if stage else 0.0, _natural(name)


def companions(root: Root, path: str) -> dict[str, bool]:
    """Find the files that follow an image: name -> whether its siblings still need it, too.

    They are all other files in its folder with the same stem, and the group sidecar of the previous
    tool (the stem up to `_stage`, with `.decision`), which stays as long as a sibling is there.

    Raises
    ------
    MissingFile, PathOutsideRoot, ReadOnly, WriteFailed
        The folder cannot be listed.
    """
    image = PurePosixPath(path)
    names = root.beside(path)
    same = _of_stem(image, names)
    followers = {str(image.parent / name): False for name in sorted(same)}
    group = image.stem.partition("_stage")[0]
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


def described_by(root: Root, path: str) -> list[str]:
    """Name the files that describe an image and go with a copy of it: captions, labels, a sidecar.

    They are the other files with its stem, but for those that are images themselves.

    Raises
    ------
    MissingFile, PathOutsideRoot, ReadOnly, WriteFailed
        The folder cannot be listed.
    """
    image = PurePosixPath(path)
    same = sorted(_of_stem(image, root.beside(path)))
    return [str(image.parent / name) for name in same if not _is_image(name)]


def has_twin(root: Root, path: str) -> bool:
    """Whether another image of the same stem is beside one: what describes it describes both.

    Raises
    ------
    MissingFile, PathOutsideRoot, ReadOnly, WriteFailed
        The folder cannot be listed.
    """
    image = PurePosixPath(path)
    return any(map(_is_image, _of_stem(image, root.beside(path))))


def _of_stem(image: PurePosixPath, names: Iterable[str]) -> set[str]:
    """Return the other names of an image's stem: few among as many as a folder has."""
    likely = (n for n in names if n.startswith(image.stem) and n != image.name)
    return {n for n in likely if PurePosixPath(n).stem == image.stem}


def _is_sibling(name: str, group: str) -> bool:
    is_likely = name.startswith(group)
    return (
        is_likely and PurePosixPath(name).stem.partition("_stage")[0] == group and _is_image(name)
    )


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in EXTENSIONS  # noqa: PTH122  (a path for each name takes longer than all else)


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
    return Names(beneath, _sorted(set(folder.images)))  # a name may come twice


def _sorted(names: Iterable[str]) -> list[str]:
    """Sort names as they are shown, in short turns: no other thread runs while a list is sorted."""
    keys = map(_key_by_name, names)
    runs = iter(lambda: sorted(islice(keys, _RUN)), [])
    return [str(key[-1]) for key in merge(*runs)]


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
                heappush(due, (_natural(path[cut:].lstrip("/")), path, None))
        return content

    top = str(scope.folder)
    heappush(due, (_natural(top[cut:].lstrip("/") or "."), top, entered(top)))
    while due:
        alike = [heappop(due)]
        while due and due[0][0] == alike[0][0]:
            alike.append(heappop(due))
        contents = [(path, entered(path) if path != top else known) for _, path, known in alike]
        yield [(path[cut:].lstrip("/"), each) for path, each in contents if each is not None]


def _natural(text: str) -> Natural:
    parts: Natural = [*_DIGITS.split(text.casefold())]
    parts[1::2] = map(int, parts[1::2])
    return parts
