"""A rule from subjects to crops, as a person writes it, and what it makes of boxes; pure.

A collection keeps one that is used where none is named, and others by name. They are settings of
it, and may be anybody's who may write to the state: each is read again, with its name.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

from cropkit.errors import BadFraming, BadSuggestion, BadTarget
from cropkit.framing import Framed, around
from cropkit.geometry import NormalizedBox, Size
from cropkit.system import parameters

Rule = Mapping[str, Any]

MOST = 20  # rules with a name: a key goes through them
USUAL = ""  # name of the rule that is used where none is named
_NAME = re.compile(r"\w[\w.-]{0,39}")
_NAMED = re.compile(rf"\s*({_NAME.pattern})\s*:(.*)", re.DOTALL)
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
    BadFraming, BadTarget
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


def split(text: str) -> tuple[str, str]:
    """Return the name that stands before a rule and a colon, `USUAL` where none does, and the rule.

    Raises
    ------
    BadFraming
        A parameter is called so.
    """
    named = _NAMED.fullmatch(text)
    if named is None:
        return USUAL, text
    if named[1] in _PARAMETERS:
        raise BadFraming(named[1], "is a parameter, and no name of a rule")
    return named[1], named[2].strip()


def chosen(text: str, kept: Mapping[str, Rule]) -> Rule:
    """Read a rule, or take the one that has a name.

    Raises
    ------
    BadFraming, BadTarget
        There is neither.
    """
    word = parameters.text("around", text).strip()
    if word in kept:
        return kept[word]
    if word not in _PARAMETERS and _NAME.fullmatch(word):
        names = ", ".join(filter(None, kept)) or "none"
        raise BadFraming(word, f"is no rule of this collection (it has {names})")
    return read(text)


def with_another(settings: str, name: str, rule: str) -> str:
    """Return the setting of named rules with one more, or without one where it is empty.

    Raises
    ------
    BadFraming, BadTarget
        It is no rule, or there would be too many: nothing was changed.
    """
    read(rule)
    kept = texts(settings)
    kept.pop(name, None)
    kept |= {name: rule} if rule else {}
    if len(kept) > MOST:
        raise BadFraming(name, f"there are {MOST} rules already: remove one, as 'NAME:'")
    return json.dumps(kept, ensure_ascii=True)


def named_rules(settings: str) -> tuple[dict[str, Rule], list[str]]:
    """Return the named rules of a setting, and why each of the others is none."""
    rules: dict[str, Rule] = {}
    bad: list[str] = []
    for name, text in texts(settings).items():
        try:
            rules[name] = read(text)
        except (BadFraming, BadTarget) as error:
            bad.append(f"rule {name}: {error}")
    return rules, bad


def texts(settings: str) -> dict[str, str]:
    """Return the named rules of a setting as they were written; what is no name is left out."""
    try:
        pairs = json.loads(settings or "{}")
    except (ValueError, RecursionError):
        return {}
    kept = pairs.items() if isinstance(pairs, dict) else ()
    are_ours = (
        (name, text)
        for name, text in kept
        if isinstance(text, str) and _NAME.fullmatch(name) and name not in _PARAMETERS
    )
    return dict(islice(are_ours, MOST))


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
