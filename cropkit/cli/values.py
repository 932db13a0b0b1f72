"""What the numbers on a command line may be; anything else is a sentence and exit code 2."""

import argparse
import math
import re
from collections.abc import Callable
from datetime import timedelta

from cropkit.errors import BadParameterValue

_LONGEST_DAYS = 36_500
_MOST = 10**9
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SIZES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def whole_number(least: int, most: int = _MOST) -> Callable[[str], int]:
    """Return what reads a whole number within bounds."""

    def read(text: str) -> int:
        number = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else None
        if number is None or not least <= number <= most:
            upper = f" to {most}" if most < _MOST else " on"
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}{upper}")
        return number

    return read


from_one = whole_number(1)


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return number


def percent(least: float, most: float) -> Callable[[str], float]:
    """Return what reads a percentage, such as ``5%``, between two, as a share."""

    def read(text: str) -> float:
        number = _number(text.strip().removesuffix("%"))
        if not least < number < most:
            message = f"{text!r} is not a percentage between {least:g} and {most:g}, such as 5%"
            raise argparse.ArgumentTypeError(message)
        return number / 100

    return read


def percentage(text: str) -> str:
    """Check that a text is a percentage such as ``5%``, from 0 to 100."""
    from cropkit.system import parameters  # noqa: PLC0415  (only where it is needed)

    try:
        parameters.percentage("double", text)
    except BadParameterValue:
        message = f"{text!r} is not a percentage from 0 to 100, such as 5%"
        raise argparse.ArgumentTypeError(message) from None
    return text


def ratio(text: str) -> str:
    """Check that a ratio is written as ``3:2`` or ``1.91:1``."""
    number = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
    if not re.fullmatch(f"{number}:{number}", text) or min(map(float, text.split(":"))) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a ratio as 3:2")
    return text


def days(text: str) -> timedelta:
    """Read a number of days above 0."""
    number = _number(text)
    if not 0 < number <= _LONGEST_DAYS:
        message = f"{text!r} is not a number of days above 0, up to {_LONGEST_DAYS}"
        raise argparse.ArgumentTypeError(message)
    return timedelta(days=number)


def age(text: str) -> timedelta:
    """Read an age: a whole number of hours, days or weeks."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not re.fullmatch("[0-9]{1,7}", number):
        raise argparse.ArgumentTypeError(f"{text!r} is not an age such as 30d, 12h or 4w")
    if int(number) * _UNITS[unit] > timedelta(days=_LONGEST_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is longer than {_LONGEST_DAYS}d")
    return int(number) * _UNITS[unit]


def size(text: str) -> int:
    """Read a size in bytes, with or without a unit."""
    number = text.rstrip("BGKMTbgkmt")
    unit = text[len(number) :].upper().removesuffix("B")
    if unit not in _SIZES or not re.fullmatch("[0-9]{1,15}", number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 20GB or 500MB")
    return int(number) * _SIZES[unit]


def edges(text: str) -> tuple[int, int, int, int]:
    """Read the four edges of a box; whether they make one is for the image to say."""
    if not re.fullmatch(r"\s*-?[0-9]{1,18}\s*(,\s*-?[0-9]{1,18}\s*){3}", text):
        message = f"{text!r} is not four whole numbers: left,top,right,bottom"
        raise argparse.ArgumentTypeError(message)
    left, top, right, bottom = (int(part) for part in text.split(","))
    return left, top, right, bottom


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
