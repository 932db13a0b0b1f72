"""Suggestions from the files of labelling tools and detectors."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from cropkit import formats
from cropkit.bounds import Bounds
from cropkit.errors import BadSuggestion, CropkitError
from cropkit.geometry import NormalizedBox, Size
from cropkit.labels.files import Opened, opened
from cropkit.labels.label import MOST, Edges, Label
from cropkit.labels.matching import Matched, Name, matched, name_of
from cropkit.labels.rows import Declared
from cropkit.records import Problem, ProblemKind, Suggestion
from cropkit.suggest.border import TOLERANCE, Border, Clipped, Outside
from cropkit.suggest.convention import ALLOWED, Frame, Order, Units, in_pixels
from cropkit.suggest.numbers import FLOAT_NOISE
from cropkit.suggest.suggested import Suggested, problem_of
from cropkit.system import parameters
from cropkit.system.files import Root

Named = Mapping[Name, list[Label]]


@dataclass(frozen=True, slots=True)
class Placed:
    """A label whose box is known: a fraction of the upright image."""

    label: Label
    box: NormalizedBox


class Labelled:
    """Boxes of a file, or of a folder of files, in whichever format they are.

    COCO, COCO results, YOLO, Pascal VOC, Label Studio, CVAT, LabelMe, VIA, XMP sidecars (Camera
    Raw's crop, IPTC's regions), IIIF regions, replies of Google, Azure and Rekognition, Hugging
    Face's ``metadata.jsonl``, CSV, JSON Lines, JSON lists, Parquet: docs/suggestions.md has them
    all. Which one it is, is found by content. A bad row is a problem of kind `SUGGESTION` that
    names file and place, and the others are used.

    Parameters
    ----------
    path : of the file or folder
    order, units : what four numbers mean where their names do not tell
    frame : "upright" or "stored"; None: where the file states a size that is the image's before
        its orientation, and not after it, it is stored, else upright
    outside : "clip" boxes at the border, or "refuse" what reaches more than half a pixel outside
    tolerance : fraction of the side that is clipped; a box that reaches farther is refused
    format : instead of the one that the content tells
    images : COCO file whose images COCO results are of
    columns : columns with other than the usual names, such as ``{"path": "img"}``

    Raises
    ------
    MissingFile, BadSuggestion, BadParameterValue
        There is no such file, it is in no known format, or a parameter makes no sense.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        order: Order | None = None,
        units: Units | None = None,
        frame: Frame | None = None,
        outside: Outside = "clip",
        tolerance: float = TOLERANCE,
        format: str = "",  # noqa: A002  (as the command's option)
        images: Path | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        _check(order, units, frame)
        self._border = Border(outside, tolerance)
        self._frame = frame
        declared = Declared(order, units, columns or {})
        result = opened(path, declared, format=format, images=images)
        labels: dict[Name, list[Label]] = defaultdict(list)
        self._problems = tuple(_bad_rows(result, labels))
        self._labels: Named = dict(labels)
        self._by_path = _by_path(labels)
        self.name, self.formats = result.name, result.formats
        self._files: Root | None = None
        self._images: Callable[[], Iterable[str]] = tuple
        self._matched: Matched | None = None
        self._lock = Lock()

    def of(self, files: Root, images: Callable[[], Iterable[str]]) -> "Labelled":
        """Return the same for the images of a collection.

        Parameters
        ----------
        files : of the collection
        images : returns their paths; called once, where a name is not an image's whole path
        """
        twin = copy(self)
        twin._files, twin._images, twin._matched = files, images, None  # noqa: SLF001  (of the same class)
        return twin

    @property
    def clipped(self) -> Clipped:
        """How many boxes were clipped until now, and by how many pixels at most."""
        return self._border.clipped

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Bad rows that belong to no image."""
        return self._problems

    def strange(self) -> tuple[Problem, ...]:
        """Return a problem for each name that is no image's, or could be several ones'."""
        strange = self._all_matched().strange
        kind = ProblemKind.SUGGESTION
        return tuple(
            Problem(kind, self._labels[name][0].where, why) for name, why in strange.items()
        )

    def named(self) -> Iterator[tuple[str, list[Label]]]:
        """Yield the images that have labels, with these, in the collection's order."""
        names = self._all_matched().names
        for image in self._images():
            if image in names:
                yield image, [label for name in names[image] for label in self._labels[name]]

    def suggest(self, path: str, size: Size, sha256: str) -> Suggested:  # noqa: ARG002  (Suggester)
        """Propose the boxes of the image, best first."""
        labels = self._of_image(path)
        if not labels:
            reason = f"no box in {self.name}"
            return Suggested(problems=(Problem(ProblemKind.NO_SUGGESTION, path, reason),))
        placed, problems = self.placed(labels, path, size)
        suggestions = tuple(
            Suggestion(
                each.box,
                each.label.source or self.name,
                each.label.version,
                rank,
                each.label.confidence,
            )
            for rank, each in enumerate(placed)
        )
        return Suggested(suggestions, tuple(problems))

    def placed(
        self, labels: Iterable[Label], path: str, size: Size
    ) -> tuple[list[Placed], list[Problem]]:
        """Return the best boxes of an image, best first, and what cannot be used.

        Parameters
        ----------
        size : upright
        """
        boxes: list[Placed] = []
        problems: list[Problem] = []
        for label in sorted(labels, key=_best_first):
            try:
                boxes.append(Placed(label, self._box(label, path, size)))
            except BadSuggestion as error:
                problems.append(problem_of(error))
        if len(boxes) > MOST:
            reason = f"{self.name} has {len(boxes):,} boxes for it; the best {MOST} are used"
            problems.append(Problem(ProblemKind.SUGGESTION, path, reason))
        return boxes[:MOST], problems

    def confidence(self, path: str) -> float | None:
        """Return the confidence of the image's best box, which is not looked at."""
        labels = self._of_image(path)
        return min(labels, key=_best_first).confidence if labels else None

    def _of_image(self, path: str) -> list[Label]:
        names = self._whole_names(path) or self._all_matched().names.get(path, ())
        return [label for name in names for label in self._labels[name]]

    def _whole_names(self, path: str) -> Sequence[Name]:
        """Return the names that are an image's whole path, where no other image could have them.

        So the images need not be listed for it. A name without a suffix is that of several, and so
        may one be that is composed in two ways.
        """
        whole, _, _ = path.rpartition(".")
        if not path.isascii() or (whole, True) in self._by_path:
            return ()
        return self._by_path.get((path, False), ())

    def _all_matched(self) -> Matched:
        with self._lock:
            if self._matched is None:
                self._matched = matched(self._labels, self._images())
            return self._matched

    def _box(self, label: Label, path: str, size: Size) -> NormalizedBox:
        orientation = self._orientation(label, path, size)
        frame = size.oriented(orientation)
        if label.size is not None and label.size != frame:
            stated, now = _shown(label.size), _shown(frame)
            raise BadSuggestion(label.where, f"is for {path} of {stated}; it has {now} now (stale)")
        if label.units == "pixels" and _looks_normalized(label.edges):
            raise BadSuggestion(label.where, "looks normalized where pixels are meant")
        edges = in_pixels(label.edges, label.units, frame)
        box = self._border.box(edges, frame, label.where)
        if orientation == 1:
            return box
        return box.pixels(frame).upright(frame, orientation).normalized(size)

    def _orientation(self, label: Label, path: str, size: Size) -> int:
        """Return the orientation that a label's box is short of; 1 where it is upright."""
        is_turned = label.size is not None and label.size != size and label.size == size.swapped
        told = label.frame or self._frame
        if told == "upright" or (told is None and not is_turned):
            return 1
        if self._files is None:
            raise BadSuggestion(label.where, "is in stored pixels, and belongs to no collection")
        try:
            data = self._files.read(path, Bounds.from_environment()).data
            return formats.read_header(data, path).orientation
        except CropkitError as error:
            raise BadSuggestion(label.where, f"no orientation is known: {error}") from error


def _check(order: object, units: object, frame: object) -> None:
    for word, value in (("order", order), ("units", units), ("frame", frame)):
        if value is not None:
            parameters.choice(word, value, ALLOWED[word])


def _bad_rows(result: Opened, labels: dict[Name, list[Label]]) -> Iterator[Problem]:
    """Sort labels by the names of their images; yield what is none."""
    for label in result.labels:
        if isinstance(label, BadSuggestion):
            yield problem_of(label)
        else:
            name = name_of(label.image, by_stem=label.by_stem, folder=label.folder)
            labels[name].append(label)


def _by_path(names: Iterable[Name]) -> dict[tuple[str, bool], list[Name]]:
    by_path: dict[tuple[str, bool], list[Name]] = defaultdict(list)
    for name in names:
        by_path[str(name), name.by_stem].append(name)
    return dict(by_path)


def _best_first(label: Label) -> tuple[int, float]:
    return label.rank, -1.0 if label.confidence is None else -1.0 - label.confidence


def _looks_normalized(edges: Edges) -> bool:
    """Whether numbers are fractions: a box of the first pixel has whole ones."""
    return max(map(abs, edges)) <= 1 + FLOAT_NOISE and not all(map(float.is_integer, edges))


def _shown(size: Size) -> str:
    return f"{size.width} x {size.height}"
