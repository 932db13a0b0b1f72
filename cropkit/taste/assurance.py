"""What a random sample of a collection proves of the rest, whenever it is looked at.

The images that are judged are finite, and so are those that would be changed. A sample is drawn
from all of them at random and decided one by one; at any time a bound says how many of all would be
changed at most. It is right at all times at once with the probability that was asked for, so that
nobody has to fix beforehand how many are decided: the ratio of what a mixture of hypotheses and a
single one say of the sample is a martingale, were the latter true, and exceeds 1 / p with a
probability of p at most (Ville's inequality). That is the prior-posterior-ratio of Waudby-Smith and
Ramdas, "Confidence sequences for sampling without replacement" (NeurIPS 2020), for the
hypergeometric distribution, with a beta-binomial prior.
"""

from functools import cache
from math import floor, log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]

_TYPICAL = 4  # times less than what is allowed is changed where it pays: the prior's mean
_LEAST_TABLE = 1 << 12


class Proof(NamedTuple):
    """How a sample proves something.

    Parameters
    ----------
    prior : how sharp, of `prior_of`: most evidence comes where far less is changed than allowed
    p : probability of being wrong, above 0 and under 1
    """

    prior: int
    p: float


def allowed(images: Counts, error: float) -> Counts:
    """Return how many of so many images may be changed, where at most a share of them may."""
    return np.asarray(np.floor(images * error + 1e-9), dtype=np.int64)


def holds(images: Counts, decided: Counts, changed: Counts, most: Counts, proof: Proof) -> Flags:
    """Whether at most so many of all images would be changed, by what is proven.

    The arrays are broadcast. For one sample, the probability is that of being wrong at any time.

    Parameters
    ----------
    images : that the sample was drawn from
    decided : the first of the sample
    changed : of these
    most : how many of all images may be changed
    """
    doubted = most + 1  # is least unlikely of all that are too many, where it is above what is seen
    impossible = doubted > images - decided + changed
    possible = np.minimum(doubted, images - decided + changed)
    is_above = possible * decided >= changed * images
    evidence = _log_evidence(images, decided, changed, np.maximum(possible, changed), proof.prior)
    return np.asarray((doubted > changed) & (impossible | (is_above & (evidence >= -log(proof.p)))))


def most_changed(images: int, decided: int, changed: int, proof: Proof) -> int:
    """Return how many of all images would be changed at most, as `holds` says."""
    every = np.arange(changed, images - decided + changed + 1)
    fixed = (np.array(images), np.array(decided), np.array(changed))
    return int(every[holds(*fixed, every, proof)][0])


def prior_of(error: float) -> int:
    """Return how sharp the prior is, for a share of images that may be changed, above 0."""
    return max(1, round(_TYPICAL / error))


def _log_evidence(
    images: Counts, decided: Counts, changed: Counts, among: Counts, prior: int
) -> Numbers:
    """Return the logarithm of the martingale, of the hypothesis that so many are changed."""
    table = _log_factorials(int(np.max(images)) + prior + 1)
    kept, rest = decided - changed, images - decided
    mixture = table[changed] + table[prior + kept - 1] - table[prior + decided]
    mixture = mixture - table[prior - 1] + table[prior]
    single = _log_choose(table, rest, among - changed) - _log_choose(table, images, among)
    return np.asarray(mixture - single)


def _log_choose(table: Numbers, of: Counts, some: Counts) -> Numbers:
    return np.asarray(table[of] - table[some] - table[of - some])


def _log_factorials(most: int) -> Numbers:
    return _table(max(_LEAST_TABLE, 1 << most.bit_length()))


@cache
def _table(count: int) -> Numbers:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])


# -- one share, at one time ----------------------------------------------------------------------


def clopper_pearson(count: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share that was seen once (Clopper and Pearson, 1934)."""
    if of == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = _where(count - 1, of, 1 - tail) if count else 0.0
    high = _where(count, of, tail) if count < of else 1.0
    return low, high


def _where(count: int, of: int, p: float) -> float:
    """Return the share with which at most so many are seen with a probability of p."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(count, of, middle) > p else (low, middle)
    return (low + high) / 2


def at_most(count: int, of: int, share: float) -> float:
    """Return the probability of at most so many, each with the same probability: binomial."""
    if count >= of or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    every = np.arange(floor(count) + 1)
    table = _log_factorials(of)
    logs = _log_choose(table, np.array(of), every)
    logs = logs + every * log(share) + (of - every) * np.log1p(-share)
    return float(np.exp(logs).sum())
