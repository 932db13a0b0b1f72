"""Decisions to learn from: of a collection that was reviewed, or of a data set.

A data set is a folder with ``crops.json``, a list of objects with ``image``, ``left``, ``top``,
``right`` and ``bottom``, fractions of the upright image; or a folder of images with any file that
`cropkit import` reads, of which the best box of each image counts.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from cropkit import bounded
from cropkit.audit import places
from cropkit.errors import CropkitError
from cropkit.formats.preview import upright
from cropkit.geometry import NormalizedBox, Size
from cropkit.records import Problem, ProblemKind
from cropkit.system.scope import scope_of
from cropkit.taste import data_set, decided, features
from cropkit.taste.boxes import Array, Flags
from cropkit.taste.example import Example, Source
from cropkit.taste.portfolio import History, is_learned

_SMALL = Size(256, 256)  # pixels: more is not looked at
_LARGE = Size(2048, 2048)  # pixels: more no model of a file takes

Show = Callable[[str, int, int], object]
Describe = Callable[[Image.Image], Array]
Ask = Callable[[str, Image.Image], object]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Images with the boxes that somebody decided on, in the order of the decisions.

    Parameters
    ----------
    images : names (N)
    is_reviewed : by people, one after another; else a data set, in no order
    seconds : that each decision took (N,); not a number where that is not known
    accepted : which boxes were taken as they were proposed (N,)
    problems : what could not be used, each with its reason
    """

    images: tuple[str, ...]
    is_reviewed: bool
    history: History
    sources: tuple[Source, ...]
    seconds: Array
    accepted: Flags
    problems: tuple[Problem, ...]

    @property
    def model(self) -> str:
        """Whose boxes were proposed most often; '' where no model's were."""
        sources = (each.suggestion for each in self.sources if _is_models(each))
        return max(Counter(sources).items(), key=lambda pair: pair[1], default=("", 0))[0]

    @property
    def of_models(self) -> History:
        """The history without boxes that a review had learned: what a model says there is lost."""
        is_models = np.array([_is_models(each) for each in self.sources], dtype=bool)
        known = self.history
        return replace(known, suggested=np.where(is_models[:, None], known.suggested, np.nan))


def examples(
    folder: Path,
    show: Show = lambda *_: None,
    *,
    state: Path | None = None,
    describe: Describe = features.features,
    ask: Ask | None = None,
) -> Examples:
    """Return the examples of a collection or a data set; files are read, and nothing is written.

    Parameters
    ----------
    show : told of progress: what, how many, of how many
    state : the folder that holds its `.cropkit`; None: where it is found
    describe : returns the features of an upright RGB image of at most 256 pixels a side, or more
    ask : called with the name of each image and the image, up to 2,048 pixels a side, beside that;
        what cannot be used of it raises a `CropkitError`

    Raises
    ------
    NotAFolder, MissingFile, BadSuggestion, AuditError
        There is nothing to learn from, or it cannot be read.
    """
    scope = scope_of(folder, state)
    is_collection = places.has_one(scope.state)
    every = list((decided if is_collection else data_set).examples(scope))
    problems = [each for each in every if isinstance(each, Problem)]
    wanted = [each for each in every if isinstance(each, Example)]
    used, table = _looked_at(wanted, problems, show, _described_and_asked(describe, ask))
    history = History(
        table,
        _array([each.box for each in used]),
        features.aspect(table),
        _array([each.suggested for each in used]),
    )
    return Examples(
        tuple(each.image for each in used),
        is_collection,
        history,
        tuple(each.source for each in used),
        np.array([each.seconds for each in used], dtype=np.float64),
        np.array([each.accepted for each in used], dtype=bool),
        tuple(problems),
    )


def _looked_at(
    every: list[Example],
    problems: list[Problem],
    show: Show,
    numbers_of: Callable[[Example], Array],
) -> tuple[list[Example], Array]:
    """Return those that can be read, and their features (N, COUNT)."""
    numbers: list[Array] = []
    used: list[Example] = []
    for count, example in enumerate(every):
        show("images", count, len(every))
        try:
            numbers.append(numbers_of(example))
            used.append(example)
        except CropkitError as error:
            problems.append(Problem(ProblemKind.PREVIEW, example.image, str(error)))
    width = len(numbers[0]) if numbers else features.COUNT
    return used, np.array(numbers, dtype=np.float64).reshape(-1, width)


def _described_and_asked(describe: Describe, ask: Ask | None) -> Callable[[Example], Array]:
    def numbers_of(example: Example) -> Array:
        data = example.read()
        numbers = describe(_small(data, example.image, _SMALL))
        if ask is not None:
            ask(example.image, _small(data, example.image, _LARGE))
        return numbers

    return numbers_of


def _small(data: bytes, name: str, most: Size) -> Image.Image:
    """Return an image file, upright and no larger.

    Raises
    ------
    Refused
        It cannot be decoded, or only at more cost than one file may have.
    """
    return bounded.done(upright, data, name, most)


def _is_models(source: Source) -> bool:
    return bool(source.suggestion) and not is_learned(source.suggestion, source.version)


def _array(of: list[NormalizedBox] | list[NormalizedBox | None]) -> Array:
    rows = [np.full(4, np.nan) if box is None else np.array(box.xyxy) for box in of]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)
