"""Work that other processes do: what whoever gives it out has to know of them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from typing import Any, Protocol, TypeVar

_Answer = TypeVar("_Answer")
_Work = TypeVar("_Work")
_LOOK_SECONDS = 1.0


class TaskDied(Exception):
    """Workers ended while they were at a task; others take up the next one."""


class Workers(Protocol):
    """Who carries out chunks elsewhere."""

    @property
    def name(self) -> str:
        """As a person knows them."""
        ...

    @property
    def most(self) -> int:
        """How many tasks may be under way now."""
        ...

    def submit(self, function: Callable[..., _Answer], /, *arguments: object) -> "Future[_Answer]":
        """Have a function of this package called, perhaps more than once."""
        ...

    def ask_each(self, function: Callable[..., None], /, *arguments: object) -> None:
        """Call a function in each worker that is there, as far as they can be named.

        Raises
        ------
        CropkitError
            What it raised in one of them.
        """
        ...

    def check_there(self) -> None:
        """Look whether there is anybody, while nothing comes back.

        Raises
        ------
        WorkersUnavailable
            Nobody is, for too long.
        """
        ...

    def result(self, future: "Future[_Answer]") -> _Answer:
        """Return what came of a task.

        Raises
        ------
        TaskDied
            Workers died of it, and others go on.
        WorkersUnavailable
            None does.
        """
        ...

    def let_go(self, futures: Iterable["Future[Any]"]) -> None:
        """Begin none of these that is not begun; what is under way goes on."""
        ...


def in_order(
    work: Iterable[_Work],
    submit: "Callable[[_Work], Future[_Answer]]",
    most: Callable[[], int],
) -> "Iterator[tuple[_Work, Future[_Answer]]]":
    """Yield pieces of work in their order, each with what is to come of it.

    Parameters
    ----------
    work : taken as there is room
    most : how many may be under way, asked again each time
    """
    under_way: deque[tuple[_Work, Future[_Answer]]] = deque()
    for each in work:
        under_way.append((each, submit(each)))
        while len(under_way) >= most():
            yield under_way.popleft()
    yield from under_way


def awaited(workers: Workers, future: "Future[_Answer]") -> _Answer:
    """Return what comes of a task, and wait for it as long as anybody works.

    Raises
    ------
    TaskDied, WorkersUnavailable
        As `Workers.result` and `Workers.check_there`; or whatever the task raised.
    """
    while not wait([future], _LOOK_SECONDS).done:
        workers.check_there()
    return workers.result(future)
