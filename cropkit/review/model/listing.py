"""Which images there are, by number, and sequences of them that know their places.

What is made once for a whole listing is compact: a table of four to eight bytes for each image that
leads from a path to its number, the runs of one folder, and all names folded for the search. What
comes later is kept beside it, in trees: an `Index` with one more image shares all with the one
before. An image keeps its number.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar, overload

from cropkit.review.model.slots import image_of, is_beside, slot_of
from cropkit.review.model.tree import LEAF, LEAF_BITS, NumberSet, Shift, Tree, places

_FREE = -1
_SPREAD = (1 << 30) - 1
_BETWEEN = "\0"  # in no path, so that nothing is found across two of them

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)


def folder_of(path: str) -> str:
    """Return the folder of an image, '' for the collection itself."""
    return image_of(path).rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class _Few(Generic[V]):
    """A persistent mapping from text, for what comes later."""

    rows: Tree[tuple[tuple[str, V], ...]] = field(default_factory=Tree)

    def get(self, key: str) -> V | None:
        row = self.rows.get(hash(key) & _SPREAD) or ()
        return next((value for name, value in row if name == key), None)

    def put(self, key: str, value: V) -> "_Few[V]":
        at = hash(key) & _SPREAD
        others = tuple(each for each in self.rows.get(at) or () if each[0] != key)
        return _Few(self.rows.put(at, (*others, (key, value))))

    def changed(self, change: Callable[[V], V], but: str | None = None) -> "_Few[V]":
        """Return a mapping of changed values, without one text."""
        items = self.rows.items()
        rows = ((at, tuple((k, change(v)) for k, v in row if k != but)) for at, row in items)
        return _Few(Tree.of(rows))


class _Folders:
    """Runs of images of one folder, in the order of a listing."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.starts, self.following = array("q"), array("q")
        self._first: dict[str, int] = {}
        latest: dict[str, int] = {}
        before = None
        for number, path in enumerate(paths):
            folder = folder_of(path)
            if folder != before:
                before, run = folder, len(self.starts)
                self.starts.append(number)
                self.following.append(_FREE)
                self._first.setdefault(folder, run)
                if folder in latest:
                    self.following[latest[folder]] = run
                latest[folder] = run
        self.starts.append(len(paths))

    def runs(self, folder: str) -> Iterator[tuple[int, int]]:
        """Yield where the images of a folder begin and end: once, in an order by folders."""
        run = self._first.get(folder, _FREE)
        while run != _FREE:
            yield self.starts[run], self.starts[run + 1]
            run = self.following[run]

    def around(self, number: int) -> tuple[int, int]:
        """Return where the run begins and ends that an image is in; one of its own if none."""
        run = bisect_right(self.starts, number) - 1
        if run + 1 >= len(self.starts):
            return number, number + 1
        return self.starts[run], self.starts[run + 1]


def _way(path: str) -> tuple[int, int]:
    """Return where a path's number is looked for, and how far on when the place is taken.

    An odd step comes to all places of a table whose size is a power of two. It is each path's own:
    with steps of one, taken places grow together, and a hundred looks would be no rarity.
    """
    first = hash(path)
    return first, first >> 32 | 1


class _Begun:
    """What a review begins with; never changed."""

    def __init__(self, paths: Sequence[str], listed: int) -> None:
        self.paths, self.listed = tuple(paths), listed
        size = 1 << max(3, (len(self.paths) * 4 // 3).bit_length())
        self._table, self._mask = array("i", [_FREE]) * size, size - 1
        table, mask = self._table, self._mask
        for number, path in enumerate(self.paths):
            at, step = _way(path)
            while table[at & mask] != _FREE:
                at += step
            table[at & mask] = number
        self.folders = _Folders(self.paths[:listed])
        self.folded = tuple(
            _BETWEEN.join(self.paths[at : at + LEAF]).casefold()
            for at in range(0, len(self.paths), LEAF)
        )

    def number(self, path: str) -> int:
        """Return the number of a path, below 0 where it has none."""
        at, step = _way(path)
        while (number := self._table[at & self._mask]) != _FREE and self.paths[number] != path:
            at += step
        return number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Begun) and self.paths == other.paths

    def __hash__(self) -> int:
        return hash(self.paths)


@dataclass(frozen=True, slots=True)
class Index:
    """Every image that is known, by number; in the order of the listing, then as they came."""

    begun: _Begun
    later: Tree[str] = field(default_factory=Tree)
    numbers: _Few[int] = field(default_factory=_Few)
    folders: _Few[NumberSet] = field(default_factory=_Few)

    @classmethod
    def of(cls, listed: Sequence[str], others: Iterable[str] = ()) -> "Index":
        """Return an index of what is listed, and of what else is known."""
        return cls(_Begun((*listed, *others), len(listed)))

    def number(self, path: str) -> int | None:
        """Return the number of an image, None where it is not known."""
        later = self.numbers.get(path) if self.later else None
        if later is not None:
            return later
        number = self.begun.number(path)
        return None if number == _FREE else number

    def known(self, path: str) -> int:
        """Return the number of an image that is known.

        Raises
        ------
        KeyError
            It is not.
        """
        number = self.number(path)
        if number is None:
            raise KeyError(path)
        return number

    def path(self, number: int) -> str:
        """Return the path of an image."""
        paths = self.begun.paths
        return paths[number] if number < len(paths) else str(self.later.get(number))

    def added(self, path: str) -> "Index":
        """Return an index in which a path has a number after all others, from now on."""
        number, folder = len(self), folder_of(path)
        beside = self.folders.get(folder) or NumberSet()
        return replace(
            self,
            later=self.later.put(number, path),
            numbers=self.numbers.put(path, number),
            folders=self.folders.put(folder, beside.put(number)),
        )

    def inserted(self, at: int, path: str) -> "Index":
        """Return an index in which a path has a number of the listing, and all others have moved.

        What there was at the beginning is made anew: that takes as long as it took then.
        """
        paths = self.begun.paths
        begun = _Begun((*paths[:at], path, *paths[at:]), self.begun.listed + 1)
        return self._shifted(begun, Shift(at, 1))

    def removed(self, at: int) -> "Index":
        """Return an index without a path that is listed; all others have moved, as above."""
        begun, path = self.begun, self.path(at)
        if at < len(begun.paths):
            begun = _Begun((*begun.paths[:at], *begun.paths[at + 1 :]), begun.listed - 1)
        return self._shifted(begun, Shift(at, -1), but=path)

    def _shifted(self, begun: _Begun, shift: Shift, but: str = "") -> "Index":
        return Index(
            begun,
            self.later.shifted(shift),
            self.numbers.changed(shift.number, but),
            self.folders.changed(lambda numbers: numbers.shifted(shift)),
        )

    def within(self, folder: str, these: NumberSet) -> int:
        """Return how many of these are in a folder."""
        begun = sum(these.between(*run) for run in self.begun.folders.runs(folder))
        return begun + len(these & (self.folders.get(folder) or NumberSet()))

    def first_of(self, folder: str, these: NumberSet) -> int | None:
        """Return the first of these in a folder."""
        for start, stop in self.begun.folders.runs(folder):
            number = these.next(start)
            if number is not None and number < stop:
                return number
        return these.next_common(self.folders.get(folder) or NumberSet(), 0)

    def folder_after(self, first: int, these: NumberSet) -> int | None:
        """Return the first of these in the next folder, from the first of them in one."""
        number = these.next(first + 1)
        while number is not None and self._first_like(number, these) != number:
            number = these.next(self.begun.folders.around(number)[1])
        return number

    def folder_before(self, first: int, these: NumberSet) -> int | None:
        """Return the first of these in the folder before, from the first of them in one."""
        number = these.last(first)
        while number is not None:
            number = these.next(self.begun.folders.around(number)[0])
            if number is None or self._first_like(number, these) == number:
                return number
            number = these.last(number)
        return None

    def _first_like(self, number: int, these: NumberSet) -> int | None:
        return self.first_of(folder_of(self.path(number)), these)

    def holds(self, key: int, wanted: str) -> bool:
        """Whether a folded text may be in one of 1,024 paths."""
        start, begun = key << LEAF_BITS, len(self.begun.paths)
        if start + LEAF <= begun or len(self) <= begun:
            return key < len(self.begun.folded) and wanted in self.begun.folded[key]
        return True

    def __len__(self) -> int:
        return len(self.begun.paths) + len(self.later)


@dataclass(frozen=True, slots=True, eq=False)
class Paths(Sequence[str]):
    """Some of the images, in the order of their numbers; equal to any sequence of their paths."""

    known: Index
    numbers: NumberSet

    def place(self, path: str) -> int | None:
        """Return which of them an image is, from 0; None where it is none of them."""
        number = self.known.number(path)
        if number is None or number not in self.numbers:
            return None
        return self.numbers.rank(number)

    def index(self, path: str, start: int = 0, stop: int | None = None) -> int:
        """Return which of them an image is, as any sequence does."""
        place = self.place(path)
        if place is None or place not in range(len(self))[start:stop]:
            raise ValueError(path)
        return place

    def find(self, text: str, after: int) -> int | None:
        """Return which of them is the next one with a text in its path, and round to `after`.

        Reads every name where there is none, 1,024 at a time.
        """
        if not self.numbers:
            return None
        wanted, here = text.casefold(), self._of_image(self.numbers.nth(after))[-1]
        number = self._found(wanted, here + 1, len(self.known))
        number = self._found(wanted, 0, here + 1) if number is None else number
        return None if number is None else self.numbers.rank(number)

    def _found(self, wanted: str, start: int, stop: int) -> int | None:
        for key, bits in self.numbers.leaves(start >> LEAF_BITS):
            if key * LEAF >= stop:
                return None
            if not self.known.holds(key, wanted):
                continue
            for number in (key * LEAF + place for place in places(bits)):
                if start <= number < stop and wanted in self._image(number).casefold():
                    return number
        return None

    def _image(self, number: int) -> str:
        return image_of(self.known.path(number))

    def of_image(self, path: str) -> tuple[str, ...]:
        """Return those of the same image that come one after the other, one of them given."""
        return tuple(map(self.known.path, self._of_image(self.known.known(path))))

    def _of_image(self, number: int) -> list[int]:
        path, numbers = self.known.path(number), [number]
        image, before = image_of(path), self.numbers.last(number)
        while slot_of(path) and before is not None and self._image(before) == image:
            path = self.known.path(before)
            numbers.insert(0, before)
            before = self.numbers.last(before)
        following = self.numbers.next(number + 1)
        while following is not None and is_beside(self.known.path(following), image):
            numbers.append(following)
            following = self.numbers.next(following + 1)
        return numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        if isinstance(at, int):
            return self.known.path(self.numbers.nth(at if at >= 0 else len(self) + at))
        start, stop, step = at.indices(len(self))
        numbers = self.numbers.some(start, max(0, stop - start)) if step == 1 else ()
        if step != 1:
            return tuple(self)[at]
        return tuple(map(self.known.path, numbers))

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self.place(path) is not None

    def __iter__(self) -> Iterator[str]:
        return map(self.known.path, self.numbers)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((len(self), *islice(self, 1)))


class Store(Protocol[V_co]):
    """What keeps values by number."""

    def get(self, number: int) -> V_co | None:
        """Return a number's value."""

    def __iter__(self) -> Iterator[int]: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class ByPath(Mapping[str, V_co]):
    """What is kept by number, as it is asked for: by path."""

    index: Index
    store: Store[V_co]

    def __getitem__(self, path: str) -> V_co:
        number = self.index.number(path)
        value = None if number is None else self.store.get(number)
        if value is None:
            raise KeyError(path)
        return value

    def __contains__(self, path: Any) -> bool:  # noqa: ANN401  (as any mapping)
        return self.get(path) is not None

    def __iter__(self) -> Iterator[str]:
        return map(self.index.path, self.store)

    def __len__(self) -> int:
        return len(self.store)
