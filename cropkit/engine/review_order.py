"""The order in which images are shown: by folder, time, stage and name, sorted as far as asked.

Numbers in names are compared as numbers. To know the first of a hundred thousand names takes no
more of the others than what they begin with after the letters that all share.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from os.path import commonprefix
from typing import TypeVar

RUN = 2_048  # names that are sorted at once: some five milliseconds, in which no other thread runs
_LEVELS = 4  # how often names are parted by what they begin with, before all of them is compared
_STAMP = re.compile(r"(?<!\d)(\d{8}_\d{6})(?!\d)")
_STAGE = re.compile(r"_stage(\d+(?:\.\d+)?)")
_DIGITS = re.compile(r"(\d+)")
_DIGITS_AT_END = re.compile(r"\d+\Z")  # a number that all begin with may go on
_NO_STAMP = "99999999_999999"  # images without a time in their name come last
_NO_NUMBER = -1  # a name that ends comes before one that goes on with a number

Natural = list[int | str]  # texts, and the numbers between them
_InFolder = tuple[str, float, Natural]  # the time, the stage and the name
_Beginning = tuple[str, float, str, int]  # the time, the stage, and the next text and number
_Key = TypeVar("_Key", _InFolder, _Beginning)


def review_order(path: str) -> tuple[object, ...]:
    """Return the key by which images are shown."""
    folder, _, name = path.rpartition("/")
    return (natural(folder or "."), *_whole(name))


def path_in_folder(path: str) -> tuple[object, ...]:
    """Return the key of an image among those of folders whose names are alike."""
    return (*_whole(path.rpartition("/")[2]), path)


def natural(text: str) -> Natural:
    """Return the key of a text whose numbers are compared as numbers, and letters without case."""
    parts: Natural = [*_DIGITS.split(text.casefold())]
    parts[1::2] = map(int, parts[1::2])
    return parts


def in_turn(names: Sequence[str], levels: int = _LEVELS) -> Iterator[list[str]]:
    """Yield names of one folder in review order, a list of some `RUN` at a time, and at least one.

    Names that begin alike are compared as a whole when it is their turn.

    Parameters
    ----------
    levels : how often they are parted by their beginning; a bound for names that are made to
        differ as late as they can
    """
    if not levels or len(names) <= RUN:
        yield from runs(name for _, name in _by(_whole, names))
        return
    run: list[str] = []
    for _, alike in groupby(_by(_beginning(names), names), itemgetter(0)):
        group = [name for _, name in alike]
        for part in [group] if len(group) == 1 else in_turn(group, levels - 1):
            run += part
            if len(run) >= RUN:
                yield run
                run = []
    if run:
        yield run


def runs(names: Iterable[str]) -> Iterator[list[str]]:
    """Yield names as they come, `RUN` at a time; where there are none, an empty list."""
    coming = iter(names)
    yield list(islice(coming, RUN))
    yield from iter(lambda: list(islice(coming, RUN)), [])


def _by(key: Callable[[str], _Key], names: Iterable[str]) -> Iterator[tuple[_Key, str]]:
    """Sort in short turns: the first is known when each turn is sorted, and none are merged yet."""
    pairs = ((key(name), name) for name in names)
    return merge(*iter(lambda: sorted(islice(pairs, RUN)), []))


def _whole(name: str) -> _InFolder:
    return *_first(name), natural(name)


def _beginning(names: Sequence[str]) -> Callable[[str], _Beginning]:
    """Return a key of the first text and number in which names may differ.

    It is a beginning of the key by which they are ordered: of two names that it tells apart, the
    whole key says the same.
    """
    head = len(_DIGITS_AT_END.sub("", commonprefix(names)))  # noqa: RUF071  (letters)

    def key(name: str) -> _Beginning:
        text, *rest = _DIGITS.split(name[head:].casefold(), 1)
        return *_first(name), text, int(rest[0]) if rest else _NO_NUMBER

    return key


def _first(name: str) -> tuple[str, float]:
    stamp = _STAMP.search(name)
    stage = _STAGE.search(name) if "_stage" in name else None
    return stamp[1] if stamp else _NO_STAMP, float(stage[1]) if stage else 0.0
