"""A data set proven from the outside: rows as they come, then what is missing, extra or doubled."""

import os
import random
import secrets
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from cropkit.errors import CropkitError, MissingFile, NotAFolder
from cropkit.system import parameters
from cropkit.system.elsewhere import Workers as Elsewhere
from cropkit.system.files import Identity
from cropkit.verification.claims import Claim, Row, claim
from cropkit.verification.differences import Difference, Kind, Verification
from cropkit.verification.judging import Judged, Task
from cropkit.verification.places import (
    Folders,
    Listed,
    Place,
    by_content,
    collections_of,
    key_of,
    listed,
)
from cropkit.verification.reading import NAMES, Manifest
from cropkit.verification.workers import Workers, usual_jobs

Progress = Callable[[str, int, int], object]
Told = Callable[[Judged], object]
Reach = Callable[..., AbstractContextManager[Elsewhere]]
StrPath = str | os.PathLike[str]
_MOST_JOBS, _MOST_ROWS = 1024, 10**12


def verify(
    dataset: StrPath,
    *,
    manifest: StrPath | None = None,
    sources: Iterable[StrPath] = (),
    crops: Iterable[StrPath] = (),
    jobs: int | None = None,
    reach: Reach | None = None,
    sample: int | None = None,
    seed: int | None = None,
    manifest_sha256: str | None = None,
    show: Progress | None = None,
    told: Told | None = None,
) -> Verification:
    """Prove a data set from its manifest, crops and sources alone; nothing is written.

    Each crop's pixels must be its source's inside the stated box: exactly, or within the bound that
    its proof names. Hashes, captions and sizes must be those stated, and nothing may be missing or
    extra. What cannot be judged is a difference, never silently right.

    Parameters
    ----------
    dataset : folder of the crops
    manifest : None: manifest.jsonl, manifest.csv or manifest.parquet in the folder
    sources : folders in which sources lie, by their names in the manifest or by their content; a
        collection also has the originals that it keeps. None: the manifest's folder and the
        collection around it
    crops : further folders in which crops may lie that the manifest names in full
    jobs : processes; None: one for each core, as a script may ask beneath ``if __name__ ==
        "__main__"``. 1: in this process, which a decoder may bring down
    reach : opens who proves the rows instead, on this host, for the folders that it is called with;
        ``cropkit.workers.executors.reach`` makes it of a scheduler of Dask (address or client), or
        of an executor of `concurrent.futures`
    sample : how many random rows have their pixels proven; None: all. Of the others, names alone
    seed : of the sample, to have the same again; None: a new one, which the result tells
    manifest_sha256 : what the manifest's bytes must have, as its author has published it
    show : called with what is gone through, how many are done, and how many there are
    told : called with what became of each row

    Raises
    ------
    NotAFolder, MissingFile, NotRegularFile, BadParameterValue
        There is no such folder or manifest, or a number makes no sense: nothing was read.
    NotInstalled
        The manifest is a Parquet file, and pyarrow is not there.
    WorkersUnavailable, UnfitWorker
        Nobody is there, or left, to prove rows, or somebody who may not.
    """
    folder = _folder(Path(dataset))
    opened = Manifest(_manifest(folder, manifest))
    folders = _folders(folder, opened.path.parent.resolve(), sources, crops)
    processes = usual_jobs() if jobs is None else parameters.whole("jobs", jobs, 1, _MOST_JOBS)
    run = _Run(folders, opened, Verification(str(opened.path)), show, told)
    if sample is not None:
        run.choose(parameters.whole("sample", sample, 1, _MOST_ROWS), seed)
    elif show is not None:
        run.count()
    run.prove_all(processes, reach)
    run.check_manifest(manifest_sha256)
    return run.result


@dataclass(slots=True)
class _Run:
    """One verification under way.

    Parameters
    ----------
    chosen : the numbers of the rows of a sample; None where all are proven
    claimed : a key of each file that a row names
    copies : the same, of crops that are copies
    copied : of sources that lie among the crops, the name by their key
    moved, sourceless : rows whose crop, or whose source, is not where its name says, and the
        SHA-256 by which to look for it
    places : of moved crops that were found
    """

    folders: Folders
    manifest: Manifest
    result: Verification
    show: Progress | None
    told: Told | None
    total: int = 0
    chosen: frozenset[int] | None = None
    claimed: set[bytes] = field(default_factory=set)
    copies: set[bytes] = field(default_factory=set)
    copied: dict[bytes, Judged] = field(default_factory=dict)
    moved: dict[int, str] = field(default_factory=dict)
    sourceless: dict[int, str] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    sha256: str = ""

    def count(self) -> None:
        """Count the rows, to say how many are left."""
        self.total = sum(1 for _ in self.manifest.rows())
        self.sha256 = self.manifest.sha256

    def choose(self, size: int, seed: int | None) -> None:
        """Choose the rows of a sample, each with the same chance."""
        self.count()
        seed = secrets.randbits(32) if seed is None else seed
        rows = range(1, self.total + 1)
        chosen = random.Random(seed).sample(rows, min(size, self.total))  # noqa: S311  (to be repeated)
        self.chosen = frozenset(chosen)
        self.result.sample, self.result.seed = size, seed

    def prove_all(self, processes: int, reach: Reach | None) -> None:
        """Go through all rows, and through what no row names."""
        seen = (self.folders.dataset, *self.folders.crops, *self.folders.sources)
        with (
            nullcontext() if reach is None else reach(*seen) as elsewhere,
            Workers(self.folders, processes if elsewhere is None else 1, elsewhere) as workers,
        ):
            self.prove(workers)
            self.prove_by_content(workers, processes)
        self.look_for_extra()

    def prove(self, workers: Workers) -> None:
        """Go through all rows."""
        total = self.total if self.chosen is None else len(self.chosen)
        for done, judged in enumerate(workers.judged(self._tasks()), 1):
            self._tell("rows", done, total)
            self._sort(judged)
        self._check_unchanged()

    def prove_by_content(self, workers: Workers, jobs: int) -> None:
        """Look for what is not where its name says by its content, and prove those rows."""
        if self.moved:
            roots = (self.folders.dataset, *self.folders.crops)
            crops = by_content(roots, set(self.moved.values()), jobs, each=True)
            for judged in workers.judged(self._moved(crops)):
                self._sort(judged)
            self._check_unchanged()
        if self.sourceless:
            wanted = set(self.sourceless.values())
            sources = by_content(self.folders.sources, wanted, jobs)
            for judged in workers.judged(self._by_content(sources)):
                if judged.wants_source:
                    self._take_without_source(judged)
                else:
                    self.result.by_content["sources"] += 1
                    self._take(judged)
            self._check_unchanged()

    def look_for_extra(self) -> None:
        """Name images and captions that no row names, and sources that are copies themselves."""
        try:
            for each in listed(self.folders.dataset):
                self._look_at(each)
        except OSError as error:
            reason = f"cannot be listed, and nobody can tell what is extra there: {error.strerror}"
            self._add(Difference(Kind.NOT_PROVEN, str(error.filename), reason))
        for key, judged in self.copied.items():
            if key in self.copies:
                reason = f"the source of {judged.claim.crop} is a copy in this set itself"
                path = judged.claim.source
                self._add(Difference(Kind.SOURCE_IS_CROP, path, reason, judged.line))

    def check_manifest(self, expected: str | None) -> None:
        """Hold the manifest's bytes against what was published of them."""
        self.result.manifest_sha256 = self.sha256
        if not self.result.rows:
            reason = "it names no crop: nothing is proven by it"
            self._add(Difference(Kind.MANIFEST, str(self.manifest.path), reason))
        if expected is not None and expected.lower() != self.sha256:
            reason = f"its SHA-256 is {self.sha256}, not {expected[:64]}"
            self._add(Difference(Kind.MANIFEST, str(self.manifest.path), reason))

    def _look_at(self, each: Listed) -> None:
        identity = _identity(each.place)
        if identity is None or key_of(each.place, identity) in self.claimed:
            return
        kind = Kind.EXTRA_CAPTION if each.is_caption else Kind.EXTRA_IMAGE
        self._add(Difference(kind, each.place.name, "no row of the manifest names it"))

    # -- rows --------------------------------------------------------------------------------------

    def _claims(self) -> Iterator[tuple[int, Claim | str]]:
        for number, (line, row) in enumerate(self.manifest.rows(), 1):
            try:
                yield line, row if isinstance(row, str) else claim(row, number)
            except ValueError as error:
                self._take_names_of(row)
                yield line, str(error)

    def _tasks(self) -> Iterator[Task]:
        """Yield what is to be proven; what a name alone tells is told at once."""
        for line, claimed in self._claims():
            self.result.rows += 1
            if isinstance(claimed, str):
                self.result.checked += 1
                path = f"{self.manifest.path.name}:{line}"
                self._add(Difference(Kind.ROW, path, claimed, line))
                continue
            place = self.folders.crop(claimed.crop)
            if place is None:
                self.moved[claimed.number] = claimed.crop_sha256
            elif (task := self._task(claimed, line, place)) is not None:
                yield task

    def _task(self, claimed: Claim, line: int, place: Place) -> Task | None:
        """Take the names of a row; return what is to be proven of it, if it is.

        What is not there is for whoever reads it to tell, of a sample, too.
        """
        for name, _ in claimed.captions:
            self._take_name(self.folders.crop(name))
        identity = _identity(place)
        self.result.checked += identity is None or self._is_chosen(claimed)
        if identity is None:
            return Task(claimed, line, place)
        key = key_of(place, identity)
        if key in self.claimed:
            self._refuse(claimed, line, Kind.DOUBLED, "an earlier row names the same file")
            return None
        self.claimed.add(key)
        if claimed.mode == "copy":
            self.copies.add(key)
        return Task(claimed, line, place) if self._is_chosen(claimed) else None

    def _refuse(self, claimed: Claim, line: int, kind: Kind, reason: str) -> None:
        """Tell of a row that nothing more is to be asked of."""
        self.result.checked += not self._is_chosen(claimed)
        self._take(Judged(claimed, line, None, (Difference(kind, claimed.crop, reason, line),)))

    def _is_chosen(self, claimed: Claim) -> bool:
        return self.chosen is None or claimed.number in self.chosen

    def _take_names_of(self, row: Row | str) -> None:
        """Take the names of a row that is told of anyway: they are not extra."""
        if not isinstance(row, str):
            for field in ("crop", "caption", "second_caption"):
                name = row.get(field)
                if isinstance(name, str):
                    self._take_name(self.folders.crop(name))

    def _take_name(self, place: Place | None) -> None:
        identity = None if place is None else _identity(place)
        if place is not None and identity is not None:
            self.claimed.add(key_of(place, identity))

    def _moved(self, crops: Mapping[str, list[Place]]) -> Iterator[Task]:
        """Yield the rows whose crop is named by a path of elsewhere, where its content is here."""
        for line, claimed in self._again(self.moved):
            places = crops.get(claimed.crop_sha256, [])
            place = places.pop(0) if len(places) > 1 else next(iter(places), None)
            if place is None:
                self.result.checked += self._is_chosen(claimed)
                self._refuse(claimed, line, Kind.CROP_MISSING, _ELSEWHERE)
            elif (task := self._task(claimed, line, place)) is not None:
                self.result.by_content["crops"] += 1
                self.places[claimed.number] = place
                yield task

    def _by_content(self, sources: Mapping[str, list[Place]]) -> Iterator[Task]:
        """Yield the rows whose source is not where its name says, with where its content is."""
        for line, claimed in self._again(self.sourceless):
            place = self.places.get(claimed.number) or self.folders.crop(claimed.crop)
            if place is not None:
                source = next(iter(sources.get(claimed.source_sha256, [])), None)
                yield Task(claimed, line, place, source)

    def _again(self, numbers: Container[int]) -> Iterator[tuple[int, Claim]]:
        for line, claimed in self._claims():
            if not isinstance(claimed, str) and claimed.number in numbers:
                yield line, claimed

    def _sort(self, judged: Judged) -> None:
        if judged.wants_source:
            self.sourceless[judged.claim.number] = judged.claim.source_sha256
        else:
            self._take(judged)

    def _take(self, judged: Judged) -> None:
        if judged.is_proven and judged.proof is not None:
            self.result.proven += 1
            self.result.by_proof[judged.proof.kind] += 1
        self._note_source(judged)
        for difference in judged.differences:
            self._add(difference)
        if self.told is not None:
            self.told(judged)

    def _note_source(self, judged: Judged) -> None:
        """Note a source that lies among the crops, where it may be one itself."""
        place, roots = judged.source, (self.folders.dataset, *self.folders.crops)
        if judged.claim.mode != "copy" or place is None:
            return
        if any(place.path.is_relative_to(root) for root in roots):
            identity = _identity(place)
            if identity is not None:
                self.copied[key_of(place, identity)] = judged

    def _take_without_source(self, judged: Judged) -> None:
        claimed, sources = judged.claim, self.folders.sources
        there = next((r for r in sources if _identity(Place(r, claimed.source))), None)
        sha256 = claimed.source_sha256[:12]
        reason = f"source not here: {claimed.source}, with SHA-256 {sha256}…"
        if there is not None and not claimed.in_place:
            reason += f"; {there / claimed.source} is another content"
        reason += ": name its folder by --sources"
        if claimed.in_place:
            reason += ", a collection with the originals that it keeps"
        difference = Difference(Kind.SOURCE, claimed.crop, reason, judged.line)
        self._take(Judged(claimed, judged.line, None, (difference, *judged.differences)))

    def _add(self, difference: Difference) -> None:
        self.result.add(difference)

    def _tell(self, what: str, done: int, total: int) -> None:
        if self.show is not None:
            self.show(what, done, total)

    def _check_unchanged(self) -> None:
        """Hold what was read against what was read before: both passes are of one manifest."""
        if self.sha256 and self.sha256 != self.manifest.sha256:
            reason = "it changed while it was read: verify it again"
            self._add(Difference(Kind.MANIFEST, str(self.manifest.path), reason))
        self.sha256 = self.manifest.sha256


_ELSEWHERE = (
    "it is named in full, outside of the data set, and nothing here has its content: name its "
    "folder by --crops"
)


def _identity(place: Place) -> Identity | None:
    """Return which file is there; None where there is none, or nobody may look."""
    try:
        return place.identity()
    except CropkitError:
        return None


def _folder(path: Path) -> Path:
    if not path.exists():
        raise MissingFile(str(path))
    if not path.is_dir():
        raise NotAFolder(str(path))
    return path.resolve()


def _manifest(folder: Path, named: StrPath | None) -> Path:
    if named is not None:
        return Path(named).absolute()
    there = [folder / name for name in NAMES if os.path.lexists(folder / name)]
    if len(there) != 1:
        listed = ", ".join(path.name for path in there) or "none of " + ", ".join(NAMES)
        raise parameters.wrong(
            "manifest",
            listed,
            f"single manifest in {folder}: name the one that is meant by --manifest",
        )
    return there[0]


def _folders(
    dataset: Path, manifest: Path, sources: Iterable[StrPath], crops: Iterable[StrPath]
) -> Folders:
    named = [_folder(Path(each)) for each in sources] or [manifest, dataset]
    return Folders(
        dataset=dataset,
        manifest=manifest,
        crops=tuple(_folder(Path(each)) for each in crops),
        sources=tuple(dict.fromkeys(collections_of(named))),
    )
