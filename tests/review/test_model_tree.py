"""Sets and values by number: as Python's own, but each change leaves what was before."""

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from cropkit.review.model.tree import NumberSet, Tree

# near one another, at the borders of leaves and nodes, and far away
numbers = st.one_of(
    st.integers(0, 80),
    st.integers(1020, 1030),
    st.integers(32_760, 32_780),
    st.sampled_from([1 << 20, (1 << 20) - 1, 1 << 29, (1 << 30) - 1]),
)
sets = st.sets(numbers, max_size=40)


@given(sets, st.lists(st.tuples(st.booleans(), numbers), max_size=40))
def test_a_set_of_numbers_is_a_set(first: set[int], changes: list[tuple[bool, int]]) -> None:
    mine, theirs = NumberSet.of(first), set(first)
    for there, number in changes:
        before, held = mine, list(mine)
        mine = mine.put(number, there=there)
        theirs = theirs | {number} if there else theirs - {number}
        assert list(before) == held, "a change reached what was before"
    assert list(mine) == sorted(theirs)
    assert mine == NumberSet.of(theirs), "equal sets are equal, however they came to be"
    assert len(mine) == len(theirs)
    assert bool(mine) is bool(theirs)


@given(sets, numbers)
def test_a_set_knows_places_and_neighbours(those: set[int], number: int) -> None:
    mine, order = NumberSet.of(those), sorted(those)
    place = bisect_left(order, number)
    assert mine.rank(number) == place
    assert mine.next(number) == next(iter(order[place:]), None)
    assert mine.last(number) == (order[place - 1] if place else None)
    assert list(mine.iterate(number)) == order[place:]
    assert [mine.nth(nth) for nth in range(len(order))] == order
    assert mine.some(place, 3) == order[place:][:3]
    assert (number in mine) is (number in those)


@given(sets, sets, numbers)
def test_two_sets_meet_as_sets_do(one: set[int], other: set[int], number: int) -> None:
    mine, theirs = NumberSet.of(one), NumberSet.of(other)
    assert mine & theirs == NumberSet.of(one & other)
    assert mine | theirs == NumberSet.of(one | other)
    assert mine - theirs == NumberSet.of(one - other)
    common = sorted(each for each in one & other if each >= number)
    assert mine.next_common(theirs, number) == next(iter(common), None)


@given(st.integers(0, 5000))
def test_all_numbers_below_one_are_a_set(count: int) -> None:
    assert NumberSet.below(count) == NumberSet.of(range(count))


@given(
    st.dictionaries(numbers, st.text(max_size=3)),
    st.lists(st.tuples(numbers, st.none() | st.text(max_size=3)), max_size=40),
)
def test_a_tree_holds_values_by_number(
    first: dict[int, str], changes: list[tuple[int, str | None]]
) -> None:
    mine, theirs = Tree.of(first.items()), dict(first)
    for number, value in changes:
        before, held = mine, list(mine.items())
        if value is None:
            mine = mine.without(number)
            theirs.pop(number, None)
        else:
            mine = mine.put(number, value)
            theirs[number] = value
        assert list(before.items()) == held, "a change reached what was before"
    assert list(mine.items()) == sorted(theirs.items())
    assert mine == Tree.of(theirs.items())
    assert len(mine) == len(theirs)
