"""Executors that work is given to, of the standard library's kind."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from cropkit.errors import WorkersUnavailable
from cropkit.system import parameters

_Answer = TypeVar("_Answer")
_GONE: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)
_KIND = "executor of concurrent.futures"
_AHEAD = 2  # chunks under way for each that is being worked at: no worker waits for the next


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


class Pool:
    """An executor of the standard library's kind."""

    def __init__(self, executor: Executor, most: int) -> None:
        self._executor = executor
        self.name = type(executor).__name__
        self.most = _AHEAD * most

    def submit(self, function: Callable[..., _Answer], /, *arguments: object) -> "Future[_Answer]":
        """Submit it.

        Raises
        ------
        WorkersUnavailable
            It lost a process, or was shut down.
        """
        with explained(self.name, RuntimeError):
            return self._executor.submit(function, *arguments)

    def ask_each(self, function: Callable[..., None], /, *arguments: object) -> None:
        """Ask one: nobody can tell its processes apart, and each looks for itself, too."""
        self.result(self.submit(function, *arguments))

    def check_there(self) -> None:
        """Believe it: an executor that breaks says so by its futures."""

    def result(self, future: "Future[_Answer]") -> _Answer:
        """Return what came of it; a pool that lost a process is broken as a whole."""
        with explained(self.name):
            return future.result()

    def let_go(self, futures: Iterable["Future[Any]"]) -> None:
        """Cancel them, which leaves alone what is under way."""
        for future in futures:
            future.cancel()


@contextmanager
def explained(name: str, *others: type[Exception]) -> Iterator[None]:
    """Say in a sentence that an executor is no more.

    Parameters
    ----------
    others : what says so, besides what futures say

    Raises
    ------
    WorkersUnavailable
        It is no more.
    """
    try:
        yield
    except (*_GONE, *others) as error:
        raise WorkersUnavailable(name, str(error) or type(error).__name__) from error


def checked(value: object) -> Executor | None:
    """Return an executor that somebody names; None where nobody does.

    Raises
    ------
    BadParameterValue
        It is nothing of that kind: nothing was begun.
    """
    if value is None or isinstance(value, Executor):
        return value
    raise parameters.wrong("executor", type(value).__name__, _KIND)
