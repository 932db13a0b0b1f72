"""How requests are put into groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit.audit.operation import OperationKind
from cropkit.engine.request import GroupSize, Request, groups


def request(name: str, content: str = "") -> Request:
    return Request(OperationKind.CROP, name, name, content or f"content of {name}")


@given(st.floats(1e-4, 5), st.integers(1, 64))
def test_a_group_comes_to_take_the_time_it_may(each: float, most: int) -> None:
    pace = GroupSize(0.5, most)
    for _ in range(12):
        assert 1 <= pace.size <= most
        pace.took(pace.size, pace.size * each)
    assert pace.size == most or pace.size * each <= 0.5 or pace.size == 1
    assert pace.size >= min(most, int(0.5 / each))


def test_a_group_that_was_fast_by_chance_does_not_mislead() -> None:
    pace = GroupSize(0.5, 64, first=4)
    pace.took(4, 0)
    assert pace.size == 8


def test_one_slow_group_makes_the_next_small_at_once() -> None:
    pace = GroupSize(0.5, 64, first=64)
    pace.took(64, 32)
    assert pace.size == 1


@pytest.mark.parametrize("largest", [1, 3, 64])
def test_groups_hold_each_request_once_and_keep_the_order(largest: int) -> None:
    requests = [request(f"{n}.png") for n in range(10)]
    split = list(groups(requests, lambda: largest))
    assert [r for group in split for r in group] == requests
    assert max(map(len, split)) <= largest


def test_rivals_for_a_name_or_a_content_are_not_in_one_group() -> None:
    twins = [request("a.png", "1"), request("b.png", "1"), request("b.png", "2")]
    assert [len(group) for group in groups(twins, lambda: 64)] == [1, 1, 1]


def test_the_size_is_asked_for_anew_by_each_group() -> None:
    pace = GroupSize(0.5, 64, first=1)
    sizes = []
    for group in groups([request(f"{n}.png") for n in range(7)], lambda: pace.size):
        sizes.append(len(group))
        pace.took(len(group), 0)
    assert sizes == [1, 2, 4]
