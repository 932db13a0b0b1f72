"""What the parameters of a batch may be, whoever gives them: papermill guesses types from text."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cropkit.batch.plan import Source
from cropkit.errors import BadParameterValue
from cropkit.system.files import path_named

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
    if value not in tuple(Source):
        raise BadParameterValue("batch", name, value, " or ".join(Source))
    return Source(str(value))


def _confidence(name: str, value: object) -> float:
    number = math.nan if isinstance(value, bool | str) else _float(value)
    if not 0 <= number <= 1:
        raise BadParameterValue("batch", name, value, "number from 0 to 1")
    return number


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _workers(name: str, value: object) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= int(str(value)) <= _MOST_WORKERS:
        kind = f"whole number from 0 to {_MOST_WORKERS}; 0 for one for each processor"
        raise BadParameterValue("batch", name, value, kind)
    return int(str(value))


def _place(name: str, value: object) -> Path | None:
    return None if value is None or value == "" else path_named(name, value)


_RULES: dict[str, Callable[[str, object], Any]] = {
    "source": _source,
    "min_confidence": _confidence,
    "destination": _place,
    "workers": _workers,
    "run": _place,
}
