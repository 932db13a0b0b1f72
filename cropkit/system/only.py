"""Which images of a folder are meant, where not all are: by folder, name, label or filter.

Who leads several reviewers gives each a part of a collection in these words. Of one kind any may
hold; of all kinds that are named one has to. What is meant is decided when a collection is opened.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

from cropkit.system import parameters

Given = str | Mapping[str, str | Sequence[str]]
"""``label=cat; folder=2019``, or what each kind is to hold; a text without ``=`` is a folder."""

FOLDER, NAME, LABEL, FILTER = "folder", "name", "label", "filter"
_KINDS = (FOLDER, NAME, LABEL, FILTER)
UNSURE, CERTAIN = "unsure", "certain"
_FILTERS = (UNSURE, CERTAIN)
SURE = 0.5  # a suggestion that says less may as well be wrong
_BETWEEN = ";"
_MEANT = (
    "choice of images, such as 'label=cat', 'folder=2019', 'name=beach' or 'filter=unsure', several"
    " with ;"
)
_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class Only:
    """A choice of images.

    Parameters
    ----------
    folders : relative to the collection
    names : each holds of images whose path has all of its words, as the review's search does
    labels : of boxes that were imported; `labelled` are the images that have one of them
    filters : unsure or certain, by how sure the box is that was imported and comes first;
        `filtered` are the images that pass one of them
    """

    folders: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    labelled: frozenset[str] = field(default=frozenset(), repr=False)
    filters: tuple[str, ...] = ()
    filtered: frozenset[str] = field(default=frozenset(), repr=False)

    def holds(self, name: str) -> bool:
        """Whether an image, named relative to the collection, is meant."""
        if self.folders and not any(name.startswith(f"{each}/") for each in self.folders):
            return False
        if self.labels and name not in self.labelled:
            return False
        if self.filters and name not in self.filtered:
            return False
        return not self.names or any(_has_words(name, each) for each in self.names)

    def __str__(self) -> str:
        """Say in a few words what is meant."""
        those = (self.folders, self.names, self.labels, self.filters)
        chosen = zip(_KINDS, those, strict=True)
        return ", ".join(f"{kind} {' or '.join(those)}" for kind, those in chosen if those)


def _has_words(name: str, words: str) -> bool:
    folded = name.casefold()
    return all(word in folded for word in words.casefold().split())


def read(
    given: object, part: str, is_folder: Callable[[str], bool], imported: Callable[[], "Boxes"]
) -> Only | None:
    """Return the choice that a person has given; None where all are meant.

    Parameters
    ----------
    given : as `Given`
    part : the folder that was named, relative to the collection; a folder is one in it
    is_folder : whether there is such a folder in the collection
    imported : returns the boxes that were, where a label or a filter is named

    Raises
    ------
    BadParameterValue
        It is no choice, or no folder, label or filter is called so.
    """
    wanted = _kinds(given)
    if not any(wanted.values()):
        return None
    folders = tuple(_folder(each, part, is_folder) for each in wanted[FOLDER])
    labels = _labelled(wanted[LABEL], imported()) if wanted[LABEL] else ((), frozenset())
    filters = _filtered(wanted[FILTER], imported()) if wanted[FILTER] else ((), frozenset())
    return Only(folders, wanted[NAME], *labels, *filters)


class Boxes(Protocol):
    """What is asked of the boxes that were imported, where a label or a filter is named."""

    def labels(self) -> Iterable[str]:
        """Return the labels of all boxes."""

    def labelled(self, labels: Sequence[str]) -> Iterable[str]:
        """Return the images that have a box of one of these labels."""

    def sure(self, low: float, high: float) -> Iterable[str]:
        """Return the images whose first box says that it is so sure: from `low` to below `high`."""


def _kinds(given: object) -> dict[str, tuple[str, ...]]:
    if isinstance(given, Mapping):
        return _of_mapping(given)
    text = "" if given is None else parameters.text("only", given)
    found: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for term in filter(None, map(str.strip, text.split(_BETWEEN))):
        kind, is_named, value = (term if "=" in term else f"{FOLDER}={term}").partition("=")
        if kind.strip() not in found or not is_named or not value.strip():
            raise parameters.wrong("only", given, _MEANT)
        found[kind.strip()].append(value.strip())
    return {kind: tuple(those) for kind, those in found.items()}


def _of_mapping(given: Mapping[object, object]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = dict.fromkeys(_KINDS, ())
    for kind, value in given.items():
        several = _texts(value)
        if kind not in found or several is None:
            raise parameters.wrong("only", dict(given), _MEANT)
        found[str(kind)] = several
    return found


def _texts(value: object) -> tuple[str, ...] | None:
    """Return one text, or several, as several; None: it is neither, or one of them says nothing."""
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list | tuple):
        return None
    texts = tuple(each for each in several if isinstance(each, str) and each.strip())
    return texts if len(texts) == len(several) else None


def _folder(named: str, part: str, is_folder: Callable[[str], bool]) -> str:
    parts = PurePosixPath(named).parts
    path = "/".join(filter(None, (part, *parts)))
    # no image is looked for in a hidden folder
    is_inside = not any(each.startswith((".", "/")) for each in parts)
    if not (parts and is_inside and is_folder(path)):
        raise parameters.wrong("only", f"{FOLDER}={named}", "folder in what was named")
    return path


def _labelled(wanted: tuple[str, ...], boxes: Boxes) -> tuple[tuple[str, ...], frozenset[str]]:
    known = sorted(set(filter(None, boxes.labels())))
    meant = {each.casefold() for each in wanted}
    called = tuple(label for label in known if label.casefold() in meant)
    for each in wanted:
        if each.casefold() not in {label.casefold() for label in called}:
            there = ", ".join(known[:_MOST_TOLD]) + ", …" * (len(known) > _MOST_TOLD)
            kind = f"label of imported boxes: {there or 'none has one'}"
            raise parameters.wrong("only", f"{LABEL}={each}", kind)
    return called, frozenset(boxes.labelled(called))


def _filtered(wanted: tuple[str, ...], boxes: Boxes) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return filters by the names that the review has for them, and the images that pass one."""
    meant = tuple(dict.fromkeys(map(str.casefold, wanted)))
    for each in meant:
        if each not in _FILTERS:
            raise parameters.wrong("only", f"{FILTER}={each}", f"filter: {' or '.join(_FILTERS)}")
    asked = {UNSURE: (0.0, SURE), CERTAIN: (SURE, math.inf)}
    images = frozenset(path for each in meant for path in boxes.sure(*asked[each]))
    if not images and not any(boxes.sure(0.0, math.inf)):
        kind = "filter here: no box that was imported says how sure it is"
        raise parameters.wrong("only", f"{FILTER}={meant[0]}", kind)
    return meant, images
