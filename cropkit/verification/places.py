"""Where the files of a data set and its sources lie: beneath folders that a person named.

A manifest may have been written by anybody. A name in it leads to a file beneath such a folder, one
component at a time and through no link, or nowhere.
"""

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path, PurePosixPath

from cropkit.errors import CropkitError
from cropkit.formats.sniff import EXTENSIONS
from cropkit.system.files import Content, Identity, Root
from cropkit.system.home import HOME, MERGED, kept
from cropkit.verification.claims import CAPTIONS

LARGEST = 1 << 31  # bytes of a file that is read
_DEEPEST = 100
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Place:
    """A file beneath a folder.

    Parameters
    ----------
    root : a folder that a person named
    name : beneath it, with forward slashes
    """

    root: Path
    name: str

    @property
    def path(self) -> Path:
        """The whole path."""
        return self.root / self.name

    def identity(self) -> Identity | None:
        """Which file it is; None where there is none.

        Raises
        ------
        Refused
            The name leads out of the folder or through a link, or nobody may look.
        """
        return _root(self.root).identity(self.name)

    def read(self) -> Content:
        """Read the file whole.

        Raises
        ------
        Refused
            It is no regular file, or too large; nothing of it was read.
        """
        root = _root(self.root)
        identity = root.identity(self.name)
        if identity is not None and identity.size > LARGEST:
            raise CropkitError(
                f"{self.path}: {identity.size} bytes are over the limit of {LARGEST}"
            )
        return root.read(self.name)


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one verification.

    Parameters
    ----------
    dataset : resolved, as all of these are
    manifest : the folder of the manifest, to which it names crops
    crops : further folders in which crops may lie that are named in full
    sources : where sources are looked for, in this order
    """

    dataset: Path
    manifest: Path
    crops: tuple[Path, ...] = ()
    sources: tuple[Path, ...] = ()

    def crop(self, name: str) -> Place | None:
        """Return where a crop or caption should lie; None where that is in no folder of ours."""
        if name.startswith("/"):
            return self._beneath(name)
        place = self._beneath(f"{self.manifest}/{name}")
        is_theirs = ".." not in PurePosixPath(name).parts
        return place or (Place(self.dataset, name) if is_theirs else None)

    def _beneath(self, path: str) -> Place | None:
        for root in (self.dataset, *self.crops):
            if path.startswith(f"{root}/"):
                return Place(root, path[len(f"{root}/") :])
        return None

    def source(self, name: str, sha256: str, *, in_place: bool) -> Iterator[Place]:
        """Yield where a source may lie; one that was written over is first looked for as kept."""
        named = [Place(root, name) for root in self.sources]
        kept_ones = list(self._kept(sha256))
        yield from (*kept_ones, *named) if in_place else (*named, *kept_ones)

    def _kept(self, sha256: str) -> Iterator[Place]:
        for root in self.sources:
            yield Place(root, kept(sha256))
            yield from (Place(root, f"{home}/originals/{sha256}") for home in _merged(root))


@cache
def _root(folder: Path) -> Root:
    return Root(folder)


@cache
def _merged(root: Path) -> list[str]:
    """Name the states of collections that were joined to one."""
    try:
        return [f"{MERGED}/{name}" for name in _root(root).folders(MERGED)]
    except CropkitError:
        return []


def collections_of(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield folders, each followed by the collection that it lies in, if it lies in one."""
    for folder in folders:
        yield folder
        above = (each for each in (folder, *folder.parents) if (each / HOME).is_dir())
        yield from islice(above, 1)


def key_of(place: Place, identity: Identity) -> bytes:
    """Return what tells a file from all others, as its file system does.

    Names that differ in case alone may be one file, which has one inode then; of a file with
    several names each stands for itself.
    """
    if identity.links == 1:
        return f"{identity.device}:{identity.inode}".encode()
    return os.fsencode(place.path)


@dataclass(frozen=True, slots=True)
class Listed:
    """An image or a caption in a folder."""

    place: Place
    is_caption: bool


def listed(root: Path) -> Iterator[Listed]:
    """Yield images, and captions that have an image beside them; what is hidden is left out.

    Raises
    ------
    OSError
        A folder cannot be listed, or they are nested deeper than anybody has them.
    """
    yield from _listed(root, "", 0)


def _listed(root: Path, folder: str, depth: int) -> Iterator[Listed]:
    if depth > _DEEPEST:
        nested = f"folders are nested deeper than {_DEEPEST}"
        raise OSError(errno.ENAMETOOLONG, nested, str(root / folder))
    with os.scandir(root / folder) as entries:
        shown = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    folders = [each.name for each in shown if each.is_dir(follow_symlinks=False)]
    names = [each.name for each in shown if not each.is_dir(follow_symlinks=False)]
    stems = {PurePosixPath(name).stem for name in names if _is_image(name)}
    for name in names:
        path = PurePosixPath(name)
        is_caption = path.suffix.lower() in CAPTIONS and path.stem in stems
        if is_caption or _is_image(name):
            yield Listed(Place(root, f"{folder}{name}"), is_caption)
    for name in folders:
        yield from _listed(root, f"{folder}{name}/", depth + 1)


def _is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in EXTENSIONS


def by_content(
    roots: Sequence[Path], wanted: set[str], jobs: int, *, each: bool = False
) -> dict[str, list[Place]]:
    """Find files by their SHA-256: images beneath the folders are read, until all are found.

    Parameters
    ----------
    each : all files of each content, for which every image is read
    """
    places: dict[str, list[Place]] = {}
    images = (image.place for root in dict.fromkeys(roots) for image in _readable(root))
    with ThreadPoolExecutor(jobs) as pool:
        while (each or wanted - places.keys()) and (some := list(islice(images, _AT_ONCE))):
            for place, sha256 in zip(some, pool.map(_digest, some), strict=True):
                if sha256 in wanted:
                    places.setdefault(sha256, []).append(place)
    return places


def _readable(root: Path) -> Iterator[Listed]:
    try:
        yield from (each for each in listed(root) if not each.is_caption)
    except OSError:
        return


def _digest(place: Place) -> str | None:
    try:
        return _root(place.root).digest(place.name)
    except CropkitError:
        return None
