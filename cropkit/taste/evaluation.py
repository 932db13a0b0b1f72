"""How good boxes are: beside constants, with intervals, and by who proposed and decided."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from cropkit.taste import boxes
from cropkit.taste.alternatives import alternatives
from cropkit.taste.boxes import Array
from cropkit.taste.curves import Point, edge_bias, of_heads, of_review
from cropkit.taste.example import MOST_DECISIONS, Source
from cropkit.taste.examples import Examples
from cropkit.taste.head import Head
from cropkit.taste.mean import Mean
from cropkit.taste.portfolio import (
    CENTRE,
    LEAST,
    Choice,
    History,
    House,
    without_count,
)

_FOLDS = 5
_STEP = 10  # decisions after which is learned anew, once there are enough
_NEAR = 0.05


Figures = Mapping[str, Mean | None]
Groups = Mapping[str, Mapping[str, Figures]]


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Up to three boxes for each image, best first, before its decision was known.

    Parameters
    ----------
    boxes : of each image (K, 4), K from 1 to 3
    sources : where each image's boxes come from
    confidences : how much of the best box what is likely overlaps, in the mean, 0 to 1; None where
        nothing tells it
    how : what they were learned from, in plain words
    """

    boxes: tuple[Array, ...]
    sources: tuple[str, ...]
    confidences: tuple[float | None, ...]
    how: str

    @property
    def best(self) -> Array:
        """The best box of each image (N, 4)."""
        return np.array([each[0] for each in self.boxes]).reshape(-1, 4)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of some predictions.

    Parameters
    ----------
    proposed : of the predictions, free-form and with the ratio of what was wanted given
    constants : of boxes that do not look at the image, the same for all
    by : of the boxes that were shown, by what was recorded with them: way -> name -> figures
    aspect_given : `constants` and `by`, with the ratio of what was wanted given
    curve : what so many decisions have taught
    edge_bias : what was decided less what a model proposed: model -> edge -> mean
    """

    images: int
    how: str
    proposed: Mapping[str, Figures]
    constants: Mapping[str, Figures]
    by: Groups
    aspect_given: Mapping[str, Groups]
    curve: tuple[Point, ...]
    edge_bias: Mapping[str, Figures]

    def to_json(self) -> dict[str, Any]:
        """Return it as `--json` has it."""
        return {
            "images": self.images,
            "how": self.how,
            "proposed": _group_json(self.proposed),
            "constants": _group_json(self.constants),
            "by": {way: _group_json(groups) for way, groups in self.by.items()},
            "aspect_given": {
                what: {way: _group_json(groups) for way, groups in each.items()}
                for what, each in self.aspect_given.items()
            },
            "curve": [each.to_json() for each in self.curve],
            "edge_bias": _group_json(self.edge_bias),
        }


def _group_json(of: Mapping[str, Figures]) -> dict[str, Any]:
    return {name: _json(each) for name, each in of.items()}


def _json(of: Figures) -> dict[str, Any]:
    return {name: mean and mean.to_json() for name, mean in of.items()}


# -- predictions ---------------------------------------------------------------------------------


def by_head(head: Head, asked: History) -> Predictions:
    """Predict by what was learned elsewhere."""
    return _of_head(head, asked, f"a head, learned from {head.count:,} decisions")


def cross_validated(known: History) -> Predictions:
    """Predict each image by a head that was learned from four fifths without it."""
    fold = np.random.default_rng(0).permutation(len(known)) % _FOLDS
    every: dict[int, tuple[Array, float | None]] = {}
    for part in range(_FOLDS):
        head = Head.fitted(*_learned_from(known.some(fold != part)))
        answers = _of_head(head, known.some(fold == part), "")
        rows = zip(answers.boxes, answers.confidences, strict=True)
        every |= dict(zip(np.flatnonzero(fold == part).tolist(), rows, strict=True))
    ordered = [every[number] for number in range(len(known))]
    return Predictions(
        tuple(each for each, _ in ordered),
        ("learned",) * len(known),
        tuple(sure for _, sure in ordered),
        "five-fold cross-validation",
    )


def replayed(known: History, house: House | None = None) -> Predictions:
    """Predict each image by what the decisions before it had taught, as in a review.

    Parameters
    ----------
    house : what was learned elsewhere, to begin with
    """
    choice, every, sources = Choice(), [], []
    starts = [*range(min(LEAST, len(known))), *range(LEAST, len(known), _STEP)]
    for start, end in zip(starts, [*starts[1:], len(known)], strict=True):
        before = known.some(slice(max(0, start - MOST_DECISIONS), start))
        choice = choice.again(before, house)
        answers = choice.predictor(before, house)(known.some(slice(start, end)))
        every += [each[None] for each in answers]
        sources += [choice.name] * len(answers)
    unsaid = (None,) * len(every)
    return Predictions(tuple(every), tuple(sources), unsaid, "as a review would have learned")


def _learned_from(known: History) -> tuple[Array, Array]:
    return known.features, known.wanted


def _of_head(head: Head, asked: History, how: str) -> Predictions:
    best = boxes.snapped(head.predicted(asked.features))
    every = tuple(alternatives(each, head.residuals) for each in best)
    likely = (boxes.valid(each + head.residuals) for each in best)
    overlaps = (boxes.iou(*pair) for pair in zip(best, likely, strict=True))
    sure = tuple(round(float(each.mean()), 4) for each in overlaps)
    return Predictions(every, ("learned",) * len(every), sure, how)


# -- figures -------------------------------------------------------------------------------------


def evaluate(of: Examples, predictions: Predictions) -> Evaluation:
    """Compare predictions with what was decided on."""
    known, best = of.history, predictions.best
    wanted = known.wanted
    fixed = {"centre 0.9": CENTRE, "whole image": boxes.WHOLE, "median": _median(wanted)}
    constants = {name: np.tile(box, (len(known), 1)) for name, box in fixed.items()}
    given = {name: in_ratio(each, wanted) for name, each in constants.items()}
    return Evaluation(
        len(known),
        predictions.how,
        {
            "free": figures(best, wanted, predictions.boxes),
            "aspect given": figures(
                in_ratio(best, wanted),
                wanted,
                [in_ratio(*pair) for pair in zip(predictions.boxes, wanted, strict=True)],
            ),
        },
        {name: figures(each, wanted) for name, each in constants.items()},
        dict(_by(of, known.suggested)),
        {
            "constants": {"": {name: figures(each, wanted) for name, each in given.items()}},
            "by": dict(_by(of, in_ratio(known.suggested, wanted))),
        },
        of_review(of.of_models, predictions.best) if of.is_reviewed else of_heads(known),
        edge_bias(of),
    )


def figures(
    of: Array, wanted: Array, every: Sequence[Array] | None = None
) -> dict[str, Mean | None]:
    """Return the figures of boxes.

    Parameters
    ----------
    of, wanted : boxes (N, 4)
    every : up to three boxes for each image, for what the best of them is
    """
    moved = np.abs(of - wanted)
    values: dict[str, Array] = {
        "iou": boxes.iou(of, wanted),
        "displacement": boxes.displacement(of, wanted),
        "within_2": boxes.edges_within(of, wanted, 0.02).astype(float),
        "within_5": boxes.edges_within(of, wanted, _NEAR).astype(float),
        "within_10": boxes.edges_within(of, wanted, 0.1).astype(float),
        "edges_moved": boxes.edges_moved(of, wanted, _NEAR),
        "drag": moved.sum(axis=1),
    }
    if every is not None:
        pairs = list(zip(every, wanted, strict=True))
        values["best_of_3_iou"] = np.array([boxes.iou(some, box).max() for some, box in pairs])
        near = [boxes.edges_within(some, box, _NEAR).any() for some, box in pairs]
        values["best_of_3_within_5"] = np.array(near, dtype=np.float64)
    return {name: Mean.of(each) for name, each in values.items()}


def _median(wanted: Array) -> Array:
    return np.asarray(np.median(wanted, axis=0)) if len(wanted) else CENTRE


def in_ratio(of: Array, wanted: Array) -> Array:
    """Bring boxes (N, 4) to the ratio of what is wanted, (N, 4) or one for all (4,)."""
    sides = wanted[..., 2:] - wanted[..., :2]
    return boxes.with_ratio(of, np.broadcast_to(sides[..., 0] / sides[..., 1], len(of)))


def _by(of: Examples, shown: Array) -> Iterator[tuple[str, dict[str, Figures]]]:
    """Yield the figures of what was shown, by each way that tells decisions apart."""
    proposed = of.history.has_suggestion
    if not proposed.any():
        return
    yield "overall", {"all": _of_group(of, shown, proposed)}
    for each in fields(Source):
        names = np.array([without_count(getattr(source, each.name)) for source in of.sources])
        groups = {str(name): proposed & (names == name) for name in np.unique(names[proposed])}
        yield each.name, {name: _of_group(of, shown, chosen) for name, chosen in groups.items()}


def _of_group(of: Examples, shown: Array, chosen: boxes.Flags) -> Figures:
    recorded = {"untouched": of.accepted[chosen].astype(float), "seconds": of.seconds[chosen]}
    known = {name: Mean.of(each) for name, each in recorded.items()}
    return figures(shown[chosen], of.history.wanted[chosen]) | known
