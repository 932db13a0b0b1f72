"""imagecodecs, loaded when it is first needed: its import costs as much as all of ours."""

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any


@cache
def _library() -> ModuleType:
    return import_module("imagecodecs")


def codec(name: str, *data: object, **options: object) -> Any:  # noqa: ANN401  (arrays and bytes)
    """Call a codec by its name in imagecodecs.

    Raises
    ------
    ValueError
        Where the codec says that the data is damaged.
    """
    try:
        return getattr(_library(), name)(*data, **options)
    except RuntimeError as error:  # the root of its own errors
        raise ValueError(f"{error}") from error
