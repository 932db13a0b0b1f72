"""Sets and values by number: as Python's own, but each change leaves what was before."""

from bisect import bisect_left
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from cropkit.review.model.outcomes import Column
from cropkit.review.model.stack import Stack
from cropkit.review.model.tree import NumberSet, Shift, Tree

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


near = st.one_of(st.integers(0, 140), st.integers(1015, 1035), st.integers(2040, 2060))
near_sets = st.sets(near, max_size=40)


def moved(numbers: Iterable[int], shift: Shift) -> list[int]:
    """Return what numbers become, one by one; the one that goes is left out."""
    staying = (number for number in numbers if shift.by > 0 or number != shift.at)
    return [number + shift.by if number >= shift.at else number for number in staying]


shifts = st.builds(Shift, near, st.sampled_from([1, -1]))


@given(near_sets, shifts)
def test_numbers_move_where_one_is_put_in_or_taken_out(those: set[int], shift: Shift) -> None:
    expected = moved(those, shift)
    assert NumberSet.of(those).shifted(shift) == NumberSet.of(expected)
    tree = Tree.of((number, str(number)) for number in those)
    kept = [number for number in sorted(those) if number != shift.gone]
    values = [(shift.number(number), str(number)) for number in kept]
    assert list(tree.shifted(shift).items()) == sorted(values)
    column = Column(1)
    for number in those:
        column = column.put(number, bytes([1 + number % 250]))
    records = {shift.number(number): bytes([1 + number % 250]) for number in kept}
    after = column.shifted(shift)
    for number in range(2100):
        assert after.get(number).strip(b"\0") == records.get(number, b"")


@given(st.lists(near, max_size=30), shifts, near)
def test_a_stack_keeps_its_order_when_its_numbers_move(
    order: list[int], shift: Shift, later: int
) -> None:
    stack = Stack.of(order)
    if shift.by < 0:
        stack = stack.without(shift.at)
    before = [stack.image(nth) for nth in range(len(stack))]
    after = stack.shifted(shift)
    assert [after.image(nth) for nth in range(len(after))] == moved(before, shift)
    after = after.put(later)
    expected = [number for number in moved(before, shift) if number != later]
    assert [after.image(nth) for nth in range(len(after))] == [*expected, later]
