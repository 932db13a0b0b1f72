"""Values that a notebook or a script gives, of the type that is meant or refused by name.

papermill's own command line guesses types from text: a folder called ``2024`` arrives as a number,
and ``two`` as a text where a number was meant. Whatever takes a parameter takes it through here.

Every function raises `BadParameterValue`, a sentence that names parameter and value: nothing was
begun.
"""

import math
import os
import re
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

from cropkit.errors import BadParameterValue

_LONGEST_DAYS = 36_500
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})? ?")


def path_named(parameter: str, value: object) -> Path:
    """Return the path that a parameter names; a number is a name of digits."""
    if isinstance(value, str | os.PathLike):
        return Path(value)
    if _is_whole(value):
        return Path(str(value))
    raise wrong(parameter, value, "path: with papermill's own command line, give it by -r")


def state_named(value: object) -> Path | None:
    """Return the folder of a state that a parameter names; None where it names none."""
    return None if value is None or value == "" else path_named("state", value)


def text(parameter: str, value: object) -> str:
    """Return a text; a number is one of digits."""
    if isinstance(value, str) or _is_whole(value):
        return str(value)
    raise wrong(parameter, value, "text")


def choice(parameter: str, value: object, choices: Collection[str]) -> str:
    """Return one of the words that there are."""
    if not isinstance(value, str) or value not in choices:
        raise wrong(parameter, value, " or ".join(filter(None, choices)))
    return value


def flag(parameter: str, value: object) -> bool:
    """Return True or False."""
    if not isinstance(value, bool):
        raise wrong(parameter, value, "truth value: True or False")
    return value


def whole(parameter: str, value: object, least: int, most: int, means: str = "") -> int:
    """Return a whole number in a range."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise wrong(parameter, value, f"whole number from {least} to {most}{means}")
    return value


def share(parameter: str, value: object) -> float:
    """Return a number from 0 to 1."""
    number = _number(value)
    if not 0 <= number <= 1:
        raise wrong(parameter, value, "number from 0 to 1")
    return number


def percentage(parameter: str, value: object) -> float:
    """Return a share, given as one or as a text in percent, such as ``5%``."""
    text = value.strip().removesuffix("%") if isinstance(value, str) else ""
    number = float(text) / 100 if _PERCENT.fullmatch(text) else _number(value)
    if not 0 <= number <= 1:
        raise wrong(parameter, value, "share from 0 to 1, or text as '5%'")
    return number


def days(parameter: str, value: object) -> timedelta:
    """Return a span, given as one or as a number of days."""
    number = value / timedelta(days=1) if isinstance(value, timedelta) else _number(value)
    if not 0 < number <= _LONGEST_DAYS:
        raise wrong(parameter, value, f"number of days above 0, up to {_LONGEST_DAYS}")
    return timedelta(days=number)


def _number(value: object) -> float:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_one else math.nan  # type: ignore[arg-type]  # (it is one)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def wrong(parameter: str, value: object, kind: str) -> BadParameterValue:
    """Return the error of a value that is not of the kind that is meant."""
    return BadParameterValue("what was asked", parameter, value, kind)
