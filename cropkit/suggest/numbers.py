"""Numbers that other programs wrote: read strictly, refused in plain words; pure."""

import math
import reprlib
from collections.abc import Sequence

from cropkit.errors import BadBox, BadSuggestion
from cropkit.geometry import NormalizedBox

FLOAT_NOISE = 1e-6  # what a float32 network and a decimal round trip may add to 0 and 1
_LOOKS_LIKE_PIXELS = 2

_excerpt = reprlib.Repr()
_excerpt.maxstring = _excerpt.maxother = 60
_excerpt.maxlevel = 2


def excerpt(value: object) -> str:
    """Quote a value of unknown size in a message."""
    return _excerpt.repr(value)


def number(value: object, where: str) -> float:
    """Return a finite float, or raise `BadSuggestion`; neither strings nor booleans are numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadSuggestion(where, f"{excerpt(value)} is not a number")
    try:
        converted = float(value)
    except OverflowError:
        converted = math.inf
    if not math.isfinite(converted):
        raise BadSuggestion(where, "a number that is not finite (NaN or infinity)")
    return converted


def four_numbers(values: object, where: str) -> tuple[float, float, float, float]:
    """Return four finite floats, or raise `BadSuggestion`."""
    if not isinstance(values, list | tuple):
        raise BadSuggestion(where, f"needs a list of four numbers, not {excerpt(values)}")
    if len(values) != 4:  # noqa: PLR2004  (a box has four edges)
        raise BadSuggestion(where, f"needs four numbers, has {len(values)}")
    left, top, right, bottom = (number(value, where) for value in values)
    return left, top, right, bottom


def normalized_box(
    edges: Sequence[float], where: str, noise: tuple[float, float] = (FLOAT_NOISE, FLOAT_NOISE)
) -> NormalizedBox:
    """Return the box of normalized edges, or raise `BadSuggestion`.

    Parameters
    ----------
    edges : left, top, right, bottom
    noise : how far outside 0..1 an edge may lie, horizontally and vertically, and be clamped
    """
    for value, tolerance in zip(edges, (*noise, *noise), strict=True):
        if not -tolerance <= value <= 1 + tolerance:
            raise BadSuggestion(where, _outside(edges))
    clamped = [min(1.0, max(0.0, value)) for value in edges]
    try:
        return NormalizedBox(*clamped)
    except BadBox as error:
        raise BadSuggestion(where, f"box {_listed(edges)} {error.args[1]}") from None


def confidence(value: object, where: str) -> float:
    """Return a confidence in 0..1, or raise `BadSuggestion`."""
    sure = number(value, where)
    if not 0 <= sure <= 1:
        raise BadSuggestion(where, f"confidence {sure:g} is not in 0..1")
    return sure


def _outside(edges: Sequence[float]) -> str:
    if max(edges) >= _LOOKS_LIKE_PIXELS:
        return f"box {_listed(edges)} looks like pixels where fractions of 0..1 belong"
    return f"box {_listed(edges)} reaches outside the image"


def _listed(edges: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:.7g}" for value in edges) + ")"
