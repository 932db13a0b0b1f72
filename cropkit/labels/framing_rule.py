"""A rule from subjects to crops, as a person writes it, and what it makes of boxes; pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from cropkit.errors import BadFraming, BadSuggestion
from cropkit.framing import Framed, around
from cropkit.geometry import NormalizedBox, Size
from cropkit.system import parameters

Rule = Mapping[str, Any]

_BETWEEN = "/"  # four margins, several classes, several targets


@dataclass(frozen=True, slots=True)
class Boxed:
    """A box of one image, and what is known of it."""

    box: NormalizedBox
    confidence: float | None = None
    category: str = ""
    author: str = ""
    version: str = ""


def read(text: str) -> Rule:
    """Read `cropkit.around`'s parameters from a text such as ``margin=0.15 aspect=4:5``.

    Signs of equality may be left out, and commas are no more than blanks.

    Several margins, classes or targets are separated by slashes.

    Raises
    ------
    BadFraming
        There is no such parameter, or it is no such value.
    BadParameterValue
        It is no text.
    """
    parameters.text("around", text)
    rule: dict[str, Any] = {}
    words = text.replace(",", " ").replace("=", " ").split()
    for name, value in zip_longest(words[::2], words[1::2]):
        if value is None or name not in _PARAMETERS:
            known = ", ".join(_PARAMETERS)
            raise BadFraming(name, f"a rule is made of NAME=VALUE, with one of {known}")
        try:
            rule[name] = _PARAMETERS[name](value)
        except ValueError:
            raise BadFraming(name, f"{value!r} is not what it takes") from None
    around([[0, 0, 1, 1, 1.0]], Size(1, 1), classes=[""], **rule)  # is it one at all?
    return rule


def framed(boxes: Sequence[Boxed], size: Size, rule: Rule, where: str) -> list[Boxed]:
    """Return the crops around subjects, that of the rule first, then one around each subject.

    Where they are several, each one's own crop is the next best candidate.

    Raises
    ------
    BadSuggestion
        No crop can be put around them.
    """
    rows = [[*each.box.pixels(size).xyxy, each.confidence or 0.0] for each in boxes]
    classes = [each.category for each in boxes]
    try:
        first = around(rows, size, classes=classes, **rule)
        each = around(rows, size, classes=classes, **{**rule, "keep": "each"})
    except BadFraming as error:
        raise BadSuggestion(where, f"no crop around its subjects: {error}") from None
    return [_crop(crop, boxes, size) for crop in dict.fromkeys((*first, *each))]


def _crop(crop: Framed, boxes: Sequence[Boxed], size: Size) -> Boxed:
    inside = [boxes[row] for row in crop.subjects]
    sure = [each.confidence for each in inside if each.confidence is not None]
    categories = ", ".join(dict.fromkeys(each.category for each in inside if each.category))
    author = inside[0].author if len({each.author for each in inside}) == 1 else ""
    box = crop.normalized(size)
    return Boxed(box, min(sure, default=None), categories, author, crop.label)


def _margin(text: str) -> float | list[float]:
    sides = [float(side) for side in text.split(_BETWEEN)]
    return sides[0] if len(sides) == 1 else sides


def _words(text: str) -> str | list[str]:
    names = text.split(_BETWEEN)
    return names[0] if len(names) == 1 else names


_PARAMETERS: Mapping[str, Callable[[str], Any]] = {
    "margin": _margin,
    "headroom": float,
    "aspect": str,
    "keep": _words,
    "eye_line": float,
    "eyes": float,
    "min_size": int,
    "targets": _words,
}
