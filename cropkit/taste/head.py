"""A box from features: ridge regression on what differs from the median box.

Ordinary regression on a hundred features of a few dozen decisions is worse than a constant. Three
things keep it in bounds: the penalty is chosen by the exact leave-one-out overlap, it falls back to
the median box where no gain is beyond one standard error, and each image counts mirrored, too.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cropkit.errors import BadTaste
from cropkit.taste import boxes, documents, features
from cropkit.taste.boxes import Array

_PENALTIES = 10.0 ** np.arange(1, 6.5, 0.5)
_REACH = 4.0  # standard deviations: features farther out than any that were learned from
_KEPT = 200  # residuals
_LEAST_SCALE = 1e-7  # below any that is learned
_FORM = "cropkit-head-1"
_LARGEST = 1 << 20  # bytes of a file
_ROWS = max(_KEPT, features.COUNT + features.SEEN)


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What was learned, small enough to be shared: a few kB as JSON.

    Parameters
    ----------
    count : decisions that it was learned from
    median : box (4,)
    mean, scale : of the features (COUNT,)
    weights : from scaled features to the difference from the median (COUNT, 4); zero where the
        median is as good
    residuals : what was left over where an image was not learned from (R, 4): for alternatives
    """

    count: int
    median: Array
    mean: Array
    scale: Array
    weights: Array
    residuals: Array

    @classmethod
    def fitted(cls, of: Array, wanted: Array) -> "Head":
        """Learn from images and their boxes.

        Parameters
        ----------
        of : features (N, COUNT), N at least 1
        wanted : boxes (N, 4)
        """
        mean, scale = of.mean(axis=0), of.std(axis=0) + 1e-6
        median = np.median(wanted, axis=0)
        penalty, residuals = _penalty((of - mean) / scale, wanted, median)
        weights = np.zeros((of.shape[1], 4))
        if penalty is not None:
            twice = np.concatenate([of, features.mirrored(of)])
            both = np.concatenate([wanted, boxes.mirrored(wanted)])
            weights = _solved((twice - mean) / scale, both - median, penalty)
        chosen = np.random.default_rng(0).permutation(len(of))[:_KEPT]
        return cls(len(of), median, mean, scale, weights, residuals[chosen])

    @property
    def features(self) -> str | int:
        """Which features it is for."""
        return _VERSIONS[len(self.mean)]

    @property
    def has_seen(self) -> bool:
        """Whether it is for what models see, too."""
        return len(self.mean) > features.COUNT

    @property
    def is_constant(self) -> bool:
        """Whether nothing of the features helped."""
        return not self.weights.any()

    def predicted(self, of: Array) -> Array:
        """Return a box for each image.

        Parameters
        ----------
        of : features (N, COUNT)
        """
        scaled = np.clip((of - self.mean) / self.scale, -_REACH, _REACH)
        return boxes.valid(self.median + scaled @ self.weights)

    def to_json(self) -> dict[str, Any]:
        """Return it as `read` takes it."""
        arrays = {name: getattr(self, name).round(6).tolist() for name in _shapes(0)}
        return {"form": _FORM, "features": self.features, "count": self.count} | arrays

    def write(self, path: Path) -> None:
        """Write it to a file that is not there yet.

        Raises
        ------
        FileExistsError
            Nothing is written over.
        """
        documents.write(path, json.dumps(self.to_json()))


_VERSIONS: dict[int, int | str] = {
    features.COUNT: features.VERSION,
    features.COUNT + features.SEEN: f"{features.VERSION} with vision",
}


def _shapes(count: int) -> dict[str, tuple[int, ...]]:
    return {
        "median": (4,),
        "mean": (count,),
        "scale": (count,),
        "weights": (count, 4),
        "residuals": (-1, 4),
    }


def read(path: Path) -> Head:
    """Read a head from a file, which may be anybody's: numbers of the right shapes, or an error.

    Raises
    ------
    BadTaste
        It holds none, or one for other features than this version's.
    """
    text = documents.text_of(path, _LARGEST)
    with documents.refusing(path, "is no head"):
        return parsed(documents.parsed(text), path)


def parsed(document: Any, path: Path) -> Head:  # noqa: ANN401  (whatever JSON holds)
    """Return the head that a document says; one of another shape raises as `documents.numbers`."""
    if document["form"] != _FORM:
        raise BadTaste(path, f"is no {_FORM}")
    count = next((n for n, each in _VERSIONS.items() if document["features"] == each), None)
    if count is None:
        version = f"{document['features']!r:.20}"
        raise BadTaste(path, f"is for features {version}, not {features.VERSION}")
    arrays = {
        name: documents.numbers(document[name], shape, _ROWS)
        for name, shape in _shapes(count).items()
    }
    if not (arrays["scale"] >= _LEAST_SCALE).all():
        raise BadTaste(path, "has a scale that is not positive")
    return Head(count=documents.count(document["count"]), **arrays)


def _penalty(scaled: Array, wanted: Array, median: Array) -> tuple[float | None, Array]:
    """Choose the penalty by the leave-one-out overlap; return it with the errors that it leaves."""
    squares, axes = np.linalg.eigh(scaled.T @ scaled)
    turned, differences = scaled @ axes, wanted - median
    along = turned.T @ differences
    constant = boxes.iou(median, wanted)
    most, chosen, errors = 0.0, None, differences
    for penalty in _PENALTIES:
        inverse = 1 / (squares + penalty)
        own = np.minimum(turned**2 @ inverse, 0.999)
        without = (differences - turned @ (inverse[:, None] * along)) / (1 - own)[:, None]
        gains = boxes.iou(boxes.valid(wanted - without), wanted) - constant
        if gains.mean() > max(most, gains.std() / np.sqrt(len(gains))):
            most, chosen, errors = gains.mean(), float(penalty), without
    return chosen, errors


def _solved(scaled: Array, differences: Array, penalty: float) -> Array:
    gram = scaled.T @ scaled + penalty * np.eye(scaled.shape[1])
    return np.asarray(np.linalg.solve(gram, scaled.T @ differences), dtype=np.float64)
