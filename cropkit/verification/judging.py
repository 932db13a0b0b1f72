"""One row against the files: what a worker does, with nothing but the row and the folders."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from cropkit.errors import CropkitError, MissingFile, NotRegularFile, PathOutsideRoot
from cropkit.formats.decoder_errors import reading
from cropkit.system.files import Content
from cropkit.verification.claims import Claim
from cropkit.verification.comparing import Proof, Wrong, proof
from cropkit.verification.decoding import Picture
from cropkit.verification.differences import Difference, Kind
from cropkit.verification.places import Folders, Place


@dataclass(frozen=True, slots=True)
class Task:
    """A row to be proven.

    Parameters
    ----------
    crop : where it lies
    source : where it was found by its content; None: to be looked for by its name
    """

    claim: Claim
    line: int
    crop: Place
    source: Place | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a row.

    Parameters
    ----------
    source : where it was read
    wants_source : whether it is not where its name says, and to be looked for by its content
    """

    claim: Claim
    line: int
    proof: Proof | None = None
    differences: tuple[Difference, ...] = field(default=())
    source: Place | None = None
    wants_source: bool = False

    @property
    def is_proven(self) -> bool:
        """Whether all of it is."""
        return self.proof is not None and not self.differences


def all_judged(tasks: Sequence[Task], folders: Folders) -> list[Judged]:
    """Hold rows against their files, one after the other."""
    return [judged(task, folders) for task in tasks]


def judged(task: Task, folders: Folders) -> Judged:
    """Hold a row against its files; nothing is written, and nothing raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what stands beside the pixels
        logging.getLogger("tifffile").setLevel(logging.CRITICAL)
        try:
            return _judged(task, folders)
        except MemoryError:
            reason = "it does not fit into the memory of this machine"
            return _unproven(task, (_difference(task, Kind.NOT_PROVEN, reason),))


def _judged(task: Task, folders: Folders) -> Judged:
    claim = task.claim
    captions = tuple(_captions(task, folders))
    crop = _read(task.crop)
    if isinstance(crop, str):
        return _unproven(task, (_difference(task, Kind.CROP_MISSING, crop), *captions))
    place, source = _source(task, folders)
    other = f"another SHA-256 ({crop.sha256[:12]}…)" if crop.sha256 != claim.crop_sha256 else None
    if source is None:
        words = f"{other}: the crop was changed" if other else None
        changed = () if words is None else (_difference(task, Kind.BYTES, words),)
        return Judged(claim, task.line, None, (*changed, *captions), wants_source=True)
    try:
        proven = _proven(crop, source, claim)
    except Wrong as wrong:
        return _unproven(task, (_difference(task, wrong.kind, wrong.reason), *captions), place)
    except CropkitError as error:
        return _unproven(task, (_difference(task, Kind.NOT_PROVEN, str(error)), *captions), place)
    if other is not None:
        words = f"{other}: metadata or encoding changed; pixels as stated ({proven.words})"
        captions = (_difference(task, Kind.BYTES, words), *captions)
    return Judged(claim, task.line, proven, captions, place)


def _proven(crop: Content, source: Content, claim: Claim) -> Proof:
    with reading(claim.source):
        ours = Picture(source.data, claim.source)
    with reading(claim.crop):
        theirs = Picture(crop.data, claim.crop)
        return proof(theirs, ours, claim)


def _source(task: Task, folders: Folders) -> tuple[Place | None, Content | None]:
    """Read the source: only the content that the row states is one."""
    claim = task.claim
    places: Iterator[Place]
    if task.source is not None:
        places = iter((task.source,))
    else:
        places = folders.source(claim.source, claim.source_sha256, in_place=claim.in_place)
    for place in places:
        content = _read(place)
        if not isinstance(content, str) and content.sha256 == claim.source_sha256:
            return place, content
    return None, None


def _read(place: Place) -> Content | str:
    """Read a file, or return the sentence that says why it cannot be."""
    try:
        return place.read()
    except MissingFile:
        return f"no such file: {place.path}"
    except NotRegularFile:
        return f"{place.path} is a link, a folder or a pipe, and no file"
    except PathOutsideRoot:
        return f"its name leads out of {place.root}, or through a link: nothing there was opened"
    except CropkitError as error:
        return str(error)


def _captions(task: Task, folders: Folders) -> Iterator[Difference]:
    stem = PurePosixPath(task.claim.crop).with_suffix("")
    for name, sha256 in task.claim.captions:
        reason = _wrong_caption(name, sha256, folders)
        if PurePosixPath(name).with_suffix("") != stem:
            reason = f"it is stated as the caption of {task.claim.crop}, which has another name"
        if reason is not None:
            yield Difference(Kind.CAPTION, name, reason, task.line)


def _wrong_caption(name: str, sha256: str, folders: Folders) -> str | None:
    place = folders.crop(name)
    if place is None:
        return "it lies outside of the data set: name its folder by --crops"
    content = _read(place)
    if isinstance(content, str):
        return content
    if content.sha256 != sha256:
        return f"another SHA-256 ({content.sha256[:12]}…): the caption was changed"
    return None


def _difference(task: Task, kind: Kind, reason: str) -> Difference:
    return Difference(kind, task.claim.crop, reason, task.line)


def _unproven(
    task: Task, differences: tuple[Difference, ...], source: Place | None = None
) -> Judged:
    return Judged(task.claim, task.line, None, differences, source)
