"""Persistent trees over whole numbers: a change shares all but one way down with what was there.

A change costs the same at ten numbers and at a thousand millions: `_LEVELS` nodes are written anew,
and whoever holds the tree from before sees nothing of it. Each node knows what hangs beneath it, so
that to count, to skip what is empty and to go to the nth costs no more. A `Tree` holds values. A
`NumberSet` is a set of numbers, 1,024 of them in the bits of one Python integer.
"""

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

_LEVELS, _BITS = 6, 5
_WIDTH = 1 << _BITS
_SHIFTS = tuple(range(_BITS * (_LEVELS - 1), -1, -_BITS))
_NOTHING = (None,) * _WIDTH
LEAF_BITS = 10
LEAF = 1 << LEAF_BITS  # numbers in an integer of a `NumberSet`
_FULL = (1 << LEAF) - 1

V = TypeVar("V")


class Shift(NamedTuple):
    """What becomes of numbers where one is put in, or taken out: all from there on move by one.

    Parameters
    ----------
    by : 1 where `at` is put in, -1 where it is taken out
    """

    at: int
    by: int

    @property
    def gone(self) -> int | None:
        """The number that is taken out."""
        return self.at if self.by < 0 else None

    def number(self, number: int) -> int:
        """Return what a number that stays has become."""
        return number + self.by if number >= self.at else number

    def bits(self, bits: int) -> int:
        """Return numbers as bits, moved."""
        low, high = bits & ((1 << self.at) - 1), bits >> self.at
        return low | (high << 1 if self.by > 0 else high >> 1) << self.at


class _Node(NamedTuple):
    """What hangs beneath: nodes, or on the last level leaves; `weight` is that of all of them."""

    weight: int
    below: tuple[Any, ...]


Weigh = Callable[[Any], int]


def _put(node: _Node | None, level: int, key: int, leaf: Any, by: int) -> _Node | None:  # noqa: ANN401  (whatever a tree holds)
    """Return a node with another leaf, heavier by so much; None where it is empty then."""
    weight, below = node or _Node(0, _NOTHING)
    if weight + by == 0:
        return None
    shift = _SHIFTS[level]
    at = key >> shift & (_WIDTH - 1)
    other = leaf if shift == 0 else _put(below[at], level + 1, key, leaf, by)
    return _Node(weight + by, (*below[:at], other, *below[at + 1 :]))


def _leaf(node: _Node | None, key: int) -> Any:  # noqa: ANN401  (whatever a tree holds)
    below: Any = node
    for shift in _SHIFTS:
        if below is None:
            return None
        below = below.below[key >> shift & (_WIDTH - 1)]
    return below


def _leaves(node: _Node | None, level: int = 0, key: int = 0) -> Iterator[tuple[int, Any]]:
    """Yield keys and leaves in their order, from a key on."""
    if node is None:
        return
    shift = _SHIFTS[level]
    first = key >> shift & (_WIDTH - 1)
    high = key >> (shift + _BITS) << _BITS
    for at in range(first, _WIDTH):
        below = node.below[at]
        if below is not None and shift == 0:
            yield high + at, below
        elif below is not None:
            yield from _leaves(below, level + 1, key if at == first else high + at << shift)


def _built(leaves: Iterable[tuple[int, Any]], weigh: Weigh) -> _Node | None:
    """Return a tree of leaves, whose keys may come in any order but each once."""
    nodes, weights = dict(leaves), weigh
    for _ in _SHIFTS:
        rows: dict[int, list[Any]] = {}
        for key, below in nodes.items():
            rows.setdefault(key >> _BITS, [None] * _WIDTH)[key & (_WIDTH - 1)] = below
        nodes = {
            key: _Node(sum(weights(each) for each in row if each is not None), tuple(row))
            for key, row in rows.items()
        }
        weights = operator.attrgetter("weight")
    root: _Node | None = nodes.get(0)
    return root


@dataclass(frozen=True, slots=True)
class Tree(Generic[V]):
    """Values by number, in the order of the numbers."""

    root: _Node | None = None

    @classmethod
    def of(cls, values: Iterable[tuple[int, V]]) -> "Tree[V]":
        """Return a tree with these values."""
        return cls(_built(values, lambda _: 1))

    def joined(self, values: Iterable[tuple[int, V]]) -> "Tree[V]":
        """Return a tree with more values; those of the same numbers give way."""
        if self.root is None:
            return Tree.of(values)
        tree = self
        for number, value in values:
            tree = tree.put(number, value)
        return tree

    def get(self, number: int) -> V | None:
        """Return a number's value, None where it has none."""
        value: V | None = _leaf(self.root, number)
        return value

    def put(self, number: int, value: V) -> "Tree[V]":
        """Return a tree with another value for a number."""
        new = int(self.get(number) is None)
        return Tree(_put(self.root, 0, number, value, new))

    def without(self, number: int) -> "Tree[V]":
        """Return a tree without a number."""
        return self if self.get(number) is None else Tree(_put(self.root, 0, number, None, -1))

    def shifted(self, shift: "Shift") -> "Tree[V]":
        """Return the same values by numbers that have moved."""
        return Tree.of((shift.number(n), value) for n, value in self.items() if n != shift.gone)

    def items(self) -> Iterator[tuple[int, V]]:
        """Yield numbers and values."""
        return _leaves(self.root)

    def __contains__(self, number: int) -> bool:
        return self.get(number) is not None

    def __iter__(self) -> Iterator[int]:
        return (number for number, _ in self.items())

    def __len__(self) -> int:
        return self.root.weight if self.root else 0


def _heavy_enough(below: tuple[Any, ...], rest: int, weigh: Weigh) -> tuple[int, int]:
    """Return in which of them the nth of all lies, and which of its own that is."""
    for at, each in enumerate(below):
        weight = 0 if each is None else weigh(each)
        if rest < weight:
            return at, rest
        rest -= weight
    raise IndexError(rest)


def _nth(bits: int, nth: int) -> int:
    """Return the place of the nth bit, from 0, that is set."""
    at, width = 0, LEAF
    while width > 1:
        width //= 2
        lower = bits & ((1 << width) - 1)
        count = lower.bit_count()
        if nth < count:
            bits = lower
        else:
            bits, at, nth = bits >> width, at + width, nth - count
    return at


def places(bits: int) -> Iterator[int]:
    """Yield the places of the bits that are set, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


Both = Callable[[int, int], int]


def _merged(one: Any, other: Any, level: int, both: Both) -> Any:  # noqa: ANN401  (nodes or leaves)
    """Return what two sets make of each other; what hangs in one of them only is kept or not."""
    if one is None or other is None:
        alone = both(1, 0) if other is None else both(0, 1)
        return (one or other) if alone else None
    if level == _LEVELS:
        return both(one, other) or None
    pairs = zip(one.below, other.below, strict=True)
    below = tuple(_merged(*pair, level + 1, both) for pair in pairs)
    weigh: Weigh = int.bit_count if level == _LEVELS - 1 else operator.attrgetter("weight")
    weight = sum(weigh(each) for each in below if each is not None)
    return _Node(weight, below) if weight else None


def _common(one: Any, other: Any, level: int, start: int) -> int | None:  # noqa: ANN401  (nodes or leaves)
    """Return the least number of two sets from `start` on, within what hangs here."""
    if one is None or other is None:
        return None
    if level == _LEVELS:
        bits = (one & other) >> start
        return start + (bits & -bits).bit_length() - 1 if bits else None
    shift = _SHIFTS[level] + LEAF_BITS
    first = start >> shift
    for at in range(first, _WIDTH):
        rest = start & ((1 << shift) - 1) if at == first else 0
        within = _common(one.below[at], other.below[at], level + 1, rest)
        if within is not None:
            return (at << shift) + within
    return None


@dataclass(frozen=True, slots=True)
class NumberSet:
    """A set of numbers that knows how many are below any of them."""

    root: _Node | None = None

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "NumberSet":
        """Return a set of these numbers."""
        rows: dict[int, bytearray] = {}
        for number in numbers:
            row = rows.get(number >> LEAF_BITS)
            if row is None:
                row = rows[number >> LEAF_BITS] = bytearray(LEAF // 8)
            row[(number & (LEAF - 1)) >> 3] |= 1 << (number & 7)
        leaves = ((key, int.from_bytes(row, "little")) for key, row in rows.items())
        return cls(_built(leaves, int.bit_count))

    @classmethod
    def below(cls, count: int) -> "NumberSet":
        """Return a set of all numbers below this one."""
        return cls.span(0, count)

    @classmethod
    def span(cls, start: int, stop: int) -> "NumberSet":
        """Return a set of all numbers from `start` to below `stop`."""
        keys = range(start >> LEAF_BITS, (stop + LEAF - 1) >> LEAF_BITS if stop > start else 0)
        return cls(_built(((key, _within(key, start, stop)) for key in keys), int.bit_count))

    def put(self, number: int, *, there: bool = True) -> "NumberSet":
        """Return a set with a number, or without it."""
        if (number in self) is there:
            return self
        key, bit = number >> LEAF_BITS, 1 << (number & (LEAF - 1))
        leaf = (_leaf(self.root, key) or 0) ^ bit
        return NumberSet(_put(self.root, 0, key, leaf or None, 1 if there else -1))

    def without(self, number: int) -> "NumberSet":
        """Return a set without a number."""
        return self.put(number, there=False)

    def shifted(self, shift: Shift) -> "NumberSet":
        """Return the same set of numbers that have moved."""
        rows = dict(self.leaves())
        every = (rows.get(key, 0) for key in range(max(rows, default=-1) + 1))
        flat = b"".join(row.to_bytes(LEAF // 8, "little") for row in every)
        bits = shift.bits(int.from_bytes(flat, "little"))
        moved = bits.to_bytes(len(flat) + LEAF // 8, "little")
        starts = range(0, len(moved), LEAF // 8)
        leaves = enumerate(int.from_bytes(moved[at : at + LEAF // 8], "little") for at in starts)
        return NumberSet(_built((each for each in leaves if each[1]), int.bit_count))

    def leaf(self, key: int) -> int:
        """Return 1,024 numbers as bits: those from `key` times so many on."""
        bits: int = _leaf(self.root, key) or 0
        return bits

    def leaves(self, key: int = 0) -> Iterator[tuple[int, int]]:
        """Yield what `leaf` returns from a key on, where that is not empty."""
        return _leaves(self.root, 0, key)

    def rank(self, number: int) -> int:
        """Return how many are below a number."""
        node: Any = self.root
        key, count = number >> LEAF_BITS, 0
        for shift in _SHIFTS:
            if node is None:
                return count
            at = key >> shift & (_WIDTH - 1)
            weigh: Weigh = operator.attrgetter("weight") if shift else int.bit_count
            count += sum(weigh(each) for each in node.below[:at] if each is not None)
            node = node.below[at]
        return count + ((node or 0) & ((1 << (number & (LEAF - 1))) - 1)).bit_count()

    def nth(self, nth: int) -> int:
        """Return the nth number, from 0.

        Raises
        ------
        IndexError
            There are not so many.
        """
        if not 0 <= nth < len(self):
            raise IndexError(nth)
        node: Any = self.root
        key, rest = 0, nth
        for shift in _SHIFTS:
            weigh: Weigh = operator.attrgetter("weight") if shift else int.bit_count
            at, rest = _heavy_enough(node.below, rest, weigh)
            node, key = node.below[at], key << _BITS | at
        return (key << LEAF_BITS) + _nth(node, rest)

    def between(self, start: int, stop: int) -> int:
        """Return how many there are from `start` to below `stop`."""
        return self.rank(stop) - self.rank(start)

    def next(self, start: int) -> int | None:
        """Return the least number that is not below `start`."""
        return _common(self.root, self.root, 0, start)

    def last(self, stop: int) -> int | None:
        """Return the greatest number below `stop`."""
        count = self.rank(stop)
        return self.nth(count - 1) if count else None

    def next_common(self, other: "NumberSet", start: int) -> int | None:
        """Return the least number of both sets that is not below `start`."""
        return _common(self.root, other.root, 0, start)

    def iterate(self, start: int = 0) -> Iterator[int]:
        """Yield the numbers from `start` on."""
        first = start >> LEAF_BITS
        for key, bits in self.leaves(first):
            below = (1 << (start & (LEAF - 1))) - 1 if key == first else 0
            yield from (key * LEAF + place for place in places(bits & ~below))

    def some(self, start: int, count: int) -> list[int]:
        """Return so many numbers, from the nth on."""
        return list(islice(self.iterate(self.nth(start)), count)) if start < len(self) else []

    def __and__(self, other: "NumberSet") -> "NumberSet":
        return NumberSet(_merged(self.root, other.root, 0, operator.and_))

    def __or__(self, other: "NumberSet") -> "NumberSet":
        return NumberSet(_merged(self.root, other.root, 0, operator.or_))

    def __sub__(self, other: "NumberSet") -> "NumberSet":
        return NumberSet(_merged(self.root, other.root, 0, _less))

    def __contains__(self, number: int) -> bool:
        return bool(self.leaf(number >> LEAF_BITS) >> (number & (LEAF - 1)) & 1)

    def __iter__(self) -> Iterator[int]:
        return self.iterate()

    def __len__(self) -> int:
        return self.root.weight if self.root else 0


def _within(key: int, start: int, stop: int) -> int:
    """Return, as bits, which of 1,024 numbers are from `start` to below `stop`."""
    low, high = max(0, start - key * LEAF), min(LEAF, stop - key * LEAF)
    return _FULL if high - low == LEAF else (1 << high) - (1 << low)


def _less(bits: int, those: int) -> int:
    return bits & ~those
