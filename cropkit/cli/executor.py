"""The option `--executor`: whose processes do the work of a command."""

import argparse
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cropkit.system.elsewhere import Workers
    from cropkit.system.scope import Scope


def add_executor(parser: argparse.ArgumentParser) -> None:
    """Give a command the option."""
    text = "have workers of this scheduler of Dask do it, on this host (the extra dask)"
    parser.add_argument("--executor", metavar="dask://HOST:PORT", help=text)


@contextmanager
def reached(named: object) -> "Iterator[Workers | None]":
    """Reach the workers that somebody names; None where nobody does.

    Raises
    ------
    BadParameterValue, NotInstalled, WorkersUnavailable
        There are none: nothing was written.
    """
    if named is None or named == "":
        yield None
        return
    from cropkit.workers import executors  # noqa: PLC0415  (codecs: not for `--help`)

    with executors.reached(executors.checked(named)) as workers:
        yield workers


def reach(named: object) -> "Callable[..., AbstractContextManager[Workers]] | None":
    """Return what opens the workers that somebody names, for work on some folders.

    Raises
    ------
    BadParameterValue
        It is no address: nothing was begun.
    """
    if named is None:
        return None
    from cropkit.workers import executors  # noqa: PLC0415  (codecs: not for `--help`)

    return executors.reach(named)


def check_executor(named: object, scope: "Scope") -> None:
    """Refuse workers that are not there, or cannot work here, before anything is written.

    Raises
    ------
    BadParameterValue, NotInstalled, WorkersUnavailable, UnfitWorker
        Nothing was written.
    """
    with reached(named) as workers:
        if workers is not None:
            from cropkit.workers.chunk import Site, check_fits  # noqa: PLC0415  (as above)

            workers.ask_each(check_fits, Site.of_scope(scope))
