"""A confidence becomes the share of boxes that this reviewer leaves as they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit.geometry import NormalizedBox
from cropkit.records import Suggestion
from cropkit.taste.assurance import Flags
from cropkit.taste.calibration import Calibration, Rated, bands, cross_fitted

COUNT = 400


def reviewed(seed: int, by: str = "ai", *, power: float = 1.0) -> tuple[list[Rated], Flags]:
    """Return decisions of who leaves a box with the probability of its confidence to a power."""
    rng = np.random.default_rng(seed)
    said = rng.random(COUNT)
    return [Rated(by, float(each)) for each in said], rng.random(COUNT) < said**power


def test_a_source_that_says_too_much_is_believed_no_more_than_it_has_earned() -> None:
    calibration = Calibration.fitted(*reviewed(1, power=4))
    expected = [calibration.probability(Rated("ai", said)) for said in (0.2, 0.5, 0.8, 1.0)]
    assert expected == pytest.approx([0.0016, 0.06, 0.41, 1.0], abs=0.12)
    assert expected == sorted(expected)


def test_each_source_and_version_is_told_apart() -> None:
    good, bad = reviewed(2, "new"), reviewed(3, "old", power=6)
    both = Calibration.fitted([*good[0], *bad[0]], np.concatenate([good[1], bad[1]]))
    assert both.probability(Rated("new", 0.8)) > both.probability(Rated("old", 0.8)) + 0.3


def test_who_says_nothing_has_the_share_of_all_that_they_proposed() -> None:
    rated = [Rated("quiet", None)] * 90 + [Rated("ai", 0.5)] * 10
    kept = np.array([True] * 90 + [False] * 10)
    calibration = Calibration.fitted(rated, kept)
    assert calibration.probability(Rated("quiet", None)) > 0.95
    assert calibration.probability(Rated("quiet", 0.4)) == calibration.prior
    assert calibration.probability(Rated("nobody", None)) == calibration.prior
    assert calibration.probability(Rated("ai", 0.5)) < 0.5


def test_of_nothing_it_expects_one_half() -> None:
    calibration = Calibration.fitted([], np.zeros(0, dtype=bool))
    assert calibration.probability(Rated("ai", 0.9)) == 0.5
    assert bands(cross_fitted([], np.zeros(0, dtype=bool)), np.zeros(0, dtype=bool)) == ()


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_more_confidence_is_never_worse(decisions: list[tuple[float, bool]]) -> None:
    rated = [Rated("ai", said) for said, _ in decisions]
    calibration = Calibration.fitted(rated, np.array([kept for _, kept in decisions]))
    every = [calibration.probability(Rated("ai", said)) for said in np.linspace(0, 1, 30)]
    assert (np.diff(every) >= -1e-12).all()
    assert 0 < min(every) <= max(every) < 1


def test_the_least_squares_are_those_of_pooled_neighbours() -> None:
    rated = [Rated("ai", said) for said in (0.1, 0.2, 0.3, 0.4)]
    calibration = Calibration.fitted(rated, np.array([False, True, False, True]))
    shrunk = [calibration.probability(each) for each in rated]
    curve = [(each * 14 - 0.5 * 10) / 4 for each in shrunk]  # four decisions, ten of the prior
    assert curve == pytest.approx([0, 0.5, 0.5, 1])


def test_what_is_expected_is_learned_from_the_others_alone() -> None:
    rated = [Rated("ai", None)] * 10
    kept = np.array([False] + [True] * 9)
    expected = cross_fitted(rated, kept)
    assert expected[0] == max(expected)  # who is left out does not speak for itself
    assert expected[0] > expected[1]


def test_what_came_of_what_was_expected_is_told_in_bands_with_intervals() -> None:
    rated, kept = reviewed(5)
    expected = cross_fitted(rated, kept)
    told = bands(expected, kept)
    assert sum(each.decisions for each in told) == COUNT
    for each in told:
        assert each.low <= each.expected <= each.high
        assert each.interval[0] <= each.kept <= each.interval[1]
        assert each.interval[0] - 0.1 <= each.expected <= each.interval[1] + 0.1


def test_a_suggestion_says_who_and_how_sure() -> None:
    suggestion = Suggestion(NormalizedBox(0, 0, 1, 1), "ai", "3", confidence=0.5)
    assert Rated.of(suggestion) == Rated("ai 3", 0.5)
    assert Rated.of(Suggestion(NormalizedBox(0, 0, 1, 1), "ai")) == Rated("ai", None)
