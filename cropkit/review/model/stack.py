"""Images one on the other, and images in an order of their own: by place, persistent."""

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

from cropkit.review.model.outcomes import Column
from cropkit.review.model.tree import NumberSet, Shift

_TYPE = "I"  # of a place or a number
PLACE = array(_TYPE).itemsize


def as_bytes(number: int) -> bytes:
    """Return a number as a record of a `Column` of the width `PLACE`."""
    return number.to_bytes(PLACE, sys.byteorder)


@dataclass(frozen=True, slots=True)
class Stack:
    """Images one on the other, each at most once; any of them can be taken out.

    Parameters
    ----------
    places : where images lie, as many as were ever put there; `held` are those that still do
    images : the image at each place
    place_of : the place of each image, one more than it is
    """

    held: NumberSet = field(default_factory=NumberSet)
    images: Column = field(default_factory=lambda: Column(PLACE))
    place_of: Column = field(default_factory=lambda: Column(PLACE))
    top: int = 0

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "Stack":
        """Return a stack of these, the last on top; of one that comes twice, the later counts."""
        order = list(dict.fromkeys(reversed(list(numbers))))[::-1]
        places = array(_TYPE, bytes(PLACE)) * (max(order, default=-1) + 1)
        for place, number in enumerate(order, 1):
            places[number] = place
        images = array(_TYPE, order).tobytes()
        return cls(
            NumberSet.below(len(order)),
            Column.of(PLACE, images),
            Column.of(PLACE, places.tobytes()),
            len(order),
        )

    def put(self, number: int) -> "Stack":
        """Return the stack with an image on top."""
        return Stack(
            self.without(number).held.put(self.top),
            self.images.put(self.top, as_bytes(number)),
            self.place_of.put(number, as_bytes(self.top + 1)),
            self.top + 1,
        )

    def without(self, number: int) -> "Stack":
        """Return the stack without an image."""
        place = int.from_bytes(self.place_of.get(number), sys.byteorder) - 1
        if place < 0 or place not in self.held:
            return self
        gone = self.place_of.put(number, as_bytes(0))
        return replace(self, held=self.held.without(place), place_of=gone)

    def shifted(self, shift: Shift) -> "Stack":
        """Return the stack of images whose numbers have moved; one that goes is not in it."""
        flat = self.images.flat().ljust(self.top * PLACE, b"\0")  # no row is kept of zeros
        moved = (max(0, shift.number(image)) for image in array(_TYPE, flat))
        images = Column.of(PLACE, array(_TYPE, moved).tobytes())
        return replace(self, images=images, place_of=self.place_of.shifted(shift))

    def image(self, nth: int) -> int:
        """Return the nth image from below."""
        return int.from_bytes(self.images.get(self.held.nth(nth)), sys.byteorder)

    def __len__(self) -> int:
        return len(self.held)


@dataclass(frozen=True, slots=True)
class Order:
    """Images in an order of their own; what comes later follows them.

    Parameters
    ----------
    left : places of those that a person still has to look at
    known : of how many images it was known how sure their suggestion is, when they were sorted
    """

    stack: Stack = field(default_factory=Stack)
    left: NumberSet = field(default_factory=NumberSet)
    known: int = 0

    @classmethod
    def of(cls, numbers: Sequence[int], left: NumberSet, known: int) -> "Order":
        """Return an order of numbers, each of which comes once.

        Parameters
        ----------
        left : numbers of those that a person still has to look at
        """
        is_left = bytearray(max(numbers, default=-1) + 1)
        for number in left:
            is_left[number] = 1
        there = compress(range(len(numbers)), map(is_left.__getitem__, numbers))
        places = NumberSet.below(len(numbers)) if len(left) == len(numbers) else NumberSet.of(there)
        return cls(Stack.of(numbers), places, known)

    def place(self, number: int) -> int:
        """Return which of them an image is, from 0; -1 where it is none of them."""
        return int.from_bytes(self.stack.place_of.get(number), sys.byteorder) - 1

    def number(self, place: int) -> int:
        """Return the image at a place."""
        return self.stack.image(place)

    def next_left(self, place: int) -> int | None:
        """Return the first place, from one on, of what a person still has to look at."""
        return self.left.next(place)

    def put(self, number: int, *, left: bool) -> "Order":
        """Return the order with one more image, which is the last."""
        return replace(self, stack=self.stack.put(number)).now(number, left=left)

    def shifted(self, shift: Shift) -> "Order":
        """Return the order of images whose numbers have moved; one that goes is not in it."""
        left = NumberSet.of(map(self.number, self.left)).shifted(shift)
        numbers = [shift.number(number) for number in self if number != shift.gone]
        return Order.of(numbers, left, self.known)

    def inserted(self, number: int, after: int) -> "Order":
        """Return the order with one more image after another, still to be looked at."""
        left = NumberSet.of(map(self.number, self.left)).put(number)
        numbers = [*self]
        numbers.insert(self.place(after) + 1, number)
        return Order.of(numbers, left, self.known)

    def now(self, number: int, *, left: bool) -> "Order":
        """Return the order where a person still has to look at an image, or has no more."""
        at = self.place(number)
        return self if at < 0 else replace(self, left=self.left.put(at, there=left))

    def __iter__(self) -> Iterator[int]:
        return map(self.number, range(len(self)))

    def __len__(self) -> int:
        return len(self.stack)
