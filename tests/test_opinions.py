"""Which images get a second opinion, and what a crop waits for."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit import clock
from cropkit.errors import BadParameterValue
from cropkit.geometry import PixelBox, Size
from cropkit.opinions import Doubling, lacking
from cropkit.records import Decision, Verdict, batch_of
from cropkit.system import parameters

SEED = "0123456789abcdef"
shares = st.integers(0, 1_000_000).map(lambda millionths: millionths / 1_000_000)
names = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=20)


@given(shares)
def test_what_is_kept_is_read_again(share: float) -> None:
    assert Doubling.from_text(Doubling(share, SEED).text) == Doubling(share, SEED)


@pytest.mark.parametrize(
    "text", ["", "5%", f"1.000001 {SEED}", f"nan {SEED}", "0.050000 seed", f"0.05 {SEED}\n"]
)
def test_what_nobody_of_ours_wrote_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no share"):
        Doubling.from_text(text)


@given(names, shares, shares)
def test_a_larger_share_holds_all_that_a_smaller_one_does(name: str, a: float, b: float) -> None:
    if Doubling(min(a, b), SEED).holds(name):
        assert Doubling(max(a, b), SEED).holds(name)
    assert Doubling(1, SEED).holds(name)
    assert not Doubling(0, SEED).holds(name)


def test_a_share_is_as_large_as_it_says_and_another_of_another_seed() -> None:
    images = [f"{number}.png" for number in range(20_000)]
    five, other = Doubling(0.05, SEED), Doubling(0.05, SEED[::-1])
    mine, theirs = set(filter(five.holds, images)), set(filter(other.holds, images))
    assert 900 < len(mine) < 1_100
    assert len(mine & theirs) < 100


@pytest.mark.parametrize(("given_as", "share"), [("5%", 0.05), ("2.5 %", 0.025), ("0", 0), (1, 1)])
def test_a_share_is_given_in_percent_or_as_one(given_as: object, share: float) -> None:
    assert parameters.percentage("double", given_as) == share


@pytest.mark.parametrize("given_as", ["101%", "-1%", "five", "1e1%", "", 5, None, True])
def test_what_is_no_share_is_refused(given_as: object) -> None:
    with pytest.raises(BadParameterValue):
        parameters.percentage("double", given_as)


def opinion(reviewer: str, at: int, left: int = 0, *, seconds: int = 1) -> Decision:
    shown = clock.now() + timedelta(seconds=at)
    facts = ("a.png", "a" * 64, Size(100, 100), Verdict.ADJUSTED, PixelBox(left, 0, 90, 90))
    return Decision(*facts, reviewer, "s", shown, shown + timedelta(seconds=seconds))


def test_two_that_agree_are_enough_and_else_three() -> None:
    anna, ben, bens, carl = (
        *(opinion("anna", 0), opinion("ben", 1, 40)),
        *(opinion("ben", 2, 5), opinion("carl", 3, 70)),
    )
    assert "second" in lacking([anna])
    assert "second" in lacking([anna, anna])
    assert "third" in lacking([anna, ben])
    assert lacking([anna, ben, bens]) == ""
    assert lacking([anna, ben, carl]) == ""


def test_what_programs_decide_is_no_second_opinion() -> None:
    by_batch = opinion(batch_of("ben"), 1)
    assert "second" in lacking([opinion("anna", 0), by_batch, opinion("ben", 1, seconds=0)])
