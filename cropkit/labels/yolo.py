"""YOLO: a text file for each image, with a line a box: class, centre x, centre y, width, height.

Format: Ultralytics' documentation, "Object detection datasets" and "Instance segmentation
datasets": fractions of the image; three pairs of numbers or more are a polygon; a fifth number is a
confidence, as ``save_conf`` writes it. ``labels/a/b.txt`` is of ``images/a/b.*``. Classes are
named by ``names`` in ``data.yaml``, or line by line in ``classes.txt`` and ``obj.names``.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cropkit.errors import BadSuggestion
from cropkit.labels.documents import SMALL, Document, without_raising
from cropkit.labels.label import Edges, Label, Labels, around_points, numeric, sure, text
from cropkit.suggest.convention import xyxy

NOT_LABELS = ("classes.txt", "train.txt", "val.txt", "test.txt", "README.txt", "readme.txt")
_NAMES = ("classes.txt", "obj.names")
_DATA = ("data.yaml", "data.yml", "dataset.yaml")
_LINE = re.compile(r"\d+(?:\s+[-+.\deE]+){4,}")
_BOX, _SCORED, _LEAST_POLYGON = 4, 5, 6  # numbers after the class


def is_meant(line: str) -> bool:
    """Whether a line of text is a box of YOLO's."""
    return _LINE.fullmatch(line.strip()) is not None


class Classes(NamedTuple):
    """What a data file says: the classes' names, and whether joints follow each box."""

    names: Mapping[int, str]
    has_keypoints: bool = False


NO_CLASSES = Classes({})


def read(document: Document, image: str, classes: Classes) -> Labels:
    """Yield the boxes of one image's file.

    Parameters
    ----------
    image : the image's path, without a suffix
    """
    read_one = partial(_line, image=image, classes=classes)
    for where, line in document.lines():
        yield from without_raising(read_one, line, where)


def _line(line: str, where: str, *, image: str, classes: Classes) -> Labels:
    number, *rest = (numeric(part, where) for part in line.split())
    edges, confidence = _box(rest, where, has_keypoints=classes.has_keypoints)
    category = classes.names.get(int(number), f"{number:g}")
    yield Label(
        where,
        image,
        edges,
        "normalized",
        confidence=sure(confidence, where),
        category=category,
        by_stem=True,
    )


def classes_of(folder: Path) -> Classes:
    """Return what a folder, or one of the two above it, tells of its labels; nothing is no error.

    Raises
    ------
    BadSuggestion
        There is a file of names that cannot be read.
    """
    for place in (folder, *folder.absolute().parents[:2]):
        for name in _DATA:
            if (place / name).is_file():
                return _in_yaml(Document(place / name, limit=SMALL))
        for name in _NAMES:
            if (place / name).is_file():
                lines = Document(place / name, limit=SMALL).text.splitlines()
                return Classes({number: text(line.strip()) for number, line in enumerate(lines)})
    return NO_CLASSES


def _box(numbers: list[float], where: str, *, has_keypoints: bool) -> tuple[Edges, float | None]:
    if has_keypoints and len(numbers) > _SCORED:
        numbers = numbers[:_BOX]  # the others are where its joints are
    if len(numbers) >= _LEAST_POLYGON and len(numbers) % 2 == 0:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return around_points(list(pairs), where), None
    if len(numbers) not in (_BOX, _SCORED):
        raise BadSuggestion(where, f"has {len(numbers)} numbers after its class")
    a, b, c, d = numbers[:_BOX]
    return xyxy("cxcywh", (a, b, c, d)), numbers[_BOX] if len(numbers) == _SCORED else None


def _in_yaml(document: Document) -> Classes:
    """Return ``names`` of a data file, a list or a mapping of numbers, and its ``kpt_shape``."""
    import yaml  # noqa: PLC0415  (where there is such a file)

    try:
        _refuse_aliases(document)
        data = yaml.load(document.text, yaml.SafeLoader)
    except BadSuggestion:
        raise
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise BadSuggestion(document.name, f"is not YAML ({reason})") from None
    content = data if isinstance(data, dict) else {}
    names = content.get("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    pairs = names.items() if isinstance(names, dict) else ()
    named = {key: text(name) for key, name in pairs if isinstance(key, int)}
    return Classes(named, content.get("kpt_shape") is not None)


def _refuse_aliases(document: Document) -> None:
    import yaml  # noqa: PLC0415  (as above)

    depth = 0
    for event in yaml.parse(document.text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise BadSuggestion(document.name, "has aliases, which are not read")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > 4:  # noqa: PLR2004  (names are two deep)
            raise BadSuggestion(document.name, "is nested too deeply")
