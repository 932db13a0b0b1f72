"""A folder of images: which ones, in which order, and which files belong to each."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cropkit.formats import EXTENSIONS
from cropkit.system.files import Root
from cropkit.system.home import HOME
from cropkit.system.scope import Scope

_STAMP = re.compile(r"(?<!\d)(\d{8}_\d{6})(?!\d)")
_STAGE = re.compile(r"_stage(\d+(?:\.\d+)?)")
_DIGITS = re.compile(r"(\d+)")
_NO_STAMP = "99999999_999999"  # images without a time in their name come last

Natural = tuple[tuple[int, int | str], ...]


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
    """The images beneath a folder, and the folders that could not be read, with the reason."""

    images: list[str]
    unread: dict[str, str]


def listed(scope: Scope, destination: str | None = None) -> Listing:
    """List the images of a collection, or a part, by the suffixes that `formats` knows.

    Hidden folders (`.cropkit` among them), hidden files, links and what is beneath the destination
    are not listed. It is in review order: by folder, then by the time in the name, the stage and
    the name, with numbers in names compared as numbers.

    Parameters
    ----------
    destination : folder that crops move to: relative to the collection where it is inside
    """
    unread: dict[str, str] = {}
    left_out = scope.root / destination if destination else None
    if left_out is not None and scope.folder.is_relative_to(left_out):
        return Listing([], unread)
    in_folders = {each.name: each.images for each in _walk(scope, left_out, unread)}
    keys = {folder: _natural(folder or ".") for folder in in_folders}
    rank = {key: number for number, key in enumerate(sorted(set(keys.values())))}
    images = [
        (rank[keys[folder]], *_key_in_folder(name), f"{folder}/{name}" if folder else name)
        for folder, names in in_folders.items()
        for name in names
    ]
    return Listing([each[-1] for each in sorted(images)], unread)


def nested(root: Path) -> Iterator[str]:
    """Find collections inside a collection by their folders; no link is followed."""
    return (each.name for each in folders(root) if each.name and each.is_collection)


def folders(root: Path) -> Iterator[Folder]:
    """Walk through the folders of a collection in any order; what cannot be read is left out."""
    return _walk(Scope(root), None, {})


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
    same = {n for n in names if PurePosixPath(n).stem == image.stem and n != image.name}
    followers = {str(image.parent / name): False for name in sorted(same)}
    group = image.stem.partition("_stage")[0]
    sidecar = f"{group}.decision"
    if group != image.stem and sidecar in names:
        rest = (n for n in names if n not in same and n != image.name)
        followers[str(image.parent / sidecar)] = any(_is_sibling(n, group) for n in rest)
    return followers


def _is_sibling(name: str, group: str) -> bool:
    return PurePosixPath(name).stem.partition("_stage")[0] == group and _is_image(name)


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in EXTENSIONS  # noqa: PTH122  (a path for each name takes longer than all else)


def _is_listed(entry: "os.DirEntry[str]") -> bool:
    is_image = entry.name[0] != "." and _is_image(entry.name)
    return is_image and entry.is_file(follow_symlinks=False)


def _walk(scope: Scope, left_out: Path | None, unread: dict[str, str]) -> Iterator[Folder]:
    """Yield each folder, its name relative to the collection."""
    root, not_this = str(scope.root), str(left_out or "")
    todo = [str(scope.folder)]
    while todo:
        folder = todo.pop()
        relative = folder[len(root) :].lstrip("/")
        try:
            with os.scandir(folder) as found:
                every = list(found)
        except OSError as error:
            unread[relative or "."] = error.strerror or str(error)
            continue
        beneath = [entry for entry in every if entry.is_dir(follow_symlinks=False)]
        visible = [entry.path for entry in beneath if entry.name[0] != "."]
        todo += [path for path in visible if path != not_this]
        yield Folder(relative, every, any(entry.name == HOME for entry in beneath))


def _natural(text: str) -> Natural:
    parts = _DIGITS.split(text.casefold())
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)
