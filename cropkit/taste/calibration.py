"""How often a reviewer leaves a box as it is, by how sure its source says that it is.

What a source calls its confidence means what its maker wanted. Calibrated, it is the share of boxes
that this reviewer did not change where as much was said: an isotonic regression, which knows no
more than that more confidence is no worse (Zadrozny and Elkan, "Transforming classifier scores into
accurate multiclass probability estimates", KDD 2002). Each source and version is told apart. Of few
decisions nothing is believed in full: the curve is drawn to the share of all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

import numpy as np

from cropkit.records import Suggestion
from cropkit.taste.assurance import Flags, Numbers, clopper_pearson

_FOLDS = 5
_BELIEVED = 10  # decisions that a curve needs to be believed by half
_TABLE = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)


class Rated(NamedTuple):
    """Who proposed a box, and how sure they are; None where they do not say."""

    by: str
    confidence: float | None

    @classmethod
    def of(cls, suggestion: Suggestion) -> "Rated":
        """Return what a suggestion says."""
        return cls(f"{suggestion.source} {suggestion.version}".strip(), suggestion.confidence)


class Band(NamedTuple):
    """Decisions for which a share was expected that lies between two: how many, and what came.

    Parameters
    ----------
    kept : share of boxes that were not changed
    interval : that this share was drawn from, with 95 %
    """

    low: float
    high: float
    decisions: int
    expected: float
    kept: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """A share for each confidence: steps that only rise; `said` ascends."""

    said: Numbers
    share: Numbers

    def at(self, confidence: float) -> float:
        return float(np.interp(confidence, self.said, self.share))


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Turns what sources say into the share of boxes that a reviewer leaves as they are.

    Parameters
    ----------
    curves, shares : by source: of what states a confidence, of what states none
    prior : the share of all
    """

    curves: Mapping[str, _Curve]
    shares: Mapping[str, float]
    prior: float

    @classmethod
    def fitted(cls, rated: Sequence[Rated], kept: Flags) -> "Calibration":
        """Learn from decisions.

        Parameters
        ----------
        rated : what was proposed (N)
        kept : whether the reviewer left it as it was (N,)
        """
        prior = share_of(kept)
        curves: dict[str, _Curve] = {}
        shares: dict[str, float] = {}
        for by in sorted({each.by for each in rated}):
            said = _said(each.confidence if each.by == by else None for each in rated)
            silent = np.array([each == Rated(by, None) for each in rated])
            if not np.isnan(said).all():
                curves[by] = _curve(said, kept, prior)
            if silent.any():
                shares[by] = _shrunk(float(kept[silent].mean()), int(silent.sum()), prior)
        return cls(curves, shares, prior)

    def probability(self, rated: Rated) -> float:
        """Return how likely a box is left as it is; of a source that is not known, as any is."""
        if rated.confidence is None:
            return self.shares.get(rated.by, self.prior)
        curve = self.curves.get(rated.by)
        return self.prior if curve is None else curve.at(rated.confidence)


def share_of(kept: Flags) -> float:
    """Return the share that was left as it was, drawn to one half where there are few (Laplace)."""
    return float((kept.sum() + 1) / (len(kept) + 2))


def cross_fitted(rated: Sequence[Rated], kept: Flags) -> Numbers:
    """Return what was to be expected of each decision by the others, in five folds (N,)."""
    fold = np.arange(len(kept)) % _FOLDS
    expected = np.zeros(len(kept))
    for part in range(_FOLDS):
        others = fold != part
        calibration = Calibration.fitted([*compress(rated, others)], kept[others])
        for number in np.flatnonzero(~others).tolist():
            expected[number] = calibration.probability(rated[number])
    return expected


def bands(expected: Numbers, kept: Flags) -> tuple[Band, ...]:
    """Return how what was expected came true, in bands that hold decisions."""
    place = np.clip(np.searchsorted(_TABLE, expected, side="right") - 1, 0, len(_TABLE) - 2)
    return tuple(_band(int(n), expected[place == n], kept[place == n]) for n in np.unique(place))


def _band(number: int, expected: Numbers, kept: Flags) -> Band:
    interval = clopper_pearson(int(kept.sum()), len(kept))
    shares = (float(expected.mean()), float(kept.mean()))
    return Band(_TABLE[number], _TABLE[number + 1], len(kept), *shares, interval)


def _said(confidences: Iterable[float | None]) -> Numbers:
    return np.array([np.nan if each is None else each for each in confidences])


def _curve(said: Numbers, kept: Flags, prior: float) -> _Curve:
    chosen = np.flatnonzero(~np.isnan(said))
    values, place = np.unique(said[chosen], return_inverse=True)
    counts = np.bincount(place).astype(float)
    share = _rising(np.bincount(place, weights=kept[chosen]) / counts, counts)
    return _Curve(values, _shrunk_all(share, len(chosen), prior))


def _rising(shares: Numbers, weights: Numbers) -> Numbers:
    """Return the rising shares that are nearest by least squares: adjacent violators are pooled."""
    blocks: list[tuple[float, float, int]] = []
    for share, weight in zip(shares.tolist(), weights.tolist(), strict=True):
        block = (share, weight, 1)
        while blocks and blocks[-1][0] >= block[0]:
            block = _pooled(blocks.pop(), block)
        blocks.append(block)
    return np.repeat([share for share, _, _ in blocks], [count for *_, count in blocks])


def _pooled(a: tuple[float, float, int], b: tuple[float, float, int]) -> tuple[float, float, int]:
    weight = a[1] + b[1]
    return (a[0] * a[1] + b[0] * b[1]) / weight, weight, a[2] + b[2]


def _shrunk(share: float, count: int, prior: float) -> float:
    return (share * count + prior * _BELIEVED) / (count + _BELIEVED)


def _shrunk_all(shares: Numbers, count: int, prior: float) -> Numbers:
    return np.asarray((shares * count + prior * _BELIEVED) / (count + _BELIEVED))
