"""What the decided part of a random sample promises of the images that nobody has seen; pure.

Images stand in the order in which they were drawn. What is promised is of the most certain fifth of
them, two fifths and so on to all: sets that are laid down before anything is decided, each with its
part of the error probability, so that all of what is said is true together (Bonferroni). Counted
are the first images without a gap, as they were drawn: whoever decides the easy ones first, or
stops when it suits them, proves nothing by it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from cropkit.taste.assurance import (
    Counts,
    Flags,
    Proof,
    allowed,
    holds,
    most_changed,
    prior_of,
)

_SETS = 5
_WORTHWHILE = 10  # that may be changed: of a set in which fewer may, no sample proves enough


class Terms(NamedTuple):
    """What is to hold: at most so large a share is changed beyond `within`, so surely.

    Parameters
    ----------
    within : of width or height, by which an edge may move while its box counts as it was
    error : share of the accepted images that may be changed, above 0
    confidence : probability that all that is promised is true, 0 to 1
    """

    within: float = 0.05
    error: float = 0.02
    confidence: float = 0.95


class Fate(IntEnum):
    """What became of an image."""

    OPEN = 0
    KEPT = 1  # the reviewer left the box as it was, or nearly
    CHANGED = 2  # or rejected, or skipped: it was not to be accepted unseen
    UNKNOWN = 3  # nobody can tell any more what the reviewer would have done
    UNATTENDED = 4  # accepted without a look


@dataclass(frozen=True, slots=True, eq=False)
class Promise:
    """What can be said now.

    Parameters
    ----------
    decided : the first images drawn, up to the first that is not decided
    changed : of these, with those of which nobody can tell
    needed : how many have to be decided at least, had none been changed; None: no number will do
    missing : how many more at least, before anything (more) is promised; None: no number will do
    set_aside : places of those, in the order drawn
    accepted : places of the images that may be accepted unseen
    unseen : images that the promise is about: those, and what a batch has accepted by it
    at_most : so many of these would be changed, at the confidence that was asked for
    seen, seen_changed : of the sample, in the set that they are from
    """

    decided: int
    changed: int
    needed: int | None
    missing: int | None
    set_aside: Counts
    accepted: Counts
    unseen: int
    at_most: int
    seen: int
    seen_changed: int

    @property
    def is_enough(self) -> bool:
        """Whether so many are decided that something could have been promised."""
        return self.needed is not None and self.decided >= self.needed


def set_sizes(images: int, error: float) -> Counts:
    """Return how many images each set has (S,), the smallest first; the last has all."""
    sizes = np.ceil(images * np.arange(1, _SETS + 1) / _SETS).astype(np.int64)
    chosen = (sizes * error >= _WORTHWHILE) | (np.arange(_SETS) == _SETS - 1)
    return np.asarray(sizes[chosen])


def promise(fates: Counts, places: Counts, terms: Terms) -> Promise:
    """Return what is promised.

    Parameters
    ----------
    fates : of the images, in the order drawn (N,)
    places : of each among all, the most certain first (N,)
    """
    tally = _Tally(fates, places, terms)
    proven = np.flatnonzero(tally.holding[0])
    best = int(proven[-1]) if len(proven) else -1
    coming = np.flatnonzero(tally.holding[:, best + 1 :].any(axis=1))
    until = tally.first + int(coming[0]) if len(coming) else None
    of_sample = np.arange(tally.first, until or tally.first)
    open_ones = of_sample[fates[of_sample] == Fate.OPEN]
    bad = int(_is_bad(fates[: tally.first]).sum())
    missing = None if until is None else len(open_ones)
    counts = (tally.first, bad, needed(places, terms), missing, open_ones)
    return Promise(*counts, *(tally.of_set(best) if best >= 0 else _NOTHING))


def needed(places: Counts, terms: Terms) -> int | None:
    """Return how many have to be decided before anything is promised, were none changed."""
    tally = _Tally(np.full(len(places), Fate.OPEN), places, terms)
    coming = np.flatnonzero(tally.holding.any(axis=1))
    return int(coming[0]) if len(coming) else None


_NOTHING = (np.zeros(0, dtype=np.int64), 0, 0, 0, 0)


def _is_bad(fates: Counts) -> Flags:
    return np.isin(fates, (Fate.CHANGED, Fate.UNKNOWN))


def _is_unseen(fates: Counts) -> Flags:
    return np.isin(fates, (Fate.OPEN, Fate.UNATTENDED))


class _Tally:
    """Counts by set, now and for each image more of the sample, were those that come all kept.

    Parameters
    ----------
    first : images drawn that are decided without a gap
    holding : of which sets the terms hold (M, S): first now, then after each image more
    """

    def __init__(self, fates: Counts, places: Counts, terms: Terms) -> None:
        self._fates, self._terms = fates, terms
        self._sizes = set_sizes(len(fates), terms.error)
        self._members: Flags = places[:, None] < self._sizes
        self._proof = Proof(prior_of(terms.error), (1 - terms.confidence) / len(self._sizes))
        self.first = _until(_is_unseen(fates))
        last = _until(fates == Fate.UNATTENDED)  # what was accepted unseen ends the sample
        rows = slice(self.first, last + 1)
        self._decided = _running(self._members)[rows]
        self._changed = _running(self._members & _is_bad(fates)[:, None])[rows]
        unseen = self._members & _is_unseen(fates)[:, None]
        self._known = self._in_sets(fates == Fate.CHANGED)
        self._left = unseen.sum(axis=0) - _running(unseen)[rows]
        most = self._known + allowed(self._left, terms.error)
        proven = holds(self._sizes, self._decided, self._changed, most, self._proof)
        self.holding: Flags = proven & (self._left > 0)

    def _in_sets(self, chosen: Flags) -> Counts:
        return np.asarray((self._members & chosen[:, None]).sum(axis=0))

    def of_set(self, number: int) -> tuple[Counts, int, int, int, int]:
        """Return the last fields of a `Promise`, of the set that it is given for."""
        accepted = np.flatnonzero(self._members[:, number] & (self._fates == Fate.OPEN))
        seen, changed = int(self._decided[0, number]), int(self._changed[0, number])
        bound = most_changed(int(self._sizes[number]), seen, changed, self._proof)
        unseen = int(self._left[0, number])
        return accepted, unseen, min(bound - int(self._known[number]), unseen), seen, changed


def _until(stops: Flags) -> int:
    """Return how many there are before the first of some."""
    return int(np.argmax(stops)) if stops.any() else len(stops)


def _running(flags: Flags) -> Counts:
    """Return how many there are of each set before each image, and at the end (N + 1, S)."""
    return np.concatenate([np.zeros((1, flags.shape[1]), dtype=np.int64), flags.cumsum(axis=0)])
