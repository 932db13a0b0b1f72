"""Which predictor a reviewer's own decisions prefer, and when to change it.

Nothing is known of a reviewer to begin with, and much that is learned from few decisions is worse
than a constant. So several predictors compete, from the plainest to the cleverest, each judged on
decisions that it was not learned from. One that leads keeps the lead until another one is better
by more than a standard error of their difference: a lead that changes with the wind costs more than
a good one gains.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cropkit.suggest.control import reviews
from cropkit.taste import boxes
from cropkit.taste.boxes import Array
from cropkit.taste.calibration import share_of
from cropkit.taste.features import COUNT, LARGEST_FACE
from cropkit.taste.head import Head

_FOLDS = 4
_RECENT = 200  # decisions that a habit is seen in
_SHRINK = 10  # decisions that a bias needs to be believed by half
LEAST = 10  # decisions before anything is learned
_NEIGHBOURS = 15
_LIKE_FACES = 7  # whose crops tell the size of another one
_BORDER = 0.015  # of the side: a box that is nearer may have been moved by it
_FACES, _EDGES = "around faces", "your edges"
_BY_FEATURES, _BY_SIGHT = frozenset({"learned", "similar images"}), "with vision"
_NEAR, _MOVED = 0.05, 0.02  # of the side: taken as it is; an edge that had to be moved
_RATIOS = (1.0, 4 / 5, 5 / 4, 2 / 3, 3 / 2, 3 / 4, 4 / 3, 9 / 16, 16 / 9)
_SAME_RATIO, _HABIT = 0.01, 0.9
CENTRE = np.array([0.05, 0.05, 0.95, 0.95])


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Decisions of one reviewer, oldest first.

    Parameters
    ----------
    features : of the images (N, COUNT)
    wanted : boxes that were decided on (N, 4); in what is asked, they are not looked at
    aspect : width to height of the images in pixels (N,)
    suggested : boxes of a model (N, 4); not a number where there was none
    """

    features: Array
    wanted: Array
    aspect: Array
    suggested: Array

    def __len__(self) -> int:
        return len(self.wanted)

    def some(self, chosen: boxes.Flags | slice) -> "History":
        """Return some of them, by flag or place."""
        return History(
            self.features[chosen], self.wanted[chosen], self.aspect[chosen], self.suggested[chosen]
        )

    @property
    def has_suggestion(self) -> boxes.Flags:
        """Which of them a model proposed a box for."""
        return np.asarray(~np.isnan(self.suggested[:, 0]))


# Learns from a history; returns what predicts boxes (M, 4) for another one, of which `wanted` is
# not looked at. A row that is not a number: there is no prediction.
Predict = Callable[[History], Array]
Learn = Callable[[History], Predict]


def _constant(box: Array) -> Predict:
    return lambda asked: np.tile(box, (len(asked), 1))


def _centre(_: History) -> Predict:
    return _constant(CENTRE)


def _as_suggested(_: History) -> Predict:
    return lambda asked: asked.suggested


def _suggested_with_bias(known: History) -> Predict:
    shift = bias(known)
    return lambda asked: boxes.valid(asked.suggested + shift)


def bias(known: History) -> Array:
    """Return the median correction of each edge (4,), shrunk where it was seen seldom."""
    seen = known.has_suggestion
    count = int(seen.sum())
    if not count:
        return np.zeros(4)
    corrections = known.wanted[seen][-_RECENT:] - known.suggested[seen][-_RECENT:]
    return np.asarray(np.median(corrections, axis=0) * count / (count + _SHRINK))


def _median(known: History) -> Predict:
    return _constant(np.median(known.wanted[-_RECENT:], axis=0) if len(known) else CENTRE)


def _learned(known: History) -> Predict:
    if len(known) < LEAST:
        return _median(known)
    head = Head.fitted(known.features, known.wanted)
    return lambda asked: head.predicted(asked.features)


def _neighbours(known: History) -> Predict:
    """Take, of the boxes of the most similar images, the one that overlaps the others most."""
    if len(known) < LEAST:
        return _median(known)
    mean, scale = known.features.mean(axis=0), known.features.std(axis=0) + 1e-6
    base = (known.features - mean) / scale

    def predict(asked: History) -> Array:
        scaled = (asked.features - mean) / scale
        squares = (base**2).sum(axis=1) - 2 * scaled @ base.T
        count = min(_NEIGHBOURS, len(base))
        near = known.wanted[np.argpartition(squares, count - 1, axis=1)[:, :count]]
        overlap = boxes.iou(near[:, :, None], near[:, None]).sum(axis=2)
        return np.asarray(near[np.arange(len(near)), overlap.argmax(axis=1)])

    return predict


def _around_faces(known: History) -> Predict:
    """Crop around the largest face as others of that size were; without a face, as usual there."""
    face, has_face = _faces(known)
    if has_face.sum() < LEAST:
        return _median(known)
    rest = _median(known.some(~has_face)) if (~has_face).any() else _median(known)
    wanted, middle = known.wanted[has_face], (face[has_face, :2] + face[has_face, 2:]) / 2
    size, height = wanted[:, 2:] - wanted[:, :2], _height(face[has_face])
    place = np.array([_place(wanted, size, middle, axis) for axis in (0, 1)])

    def predict(asked: History) -> Array:
        of, has = _faces(asked)
        count = min(_LIKE_FACES, len(height))
        far = np.abs(_height(of)[:, None] - height)
        near = np.argpartition(far, count - 1, axis=1)[:, :count]
        meant = np.median(size[near], axis=1)
        low = np.clip((of[:, :2] + of[:, 2:]) / 2 - place * meant, 0, 1 - meant)
        return np.where(has[:, None], np.concatenate([low, low + meant], axis=1), rest(asked))

    return predict


def _faces(of: History) -> tuple[Array, boxes.Flags]:
    face = of.features[:, LARGEST_FACE]
    return face, np.asarray(face[:, 3] > face[:, 1])


def _height(face: Array) -> Array:
    return np.asarray(np.log(np.maximum(face[:, 3] - face[:, 1], 1e-3)))


def _place(wanted: Array, size: Array, middle: Array, axis: int) -> float:
    """Return where in its crop a face is along an axis, of crops that no border has moved."""
    places = (middle[:, axis] - wanted[:, axis]) / size[:, axis]
    is_free = (wanted[:, axis] > _BORDER) & (wanted[:, axis + 2] < 1 - _BORDER)
    return float(np.median(places[is_free] if is_free.any() else places))


# In the order in which they are tried first: what needs the least comes before what needs more.
FIRST = "suggestion"  # and the centre, where there is none
PREDICTORS: Mapping[str, Learn] = {
    FIRST: _as_suggested,
    "centre": _centre,
    "your edges": _suggested_with_bias,
    "your median": _median,
    "learned": _learned,
    "similar images": _neighbours,
    _FACES: _around_faces,
}
HOUSE = "house taste"
_COUNTED = re.compile(r"(, |^)[\d,]+ reviews$")
_CORRECTED = f"{_EDGES}, "  # in the version of a model whose box was corrected


def named(
    name: str, count: int, model: tuple[str, str] | None, *, by_sight: bool = False
) -> tuple[str, str]:
    """Return source and version of a predictor's box, as a review shows and records them.

    Parameters
    ----------
    count : decisions that it was learned from
    model : source and version of the box that was proposed
    by_sight : whether it was learned from what models see of images, too
    """
    counted = reviews(count)
    if by_sight and name in _BY_FEATURES:
        return name, f"{_BY_SIGHT}, {counted}"
    if name == _EDGES and model is not None:
        return model[0], f"{model[1]} {_CORRECTED}{counted}".strip()
    return name, counted


def without_count(version: str) -> str:
    """Return a recorded version without the number of decisions, by which no two are alike."""
    return _COUNTED.sub("", version)


def is_learned(source: str, version: str) -> bool:
    """Whether a recorded box is one that `named` names, and no model's own."""
    return source in (*PREDICTORS, HOUSE) or _CORRECTED in version


@dataclass(frozen=True, slots=True)
class House:
    """What was learned elsewhere, as one more predictor; it is judged as the others are.

    Parameters
    ----------
    predict : boxes; before there are own decisions it is a guess that they will judge
    count : decisions that it was learned from
    leads : whether it is shown until then, where no model proposes a box
    corrects : whether it is shown in place of a model's box, too
    """

    predict: Predict
    count: int
    leads: bool
    corrects: bool


def habit(known: History) -> float | None:
    """Return the ratio, width to height in pixels, of nearly all recent boxes; 0: each image's own.

    None: there is no such habit.
    """
    recent = known.some(slice(-50, None))
    if len(recent) < LEAST:
        return None
    own = (recent.wanted[:, 2] - recent.wanted[:, 0]) / (recent.wanted[:, 3] - recent.wanted[:, 1])
    for ratio in (0.0, *_RATIOS):
        meant = own if ratio == 0 else own * recent.aspect / ratio
        if (np.abs(np.log(meant)) < _SAME_RATIO).mean() >= _HABIT:
            return ratio
    return None


def shaped(of: Array, aspect: Array, ratio: float | None) -> Array:
    """Bring boxes (N, 4) to a habit's ratio, and edges to the borders that they nearly reach."""
    if ratio is None:
        return boxes.snapped(of)
    relative = np.ones(len(of)) if ratio == 0 else ratio / aspect
    return boxes.with_ratio(of, relative)


def utility(of: Array, wanted: Array) -> Array:
    """Return what boxes are worth to a reviewer: overlap, to be taken as they are, few edges."""
    near = boxes.edges_within(of, wanted, _NEAR)
    moved = boxes.edges_moved(of, wanted, _MOVED)
    return np.asarray(boxes.iou(of, wanted) + 0.5 * near - 0.05 * moved)


@dataclass(frozen=True, slots=True)
class Choice:
    """The predictor that leads, and what was learned so far.

    Parameters
    ----------
    name : of `PREDICTORS`, or `HOUSE`; to begin with a model's box, and the centre where there is
        none
    count : decisions that it was chosen by
    sure : share of these whose box it would have met, had it not seen them; None where there are
        too few to tell
    """

    name: str = FIRST
    count: int = 0
    sure: float | None = None

    def again(self, known: History, house: House | None = None) -> "Choice":
        """Choose by decisions, most of which were there before: the lead stays, if nearly as good.

        What is to lead has to be worth more than the leader, and must not overlap less than what
        the reviewer would see had nothing been learned: both beyond a standard error. Before there
        are enough decisions the house leads, as long as it overlaps no less than that.

        Parameters
        ----------
        house : what was learned elsewhere
        """
        if len(known) < LEAST:
            return Choice(_early(known, house), len(known))
        held = held_out(known, names_for(known), house)
        worth = {name: utility(each, known.wanted) for name, each in held.items()}
        overlap = {name: boxes.iou(each, known.wanted) for name, each in held.items()}
        leading = self.name if self._still_leads(overlap) else FIRST
        for name in sorted(worth, key=lambda name: -worth[name].mean()):
            better = _is_gain(worth[name] - worth[leading])
            if better and _is_gain(overlap[name] - overlap[FIRST]):
                leading = name
                break
        met = boxes.edges_within(held[leading], known.wanted, _NEAR)
        return Choice(leading, len(known), share_of(met))

    def _still_leads(self, overlap: Mapping[str, Array]) -> bool:
        return self.name in overlap and bool(overlap[self.name].mean() >= overlap[FIRST].mean())

    def predictor(self, known: History, house: House | None = None) -> Predict:
        """Learn from decisions; what is returned has a box for each image, if only the centre."""
        predict, ratio = _predict(self.name, known, house), habit(known)
        leaves = house is not None and self._leaves_models(house)

        def shown(asked: History) -> Array:
            predicted = predict(asked)
            if leaves:
                predicted = np.where(np.isnan(asked.suggested), predicted, asked.suggested)
            lacking = np.isnan(predicted[:, :1])
            return shaped(np.where(lacking, CENTRE, predicted), asked.aspect, ratio)

        return shown

    def _leaves_models(self, house: House) -> bool:
        """Whether boxes of a model come before those of the house, which nobody has judged here."""
        return self.name == HOUSE and self.count < LEAST and not house.corrects


def _predict(name: str, known: History, house: House | None) -> Predict:
    if name == HOUSE and house is not None:
        return house.predict
    return PREDICTORS.get(name, _as_suggested)(known)


def _early(known: History, house: House | None) -> str:
    if house is None or not (house.leads or house.corrects):
        return FIRST
    if not len(known):
        return HOUSE
    own, other = (
        Choice(name, len(known)).predictor(known.some(slice(0, 0)), house)(known)
        for name in (HOUSE, FIRST)
    )
    gained = boxes.iou(own, known.wanted) - boxes.iou(other, known.wanted)
    return HOUSE if gained.mean() >= 0 else FIRST


def _is_gain(differences: Array) -> bool:
    """Whether a mean is above nought by more than its standard error."""
    return bool(differences.mean() > differences.std() / np.sqrt(len(differences)))


def names_for(known: History) -> tuple[str, ...]:
    """Return the predictors that there is something to predict by."""
    lacking: set[str] = set() if known.has_suggestion.any() else {"centre", _EDGES}
    if known.features.shape[1] <= COUNT:  # no model has looked for faces
        lacking.add(_FACES)
    return tuple(each for each in PREDICTORS if each not in lacking)


def held_out(known: History, names: Sequence[str], house: House | None = None) -> dict[str, Array]:
    """Return what each predictor, and the house, says of each decision, not having seen it."""
    every = [*names, *([HOUSE] if house else [])]
    fold = np.arange(len(known)) % _FOLDS
    answers = {name: np.zeros((len(known), 4)) for name in every}
    for part in range(_FOLDS):
        seen, asked = known.some(fold != part), known.some(fold == part)
        for name in every:
            answers[name][fold == part] = Choice(name, LEAST).predictor(seen, house)(asked)
    return answers
