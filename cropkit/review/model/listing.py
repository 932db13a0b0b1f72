"""Which images there are, by number, and sequences of them that know their places.

What a listing brings is kept compact: tables of four to eight bytes for each image that lead from a
path to its number, the runs of one folder, and all names folded for the search. They are added to
at their end only, so that an `Index` with more of the listing shares all of it with the one before,
which sees no further than it did. What comes after the listing is kept beside it, in trees. An
image keeps its number.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar, overload

from cropkit.review.model.slots import image_of, is_beside, slot_of
from cropkit.review.model.stack import Order
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

    def __init__(self) -> None:
        self._starts, self._following = array("q"), array("q")
        self._first: dict[str, int] = {}
        self._latest: dict[str, int] = {}
        self._last: str | None = None

    def add(self, paths: Sequence[str], first: int) -> None:
        """Add images that follow all others."""
        for number, path in enumerate(paths, first):
            folder = folder_of(path)
            if folder != self._last:
                self._begin_run(folder, number)

    def _begin_run(self, folder: str, number: int) -> None:
        self._last, run = folder, len(self._starts)
        self._starts.append(number)
        self._following.append(_FREE)
        self._first.setdefault(folder, run)
        if folder in self._latest:
            self._following[self._latest[folder]] = run
        self._latest[folder] = run

    def runs(self, folder: str, count: int) -> Iterator[tuple[int, int]]:
        """Yield where a folder's images begin and end: once, in an order by folders.

        Parameters
        ----------
        count : how many images are seen
        """
        run = self._first.get(folder, _FREE)
        while run != _FREE and self._starts[run] < count:
            yield self._starts[run], self._end(run, count)
            run = self._following[run]

    def around(self, number: int, count: int) -> tuple[int, int]:
        """Return where the run begins and ends that an image is in; one of its own if none."""
        if number >= count:
            return number, number + 1
        run = bisect_right(self._starts, number) - 1
        return self._starts[run], self._end(run, count)

    def _end(self, run: int, count: int) -> int:
        following = run + 1
        return min(self._starts[following], count) if following < len(self._starts) else count


def _way(path: str) -> tuple[int, int]:
    """Return where a path's number is looked for, and how far on when the place is taken.

    An odd step comes to all places of a table whose size is a power of two. It is each path's own:
    with steps of one, taken places grow together, and a hundred looks would be no rarity.
    """
    first = hash(path)
    return first, first >> 32 | 1


class _Table:
    """Numbers by path, for so many images; never made larger."""

    def __init__(self, room: int) -> None:
        size = 1 << max(3, (room * 4 // 3).bit_length())
        self.numbers, self.mask, self.room = array("i", [_FREE]) * size, size - 1, room

    def add(self, paths: Sequence[str], first: int) -> None:
        """Add images by the numbers from `first` on."""
        numbers, mask = self.numbers, self.mask
        for number, path in enumerate(paths, first):
            at, step = _way(path)
            while numbers[at & mask] != _FREE:
                at += step
            numbers[at & mask] = number
        self.room -= len(paths)


class _Names:
    """The paths of a listing, and what leads to them; added to at the end, and never changed.

    A new table has as much room as all before it, so that there are few, and no path is ever moved
    from one to another.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.folders = _Folders()
        self.folded: list[str] = []
        self._tables: list[_Table] = []

    def add(self, paths: Sequence[str]) -> None:
        """Add images that are not known."""
        first = len(self.paths)
        self.paths.extend(paths)
        self.folders.add(paths, first)
        self._enter(paths, first)
        del self.folded[first // LEAF :]
        starts = range(first // LEAF * LEAF, len(self.paths), LEAF)
        self.folded += (_BETWEEN.join(self.paths[at : at + LEAF]).casefold() for at in starts)

    def _enter(self, paths: Sequence[str], first: int) -> None:
        room = self._tables[-1].room if self._tables else 0
        if room:
            self._tables[-1].add(paths[:room], first)
        if len(paths) > room:
            self._tables.append(_Table(max(len(paths) - room, first)))
            self._tables[-1].add(paths[room:], first + room)

    def number(self, path: str, count: int) -> int:
        """Return the number of a path among the first of all, below 0 where it has none."""
        first, step = _way(path)
        for table in reversed(self._tables):  # most are in the last ones
            at, numbers, mask = first, table.numbers, table.mask
            while (number := numbers[at & mask]) != _FREE:
                if number < count and self.paths[number] == path:
                    return number
                at += step
        return _FREE


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """What is listed, and then what else was known: the first of a `_Names`.

    Parameters
    ----------
    count : how many paths there are
    listed : how many of them are listed; the others follow
    """

    names: _Names = field(default_factory=_Names)
    count: int = 0
    listed: int = 0

    @classmethod
    def of(cls, listed: Sequence[str], others: Sequence[str] = ()) -> "_Begun":
        return cls().with_listed(listed).with_others(others)

    @property
    def paths(self) -> list[str]:
        return self.names.paths[: self.count]

    def with_listed(self, paths: Sequence[str]) -> "_Begun":
        """Return it with more of the listing; nothing may be known beside it yet."""
        names = self._growing()
        names.add(paths)
        return _Begun(names, self.count + len(paths), self.listed + len(paths))

    def with_others(self, paths: Sequence[str]) -> "_Begun":
        names = self._growing()
        names.add(paths)
        return _Begun(names, self.count + len(paths), self.listed)

    def _growing(self) -> _Names:
        """Return the names to add to: others where somebody went on from here before."""
        if len(self.names.paths) == self.count:
            return self.names
        names = _Names()
        names.add(self.paths)
        return names

    def number(self, path: str) -> int:
        """Return the number of a path, below 0 where it has none."""
        return self.names.number(path, self.count)

    def runs(self, folder: str) -> Iterator[tuple[int, int]]:
        return self.names.folders.runs(folder, self.count)

    def around(self, number: int) -> tuple[int, int]:
        return self.names.folders.around(number, self.count)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Begun):
            return False
        return self.listed == other.listed and self.paths == other.paths

    def __hash__(self) -> int:
        return hash((self.count, self.listed))


@dataclass(frozen=True, slots=True)
class Index:
    """Every image that is known, by number; in the order of the listing, then as they came."""

    begun: _Begun = field(default_factory=_Begun)
    later: Tree[str] = field(default_factory=Tree)
    numbers: _Few[int] = field(default_factory=_Few)
    folders: _Few[NumberSet] = field(default_factory=_Few)

    @classmethod
    def of(cls, listed: Sequence[str], others: Iterable[str] = ()) -> "Index":
        """Return an index of what is listed, and of what else is known."""
        return cls(_Begun.of(listed, tuple(others)))

    def with_listed(self, paths: Sequence[str]) -> "Index":
        """Return an index with more of the listing, none of which is known yet.

        Raises
        ------
        ValueError
            What is not listed has numbers already, which follow those of all that is.
        """
        if self.later or self.begun.count > self.begun.listed:
            raise ValueError(paths[:1])
        return replace(self, begun=self.begun.with_listed(paths))

    def with_others(self, paths: Sequence[str]) -> "Index":
        """Return an index with what is known and not listed.

        Raises
        ------
        ValueError
            Something has come later, whose numbers follow these.
        """
        if self.later:
            raise ValueError(paths[:1])
        return replace(self, begun=self.begun.with_others(paths))

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
        begun = self.begun
        return begun.names.paths[number] if number < begun.count else str(self.later.get(number))

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
        paths, listed = self.begun.paths, self.begun.listed
        begun = _Begun.of((*paths[:at], path, *paths[at:listed]), paths[listed:])
        return self._shifted(begun, Shift(at, 1))

    def removed(self, at: int) -> "Index":
        """Return an index without a path that is listed; all others have moved, as above."""
        begun, path = self.begun, self.path(at)
        if at < begun.count:
            paths, listed = begun.paths, begun.listed
            begun = _Begun.of((*paths[:at], *paths[at + 1 : listed]), paths[listed:])
        return self._shifted(begun, Shift(at, -1), but=path)

    def _shifted(self, begun: _Begun, shift: Shift, but: str = "") -> "Index":
        return Index(
            begun,
            self.later.shifted(shift),
            self.numbers.changed(shift.number, but),
            self.folders.changed(lambda numbers: numbers.shifted(shift)),
        )

    def within(self, folder: str, these: NumberSet) -> int:
        """Return how many of these are in a folder; of those of the beginning, what is listed."""
        runs, listed = self.begun.runs(folder), self.begun.listed
        begun = sum(
            these.between(start, min(stop, listed)) for start, stop in runs if start < listed
        )
        return begun + len(these & (self.folders.get(folder) or NumberSet()))

    def first_of(self, folder: str, these: NumberSet) -> int | None:
        """Return the first of these in a folder."""
        for start, stop in self.begun.runs(folder):
            number = these.next(start)
            if number is not None and number < stop:
                return number
        return these.next_common(self.folders.get(folder) or NumberSet(), 0)

    def folder_after(self, first: int, these: NumberSet) -> int | None:
        """Return the first of these in the next folder, from the first of them in one."""
        number = these.next(first + 1)
        while number is not None and self._first_like(number, these) != number:
            number = these.next(self.begun.around(number)[1])
        return number

    def folder_before(self, first: int, these: NumberSet) -> int | None:
        """Return the first of these in the folder before, from the first of them in one."""
        number = these.last(first)
        while number is not None:
            number = these.next(self.begun.around(number)[0])
            if number is None or self._first_like(number, these) == number:
                return number
            number = these.last(number)
        return None

    def _first_like(self, number: int, these: NumberSet) -> int | None:
        return self.first_of(folder_of(self.path(number)), these)

    def holds(self, key: int, wanted: str) -> bool:
        """Whether a folded text may be in one of 1,024 paths."""
        start, begun, folded = key << LEAF_BITS, self.begun.count, self.begun.names.folded
        if start + LEAF <= begun or len(self) <= begun:
            return key < len(folded) and wanted in folded[key]
        return True

    def __len__(self) -> int:
        return self.begun.count + len(self.later)


@dataclass(frozen=True, slots=True, eq=False)
class Paths(Sequence[str]):
    """Some of the images, in an order; equal to any sequence of their paths.

    Parameters
    ----------
    order : of all of them; an empty one: that of their numbers
    """

    known: Index
    numbers: NumberSet
    order: Order = field(default_factory=Order)

    def place(self, path: str) -> int | None:
        """Return which of them an image is, from 0; None where it is none of them."""
        number = self.known.number(path)
        if number is None or number not in self.numbers:
            return None
        return self.order.place(number) if self.order else self.numbers.rank(number)

    def number(self, place: int) -> int:
        """Return the number of an image at a place, from 0."""
        return self.order.number(place) if self.order else self.numbers.nth(place)

    def index(self, path: str, start: int = 0, stop: int | None = None) -> int:
        """Return which of them an image is, as any sequence does."""
        place = self.place(path)
        if place is None or place not in range(len(self))[start:stop]:
            raise ValueError(path)
        return place

    def find(self, text: str, after: int) -> int | None:
        """Return which of them is the next one with every word of a text in its path.

        It goes round to `after` as the images are listed, whatever their order.

        Reads every name where there is none, 1,024 at a time.
        """
        if not self.numbers:
            return None
        wanted, here = text.casefold().split(), self._of_image(self.number(after))[-1]
        number = self._found(wanted, here + 1, len(self.known))
        number = self._found(wanted, 0, here + 1) if number is None else number
        return None if number is None else self.place(self.known.path(number))

    def _found(self, wanted: Sequence[str], start: int, stop: int) -> int | None:
        for key, bits in self.numbers.leaves(start >> LEAF_BITS):
            if key * LEAF >= stop:
                return None
            if not all(self.known.holds(key, word) for word in wanted):
                continue
            for number in (key * LEAF + place for place in places(bits)):
                if start <= number < stop and self._has(number, wanted):
                    return number
        return None

    def _has(self, number: int, words: Sequence[str]) -> bool:
        path = self._image(number).casefold()
        return all(word in path for word in words)

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
            return self.known.path(self.number(at if at >= 0 else len(self) + at))
        start, stop, step = at.indices(len(self))
        if step != 1:
            return tuple(self)[at]
        some = range(start, max(start, stop))
        numbers = map(self.number, some) if self.order else self.numbers.some(start, len(some))
        return tuple(map(self.known.path, numbers))

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self.place(path) is not None

    def __iter__(self) -> Iterator[str]:
        numbers = map(self.number, range(len(self))) if self.order else iter(self.numbers)
        return map(self.known.path, numbers)

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
