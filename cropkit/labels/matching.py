"""Which image of a collection a name in a file of labels means; pure.

Files of labels travel: they name images by absolute paths of another machine, by a part of a path,
or by a name alone. A name is an image's where either is the end of the other, folder by folder, and
nothing else is as near to it. What two images could be is neither's, and what two names could be is
nobody's.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from unicodedata import normalize

from cropkit.suggest.numbers import excerpt

ANYWHERE = "?/"
"""Before a name: its folders are another machine's, so that its last part may be enough."""

_LABELS, _IMAGES = "labels", "images"
Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """A name as a file has it: its parts, whether they end with a suffix, and how far they bind.

    Parameters
    ----------
    loose : parts at the beginning that make an image nearer, and need not be its own: the folder of
        the file of labels, the folders of another machine
    """

    parts: Parts
    by_stem: bool = False
    loose: int = 0

    def __str__(self) -> str:
        return "/".join(self.parts)


@dataclass(slots=True)
class Matched:
    """What a collection's images are called in a file of labels.

    Parameters
    ----------
    names : of each image that has some
    strange : why a name is of no image
    """

    names: dict[str, list[Name]] = field(default_factory=lambda: defaultdict(list))
    strange: dict[Name, str] = field(default_factory=dict)


def name_of(image: str, *, by_stem: bool = False, folder: str = "") -> Name:
    """Return a name in parts: forward slashes, no drive, NFC, no `.` and no `..`.

    Parameters
    ----------
    folder : of the file of labels among others of its kind; a name is relative to it, mostly
    """
    if image.startswith(ANYWHERE):
        kept, _ = _parts(image.removeprefix(ANYWHERE))
        return Name(kept, by_stem, max(len(kept) - 1, 0))
    kept, is_absolute = _parts(image)
    if by_stem or is_absolute or not folder or not kept:
        return Name(kept, by_stem)
    whole, _ = _parts(posixpath.normpath(f"{folder}/{image.replace(chr(92), '/')}"))
    return Name(whole, by_stem, len(whole) - len(kept))


def _parts(text: str) -> tuple[Parts, bool]:
    """Return the parts of a path, and whether it is absolute."""
    path = PureWindowsPath(text) if "\\" in text or ":" in text[:2] else PurePosixPath(text)
    parts = path.relative_to(path.anchor).parts if path.anchor else path.parts
    kept = tuple(normalize("NFC", part) for part in parts if part not in (".", ".."))
    return kept, bool(path.anchor)


def of_labels_file(relative: str) -> str:
    """Return the image that a file's own name means: `a/labels/b.txt` is of a/images/b.

    The rule of Ultralytics' ``img2label_paths``, read backwards. `b.jpg.json` is of b.jpg.
    """
    parts = list(PurePosixPath(relative).with_suffix("").parts)
    if _LABELS in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index(_LABELS)
        parts[last] = _IMAGES
    return "/".join(parts)


def matched(names: Iterable[Name], images: Iterable[str]) -> Matched:
    """Say which image each name means.

    Parameters
    ----------
    images : of the collection, by path
    """
    result = Matched()
    known = _Images(images)
    nearest: dict[str, list[tuple[int, Name]]] = defaultdict(list)
    for name in dict.fromkeys(names):
        image, nearness = known.nearest(name)
        if nearness:
            nearest[image].append((nearness, name))
        else:
            result.strange[name] = image or f"no image is called {excerpt(str(name))}"
    for image, rivals in nearest.items():
        _settle(image, rivals, result)
    return result


def _settle(image: str, rivals: list[tuple[int, Name]], result: Matched) -> None:
    """Give an image the names that are nearest to it, where they are of one path."""
    most = max(nearness for nearness, _ in rivals)
    near = [name for nearness, name in rivals if nearness == most]
    paths = {(*name.parts[:-1], _stem(name)) for name in near}
    if len(paths) == 1:
        result.names[image] = near
    else:
        others = f"{len(paths)} names could be {excerpt(image)}: {excerpt(sorted(map(str, near)))}"
        result.strange |= dict.fromkeys(near, others)
    far = [name for nearness, name in rivals if nearness < most]
    result.strange |= dict.fromkeys(far, f"{excerpt(image)} has a name that is nearer")


class _Images:
    """The images of a collection, by their last parts."""

    def __init__(self, images: Iterable[str]) -> None:
        self._by_name: Mapping[str, list[tuple[str, Parts]]] = defaultdict(list)
        self._by_stem: Mapping[str, list[tuple[str, Parts]]] = defaultdict(list)
        for image in images:
            parts = tuple(normalize("NFC", image).split("/"))
            stem = parts[-1].rpartition(".")[0]
            self._by_name[parts[-1]].append((image, parts))
            self._by_stem[stem].append((image, (*parts[:-1], stem)))

    def nearest(self, name: Name) -> tuple[str, int]:
        """Return the image that a name means, and how near it is.

        Where there is none, that is 0, and the text says why there are several.
        """
        if not name.parts:
            return "", 0
        last = name.parts[-1]
        candidates = self._by_stem.get(last, ()) if name.by_stem else ()
        candidates = self._by_name.get(last, ()) or candidates
        near = [(_nearness(name, parts), image) for image, parts in candidates]
        most = max((nearness for nearness, _ in near), default=0)
        best = [image for nearness, image in near if nearness == most > 0]
        if len(best) > 1:
            return f"{len(best)} images could be {excerpt(str(name))}: {excerpt(sorted(best))}", 0
        return (best[0], most) if best else ("", 0)


def _nearness(name: Name, image: Parts) -> int:
    """Return 0 where a name is not an image's, and the more the longer the end that both share."""
    count = 0
    for a, b in zip(reversed(name.parts), reversed(image), strict=False):
        if a != b:
            break
        count += 1
    is_end = count >= min(len(name.parts) - name.loose, len(image))
    is_whole = count == len(name.parts) == len(image)
    return 2 * count + is_whole if is_end else 0


def _stem(name: Name) -> str:
    last = name.parts[-1]
    return last if name.by_stem else last.rpartition(".")[0] or last
