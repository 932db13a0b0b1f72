"""Which formats there are, and who writes them; nothing of a format is loaded to name it."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from cropkit.records import KEPT, Verdict
from cropkit.system import parameters, plugins

# name -> what it is, and the module of this package that has its `WRITER`, or another's name there
KINDS: Mapping[str, tuple[str, str, str]] = {
    "manifest": ("a row for each crop: hashes, boxes, decision, suggestion", "manifest", "WRITER"),
    "coco": ("a JSON file of images and boxes, by COCO", "coco", "WRITER"),
    "coco-results": ("boxes as a detector's results, by COCO", "coco", "RESULTS"),
    "yolo": ("a folder of labels and links to images, by Ultralytics", "yolo", "WRITER"),
    "voc": ("a folder of an XML file for each image, by Pascal VOC", "voc", "WRITER"),
    "label-studio": ("tasks of Label Studio, as JSON", "label_studio", "WRITER"),
    "csv": ("a row for each decision, as a table", "tables", "CSV"),
    "jsonl": ("a row for each decision, as JSON Lines", "tables", "JSON_LINES"),
    "xmp": ("a folder of sidecars for Lightroom and Camera Raw", "xmp", "WRITER"),
    "iiif": ("a row with the region of each decision, by IIIF", "iiif", "WRITER"),
    "hf": ("metadata.jsonl above the crops, by Hugging Face", "hugging_face", "WRITER"),
    "kohya": ("a folder of links to crops, with a dataset.toml", "training", "KOHYA"),
    "onetrainer": ("a folder of links to crops, with a concepts.json", "training", "ONETRAINER"),
    "croissant": ("a description of the crops with their hashes", "croissant", "WRITER"),
}

LABEL_AS = ("annotations", "predictions")


@dataclass(frozen=True, slots=True)
class Options:
    """What is chosen for an export; what a format has no use for is refused.

    Parameters
    ----------
    verdicts : of the decisions that are written
    slot : of the crops that are written; None: all
    images : COCO file whose ids count
    image_prefix : that stands before the path of each image
    label_as : whether Label Studio takes boxes for what people said, or for a model's proposals
    beneath : only crops that lie beneath the folder that is written to
    """

    verdicts: tuple[Verdict, ...] = KEPT
    slot: str | None = None
    images: Path | None = None
    image_prefix: str | None = None
    label_as: str | None = None
    beneath: bool = False


def options(
    verdicts: Iterable[str],
    slot: str | None,
    images: str | os.PathLike[str] | None,
    image_prefix: str | None,
    label_as: str | None,
    *,
    beneath: bool = False,
) -> Options:
    """Read what a person or a script chose.

    Raises
    ------
    BadParameterValue
        There is no such choice.
    """
    words = [parameters.choice("verdicts", word, [*Verdict]) for word in verdicts]
    kept = None if label_as is None else parameters.choice("label_as", label_as, LABEL_AS)
    return Options(
        tuple(verdict for verdict in Verdict if verdict in words),
        slot,
        None if images is None else parameters.path_named("images", images),
        image_prefix,
        kept,
        parameters.flag("beneath", beneath),
    )


@dataclass(frozen=True, slots=True)
class Writer:
    """How a format is written.

    Parameters
    ----------
    write : is given where to, which is a file opened for text or the path of a new folder, and the
        `rows.Rows`, which it may go through more than once
    suffixes : that its file may have; none where it is a folder
    of : what a row is: a decision in force, or a crop that stands
    takes : the options that it has a use for
    """

    write: Callable[[Any, Any], None]
    suffixes: tuple[str, ...] = ()
    of: Literal["decisions", "crops"] = "decisions"
    takes: frozenset[str] = field(default=frozenset(("verdicts", "slot")))


def writer(kind: str) -> Writer:
    """Return who writes a format: one of ours, else one that is installed.

    Raises
    ------
    BadParameterValue
        There is none, or the one that is there cannot be loaded, and why: nothing was written.
    """
    if kind in KINDS:
        _, module, name = KINDS[kind]
        ours: Writer = getattr(import_module(f"cropkit.exports.{module}"), name)
        return ours
    return _installed(kind)


def _installed(kind: str) -> Writer:
    loaded = plugins.loaded(plugins.WRITERS, kind, "to", KINDS)
    if not isinstance(loaded, Writer):
        raise plugins.broken("to", kind, "it is no cropkit.exports.registry.Writer")
    return loaded


def check(kind: str, chosen: Options, out: Path, by: Writer) -> None:
    """Refuse an option that a format has no use for, and a file of another form.

    Raises
    ------
    BadParameterValue
        Nothing was read or written.
    """
    default = Options()
    names = {name for name in Options.__slots__ if getattr(chosen, name) != getattr(default, name)}
    for name in sorted(names - by.takes):
        raise parameters.wrong(name, str(getattr(chosen, name)), f"choice for {kind}: it has none")
    if by.suffixes and out.suffix.lower() not in by.suffixes:
        raise parameters.wrong("out", str(out), f"file that ends with {' or '.join(by.suffixes)}")
