"""Executors that work is given to: of the standard library's kind, or Dask's, by its client.

Dask is loaded only for who names it.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from cropkit.errors import WorkersUnavailable
from cropkit.system import parameters
from cropkit.system.elsewhere import Workers
from cropkit.workers.chunk import Site, called_here, check_fits

_Answer = TypeVar("_Answer")
_GONE: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)
_ADDRESS = re.compile(r"dask://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253}):([0-9]{1,5})", re.ASCII)
_KIND = "dask://HOST:PORT, or in Python a client of Dask or an executor of concurrent.futures"
_HIGHEST_PORT = 65535
AHEAD = 2  # chunks under way for each that is being worked at: no worker waits for the next


class Pool:
    """An executor of the standard library's kind."""

    def __init__(self, executor: Executor, most: int) -> None:
        self._executor = executor
        self.name = type(executor).__name__
        self.most = AHEAD * most

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


def checked(value: Any) -> Any:  # noqa: ANN401  (what a person has)
    """Return an address, an executor or a client of Dask; None where nothing is named.

    Raises
    ------
    BadParameterValue
        It is nothing of that kind: nothing was begun.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        address(value)
    elif not isinstance(value, Executor) and not _is_client(value):
        raise parameters.wrong("executor", value, _KIND)
    return value


def address(text: str) -> str:
    """Return HOST:PORT of a scheduler of Dask, as that takes it.

    Raises
    ------
    BadParameterValue
        It is no such address; what may be a password is not shown.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[2]) <= _HIGHEST_PORT:
        shown = f"…@{text.rpartition('@')[2]}" if "@" in text else text
        raise parameters.wrong("executor", shown, _KIND)
    return f"{match[1]}:{match[2]}"


@contextmanager
def reached(named: Any, most: int = 0) -> Iterator[Workers]:  # noqa: ANN401  (as `checked` has it)
    """Reach who is named; a connection that was opened here is closed at the end.

    Parameters
    ----------
    named : as `checked` returns it
    most : tasks that an executor works at once; 0: one for each processor. Dask says that itself

    Raises
    ------
    NotInstalled
        It is Dask's, and that is not there.
    WorkersUnavailable
        No scheduler answers there, or it has no workers.
    """
    if isinstance(named, Executor):
        yield Pool(named, most or len(os.sched_getaffinity(0)))
        return
    from cropkit.workers import dask_workers  # noqa: PLC0415  (seconds, and an extra)

    connected = dask_workers.connected(address(named)) if isinstance(named, str) else None
    if connected is None:
        yield dask_workers.DaskWorkers(named, "the client of Dask")
        return
    with connected as client:
        yield dask_workers.DaskWorkers(client, named)


class OnSite:
    """Workers that look before each task whether they are where it belongs."""

    def __init__(self, workers: Workers, site: Site) -> None:
        self._workers, self._site, self.name = workers, site, workers.name
        self.result, self.check_there = workers.result, workers.check_there
        self.ask_each, self.let_go = workers.ask_each, workers.let_go

    @property
    def most(self) -> int:
        """How many tasks may be under way now."""
        return self._workers.most

    def submit(self, function: Callable[..., _Answer], /, *arguments: object) -> "Future[_Answer]":
        """Submit it, with where it belongs."""
        return self._workers.submit(called_here, self._site, function, *arguments)


def reach(named: Any) -> Callable[..., AbstractContextManager[Workers]]:  # noqa: ANN401  (as `checked` takes it)
    """Return what opens the workers that somebody names, for work on some folders.

    Raises
    ------
    BadParameterValue
        It is nothing of that kind: nothing was begun.
    """
    wanted = checked(named)
    if wanted is None:
        raise parameters.wrong("executor", named, _KIND)

    @contextmanager
    def opened(*folders: Path) -> Iterator[Workers]:
        site = Site.of(*folders)
        with reached(wanted) as workers:
            workers.ask_each(check_fits, site)
            yield OnSite(workers, site)

    return opened


def _is_client(value: Any) -> bool:  # noqa: ANN401  (what a person has)
    return all(callable(getattr(value, each, None)) for each in ("submit", "scheduler_info"))
