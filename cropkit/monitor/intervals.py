"""Intervals that hold 95 % of the time: of a share, and of a mean; pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import atan, cos, pi, sin, sqrt
from statistics import NormalDist, fmean, stdev
from typing import Any, NamedTuple

SURE = 0.95
Z = NormalDist().inv_cdf((1 + SURE) / 2)
_MANY = 1_000  # degrees of freedom, from which on Student's distribution is as good as the normal
_WIDEST = 1e4  # beyond any quantile that is asked for
_HALVINGS = 60


class Interval(NamedTuple):
    """From where to where."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share or a mean of `count` values from 0 to 1; of a single value a mean has no interval."""

    count: int
    value: float
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def wilson(hits: int, count: int) -> Interval:
    """Return Wilson's score interval of a share (JASA 22, 1927).

    Parameters
    ----------
    count : of all, one at least
    """
    middle, square = (hits + Z**2 / 2) / (count + Z**2), Z**2 / 4
    half = Z * sqrt(hits * (count - hits) / count + square) / (count + Z**2)
    share = hits / count  # is inside: of 0 and 1 it is the very end, which rounding must not pass
    return Interval(min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def share_of(flags: Sequence[bool]) -> Estimate | None:
    """Return the share of those that are true; None of nothing."""
    if not flags:
        return None
    return Estimate(len(flags), sum(flags) / len(flags), *wilson(sum(flags), len(flags)))


def mean_of(values: Sequence[float]) -> Estimate | None:
    """Return the mean of values from 0 to 1, with Student's interval (Biometrika 6, 1908).

    It supposes that the mean of so many is about normal: of few and skewed ones it is a hint. It is
    cut to what a mean can be. None of nothing; of one value there is no interval.
    """
    if not values:
        return None
    count, mean = len(values), fmean(values)
    if count == 1:
        return Estimate(count, mean, None, None)
    half = student(count - 1) * stdev(values) / sqrt(count)
    return Estimate(count, mean, max(0.0, mean - half), min(1.0, mean + half))


@lru_cache
def student(freedom: int) -> float:
    """Return which multiple of its scatter holds a mean, for whole degrees of freedom.

    By halving, of the sums of Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    if freedom > _MANY:
        return Z
    low, high = 0.0, _WIDEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < SURE else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    """Return how much of Student's distribution lies from -t to t."""
    angle = atan(t / sqrt(freedom))
    odd = freedom % 2
    term = total = cos(angle) if odd else 1.0
    for each in range(2 + odd, freedom - 1, 2):
        term *= cos(angle) ** 2 * (each - 1) / each
        total += term
    if not odd:
        return sin(angle) * total
    return 2 / pi * (angle + (sin(angle) * total if freedom > 1 else 0.0))
