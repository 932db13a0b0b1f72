"""Which format a file, or a folder of files, is in: found by what is in it, not by its name."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from cropkit.errors import BadSuggestion, MissingFile
from cropkit.labels import (
    coco,
    cvat,
    iiif,
    label_studio,
    labelme,
    rows,
    via,
    vision_services,
    voc,
    xmp,
    yolo,
)
from cropkit.labels.documents import MOST_FILES, Document
from cropkit.labels.label import Label, Labels
from cropkit.labels.matching import of_labels_file
from cropkit.labels.rows import Declared
from cropkit.system import parameters, plugins

_IN_FOLDER = 1 << 26  # bytes of one of many: LabelMe's hold their image
_SUFFIXES = (".json", ".jsonl", ".xml", ".xmp", ".txt")
_PARQUET = b"PAR1"
YOLO = "yolo"


class Asked(NamedTuple):
    """What a reader is given beside the document."""

    where: str
    image: str  # that the file's own name means: a path without the file's suffix
    declared: Declared
    images: dict[str, Any] | None  # the COCO document whose ids results have


class _Format(NamedTuple):
    """How one format is known, and read; of the root of a document."""

    is_meant: Callable[[Any], bool]
    read: Callable[[Any, Asked], Labels]


JSON: Mapping[str, _Format] = {
    "coco": _Format(coco.is_coco, lambda d, asked: coco.read(d, asked.where)),
    "coco-results": _Format(
        coco.is_results, lambda d, asked: coco.read_results(d, asked.where, asked.images)
    ),
    "label-studio": _Format(
        label_studio.is_meant, lambda d, asked: label_studio.read(d, asked.where)
    ),
    "labelme": _Format(labelme.is_meant, lambda d, asked: labelme.read(d, asked.where)),
    "google": _Format(
        vision_services.is_google,
        lambda d, asked: vision_services.read_google(d, asked.where, asked.image),
    ),
    "azure": _Format(
        vision_services.is_azure,
        lambda d, asked: vision_services.read_azure(d, asked.where, asked.image),
    ),
    "rekognition": _Format(
        vision_services.is_rekognition,
        lambda d, asked: vision_services.read_rekognition(d, asked.where, asked.image),
    ),
    "iiif": _Format(iiif.is_meant, lambda d, asked: iiif.read(d, asked.where)),
    "via": _Format(via.is_meant, lambda d, asked: via.read(d, asked.where)),
    "json": _Format(rows.is_list, lambda d, asked: rows.from_list(d, asked.where, asked.declared)),
}
XML: Mapping[str, _Format] = {
    "voc": _Format(voc.is_meant, lambda root, asked: voc.read(root, asked.where)),
    "cvat": _Format(cvat.is_meant, lambda root, asked: cvat.read(root, asked.where)),
    "xmp": _Format(xmp.is_meant, lambda root, asked: xmp.read(root, asked.where, asked.image)),
}
FORMATS = (*JSON, *XML, YOLO, "csv", "jsonl", "parquet")


@dataclass(slots=True)
class Opened:
    """What a file or a folder holds.

    Parameters
    ----------
    name : of the file, or the folder
    formats : that were met until now, with the number of files
    labels : each is read when it is asked for
    """

    name: str
    formats: dict[str, int] = field(default_factory=dict)
    labels: Labels = field(default_factory=lambda: iter(()))


def opened(
    path: Path | str,
    declared: Declared | None = None,
    *,
    format: str = "",  # noqa: A002  (as the command's option)
    images: Path | None = None,
) -> Opened:
    """Return the boxes of a file, or of all files in a folder and beneath it.

    Parameters
    ----------
    declared : what four numbers mean, where their format does not say so
    format : one of `FORMATS`, or of what is installed (`cropkit.readers`), instead of the one that
        the content tells
    images : COCO file whose images results are of

    Raises
    ------
    MissingFile, BadSuggestion, BadParameterValue
        There is no such file; it is in no known format, or cannot be read.
    """
    source = parameters.path_named("suggestions", path)
    known = None if images is None else _coco_images(Path(images))
    result = Opened(source.name)
    if format and format not in FORMATS:
        result.labels = _by_plugin(source, format, result.formats)
        return result
    start = _Reader(declared or Declared(), format, known, result.formats)
    if source.name in ("data.yaml", "data.yml"):
        source = source.parent
    if source.is_dir():
        result.labels = start.folder(source)
    elif not os.path.lexists(source):
        raise MissingFile(str(source))
    else:
        result.labels = start.file(source)
    return result


def _by_plugin(path: Path, name: str, met: dict[str, int]) -> Labels:
    """Return what an installed reader yields; what it raises is a problem of the file."""
    read = plugins.loaded(plugins.READERS, name, "format", FORMATS)
    if not callable(read):
        raise plugins.broken("format", name, "it cannot be called")
    met[name] = 1
    return _yielded(read, path, name)


def _yielded(read: Callable[[Path], Iterable[object]], path: Path, name: str) -> Labels:
    try:
        for label in read(path):
            yield _checked(label, path, name)
    except BadSuggestion as error:
        yield error
    except Exception as error:  # noqa: BLE001  (a stranger's code may raise whatever it likes)
        yield BadSuggestion(path.name, f"{name} raised {type(error).__name__}: {error}")


def _checked(label: object, path: Path, name: str) -> Label | BadSuggestion:
    if not isinstance(label, Label | BadSuggestion):
        kind = type(label).__name__
        raise BadSuggestion(path.name, f"{name} yields {kind}, not cropkit.labels.label.Label")
    return label


def _coco_images(path: Path) -> dict[str, Any]:
    document = Document(path).json()
    if not isinstance(document, dict) or "images" not in document:
        raise BadSuggestion(path.name, "holds no images of COCO")
    return document


@dataclass(slots=True)
class _Reader:
    declared: Declared
    format: str
    images: dict[str, Any] | None
    met: dict[str, int]

    def folder(self, folder: Path) -> Labels:
        """Yield what the files of a folder hold; what is no file of labels is passed over."""
        classes = yolo.NO_CLASSES
        try:
            classes = yolo.classes_of(folder)
        except BadSuggestion as error:
            yield error  # boxes are right without them
        for number, (path, relative) in enumerate(_files(folder)):
            if number >= MOST_FILES:
                yield BadSuggestion(relative, f"is file {number + 1:,}; none from here on was read")
                return
            try:
                document = Document(path, relative, _IN_FOLDER)
                labels = self._read(document, relative, classes, is_alone=False)
                yield from _beside(labels, relative.rpartition("/")[0])
            except MissingFile:
                yield BadSuggestion(relative, "is gone")
            except BadSuggestion as error:
                yield error

    def file(self, path: Path) -> Labels:
        """Return what one file holds; in no known format, it is refused at once."""
        if self.format == "csv":
            return self._met("csv", rows.from_csv(path, self.declared))
        document = Document(path)
        if self.format == "parquet" or document.start.startswith(_PARQUET):
            return self._met("parquet", rows.from_parquet(path, self.declared))
        is_text = path.suffix == ".txt"
        classes = yolo.classes_of(path.parent) if is_text else yolo.NO_CLASSES
        return self._read(document, path.name, classes, is_alone=True)

    def _read(
        self, document: Document, relative: str, classes: yolo.Classes, *, is_alone: bool
    ) -> Labels:
        asked = Asked(document.name, of_labels_file(relative), self.declared, self.images)
        start = document.start[:1]
        if start in (b"{", b"[") and self.format not in (YOLO, "csv"):
            return self._in_json(document, asked)
        if start == b"<":
            return self._of(XML, document.xml(), asked)
        if self.format == YOLO or _is_yolo(document):
            return self._met(YOLO, yolo.read(document, asked.image, classes))
        if is_alone and self.format in ("", "csv"):
            return self._met("csv", rows.from_csv(document.path, self.declared))
        if self.format or relative.endswith(".txt"):  # a caption, a list of files
            return iter(())
        raise BadSuggestion(document.name, "is in no format that is read")

    def _in_json(self, document: Document, asked: Asked) -> Labels:
        if self.format == "jsonl" or (not self.format and _has_lines(document)):
            return self._met("jsonl", rows.from_lines(document, self.declared))
        return self._of(JSON, document.json(), asked)

    def _of(self, formats: Mapping[str, _Format], root: Element | Any, asked: Asked) -> Labels:  # noqa: ANN401  (JSON's)
        among = {self.format: formats[self.format]} if self.format in formats else formats
        if self.format and self.format not in formats:
            raise BadSuggestion(asked.where, f"is not {self.format}")
        for name, each in among.items():
            if each.is_meant(root):
                return self._met(name, each.read(root, asked))
        expected = self.format or f"none of {', '.join(formats)}"
        raise BadSuggestion(asked.where, f"is {'not ' if self.format else ''}{expected}")

    def _met(self, name: str, labels: Labels) -> Labels:
        self.met[name] = self.met.get(name, 0) + 1
        return labels


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files that may hold labels, in order, with their paths in the folder."""
    for place, beneath, names in os.walk(folder):
        beneath[:] = sorted(name for name in beneath if name[0] != ".")
        for name in sorted(names):
            path = Path(place, name)
            is_likely = path.suffix.lower() in _SUFFIXES and name not in yolo.NOT_LABELS
            if is_likely and name[0] != "." and not path.is_symlink():
                yield path, path.relative_to(folder).as_posix()


def _beside(labels: Labels, folder: str) -> Labels:
    """Yield labels that know in which folder their file is."""
    for label in labels:
        yield replace(label, folder=folder) if folder and isinstance(label, Label) else label


def _is_yolo(document: Document) -> bool:
    try:
        first = next(document.lines(), None)
    except BadSuggestion:
        return False
    return document.path.suffix.lower() == ".txt" and (first is None or yolo.is_meant(first[1]))


def _has_lines(document: Document) -> bool:
    """Whether a second object follows the first: a line of its own each."""
    first, _, rest = document.start.partition(b"\n")
    return first.rstrip().endswith(b"}") and (
        rest.lstrip().startswith(b"{") or document.path.suffix.lower() == ".jsonl"
    )
