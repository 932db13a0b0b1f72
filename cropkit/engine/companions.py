"""Files beside an image that a crop makes wrong: where they are, and what takes their place.

Theory of operation. World files, auxiliary files, overviews and boxes speak of the pixels, and no
reader notices when the pixels are others. So they are exchanged in the operation that crops. What
one has to say is made and staged with the crop; what it said goes aside, durably, before any name
changes, and undo brings that very file back. Which of them an image has is looked for by the names
that programs give: those that are in lower or upper case are asked for, and all others come from a
listing of the folder, which is made anew once the folder has changed and as many images were asked
for as it pays for: to look for the companions of all images takes as long as there are images.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from uuid import uuid4

from cropkit.audit.operation import Companion, Operation
from cropkit.bounds import Bounds
from cropkit.engine.locations import Locations
from cropkit.errors import (
    CompanionStale,
    MissingFile,
    NotRegularFile,
    PathOutsideRoot,
    TooCostly,
)
from cropkit.formats import EXTENSIONS
from cropkit.formats import companions as formats
from cropkit.formats.companions import LARGEST, Followed, Frame, Outcome
from cropkit.formats.options import Companions
from cropkit.geometry import PixelBox, Size
from cropkit.system.attributes import Attributes
from cropkit.system.files import Root
from cropkit.system.home import aside, staged_companion

# Of a camera's own files: a sidecar is theirs where a JPEG is beside them, too.
_RAW = ".3fr .arw .cr2 .cr3 .crw .dng .erf .kdc .mef .mos .nef .nrw .orf .pef .raf .raw .rw2 .srw"
_IMAGES = frozenset((*EXTENSIONS, *_RAW.split()))
_FOLDERS = 16  # listings that are kept at once
_A_LOOK = 16  # names that may be listed for each image that is asked for
_IMAGES_IN, _LABELS_IN = "images", "labels"  # YOLO's folders: the last of these names is exchanged
_NOT_REWRITTEN = "is of a form that is not rewritten here"
_A_LINK = "is a link, which is not followed"
_SHARED = "may belong to the other image of that name, too"
_BEYOND = "lies outside of the collection: open the folder that holds both"
_OF_NOW = "is of what took the place of the original that is cropped"
_ANY_CROP = Frame(Size(2, 2), 1, PixelBox(0, 0, 1, 1))
_NOT_WANTED = "the settings do not let it be rewritten"


@dataclass(frozen=True, slots=True)
class Beside:
    """The files beside an image that may speak of its pixels.

    Parameters
    ----------
    names : relative to the collection
    shared : whether another image has its stem
    beyond : those outside of the collection, by their paths
    """

    names: tuple[str, ...] = ()
    shared: bool = False
    beyond: tuple[str, ...] = ()


class CompanionFinder:
    """Finds what is beside the images of a collection."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._listed: dict[str, _Listed] = {}

    def of(self, path: str) -> Beside:
        """Return what is beside an image; nothing where its own folder is gone, or a link.

        Raises
        ------
        ReadOnly, WriteFailed
            A folder cannot be listed.
        """
        folder, _, name = path.rpartition("/")
        try:
            names = self._there(folder, [*formats.names(name)])
        except (MissingFile, PathOutsideRoot):  # who reads the image says so
            return Beside()
        labels, beyond = self._labels(path)
        is_shared = PurePosixPath(name).stem.casefold() in self._listed[folder].twins
        return Beside((*names, *labels), is_shared, beyond)

    def _labels(self, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the boxes in YOLO's other folder: those that are reached, and those beyond."""
        labels = labels_of(path)
        if labels is None:
            outside = labels_of(str(self._root.path / path))
            return (), tuple(filter(_is_there, (outside,) if outside else ()))
        folder, _, name = labels.rpartition("/")
        try:
            return self._there(folder, [name]), ()
        except MissingFile:
            return (), ()
        except PathOutsideRoot:  # by way of a link
            return (), tuple(filter(_is_there, (str(self._root.path / labels),)))

    def _there(self, folder: str, wanted: list[str]) -> tuple[str, ...]:
        """Return which of some names are in a folder, however they are written."""
        odd = self._folder(folder, wanted[0]).odd
        likely = (each for n in wanted for each in (*_cases(n), *odd.get(n.casefold(), ())))
        there = self._root.those_there(folder, dict.fromkeys(likely))
        return tuple(f"{folder}/{name}" if folder else name for name in there)

    def _folder(self, folder: str, name: str) -> "_Listed":
        """Return what a folder has; an error is told of a name in it."""
        changed = self._root.changed_at(folder)
        kept = self._listed.pop(folder, None)
        if kept is None or (kept.changed != changed and kept.asked * _A_LOOK >= kept.size):
            kept = _listing(self._root.beside(f"{folder}/{name}" if folder else name), changed)
        kept.asked += 1
        self._listed[folder] = kept
        while len(self._listed) > _FOLDERS:
            del self._listed[next(iter(self._listed))]
        return kept


@dataclass(slots=True)
class _Listed:
    """What a folder had when it was listed.

    ``odd`` are names that asking in lower or upper case could miss, by what they are without case.
    """

    changed: int | None
    size: int
    odd: dict[str, tuple[str, ...]]
    twins: frozenset[str]
    asked: int = 0


def _listing(names: list[str], changed: int | None) -> _Listed:
    odd: dict[str, tuple[str, ...]] = {}
    stems, twins = set[str](), set[str]()
    for name in names:
        stem, suffix = os.path.splitext(name.casefold())  # noqa: PTH122  (a path for each name takes longer than all else)
        if suffix in _IMAGES:
            (twins if stem in stems else stems).add(stem)
        elif name != name.casefold():
            odd[name.casefold()] = (*odd.get(name.casefold(), ()), name)
    return _Listed(changed, len(names), odd, frozenset(twins))


def _cases(name: str) -> tuple[str, ...]:
    """Return a name as most programs write it: by its image's stem, or in lower case."""
    stem, dot, end = name.partition(".") if name.count(".") == 1 else _ending(name)
    return (name, f"{stem}{dot}{end.lower()}", f"{stem}{dot}{end.upper()}", name.casefold())


def _ending(name: str) -> tuple[str, str, str]:
    """Split off what a program adds to a name: one suffix, or `aux.xml`."""
    if name.lower().endswith(".aux.xml"):
        return name[:-8], ".", name[-7:]
    return name.rpartition(".")


def _is_there(path: str) -> bool:
    return os.path.lexists(path)


def labels_of(path: str) -> str | None:
    """Return where YOLO's programs look for the boxes of an image that is in a folder `images`."""
    *folders, name = path.split("/")
    if _IMAGES_IN not in folders:
        return None
    last = len(folders) - 1 - folders[::-1].index(_IMAGES_IN)
    folders[last] = _LABELS_IN
    return "/".join((*folders, f"{PurePosixPath(name).stem}.txt"))


def new_aside() -> str:
    """Return a name, that nothing has, for what is to be set aside."""
    return aside(uuid4().hex)


def taken_back(companion: Companion) -> Companion:
    """Return a companion as undo has it: what was set aside comes back, what came goes aside.

    What came from aside goes where it was: there whoever undoes once more looks for it.
    """
    if companion.replaces:
        return Companion(
            companion.aside,
            companion.target,
            companion.replaces,
            aside=new_aside() if companion.is_staged else companion.source,
            replaces=companion.sha256,
        )
    if companion.is_staged:
        return Companion(companion.target, new_aside())
    was_aside = companion.target.startswith(aside(""))
    return Companion(companion.target, companion.source, companion.sha256 if was_aside else "")


@dataclass(slots=True)
class Exchanged:
    """What becomes of the files beside one image.

    ``staged`` are the bytes of those that are new, and what they are like. ``stale`` are those
    that are wrong now, and ``notes`` say what was left out, and why.
    """

    companions: list[Companion] = field(default_factory=list)
    staged: list[tuple[Companion, bytes, Attributes]] = field(default_factory=list)
    patched: list[str] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Exchanging:
    """Decides what becomes of the files beside an image that is about to be cropped.

    Parameters
    ----------
    setting : what may become of those that the crop makes wrong
    is_of_another : whether a kept original is cropped, and they are beside what took its place
    """

    locations: Locations
    operation: Operation
    frame: Frame
    beside: Beside
    setting: Companions
    done: Exchanged = field(default_factory=Exchanged)
    is_of_another: bool = False

    def run(self) -> Exchanged:
        """Go through all of them.

        Raises
        ------
        CompanionStale
            One would be wrong, and may not be. Nothing was written.
        """
        if self.is_of_another:  # no frame of theirs is known: whatever speaks of pixels is wrong
            self.frame = _ANY_CROP
        if not self.frame.change.is_none:
            for path in self.beside.beyond:
                self._leave(path, _BEYOND)
        for companion in self.operation.companions:
            if companion.aside:
                self._settle(companion)
            else:
                self.done.companions.append(companion)
        return self.done

    def _settle(self, planned: Companion) -> None:
        try:
            content = self._read(planned.source)
        except MissingFile:
            return
        except NotRegularFile:
            if not self.frame.change.is_none:
                self._leave(planned.source, _A_LINK)
            return
        outcome = content.followed.outcome
        if outcome is Outcome.KEPT:
            self._keep(planned, content.sha256)
        elif (reason := self._why_not(planned.source, outcome)) is not None:
            self._leave(planned.source, reason)
            if not self.operation.is_copy:
                self._keep(planned, content.sha256)
        else:
            self._exchange(planned, content)

    def _read(self, name: str) -> "_Read":
        """Read a file, and say what becomes of it; of one that is too large, by its name alone."""
        root, path = self.locations.locate(name)
        own = PurePosixPath(name).name
        try:
            content = root.read(path, Bounds(memory=LARGEST))
        except TooCostly:
            return _Read(root.digest(path) or "", formats.unread(own, self.frame))
        followed = formats.followed(own, content.data, self.frame)
        return _Read(content.sha256, followed, content.attributes)

    def _why_not(self, name: str, outcome: Outcome) -> str | None:
        """Say why a file that the crop makes wrong cannot be rewritten; None where it can."""
        if outcome is Outcome.WRONG:
            return _NOT_REWRITTEN
        if self.is_of_another:
            return _OF_NOW if outcome is Outcome.PATCHED else None
        own = PurePosixPath(self.operation.source).name
        is_own = formats.is_of_name(PurePosixPath(name).name, own)
        return _SHARED if self.beside.shared and not is_own else None

    def _leave(self, name: str, reason: str) -> None:
        """Leave a file wrong, or out of a copy, where that is permitted; and tell it."""
        if self.setting is not Companions.TELL:
            raise CompanionStale(self.operation.source, name, reason)
        if self.operation.is_copy:
            self.done.notes.append((f"copy of {name}", f"left out: it {reason}"))
        else:
            self.done.stale.append(name)

    def _keep(self, planned: Companion, sha256: str) -> None:
        """Let a file that stays right go with its image; in place it is where it should be."""
        if planned.source != planned.target:
            plain = Companion(planned.source, planned.target, sha256, planned.keeps_source)
            self.done.companions.append(plain)

    def _exchange(self, planned: Companion, content: "_Read") -> None:
        if self.setting is Companions.REFUSE:
            raise CompanionStale(self.operation.source, planned.source, _NOT_WANTED)
        name, followed = PurePosixPath(planned.source).name, content.followed
        self.done.notes += [(name, note) for note in followed.notes]
        is_over = planned.source == planned.target and followed.data is not None
        if followed.data is not None:
            self.done.patched.append(f"{name}: of the crop")
            made = self._made(planned, followed.data, content.sha256 if is_over else "")
            self.done.staged.append((made, followed.data, content.like))
        if not (is_over or self.operation.is_copy):
            gone = Companion(planned.source, planned.aside, content.sha256)
            self.done.companions.append(gone)

    def _made(self, planned: Companion, data: bytes, replaces: str) -> Companion:
        return Companion(
            staged_companion(self.operation.id, len(self.done.staged)),
            planned.target,
            hashlib.sha256(data).hexdigest(),
            keeps_source=True,
            aside=planned.aside if replaces else "",
            replaces=replaces,
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """A file beside an image as it was read; one that was too large is like nothing known."""

    sha256: str
    followed: Followed
    attributes: Attributes | None = None

    @property
    def like(self) -> Attributes:
        """What the file was besides its content; only of one that was read."""
        if self.attributes is None:
            raise ValueError(self.sha256)
        return self.attributes
