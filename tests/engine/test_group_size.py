"""How requests are put into groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit.audit.operation import OperationKind
from cropkit.engine.groups import GroupSize, groups
from cropkit.engine.request import Request


def request(name: str, content: str = "") -> Request:
    return Request(OperationKind.CROP, name, name, content or f"content of {name}")


@given(st.floats(1e-4, 5), st.integers(1, 64))
def test_a_group_comes_to_take_the_time_it_may(each: float, most: int) -> None:
    group_size = GroupSize(0.5, most)
    for _ in range(12):
        assert 1 <= group_size.size <= most
        group_size.took(group_size.size, group_size.size * each)
    assert group_size.size == most or group_size.size * each <= 0.5 or group_size.size == 1
    assert group_size.size >= min(most, int(0.5 / each))


def test_a_group_that_was_fast_by_chance_does_not_mislead() -> None:
    group_size = GroupSize(0.5, 64, first=4)
    group_size.took(4, 0)
    assert group_size.size == 8


def test_one_slow_group_makes_the_next_small_at_once() -> None:
    group_size = GroupSize(0.5, 64, first=64)
    group_size.took(64, 32)
    assert group_size.size == 1


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
    group_size = GroupSize(0.5, 64, first=1)
    sizes = []
    for group in groups([request(f"{n}.png") for n in range(7)], lambda: group_size.size):
        sizes.append(len(group))
        group_size.took(len(group), 0)
    assert sizes == [1, 2, 4]
