"""What a sample promises of the rest is true as often as it says, for a thousand reviewers a kind.

A violation is a moment, any moment, at which more of the images that nobody has seen would be
changed than was promised: whoever stops when it suits them is held to the same.
"""

from collections.abc import Callable
from functools import cache
from math import comb
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit.taste.assurance import (
    Counts,
    Flags,
    Numbers,
    Proof,
    allowed,
    at_most,
    clopper_pearson,
    holds,
    most_changed,
    prior_of,
)
from cropkit.taste.promise import Fate, Terms, needed, promise, set_sizes

REVIEWERS = 1_000
IMAGES = 600
TERMS = Terms(error=0.05)
P = 1 - TERMS.confidence
SURE = np.linspace(1, 0, IMAGES)
EDGE = round(TERMS.error * IMAGES) + 1  # images: one too many

Kind = Callable[[np.random.Generator], Flags]


def by_chance(shares: Numbers) -> Kind:
    return lambda rng: rng.random(IMAGES) < shares


def uninformative(rng: np.random.Generator) -> Flags:
    return rng.random(IMAGES) < rng.uniform(0.02, 0.12)


def at_the_edge(rng: np.random.Generator) -> Flags:
    """Change just more than is allowed, wherever that is: the hardest to tell."""
    return rng.permutation(IMAGES) < EDGE


KINDS: dict[str, Kind] = {
    "always agrees": by_chance(np.zeros(IMAGES)),
    "never agrees": by_chance(np.ones(IMAGES)),
    "changes just too many": at_the_edge,
    "agrees where it is certain": by_chance(np.where(SURE < 0.5, 0.5, 0.0)),
    "agrees less and less": by_chance(0.3 * (1 - SURE) ** 2),
    "disagrees where it is certain": by_chance(0.12 * SURE),
    "confidence says nothing": uninformative,
}


class Simulated(NamedTuple):
    """What each of some reviewers would change (R, N), and the order in which it is drawn (R, N).

    Images stand by their certainty, the most certain first.
    """

    changed: Flags
    order: Counts

    def counted(self, size: int) -> tuple[Counts, Counts]:
        """Return how many of a set are decided, and changed, after each that is drawn (R, N)."""
        members = self.order < size
        drawn = np.take_along_axis(self.changed, self.order, axis=1)
        return members.cumsum(axis=1), (members & drawn).cumsum(axis=1)

    def is_wrong(self, size: int) -> Flags:
        """Whether too many of a set's images that are left would be changed (R, N)."""
        decided, bad = self.counted(size)
        of_all = self.changed[:, :size].sum(axis=1)[:, None]
        return np.asarray(of_all - bad > TERMS.error * (size - decided))


@cache
def simulated(name: str) -> Simulated:
    rng = np.random.default_rng(list(KINDS).index(name))
    order = rng.permuted(np.tile(np.arange(IMAGES), (REVIEWERS, 1)), axis=1)
    return Simulated(np.array([KINDS[name](rng) for _ in range(REVIEWERS)]), order)


def proven(of: Simulated, size: int, proof: Proof) -> Flags:
    """Return when the terms are proven of a set, after each image that is drawn (R, N)."""
    decided, bad = of.counted(size)
    left = size - decided
    most = bad + allowed(left, TERMS.error)
    return np.asarray(holds(np.array(size), decided, bad, most, proof) & (left > 0))


def assert_as_rare(broken: int, of: int = REVIEWERS) -> None:
    """Refuse a count that p as the true probability gives once in a thousand times."""
    assert clopper_pearson(broken, of, 0.998)[0] <= P, f"{broken} of {of}"


@pytest.mark.parametrize("name", KINDS)
def test_no_more_promises_are_broken_at_any_time_than_the_confidence_admits(name: str) -> None:
    of = simulated(name)
    sizes = set_sizes(IMAGES, TERMS.error).tolist()
    proof = Proof(prior_of(TERMS.error), P / len(sizes))
    broken = np.zeros(REVIEWERS, dtype=bool)
    for size in sizes:
        broken |= (proven(of, size, proof) & of.is_wrong(size)).any(axis=1)
    assert_as_rare(int(broken.sum()))


def test_a_whole_error_for_one_set_is_used_up_at_the_edge_and_not_exceeded() -> None:
    of = simulated("changes just too many")
    wrong = proven(of, IMAGES, Proof(prior_of(TERMS.error), P)) & of.is_wrong(IMAGES)
    broken = int(wrong.any(axis=1).sum())
    assert broken > 0
    assert_as_rare(broken)


def test_a_bound_for_one_time_is_broken_by_who_looks_often() -> None:
    """The same simulation condemns the exact interval of a share, looked at each time."""
    of = simulated("changes just too many")
    decided, bad = of.counted(IMAGES)
    enough = np.array([_enough_for_one_time(count) for count in range(12)])
    looked = (bad < len(enough)) & (decided >= enough[np.minimum(bad, len(enough) - 1)])
    broken = int((looked & of.is_wrong(IMAGES)).any(axis=1).sum())
    assert clopper_pearson(broken, REVIEWERS, 0.998)[0] > P


def _enough_for_one_time(changed: int) -> int:
    return next(of for of in range(1, IMAGES * 2) if at_most(changed, of, TERMS.error) <= P)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_promised_at_the_first_moment_is_kept(name: str) -> None:
    """Each reviewer stops at once when something is promised, and accepts all that it lets."""
    of = simulated(name)
    broken = 0
    some = slice(REVIEWERS // 5)
    for changed, order in zip(of.changed[some], of.order[some], strict=True):
        at = _first_promise(changed[order], order)
        if at is not None:
            accepted, at_most_changed = at
            wrong = int(changed[order][accepted].sum())
            assert at_most_changed <= TERMS.error * len(accepted)
            broken += wrong > at_most_changed
    assert_as_rare(broken, REVIEWERS // 5)


def _first_promise(drawn: Flags, places: Counts) -> tuple[Counts, int] | None:
    """Return what is accepted first, and the bound, in the order drawn."""
    fates = np.full(IMAGES, Fate.OPEN)
    decided = 0
    while True:
        told = promise(fates, places, TERMS)
        if told.unseen:
            return told.accepted, told.at_most
        if told.missing is None:
            return None
        decided = int(told.set_aside[-1]) + 1
        fates[:decided] = np.where(drawn[:decided], Fate.CHANGED, Fate.KEPT)


def test_who_decides_what_is_easy_elsewhere_is_promised_less_not_more() -> None:
    """Beside the sample, all that would be kept of the certain is decided: the bad is left."""
    rng = np.random.default_rng(9)
    broken = promises = 0
    for _ in range(REVIEWERS // 5):
        places = rng.permutation(IMAGES)
        bad = rng.random(IMAGES) < 0.02
        truth = np.where(bad, Fate.CHANGED, Fate.KEPT)
        fates = np.where(np.arange(IMAGES) < 200, truth, Fate.OPEN)
        easy = ~bad & (rng.random(IMAGES) < 0.7)
        fates = np.where(easy, truth, fates)
        told = promise(fates, places, TERMS)
        wrong = bad[told.accepted].sum()
        promises += told.unseen > 0
        broken += wrong > told.at_most or wrong > TERMS.error * max(1, told.unseen)
    assert broken == 0
    assert promises < REVIEWERS // 5


# -- the bound itself ----------------------------------------------------------------------------


def evidence(images: int, order: list[bool], among: int, prior: int) -> float:
    """Return the ratio by its definition: a mixture of all hypotheses, to a single one."""
    decided, changed = len(order), sum(order)

    def likelihood(bad: int) -> float:
        ways = comb(images - decided, bad - changed) if bad >= changed else 0
        return ways / comb(images, bad)

    def weight(bad: int) -> float:  # beta-binomial: one of `prior` + 1 that is bad to begin with
        return comb(images - bad + prior - 1, prior - 1) / comb(images + prior, prior)

    mixture = sum(weight(bad) * likelihood(bad) for bad in range(images + 1))
    return mixture / likelihood(among) if likelihood(among) else np.inf


@given(st.integers(2, 40), st.data())
def test_the_bound_is_what_its_definition_says(images: int, data: st.DataObject) -> None:
    order = data.draw(st.lists(st.booleans(), max_size=images))
    prior, p = data.draw(st.integers(1, 50)), data.draw(st.floats(0.01, 0.5))
    decided, changed = len(order), sum(order)
    possible = range(changed, images - decided + changed + 1)
    kept = [bad for bad in possible if evidence(images, order, bad, prior) < (1 - 1e-9) / p]
    bound = most_changed(images, decided, changed, Proof(prior, p))
    assert bound == max([*kept, changed])


@pytest.mark.parametrize(("count", "of"), [(0, 10), (3, 10), (10, 10), (1, 500)])
def test_an_exact_interval_leaves_half_of_the_rest_on_each_side(count: int, of: int) -> None:
    low, high = clopper_pearson(count, of)
    if count:
        assert 1 - at_most(count - 1, of, low) == pytest.approx(0.025, rel=1e-6)
    if count < of:
        assert at_most(count, of, high) == pytest.approx(0.025, rel=1e-6)
    assert low <= count / of <= high


def test_of_nothing_nothing_is_known() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    assert most_changed(50, 0, 0, Proof(200, 0.05)) == 50
    assert most_changed(50, 50, 3, Proof(200, 0.05)) == 3


# -- what counts ---------------------------------------------------------------------------------


def planned(images: int = IMAGES) -> tuple[Counts, Counts]:
    """Return fates and places of a plan of which nothing is decided."""
    places = np.random.default_rng(1).permutation(images)
    return np.full(images, Fate.OPEN), places


def test_it_says_how_many_are_missing_and_which() -> None:
    fates, places = planned()
    told = promise(fates, places, TERMS)
    assert (told.decided, told.is_enough, told.unseen) == (0, False, 0)
    assert told.missing == told.needed == len(told.set_aside) == needed(places, TERMS)
    assert told.set_aside.tolist() == list(range(told.missing))
    fates[: told.missing - 1] = Fate.KEPT
    assert promise(fates, places, TERMS).missing == 1
    fates[told.missing - 1] = Fate.KEPT
    done = promise(fates, places, TERMS)
    assert done.is_enough
    assert done.unseen == len(done.accepted) == IMAGES - told.missing
    assert done.at_most <= TERMS.error * done.unseen


def test_each_set_has_its_part_of_the_error() -> None:
    fates, places = planned()
    parts = len(set_sizes(IMAGES, TERMS.error))
    assert parts > 1
    count, proof = np.arange(IMAGES), Proof(prior_of(TERMS.error), P / parts)
    of = np.array(IMAGES)
    enough = holds(of, count, np.array(0), allowed(IMAGES - count, TERMS.error), proof)
    assert promise(fates, places, TERMS).needed == int(np.argmax(enough))


def test_what_is_decided_out_of_turn_proves_nothing() -> None:
    fates, places = planned()
    fates[1:] = Fate.KEPT
    told = promise(fates, places, TERMS)
    assert (told.decided, told.unseen) == (0, 0)


@pytest.mark.parametrize("fate", [Fate.CHANGED, Fate.UNKNOWN])
def test_what_nobody_can_tell_counts_as_changed(fate: Fate) -> None:
    fates, places = planned()
    fates[: needed(places, TERMS)] = Fate.KEPT
    fates[0] = fate
    told = promise(fates, places, TERMS)
    assert (told.changed, told.unseen) == (1, 0)
    assert told.missing


def test_what_nobody_can_tell_may_still_be_among_the_others() -> None:
    fates, places = planned()
    fates[:300] = Fate.KEPT
    bounds = {}
    for fate in (Fate.CHANGED, Fate.UNKNOWN):
        fates[:3] = fate
        bounds[fate] = promise(fates, places, Terms(error=0.2)).at_most
    assert bounds[Fate.CHANGED] > 0
    assert bounds[Fate.UNKNOWN] == bounds[Fate.CHANGED] + 3


def test_what_was_accepted_unseen_is_promised_of_and_no_sample_of_anything() -> None:
    fates, places = planned()
    count = needed(places, TERMS) or 0
    fates[:count] = Fate.KEPT
    before = promise(fates, places, TERMS)
    fates[before.accepted] = Fate.UNATTENDED
    after = promise(fates, places, TERMS)
    assert (after.unseen, after.at_most) == (before.unseen, before.at_most)
    assert (len(after.accepted), after.missing) == (0, None)
    fates[0] = Fate.UNATTENDED
    assert promise(fates, places, TERMS).decided == 0


def test_only_the_certain_are_let_through_where_the_others_are_changed() -> None:
    places = np.random.default_rng(2).permutation(3_000)
    fates = np.where(places < 1_800, Fate.KEPT, Fate.CHANGED)
    fates[700:] = Fate.OPEN
    told = promise(fates, places, TERMS)
    assert told.unseen > 1_000
    assert (places[told.accepted] < 1_800).all()
    assert told.seen_changed == 0
    assert told.changed > 0


@pytest.mark.parametrize("images", [0, 1, 12])
def test_of_too_few_images_no_sample_proves_anything(images: int) -> None:
    told = promise(*planned(images), Terms())
    assert (told.needed, told.missing, told.is_enough) == (None, None, False)


def test_sets_are_fifths_in_which_something_may_be_changed() -> None:
    assert set_sizes(5_000, 0.02).tolist() == [1_000, 2_000, 3_000, 4_000, 5_000]
    assert set_sizes(1_000, 0.02).tolist() == [600, 800, 1_000]
    assert set_sizes(60, 0.02).tolist() == [60]
