"""Examples of a data set: images and a file that says which crop of each somebody wanted."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from cropkit import formats
from cropkit.bounds import Bounds
from cropkit.engine import listing
from cropkit.errors import BadSuggestion, CropkitError
from cropkit.labels.documents import Document, each_object
from cropkit.labels.label import Label, Labels
from cropkit.labels.labelled import Labelled
from cropkit.records import Problem, ProblemKind
from cropkit.suggest.numbers import excerpt, normalized_box, number
from cropkit.suggest.suggested import problem_of
from cropkit.system.files import Root
from cropkit.system.scope import Scope
from cropkit.taste.example import Example

CROPS = "crops.json"
_EDGES = ("left", "top", "right", "bottom")

Found = Iterator[Example | Problem]


def examples(scope: Scope) -> Found:
    """Yield an example for each image of a data set, and what cannot be used.

    Raises
    ------
    MissingFile, BadSuggestion
        No file there says which crops are wanted.
    """
    root = Root(scope.folder)
    if root.identity(CROPS) is not None:
        return _of_crops(root)
    return _of_labels(root, listing.listed(scope).images)


def _of_crops(root: Root) -> Found:
    for label in each_object(Document(root.path / CROPS).json(), CROPS, _label):
        try:
            if isinstance(label, BadSuggestion):
                raise label
            box = normalized_box(label.edges, label.where)
            yield Example(label.image, box, partial(_data, root, label.image))
        except BadSuggestion as error:
            yield problem_of(error)


def _label(entry: dict[str, Any], where: str) -> Labels:
    image = entry.get("image")
    if not isinstance(image, str):
        raise BadSuggestion(where, f"needs the name of an image, holds {excerpt(image)}")
    left, top, right, bottom = (number(entry.get(edge), f"{where}.{edge}") for edge in _EDGES)
    yield Label(where, image, (left, top, right, bottom), units="normalized")


def _of_labels(root: Root, images: list[str]) -> Found:
    labels = Labelled(root.path).of(root, lambda: images)
    yield from (*labels.problems, *labels.strange())
    for image, some in labels.named():
        try:
            size = formats.read_header(_data(root, image), image).size
        except CropkitError as error:
            yield Problem(ProblemKind.PREVIEW, image, str(error))
            continue
        placed, problems = labels.placed(some, image, size)
        yield from problems
        if placed:
            yield Example(image, placed[0].box, partial(_data, root, image))


def _data(root: Root, image: str) -> bytes:
    return root.read(image, Bounds.from_environment()).data
