"""What the parameters of a batch may be, whoever gives them: papermill guesses types from text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cropkit.batch.plan import Source
from cropkit.system import parameters

_MOST_WORKERS = 1024


def checked(name: str, value: object) -> Any:  # noqa: ANN401  (each parameter has its own type)
    """Return a parameter's value as the batch takes it.

    Raises
    ------
    BadParameterValue
        It is none: nothing was begun.
    """
    return _RULES[name](name, value)


def _source(name: str, value: object) -> Source:
    return Source(parameters.choice(name, value, tuple(Source)))


def _place(name: str, value: object) -> Path | None:
    return None if value is None or value == "" else parameters.path_named(name, value)


def _workers(name: str, value: object) -> int:
    return parameters.whole(name, value, 0, _MOST_WORKERS, "; 0 for one for each processor")


_RULES: dict[str, Callable[[str, object], Any]] = {
    "source": _source,
    "min_confidence": parameters.share,
    "destination": _place,
    "copy_to": _place,
    "workers": _workers,
    "run": _place,
}
